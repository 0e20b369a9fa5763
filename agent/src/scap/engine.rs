//! The checking engines behind a benchmark: each document it refers to, loaded when it is first asked for, and what decided each rule.
//!
//! To add an engine, answer for its URI in [`Engine::evaluates`] and [`Engine::check`].

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use oval::{Class, Evaluator, Evidence, System, Variables, Verdict};
use typed_arena::Arena;
use xccdf::cpe::Fact;
use xccdf::evaluate::system::{Answer, OVAL, Request, SCE, Wanted, all_of};
use xccdf::{Benchmark, Check, CheckSystem, Checklist, Document, Outcome};

use super::source::{Source, values};
use super::{platforms, sce};
use crate::trust;

/// The largest document beside the content that is read, in bytes, packed and unpacked.
const LARGEST: u64 = 256 << 20;

/// So much evidence of a whole document is told.
const MOST_EVIDENCE: usize = 50;

/// What decided the answer to one reference of a rule's check.
pub struct Decided {
    /// The document.
    pub href: String,
    /// The definition in it; the whole document when absent.
    pub name: Option<String>,
    /// What came of it.
    pub outcome: Outcome,
    /// What was found.
    pub evidence: Vec<Evidence>,
}

/// Asks the documents of a checklist about a system.
pub struct Engine<'t, 'a> {
    checklist: &'a Checklist<'t>,
    system: &'a System,
    machine: &'a crate::system::System,
    script_limit: Duration,
    documents: &'a Arena<oval::Document<'t>>,
    /// Whether any OVAL document that the benchmark refers to is there. Without one there is no engine for OVAL, as in OpenSCAP.
    knows_oval: bool,
    /// By name; an error says why there is none to ask, `None` that the name leads nowhere.
    sources: HashMap<String, Option<Result<Source<'a>, String>>>,
    /// The first value of each variable that rules will hand to each document.
    coming: HashMap<String, Variables>,
    /// The definitions of each document that will be asked for; `None` stands for all.
    expected: HashMap<String, Vec<Option<String>>>,
    /// What decided each rule, by full id, in the order of the answers.
    decided: BTreeMap<String, Vec<Decided>>,
}

impl<'t, 'a> Engine<'t, 'a> {
    /// An engine for the checks of a benchmark; `documents` keeps what it loads, `machine` runs scripts, each for so long at most.
    pub fn new(
        checklist: &'a Checklist<'t>,
        benchmark: &Benchmark,
        system: &'a System,
        machine: &'a crate::system::System,
        script_limit: Duration,
        documents: &'a Arena<oval::Document<'t>>,
    ) -> Engine<'t, 'a> {
        Engine {
            checklist,
            system,
            machine,
            script_limit,
            documents,
            knows_oval: benchmark
                .rules()
                .any(|rule| rule.all_checks().into_iter().any(|check| leads_to_oval(checklist, check))),
            sources: HashMap::new(),
            coming: HashMap::new(),
            expected: HashMap::new(),
            decided: BTreeMap::new(),
        }
    }

    /// What decided each rule, by full id, in the order of the answers; handed over once.
    pub fn take_decided(&mut self) -> BTreeMap<String, Vec<Decided>> {
        std::mem::take(&mut self.decided)
    }

    /// The OVAL documents that were asked, by name, each as often as it was evaluated under different values.
    pub fn evaluators(&self) -> Vec<(&str, &Evaluator<'a>)> {
        let sources = self.sources.iter();
        let mut asked: Vec<(&str, &Source<'a>)> = sources
            .filter_map(|(href, source)| Some((href.as_str(), source.as_ref()?.as_ref().ok()?)))
            .collect();
        asked.sort_by_key(|(href, _)| *href);
        asked.into_iter().flat_map(|(href, source)| source.evaluators().map(move |own| (href, own))).collect()
    }

    fn source(&mut self, href: &str) -> Option<&mut Result<Source<'a>, String>> {
        if !self.sources.contains_key(href) {
            let loaded = load(self.checklist, href).map(|loaded| {
                loaded.map(|document| {
                    let document: &'a oval::Document<'t> = self.documents.alloc(document);
                    let coming = self.coming.remove(href).unwrap_or_default();
                    let expected = self.expected.remove(href).unwrap_or_default();
                    Source::new(document, self.system, coming, expected.into_iter().collect())
                })
            });
            self.sources.insert(href.to_owned(), loaded);
        }
        self.sources.get_mut(href)?.as_mut()
    }

    fn oval(&mut self, request: &Request<'_>) -> (Answer, Vec<Evidence>) {
        let source = match self.source(request.href) {
            None => return (Outcome::NotChecked.into(), Vec::new()),
            Some(Err(why)) => {
                return (Answer { messages: vec![why.clone()], ..Outcome::Error.into() }, Vec::new());
            }
            Some(Ok(source)) => source,
        };
        source.hand_over(request.exports);
        let ids: Vec<String> = match request.name {
            Some(name) if !source.has(name) => return (Outcome::NotChecked.into(), Vec::new()),
            Some(name) => vec![name.to_owned()],
            None => source.definitions(),
        };
        let (mut answers, mut messages) = (Answers::default(), Vec::new());
        for id in ids {
            match source.ask(&id) {
                Ok(said) => answers.add(outcome(said.class, said.verdict), said),
                Err(error) => {
                    answers.outcomes.push(Outcome::Error);
                    messages.push(error.to_string());
                }
            }
        }
        let (outcome, evidence) = answers.joined();
        (Answer { messages, ..outcome.into() }, evidence)
    }
}

/// What came of definitions that a check asks for together.
#[derive(Default)]
struct Answers {
    outcomes: Vec<Outcome>,
    /// By outcome: how many there were, and the first of them.
    told: HashMap<Outcome, (usize, Vec<oval::Outcome>)>,
}

impl Answers {
    fn add(&mut self, outcome: Outcome, said: oval::Outcome) {
        self.outcomes.push(outcome);
        let (count, first) = self.told.entry(outcome).or_default();
        *count += 1;
        if first.len() < MOST_EVIDENCE {
            first.push(said);
        }
    }

    /// What they come to together, and the evidence of those that came to the same: the others did not decide it.
    fn joined(mut self) -> (Outcome, Vec<Evidence>) {
        let outcome = all_of(self.outcomes.iter().copied());
        let (count, first) = self.told.remove(&outcome).unwrap_or_default();
        let whole = self.outcomes.len() > 1;
        let mut evidence = Vec::new();
        let mut told = 0;
        for said in first {
            if whole && evidence.len() + said.evidence.len() > MOST_EVIDENCE {
                break;
            }
            told += 1;
            // Of one definition the rule's own title tells what it is about, and why it could not be asked is the same for all.
            let titled = whole && outcome != Outcome::NotChecked && !said.title.is_empty();
            let about = |own: Evidence| match said.title.as_str() {
                title if titled => Evidence { found: format!("{title}: {}", own.found), ..own },
                _ => own,
            };
            evidence.extend(said.evidence.into_iter().map(about));
        }
        if count > told {
            let found = format!("and {} more definitions", count - told);
            evidence.push(Evidence { place: String::new(), found, wanted: String::new() });
        }
        (outcome, evidence)
    }
}

impl CheckSystem for Engine<'_, '_> {
    fn evaluates(&self, system: &str) -> bool {
        (system == OVAL && self.knows_oval) || system == SCE
    }

    fn prepare(&mut self, wanted: &[Wanted]) {
        for one in wanted {
            let (href, name) = match one {
                Wanted::Check { system, href, name, exports } if system == OVAL => {
                    let coming = self.coming.entry(href.clone()).or_default();
                    for (variable, values) in values(exports) {
                        coming.entry(variable).or_insert(values);
                    }
                    (href, name.clone())
                }
                Wanted::Fact(fact) => (&fact.href, Some(fact.name.clone())),
                Wanted::Check { .. } => continue,
            };
            self.expected.entry(href.clone()).or_default().push(name);
        }
    }

    fn check(&mut self, request: &Request<'_>) -> Answer {
        let (answer, evidence) = match request.system {
            OVAL => self.oval(request),
            SCE => sce::check(self.checklist, self.machine, self.script_limit, request),
            _ => return Outcome::NotChecked.into(),
        };
        let (href, name) = (request.href.to_owned(), request.name.map(str::to_owned));
        let outcome = answer.outcome;
        self.decided.entry(request.rule.to_owned()).or_default().push(Decided {
            href,
            name,
            outcome,
            evidence,
        });
        answer
    }

    fn definitions(&mut self, system: &str, href: &str) -> Option<Vec<String>> {
        if system != OVAL {
            return None;
        }
        Some(self.source(href)?.as_ref().ok()?.definitions())
    }

    /// OpenSCAP 1.3.7 takes every platform's check for one by OVAL; one by a script therefore never holds.
    fn holds(&mut self, fact: &Fact) -> Option<bool> {
        let running = self.system.is_running();
        let Some(Ok(source)) = self.source(&fact.href) else { return Some(false) };
        match source.ask_for_platform(&fact.name).map(|said| said.verdict) {
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

/// The OVAL document of a name: in the content, of which nothing is copied, or beside it. `None` when the name leads nowhere, or to
/// another machine.
fn load<'t>(checklist: &Checklist<'t>, href: &str) -> Option<Result<oval::Document<'t>, String>> {
    let name = format!("{} ({href})", checklist.content().source());
    if href == platforms::HREF {
        return Some(platforms::document());
    }
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

/// Whether a check is one by OVAL and one of the documents it refers to is there.
fn leads_to_oval(checklist: &Checklist<'_>, check: &Check) -> bool {
    let is_there = |href: &str| match checklist.document(href) {
        Document::Here(_) => true,
        Document::Elsewhere(place) => place_beside(checklist, place).is_some_and(|path| path.exists()),
        Document::Unknown => false,
    };
    check.system == OVAL && check.content_refs.iter().any(|reference| is_there(&reference.href))
}

/// Where a file beside an XCCDF document alone is. `None` when the place is on another machine.
fn place_beside(checklist: &Checklist<'_>, place: &str) -> Option<PathBuf> {
    let directory = Path::new(checklist.content().source()).parent().filter(|_| !place.contains("://"));
    Some(directory?.join(place))
}

/// A file beside an XCCDF document alone, unpacked. `None` when there is none, or the place is on another machine.
pub(super) fn beside(checklist: &Checklist<'_>, place: &str) -> Option<Result<String, String>> {
    let path = place_beside(checklist, place)?;
    let file = File::open(&path).ok()?;
    Some(trust::check(&path).map_err(|error| format!("{error:#}")).and_then(|()| {
        let name = path.display().to_string();
        let mut bytes = Vec::new();
        // One more than fits, so that what is cut off is told and not taken for all.
        file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|error| format!("{name}: {error}"))?;
        let text = xccdf::unpacked(bytes, &name, LARGEST).map_err(|error| error.to_string())?;
        String::from_utf8(text).map_err(|error| format!("{name}: {error}"))
    }))
}
