//! A vendor's feed: thousands of definitions, each about packages that are not installed most of the time.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use oval::{Document, Evaluator, System, Variables};
use std::fs;

/// How many definitions there are, and how many packages are installed.
const DEFINITIONS: usize = 4000;
const INSTALLED: usize = 5000;

/// Processor time of this process so far, in seconds (`proc_pid_stat(5)`, utime and stime, 100 a second).
fn seconds() -> u64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let (_, fields) = stat.rsplit_once(')').unwrap();
    let ticks = fields.split_whitespace().skip(11).take(2);
    ticks.map(|ticks| ticks.parse::<u64>().unwrap()).sum::<u64>() / 100
}

#[test]
fn each_package_is_looked_up_and_not_searched_for() {
    let tree = tempfile::tempdir().unwrap();
    fs::create_dir_all(tree.path().join("var/lib/dpkg")).unwrap();
    // As much text about each as on a desktop.
    let about = "x".repeat(1500);
    let package = |n: usize| {
        format!(
            "Package: p{n}\nStatus: install ok installed\nArchitecture: all\nVersion: {n}\nDescription: {about}\n\n"
        )
    };
    fs::write(tree.path().join("var/lib/dpkg/status"), (0..INSTALLED).map(package).collect::<String>())
        .unwrap();
    let (mut definitions, mut tests, mut objects) = (String::new(), String::new(), String::new());
    for n in 0..DEFINITIONS {
        definitions += &format!(
            "<definition id='oval:x:def:{n}' version='1' class='vulnerability'><criteria><criterion test_ref='oval:x:tst:{n}'/></criteria>\
             </definition>"
        );
        tests += &format!(
            "<l:dpkginfo_test id='oval:x:tst:{n}' version='1' check='all'><l:object object_ref='oval:x:obj:{n}'/></l:dpkginfo_test>"
        );
        // One in ten is there.
        let name = if n % 10 == 0 { format!("p{n}") } else { format!("absent{n}") };
        objects += &format!(
            "<l:dpkginfo_object id='oval:x:obj:{n}' version='1'><l:name>{name}</l:name></l:dpkginfo_object>"
        );
    }
    let text = format!(
        "<oval_definitions xmlns='{0}' xmlns:l='{0}#linux'><definitions>{definitions}</definitions><tests>{tests}</tests>\
         <objects>{objects}</objects></oval_definitions>",
        oval::NAMESPACE
    );
    let document = Document::parse(text, "feed").unwrap();
    let system = System::below(tree.path()).unwrap();
    let evaluator = Evaluator::new(&document, &system, Variables::new());
    let before = seconds();
    let verdict = |n: usize| evaluator.evaluate(&format!("oval:x:def:{n}")).unwrap().verdict;
    let there = (0..DEFINITIONS).filter(|n| verdict(*n) == oval::Verdict::True).count();
    assert_eq!(there, DEFINITIONS / 10);
    assert!(seconds() - before < 5, "it took {} s of processor time", seconds() - before);
}
