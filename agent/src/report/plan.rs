//! A plan for people: every change with its diff, then what follows from them and what is left.

use std::io::Write;

use anyhow::Result;

use super::clean;
use super::text::{Style, wrapped_to};
use crate::plan::{Left, Plan};

/// Writes a plan.
///
/// # Errors
/// When it cannot be written.
pub fn write(plan: &Plan, out: &mut dyn Write, style: &Style) -> Result<()> {
    for step in &plan.steps {
        entry(out, style, "1", &step.rule, &step.sentence)?;
        for line in step.diff.lines() {
            let code = match line.as_bytes().first() {
                Some(b'+') => "32",
                Some(b'-') => "31",
                Some(b'@') => "36",
                _ => "0",
            };
            writeln!(out, "    {}", style.paint(code, &clean::line(line)))?;
        }
    }
    for (what, packages) in [
        ("packages that come:", &plan.packages.installed),
        ("packages of which another version comes:", &plan.packages.upgraded),
        ("packages that go:", &plan.packages.removed),
    ] {
        if !packages.is_empty() {
            entry(out, style, "1", what, &packages.join(", "))?;
        }
    }
    if let Some(reason) = &plan.unforeseen {
        entry(out, style, "33", "which other packages come or go along cannot be told:", reason)?;
    }
    for effect in plan.effects() {
        entry(out, style, "1", "then", &effect.sentence())?;
    }
    if !plan.deferred.is_empty() {
        entry(out, style, "1", "later", &announcement(plan))?;
    }
    left(&plan.deferred, "later", "2", out, style)?;
    left(&plan.manual, "by hand", "33", out, style)?;
    left(&plan.errors, "error", "35", out, style)?;
    let (changes, rest) = total(plan);
    entry(out, style, "1", &changes, &rest)
}

/// What another pass is for.
fn announcement(plan: &Plan) -> String {
    let once =
        if plan.installs() { "once these packages are installed" } else { "once these changes are made" };
    match plan.deferred.len() {
        1 => format!("1 rule is decided {once}; its changes follow in a second pass"),
        many => format!("{many} rules are decided {once}; their changes follow in a second pass"),
    }
}

fn left(rules: &[Left], word: &str, code: &str, out: &mut dyn Write, style: &Style) -> Result<()> {
    rules
        .iter()
        .try_for_each(|left| entry(out, style, code, word, &format!("{}: {}", left.rule, left.reason)))
}

/// A coloured word and what follows it, on a terminal in lines of its width.
fn entry(out: &mut dyn Write, style: &Style, code: &str, word: &str, rest: &str) -> Result<()> {
    let rest = &clean::line(rest);
    let text = match style.columns {
        Some(columns) => wrapped_to(columns, rest, &format!("{word} "), "      "),
        None => format!("{word} {rest}\n"),
    };
    let after = text.strip_prefix(word).unwrap_or_default();
    write!(out, "{}{after}", style.paint(code, word))?;
    Ok(())
}

/// The number of changes, and the rest of the last line.
fn total(plan: &Plan) -> (String, String) {
    let mut rest = if plan.steps.len() == 1 { "change" } else { "changes" }.to_owned();
    let more = [
        (plan.deferred.len(), "decided later"),
        (plan.manual.len(), "to be mended by hand"),
        (plan.errors.len(), "could not be looked at"),
    ];
    for (count, what) in more.into_iter().filter(|(count, _)| *count > 0) {
        rest.push_str(&format!(", {count} {} {what}", if count == 1 { "rule" } else { "rules" }));
    }
    (plan.steps.len().to_string(), rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::{Change, Effect};
    use crate::plan::Step;
    use crate::system::PackageDelta;

    fn left_over(rule: &str, reason: &str) -> Left {
        Left { rule: rule.into(), reason: reason.into() }
    }

    fn plan() -> Plan {
        let change = Change::Packages { install: vec!["aide".into()], remove: vec![] };
        let step = Step {
            rule: "package_aide_installed".into(),
            sentence: change.sentence(),
            change,
            diff: String::new(),
            effects: vec![Effect::Reboot],
            starts_from: None,
        };
        Plan {
            steps: vec![step],
            deferred: vec![left_over("aide_build", "can be judged once aide is installed")],
            manual: vec![],
            errors: vec![left_over("shadow", "reading /etc/shadow: permission denied by somebody or other")],
            packages: PackageDelta { installed: vec!["aide".into(), "libaide".into()], ..Default::default() },
            unforeseen: None,
        }
    }

    fn text(plan: &Plan, columns: Option<usize>) -> String {
        let mut out = Vec::new();
        write(plan, &mut out, &Style { columns, ..Style::default() }).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_plan_says_what_is_done_now_later_and_not() {
        let expected = "\
package_aide_installed install aide
packages that come: aide, libaide
then effective after the next reboot
later 1 rule is decided once these packages are installed; its changes follow in a second pass
later aide_build: can be judged once aide is installed
error shadow: reading /etc/shadow: permission denied by somebody or other
1 change, 1 rule decided later, 1 rule could not be looked at
";
        assert_eq!(text(&plan(), None), expected);
        assert_eq!(text(&Plan::default(), None), "0 changes\n");
    }

    #[test]
    fn what_names_of_files_say_is_text_of_one_line() {
        let mut hostile = plan();
        for step in &mut hostile.steps {
            step.sentence = "set mode 0640 of /var/log/a\nnothing else\u{1b}[31m".to_owned();
            step.diff = format!("+\u{202e}{}", "x".repeat(1 << 20));
        }
        let text = text(&hostile, None);
        assert!(text.starts_with(
            "package_aide_installed set mode 0640 of /var/log/a\u{fffd}nothing else\u{fffd}[31m\n"
        ));
        assert!(text.len() < 10_000 && text.contains("+\u{fffd}xxx"), "{} bytes", text.len());
    }

    #[test]
    fn on_a_terminal_no_line_is_wider_than_it() {
        let text = text(&plan(), Some(40));
        assert!(text.lines().all(|line| line.chars().count() <= 40), "{text}");
        assert!(text.contains("error shadow: reading /etc/shadow:\n      permission denied by"), "{text}");
    }
}
