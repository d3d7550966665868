//! Passwords that are too weak. What is stored of them, and how, is the store's.

use crate::refused::Refused;
use lyceum_api::Refusal;

/// Fewest characters of an administrator's password.
pub const ADMINISTRATOR_LEAST: usize = 12;
/// Fewest characters of a user's password: phones are provisioned with what an old system had.
pub const USER_LEAST: usize = 1;
/// Most characters of any password: hashing more only costs time.
const MOST: usize = 256;

/// Refuses an administrator's password that is too short, too long or holds the name.
pub fn check(password: &str, name: &str, least: usize) -> Result<(), Refused> {
    let length = password.chars().count();
    let what = if length < least {
        format!("the password has {length} characters, {least} are the least")
    } else if length > MOST {
        format!("the password has {length} characters, {MOST} are the most")
    } else if least > USER_LEAST && password.to_ascii_lowercase().contains(&name.to_ascii_lowercase()) {
        "the password holds the name".to_owned()
    } else if password.chars().any(char::is_control) {
        "the password holds a control character".to_owned()
    } else {
        return Ok(());
    };
    Err(Refused::new(Refusal::PasswordTooWeak, what, "password"))
}

#[cfg(test)]
mod tests {
    use super::{ADMINISTRATOR_LEAST, check};

    #[test]
    fn weak_passwords_are_refused() {
        for (password, good) in [
            ("short", false),
            ("anna-anna-anna", false),
            ("twelve chars", true),
            ("line\nbreak in it", false),
            (&"x".repeat(300), false),
        ] {
            assert_eq!(check(password, "anna", ADMINISTRATOR_LEAST).is_ok(), good, "{password}");
        }
    }
}
