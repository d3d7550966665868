//! Everything that can be done to bytes, with the bounds that must hold.

use lyceum_sip::{
    CSeq, Contact, Index, Limits, Message, Name, NameAddr, ResponseBuilder, Splice, Uri, Via, parse, stun,
};

/// The lines of a message whose name is not touched, in order.
pub fn lines(m: &Message<'_>, touched: &dyn Fn(Name, &[u8]) -> bool) -> Vec<Vec<u8>> {
    m.fields().filter(|f| !touched(f.name, f.raw_name)).map(|f| m.bytes()[f.line].to_vec()).collect()
}

/// Calls every reader on the bytes; panics only if one of them breaks its promise.
pub fn exercise(bytes: &[u8]) {
    let mut index = Index::new();
    let outcome = parse(bytes, &mut index, &Limits::default());
    let m = Message::new(bytes, &index);
    for field in m.fields() {
        assert!(field.line.end <= bytes.len() && field.line.start < field.line.end);
    }
    let _ = (m.validate(), m.cseq(), m.top_via(), m.from_tag(), m.to_tag(), m.expires(), m.max_forwards());
    let _ = (m.contacts().count(), m.vias().count(), m.request_uri(), m.reason(), m.method());
    assert!(m.values(Name::Via).count() <= bytes.len());
    if let Ok(used) = outcome {
        assert!(used <= bytes.len());
        let mut out = Vec::new();
        Splice::new(m).write(&mut out);
        let mut again = Index::new();
        let used = parse(&out, &mut again, &Limits::default()).expect("a spliced message parses");
        assert_eq!(used, out.len());
        assert_eq!(Message::new(&out, &again).body(), m.body());
    }
    if outcome.err().is_none_or(|e| e.answerable) && m.is_request() {
        let mut out = Vec::new();
        let ip = std::net::IpAddr::from([192, 0, 2, 1]);
        ResponseBuilder::new(&m, 400, "").to_tag(b"t").received(ip, 5060).copy_record_route().write(&mut out);
        let mut again = Index::new();
        let used = parse(&out, &mut again, &Limits::default()).expect("an answer parses");
        assert_eq!((used, Message::new(&out, &again).status()), (out.len(), 400));
    }
    for part in bytes.split(|&b| b == b'\n') {
        let _ = (Uri::parse(part), Via::parse(part), NameAddr::parse(part), CSeq::parse(part), Contact::parse(part));
    }
    stun::binding_answer(bytes, std::net::SocketAddr::from(([192, 0, 2, 1], 1)), &mut Vec::new());
}
