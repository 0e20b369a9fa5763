//! OpenSCAP's verdicts: `oscap xccdf eval`, run inside the tree it judges.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use quick_xml::events::Event;
use quick_xml::{Reader, XmlVersion};

use crate::content::Content;
use crate::root::Copy;
use crate::verdict::{Verdict, short_id};

/// Verdicts by short rule id; rules that are not selected are left out.
pub type Verdicts = BTreeMap<String, Verdict>;

/// The profile that the tier stands for in the SCAP Security Guide's Debian content.
pub fn profile(tier: &str) -> &'static str {
    match tier {
        "strict" => "cis_level2_server",
        _ => "cis_level1_server",
    }
}

/// The arguments of an evaluation of `profile`, or of these rules alone when there are any.
pub fn arguments(profile: &str, rules: &[String], content: &str, results: &str) -> Vec<String> {
    let ssg = "xccdf_org.ssgproject.content";
    let mut arguments = vec!["xccdf".to_owned(), "eval".to_owned()];
    arguments.extend(["--profile".to_owned(), format!("{ssg}_profile_{profile}")]);
    for rule in rules {
        arguments.extend(["--rule".to_owned(), format!("{ssg}_rule_{rule}")]);
    }
    arguments.extend(["--results".to_owned(), results.to_owned(), content.to_owned()]);
    arguments
}

/// Runs oscap in the copy. Debian's build checks every S-expression it makes, which is slow and decides nothing:
/// switched off.
pub fn evaluate(copy: &Copy, content: &Content, profile: &str, rules: &[String]) -> Result<Verdicts> {
    copy.lend(&content.path, "content.xml")?;
    copy.program("env")
        .args(["SEXP_VALIDATE_DISABLE=1", "oscap"])
        .args(arguments(profile, rules, "/run/lab/content.xml", "/run/lab/oscap.xml"))
        .accept(&[0, 2])
        .run()?;
    read(&copy.lab().join("oscap.xml"))
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
