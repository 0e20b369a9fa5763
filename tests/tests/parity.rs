//! The same verdicts as OpenSCAP, from the same content: oscap and the agent judge one machine by one data stream, rule by rule.
//!
//! Needs root, and the data streams that `content.rs` finds.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use e2e::agent::{self, Audit};
use e2e::content::Content;
use e2e::machine::{Here, Machine};
use e2e::parity::{self, Choice, Row};
use e2e::root::Root;
use e2e::scenario::Scenario;
use e2e::verdict::Verdict;
use e2e::{judge, oscap, triage};

/// Compares on one machine; a difference that `docs/triage.md` does not explain is an error.
fn compare(scenario: &str, choices: &[Choice]) -> Result<()> {
    let scenario = Scenario::named(scenario)?;
    let (machine, state) = (scenario.machine()?, scenario.hash()?);
    let compare = |choice| parity::compare(machine.as_ref(), &scenario.name, state.as_deref(), choice);
    let rows = choices.iter().map(compare).collect::<Result<Vec<Row>>>()?;
    explained(&scenario.name, &rows)
}

/// Prints the table; an error when `docs/triage.md` does not explain all of it.
fn explained(machine: &str, rows: &[Row]) -> Result<()> {
    let triage = triage::read_parity()?;
    println!("{}", parity::table(rows, &triage));
    let differ = parity::unexplained(rows, &triage).len();
    ensure!(differ == 0, "{machine}: {differ} differences that docs/triage.md does not explain: see above");
    Ok(())
}

/// Of the data streams that are there.
fn known(choices: &[(&str, &str)]) -> Result<Vec<Choice>> {
    let products = Content::products()?;
    let there = |choice: &Choice| products.contains(&choice.product);
    Ok(choices.iter().map(|(product, profile)| Choice::of(product, profile)).filter(there).collect())
}

/// The systems' own content, and content for another system, of which nothing applies.
#[test]
fn verdicts_are_those_of_oscap() -> Result<()> {
    compare("debian12", &known(&[("debian12", "anssi_bp28_high"), ("rhel9", "cis")])?)
}

/// A tree after the agent's own work on it.
#[test]
fn verdicts_are_those_of_oscap_on_a_hardened_tree() -> Result<()> {
    compare("debian12/applied", &known(&[("debian12", "cis_level2_server")])?)
}

/// A system of Red Hat's family, made of data: rpm packages, audit rules, cryptographic policies.
#[test]
fn verdicts_are_those_of_oscap_on_rhel9() -> Result<()> {
    compare("rhel9", &known(&[("rhel9", "cis"), ("rhel9", "anssi_bp28_high")])?)
}

/// The platforms that OpenSCAP 1.3.7 knows by itself, a rule for each.
const PLATFORMS: [(&str, &str); 9] = [
    ("rhel", "cpe:/o:redhat:enterprise_linux:-"),
    ("any_rhel", "cpe:/o:redhat:enterprise_linux"),
    ("rhel5", "cpe:/o:redhat:enterprise_linux:5"),
    ("rhel7", "cpe:/o:redhat:enterprise_linux:7"),
    ("rhel8", "cpe:/o:redhat:enterprise_linux:8"),
    ("centos7", "cpe:/o:centos:centos:7"),
    ("centos8", "cpe:/o:centos:centos:8"),
    ("fedora35", "cpe:/o:fedoraproject:fedora:35"),
    ("rhel9", "cpe:/o:redhat:enterprise_linux:9"),
];

/// Which of them both judges find on a machine, by a benchmark alone.
fn known_platforms(name: &str) -> Result<BTreeMap<String, Verdict>> {
    let oval = "http://oval.mitre.org/XMLSchema/oval-definitions-5";
    let rule = |(id, platform): &(&str, &str)| {
        format!(
            "<Rule id='xccdf_t_rule_{id}' selected='true'><title>t</title><platform idref='{platform}'/>\
             <check system='{oval}'><check-content-ref href='oval.xml' name='oval:x:def:1'/></check></Rule>\n"
        )
    };
    let benchmark = format!(
        "<Benchmark xmlns='http://checklists.nist.gov/xccdf/1.2' id='xccdf_t_benchmark_b'>\n<status>draft</status>\n<version>1</version>\n\
         <Profile id='xccdf_t_profile_p'><title>p</title></Profile>\n{}</Benchmark>",
        PLATFORMS.iter().map(rule).collect::<String>()
    );
    let definitions = format!(
        "<oval_definitions xmlns='{oval}' xmlns:oval='http://oval.mitre.org/XMLSchema/oval-common-5' xmlns:ind='{oval}#independent'>\n\
         <generator>\n<oval:schema_version>5.11</oval:schema_version>\n<oval:timestamp>2025-01-01T00:00:00</oval:timestamp>\n</generator>\n\
         <definitions>\n<definition id='oval:x:def:1' version='1' class='compliance'>\n<metadata>\n<title>d</title>\n</metadata>\n\
         <criteria>\n<criterion test_ref='oval:x:tst:1'/>\n</criteria>\n</definition>\n</definitions>\n<tests>\n\
         <ind:family_test id='oval:x:tst:1' version='1' check='all' comment='c'>\n<ind:object object_ref='oval:x:obj:1'/>\n</ind:family_test>\n\
         </tests>\n<objects>\n<ind:family_object id='oval:x:obj:1' version='1'/>\n</objects>\n</oval_definitions>"
    );
    let machine = Scenario::named(name)?.machine()?;
    let files = tempfile::tempdir()?;
    let lend = |name: &str, text: &str| -> Result<String> {
        let path = files.path().join(name);
        std::fs::write(&path, text)?;
        machine.lend(&path, name)
    };
    lend("oval.xml", &definitions)?;
    let content = lend("alone.xml", &benchmark)?;
    let (words, results) = (judge::lend(machine.as_ref())?, format!("{}/oscap.xml", machine.scratch()));
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let asked =
        ["xccdf", "eval", "--skip-valid", "--profile", "xccdf_t_profile_p", "--results", &results, &content];
    machine.program(&[&words[..], &asked[..]].concat()).accept(&[0, 2]).run()?;
    let read = files.path().join("oscap.xml");
    machine.fetch(&results, &read)?;
    let theirs: BTreeMap<String, Verdict> = oscap::read(&read)?.into_iter().collect();
    let audit =
        agent::audit(machine.as_ref(), &["--content", &content, "--profile", "p"].map(str::to_owned))?;
    let ours: BTreeMap<String, Verdict> =
        audit.by_id().into_iter().map(|(id, rule)| (id, rule.result)).collect();
    ensure!(ours == theirs && ours.len() == PLATFORMS.len(), "{name}: oscap {theirs:?}, agent {ours:?}");
    Ok(ours)
}

#[test]
fn platforms_that_oscap_knows_by_itself_are_known() -> Result<()> {
    let here = known_platforms("rhel9")?.into_iter().filter(|(_, verdict)| *verdict == Verdict::Pass);
    ensure!(here.map(|(id, _)| id).collect::<Vec<_>>() == ["any_rhel", "rhel"]);
    Ok(())
}

#[test]
fn platforms_that_oscap_knows_by_itself_are_known_matrix() -> Result<()> {
    for (name, here) in [("rhel8", &["any_rhel", "rhel", "rhel8"][..]), ("debian12", &[])] {
        let found = known_platforms(name)?.into_iter().filter(|(_, verdict)| *verdict == Verdict::Pass);
        ensure!(found.map(|(id, _)| id).collect::<Vec<_>>() == here, "{name}");
    }
    Ok(())
}

/// OpenSCAP takes what the agent writes for its own: an ARF, and reports made of results and ARF, which show what OVAL found. Both name the
/// tailoring. (`oscap xccdf validate` takes minutes for a benchmark of this size; the tests of `xccdf` have it judge small ones.)
#[test]
fn oscap_reads_the_results() -> Result<()> {
    let copy = Root::named("debian12")?.copy()?;
    copy.lend(&agent::binary()?, "agent")?;
    let content = copy.lend(&Content::find("debian12")?.path, "content.xml")?;
    let rule = "xccdf_org.ssgproject.content_rule_sshd_disable_root_login";
    let tailoring = format!(
        "<Tailoring xmlns='http://checklists.nist.gov/xccdf/1.2' id='xccdf_org.example_tailoring_site'><benchmark href='content.xml'/>\
         <version time='2026-01-01T00:00:00'>1</version><Profile id='xccdf_org.example_profile_site' \
         extends='xccdf_org.ssgproject.content_profile_cis_level1_server'><title>Site</title>\
         <select idref='{rule}' selected='false'/></Profile></Tailoring>"
    );
    let said = copy.shell(&format!(
        "cd $LAB
         cat > site.xml << 'END'\n{tailoring}\nEND
         ./agent audit --content {content} --tailoring site.xml --results x.xml --results-arf a.xml > /dev/null || [ $? -le 2 ]
         oscap ds rds-validate a.xml && oscap info a.xml | grep -i 'result id'
         grep -c '<tailoring-file href=.*id=\"xccdf_org.example_tailoring_site\"' x.xml a.xml
         grep -o '<profile idref=.*' x.xml a.xml
         for file in x a; do oscap xccdf generate report $file.xml > $file.html; grep -c package_aide_installed $file.html; done
         echo details: $(grep -c 'OVAL test results' a.html) shadow: $(grep -c 'root:[*]:' a.xml)"
    ))?;
    let lines: Vec<&str> = said.lines().collect();
    ensure!(said.contains("xccdf_org.trempe_testresult"), "{said}");
    ensure!(lines.contains(&"x.xml:1") && lines.contains(&"a.xml:1"), "the tailoring is not named: {said}");
    ensure!(said.matches("xccdf_org.example_profile_site").count() >= 2, "the profile is not named: {said}");
    let details =
        said.split("details: ").nth(1).and_then(|rest| rest.split(' ').next()?.parse::<usize>().ok());
    ensure!(details.is_some_and(|count| count > 100), "the report shows nothing that OVAL found: {said}");
    ensure!(said.contains("shadow: 0"), "a line of /etc/shadow is told: {said}");
    Ok(())
}

/// A tree judged from outside: what its files decide comes out as from inside. What only a running system can tell is not checked and says
/// so, and never taken for not applicable.
#[test]
fn what_files_decide_is_the_same_from_outside() -> Result<()> {
    let outside = "mkdir /run/machine; mount --bind / /run/machine; exec \"$0\" \"$@\" --root /run/machine";
    for Choice { product, profile } in known(&[("debian12", "cis_level2_server"), ("rhel9", "stig")])? {
        let copy = Root::named(&product)?.copy()?;
        let agent = copy.lend(&agent::binary()?, "agent")?;
        let content = copy.lend(&Content::find(&product)?.path, "content.xml")?;
        let asked = [&agent, "audit", "--content", &content, "--profile", &profile, "--format", "json"];
        let judge = |before: &[&str]| -> Result<_> {
            let said = copy.program(&[before, &asked[..]].concat()).accept(&[0, 1, 2]).output()?;
            Ok(Audit::parse(&said)?.by_id())
        };
        let (inside, outside) = (judge(&[])?, judge(&["bash", "-euc", outside])?);
        let (mut same, mut dark, mut wrong) = (0, 0, Vec::new());
        for (id, rule) in &inside {
            let other = outside.get(id).with_context(|| format!("{id} is gone"))?;
            let says_why = || other.grounds().iter().any(|why| why.contains("only a running system"));
            match other.result {
                Verdict::Notselected => {}
                result if result == rule.result => same += 1,
                Verdict::Notchecked if says_why() => dark += 1,
                result => wrong.push(format!(
                    "{id}: inside {}, outside {result}: {:?}",
                    rule.result,
                    other.grounds()
                )),
            }
        }
        println!(
            "{product} {profile}: {same} rules come to the same, of {dark} only a running system can tell"
        );
        ensure!(wrong.is_empty(), "{product} {profile}: {wrong:#?}");
        ensure!(same > 4 * dark, "{product} {profile}: files decide {same} rules and not {dark}");
    }
    Ok(())
}

/// This machine, as it runs.
#[test]
fn verdicts_are_those_of_oscap_on_this_machine_matrix() -> Result<()> {
    let machine = Here::new()?;
    let choices = [
        ("debian12", "cis_level2_server"),
        ("debian12", "anssi_bp28_high"),
        ("debian13", "cis_level1_server"),
        ("rhel9", "stig"),
        ("ubuntu2404", "cis_level1_server"),
    ];
    let compare = |choice| parity::compare_moving(&machine, "here", choice);
    explained("here", &known(&choices)?.iter().map(compare).collect::<Result<Vec<Row>>>()?)
}

/// What only a running system can tell: a machine as it boots, and after the agent's own work on it.
#[test]
fn verdicts_are_those_of_oscap_in_a_booted_machine_matrix() -> Result<()> {
    for name in ["debian12-ready@booted", "debian12-ready@booted/applied"] {
        let machine = Scenario::named(name)?.machine()?;
        let choices = known(&[("debian12", "cis_level2_server"), ("debian12", "anssi_bp28_high")])?;
        let compare = |choice| parity::compare_moving(machine.as_ref(), name, choice);
        explained(name, &choices.iter().map(compare).collect::<Result<Vec<Row>>>()?)?;
    }
    Ok(())
}

/// Every profile that auditors ask for: those of the machine's own data stream, and those of all others.
macro_rules! every_profile {
    ($($own:ident $others:ident: $scenario:literal, $product:literal;)*) => {
        $(#[test]
        fn $own() -> Result<()> {
            let own = Choice::all()?.into_iter().filter(|choice| choice.product == $product).collect::<Vec<_>>();
            compare($scenario, &own)
        }

        #[test]
        fn $others() -> Result<()> {
            let others = Choice::all()?.into_iter().filter(|choice| choice.product != $product).collect::<Vec<_>>();
            compare($scenario, &others)
        })*
    };
}

every_profile! {
    own_content_on_debian12_matrix other_content_on_debian12_matrix: "debian12", "debian12";
    own_content_on_debian13_matrix other_content_on_debian13_matrix: "debian13", "debian13";
    own_content_on_hardened_debian12_matrix other_content_on_hardened_debian12_matrix: "debian12/applied", "debian12";
    own_content_on_rhel8_matrix other_content_on_rhel8_matrix: "rhel8", "rhel8";
    own_content_on_rhel9_matrix other_content_on_rhel9_matrix: "rhel9", "rhel9";
    own_content_on_rhel10_matrix other_content_on_rhel10_matrix: "rhel10", "rhel10";
    own_content_on_ubuntu2204_matrix other_content_on_ubuntu2204_matrix: "jammy", "ubuntu2204";
    own_content_on_ubuntu2404_matrix other_content_on_ubuntu2404_matrix: "noble", "ubuntu2404";
}
