//! The split tunnel against the white paper's tables (SEED2 item 6).

use lyceum_plan::Plan;
use lyceum_plan::capacity::capacity;
use lyceum_plan::deployment::*;
use lyceum_plan::vpn::*;

fn split(text: &str) -> (Option<SplitTunnel>, Vec<ZoneFile>) {
    let site = "[[site]]\nname = \"A\"\nusers = 3000\nnetwork = \"10.1.0.0/24\"\nperimeter = \"10.2.0.0/24\"\npublic = \"192.0.2.0/24\"\n";
    let plan = Plan::read(&format!("{text}\n{site}")).unwrap_or_else(|problems| panic!("{problems}"));
    let needed = capacity(&plan);
    let deployment = deployment(&plan, &needed);
    let records = records(&plan, &deployment);
    let filter = filter(&plan, &needed, &deployment);
    (split_tunnel(&plan, &deployment, &filter, &records), zone_files(&deployment, &records, 1))
}

const EXCHANGE: &str = "[exchange]\naddress = [\"192.0.2.25\"]\n";

/// SEED2: client media to the corporate network and everything to all servers is blocked, in the domain profile.
#[test]
fn the_two_filters_of_the_white_paper() {
    let found = split(EXCHANGE).0.expect("people connect by VPN");
    let [media, servers] = found.blocks.as_slice() else { panic!("two filters") };
    let shown = |networks: &[lyceum_plan::Network]| networks.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(
        (shown(&media.from), shown(&media.to)),
        (vec!["10.250.0.0/16".to_owned()], vec!["10.0.0.0/8".to_owned()])
    );
    assert_eq!((media.ports.map(|ports| ports.to_string()), media.profile), (Some("1024-65535".to_owned()), "Domain"));
    assert_eq!((servers.ports, servers.profile), (None, "Domain"));
    let blocked = shown(&servers.to);
    // Front End, its balancer, and the inner interface of an Edge server.
    for address in ["10.1.0.10/32", "10.1.0.13/32", "10.2.0.10/32"] {
        assert!(blocked.contains(&address.to_owned()), "{address}: {blocked:?}");
    }
    assert!(blocked.iter().all(|address| !address.starts_with("192.0.2.")), "{blocked:?}");
    assert_eq!(found.problems, Vec::<String>::new());
}

/// SEED2: every public address of the deployment and of Exchange stays out of the tunnel.
#[test]
fn public_addresses_go_around_the_tunnel() {
    let found = split(EXCHANGE).0.expect("people connect by VPN");
    let around: Vec<String> = found.around.iter().map(ToString::to_string).collect();
    for address in ["192.0.2.10/32", "192.0.2.11/32", "192.0.2.12/32", "192.0.2.16/32", "192.0.2.25/32"] {
        assert!(around.contains(&address.to_owned()), "{address}: {around:?}");
    }
    assert_eq!(found.answers.iter().filter(|answer| answer.name == "sip.contoso.com").count(), 2);
}

#[test]
fn what_stands_in_the_way_is_said() {
    let problems = |text: &str| split(text).0.expect("people connect by VPN").problems;
    assert!(problems("")[0].contains("exchange.address"));
    assert!(
        problems(&format!("[vpn]\ncorporate_networks = [\"192.0.0.0/8\"]\n{EXCHANGE}"))[0].contains("must go around")
    );
    assert!(problems(&format!("[access]\nedge = false\n{EXCHANGE}"))[0].contains("without an Edge"));
    assert_eq!(split("[vpn]\nenabled = false\n").0, None);
}

#[test]
fn windows_gets_filters_routes_and_a_resolver() {
    let found = split(&format!("[vpn]\nconnection = \"Bob's VPN\"\n{EXCHANGE}")).0.expect("people connect by VPN");
    let text = powershell(&found, "10.250.0.1");
    for line in [
        "-Direction Outbound -Action Block -Profile Domain -Protocol UDP -LocalAddress '10.250.0.0/16' -RemoteAddress '10.0.0.0/8' -RemotePort '1024-65535'",
        "Set-VpnConnection -Name 'Bob''s VPN' -SplitTunneling $true",
        "Add-VpnConnectionRoute -ConnectionName 'Bob''s VPN' -DestinationPrefix '10.0.0.0/8'",
        "Add-DnsClientNrptRule -Namespace '.contoso.com' -NameServers '10.250.0.1' -Comment 'lyceum-vpn'",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    assert_eq!(text.matches("New-NetFirewallRule").count(), 4);
}

#[test]
fn the_gateway_gets_the_same_filters_and_bind_its_zones() {
    let (found, zones) = split(EXCHANGE);
    let text = vpn_nftables(&found.expect("people connect by VPN"));
    assert!(
        text.contains("ip saddr @from_0 ip daddr @to_0 meta l4proto { tcp, udp } th dport 1024-65535 counter reject"),
        "{text}"
    );
    assert!(text.contains("ip saddr @from_1 ip daddr @to_1 meta l4proto { tcp, udp } counter reject"), "{text}");
    let conf = named_conf(&zones, "/etc/bind");
    assert!(
        conf.contains("zone \"sip.contoso.com\" { type primary; file \"/etc/bind/pinpoint-sip.contoso.com.zone\";"),
        "{conf}"
    );
    assert_eq!(conf.matches("zone \"").count(), zones.iter().filter(|zone| zone.scope == Scope::PinPoint).count());
}

#[test]
fn every_rule_has_a_reason_and_tables_are_whole() {
    let found = split(EXCHANGE).0.expect("people connect by VPN");
    assert_eq!(found.reasons.len(), 6);
    for table in found.tables() {
        assert!(
            !table.rows.is_empty() && table.rows.iter().all(|row| row.len() == table.columns.len()),
            "{}",
            table.title
        );
    }
}
