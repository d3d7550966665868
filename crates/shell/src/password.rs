//! Passwords come from a prompt, standard input, a file, or chance; never from the command line,
//! where every user of the machine could read them.

use crate::failure::Failure;
use crate::session::Run;
use clap::Args;
use std::path::PathBuf;

/// Where a password comes from.
#[derive(Clone, Debug, Default, Args)]
#[group(multiple = false)]
pub struct PasswordSource {
    /// Read the password from the first line of standard input
    #[arg(long)]
    pub password_stdin: bool,
    /// Read the password from the first line of a file
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// Make a random password and show it once
    #[arg(long)]
    pub generate: bool,
}

/// A password, and whether a person has to be told it.
pub struct Password {
    /// The text.
    pub text: String,
    /// Whether we made it up.
    pub generated: bool,
}

/// Letters and digits that nobody mistakes for another: 32 of them, 5 bits each.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

impl PasswordSource {
    /// Whether one of the options was given.
    pub fn given(&self) -> bool {
        self.password_stdin || self.password_file.is_some() || self.generate
    }

    /// The password from wherever the options say; prompts when they say nothing.
    pub fn read(&self, run: &mut Run<'_>, whose: &str) -> Result<Password, Failure> {
        if self.generate {
            return Ok(Password { text: generated()?, generated: true });
        }
        let text = match &self.password_file {
            Some(file) => first_line(&run.file(file)?),
            None if self.password_stdin => first_line(&run.file("-".as_ref())?),
            None => prompted(run, whose)?,
        };
        if text.is_empty() {
            return Err(Failure::Usage("the password is empty".to_owned()));
        }
        Ok(Password { text, generated: false })
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

fn prompted(run: &mut Run<'_>, whose: &str) -> Result<String, Failure> {
    if !run.streams.input_is_terminal {
        return Err(Failure::Usage(
            "no terminal to ask for the password; use --password-stdin, --password-file or --generate".to_owned(),
        ));
    }
    let ask = |prompt: &str| {
        eprint!("{prompt}: ");
        console::Term::stderr().read_secure_line().map_err(|e| Failure::Failed(format!("no password was read: {e}")))
    };
    let first = ask(&format!("Password for {whose}"))?;
    if ask("Once more")? != first {
        return Err(Failure::Usage("the two passwords differ".to_owned()));
    }
    Ok(first)
}

/// 20 characters in groups of five: 100 bits.
fn generated() -> Result<String, Failure> {
    let mut bytes = [0u8; 20];
    getrandom::fill(&mut bytes).map_err(|e| Failure::Failed(format!("the system gives no randomness: {e}")))?;
    let letters: Vec<char> = bytes.iter().map(|b| ALPHABET[usize::from(b % 32)] as char).collect();
    Ok(letters.chunks(5).map(|c| c.iter().collect::<String>()).collect::<Vec<_>>().join("-"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn generated_passwords_are_long_and_differ() {
        let (a, b) = (super::generated().expect("randomness"), super::generated().expect("randomness"));
        assert_eq!(a.len(), 23);
        assert_ne!(a, b);
    }
}
