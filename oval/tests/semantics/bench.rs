//! Makes documents from rows, and has them evaluated.

use nix::unistd::{Uid, geteuid, setfsuid};
use oval::{Document, Evaluator, System, Variables};
use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

/// A user who owns nothing.
const NOBODY: u32 = 65534;

/// A test that is a definition's only criterion.
pub struct Row {
    /// What it is about.
    pub name: &'static str,
    /// Attributes of the test: `check` and `check_existence`, `check="all"` being understood.
    pub test: &'static str,
    /// What the object holds.
    pub object: &'static str,
    /// What the state holds; or the ids of states among the table's parts; none when empty.
    pub state: &'static str,
    /// oscap's verdict, and ours after [`OURS`] where it is another.
    pub verdict: &'static str,
}

/// A row.
pub const fn row(
    name: &'static str,
    test: &'static str,
    object: &'static str,
    state: &'static str,
    verdict: &'static str,
) -> Row {
    Row { name, test, object, state, verdict }
}

/// A table: rows, and parts they refer to.
pub struct Table<'a> {
    /// The kind of test, with its namespace's prefix: `ind:textfilecontent54`.
    pub kind: &'a str,
    /// The rows.
    pub rows: &'a [Row],
    /// More objects, states and variables.
    pub parts: [&'a str; 3],
}

pub const HEAD: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<oval_definitions xmlns="http://oval.mitre.org/XMLSchema/oval-definitions-5" xmlns:oval="http://oval.mitre.org/XMLSchema/oval-common-5"
 xmlns:ind="http://oval.mitre.org/XMLSchema/oval-definitions-5#independent" xmlns:unix="http://oval.mitre.org/XMLSchema/oval-definitions-5#unix"
 xmlns:linux="http://oval.mitre.org/XMLSchema/oval-definitions-5#linux" xmlns:win="http://oval.mitre.org/XMLSchema/oval-definitions-5#windows"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
 <generator>
  <oval:schema_version>SCHEMA</oval:schema_version>
  <oval:timestamp>2026-01-01T00:00:00</oval:timestamp>
 </generator>
"#;

/// How oscap is asked.
#[derive(Default)]
pub struct Asking<'a> {
    /// Files and directories of the tree in the place of the running system's, which oscap looks at then, instead of below the tree.
    pub lent: &'a [&'a str],
    /// Another tree, in the place of ours.
    pub below: Option<&'a Path>,
    /// Variables of its environment.
    pub environment: &'a [(&'a str, &'a str)],
}

impl Table<'_> {
    /// Evaluates every row below a tree and compares with what oscap says.
    pub fn check(&self, tree: &Path) {
        self.check_as("5.11", tree);
    }

    /// The same, for content of a version of the schema.
    pub fn check_as(&self, schema: &str, tree: &Path) {
        self.check_asking(schema, tree, &Asking::default());
    }

    /// The same; oscap is asked on the running system, with these files of the tree in the place of its own: it does not look for them
    /// below a root.
    pub fn check_lent(&self, schema: &str, tree: &Path, lent: &[&str]) {
        self.check_asking(schema, tree, &Asking { lent, ..Asking::default() });
    }

    /// The same; oscap is asked as it is said.
    pub fn check_asking(&self, schema: &str, tree: &Path, how: &Asking<'_>) {
        let rows: Vec<_> = self.rows.iter().map(|row| (row.name, row.verdict)).collect();
        verify(&self.document(schema), &rows, tree, how);
    }

    /// The same, looked at by a user who may not read everything.
    pub fn check_as_nobody(&self, tree: &Path) {
        if !geteuid().is_root() {
            return;
        }
        fs::set_permissions(tree, Permissions::from_mode(0o755)).unwrap();
        // Of this thread alone; without it, root reads all.
        setfsuid(Uid::from_raw(NOBODY));
        self.check(tree);
        setfsuid(Uid::from_raw(0));
    }

    fn document(&self, schema: &str) -> String {
        let mut sections = [const { String::new() }; 4];
        for (n, row) in self.rows.iter().enumerate() {
            for (section, part) in sections.iter_mut().zip(self.parts_of(n + 1, row)) {
                section.push_str(&part);
            }
        }
        let [definitions, tests, objects, states] = sections;
        let [more_objects, more_states, variables] = self.parts;
        let section = |name: &str, content: &str| match content.trim() {
            "" => String::new(),
            content => format!("<{name}>\n{content}\n</{name}>\n"),
        };
        let parts = [
            section("definitions", &definitions),
            section("tests", &tests),
            section("objects", &format!("{objects}{more_objects}")),
            section("states", &format!("{states}{more_states}")),
            section("variables", variables),
        ];
        // oscap 1.3.7 cannot read elements that follow each other without white space.
        let head = HEAD.replace("SCHEMA", schema);
        format!("{head}{}</oval_definitions>\n", parts.concat()).replace("><", ">\n<")
    }

    /// The definition, test, object and state of a row.
    fn parts_of(&self, n: usize, row: &Row) -> [String; 4] {
        let (space, kind) = self.kind.split_once(':').unwrap();
        let Row { name, test, object, state, .. } = row;
        let title =
            format!("<metadata>\n<title>{name}</title>\n<description>{name}</description>\n</metadata>");
        let criteria = format!("<criteria>\n<criterion test_ref=\"oval:x:tst:{n}\"/>\n</criteria>");
        let definition = format!(
            "<definition id=\"oval:x:def:{n}\" version=\"1\" class=\"miscellaneous\">\n{title}\n{criteria}\n</definition>\n"
        );
        let check = if test.contains("check=") { "" } else { "check=\"all\"" };
        let listed = state.starts_with("oval:");
        let part = |what: &str, content: &str| match content {
            "" => String::new(),
            _ if listed && what == "state" => String::new(),
            _ => {
                let id = format!("oval:x:{}:{n}", if what == "object" { "obj" } else { "ste" });
                format!(
                    "<{space}:{kind}_{what} id=\"{id}\" version=\"1\">\n{content}\n</{space}:{kind}_{what}>\n"
                )
            }
        };
        let own = format!("oval:x:ste:{n}");
        let states = if listed { state } else { own.as_str() };
        let states = states.split(' ').filter(|_| !state.is_empty());
        let wanted: String = states.map(|id| format!("<{space}:state state_ref=\"{id}\"/>\n")).collect();
        let test = format!(
            "<{space}:{kind}_test id=\"oval:x:tst:{n}\" version=\"1\" comment=\"x\" {check} {test}>\n\
             <{space}:object object_ref=\"oval:x:obj:{n}\"/>\n{wanted}</{space}:{kind}_test>\n"
        );
        [definition, test, part("object", object), part("state", state)]
    }
}

/// Evaluates the definitions `oval:x:def:1` and so on below a tree and compares with what oscap says: names and verdicts.
pub fn verify(text: &str, rows: &[(&str, &str)], tree: &Path, how: &Asking<'_>) {
    let document = Document::parse(text, "table").unwrap();
    let system = System::below(tree).unwrap();
    let mut wrong = Vec::new();
    // One definition after the other, and with all of them told beforehand.
    for (expected, when) in [(false, ""), (true, ", swept")] {
        let evaluator = Evaluator::new(&document, &system, Variables::new());
        if expected {
            evaluator.expect(document.definitions());
        }
        for (n, (name, verdict)) in rows.iter().enumerate() {
            let outcome = evaluator.evaluate(&format!("oval:x:def:{}", n + 1)).unwrap();
            let (found, evidence) = (outcome.verdict.word(), outcome.evidence);
            if found != ours(verdict) {
                wrong.push(format!("{name}{when}: {found} instead of {}: {evidence:?}", ours(verdict)));
            }
        }
    }
    if std::env::var_os("OVAL_ASK_OSCAP").is_some() {
        let said = ask(text, how.below.unwrap_or(tree), how, rows.len());
        for (n, (name, verdict)) in rows.iter().enumerate() {
            let verdict = oscaps(verdict);
            match said.get(&(n + 1)) {
                Some(said) if said == verdict => {}
                Some(said) => wrong.push(format!("{name}: oscap says {said}, the table {verdict}")),
                None if verdict == ENDS => {}
                None => wrong.push(format!("{name}: oscap {ENDS}, the table says {verdict}")),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Both verdicts of a row where ours is not oscap's: what oscap says, or that it ends without saying anything, and then ours. Why that is so,
/// `docs/oval.md` says.
const OURS: &str = ", ours ";

/// What a row says instead of oscap's verdict when oscap ends.
const ENDS: &str = "ends";

fn oscaps(verdict: &str) -> &str {
    verdict.split_once(OURS).map_or(verdict, |(oscaps, _)| oscaps)
}

fn ours(verdict: &str) -> &str {
    verdict.split_once(OURS).map_or(verdict, |(_, ours)| ours)
}

/// oscap's verdicts by definition, all asked at once. Some content ends oscap; then they are asked one by one, and those that end it have none.
fn ask(text: &str, tree: &Path, how: &Asking<'_>, definitions: usize) -> BTreeMap<usize, String> {
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), Permissions::from_mode(0o777)).unwrap();
    fs::write(directory.path().join("oval.xml"), text).unwrap();
    let all: Vec<usize> = (1..=definitions).collect();
    let said = oscap(directory.path(), tree, how, &all);
    if said.len() == definitions {
        return said;
    }
    all.iter().flat_map(|n| oscap(directory.path(), tree, how, &[*n])).collect()
}

/// oscap evaluates rules, one for each definition: `oscap oval eval` ends where a probe gives up, while a rule has a result then.
fn oscap(directory: &Path, tree: &Path, how: &Asking<'_>, definitions: &[usize]) -> BTreeMap<usize, String> {
    let (file, results) = (directory.join("rules.xml"), directory.join("results.xml"));
    let rule = |n: &usize| {
        format!(
            "<Rule id=\"xccdf_x_rule_{n}\" selected=\"true\">\n<title>x</title>\n\
             <check system=\"http://oval.mitre.org/XMLSchema/oval-definitions-5\">\n\
             <check-content-ref href=\"oval.xml\" name=\"oval:x:def:{n}\"/>\n</check>\n</Rule>\n"
        )
    };
    let rules: String = definitions.iter().map(rule).collect();
    let benchmark = format!(
        "<Benchmark xmlns=\"http://checklists.nist.gov/xccdf/1.2\" id=\"xccdf_x_benchmark_x\">\n<status>draft</status>\n\
         <version>1</version>\n{rules}</Benchmark>\n"
    );
    fs::write(&file, benchmark).unwrap();
    let _ = fs::remove_file(&results);
    let mounts: String =
        how.lent.iter().map(|name| format!("mount --bind {0}/{name} /{name} && ", tree.display())).collect();
    let mut oscap = match how.lent {
        [] => Command::new("oscap"),
        _ => {
            let mut shell = Command::new("unshare");
            shell.args(["-m", "sh", "-c", &format!("{mounts} exec oscap \"$@\""), "sh"]);
            shell
        }
    };
    oscap.args(["xccdf", "eval", "--skip-valid", "--results"]).args([&results, &file]);
    // Debian's oscap checks its own values all the time unless it is told not to.
    oscap.env("SEXP_VALIDATE_DISABLE", "1").envs(how.environment.iter().copied());
    if how.lent.is_empty() && tree != Path::new("/") {
        oscap.env("OSCAP_PROBE_ROOT", tree);
    }
    if setfsuid(Uid::from_raw(u32::MAX)).as_raw() == NOBODY {
        oscap.uid(NOBODY);
    }
    oscap.output().expect("oscap is installed");
    verdicts(&fs::read_to_string(&results).unwrap_or_default())
}

/// The word of OVAL for a result of XCCDF.
fn translated(result: &str) -> &str {
    match result {
        "pass" => "true",
        "fail" => "false",
        "notchecked" => "not evaluated",
        "notapplicable" => "not applicable",
        other => other,
    }
}

/// The verdicts of results of rules, by the number of the definition.
fn verdicts(results: &str) -> BTreeMap<usize, String> {
    let one = |rule: &str| {
        let number = rule.split('"').next()?.parse().ok()?;
        let result = rule.split_once("<result>")?.1.split('<').next()?;
        Some((number, translated(result).to_owned()))
    };
    results.split("<rule-result idref=\"xccdf_x_rule_").skip(1).filter_map(one).collect()
}

/// The verdict that a letter stands for.
pub fn word(letter: char) -> &'static str {
    match letter {
        'T' => "true",
        'F' => "false",
        'E' => "error",
        'U' => "unknown",
        'N' => "not evaluated",
        _ => "not applicable",
    }
}

/// What a `textfilecontent54_object` holds.
#[macro_export]
macro_rules! lines {
    ($path:literal, $pattern:literal, $instance:literal) => {
        concat!(
            "<ind:filepath>",
            $path,
            "</ind:filepath>\n<ind:pattern operation=\"pattern match\">",
            $pattern,
            "</ind:pattern>\n<ind:instance datatype=\"int\" operation=\"greater than or equal\">",
            $instance,
            "</ind:instance>"
        )
    };
    ($path:literal, $pattern:literal) => {
        lines!($path, $pattern, "1")
    };
}
