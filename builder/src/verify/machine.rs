//! Machines: QEMU, a disk over the image that takes all that is written, and what was said over the serial port.

use std::ffi::OsString;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::case::Case;
use super::firmware::Flash;
use super::seed::uuid;
use crate::build::acceleration::Acceleration;
use crate::build::process::{Group, Program};
use crate::spec::Firmware;

/// The hypervisor.
pub const QEMU: &str = "qemu-system-x86_64";

/// What a disk hangs on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Bus {
    /// As on Nutanix AHV.
    #[default]
    VirtioScsi,
    /// As on most KVM hosts.
    VirtioBlk,
}

impl Bus {
    /// How it is written.
    pub fn word(self) -> &'static str {
        match self {
            Bus::VirtioScsi => "virtio-scsi",
            Bus::VirtioBlk => "virtio-blk",
        }
    }
}

/// A machine's parts.
#[derive(Debug)]
pub struct Hardware<'a> {
    /// What it is made for.
    pub case: Case,
    /// What it runs on.
    pub acceleration: Acceleration,
    /// Its memory, in MiB.
    pub memory: u64,
    /// What its disks hang on.
    pub bus: Bus,
    /// Its disk, qcow2.
    pub disk: &'a Path,
    /// The disc with its seed, where it has one.
    pub seed: Option<&'a Path>,
    /// Its firmware, with variables of its own; `None` for BIOS.
    pub flash: Option<&'a Flash>,
    /// The file that its serial port writes to.
    pub console: &'a Path,
    /// The port of this host that is its port 22.
    pub port: u16,
    /// Whether it reaches nothing but this host.
    pub offline: bool,
}

impl Hardware<'_> {
    /// QEMU's command line.
    pub fn arguments(&self) -> Vec<OsString> {
        let secure = self.case.firmware == Firmware::UefiSecure;
        let (chip, smm) = match self.case.firmware {
            Firmware::Bios => ("pc", ""),
            Firmware::UefiSecure => ("q35", ",smm=on"),
            Firmware::Uefi | Firmware::Both => ("q35", ""),
        };
        let (accelerator, cpu) = self.acceleration.words();
        let threads = if self.acceleration == Acceleration::Emulation { ",thread=multi" } else { "" };
        let restrict = if self.offline { ",restrict=on" } else { "" };
        let mut words = vec![
            format!("-name trempe-verify-{} -no-user-config -nodefaults -display none", self.case.word()),
            // Without graphics SeaBIOS and the boot loader speak over the serial port too; there is a screen all the same.
            format!("-machine {chip},graphics=off{smm} -device VGA"),
            format!("-accel {accelerator}{threads} -cpu {cpu} -smp 2 -m {}", self.memory),
            format!("-uuid {} -device virtio-rng-pci", uuid(self.case)),
            format!("-netdev user,id=net,hostfwd=tcp:127.0.0.1:{}-:22{restrict}", self.port),
            "-device virtio-net-pci,netdev=net,romfile=".to_owned(),
            "-serial chardev:console".to_owned(),
        ];
        if secure {
            words.push("-global driver=cfi.pflash01,property=secure,value=on".to_owned());
        }
        match self.bus {
            Bus::VirtioScsi => {
                words.push(
                    "-device virtio-scsi-pci,id=scsi -device scsi-hd,drive=disk,bootindex=1".to_owned(),
                );
            }
            Bus::VirtioBlk => words.push("-device virtio-blk-pci,drive=disk,bootindex=1".to_owned()),
        }
        if self.seed.is_some() {
            words.push(match self.bus {
                Bus::VirtioScsi => "-device scsi-cd,drive=seed".to_owned(),
                Bus::VirtioBlk => "-device virtio-blk-pci,drive=seed".to_owned(),
            });
        }
        let words = words.iter().flat_map(|line| line.split(' ')).map(OsString::from);
        words.chain(self.files()).collect()
    }

    /// The part of the command line that names files.
    fn files(&self) -> Vec<OsString> {
        let console = format!("file,id=console,path={}", escaped(self.console));
        let mut words = vec!["-chardev".to_owned(), console];
        let mut drive = |options: String| words.extend(["-drive".to_owned(), options]);
        // What is on it is thrown away: a flush waits for nothing.
        drive(format!("if=none,id=disk,format=qcow2,cache=unsafe,discard=unmap,file={}", escaped(self.disk)));
        if let Some(seed) = self.seed {
            drive(format!("if=none,id=seed,format=raw,readonly=on,file={}", escaped(seed)));
        }
        if let Some(Flash { executable, variables }) = self.flash {
            let (code, own) = (escaped(&executable.filename), escaped(&variables.filename));
            drive(format!("if=pflash,unit=0,format={},readonly=on,file={code}", executable.format));
            drive(format!("if=pflash,unit=1,format={},file={own}", variables.format));
        }
        words.into_iter().map(OsString::from).collect()
    }

    /// Switches it on. What QEMU itself has to say goes to `log`.
    ///
    /// # Errors
    /// When QEMU cannot be started.
    pub fn start(&self, log: &Path) -> Result<Group> {
        Program::new(QEMU).args(self.arguments()).start_with_log(log)
    }
}

/// A path as a value among QEMU's options, which commas separate.
fn escaped(path: &Path) -> String {
    path.display().to_string().replace(',', ",,")
}

/// A port of this host that is free.
///
/// # Errors
/// When there is none.
pub fn free_port() -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("looking for a free port")?;
    Ok(listener.local_addr().context("looking for a free port")?.port())
}

/// A disk over an image: what is written goes to the disk, the image stays as it is.
///
/// # Errors
/// When it cannot be made.
pub async fn disk_over(image: &Path, format: &str, directory: &Path) -> Result<PathBuf> {
    let disk = directory.join("disk.qcow2");
    let create = Program::new("qemu-img").args(["create", "-q", "-f", "qcow2", "-F", format, "-b"]);
    create.args([image, &disk]).output().await.context("making a disk over the image")?;
    Ok(disk)
}

/// The firmware of one machine: the variables are its own.
///
/// # Errors
/// When they cannot be copied.
pub fn own_variables(flash: Option<Flash>, directory: &Path) -> Result<Option<Flash>> {
    let Some(mut flash) = flash else { return Ok(None) };
    let own = directory.join("variables.fd");
    let from = &flash.variables.filename;
    let content = fs::read(from).with_context(|| format!("reading {}", from.display()))?;
    fs::write(&own, content).with_context(|| format!("writing {}", own.display()))?;
    flash.variables.filename = own;
    Ok(Some(flash))
}

/// That a machine is still on.
///
/// # Errors
/// When it is not, with what QEMU said.
pub fn still_on(machine: &mut Group, log: &Path) -> Result<()> {
    if !machine.ended() {
        return Ok(());
    }
    let said = fs::read(log).unwrap_or_default();
    let said = String::from_utf8_lossy(&said);
    match said.trim() {
        "" => bail!("the machine switched itself off"),
        words => bail!("QEMU ended: {words}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Tier;
    use crate::verify::firmware::Part;

    fn line(firmware: Firmware, bus: Bus, acceleration: Acceleration, offline: bool) -> String {
        let part = |name: &str| Part { filename: name.into(), format: "raw".into() };
        let flash = Flash { executable: part("/code"), variables: part("/w/vars") };
        let hardware = Hardware {
            case: Case { tier: Tier::Light, firmware },
            acceleration,
            memory: 2048,
            bus,
            disk: Path::new("/a,b/disk"),
            seed: Some(Path::new("/w/seed")),
            flash: (firmware != Firmware::Bios).then_some(&flash),
            console: Path::new("/o/console"),
            port: 2201,
            offline,
        };
        let words: Vec<String> =
            hardware.arguments().iter().map(|word| word.to_string_lossy().into_owned()).collect();
        words.join(" ")
    }

    #[test]
    fn a_machine_with_bios_is_the_old_chip_and_boots_its_disk() {
        assert_eq!(
            line(Firmware::Bios, Bus::VirtioScsi, Acceleration::Kvm, false),
            format!(
                "-name trempe-verify-light-bios -no-user-config -nodefaults -display none -machine pc,graphics=off -device VGA \
                 -accel kvm -cpu host -smp 2 -m 2048 -uuid {} -device virtio-rng-pci \
                 -netdev user,id=net,hostfwd=tcp:127.0.0.1:2201-:22 -device virtio-net-pci,netdev=net,romfile= \
                 -serial chardev:console -device virtio-scsi-pci,id=scsi -device scsi-hd,drive=disk,bootindex=1 -device scsi-cd,drive=seed \
                 -chardev file,id=console,path=/o/console \
                 -drive if=none,id=disk,format=qcow2,cache=unsafe,discard=unmap,file=/a,,b/disk \
                 -drive if=none,id=seed,format=raw,readonly=on,file=/w/seed",
                uuid(Case { tier: Tier::Light, firmware: Firmware::Bios })
            )
        );
    }

    #[test]
    fn uefi_has_its_flash_and_secure_boot_what_guards_it() {
        let plain = line(Firmware::Uefi, Bus::VirtioBlk, Acceleration::Emulation, true);
        for words in [
            "-machine q35,graphics=off ",
            "-accel tcg,thread=multi -cpu max",
            "2201-:22,restrict=on",
            "-device virtio-blk-pci,drive=disk,bootindex=1 -device virtio-blk-pci,drive=seed",
            "-drive if=pflash,unit=0,format=raw,readonly=on,file=/code -drive if=pflash,unit=1,format=raw,file=/w/vars",
        ] {
            assert!(plain.contains(words), "{words}: {plain}");
        }
        assert!(!plain.contains("secure"));
        let secure = line(Firmware::UefiSecure, Bus::VirtioScsi, Acceleration::Kvm, false);
        for words in
            ["-machine q35,graphics=off,smm=on ", "-global driver=cfi.pflash01,property=secure,value=on"]
        {
            assert!(secure.contains(words), "{words}: {secure}");
        }
    }
}
