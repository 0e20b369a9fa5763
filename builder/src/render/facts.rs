//! Everything a template may name. Made of the specification alone, so that the templates decide nothing but the words.

use serde::Serialize;

use super::layout::Layout;
use super::{Choices, packages};
use crate::spec::cloud_init::{Datasource, DefaultUser};
use crate::spec::storage::{BIOS_BOOT, EFI, FileSystem, Scheme};
use crate::spec::{Controller, Family, Firmware, Os, Platform, Source, Spec, Target, os};

/// The account that exists only while an image is built.
pub const BUILD_USER: &str = "trempe-build";
/// Where the sealing script waits for its turn.
const SEAL: &str = "/root/trempe-seal.sh";
/// What the initramfs must hold to find its disk on KVM, Nutanix AHV and VMware.
const DRIVERS: &str = "virtio_pci virtio_scsi virtio_blk virtio_net sd_mod vmw_pvscsi vmxnet3 ahci nvme";

/// Everything a template may name, in one flat list.
#[derive(Debug, Clone, Serialize)]
pub struct Facts {
    header: String,
    name: String,
    os: OsFacts,
    platform: &'static str,
    source: &'static str,
    packages: Vec<String>,
    language: String,
    keyboard: String,
    timezone: String,
    #[serde(flatten)]
    firmware: FirmwareFacts,
    #[serde(flatten)]
    storage: StorageFacts,
    #[serde(flatten)]
    packer: PackerFacts,
    #[serde(flatten)]
    installer: InstallerFacts,
    #[serde(flatten)]
    guest: GuestFacts,
}

/// What the image starts on.
#[derive(Debug, Clone, Serialize)]
struct FirmwareFacts {
    firmware: &'static str,
    bios: bool,
    uefi: bool,
    secure: bool,
    /// Whether the machine that builds has UEFI. A disk for both is built on BIOS.
    uefi_build: bool,
    vmware_firmware: &'static str,
}

/// The disk.
#[derive(Debug, Clone, Serialize)]
struct StorageFacts {
    disk: u64,
    mounts: Vec<MountFacts>,
    mounts_root_last: Vec<MountFacts>,
    swap: u64,
    scheme: &'static str,
    filesystem: &'static str,
    boot_separate: bool,
    boot_size: u64,
    bios_boot: u64,
    efi: u64,
    layout: Option<Layout>,
}

/// The machine that builds, and how Packer gets in.
#[derive(Debug, Clone, Serialize)]
struct PackerFacts {
    plugins: bool,
    cpus: u8,
    memory: u64,
    controller: Controller,
    medium: Medium,
    guest_os: &'static str,
    user: &'static str,
    home: String,
    key: String,
    seal: String,
    seal_script: &'static str,
    package: &'static str,
}

/// What an installer is told, and how.
#[derive(Debug, Clone, Serialize)]
struct InstallerFacts {
    repository: Option<String>,
    mirror: Option<Mirror>,
    apt_sources: Vec<String>,
    served: &'static str,
    cd_files: &'static [&'static str],
    cd_label: &'static str,
    boot_command: Vec<String>,
    dracut: String,
}

/// What is left on the image.
#[derive(Debug, Clone, Serialize)]
struct GuestFacts {
    datasources: Vec<Datasource>,
    /// Whether machines of the image run on VMware, be it among others.
    vmware: bool,
    vmware_wait: u16,
    default_user: &'static str,
    default_user_name: String,
    tier: Option<&'static str>,
    keep: Vec<String>,
    tailoring: Vec<String>,
}

#[derive(Debug, Clone, Serialize)]
struct OsFacts {
    id: &'static str,
    family: Family,
    release: u16,
    codename: &'static str,
    title: &'static str,
    efi: &'static str,
}

#[derive(Debug, Clone, Serialize)]
struct MountFacts {
    at: String,
    size: u64,
    /// The name of its logical volume, and its label where there is room for one.
    label: String,
    /// Whether a file system of that kind can have that label.
    labelled: bool,
}

#[derive(Debug, Clone, Serialize)]
struct Medium {
    url: String,
    checksum: String,
}

#[derive(Debug, Clone, Serialize)]
struct Mirror {
    url: String,
    protocol: String,
    host: String,
    directory: String,
}

impl Facts {
    /// The facts of a specification on a platform.
    pub fn of(spec: &Spec, platform: Platform, choices: &Choices) -> Facts {
        let os = spec.os.value;
        Facts {
            header: format!(
                "Made by builder from the specification of {}: change that, not this.",
                spec.name.value
            ),
            name: spec.name.value.to_string(),
            os: OsFacts {
                id: os.id,
                family: os.family,
                release: os.release,
                codename: os.codename,
                title: os.title,
                efi: os.efi,
            },
            platform: platform.word(),
            source: spec.source.value.word(),
            packages: packages::packages(spec),
            language: spec.locale.language.to_string(),
            keyboard: spec.locale.keyboard.to_string(),
            timezone: spec.locale.timezone.to_string(),
            firmware: FirmwareFacts::of(spec.firmware.value),
            storage: StorageFacts::of(spec),
            packer: PackerFacts::of(spec, choices),
            installer: InstallerFacts::of(spec, platform),
            guest: GuestFacts::of(spec, platform),
        }
    }
}

impl FirmwareFacts {
    fn of(firmware: Firmware) -> FirmwareFacts {
        FirmwareFacts {
            firmware: firmware.word(),
            bios: firmware.has_bios(),
            uefi: firmware.has_uefi(),
            secure: firmware == Firmware::UefiSecure,
            uefi_build: !firmware.has_bios(),
            vmware_firmware: match firmware {
                Firmware::Bios => "bios",
                Firmware::Uefi => "efi",
                Firmware::Both | Firmware::UefiSecure => "efi-secure",
            },
        }
    }
}

impl StorageFacts {
    fn of(spec: &Spec) -> StorageFacts {
        let storage = &spec.storage;
        let own = os::filesystem(spec.os.value.family);
        let filesystem = storage.filesystem.as_ref().map_or(own, |kind| kind.value);
        let mounts = mounts(spec, filesystem);
        let mut mounts_root_last = mounts.clone();
        mounts_root_last.sort_by_key(|mount| mount.at == "/");
        let boot = mounts.iter().find(|mount| mount.at == "/boot");
        StorageFacts {
            disk: storage.disk.value.in_mebibytes(),
            boot_separate: boot.is_some(),
            boot_size: boot.map_or(1024, |mount| mount.size),
            mounts,
            mounts_root_last,
            swap: storage.swap.in_mebibytes(),
            scheme: match storage.scheme.value {
                Scheme::Partitions => "partitions",
                Scheme::Lvm => "lvm",
            },
            filesystem: filesystem.word(),
            bios_boot: BIOS_BOOT.in_mebibytes(),
            efi: EFI.in_mebibytes(),
            layout: Layout::of(spec),
        }
    }
}

impl PackerFacts {
    fn of(spec: &Spec, choices: &Choices) -> PackerFacts {
        let os = spec.os.value;
        PackerFacts {
            plugins: choices.packer.has_plugins(),
            cpus: spec.hardware.cpus,
            memory: spec.hardware.memory.in_mebibytes(),
            controller: spec.hardware.controller,
            medium: medium(spec),
            guest_os: guest_os(os),
            user: BUILD_USER,
            home: format!("/home/{BUILD_USER}"),
            key: choices.public_key.clone(),
            seal: format!("sudo -n systemd-run --quiet --collect --unit=trempe-seal /bin/bash {SEAL}"),
            seal_script: SEAL,
            package: if os.family == Family::Rhel { "trempe-agent.rpm" } else { "trempe-agent.deb" },
        }
    }
}

impl InstallerFacts {
    fn of(spec: &Spec, platform: Platform) -> InstallerFacts {
        let os = spec.os.value;
        let (served, cd_files, cd_label) = handed_over(os.family);
        let mirror = mirror(spec);
        InstallerFacts {
            repository: match &spec.source.value {
                Source::Iso(iso) => iso.repository.as_ref().map(|url| url.as_str().to_owned()),
                Source::Bootstrap(_) | Source::Image(_) => None,
            },
            apt_sources: apt_sources(os, mirror.as_ref()),
            mirror,
            served,
            cd_files,
            cd_label,
            boot_command: boot_command(os.family, spec.firmware.value, platform),
            dracut: format!("hostonly=\"no\"\nadd_drivers+=\" {DRIVERS} \""),
        }
    }
}

impl GuestFacts {
    fn of(spec: &Spec, platform: Platform) -> GuestFacts {
        let (default_user, default_user_name) = match &spec.cloud_init.default_user {
            DefaultUser::None => ("none", String::new()),
            DefaultUser::Keep => ("keep", String::new()),
            DefaultUser::Named(named) => ("named", named.name.to_string()),
        };
        GuestFacts {
            datasources: datasources(spec, platform),
            vmware: spec.targets.contains(&Target::Vsphere),
            vmware_wait: spec.cloud_init.vmware_wait,
            default_user,
            default_user_name,
            tier: spec.agent.tier.map(crate::spec::Tier::word),
            keep: spec.agent.keep.iter().map(ToString::to_string).collect(),
            tailoring: spec.agent.tailoring.iter().map(|path| file_name(&path.value)).collect(),
        }
    }
}

/// Where cloud-init looks for its data: an image that is built here and goes to vSphere too looks there last.
fn datasources(spec: &Spec, platform: Platform) -> Vec<Datasource> {
    let on = &spec.cloud_init.datasources;
    let mut all = on.on(platform).to_vec();
    if platform == Platform::Qemu && spec.targets.contains(&Target::Vsphere) {
        all.retain(|datasource| *datasource != Datasource::None);
        let more: Vec<_> =
            on.vsphere.iter().filter(|datasource| !all.contains(datasource)).copied().collect();
        all.extend(more);
    }
    all
}

/// What a file is called on the image.
fn file_name(path: &std::path::Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn mounts(spec: &Spec, filesystem: FileSystem) -> Vec<MountFacts> {
    let facts = |mount: &crate::spec::storage::Mount| MountFacts {
        at: mount.at.as_str().to_owned(),
        size: mount.size.in_mebibytes(),
        labelled: mount.at.label().len() <= filesystem.longest_label(),
        label: mount.at.label(),
    };
    spec.storage.mounts.iter().map(|mount| facts(&mount.value)).collect()
}

/// The disc or disk that Packer starts from. That of a bootstrap is made beside the template, and its digest is known only then.
fn medium(spec: &Spec) -> Medium {
    let of = |url: &str, checksum: &str| Medium { url: url.to_owned(), checksum: checksum.to_owned() };
    match &spec.source.value {
        Source::Bootstrap(_) => of("bootstrap/disk.raw", "none"),
        Source::Iso(iso) => of(iso.url.as_str(), iso.checksum.as_str()),
        Source::Image(image) => of(image.url.as_str(), image.checksum.as_str()),
    }
}

/// How an installer gets its answers: by what, which files, on a disc of which label.
fn handed_over(family: Family) -> (&'static str, &'static [&'static str], &'static str) {
    match family {
        // Anaconda takes /ks.cfg from a disc of this label by itself: nothing is typed that could go astray.
        Family::Rhel => ("disc", &["installer/ks.cfg"], "OEMDRV"),
        Family::Ubuntu => ("disc", &["installer/user-data", "installer/meta-data"], "cidata"),
        Family::Debian => ("http", &[], ""),
    }
}

/// What is typed at the installer's boot menu. A disk for both firmwares is built on BIOS by QEMU, on UEFI by vSphere.
fn boot_command(family: Family, firmware: Firmware, platform: Platform) -> Vec<String> {
    let bios = match firmware {
        Firmware::Bios => true,
        Firmware::Both => platform == Platform::Qemu,
        Firmware::Uefi | Firmware::UefiSecure => false,
    };
    let answers = "auto=true priority=critical preseed/url=http://{{ .HTTPIP }}:{{ .HTTPPort }}/preseed.cfg";
    match (family, bios) {
        // From "test this medium and install" to "install".
        (Family::Rhel, _) => vec!["<up><wait><enter>".to_owned()],
        (Family::Debian, true) => vec!["<esc><wait>".to_owned(), format!("install {answers}<enter>")],
        (Family::Debian, false) => {
            grub("/install.amd/vmlinuz", &format!("{answers} ---"), "/install.amd/initrd.gz")
        }
        (Family::Ubuntu, _) => grub("/casper/vmlinuz", "autoinstall ---", "/casper/initrd"),
    }
}

/// What is typed at GRUB's menu to start another kernel.
fn grub(kernel: &str, arguments: &str, initrd: &str) -> Vec<String> {
    vec![
        "c<wait>".to_owned(),
        format!("linux {kernel} {arguments}<enter><wait>"),
        format!("initrd {initrd}<enter><wait>"),
        "boot<enter>".to_owned(),
    ]
}

/// VMware's name for the operating system (vSphere API, `VirtualMachineGuestOsIdentifier`), as far back as 6.7 knows it.
pub fn guest_os(os: Os) -> &'static str {
    match (os.family, os.release) {
        (Family::Rhel, 8) => "rhel8_64Guest",
        (Family::Rhel, _) => "rhel9_64Guest",
        (Family::Debian, _) => "debian11_64Guest",
        (Family::Ubuntu, _) => "ubuntu64Guest",
    }
}

/// The mirror that packages come from, where one is named.
fn mirror(spec: &Spec) -> Option<Mirror> {
    let url = match &spec.source.value {
        Source::Bootstrap(bootstrap) => bootstrap.mirror.as_ref(),
        Source::Iso(iso) => iso.repository.as_ref(),
        Source::Image(_) => None,
    }?;
    let (protocol, rest) = url.as_str().split_once("://")?;
    let (host, directory) = rest.split_once('/').unwrap_or((rest, ""));
    Some(Mirror {
        url: url.as_str().to_owned(),
        protocol: protocol.to_owned(),
        host: host.to_owned(),
        directory: format!("/{directory}"),
    })
}

/// What apt reads on a bootstrapped machine.
fn apt_sources(os: Os, mirror: Option<&Mirror>) -> Vec<String> {
    let named = mirror.map(|mirror| mirror.url.trim_end_matches('/'));
    let release = os.codename;
    match os.family {
        Family::Rhel => Vec::new(),
        Family::Debian => {
            let main = named.unwrap_or("http://deb.debian.org/debian");
            let components = "main non-free-firmware";
            let security = "http://deb.debian.org/debian-security";
            let signed = "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]";
            vec![
                format!("{signed} {main} {release} {components}"),
                format!("{signed} {main} {release}-updates {components}"),
                format!("{signed} {security} {release}-security {components}"),
            ]
        }
        Family::Ubuntu => {
            let main = named.unwrap_or("http://archive.ubuntu.com/ubuntu");
            let pockets = ["", "-updates", "-security"].into_iter();
            let signed = "deb [signed-by=/usr/share/keyrings/ubuntu-archive-keyring.gpg]";
            pockets.map(|pocket| format!("{signed} {main} {release}{pocket} main universe")).collect()
        }
    }
}
