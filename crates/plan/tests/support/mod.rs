//! Plans that several tests draw and report, and a foreign reader of what they write.

#![allow(dead_code, reason = "each test takes what it needs")]

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

/// What a hostile author calls things.
pub const HOSTILE: &str = "\\\"><script>alert(1)</script>&amp;<!--]]>";

/// The same as a reader sees it.
pub const HOSTILE_READ: &str = "\"><script>alert(1)</script>&amp;<!--]]>";

/// Three sites, 50,000 users, a link that lacks and a branch with a hostile name.
pub fn three_sites() -> String {
    format!(
        "[organisation]\nname = \"{HOSTILE}\"\nsip_domains = [\"contoso.com\"]\n\
         [chat]\nenabled = true\n[voice]\ngateways = [\"10.0.0.5\"]\n\
         [[site]]\nname = \"London\"\nusers = 30000\npair = \"Paris\"\n\
         [[site]]\nname = \"Paris\"\nusers = 19200\n\
         [[site]]\nname = \"{HOSTILE}\"\nhub = \"London\"\nusers = 800\n\
         [[link]]\nfrom = \"London\"\nto = \"Paris\"\nmbps = 622\n\
         [[link]]\nfrom = \"{HOSTILE}\"\nto = \"London\"\nmbps = 2\n"
    )
}

/// `sites` sites, one in twenty of them central, each branch with a link.
pub fn many_sites(sites: usize, users: usize) -> String {
    let mut text = String::new();
    for site in 0..sites {
        text.push_str(&format!("[[site]]\nname = \"Site {site}\"\nusers = {users}\n"));
        if site % 20 != 0 {
            text.push_str(&format!("hub = \"Site {}\"\n", site / 20 * 20));
        }
    }
    for site in (0..sites).filter(|site| site % 20 != 0) {
        text.push_str(&format!("[[link]]\nfrom = \"Site {site}\"\nto = \"Site {}\"\nmbps = 2\n", site / 20 * 20));
    }
    text
}

/// An element with what stands directly in it.
#[derive(Debug, Clone, Default)]
pub struct Element {
    pub name: String,
    pub attributes: Vec<(String, String)>,
    pub text: String,
}

impl Element {
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn number(&self, name: &str) -> f64 {
        self.attribute(name).and_then(|value| value.parse().ok()).unwrap_or(0.0)
    }
}

fn element(start: &BytesStart<'_>) -> Element {
    let attributes = start.attributes().map(|attribute| {
        let attribute = attribute.expect("attributes are well formed");
        let value = attribute.normalized_value(XmlVersion::Explicit1_0).expect("only the entities of XML");
        (attribute.key.as_ref().to_owned(), value.into_owned())
    });
    let name = start.name().as_ref().to_owned();
    Element { name, attributes: attributes.collect(), text: String::new() }
}

/// All elements of a document in the order of their beginnings; panics where it is not well formed.
pub fn elements(text: &str) -> Vec<Element> {
    let mut reader = Reader::from_str(text);
    let (mut found, mut open): (Vec<Element>, Vec<usize>) = (Vec::new(), Vec::new());
    let say = |found: &mut Vec<Element>, open: &[usize], words: &str| {
        if let Some(&inner) = open.last() {
            found[inner].text.push_str(words);
        }
    };
    loop {
        match reader.read_event().expect("well formed") {
            Event::Start(start) => {
                open.push(found.len());
                found.push(element(&start));
            }
            Event::Empty(start) => found.push(element(&start)),
            Event::End(_) => drop(open.pop()),
            Event::Text(words) => say(&mut found, &open, &words),
            Event::GeneralRef(entity) => {
                let character = match entity.resolve_char_ref().expect("a number of a character") {
                    Some(character) => character.to_string(),
                    None => match &*entity {
                        "amp" => "&".to_owned(),
                        "lt" => "<".to_owned(),
                        "gt" => ">".to_owned(),
                        "quot" => "\"".to_owned(),
                        other => panic!("no entity of XML: {other}"),
                    },
                };
                say(&mut found, &open, &character);
            }
            Event::Eof => break,
            _ => {}
        }
    }
    assert!(open.is_empty(), "every element ends");
    found
}
