use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::*;
use crate::spec::os::KNOWN;

/// A specification of the tests, and its name.
fn specs() -> Vec<(String, Spec)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/specs");
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let read = |path: PathBuf| {
        (path.file_stem().unwrap().to_string_lossy().into_owned(), Spec::read(&path).unwrap())
    };
    paths.into_iter().map(read).collect()
}

fn choices(packer: &str) -> Choices {
    Choices { packer: packer.parse().unwrap(), public_key: KEY_TO_COME.to_owned() }
}

/// `SNAPSHOTS=overwrite` rewrites what is expected.
#[test]
fn files_are_what_they_were() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut expected = BTreeSet::new();
    let mut compare = |path: PathBuf, text: String| {
        snapbox::Assert::new().action_env(snapbox::assert::DEFAULT_ACTION_ENV).eq(
            snapbox::Data::text(text).raw(),
            snapbox::Data::read_from(&path, Some(snapbox::data::DataFormat::Text)).raw(),
        );
        expected.insert(path);
    };
    for (name, spec) in specs() {
        for platform in spec.platforms() {
            let directory = golden.join(&name).join(platform.word());
            for file in render(&spec, platform, &choices("1.6.6")).unwrap() {
                compare(directory.join(file.path), file.text);
            }
            // Newer Packers get another template and the same of everything else.
            let newer = render(&spec, platform, &choices("1.15.0")).unwrap();
            let template = newer.into_iter().find(|file| file.path == "image.pkr.hcl").unwrap();
            compare(directory.join("image-1.15.pkr.hcl"), template.text);
        }
    }
    let mut stale = BTreeSet::new();
    let mut open = vec![golden];
    while let Some(directory) = open.pop() {
        for path in std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()) {
            match path.is_dir() {
                true => open.push(path),
                false if !expected.contains(&path) => drop(stale.insert(path)),
                false => {}
            }
        }
    }
    assert_eq!(stale, BTreeSet::new(), "no specification makes these any more");
}

/// Every operating system with every source and firmware that goes with it.
fn matrix() -> Vec<Spec> {
    let zeros = "1".repeat(64);
    let mut specs = Vec::new();
    for os in KNOWN {
        for source in [
            "bootstrap: {}",
            "iso: {url: /a.iso, checksum: 'sha256:0'}",
            "image: {url: /a.qcow2, checksum: 'sha256:0'}",
        ] {
            for firmware in ["bios", "uefi", "uefi-secure", "both"] {
                for scheme in ["partitions", "lvm"] {
                    let source = source.replace("sha256:0", &format!("sha256:{zeros}"));
                    let text = format!(
                        "name: a\nos: {os}\nfirmware: {firmware}\nsource: {{{source}}}\nstorage: {{scheme: {scheme}}}\ntargets: [qcow2]\n"
                    );
                    specs.extend(Spec::parse(&text, "spec"));
                    specs.extend(Spec::parse(&text.replace("qcow2]", "vsphere]"), "spec"));
                }
            }
        }
    }
    specs
}

#[test]
fn every_specification_that_is_possible_can_be_rendered() {
    let specs = matrix();
    assert!(specs.len() > 200, "{}", specs.len());
    for spec in specs {
        for packer in ["1.6.6", "1.16.0"] {
            for platform in spec.platforms() {
                let files = render(&spec, platform, &choices(packer)).unwrap();
                for file in files {
                    let odd = file.text.lines().find(|line| line.contains("{%") || line.ends_with(' '));
                    assert_eq!(odd, None, "{} of {:?}", file.path, spec);
                    assert!(
                        file.text.ends_with('\n') && !file.text.contains("\n\n\n"),
                        "{}:\n{}",
                        file.path,
                        file.text
                    );
                }
            }
        }
    }
}

/// Debian's disc starts with ISOLINUX on BIOS and with GRUB on UEFI: the keys of one mean nothing to the other.
#[test]
fn what_is_typed_is_meant_for_the_menu_of_the_firmware_that_the_machine_has() {
    let of =
        |spec: &Spec| spec.os.value.family == Family::Debian && matches!(spec.source.value, Source::Iso(_));
    let mut seen = BTreeSet::new();
    for spec in matrix().into_iter().filter(of) {
        for platform in spec.platforms() {
            for packer in ["1.6.6", "1.16.0"] {
                let template = render(&spec, platform, &choices(packer)).unwrap().swap_remove(0).text;
                let bios = spec.firmware.value == Firmware::Bios;
                assert_eq!(template.contains("\"<esc><wait>\""), bios, "{platform:?} {template}");
                assert_eq!(template.contains("\"c<wait>\""), !bios, "{platform:?} {template}");
                if platform == Platform::Vsphere {
                    assert_eq!(template.contains("= \"bios\""), bios, "{template}");
                }
                seen.insert((platform.word(), bios));
            }
        }
    }
    assert_eq!(seen.len(), 4);
}

fn with(os: &str, more: &str) -> Spec {
    let digest = "1".repeat(64);
    let text = format!(
        "name: a\nos: {os}\nfirmware: uefi\nsource: {{iso: {{url: /a.iso, checksum: 'sha256:{digest}'}}}}\n{more}\n"
    );
    Spec::parse(&text, "spec").unwrap()
}

fn installer(spec: &Spec) -> String {
    let files = render(spec, Platform::Qemu, &choices("1.6.6")).unwrap();
    files.into_iter().find(|file| file.path.starts_with("installer/")).unwrap().text
}

/// XFS has labels of 12 characters, and `mkfs.xfs` refuses longer ones.
#[test]
fn labels_are_no_longer_than_their_file_system_can_have() {
    for os in ["debian12", "rhel9"] {
        for (filesystem, there) in [("ext4", true), ("xfs", false)] {
            let text = installer(&with(os, &format!("storage: {{filesystem: {filesystem}}}")));
            let label = |name: &str| {
                text.contains(&format!("label{{ {name} }}")) || text.contains(&format!("--label={name}\n"))
            };
            assert!(label("var_log") && text.contains("/var/log/audit "), "{text}");
            assert_eq!(label("var_log_audit"), there, "{os} {filesystem}: {text}");
        }
    }
}

/// Ubuntu's installer adds a file to swap to unless it is told not to.
#[test]
fn no_swap_is_none_at_all() {
    for scheme in ["partitions", "lvm"] {
        for (swap, told) in [("0", true), ("1 GiB", false)] {
            let text =
                installer(&with("ubuntu2404", &format!("storage: {{scheme: {scheme}, swap: {swap}}}")));
            let config: serde_json::Value = serde_saphyr::from_str(&text).unwrap();
            let storage = &config["autoinstall"]["storage"];
            assert_eq!(storage["swap"]["size"].as_u64(), told.then_some(0), "{text}");
            let swaps = storage["config"].as_array().unwrap().iter().filter(|it| it["fstype"] == "swap");
            assert_eq!(swaps.count(), usize::from(!told), "{text}");
        }
    }
}

/// What the schema of autoinstall's storage cannot say: each thing has an id of its own, and what it names comes before it.
#[test]
fn what_autoinstall_names_is_there() {
    let mounts = ["boot", "disk", "efi", "bios", "swap", "group", "volumes"];
    let mounts = mounts.map(|name| format!("{{at: /{name}, size: 1 GiB}}, ")).concat();
    for scheme in ["partitions", "lvm"] {
        let storage =
            format!("storage: {{scheme: {scheme}, swap: 1 GiB, mounts: [{mounts}{{at: /, size: 6 GiB}}]}}");
        let text = installer(&with("ubuntu2204", &storage));
        let config: serde_json::Value = serde_saphyr::from_str(&text).unwrap();
        let mut ids = BTreeSet::new();
        for thing in config["autoinstall"]["storage"]["config"].as_array().unwrap() {
            let named = ["device", "volume", "volgroup"].into_iter().filter_map(|key| thing[key].as_str());
            let devices = thing["devices"].as_array().into_iter().flatten().filter_map(|it| it.as_str());
            for name in named.chain(devices) {
                assert!(ids.contains(name), "{name}: {text}");
            }
            assert!(ids.insert(thing["id"].as_str().unwrap()), "{thing}: {text}");
        }
        assert!(ids.len() > 20, "{text}");
    }
}

/// What is looked for before a build is what the template asks for.
#[test]
fn the_plugin_is_asked_for_as_it_is_looked_for() {
    let (source, oldest) = packer::QEMU;
    let spec = Spec::parse("name: a\nos: debian12\n", "spec").unwrap();
    let template = render(&spec, Platform::Qemu, &choices("1.10.0")).unwrap().swap_remove(0).text;
    let asked = format!("source  = \"{source}\"\n      version = \">= {oldest}\"\n");
    assert!(template.contains(&asked), "{template}");
}

#[test]
fn what_must_never_be_in_them_is_not() {
    let all = matrix().into_iter().chain(specs().into_iter().map(|(_, spec)| spec));
    for spec in all {
        for platform in spec.platforms() {
            for file in render(&spec, platform, &choices("1.6.6")).unwrap() {
                let code = file.text.lines().filter(|line| !line.trim_start().starts_with('#'));
                for line in code {
                    for never in ["%addon", "grub2-install", "grub2-mkconfig", "noexec", " /tmp/", "\"/tmp"] {
                        // The installer's own logs are in its own /tmp.
                        let log = file.path == "installer/ks.cfg"
                            && line.contains("/tmp/")
                            && never.contains("/tmp");
                        assert!(!line.contains(never) || log, "{}: {line}", file.path);
                    }
                }
            }
        }
    }
}

#[test]
fn our_own_lints_have_nothing_against_them() {
    for (name, spec) in specs() {
        for platform in spec.platforms() {
            for file in render(&spec, platform, &choices("1.6.6")).unwrap() {
                // A program of its own for sfdisk, and data for the agent and cloud-init's metadata.
                let Ok(document) = crate::lint::Document::new(file.path, &file.text) else { continue };
                if document.kind == crate::lint::Kind::Spec {
                    continue;
                }
                let separate = spec.storage.separates("/home");
                let found = crate::lint::findings(file.path, &document);
                let found: Vec<_> = found
                    .iter()
                    .filter(|finding| finding.lint != "ks-separate-partitions" || separate)
                    .filter(|finding| finding.lint != "packer-virtio-scsi")
                    // It works on a tree that was never started: there is nothing of cloud-init's to clean.
                    .filter(|finding| finding.lint != "not-sealed" || file.path != "bootstrap/tree.sh")
                    .collect();
                assert!(found.is_empty(), "{name} {}: {found:#?}", file.path);
            }
        }
    }
}
