//! What the network is told of ports and marks.

use lyceum_plan::qos::{QosTarget, advice, export, table};
use lyceum_topology::qos::{Dscp, PortRange, Qos, QosSettings};

fn usual() -> Qos {
    QosSettings::default().in_force()
}

fn moved() -> Qos {
    let mut settings = QosSettings::default();
    settings.marks.audio = Some(Dscp::new(40).expect("a mark"));
    settings.server_ports.audio = Some(PortRange { first: 16_000, last: 16_999 });
    settings.client_ports.audio = Some(PortRange { first: 23_000, last: 23_019 });
    settings.in_force()
}

#[test]
fn every_export_names_the_ports_and_marks_in_force() {
    // What stands for audio in each, with the usual table and with another.
    let cases = [
        (
            QosTarget::WindowsPolicy,
            "-IPSrcPortStartMatchCondition 20000 -IPSrcPortEndMatchCondition 20019 -DSCPAction 46",
        ),
        (QosTarget::WindowsRegistry, "\"Local Port\"=\"20000:20019\""),
        (QosTarget::Nftables, "udp sport 16384-22383 ip dscp set 46"),
        (QosTarget::Tc, "match ip dsfield 0xb8 0xfc"),
        (QosTarget::CiscoIos, "permit udp any any range 16384 22383"),
        (QosTarget::Junos, "term audio from port 16384-22383"),
        (QosTarget::Wmm, "audio        46 (EF)     6       AC_VO     5 AC_VI   <- wrong queue"),
        (QosTarget::Phones, "rtp_tos 184"),
    ];
    assert_eq!(cases.len(), QosTarget::ALL.len());
    for (target, audio) in cases {
        let (one, other) = (export(&usual(), target), export(&moved(), target));
        assert!(one.contains(audio), "{}:\n{one}", target.as_str());
        assert!(!other.contains(audio), "{} says the usual where another is in force:\n{other}", target.as_str());
        assert_eq!(QosTarget::parse(target.as_str()), Some(target));
    }
}

#[test]
fn windows_meets_browsers_by_the_ports_of_the_server() {
    let text = export(&usual(), QosTarget::WindowsPolicy);
    assert!(text.contains("-Name 'Lyceum Audio to server'"), "{text}");
    assert!(
        text.contains("-IPDstPortStartMatchCondition 16384 -IPDstPortEndMatchCondition 22383 -DSCPAction 46"),
        "{text}"
    );
    assert!(text.contains("Two browsers that reach each other directly cannot be told apart by port"), "{text}");
    let text = export(&usual(), QosTarget::WindowsRegistry);
    assert!(text.starts_with("Windows Registry Editor Version 5.00\r\n"));
    assert_eq!(text.matches("[HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies\\Microsoft\\Windows\\QoS\\Lyceum ").count(), 9);
    assert!(text.lines().all(|line| !line.contains('\n')) && text.ends_with("\"Do not use NLA\"=\"1\"\r\n"));
}

#[test]
fn queues_never_promise_more_than_the_link() {
    for target in [QosTarget::CiscoIos, QosTarget::Junos] {
        let text = export(&usual(), target);
        let percents = text.lines().filter_map(|line| line.split("percent ").nth(1)?.trim().parse::<u32>().ok());
        let sum: u32 = percents.sum();
        assert!(sum > 0 && sum <= 75, "{}: {sum}", target.as_str());
    }
    let cisco = export(&usual(), QosTarget::CiscoIos);
    assert!(cisco.contains(" class LYCEUM-Q-EF\n  priority percent 33"), "{cisco}");
    // Sharing and signalling have one mark and so one queue.
    assert!(cisco.contains(" class LYCEUM-Q-CS3\n  bandwidth percent 13"), "{cisco}");
}

#[test]
fn the_table_shows_every_modality_and_the_relay() {
    let text = table(&usual()).to_text();
    for words in ["audio", "EF", "16384-22383", "AC_VO", "sharing", "signalling", "5060-5061", "50000-59999"] {
        assert!(text.contains(words), "{words} in\n{text}");
    }
}

#[test]
fn what_is_unwise_is_said() {
    assert_eq!(advice(&usual()).len(), 1, "{:#?}", advice(&usual()));
    assert!(advice(&usual())[0].contains("the relay lie where Linux gives ports"));
    let said = advice(&moved()).join("\n");
    for words in ["audio is marked 40 (CS5)", "23000-23019, are not inside the server's, 16000-16999"] {
        assert!(said.contains(words), "{words} in\n{said}");
    }
    let settings = QosSettings { mark: Some(false), ..QosSettings::default() };
    assert!(advice(&settings.in_force())[0].contains("marks nothing"));
}
