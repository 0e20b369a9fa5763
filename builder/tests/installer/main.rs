//! Images that are installed from a disc, by real Packer and QEMU: the answers reach the installer, and what it says reaches this host, whether
//! it succeeds or not. A small live disc stands in for the vendors' (`make-disc`), which do the same with a thousand times as much. Needs what
//! `.ci/setup` installs, and no KVM.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on ends")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

/// Where `.ci/setup` puts the packages that the disc is made of.
const PARTS: &str = "/opt/installer-parts";
/// The package of the agent that is put on these images: what stands in for a package manager takes it for the program itself.
const AGENT: &str = "#!/bin/sh\necho agent 0.1.0\n";

/// A desk with a disc, a specification that names it, and the agent's packages.
struct Desk {
    home: TempDir,
}

impl Desk {
    /// `arguments` are given to the kernels of the disc and of what it installs.
    fn new(spec: &str, arguments: &[&str]) -> Desk {
        let desk = Desk { home: tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap() };
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/installer/make-disc");
        assert!(Path::new(PARTS).join("boot").exists(), "{PARTS} is needed, see .ci/setup");
        run(Command::new(script).arg(PARTS).arg(desk.path("a.iso")).args(arguments));
        let digest = Sha256::digest(fs::read(desk.path("a.iso")).unwrap());
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let source = format!("source: {{iso: {{url: a.iso, checksum: 'sha256:{digest}'}}}}");
        let rest = "firmware: bios\nhardware: {cpus: 1}\nagent: {tier: strict}\n";
        fs::write(desk.path("web.yml"), format!("name: web\n{spec}\n{rest}{source}\n")).unwrap();
        for package in ["trempe-agent_0.1.0_amd64.deb", "trempe-agent-0.1.0.x86_64.rpm"] {
            fs::write(desk.path(package), AGENT).unwrap();
        }
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn build(&self) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_builder"));
        command.args(["build", "web.yml", "--emulate", "--no-verify", "--format", "json"]);
        command.current_dir(self.home.path()).output().unwrap()
    }

    /// What the guest said.
    fn guest(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.path("images/web/logs/guest.log")).unwrap()).replace('\r', "")
    }

    /// What debugfs says to a request about the image's file system.
    fn ask(&self, request: &str) -> String {
        let raw = self.path("raw");
        if !raw.exists() {
            let image = self.path("images/web/web.qcow2");
            run(Command::new("qemu-img").args(["convert", "-O", "raw"]).args([&image, &raw]));
        }
        let place = format!("{}?offset={}", raw.display(), 1 << 20);
        run(Command::new("/sbin/debugfs").args(["-R", request, &place]))
    }
}

/// A program's output; the test fails when the program does.
fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?} (see .ci/setup): {error}"));
    let [out, err] = [&output.stdout, &output.stderr].map(|said| String::from_utf8_lossy(said).into_owned());
    assert!(output.status.success(), "{command:?} ended with {}:\n{out}{err}", output.status);
    out
}

/// Builds an image, and looks at what is on it and what was said while it was made.
fn installed(desk: &Desk) -> String {
    let output = desk.build();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{told}");
    let manifest: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(manifest["source"], "iso");
    let packages = manifest["image"]["packages"].as_array().unwrap();
    assert!(packages.iter().any(|package| package[0] == "trempe-agent"), "{packages:?}");
    let stages = manifest["stages"].as_array().unwrap().iter().map(|stage| stage["name"].as_str().unwrap());
    assert_eq!(stages.collect::<Vec<_>>(), ["checksum", "prepare", "install", "finish"]);
    let guest = desk.guest();
    for line in ["trempe: provisioned", "trempe: sealed"] {
        assert!(guest.lines().any(|said| said == line) && told.contains(line), "{line}: {guest}\n{told}");
    }
    assert_eq!(desk.ask("cat /usr/bin/agent"), AGENT);
    assert!(desk.ask("cat /etc/trempe/agent.yml").contains("tier: strict"));
    assert!(desk.ask("cat /etc/cloud/cloud.cfg.d/90-trempe-image.cfg").contains("datasource_list"));
    assert!(!desk.ask("cat /etc/passwd").contains("trempe-build"));
    assert!(!desk.ask("ls /home").contains("trempe-build"));
    assert!(!desk.ask("ls /root").contains("trempe"));
    assert!(desk.ask("stat /etc/machine-id").contains("Size: 0"));
    guest
}

#[test]
fn a_kickstart_on_a_disc_is_followed_and_the_log_of_its_post_script_arrives() {
    let guest = installed(&Desk::new("os: rhel9", &[]));
    for words in ["reading the kickstart from OEMDRV", "dracut: --force --regenerate-all --no-hostonly"] {
        assert!(guest.contains(words), "{words}: {guest}");
    }
}

#[test]
fn the_log_of_a_post_script_that_fails_arrives_and_the_build_ends() {
    let desk = Desk::new("os: rhel9", &["lab.dracut=fail"]);
    let output = desk.build();
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    for words in ["the installer failed", "dracut: no room left for an initramfs", "logs: "] {
        assert!(told.contains(words), "{words}: {told}");
    }
    let guest = desk.guest();
    assert!(guest.contains("dracut: no room left for an initramfs"), "{guest}");
    assert!(!desk.path("images/web/web.qcow2").exists());
    let left = fs::read_dir(desk.path("images/.builder")).unwrap().flatten();
    assert!(!left.into_iter().any(|entry| entry.file_name().to_string_lossy().starts_with("work~")));
}

#[test]
fn a_preseed_from_packers_web_server_is_followed_and_the_installers_log_arrives_matrix() {
    let guest = installed(&Desk::new("os: debian12", &[]));
    assert!(guest.contains("Menu item 'partman-base' selected"), "{guest}");
    assert!(guest.contains("authorized_keys"), "{guest}");
}
