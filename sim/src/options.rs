//! The command line.

use crate::plant::Fault;

/// What to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The first seed.
    pub first: u64,
    /// How many.
    pub seeds: u64,
    /// Print what happened.
    pub trace: bool,
    /// Plant this fault in every run.
    pub plant: Option<Fault>,
    /// Plant every fault in turn, and fail unless each is found.
    pub plants: bool,
}

/// How to call it.
pub const USAGE: &str = "usage: sim [--seeds N] [--first N] [--seed N] [--trace] [--plant FAULT] [--plants]";

impl Options {
    /// Reads the arguments.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Options, String> {
        let mut options = Options { first: 1, seeds: 1000, trace: false, plant: None, plants: false };
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{argument} needs a value\n{USAGE}"));
            let mut number = || value()?.parse::<u64>().map_err(|_| format!("{argument} needs a number\n{USAGE}"));
            match argument.as_str() {
                "--seeds" => options.seeds = number()?,
                "--first" => options.first = number()?,
                "--seed" => (options.first, options.seeds) = (number()?, 1),
                "--trace" => options.trace = true,
                "--plants" => options.plants = true,
                "--plant" => options.plant = Some(fault(&value()?)?),
                _ => return Err(format!("{argument} is not known\n{USAGE}")),
            }
        }
        Ok(options)
    }
}

fn fault(name: &str) -> Result<Fault, String> {
    let names = || Fault::ALL.map(Fault::name).join(", ");
    Fault::parse(name).ok_or_else(|| format!("{name} is no fault; there are {}", names()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Options, String> {
        Options::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn arguments_are_read() {
        let all = Options { first: 1, seeds: 1000, trace: false, plant: None, plants: false };
        assert_eq!(read(""), Ok(all.clone()));
        assert_eq!(read("--seed 7 --trace"), Ok(Options { first: 7, seeds: 1, trace: true, ..all.clone() }));
        assert_eq!(read("--plant no-cancel"), Ok(Options { plant: Some(Fault::NoCancel), ..all }));
        assert!(read("--plant x").is_err() && read("--seeds").is_err() && read("--what").is_err());
    }
}
