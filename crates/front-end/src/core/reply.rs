//! Answers that need no transaction: RFC 3261 §8.2.7. The To tag is a function of the request, so a repetition of the
//! request gets the same answer.

use lyceum_net::{Destination, Outbox};
use lyceum_sip::digest::{self, Algorithm, Kind, NonceUse};
use lyceum_sip::time::Now;
use lyceum_sip::{Message, Method, ResponseBuilder};
use lyceum_topology::DigestAlgorithm;

use super::Core;
use crate::inbound::Inbound;
use crate::pipeline::authenticate::wire;
use crate::refusal::{DIAGNOSTICS_HEADER, Refusal};

impl Core {
    /// The To tag of a stateless answer.
    pub(crate) fn stateless_tag(&self, message: &Message<'_>) -> [u8; 16] {
        let branch = message.top_via().map(|via| via.branch).unwrap_or_default();
        self.keys.stateless_tag(message.call_id(), branch, message.from_tag().unwrap_or_default())
    }

    /// Puts a message into the outbox, and into the trace if one runs.
    pub(crate) fn send(&mut self, now: Now, to: &Destination, ticket: u64, bytes: &[u8], out: &mut Outbox) {
        self.metrics.messages_out.inc();
        out.send(to, ticket, |buffer| buffer.extend_from_slice(bytes));
        if self.tracer.is_running() {
            self.trace_sent(now, to, bytes);
        }
    }

    /// Refuses without state; ACK is never answered.
    pub(crate) fn refuse(&mut self, inbound: &Inbound<'_>, refusal: Refusal, out: &mut Outbox) {
        self.refuse_with(inbound, refusal, &[], out);
    }

    /// Refuses with further header lines (name, value).
    pub(crate) fn refuse_with(
        &mut self,
        inbound: &Inbound<'_>,
        refusal: Refusal,
        headers: &[(&str, &[u8])],
        out: &mut Outbox,
    ) {
        self.metrics.refused(refusal);
        if inbound.message.method() == Method::Ack {
            return;
        }
        let mut lines = Vec::new();
        for (name, value) in headers.iter().chain(&[(DIAGNOSTICS_HEADER, refusal.code().as_bytes())]) {
            lines.extend_from_slice(name.as_bytes());
            lines.extend_from_slice(b": ");
            lines.extend_from_slice(value);
            lines.extend_from_slice(b"\r\n");
        }
        self.answer_lines(inbound, refusal.status(), refusal.reason(), &lines, out);
    }

    /// A stateless answer with whole header lines.
    pub(crate) fn answer_lines(
        &mut self,
        inbound: &Inbound<'_>,
        status: u16,
        reason: &str,
        lines: &[u8],
        out: &mut Outbox,
    ) {
        let remote = inbound.arrival.remote;
        let to = inbound.reply_to();
        let tag = self.stateless_tag(&inbound.message);
        let mut bytes = std::mem::take(&mut self.reply);
        bytes.clear();
        let mut builder = ResponseBuilder::new(&inbound.message, status, reason);
        builder.received(remote.ip(), remote.port()).to_tag(&tag).lines(lines);
        builder.write(&mut bytes);
        self.send(inbound.now, &to, 0, &bytes, out);
        self.reply = bytes;
    }

    /// 503 with Retry-After, spread over the refused.
    pub(crate) fn refuse_for_load(&mut self, inbound: &Inbound<'_>, refusal: Refusal, out: &mut Outbox) {
        let seconds = crate::overload::retry_after(self.keys.hash(&[inbound.message.call_id()]));
        self.refuse_with(inbound, refusal, &[("Retry-After", seconds.to_string().as_bytes())], out);
    }

    /// Sends 401 or 407 with one challenge per algorithm.
    pub(crate) fn challenge(&mut self, inbound: &Inbound<'_>, challenge: &Challenge<'_>, out: &mut Outbox) {
        if inbound.message.method() == Method::Ack {
            return;
        }
        self.metrics.challenges.inc();
        let mut nonce = std::mem::take(&mut self.nonce);
        nonce.clear();
        let of = NonceUse { kind: challenge.kind, source: inbound.source() };
        self.nonces.issue(of, inbound.now.wall, &mut nonce);
        let mut algorithms = [Algorithm::Md5; 2];
        let count = challenge.offered.len().min(algorithms.len());
        for (slot, algorithm) in algorithms.iter_mut().zip(challenge.offered) {
            *slot = wire(*algorithm);
        }
        let mut lines = std::mem::take(&mut self.scratch);
        lines.clear();
        let (kind, realm) = (challenge.kind, challenge.realm.as_bytes());
        digest::challenge(&mut lines, kind, realm, &nonce, &algorithms[..count], challenge.stale);
        let reason = if kind == Kind::Www { "Unauthorized" } else { "Proxy Authentication Required" };
        self.answer_lines(inbound, kind.status(), reason, &lines, out);
        self.scratch = lines;
        self.nonce = nonce;
    }
}

/// What a challenge says.
pub(crate) struct Challenge<'a> {
    pub(crate) kind: Kind,
    pub(crate) realm: &'a str,
    pub(crate) offered: &'a [DigestAlgorithm],
    pub(crate) stale: bool,
}
