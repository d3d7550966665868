//! The comparison: what is new, changed, disabled and removed, what is refused, and when it stops.

use lyceum_accounts::{Entry, Plan, Step, Stop, plan};
use lyceum_topology::accounts::{Account, Attributes, Gone, Ldap, LdapKind, Standing};
use lyceum_topology::{AddressOfRecord, Directory, Document, DomainName, LineUri, Snapshot, UserId, UserRecord};

fn ldap() -> Ldap {
    let attributes = Attributes { disabled: Some("employeeType".to_owned()), ..Attributes::default() };
    Ldap { kind: LdapKind::InetOrgPerson, attributes, ..Ldap::default() }
}

fn entry(uid: &str, more: &[(&str, &str)]) -> Entry {
    let mut entry = Entry { dn: format!("uid={uid},o=x"), ..Entry::default() };
    let own = [("entryuuid", format!("id-{uid}")), ("uid", uid.to_owned()), ("cn", format!("Name of {uid}"))];
    for (name, value) in own.into_iter().chain(more.iter().map(|(name, value)| (*name, (*value).to_owned()))) {
        entry.values.insert(name.to_owned(), vec![value.into_bytes()]);
    }
    entry
}

fn user(id: u32, name: &str) -> UserRecord {
    let address = AddressOfRecord::parse(&format!("{name}@example.org")).unwrap();
    let mut user = UserRecord::new(UserId(id), address, "pool1");
    user.display_name = Some(format!("Name of {name}").into());
    user
}

fn account(id: u32, name: &str, standing: Standing) -> Account {
    Account { user: UserId(id), id: format!("id-{name}"), dn: format!("uid={name},o=x"), standing }
}

fn snapshot(users: &[UserRecord]) -> Snapshot {
    let name = |text| DomainName::parse(text).unwrap();
    let mut directory = Directory::default();
    for user in users {
        directory.insert(user.clone()).unwrap();
    }
    Snapshot::compile(&Document::dev(name("example.org"), name("node1.example.org")), directory).unwrap()
}

/// The steps in words.
fn words(plan: &Plan) -> Vec<String> {
    let enabled = |user: &UserRecord| if user.enabled { "" } else { " disabled" };
    let step = |step: &Step| match step {
        Step::New(user, _) => format!("new {}{}", user.address, enabled(user)),
        Step::Change(_, user, account) => {
            format!("set {}{} {}", user.address, enabled(user), account.standing.as_str())
        }
        Step::Keep(account) => format!("keep {}", account.dn),
        Step::Remove(user) => format!("remove {}", user.address),
    };
    plan.steps.iter().map(step).collect()
}

#[test]
fn each_standing_meets_each_state_as_the_table_says() {
    use Standing::{Disabled, Gone as Left, Present};
    let disabled: &[(&str, &str)] = &[("employeetype", "TRUE")];
    for (there, here, enabled, then) in [
        (Some(&[][..]), None, true, "new anna@example.org"),
        (Some(disabled), None, true, ""),
        (Some(&[]), Some(Present), true, ""),
        (Some(&[]), Some(Present), false, ""),
        (Some(&[]), Some(Disabled), false, "set anna@example.org present"),
        (Some(&[]), Some(Left), false, "set anna@example.org present"),
        (Some(disabled), Some(Present), true, "set anna@example.org disabled disabled"),
        (Some(disabled), Some(Disabled), true, ""),
        (None, Some(Present), true, "set anna@example.org disabled gone"),
        (None, Some(Left), false, ""),
    ] {
        let mut record = user(1, "anna");
        record.enabled = enabled;
        let users = here.map(|_| record);
        let accounts: Vec<Account> = here.map(|standing| account(1, "anna", standing)).into_iter().collect();
        let entries: Vec<Entry> = there.map(|more| entry("anna", more)).into_iter().collect();
        let plan = plan(&ldap(), &snapshot(users.as_slice()), &entries, &accounts);
        assert_eq!(words(&plan).join(", "), then, "{there:?} {here:?} {enabled}");
    }
}

#[test]
fn a_changed_field_and_a_moved_entry_are_told_apart() {
    let users = [user(1, "anna"), user(2, "ben")];
    let accounts = [account(1, "anna", Standing::Present), account(2, "ben", Standing::Present)];
    let mut moved = entry("ben", &[]);
    moved.dn = "uid=ben,ou=elsewhere,o=x".to_owned();
    let plan = plan(&ldap(), &snapshot(&users), &[entry("anna", &[("title", "Director")]), moved], &accounts);
    assert_eq!(words(&plan), ["set anna@example.org present", "keep uid=ben,ou=elsewhere,o=x"]);
    let Step::Change(before, after, _) = &plan.steps[0] else { panic!("{plan:?}") };
    assert_eq!((before.job().title.as_deref(), after.job().title.as_deref()), (None, Some("Director")));
}

#[test]
fn what_is_not_read_stays_the_administrators() {
    let mut record = user(1, "anna");
    record.numbers = Box::new([LineUri::parse("+4930123").unwrap()]);
    let accounts = [account(1, "anna", Standing::Present)];
    let mut settings = ldap();
    let read = plan(&settings, &snapshot(&[record.clone()]), &[entry("anna", &[])], &accounts);
    assert_eq!(words(&read), ["set anna@example.org present"], "the directory server says: no number");
    settings.attributes.number = Some(String::new());
    assert_eq!(words(&plan(&settings, &snapshot(&[record]), &[entry("anna", &[])], &accounts)), Vec::<String>::new());
}

#[test]
fn users_made_by_hand_are_never_touched() {
    let users = [user(1, "anna"), user(2, "ben")];
    let found = plan(&ldap(), &snapshot(&users), &[entry("anna", &[("title", "Director")]), entry("eva", &[])], &[]);
    assert_eq!(words(&found), ["new eva@example.org"]);
    assert!(found.refused.len() == 1 && found.refused[0].who.starts_with("anna@example.org"), "{:?}", found.refused);
}

#[test]
fn a_number_that_is_none_or_is_taken_is_left_out_and_told() {
    let mut ben = user(2, "ben");
    ben.numbers = Box::new([LineUri::parse("+4930123").unwrap()]);
    let entries = [
        entry("anna", &[("telephonenumber", "+49 30 123")]),
        entry("carl", &[("telephonenumber", "030 456")]),
        entry("dora", &[("telephonenumber", "+49 30 789")]),
        entry("emil", &[("telephonenumber", "+49 30 789")]),
    ];
    let plan = plan(&ldap(), &snapshot(&[ben]), &entries, &[]);
    let numbers: Vec<usize> = plan
        .steps
        .iter()
        .map(|step| match step {
            Step::New(user, _) => user.numbers.len(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!((numbers, plan.refused.len()), (vec![0, 0, 1, 0], 3));
}

#[test]
fn a_comparison_that_takes_too_much_away_is_stopped() {
    let users: Vec<UserRecord> = (1..=40).map(|id| user(id, &format!("p{id}"))).collect();
    let accounts: Vec<Account> = (1..=40).map(|id| account(id, &format!("p{id}"), Standing::Present)).collect();
    let entries: Vec<Entry> = (1..=40).map(|id| entry(&format!("p{id}"), &[])).collect();
    let snapshot = snapshot(&users);
    let stop = |left: usize, gone| plan(&Ldap { gone, ..ldap() }, &snapshot, &entries[left..], &accounts).stop;
    for gone in [Gone::Disable, Gone::Remove] {
        assert_eq!(stop(4, gone), None, "a tenth may go");
        assert_eq!(stop(5, gone), Some(Stop { taken: 5, allowed: 4, accounts: 40 }));
    }
    // Who is disabled there counts as well: a wrong attribute would disable everybody.
    let all: Vec<Entry> = (1..=40).map(|id| entry(&format!("p{id}"), &[("employeetype", "TRUE")])).collect();
    assert!(plan(&ldap(), &snapshot, &all, &accounts).stop.is_some());
    // Nobody at all is a fault of the search, whatever the bound.
    let none = plan(&Ldap { max_removed_percent: 100, ..ldap() }, &snapshot, &[], &accounts);
    assert_eq!(none.stop, Some(Stop { taken: 40, allowed: 40, accounts: 40 }));
}

#[test]
fn in_a_small_house_one_may_always_go() {
    let users = [user(1, "anna"), user(2, "ben"), user(3, "carl")];
    let accounts: Vec<Account> =
        [(1, "anna"), (2, "ben"), (3, "carl")].map(|(id, name)| account(id, name, Standing::Present)).into();
    let stop = |entries: &[Entry]| plan(&ldap(), &snapshot(&users), entries, &accounts).stop;
    assert_eq!(stop(&[entry("anna", &[]), entry("ben", &[])]), None);
    assert!(stop(&[entry("anna", &[])]).is_some());
}

#[test]
fn an_entry_that_cannot_be_read_this_time_is_not_somebody_who_left() {
    let accounts = [account(1, "anna", Standing::Present)];
    let mut hidden = entry("anna", &[]);
    hidden.values.remove("entryuuid");
    let plan = plan(&ldap(), &snapshot(&[user(1, "anna")]), &[hidden], &accounts);
    assert_eq!((words(&plan), plan.refused.len()), (Vec::new(), 1));
}

#[test]
fn another_address_there_is_told_and_changes_none_here() {
    let accounts = [account(1, "anna", Standing::Present)];
    let mut renamed = entry("anna-married", &[]);
    renamed.values.insert("entryuuid".to_owned(), vec![b"id-anna".to_vec()]);
    let plan = plan(&ldap(), &snapshot(&[user(1, "anna")]), &[renamed], &accounts);
    assert_eq!(words(&plan), ["set anna@example.org present"], "the name they show is another");
    assert!(plan.refused[0].why.contains("anna-married@example.org"), "{:?}", plan.refused);
}
