//! Final answers of our own making to a request that is being proxied.

use lyceum_sip::time::Now;
use lyceum_sip::transaction::ServerId;
use lyceum_sip::{Index, Message, ResponseBuilder, parse};

use super::context::Context;
use crate::core::Core;
use crate::refusal::{DIAGNOSTICS_HEADER, Refusal};

impl Core {
    /// Answers the request of a context ourselves.
    pub(crate) fn refuse_context(&mut self, now: Now, context: &mut Context, refusal: Refusal) {
        self.metrics.refused(refusal);
        if let Some(server) = context.server {
            self.generate(now, context, server, refusal.status(), Some(refusal));
        }
        self.close_context(now, context, refusal.status(), Some(refusal.code()));
    }

    pub(super) fn close_context(&mut self, now: Now, context: &mut Context, status: u16, code: Option<&str>) {
        context.answered = true;
        context.request = Box::default();
        context.later = Vec::new();
        if let Some(record) = context.record.take() {
            self.record_failed(now, record, status, code);
        }
    }

    pub(super) fn generate(
        &mut self,
        now: Now,
        context: &Context,
        server: ServerId,
        status: u16,
        refusal: Option<Refusal>,
    ) {
        let mut index = Index::new();
        if parse(&context.request, &mut index, &self.parse_limits).is_err() {
            return;
        }
        let request = Message::new(&context.request, &index);
        let tag = self.stateless_tag(&request);
        let unbridged = context.unbridged.as_ref().filter(|unbridged| Some(unbridged.refusal()) == refusal);
        let warning = unbridged.map(|unbridged| unbridged.warning());
        let mut bytes = std::mem::take(&mut self.scratch);
        bytes.clear();
        let mut builder = ResponseBuilder::new(&request, status, refusal.map_or("", Refusal::reason));
        builder.received(context.remote.ip(), context.remote.port()).to_tag(&tag);
        if let Some(refusal) = refusal {
            builder.header(DIAGNOSTICS_HEADER, refusal.code().as_bytes());
            if refusal.status() == 503 {
                builder.header("Retry-After", b"10");
            }
        }
        if let Some(warning) = &warning {
            builder.header("Warning", warning);
        }
        builder.write(&mut bytes);
        self.transactions.respond(now.mono, server, status, &bytes);
        self.scratch = bytes;
    }
}
