//! What holds for every plan.

use lyceum_plan::Plan;
use lyceum_plan::bandwidth::{Modality, bandwidth};
use lyceum_plan::capacity::capacity;
use lyceum_plan::deployment::{deployment, filter, nftables, records, zone_files};
use lyceum_plan::vpn::split_tunnel;
use proptest::prelude::*;

/// A plan of sites: users of each, which hub (0 for none), which options.
fn text(sites: &[(u32, usize, bool)], options: u32, share: u32) -> String {
    let flag = |bit: u32| options >> bit & 1 == 1;
    let mut text = format!(
        "[voice]\nshare = {share}\nmediation = \"{}\"\n[availability]\nhigh = {}\n[chat]\nenabled = {}\n[access]\ndirector = {}\n[archiving]\nenabled = true\n",
        ["auto", "collocated", "standalone"][(options % 3) as usize],
        flag(2),
        flag(3),
        flag(4),
    );
    for (number, (users, hub, local)) in sites.iter().enumerate() {
        text.push_str(&format!("[[site]]\nname = \"s{number}\"\nusers = {users}\n"));
        if number > 1 && *hub > 0 {
            text.push_str(&format!("hub = \"s{}\"\n", hub % 2));
            text.push_str(if *local { "pstn = \"local\"\n" } else { "" });
        }
    }
    if flag(5) && sites.len() > 1 {
        text = text.replacen("name = \"s0\"", "name = \"s0\"\npair = \"s1\"", 1);
    }
    text
}

fn read(text: &str) -> Plan {
    Plan::read(text).unwrap_or_else(|problems| panic!("{problems}"))
}

prop_compose! {
    fn sites()(sites in prop::collection::vec((0u32..200_000, 0usize..3, any::<bool>()), 1..6)) -> Vec<(u32, usize, bool)> {
        sites
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn more_users_never_need_fewer_servers(
        sites in sites(), options in 0u32..64, share in 0u32..=100, more in 1u32..100_000, at in 0usize..6,
    ) {
        let before = capacity(&read(&text(&sites, options, share)));
        let mut grown = sites.clone();
        let at = at % grown.len();
        grown[at].0 += more;
        let after = capacity(&read(&text(&grown, options, share)));
        prop_assert!(after.servers() >= before.servers(), "{} then {}", before.servers(), after.servers());
    }

    #[test]
    fn totals_of_servers_are_the_sum_of_sites(sites in sites(), options in 0u32..64) {
        let found = capacity(&read(&text(&sites, options, 60)));
        let sum: f64 = found.sites.iter().flat_map(|site| &site.roles).map(|role| role.servers.value).sum();
        prop_assert_eq!(sum as u64, found.servers());
    }

    #[test]
    fn totals_of_bandwidth_are_the_sum_of_links(sites in sites(), options in 0u32..64, share in 0u32..=100) {
        let found = bandwidth(&read(&text(&sites, options, share)));
        for (modality, total) in &found.totals {
            let flows = found.links.iter().flat_map(|link| &link.directions).flat_map(|direction| &direction.flows);
            let sum: f64 = flows.filter(|flow| flow.modality == *modality).map(|flow| flow.planned.value).sum();
            prop_assert!((sum - total).abs() <= total * 1e-9);
        }
        for link in &found.links {
            for direction in &link.directions {
                let sum: f64 = direction.flows.iter().map(|flow| flow.planned.value).sum();
                prop_assert!((sum - direction.planned_kbps).abs() <= sum * 1e-9);
                prop_assert!(direction.typical_kbps <= direction.planned_kbps + 1e-6);
                prop_assert!(direction.planned_kbps <= direction.maximum_kbps + 1e-6);
            }
        }
    }

    #[test]
    fn every_plan_can_be_named_and_filtered(sites in sites(), options in 0u32..64) {
        let plan = read(&text(&sites, options, 60));
        let needed = capacity(&plan);
        let built = deployment(&plan, &needed);
        prop_assert_eq!(built.hosts.len() as u64, needed.servers());
        let records = records(&plan, &built);
        let zones = zone_files(&built, &records, 1);
        let lines: usize = zones.iter().map(|zone| zone.text.lines().filter(|line| line.contains(" ; ")).count()).sum();
        prop_assert_eq!(lines, records.len());
        let names: std::collections::BTreeSet<&str> = built.hosts.iter().map(|host| host.fqdn.as_str()).collect();
        prop_assert_eq!(names.len(), built.hosts.len());
        let filter = filter(&plan, &needed, &built);
        let rules = nftables(&filter);
        prop_assert_eq!(rules.matches('{').count(), rules.matches('}').count());
        prop_assert!(split_tunnel(&plan, &built, &filter, &records).is_some());
    }

    #[test]
    fn what_people_of_a_star_send_their_hub_adds_up(users in prop::collection::vec(1u32..5000, 1..8)) {
        let mut text = "[access]\nedge = false\n[[site]]\nname = \"hub\"\nusers = 0\n".to_owned();
        for (number, users) in users.iter().enumerate() {
            text.push_str(&format!("[[site]]\nname = \"b{number}\"\nhub = \"hub\"\nusers = {users}\n"));
        }
        let found = bandwidth(&read(&text));
        let all: u32 = users.iter().sum();
        let expected = f64::from(all) * 0.8 * 1.9 * 1.3 * 2.0;
        prop_assert!((found.totals[&Modality::Signalling] - expected).abs() < 1e-6 * expected);
    }

    #[test]
    fn any_text_is_read_or_refused_with_lines_inside_it(text in "(\\[|\\]|=|\"|\n|site|voice|share|users|name|[a-z0-9. ]){0,60}") {
        if let Err(problems) = Plan::read(&text) {
            let lines = text.matches('\n').count() + 1;
            prop_assert!(problems.0.iter().all(|problem| (1..=lines).contains(&problem.line)));
        }
    }
}
