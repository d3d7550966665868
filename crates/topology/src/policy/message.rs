//! What a user's instant messages may do, how long they wait, and what is remembered of them.

use super::Clash;

policy! {
    /// What a user's instant messages may do, how long they wait, and what is remembered of them.
    pub struct MessagePolicy / MessageSettings, Message, clashes clashes;

    /// Whether the user may send messages.
    allow_messages: bool = true,
        source "Lync enables IM for every enabled user";
    /// Whether text/html is taken. Refused with 415 otherwise, which names text/plain.
    allow_html: bool = true,
        source "Lync DisableHtmlIm is not set";
    /// The largest body taken from a client; a larger one is refused with 413.
    max_body_kib: u32 = 128, unit "KiB", range 1 ..= 256,
        source "Lync MaxClientMessageBodySizeKb 128";
    /// How many people one message may be sent to at once, by a list in its body or a conversation of several.
    max_recipients: u32 = 100, unit "people", range 1 ..= 250,
        source "Lync MaxGroupSizeToExpand 100; a meeting of Lync takes 250";
    /// How long a message waits for a device that has not signed in.
    waiting_days: u32 = 14, unit "days", range 1 ..= 90,
        source "a fortnight's holiday; Lync has no waiting messages";
    /// How many messages may wait for one user; when it is reached the sender gets 480.
    max_waiting: u32 = 1_000, unit "messages", range 1 ..= 10_000,
        source "ten senders of a hundred messages; Lync has no waiting messages";
    /// How much may wait for one user; when it is reached the sender gets 480.
    max_waiting_kib: u32 = 8_192, unit "KiB", range 256 ..= 65_536,
        source "8 KiB for each of the messages that may wait";
    /// Whether messages are kept for the user's other devices and for later.
    keep_history: bool = true,
        source "Lync EnableIMAutoArchiving leaves the choice to the user, on unless forced off";
    /// How long they are kept.
    keep_history_days: u32 = 365, unit "days", range 1 ..= 3_650,
        source "a year, as a mailbox would keep Lync's conversation history";
    /// The hour of the day, in UTC, in which old messages are removed.
    purge_hour: u32 = 3, unit "h", range 0 ..= 23, pool_wide true,
        source "an hour after Lync's archive is purged (PurgeHourOfDay 2)";
}

fn clashes(policy: &MessagePolicy) -> Vec<Clash> {
    let mut clashes = Vec::new();
    if policy.max_body_kib > policy.max_waiting_kib {
        clashes.push(Clash {
            fields: &["max_body_kib", "max_waiting_kib"],
            what: format!(
                "A message may be {} KiB but only {} KiB may wait, so that a large one could not be kept for later.",
                policy.max_body_kib, policy.max_waiting_kib
            ),
            fix: "Raise max_waiting_kib or lower max_body_kib.",
        });
    }
    clashes
}
