//! Iterators over fields and over the values of one name.

use super::{Field, Message};
use crate::lex::List;
use crate::name::Name;

/// All fields of a message in order.
#[derive(Clone)]
pub struct Fields<'a> {
    message: Message<'a>,
    at: usize,
}

impl<'a> Fields<'a> {
    pub(super) fn new(message: Message<'a>) -> Fields<'a> {
        Fields { message, at: 0 }
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        let field = self.message.field_at(self.at)?;
        self.at += 1;
        Some(field)
    }
}

/// The values of one name, comma lists split, across lines.
#[derive(Clone)]
pub struct Values<'a> {
    message: Message<'a>,
    name: Name,
    line: usize,
    list: Option<List<'a>>,
}

impl<'a> Values<'a> {
    pub(super) fn new(message: Message<'a>, name: Name) -> Values<'a> {
        let line = message.index().first(name).unwrap_or(usize::MAX);
        Values { message, name, line, list: None }
    }
}

impl<'a> Iterator for Values<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        loop {
            if let Some(value) = self.list.as_mut().and_then(Iterator::next) {
                return Some(value);
            }
            let lines = self.message.index().lines.get(self.line..)?;
            let hop = lines.iter().position(|line| line.name == self.name)?;
            self.line += hop + 1;
            let value = self.message.line_value(&lines[hop]);
            if !self.name.is_list() {
                return Some(value);
            }
            self.list = Some(List::new(value));
        }
    }
}
