//! NOTIFY (RFC 6665 §4.2.2): one at a time for each subscription, the newest state only.

use std::borrow::Cow;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use lyceum_net::Outbox;
use lyceum_sip::time::Now;
use lyceum_sip::transaction::{Outgoing, TableLimits};
use lyceum_sip::{Message, Method, RequestBuilder};
use lyceum_topology::Snapshot;
use lyceum_users::facet_kind;
use lyceum_users::format::rlmi::{self, Extent, List, Resource, ResourceState};
use lyceum_users::format::winfo::{self, Watcher, WatcherEvent, WatcherStatus};
use lyceum_users::subscription::{CSEQ_BLOCK, EventPackage, Subscription};

use super::body::{Document, is_ours};
use super::given::list_uri;
use super::retry::asked_for;
use super::subscribe::write_contact;
use super::watches::{End, mark};
use super::{NEXT_ROUND, NOTIFIES_A_ROUND, user_at};
use crate::calls::forward::sent_by;
use crate::calls::hops::flow_of;
use crate::core::Core;

/// Marks a client transaction of a NOTIFY among those of the proxy.
const MARK: u64 = 0xffff << 48;
/// The next block of sequence numbers is written when so few are left.
const CSEQ_LEFT: u32 = 100;
/// Bodies of members in one NOTIFY of a list; the others follow.
const MEMBERS_A_NOTIFY: usize = 40;
/// Watchers that one document of watcher information names.
const WATCHERS_TOLD: usize = 2_000;
/// Time between two notifications of who watches (RFC 3857 §4.10).
const WATCHERS_PACE: Duration = Duration::from_secs(5);
const PIDF: &str = "application/pidf+xml";

/// A body with its media type.
pub(crate) struct Content {
    pub(crate) content_type: Cow<'static, str>,
    pub(crate) body: Arc<[u8]>,
    /// There is more to tell at once.
    pub(crate) more: bool,
}

/// What a NOTIFY is to say.
enum Say {
    /// This; `None` is no document.
    Content(Option<Content>),
    /// What this watcher may see is as it was told: not a word, or its mere coming would tell that something changed. There
    /// may be more to look at.
    Nothing { more: bool },
}

/// The slot and the sequence number, when a client transaction is one of ours.
pub(crate) fn is_notify(user: u64) -> Option<(u32, u16)> {
    (user & MARK == MARK).then_some((user as u32, (user >> 32) as u16))
}

impl Core {
    /// Sends what is due, as far as there is room.
    pub(crate) fn pump_notifies(&mut self, now: Now, out: &mut Outbox) {
        self.events.watches.retry(now.mono);
        self.review(now);
        for _ in 0..NOTIFIES_A_ROUND {
            if !self.has_room_for_notify() {
                break;
            }
            let Some(slot) = self.events.watches.next_ready(now.mono) else { break };
            if !self.notify(now, slot) {
                self.drop_watch(slot);
            }
        }
        let more = self.events.watches.waiting() > 0 || !self.events.review.is_over();
        let round = more.then(|| now.mono + NEXT_ROUND);
        self.next_notify = [round, self.events.watches.retries.next()].into_iter().flatten().min();
        self.flush_transactions(now, out);
    }

    /// An answered NOTIFY lingers for five seconds, so a long storm would fill the table: the rest waits, and calls and
    /// messages keep their share. Nothing is lost: what waits is told its newest state later.
    fn has_room_for_notify(&self) -> bool {
        let (limits, taken) = (TableLimits::default(), self.transactions.counts());
        taken.clients < limits.clients / 4 * 3 && taken.kept_bytes < limits.kept_bytes / 2
    }

    /// Sends one NOTIFY; false when the subscription cannot go on.
    fn notify(&mut self, now: Now, slot: u32) -> bool {
        let Some((group, key)) = self.events.watches.key_at(slot) else { return false };
        let packed = self.groups[usize::from(group)].facet(facet_kind::SUBSCRIPTION, &key).map(<[u8]>::to_vec);
        let Some(subscription) = packed.as_deref().and_then(Subscription::unpack) else { return false };
        let Some(watch) = self.events.watches.get(slot) else { return false };
        let (version, end) = (watch.version, watch.end);
        let say = match end {
            Some(End::NoResource | End::Rejected) => Say::Content(None),
            _ => self.content(now, slot, &subscription, version),
        };
        let content = match say {
            Say::Content(content) => content,
            Say::Nothing { more } => {
                self.events.watches.rest(slot);
                if more {
                    self.events.watches.enqueue(slot);
                }
                return true;
            }
        };
        // Somebody who asked once gets all of a long list before the end.
        let unfinished = end == Some(End::Timeout) && content.as_ref().is_some_and(|content| content.more);
        let end = end.filter(|_| !unfinished);
        let Some(watch) = self.events.watches.get(slot) else { return false };
        watch.cseq += 1;
        let cseq = watch.cseq;
        watch.version = watch.version.wrapping_add(1);
        if cseq + CSEQ_LEFT >= watch.reserved && end.is_none() {
            watch.reserved += CSEQ_BLOCK;
            let renewed = Subscription { reserved: watch.reserved, ..subscription };
            if self.write_subscription(group, &key, &renewed).is_none() {
                return false;
            }
        }
        let more = content.as_ref().is_some_and(|content| content.more);
        let sent = self.send_notify(now, slot, &subscription, (cseq, end), content.as_ref());
        if sent {
            self.events.watches.sent(now.mono, slot);
            if more {
                self.events.watches.enqueue(slot);
            }
        }
        if end.is_some() {
            self.remove_subscription(group, &key);
        }
        if end.is_some() {
            // Nothing is kept after the last one, its answer means nothing.
            self.events.watches.remove(slot);
        }
        sent || end.is_some()
    }

    /// Ends a subscription whose watcher is gone.
    fn drop_watch(&mut self, slot: u32) {
        let Some((group, key)) = self.events.watches.key_at(slot) else { return };
        self.remove_subscription(group, &key);
        self.events.watches.remove(slot);
    }

    fn content(&mut self, now: Now, slot: u32, subscription: &Subscription<'_>, version: u32) -> Say {
        match subscription.package {
            EventPackage::Presence if subscription.list => self.list_content(now, slot, subscription, version),
            EventPackage::Presence => {
                let snapshot = Arc::clone(&self.snapshot);
                let document = self.presence_document(now, &snapshot, subscription.presentity, subscription.watcher);
                let (Some(document), Some(watch)) = (document, self.events.watches.get(slot)) else {
                    return Say::Content(None);
                };
                let told = std::mem::replace(&mut watch.told, document.mark);
                if told == document.mark && watch.end.is_none() {
                    return Say::Nothing { more: false };
                }
                Say::Content(Some(Content { content_type: PIDF.into(), body: document.body, more: false }))
            }
            EventPackage::WatcherInfo => self.winfo_content(now, slot, subscription, version),
            EventPackage::Profile => {
                let (content, watch) = (self.profile_content(subscription), self.events.watches.get(slot));
                let (Some(content), Some(watch)) = (content, watch) else { return Say::Content(None) };
                let mark = mark(&content.body);
                if std::mem::replace(&mut watch.told, mark) == mark && watch.end.is_none() {
                    return Say::Nothing { more: false };
                }
                Say::Content(Some(content))
            }
        }
    }

    /// The list, or what changed of it.
    fn list_content(&mut self, now: Now, slot: u32, subscription: &Subscription<'_>, version: u32) -> Say {
        let Some(list) = self.events.watches.lists.get_mut(&slot) else { return Say::Content(None) };
        let full = std::mem::take(&mut list.full);
        let taken = list.news.len().min(MEMBERS_A_NOTIFY);
        let news: Vec<u16> = list.news.drain(..taken).collect();
        let more = !list.news.is_empty();
        let members = if full { list.members.len() } else { 0 };
        let told: Vec<(usize, Box<str>)> = news
            .iter()
            .filter_map(|at| Some((usize::from(*at), list.members.get(usize::from(*at))?.clone())))
            .collect();
        let snapshot = Arc::clone(&self.snapshot);
        let mut bodies: Vec<(usize, Box<str>, Option<Arc<[u8]>>)> = Vec::with_capacity(told.len());
        for (at, member) in told {
            let document = self.member_document(now, &snapshot, &member, subscription.watcher);
            let mark = document.as_ref().map_or_else(|| mark(b""), |document| document.mark);
            let body = document.map(|document| document.body);
            let slots = self.events.watches.lists.get_mut(&slot).and_then(|list| list.told.get_mut(at));
            let before = slots.map(|told| std::mem::replace(told, mark));
            if full || before != Some(mark) {
                bodies.push((at, member, body));
            }
        }
        let is_last = !more && self.events.watches.get(slot).is_some_and(|watch| watch.end.is_some());
        if bodies.is_empty() && !full && !is_last {
            return Say::Nothing { more };
        }
        let Some(list) = self.events.watches.lists.get(&slot) else { return Say::Content(None) };
        let later = (0..members).filter(|one| !bodies.iter().any(|(told, ..)| told == one));
        let uris: Vec<String> = bodies.iter().map(|(at, ..)| *at).chain(later).map(|at| list.uri(at)).collect();
        let resources: Vec<Resource<'_>> = uris
            .iter()
            .enumerate()
            .map(|(at, uri)| {
                let state = match bodies.get(at) {
                    Some((.., Some(body))) => ResourceState::Active { content_type: PIDF, body },
                    Some((_, member, None)) if is_ours(&snapshot, member) => {
                        ResourceState::Terminated { reason: "noresource" }
                    }
                    Some((.., None)) | None => ResourceState::Pending,
                };
                Resource { uri, name: None, instance: "1", state }
            })
            .collect();
        let uri = list_uri(subscription, list.uris.is_some());
        let boundary = format!("lyceum-{:016x}", self.random.bits());
        let extent = if full { Extent::Full } else { Extent::Partial };
        let mut body = Vec::new();
        rlmi::write(List { uri: &uri, version, extent, boundary: &boundary }, &resources, &mut body);
        Say::Content(Some(Content { content_type: rlmi::content_type(&boundary).into(), body: body.into(), more }))
    }

    /// The document of a member of a list, if it is a user of ours.
    fn member_document(&mut self, now: Now, snapshot: &Snapshot, member: &str, watcher: &str) -> Option<Document> {
        user_at(snapshot, member).filter(|user| user.enabled)?;
        self.presence_document(now, snapshot, member, watcher)
    }

    /// Who watches, for the person watched.
    fn winfo_content(&mut self, now: Now, slot: u32, subscription: &Subscription<'_>, version: u32) -> Say {
        let aor = subscription.presentity;
        let mut rows: Vec<(String, String, u32)> = Vec::new();
        for slot in self.events.watches.of(aor) {
            let Some((group, key)) = self.events.watches.key_at(*slot) else { continue };
            // Who watches a list watches each of its members; one's own list is not watched by oneself.
            let watches = |other: &Subscription<'_>| {
                other.package == EventPackage::Presence && other.list != (other.presentity == aor)
            };
            let group = &self.groups[usize::from(group)];
            let packed = group.facet(facet_kind::SUBSCRIPTION, &key).and_then(Subscription::unpack);
            let Some(other) = packed.filter(watches) else { continue };
            let left = other.expires.0.saturating_sub(now.wall.0) / 1000;
            if rows.len() >= WATCHERS_TOLD {
                break;
            }
            let id = key[..8].iter().map(|byte| format!("{byte:02x}")).collect();
            rows.push((id, format!("sip:{}", other.watcher), u32::try_from(left).unwrap_or(u32::MAX)));
        }
        let seen: Vec<u8> = rows.iter().flat_map(|(id, uri, _)| [id.as_bytes(), uri.as_bytes()].concat()).collect();
        if let Some(watch) = self.events.watches.get(slot) {
            let mark = mark(&seen);
            if std::mem::replace(&mut watch.told, mark) == mark && watch.end.is_none() {
                return Say::Nothing { more: false };
            }
        }
        let watchers = rows.iter().map(|(id, uri, left)| Watcher {
            id,
            uri,
            display_name: None,
            status: WatcherStatus::Active,
            event: WatcherEvent::Approved,
            subscribed: None,
            expires: Some(*left),
        });
        let mut body = Vec::new();
        winfo::write(version, winfo::Extent::Full, &format!("sip:{aor}"), "presence", watchers, &mut body);
        Say::Content(Some(Content {
            content_type: "application/watcherinfo+xml".into(),
            body: body.into(),
            more: false,
        }))
    }

    fn send_notify(
        &mut self,
        now: Now,
        slot: u32,
        subscription: &Subscription<'_>,
        (cseq, end): (u32, Option<End>),
        content: Option<&Content>,
    ) -> bool {
        let Some((transport, flow)) = flow_of(subscription.flow) else { return false };
        let mut branch = Vec::with_capacity(32);
        self.calls.branches.mint_plain(&mut branch);
        let Some(listener) = self.listener_of(&flow, transport) else { return false };
        let mut via = Vec::with_capacity(256);
        lyceum_sip::proxy::via_line(&mut via, &sent_by(listener, transport), &branch);
        // The rest of the text that is ours stands behind the Via: one buffer for all of it.
        let at_contact = via.len();
        write_contact(&listener.advertised, transport, &mut via);
        let at_state = via.len();
        let left = subscription.expires.0.saturating_sub(now.wall.0) / 1000;
        // Writing into memory does not fail.
        let _ = match end {
            Some(end) => write!(via, "terminated;reason={}", end.as_str()),
            None => write!(via, "active;expires={}", left.max(1)),
        };
        let at_event = via.len();
        via.extend_from_slice(subscription.package.as_str().as_bytes());
        if !subscription.event_id.is_empty() {
            via.extend_from_slice(b";id=");
            via.extend_from_slice(subscription.event_id);
        }
        let (via, contact) = via.split_at(at_contact);
        let (contact, state) = contact.split_at(at_state - at_contact);
        let (state, event) = state.split_at(at_event - at_state);
        let mut builder = RequestBuilder::new(Method::Notify, subscription.target);
        builder.via(via.strip_prefix(b"Via: ").unwrap_or(via));
        if !subscription.routes.is_empty() {
            builder.route(subscription.routes);
        }
        builder.from(subscription.local).to(subscription.remote).call_id(subscription.call_id).cseq(cseq);
        builder.contact(contact).header("Event", event).header("Subscription-State", state);
        if subscription.list {
            builder.header("Require", b"eventlist");
        }
        if let Some(content) = content {
            builder.body(content.content_type.as_bytes(), &content.body);
        }
        let mut bytes = std::mem::take(&mut self.scratch);
        bytes.clear();
        builder.write(&mut bytes);
        let request = Outgoing {
            method: b"NOTIFY",
            branch: &branch,
            bytes: &bytes,
            reliable: transport.is_reliable(),
            peer: flow.into(),
            user: MARK | u64::from(self.events.watches.next_mark(slot)) << 32 | u64::from(slot),
        };
        let sent = self.transactions.send(now.mono, request).is_ok();
        self.scratch = bytes;
        self.metrics.notifies.inc();
        sent
    }

    /// A watcher answered.
    pub(crate) fn notify_answered(&mut self, now: Now, which: (u32, u16), message: &Message<'_>) {
        if message.status() < 200 || !self.is_current(which) {
            return;
        }
        match message.status() {
            // RFC 6665 §4.2.2: these end the subscription, the others do not.
            404 | 405 | 410 | 416 | 480..=485 | 489 | 501 | 604 => self.drop_watch(which.0),
            200..=299 if self.events.watches.package_at(which.0) == Some(EventPackage::WatcherInfo) => {
                self.events.watches.pause(which, now.mono + WATCHERS_PACE);
            }
            200..=299 => self.events.watches.answered(which.0),
            _ => {
                self.metrics.notifies_failed.inc();
                self.events.watches.told_later(which, now.mono + asked_for(message));
            }
        }
    }

    /// The connection to a watcher is gone, as after a restart of ours: the subscription stands until it ends, and its
    /// next refresh brings a new connection and gets the whole state.
    pub(crate) fn notify_unsent(&mut self, which: (u32, u16)) {
        if self.is_current(which) {
            self.events.watches.untold(which.0);
            self.events.watches.rest(which.0);
        }
    }

    /// A NOTIFY was not answered: its watcher is gone.
    pub(crate) fn notify_failed(&mut self, which: (u32, u16)) {
        if self.is_current(which) {
            self.metrics.notifies_failed.inc();
            self.drop_watch(which.0);
        }
    }

    fn is_current(&self, (slot, mark): (u32, u16)) -> bool {
        self.events.watches.is_newest(slot, mark)
    }
}
