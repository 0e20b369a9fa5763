//! OVAL definitions, evaluated by oscap and by the `oval` library on the same machine; each definition's two verdicts are laid side by
//! side.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use oval::{Document, Evaluator, System, Variables};
use quick_xml::events::Event;
use quick_xml::{Reader, XmlVersion};

use crate::content::Content;
use crate::machine::Machine;

/// Verdicts by definition, in OVAL's words, with what is told about them.
pub type Verdicts = BTreeMap<String, (String, String)>;

/// A definition on which the two differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The component of the data stream.
    pub component: String,
    /// The definition's id.
    pub definition: String,
    /// What oscap says.
    pub oscap: String,
    /// What we say.
    pub ours: String,
    /// What our verdict rests on.
    pub evidence: String,
}

/// The outcome of a comparison.
#[derive(Debug, Default)]
pub struct Comparison {
    /// Definitions of which both say the same.
    pub agreed: usize,
    /// All others.
    pub differences: Vec<Difference>,
}

/// Has both evaluate every definition of a data stream inside a machine. `program` is this package's binary `oval`.
pub fn compare(machine: &dyn Machine, content: &Content, program: &Path) -> Result<Comparison> {
    let program = machine.lend(program, "oval")?;
    let text = fs::read_to_string(&content.path)?;
    let mut comparison = Comparison::default();
    for component in components(&text) {
        let file = tempfile::NamedTempFile::new()?;
        fs::write(file.path(), &text)?;
        let inside = machine.lend(file.path(), "content.xml")?;
        let oscap = oscap(machine, &inside, &component)?;
        let index = comparison_index(&component);
        let ours = machine.program(&[&program, "verdicts", &inside, "--component", index]).output()?;
        comparison.add(&component, &oscap, &parse_ours(&ours)?);
    }
    Ok(comparison)
}

/// Which of the OVAL documents of a data stream of the SCAP Security Guide a component is: the checks come first.
fn comparison_index(component: &str) -> &'static str {
    if component.contains("cpe-oval") { "1" } else { "0" }
}

impl Comparison {
    fn add(&mut self, component: &str, oscap: &BTreeMap<String, String>, ours: &Verdicts) {
        for (definition, oscap) in oscap {
            let (verdict, evidence) = ours.get(definition).cloned().unwrap_or_default();
            if verdict == *oscap {
                self.agreed += 1;
            } else {
                self.differences.push(Difference {
                    component: component.to_owned(),
                    definition: definition.clone(),
                    oscap: oscap.clone(),
                    ours: verdict,
                    evidence,
                });
            }
        }
    }

    /// The differences, a line each, and the counts.
    pub fn table(&self) -> String {
        let mut table = String::new();
        for difference in &self.differences {
            let Difference { definition, oscap, ours, evidence, .. } = difference;
            let _ = writeln!(table, "{definition}: oscap {oscap}, we {ours}: {evidence}");
        }
        let _ = writeln!(table, "{} agree, {} differ", self.agreed, self.differences.len());
        table
    }
}

/// The OVAL components of a data stream: ids of their references.
fn components(text: &str) -> Vec<String> {
    let ids = text.split("<ds:component-ref id=\"").skip(1).filter_map(|rest| rest.split('"').next());
    ids.filter(|id| id.ends_with("-oval.xml")).map(str::to_owned).collect()
}

/// oscap's verdicts on every definition of a component.
fn oscap(machine: &dyn Machine, content: &str, component: &str) -> Result<BTreeMap<String, String>> {
    let results = format!("{}/oval.xml", machine.scratch());
    machine
        .program(&["env", "SEXP_VALIDATE_DISABLE=1", "oscap", "oval", "eval", "--oval-id", component])
        .args(["--results", &results, content])
        .run()?;
    let here = tempfile::NamedTempFile::new()?;
    machine.fetch(&results, here.path())?;
    let text = fs::read_to_string(here.path()).context("reading oscap's results")?;
    parse(&text)
}

/// Reads the definitions' verdicts from an OVAL results file.
pub fn parse(text: &str) -> Result<BTreeMap<String, String>> {
    let mut reader = Reader::from_str(text);
    let mut verdicts = BTreeMap::new();
    loop {
        match reader.read_event()? {
            Event::Start(element) | Event::Empty(element)
                if element.local_name().as_ref() == "definition" =>
            {
                let attribute = |name: &str| -> Result<Option<String>> {
                    let Some(attribute) = element.try_get_attribute(name)? else { return Ok(None) };
                    Ok(Some(attribute.normalized_value(XmlVersion::Implicit1_0)?.into_owned()))
                };
                if let (Some(id), Some(result)) = (attribute("definition_id")?, attribute("result")?) {
                    verdicts.insert(id, result);
                }
            }
            Event::Eof => return Ok(verdicts),
            _ => {}
        }
    }
}

/// Our verdicts on every definition of a document, one a line: id, verdict, evidence, between tabs.
pub fn verdicts(file: &Path, component: usize, root: &Path) -> Result<String> {
    let text = fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    let documents = Document::find_all(&text, &file.to_string_lossy())?;
    let document = documents.get(component).context("there are not so many OVAL documents")?;
    let system = System::below(root)?;
    let evaluator = Evaluator::new(document, &system, Variables::new());
    evaluator.expect(document.definitions());
    let mut lines = String::new();
    for id in document.definitions() {
        let outcome = evaluator.evaluate(id)?;
        let evidence = outcome.evidence.first().map_or(String::new(), |evidence| {
            format!("{} found {} wanted {}", evidence.place, evidence.found, evidence.wanted)
                .replace(['\n', '\t'], " ")
        });
        let _ = writeln!(lines, "{id}\t{}\t{evidence}", outcome.verdict.word());
    }
    Ok(lines)
}

fn parse_ours(text: &str) -> Result<Verdicts> {
    let line = |line: &str| {
        let mut parts = line.splitn(3, '\t').map(str::to_owned);
        Some((parts.next()?, (parts.next()?, parts.next()?)))
    };
    text.lines().map(|text| line(text).with_context(|| format!("not a verdict: {text:?}"))).collect()
}
