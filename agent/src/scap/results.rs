//! Results in XCCDF's own terms, for other tools.

use xccdf::result::TailoringUsed;
use xccdf::{CheckPart, TestResult, score};

use super::now;
use super::report::Judged;
use crate::report::Host;
use crate::report::clean::{clean, shown};
use crate::report::xccdf::run_on;
use crate::system::System;

/// The machine that OVAL results are of.
pub fn machine(system: &System, result: &TestResult) -> oval::Machine {
    let host = Host::of(system);
    let architecture = if system.is_running() { std::env::consts::ARCH } else { "" };
    oval::Machine {
        name: host.name,
        os: host.os,
        version: host.os_version,
        architecture: architecture.to_owned(),
        time: result.end.clone(),
    }
}

impl Judged<'_> {
    /// The results.
    pub fn test_result(&self, host: &Host, started: &str) -> TestResult {
        let mut results = self.evaluation.results.clone();
        // What a script says may be more than XML can carry.
        for result in &mut results {
            result.messages.iter_mut().for_each(|message| *message = shown(message));
            result.check.iter_mut().for_each(clean_imports);
        }
        let of_content = TestResult::new(self.benchmark, self.policy, self.checklist.href());
        TestResult {
            id: of_content.id,
            benchmark: of_content.benchmark,
            profile: of_content.profile,
            values: of_content.values,
            tailoring: self.tailoring.last().map(|own| TailoringUsed::new(own, &own.source)),
            platforms: self.evaluation.platforms.clone(),
            scores: score::scores(self.benchmark, &results),
            results,
            ..run_on(host, started, &now())
        }
    }
}

/// What an engine hands back, as far as XML can carry it.
fn clean_imports(part: &mut CheckPart) {
    match part {
        CheckPart::Check(check) => {
            check.imports.iter_mut().for_each(|import| import.content = clean(&import.content).into_owned());
        }
        CheckPart::Complex(complex) => complex.parts.iter_mut().for_each(clean_imports),
    }
}
