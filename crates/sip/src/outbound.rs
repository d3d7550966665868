//! Client-initiated connections (RFC 5626) and Path (RFC 3327), as decisions over messages.
//! Flow tokens are [`crate::token::FlowTokens`], keep-alives [`crate::stun`] and the framer's
//! pings.
//!
//! A browser cannot be reached but down its own connection, so RFC 7118 §7 leans on this:
//! over WebSocket a binding without `reg-id` is bound to its flow as well.

use crate::header::contact::Contact;
use crate::header::route::{Hop, hops};
use crate::message::Message;
use crate::name::Name;
use crate::proxy::SentBy;
use crate::validate::Refusal;
use smallvec::SmallVec;

/// How a registrar treats a REGISTER.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Registration {
    /// By RFC 3261: contacts by URI, `reg-id` not looked at.
    Plain,
    /// By RFC 5626: bindings by instance and `reg-id`; the 200 says `Require: outbound`
    /// where the client knows it.
    Outbound,
}

/// Decides how a REGISTER is treated (RFC 5626 §6).
///
/// Outbound needs an instance, a `reg-id` and a first hop that keeps the flow: ourselves when
/// the client stands directly before us (one Via), else an edge that said `ob` in the Path
/// value next to the client, the last one.
///
/// # Errors
/// 400 for more than one `reg-id`, 439 when the client counts on outbound (`Supported` or
/// `Require`) and the first hop lacks it.
pub fn registration(m: &Message<'_>) -> Result<Registration, Refusal> {
    let mut flows = 0_usize;
    let mut contacts = 0_usize;
    for contact in m.contacts().flatten() {
        contacts += 1;
        let removed = contact.expires().or_else(|| m.expires()) == Some(0);
        if has_flow(&contact) && !removed {
            flows += 1;
        }
    }
    match flows {
        0 => return Ok(Registration::Plain),
        1 if contacts == 1 => {}
        _ => return Err(Refusal { status: 400, what: "More than one contact with a reg-id" }),
    }
    if first_hop_keeps_flows(m) {
        return Ok(Registration::Outbound);
    }
    let counted_on = m.has_option(Name::Supported, "outbound") || m.has_option(Name::Require, "outbound");
    if counted_on {
        return Err(Refusal { status: 439, what: "First hop lacks outbound support" });
    }
    Ok(Registration::Plain)
}

fn has_flow(contact: &Contact<'_>) -> bool {
    // §6: without an instance a reg-id is ignored.
    contact.reg_id().is_some() && contact.instance().is_some()
}

fn first_hop_keeps_flows(m: &Message<'_>) -> bool {
    if m.values(Name::Via).count() == 1 {
        return true;
    }
    let edge = hops(m, Name::Path).last();
    edge.is_some_and(|hop: Result<Hop<'_>, _>| hop.is_ok_and(|hop| hop.uri.param("ob").is_some()))
}

/// True when the client wants all requests of its dialogs down the flow it is on: `ob` in its
/// Contact (RFC 5626 §4.3).
#[must_use]
pub fn wants_flow(m: &Message<'_>) -> bool {
    let addresses = m.contacts().flatten();
    addresses.filter_map(|c| c.address().copied()).any(|a| a.parsed_uri().is_ok_and(|u| u.param("ob").is_some()))
}

/// True when an edge may add itself: the client says it knows Path (RFC 3327 §5.2), or counts
/// on outbound, which includes it (RFC 5626 §4.2.1). Else the registrar answers 421.
#[must_use]
pub fn may_add_path(m: &Message<'_>) -> bool {
    m.has_option(Name::Supported, "path") || m.has_option(Name::Supported, "outbound")
}

/// Writes a Path line (without CRLF) for [`crate::Splice::prepend`] (RFC 3327 §5.2, RFC 5626
/// §5.1): the flow token as user part, `ob` when the next hop is the client itself.
pub fn path_line(out: &mut Vec<u8>, by: &SentBy<'_>, token: &[u8], client_is_next: bool) {
    out.extend_from_slice(b"Path: ");
    crate::proxy::own_uri(out, by, token, false);
    out.truncate(out.len() - 1);
    out.extend_from_slice(if client_is_next { &b";ob>"[..] } else { b">" });
}

/// What a proxy sees of a binding when it chooses flows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FlowView<'a> {
    /// `+sip.instance`, if registered by outbound or with one.
    pub instance: Option<&'a [u8]>,
    /// Preference in thousandths.
    pub q: u16,
    /// When it was last refreshed; larger is later.
    pub refreshed: u64,
}

/// Groups bindings into targets (RFC 5626 §7): one instance is one target, to be tried flow by
/// flow (the most recently refreshed first) when a flow turns out dead (430, or failure to
/// send), never on two flows at once. Indexes into `bindings`; targets in order of their best q.
#[must_use]
pub fn targets(bindings: &[FlowView<'_>]) -> Vec<SmallVec<[usize; 2]>> {
    let mut groups: Vec<SmallVec<[usize; 2]>> = Vec::new();
    for (i, binding) in bindings.iter().enumerate() {
        let same = |group: &&mut SmallVec<[usize; 2]>| {
            binding.instance.is_some() && bindings[group[0]].instance == binding.instance
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push(i),
            None => groups.push(SmallVec::from_iter([i])),
        }
    }
    for group in &mut groups {
        group.sort_by_key(|&i| std::cmp::Reverse(bindings[i].refreshed));
    }
    let best = |group: &SmallVec<[usize; 2]>| group.iter().map(|&i| bindings[i].q).max();
    groups.sort_by_key(|group| std::cmp::Reverse(best(group)));
    groups
}

/// What a response says of the flow it came by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FlowVerdict {
    /// Nothing; an answer like any other.
    Answered,
    /// The flow is gone: remove the binding and try the instance's next one.
    Gone,
    /// Nobody answered: try the next flow, but keep the binding.
    Silent,
}

/// Reads a response (or 408 for a timeout, 503 for a failure to send) as a word about the
/// flow. Only bindings made by outbound die of it: others may be reached by another way.
#[must_use]
pub fn flow_verdict(code: u16, by_outbound: bool) -> FlowVerdict {
    match code {
        430 => FlowVerdict::Gone,
        503 if by_outbound => FlowVerdict::Gone,
        408 if by_outbound => FlowVerdict::Silent,
        _ => FlowVerdict::Answered,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Index, Limits, Transport, parse};

    fn register<R>(lines: &str, f: impl FnOnce(&Message<'_>) -> R) -> R {
        let text = format!(
            "REGISTER sip:x SIP/2.0\r\nVia: SIP/2.0/TCP a;branch=z9hG4bKa\r\nCall-ID: c\r\nCSeq: 1 REGISTER\r\n{lines}Content-Length: 0\r\n\r\n"
        );
        let mut index = Index::new();
        parse(text.as_bytes(), &mut index, &Limits::default()).expect("readable");
        f(&Message::new(text.as_bytes(), &index))
    }

    #[test]
    fn rfc_5626_section_6() {
        const FLOW: &str = "Contact: <sip:a@h>;+sip.instance=\"<urn:uuid:1>\";reg-id=1\r\n";
        const VIA: &str = "Via: SIP/2.0/TCP b;branch=z9hG4bKb\r\n";
        const SUPPORTED: &str = "Supported: path, outbound\r\n";
        let cases: &[(&[&str], Result<Registration, u16>)] = &[
            (&["Contact: <sip:a@h>\r\n"], Ok(Registration::Plain)),
            (&["Contact: <sip:a@h>;reg-id=1\r\n"], Ok(Registration::Plain)),
            (&[FLOW], Ok(Registration::Outbound)),
            (&[FLOW, VIA], Ok(Registration::Plain)),
            (&[FLOW, VIA, SUPPORTED], Err(439)),
            (&[FLOW, VIA, SUPPORTED, "Path: <sip:t@edge;lr;ob>\r\n"], Ok(Registration::Outbound)),
            (&[FLOW, VIA, SUPPORTED, "Path: <sip:p;lr>, <sip:t@edge;lr;ob>\r\n"], Ok(Registration::Outbound)),
            (&[FLOW, VIA, SUPPORTED, "Path: <sip:p;lr;ob>, <sip:edge;lr>\r\n"], Err(439)),
            (&[FLOW, FLOW], Err(400)),
            (&[FLOW, "Contact: <sip:b@h>\r\n"], Err(400)),
        ];
        for (lines, want) in cases {
            let got = register(&lines.concat(), |m| registration(m).map_err(|r| r.status));
            assert_eq!(got, *want, "{lines:?}");
        }
    }

    #[test]
    fn one_instance_is_one_target_with_flows_in_reserve() {
        let view = |instance: &'static str, q, refreshed| FlowView {
            instance: (!instance.is_empty()).then_some(instance.as_bytes()),
            q,
            refreshed,
        };
        let bindings = [view("a", 500, 1), view("", 900, 1), view("a", 500, 9), view("", 900, 1), view("b", 1000, 1)];
        let got: Vec<Vec<usize>> = targets(&bindings).into_iter().map(|g| g.to_vec()).collect();
        assert_eq!(got, [vec![4], vec![1], vec![3], vec![2, 0]]);
    }

    #[test]
    fn a_path_value_marks_the_flow() {
        let mut out = Vec::new();
        let by = SentBy { transport: Transport::Tls, host: b"edge", port: 5061 };
        path_line(&mut out, &by, b"tok", true);
        assert_eq!(String::from_utf8_lossy(&out), "Path: <sip:tok@edge:5061;transport=tls;lr;ob>");
    }

    #[test]
    fn verdicts() {
        let cases = [
            (430, false, FlowVerdict::Gone),
            (503, true, FlowVerdict::Gone),
            (503, false, FlowVerdict::Answered),
            (408, true, FlowVerdict::Silent),
            (486, true, FlowVerdict::Answered),
        ];
        for (code, by_outbound, want) in cases {
            assert_eq!(flow_verdict(code, by_outbound), want);
        }
        assert!(register("Contact: <sip:a@h;ob>\r\n", wants_flow));
        assert!(register("Supported: path\r\n", may_add_path));
        assert!(!register("", may_add_path));
    }
}
