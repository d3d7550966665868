//! What a watcher is told of a person: one document for all who may see the same.

use std::sync::Arc;

use lyceum_sip::time::Now;
use lyceum_topology::{PresencePolicy, Snapshot, UserRecord, routing_group};
use lyceum_users::contacts::ContactList;
use lyceum_users::facet_kind;
use lyceum_users::presence::{AggregateState, Card, Number, NumberKind, Relationship, Standing, own_view, view};

use super::watches::mark;
use super::{presentity, user_at};
use crate::core::Core;

/// The documents of the person told about last: watchers of one person come one after another.
#[derive(Default)]
pub(crate) struct Bodies {
    user: Option<Arc<UserRecord>>,
    group: usize,
    state: Option<AggregateState>,
    /// `None`: it cannot be read, and nobody but the person sees anything.
    contacts: Option<ContactList>,
    /// By what is seen; `None` is the person's own devices.
    views: Vec<(Option<Standing>, Document)>,
}

/// A presence document and the mark that it is known by afterwards.
#[derive(Clone)]
pub(crate) struct Document {
    pub(crate) body: Arc<[u8]>,
    pub(crate) mark: u32,
}

impl Bodies {
    /// There is news of this address.
    pub(crate) fn forget(&mut self, aor: &str) {
        if self.is_of(aor) {
            self.forget_all();
        }
    }

    fn is_of(&self, aor: &str) -> bool {
        self.user.as_ref().is_some_and(|user| user.address.as_str() == aor)
    }

    /// Names, policies or the time may be others.
    pub(crate) fn forget_all(&mut self) {
        self.user = None;
        self.state = None;
        self.views.clear();
    }
}

/// What somebody may see by a contact list; by one that cannot be read as little as there is.
pub(super) fn standing(
    contacts: Option<&ContactList>,
    watcher: &str,
    is_ours: bool,
    policy: &PresencePolicy,
) -> Standing {
    let blocked = Standing { relationship: Relationship::Blocked, hidden: true };
    contacts.map_or(blocked, |contacts| contacts.standing_of(watcher, is_ours, policy))
}

/// The directory's facts of a user.
pub(crate) fn card<'a>(user: &'a UserRecord, numbers: &'a [String]) -> Card<'a> {
    let number = |number: &'a String| Number { kind: NumberKind::Work, number };
    Card {
        display_name: user.display_name.as_deref().unwrap_or(user.address.user()),
        mail: user.mail.as_deref().unwrap_or_default(),
        title: user.job().title.as_deref().unwrap_or_default(),
        company: user.job().company.as_deref().unwrap_or_default(),
        department: user.job().department.as_deref().unwrap_or_default(),
        numbers: numbers.iter().map(number).collect(),
        ..Card::default()
    }
}

impl Core {
    /// What `watcher` may see of the user with this canonical address, as a presence document; `None`: there is no such
    /// user.
    pub(crate) fn presence_document(
        &mut self,
        now: Now,
        snapshot: &Snapshot,
        aor: &str,
        watcher: &str,
    ) -> Option<Document> {
        let mut bodies = std::mem::take(&mut self.events.bodies);
        if !bodies.is_of(aor) || bodies.state.is_none() {
            bodies.forget_all();
            bodies.user = user_at(snapshot, aor).map(Arc::clone);
            bodies.group = usize::from(routing_group(aor));
            bodies.contacts = ContactList::load(&self.groups[bodies.group], aor).ok();
        }
        let document = self.document_from(&mut bodies, now, snapshot, watcher);
        self.events.bodies = bodies;
        document
    }

    fn document_from(&self, bodies: &mut Bodies, now: Now, snapshot: &Snapshot, watcher: &str) -> Option<Document> {
        let user = bodies.user.as_ref()?;
        let aor = user.address.as_str();
        let policy = snapshot.presence_policy(user);
        let (presence, group) = (&self.events.presentities[bodies.group], &self.groups[bodies.group]);
        let state = bodies.state.get_or_insert_with(|| presence.state(presentity(now, snapshot, user), group));
        let contacts = bodies.contacts.as_ref();
        let standing = (watcher != aor).then(|| standing(contacts, watcher, is_ours(snapshot, watcher), policy));
        let known = bodies.views.iter().find(|(seen_by, _)| *seen_by == standing);
        let document = match known {
            Some((_, document)) => document.clone(),
            None => {
                let numbers: Vec<String> = user.numbers.iter().map(|number| number.plain()).collect();
                let card = card(user, &numbers);
                let seen = standing.map_or_else(|| own_view(state, &card), |standing| view(state, &card, standing));
                let mut text = Vec::with_capacity(1024);
                seen.pidf(&format!("sip:{aor}"), &mut text);
                let document = Document { mark: mark(&text), body: text.into() };
                bodies.views.push((standing, document.clone()));
                document
            }
        };
        Some(document)
    }

    /// Whether somebody of this routing group has said anything that keeps others from reaching them.
    pub(crate) fn may_refuse(&self, group: usize) -> bool {
        let has = |kind| self.groups[group].facet_count(kind) > 0;
        has(facet_kind::PRESENCE) || has(facet_kind::CONTACTS)
    }

    /// The standing of somebody towards a user, and the user's state: whether they may be reached now.
    pub(crate) fn reach(
        &self,
        now: Now,
        snapshot: &Snapshot,
        user: &UserRecord,
        other: &str,
    ) -> lyceum_users::presence::Reach {
        let aor = user.address.as_str();
        let at = usize::from(routing_group(aor));
        if other == aor || !self.may_refuse(at) {
            return lyceum_users::presence::Reach::Allowed;
        }
        // Of a list that cannot be read nothing is known: better somebody blocked gets through than nobody reaches them.
        let contacts = ContactList::load(&self.groups[at], aor).unwrap_or_default();
        let state = self.events.presentities[at].state(presentity(now, snapshot, user), &self.groups[at]);
        lyceum_users::presence::reach(&state, contacts.relationship_of(other, is_ours(snapshot, other)))
    }
}

/// Is the address of our organisation?
pub(crate) fn is_ours(snapshot: &Snapshot, address: &str) -> bool {
    address.split_once('@').is_some_and(|(_, domain)| snapshot.is_our_domain(domain.as_bytes()))
}
