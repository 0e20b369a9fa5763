//! Packer templates in HCL2: what Packer, QEMU and vSphere do with them. Looked at by line and block; nothing is evaluated.

use super::{Document, Hit, Kind, Line, Lint, Severity};

const HCL: &[Kind] = &[Kind::Hcl];

/// The lints.
pub const LINTS: &[Lint] = &[
    Lint {
        id: "packer-remote-folder",
        severity: Severity::Warning,
        kinds: HCL,
        why: "the script is uploaded to /tmp and executed there: where /tmp is noexec, as CIS wants it, it ends with exit code 126; when it is \
              the last one, the build user stays in the image",
        remedy: "set remote_folder to a directory that stays executable, or execute_command to \"… /bin/bash '{{ .Path }}'\"",
        find: |file| {
            let shell = blocks(file, "provisioner", Some("shell"));
            let moved = |block: &Block| {
                let interpreted = block
                    .value("execute_command")
                    .is_some_and(|text| text.contains("sh '{{") || text.contains("sh {{"));
                block.value("remote_folder").is_some_and(|text| !text.contains("\"/tmp")) || interpreted
            };
            shell.iter().filter(|block| !moved(block)).map(Block::hit).collect()
        },
    },
    Lint {
        id: "packer-qemuargs",
        severity: Severity::Error,
        kinds: HCL,
        why: "one -drive, -device or -netdev of yours replaces all that Packer gives: the disk, the disc or the network is gone",
        remedy: "leave the switch out (disk_interface, cd_files, net_device say the same), or state every one of them again",
        find: |file| file.containing(&["[\"-drive\"", "[\"-device\"", "[\"-netdev\""]).map(Hit::of).collect(),
    },
    Lint {
        id: "packer-cpu",
        severity: Severity::Warning,
        kinds: HCL,
        why: "QEMU's default processor is too old for Red Hat Enterprise Linux 9 and later: the kernel panics before it says a word",
        remedy: "add [\"-cpu\", \"host\"] to qemuargs (\"max\" without KVM)",
        find: |file| {
            let without = |block: &&Block| !block.contains("\"-cpu\"") && block.value("cpu_model").is_none();
            qemu(file).iter().filter(without).map(Block::hit).collect()
        },
    },
    Lint {
        id: "packer-virtio-scsi",
        severity: Severity::Note,
        kinds: HCL,
        why: "on Nutanix AHV the disk is virtio-scsi, /dev/sda: what was built on another controller may name /dev/vda or lack the driver",
        remedy: "set disk_interface = \"virtio-scsi\"",
        find: |file| {
            let other = |block: &&Block| {
                !block.value("disk_interface").is_some_and(|text| text.contains("virtio-scsi"))
            };
            qemu(file).iter().filter(other).map(Block::hit).collect()
        },
    },
    Lint {
        id: "packer-ssh-timeout",
        severity: Severity::Warning,
        kinds: HCL,
        why: "Packer waits 5 minutes for the installation by default, and then throws the machine away",
        remedy: "set ssh_timeout = \"60m\"",
        find: |file| {
            let short = |block: &&Block| {
                let installs = block.value("boot_command").is_some() && block.value("disk_image").is_none();
                installs && block.value("ssh_timeout").or(block.value("ssh_wait_timeout")).is_none()
            };
            sources(file).iter().filter(short).map(Block::hit).collect()
        },
    },
    Lint {
        id: "packer-password",
        severity: Severity::Error,
        kinds: HCL,
        why: "a password in the file ends up in the repository, in logs, and before 1.15.1 in Packer's machine-readable output",
        remedy: "declare a variable with sensitive = true, without a default, and give it as PKR_VAR_NAME in the environment; for ssh use a key",
        find: |file| {
            let names =
                ["ssh_password", "winrm_password", "password", "vcenter_password", "nutanix_password"];
            let literal = |line: &&Line| {
                let Some((name, value)) = line.text.split_once('=') else { return false };
                let value = value.trim();
                names.contains(&name.trim())
                    && value.starts_with('"')
                    && value != "\"\""
                    && !value.starts_with("\"${")
            };
            let hidden = |line: &Line| {
                let name = line.text.split('=').next().unwrap_or_default().trim();
                Hit::at(line.number, format!("{name} with its value in clear"))
            };
            file.lines.iter().filter(literal).map(hidden).collect()
        },
    },
    Lint {
        id: "packer-checksum",
        severity: Severity::Error,
        kinds: HCL,
        why: "whatever is at that address becomes the base of every machine",
        remedy: "set iso_checksum to sha256: and the digits that the vendor publishes",
        find: |file| {
            file.containing(&["iso_checksum"])
                .filter(|line| line.text.contains("\"none\""))
                .map(Hit::of)
                .collect()
        },
    },
    Lint {
        id: "packer-efi-firmware",
        severity: Severity::Warning,
        kinds: HCL,
        why: "the plugin's default, /usr/share/OVMF/OVMF_CODE.fd, is not there on Ubuntu 24.04 and Debian 13",
        remedy: "set efi_firmware_code and efi_firmware_vars, as /usr/share/OVMF/OVMF_CODE_4M.fd and OVMF_VARS_4M.fd",
        find: |file| {
            let default = |block: &&Block| {
                block.value("efi_boot").is_some_and(|text| text.contains("true"))
                    && block.value("efi_firmware_code").is_none()
            };
            qemu(file).iter().filter(default).map(Block::hit).collect()
        },
    },
    Lint {
        id: "packer-insecure",
        severity: Severity::Warning,
        kinds: HCL,
        why: "whoever is between you and the vCenter reads the password",
        remedy: "take the vCenter's CA into this machine's trust store and leave insecure_connection out",
        find: |file| {
            let told = |line: &&Line| {
                line.text.split_once('=').is_some_and(|(_, value)| value.trim().starts_with("true"))
            };
            file.containing(&["insecure_connection", "nutanix_insecure"]).filter(told).map(Hit::of).collect()
        },
    },
    Lint {
        id: "packer-zstd",
        severity: Severity::Warning,
        kinds: HCL,
        why: "only zlib is proven to be read by Nutanix's image service",
        remedy: "compress with zlib, which is the default",
        find: |file| file.containing(&["compression_type=zstd"]).map(Hit::of).collect(),
    },
    Lint {
        id: "packer-backing-format",
        severity: Severity::Error,
        kinds: HCL,
        why: "QEMU 6.1 and later refuse a backing file whose format is not named, and Packer's older plugin does not name it",
        remedy: "add qemu_img_args { create = [\"-F\", \"qcow2\"] }",
        find: |file| {
            let unnamed = |block: &&Block| {
                block.value("use_backing_file").is_some_and(|text| text.contains("true"))
                    && !block.contains("\"-F\"")
            };
            qemu(file).iter().filter(unnamed).map(Block::hit).collect()
        },
    },
    Lint {
        id: "packer-headless",
        severity: Severity::Note,
        kinds: HCL,
        why: "without a display (over ssh, in CI) QEMU does not start",
        remedy: "set headless = true",
        find: |file| {
            qemu(file).iter().filter(|block| block.value("headless").is_none()).map(Block::hit).collect()
        },
    },
    Lint {
        id: "packer-vsphere-source",
        severity: Severity::Warning,
        kinds: HCL,
        why: "the plugin moved: from 2.0.0 on it is published by VMware alone",
        remedy: "write source = \"github.com/vmware/vsphere\"",
        find: |file| file.containing(&["github.com/hashicorp/vsphere"]).map(Hit::of).collect(),
    },
];

/// A block: its header's line, and the lines up to its closing brace.
struct Block<'a> {
    lines: Vec<&'a Line<'a>>,
}

impl<'a> Block<'a> {
    fn hit(&self) -> Hit {
        self.lines.first().map_or_else(|| Hit::whole("a block"), |line| Hit::of(line))
    }

    fn contains(&self, needle: &str) -> bool {
        self.lines.iter().any(|line| line.text.contains(needle))
    }

    /// What follows `name =` in it.
    fn value(&self, name: &str) -> Option<&'a str> {
        let named = |line: &&'a Line<'a>| line.text.split_once('=').filter(|(left, _)| left.trim() == name);
        self.lines.iter().find_map(named).map(|(_, right)| right.trim())
    }
}

/// The blocks of a type, with a first label where one is asked for.
fn blocks<'a>(file: &'a Document<'a>, kind: &str, label: Option<&str>) -> Vec<Block<'a>> {
    let mut found = Vec::new();
    let mut lines = file.lines.iter();
    while let Some(line) = lines.next() {
        let mut words = line.words();
        let opens = words.next() == Some(kind) && line.text.trim_end().ends_with('{');
        if !opens || label.is_some_and(|label| words.next().map(|word| word.trim_matches('"')) != Some(label))
        {
            continue;
        }
        let indent = line.text.len() - line.text.trim_start().len();
        let mut block = vec![line];
        for next in lines.by_ref() {
            let own = next.text.len() - next.text.trim_start().len();
            if own <= indent && next.text.trim_start().starts_with('}') {
                break;
            }
            block.push(next);
        }
        found.push(Block { lines: block });
    }
    found
}

fn sources<'a>(file: &'a Document<'a>) -> Vec<Block<'a>> {
    blocks(file, "source", None)
}

fn qemu<'a>(file: &'a Document<'a>) -> Vec<Block<'a>> {
    blocks(file, "source", Some("qemu"))
}
