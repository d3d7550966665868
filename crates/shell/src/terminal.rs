//! The world of a command: its standard streams and what is known of the terminal.

use std::io::{BufRead, IsTerminal, Write};

/// Streams of a run; the process's own, or those of a test.
pub struct Streams {
    /// Standard input.
    pub input: Box<dyn BufRead>,
    /// Standard output.
    pub output: Box<dyn Write>,
    /// Standard error.
    pub errors: Box<dyn Write>,
    /// Whether a person types into the input.
    pub input_is_terminal: bool,
    /// Whether a person reads the errors, and progress may be drawn there.
    pub errors_is_terminal: bool,
    /// Width of the output, when it is a terminal.
    pub width: Option<u16>,
    /// Whether errors may be coloured.
    pub colours: bool,
}

impl Streams {
    /// The process's own streams.
    pub fn process() -> Streams {
        let terminal = std::io::stdout().is_terminal();
        let errors_is_terminal = std::io::stderr().is_terminal();
        Streams {
            input: Box::new(std::io::BufReader::new(std::io::stdin())),
            output: Box::new(std::io::BufWriter::new(std::io::stdout())),
            errors: Box::new(std::io::stderr()),
            input_is_terminal: std::io::stdin().is_terminal(),
            errors_is_terminal,
            width: terminal.then(|| console::Term::stdout().size_checked().map(|(_, columns)| columns)).flatten(),
            colours: errors_is_terminal && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()),
        }
    }
}
