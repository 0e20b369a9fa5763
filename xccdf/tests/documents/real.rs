//! Data streams of the SCAP Security Guide, where `TREMPE_CONTENT` says they are. What they hold was counted
//! with other tools.

use crate::stream::Table;
use std::path::PathBuf;
use xccdf::evaluate::{Options, system};
use xccdf::{Choice, Document, Limits, Outcome, SourceContent, evaluate, no_alias, resolve};

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
