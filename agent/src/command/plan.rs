//! `agent plan`: every change that would be made.

use std::io::Write;

use anyhow::Result;

use super::{begin, progress, style, writer};
use crate::cli::PlanArgs;
use crate::exit::Exit;
use crate::inspect::inspect;
use crate::plan::{Plan, plan};
use crate::report::Format;
use crate::report::text::Style;

/// Runs the command.
///
/// # Errors
/// When the machine cannot be judged at all, or the plan cannot be made or written.
pub fn run(args: &PlanArgs) -> Result<Exit> {
    let mut work = begin(&args.selection)?;
    let outcomes = inspect(&work.policy, &work.system, &progress(work.policy.rules.len()));
    let mut plan = plan(&work.policy, &outcomes, &mut work.system)?;
    plan.foresee(&work.system);
    let mut out = writer(&args.output)?;
    match args.output.format {
        Format::Json => {
            serde_json::to_writer_pretty(&mut out, &plan)?;
            writeln!(out)?;
        }
        Format::Text => write_text(&plan, &mut *out, &style(&args.output))?,
    }
    let nothing = plan.steps.is_empty() && plan.deferred.is_empty();
    Ok(if nothing { Exit::Good } else { Exit::Deviates })
}

/// Writes a plan for people.
///
/// # Errors
/// When it cannot be written.
pub fn write_text(plan: &Plan, out: &mut dyn Write, style: &Style) -> Result<()> {
    for step in &plan.steps {
        writeln!(out, "{} {}", style.paint("1", &step.rule), step.sentence)?;
        for line in step.diff.lines() {
            let code = match line.as_bytes().first() {
                Some(b'+') => "32",
                Some(b'-') => "31",
                Some(b'@') => "36",
                _ => "0",
            };
            writeln!(out, "    {}", style.paint(code, line))?;
        }
    }
    for (what, packages) in [
        ("packages that come", &plan.packages.installed),
        ("packages of which another version comes", &plan.packages.upgraded),
        ("packages that go", &plan.packages.removed),
    ] {
        if !packages.is_empty() {
            writeln!(out, "{what}: {}", packages.join(", "))?;
        }
    }
    if let Some(reason) = &plan.unforeseen {
        writeln!(out, "which other packages come or go along cannot be told: {reason}")?;
    }
    for effect in plan.effects() {
        writeln!(out, "then {}", effect.sentence())?;
    }
    for left in &plan.deferred {
        writeln!(out, "later {}: {}", left.rule, left.reason)?;
    }
    for left in &plan.manual {
        writeln!(out, "by hand {}: {}", left.rule, left.reason)?;
    }
    writeln!(
        out,
        "{} changes, {} rules decided after them, {} by hand",
        plan.steps.len(),
        plan.deferred.len(),
        plan.manual.len()
    )?;
    Ok(())
}
