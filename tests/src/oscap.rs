//! OpenSCAP's verdicts: `oscap xccdf eval`, run inside the tree it judges.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use quick_xml::events::Event;
use quick_xml::{Reader, XmlVersion};
use serde::{Deserialize, Serialize};

use crate::cache;
use crate::content::Content;
use crate::coverage;
use crate::machine::Machine;
use crate::verdict::{Verdict, short_id};

const SSG: &str = "xccdf_org.ssgproject.content";

/// Verdicts by short rule id; rules that are not selected are left out.
pub type Verdicts = BTreeMap<String, Verdict>;

/// The profile that a tier stands for in the SCAP Security Guide's content for an operating system.
pub fn profile(os: &str, tier: &str) -> &'static str {
    let [first, second] = coverage::levels(os);
    if tier == "strict" { second } else { first }
}

/// The arguments of an evaluation of `profile`, or of these rules alone when there are any.
pub fn arguments(profile: &str, rules: &[String], content: &str, results: &str) -> Vec<String> {
    let mut arguments = ["xccdf", "eval", "--profile"].map(str::to_owned).to_vec();
    arguments.push(format!("{SSG}_profile_{profile}"));
    arguments.extend(rules.iter().flat_map(|rule| ["--rule".to_owned(), format!("{SSG}_rule_{rule}")]));
    arguments.extend(["--skip-validation", "--results", results, content].map(str::to_owned));
    arguments
}

/// So often it is asked, at most.
const ASKED: usize = 8;

/// Starts the oscap that the machine has itself.
const INSTALLED: [&str; 3] = ["env", "SEXP_VALIDATE_DISABLE=1", "oscap"];

/// Judges the machine with the oscap that it has itself.
pub fn evaluate(
    machine: &dyn Machine,
    content: &Content,
    profile: &str,
    rules: &[String],
) -> Result<Verdicts> {
    evaluate_by(&INSTALLED, machine, content, profile, rules)
}

/// Judges the machine with the oscap that these words start. Debian's build of oscap checks every S-expression it makes, which is slow and decides nothing:
/// switched off; and so is the validation of the content, which its makers do.
pub fn evaluate_by(
    words: &[&str],
    machine: &dyn Machine,
    content: &Content,
    profile: &str,
    rules: &[String],
) -> Result<Verdicts> {
    let results = format!("{}/oscap.xml", machine.scratch());
    let content = machine.lend(&content.path, "content.xml")?;
    let arguments = arguments(profile, rules, &content, &results);
    // Two of its threads fall over one another now and then; it then ends with 0, and without results.
    for _ in 0..ASKED {
        let said = machine.program(words).args(&arguments).accept(&[0, 2]).run()?;
        if !String::from_utf8_lossy(&said.stderr).contains("failed to unlock a mutex") {
            break;
        }
    }
    let here = tempfile::NamedTempFile::new()?;
    machine.fetch(&results, here.path())?;
    read(here.path())
}

/// What oscap said, and how long it took.
#[derive(Debug, Serialize, Deserialize)]
pub struct Judged {
    /// What it said.
    pub verdicts: Verdicts,
    /// How long it took when it was run.
    pub took: Duration,
}

/// What is said of a machine in a state that a cache key can name is said once; of any other each time.
pub fn kept(
    name: &str,
    state: Option<&str>,
    content: &Content,
    profile: &str,
    judge: impl Fn() -> Result<Verdicts>,
) -> Result<Judged> {
    let timed = || {
        let begun = Instant::now();
        let verdicts = judge()?;
        anyhow::Ok(Judged { verdicts, took: begun.elapsed() })
    };
    let Some(state) = state else { return timed() };
    let entry = format!("oscap-{}", name.replace('/', "-"));
    let kept = cache::entry(&entry, &["timed", state, &content.hash, profile], |path| {
        Ok(fs::write(path, serde_json::to_vec_pretty(&timed()?)?)?)
    })?;
    serde_json::from_slice(&fs::read(&kept)?).with_context(|| format!("reading {}", kept.display()))
}

/// Reads the verdicts from an XCCDF results file.
pub fn read(results: &Path) -> Result<Verdicts> {
    let text = fs::read_to_string(results).with_context(|| format!("reading {}", results.display()))?;
    parse(&text).with_context(|| format!("reading {}", results.display()))
}

fn parse(text: &str) -> Result<Verdicts> {
    let mut reader = Reader::from_str(text);
    let mut verdicts = Verdicts::new();
    let mut rule = None;
    let mut in_result = false;
    loop {
        match reader.read_event()? {
            Event::Start(element) => match element.local_name().as_ref() {
                "rule-result" => {
                    let id = element.try_get_attribute("idref")?.context("a rule-result without idref")?;
                    let id = id.normalized_value(XmlVersion::Implicit1_0)?;
                    rule = Some(short_id(&id).to_owned());
                }
                "result" => in_result = true,
                _ => {}
            },
            Event::Text(text) if in_result => {
                let verdict = Verdict::named(text.trim())?;
                if let Some(rule) = rule.take().filter(|_| verdict != Verdict::Notselected) {
                    verdicts.insert(rule, verdict);
                }
            }
            Event::End(_) => in_result = false,
            Event::Eof => return Ok(verdicts),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_are_read_by_short_id_without_the_unselected() {
        let text = r#"<Benchmark xmlns="x"><Rule id="a_rule_one"><title>result</title></Rule>
            <TestResult><rule-result idref="org_rule_one"><result>pass</result><check/></rule-result>
            <rule-result idref="org_rule_two"><result>notselected</result></rule-result>
            <rule-result idref="org_rule_three"><result>error</result><message>x</message></rule-result>
            </TestResult></Benchmark>"#;
        let verdicts = parse(text).unwrap();
        assert_eq!(
            verdicts.into_iter().collect::<Vec<_>>(),
            [("one".to_owned(), Verdict::Pass), ("three".to_owned(), Verdict::Error)]
        );
    }

    #[test]
    fn an_unknown_verdict_is_an_error() {
        assert!(parse("<rule-result idref='r'><result>good</result></rule-result>").is_err());
    }
}
