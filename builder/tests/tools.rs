//! What the tools say for which the files are made. Needs packer, ksvalidator, debconf, sfdisk and bash: `.ci/setup` installs them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on ends")]

use std::path::{Path, PathBuf};
use std::process::Command;

use builder::render::{Choices, File, Version, render};
use builder::spec::os::KNOWN;
use builder::spec::{Family, Platform, Spec};

const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFr8ZcQg3Vt0nGhQq2vV8mXp0m3c2Yx9d0kY0n5o8m1v trempe-build";

/// A tool's output; the test fails when it is missing or objects.
fn run(command: &mut Command) -> String {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().unwrap_or_else(|error| panic!("{name} is needed, see .ci/setup: {error}"));
    let said =
        [&output.stdout, &output.stderr].map(|said| String::from_utf8_lossy(said).into_owned()).join("\n");
    assert!(output.status.success(), "{command:?} ended with {}:\n{said}", output.status);
    said
}

/// Every operating system with every source and firmware that goes with it.
fn matrix() -> Vec<Spec> {
    let digest = format!("sha256:{}", "1".repeat(64));
    let mut specs = Vec::new();
    for os in KNOWN
        .into_iter()
        .filter(|os| !["rocky", "oracle", "centos"].iter().any(|same| os.id.starts_with(same)))
    {
        for source in [
            "bootstrap: {}".to_owned(),
            format!("iso: {{url: /a.iso, checksum: '{digest}'}}"),
            format!("image: {{url: /a.qcow2, checksum: '{digest}'}}"),
        ] {
            for firmware in ["bios", "uefi", "uefi-secure", "both"] {
                for scheme in ["partitions", "lvm"] {
                    let text = format!(
                        "name: a\nos: {os}\nfirmware: {firmware}\nsource: {{{source}}}\nstorage: {{scheme: {scheme}, swap: 1 GiB}}\n"
                    );
                    specs.extend(Spec::parse(&text, "spec"));
                    specs.extend(Spec::parse(&format!("{text}targets: [vsphere]\n"), "spec"));
                }
            }
        }
    }
    specs
}

fn rendered(spec: &Spec, packer: Version) -> Vec<(Platform, Vec<File>)> {
    let choices = Choices { packer, public_key: KEY.to_owned() };
    spec.platforms()
        .into_iter()
        .map(|platform| (platform, render(spec, platform, &choices).unwrap()))
        .collect()
}

/// Writes files as `builder render --out` does, and what Packer wants to see beside them.
fn write(directory: &Path, files: &[File]) {
    for file in files {
        let path = directory.join(file.path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, &file.text).unwrap();
    }
    for package in ["trempe-agent.deb", "trempe-agent.rpm"] {
        std::fs::write(directory.join(package), "").unwrap();
    }
}

#[test]
fn packer_takes_every_template() {
    let said = run(Command::new("packer").arg("version").env("CHECKPOINT_DISABLE", "1"));
    let version = Version::told(&said).unwrap();
    let scratch = tempfile::tempdir().unwrap();
    run(Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(scratch.path().join("key")));
    let (mut seen, mut into_library): (Vec<String>, bool) = (Vec::new(), false);
    for spec in matrix() {
        for (platform, files) in rendered(&spec, version) {
            // Templates of different rebuilds are the same; each is shown to Packer once.
            let template = files[0].text.clone();
            if seen.contains(&template) {
                continue;
            }
            let directory = scratch.path().join(seen.len().to_string());
            write(&directory, &files);
            let mut packer = Command::new("packer");
            packer.current_dir(&directory).env("CHECKPOINT_DISABLE", "1");
            packer.args(["validate", "-var", "private_key=../key"]);
            if platform == Platform::Vsphere {
                // A template or an item of a library: each is tried with half of them.
                into_library = !into_library;
                for value in [
                    "vcenter_server=v",
                    "vcenter_user=u",
                    "vcenter_password=p",
                    "cluster=c",
                    "datastore=d",
                    "network=n",
                    if into_library { "content_library=l" } else { "content_library=" },
                ] {
                    packer.args(["-var", value]);
                }
            }
            run(packer.arg("."));
            seen.push(template);
        }
    }
    assert!(seen.len() >= 20, "{}", seen.len());
}

#[test]
fn ksvalidator_takes_every_kickstart() {
    let scratch = tempfile::tempdir().unwrap();
    let mut seen: Vec<String> = Vec::new();
    for spec in matrix().into_iter().filter(|spec| spec.os.value.family == Family::Rhel) {
        for (_, files) in rendered(&spec, "1.6.6".parse().unwrap()) {
            // What begins with somebody's disk image has none.
            let kickstart = files.iter().find(|file| file.path == "installer/ks.cfg");
            let Some(kickstart) = kickstart else { continue };
            if seen.contains(&kickstart.text) {
                continue;
            }
            let path: PathBuf = scratch.path().join("ks.cfg");
            std::fs::write(&path, &kickstart.text).unwrap();
            let version = format!("RHEL{}", spec.os.value.release);
            run(Command::new("ksvalidator").args(["-v", &version]).arg(&path));
            seen.push(kickstart.text.clone());
        }
    }
    assert!(seen.len() >= 3 * 4 * 2, "{}", seen.len());
}

#[test]
fn debconf_takes_every_preseed() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("preseed.cfg");
    let mut seen: Vec<String> = Vec::new();
    for spec in matrix().into_iter().filter(|spec| spec.os.value.family == Family::Debian) {
        for (_, files) in rendered(&spec, "1.6.6".parse().unwrap()) {
            let preseed = files.iter().find(|file| file.path == "installer/preseed.cfg");
            let Some(preseed) = preseed.filter(|preseed| !seen.contains(&preseed.text)) else { continue };
            std::fs::write(&path, &preseed.text).unwrap();
            // Of a type that it does not know it only warns.
            let said = run(Command::new("debconf-set-selections").arg("--checkonly").arg(&path));
            assert!(said.trim().is_empty(), "{said}");
            seen.push(preseed.text.clone());
        }
    }
    assert!(seen.len() >= 2 * 3 * 2, "{}", seen.len());
}

#[test]
fn bash_and_sfdisk_take_what_is_made_for_them() {
    let scratch = tempfile::tempdir().unwrap();
    let mut seen: Vec<String> = Vec::new();
    for spec in matrix() {
        for file in rendered(&spec, "1.6.6".parse().unwrap()).into_iter().flat_map(|(_, files)| files) {
            if seen.contains(&file.text) || !(file.executable || file.path.ends_with(".sfdisk")) {
                continue;
            }
            let path = scratch.path().join("file");
            std::fs::write(&path, &file.text).unwrap();
            if file.executable {
                run(Command::new("bash").arg("-n").arg(&path));
            } else {
                let disk = scratch.path().join("disk");
                std::fs::File::create(&disk).unwrap().set_len(20 << 30).unwrap();
                run(Command::new("sfdisk").arg(&disk).stdin(std::fs::File::open(&path).unwrap()));
                let said = run(Command::new("sfdisk").args(["--verify"]).arg(&disk));
                assert!(said.contains("No errors detected"), "{said}");
            }
            seen.push(file.text);
        }
    }
}
