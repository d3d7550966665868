//! What presence shows, to how many, and for how long (Lync: `Set-CsPresencePolicy`, `Set-CsPrivacyConfiguration`,
//! `Set-CsUserServicesConfiguration` and the presence values of `Set-CsClientPolicy`).

use super::Clash;

policy! {
    /// What a user's presence shows, to how many, and for how long.
    pub struct PresencePolicy / PresenceSettings, Presence, clashes clashes;

    /// After this time without a key or mouse a device counts as inactive.
    idle_seconds: u32 = 300, unit "s", range 60 ..= 21_600,
        source "Lync: status Inactive after 5 min";
    /// After this further time an inactive device counts as away.
    away_seconds: u32 = 300, unit "s", range 60 ..= 21_600,
        source "Lync: status Away 5 min after Inactive";
    /// The shortest publication and subscription promised; a wish of less than 60 s is refused with 423 and this value, one
    /// between is granted as it is, for clients that do not ask again.
    min_expires: u32 = 1_200, unit "s", range 60 ..= 86_400,
        source "Lync MinSubscriptionExpiration 20 min";
    /// The lifetime of a publication or subscription that asks for none.
    default_expires: u32 = 28_800, unit "s", range 60 ..= 86_400,
        source "Lync DefaultSubscriptionExpiration 8 h";
    /// The longest publication and subscription granted; a longer wish is shortened to it.
    max_expires: u32 = 43_200, unit "s", range 60 ..= 86_400,
        source "Lync MaxSubscriptionExpiration 12 h";
    /// How many watchers one user's presence is sent to; a further one is refused.
    max_category_subscription: u32 = 1_000, unit "subscriptions", range 0 ..= 3_000,
        source "Lync MaxCategorySubscription 1000, range 0-3000";
    /// How many new watchers wait for a user's answer at once; further ones are not asked about.
    max_prompted_subscriber: u32 = 200, unit "watchers", range 0 ..= 600,
        source "Lync MaxPromptedSubscriber 200, range 0-600";
    /// How many contacts a user's list holds.
    max_contacts: u32 = 250, unit "contacts", range 0 ..= 1_000,
        source "Lync MaxContacts 250; its client policy ends at 1000";
    /// How many distribution groups a user's list holds.
    max_distribution_groups: u32 = 10, unit "groups", range 0 ..= 64,
        source "Lync MaximumDGsAllowedInContactList 10";
    /// Whether only the people on a user's contact list see the presence of users who have not chosen themselves.
    privacy_mode: bool = false,
        source "Lync EnablePrivacyMode False";
    /// Whether users may appear offline.
    appear_offline: bool = true,
        source "Lync EnableAppearOffline, here on: it is asked for more than it is feared";
    /// Whether personal notes are shown.
    presence_note: bool = true,
        source "Lync DisablePresenceNote False";
    /// Whether busy times of a user's calendar count.
    calendar_presence: bool = true,
        source "Lync DisableCalendarPresence False";
    /// Whether users may have their calendar fetched from an address.
    calendar_feeds: bool = true,
        source "what Lync read from Exchange comes from any calendar here";
    /// How often a calendar is fetched.
    calendar_minutes: u32 = 15, unit "min", range 1 ..= 1_440,
        source "Lync read Exchange's free/busy about every 15 min";
    /// Hosts whose calendars are fetched though their addresses are private, and by plain HTTP too.
    calendar_hosts: Vec<String> = Vec::new(), range 0 ..= 100,
        source "no user makes the server ask inside its own network";
    /// Whether being in a call or a meeting counts.
    phone_presence: bool = true,
        source "Lync DisablePhonePresence False";
    /// The largest presence document accepted from a device.
    max_document_kib: u32 = 25, unit "KiB", range 1 ..= 64,
        source "Lync user model: presence documents are 4 KB on average and 25 KB at most";
}

fn clashes(policy: &PresencePolicy) -> Vec<Clash> {
    let PresencePolicy { min_expires: min, default_expires: default, max_expires: max, .. } = *policy;
    if min > max {
        return vec![Clash {
            fields: &["min_expires", "max_expires"],
            what: format!("min_expires ({min} s) is above max_expires ({max} s), so no lifetime could be granted."),
            fix: "Lower min_expires or raise max_expires.",
        }];
    }
    if !(min..=max).contains(&default) {
        return vec![Clash {
            fields: &["min_expires", "default_expires", "max_expires"],
            what: format!(
                "default_expires ({default} s) is not between min_expires ({min} s) and max_expires ({max} s)."
            ),
            fix: "Put default_expires between the two.",
        }];
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_lyncs() {
        let policy = PresencePolicy::default();
        assert_eq!((policy.idle_seconds, policy.away_seconds), (300, 300));
        assert_eq!((policy.min_expires, policy.default_expires, policy.max_expires), (1_200, 28_800, 43_200));
        assert_eq!((policy.max_category_subscription, policy.max_prompted_subscriber), (1_000, 200));
        assert_eq!((policy.max_contacts, policy.max_distribution_groups, policy.privacy_mode), (250, 10, false));
    }

    #[test]
    fn lifetimes_that_cannot_hold_together_are_told() {
        let of = |min_expires, default_expires, max_expires| PresencePolicy {
            min_expires,
            default_expires,
            max_expires,
            ..PresencePolicy::default()
        };
        assert_eq!(clashes(&of(60, 60, 60)).len(), 0);
        assert_eq!(clashes(&of(600, 600, 300))[0].fields, ["min_expires", "max_expires"]);
        assert_eq!(clashes(&of(300, 200, 600))[0].fields.len(), 3);
    }
}
