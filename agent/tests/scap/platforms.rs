//! Which platforms are here, when no dictionary says so.

use std::fs;

use crate::bench::{Bench, SCE, check, differences, of_rule, results, rule, rules};

/// A rule for a platform.
fn on(platform: &str) -> String {
    format!("<platform idref='{platform}'/>{}", check("1", ""))
}

/// Names on a CentOS 8 by its release file, without any package.
fn names() -> Vec<(&'static str, String, &'static str)> {
    vec![
        ("known_by_itself", on("cpe:/o:centos:centos:8"), "pass"),
        ("known_by_less", on("cpe:/o:centos:centos"), "pass"),
        ("another_version", on("cpe:/o:centos:centos:7"), "notapplicable"),
        ("another_system", on("cpe:/o:redhat:enterprise_linux:8"), "notapplicable"),
        ("nobody_knows", on("cpe:/o:debian:debian_linux:12"), "notapplicable"),
        ("a_script_never_holds", on("#script"), "notapplicable"),
        ("what_does_not_hold_is_turned", on("#no_script"), "pass"),
    ]
}

fn bench() -> Bench {
    let bench = Bench::new(&rules(&names()), "");
    let platform = |id: &str, negate: bool| {
        format!(
            "<cpe:platform id='{id}'><cpe:logical-test operator='AND' negate='{negate}'>\
             <cpe:check-fact-ref system='{SCE}' href='here.sh' id-ref='here'/></cpe:logical-test></cpe:platform>\n"
        )
    };
    let specification = format!(
        "<cpe:platform-specification xmlns:cpe='http://cpe.mitre.org/language/2.0'>\n{}{}</cpe:platform-specification>\n",
        platform("script", false),
        platform("no_script", true)
    );
    let benchmark = bench.read("b.xml");
    bench.write("b.xml", &benchmark.replace("<version>", &format!("{specification}<version>")));
    bench.script("here.sh", "exit 101");
    fs::create_dir_all(bench.path().join("root/etc")).unwrap();
    fs::write(bench.path().join("root/etc/os-release"), "ID=\"centos\"\nVERSION_ID=\"8\"\n").unwrap();
    bench
}

#[test]
fn platforms_are_here_as_for_oscap() {
    let (_, results) = bench().audited(&["--root", "root"]);
    assert_eq!(differences(&names(), &results), [""; 0]);
}

#[test]
fn oscap_knows_these_platforms() {
    let bench = bench();
    let root = bench.path().join("root");
    bench.oscap(&["--results", "oscap.xml"]).env("OSCAP_PROBE_ROOT", root).output().unwrap();
    assert_eq!(differences(&names(), &results(&bench.read("oscap.xml"))), [""; 0]);
}

#[test]
fn a_benchmark_for_another_system_is_not_applicable_here() {
    let bench = Bench::new(&rule("a", &on("cpe:/o:redhat:enterprise_linux:8")), "");
    let (report, results) = bench.audited(&["--root", "/"]);
    assert_eq!(
        (of_rule(&results, "a").as_str(), report["summary"]["pass"].as_u64()),
        ("notapplicable", Some(0))
    );
}
