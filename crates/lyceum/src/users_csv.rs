//! `user;password` lines.

use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};

/// Reads the file. A first line `user;password` is a header; empty lines and lines that begin with `#` are skipped.
pub fn read(path: &Path) -> Result<Vec<(String, String)>> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| anyhow!("the users file {} cannot be read ({error}): check the path", path.display()))?;
    parse(&text).with_context(|| format!("the users file {} is not right", path.display()))
}

fn parse(text: &str) -> Result<Vec<(String, String)>> {
    let mut users = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') || number == 0 && line.eq_ignore_ascii_case("user;password") {
            continue;
        }
        match line.split_once(';') {
            Some((user, password)) if !user.is_empty() && !password.is_empty() => {
                users.push((user.to_owned(), password.to_owned()));
            }
            _ => bail!("line {} is not `user;password`: mend it", number + 1),
        }
    }
    Ok(users)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn header_comments_and_faults() {
        let pair = |user: &str, password: &str| (user.to_owned(), password.to_owned());
        assert_eq!(parse("user;password\na;1\n\n# x\nb;2;3\n").unwrap(), [pair("a", "1"), pair("b", "2;3")]);
        assert_eq!(parse("user;password1").unwrap(), [pair("user", "password1")]);
        assert!(parse("a;1\nb\n").unwrap_err().to_string().contains("line 2"));
        assert!(parse("a;\n").is_err());
    }
}
