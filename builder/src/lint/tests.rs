use std::collections::BTreeSet;

use super::*;

/// The lints that object to a file, with the lines.
fn found(file: &str, text: &str) -> Vec<(&'static str, u64)> {
    let document = Document::new(file, text).unwrap();
    findings(file, &document).into_iter().map(|finding| (finding.lint, finding.line)).collect()
}

/// A kickstart that no lint objects to.
const KICKSTART: &str = "\
rootpw --lock
part biosboot --fstype=biosboot --size=1
part /boot --size=1024
part pv.01 --size=1 --grow
volgroup vg pv.01
logvol / --vgname=vg --name=root --size=5000
logvol /tmp --vgname=vg --name=tmp --size=1024
logvol /home --vgname=vg --name=home --size=1024
logvol /var --vgname=vg --name=var --size=1024
logvol /var/tmp --vgname=vg --name=var_tmp --size=1024
logvol /var/log --vgname=vg --name=var_log --size=1024
logvol /var/log/audit --vgname=vg --name=audit --size=1024
%packages
cloud-init
%end
%post --log=/root/post.log --erroronfail
exec > >(tee /dev/ttyS1) 2>&1
dracut --force --no-hostonly
%end
";

/// A template that no lint objects to.
const TEMPLATE: &str = "\
source \"qemu\" \"image\" {
  headless       = true
  iso_checksum   = \"sha256:00\"
  disk_interface = \"virtio-scsi\"
  boot_command   = [\"<enter>\"]
  ssh_timeout    = \"60m\"
  qemuargs = [
    [\"-cpu\", \"host\"],
  ]
}
build {
  provisioner \"shell\" {
    inline        = [\"true\"]
    remote_folder = \"/root\"
  }
}
";

const CLOUD: &str = "#cloud-config\ndatasource_list: [ ConfigDrive, None ]\n";
const PRESEED: &str = "d-i passwd/root-login boolean false\n";
const SCRIPT: &str = "#!/bin/sh\ncloud-init clean\n: > /etc/machine-id\nrm -f /etc/ssh/ssh_host_*\n";
const SPEC: &str = "name: a\nos: debian12\npackages:\n  troubleshooting: false\n";
const ISO: &str = "name: a\nos: rocky9\nsource:\n  iso:\n    url: /srv/a.iso\n    checksum: sha256:1111111111111111111111111111111111111111111111111111111111111111\n";

#[test]
fn good_files_are_left_in_peace() {
    let files = [
        ("ks.cfg", KICKSTART),
        ("image.pkr.hcl", TEMPLATE),
        ("user-data", CLOUD),
        ("preseed.cfg", PRESEED),
        ("seal.sh", SCRIPT),
        ("image.yml", SPEC),
        ("image.yml", ISO),
    ];
    for (file, text) in files {
        assert_eq!(found(file, text), [], "{file}");
    }
}

/// A file with something in it, the lint that objects, and the line it names.
type Spoilt = (&'static str, String, &'static str, u64);

fn swap(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from}");
    text.replace(from, to)
}

fn spoilt() -> Vec<Spoilt> {
    [spoilt_kickstarts(), spoilt_templates(), spoilt_configurations(), spoilt_specifications()].concat()
}

fn spoilt_kickstarts() -> Vec<Spoilt> {
    let ks = |from: &str, to: &str| swap(KICKSTART, from, to);
    vec![
        ("ks.cfg", ks("%packages", "%addon com_redhat_oscap\n%end\n%packages"), "ks-oscap-addon", 13),
        ("ks.cfg", ks("--log=/root/post.log ", ""), "ks-post-log", 16),
        ("ks.cfg", ks(" --erroronfail", ""), "ks-post-erroronfail", 16),
        ("ks.cfg", ks("exec > >(tee /dev/ttyS1) 2>&1\n", ""), "ks-log-stays", 0),
        ("ks.cfg", ks("--name=tmp", "--name=tmp --fsoptions=\"nodev,noexec\""), "ks-noexec-tmp", 7),
        ("ks.cfg", ks("logvol /home --vgname=vg --name=home --size=1024\n", ""), "ks-separate-partitions", 0),
        ("ks.cfg", ks("rootpw --lock", "rootpw secret"), "ks-password", 1),
        ("ks.cfg", ks("rootpw --lock", "user --name=x --password=secret"), "ks-password", 1),
        ("ks.cfg", ks("rootpw --lock", "timezone Etc/UTC --isUtc"), "ks-removed-command", 1),
        ("ks.cfg", ks("dracut --force --no-hostonly\n", ""), "ks-host-only-initramfs", 0),
        ("ks.cfg", ks("cloud-init", "cloud-init\ngrub2-efi-x64-modules"), "ks-efi-modules", 15),
        ("ks.cfg", ks("volgroup vg", "volgroup other"), "ks-volume-group", 6),
        ("ks.cfg", ks("%end\n%post", "%post"), "ks-missing-end", 13),
        ("ks.cfg", ks("logvol / ", "logvol /srv "), "ks-no-root", 0),
        ("ks.cfg", ks("cloud-init\n", "sudo\n"), "ks-no-cloud-init", 0),
        ("ks.cfg", ks("dracut", "grub2-install /dev/sda\ndracut"), "grub2-install-efi", 18),
        (
            "ks.cfg",
            ks("dracut", "grub2-mkconfig -o /boot/efi/EFI/redhat/grub.cfg\ndracut"),
            "grub2-mkconfig-efi",
            18,
        ),
        (
            "ks.cfg",
            ks("rootpw --lock", "bootloader --append=\"console=tty0 console=ttyS0\""),
            "serial-console-last",
            1,
        ),
    ]
}

fn spoilt_templates() -> Vec<Spoilt> {
    let hcl = |from: &str, to: &str| swap(TEMPLATE, from, to);
    vec![
        ("a.pkr.hcl", hcl("    remote_folder = \"/root\"\n", ""), "packer-remote-folder", 12),
        (
            "a.pkr.hcl",
            hcl("remote_folder = \"/root\"", "remote_folder = \"/tmp\""),
            "packer-remote-folder",
            12,
        ),
        ("a.pkr.hcl", hcl("[\"-cpu\"", "[\"-drive\", \"file=x\"],\n    [\"-cpu\""), "packer-qemuargs", 8),
        ("a.pkr.hcl", hcl("    [\"-cpu\", \"host\"],\n", ""), "packer-cpu", 1),
        ("a.pkr.hcl", hcl("virtio-scsi", "ide"), "packer-virtio-scsi", 1),
        ("a.pkr.hcl", hcl("  ssh_timeout    = \"60m\"\n", ""), "packer-ssh-timeout", 1),
        (
            "a.pkr.hcl",
            hcl("headless       = true", "headless = true\n  ssh_password = \"secret\""),
            "packer-password",
            3,
        ),
        ("a.pkr.hcl", hcl("sha256:00", "none"), "packer-checksum", 3),
        (
            "a.pkr.hcl",
            hcl("headless       = true", "headless = true\n  efi_boot = true"),
            "packer-efi-firmware",
            1,
        ),
        (
            "a.pkr.hcl",
            hcl("headless       = true", "headless = true\n  insecure_connection = true"),
            "packer-insecure",
            3,
        ),
        (
            "a.pkr.hcl",
            hcl("[\"-cpu\"", "# x\n    [\"-x\", \"compression_type=zstd\"],\n    [\"-cpu\""),
            "packer-zstd",
            9,
        ),
        (
            "a.pkr.hcl",
            hcl("headless       = true", "headless = true\n  use_backing_file = true"),
            "packer-backing-format",
            1,
        ),
        ("a.pkr.hcl", hcl("  headless       = true\n", ""), "packer-headless", 1),
        (
            "a.pkr.hcl",
            format!("{TEMPLATE}source = \"github.com/hashicorp/vsphere\"\n"),
            "packer-vsphere-source",
            17,
        ),
    ]
}

fn spoilt_configurations() -> Vec<Spoilt> {
    let cloud = |more: &str| format!("{CLOUD}{more}");
    vec![
        ("user-data", "#cloud-config\ndatasource_list:\n  - None\n".to_owned(), "cloud-datasource-list", 2),
        ("user-data", cloud("network: {config: disabled}\n"), "cloud-network-key", 3),
        ("user-data", cloud("disable_vmware_customization: 'False'\n"), "cloud-vmware-flag", 3),
        ("user-data", cloud("ssh_deletekeys: false\n"), "cloud-host-keys", 3),
        ("user-data", cloud("manual_cache_clean: true\n"), "cloud-cache-clean", 3),
        ("user-data", cloud("users:\n  - name: x\n    plain_text_passwd: secret\n"), "cloud-password", 5),
        ("preseed.cfg", format!("{PRESEED}d-i passwd/user-password password secret\n"), "cloud-password", 2),
        ("user-data", "#cloud-config\nautoinstall:\n  version: 1\n".to_owned(), "autoinstall-live-ssh", 0),
        ("preseed.cfg", format!("{PRESEED}  1 1 1 free method{{ efi }} .\n"), "preseed-efi-fallback", 0),
        (
            "x.sh",
            "echo 'network: {config: disabled}' > /etc/cloud/cloud.cfg.d/99.cfg\n".to_owned(),
            "network-left-disabled",
            1,
        ),
        ("x.sh", "#!/bin/sh\nsudo /tmp/install.sh\n".to_owned(), "runs-from-tmp", 2),
        ("x.sh", "cloud-init clean\n".to_owned(), "not-sealed", 0),
        ("x.sh", "rm -f /etc/machine-id\n".to_owned(), "machine-id-removed", 1),
    ]
}

fn spoilt_specifications() -> Vec<Spoilt> {
    let spec = |more: &str| format!("{SPEC}{more}");
    vec![
        (
            "x.yml",
            spec("agent: {tier: strict}\nstorage:\n  mounts:\n    - {at: /, size: 9 GiB}\n"),
            "spec-partitions",
            7,
        ),
        ("x.yml", "name: a\nos: debian12\nagent: {tier: standard}\n".to_owned(), "spec-telnet", 0),
        (
            "x.yml",
            spec(
                "agent: {tier: strict}\nstorage:\n  mounts:\n    - {at: /var/log/audit, size: 100 MiB}\n    - {at: /, size: 9 GiB}\n",
            ),
            "spec-audit-room",
            8,
        ),
        (
            "x.yml",
            spec("targets: [nutanix]\ncloud_init:\n  datasources:\n    qemu: [NoCloud]\n"),
            "spec-config-drive",
            8,
        ),
        ("x.yml", spec("cloud_init:\n  default_user: keep\n"), "spec-default-user", 6),
        (
            "x.yml",
            format!("{ISO}targets: [vsphere]\ncloud_init:\n  vmware_wait: 90\n"),
            "spec-vmware-wait",
            9,
        ),
        ("x.yml", format!("{ISO}storage:\n  scheme: lvm\n"), "spec-lvm-growth", 8),
        ("x.yml", ISO.replace("1111", "0000"), "spec-checksum", 6),
        ("x.yml", ISO.replace("iso:", "image:") + "firmware: uefi-secure\n", "spec-secure-boot", 7),
        ("x.yml", ISO.replace("rocky9", "rhel9"), "spec-subscription", 2),
    ]
}

#[test]
fn each_lint_sees_what_it_looks_for_and_where() {
    for (file, text, lint, line) in spoilt() {
        let all = found(file, &text);
        assert!(all.contains(&(lint, line)), "{lint}:{line}\n{all:?}\n{text}");
    }
}

#[test]
fn each_lint_is_tested_and_says_why_and_what_to_do() {
    let tested: BTreeSet<&str> = spoilt().into_iter().map(|(.., lint, _)| lint).collect();
    let mut seen = BTreeSet::new();
    for lint in lints() {
        assert!(tested.contains(lint.id), "{} is not tested", lint.id);
        assert!(seen.insert(lint.id), "{} is there twice", lint.id);
        assert!(lint.why.len() > 20 && lint.remedy.len() > 10, "{}", lint.id);
        assert!(!lint.why.contains("  ") && !lint.remedy.contains("  "), "{}: blanks in its text", lint.id);
    }
}

#[test]
fn passwords_are_not_repeated() {
    for (file, text, lint, _) in spoilt().into_iter().filter(|(_, text, ..)| text.contains("secret")) {
        let document = Document::new(file, &text).unwrap();
        for finding in findings(file, &document) {
            assert!(!format!("{finding:?}").contains("secret"), "{lint}");
        }
    }
}

#[test]
fn no_text_makes_a_lint_panic() {
    for (file, text) in [("ks.cfg", KICKSTART), ("a.pkr.hcl", TEMPLATE), ("user-data", CLOUD), ("a.yml", ISO)]
    {
        for (at, _) in text.char_indices() {
            let cut = text.get(at..).unwrap_or_default();
            if let Ok(document) = Document::new(file, cut) {
                let _ = findings(file, &document);
            }
        }
    }
    assert!(Document::new("a", "\u{0}\u{fffd}").is_err());
    assert!(Document::new("a.json", "{}").is_err());
}

#[test]
fn a_bad_specification_is_a_finding_with_its_place() {
    let text = "name: a\nos: debain12\n";
    let document = Document::new("a.yml", text).unwrap();
    let all = findings("a.yml", &document);
    let [finding] = all.as_slice() else { panic!("{all:?}") };
    assert_eq!((finding.lint, finding.line, finding.column), ("spec", 2, 5));
}
