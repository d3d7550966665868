//! A user's calendar, as far as presence goes.

use crate::{Secret, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where a calendar is fetched from. Such addresses carry a key and are never shown again.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CalendarAddress {
    /// An `https://` or `webcal://` address.
    pub address: Secret,
}

/// How reading a calendar goes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CalendarStatus {
    /// `none`, `address` or `file`.
    pub source: String,
    /// The host it is fetched from; the whole address carries a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// `none`, `waiting`, `ok` or `failed`.
    pub state: String,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub what: Option<String>,
    /// Busy times known.
    pub busy: usize,
    /// Events that were not understood.
    pub not_understood: usize,
    /// When it was read last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub last_read: Option<Timestamp>,
    /// When it is read again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub next_read: Option<Timestamp>,
}
