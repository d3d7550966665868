//! `;name=value` parameters of headers and of URIs.

use crate::lex::{is_token, quoted_len, trim};
use crate::limits::HeaderError;

/// The parameters behind a value, from the first semicolon on (or nothing).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Params<'a> {
    raw: &'a [u8],
}

/// One parameter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Param<'a> {
    /// The name as written; compare without regard to letter case.
    pub name: &'a [u8],
    /// The value, quotes included; `None` for a flag.
    pub value: Option<&'a [u8]>,
}

impl<'a> Params<'a> {
    /// Parameters from text that is empty or begins with `;`.
    #[must_use]
    pub fn new(raw: &'a [u8]) -> Params<'a> {
        Params { raw }
    }

    /// The text as written.
    #[must_use]
    pub fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// All parameters in order.
    #[must_use]
    pub fn iter(&self) -> ParamIter<'a> {
        let raw = trim(self.raw);
        ParamIter { rest: raw.strip_prefix(b";").or((!raw.is_empty()).then_some(raw)) }
    }

    /// The value of a parameter: empty for a flag, `None` when it is absent.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'a [u8]> {
        self.iter().find(|p| p.name.eq_ignore_ascii_case(name.as_bytes())).map(|p| p.value.unwrap_or(&[]))
    }

    /// True when the parameter occurs.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Checks the syntax: each parameter has a token for a name, and quotes are closed.
    ///
    /// # Errors
    /// What is wrong with the first broken parameter.
    pub fn check(&self) -> Result<(), HeaderError> {
        self.check_each(|_| ())
    }

    /// The same, and shows every parameter.
    pub(crate) fn check_each(&self, mut show: impl FnMut(Param<'a>)) -> Result<(), HeaderError> {
        for param in self.iter() {
            if !is_token(param.name) {
                return Err(HeaderError("Parameter without a name"));
            }
            match param.value {
                Some([]) => return Err(HeaderError("Parameter without its value")),
                Some(value @ [b'"', ..]) if quoted_len(value) != Some(value.len()) => {
                    return Err(HeaderError("Broken quoted string"));
                }
                Some(value) if value[0] != b'"' && value.contains(&b'"') => {
                    return Err(HeaderError("Stray quote in a parameter"));
                }
                _ => {}
            }
            show(param);
        }
        Ok(())
    }
}

impl<'a> IntoIterator for Params<'a> {
    type Item = Param<'a>;
    type IntoIter = ParamIter<'a>;

    fn into_iter(self) -> ParamIter<'a> {
        self.iter()
    }
}

/// See [`Params::iter`].
#[derive(Clone, Debug)]
pub struct ParamIter<'a> {
    rest: Option<&'a [u8]>,
}

impl<'a> Iterator for ParamIter<'a> {
    type Item = Param<'a>;

    fn next(&mut self) -> Option<Param<'a>> {
        let rest = self.rest?;
        let (mut at, mut equals) = (0, None);
        while let Some(hop) = memchr::memchr3(b';', b'=', b'"', &rest[at..]) {
            at += hop;
            match rest[at] {
                b';' => break,
                b'"' => at += quoted_len(&rest[at..]).unwrap_or(rest.len() - at),
                _ => {
                    equals = equals.or(Some(at));
                    at += 1;
                }
            }
        }
        if rest.get(at) != Some(&b';') {
            at = rest.len();
        }
        self.rest = rest.get(at + 1..);
        Some(match equals {
            Some(equals) => Param { name: trim(&rest[..equals]), value: Some(trim(&rest[equals + 1..at])) },
            None => Param { name: trim(&rest[..at]), value: None },
        })
    }
}

/// A value without its quotes and escapes; unquoted text comes back as it is.
#[must_use]
pub fn unquote(value: &[u8]) -> std::borrow::Cow<'_, [u8]> {
    let inner = match value {
        [b'"', inner @ .., b'"'] => inner,
        _ => return value.into(),
    };
    if !inner.contains(&b'\\') {
        return inner.into();
    }
    let mut out = Vec::with_capacity(inner.len());
    let mut bytes = inner.iter();
    while let Some(&b) = bytes.next() {
        match b {
            b'\\' => out.extend(bytes.next()),
            _ => out.push(b),
        }
    }
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_split_outside_quotes() {
        let params = Params::new(b" ; tag = 1 ;lr; x=\"a;b\\\"=\" ;q=0.3");
        let got: Vec<_> = params.iter().map(|p| (p.name, p.value)).collect();
        let expected: [(&[u8], Option<&[u8]>); 4] =
            [(b"tag", Some(b"1")), (b"lr", None), (b"x", Some(b"\"a;b\\\"=\"")), (b"q", Some(b"0.3"))];
        assert_eq!(got, expected);
        assert_eq!(params.get("TAG"), Some(&b"1"[..]));
        assert_eq!(params.check(), Ok(()));
    }

    #[test]
    fn empty_parameters_are_refused() {
        for raw in [&b";;"[..], b";", b";a;", b";=x", b";a=", b";a=\"x", b";a=x\"y\""] {
            assert!(Params::new(raw).check().is_err(), "{raw:?}");
        }
        assert_eq!(Params::new(b"").check(), Ok(()));
    }

    #[test]
    fn quotes_come_off() {
        assert_eq!(&*unquote(br#""a\"b\\""#), br#"a"b\"#);
        assert_eq!(&*unquote(b"plain"), b"plain");
    }
}
