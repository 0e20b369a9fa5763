//! The report as one page for a browser: no file beside it, nothing fetched, filters and search in the page itself.
//!
//! Everything is in the page as text before its script runs, so it can be read without, printed and searched. What a machine says is
//! escaped ([`super::clean`]); besides, the page's own policy lets nothing run or be fetched but the style and script that are
//! written with it. `page` is the frame, shared with the fleet's page.

pub mod page;

use std::io::{self, Write};

use page::Page;

use super::clean::{Escaped, PIECES, bounded};
use super::{Report, Row};
use crate::finding::{Evidence, State};
use crate::inspect::Verdict;
use crate::policy::Exception;

const SCRIPT: &str = concat!(include_str!("page.js"), include_str!("rules.js"));
/// How many rules are named to begin with.
const FIRST: usize = 10;
/// The most characters of a diff.
const DIFF: usize = 20_000;

/// Writes a report.
///
/// # Errors
/// When it cannot be written.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let asked = report.policy.asked();
    let title = format!("{} · {} against {asked}", report.host_name(), report.action);
    let page = Page { title: &title, script: SCRIPT };
    page.begin(out)?;
    head(report, out)?;
    let rows = report.worst_first();
    first(report, &rows, out)?;
    for problem in &report.problems {
        writeln!(out, "<p class=\"note bad\"><b>Problem</b> {}</p>", Escaped(problem))?;
    }
    for note in &report.notes {
        writeln!(out, "<p class=note><b>Note</b> {}</p>", Escaped(note))?;
    }
    exceptions(&rows, out)?;
    filters(&rows, out)?;
    rows.iter().try_for_each(|row| rule(row, report, out))?;
    writeln!(
        out,
        "<p id=none hidden>No rule is like that. <button type=button id=reset>Show all</button></p>"
    )?;
    facts(report, out)?;
    page.end(out)
}

fn head(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let host = &report.host;
    writeln!(
        out,
        "<header><h1>{}</h1><p>{} of {} {} against <b>{}</b>, {}</p></header>",
        Escaped(report.host_name()),
        Escaped(&report.action),
        Escaped(&host.os),
        Escaped(&host.os_version),
        Escaped(report.policy.asked()),
        page::time(&report.finished),
    )?;
    writeln!(
        out,
        "<section class=tiles aria-label=Summary><div class=score><b>{:.1}</b> of 100\
         <meter min=0 max=100 low=70 high=90 optimum=100 value={:.2}></meter></div>",
        report.score.value, report.score.value
    )?;
    for (verdict, count) in report.summary.counts().into_iter().filter(|(_, count)| *count > 0) {
        let word = verdict.as_str();
        // What nobody asked for is not in the page.
        let told = report.rules.iter().any(|row| row.result == verdict && row.is_told());
        let off = if told { "" } else { " disabled" };
        writeln!(
            out,
            "<button type=button class={word} data-show={word}{off}><b>{count}</b> {word}</button>"
        )?;
    }
    writeln!(out, "</section>")
}

/// What to do first: what is over, then the gravest that fail.
fn first(report: &Report, rows: &[&Row], out: &mut dyn Write) -> io::Result<()> {
    let deviating: Vec<&&Row> = rows.iter().filter(|row| row.deviates()).collect();
    if deviating.is_empty() {
        let met = rows.iter().any(|row| matches!(row.result, Verdict::Pass | Verdict::Fixed));
        return match (met, report.problems.is_empty()) {
            (true, true) => writeln!(out, "<p class=\"note good\">Everything that was asked for is met.</p>"),
            (false, true) => writeln!(out, "<p class=note>No rule could be judged here.</p>"),
            (_, false) => Ok(()),
        };
    }
    writeln!(out, "<section><h2>What to do first</h2><ol class=first>")?;
    for row in deviating.iter().take(FIRST) {
        let change = row.changes.first().map(|change| format!("apply would {change}"));
        let todo = change.filter(|_| row.result == Verdict::Fail).unwrap_or_else(|| row.why());
        writeln!(
            out,
            "<li><a href=\"#r-{}\">{}</a> <span class=sev>{}</span><br><span class=dim>{}</span></li>",
            Escaped(&row.id),
            Escaped(title(row)),
            Escaped(&row.severity),
            Escaped(&bounded(&todo, 300))
        )?;
    }
    writeln!(out, "</ol>")?;
    let more = deviating.len().saturating_sub(FIRST);
    if more > 0 {
        writeln!(out, "<p class=dim>and {more} more below</p>")?;
    }
    writeln!(out, "</section>")
}

fn exceptions(rows: &[&Row], out: &mut dyn Write) -> io::Result<()> {
    let excepted: Vec<(&Row, &Exception)> =
        rows.iter().filter_map(|row| Some((*row, row.exception.as_ref()?))).collect();
    if excepted.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "<section><h2>Exceptions</h2><div class=wide><table><thead><tr><th>Rule<th>Until<th>Owner<th>Reason<th>Written in\
         </thead><tbody>"
    )?;
    for (row, own) in excepted {
        writeln!(
            out,
            "<tr><td><a href=\"#r-{}\">{}</a><td>{}<td>{}<td>{}<td>{}",
            Escaped(&row.id),
            Escaped(&row.id),
            until(own),
            Escaped(&own.owner),
            Escaped(&own.reason),
            Escaped(&own.source)
        )?;
    }
    writeln!(out, "</tbody></table></div></section>")
}

/// The end of an exception, as HTML.
pub fn until(exception: &Exception) -> String {
    let day = Escaped(exception.until.as_deref().unwrap_or("no end")).to_string();
    if exception.expired { format!("<b class=fail>over since {day}</b>") } else { day }
}

/// The sections of the CIS benchmark that a rule stands in: the first two parts of its number.
fn section(row: &Row) -> String {
    let number = row.references.cis.first().map(String::as_str).unwrap_or_default();
    number.split('.').take(2).collect::<Vec<_>>().join(".")
}

fn filters(rows: &[&Row], out: &mut dyn Write) -> io::Result<()> {
    let options = |values: Vec<String>| {
        values.iter().map(|value| format!("<option>{}</option>", Escaped(value))).collect::<String>()
    };
    let different = |of: &dyn Fn(&Row) -> String| {
        let mut values: Vec<String> =
            rows.iter().map(|row| of(row)).filter(|value| !value.is_empty()).collect();
        values.sort_unstable();
        values.dedup();
        values
    };
    let mut severities = different(&|row| row.severity.clone());
    severities.sort_by_key(|severity| super::severity_rank(severity));
    let mut sections = different(&section);
    sections.sort_by_key(|section| {
        section.split('.').map(|part| part.parse::<u32>().unwrap_or(u32::MAX)).collect::<Vec<_>>()
    });
    let results = different(&|row| row.result.as_str().to_owned());
    writeln!(
        out,
        "<section id=rules><h2>Rules</h2><form id=filters role=search>\
         <label>Search <input type=search id=q autocomplete=off spellcheck=false aria-keyshortcuts=/></label>\
         <label>Result <select id=result><option value=\"\">all</option><option value=attention>wants attention</option>{}</select></label>\
         <label>Severity <select id=severity><option value=\"\">all</option>{}</select></label>\
         <label>CIS section <select id=section><option value=\"\">all</option>{}</select></label>\
         <label><input type=checkbox id=excepted> with exception</label>\
         <button type=button id=open>Open all</button></form>\
         <p class=\"dim count\"><output id=count>{} rules</output><span class=keys>\
         <kbd>/</kbd> search <kbd>j</kbd> <kbd>k</kbd> next, previous <kbd>Enter</kbd> open <kbd>Esc</kbd> all</span></p></section>",
        options(results),
        options(severities),
        options(sections),
        rows.len(),
    )
}

fn title(row: &Row) -> &str {
    if row.title.is_empty() { &row.id } else { &row.title }
}

fn rule(row: &Row, report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let result = row.result.as_str();
    let numbers = |name: &str, numbers: &[String]| match numbers {
        [] => String::new(),
        numbers => format!("<span class=ref>{name} {}</span> ", Escaped(&numbers.join(", "))),
    };
    writeln!(
        out,
        "<details id=\"r-{}\" class=rule data-r={result} data-s=\"{}\" data-c=\"{}\"{}{}><summary><span class=\"res {result}\">{result}\
         </span> <span><b>{}</b> <span class=sev>{}</span> <code>{}</code> {}{}</span></summary>",
        Escaped(&row.id),
        Escaped(&row.severity),
        Escaped(&section(row)),
        if row.exception.is_some() { " data-x" } else { "" },
        if row.deviates() { " data-a" } else { "" },
        Escaped(title(row)),
        Escaped(&row.severity),
        Escaped(&row.id),
        numbers("CIS", &row.references.cis),
        numbers("ANSSI", &row.references.anssi),
    )?;
    if let Some(reason) = &row.reason {
        writeln!(out, "<p>{}</p>", Escaped(reason))?;
    }
    evidence(&row.evidence, out)?;
    if !row.changes.is_empty() {
        let what = if row.result == Verdict::Fixed { "Changed" } else { "Would be changed" };
        let changes: String = row.changes.iter().map(|change| format!("<li>{}", Escaped(change))).collect();
        writeln!(out, "<h3>{what}</h3><ul>{changes}</ul>")?;
    }
    let planned = report.plan.iter().flat_map(|plan| &plan.steps).filter(|step| step.rule == row.id);
    for diff in planned.map(|step| &step.diff).chain(&row.diffs).filter(|diff| !diff.is_empty()) {
        self::diff(diff, out)?;
    }
    if let Some(own) = &row.exception {
        writeln!(
            out,
            "<h3>Exception</h3><p>{} · {} · {} <span class=dim>{}</span></p>",
            until(own),
            Escaped(&own.owner),
            Escaped(&own.reason),
            Escaped(&own.source)
        )?;
    }
    writeln!(out, "</details>")
}

fn evidence(evidence: &[Evidence], out: &mut dyn Write) -> io::Result<()> {
    if evidence.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "<div class=wide><table><thead><tr><th>Found<th>Wanted<th>Where<th>State<th>Met</thead><tbody>"
    )?;
    for one in evidence.iter().take(PIECES) {
        let state = if one.state == State::Running { "now" } else { "at boot" };
        let (class, met) = if one.holds { ("pass", "yes") } else { ("fail", "no") };
        writeln!(
            out,
            "<tr><td>{}<td>{}<td><code>{}</code><td class=n>{state}<td class={class}>{met}",
            Escaped(&one.found),
            Escaped(&one.wanted),
            Escaped(&one.place)
        )?;
    }
    let more = evidence.len().saturating_sub(PIECES);
    if more > 0 {
        writeln!(out, "<tr><td colspan=5>and {more} more")?;
    }
    writeln!(out, "</tbody></table></div>")
}

fn diff(diff: &str, out: &mut dyn Write) -> io::Result<()> {
    write!(out, "<pre class=diff>")?;
    for line in bounded(diff, DIFF).lines() {
        let line = Escaped(line);
        match line.0.as_bytes().first() {
            Some(b'+') => writeln!(out, "<ins>{line}</ins>")?,
            Some(b'-') => writeln!(out, "<del>{line}</del>")?,
            _ => writeln!(out, "{line}")?,
        }
    }
    writeln!(out, "</pre>")
}

fn facts(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "<section><h2>About this report</h2><dl>")?;
    let Report { host, content, policy, .. } = report;
    let mut facts = vec![
        ("Machine", host.machine_id.clone()),
        ("Kernel", host.kernel.clone()),
        ("Content", format!("{} {} ({})", content.id, content.version, content.source)),
        ("Content SHA-256", content.sha256.clone()),
        ("Profile", policy.profile.clone()),
        ("Policy SHA-256", policy.sha256.clone()),
    ];
    facts.extend(policy.tailoring.iter().map(|file| ("Tailored by", file.clone())));
    facts.push(("Began", report.started.clone()));
    facts.push(("Score", format!("{:.2} by {}", report.score.value, report.score.system)));
    facts.push(("Agent", report.agent.clone()));
    for (name, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
        writeln!(out, "<dt>{name}<dd>{}", Escaped(value))?;
    }
    writeln!(out, "</dl></section>")
}
