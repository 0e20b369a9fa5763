//! Results for other tools: an XCCDF `TestResult` inside its benchmark, and an ARF (SCAP 1.2 asset reporting format).

use std::fs::Permissions;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, Result};
use xccdf::arf::Arf;
use xccdf::result::{FQDN, HOST_NAME, Identity, TailoringUsed, TargetFact};
use xccdf::{TestResult, score};

use super::report::Judged;
use super::{Request, now};
use crate::report::Host;
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

fn put(path: &Path, write: &dyn Fn(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let written = || -> Result<()> {
        let readable = Permissions::from_mode(0o644);
        let file = tempfile::Builder::new().permissions(readable).tempfile_in(directory)?;
        let mut out = BufWriter::new(file);
        write(&mut out)?;
        let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    };
    written().with_context(|| format!("writing {}", path.display()))
}
