//! `agent plan` and `agent apply` by content of others: it judges, and its fixes or the catalogue's rules mend.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use xccdf::{Content, Kind, Profile, SetValue, Text, short_id};

use super::apply::{agreed, allowed, keep, stop_on_signals};
use super::{say, tell};
use crate::apply::planned::carry_out;
use crate::apply::{Control, Watch};
use crate::cli::{Apply, Fixes, Foreign, PlanArgs, Selection};
use crate::content::{Catalogue, xccdf_id};
use crate::drift;
use crate::exit::Exit;
use crate::fix;
use crate::fix::sandbox::Limits;
use crate::inspect::{Verdict, inspect};
use crate::plan::{Left, Plan, plan as plan_policy};
use crate::policy::{self, Policy, make};
use crate::report::Report;
use crate::scap::{self, Request};
use crate::system::System;

/// What is asked of content of others. The machine's own configuration is about the catalogue, and does not count.
///
/// # Errors
/// When a configuration is named for this run.
pub fn request(content: &str, selection: &Selection) -> Result<Request> {
    if selection.config.is_some() {
        bail!("--config is about the catalogue: with --content, give exceptions as --tailoring");
    }
    Ok(Request {
        content: content.to_owned(),
        tier: selection.tier.clone(),
        profile: selection.profile.clone(),
        tailoring: selection.tailoring.clone(),
        rules: selection.rule.clone(),
        root: selection.root.clone(),
        script_limit: Duration::from_secs(selection.script_limit),
    })
}

/// Shows what would be changed.
///
/// # Errors
/// When the machine cannot be judged, or the plan cannot be made or written.
pub fn plan(content: &str, args: &PlanArgs) -> Result<Exit> {
    let request = request(content, &args.selection)?;
    let mut system = System::open(&args.selection.root)?;
    let (mut report, mut plan) = planned(&request, &args.foreign, &BTreeSet::new(), &mut system)?;
    plan.foresee(&system);
    report.action = "plan".to_owned();
    report.set_changes(&plan.steps);
    report.plan = Some(plan);
    tell(&report, &args.output, &|_, _| bail!("a plan has no results to write as XCCDF: 'agent audit' has"))?;
    Ok(report.exit())
}

/// Makes the changes, and judges again.
///
/// # Errors
/// When the run could not begin, or its journal could not be kept.
pub fn apply(content: &str, args: &Apply, started: String) -> Result<Exit> {
    let request = request(content, &args.selection)?;
    let mut system = System::open(&args.selection.root)?;
    let confirm_within = allowed(args, &system)?;
    let id = started.replace(':', "-");
    let asking = Arc::new(AtomicBool::new(false));
    let stop = stop_on_signals(&asking)?;
    let ask = |plan: &Plan| agreed(plan, &asking);
    let control = Control {
        progress: &say,
        stop: &stop,
        confirm: if args.yes { None } else { Some(&ask) },
        watch: if system.is_running() { Watch::Accounts(None) } else { Watch::Off },
        confirm_within,
        ..Control::new(&say, &stop)
    };
    let mut before: Option<Report> = None;
    let mut left = Vec::new();
    let mut planner = |system: &mut System, without: &BTreeSet<String>| {
        let (report, plan) = planned(&request, &args.foreign, without, system)?;
        before.get_or_insert(report);
        left.splice(0..0, [plan.manual.clone(), plan.deferred.clone()].concat());
        Ok(plan)
    };
    let run = carry_out(&mut planner, &mut system, &id, &control)?;
    if run.declined {
        return Ok(Exit::Deviates);
    }
    let mut exit = Exit::Good;
    scap::audit(&request, &system, &|after, standard| {
        let mut report = after.clone();
        report.action = "apply".to_owned();
        report.started.clone_from(&started);
        report.set_changes(&run.steps);
        report.set_diffs(&run.steps);
        report.run.clone_from(&run.id);
        report.problems.clone_from(&run.problems);
        report.notes.clone_from(&run.notes);
        report.problems.extend(drift::forget(&system).err().map(|error| format!("{error:#}")));
        settle(&mut report, before.as_ref(), &left);
        if let Some(pending) = &run.pending {
            let until = &pending.until;
            report
                .notes
                .push(format!("all of it is taken back at {until} unless 'agent confirm' comes before"));
        }
        if !run.id.is_empty()
            && let Err(error) = keep(&report, &system, &run.id)
        {
            report.problems.push(format!("this report could not be kept: {error:#}"));
        }
        tell(&report, &args.output, standard)
    })
    .map(|after| {
        exit = if run.problems.is_empty() { after.exit() } else { Exit::Trouble };
    })?;
    Ok(exit)
}

/// What passes now and did not before is fixed; what fails still says why nothing was done.
fn settle(report: &mut Report, before: Option<&Report>, left: &[Left]) {
    for row in &mut report.rules {
        let was = before.and_then(|before| before.rules.iter().find(|own| own.id == row.id));
        if row.result == Verdict::Pass && was.is_some_and(|was| was.result == Verdict::Fail) {
            row.result = Verdict::Fixed;
        }
        if row.result == Verdict::Fail {
            let failed = report.problems.iter().find_map(|line| line.strip_prefix(&format!("{}: ", row.id)));
            let left = left.iter().find(|left| left.rule == row.id).map(|left| left.reason.as_str());
            row.reason = failed.or(left).map(str::to_owned);
        }
    }
    report.count();
}

/// Judges a machine by content, and plans what mends the rules that fail, `without` those. `system` ends up with all of it laid over.
fn planned(
    request: &Request,
    foreign: &Foreign,
    without: &BTreeSet<String>,
    system: &mut System,
) -> Result<(Report, Plan)> {
    let fixes = foreign.fixes;
    let report = scap::audit(request, system, &|_, _| Ok(()))?;
    let failing = report.rules.iter().filter(|row| row.result == Verdict::Fail && !without.contains(&row.id));
    let failing: Vec<&str> = failing.map(|row| row.xccdf_id.as_str()).collect();
    let catalogue = Catalogue::embedded()?;
    let known = |id: &&str| fixes != Fixes::Content && catalogue.rule(short_id(id)).is_some();
    let (ours, others): (Vec<&str>, Vec<&str>) = failing.into_iter().partition(known);
    let mut plan = Plan::default();
    if fixes == Fixes::Catalogue {
        let reason = "the catalogue has no rule of that name (--fixes both takes the fix of the content)";
        let left = |id: &&str| Left { rule: short_id(id).to_owned(), reason: reason.to_owned() };
        plan.manual.extend(others.iter().map(left));
    } else if !others.is_empty() {
        // Before the catalogue's rules, which see what these fixes leave; the fixes would not see what the rules leave.
        let rules = others.iter().map(|id| (*id).to_owned()).collect();
        let chosen = fix::of_policy(&Request { rules, ..request.clone() }, xccdf::fix::SHELL)?;
        let limits = Limits { seconds: foreign.fix_limit, ..Limits::default() };
        plan = fix::plan(&chosen, system, limits)?;
    }
    if !ours.is_empty() {
        let policy = by_catalogue(&catalogue, request, &ours, system)?;
        let outcomes = inspect(&policy, system, &|_| ());
        let mut own = plan_policy(&policy, &outcomes, system)?;
        plan.steps.append(&mut own.steps);
        plan.deferred.append(&mut own.deferred);
        plan.manual.append(&mut own.manual);
        plan.errors.append(&mut own.errors);
        let silent = outcomes.iter().filter(|outcome| outcome.verdict == Verdict::Pass);
        let reason = "the catalogue's rule of that name finds it met".to_owned();
        plan.manual.extend(silent.map(|outcome| Left { rule: outcome.rule.clone(), reason: reason.clone() }));
    }
    Ok((report, plan))
}

/// The catalogue's rules of these names, with the values of the content where both know them by the same name.
fn by_catalogue(catalogue: &Catalogue, request: &Request, rules: &[&str], system: &System) -> Result<Policy> {
    let mut profile = Profile {
        id: xccdf_id(Kind::Profile, "content"),
        title: Text::from(request.content.as_str()),
        extends: Some("strict".to_owned()),
        ..Profile::default()
    };
    rules.iter().for_each(|id| make::select(&mut profile, id));
    profile.set_values = scap::chosen(request, &|_, _, policy| {
        let shared =
            policy.values.iter().filter(|own| catalogue.values().any(|value| value.id == short_id(&own.id)));
        let set = |own: &xccdf::BoundValue| SetValue {
            idref: xccdf_id(Kind::Value, short_id(&own.id)),
            content: Content::One(own.content.to_string()),
            position: xccdf::Position::default(),
        };
        Ok(shared.map(set).collect())
    })?;
    let request = policy::Request {
        tailoring: vec![make::tailoring(profile, &request.content)],
        rules: rules.iter().map(|id| short_id(id).to_owned()).collect(),
        today: crate::config::today(),
        ..policy::Request::default()
    };
    let policy = policy::resolve(catalogue, &request, &system.os()?.product());
    policy.context("binding the catalogue's rules to the content's values")
}
