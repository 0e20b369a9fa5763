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
    /// What the state holds; none when empty.
    pub state: &'static str,
    /// oscap's verdict.
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
 xmlns:linux="http://oval.mitre.org/XMLSchema/oval-definitions-5#linux" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
 <generator>
  <oval:schema_version>SCHEMA</oval:schema_version>
  <oval:timestamp>2026-01-01T00:00:00</oval:timestamp>
 </generator>
"#;

impl Table<'_> {
    /// Evaluates every row below a tree and compares with what oscap says.
    pub fn check(&self, tree: &Path) {
        self.check_as("5.11", tree);
    }

    /// The same, for content of a version of the schema.
    pub fn check_as(&self, schema: &str, tree: &Path) {
        let text = self.document(schema);
        let rows: Vec<_> = self.rows.iter().map(|row| (row.name, row.verdict)).collect();
        verify(&text, &rows, tree, &[]);
    }

    /// The same; oscap is asked on the running system, with these files of the tree in the place of its own: it does not look for them
    /// below a root.
    pub fn check_lent(&self, schema: &str, tree: &Path, lent: &[&str]) {
        let rows: Vec<_> = self.rows.iter().map(|row| (row.name, row.verdict)).collect();
        verify(&self.document(schema), &rows, tree, lent);
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
        let part = |what: &str, content: &str| match content {
            "" => String::new(),
            _ => {
                let id = format!("oval:x:{}:{n}", if what == "object" { "obj" } else { "ste" });
                format!(
                    "<{space}:{kind}_{what} id=\"{id}\" version=\"1\">\n{content}\n</{space}:{kind}_{what}>\n"
                )
            }
        };
        let wanted = match *state {
            "" => String::new(),
            _ => format!("<{space}:state state_ref=\"oval:x:ste:{n}\"/>\n"),
        };
        let test = format!(
            "<{space}:{kind}_test id=\"oval:x:tst:{n}\" version=\"1\" comment=\"x\" {check} {test}>\n\
             <{space}:object object_ref=\"oval:x:obj:{n}\"/>\n{wanted}</{space}:{kind}_test>\n"
        );
        [definition, test, part("object", object), part("state", state)]
    }
}

/// Evaluates the definitions `oval:x:def:1` and so on below a tree and compares with what oscap says: names and verdicts.
pub fn verify(text: &str, rows: &[(&str, &str)], tree: &Path, lent: &[&str]) {
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
            if found != *verdict {
                wrong.push(format!("{name}{when}: {found} instead of {verdict}: {evidence:?}"));
            }
        }
    }
    if std::env::var_os("OVAL_ASK_OSCAP").is_some() {
        let asked = ask(text, tree, lent, rows.len());
        for (n, (name, verdict)) in rows.iter().enumerate() {
            match asked.get(&format!("oval:x:def:{}", n + 1)) {
                Some(said) if said == verdict => {}
                Some(said) => wrong.push(format!("{name}: oscap says {said}, the table {verdict}")),
                None => eprintln!("{name}: oscap stops"),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// oscap's verdicts by definition, asked one by one: some errors end oscap, and then it has no verdict to compare with.
fn ask(text: &str, tree: &Path, lent: &[&str], definitions: usize) -> BTreeMap<String, String> {
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), Permissions::from_mode(0o777)).unwrap();
    let (file, results) = (directory.path().join("d.xml"), directory.path().join("r.xml"));
    fs::write(&file, text).unwrap();
    let mut found = BTreeMap::new();
    for id in (1..=definitions).map(|n| format!("oval:x:def:{n}")) {
        let _ = fs::remove_file(&results);
        let mounts: String =
            lent.iter().map(|name| format!("mount --bind {0}/{name} /{name} && ", tree.display())).collect();
        let mut oscap = match lent {
            [] => Command::new("oscap"),
            _ => {
                let mut shell = Command::new("unshare");
                shell.args(["-m", "sh", "-c", &format!("{mounts} exec oscap \"$@\""), "sh"]);
                shell
            }
        };
        oscap.args(["oval", "eval", "--id", &id, "--skip-valid", "--results"]).args([&results, &file]);
        if lent.is_empty() && tree != Path::new("/") {
            oscap.env("OSCAP_PROBE_ROOT", tree);
        }
        if setfsuid(Uid::from_raw(u32::MAX)).as_raw() == NOBODY {
            oscap.uid(NOBODY);
        }
        oscap.output().expect("oscap is installed");
        let Ok(results) = fs::read_to_string(&results) else { continue };
        let part = results.split_once(&format!("<definition definition_id=\"{id}\"")).unwrap().1;
        let result = part.split_once(" result=\"").unwrap().1.split('"').next().unwrap();
        found.insert(id, result.to_owned());
    }
    found
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
