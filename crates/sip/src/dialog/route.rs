//! The route set of a dialog.

use crate::header::route::hops;
use crate::message::Message;
use crate::name::Name;
use crate::uri::Uri;

/// Values in the order requests of ours pass them, as written.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct RouteSet {
    values: Vec<Box<[u8]>>,
    first: Option<FirstHop>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct FirstHop {
    uri: Box<[u8]>,
    loose: bool,
}

impl RouteSet {
    /// §12.1.1: as they stand in the request.
    pub(super) fn of_request(m: &Message<'_>) -> RouteSet {
        RouteSet::new(hops(m, Name::RecordRoute).flatten().map(|hop| hop.raw.into()).collect())
    }

    /// §12.1.2: reversed.
    pub(super) fn of_response(m: &Message<'_>) -> RouteSet {
        let mut values: Vec<Box<[u8]>> = hops(m, Name::RecordRoute).flatten().map(|hop| hop.raw.into()).collect();
        values.reverse();
        RouteSet::new(values)
    }

    fn new(values: Vec<Box<[u8]>>) -> RouteSet {
        let first = values.first().and_then(|raw| {
            let uri = crate::header::name_addr::NameAddr::parse(raw).ok()?.uri;
            let loose = Uri::parse(uri).ok()?.is_loose_route();
            Some(FirstHop { uri: uri.into(), loose })
        });
        RouteSet { values, first }
    }

    fn strict(&self) -> Option<&FirstHop> {
        self.first.as_ref().filter(|first| !first.loose)
    }

    /// The Request-URI: the target, or a strict first router (§12.2.1.1).
    pub(super) fn request_uri<'s>(&'s self, target: &'s [u8]) -> &'s [u8] {
        self.strict().map_or(target, |first| &first.uri)
    }

    /// The Route values, without a strict first router.
    pub(super) fn values(&self) -> impl Iterator<Item = &[u8]> {
        self.values.iter().skip(usize::from(self.strict().is_some())).map(|value| &**value)
    }

    /// What goes behind them: the target in its brackets, when a strict router took its place.
    pub(super) fn last_value<'s>(&self, bracketed: &'s [u8]) -> Option<&'s [u8]> {
        self.strict().map(|_| bracketed)
    }

    pub(super) fn first_uri(&self) -> Option<&[u8]> {
        self.first.as_ref().map(|first| &*first.uri)
    }
}
