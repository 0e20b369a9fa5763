//! Builds that are ended: by a signal or by `kill -9`, in each of their stages.

use super::*;

/// Each stage, and the program that it waits for.
const STAGES: [(&str, &str); 4] =
    [("prepare", "ssh-keygen"), ("bootstrap", "bash"), ("provision", "packer"), ("finish", "qemu-img")];

/// Starts a build that hangs in a program, and gives it with the processes that hang.
fn hanging(desk: &Desk, program: &str) -> (Child, String) {
    let mut command = desk.command(SEALED, &[]);
    let child = command.env("HANG", program).spawn().unwrap();
    let running = wait_for(&desk.path("pids"));
    (child, running)
}

#[test]
fn a_build_that_is_ended_leaves_neither_processes_nor_files() {
    for name in ["INT", "TERM", "HUP"] {
        for (stage, program) in STAGES {
            let desk = Desk::new();
            let (child, running) = hanging(&desk, program);
            signal(&child, name);
            let output = child.wait_with_output().unwrap();
            assert_eq!(output.status.code(), Some(1), "{name} in {stage}");
            assert!(said(&output).contains(&format!("ended by SIG{name}")), "{}", said(&output));
            running.split_whitespace().for_each(gone);
            assert!(
                desk.work().is_empty() && !desk.path("images/web/web.qcow2").exists(),
                "{name} in {stage}"
            );
            assert!(desk.build(SEALED, &[]).status.success(), "{name} in {stage}");
        }
    }
}

#[test]
fn after_a_killed_build_the_next_starts_clean() {
    for (stage, program) in STAGES {
        let desk = Desk::new();
        let (mut child, running) = hanging(&desk, program);
        let second = desk.build(SEALED, &[]);
        assert!(said(&second).contains("another build of web runs"), "{stage}: {}", said(&second));
        signal(&child, "KILL");
        child.wait().unwrap();
        running.split_whitespace().for_each(gone);
        assert_eq!(desk.work().len(), 1, "{stage}");
        assert!(!desk.path("images/web/web.qcow2").exists(), "{stage}");
        let next = desk.build(SEALED, &[]);
        assert!(next.status.success(), "{stage}: {}", said(&next));
        assert!(desk.work().is_empty(), "{stage}");
    }
}

#[test]
fn a_checksum_that_takes_long_can_be_ended() {
    let desk = Desk::new();
    fs::File::create(desk.path("a.iso")).unwrap().set_len(1 << 40).unwrap();
    let digest = "1".repeat(64);
    fs::write(
        desk.path("web.yml"),
        format!("{RHEL}source: {{iso: {{url: a.iso, checksum: 'sha256:{digest}'}}}}\n"),
    )
    .unwrap();
    for name in ["INT", "KILL"] {
        let mut command = desk.command(SEALED, &[]);
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let begun = Instant::now();
        while desk.work().is_empty() {
            assert!(begun.elapsed() < Duration::from_secs(60));
            sleep(Duration::from_millis(20));
        }
        sleep(Duration::from_millis(100));
        signal(&child, name);
        child.wait().unwrap();
        assert_eq!(desk.work().len(), usize::from(name == "KILL"));
    }
}
