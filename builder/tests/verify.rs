//! How a verification is led: what it leaves, what it uses again, how it ends, and that no machine is left when it is ended. QEMU and ssh are small
//! scripts here; `image.rs` does it with real machines.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod stand_in;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

const QEMU_IMG: &str = "case $1 in info) echo '{\"format\": \"qcow2\"}';; create) shift 7; : > \"$2\";; check) [ ! -e \"$HOME/damaged\" ] || { echo 'a cluster leaks' >&2; exit 3; };; esac";

struct Desk {
    home: TempDir,
}

impl Desk {
    fn new() -> Desk {
        let desk = Desk { home: tempfile::tempdir().unwrap() };
        fs::create_dir(desk.path("bin")).unwrap();
        for (name, script) in [
            ("qemu-system-x86_64", stand_in::QEMU),
            ("qemu-img", QEMU_IMG),
            ("ssh-keygen", stand_in::KEYGEN),
            ("xorriso", stand_in::XORRISO),
            ("ssh", stand_in::SSH),
        ] {
            stand_in::program(&desk.path("bin"), name, script);
        }
        fs::write(desk.path("web.qcow2"), "image").unwrap();
        stand_in::hardens(desk.home.path());
        desk.audits("standard", &[]);
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn audits(&self, tier: &str, failing: &[&str]) {
        stand_in::audits(self.home.path(), tier, failing);
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_builder"));
        command.current_dir(self.home.path()).args([
            "verify",
            "web.qcow2",
            "--emulate",
            "--tier",
            "standard",
        ]);
        let path = format!("{}:/usr/bin:/bin:/usr/sbin:/sbin", self.path("bin").display());
        command.args(arguments).env("PATH", path).env("HOME", self.home.path()).env("MACHINE", "");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn verify(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn machines(&self) -> usize {
        fs::read_to_string(self.path("machines")).unwrap_or_default().lines().count()
    }

    /// That no machine runs and no disk of one is left.
    fn nothing_is_left(&self) {
        for pid in fs::read_to_string(self.path("pids")).unwrap_or_default().split_whitespace() {
            gone(pid);
        }
        let entries = fs::read_dir(self.path("web.verify")).unwrap().flatten();
        let left: Vec<_> =
            entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(".work")).collect();
        assert!(left.is_empty(), "{left:?}");
        assert_eq!(fs::read_to_string(self.path("web.qcow2")).unwrap(), "image");
    }
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn alive(pid: &str) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

fn gone(pid: &str) {
    let begun = Instant::now();
    while alive(pid) {
        assert!(begun.elapsed() < Duration::from_secs(60), "process {pid} is left");
        sleep(Duration::from_millis(20));
    }
}

fn wait_for(path: &Path) {
    let begun = Instant::now();
    while !fs::read_to_string(path).unwrap_or_default().ends_with('\n') {
        assert!(begun.elapsed() < Duration::from_secs(60), "{} does not come", path.display());
        sleep(Duration::from_millis(20));
    }
}

fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args(["-s", name, &child.id().to_string()]).status().unwrap().success());
}

#[test]
fn a_machine_is_proved_once_and_again_when_something_changed() {
    let desk = Desk::new();
    let first = desk.verify(&["--format", "json"]);
    assert_eq!(first.status.code(), Some(0), "{}", said(&first));
    let record: Value = serde_json::from_slice(&first.stdout).unwrap();
    let proof = &record["proofs"][0];
    assert_eq!(
        (&proof["tier"], &proof["firmware"], &proof["outcome"]),
        (&"standard".into(), &"bios".into(), &"proved".into())
    );
    assert_eq!(proof["judgement"]["expected"][0]["rule"], "partition_for_home");
    assert_eq!(fs::read(desk.path("web.verify/verify.json")).unwrap(), first.stdout);
    assert_eq!(
        fs::read(desk.path("web.verify/audit-standard-bios.json")).unwrap(),
        fs::read(desk.path("audit")).unwrap()
    );
    assert!(
        fs::read_to_string(desk.path("web.verify/console-standard-bios.log")).unwrap().contains("phase 1")
    );
    assert!(fs::read_to_string(desk.path("user-data")).unwrap().contains("\"tier\": \"standard\""));
    desk.nothing_is_left();

    let again = desk.verify(&[]);
    assert!(
        again.status.success() && said(&again).contains("proved, emulated, unchanged"),
        "{}",
        said(&again)
    );
    assert_eq!(desk.machines(), 1);
    for change in [vec!["--fresh"], vec!["--seed", "configdrive"], vec!["--disk", "virtio-blk"]] {
        let before = desk.machines();
        assert!(!said(&desk.verify(&change)).contains("unchanged"));
        assert_eq!(desk.machines(), before + 1, "{change:?}");
    }
    fs::write(desk.path("web.qcow2"), "another").unwrap();
    assert!(!said(&desk.verify(&[])).contains("unchanged"));
}

#[test]
fn what_fails_unexpectedly_ends_with_2_unless_it_is_allowed() {
    let desk = Desk::new();
    desk.audits("standard", &["sshd_set_idle_timeout"]);
    let output = desk.verify(&[]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(
        said(&output).contains("fail: sshd_set_idle_timeout: /etc/x:1: 1, wanted 2"),
        "{}",
        said(&output)
    );
    assert_eq!(desk.verify(&["--allow", "sshd_set_idle_timeout"]).status.code(), Some(0));
    assert_eq!(desk.verify(&["--max-fail", "1"]).status.code(), Some(0));
    assert_eq!(desk.verify(&["--max-fail", "1", "--min-score", "90"]).status.code(), Some(2));
    desk.audits("light", &[]);
    let other = desk.verify(&[]);
    assert_eq!(other.status.code(), Some(2));
    assert!(said(&other).contains("was told standard and is judged by light"), "{}", said(&other));
}

#[test]
fn a_machine_that_cannot_be_judged_ends_with_1_and_says_why() {
    let cases: [(&str, &str, &str); 3] = [
        ("nosudo", "", "sudo: a password is required"),
        ("", "echo 'grub rescue>' >> \"$console\"; exit 0", "grub rescue>"),
        (
            "",
            "echo 'could not set up host forwarding rule' >&2; exit 1",
            "could not set up host forwarding rule",
        ),
    ];
    for (file, act, expected) in cases {
        let desk = Desk::new();
        if !file.is_empty() {
            fs::write(desk.path(file), "").unwrap();
        }
        // A machine that is off is noticed while nobody gets in.
        if !act.is_empty() {
            fs::write(desk.path("locked"), "").unwrap();
        }
        let output = desk.command(&[]).env("MACHINE", act).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        assert!(said(&output).contains(expected), "{expected}: {}", said(&output));
        desk.nothing_is_left();
    }
    let desk = Desk::new();
    fs::write(desk.path("locked"), "").unwrap();
    let output = desk.verify(&["--time-limit", "0"]);
    assert!(
        output.status.code() == Some(1) && said(&output).contains("does not let in"),
        "{}",
        said(&output)
    );
}

#[test]
fn a_damaged_image_or_one_of_another_manifest_is_not_booted() {
    let desk = Desk::new();
    fs::write(desk.path("damaged"), "").unwrap();
    let output = desk.verify(&[]);
    assert!(
        output.status.code() == Some(1) && said(&output).contains("a cluster leaks"),
        "{}",
        said(&output)
    );
    fs::remove_file(desk.path("damaged")).unwrap();
    let image = json!({"file": "web.qcow2", "format": "qcow2", "size": 5, "virtual_size": 5, "sha256": "00", "packages": []});
    let manifest = json!({"schema": 1, "builder": "", "name": "web", "os": "debian12", "firmware": "both", "tier": null, "image": image,
        "spec_sha256": "", "agent": {"version": "", "sha256": ""}, "tools": {"packer": "1.6.6", "qemu": "", "mmdebstrap": ""}, "built": "", "stages": []});
    stand_in::say(desk.home.path(), "web.manifest.json", &manifest);
    let output = desk.verify(&[]);
    assert!(said(&output).contains("is not the image that"), "{}", said(&output));
    assert_eq!(desk.machines(), 0);
}

#[test]
fn a_verification_that_is_ended_leaves_neither_machines_nor_disks() {
    for name in ["INT", "TERM", "HUP"] {
        let desk = Desk::new();
        fs::write(desk.path("locked"), "").unwrap();
        let child = desk.command(&[]).spawn().unwrap();
        wait_for(&desk.path("pids"));
        signal(&child, name);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{name}");
        assert!(said(&output).contains(&format!("ended by SIG{name}")), "{}", said(&output));
        desk.nothing_is_left();
    }
    let desk = Desk::new();
    fs::write(desk.path("locked"), "").unwrap();
    let mut child = desk.command(&[]).spawn().unwrap();
    wait_for(&desk.path("pids"));
    signal(&child, "KILL");
    child.wait().unwrap();
    gone(fs::read_to_string(desk.path("pids")).unwrap().trim());
    fs::remove_file(desk.path("locked")).unwrap();
    assert_eq!(desk.verify(&[]).status.code(), Some(0));
    desk.nothing_is_left();
}
