//! CSeq (RFC 3261 §20.16).

use crate::lex::{is_lws, is_token, number, trim};
use crate::limits::HeaderError;

/// Sequence number and method.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CSeq<'a> {
    /// The number, at most 2^32-1 here as RFC 4475 §3.1.2.4 allows, 2^31-1 for new requests.
    pub number: u32,
    /// The method's token.
    pub method: &'a [u8],
}

impl<'a> CSeq<'a> {
    /// Reads a field value.
    ///
    /// # Errors
    /// When number or method are missing or broken, or the number exceeds 32 bits.
    pub fn parse(value: &'a [u8]) -> Result<CSeq<'a>, HeaderError> {
        let split = value.iter().position(|&b| is_lws(b)).ok_or(HeaderError("CSeq without a method"))?;
        let digits = number(&value[..split], u64::from(u32::MAX));
        let number = digits.and_then(|n| u32::try_from(n).ok()).ok_or(HeaderError("CSeq number out of range"))?;
        let method = trim(&value[split..]);
        if !is_token(method) {
            return Err(HeaderError("CSeq without a method"));
        }
        Ok(CSeq { number, method })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cseq_reads_across_folds_and_refuses_what_overflows() {
        assert_eq!(CSeq::parse(b"0009\r\n  INVITE"), Ok(CSeq { number: 9, method: b"INVITE" }));
        for bad in [&b"36893488147419103232 REGISTER"[..], b"1", b"INVITE", b"-1 INVITE", b"1 INV ITE", b""] {
            assert!(CSeq::parse(bad).is_err(), "{bad:?}");
        }
    }
}
