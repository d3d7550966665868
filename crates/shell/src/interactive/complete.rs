//! What may come next on a line, read from the command tree.

use clap::{Arg, Command};

/// One proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// What takes the place of the word begun.
    pub text: String,
    /// What it is.
    pub about: String,
}

/// Proposals for the word that ends `line`, and where in the line it begins.
pub fn propose(tree: &Command, line: &str) -> (usize, Vec<Proposal>) {
    let begin =
        line.rfind(char::is_whitespace).map_or(0, |at| at + line[at..].chars().next().map_or(1, char::len_utf8));
    let (before, word) = line.split_at(begin);
    let Ok(mut words) = super::words::split(before) else { return (begin, Vec::new()) };
    let mut command = tree;
    // `help user` goes on as `user` does, but only to commands.
    let helping = words.first().is_some_and(|first| first == "help");
    if helping {
        words.remove(0);
    }
    let mut previous = None;
    for word in &words {
        if let Some(below) = command.find_subcommand(word) {
            command = below;
        }
        previous = Some(word.as_str());
    }
    let mut found = match previous.and_then(|word| option_of(command, word)) {
        Some(option) if option.get_action().takes_values() => values(option),
        _ if word.starts_with('-') && !helping => options(command),
        _ => commands(command, words.is_empty() && !helping, helping),
    };
    found.retain(|proposal| proposal.text.starts_with(word));
    found.sort_by(|one, other| one.text.cmp(&other.text));
    (begin, found)
}

fn option_of<'c>(command: &'c Command, word: &str) -> Option<&'c Arg> {
    let long = word.strip_prefix("--");
    let short = word.strip_prefix('-').filter(|rest| rest.chars().count() == 1).and_then(|rest| rest.chars().next());
    command
        .get_arguments()
        .find(|option| long.is_some() && option.get_long() == long || short.is_some() && option.get_short() == short)
}

fn values(option: &Arg) -> Vec<Proposal> {
    let about = option.get_help().map(ToString::to_string).unwrap_or_default();
    option
        .get_possible_values()
        .iter()
        .map(|value| Proposal { text: value.get_name().to_owned(), about: about.clone() })
        .collect()
}

fn options(command: &Command) -> Vec<Proposal> {
    let shown = command.get_arguments().filter(|option| !option.is_hide_set());
    shown
        .filter_map(|option| {
            let about = option.get_help().map(ToString::to_string).unwrap_or_default();
            Some(Proposal { text: format!("--{}", option.get_long()?), about })
        })
        .collect()
}

fn commands(command: &Command, at_the_top: bool, helping: bool) -> Vec<Proposal> {
    let about = |below: &Command| below.get_about().map(ToString::to_string).unwrap_or_default();
    let mut found: Vec<Proposal> = command
        .get_subcommands()
        .map(|below| Proposal { text: below.get_name().to_owned(), about: about(below) })
        .collect();
    if at_the_top {
        found.push(Proposal { text: "help".into(), about: "Explain a command".into() });
        found.push(Proposal { text: "exit".into(), about: "End".into() });
    }
    // The values of a positional argument that has a fixed list of them.
    if !helping {
        found.extend(command.get_positionals().flat_map(values));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(line: &str) -> (usize, Vec<String>) {
        let (begin, found) = propose(&super::super::tree(), line);
        (begin, found.into_iter().map(|proposal| proposal.text).collect())
    }

    #[test]
    fn commands_options_and_values_are_proposed() {
        for (line, begin, expected) in [
            ("eff", 0, vec!["effective-policy"]),
            ("e", 0, vec!["edge", "effective-policy", "exit"]),
            ("user en", 5, vec!["enable"]),
            ("help user dis", 10, vec!["disable"]),
            ("user get --what", 9, vec!["--what-if"]),
            ("user get -o js", 12, vec!["json", "jsonl"]),
            ("user get --output y", 18, vec!["yaml"]),
            ("completions z", 12, vec!["zsh"]),
            ("user get anna ", 14, vec![]),
            ("shel", 0, vec![]),
            ("user get 'open", 9, vec![]),
        ] {
            assert_eq!(texts(line), (begin, expected.into_iter().map(str::to_owned).collect()), "{line}");
        }
        let top = texts("").1;
        assert!(top.len() > 15 && top.contains(&"help".to_owned()) && top.contains(&"topology".to_owned()), "{top:?}");
        let (_, found) = propose(&super::super::tree(), "stat");
        assert_eq!(found[0].about, "What the running server is and does");
    }
}
