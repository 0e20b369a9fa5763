//! Which profiles of a stack of tailorings apply, and in what order.

use crate::fixture::*;
use xccdf::{Benchmark, Policy, Tailoring, no_alias, resolve, short_id};

/// A benchmark with profiles `base` (a), `more` (extends base: b) and rules a to f.
fn base() -> Benchmark {
    let rules: String = ["a", "b", "c", "d", "e", "f"].map(rule).concat();
    let profiles = [selecting("base", "", "a"), selecting("more", "base", "b")].concat();
    benchmark(&format!("{profiles}{rules}"))
}

fn applied(policy: &Policy) -> String {
    let ids: Vec<&str> = policy.applied.iter().map(|applied| short_id(&applied.id)).collect();
    ids.join(" ")
}

/// Files as `name extends rules; …`, separated by `|`; `.` extends nothing.
fn files(text: &str) -> Vec<Tailoring> {
    let mut stack = Vec::new();
    for (n, file) in text.split('|').filter(|file| !file.trim().is_empty()).enumerate() {
        let mut profiles = String::new();
        for profile in file.split(';') {
            let mut words = profile.split_whitespace();
            let (id, extends) = (words.next().unwrap(), words.next().unwrap());
            let rules: Vec<&str> = words.collect();
            let extends = if extends == "." { "" } else { extends };
            profiles.push_str(&selecting(id, extends, &rules.join(" ")));
        }
        stack.push(tailoring(&format!("{}.xml", n + 1), &profiles));
    }
    stack
}

#[test]
fn what_applies() {
    for (stack, name, profiles, rules) in [
        ("", Some("base"), "base", "a"),
        ("", Some("xccdf_test_profile_more"), "base more", "a b"),
        // The end of an id.
        ("", Some("ore"), "base more", "a b"),
        ("x base c; y more d", Some("_x"), "base x", "a c"),
        ("more base c", Some("ore"), "base more", "a c"),
        ("x base c", None, "base x", "a c"),
        ("x base c", Some("x"), "base x", "a c"),
        ("x . c", None, "x", "c"),
        // The last profile of a chain in one file.
        ("x base c; y x d", None, "base x y", "a c d"),
        ("y x d; x base c", None, "base x y", "a c d"),
        ("x base c; y x d", Some("x"), "base x", "a c"),
        // A profile in place of the one it extends.
        ("base base c", None, "base base", "a c"),
        ("base base c", Some("base"), "base base", "a c"),
        // Across files.
        ("x base c | y x d", None, "base x y", "a c d"),
        ("x base c | y . d -a", None, "base x y", "c d"),
        ("x . c | y . d | z . e", None, "x y z", "c d e"),
        ("x base c | y base d", None, "base x y", "a c d"),
        ("x base c | y more d", Some("y"), "base more x y", "a b c d"),
        ("x base c; z more e | y more d", None, "base more z y", "a b d e"),
        // A name in an earlier file or the benchmark: the files after it apply on top.
        ("x base c", Some("base"), "base x", "a c"),
        ("x base c; y more d", Some("more"), "base more y", "a b d"),
        ("x . c; y more d", Some("base"), "base x", "a c"),
        ("x base c; y more d", Some("base"), "base x", "a c"),
        ("x base c | y . d", Some("x"), "base x y", "a c d"),
        ("x base c | y base d | z y e", None, "base x y z", "a c d e"),
    ] {
        let policy = resolved(&base(), &files(stack), name);
        assert_eq!(applied(&policy), profiles, "{stack} {name:?}");
        assert_eq!(selected(&policy), rules, "{stack} {name:?}");
    }
}

#[test]
fn what_is_not_clear_or_not_there() {
    let cases: [(&str, Option<&str>, &[&str]); 14] = [
        ("", None, &["b.xml", "not clear which profile", "there are: base, more"]),
        ("x base c; y base d", None, &["1.xml", "not clear", "x, y"]),
        ("x base c", Some("bas"), &["unknown profile \"bas\"", "did you mean base?"]),
        ("", Some("e"), &["b.xml", "\"e\" can be any of several", "base, more"]),
        ("x base c", Some("nonsense"), &["unknown profile", "there are: x, base, more"]),
        ("x base c", Some("xccdf_test_rule_a"), &["unknown profile"]),
        ("x bse c", None, &["<Profile>", "extends profile \"bse\"", "did you mean base?"]),
        ("x y c; y x d", None, &["extends itself", "take one"]),
        ("x y c; y x d", Some("x"), &["extends itself: x → y → x"]),
        ("x x c", None, &["extends profile \"x\", which is not known"]),
        ("x base c | y q d", None, &["2.xml", "extends profile \"q\""]),
        ("x more c | y base d", Some("base"), &["1.xml", "builds on \"more\", which does not apply"]),
        ("x more c; y more d", Some("more"), &["1.xml", "not clear", "x, y"]),
        ("x base c; z base e | y . d", None, &["1.xml", "not clear", "x, z"]),
    ];
    for (stack, name, pieces) in cases {
        assert_says(&unresolved(&base(), &files(stack), name), pieces);
    }
}

#[test]
fn the_benchmarks_own_defaults_stand_when_it_has_no_profiles() {
    let benchmark = benchmark(&format!("{}<Rule id='xccdf_test_rule_b'/>", rule("a")));
    let policy = resolved(&benchmark, &[], None);
    assert_eq!((applied(&policy), selected(&policy)), (String::new(), "b".to_owned()));
    let stack = files("x . a");
    assert_eq!(selected(&resolved(&benchmark, &stack, None)), "a b");
}

#[test]
fn abstract_profiles_are_built_on_but_not_chosen() {
    let text = selecting("x", "base", "c").replacen("<Profile", "<Profile abstract='true'", 1);
    let stack = [tailoring("1.xml", &format!("{text}{}", selecting("y", "x", "d")))];
    assert_eq!(applied(&resolved(&base(), &stack, None)), "base x y");
    assert_says(&unresolved(&base(), &stack, Some("x")), &["profile \"x\" is abstract"]);
}

#[test]
fn an_alias_leads_from_a_foreign_profile_to_ours() {
    let alias = |id: &str| (short_id(id) == "cis_level1_server").then(|| "base".to_owned());
    let foreign = "xccdf_org.ssgproject.content_profile_cis_level1_server";
    let shadow = selecting("x", foreign, "c").replace("xccdf_test_profile_x", foreign);
    let stack = [tailoring("1.xml", &shadow)];
    let policy = resolve(&base(), &stack, None, &alias).unwrap();
    assert_eq!((applied(&policy).as_str(), selected(&policy).as_str()), ("base cis_level1_server", "a c"));
    let policy = resolve(&base(), &[], Some(foreign), &alias).unwrap();
    assert_eq!(selected(&policy), "a");
    assert!(resolve(&base(), &[], Some(foreign), &no_alias).is_err());
}

#[test]
fn a_chain_has_an_end() {
    let long: Vec<String> = (1..80).map(|n| format!("p{n} p{} a", n - 1)).collect();
    let stack = files(&format!("p0 . a; {}", long.join("; ")));
    assert_says(&unresolved(&base(), &stack, None), &["more than 64 profiles"]);
}

#[test]
fn applied_profiles_bring_their_metadata() {
    let own = profile(
        "x",
        "base",
        "<select idref='a' selected='false'/><metadata><e:exception xmlns:e='urn:e' \
         rule='a' until='2030-01-01'>a &amp; b</e:exception></metadata>",
    );
    let policy = resolved(&base(), &[tailoring("1.xml", &own)], None);
    let last = policy.applied.last().unwrap();
    let [record] = last.metadata.as_slice() else { panic!("{:?}", last.metadata) };
    assert!(record.is("urn:e", "exception"));
    assert_eq!(record.attribute("until"), Some("2030-01-01"));
    assert_eq!(record.inner_text(), "a & b");
}
