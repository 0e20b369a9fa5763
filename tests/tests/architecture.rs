//! The shape of the code, checked: sizes that fit a head, one concept per module, stages in one direction.

use std::fs;
use std::path::Path;

use anyhow::Result;
use e2e::cache::checkout;
use e2e::command::Program;

const FILE_LINES: usize = 500;
const FUNCTION_LINES: usize = 60;
/// The stages of each program. Each may use those before it, none those after it.
const STAGES: [(&str, &[&str]); 2] = [
    ("agent/src/", &["content", "policy", "inspect", "plan", "apply", "report"]),
    ("builder/src/", &["spec", "render", "build", "verify", "target", "upload"]),
];
/// Names for modules without a subject.
const NAMELESS: [&str; 6] = ["utils", "util", "common", "helpers", "misc", "manager"];

/// Kinds of settings whose tests make no round trip, and why.
const NO_ROUND_TRIP: [(&str, &str); 6] = [
    ("BootPassword", "a password is a secret of people: nothing is changed"),
    ("LoopbackOnly", "how a mail server listens is its owner's to say: nothing is changed"),
    ("Partition", "disks are laid out at installation: nothing is changed"),
    ("RpmKey", "whose packages are taken is for a person to say: nothing is changed"),
    ("SshdAccess", "who may log in is the owner's to say: nothing is changed"),
    ("ZiplArgument", "only zipl knows the disk it boots from: nothing is changed"),
];

/// Every Rust file of the checkout, with its text.
fn sources() -> Result<Vec<(String, String)>> {
    let list = Program::new("git")
        .args(["-C", &checkout().to_string_lossy(), "ls-files", "--cached", "--others"])
        .args(["--exclude-standard", "*.rs"])
        .output()?;
    let read = |name: &str| Some((name.to_owned(), fs::read_to_string(checkout().join(name)).ok()?));
    Ok(list.lines().filter_map(read).collect())
}

/// The functions of a formatted file that are too long: line, name, length.
///
/// rustfmt puts the closing brace in the column the function starts in.
fn long_functions(text: &str) -> Vec<(usize, String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let indent = line.len() - line.trim_start().len();
        let Some(name) = function_name(line.trim_start()) else { continue };
        let end = format!("{}}}", " ".repeat(indent));
        let rest = lines.get(start..).unwrap_or_default();
        let length = rest.iter().position(|line| **line == end).map_or(0, |last| last + 1);
        let one_liner =
            rest.iter().take_while(|line| !line.ends_with('{')).any(|line| line.ends_with(['}', ';']));
        if length > FUNCTION_LINES && !one_liner {
            found.push((start + 1, name.to_owned(), length));
        }
    }
    found
}

fn function_name(line: &str) -> Option<&str> {
    let words = ["pub ", "pub(crate) ", "pub(super) ", "const ", "async ", "extern \"C\" "];
    let line = words.iter().fold(line, |line, word| line.strip_prefix(word).unwrap_or(line));
    line.strip_prefix("fn ")?.split(['(', '<']).next()
}

/// The uses of a later stage in a file of a program: `path uses stage`.
fn backward_uses(path: &str, text: &str) -> Vec<String> {
    let module = |path: &str| path.split(['/', '.']).next().unwrap_or_default().to_owned();
    let inside = |(program, stages): &(&str, &'static [&'static str])| {
        Some((path.strip_prefix(program)?.to_owned(), *stages))
    };
    let Some((inside, stages)) = STAGES.iter().find_map(inside) else { return Vec::new() };
    let Some(own) = stages.iter().position(|stage| *stage == module(&inside)) else { return Vec::new() };
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let uses = code.flat_map(|line| line.split("crate::").skip(1));
    uses.flat_map(|rest| stages.iter().skip(own + 1).filter(move |stage| names(rest, stage)))
        .map(|stage| format!("{path} uses {stage}"))
        .collect()
}

/// Whether the path that follows `crate::` starts with this module.
fn names(rest: &str, module: &str) -> bool {
    let word = |text: &str| text.split(|c: char| !c.is_alphanumeric() && c != '_').next() == Some(module);
    match rest.strip_prefix('{') {
        Some(group) => group.split(',').any(|item| word(item.trim())),
        None => word(rest),
    }
}

/// The kinds in the table of settings: variant, module, type.
fn kinds(text: &str) -> Vec<(&str, &str, &str)> {
    let table =
        text.split_once("\nkinds! {").and_then(|(_, rest)| rest.split_once("\n}")).unwrap_or_default().0;
    let kind = |line| {
        let (variant, path) = str::trim(line).strip_suffix(");")?.split_once('(')?;
        Some((variant, path.split("::").next()?, path.rsplit("::").next()?))
    };
    table.lines().filter_map(kind).collect()
}

/// The functions and constants of a formatted file: name, and text.
fn items(text: &str) -> Vec<(&str, String)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let bare = line.trim_start();
        if let Some(name) = bare.strip_prefix("const ").and_then(|rest| rest.split(':').next()) {
            found.push((name, bare.to_owned()));
        } else if let Some(name) = function_name(bare) {
            let end = format!("{}}}", " ".repeat(line.len() - bare.len()));
            let body = lines.iter().skip(start).take_while(|line| **line != end);
            found.push((name, body.copied().collect::<Vec<_>>().join("\n")));
        }
    }
    found
}

/// Whether a test in the text makes the round trip with a setting of a type, made there or by a function that names the type.
fn makes_round_trip(text: &str, kind: &str) -> bool {
    let word = |text: &str, word: &str| {
        text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|part| part == word)
    };
    let items = items(text);
    let makers: Vec<&str> =
        items.iter().filter(|(_, text)| word(text, kind)).map(|(name, _)| *name).collect();
    let makes = |text: &str| word(text, kind) || makers.iter().any(|name| word(text, name));
    items.iter().any(|(_, text)| word(text, "round_trip") && makes(text))
}

#[test]
fn every_kind_of_setting_makes_the_round_trip() {
    let sources = sources().unwrap();
    let (_, table) = sources.iter().find(|(path, _)| path == "agent/src/setting/mod.rs").unwrap();
    let kinds = kinds(table);
    assert!(kinds.len() > 40, "the table of kinds is not understood: {kinds:?}");
    let tested = |module: &str, kind: &str| {
        let own = [format!("agent/src/setting/{module}.rs"), format!("agent/src/setting/{module}/")];
        let mut files = sources.iter().filter(|(path, _)| *path == own[0] || path.starts_with(&own[1]));
        files.any(|(_, text)| makes_round_trip(text, kind))
    };
    let excused = |kind: &str| NO_ROUND_TRIP.iter().any(|(name, _)| *name == kind);
    let untested = kinds.iter().filter(|(_, module, kind)| !tested(module, kind) && !excused(kind));
    let untested: Vec<&str> = untested.map(|(variant, ..)| *variant).collect();
    assert!(untested.is_empty(), "kinds without a round trip (`Tree::round_trip`): {untested:?}");
    let needless = kinds.iter().filter(|(_, module, kind)| tested(module, kind) && excused(kind));
    let needless: Vec<&str> = needless.map(|(variant, ..)| *variant).collect();
    assert!(needless.is_empty(), "kinds that make it all the same: {needless:?}");
}

#[test]
fn files_fit_a_head() {
    let long = sources().unwrap().into_iter().filter(|(_, text)| text.lines().count() > FILE_LINES);
    let long: Vec<String> =
        long.map(|(path, text)| format!("{path}: {} lines", text.lines().count())).collect();
    assert!(long.is_empty(), "files over {FILE_LINES} lines: {long:#?}");
}

#[test]
fn functions_fit_a_screen() {
    let long: Vec<String> = sources()
        .unwrap()
        .iter()
        .flat_map(|(path, text)| long_functions(text).into_iter().map(move |found| (path, found)))
        .map(|(path, (line, name, length))| format!("{path}:{line} {name}: {length} lines"))
        .collect();
    assert!(long.is_empty(), "functions over {FUNCTION_LINES} lines: {long:#?}");
}

#[test]
fn stages_use_only_earlier_stages() {
    let backward: Vec<String> =
        sources().unwrap().iter().flat_map(|(path, text)| backward_uses(path, text)).collect();
    assert!(backward.is_empty(), "the flow is {STAGES:?}: {backward:#?}");
}

#[test]
fn modules_are_named_for_their_subject() {
    let stem = |path: &str| Path::new(path).with_extension("");
    let nameless = |path: &String| stem(path).iter().any(|part| NAMELESS.iter().any(|name| part == *name));
    let found: Vec<String> = sources().unwrap().into_iter().map(|(path, _)| path).filter(nameless).collect();
    assert!(found.is_empty(), "modules without a subject: {found:#?}");
}

#[test]
fn the_checks_see_what_they_should() {
    let long =
        format!("impl X {{\n    pub fn f() {{\n{}    }}\n}}\n", "        g();\n".repeat(FUNCTION_LINES));
    assert_eq!(long_functions(&long), [(2, "f".to_owned(), FUNCTION_LINES + 2)]);
    let short = format!("fn f() {{}}\n\nfn g() {{\n}}\n{}", "\n".repeat(100));
    assert_eq!(long_functions(&short), []);
    let uses = "use crate::{content, report::Report};\nuse crate::apply;\n// crate::apply\nlet x = crate::policy::X;";
    assert_eq!(
        backward_uses("agent/src/plan/order.rs", uses),
        ["agent/src/plan/order.rs uses report", "agent/src/plan/order.rs uses apply"]
    );
    assert_eq!(backward_uses("agent/src/setting/file.rs", uses), [""; 0]);
    assert_eq!(
        backward_uses("builder/src/spec/os.rs", "use crate::build;"),
        ["builder/src/spec/os.rs uses build"]
    );
    let tests =
        "const A: X = X;\nfn b() -> Y {\n}\nfn c() {\n    round_trip(&A, &b());\n}\nfn d() -> Z {\n}\n";
    assert_eq!(["X", "Y", "Z"].map(|kind| makes_round_trip(tests, kind)), [true, true, false]);
}
