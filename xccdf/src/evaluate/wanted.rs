//! What a run may ask of engines, known before it starts.

use super::Run;
use super::check::Chosen;
use super::system::Wanted;
use crate::benchmark::Item;
use crate::check::{Check, CheckPart, ComplexCheck};
use crate::cpe::Platforms;
use std::collections::HashSet;

/// Everything that may be asked, each once: checks in document order, then facts.
pub(super) fn wanted(run: &Run<'_>, platforms: &Platforms) -> Vec<Wanted> {
    let mut wanted = Vec::new();
    let mut names: Vec<&[String]> = vec![&run.benchmark.platforms];
    let mut visited = HashSet::new();
    for (n, node) in run.index.nodes.iter().enumerate() {
        let Item::Rule(rule) = node.item else { continue };
        if !run.selected(n, &rule.head.id) {
            continue;
        }
        match run.chosen(rule) {
            Some(Chosen::Simple(check)) => of_check(run, check, &mut wanted),
            Some(Chosen::Complex(complex)) => of_complex(run, complex, &mut wanted),
            None => {}
        }
        names.push(&rule.platforms);
        let mut around = node.parent;
        while let Some(group) = around.filter(|group| visited.insert(*group)) {
            let Some(node) = run.index.nodes.get(group) else { break };
            if let Item::Group(group) = node.item {
                names.push(&group.platforms);
            }
            around = node.parent;
        }
    }
    let mut seen = HashSet::new();
    let names: Vec<String> =
        names.into_iter().flatten().filter(|name| seen.insert(name.as_str())).cloned().collect();
    wanted.extend(platforms.facts(&names).into_iter().cloned().map(Wanted::Fact));
    wanted
}

fn of_check(run: &Run<'_>, check: &Check, wanted: &mut Vec<Wanted>) {
    let Some(exports) = run.exports(check) else { return };
    if !run.system.evaluates(&check.system) {
        return;
    }
    wanted.extend(check.content_refs.iter().map(|reference| Wanted::Check {
        system: check.system.clone(),
        href: reference.href.clone(),
        name: reference.name.clone(),
        exports: exports.clone(),
    }));
}

fn of_complex(run: &Run<'_>, complex: &ComplexCheck, wanted: &mut Vec<Wanted>) {
    for part in &complex.parts {
        match part {
            CheckPart::Check(check) => of_check(run, check, wanted),
            CheckPart::Complex(inner) => of_complex(run, inner, wanted),
        }
    }
}
