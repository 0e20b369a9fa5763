//! Writes results.

use super::item;
use super::value::content;
use super::xml::{Xml, flag};
use crate::NAMESPACE;
use crate::check::CheckPart;
use crate::result::{RuleResult, TestResult};
use crate::source::{Checklist, Spliced};
use std::io::{self, Write};

impl TestResult {
    /// Writes the result as a document of its own, which names its benchmark. OpenSCAP makes no report of such
    /// a document, but of those that [`TestResult::write_within`] and [`crate::arf::Arf::write`] write.
    ///
    /// # Errors
    /// Those of `out`, and a text that XML cannot carry.
    pub fn write(&self, mut out: impl Write) -> io::Result<()> {
        let mut xml = Xml::new(&mut out)?;
        write(&mut xml, self)?;
        xml.end()
    }

    /// Writes the benchmark as it is in its content, with the result inside. Results that are there already
    /// stay.
    ///
    /// # Errors
    /// Those of `out`, and a text that XML cannot carry.
    pub fn write_within(&self, checklist: &Checklist<'_>, mut out: impl Write) -> io::Result<()> {
        let mut xml = Xml::new(&mut out)?;
        let fragment = checklist.fragment();
        let spliced = Spliced::new(&fragment);
        xml.raw("\n")?;
        io::copy(&mut spliced.head(), xml.out())?;
        xml.inside(2, |xml| write(xml, self))?;
        xml.raw("\n")?;
        io::copy(&mut spliced.tail(), xml.out())?;
        xml.end()
    }

    /// The result as bytes.
    ///
    /// # Errors
    /// A text that XML cannot carry.
    pub fn to_xml(&self) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        self.write(&mut out).map(|()| out)
    }
}

pub(super) fn write(xml: &mut Xml<'_>, result: &TestResult) -> io::Result<()> {
    let attributes = [
        ("xmlns", Some(NAMESPACE)),
        ("id", Some(result.id.as_str())),
        ("start-time", result.start.as_deref()),
        ("end-time", Some(result.end.as_str())),
        ("version", Some(result.benchmark.version.as_str())),
        ("test-system", result.test_system.as_deref()),
    ];
    xml.parent("TestResult", &attributes, |xml| {
        head(xml, result)?;
        machine(xml, result)?;
        item::idrefs(xml, "platform", &result.platforms)?;
        for (id, value) in &result.values {
            content(xml, "set-value", &[("idref", Some(id))], value)?;
        }
        result.results.iter().try_for_each(|own| rule(xml, own))?;
        for score in &result.scores {
            let maximum = decimal(score.maximum.into());
            let attributes = [("system", Some(score.system.as_str())), ("maximum", Some(maximum.as_str()))];
            xml.leaf("score", &attributes, &decimal(score.value.into()))?;
        }
        Ok(())
    })
}

fn head(xml: &mut Xml<'_>, result: &TestResult) -> io::Result<()> {
    let benchmark = &result.benchmark;
    let attributes = [("href", Some(benchmark.href.as_str())), ("id", Some(benchmark.id.as_str()))];
    xml.leaf("benchmark", &attributes, "")?;
    if let Some(tailoring) = &result.tailoring {
        let attributes = [
            ("href", Some(tailoring.href.as_str())),
            ("id", Some(tailoring.id.as_str())),
            ("version", Some(tailoring.version.as_str())),
            ("time", Some(tailoring.time.as_str())),
        ];
        xml.leaf("tailoring-file", &attributes, "")?;
    }
    xml.leaf("title", &[], &result.title)?;
    if let Some(identity) = &result.identity {
        let attributes = [
            ("authenticated", flag(Some(identity.authenticated))),
            ("privileged", flag(Some(identity.privileged))),
        ];
        xml.leaf("identity", &attributes, &identity.name)?;
    }
    match &result.profile {
        Some(profile) => xml.leaf("profile", &[("idref", Some(profile))], ""),
        None => Ok(()),
    }
}

/// What was looked at.
fn machine(xml: &mut Xml<'_>, result: &TestResult) -> io::Result<()> {
    result.targets.iter().try_for_each(|target| xml.leaf("target", &[], target))?;
    result.addresses.iter().try_for_each(|address| xml.leaf("target-address", &[], address))?;
    if result.facts.is_empty() {
        return Ok(());
    }
    xml.parent("target-facts", &[], |xml| {
        result.facts.iter().try_for_each(|fact| {
            let attributes = [("name", Some(fact.name.as_str())), ("type", Some(fact.kind.as_str()))];
            xml.leaf("fact", &attributes, &fact.value)
        })
    })?;
    match &result.asset {
        // The address of the asset is required, and empty where it is in the same document.
        Some(asset) => xml.leaf(
            "target-id-ref",
            &[("system", Some(super::arf::AI)), ("name", Some(asset)), ("href", Some(""))],
            "",
        ),
        None => Ok(()),
    }
}

fn rule(xml: &mut Xml<'_>, result: &RuleResult) -> io::Result<()> {
    let weight = decimal(result.weight);
    let attributes = [
        ("idref", Some(result.rule.as_str())),
        ("role", Some(result.role.word())),
        ("time", result.time.as_deref()),
        ("severity", Some(result.severity.word())),
        ("version", result.version.as_deref()),
        ("weight", Some(weight.as_str())),
    ];
    xml.parent("rule-result", &attributes, |xml| {
        xml.leaf("result", &[], result.outcome.word())?;
        for ident in &result.idents {
            xml.leaf("ident", &[("system", Some(&ident.system))], &ident.name)?;
        }
        for message in &result.messages {
            xml.leaf("message", &[("severity", Some("info"))], message)?;
        }
        match &result.check {
            Some(CheckPart::Check(check)) => item::check(xml, check),
            Some(CheckPart::Complex(complex)) => item::complex(xml, complex),
            None => Ok(()),
        }
    })
}

fn decimal(number: f64) -> String {
    format!("{number:.6}")
}
