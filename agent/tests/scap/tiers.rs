//! Tiers with content of others.

use crate::bench::{Bench, by, check, of_rule, results, rules, value};

/// Rules: two of the light tier, of which one is judged by a value, and one that it does not have.
fn bench() -> Bench {
    let table = [
        ("file_permissions_etc_passwd", check("1", ""), ""),
        ("file_owner_etc_passwd", by("oval.xml", "", "11", "word>1"), ""),
        ("sshd_disable_root_login", check("1", ""), ""),
        ("of_others", check("1", ""), ""),
    ];
    Bench::new(&rules(&table), &value("word", "string", "two"))
}

fn judged(bench: &Bench) -> Vec<String> {
    let args = [
        "audit",
        "--content",
        "b.xml",
        "--tier",
        "light",
        "--results",
        "agent.xml",
        "--results-arf",
        "arf.xml",
    ];
    let output = bench.agent(&args);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(matches!(output.status.code(), Some(0..=2)), "{said}");
    let results = results(&bench.read("agent.xml"));
    let names =
        ["file_permissions_etc_passwd", "file_owner_etc_passwd", "sshd_disable_root_login", "of_others"];
    names.iter().map(|rule| of_rule(&results, rule)).collect()
}

#[test]
fn light_takes_its_own_rules_that_the_content_has() {
    let bench = bench();
    assert_eq!(judged(&bench), ["pass", "fail", "notselected", "notselected"]);
    // It is in them as any tailoring is, with all that their schema wants.
    assert!(!bench.read("agent.xml").contains("time=\"\""), "{}", bench.read("agent.xml"));
    let arf = bench.read("arf.xml");
    assert!(arf.contains("xccdf_trempe_profile_light"), "the profile is in the results");
    // With the values of the content's own profile of level 1, and no more of its rules.
    let level = "<Profile id='xccdf_t_profile_cis_level1_server'><title>1</title>\
                 <select idref='xccdf_t_rule_of_others' selected='true'/>\
                 <set-value idref='xccdf_t_value_word'>one</set-value></Profile>";
    bench.write("b.xml", &bench.read("b.xml").replacen("<Value", &format!("{level}\n<Value"), 1));
    assert_eq!(judged(&bench), ["pass", "pass", "notselected", "notselected"]);
}

#[test]
fn content_without_such_rules_is_refused() {
    let bench = Bench::new(&rules(&[("of_others", check("1", ""), "")]), "");
    let output = bench.agent(&["audit", "--content", "b.xml", "--tier", "light"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("no rule of the light tier"), "{said}");
}
