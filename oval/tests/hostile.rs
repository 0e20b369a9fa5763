//! Content and machines that mean harm: a clear verdict or error, in bounded time and memory, and no panic.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail the test")]

use oval::{Document, Evaluator, Evidence, Outcome, System, Variables, Verdict};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

const HEAD: &str = "<oval_definitions xmlns='http://oval.mitre.org/XMLSchema/oval-definitions-5' \
    xmlns:ind='http://oval.mitre.org/XMLSchema/oval-definitions-5#independent' xmlns:unix='http://oval.mitre.org/XMLSchema/oval-definitions-5#unix'>";

/// Processor time of this process so far: what others do on the machine does not count (`proc_pid_stat(5)`, utime and stime, 100 a second).
fn seconds() -> u64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let (_, fields) = stat.rsplit_once(')').unwrap();
    let ticks = fields.split_whitespace().skip(11).take(2);
    ticks.map(|ticks| ticks.parse::<u64>().unwrap()).sum::<u64>() / 100
}

/// A definition on a textfilecontent54 object, evaluated below a tree.
fn lines(tree: &Path, object: &str) -> Outcome {
    evaluate(
        tree,
        "<criterion test_ref='oval:x:tst:1'/>",
        &format!(
            "<tests><ind:textfilecontent54_test id='oval:x:tst:1' version='1' check='all'><object object_ref='oval:x:obj:1'/>\
             </ind:textfilecontent54_test></tests><objects><ind:textfilecontent54_object id='oval:x:obj:1' version='1'>{object}\
             <instance datatype='int' operation='greater than or equal'>1</instance></ind:textfilecontent54_object></objects>"
        ),
    )
}

fn evaluate(tree: &Path, criteria: &str, parts: &str) -> Outcome {
    let text = format!(
        "{HEAD}<definitions><definition id='oval:x:def:1' version='1' class='compliance'><criteria>{criteria}</criteria>\
         </definition></definitions>{parts}</oval_definitions>"
    );
    let document = Document::parse(text, "hostile").unwrap();
    let before = seconds();
    let system = System::below(tree).unwrap();
    let evaluator = Evaluator::new(&document, &system, Variables::new());
    evaluator.expect(document.definitions());
    let outcome = evaluator.evaluate("oval:x:def:1").unwrap();
    assert!(seconds() - before < 60, "it took {} s of processor time", seconds() - before);
    outcome
}

#[test]
fn documents_that_are_none() {
    for (text, said) in [
        ("", "no <oval_definitions>"),
        ("<a/>", "no <oval_definitions>"),
        ("<oval_definitions>", "ends before"),
        ("<oval_definitions><!--", "inside a tag or comment"),
        ("</a>", "end tag without a start"),
        (
            "<oval_definitions/><oval_definitions></oval_definitions><oval_definitions></oval_definitions>",
            "several",
        ),
    ] {
        let error = Document::parse(text, "x.xml").unwrap_err().to_string();
        assert!(error.contains(said) && error.starts_with("x.xml:"), "{text}: {error}");
    }
    let deep = "<a>".repeat(100_000);
    assert!(Document::parse(deep, "x").unwrap_err().to_string().contains("nest deeper"));
}

#[test]
fn parts_that_are_wrong_are_told_with_their_line() {
    let text = format!(
        "{HEAD}\n<definitions>\n<definition id='oval:x:def:1' version='1' class='odd'/></definitions></oval_definitions>"
    );
    let document = Document::parse(text, "x.xml").unwrap();
    let system = System::running();
    let evaluator = Evaluator::new(&document, &system, Variables::new());
    let error = evaluator.evaluate("oval:x:def:1").unwrap_err().to_string();
    assert!(error.starts_with("x.xml:3:1:") && error.contains("odd"), "{error}");
    assert!(evaluator.evaluate("oval:x:def:2").unwrap_err().to_string().contains("no definition"));
}

#[test]
fn what_is_missing_or_refers_to_itself() {
    let tree = tempfile::tempdir().unwrap();
    let verdict = |criteria: &str, parts: &str| evaluate(tree.path(), criteria, parts).verdict;
    assert_eq!(verdict("<criterion test_ref='oval:none:tst:1'/>", ""), Verdict::Unknown);
    assert_eq!(verdict("<extend_definition definition_ref='oval:none:def:1'/>", ""), Verdict::NotEvaluated);
    assert_eq!(verdict("<extend_definition definition_ref='oval:x:def:1'/>", ""), Verdict::Error);
    let test = "<tests><ind:variable_test id='oval:x:tst:1' version='1' check='all'><object object_ref='oval:x:obj:1'/></ind:variable_test></tests>\
                <objects><ind:variable_object id='oval:x:obj:1' version='1'><var_ref>oval:x:var:1</var_ref></ind:variable_object></objects>";
    let circle = "<variables><local_variable id='oval:x:var:1' version='1' datatype='string'><variable_component var_ref='oval:x:var:1'/>\
                  </local_variable></variables>";
    let two = "<definitions><definition id='oval:x:def:2' version='1' class='compliance'><criteria>\
               <extend_definition definition_ref='oval:x:def:1'/></criteria></definition></definitions>";
    assert_eq!(verdict("<extend_definition definition_ref='oval:x:def:2'/>", two), Verdict::Error);
    let ring = "<states><ind:variable_state id='oval:x:ste:1' version='1'><value>x</value></ind:variable_state></states><variables>\
                <local_variable id='oval:x:var:1' version='1' datatype='string'><variable_component var_ref='oval:x:var:2'/></local_variable>\
                <local_variable id='oval:x:var:2' version='1' datatype='string'><variable_component var_ref='oval:x:var:1'/></local_variable>\
                </variables>";
    let asked = test.replace("</ind:variable_test>", "<state state_ref='oval:x:ste:1'/></ind:variable_test>");
    assert_eq!(verdict("<criterion test_ref='oval:x:tst:1'/>", &format!("{asked}{ring}")), Verdict::Error);
    assert_eq!(verdict("<criterion test_ref='oval:x:tst:1'/>", &format!("{test}{circle}")), Verdict::Error);
    // Nobody says that there is no file of a name that nobody knows.
    let named = "<tests><unix:file_test id='oval:x:tst:1' version='1' check='all' check_existence='none_exist'><object object_ref='oval:x:obj:1'/>\
                 </unix:file_test></tests><objects><unix:file_object id='oval:x:obj:1' version='1'><filepath var_ref='oval:x:var:1'/></unix:file_object></objects>";
    assert_eq!(verdict("<criterion test_ref='oval:x:tst:1'/>", &format!("{named}{circle}")), Verdict::Error);
    let set = "<tests><ind:variable_test id='oval:x:tst:1' version='1' check='all'><object object_ref='oval:x:obj:1'/></ind:variable_test></tests>\
               <objects><ind:variable_object id='oval:x:obj:1' version='1'><set><object_reference>oval:x:obj:1</object_reference></set>\
               </ind:variable_object></objects>";
    assert_eq!(verdict("<criterion test_ref='oval:x:tst:1'/>", set), Verdict::Error);
}

#[test]
fn chains_and_products_without_end() {
    let tree = tempfile::tempdir().unwrap();
    let mut variables = String::new();
    for n in 1..5000 {
        variables.push_str(&format!(
            "<local_variable id='oval:x:var:{n}' version='1' datatype='string'><concat><variable_component var_ref='oval:x:var:{0}'/>\
             <variable_component var_ref='oval:x:var:{0}'/></concat></local_variable>",
            n + 1
        ));
    }
    variables.push_str("<constant_variable id='oval:x:var:5000' version='1' datatype='string'><value>a</value><value>b</value></constant_variable>");
    for first in [1, 4900, 4990] {
        let parts = format!(
            "<tests><ind:variable_test id='oval:x:tst:1' version='1' check='all'><object object_ref='oval:x:obj:1'/>\
             <state state_ref='oval:x:ste:1'/></ind:variable_test></tests>\
             <objects><ind:variable_object id='oval:x:obj:1' version='1'><var_ref>oval:x:var:{first}</var_ref></ind:variable_object></objects>\
             <states><ind:variable_state id='oval:x:ste:1' version='1'><value>x</value></ind:variable_state></states>\
             <variables>{variables}</variables>"
        );
        let outcome = evaluate(tree.path(), "<criterion test_ref='oval:x:tst:1'/>", &parts);
        assert_eq!(outcome.verdict, Verdict::Error, "{first}: {:?}", outcome.evidence);
    }
}

#[test]
fn patterns_that_explode() {
    let tree = tempfile::tempdir().unwrap();
    fs::write(tree.path().join("f"), format!("{}!b\n", "a".repeat(40))).unwrap();
    for pattern in ["^(a+)+$b", "^(?:a|aa)+$b", "^(?:(?:a|a)*)*$b"] {
        let object = format!("<filepath>/f</filepath><pattern operation='pattern match'>{pattern}</pattern>");
        let outcome = lines(tree.path(), &object);
        assert_eq!(outcome.verdict, Verdict::Error, "{outcome:?}");
        assert!(outcome.evidence[0].found.contains("limit"), "{outcome:?}");
    }
}

/// Names that patterns take for ever to tell from what they look for. A name that cannot be compared is an error; a path is passed over, as in
/// oscap.
#[test]
fn patterns_that_explode_on_names() {
    let tree = tempfile::tempdir().unwrap();
    for n in 0..3 {
        let name = format!("{}{n}", "a".repeat(40));
        fs::create_dir_all(tree.path().join("d").join(&name)).unwrap();
        fs::write(tree.path().join("d").join(name + "b"), "").unwrap();
    }
    for (object, expected) in [
        ("<filepath operation='pattern match'>^/d/(a+)+(/x)?[!]z$</filepath>", Verdict::False),
        ("<path operation='pattern match'>^/d/(a+)+(/x)?[!]z$</path><filename>f</filename>", Verdict::False),
        ("<path>/d</path><filename operation='pattern match'>^(a+|a)+$</filename>", Verdict::Error),
    ] {
        let outcome = files(tree.path(), object);
        assert_eq!(outcome.verdict, expected, "{object}: {outcome:?}");
    }
}

#[test]
fn more_matches_than_anybody_needs() {
    let tree = tempfile::tempdir().unwrap();
    fs::write(tree.path().join("f"), "a\n".repeat(1_000_000)).unwrap();
    let outcome =
        lines(tree.path(), "<filepath>/f</filepath><pattern operation='pattern match'>^a$</pattern>");
    assert_eq!(outcome.verdict, Verdict::True);
    assert!(outcome.evidence.len() <= 50);
}

#[test]
fn files_that_are_traps() {
    let tree = tempfile::tempdir().unwrap();
    let at = |name: &str| tree.path().join(name);
    fs::create_dir(at("d")).unwrap();
    symlink("/etc", at("d/out")).unwrap();
    symlink("../../../../../../../../etc", at("d/up")).unwrap();
    symlink("loop", at("d/loop")).unwrap();
    nix::unistd::mkfifo(&at("d/pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    // Nothing outside the root, and no waiting for a pipe.
    for path in ["/d/out/passwd", "/d/up/passwd", "/d/loop", "/d/pipe"] {
        let object = format!("<filepath>{path}</filepath><pattern operation='pattern match'>.</pattern>");
        assert_eq!(lines(tree.path(), &object).verdict, Verdict::False, "{path}");
    }
    let everything = "<behaviors recurse_direction='down'/><path>/</path><filename operation='pattern match'>.*</filename>\
                      <pattern operation='pattern match'>.</pattern>";
    assert_eq!(lines(tree.path(), everything).verdict, Verdict::False);
}

#[test]
fn entities_are_none_but_those_of_xml() {
    let bomb = format!(
        "<!DOCTYPE x [<!ENTITY a \"{}\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">]>{HEAD}<definitions>\
         <definition id='oval:x:def:1' version='1' class='compliance'><metadata><title>&b;</title></metadata></definition>\
         </definitions></oval_definitions>",
        "lol".repeat(1000)
    );
    // What comes before the document is passed over; what it defines is not known.
    let document = match Document::parse(bomb.as_str(), "bomb.xml") {
        Ok(document) => document,
        Err(error) => return assert!(error.to_string().starts_with("bomb.xml"), "{error}"),
    };
    let system = System::running();
    let error = Evaluator::new(&document, &system, Variables::new()).evaluate("oval:x:def:1").unwrap_err();
    assert!(error.to_string().contains("unknown entity &b;"), "{error}");
}

#[test]
fn texts_that_are_no_text() {
    let tree = tempfile::tempdir().unwrap();
    fs::write(tree.path().join("latin"), b"caf\xe9\n").unwrap();
    fs::write(tree.path().join("nul"), b"a\0\xff\xfe").unwrap();
    fs::write(tree.path().join("empty"), b"").unwrap();
    for (path, verdict) in [("/latin", Verdict::Error), ("/nul", Verdict::True), ("/empty", Verdict::False)] {
        let object = format!("<filepath>{path}</filepath><pattern operation='pattern match'>.</pattern>");
        assert_eq!(lines(tree.path(), &object).verdict, verdict, "{path}");
    }
    // A name that is not UTF-8 cannot be compared with a pattern.
    let odd = std::ffi::OsStr::new("odd").to_owned();
    let odd = [odd.as_encoded_bytes(), b"\xff"].concat();
    let odd = std::os::unix::ffi::OsStringExt::from_vec(odd);
    let odd: std::ffi::OsString = odd;
    fs::write(tree.path().join(odd), "x").unwrap();
    let object = "<behaviors recurse='directories' recurse_direction='down'/><path>/</path>\
                  <filename operation='pattern match'>^odd</filename>";
    assert_eq!(files(tree.path(), object).verdict, Verdict::Error);
}

/// A definition on a file object, evaluated below a tree.
fn files(tree: &Path, object: &str) -> Outcome {
    evaluate(
        tree,
        "<criterion test_ref='oval:x:tst:1'/>",
        &format!(
            "<tests><unix:file_test id='oval:x:tst:1' version='1' check='all'><object object_ref='oval:x:obj:1'/></unix:file_test></tests>\
             <objects><unix:file_object id='oval:x:obj:1' version='1'>{object}</unix:file_object></objects>"
        ),
    )
}

/// A directory with so many files, looked through: an error or incomplete, never without end or bound.
fn crowded(count: usize) {
    // In memory where that is possible: to make and remove so many files takes a disk longer than to look at them.
    let tree = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    for n in 0..count {
        fs::File::create(tree.path().join(n.to_string())).unwrap();
    }
    let down = "<behaviors recurse='directories' recurse_direction='down'/><path>/</path>";
    let all = files(tree.path(), &format!("{down}<filename operation='pattern match'>.</filename>"));
    assert_eq!(all.verdict, Verdict::True);
    assert!(all.evidence.len() <= 50);
    let one = files(tree.path(), &format!("{down}<filename operation='pattern match'>^77$</filename>"));
    assert_eq!((one.verdict, one.evidence.len()), (Verdict::True, 1));
    let none = files(tree.path(), &format!("{down}<filename>none</filename>"));
    assert_eq!(none.verdict, Verdict::False);
    // With one file too many nobody says that all are as they should be, whether they are looked for alone or with others.
    for behaviors in ["", "<behaviors recurse='directories' recurse_direction='down'/>"] {
        let parts = format!(
            "<tests><unix:file_test id='oval:x:tst:1' version='1' check='all'><object object_ref='oval:x:obj:1'/><state state_ref='oval:x:ste:1'/>\
             </unix:file_test></tests><objects><unix:file_object id='oval:x:obj:1' version='1'>{behaviors}<path>/</path>\
             <filename operation='pattern match'>.</filename></unix:file_object></objects><states><unix:file_state id='oval:x:ste:1' version='1'>\
             <size datatype='int'>0</size></unix:file_state></states>"
        );
        let empty = evaluate(tree.path(), "<criterion test_ref='oval:x:tst:1'/>", &parts);
        let expected = if count > 100_000 { Verdict::Unknown } else { Verdict::True };
        assert_eq!(empty.verdict, expected, "{:?}", empty.evidence.first());
    }
}

#[test]
fn a_directory_with_a_hundred_thousand_files() {
    crowded(100_001);
}

#[test]
fn a_directory_with_a_million_files_matrix() {
    crowded(1_000_000);
}

#[test]
fn files_that_come_and_go() {
    let tree = tempfile::tempdir().unwrap();
    let end = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut n = 0;
            while !end.load(std::sync::atomic::Ordering::Relaxed) {
                n += 1;
                let path = tree.path().join(format!("d{}", n % 50));
                let _ = fs::create_dir(&path);
                let _ = fs::write(path.join("f"), "x\n");
                let _ = fs::remove_dir_all(tree.path().join(format!("d{}", (n + 25) % 50)));
            }
        });
        for _ in 0..50 {
            let down = "<behaviors recurse='directories' recurse_direction='down'/><path>/</path><filename>f</filename>";
            let found = files(tree.path(), down).verdict;
            assert!(matches!(found, Verdict::True | Verdict::False), "{found:?}");
            let content =
                lines(tree.path(), &format!("{down}<pattern operation='pattern match'>x</pattern>")).verdict;
            assert!(matches!(content, Verdict::True | Verdict::False | Verdict::Error), "{content:?}");
        }
        end.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}

/// The most memory that this process had, in MiB (`proc_pid_status(5)`).
fn memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    peak.split_whitespace().next().unwrap().parse::<u64>().unwrap() / 1024
}

/// What `docs/oval.md` says may be kept, in MiB: values of all variables, what functions work on, items of one object. And what a process needs
/// besides.
const VALUES: u64 = 128;
const FUNCTIONS: u64 = 64;
const ITEMS: u64 = 256;
const REST: u64 = 64;

/// Each variable within its bounds, all of them together far beyond any memory; and functions that multiply what they get.
#[test]
fn more_values_than_memory() {
    let tree = tempfile::tempdir().unwrap();
    let long = "x".repeat(20_000);
    let mut variables = format!(
        "<constant_variable id='oval:x:var:1' version='1' datatype='string'>{}</constant_variable>",
        "<value>a</value>".repeat(1000)
    );
    let copies = "<variable_component var_ref='oval:x:var:1'/>".to_owned();
    for (n, function) in [
        (2, format!("<begin character='{long}'>{copies}</begin>")),
        (3, "<split delimiter=''><variable_component var_ref='oval:x:var:2'/></split>".to_owned()),
        (
            4,
            format!(
                "<time_difference>{0}{0}</time_difference>",
                "<variable_component var_ref='oval:x:var:5'/>"
            ),
        ),
        (5, format!("<concat>{copies}{}</concat>", "<literal_component>1</literal_component>".repeat(3))),
    ] {
        variables += &format!(
            "<local_variable id='oval:x:var:{n}' version='1' datatype='string'>{function}</local_variable>"
        );
    }
    for n in 6..60 {
        variables += &format!(
            "<local_variable id='oval:x:var:{n}' version='1' datatype='string'><end character='{n}'>\
             <variable_component var_ref='oval:x:var:2'/></end></local_variable>"
        );
    }
    let (mut criteria, mut tests, mut objects) = (String::new(), String::new(), String::new());
    for n in 1..60 {
        criteria += &format!("<criterion test_ref='oval:x:tst:{n}'/>");
        tests += &format!(
            "<ind:variable_test id='oval:x:tst:{n}' version='1' check='all'><object object_ref='oval:x:obj:{n}'/></ind:variable_test>"
        );
        objects += &format!(
            "<ind:variable_object id='oval:x:obj:{n}' version='1'><var_ref>oval:x:var:{n}</var_ref></ind:variable_object>"
        );
    }
    let parts =
        format!("<tests>{tests}</tests><objects>{objects}</objects><variables>{variables}</variables>");
    let told = format!("{:?}", evaluate(tree.path(), &criteria, &parts));
    assert!(told.contains("verdict: Error") && told.contains("more than 128 MiB"), "{told}");
    // A search that finds the rest of the file at each of its lines.
    fs::write(tree.path().join("f"), "line\n".repeat(30_000)).unwrap();
    let object = "<behaviors singleline='true'/><filepath>/f</filepath><pattern operation='pattern match'>^line(?=(.*))</pattern>";
    assert_eq!(lines(tree.path(), object).verdict, Verdict::True);
    assert!(memory() < VALUES + FUNCTIONS + ITEMS + REST, "{} MiB", memory());
}

/// Definitions, sets and directories that name the next twice: as many ways through them as nobody can go.
#[test]
fn more_ways_than_anybody_can_go() {
    let tree = tempfile::tempdir().unwrap();
    fs::write(tree.path().join("f"), "a\n".repeat(40_000)).unwrap();
    let file = "<filepath>/f</filepath><pattern operation='pattern match'>^a$</pattern>\
                <instance datatype='int' operation='greater than or equal'>1</instance>";
    let (mut definitions, mut objects) = (String::new(), String::new());
    for n in 2..=100 {
        let next = if n == 100 {
            "<criterion test_ref='oval:x:tst:1'/>".to_owned()
        } else {
            format!("<extend_definition definition_ref='oval:x:def:{}'/>", n + 1).repeat(2)
        };
        definitions += &format!(
            "<definition id='oval:x:def:{n}' version='1' class='compliance'><criteria operator='OR'>{next}</criteria></definition>"
        );
    }
    for n in 1..=20 {
        let next = if n == 20 {
            file.to_owned()
        } else {
            let one = format!("<object_reference>oval:x:obj:{}</object_reference>", n + 1);
            format!("<set>{}</set>", one.repeat(2))
        };
        objects += &format!(
            "<ind:textfilecontent54_object id='oval:x:obj:{n}' version='1'>{next}</ind:textfilecontent54_object>"
        );
    }
    let parts = format!(
        "<definitions>{definitions}</definitions><objects>{objects}</objects><tests><ind:textfilecontent54_test id='oval:x:tst:1' \
         version='1' check='all'><object object_ref='oval:x:obj:1'/></ind:textfilecontent54_test></tests>"
    );
    let outcome = evaluate(tree.path(), "<extend_definition definition_ref='oval:x:def:2'/>", &parts);
    assert_eq!(outcome.verdict, Verdict::True, "{:?}", outcome.evidence);
}

/// Criteria as deep as documents may be, in a chain of definitions as long as one may be.
#[test]
fn criteria_as_deep_as_they_go() {
    let tree = tempfile::tempdir().unwrap();
    let mut definitions = String::new();
    for n in 2..=200 {
        let next = format!("<extend_definition definition_ref='oval:x:def:{}'/>", n + 1);
        definitions += &format!(
            "<definition id='oval:x:def:{n}' version='1' class='compliance'>{}{next}{}</definition>",
            "<criteria>".repeat(55),
            "</criteria>".repeat(55)
        );
    }
    let parts = format!("<definitions>{definitions}</definitions>");
    let outcome = evaluate(tree.path(), "<extend_definition definition_ref='oval:x:def:2'/>", &parts);
    assert_eq!(outcome.verdict, Verdict::Error, "{:?}", outcome.evidence);
}

#[test]
fn directories_that_link_to_one_another() {
    let tree = tempfile::tempdir().unwrap();
    for n in 0..12 {
        fs::create_dir(tree.path().join(format!("d{n}"))).unwrap();
        fs::write(tree.path().join(format!("d{n}/f")), "").unwrap();
        for other in 0..12 {
            symlink(format!("../d{other}"), tree.path().join(format!("d{n}/to{other}"))).unwrap();
        }
    }
    for (object, found) in [
        ("<behaviors recurse_direction='down'/><path>/</path><filename>none</filename>", Verdict::Unknown),
        ("<filepath operation='pattern match'>^/.*/none$</filepath>", Verdict::Unknown),
        ("<path operation='pattern match'>^/.*$</path><filename>f</filename>", Verdict::True),
    ] {
        let outcome = files(tree.path(), object);
        assert_eq!(outcome.verdict, found, "{object}: {:?}", outcome.evidence);
        if found == Verdict::Unknown {
            assert!(outcome.evidence[0].found.contains("without end"), "{:?}", outcome.evidence);
        }
    }
}

/// What is wrong with the first item beyond the most that are kept is not told, but nobody says that all are right.
#[test]
fn one_match_more_than_is_kept() {
    let tree = tempfile::tempdir().unwrap();
    fs::write(tree.path().join("f"), "a=1\n".repeat(100_000) + "a=2\n").unwrap();
    fs::write(tree.path().join("g"), "a=1\n".repeat(100_000)).unwrap();
    for (name, expected) in [("f", Verdict::Unknown), ("g", Verdict::True)] {
        let parts = format!(
            "<tests><ind:textfilecontent54_test id='oval:x:tst:1' version='1' check='all'><object object_ref='oval:x:obj:1'/>\
             <state state_ref='oval:x:ste:1'/></ind:textfilecontent54_test></tests><objects><ind:textfilecontent54_object id='oval:x:obj:1' \
             version='1'><filepath>/{name}</filepath><pattern operation='pattern match'>^a=(.)$</pattern><instance datatype='int' \
             operation='greater than or equal'>1</instance></ind:textfilecontent54_object></objects><states><ind:textfilecontent54_state \
             id='oval:x:ste:1' version='1'><subexpression>1</subexpression></ind:textfilecontent54_state></states>"
        );
        let outcome = evaluate(tree.path(), "<criterion test_ref='oval:x:tst:1'/>", &parts);
        assert_eq!(outcome.verdict, expected, "{name}: {:?}", outcome.evidence.first());
    }
}

#[test]
fn what_changes_while_it_is_looked_at() {
    // Processes come and go below /proc all the time; files there have no size and some cannot be read.
    let object = "<path operation='pattern match'>^/proc/(self|[0-9]+)$</path><filename>status</filename>\
                  <pattern operation='pattern match'>^Name:</pattern>";
    let looked: Vec<Outcome> = (0..10).map(|_| lines(Path::new("/"), object)).collect();
    let gone = |one: &Evidence| {
        one.found.contains("status cannot be read: ")
            && (one.found.contains("No such file") || one.found.contains("No such process"))
    };
    for outcome in &looked {
        // Only a process that ended in between is an error.
        let as_it_should = outcome.verdict == Verdict::True
            || outcome.verdict == Verdict::Error && outcome.evidence.iter().any(gone);
        assert!(as_it_should, "{outcome:?}");
    }
    assert!(looked.iter().any(|outcome| outcome.verdict == Verdict::True), "{looked:?}");
    let deep = "<behaviors recurse='directories' recurse_direction='down'/><path>/proc/self</path>\
                <filename operation='pattern match'>.</filename>";
    assert_eq!(files(Path::new("/"), deep).verdict, Verdict::True);
}
