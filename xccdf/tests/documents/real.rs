//! Data streams of the SCAP Security Guide, where `TREMPE_CONTENT` says they are. What they hold was counted
//! with other tools.

use crate::oscap::judged_by_id;
use crate::stream::Table;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use xccdf::cpe::Fact;
use xccdf::evaluate::{Answer, CheckSystem, Options, Request, system};
use xccdf::{Choice, Document, Limits, Outcome, SourceContent, evaluate, no_alias, resolve, score};

/// Name, rules, groups, values, profiles, platforms with a test.
type Counts = (&'static str, usize, usize, usize, usize, usize);

const STREAMS: [Counts; 7] = [
    ("debian12", 887, 150, 147, 13, 71),
    ("debian13", 777, 131, 129, 9, 62),
    ("rhel8", 1701, 200, 468, 16, 107),
    ("rhel9", 1540, 183, 454, 20, 102),
    ("rhel10", 1073, 152, 165, 18, 88),
    ("ubuntu2204", 639, 133, 101, 6, 58),
    ("ubuntu2404", 648, 135, 104, 5, 60),
];

/// Those that are enough while one works; `TREMPE_POINTS=all` takes the others too.
const FEW: [&str; 2] = ["debian12", "rhel9"];

/// The streams there are; none without the variable.
fn streams() -> Vec<(SourceContent, Counts)> {
    let Some(directory) = std::env::var_os("TREMPE_CONTENT").map(PathBuf::from) else { return Vec::new() };
    let read = |counts: Counts| {
        let file = directory.join(format!("ssg-{}-ds.xml.xz", counts.0));
        let bytes = std::fs::read(&file).ok()?;
        let content = SourceContent::new(bytes, &file.to_string_lossy(), &Limits::default());
        Some((content.unwrap_or_else(|errors| panic!("{errors}")), counts))
    };
    let all = std::env::var_os("TREMPE_POINTS").is_some_and(|points| points == "all");
    STREAMS.into_iter().filter(|counts| all || FEW.contains(&counts.0)).filter_map(read).collect()
}

#[test]
fn real_streams_are_read() {
    for (content, (name, rules, groups, values, profiles, tests)) in streams() {
        let checklist = content.checklist(Choice::default()).unwrap();
        let benchmark = checklist.benchmark().unwrap_or_else(|errors| panic!("{errors}"));
        let platforms = checklist.platforms().unwrap_or_else(|errors| panic!("{errors}"));
        let counted = (
            benchmark.rules().count(),
            benchmark.groups().count(),
            benchmark.values().count(),
            benchmark.profiles.len(),
            platforms.specifications.iter().map(|own| own.platforms.len()).sum::<usize>(),
        );
        assert_eq!(counted, (rules, groups, values, profiles, tests), "{name}");
        let mut hrefs: Vec<&str> = Vec::new();
        for check in benchmark.rules().flat_map(|rule| &rule.checks) {
            hrefs.extend(check.content_refs.iter().map(|reference| reference.href.as_str()));
        }
        let lost: Vec<&&str> =
            hrefs.iter().filter(|href| checklist.document(href) == Document::Unknown).collect();
        assert!(lost.is_empty(), "{name}: {lost:?}");
        let script = hrefs.iter().find(|href| href.ends_with(".sh")).unwrap();
        let Document::Here(script) = checklist.document(script) else { panic!("{name}: no {script}") };
        assert!(script.content().unwrap().starts_with("#!/"), "{name}");
        let rule = benchmark.rules().last().unwrap();
        let whole = checklist.rule(&rule.head.id).unwrap().unwrap();
        assert!(!whole.head.description.is_empty() && rule.head.description.is_empty(), "{name}");
        assert_eq!(whole.checks, rule.checks, "{name}");
    }
}

#[test]
fn every_profile_of_real_streams_is_evaluated() {
    for (content, (name, ..)) in streams() {
        let checklist = content.checklist(Choice::default()).unwrap();
        let benchmark = checklist.benchmark().unwrap();
        let platforms = checklist.platforms().unwrap();
        for profile in &benchmark.profiles {
            let policy = resolve(&benchmark, &[], Some(&profile.id), &no_alias)
                .unwrap_or_else(|errors| panic!("{errors}"));
            let mut table = Table { systems: vec![system::SCE], ..Table::default() };
            let evaluation =
                evaluate(&benchmark, &policy, &platforms, &mut table, &Options::default()).unwrap();
            // The table knows none of the platforms: nothing is here, nothing is passed.
            let selected = evaluation.results.iter().filter(|result| result.outcome != Outcome::NotSelected);
            assert!(selected.clone().count() > 0, "{name} {}", profile.id);
            assert!(
                selected.clone().all(|result| result.outcome == Outcome::NotApplicable),
                "{name} {}",
                profile.id
            );
        }
    }
}

/// An engine that knows what oscap's came to: document, definition.
struct Oscap(HashMap<(String, String), String>);

impl Oscap {
    /// Takes what oscap wrote about OVAL documents.
    fn new(directory: &Path) -> Self {
        let mut known = HashMap::new();
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let Some(href) = name.strip_suffix(".result.xml") else { continue };
            let text = std::fs::read_to_string(&path).unwrap();
            for definition in text.split("<definition definition_id=\"").skip(1) {
                let id = definition.split('"').next().unwrap_or_default().to_owned();
                let result = definition.split(" result=\"").nth(1).and_then(|rest| rest.split('"').next());
                known.insert((href.to_owned(), id), result.unwrap_or_default().to_owned());
            }
        }
        Oscap(known)
    }

    fn result(&self, href: &str, name: &str) -> &str {
        self.0.get(&(href.to_owned(), name.to_owned())).map_or("", String::as_str)
    }
}

impl CheckSystem for Oscap {
    fn evaluates(&self, system: &str) -> bool {
        system == system::OVAL
    }
    fn check(&mut self, request: &Request<'_>) -> Answer {
        let outcome = match self.result(request.href, request.name.unwrap_or_default()) {
            "true" => Outcome::Pass,
            "false" => Outcome::Fail,
            "error" => Outcome::Error,
            "unknown" => Outcome::Unknown,
            "not applicable" => Outcome::NotApplicable,
            _ => Outcome::NotChecked,
        };
        outcome.into()
    }
    fn definitions(&mut self, _: &str, _: &str) -> Option<Vec<String>> {
        None
    }
    fn holds(&mut self, fact: &Fact) -> Option<bool> {
        Some(self.result(&fact.href, &fact.name) == "true")
    }
}

/// With what oscap found by OVAL, every rule of a real profile comes to what oscap made of it.
#[test]
fn a_real_profile_comes_to_what_oscap_says() {
    for (content, (name, ..)) in streams().into_iter().filter(|(_, counts)| counts.0.starts_with("debian")) {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(directory.path().join("root/etc/ssh")).unwrap();
        std::fs::write(directory.path().join("root/etc/ssh/sshd_config"), "PermitRootLogin no\n").unwrap();
        // Without its platforms the benchmark is for every machine, this one too.
        let anywhere = |line: &&str| !line.contains("platform idref=\"cpe:/");
        let text = content.text().lines().filter(anywhere).collect::<Vec<_>>().join("\n");
        std::fs::write(directory.path().join("stream.xml"), &text).unwrap();
        let mut oscap = Command::new("oscap");
        oscap.args(["xccdf", "eval", "--skip-valid", "--profile", "cis_level1_server", "--oval-results"]);
        oscap.args(["--results", "results.xml", "stream.xml"]).current_dir(directory.path());
        let output = oscap.env("OSCAP_PROBE_ROOT", directory.path().join("root")).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
        let results = std::fs::read_to_string(directory.path().join("results.xml")).unwrap();

        let content = SourceContent::new(text.into_bytes(), "stream.xml", &Limits::default()).unwrap();
        let checklist = content.checklist(Choice::default()).unwrap();
        let benchmark = checklist.benchmark().unwrap();
        let policy = resolve(&benchmark, &[], Some("cis_level1_server"), &no_alias).unwrap();
        let platforms = checklist.platforms().unwrap();
        let mut engine = Oscap::new(directory.path());
        let evaluation = evaluate(&benchmark, &policy, &platforms, &mut engine, &Options::default()).unwrap();
        let theirs = judged_by_id(&results);
        let wrong: Vec<String> = evaluation
            .results
            .iter()
            .map(|result| (result, theirs.get(&result.rule).map_or("none", String::as_str)))
            .filter(|(result, theirs)| result.outcome.word() != *theirs)
            .map(|(result, theirs)| format!("{}: oscap {theirs}, we {}", result.rule, result.outcome))
            .collect();
        assert!(wrong.is_empty(), "{name}: {wrong:#?}");
        assert_eq!(theirs.len(), evaluation.results.len(), "{name}");
        let passed = evaluation.results.iter().filter(|result| result.outcome == Outcome::Pass).count();
        assert!(passed > 10, "{name}: {passed} passed");
        let scores = score::scores(&benchmark, &evaluation.results);
        let told = format!(">{:.6}</score>", scores.first().unwrap().value);
        assert!(results.contains(&told), "{name}: {told}");
    }
}
