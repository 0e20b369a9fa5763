//! Everything that goes wrong at one of two targets: what becomes of the upload there, what is said, what is left, that the next run puts it
//! right, and that the other target has the image at once.

use std::thread;

use prism::fault::Act;

use super::*;

/// How an upload over a fault ends.
enum End {
    /// It is there all the same.
    There,
    /// It is not, this is said, and nothing of it is left there.
    Gone(&'static str),
    /// It is not, this is said, and what is left is gone on with or cleared away by the next run.
    Begun(&'static str),
}
use End::{Begun, Gone, There};

struct Case {
    name: &'static str,
    options: fn() -> Options,
    fault: fn(&Prism),
    end: End,
}

const ALWAYS: u32 = 1000;

const fn case(name: &'static str, options: fn() -> Options, fault: fn(&Prism), end: End) -> Case {
    Case { name, options, fault, end }
}

/// A fault of every request of a kind.
fn always(prism: &Prism, method: &str, path: &str, act: Act) {
    prism.fault_after(0, ALWAYS, method, path, act);
}

fn run(case: &Case) {
    let name = case.name;
    let desk = Desk::two((case.options)());
    let sha256 = desk.image(1);
    (case.fault)(desk.prism("paris"));
    let told = desk.upload(&[]);
    let paris = told.of_target("paris");
    let at_once = format!("{name}: {paris}\n{}\n{:#?}", told.err, desk.prism("paris").seen());
    // The other target has it, whatever happens here.
    assert_eq!(only(desk.prism("lyon"), "web").sha256, sha256, "{at_once}");
    assert_eq!(names(desk.prism("lyon")), ["web"], "{at_once}");
    match &case.end {
        There => {
            assert_eq!(told.code, Some(0), "{at_once}");
            assert_eq!(names(desk.prism("paris")), ["web"], "{at_once}");
        }
        Gone(said) | Begun(said) => {
            assert_eq!(told.code, Some(1), "{at_once}");
            assert!(paris.contains("FAILED") && paris.contains(said), "{said}\n{at_once}");
            assert!(paris.contains("\n    do: "), "{at_once}");
            let gone = matches!(case.end, Gone(_));
            assert!(!gone || names(desk.prism("paris")).is_empty(), "{at_once}");
            assert!(!gone || desk.prism("paris").objects() == (vec![], 0), "{at_once}");
        }
    }
    desk.prism("paris").mend();
    let told = desk.upload(&[]);
    let again = format!("{name}, again: {} {}\n{:#?}", told.out, told.err, desk.prism("paris").seen());
    assert_eq!(told.code, Some(0), "{again}");
    assert_eq!(only(desk.prism("paris"), "web").sha256, sha256, "{again}");
    assert_eq!(names(desk.prism("paris")), ["web"], "{again}");
    assert!(told.of_target("lyon").contains("there already"), "{again}");
    assert_eq!(desk.prism("paris").objects().1, 0, "{again}");
}

/// Runs cases, several at a time: they wait more than they work.
fn all(cases: &[Case]) {
    let queue = std::sync::Mutex::new(cases.iter());
    thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().unwrap_or_else(std::sync::PoisonError::into_inner).next();
                    let Some(next) = next else { return };
                    run(next);
                }
            });
        }
    });
}

const V3: &[Case] = &[
    case("reset", v3, |p| p.fault("PUT", "/file", Act::Reset(100_000)), There),
    case(
        "reset always",
        v3,
        |p| always(p, "PUT", "/file", Act::Reset(100_000)),
        Gone("do: run the same command again"),
    ),
    case("expired", v3, |p| p.fault("PUT", "/file", Act::status(401)), There),
    case("expired while listing", v3, |p| p.fault("POST", "images/list", Act::status(401)), There),
    case(
        "login refused",
        v3,
        |p| always(p, "GET", "users/me", Act::status(401)),
        Gone("do: check user and password"),
    ),
    case(
        "forbidden",
        v3,
        |p| always(p, "POST", "v3/images$", Act::status(403)),
        Gone("do: give the user a role"),
    ),
    case(
        "no such address",
        v3,
        |p| always(p, "GET", "users/me", Act::status(404)),
        Gone("do: it may be older"),
    ),
    case(
        "edit conflict",
        v3,
        |p| {
            p.fault("PUT", "v3/images/", Act::ChangeBefore);
            p.fault("PUT", "v3/images/", Act::ChangeBefore)
        },
        There,
    ),
    case(
        "too large",
        v3,
        |p| always(p, "PUT", "/file", Act::Early(413)),
        Gone("do: something in between, a proxy most likely"),
    ),
    case(
        "refused",
        v3,
        |p| always(p, "POST", "v3/images$", Act::status(422)),
        Gone("INVALID_REQUEST: refused on request"),
    ),
    case(
        "busy",
        v3,
        |p| {
            p.fault("POST", "v3/images$", Act::busy(429, 1));
            p.fault("PUT", "/file", Act::busy(429, 1))
        },
        There,
    ),
    case(
        "down for a moment",
        v3,
        |p| {
            p.fault("GET", "users/me", Act::busy(503, 1));
            p.fault("POST", "images/list", Act::status(502))
        },
        There,
    ),
    case("down over the file", v3, |p| p.fault("PUT", "/file", Act::status(502)), There),
    case("slow task", v3, |p| p.fault("PUT", "/file", Act::SlowTask(15)), There),
    case(
        "failed task",
        v3,
        |p| always(p, "PUT", "/file", Act::FailTask(Some("no space".to_owned()))),
        Gone("the task failed: INTERNAL_ERROR: no space"),
    ),
    case(
        "failed task, no reason",
        v3,
        |p| always(p, "PUT", "/file", Act::FailTask(None)),
        Gone("the task failed: no reason is given"),
    ),
    case("aborted task", v3, |p| always(p, "PUT", "/file", Act::CancelTask), Gone("the task was aborted")),
    case("spoilt on the way", v3, |p| p.fault("PUT", "/file", Act::Spoil), There),
    case(
        "spoilt always",
        v3,
        |p| always(p, "PUT", "/file", Act::Spoil),
        Gone("do: what arrived is not what was sent"),
    ),
    case("answer to creation lost", v3, |p| p.fault("POST", "v3/images$", Act::LoseAnswer), There),
    case(
        "creation unknown",
        v3,
        |p| p.fault("POST", "v3/images$", Act::status(504)),
        Begun("do: run the same command again: it looks first"),
    ),
    case("answer to the file lost", v3, |p| p.fault("PUT", "/file", Act::LoseAnswer), There),
    case(
        "deletion refused",
        v3,
        |p| {
            p.fault("DELETE", "v3/images", Act::status(500));
            p.fault_after(0, ALWAYS, "PUT", "/file", Act::Early(413))
        },
        Begun("the next run clears away"),
    ),
];

const V4: &[Case] = &[
    case("reset", v4, |p| p.fault("PUT", "vmm-images", Act::Reset(100_000)), There),
    case(
        "reset always",
        v4,
        |p| always(p, "PUT", "vmm-images", Act::Reset(100_000)),
        Begun("do: run the same command again"),
    ),
    case("expired", v4, |p| p.fault("PUT", "vmm-images", Act::status(401)), There),
    case(
        "expired while listing",
        v4,
        |p| p.fault_after(1, 1, "GET", "content/images?", Act::status(401)),
        There,
    ),
    case(
        "login refused",
        v4,
        |p| always(p, "GET", "content/images?", Act::status(401)),
        Gone("do: check user and password"),
    ),
    case(
        "forbidden",
        v4,
        |p| always(p, "POST", "content/images", Act::status(403)),
        Gone("do: give the user a role"),
    ),
    case(
        "store forbidden",
        v4,
        |p| always(p, "PUT", "vmm-images", Act::status(403)),
        Gone("do: give the user a role"),
    ),
    case(
        "changed since",
        v4,
        |p| {
            p.fault("PUT", "content/images/", Act::ChangeBefore);
            p.fault("PUT", "content/images/", Act::ChangeBefore)
        },
        There,
    ),
    case("conflict", v4, |p| p.fault("PUT", "content/images/", Act::status(409)), There),
    case(
        "too large",
        v4,
        |p| always(p, "PUT", "vmm-images", Act::Early(413)),
        Gone("do: something in between, a proxy most likely"),
    ),
    case(
        "refused",
        v4,
        |p| always(p, "POST", "content/images", Act::status(422)),
        Gone("refused on request"),
    ),
    case(
        "busy",
        v4,
        |p| {
            p.fault("POST", "content/images", Act::busy(429, 1));
            p.fault("PUT", "vmm-images", Act::busy(429, 1))
        },
        There,
    ),
    case(
        "down for a moment",
        v4,
        |p| {
            p.fault("OPTIONS", "vmm", Act::status(503));
            p.fault("POST", "content/images", Act::status(502))
        },
        There,
    ),
    case("down over the file", v4, |p| p.fault("PUT", "vmm-images", Act::status(503)), There),
    case("slow task", v4, |p| p.fault("POST", "content/images", Act::SlowTask(15)), There),
    case(
        "failed task",
        v4,
        |p| always(p, "POST", "content/images", Act::FailTask(Some("no space".to_owned()))),
        Gone("the task failed: VMM-20001: no space"),
    ),
    case(
        "failed task, no reason",
        v4,
        |p| always(p, "POST", "content/images", Act::FailTask(None)),
        Gone("the task failed: no reason is given"),
    ),
    case(
        "cancelled task",
        v4,
        |p| always(p, "POST", "content/images", Act::CancelTask),
        Gone("the task was cancelled"),
    ),
    case("spoilt on the way", v4, |p| p.fault("PUT", "vmm-images", Act::Spoil), There),
    case(
        "spoilt always",
        v4,
        |p| always(p, "PUT", "vmm-images", Act::Spoil),
        Gone("do: what arrived is not what was sent"),
    ),
    case("answer to creation lost", v4, |p| p.fault("POST", "content/images", Act::LoseAnswer), There),
    case("answer to the file lost", v4, |p| p.fault("PUT", "vmm-images", Act::LoseAnswer), There),
    case("answer to the name lost", v4, |p| p.fault("PUT", "content/images/", Act::LoseAnswer), There),
    case(
        "task out of reach",
        v4,
        |p| always(p, "GET", "config/tasks", Act::status(502)),
        Begun("the file is there; the next run goes on from it"),
    ),
];

#[test]
fn faults_of_v3() {
    all(V3);
}

#[test]
fn faults_of_v4() {
    all(V4);
}

#[test]
fn a_busy_server_is_left_alone_for_as_long_as_it_asks() {
    // Requests that fit in memory, and files.
    let cases = [
        (v3 as fn() -> Options, "POST", "v3/images$"),
        (v3, "PUT", "/file"),
        (v4, "PUT", "vmm-images"),
        (v4, "POST", "content/images"),
    ];
    thread::scope(|scope| {
        for (options, method, path) in cases {
            scope.spawn(move || {
                let desk = Desk::new(vec![("paris", options())], "");
                desk.prism("paris").fault(method, path, Act::busy(429, 6));
                let begun = std::time::Instant::now();
                let told = desk.upload(&[]);
                let took = begun.elapsed().as_secs();
                assert_eq!(told.code, Some(0), "{method} {path}: {} {}", told.out, told.err);
                // By itself it would come again after a second at most.
                assert!(took >= 6, "{method} {path}: again after {took} s");
            });
        }
    });
}

#[test]
fn an_import_beyond_patience_is_waited_for_by_the_next_run() {
    for (options, path) in [(v3 as fn() -> Options, "/file"), (v4, "content/images")] {
        let desk = Desk::new(vec![("paris", options())], "patience: {import: 1}");
        let method = if path == "/file" { "PUT" } else { "POST" };
        desk.prism("paris").fault(method, path, Act::SlowTask(12));
        let told = desk.upload(&[]);
        assert_eq!(told.code, Some(1), "{} {}", told.out, told.err);
        assert!(
            told.of_target("paris").contains("do: look at its tasks; raise patience.import"),
            "{}",
            told.out
        );
        let before =
            count(desk.prism("paris"), "PUT", "/file") + count(desk.prism("paris"), "PUT", "/vmm-images/");
        desk.targets("");
        let told = desk.upload(&[]);
        assert_eq!(told.code, Some(0), "{} {}", told.out, told.err);
        assert_eq!(names(desk.prism("paris")), ["web"]);
        let after =
            count(desk.prism("paris"), "PUT", "/file") + count(desk.prism("paris"), "PUT", "/vmm-images/");
        assert_eq!((before, after), (1, 1), "the file was sent again");
    }
}

/// A role may well be without the right to delete: what was to be delivered is there all the same.
#[test]
fn an_older_version_that_cannot_be_removed_is_no_failure() {
    for options in [v3 as fn() -> Options, v4] {
        let desk = Desk::new(vec![("paris", options())], "keep: 0");
        let prism = desk.prism("paris");
        assert_eq!(desk.upload(&[]).code, Some(0));
        let sha256 = desk.image(2);
        always(prism, "DELETE", "/images/", Act::status(403));
        let told = desk.upload(&[]);
        assert_eq!(told.code, Some(0), "{} {}", told.out, told.err);
        let paris = told.of_target("paris");
        assert!(
            paris.contains("uploaded") && paris.contains("an older one could not be removed, web-"),
            "{paris}"
        );
        assert_eq!((only(prism, "web").sha256, names(prism).len()), (sha256, 2));
        prism.mend();
        let told = desk.upload(&["--format", "json"]).json();
        assert_eq!(
            (&told["targets"][0]["result"], &told["targets"][0]["removed"]),
            (&"present".into(), &1.into())
        );
        assert!(told["targets"][0].get("left").is_none());
        assert_eq!(names(prism), ["web"]);
    }
}

#[test]
fn a_store_that_fails_while_parts_are_put_together_is_asked_again() {
    let desk = Desk::new(vec![("paris", v4())], "");
    desk.large(130 << 20);
    desk.prism("paris").fault("POST", "uploadId=", Act::Spoil);
    desk.prism("paris").fault("PUT", "partNumber=2", Act::Reset(1 << 20));
    let told = desk.upload(&[]);
    assert_eq!(told.code, Some(0), "{} {}", told.out, told.err);
    assert_eq!(names(desk.prism("paris")), ["web"]);
    // Each part once, and the one that was cut off again.
    assert_eq!(count(desk.prism("paris"), "PUT", "partNumber="), 4);
}

#[test]
fn a_connection_that_stands_still_is_given_up_and_made_anew() {
    for (options, path) in [(v3 as fn() -> Options, "/file"), (v4, "vmm-images")] {
        let desk = Desk::new(vec![("paris", options())], "patience: {stall: 2}");
        desk.large(48 << 20);
        desk.prism("paris").fault("PUT", path, Act::Hang(3600));
        let told = desk.upload(&[]);
        assert_eq!(told.code, Some(0), "{} {}", told.out, told.err);
        assert!(told.err.contains("nothing moved for 2 seconds; trying again"), "{}", told.err);
        assert_eq!(names(desk.prism("paris")), ["web"]);
    }
}
