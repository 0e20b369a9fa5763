//! Results for other tools: an XCCDF `TestResult` inside its benchmark, and an ARF (SCAP 1.2 asset reporting format).

use anyhow::Result;
use xccdf::arf::Arf;
use xccdf::result::{FQDN, HOST_NAME, Identity, TailoringUsed, TargetFact};
use xccdf::{TestResult, score};

use super::report::Judged;
use super::{Request, now};
use crate::report::Host;
use crate::report::file::put;
use crate::system::System;

impl Judged<'_> {
    /// Writes the results that were asked for, each file whole or not at all.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write_results(&self, system: &System, request: &Request, started: &str) -> Result<()> {
        if request.results.is_none() && request.arf.is_none() {
            return Ok(());
        }
        let result = self.test_result(&Host::of(system), started);
        if let Some(path) = &request.results {
            put(path, &|out| result.write_within(self.checklist, out))?;
        }
        if let Some(path) = &request.arf {
            let tailoring = self.tailoring.last();
            let arf = Arf { checklist: self.checklist, result: &result, tailoring, reports: &[] };
            put(path, &|out| arf.write(out))?;
        }
        Ok(())
    }

    fn test_result(&self, host: &Host, started: &str) -> TestResult {
        let name = if host.name.is_empty() { "localhost" } else { &host.name };
        let root = nix::unistd::geteuid().is_root();
        TestResult {
            title: "Audit".to_owned(),
            tailoring: self.tailoring.last().map(|own| TailoringUsed::new(own, &own.source)),
            start: Some(started.to_owned()),
            end: now(),
            test_system: Some(format!("cpe:/a:trempe:agent:{}", env!("CARGO_PKG_VERSION"))),
            identity: Some(Identity {
                name: if root { "root" } else { "user" }.to_owned(),
                authenticated: false,
                privileged: root,
            }),
            targets: vec![name.to_owned()],
            facts: vec![TargetFact::new(FQDN, name), TargetFact::new(HOST_NAME, name)],
            platforms: self.evaluation.platforms.clone(),
            results: self.evaluation.results.clone(),
            scores: score::scores(self.benchmark, &self.evaluation.results),
            ..TestResult::new(self.benchmark, self.policy, self.checklist.href())
        }
    }
}
