//! The fixes of a policy as one document that others can use, as `oscap xccdf generate fix` writes it: a shell script, an Ansible
//! playbook, or what else the content has, one after the other.

use std::collections::BTreeMap;
use std::fmt::Write;

use xccdf::{fix, short_id};

use super::choice::Chosen;

/// The document, and the rules whose fix could not be put in, with why.
pub fn write(chosen: &[Chosen], system: &str, about: &str) -> (String, Vec<String>) {
    let has_name = |uri: &str| system == uri || uri.rsplit(':').next() == Some(system);
    let texts =
        chosen.iter().filter_map(|own| Some((own.rule.as_str(), own.text.as_ref()?.as_deref().ok()?)));
    let document = if has_name(fix::SHELL) {
        script(chosen, about)
    } else if has_name(fix::ANSIBLE) {
        playbook(texts, about)
    } else {
        texts.map(|(_, text)| lines(text)).collect()
    };
    let lacking = |own: &Chosen| match &own.text {
        Some(Err(why)) => Some(format!("{}: {why}", short_id(&own.rule))),
        _ => None,
    };
    (document, chosen.iter().filter_map(lacking).collect())
}

/// The text, ended by a line break.
fn lines(text: &str) -> String {
    if text.is_empty() || text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") }
}

fn script(chosen: &[Chosen], about: &str) -> String {
    let mut out = format!("#!/usr/bin/env bash\n{}\n", comment(about));
    for (number, own) in chosen.iter().enumerate() {
        let (id, number, all) = (&own.rule, number + 1, chosen.len());
        let text = match &own.text {
            Some(Ok(text)) => lines(text),
            _ => format!("(>&2 echo \"FIX FOR THIS RULE '{id}' IS MISSING!\")\n"),
        };
        let rule = "#".repeat(79);
        // Writing to a text cannot fail.
        let _ = write!(
            out,
            "{rule}\n# BEGIN fix ({number} / {all}) for '{id}'\n{rule}\n\
             (>&2 echo \"Remediating rule {number}/{all}: '{id}'\")\n{text}\n# END fix for '{id}'\n\n"
        );
    }
    out
}

/// The tasks of all fixes. What a fix says of a value is said once, as a variable of the play, so that it can be changed there.
fn playbook<'a>(texts: impl Iterator<Item = (&'a str, &'a str)>, about: &str) -> String {
    let (mut variables, mut order, mut tasks) = (BTreeMap::new(), Vec::new(), String::new());
    for (_, text) in texts {
        for block in blocks(text) {
            match variable(block) {
                Some((name, value)) => {
                    if variables.insert(name, value).is_none() {
                        order.push(name);
                    }
                }
                None => {
                    tasks.extend(block.lines().map(|line| format!("    {line}").trim_end().to_owned() + "\n"))
                }
            }
        }
        tasks.push('\n');
    }
    let mut out = format!("---\n{}\n- hosts: all\n", comment(about));
    if !order.is_empty() {
        out.push_str("  vars:\n");
    }
    for name in order {
        let _ = writeln!(out, "    {name}: {}", variables.get(name).copied().unwrap_or_default());
    }
    out + "  tasks:\n" + tasks.trim_end() + "\n"
}

/// The tasks of a fix, each with the lines up to the next.
fn blocks(text: &str) -> Vec<&str> {
    let mut starts: Vec<usize> = text.match_indices("\n- ").map(|(at, _)| at + 1).collect();
    if !starts.contains(&0) {
        starts.insert(0, 0);
    }
    starts.push(text.len());
    starts.windows(2).filter_map(|pair| text.get(*pair.first()?..*pair.last()?)).collect()
}

/// The variable that a task only sets to a value of the content, which the makers of the content mark so.
fn variable(block: &str) -> Option<(&str, &str)> {
    let mut lines = block.lines();
    let name = lines.next()?;
    let marked = name.starts_with("- name: XCCDF Value ") && name.ends_with(" # promote to variable");
    let set = marked && lines.next()? == "  set_fact:";
    lines.next().filter(|_| set)?.trim().split_once(": ")
}

fn comment(about: &str) -> String {
    about.lines().map(|line| format!("# {line}").trim_end().to_owned() + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(rule: &str, text: Option<Result<&str, &str>>) -> Chosen {
        let text = text.map(|text| text.map(str::to_owned).map_err(str::to_owned));
        Chosen { rule: format!("xccdf_test_rule_{rule}"), text }
    }

    #[test]
    fn a_script_says_what_each_part_is_for_and_what_is_missing() {
        let all = [chosen("a", Some(Ok("echo a"))), chosen("b", None), chosen("c", Some(Err("no value")))];
        let (script, lacking) = write(&all, "sh", "Content x");
        assert!(script.starts_with("#!/usr/bin/env bash\n# Content x\n"), "{script}");
        assert!(script.contains("# BEGIN fix (1 / 3) for 'xccdf_test_rule_a'"), "{script}");
        assert!(script.contains("\necho a\n\n# END fix for 'xccdf_test_rule_a'\n"), "{script}");
        assert_eq!(script.matches("IS MISSING").count(), 2, "{script}");
        assert_eq!(lacking, ["c: no value"]);
    }

    #[test]
    fn a_playbook_has_its_values_once_and_in_front() {
        let task = "- name: Do it\n  command: x {{ v }}\n";
        let value = "- name: XCCDF Value v # promote to variable\n  set_fact:\n    v: !!str 7\n  tags:\n    - always\n\n";
        let text = format!("{value}{task}");
        let all = [chosen("a", Some(Ok(&text))), chosen("b", Some(Ok(&text)))];
        let (playbook, _) = write(&all, fix::ANSIBLE, "p");
        let expected = "---\n# p\n\n- hosts: all\n  vars:\n    v: !!str 7\n  tasks:\n    - name: Do it\n      command: x {{ v }}\n\n    - name: Do it\n      command: x {{ v }}\n";
        assert_eq!(playbook, expected);
    }

    #[test]
    fn other_texts_follow_each_other() {
        let all =
            [chosen("a", Some(Ok("package install aide"))), chosen("b", None), chosen("c", Some(Ok("x\n")))];
        assert_eq!(write(&all, "kickstart", "p").0, "package install aide\nx\n");
    }
}
