//! Timers and bounds of the proxy (Lync: `Set-CsProxyConfiguration`).

use super::Clash;

policy! {
    /// Timers and bounds of the proxy.
    pub struct ProxyPolicy / ProxySettings, Proxy, clashes clashes;

    /// How long a branch may ring before the proxy gives it up (timer C).
    timer_c_seconds: u32 = 185, unit "s", range 181 ..= 3_600,
        source "RFC 3261 §16.6 item 11: larger than 3 minutes";
    /// The hops given to a request that names none.
    max_forwards: u32 = 70, unit "hops", range 1 ..= 255,
        source "RFC 3261 §8.1.1.6";
    /// How many branches a forked request may have in all.
    max_breadth: u32 = 60, unit "branches", range 1 ..= 256,
        source "RFC 5393 §5.3.3";
    /// Whether dialogs stay routed through us.
    record_route: bool = true,
        source "RFC 3261 §16.6 item 4; without it in-dialog requests pass us by";
    /// The shortest session refresh interval accepted; a shorter one is refused with 422.
    min_session_expires_seconds: u32 = 90, unit "s", range 90 ..= 86_400,
        source "RFC 4028 §4: at least 90 s";
    /// The session refresh interval asked for when neither end asks.
    session_expires_seconds: u32 = 1_800, unit "s", range 90 ..= 86_400,
        source "RFC 4028 §4: 1,800 s recommended";
    /// Whether session timers are added to calls whose ends ask for none.
    insert_session_timers: bool = false,
        source "RFC 4028 §8.1 leaves it to policy; Lync adds none";
    /// The largest body of a message taken from a client.
    max_client_message_kib: u32 = 128, unit "KiB", range 8 ..= 5_000,
        source "Lync MaxClientMessageBodySizeKb 128";
    /// The largest message taken from a trusted host or another server.
    max_server_message_kib: u32 = 5_000, unit "KiB", range 8 ..= 20_000,
        source "Lync MaxServerMessageBodySizeKb 5,000";
    /// After so long without a sign of life (a keep-alive or a message) a connection is closed; read at the start.
    keep_alive_seconds: u32 = 1_200, unit "s", range 30 ..= 7_200,
        source "Lync MaxKeepAliveInterval 20 min";
    /// Requests one untrusted source may send; more get 503 with Retry-After.
    source_requests_per_second: u32 = 500, unit "requests/s", range 1 ..= 1_000_000,
        source "an office of 1,000 phones behind one address coming back after a power cut";
    /// Connections one source may hold open, except trusted sources on inside listeners; read at the start.
    source_connections: u32 = 2_000, unit "connections", range 1 ..= 1_000_000,
        source "twice the phones of such an office";
}

fn clashes(policy: &ProxyPolicy) -> Vec<Clash> {
    let mut clashes = Vec::new();
    if policy.min_session_expires_seconds > policy.session_expires_seconds {
        clashes.push(Clash {
            fields: &["min_session_expires_seconds", "session_expires_seconds"],
            what: format!(
                "session_expires_seconds ({}) is below min_session_expires_seconds ({}).",
                policy.session_expires_seconds, policy.min_session_expires_seconds
            ),
            fix: "Raise session_expires_seconds.",
        });
    }
    if policy.max_client_message_kib > policy.max_server_message_kib {
        clashes.push(Clash {
            fields: &["max_client_message_kib", "max_server_message_kib"],
            what: "A client may send larger messages than a server.".to_owned(),
            fix: "Raise max_server_message_kib.",
        });
    }
    clashes
}
