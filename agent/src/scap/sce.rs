//! Checks by scripts (SCE): the text of a script from the content, run as OpenSCAP runs it.

use std::time::Duration;

use oval::Evidence;
use xccdf::evaluate::sce;
use xccdf::evaluate::system::{Answer, Request};
use xccdf::{Checklist, Document, Outcome};

use super::engine::beside;
use crate::system::{System, script};

/// So much of what a script says is told.
const MOST_LINES: usize = 10;
const MOST_CHARACTERS: usize = 200;

/// Runs a script, for so long at most; what it says is the evidence.
pub fn check(
    checklist: &Checklist<'_>,
    machine: &System,
    limit: Duration,
    request: &Request<'_>,
) -> (Answer, Vec<Evidence>) {
    let failed =
        |outcome: Outcome, why: String| (Answer { messages: vec![why], ..outcome.into() }, Vec::new());
    let Some(text) = text(checklist, request.href) else { return (Outcome::NotChecked.into(), Vec::new()) };
    if !machine.is_running() {
        return failed(Outcome::NotChecked, "only a running system runs scripts".to_owned());
    }
    let ended = text.and_then(|text| {
        let environment = sce::environment(request.exports);
        script::run(request.href, &text, &environment, limit).map_err(|error| format!("{error:#}"))
    });
    let output = match ended {
        Ok(output) => output,
        Err(why) => return failed(Outcome::Error, why),
    };
    let said = output.stdout.lines().chain(output.stderr.lines()).filter(|line| !line.trim().is_empty());
    let told = said.take(MOST_LINES).map(|line| Evidence {
        place: request.href.to_owned(),
        found: line.trim().chars().take(MOST_CHARACTERS).collect(),
        wanted: String::new(),
    });
    (sce::answer(request, output.code, &output.stdout, &output.stderr), told.collect())
}

/// The text of a script: in the content, or beside it. `None` when the name leads nowhere, or to another machine.
fn text(checklist: &Checklist<'_>, href: &str) -> Option<Result<String, String>> {
    match checklist.document(href) {
        Document::Here(fragment) => {
            let strange = || format!("{href} holds something else than a script");
            Some(fragment.content().ok_or_else(strange))
        }
        Document::Elsewhere(place) => beside(checklist, place),
        Document::Unknown => None,
    }
}
