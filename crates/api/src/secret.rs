//! A password or token on its way in.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Text that neither `Debug` nor `Display` shows; only [`Secret::reveal`] gives it out.
///
/// It serializes as it is, because the shell has to send it: put it into request bodies only.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, format = Password)]
pub struct Secret(String);

impl Secret {
    /// Takes ownership of secret text.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The text itself; say at the call site why it is needed.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<secret>")
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_secret_does_not_print_itself() {
        assert_eq!(format!("{:?}", super::Secret::new("hunter2")), "<secret>");
    }
}
