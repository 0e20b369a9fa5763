//! Small documents, and who judges them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

pub const OVAL: &str = "http://oval.mitre.org/XMLSchema/oval-definitions-5";
pub const SCE: &str = "http://open-scap.org/page/SCE";

/// A directory with documents in it.
pub struct Bench {
    pub dir: TempDir,
}

/// What became of each result: rule, definition (empty when none is named), outcome.
pub type Results = Vec<(String, String, String)>;

impl Bench {
    /// A benchmark `b.xml` with these rules and values, all of which its profile `p` selects, and the OVAL document `oval.xml`.
    pub fn new(rules: &str, values: &str) -> Bench {
        let bench = Bench { dir: tempfile::tempdir().unwrap() };
        bench.write("b.xml", &benchmark(rules, values));
        bench.write("oval.xml", &oval(&DEFINITIONS));
        bench
    }

    /// Puts a file there.
    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.dir.path().join(name), text).unwrap();
    }

    /// Puts a script there.
    pub fn script(&self, name: &str, body: &str) {
        self.write(name, &format!("#!/bin/sh\n{body}\n"));
        let path = self.dir.path().join(name);
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// A file's text.
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.dir.path().join(name)).unwrap()
    }

    /// Runs the agent there.
    pub fn agent(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_agent")).current_dir(&self.dir).args(args).output().unwrap()
    }

    /// The agent's report, and its results in XCCDF.
    pub fn audited(&self, further: &[&str]) -> (Value, Results) {
        let args =
            ["audit", "--content", "b.xml", "--profile", "p", "--format", "json", "--results", "agent.xml"];
        let output = self.agent(&[&args[..], further].concat());
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(matches!(output.status.code(), Some(0..=2)), "{said}");
        let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{said}"));
        (report, results(&self.read("agent.xml")))
    }

    /// oscap, about to judge by the same, with these further arguments. The schema does not allow all that the standard does.
    pub fn oscap(&self, further: &[&str]) -> Command {
        let mut oscap = Command::new("oscap");
        oscap.current_dir(&self.dir);
        oscap
            .args(["xccdf", "eval", "--skip-valid", "--profile", "xccdf_t_profile_p"])
            .args(further)
            .arg("b.xml");
        oscap
    }

    /// What oscap makes of the same.
    pub fn judged_by_oscap(&self) -> Results {
        let mut output = self.oscap(&["--results", "oscap.xml"]).output().unwrap();
        // Two of its threads fall over one another now and then; it then ends with 0, and without results.
        let fell =
            |output: &Output| String::from_utf8_lossy(&output.stderr).contains("failed to unlock a mutex");
        for _ in 0..8 {
            if fell(&output) {
                output = self.oscap(&["--results", "oscap.xml"]).output().unwrap();
            }
        }
        assert!(
            matches!(output.status.code(), Some(0 | 2)) && self.path().join("oscap.xml").exists(),
            "{output:?}"
        );
        results(&self.read("oscap.xml"))
    }

    /// Whether a file is there.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }
}

/// The results in a document of XCCDF, in their order.
pub fn results(text: &str) -> Results {
    let between = |text: &str, open: &str, close: &str| {
        let (_, rest) = text.split_once(open)?;
        Some(rest.split_once(close)?.0.to_owned())
    };
    let one = |rest: &str| {
        let own = rest.split("</rule-result>").next()?;
        let rule = between(own, "idref=\"xccdf_t_rule_", "\"")?;
        let reference = own.split("<check-content-ref").nth(1).unwrap_or_default().split('>').next()?;
        let name = between(reference, "name=\"oval:x:def:", "\"").unwrap_or_default();
        Some((rule, name, between(own, "<result>", "</result>")?))
    };
    text.split("<rule-result ").skip(1).filter_map(one).collect()
}

/// The results of a rule, ` ` between them: outcomes, with their definition where a rule has several.
pub fn of_rule(results: &Results, rule: &str) -> String {
    let own: Vec<_> = results.iter().filter(|(id, ..)| id == rule).collect();
    let several = own.len() > 1;
    let one = |(_, name, outcome): &&(String, String, String)| {
        if several { format!("{name}:{outcome}") } else { outcome.clone() }
    };
    own.iter().map(one).collect::<Vec<_>>().join(" ")
}

/// The rules of a table that came to something else.
pub fn differences(table: &[(&str, String, &str)], results: &Results) -> Vec<String> {
    let of = |(rule, _, expected): &(&str, String, &str)| {
        let found = of_rule(results, rule);
        (found != *expected).then(|| format!("{rule}: {expected:?} expected, {found:?} found"))
    };
    table.iter().filter_map(of).collect()
}

/// The rules of a table.
pub fn rules(table: &[(&str, String, &str)]) -> String {
    table.iter().map(|(id, check, _)| rule(id, check)).collect()
}

pub fn rule(id: &str, inside: &str) -> String {
    format!("<Rule id='xccdf_t_rule_{id}' selected='true'><title>t</title>{inside}</Rule>\n")
}

/// A check by the definition of a number (by all when empty) of `oval.xml`, which hands values to variables: `one>1 two>2`.
pub fn check(definition: &str, exports: &str) -> String {
    by("oval.xml", "", definition, exports)
}

/// The same with other attributes, by another document.
pub fn by(href: &str, attributes: &str, definition: &str, exports: &str) -> String {
    let export = |(value, variable): (&str, &str)| {
        format!("<check-export value-id='xccdf_t_value_{value}' export-name='oval:x:var:{variable}'/>")
    };
    let exports: String =
        exports.split_whitespace().map(|one| export(one.split_once('>').unwrap())).collect();
    let name = if definition.is_empty() { String::new() } else { format!("name='oval:x:def:{definition}'") };
    format!("<check system='{OVAL}' {attributes}>{exports}<check-content-ref href='{href}' {name}/></check>")
}

/// A value.
pub fn value(id: &str, kind: &str, content: &str) -> String {
    // Without an operator oscap 1.3.7 aborts when a script is handed it.
    format!(
        "<Value id='xccdf_t_value_{id}' type='{kind}' operator='equals'><title>v</title><value>{content}</value></Value>\n"
    )
}

// oscap 1.3.7 passes over an element that follows another without white space.
fn benchmark(rules: &str, values: &str) -> String {
    format!(
        "<Benchmark xmlns='http://checklists.nist.gov/xccdf/1.2' id='xccdf_t_benchmark_b'>\n\
         <status date='2025-01-01'>draft</status><title>t</title><description>d</description>\n\
         <version>1</version>\n<Profile id='xccdf_t_profile_p'><title>p</title></Profile>\n{values}\n{rules}</Benchmark>"
    )
}

/// Definitions: number, test, class. Tests 1, 2, 3 and 4 come to true, false, error and unknown; 11 is true when variable 1 is `one`, 12 when
/// variable 2 is `two`.
pub const DEFINITIONS: [(u8, u8, &str); 15] = [
    (1, 1, "compliance"),
    (2, 2, "compliance"),
    (3, 3, "compliance"),
    (4, 4, "compliance"),
    (10, 1, "compliance"),
    (11, 11, "compliance"),
    (12, 12, "compliance"),
    (21, 1, "vulnerability"),
    (22, 2, "vulnerability"),
    (23, 1, "patch"),
    (24, 2, "patch"),
    (25, 1, "inventory"),
    (26, 2, "miscellaneous"),
    (27, 3, "patch"),
    (28, 4, "vulnerability"),
];

/// An OVAL document with some of these definitions.
pub fn oval(definitions: &[(u8, u8, &str)]) -> String {
    let definition = |(number, test, class): &(u8, u8, &str)| {
        format!(
            "<definition id='oval:x:def:{number}' version='1' class='{class}'>\n<metadata>\n<title>d</title>\n\
             <description>d</description>\n</metadata>\n<criteria>\n<criterion test_ref='oval:x:tst:{test}'/>\n\
             </criteria>\n</definition>\n"
        )
    };
    let test = |(number, object, state): (u8, u8, u8)| {
        format!(
            "<ind:variable_test id='oval:x:tst:{number}' version='1' check='all' comment='c'>\n\
             <ind:object object_ref='oval:x:obj:{object}'/>\n<ind:state state_ref='oval:x:ste:{state}'/>\n\
             </ind:variable_test>\n"
        )
    };
    let object = |number: u8| {
        format!(
            "<ind:variable_object id='oval:x:obj:{number}' version='1'>\n<ind:var_ref>oval:x:var:{number}</ind:var_ref>\n\
             </ind:variable_object>\n"
        )
    };
    let state = |(number, attributes, value): (u8, &str, &str)| {
        format!(
            "<ind:variable_state id='oval:x:ste:{number}' version='1'>\n<ind:value {attributes}>{value}</ind:value>\n\
             </ind:variable_state>\n"
        )
    };
    let external = |number: u8| {
        format!("<external_variable id='oval:x:var:{number}' version='1' datatype='string' comment='c'/>\n")
    };
    format!(
        "<oval_definitions xmlns='{OVAL}' xmlns:oval='http://oval.mitre.org/XMLSchema/oval-common-5' xmlns:ind='{OVAL}#independent'>\n\
         <generator>\n<oval:schema_version>5.11</oval:schema_version>\n<oval:timestamp>2025-01-01T00:00:00</oval:timestamp>\n\
         </generator>\n<definitions>\n{}</definitions>\n<tests>\n{}\
         <ind:unknown_test id='oval:x:tst:4' version='1' check='all' comment='c'/>\n</tests>\n\
         <objects>\n{}</objects>\n<states>\n{}</states>\n<variables>\n\
         <constant_variable id='oval:x:var:9' version='1' datatype='string' comment='c'>\n<value>x</value>\n\
         </constant_variable>\n{}</variables>\n</oval_definitions>",
        definitions.iter().map(definition).collect::<String>(),
        [(1, 9, 9), (2, 9, 1), (3, 9, 3), (11, 1, 1), (12, 2, 2)].map(test).concat(),
        [9, 1, 2].map(object).concat(),
        [(9, "", "x"), (1, "", "one"), (2, "", "two"), (3, "datatype='int' operation='greater than'", "1")]
            .map(state)
            .concat(),
        [1, 2].map(external).concat(),
    )
}
