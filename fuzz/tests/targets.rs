//! What is fed: one function for each kind of input.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail the test")]

use fuzz::fuzz;
use std::fs;
use std::path::Path;
use tempfile::TempDir;
use xccdf::evaluate::system::{Answer, CheckSystem, Request, Wanted};
use xccdf::evaluate::{Options, evaluate};
use xccdf::{Benchmark, Choice, Limits, Outcome, SourceContent, Tailoring, no_alias, resolve};

/// Every check passes.
struct Content;

impl CheckSystem for Content {
    fn evaluates(&self, _: &str) -> bool {
        true
    }

    fn prepare(&mut self, _: &[Wanted]) {}

    fn check(&mut self, _: &Request<'_>) -> Answer {
        Outcome::Pass.into()
    }

    fn definitions(&mut self, _: &str, _: &str) -> Option<Vec<String>> {
        None
    }

    fn holds(&mut self, _: &xccdf::cpe::Fact) -> Option<bool> {
        Some(true)
    }
}

fn stream(input: &[u8]) -> Result<String, xccdf::Errors> {
    let content = SourceContent::new(input.to_vec(), "s", &Limits::default())?;
    let checklist = content.checklist(Choice::default())?;
    let benchmark = checklist.benchmark()?;
    let platforms = checklist.platforms()?;
    for rule in benchmark.rules().take(5) {
        checklist.rule(&rule.head.id)?;
        checklist.references(&rule.head.id)?;
    }
    let profile = benchmark.profiles.first().map(|profile| profile.id.clone());
    let policy = resolve(&benchmark, &[], profile.as_deref(), &no_alias)?;
    let evaluation = evaluate(&benchmark, &policy, &platforms, &mut Content, &Options::default())?;
    Ok(format!("{:?}", evaluation.results.iter().map(|result| result.outcome).collect::<Vec<_>>()))
}

#[test]
fn data_streams() {
    fuzz("stream", |input| stream(input).unwrap_or_else(|errors| errors.to_string())).unwrap();
}

/// What tailorings choose from: the ids are those of the seeds.
const BENCHMARK: &str = "<Benchmark xmlns='http://checklists.nist.gov/xccdf/1.2' id='xccdf_a_benchmark_b'><status>draft</status><title>t</title>
<version>1</version>
<Profile id='xccdf_a_profile_base'><title>b</title><select idref='xccdf_a_group_g' selected='true'/>
<refine-value idref='xccdf_a_value_v' selector='two'/></Profile>
<Profile id='xccdf_a_profile_p' extends='xccdf_a_profile_base'><title>p</title><select idref='xccdf_a_rule_r' selected='true'/>
<select idref='cluster' selected='true'/></Profile>
<Value id='xccdf_a_value_v' type='number'><title>v</title><value>1</value><value selector='two'>2</value>
<lower-bound>0</lower-bound><upper-bound>9</upper-bound></Value>
<Value id='xccdf_a_value_w'><title>w</title><complex-value><item>1</item></complex-value></Value>
<Group id='xccdf_a_group_g' selected='false'><title>g</title>
<Rule id='xccdf_a_rule_r' selected='false'><title>r</title><requires idref='xccdf_a_rule_s'/>
<check system='x'><check-export value-id='xccdf_a_value_v' export-name='v'/><check-content-ref href='h' name='n'/></check>
<check system='x' selector='s'><check-content-ref href='h'/></check></Rule>
<Rule id='xccdf_a_rule_s' selected='true' cluster-id='cluster'><title>s</title><conflicts idref='xccdf_a_rule_q'/></Rule></Group>
<Rule id='xccdf_a_rule_q' selected='false'><title>q</title></Rule></Benchmark>";

/// What a tailoring comes to: alone, and laid over another one; by its only profile and by that of a known name.
fn tailored(input: &[u8], benchmark: &Benchmark, below: &Tailoring) -> Result<String, xccdf::Errors> {
    let tailoring = Tailoring::parse(input, "t")?;
    let mut said = String::new();
    for stack in [vec![tailoring.clone()], vec![below.clone(), tailoring]] {
        for profile in [None, Some("own"), Some("p")] {
            match resolve(benchmark, &stack, profile, &no_alias) {
                Ok(policy) => {
                    let platforms = xccdf::cpe::Platforms::default();
                    let options = Options::default();
                    let evaluation = evaluate(benchmark, &policy, &platforms, &mut Content, &options)?;
                    let outcomes = evaluation.results.iter().map(|result| result.outcome);
                    said += &format!("{:?} {:?}", outcomes.collect::<Vec<_>>(), policy.values);
                }
                Err(errors) => said += &errors.to_string(),
            }
        }
    }
    Ok(said)
}

#[test]
fn tailorings() {
    let content = SourceContent::new(BENCHMARK.into(), "b", &Limits::default()).unwrap();
    let benchmark = content.checklist(Choice::default()).unwrap().benchmark().unwrap();
    let below = Tailoring::parse(include_bytes!("../seeds/tailoring/one.xml"), "one").unwrap();
    resolve(&benchmark, std::slice::from_ref(&below), None, &no_alias).unwrap();
    fuzz("tailoring", move |input| {
        tailored(input, &benchmark, &below).unwrap_or_else(|errors| errors.to_string())
    })
    .unwrap();
}

/// The verdicts of an OVAL document below a tree.
fn verdicts(text: &str, tree: &Path) -> String {
    let document = match oval::Document::parse(text, "o") {
        Ok(document) => document,
        Err(error) => return error.to_string(),
    };
    let system = oval::System::below(tree).unwrap();
    let evaluator = oval::Evaluator::new(&document, &system, oval::Variables::new());
    evaluator.expect(document.definitions());
    let verdict = |id| match evaluator.evaluate(id) {
        Ok(outcome) => format!("{} {:?};", outcome.verdict.word(), outcome.evidence.first()),
        Err(error) => error.to_string(),
    };
    document.definitions().take(20).map(verdict).collect()
}

/// A tree with a file of some content in it.
fn tree(files: &[(&str, &[u8])]) -> TempDir {
    let tree = tempfile::tempdir().unwrap();
    files.iter().for_each(|(path, content)| put(tree.path(), path, content));
    tree
}

fn put(tree: &Path, path: &str, content: &[u8]) {
    let path = tree.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

#[test]
fn oval_documents() {
    let tree = tree(&[
        ("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\nu:x:1000:1000::/home/u:/bin/sh\n"),
        ("etc/shadow", b"root:$6$a$b:19000:0:99999:7:::\n"),
        ("etc/a.conf", b"Key = 1\nOther = two words # three\n"),
        ("etc/a.xml", b"<a><b c='d'>e</b></a>"),
        ("etc/a.yaml", b"a: [{b: 1, c: x}, {b: 2}]\n"),
        (
            "var/lib/dpkg/status",
            b"Package: a\nStatus: install ok installed\nArchitecture: all\nVersion: 1:2-3\n",
        ),
    ]);
    std::os::unix::fs::symlink("a.conf", tree.path().join("etc/link")).unwrap();
    fuzz("oval", move |input| verdicts(&String::from_utf8_lossy(input), tree.path())).unwrap();
}

/// A definition on everything that one kind of object finds.
fn everything(family: &str, kind: &str, entities: &str) -> String {
    let (kind, space) = (format!("own:{kind}"), oval::NAMESPACE);
    format!(
        "<oval_definitions xmlns='{space}' xmlns:own='{space}#{family}'><definitions>\
         <definition id='oval:x:def:1' version='1' class='compliance'><criteria><criterion test_ref='oval:x:tst:1'/></criteria></definition>\
         </definitions><tests><{kind}_test id='oval:x:tst:1' version='1' check='all'><object object_ref='oval:x:obj:1'/></{kind}_test></tests>\
         <objects><{kind}_object id='oval:x:obj:1' version='1'>{entities}</{kind}_object></objects></oval_definitions>"
    )
}

#[test]
fn xml_files() {
    let tree = tree(&[]);
    let content =
        everything("independent", "xmlfilecontent", "<filepath>/etc/a.xml</filepath><xpath>/*/*/@*</xpath>");
    fuzz("xml", move |input| {
        put(tree.path(), "etc/a.xml", input);
        verdicts(&content, tree.path())
    })
    .unwrap();
}

#[test]
fn yaml_files() {
    let tree = tree(&[]);
    let content = |path: &str| {
        let entities = format!("<filepath>/etc/a.yaml</filepath><yamlpath>{path}</yamlpath>");
        everything("independent", "yamlfilecontent", &entities)
    };
    let contents =
        ["$", ".*", "[:]", ".limits[:][0]", "['a','limits']", "&amp;b.d", ".authentication.*.enabled"]
            .map(content);
    fuzz("yaml", move |input| {
        put(tree.path(), "etc/a.yaml", input);
        contents.iter().map(|content| verdicts(content, tree.path())).collect()
    })
    .unwrap();
}

#[test]
fn dpkg_status() {
    let tree = tree(&[]);
    let content = everything("linux", "dpkginfo", "<name>openssh-server</name>");
    fuzz("dpkg", move |input| {
        put(tree.path(), "var/lib/dpkg/status", input);
        let system = agent::system::System::open(tree.path()).unwrap();
        let own = match system.packages() {
            Ok(packages) => format!("{} {:?}", packages.names().count(), packages.version("openssh-server")),
            Err(error) => format!("{error:#}"),
        };
        own + &verdicts(&content, tree.path())
    })
    .unwrap();
}

/// Definitions on all packages of rpm, and on all their files.
fn all_of_rpm() -> (String, String) {
    let any = |name: &str| format!("<{name} operation='pattern match'>.*</{name}>");
    let entities = ["name", "epoch", "version", "release", "arch", "filepath"].map(any).concat();
    let packages = everything("linux", "rpminfo", "<name operation='pattern match'>.</name>");
    (packages, everything("linux", "rpmverifyfile", &entities))
}

#[test]
fn rpm_berkeley() {
    let tree = tree(&[("usr/lib/rpm/rpmrc", b"")]);
    let (packages, files) = all_of_rpm();
    fuzz("berkeley", move |input| {
        put(tree.path(), "var/lib/rpm/Packages", input);
        verdicts(&packages, tree.path()) + &verdicts(&files, tree.path())
    })
    .unwrap();
}

#[test]
fn rpm_headers() {
    let tree = tree(&[("usr/lib/rpm/rpmrc", b"")]);
    let (packages, files) = all_of_rpm();
    put(tree.path(), "var/lib/rpm/x", b"");
    let database = rusqlite::Connection::open(tree.path().join("var/lib/rpm/rpmdb.sqlite")).unwrap();
    database.execute("CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob BLOB NOT NULL)", []).unwrap();
    fuzz("rpm", move |input| {
        database.execute("INSERT OR REPLACE INTO Packages VALUES (1, ?1)", [input]).unwrap();
        verdicts(&packages, tree.path()) + &verdicts(&files, tree.path())
    })
    .unwrap();
}

#[test]
fn fstab() {
    let tree = tree(&[]);
    fuzz("fstab", move |input| {
        put(tree.path(), "etc/fstab", input);
        match agent::system::System::open(tree.path()).unwrap().mounts() {
            Ok(mounts) => format!("{:?}", mounts.boot.iter().map(|entry| &entry.target).collect::<Vec<_>>()),
            Err(error) => format!("{error:#}"),
        }
    })
    .unwrap();
}

#[test]
fn sshd_config() {
    let tree = tree(&[("etc/ssh/sshd_config.d/a.conf", b"Port 22\nMatch User a\nX11Forwarding no\n")]);
    fuzz("sshd", move |input| {
        put(tree.path(), "etc/ssh/sshd_config", input);
        let system = agent::system::System::open(tree.path()).unwrap();
        match agent::setting::sshd::config::Files::new(&system).directives() {
            Ok(directives) => directives.iter().map(|own| own.sentence()).collect(),
            Err(error) => format!("{error:#}"),
        }
    })
    .unwrap();
}
