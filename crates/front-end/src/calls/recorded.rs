//! Our Record-Route: put into requests that begin a dialog, its token completed in their answers.

use std::borrow::Cow;

use lyceum_net::Listener;
use lyceum_sip::header::route::hops;
use lyceum_sip::proxy::{RecordRoute, record_route_line};
use lyceum_sip::time::WallTime;
use lyceum_sip::token::DialogEnds;
use lyceum_sip::{Message, Method, Name, Scheme, Transport};

use super::context::{Context, Hop};
use super::forward::sent_by;
use super::hops::address_bytes;
use crate::core::Core;

impl Core {
    /// The Record-Route lines of a copy, the one for the next hop last, and their token.
    pub(super) fn record_routes(
        &self,
        now: WallTime,
        context: &Context,
        hop: &Hop,
        message: &Message<'_>,
        token: &mut Vec<u8>,
    ) -> Vec<Vec<u8>> {
        let creates_dialog = message.to_tag().is_none()
            && matches!(message.method(), Method::Invite | Method::Subscribe | Method::Refer | Method::Notify);
        if !creates_dialog || !self.snapshot.pool(&self.pool).proxy.record_route {
            return Vec::new();
        }
        let (Some(inner), Some(outer)) = (self.listener(context.listener), self.listener(hop.listener)) else {
            return Vec::new();
        };
        let before = || hops(message, Name::RecordRoute).flatten().map(|hop| hop.uri.raw());
        // Behind a trusted host's own proxy the way back is by its routes, not by the address that the request came from.
        let back = if context.keep_identity && before().next().is_some() { &[] } else { &*context.flow };
        let there = match hop.remote().filter(|_| hop.flow.is_empty()) {
            Some(addr) => Cow::Owned(address_bytes(hop.transport, addr)),
            None => Cow::Borrowed(&*hop.flow),
        };
        self.calls.tokens.issue(&DialogEnds::of(message), [back, &there], before(), now, token);
        let sips = message.parsed_request_uri().is_ok_and(|uri| uri.scheme() == Scheme::Sips);
        let line = |listener: &Listener, transport: Transport| {
            let mut line = Vec::with_capacity(96);
            record_route_line(&mut line, &RecordRoute { by: sent_by(listener, transport), token, sips });
            line
        };
        // RFC 5658: where the two sides differ, each gets the value that it can reach.
        if inner.id == outer.id && context.transport == hop.transport {
            vec![line(outer, hop.transport)]
        } else {
            vec![line(inner, context.transport), line(outer, hop.transport)]
        }
    }

    /// The token of our Record-Route gets its complete form, in place: the caller's later requests prove both tags.
    pub(super) fn complete_token(&self, token: &[u8], message: &Message<'_>, bytes: &mut [u8]) {
        if token.is_empty() || message.field(Name::RecordRoute).is_none() {
            return;
        }
        let ends = DialogEnds::of(message);
        // What others put above ours is what the caller's later requests have left when they have passed us, turned
        // round.
        let above = hops(message, Name::RecordRoute).map_while(Result::ok);
        let mut behind: Vec<&[u8]> =
            above.take_while(|hop| hop.uri.user() != Some(token)).map(|hop| hop.uri.raw()).collect();
        behind.reverse();
        // It is the user part of our value: it ends at an `@`. Once, or twice where both our values stand (RFC 5658).
        // Of these there are few; a search for the token itself would build its tables anew for every response.
        let mut from = 0;
        while let Some(at) = bytes.get(from..).and_then(|rest| memchr::memchr(b'@', rest)) {
            let end = from + at;
            let start = end.saturating_sub(token.len());
            if bytes.get(start..end) == Some(token) {
                self.calls.tokens.complete(&mut bytes[start..end], &ends, behind.iter().copied());
            }
            from = end + 1;
        }
    }
}
