//! Route, Record-Route, Path and Service-Route: lists of addresses in angle brackets.

use super::name_addr::NameAddr;
use crate::limits::HeaderError;
use crate::message::Message;
use crate::name::Name;
use crate::uri::Uri;

/// One hop of a route.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hop<'a> {
    /// The value as written.
    pub raw: &'a [u8],
    /// The address.
    pub address: NameAddr<'a>,
    /// Its URI.
    pub uri: Uri<'a>,
}

impl<'a> Hop<'a> {
    /// Reads one value of the list. Angle brackets are required (RFC 3261 §20.30, §20.34).
    ///
    /// # Errors
    /// When it is not an address with a readable URI.
    pub fn parse(raw: &'a [u8]) -> Result<Hop<'a>, HeaderError> {
        let address = NameAddr::parse(raw)?;
        if !raw.contains(&b'<') {
            return Err(HeaderError("Route needs angle brackets"));
        }
        let uri = address.parsed_uri().map_err(|_| HeaderError("Broken URI in a route"))?;
        Ok(Hop { raw, address, uri })
    }
}

/// The hops of `name` (Route, Record-Route, Path, Service-Route) in order.
pub fn hops<'a>(message: &Message<'a>, name: Name) -> impl Iterator<Item = Result<Hop<'a>, HeaderError>> + use<'a> {
    message.values(name).map(Hop::parse)
}
