//! Messages from a model, written with all the freedom that RFC 3261 grants the writer.

use lyceum_sip::{Message, Name, Splice};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

/// What a message says, and how it is spelt.
#[derive(Clone, Debug)]
pub struct Model {
    pub method: String,
    pub uri: String,
    pub call_id: String,
    pub cseq: u32,
    pub from_tag: String,
    pub max_forwards: u8,
    pub branches: Vec<String>,
    pub contacts: Vec<(String, u16)>,
    pub extensions: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Spelling choices, taken one after the other.
    pub style: Vec<u8>,
}

impl Model {
    pub fn sample() -> Model {
        Model {
            method: "INVITE".into(),
            uri: "sip:b@example.org".into(),
            call_id: "c@h".into(),
            cseq: 1,
            from_tag: "t".into(),
            max_forwards: 70,
            branches: vec!["z9hG4bK1".into(), "z9hG4bK2".into()],
            contacts: vec![("sip:a@h".into(), 500)],
            extensions: vec![("X-One".into(), "1".into())],
            body: b"body".to_vec(),
            style: vec![1, 2, 3],
        }
    }

    /// The message on the wire.
    pub fn write(&self) -> Vec<u8> {
        let mut pen = Pen { out: Vec::new(), style: &self.style, at: 0 };
        pen.out.extend_from_slice(format!("{} {} SIP/2.0\r\n", self.method, self.uri).as_bytes());
        let vias: Vec<String> =
            self.branches.iter().map(|b| format!("SIP/2.0/UDP h.example.org;branch={b};rport")).collect();
        pen.list("Via", Some("v"), &vias);
        pen.field("From", Some("f"), &format!("\"A, \\\"B\\\" <C>\" <sip:a@example.org>;tag={}", self.from_tag));
        pen.field("To", Some("t"), "sip:b@example.org;x=\"a;b,c\"");
        pen.field("Call-ID", Some("i"), &self.call_id);
        pen.field("CSeq", None, &format!("{} {}", self.cseq, self.method));
        pen.field("Max-Forwards", None, &self.max_forwards.to_string());
        for (name, value) in &self.extensions {
            pen.field(name, None, value);
        }
        let contact = |(uri, q): &(String, u16)| format!("<{uri}>;q={}.{:03}", q / 1000, q % 1000);
        pen.list("Contact", Some("m"), &self.contacts.iter().map(contact).collect::<Vec<_>>());
        pen.field("Content-Type", Some("c"), "text/plain");
        pen.field("Content-Length", Some("l"), &self.body.len().to_string());
        pen.out.extend_from_slice(b"\r\n");
        pen.out.extend_from_slice(&self.body);
        pen.out
    }
}

struct Pen<'a> {
    out: Vec<u8>,
    style: &'a [u8],
    at: usize,
}

impl Pen<'_> {
    fn choice(&mut self, of: u8) -> u8 {
        self.at += 1;
        self.style.get(self.at % self.style.len().max(1)).map_or(0, |s| s.wrapping_add(self.at as u8) % of)
    }

    fn field(&mut self, name: &str, compact: Option<&str>, value: &str) {
        let name = match self.choice(4) {
            0 => compact.unwrap_or(name).to_owned(),
            1 => name.to_uppercase(),
            2 => name.to_lowercase(),
            _ => name.to_owned(),
        };
        let colon = [":", ": ", " : ", "  :\t", ":\r\n "][usize::from(self.choice(5))];
        let end = ["", " ", "\t", "", "\r\n "][usize::from(self.choice(5))];
        self.out.extend_from_slice(format!("{name}{colon}{value}{end}\r\n").as_bytes());
    }

    fn list(&mut self, name: &str, compact: Option<&str>, values: &[String]) {
        let mut rest = values;
        while !rest.is_empty() {
            let take = usize::from(self.choice(3)) + 1;
            let (now, later) = rest.split_at(take.min(rest.len()));
            let comma = [",", ", ", " ,\r\n\t"][usize::from(self.choice(3))];
            self.field(name, compact, &now.join(comma));
            rest = later;
        }
    }
}

pub fn model() -> impl Strategy<Value = Model> {
    let method =
        prop_oneof![Just("INVITE".to_owned()), Just("REGISTER".to_owned()), "[A-Z]{1,9}", "[a-z!%*_+`'~.-]{1,5}"];
    let uri = prop_oneof![
        "sip:[a-z0-9]{1,8}@[a-z]{1,8}\\.org(:[1-9][0-9]{0,3})?(;lr)?",
        Just("sips:[2001:db8::1]:5061".to_owned()),
        "tel:\\+[0-9]{3,9}"
    ];
    let contact = ("sip:[a-z]{1,5}@[a-z]{1,5}(;transport=tcp)?", 0u16..=1000);
    let extension = ("X-[A-Za-z]{1,12}", "([!-~]([ -~]{0,20}[!-~])?)?");
    let head = (method, uri, "[a-zA-Z0-9]{1,20}(@[a-z]{1,8})?", any::<u32>(), "[a-z0-9]{1,12}", any::<u8>());
    let tail = (
        prop::collection::vec("z9hG4bK[a-zA-Z0-9.]{1,12}", 1..5),
        prop::collection::vec(contact, 0..5),
        prop::collection::vec(extension, 0..6),
        prop::collection::vec(any::<u8>(), 0..64),
        prop::collection::vec(any::<u8>(), 1..8),
    );
    (head, tail).prop_map(
        |((method, uri, call_id, cseq, from_tag, max_forwards), (branches, contacts, extensions, body, style))| {
            let mut seen = std::collections::HashSet::new();
            let extensions = extensions.into_iter().filter(|(name, _)| seen.insert(name.to_lowercase())).collect();
            Model { method, uri, call_id, cseq, from_tag, max_forwards, branches, contacts, extensions, body, style }
        },
    )
}

/// One edit of a splice.
#[derive(Clone, Debug)]
pub enum Edit {
    Uri,
    PrependVia,
    Append,
    RemoveFirst(Name),
    Remove(Name),
    RemoveNamed,
    Replace(Name),
    TopVia,
    Body,
}

impl Edit {
    pub fn apply<'a>(&self, splice: &mut Splice<'a>) {
        match self {
            Edit::Uri => splice.request_uri(b"sip:new@example.net"),
            Edit::PrependVia => splice.prepend(b"Via: SIP/2.0/TCP p;branch=z9hG4bKnew"),
            Edit::Append => splice.append(b"X-Lyceum: 1"),
            Edit::RemoveFirst(name) => splice.remove_first_value(*name),
            Edit::Remove(name) => splice.remove(*name),
            Edit::RemoveNamed => splice.remove_named(b"x-a"),
            Edit::Replace(name) => splice.replace(*name, b"77"),
            Edit::TopVia => splice.set_top_via_params(Some([192, 0, 2, 9].into()), Some(9)),
            Edit::Body => splice.body(b"text/html", b"<p>new</p>"),
        };
    }

    pub fn touches(&self, name: Name, raw: &[u8]) -> bool {
        match self {
            Edit::Uri => false,
            Edit::PrependVia | Edit::TopVia => name == Name::Via,
            Edit::Append => raw.eq_ignore_ascii_case(b"X-Lyceum"),
            Edit::RemoveFirst(n) | Edit::Remove(n) | Edit::Replace(n) => name == *n,
            Edit::RemoveNamed => raw.eq_ignore_ascii_case(b"x-a"),
            Edit::Body => matches!(name, Name::ContentType | Name::ContentLength),
        }
    }

    pub fn new_body(&self) -> Option<&'static [u8]> {
        matches!(self, Edit::Body).then_some(b"<p>new</p>")
    }

    /// What the edit promises, where no other edit has the same name.
    pub fn holds(&self, before: &Message<'_>, after: &Message<'_>, all: &[Edit]) -> Result<(), TestCaseError> {
        let alone = |name: Name| all.iter().filter(|e| e.touches(name, b"")).count() == 1;
        match self {
            Edit::Uri => prop_assert_eq!(after.request_uri(), b"sip:new@example.net"),
            Edit::PrependVia => prop_assert_eq!(after.top_via().expect("valid").branch, b"z9hG4bKnew"),
            Edit::Append => prop_assert_eq!(after.value_named(b"X-LYCEUM"), Some(&b"1"[..])),
            Edit::RemoveFirst(name) if alone(*name) => {
                let rest: Vec<&[u8]> = before.values(*name).skip(1).collect();
                prop_assert_eq!(after.values(*name).collect::<Vec<_>>(), rest);
            }
            Edit::Remove(name) => prop_assert_eq!(after.value(*name).filter(|_| alone(*name)), None),
            Edit::RemoveNamed => prop_assert_eq!(after.value_named(b"X-A"), None),
            Edit::Replace(name) if alone(*name) => prop_assert_eq!(after.value(*name), Some(&b"77"[..])),
            Edit::TopVia if alone(Name::Via) => {
                let via = after.top_via().expect("valid");
                prop_assert_eq!((via.received_ip(), via.rport), (Some([192, 0, 2, 9].into()), Some(Some(9))));
                prop_assert_eq!(after.vias().count(), before.vias().count());
            }
            _ => {}
        }
        Ok(())
    }
}

pub fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let name = prop_oneof![
        Just(Name::Via),
        Just(Name::Contact),
        Just(Name::MaxForwards),
        Just(Name::Route),
        Just(Name::CallId)
    ];
    let edit = prop_oneof![
        Just(Edit::Uri),
        Just(Edit::PrependVia),
        Just(Edit::Append),
        Just(Edit::RemoveNamed),
        Just(Edit::TopVia),
        Just(Edit::Body),
        name.clone().prop_map(Edit::RemoveFirst),
        name.clone().prop_map(Edit::Remove),
        prop_oneof![Just(Name::MaxForwards), Just(Name::Expires), Just(Name::CallId)].prop_map(Edit::Replace),
    ];
    prop::collection::vec(edit, 0..6)
}
