//! `agent explain RULE`: why it is asked for, how it is checked, what it would change here, how to except it.

use std::fmt::Write;

use anyhow::{Context, Result, bail};
use xccdf::short_id;

use super::{configuration, request};
use crate::cli::{Explain, Notation, Selection};
use crate::content::{Catalogue, Rule, TIERS, Value, references};
use crate::exit::Exit;
use crate::inspect::{Verdict, inspect};
use crate::plan::plan;
use crate::policy::{Check, Policy, PolicyRule, Request, resolve};
use crate::report::text::{Style, wrapped};
use crate::scap;
use crate::setting::Setting;
use crate::system::System;

/// Runs the command.
///
/// # Errors
/// When there is no such rule, or configuration or tailoring are not understood.
pub fn run(args: &Explain) -> Result<Exit> {
    if let Some(content) = &args.content {
        super::print(Notation::Text, &of_content(content, args)?, &())?;
        return Ok(Exit::Good);
    }
    let catalogue = Catalogue::embedded()?;
    let mut system = System::open(&args.root)?;
    let selection = Selection {
        tier: args.tier.clone(),
        profile: None,
        tailoring: args.tailoring.clone(),
        no_config: args.no_config,
        rule: vec![args.rule.clone()],
        root: args.root.clone(),
        ..Selection::default()
    };
    let mut request = request(&selection, &system, configuration(&selection, &system)?)?;
    if request.tier.is_none() && request.tailoring.is_empty() {
        request.tier = Some("strict".to_owned());
    }
    let product = system.os()?.product();
    let policy = resolve(&catalogue, &request, &product)?;
    let id = short_id(&args.rule);
    let chosen = args.tier.is_some() || !request.tailoring.is_empty();
    let tiers = if chosen { Vec::new() } else { tiers_with(id, &catalogue, &request, &product)? };
    let (written, bound) =
        catalogue.rule(id).zip(policy.rules.iter().find(|rule| rule.id == id)).context("no such rule")?;
    let mut text = String::new();
    about(&mut text, written, bound, &policy, &tiers)?;
    values(&mut text, &catalogue, written, bound)?;
    here(&mut text, bound, &mut system)?;
    excepting(&mut text, bound, &policy.tier)?;
    super::print(Notation::Text, &text, &())?;
    Ok(Exit::Good)
}

/// What content of others says of a rule, and, where a profile is named, how this machine stands.
fn of_content(content: &str, args: &Explain) -> Result<String> {
    let rule = scap::rule(content, &args.rule)?;
    let mut out = String::new();
    writeln!(out, "{}\n{}", short_id(&rule.head.id), rule.head.title.plain())?;
    writeln!(out, "{} severity", rule.severity.unwrap_or(xccdf::Severity::Unknown).word())?;
    section(&mut out, "What", &rule.head.description.plain())?;
    section(&mut out, "Why", &rule.rationale.plain())?;
    let warnings: Vec<String> = rule.head.warnings.iter().map(|warning| warning.text.plain()).collect();
    section(&mut out, "What to beware of", &warnings.join(" "))?;
    let idents: Vec<&str> = rule.idents.iter().map(|ident| ident.name.as_str()).collect();
    section(&mut out, "Known as", &idents.join(", "))?;
    let fixes: Vec<&str> = rule.fixes.iter().filter_map(|fix| fix.system.as_deref()).collect();
    section(&mut out, "Ways to mend it in the content", &fixes.join(", "))?;
    if args.tier.is_none() && args.profile.is_none() && args.tailoring.is_empty() {
        return Ok(out);
    }
    let request = scap::Request {
        content: content.to_owned(),
        tier: args.tier.clone(),
        profile: args.profile.clone(),
        tailoring: args.tailoring.clone(),
        rules: vec![args.rule.clone()],
        root: args.root.clone(),
        script_limit: scap::SCRIPT_LIMIT,
    };
    let report = scap::audit(&request, &System::open(&args.root)?, &|_, _| Ok(()))?;
    let id = short_id(&rule.head.id);
    let Some(row) = report.rules.iter().find(|row| row.id == id) else { return Ok(out) };
    writeln!(out, "\nOn this machine: {}", row.result.as_str())?;
    write!(out, "{}", wrapped(row.reason.as_deref().unwrap_or_default(), "  ", "  "))?;
    for evidence in &row.evidence {
        write!(out, "{}", crate::report::text::evidence(evidence, &Style::default()))?;
    }
    Ok(out)
}

/// A heading with a paragraph below it, when there is something to say.
fn section(out: &mut String, heading: &str, text: &str) -> Result<()> {
    if !text.is_empty() {
        write!(out, "\n{heading}\n{}", wrapped(text, "  ", "  "))?;
    }
    Ok(())
}

/// The tiers that ask for a rule, of an operating system.
fn tiers_with(
    id: &str,
    catalogue: &Catalogue,
    request: &Request,
    product: &str,
) -> Result<Vec<&'static str>> {
    let mut found = Vec::new();
    for tier in TIERS {
        let request = Request { tier: Some(tier.to_owned()), ..request.clone() };
        let policy = resolve(catalogue, &request, product)?;
        if policy.rules.iter().any(|rule| rule.id == id && rule.not_selected.is_none()) {
            found.push(tier);
        }
    }
    Ok(found)
}

/// `tiers` ask for it, where nobody has chosen one.
fn about(
    out: &mut String,
    written: &Rule,
    bound: &PolicyRule,
    policy: &Policy,
    tiers: &[&str],
) -> Result<()> {
    writeln!(out, "{}\n{}", bound.id, bound.title)?;
    let asked = match &bound.not_selected {
        None if !tiers.is_empty() => format!("asked for by {}", tiers.join(", ")),
        None => format!("asked for by {}", short_id(&policy.profile)),
        Some(reason) => format!("not asked for by {}: {reason}", short_id(&policy.profile)),
    };
    write!(out, "{}", wrapped(&format!("{} severity, {asked}", bound.severity.as_str()), "", ""))?;
    section(out, "Why", &bound.rationale)?;
    let Check::Setting { applies, ensure, instead } = &bound.check;
    let mut how = ensure.describe();
    for (condition, kind) in instead {
        write!(how, "; where {condition}: {}", kind.describe())?;
    }
    section(out, "How it is checked", &how)?;
    let conditions: Vec<String> = applies.iter().map(ToString::to_string).collect();
    section(out, "Only where", &conditions.join(", and "))?;
    section(out, "What may break", &bound.risk)?;
    let mut notes = Vec::new();
    if bound.access {
        notes.push(
            "It decides who gets in: it is applied last, and the light tier has nothing like it.".to_owned(),
        );
    }
    if written.reboot {
        notes.push("It takes effect at the next boot.".to_owned());
    }
    if !bound.check_only.is_empty() {
        notes.push(format!("It is checked and not mended: {}.", bound.check_only));
    }
    section(out, "Note", &notes.join(" "))?;
    let cis = written.cis.iter().map(|(product, numbers)| format!("CIS {product} {numbers}"));
    let anssi = written.anssi.iter().map(|number| format!("ANSSI-BP-028 {number}"));
    section(out, "References", &cis.chain(anssi).collect::<Vec<_>>().join(", "))
}

/// The values it uses: what they are now, and what they may be.
fn values(out: &mut String, catalogue: &Catalogue, written: &Rule, bound: &PolicyRule) -> Result<()> {
    let used = references(&serde_json::to_value((&written.ensure, &written.instead, &written.applies))?);
    if used.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nValues")?;
    for value in catalogue.values().filter(|value| used.contains(&value.id)) {
        let now = bound.values.get(&value.id).map_or("", String::as_str);
        write!(
            out,
            "{}",
            wrapped(&format!("{} = {now}: {}{}", value.id, value.title, choices(value)), "  ", "    ")
        )?;
    }
    Ok(())
}

fn choices(value: &Value) -> String {
    let named: Vec<String> = value.selectors.iter().map(|(name, text)| format!("{text} ({name})")).collect();
    if named.is_empty() { String::new() } else { format!("; choices: {}", named.join(", ")) }
}

/// How the machine stands, and what would change.
fn here(out: &mut String, bound: &PolicyRule, system: &mut System) -> Result<()> {
    let rule = PolicyRule { not_selected: None, ..bound.clone() };
    let policy = Policy { rules: vec![rule], ..Policy::default() };
    let outcomes = inspect(&policy, system, &|_| ());
    let Some(outcome) = outcomes.first() else { bail!("{} was not inspected", bound.id) };
    writeln!(out, "\nOn this machine: {}", outcome.verdict.as_str())?;
    if let Some(reason) = &outcome.reason {
        write!(out, "{}", wrapped(reason, "  ", "  "))?;
    }
    for evidence in &outcome.finding.evidence {
        write!(out, "{}", crate::report::text::evidence(evidence, &Style::default()))?;
    }
    if outcome.verdict != Verdict::Fail {
        return Ok(());
    }
    let plan = plan(&policy, &outcomes, system)?;
    for step in &plan.steps {
        write!(out, "\nWould {}\n{}", step.sentence, indented(&step.diff))?;
    }
    for left in plan.manual.iter().chain(&plan.deferred) {
        section(out, "To be mended by hand", &left.reason)?;
    }
    Ok(())
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}").trim_end().to_owned() + "\n").collect()
}

fn excepting(out: &mut String, bound: &PolicyRule, tier: &str) -> Result<()> {
    if let Some(exception) = &bound.exception {
        write!(out, "\nException\n{}", crate::report::text::exception(exception, &Style::default()))?;
    }
    if bound.not_selected.is_some() {
        return Ok(());
    }
    let tier = if tier.is_empty() { "standard" } else { tier };
    writeln!(
        out,
        "\nTo except it\n  agent tailor --tier {tier} --except {} \\\n      --reason 'why' --owner 'who' --until YYYY-MM-DD -o site.xml",
        bound.id
    )?;
    Ok(())
}
