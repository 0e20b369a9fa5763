//! A commented specification for an operating system: what `builder init` writes. It says every default.

use std::fmt::Write;

use super::storage::Scheme;
use super::storage::Storage;
use super::{Family, Firmware, Os, Source};
use super::{Hardware, Locale};

/// The text. Debian and Ubuntu are bootstrapped; the Red Hat family is installed from a disc whose place and digest are to be filled in.
pub fn example(os: Os) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = write(&mut text, os);
    text
}

fn write(out: &mut String, os: Os) -> std::fmt::Result {
    writeln!(
        out,
        "# What the image is to be. Every key that may be left out is here with the value it then has."
    )?;
    writeln!(
        out,
        "# 'builder check' tells what is wrong in it, 'builder render' shows what is made of it.\n"
    )?;
    writeln!(out, "name: {os}                 # what the image and its files are called")?;
    writeln!(out, "os: {os}                   # {}; 'builder init --help' lists them", os.title)?;
    source(out, os)?;
    let firmware = Firmware::default().word();
    writeln!(out, "firmware: {firmware}                 # bios, uefi, uefi-secure, or both from one disk\n")?;
    let Hardware { cpus, memory, .. } = Hardware::default();
    writeln!(out, "hardware:                      # the machine it is built on")?;
    writeln!(out, "  cpus: {cpus}\n  memory: {memory}")?;
    writeln!(out, "  controller: virtio-scsi      # as on Nutanix AHV; or virtio-blk\n")?;
    storage(out, os)?;
    let Locale { language, keyboard, timezone } = Locale::default();
    writeln!(out, "locale:\n  language: {language}\n  keyboard: {keyboard}\n  timezone: {timezone}\n")?;
    writeln!(out, "packages:")?;
    writeln!(out, "  troubleshooting: true        # {}", super::os::troubleshooting(os.family).join(", "))?;
    writeln!(out, "  install: []                  # further packages\n")?;
    writeln!(out, "agent:                         # nothing is hardened while the image is built")?;
    writeln!(
        out,
        "  tier: standard               # what machines harden themselves to at their first boot: light, standard,"
    )?;
    writeln!(
        out,
        "                               # strict; without this line, whatever their user-data says"
    )?;
    writeln!(out, "  tailoring: []                # XCCDF tailoring files to put on the image")?;
    writeln!(out, "  keep: []                     # accounts that must keep access\n")?;
    writeln!(out, "cloud_init:")?;
    writeln!(out, "  default_user: none           # none, keep (the distribution's), or {{name: ops}}")?;
    writeln!(out, "  datasources:                 # where it looks for its data, in this order")?;
    writeln!(out, "    qemu: [ConfigDrive, NoCloud, None]")?;
    writeln!(out, "    vsphere: [VMware, OVF, None]")?;
    writeln!(out, "  vmware_wait: 5               # seconds it waits for a customization, at each boot\n")?;
    writeln!(
        out,
        "targets: [qcow2]               # where machines of it run: qcow2 (KVM …), nutanix, vsphere"
    )
}

fn source(out: &mut String, os: Os) -> std::fmt::Result {
    if os.family != Family::Rhel {
        writeln!(
            out,
            "source:                        # or iso: {{url, checksum}}, or image: {{url, checksum}}"
        )?;
        writeln!(
            out,
            "  {}: {{}}                # packages of a mirror, no installer; {{mirror: http://…}} names it",
            Source::default().word()
        )?;
        return Ok(());
    }
    writeln!(out, "source:                        # or image: {{url, checksum}}")?;
    writeln!(out, "  iso:")?;
    writeln!(out, "    url: /srv/iso/{os}-x86_64-dvd.iso")?;
    writeln!(out, "    # what the vendor publishes beside the file; these zeros are no disc's")?;
    writeln!(out, "    checksum: sha256:{}", "0".repeat(64))?;
    writeln!(
        out,
        "    # repository: http://…     # where the packages are, when the disc holds the installer alone"
    )
}

fn storage(out: &mut String, os: Os) -> std::fmt::Result {
    let storage = Storage::default();
    let kind = super::os::filesystem(os.family).word();
    let scheme = match storage.scheme.value {
        Scheme::Partitions => "partitions",
        Scheme::Lvm => "lvm",
    };
    let lvm = if os.family == Family::Rhel { ", or lvm" } else { "; with an iso also lvm" };
    writeln!(out, "storage:")?;
    writeln!(out, "  disk: {}                 # a machine's disk may be larger", storage.disk.value)?;
    writeln!(out, "  scheme: {scheme}           # / is the last and grows with the disk{lvm}")?;
    writeln!(out, "  filesystem: {kind}")?;
    writeln!(out, "  swap: {}", storage.swap)?;
    writeln!(
        out,
        "  mounts:                      # the layout of CIS Level 2; / gets what is left of the disk"
    )?;
    for mount in &storage.mounts {
        writeln!(out, "    - {{at: {}, size: {}}}", mount.value.at.as_str(), mount.value.size)?;
    }
    writeln!(out)
}
