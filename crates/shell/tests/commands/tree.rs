//! The command tree: help, completions and man pages.

use crate::support::{Script, run};
use clap::Command;
use lyceum_shell::{command, knows};

#[test]
fn the_tree_is_consistent() {
    command().debug_assert();
}

fn leaves<'c>(command: &'c Command, path: String, into: &mut Vec<(String, &'c Command)>) {
    if !command.has_subcommands() {
        into.push((path, command));
        return;
    }
    for below in command.get_subcommands() {
        leaves(below, format!("{path} {}", below.get_name()), into);
    }
}

#[test]
fn every_command_explains_itself_and_has_the_common_options() {
    let tree = command();
    let mut found = Vec::new();
    leaves(&tree, "lyceum".to_owned(), &mut found);
    assert!(found.len() > 45, "{}", found.len());
    for (path, command) in found {
        assert!(command.get_about().is_some(), "{path} says what it does");
        for option in ["output", "what-if", "yes", "socket", "data"] {
            assert!(command.get_arguments().any(|a| a.get_long() == Some(option)), "{path} --{option}");
        }
        for argument in command.get_arguments() {
            assert!(argument.get_help().is_some(), "{path} {} says what it is", argument.get_id());
        }
    }
}

#[test]
fn completions_and_man_pages_are_generated() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ran = run(&mut Script::default(), &format!("completions {shell}"), None);
        assert!(ran.code == 0 && ran.out.contains("effective-policy"), "{shell}");
    }
    let page = run(&mut Script::default(), "man", None).out;
    assert!(page.contains(".TH lyceum 1") && page.contains("Exit codes"), "{page}");
    let dir = std::env::temp_dir().join(format!("lyceum-shell-man-{}", std::process::id()));
    let ran = run(&mut Script::default(), &format!("man --dir {}", dir.display()), None);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let text = std::fs::read_to_string(dir.join("lyceum-user-new.1")).expect("a page per command");
    std::fs::remove_dir_all(&dir).expect("it is there");
    assert!(text.contains(".TH lyceum-user-new 1"), "{text}");
    assert!(text.contains("\\-\\-password\\-stdin"), "{text}");
}

#[test]
fn the_binary_can_tell_its_own_commands_from_the_shells() {
    assert!(knows("user") && knows("topology") && !knows("serve"));
}
