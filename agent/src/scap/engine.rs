//! The checking engines behind a benchmark: each document it refers to, loaded when it is first asked for, and what decided each rule.
//!
//! To add an engine, answer for its URI in [`Engine::evaluates`] and [`Engine::check`].

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use oval::{Class, Evaluator, Evidence, System, Variables, Verdict};
use typed_arena::Arena;
use xccdf::cpe::Fact;
use xccdf::evaluate::sce;
use xccdf::evaluate::system::{Answer, Exported, OVAL, Request, SCE, Wanted, all_of};
use xccdf::{CheckSystem, Checklist, Content, Document, Outcome};

use crate::system::script;
use crate::trust;

/// The largest document beside the content that is read, in bytes.
const LARGEST: u64 = 256 << 20;
/// So long a script may take.
const SCRIPT_LIMIT: Duration = Duration::from_secs(60);
/// So much of what a script says is told.
const MOST_LINES: usize = 10;
const MOST_CHARACTERS: usize = 200;

/// An OVAL document and what asks it.
struct Source<'a> {
    document: &'a oval::Document<'a>,
    evaluator: Evaluator<'a>,
    variables: Variables,
}

/// Asks the documents of a checklist about a system.
pub struct Engine<'t, 'a> {
    checklist: &'a Checklist<'t>,
    system: &'a System,
    machine: &'a crate::system::System,
    documents: &'a Arena<oval::Document<'t>>,
    /// By name; an error says why there is none to ask, `None` that the name leads nowhere.
    sources: HashMap<String, Option<Result<Source<'a>, String>>>,
    /// The values that rules hand to each document.
    exports: HashMap<String, Variables>,
    /// The definitions of each document that will be asked for; `None` stands for all.
    expected: HashMap<String, Vec<Option<String>>>,
    /// What decided each rule, by full id.
    evidence: BTreeMap<String, Vec<Evidence>>,
}

impl<'t, 'a> Engine<'t, 'a> {
    /// An engine; `documents` keeps what it loads, `machine` runs scripts.
    pub fn new(
        checklist: &'a Checklist<'t>,
        system: &'a System,
        machine: &'a crate::system::System,
        documents: &'a Arena<oval::Document<'t>>,
    ) -> Engine<'t, 'a> {
        Engine {
            checklist,
            system,
            machine,
            documents,
            sources: HashMap::new(),
            exports: HashMap::new(),
            expected: HashMap::new(),
            evidence: BTreeMap::new(),
        }
    }

    /// What decided each rule, by full id; handed over once.
    pub fn take_evidence(&mut self) -> BTreeMap<String, Vec<Evidence>> {
        std::mem::take(&mut self.evidence)
    }

    /// The OVAL documents that were asked, each with what came of it under its last values.
    pub fn evaluators(&self) -> BTreeMap<&str, &Evaluator<'a>> {
        let sources = self.sources.iter();
        sources
            .filter_map(|(href, source)| Some((href.as_str(), &source.as_ref()?.as_ref().ok()?.evaluator)))
            .collect()
    }

    fn source(&mut self, href: &str) -> Option<&mut Result<Source<'a>, String>> {
        if !self.sources.contains_key(href) {
            let loaded = load(self.checklist, href).map(|loaded| {
                loaded.map(|document| {
                    let document: &'a oval::Document<'t> = self.documents.alloc(document);
                    let variables = self.exports.remove(href).unwrap_or_default();
                    let evaluator = Evaluator::new(document, self.system, variables.clone());
                    let expected = self.expected.remove(href).unwrap_or_default();
                    match expected.iter().cloned().collect::<Option<Vec<String>>>() {
                        Some(names) => evaluator.expect(names.iter().map(String::as_str)),
                        None => evaluator.expect(document.definitions()),
                    }
                    Source { document, evaluator, variables }
                })
            });
            self.sources.insert(href.to_owned(), loaded);
        }
        self.sources.get_mut(href)?.as_mut()
    }

    fn oval(&mut self, request: &Request<'_>) -> Answer {
        let system = self.system;
        let source = match self.source(request.href) {
            None => return Outcome::NotChecked.into(),
            Some(Err(why)) => return Answer { messages: vec![why.clone()], ..Outcome::Error.into() },
            Some(Ok(source)) => source,
        };
        source.hand_over(request.exports, system);
        let ids: Vec<String> = match request.name {
            Some(name) => vec![name.to_owned()],
            None => source.document.definitions().map(str::to_owned).collect(),
        };
        if request.name.is_some_and(|name| !source.document.has_definition(name)) {
            return Outcome::NotChecked.into();
        }
        let (mut outcomes, mut evidence, mut messages) = (Vec::new(), Vec::new(), Vec::new());
        for id in ids {
            match source.evaluator.evaluate(&id) {
                Ok(said) => {
                    outcomes.push(outcome(said.class, said.verdict));
                    evidence.extend(said.evidence);
                }
                Err(error) => {
                    outcomes.push(Outcome::Error);
                    messages.push(error.to_string());
                }
            }
        }
        self.evidence.entry(request.rule.to_owned()).or_default().extend(evidence);
        Answer { messages, ..all_of(outcomes).into() }
    }
}

impl Engine<'_, '_> {
    /// Runs a script; what it says is the evidence.
    fn sce(&mut self, request: &Request<'_>) -> Answer {
        let Some(text) = text(self.checklist, request.href) else { return Outcome::NotChecked.into() };
        let failed = |outcome: Outcome, why: String| Answer { messages: vec![why], ..outcome.into() };
        if !self.machine.is_running() {
            return failed(Outcome::NotChecked, "only a running system runs scripts".to_owned());
        }
        let ended = text.and_then(|text| {
            let environment = sce::environment(request.exports);
            let ended = script::run(request.href, &text, &environment, SCRIPT_LIMIT);
            ended.map_err(|error| format!("{error:#}"))
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
        self.evidence.entry(request.rule.to_owned()).or_default().extend(told);
        sce::answer(request, output.code, &output.stdout, &output.stderr)
    }
}

impl<'a> Source<'a> {
    /// Takes the values of a check; what another check had set otherwise is forgotten, with all that came of it.
    fn hand_over(&mut self, exports: &[Exported], system: &'a System) {
        let values = values(exports);
        if values.iter().all(|(name, values)| self.variables.get(name) == Some(values)) {
            return;
        }
        self.variables.extend(values);
        self.evaluator = Evaluator::new(self.document, system, self.variables.clone());
    }
}

impl CheckSystem for Engine<'_, '_> {
    fn evaluates(&self, system: &str) -> bool {
        system == OVAL || system == SCE
    }

    fn prepare(&mut self, wanted: &[Wanted]) {
        for one in wanted {
            let (href, name) = match one {
                Wanted::Check { system, href, name, exports } if system == OVAL => {
                    self.exports.entry(href.clone()).or_default().extend(values(exports));
                    (href, name.clone())
                }
                Wanted::Fact(fact) => (&fact.href, Some(fact.name.clone())),
                Wanted::Check { .. } => continue,
            };
            self.expected.entry(href.clone()).or_default().push(name);
        }
    }

    fn check(&mut self, request: &Request<'_>) -> Answer {
        match request.system {
            OVAL => self.oval(request),
            SCE => self.sce(request),
            _ => Outcome::NotChecked.into(),
        }
    }

    fn definitions(&mut self, system: &str, href: &str) -> Option<Vec<String>> {
        if system != OVAL {
            return None;
        }
        let source = self.source(href)?.as_ref().ok()?;
        Some(source.document.definitions().map(str::to_owned).collect())
    }

    fn holds(&mut self, fact: &Fact) -> Option<bool> {
        let running = self.system.is_running();
        let Some(Ok(source)) = self.source(&fact.href) else { return Some(false) };
        match source.evaluator.evaluate(&fact.name).map(|said| said.verdict) {
            Ok(Verdict::NotEvaluated) if !running => None,
            verdict => Some(verdict == Ok(Verdict::True)),
        }
    }
}

/// What a definition's verdict means for a rule: vulnerabilities and missing patches are bad when they are there.
fn outcome(class: Class, verdict: Verdict) -> Outcome {
    let bad = matches!(class, Class::Vulnerability | Class::Patch);
    match verdict {
        Verdict::True if bad => Outcome::Fail,
        Verdict::False if bad => Outcome::Pass,
        Verdict::True => Outcome::Pass,
        Verdict::False => Outcome::Fail,
        Verdict::Unknown => Outcome::Unknown,
        Verdict::Error => Outcome::Error,
        Verdict::NotEvaluated => Outcome::NotChecked,
        Verdict::NotApplicable => Outcome::NotApplicable,
    }
}

/// The values that a check hands over, by the variable that takes them.
fn values(exports: &[Exported]) -> Variables {
    let mut variables = Variables::new();
    for export in exports {
        let values = variables.entry(export.name.clone()).or_default();
        match &export.content {
            Content::One(value) => values.push(value.clone()),
            Content::List(all) => values.extend(all.iter().cloned()),
        }
    }
    variables
}

/// The OVAL document of a name: in the content, of which nothing is copied, or beside it. `None` when the name leads nowhere, or to
/// another machine.
fn load<'t>(checklist: &Checklist<'t>, href: &str) -> Option<Result<oval::Document<'t>, String>> {
    let name = format!("{} ({href})", checklist.content().source());
    match checklist.document(href) {
        Document::Here(fragment) => {
            let part = fragment.offset..fragment.offset + fragment.text.len();
            let text = checklist.content().text();
            let document = oval::Document::component(text, part, &fragment.declarations, &name);
            Some(document.map_err(|error| error.to_string()))
        }
        Document::Elsewhere(place) => Some(
            beside(checklist, place)?
                .and_then(|text| oval::Document::parse(text, &name).map_err(|error| error.to_string())),
        ),
        Document::Unknown => None,
    }
}

/// The text of a script: in the content, or beside it. `None` as for [`load`].
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

/// A file beside an XCCDF document alone. `None` when there is none, or the place is on another machine.
fn beside(checklist: &Checklist<'_>, place: &str) -> Option<Result<String, String>> {
    if place.contains("://") {
        return None;
    }
    let path = Path::new(checklist.content().source()).parent()?.join(place);
    let file = File::open(&path).ok()?;
    let mut text = String::new();
    let read = trust::check(&path).map_err(|error| format!("{error:#}"));
    let read = read.and_then(|()| {
        let read = file.take(LARGEST).read_to_string(&mut text);
        read.map_err(|error| format!("{}: {error}", path.display()))
    });
    Some(read.map(|_| text))
}
