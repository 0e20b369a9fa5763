//! `kill -9` in the middle, and the same command again: no second image, nothing half made, and parts that are there are not sent again.

use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use nix::unistd::Pid;
use prism::fault::Act;

use super::*;

/// Starts an upload, and kills it when such a request has come in.
fn kill_at(desk: &Desk, method: &str, path: &str) {
    let mut child = desk.start();
    let begun = Instant::now();
    while count(desk.prism("paris"), method, path) == 0 {
        assert!(begun.elapsed() < Duration::from_secs(60), "{method} {path} does not come");
        sleep(Duration::from_millis(5));
    }
    sleep(Duration::from_millis(100));
    child.kill().unwrap();
    child.wait().unwrap();
    desk.prism("paris").mend();
    // On a slow machine it may have been killed before it had written one.
    for entry in std::fs::read_dir(desk.path(".local/state/trempe/uploads")).into_iter().flatten().flatten() {
        let text = std::fs::read_to_string(entry.path()).unwrap();
        assert!(!text.contains("p4ss") && !text.contains("YnVp"), "the journal has a secret: {text}");
    }
}

#[test]
fn a_killed_upload_is_put_right_by_the_next() {
    // What was the last request that was answered, and which one is never.
    let cases = [
        (v3 as fn() -> Options, "POST", "v3/images$", "GET", "tasks/", 0),
        (v3, "POST", "v3/images$", "PUT", "/file", 0),
        (v3, "PUT", "/file", "GET", "v3/images/", 0),
        (v3, "PUT", "/file", "PUT", "v3/images/", 1),
        (v4, "OPTIONS", "clustermgmt", "PUT", "vmm-images", 0),
        (v4, "PUT", "vmm-images", "POST", "content/images", 0),
        (v4, "POST", "content/images", "GET", "config/tasks", 0),
        (v4, "GET", "config/tasks", "PUT", "content/images/", 0),
    ];
    for (options, method, path, hangs, at, skip) in cases {
        let desk = Desk::two(options());
        let sha256 = desk.image(1);
        desk.prism("paris").fault_after(skip, 1000, hangs, at, Act::Hang(3600));
        kill_at(&desk, method, path);
        let told = desk.upload(&[]);
        let code = told.code;
        let told =
            format!("killed at {hangs} {at}: {} {} {:#?}", told.out, told.err, desk.prism("paris").seen());
        assert_eq!(code, Some(0), "{told}");
        for prism in [desk.prism("paris"), desk.prism("lyon")] {
            assert_eq!(names(prism), ["web"], "{told}");
            assert_eq!(only(prism, "web").sha256, sha256, "{told}");
            assert_eq!(prism.objects().1, 0, "{told}");
        }
    }
}

#[test]
fn an_import_that_goes_on_is_not_asked_for_again() {
    // The server has forgotten the request, and the task, too.
    for forgets_tasks in [false, true] {
        let desk = Desk::new(vec![("paris", v4())], "");
        let sha256 = desk.image(1);
        let prism = desk.prism("paris");
        prism.fault_after(0, 1000, "GET", "config/tasks", Act::Hang(3600));
        kill_at(&desk, "POST", "content/images");
        prism.forget_requests();
        if forgets_tasks {
            prism.forget_tasks();
        }
        let told = desk.upload(&[]);
        let told = format!("{forgets_tasks}: {:?} {} {} {:#?}", told.code, told.out, told.err, prism.seen());
        assert!(told.contains("Some(0)"), "{told}");
        assert_eq!(names(prism), ["web"], "{told}");
        assert_eq!(only(prism, "web").sha256, sha256, "{told}");
        assert_eq!(count(prism, "POST", "content/images"), 1, "{told}");
    }
}

#[test]
fn an_import_that_failed_after_the_kill_is_made_anew() {
    let later: fn(&Prism) = |_| ();
    // By the next run the image is already shown as failed, or somebody has deleted it.
    let before: fn(&Prism) = Prism::forget_tasks;
    let deleted: fn(&Prism) = |prism| prism.with_images(Vec::clear);
    for (options, method, path, hangs, meanwhile) in [
        (v3 as fn() -> Options, "PUT", "/file", "v3/images/", later),
        (v3, "PUT", "/file", "v3/images/", before),
        (v3, "PUT", "/file", "v3/images/", deleted),
        (v4, "POST", "content/images", "config/tasks", later),
    ] {
        let desk = Desk::new(vec![("paris", options())], "");
        let sha256 = desk.image(1);
        let prism = desk.prism("paris");
        prism.fault(method, path, Act::FailTask(Some("no space".to_owned())));
        prism.fault_after(0, 1000, "GET", hangs, Act::Hang(3600));
        kill_at(&desk, method, path);
        meanwhile(prism);
        let told = desk.upload(&[]);
        let told = format!("{path}: {:?} {} {} {:#?}", told.code, told.out, told.err, prism.seen());
        assert!(told.contains("Some(0)"), "{told}");
        assert_eq!(names(prism), ["web"], "{told}");
        assert_eq!(only(prism, "web").sha256, sha256, "{told}");
        assert_eq!(count(prism, method, path), 2, "{told}");
    }
}

#[test]
fn parts_that_are_there_are_not_sent_again() {
    let desk = Desk::new(vec![("paris", v4())], "");
    desk.large(150 << 20);
    desk.prism("paris").fault("PUT", "partNumber=3", Act::Hang(3600));
    kill_at(&desk, "PUT", "partNumber=2");
    sleep(Duration::from_millis(300));
    let told = desk.upload(&["--format", "json"]);
    assert_eq!(told.code, Some(0), "{} {}", told.out, told.err);
    assert!(told.err.contains("2 of 3 parts are there"), "{}", told.err);
    let prism = desk.prism("paris");
    assert_eq!(count(prism, "PUT", "partNumber=1") + count(prism, "PUT", "partNumber=2"), 2);
    assert_eq!(told.json()["image"]["sha256"], only(prism, "web").sha256);
}

#[test]
fn parts_that_the_store_has_forgotten_are_sent_anew() {
    let desk = Desk::new(vec![("paris", v4())], "");
    desk.large(150 << 20);
    desk.prism("paris").fault("PUT", "partNumber=3", Act::Hang(3600));
    kill_at(&desk, "PUT", "partNumber=2");
    desk.prism("paris").forget_uploads();
    let told = desk.upload(&[]);
    assert_eq!(told.code, Some(0), "{} {}", told.out, told.err);
    assert_eq!(names(desk.prism("paris")), ["web"]);
}

#[test]
fn what_was_begun_of_another_version_is_cleared_away() {
    for (options, path) in [(v3 as fn() -> Options, "/file"), (v4, "vmm-images")] {
        let desk = Desk::new(vec![("paris", options())], "");
        desk.prism("paris").fault("PUT", path, Act::Hang(3600));
        kill_at(
            &desk,
            if path == "/file" { "POST" } else { "OPTIONS" },
            if path == "/file" { "v3/images$" } else { "clustermgmt" },
        );
        let sha256 = desk.image(2);
        let told = desk.upload(&[]);
        assert_eq!(told.code, Some(0), "{} {}", told.out, told.err);
        assert_eq!(names(desk.prism("paris")), ["web"]);
        assert_eq!(only(desk.prism("paris"), "web").sha256, sha256);
    }
}

#[test]
fn two_builders_do_not_upload_the_same_at_once() {
    let desk = Desk::new(vec![("paris", v4())], "");
    desk.prism("paris").fault("PUT", "vmm-images", Act::Hang(3600));
    let mut first = desk.start();
    let begun = Instant::now();
    while count(desk.prism("paris"), "GET", "content/images") < 2 {
        assert!(begun.elapsed() < Duration::from_secs(60));
        sleep(Duration::from_millis(5));
    }
    let told = desk.upload(&[]);
    assert!(told.of_target("paris").contains("another builder uploads web to paris"), "{}", told.out);
    first.kill().unwrap();
    first.wait().unwrap();
}

/// Ends an upload by a signal, and gives what it says.
fn end(child: Child, signal: Signal) -> Told {
    nix::sys::signal::kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), signal).unwrap();
    let told = Told::of(child.wait_with_output().unwrap());
    assert_eq!(told.code, Some(1));
    assert!(told.err.contains(&format!("ended by {signal}; the same command goes on")), "{}", told.err);
    told
}

#[test]
fn a_signal_ends_it_and_the_next_run_clears_up() {
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        let desk = Desk::two(v3());
        desk.prism("paris").fault("PUT", "/file", Act::Hang(3600));
        let child = desk.start();
        while count(desk.prism("paris"), "GET", "tasks/") < 3 {
            sleep(Duration::from_millis(5));
        }
        sleep(Duration::from_millis(200));
        end(child, signal);
        desk.prism("paris").mend();
        assert_eq!(desk.upload(&[]).code, Some(0), "{signal}");
        for prism in [desk.prism("paris"), desk.prism("lyon")] {
            assert_eq!(names(prism), ["web"], "{signal}");
        }
    }
}

#[test]
fn a_signal_does_not_wait_for_the_digest_of_a_large_file() {
    let desk = Desk::new(vec![("paris", v4())], "");
    desk.large(1 << 40);
    let child = desk.start();
    while count(desk.prism("paris"), "OPTIONS", "clustermgmt") == 0 {
        sleep(Duration::from_millis(5));
    }
    sleep(Duration::from_millis(500));
    let begun = Instant::now();
    end(child, Signal::SIGTERM);
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
}
