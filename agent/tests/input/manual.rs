//! Manual pages and completions, as the packages ship them: they know every command and every option that the program has.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use crate::case::Case;

/// What the agent says of itself.
fn said(case: &Case, args: &[&str]) -> String {
    let output = case.agent_alone(args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The first words of a part of the help.
fn entries(help: &str, part: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| *line != part).skip(1).take_while(|line| !line.is_empty());
    let entries = lines.filter_map(|line| line.strip_prefix("  ")).filter(|line| !line.starts_with(' '));
    entries.filter_map(|line| line.split_whitespace().next().map(str::to_owned)).collect()
}

fn commands(case: &Case) -> Vec<String> {
    entries(&said(case, &["--help"]), "Commands:").into_iter().filter(|name| name != "help").collect()
}

/// The long options that a help or a page speaks of.
fn options(text: &str) -> BTreeSet<String> {
    // roff's hyphens, and what sets options in bold
    let text = text.replace("\\-", "-").replace("\\fB", " ").replace("\\fR", " ");
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-');
    words.filter(|word| word.starts_with("--") && word.len() > 2).map(str::to_owned).collect()
}

#[test]
fn every_command_has_a_page_with_its_options_and_examples() {
    let (case, pages) = (Case::new(), tempfile::tempdir().unwrap());
    let commands = commands(&case);
    assert!(commands.len() > 15 && commands.contains(&"audit".to_owned()), "{commands:?}");
    said(&case, &["man", pages.path().to_str().unwrap()]);
    let found: BTreeSet<String> = fs::read_dir(pages.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let wanted = commands.iter().map(|name| format!("agent-{name}.1")).chain(["agent.1".to_owned()]);
    assert_eq!(found, wanted.collect());
    for name in &commands {
        let page = fs::read_to_string(pages.path().join(format!("agent-{name}.1"))).unwrap();
        assert!(page.contains(".TH agent-") && page.contains(".SH SYNOPSIS"), "{name}: {page}");
        let help = said(&case, &[name, "--help"]);
        let missing: Vec<_> = options(&help).difference(&options(&page)).cloned().collect();
        assert!(missing.is_empty(), "{name}: {missing:?}");
        assert!(!help.contains("Example") || page.contains("Example"), "{name} has no example");
    }
}

/// What bash offers after these words.
fn offered(script: &str, words: &[&str]) -> BTreeSet<String> {
    let typed = words.join(" ");
    let last = words.len() - 1;
    let program = format!(
        "{script}\nCOMP_WORDS=({typed} ''); COMP_WORDS=(\"${{COMP_WORDS[@]:0:{}}}\"); COMP_CWORD={last}\n\
         _agent agent \"${{COMP_WORDS[{last}]}}\" \"${{COMP_WORDS[{}]}}\"; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        words.len(),
        last.saturating_sub(1)
    );
    let output = Command::new("bash").args(["--norc", "-c", &program]).output().unwrap();
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().split_whitespace().map(str::to_owned).collect()
}

#[test]
fn bash_completes_commands_options_and_what_they_take() {
    let case = Case::new();
    let script = said(&case, &["completions", "bash"]);
    let all = offered(&script, &["agent", "''"]);
    assert!(commands(&case).iter().all(|name| all.contains(name)), "{all:?}");
    assert_eq!(offered(&script, &["agent", "rollb"]), BTreeSet::from(["rollback".to_owned()]));
    for name in commands(&case) {
        let offered = offered(&script, &["agent", &name, "--"]);
        let help = said(&case, &[&name, "--help"]);
        let own: BTreeSet<String> = entries(&help, "Options:")
            .iter()
            .flat_map(|first| help.lines().filter(move |line| line.trim_start().starts_with(first.as_str())))
            .flat_map(|line| options(line.split("  ").find(|part| part.contains("--")).unwrap_or_default()))
            .collect();
        assert!(own.is_subset(&offered), "{name}: {:?}", own.difference(&offered));
    }
    let formats = offered(&script, &["agent", "status", "--format", "''"]);
    assert_eq!(formats, ["json", "text"].map(str::to_owned).into());
    for (shell, word) in [("zsh", "#compdef agent"), ("fish", "complete -c agent")] {
        assert!(said(&case, &["completions", shell]).contains(word), "{shell}");
    }
}
