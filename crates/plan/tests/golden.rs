//! The published examples, to the digit. Each test names who published it.

use lyceum_plan::capacity::*;
use lyceum_plan::figures::{self, Figure};
use lyceum_plan::{Mediation, Plan, Usage, erlang};

fn read(text: &str) -> Plan {
    Plan::read(text).unwrap_or_else(|problems| panic!("{problems}"))
}

/// A plan of one pool with `signed_in` users.
fn pool(signed_in: u64, rest: &str) -> Plan {
    read(&format!("{rest}\n[[site]]\nname = \"A\"\nusers = {}\nsigned_in = {signed_in}\n", signed_in * 2))
}

fn pools(plan: &Plan) -> Pools {
    capacity(plan).sites[0].pools.clone().expect("a central site")
}

/// L13:capacity-planning-using-the-user-models: a pool of 12 servers carries 80,000 users.
#[test]
fn eighty_thousand_users_take_twelve_servers() {
    let found = pools(&pool(80_000, ""));
    assert_eq!((found.pools.value, found.servers_each.value), (1.0, 12.0));
    assert_eq!(found.servers_each.source, "L13:capacity-planning-using-the-user-models");
}

/// L13:capacity-planning-using-the-user-models: 80,000 users and 1.9 endpoints each are 152,000 endpoints.
#[test]
fn eighty_thousand_users_have_152_000_endpoints() {
    assert_eq!(capacity(&pool(80_000, "")).sites[0].load.endpoints.value, 152_000.0);
}

/// L13:capacity-planning-using-the-user-models: 30,000 users; 5 servers fail the rule, 6 pass.
#[test]
fn thirty_thousand_users_need_six_servers_for_n_plus_one() {
    let each = users_per_front_end();
    assert!(!n_plus_one(30_000.0, 5, each).passes && n_plus_one(30_000.0, 6, each).passes);
    assert!(!n_plus_one(30_000.0, 5, 6660.0).passes && n_plus_one(30_000.0, 6, 6660.0).passes);
    assert_eq!(pools(&pool(30_000, "")).servers_each.value, 6.0);
    assert_eq!(pools(&pool(30_000, "[availability]\nhigh = false")).servers_each.value, 5.0);
}

/// derived from L13:capacity-planning-using-the-user-models: a full pool has no room for the loss of one, 7,273 each.
#[test]
fn a_full_pool_has_no_server_to_spare() {
    let check = pools(&pool(80_000, "")).n_plus_one;
    assert_eq!((check.passes, check.figure.value.round()), (false, 7273.0));
    assert_eq!(check.advice.as_deref(), Some("the pool is full: divide the users over one pool more"));
}

/// L13:capacity-planning-using-the-user-models: paired pools home 40,000 users each and are sized for both.
#[test]
fn each_side_of_a_pair_is_sized_for_both() {
    let plan = read(
        "[[site]]\nname = \"A\"\nusers = 40000\nsigned_in = 40000\npair = \"B\"\n[[site]]\nname = \"B\"\nusers = 40000\nsigned_in = 40000\n",
    );
    for site in capacity(&plan).sites {
        let found = site.pools.expect("a central site");
        assert_eq!((found.pools.value, found.servers_each.value, found.users_each), (1.0, 12.0, 80_000.0));
    }
    let more = read(
        "[[site]]\nname = \"A\"\nusers = 40001\nsigned_in = 40001\npair = \"B\"\n[[site]]\nname = \"B\"\nusers = 40000\nsigned_in = 40000\n",
    );
    assert_eq!(capacity(&more).sites[0].pools.as_ref().expect("a central site").pools.value, 2.0);
}

/// L13:capacity-planning-using-the-user-models: IM and presence of 6,660 users take 13 Mbps (with 1.5 endpoints each, derived).
#[test]
fn presence_of_a_front_end_takes_13_mbps() {
    assert_eq!((presence_kbps(6660.0, 1.5).value / 1000.0).round(), 13.0);
    assert_eq!(format!("{:.1}", presence_kbps(6660.0, 1.0).value / 1000.0), "8.7");
    assert_eq!(format!("{:.1}", presence_kbps(6660.0, 1.9).value / 1000.0), "16.5");
}

/// L13:capacity-planning-using-the-user-models: a Standard Edition Server carries 2,500, the survivor of a pair 5,000.
#[test]
fn a_standard_edition_server_carries_2_500_and_its_pair_5_000() {
    let site = |name: &str, rest: &str| {
        format!("[[site]]\nname = \"{name}\"\nusers = 2500\nsigned_in = 2500\nedition = \"standard\"\n{rest}\n")
    };
    let found = capacity(&read(&(site("A", "pair = \"B\"") + &site("B", ""))));
    for number in 0..2 {
        assert_eq!(found.at(number, Role::StandardEdition), 1);
        let check = &found.sites[number].pools.as_ref().expect("a central site").n_plus_one;
        assert_eq!((check.passes, check.figure.value), (true, 5000.0));
    }
}

/// L13:user-models, derived: 6,660 users at 50 % voice have 140 non-bypass calls, at 60 % 168, over the published 150.
#[test]
fn non_bypass_calls_of_a_front_end_are_140_and_at_sixty_percent_168() {
    let calls = |share: u32| {
        let plan = read(&format!("[voice]\nshare = {share}\n"));
        non_bypass(&plan, pstn_erlang(&plan, 6660.0).value).value.round()
    };
    assert_eq!((calls(50), calls(60)), (140.0, 168.0));
}

/// L13:capacity-planning-using-the-user-models: collocated up to 150 calls for each Front End, else servers of its own.
#[test]
fn mediation_leaves_the_front_ends_when_they_cannot_carry_it() {
    let at = |share: u32, said: &str| {
        let plan = pool(80_000, &format!("[voice]\nshare = {share}\n{said}"));
        (pools(&plan).mediation, capacity(&plan).at(0, Role::FrontEnd), capacity(&plan).at(0, Role::Mediation))
    };
    assert_eq!(at(50, ""), (Mediation::Collocated, 12, 0));
    assert_eq!(at(60, ""), (Mediation::Standalone, 12, 3));
    assert_eq!(at(60, "mediation = \"collocated\""), (Mediation::Collocated, 16, 0));
}

/// L13:capacity-planning-using-the-user-models: 1,100 calls are 46 T1 or 35 E1, 1,500 are 63 T1 or 47 E1.
#[test]
fn mediation_calls_in_trunks() {
    let count = |calls: f64| (trunks(calls).0.value, trunks(calls).1.value);
    assert_eq!(count(1100.0), (46.0, 35.0));
    assert_eq!(count(1500.0), (63.0, 47.0));
}

/// L13:capacity-planning-using-the-user-models: a Mediation Server carries 1,500 calls, 1,100 without hyper-threading.
#[test]
fn mediation_servers_by_calls_and_one_spare() {
    assert_eq!(mediation_servers(3000.0, true).value, 3.0);
    assert_eq!(mediation_servers(3000.0, false).value, 4.0);
}

/// L13:capacity-planning-using-the-user-models: CDR 49, QoE 28 and archive 57 KB for each user and day; 60, 60, 14 days.
#[test]
fn databases_grow_by_49_28_and_57_kb() {
    let found = capacity(&pool(80_000, "[archiving]\nenabled = true\n"));
    let rows: Vec<(&str, f64, u64)> = found.sites[0]
        .storage
        .iter()
        .map(|row| (row.database, (row.growth_per_day.value * 1024.0 * 1024.0 / 80_000.0).round(), row.days))
        .collect();
    assert_eq!(rows, [("call detail", 49.0, 60), ("quality", 28.0, 60), ("archive", 57.0, 14)]);
    let cdr = &found.sites[0].storage[0];
    assert_eq!(
        format!("{:.2} {:.1} {:.1}", cdr.growth_per_day.value, cdr.kept.value, cdr.volume.value),
        "3.74 224.3 471.0"
    );
}

/// L13:capacity-planning-using-the-user-models: one database server was tested with 2 x 80,000 users.
#[test]
fn one_store_serves_two_pools_of_80_000() {
    let at = |users: u64| capacity(&pool(users, "[availability]\nhigh = false")).at(0, Role::MonitoringStore);
    assert_eq!((at(160_000), at(160_001)), (1, 2));
}

/// L13:capacity-planning-using-the-user-models: 12,000 remote users for each Edge and Director, at least 2.
#[test]
fn edge_and_director_carry_12_000_remote_users() {
    let plan = pool(80_000, "[access]\ndirector = true\n");
    // 80,000 x 30 % = 24,000.
    assert_eq!((capacity(&plan).at(0, Role::Edge), capacity(&plan).at(0, Role::Director)), (2, 2));
    assert_eq!(capacity(&pool(80_004, "")).at(0, Role::Edge), 3);
    assert_eq!(capacity(&pool(100, "")).at(0, Role::Edge), 2);
}

/// L13:capacity-planning-using-the-user-models and L13:user-models: 80,000 users are 4,000 in meetings, 3,750 beside one of 250.
#[test]
fn a_full_pool_has_4_000_people_in_meetings() {
    let found = capacity(&pool(80_000, "")).sites[0].load.meetings.clone().expect("meetings");
    assert_eq!((found.people.value, found.beside_large.value), (4000.0, 3750.0));
}

/// L13:user-models, derived: 85 % of 4, 10 % of 6 and 5 % of 11 people are 4.55 on average, which is assumed.
#[test]
fn a_meeting_has_4_55_people() {
    assert_eq!(*read("").meetings.size, 4.55);
    assert_eq!(format!("{:.2}", 0.85 * 4.0 + 0.10 * 6.0 + 0.05 * 11.0), "4.55");
}

/// L13:conferencing-user-model: 500 people in meetings of 4 are 125 meetings; 47 share a screen, 188 people in them.
#[test]
fn a_server_has_125_meetings_and_47_of_them_share_a_screen() {
    let plan = read("[meetings]\nsize = 4\n");
    let found = meetings(&plan, 10_000.0);
    assert_eq!((found.people.value, found.meetings.value, found.sharing.value.round()), (500.0, 125.0, 47.0));
    assert_eq!((found.sharing.value.round() * 4.0, found.peak.value), (188.0, 187.5));
}

/// L13:estimating-voice-usage-and-traffic: 15, 10 and 5 users for each port; 1,000 users are 67, 100 and 200 ports.
#[test]
fn a_thousand_users_take_67_100_or_200_ports() {
    let judged = |usage: Usage, calls: f64| {
        let offered = calls * 1000.0 * 3.0 / 60.0;
        let ports = judge_ports(1000.0, usage, figure(offered), 0.01);
        (ports.by_table.value, offered, format!("{:.1}", ports.blocking_by_table.value))
    };
    assert_eq!(judged(Usage::Light, 1.0), (67.0, 50.0, "0.4".to_owned()));
    assert_eq!(judged(Usage::Medium, 2.0), (100.0, 100.0, "7.6".to_owned()));
    assert_eq!(judged(Usage::Heavy, 3.0), (200.0, 150.0, "0.0".to_owned()));
}

/// derived: the comparison with Erlang B. It says 67 ports and 0.5 %, which is what 66 of 66.67 ports block; 67 block 0.4 %.
#[test]
fn light_usage_blocks_half_a_percent_on_66_ports() {
    let blocked = |ports: u64| format!("{:.1}", erlang::blocking(50.0, ports) * 100.0);
    assert_eq!((blocked(66), blocked(67)), ("0.5".to_owned(), "0.4".to_owned()));
}

fn figure(value: f64) -> Figure {
    Figure { value, unit: "erlang", rule: "voice.load", source: "derived", working: String::new() }
}

/// derived: at 1 % blocking the rule of ports fits calls of 3.15 (on 66 ports), 2.52 and 3.59 minutes.
#[test]
fn the_rule_of_ports_fits_calls_of_some_minutes() {
    let minutes = |ports: u64, calls: f64| format!("{:.2}", erlang::offered(ports, 0.01) * 60.0 / (1000.0 * calls));
    assert_eq!((minutes(66, 1.0), minutes(100, 2.0), minutes(200, 3.0)), ("3.15".into(), "2.52".into(), "3.59".into()));
}

/// L13:user-models: busy-hour calls are half of the day's in a fifth of eight hours; 0.2 erlang for each PSTN user.
#[test]
fn a_pstn_user_offers_a_fifth_of_an_erlang() {
    let plan = read("[voice]\nshare = 100\npstn_share = 100\n");
    assert_eq!(pstn_erlang(&plan, 1.0).value, 0.2);
}

/// L13:topologies-and-components-for-front-end-servers-instant-messaging-and-presence: the quorum table.
#[test]
fn quorum_of_pools_of_two_to_twelve() {
    let table = [
        (2, 1, "1"),
        (3, 3, "any 2"),
        (4, 3, "any 2"),
        (5, 4, "any 3"),
        (6, 5, "any 3"),
        (7, 5, "any 4"),
        (8, 6, "4 of the first 7"),
        (9, 7, "4 of the first 7"),
        (10, 8, "5 of the first 9"),
        (11, 9, "5 of the first 9"),
        (12, 10, "5 of the first 9"),
    ];
    for (servers, first_start, functional) in table {
        let found = quorum(servers).expect("in the table");
        assert_eq!((found.first_start, found.functional, found.copies), (first_start, functional, 3), "{servers}");
    }
    assert_eq!((quorum(1), quorum(13)), (None, None));
}

/// L13:server-hardware-platforms: 32 GB for Front Ends and stores, 16 GB for Edge, Mediation and Director; 48 GB tested.
#[test]
fn hardware_of_the_roles() {
    let memory = |role: Role| role.machine().map(|machine| machine.memory_gb);
    assert_eq!(memory(Role::FrontEnd), Some(32.0));
    assert_eq!(memory(Role::StandardEdition), Some(32.0));
    assert_eq!(memory(Role::Edge), Some(16.0));
    assert_eq!(memory(Role::Mediation), Some(16.0));
    assert_eq!(memory(Role::MonitoringStore), Some(48.0));
}

/// L13:capacity-planning-for-persistent-chat-server: 20,000 users for each server, 4 active for 80,000.
#[test]
fn chat_takes_a_server_for_20_000_users() {
    let at = |users: u64| capacity(&pool(users, "[chat]\nenabled = true\nshare = 100\n")).at(0, Role::PersistentChat);
    assert_eq!((at(80_000), at(20_000), at(60_000)), (4, 2, 3));
}

/// L13:capacity-planning-for-response-group, -call-park, -group-call-pickup: limits of 8 servers and of Standard Edition.
#[test]
fn applications_scale_with_the_servers_of_a_pool() {
    // 42,000 users take 8 servers: 6.3 by their number, one to spare.
    let plan = pool(42_000, "[voice]\nshare = 50\ngroup_pickup = true\n");
    assert_eq!(pools(&plan).servers_each.value, 8.0);
    let values: Vec<f64> = application_limits(&plan, &pools(&plan)).iter().map(|limit| limit.figure.value).collect();
    assert_eq!(values, [16.0, 480.0, 224.0, 64.0, 8.0, 500.0, 25_000.0, 500.0, 200.0]);
    let plan = read("[voice]\ngroup_pickup = true\n[[site]]\nname = \"A\"\nusers = 1000\nedition = \"standard\"\n");
    let values: Vec<f64> = application_limits(&plan, &pools(&plan)).iter().map(|limit| limit.figure.value).collect();
    assert_eq!(values, [2.0, 60.0, 28.0, 8.0, 1.0, 60.0, 3_000.0, 60.0, 25.0]);
}

/// L13:monitoring-for-server-memory-capacity-limits: 164 + 534/1024 A + 400/1024 (S - A) MB.
#[test]
fn mobile_sessions_take_memory() {
    assert_eq!(mobility_memory(1024.0, 2048.0).value, 164.0 + 534.0 + 400.0);
    assert_eq!(mobility_memory(0.0, 0.0).value, 164.0);
}

/// L13:branch-site-resiliency-solutions: one appliance to 1,000 users, two to 2,000, Standard Edition above.
#[test]
fn a_branch_takes_an_appliance_two_or_a_server() {
    let at = |users: u64| {
        let plan = read(&format!("[[site]]\nname = \"A\"\n[[site]]\nname = \"B\"\nhub = \"A\"\nusers = {users}\n"));
        let found = capacity(&plan);
        (found.at(1, Role::BranchAppliance), found.at(1, Role::BranchStandardEdition), found.sites[1].warnings.len())
    };
    assert_eq!([at(25), at(1000), at(1001), at(2000)], [(1, 0, 0), (1, 0, 0), (2, 0, 0), (2, 0, 0)]);
    assert_eq!([at(2001), at(5000), at(5001), at(24)], [(0, 2, 0), (0, 2, 0), (0, 3, 1), (1, 0, 1)]);
}

/// L13:capacity-and-availability-management: 90 days between failures and 20 minutes to mend are 99.985 %.
#[test]
fn ninety_days_and_twenty_minutes_are_99_985_percent() {
    assert_eq!(format!("{:.3}", availability(90.0 * 24.0 * 60.0, 20.0).value), "99.985");
}

/// L13:reference-topology: 4,000 users on two paired Standard Edition servers; 20,000 users on three Front Ends.
#[test]
fn the_reference_topologies_come_out() {
    let small = read(
        "[[site]]\nname = \"A\"\nusers = 2000\nsigned_in = 2000\npair = \"B\"\nedition = \"standard\"\n\
         [[site]]\nname = \"B\"\nusers = 2000\nsigned_in = 2000\nedition = \"standard\"\n",
    );
    assert_eq!(capacity(&small).totals[&Role::StandardEdition], 2);
    let medium = pool(20_000, "[availability]\nhigh = false\n[voice]\nshare = 50");
    assert_eq!(capacity(&medium).at(0, Role::FrontEnd), 3);
}

#[test]
fn every_number_names_a_rule_that_is_written_down() {
    let plan = pool(30_000, "[archiving]\nenabled = true\n[chat]\nenabled = true\n[meetings]\nlarge = \"dedicated\"");
    let found = serde_json::to_value(capacity(&plan)).expect("serialises");
    let mut rules = Vec::new();
    collect(&found, &mut rules);
    assert!(rules.len() > 30);
    for rule in rules {
        assert!(figures::rules().iter().any(|known| known.id == rule), "{rule}");
    }
}

fn collect(value: &serde_json::Value, rules: &mut Vec<String>) {
    if let Some(rule) = value.get("rule").and_then(serde_json::Value::as_str) {
        rules.push(rule.to_owned());
    }
    match value {
        serde_json::Value::Array(items) => items.iter().for_each(|item| collect(item, rules)),
        serde_json::Value::Object(items) => items.values().for_each(|item| collect(item, rules)),
        _ => {}
    }
}

#[test]
fn tables_have_as_many_cells_as_columns() {
    for table in capacity(&pool(30_000, "[archiving]\nenabled = true\n")).tables() {
        assert!(!table.rows.is_empty(), "{}", table.title);
        for row in &table.rows {
            assert_eq!(row.len(), table.columns.len(), "{}", table.title);
        }
    }
}
