//! A fleet as one page for a browser: machines, rules, and who of them does not meet which.
//!
//! Every machine carries its verdicts as letters ([`super::rules::LETTERS`]), one for each rule of the page. From them the page's script
//! makes what is asked for: the rules that a machine does not meet, the machines that do not meet a rule, the matrix of both.

use std::io::{self, Write};

use anyhow::Result;
use xccdf::short_id;

use super::machine::Machine;
use super::rules::LETTERS;
use super::{Table, Totals};
use crate::report::clean::Escaped;
use crate::report::html::page::{Page, time};
use crate::report::html::until;
use crate::report::now;

const SCRIPT: &str = concat!(include_str!("../report/html/page.js"), include_str!("fleet.js"));
const PAGE: Page = Page { title: "Fleet", script: SCRIPT };

pub struct Html;

impl Table for Html {
    fn begin(&self, totals: &Totals, out: &mut dyn Write) -> io::Result<()> {
        PAGE.begin(out)?;
        let Totals { machines, deviating, overdue, .. } = totals;
        let good = machines.saturating_sub(*deviating);
        writeln!(
            out,
            "<header><h1>{machines} machines</h1><p>{}</p></header><section class=tiles aria-label=Summary>\
             <div class=score><b>{:.1}</b> of 100, mean\
             <meter min=0 max=100 low=70 high=90 optimum=100 value={:.2}></meter></div>\
             <button type=button class=fail data-show=deviating><b>{deviating}</b> deviating</button>\
             <button type=button class=pass data-show=good><b>{good}</b> as they should be</button>\
             <button type=button class=error data-show=overdue><b>{overdue}</b> with an exception over</button></section>",
            time(&now()),
            totals.score(),
            totals.score(),
        )?;
        for problem in &totals.problems {
            writeln!(out, "<p class=\"note bad\"><b>Not read</b> {}</p>", Escaped(problem))?;
        }
        if totals.older > 0 {
            writeln!(
                out,
                "<p class=note>{} older results of the same machines are left out.</p>",
                totals.older
            )?;
        }
        writeln!(
            out,
            "<section id=machines><h2>Machines</h2><form id=filters role=search>\
             <label>Search <input type=search id=q autocomplete=off spellcheck=false aria-keyshortcuts=/></label>\
             <label>Show <select id=show><option value=\"\">all</option><option value=deviating>deviating</option>\
             <option value=good>as they should be</option><option value=overdue>with an exception over</option></select></label>\
             <label>Asked <select id=asked><option value=\"\">all</option></select></label></form>\
             <p class=\"dim count\"><output id=count>{machines} machines</output><span class=keys><kbd>/</kbd> search \
             <kbd>j</kbd> <kbd>k</kbd> next, previous <kbd>Enter</kbd> open <kbd>Esc</kbd> all</span></p>\
             <div class=wide><table class=list><thead><tr><th>Machine<th>System<th>Asked<th class=n>Score<th class=n>High<th class=n>Fail\
             <th class=n>Error<th>Exceptions<th>Policy<th>Looked at</thead><tbody>"
        )
    }

    fn machine(&self, machine: &Machine<'_>, out: &mut Vec<u8>) -> Result<()> {
        let (report, bad) = (machine.report, machine.badness);
        let mut state = vec![if bad.deviates() { "deviating" } else { "good" }];
        if bad.overdue > 0 {
            state.push("overdue");
        }
        let count = |count: u32, class: &str| match count {
            0 => "<td class=\"n dim\">0".to_owned(),
            count => format!("<td class=\"n {class}\">{count}"),
        };
        let asked = short_id(report.policy.asked());
        writeln!(
            out,
            "<tr class=machine data-v=\"{}\" data-w=\"{}\" data-t=\"{}\" title=\"{}\"><td><button type=button class=more aria-expanded=false>{}</button>{}\
             <td class=os>{} {}<td>{}<td class=n>{:.1}{}{}{}",
            machine.letters,
            state.join(" "),
            Escaped(asked),
            Escaped(&machine.path.to_string_lossy()),
            Escaped(machine.name()),
            problems(machine),
            Escaped(&report.host.os),
            Escaped(&report.host.os_version),
            Escaped(asked),
            report.score.value,
            count(bad.high, "fail"),
            count(bad.fail, "fail"),
            count(bad.error, "error"),
        )?;
        exceptions(machine, out)?;
        let policy: String = report.policy.sha256.chars().take(12).collect();
        writeln!(
            out,
            "<td><code title=\"content {} {}\">{}</code><td>{}",
            Escaped(&report.content.id),
            Escaped(&report.content.version),
            Escaped(&policy),
            time(&report.finished),
        )?;
        Ok(())
    }

    fn end(&self, totals: &Totals, out: &mut dyn Write) -> io::Result<()> {
        writeln!(
            out,
            "</tbody></table></div><p id=none hidden>No machine is like that. <button type=button id=reset>Show all</button></p></section>\
             <section id=rules><h2>Rules</h2><p class=dim>those first that the most machines do not meet</p>\
             <div class=wide><table class=list><thead><tr><th>Rule<th>Severity<th>CIS<th class=n>Fail<th class=n>Error<th class=n>Met\
             <th class=n>Excepted<th class=n>Not for it</thead><tbody>"
        )?;
        for (place, rule) in totals.rules.worst_first() {
            let bad = if rule.count("feu") > 0 { " data-a" } else { "" };
            writeln!(
                out,
                "<tr class=law data-n={place} data-i=\"{}\"{bad}><td><button type=button class=more aria-expanded=false>{}</button> <code>{}</code>\
                 <td>{}<td>{}<td class=\"n fail\">{}<td class=\"n error\">{}<td class=\"n pass\">{}<td class=n>{}<td class=\"n dim\">{}",
                Escaped(&rule.id),
                Escaped(if rule.title.is_empty() { &rule.id } else { &rule.title }),
                Escaped(&rule.id),
                Escaped(&rule.severity),
                Escaped(&rule.cis),
                rule.count("f"),
                rule.count("eu"),
                rule.count("px"),
                rule.count("w"),
                rule.count("nci"),
            )?;
        }
        let legend: String = LETTERS
            .iter()
            .filter(|(letter, _)| "pxfeuw".contains(*letter))
            .map(|(letter, word)| format!("<span><i class=\"v-{letter}\"></i> {word}</span>"))
            .collect();
        writeln!(
            out,
            "</tbody></table></div></section><section><h2>Machines and rules</h2><details id=matrix><summary>Matrix of what is not met</summary>\
             <p class=\"dim legend\">{legend}</p><p class=dim id=drawn></p><div class=wide id=grid></div></details></section>"
        )?;
        PAGE.end(out)
    }
}

/// What a machine's run as a whole ran into, below its name.
fn problems(machine: &Machine<'_>) -> String {
    machine
        .problems()
        .map(|problem| format!("<div class=error>problem: {}</div>", Escaped(&problem)))
        .collect()
}

fn exceptions(machine: &Machine<'_>, out: &mut Vec<u8>) -> Result<()> {
    let all = machine.report.rules.iter().filter_map(|row| Some((row, row.exception.as_ref()?)));
    let all: Vec<String> = all
        .map(|(row, own)| {
            format!(
                "<li>{} {} <span class=dim>{} {}</span>",
                Escaped(&row.id),
                until(own),
                Escaped(&own.owner),
                Escaped(&own.reason)
            )
        })
        .collect();
    match all.len() {
        0 => write!(out, "<td class=dim>none")?,
        count => write!(out, "<td><details><summary>{count}</summary><ul>{}</ul></details>", all.concat())?,
    }
    Ok(())
}
