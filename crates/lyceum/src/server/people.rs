//! The users of the running node, for their pages.

use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use lyceum_api::client::{OutOfOfficeNote, OwnPresence, PresenceView};
use lyceum_api::presence::Watcher;
use lyceum_api::{Problem, Refusal, Timestamp};
use lyceum_front_end::core::Core;
use lyceum_front_end::events::{Done, Seen, Watching};
use lyceum_front_end::executor::Post;
use lyceum_front_end::refusal::Refusal as Why;
use lyceum_net::Outbox;
use lyceum_sip::digest::Ha1;
use lyceum_sip::time::{Now, WallTime};
use lyceum_sip::token::bearer::{Bearers, Claims};
use lyceum_topology::{UserId, UserRecord};
use lyceum_users::contacts::{ContactList, ContactRefusal};
use lyceum_users::presence::calendar::BusyInterval;
use lyceum_users::presence::{ChoiceIntent, ChoiceRefusal, UserChoice};
use lyceum_web::port::{Chooser, ContactEdit, People};

use super::Shared;
use super::publisher::LivePublisher;

/// How long a worker may take to answer, the store's sync included.
const PATIENCE: Duration = Duration::from_secs(5);

/// The running node's users.
pub struct LivePeople {
    /// The node.
    pub shared: Arc<Shared>,
    /// Signs tokens.
    pub bearers: Bearers,
    /// Where the node listens.
    pub listeners: Vec<String>,
}

fn busy() -> Problem {
    Problem::new(
        Refusal::ServerBusy,
        "the server did not answer in time; it is very busy or its store is away",
        "/client",
    )
}

fn gone(address: &str) -> Problem {
    Problem::new(Refusal::UserNotFound, format!("there is no user {address}"), "address")
}

fn choice_refused(address: &str, refusal: Option<ChoiceRefusal>) -> Problem {
    match refusal {
        None => gone(address),
        Some(refusal) => Problem::new(Refusal::PresenceRefused, refusal.to_string(), "presence"),
    }
}

fn contacts_refused(address: &str, refusal: Option<ContactRefusal>) -> Problem {
    match refusal {
        None => gone(address),
        Some(refusal @ ContactRefusal::VersionConflict { .. }) => {
            Problem::new(Refusal::ContactsConflict, refusal.to_string(), "contacts")
        }
        Some(refusal) => Problem::new(Refusal::ContactsRefused, refusal.to_string(), "contacts"),
    }
}

fn conversation_refused(refusal: Why) -> Problem {
    match refusal {
        Why::NotFound => Problem::new(Refusal::UserNotFound, "somebody of these is no user here", "with"),
        other => Problem::new(Refusal::RequestTooLarge, other.reason(), "with"),
    }
}

impl LivePeople {
    /// Asks the worker that owns the user's group.
    fn ask<T: Send + 'static>(&self, look: impl FnOnce(&mut Core, Now) -> T + Send + 'static) -> Result<T, Problem> {
        self.act(move |core, now, _| look(core, now))
    }

    fn act<T: Send + 'static>(
        &self,
        act: impl FnOnce(&mut Core, Now, &mut Outbox) -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let (answer, wait) = sync_channel(1);
        let post = Post::Act(Box::new(move |core, now, out| {
            answer.send(act(core, now, out)).ok();
        }));
        self.shared.handle.worker(0).post(post).map_err(|_| busy())?;
        wait.recv_timeout(PATIENCE).map_err(|_| busy())
    }

    /// Changes something, and waits until it is durable.
    fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut Core, Now, Done, &mut Outbox) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let (durable, wait) = sync_channel(1);
        let done: Done = Box::new(move |kept| {
            durable.send(kept).ok();
        });
        let changed = self.act(move |core, now, out| change(core, now, done, out))??;
        match wait.recv_timeout(PATIENCE) {
            Ok(true) => Ok(changed),
            _ => Err(Problem::new(Refusal::StoreUnavailable, "the change could not be stored", "store")),
        }
    }
}

fn view(seen: Seen) -> PresenceView {
    PresenceView {
        address: seen.address,
        display_name: seen.display_name,
        availability: seen.availability.unwrap_or(0),
        activity: seen.activity.unwrap_or("unknown").to_owned(),
        note: seen.note,
        out_of_office: seen.out_of_office,
        last_active: seen.last_active.map(Timestamp),
    }
}

impl People for LivePeople {
    fn check_password(&self, address: &str, password: &str) -> Option<Arc<UserRecord>> {
        let (user, domain) = address.split_once('@')?;
        let snapshot = self.shared.snapshot.load_full();
        let user = snapshot.user(user.as_bytes(), domain.as_bytes()).cloned();
        // Who does not exist takes as long as who does.
        let (name, realm) =
            user.as_ref().map_or((user_of(address), domain), |u| (u.address.user(), u.address.domain()));
        let given = Ha1::of(name.as_bytes(), realm.as_bytes(), password.as_bytes());
        let user = user.filter(|user| user.enabled)?;
        let credentials = self.shared.credentials.load();
        let stored = credentials.of(user.id)?;
        same(&given.sha256, &stored.sha256).then_some(user)
    }

    fn mark(&self, user: UserId) -> Option<u32> {
        let credentials = self.shared.credentials.load();
        credentials.of(user).map(|secret| self.bearers.mark(&secret.sha256))
    }

    fn has_ended(&self, claims: &Claims) -> bool {
        self.shared.ends.has_ended(claims)
    }

    fn end_page(&self, user: &UserRecord, device: u64) -> Result<(), Problem> {
        match LivePublisher(Arc::clone(&self.shared)).end_pages(user, Some(device)) {
            true => Ok(()),
            false => Err(Problem::new(Refusal::StoreUnavailable, "the sign-out could not be stored", "store")),
        }
    }

    fn bearers(&self) -> &Bearers {
        &self.bearers
    }

    fn listeners(&self) -> Vec<String> {
        self.listeners.clone()
    }

    fn presence(&self, watcher: &str, of: &[String]) -> Result<Vec<PresenceView>, Problem> {
        let (watcher, of) = (watcher.to_owned(), of.to_vec());
        let seen = self.ask(move |core, now| {
            of.iter().filter_map(|address| core.seen_by(now, address, &watcher)).collect::<Vec<_>>()
        })?;
        Ok(seen.into_iter().map(view).collect())
    }

    fn watchers(&self, address: &str) -> Result<Vec<Watcher>, Problem> {
        let asked = address.to_owned();
        let found = self.ask(move |core, now| core.watchers_of(now, &asked))?.ok_or_else(|| gone(address))?;
        let shown = |one: Watching| Watcher {
            watcher: one.watcher,
            relationship: one.relationship.as_str().to_owned(),
            list: one.list,
            expires_in: one.expires_in,
        };
        Ok(found.into_iter().map(shown).collect())
    }

    fn own_presence(&self, address: &str) -> Result<OwnPresence, Problem> {
        let asked = address.to_owned();
        let found = self.ask(move |core, now| core.presence_of(now, &asked))?;
        let (state, document) = found.ok_or_else(|| gone(address))?;
        let time = |at: WallTime| Timestamp(at.0);
        let absent = document.out_of_office.as_ref();
        Ok(OwnPresence {
            choice: state.choice.as_str().to_owned(),
            note: document.note.as_deref().map(str::to_owned),
            out_of_office: absent.map(|oof| OutOfOfficeNote { note: oof.note.to_string(), until: oof.until.map(time) }),
            until: document.choice.until.map(time),
        })
    }

    fn choose(&self, address: &str, wish: &OwnPresence, by: Chooser) -> Result<OwnPresence, Problem> {
        let Some(choice) = UserChoice::parse(&wish.choice) else {
            let what = format!("there is no state '{}'", wish.choice.escape_debug());
            return Err(Problem::new(Refusal::PresenceRefused, what, "choice"));
        };
        let (asked, wanted) = (address.to_owned(), wish.clone());
        self.change(move |core, now, done, out| {
            let at = |time: &Timestamp| WallTime(time.0);
            let absent = wanted.out_of_office.as_ref();
            let intent = ChoiceIntent {
                choice: Some((choice, None, wanted.until.as_ref().map(at))),
                by_administrator: by == Chooser::Administrator,
                note: Some(wanted.note.as_deref().unwrap_or_default()),
                out_of_office: Some(absent.map_or(("", None), |oof| (oof.note.as_str(), oof.until.as_ref().map(at)))),
            };
            let chosen = core.choose_presence(now, &asked, &intent, done, out);
            chosen.map_err(|refusal| choice_refused(&asked, refusal))
        })?;
        self.own_presence(address)
    }

    fn used(&self, address: &str, device: &str, idle_seconds: u32) -> Result<(), Problem> {
        let (address, device) = (address.to_owned(), device.to_owned());
        self.act(move |core, now, out| core.device_used(now, &address, &device, idle_seconds, out))
    }

    fn make_conversation(&self, maker: &str, members: &[String], domain: &str) -> Result<String, Problem> {
        let (maker, members, domain) = (maker.to_owned(), members.to_vec(), domain.to_owned());
        self.change(move |core, _, done, _| {
            core.make_conversation(&maker, &members, &domain, done).map_err(conversation_refused)
        })
    }

    fn calendar_feeds(&self) -> Result<Vec<(String, String)>, Problem> {
        self.ask(|core, _| core.calendar_feeds())
    }

    fn calendar(&self, address: &str) -> Result<(Option<String>, usize), Problem> {
        let asked = address.to_owned();
        self.ask(move |core, _| core.calendar_of(&asked))?.ok_or_else(|| gone(address))
    }

    fn set_calendar_feed(&self, address: &str, feed: Option<&str>) -> Result<(), Problem> {
        let (asked, feed) = (address.to_owned(), feed.map(str::to_owned));
        self.change(move |core, now, done, out| {
            let set = core.set_calendar_feed(now, &asked, feed.as_deref(), done, out);
            set.map_err(|refusal| choice_refused(&asked, refusal))
        })
    }

    fn set_calendar(&self, address: &str, from: Option<&str>, busy: Vec<BusyInterval>) -> Result<(), Problem> {
        let (asked, from) = (address.to_owned(), from.map(str::to_owned));
        self.change(move |core, now, done, out| {
            core.set_calendar(now, &asked, (from.as_deref(), busy), done, out)
                .map_err(|refusal| choice_refused(&asked, refusal))
        })
    }

    fn keep_calendar_only(&self, address: &str) -> Result<usize, Problem> {
        let asked = address.to_owned();
        self.change(move |core, now, done, out| {
            core.keep_calendar_only(now, &asked, done, out).map_err(|refusal| choice_refused(&asked, refusal))
        })
    }

    fn contacts(&self, address: &str) -> Result<ContactList, Problem> {
        let asked = address.to_owned();
        self.ask(move |core, _| core.contacts_of(&asked))?.ok_or_else(|| gone(address))
    }

    fn replace_contacts(&self, address: &str, list: ContactList, based_on: u64) -> Result<ContactList, Problem> {
        let asked = address.to_owned();
        self.change(move |core, now, done, out| {
            let replaced = core.replace_contacts(now, &asked, list, based_on, done, out);
            replaced.map_err(|refusal| contacts_refused(&asked, refusal))
        })
    }

    fn edit_contacts(&self, address: &str, edit: ContactEdit) -> Result<ContactList, Problem> {
        let asked = address.to_owned();
        self.change(move |core, now, done, out| {
            let edited = core.edit_contacts(now, &asked, edit, done, out);
            edited.map_err(|refusal| contacts_refused(&asked, refusal))
        })
    }
}

fn user_of(address: &str) -> &str {
    address.split_once('@').map_or(address, |(user, _)| user)
}

/// Equality in a time that tells nothing of where the two differ.
fn same(a: &[u8], b: &[u8]) -> bool {
    let differ = a.iter().zip(b).fold(0_u8, |acc, (x, y)| acc | (x ^ y));
    a.len() == b.len() && std::hint::black_box(differ) == 0
}
