//! What pages and the shell ask and change: presence, contacts, device use. The same state as SIP's, by another door.

use std::sync::Arc;

use lyceum_net::Outbox;
use lyceum_sip::time::Now;
use lyceum_topology::{UserRecord, routing_group};
use lyceum_users::contacts::{ContactList, ContactRefusal};
use lyceum_users::presence::calendar::BusyInterval;
use lyceum_users::presence::{
    AggregateState, Change, ChoiceIntent, ChoiceRefusal, DeviceKind, Document, Presentities, Presentity, view,
};
use lyceum_users::subscription::Subscription;
use lyceum_users::{Group, Journal, facet_kind};

use super::body::{card, is_ours, standing};
use super::{Done, presentity, user_at};
use crate::core::Core;

/// What one person sees of another.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Whose presence it is.
    pub address: String,
    /// The name.
    pub display_name: String,
    /// Numeric availability; `None` where it is not told.
    pub availability: Option<u16>,
    /// What the person is doing, as a word.
    pub activity: Option<&'static str>,
    /// The personal note.
    pub note: Option<String>,
    /// The out-of-office note.
    pub out_of_office: Option<String>,
    /// When a device was last used, in ms since 1970.
    pub last_active: Option<u64>,
    /// What the person chose; for themselves alone.
    pub choice: Option<&'static str>,
}

impl Core {
    fn user_and_group(&self, aor: &str) -> Option<(Arc<UserRecord>, usize)> {
        let user = user_at(&self.snapshot, aor).filter(|user| user.enabled)?;
        Some((Arc::clone(user), usize::from(routing_group(user.address.as_str()))))
    }

    /// What a user's presence comes to, and what is remembered of it.
    pub fn presence_of(&self, now: Now, aor: &str) -> Option<(AggregateState, Document)> {
        let (user, at) = self.user_and_group(aor)?;
        let state = self.events.presentities[at].state(presentity(now, &self.snapshot, &user), &self.groups[at]);
        Some((state, Presentities::document(&self.groups[at], aor)))
    }

    /// What `watcher` sees of a user.
    pub fn seen_by(&self, now: Now, aor: &str, watcher: &str) -> Option<Seen> {
        let (user, at) = self.user_and_group(aor)?;
        let policy = self.snapshot.presence_policy(&user);
        let state = self.events.presentities[at].state(presentity(now, &self.snapshot, &user), &self.groups[at]);
        let numbers: Vec<String> = user.numbers.iter().map(|number| number.plain()).collect();
        let card = card(&user, &numbers);
        let own = watcher == aor;
        let list = ContactList::load(&self.groups[at], aor).ok();
        let standing = standing(list.as_ref(), watcher, is_ours(&self.snapshot, watcher), policy);
        let seen = if own { lyceum_users::presence::own_view(&state, &card) } else { view(&state, &card, standing) };
        Some(Seen {
            address: aor.to_owned(),
            display_name: card.display_name.to_owned(),
            availability: seen.availability.map(|value| value.0),
            activity: seen.activity.map(|activity| activity.as_str()),
            note: seen.note.map(str::to_owned),
            out_of_office: seen.out_of_office.map(str::to_owned),
            last_active: seen.last_active.map(|at| at.0),
            choice: seen.choice.map(|choice| choice.as_str()),
        })
    }

    /// Sets what a person says of themselves; `done` hears when it is durable.
    ///
    /// # Errors
    /// Why policy or bounds forbid it; `None` for an unknown user.
    pub fn choose_presence(
        &mut self,
        now: Now,
        aor: &str,
        intent: &ChoiceIntent<'_>,
        done: Done,
        out: &mut Outbox,
    ) -> Result<(), Option<ChoiceRefusal>> {
        let (user, at) = self.user_and_group(aor).ok_or(None)?;
        let snapshot = Arc::clone(&self.snapshot);
        let presence = &mut self.events.presentities[at];
        let change = presence
            .choose(presentity(now, &snapshot, &user), intent, &mut self.groups[at], &mut self.journal)
            .map_err(Some)?;
        if change.changed {
            self.presence_changed_after(change.wait_for, aor);
        }
        self.when_durable(change.wait_for, done);
        self.pump_notifies(now, out);
        Ok(())
    }

    /// Everybody whose calendar is fetched, with where from.
    pub fn calendar_feeds(&self) -> Vec<(String, String)> {
        let feed = |(key, value): (&[u8], &[u8])| {
            let feed = Document::unpack(value)?.feed?;
            Some((std::str::from_utf8(key).ok()?.to_owned(), feed.0.into()))
        };
        self.groups.iter().flat_map(|group| group.facets(facet_kind::PRESENCE).filter_map(feed)).collect()
    }

    /// Where a user's calendar is fetched from, and how many busy times are known.
    pub fn calendar_of(&self, aor: &str) -> Option<(Option<String>, usize)> {
        let (_, at) = self.user_and_group(aor)?;
        let document = Presentities::document(&self.groups[at], aor);
        Some((document.feed.map(|feed| feed.0.into()), document.calendar.len()))
    }

    /// Sets where a user's calendar is fetched from; without one its busy times are forgotten.
    ///
    /// # Errors
    /// Why bounds forbid it; `None` for an unknown user.
    pub fn set_calendar_feed(
        &mut self,
        now: Now,
        aor: &str,
        feed: Option<&str>,
        done: Done,
        out: &mut Outbox,
    ) -> Result<(), Option<ChoiceRefusal>> {
        self.edit_calendar(now, aor, done, out, |presence, about, group, journal| {
            presence.set_feed(about, feed, group, journal)
        })
    }

    /// Sets the busy times of a user's calendar, fetched from where `from` says: those of a place that is no longer the
    /// user's change nothing.
    ///
    /// # Errors
    /// Why bounds forbid it; `None` for an unknown user.
    pub fn set_calendar(
        &mut self,
        now: Now,
        aor: &str,
        (from, busy): (Option<&str>, Vec<BusyInterval>),
        done: Done,
        out: &mut Outbox,
    ) -> Result<(), Option<ChoiceRefusal>> {
        let (_, at) = self.user_and_group(aor).ok_or(None)?;
        if from.is_some() && Presentities::document(&self.groups[at], aor).feed.as_ref().map(|feed| &*feed.0) != from {
            done(true);
            return Ok(());
        }
        self.edit_calendar(now, aor, done, out, |presence, about, group, journal| {
            presence.set_calendar(about, busy, group, journal)
        })
    }

    /// Forgets where a user's calendar was fetched from and keeps its busy times; tells how many.
    ///
    /// # Errors
    /// `None` for an unknown user.
    pub fn keep_calendar_only(
        &mut self,
        now: Now,
        aor: &str,
        done: Done,
        out: &mut Outbox,
    ) -> Result<usize, Option<ChoiceRefusal>> {
        let (_, at) = self.user_and_group(aor).ok_or(None)?;
        let busy = Presentities::document(&self.groups[at], aor).calendar;
        let count = busy.len();
        self.edit_calendar(now, aor, done, out, |presence, about, group, journal| {
            presence.set_feed(about, None, group, journal)?;
            presence.set_calendar(about, busy, group, journal)
        })?;
        Ok(count)
    }

    fn edit_calendar(
        &mut self,
        now: Now,
        aor: &str,
        done: Done,
        out: &mut Outbox,
        edit: impl FnOnce(&mut Presentities, Presentity<'_>, &mut Group, &mut Journal) -> Result<Change, ChoiceRefusal>,
    ) -> Result<(), Option<ChoiceRefusal>> {
        let (user, at) = self.user_and_group(aor).ok_or(None)?;
        let snapshot = Arc::clone(&self.snapshot);
        let about = presentity(now, &snapshot, &user);
        let change = edit(&mut self.events.presentities[at], about, &mut self.groups[at], &mut self.journal);
        let change = change.map_err(Some)?;
        if change.changed {
            self.presence_changed_after(change.wait_for, aor);
        }
        self.when_durable(change.wait_for, done);
        self.pump_notifies(now, out);
        Ok(())
    }

    /// A device tells how long it was not used.
    pub fn device_used(&mut self, now: Now, aor: &str, device: &str, idle_seconds: u32, out: &mut Outbox) {
        let Some((user, at)) = self.user_and_group(aor) else { return };
        let snapshot = Arc::clone(&self.snapshot);
        let presence = &mut self.events.presentities[at];
        let about = presentity(now, &snapshot, &user);
        if presence.used(about, device, DeviceKind::Browser, idle_seconds, &self.groups[at]) {
            self.presence_changed(aor);
            self.pump_notifies(now, out);
        }
    }

    /// The contact list of a user.
    pub fn contacts_of(&self, aor: &str) -> Option<ContactList> {
        let (_, at) = self.user_and_group(aor)?;
        ContactList::load(&self.groups[at], aor).ok()
    }

    /// Changes the contact list of a user; `done` hears when it is durable. With `based_on` the list must still have
    /// that version.
    ///
    /// # Errors
    /// Why it cannot be changed so; `None` for an unknown user.
    pub fn edit_contacts(
        &mut self,
        now: Now,
        aor: &str,
        edit: impl FnOnce(&mut ContactList) -> Result<(), ContactRefusal>,
        done: Done,
        out: &mut Outbox,
    ) -> Result<ContactList, Option<ContactRefusal>> {
        let (user, at) = self.user_and_group(aor).ok_or(None)?;
        let snapshot = Arc::clone(&self.snapshot);
        let policy = snapshot.presence_policy(&user);
        let (list, seq) =
            ContactList::edit(aor, policy, &mut self.groups[at], &mut self.journal, edit).map_err(Some)?;
        self.contacts_changed_after(seq, aor);
        self.when_durable(Some(seq), done);
        self.pump_notifies(now, out);
        Ok(list)
    }

    /// Replaces the contact list, if it still has version `based_on`.
    ///
    /// # Errors
    /// Why it cannot be replaced; `None` for an unknown user.
    pub fn replace_contacts(
        &mut self,
        now: Now,
        aor: &str,
        list: ContactList,
        based_on: u64,
        done: Done,
        out: &mut Outbox,
    ) -> Result<ContactList, Option<ContactRefusal>> {
        let (user, at) = self.user_and_group(aor).ok_or(None)?;
        let snapshot = Arc::clone(&self.snapshot);
        let policy = snapshot.presence_policy(&user);
        let (list, seq) = list.replace(aor, based_on, policy, &mut self.groups[at], &mut self.journal).map_err(Some)?;
        self.contacts_changed_after(seq, aor);
        self.when_durable(Some(seq), done);
        self.pump_notifies(now, out);
        Ok(list)
    }

    /// The same as [`Core::contacts_changed`] once block `seq` is durable.
    fn contacts_changed_after(&mut self, seq: u64, aor: &str) {
        self.events.bodies.forget(aor);
        match seq > self.withheld.committed() {
            true => self.hold_contacts(seq, aor),
            false => self.contacts_changed(aor),
        }
    }

    /// A contact list is another: what watchers may see may be, and lists that are watched have other members.
    pub(super) fn contacts_changed(&mut self, aor: &str) {
        self.presence_changed(aor);
        for slot in self.events.watches.of(aor).to_vec() {
            if !self.events.watches.lists.contains_key(&slot) || self.events.watches.is_given(slot) {
                continue;
            }
            let owned = self.events.watches.key_at(slot).is_some_and(|(group, key)| {
                let packed = self.groups[usize::from(group)].facet(facet_kind::SUBSCRIPTION, &key);
                packed.and_then(Subscription::unpack).is_some_and(|one| one.presentity == aor)
            });
            if owned {
                let added = self.fill_list(slot, aor);
                self.note_list(aor, &added);
                self.events.watches.enqueue(slot);
            }
        }
    }
}
