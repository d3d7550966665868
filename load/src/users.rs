//! The users on whose behalf requests are sent: `user;password` lines.

use std::fmt::Write as _;
use std::path::Path;

/// A password; it does not print itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<secret>")
    }
}

impl Password {
    /// The bytes, for hashing.
    #[must_use]
    pub fn reveal(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// One user.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct User {
    /// The part before `@`.
    pub name: String,
    /// What it signs in with.
    pub password: Password,
}

/// Reads `user;password` lines, with or without a header; empty lines and `#` comments are skipped.
///
/// # Errors
/// One sentence that says what is wrong with the file.
pub fn read(path: &Path) -> Result<Vec<User>, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let users = parse(&text);
    if users.is_empty() {
        return Err(format!("{}: no `user;password` line", path.display()));
    }
    Ok(users)
}

fn parse(text: &str) -> Vec<User> {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| line.split_once(';'))
        .filter(|(name, password)| !(name.eq_ignore_ascii_case("user") && password.eq_ignore_ascii_case("password")))
        .map(|(name, password)| User { name: name.to_owned(), password: Password(password.to_owned()) })
        .collect()
}

/// Users that exist for load only: `u000000` with `pwu000000`, and so on.
#[must_use]
pub fn made_up(count: usize) -> Vec<User> {
    let user = |n| User { name: format!("u{n:06}"), password: Password(format!("pwu{n:06}")) };
    (0..count).map(user).collect()
}

/// The file that [`read`] reads.
#[must_use]
pub fn to_csv(users: &[User]) -> String {
    users.iter().fold(String::new(), |mut text, user| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{};{}", user.name, user.password.0);
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_with_and_without_a_header() {
        let users = made_up(3);
        let csv = to_csv(&users);
        assert_eq!(parse(&csv), users);
        assert_eq!(parse(&format!("user;password\n# note;x\n\n{csv}")), users);
        assert_eq!(format!("{:?}", users[0].password), "<secret>");
    }
}
