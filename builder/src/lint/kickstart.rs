//! Kickstarts: what Anaconda does with them, and what the machine is then.

use super::{Document, Hit, Kind, Line, Lint, Severity};
use crate::spec::storage::SEPARATE;

const KICKSTART: &[Kind] = &[Kind::Kickstart];

/// The lints.
pub const LINTS: &[Lint] = &[
    Lint {
        id: "ks-oscap-addon",
        severity: Severity::Error,
        kinds: KICKSTART,
        why: "the addon stops the unattended installation when the profile's demands on partitions, packages or passwords are not met, and \
              bakes one hardening into every machine: /tmp without exec then breaks Packer's own scripts",
        remedy: "take %addon out; partition here and let the agent harden at the first boot",
        find: |file| {
            let addon = |line: &&Line| line.command() == "%addon" && (line.text.contains("oscap"));
            file.lines.iter().filter(addon).map(Hit::of).collect()
        },
    },
    Lint {
        id: "ks-post-log",
        severity: Severity::Warning,
        kinds: KICKSTART,
        why: "nobody sees what %post said when it goes wrong",
        remedy: "write %post --log=/root/post.log --erroronfail, and set -x inside",
        find: |file| {
            post(file)
                .filter(|line| line.option("--log").or(line.option("--logfile")).is_none())
                .map(Hit::of)
                .collect()
        },
    },
    Lint {
        id: "ks-post-erroronfail",
        severity: Severity::Warning,
        kinds: KICKSTART,
        why: "a %post that fails is passed over: the image is finished without what it should have done",
        remedy: "add --erroronfail to %post, and set -e inside",
        find: |file| post(file).filter(|line| !line.text.contains("--erroronfail")).map(Hit::of).collect(),
    },
    Lint {
        id: "ks-log-stays",
        severity: Severity::Warning,
        kinds: KICKSTART,
        why: "the log of %post is in the guest, which is gone when the build fails",
        remedy: "give the building machine a second serial port (-serial file:guest.log) and begin %post with: exec > >(tee /dev/ttyS1) 2>&1",
        find: |file| {
            let out = ["/dev/ttyS", "/dev/virtio-ports", "/dev/hvc", "logging --host", "/dev/console"];
            let silent = post(file).next().is_some() && !file.contains(&out);
            silent.then(|| Hit::whole("nothing that %post says leaves the guest")).into_iter().collect()
        },
    },
    Lint {
        id: "ks-noexec-tmp",
        severity: Severity::Error,
        kinds: KICKSTART,
        why: "Packer uploads its scripts to /tmp and executes them there: with noexec they end with exit code 126",
        remedy: "leave the option out, the agent sets it at the first boot; or set remote_folder in every shell provisioner",
        find: |file| {
            let tmp = |line: &&Line| {
                let words: Vec<&str> = line.words().collect();
                matches!(line.command(), "part" | "partition" | "logvol") && words.get(1) == Some(&"/tmp")
            };
            let noexec =
                |line: &&Line| line.option("--fsoptions").is_some_and(|options| options.contains("noexec"));
            file.lines.iter().filter(tmp).filter(noexec).map(Hit::of).collect()
        },
    },
    Lint {
        id: "ks-separate-partitions",
        severity: Severity::Warning,
        kinds: KICKSTART,
        why: "CIS wants these on file systems of their own (/tmp at Level 1, the others at Level 2), and no agent can repartition a machine later",
        remedy: "add a part or logvol for each",
        find: |file| {
            let made: Vec<&str> = volumes(file).filter_map(|line| line.words().nth(1)).collect();
            let missing: Vec<&str> = SEPARATE.into_iter().filter(|mount| !made.contains(mount)).collect();
            let none = made.is_empty() || missing.is_empty();
            if none {
                Vec::new()
            } else {
                vec![Hit::whole(format!("no file system for {}", missing.join(", ")))]
            }
        },
    },
    Lint {
        id: "ks-password",
        severity: Severity::Error,
        kinds: KICKSTART,
        why: "a password in the file is in every copy of it, in Packer's HTTP server and in /root/anaconda-ks.cfg of every machine",
        remedy: "write rootpw --lock, and give the user a key with sshkey",
        find: |file| {
            let told = |line: &&Line| {
                let root = line.command() == "rootpw"
                    && !line.text.contains("--lock")
                    && !line.text.contains("--iscrypted");
                let user = line.command() == "user"
                    && line.option("--password").is_some()
                    && !line.text.contains("--iscrypted");
                root || user
            };
            let hidden =
                |line: &Line| Hit::at(line.number, format!("{} with a password in clear", line.command()));
            file.lines.iter().filter(|line| line.section.is_empty()).filter(told).map(hidden).collect()
        },
    },
    Lint {
        id: "ks-removed-command",
        severity: Severity::Warning,
        kinds: KICKSTART,
        why: "newer Anacondas warn of it or refuse it",
        remedy: "install: leave it out; auth, authconfig: authselect; timezone --isUtc: --utc; --ntpservers: timesource (9 and later); autostep: leave it out",
        find: |file| {
            let gone = |line: &&Line| match line.command() {
                "install" | "auth" | "authconfig" | "autostep" => true,
                "timezone" => line.text.contains("--isUtc") || line.text.contains("--ntpservers"),
                _ => false,
            };
            file.lines.iter().filter(|line| line.section.is_empty()).filter(gone).map(Hit::of).collect()
        },
    },
    Lint {
        id: "ks-host-only-initramfs",
        severity: Severity::Warning,
        kinds: KICKSTART,
        why: "dracut makes the initramfs for the machine it runs on: on another hypervisor it does not find its disk",
        remedy: "in %post, write hostonly=\"no\" and add_drivers+=\" virtio_scsi virtio_blk virtio_net sd_mod vmw_pvscsi \" to /etc/dracut.conf.d/ and run \
                 dracut --force --regenerate-all",
        find: |file| {
            let general = [
                "hostonly=\"no\"",
                "hostonly=no",
                "--no-hostonly",
                "dracut-config-generic",
                "add_drivers",
                "add-drivers",
                "--add-drivers",
            ];
            let image = file.contains(&["cloud-init"]) && !file.contains(&general);
            image.then(|| Hit::whole("the initramfs is left as the installer makes it")).into_iter().collect()
        },
    },
    Lint {
        id: "ks-efi-modules",
        severity: Severity::Warning,
        kinds: KICKSTART,
        why: "this package is what makes grub2-install work on EFI, and that puts an unsigned file in the place of the signed one",
        remedy: "leave grub2-efi-x64-modules out",
        find: |file| {
            file.containing(&["grub2-efi-x64-modules"])
                .filter(|line| line.section == "%packages")
                .map(Hit::of)
                .collect()
        },
    },
    Lint {
        id: "ks-volume-group",
        severity: Severity::Error,
        kinds: KICKSTART,
        why: "the installation stops: the volume group is made nowhere (ksvalidator does not see that)",
        remedy: "write volgroup NAME pv.01, and part pv.01 before it",
        find: |file| {
            let named =
                |command: &'static str| file.lines.iter().filter(move |line| line.command() == command);
            let groups: Vec<&str> = named("volgroup").filter_map(|line| line.words().nth(1)).collect();
            let unknown =
                |line: &&Line| line.option("--vgname").is_some_and(|group| !groups.contains(&group));
            named("logvol").filter(unknown).map(Hit::of).collect()
        },
    },
    Lint {
        id: "ks-missing-end",
        severity: Severity::Error,
        kinds: KICKSTART,
        why: "Anaconda stops at a section that does not end",
        remedy: "close every section with %end",
        find: unclosed,
    },
    Lint {
        id: "ks-no-root",
        severity: Severity::Error,
        kinds: KICKSTART,
        why: "the installation stops and asks: there is no file system for /",
        remedy: "add part / or logvol /, or autopart",
        find: |file| {
            let laid_out =
                volumes(file).next().is_some() && !file.lines.iter().any(|line| line.command() == "autopart");
            let root = volumes(file).any(|line| line.words().nth(1) == Some("/"));
            (laid_out && !root).then(|| Hit::whole("no file system for /")).into_iter().collect()
        },
    },
    Lint {
        id: "ks-no-cloud-init",
        severity: Severity::Note,
        kinds: KICKSTART,
        why: "a machine made from the image takes neither a name, an address nor a key from its hypervisor",
        remedy: "add cloud-init and cloud-utils-growpart to %packages",
        find: |file| {
            let packages = file.lines.iter().any(|line| line.section == "%packages");
            (packages && !file.contains(&["cloud-init"]))
                .then(|| Hit::whole("cloud-init is not installed"))
                .into_iter()
                .collect()
        },
    },
];

/// The headers of `%post` sections.
fn post<'s>(file: &'s Document<'s>) -> impl Iterator<Item = &'s Line<'s>> {
    file.lines.iter().filter(|line| line.command() == "%post")
}

/// The commands that make file systems.
fn volumes<'s>(file: &'s Document<'s>) -> impl Iterator<Item = &'s Line<'s>> {
    file.lines.iter().filter(|line| matches!(line.command(), "part" | "partition" | "logvol"))
}

fn unclosed(file: &Document) -> Vec<Hit> {
    let mut open: Option<&Line> = None;
    let mut found = Vec::new();
    for line in file.lines.iter().filter(|line| line.text.starts_with('%')) {
        match line.command() {
            "%include" | "%ksappend" => {}
            "%end" => open = None,
            _ => found.extend(open.replace(line).map(Hit::of)),
        }
    }
    found.extend(open.map(Hit::of));
    found
}
