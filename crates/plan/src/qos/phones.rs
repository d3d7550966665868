//! Phones and softphones: marks and ports in the words of their makers.
//!
//! Sources: the makers' configuration references. Some take the DSCP, some the whole byte of the IP header (DSCP times four).

use std::fmt::Write;

use lyceum_topology::qos::{Modality, PortRange, Qos};

/// Settings of common phones.
pub(super) fn phones(qos: &Qos) -> String {
    let mark = |modality| qos.row(modality).dscp;
    let (audio, video, sip) = (mark(Modality::Audio), mark(Modality::Video), mark(Modality::Signalling));
    let ports = |modality| qos.row(modality).client_ports.unwrap_or(PortRange { first: 1024, last: 65_535 });
    let (speech, camera) = (ports(Modality::Audio), ports(Modality::Video));
    let mut text = format!(
        "Marks: audio DSCP {a} = byte {at} ({at:#04x}), video DSCP {v} = byte {vt} ({vt:#04x}), signalling DSCP {s} = byte {st} ({st:#04x})\n\
         A phone that marks by itself needs no rule on the switch but trust.\n",
        a = audio.value(),
        at = audio.traffic_class(),
        v = video.value(),
        vt = video.traffic_class(),
        s = sip.value(),
        st = sip.traffic_class(),
    );
    let (a, v, s) = (audio.value(), video.value(), sip.value());
    let (at, vt, st) = (audio.traffic_class(), video.traffic_class(), sip.traffic_class());
    let sections = [
        (
            "Poly UC Software (cfg)",
            format!(
                "qos.ip.rtp.dscp=\"{a}\"\nqos.ip.rtp.video.dscp=\"{v}\"\nqos.ip.callControl.dscp=\"{s}\"\n\
                 tcpIpApp.port.rtp.mediaPortRangeStart=\"{}\"",
                speech.first
            ),
        ),
        (
            "Yealink (cfg)",
            format!(
                "static.network.qos.rtptos = {a}\nstatic.network.qos.signaltos = {s}\n\
                 static.network.port.min_rtpport = {}\nstatic.network.port.max_rtpport = {}",
                speech.first, speech.last
            ),
        ),
        (
            "Snom (settings, whole byte)",
            format!(
                "tos_rtp!: {at}\ntos_sip!: {st}\nrtp_port_start!: {}\nrtp_port_end!: {}",
                speech.first, speech.last
            ),
        ),
        ("baresip (config, whole byte)", format!("sip_tos {st}\nrtp_tos {at}\nrtpvideo_tos {vt}\nrtp_ports {speech}")),
        (
            "Linphone (linphonerc)",
            format!(
                "[sip]\ndscp={s:#04x}\n[rtp]\naudio_dscp={a:#04x}\nvideo_dscp={v:#04x}\naudio_rtp_port={speech}\nvideo_rtp_port={camera}"
            ),
        ),
    ];
    for (maker, lines) in sections {
        let _ = write!(text, "\n== {maker}\n{lines}\n");
    }
    text.push_str(
        "\n== Browsers\nA page cannot choose its ports, and marks only where the system lets it: rules by the server's ports mark for it\n\
         (see the exports for Windows and for routers).\n",
    );
    text
}
