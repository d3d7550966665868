//! The client's own document (RFC 6080): what provisioning over HTTPS says, as a subscription.

use std::sync::Arc;

use lyceum_topology::Provisioning;
use lyceum_users::subscription::Subscription;

use super::notify::Content;
use super::user_at;
use crate::core::Core;

impl Core {
    /// Who the client is, its policies and its servers.
    pub(crate) fn profile_content(&self, subscription: &Subscription<'_>) -> Option<Content> {
        let snapshot = Arc::clone(&self.snapshot);
        let user = user_at(&snapshot, subscription.presentity)?;
        let name =
            |listener: &lyceum_net::Listener| format!("{} {}", listener.transport.uri_param(), listener.advertised);
        let document = Provisioning::of(&snapshot, user, self.listeners.iter().map(name).collect());
        let body = serde_json::to_vec(&document).unwrap_or_default();
        Some(Content { content_type: "application/json".into(), body: body.into(), more: false })
    }
}
