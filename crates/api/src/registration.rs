//! Registrations: where users can be reached now.

use crate::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One binding of a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Registration {
    /// The user.
    pub address: String,
    /// Contact URI as registered.
    pub contact: String,
    /// `udp`, `tcp`, `tls`, `ws` or `wss`.
    pub transport: String,
    /// Where the last REGISTER came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received: Option<String>,
    /// Software of the endpoint.
    pub user_agent: String,
    /// `+sip.instance`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// Preference, 0 to 1.
    #[schema(value_type = f32)]
    pub q: Preference,
    /// When it ends without a refresh.
    pub expires: Timestamp,
}

/// A q value in thousandths; written as `0.7`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preference(pub u16);

impl Serialize for Preference {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(f64::from(self.0) / 1000.0)
    }
}

impl<'de> Deserialize<'de> for Preference {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let q = f64::deserialize(deserializer)?;
        if !(0.0..=1.0).contains(&q) {
            return Err(serde::de::Error::custom("q is between 0 and 1"));
        }
        Ok(Preference((q * 1000.0).round() as u16))
    }
}

/// Which registrations a list shows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RegistrationQuery {
    /// Only this user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// At most this many users' registrations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// The `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}
