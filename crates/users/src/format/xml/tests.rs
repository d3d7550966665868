use super::*;

fn parse(text: &str) -> Result<Element, XmlError> {
    read(text.as_bytes(), 4_096, PIDF, "presence")
}

/// A document around `inner`.
fn around(inner: &str) -> String {
    format!("<?xml version='1.0'?><presence xmlns='{PIDF}' xmlns:r='{RPID}'>{inner}</presence>")
}

#[test]
fn names_are_found_by_namespace_whatever_the_prefix() {
    let text = around("<r:busy a='1&amp;2'/><x:busy xmlns:x='urn:ietf:params:xml:ns:pidf:rpid'/><busy/>");
    let root = parse(&text).unwrap();
    assert_eq!(root.all(RPID, "busy").count(), 2);
    assert_eq!(root.child(RPID, "busy").unwrap().attribute("a"), Some("1&2"));
    assert!(root.child(PIDF, "busy").is_some());
}

#[test]
fn text_is_put_together_from_its_parts() {
    let root = parse(&around("<note> a &lt;&#98;&#x63; <![CDATA[<d>]]><!-- no --> e </note>")).unwrap();
    assert_eq!(root.child(PIDF, "note").unwrap().trimmed(), "a <bc <d> e");
}

#[test]
fn bad_documents_are_refused_each_with_its_reason() {
    let deep = format!("{}{}", "<a>".repeat(MAX_DEPTH), "</a>".repeat(MAX_DEPTH));
    let wide: String = (0..=MAX_ATTRIBUTES).map(|n| format!(" a{n}=''")).collect();
    let long = around(&" ".repeat(4_096));
    let cases: &[(&str, XmlError)] = &[
        ("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", XmlError::DocumentType),
        ("<!DOCTYPE presence SYSTEM 'http://192.0.2.1/'><presence/>", XmlError::DocumentType),
        (&around("<note>&b;</note>"), XmlError::Entity),
        (&around("<note a='&b;'/>"), XmlError::Entity),
        (&around("&#0;"), XmlError::Entity),
        (&around(&deep), XmlError::TooComplex),
        (&around(&format!("<a{wide}/>")), XmlError::TooComplex),
        (&long, XmlError::TooLarge { limit: 4_096 }),
        ("<?xml version='1.0' encoding='utf-16'?><a/>", XmlError::Encoding),
        ("<watcherinfo/>", XmlError::WrongRoot { expected: "presence" }),
        ("<presence/>", XmlError::WrongRoot { expected: "presence" }),
    ];
    for (text, error) in cases {
        assert_eq!(parse(text).unwrap_err(), *error, "{text}");
    }
    for text in ["", "x", "<a>", "<a></b>", "<a/><b/>", "<a x='1' x='2'/>", "<p:a/>", "<a>\u{1}</a>", "</a>", "<a/>x"] {
        assert!(matches!(parse(text), Err(XmlError::Malformed { .. })), "{text}");
    }
    assert_eq!(read(b"\xff", 10, PIDF, "presence"), Err(XmlError::Encoding));
    let many = format!("<presence xmlns='{PIDF}'>{}</presence>", "<a/>".repeat(MAX_ELEMENTS));
    assert_eq!(read(many.as_bytes(), 1 << 20, PIDF, "presence"), Err(XmlError::TooComplex));
}

#[test]
fn what_is_escaped_reads_back() {
    let mut out = Vec::new();
    escape(&mut out, "<a> & \"b\"\r\n\t\u{1}ü");
    let text = String::from_utf8(out).unwrap();
    let root = parse(&around(&format!("<note a=\"{text}\">{text}</note>"))).unwrap();
    let note = root.child(PIDF, "note").unwrap();
    assert_eq!(note.text, "<a> & \"b\"\r\n\tü");
    assert_eq!(note.attribute("a"), Some("<a> & \"b\"\r\n\tü"));
}
