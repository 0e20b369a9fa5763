//! Which fix is taken and what is in it: the table is what `oscap xccdf generate fix` says, and is asked of it again.

use std::process::Command;

use xccdf::fix::{SHELL, Unresolved, choose, text};
use xccdf::{Benchmark, no_alias, resolve};

/// Rule, its fixes (`<sh` stands for one that is a shell script), and what comes of it; nothing where there is no fix.
const CASES: [(&str, &str, &str); 15] = [
    ("none", "", ""),
    ("other", "<fix system='urn:xccdf:fix:script:perl'>a</fix>", ""),
    ("first", "<sh>a</fix><sh>b</fix>", "a"),
    ("reboot", "<sh reboot='true'>a</fix><sh>b</fix>", "b"),
    ("reboot_only", "<sh reboot='true'>a</fix><sh reboot='true'>b</fix>", "a"),
    (
        "last_level",
        "<sh disruption='low'>a</fix><sh disruption='medium'>b</fix><sh disruption='high'>c</fix>",
        "b",
    ),
    (
        "low_is_last",
        "<sh disruption='high'>a</fix><sh disruption='medium'>b</fix><sh disruption='low'>c</fix>",
        "c",
    ),
    ("reboot_before_level", "<sh disruption='low' reboot='true'>a</fix><sh disruption='medium'>b</fix>", "b"),
    ("no_mild_one", "<sh disruption='high'>a</fix><sh disruption='unknown'>b</fix>", "a"),
    ("platform", "<sh platform='cpe:/o:none'>a</fix><sh>b</fix>", "a"),
    ("value", "<sh>x <sub idref='xccdf_test_value_v' use='legacy'/>!</fix>", "x two & three!"),
    ("use_unsaid", "<sh>x <sub idref='xccdf_test_value_v'/>!</fix>", "x two & three!"),
    ("title", "<sh>x <sub idref='xccdf_test_value_v' use='title'/>!</fix>", "x The title!"),
    ("plain_text", "<sh>x <sub idref='word'/>!</fix>", "x plain words!"),
    ("cdata", "<sh>a &lt; <![CDATA[b > $x && ]]>c<!-- no --> d</fix>", "a < b > $x && c d"),
];

fn document() -> String {
    let rules = CASES.map(|(rule, fixes, _)| {
        let fixes = fixes.replace("<sh", &format!("<fix system='{SHELL}'"));
        format!("<Rule id='xccdf_test_rule_{rule}' selected='true'><title>{rule}</title>{fixes}</Rule>\n")
    });
    format!(
        "<Benchmark xmlns='http://checklists.nist.gov/xccdf/1.2' id='xccdf_test_benchmark_b' resolved='1'>\n\
         <status>draft</status><title>t</title><plain-text id='word'>plain words</plain-text><version>1</version>\n\
         <Profile id='xccdf_test_profile_p'><title>p</title>\
         <refine-value idref='xccdf_test_value_v' selector='b'/></Profile>\n\
         <Value id='xccdf_test_value_v'><title>The title</title><value>one</value>\
         <value selector='b'>two &amp; three</value></Value>\n{}</Benchmark>",
        rules.concat()
    )
}

#[test]
fn the_fix_that_is_meant_is_taken_with_the_values_in_it() {
    let benchmark = Benchmark::parse(document().as_bytes(), "b.xml").unwrap();
    let policy = resolve(&benchmark, &[], Some("p"), &no_alias).unwrap();
    for ((rule, _, expected), found) in CASES.iter().zip(benchmark.rules()) {
        let fix = choose(&found.fixes, |fix| fix.system.as_deref() == Some(SHELL));
        let found = fix.map(|fix| text(fix, &benchmark, &policy).unwrap()).unwrap_or_default();
        assert_eq!(found, *expected, "{rule}");
    }
}

#[test]
fn oscap_takes_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("b.xml");
    std::fs::write(&file, document()).unwrap();
    let mut oscap = Command::new("oscap");
    oscap
        .args(["xccdf", "generate", "fix", "--profile", "xccdf_test_profile_p", "--fix-type", "bash"])
        .arg(file);
    let output = oscap.output().unwrap();
    let script = String::from_utf8(output.stdout).unwrap();
    for (rule, _, expected) in CASES {
        let start = format!(": 'xccdf_test_rule_{rule}'\")\n");
        let rest = script.split_once(&start).unwrap_or_else(|| panic!("{rule}: {script}")).1;
        let said = rest.split("# END fix").next().unwrap().trim_end();
        let said = if said.contains("IS MISSING") { "" } else { said };
        assert_eq!(said, expected, "{rule}");
    }
}

/// OpenSCAP says of these that the substitution failed, or does not take the document.
#[test]
fn a_fix_that_lacks_something_has_no_text() {
    let unknown = || Unresolved::Unknown("xccdf_test_value_none".to_owned());
    for (script, why) in [
        ("<sub idref='xccdf_test_value_none'/>", unknown()),
        ("<sub idref='xccdf_test_value_none' use='title'/>", unknown()),
        ("<h:object data='#xccdf:value:xccdf_test_value_none'/>", unknown()),
        ("<instance/>", Unresolved::Instance),
        ("<h:b>bold</h:b>", Unresolved::Element("b".to_owned())),
        ("<h:object data='http://example.org/'/>", Unresolved::Element("object".to_owned())),
    ] {
        let fix = format!("<fix system='{SHELL}' xmlns:h='http://www.w3.org/1999/xhtml'>x {script}</fix>");
        let document = document().replace(
            "</Benchmark>",
            &format!(
                "<Rule id='xccdf_test_rule_bad' selected='true'><title>t</title>{fix}</Rule></Benchmark>"
            ),
        );
        let benchmark = Benchmark::parse(document.as_bytes(), "b.xml").unwrap();
        let policy = resolve(&benchmark, &[], Some("p"), &no_alias).unwrap();
        let rule = benchmark.rule("xccdf_test_rule_bad").unwrap();
        assert_eq!(text(&rule.fixes[0], &benchmark, &policy), Err(why), "{script}");
    }
}
