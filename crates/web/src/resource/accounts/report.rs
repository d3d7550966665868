//! A comparison in the API's words.

use crate::resource::users::shown;
use lyceum_accounts::{Plan, Step};
use lyceum_api::account::{AccountSync, AccountSyncItem};
use lyceum_api::change::differences;
use lyceum_topology::{Snapshot, UserRecord};
use serde_json::Value;

/// Users that a report names; the rest is counted.
const NAMED: usize = 1_000;

/// What the plan does, or would do.
pub(super) fn report(plan: &Plan, before: &Snapshot, people: usize, what_if: bool) -> AccountSync {
    let mut report = AccountSync {
        what_if,
        people: people as u64,
        same: plan.same as u64,
        refused: plan.refused.len() as u64,
        stopped: plan.stop.map(|stop| stop.to_string()),
        ..AccountSync::default()
    };
    for item in plan.steps.iter().filter_map(|step| item(&mut report, step, before)).collect::<Vec<_>>() {
        add(&mut report, item);
    }
    for refusal in &plan.refused {
        let (address, what) = (refusal.who.clone(), refusal.why.clone());
        add(&mut report, AccountSyncItem { action: "refused".to_owned(), address, what, ..AccountSyncItem::default() });
    }
    report
}

fn add(report: &mut AccountSync, item: AccountSyncItem) {
    if report.items.len() < NAMED { report.items.push(item) } else { report.more += 1 }
}

/// Counts a step; `None` for one that nobody would see.
fn item(report: &mut AccountSync, step: &Step, before: &Snapshot) -> Option<AccountSyncItem> {
    let json = |user: &UserRecord| serde_json::to_value(shown(before, user)).unwrap_or(Value::Null);
    let (action, old, new) = match step {
        Step::New(user, _) => {
            report.new += 1;
            ("new", None, Some(user))
        }
        Step::Change(old, new, _) => {
            report.changed += 1;
            let action = match (old.enabled, new.enabled) {
                (true, false) => "disable",
                (false, true) => "enable",
                _ => "set",
            };
            report.disabled += u64::from(action == "disable");
            (action, Some(&**old), Some(new))
        }
        Step::Remove(old) => {
            report.removed += 1;
            ("remove", Some(&**old), None)
        }
        Step::Keep(_) => {
            report.same += 1;
            return None;
        }
    };
    let address = new.or(old)?.address.to_string();
    // Of a user who goes, everything differs.
    let changes = new.map_or_else(Vec::new, |new| differences(old.map(json).as_ref(), Some(&json(new))));
    Some(AccountSyncItem { action: action.to_owned(), address, changes, what: String::new() })
}
