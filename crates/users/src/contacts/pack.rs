//! The packed form of a contact list.
//!
//! ```text
//! list  = format:u8 version:varint privacy:u8 groups contacts rules texts(pending) texts(known)
//! group = id:varint name:bytes distribution:bytes
//! entry = address:bytes name:bytes favourite:u8 n:varint id:varint*
//! rule  = relationship:u8 who:bytes
//! ```
//! Each list begins with how many there are; an empty text stands for none.

use super::list::{ContactEntry, ContactGroup, ContactList, Rule, Who};
use crate::bytes::{Cursor, put_bytes, put_varint};
use crate::presence::Relationship;

const FORMAT: u8 = 1;

impl ContactList {
    /// Appends the packed form.
    pub fn pack(&self, out: &mut Vec<u8>) {
        out.push(FORMAT);
        put_varint(out, self.version);
        out.push(match self.privacy_mode {
            None => 0,
            Some(false) => 1,
            Some(true) => 2,
        });
        put_varint(out, self.groups.len() as u64);
        for group in &self.groups {
            put_varint(out, group.id.into());
            put_bytes(out, group.name.as_bytes());
            put_bytes(out, group.distribution_group.as_deref().unwrap_or_default().as_bytes());
        }
        put_varint(out, self.contacts.len() as u64);
        for contact in &self.contacts {
            put_bytes(out, contact.address.as_bytes());
            put_bytes(out, contact.display_name.as_deref().unwrap_or_default().as_bytes());
            out.push(contact.favourite.into());
            put_varint(out, contact.groups.len() as u64);
            contact.groups.iter().for_each(|group| put_varint(out, (*group).into()));
        }
        put_varint(out, self.relationships.len() as u64);
        for rule in &self.relationships {
            out.push(rule.relationship as u8);
            put_bytes(out, rule.who.to_string().as_bytes());
        }
        for texts in [&self.pending_watchers, &self.known_watchers] {
            put_varint(out, texts.len() as u64);
            texts.iter().for_each(|text| put_bytes(out, text.as_bytes()));
        }
    }

    /// Reads the packed form.
    pub fn unpack(packed: &[u8]) -> Option<ContactList> {
        let mut at = Cursor::new(packed);
        if at.byte()? != FORMAT {
            return None;
        }
        let version = at.varint()?;
        let privacy_mode = match at.byte()? {
            0 => None,
            1 => Some(false),
            2 => Some(true),
            _ => return None,
        };
        let groups = list(&mut at, group)?;
        let contacts = list(&mut at, contact)?;
        let relationships = list(&mut at, rule)?;
        let pending_watchers = list(&mut at, text)?;
        let known_watchers = list(&mut at, text)?;
        at.is_empty().then_some(ContactList {
            version,
            groups,
            contacts,
            relationships,
            privacy_mode,
            pending_watchers,
            known_watchers,
        })
    }
}

/// A count that lies reads until the bytes end.
fn list<'a, T>(at: &mut Cursor<'a>, one: impl Fn(&mut Cursor<'a>) -> Option<T>) -> Option<Vec<T>> {
    let count = at.varint()?;
    (0..count).map(|_| one(at)).collect()
}

fn text(at: &mut Cursor<'_>) -> Option<String> {
    std::str::from_utf8(at.bytes()?).ok().map(str::to_owned)
}

fn number(at: &mut Cursor<'_>) -> Option<u32> {
    at.varint()?.try_into().ok()
}

fn group(at: &mut Cursor<'_>) -> Option<ContactGroup> {
    let (id, name, of) = (number(at)?, text(at)?, text(at)?);
    Some(ContactGroup { id, name, distribution_group: Some(of).filter(|of| !of.is_empty()) })
}

fn contact(at: &mut Cursor<'_>) -> Option<ContactEntry> {
    let (address, name, favourite) = (text(at)?, text(at)?, at.byte()? != 0);
    let groups = list(at, number)?;
    Some(ContactEntry { address, display_name: Some(name).filter(|name| !name.is_empty()), groups, favourite })
}

fn rule(at: &mut Cursor<'_>) -> Option<Rule> {
    let relationship = Relationship::from_code(at.byte()?)?;
    Some(Rule { who: Who::parse(&text(at)?)?, relationship })
}
