//! QEMU: which acceleration works here, and a machine's hardware.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::cache;
use crate::command::Program;

/// What QEMU loads in place of a boot loader.
#[derive(Debug, Clone)]
pub struct Kernel {
    image: PathBuf,
    initrd: PathBuf,
    /// The kernel's command line, without the console.
    pub arguments: String,
}

impl Kernel {
    /// The kernel installed in this root tree.
    pub fn of(root: &Path) -> Result<Self> {
        let boot = root.join("boot");
        let find = |prefix: &str| {
            let files = fs::read_dir(&boot).with_context(|| format!("reading {}", boot.display()))?;
            files
                .filter_map(|file| Some(file.ok()?.path()))
                .find(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(prefix)))
                .with_context(|| format!("no {prefix}* in {}", boot.display()))
        };
        Ok(Self {
            image: find("vmlinuz-")?,
            initrd: find("initrd.img-")?,
            arguments: "root=/dev/vda ro".to_owned(),
        })
    }
}

/// Starts a machine with these drives (path, format), its port 22 at `port` here, its console in a file.
///
/// A guest that reboots ends QEMU. QEMU ends when the thread that started it does.
pub fn start(kernel: &Kernel, drives: &[(PathBuf, &str)], port: u16, console: &Path) -> Result<Child> {
    let drives = drives.iter().flat_map(|(path, format)| {
        ["-drive".to_owned(), format!("file={},format={format},if=virtio", path.display())]
    });
    machine(kernel, acceleration(kernel)?, console)
        .args(drives)
        .args(["-netdev", &format!("user,id=net,hostfwd=tcp:127.0.0.1:{port}-:22")])
        .args(["-device", "virtio-net-pci,netdev=net", "-device", "virtio-rng-pci"])
        .start()
}

fn machine(kernel: &Kernel, acceleration: &[&str], console: &Path) -> Program {
    Program::new("setpriv")
        .args(["--pdeathsig", "KILL", "qemu-system-x86_64"])
        .args(acceleration)
        .args(["-m", "2048", "-smp", "2", "-display", "none", "-no-reboot", "-serial"])
        .args([format!("file:{}", console.display())])
        .args(["-append", &format!("{} console=ttyS0", kernel.arguments), "-kernel"])
        .args([kernel.image.as_os_str(), "-initrd".as_ref(), kernel.initrd.as_os_str()])
}

const KVM: &[&str] = &["-accel", "kvm", "-cpu", "host"];
const EMULATION: &[&str] = &["-accel", "tcg,thread=multi", "-cpu", "max"];

/// KVM where a kernel really starts with it (there are hosts where it only hangs), emulation elsewhere.
fn acceleration(kernel: &Kernel) -> Result<&'static [&'static str]> {
    let host = fs::read_to_string("/proc/sys/kernel/random/boot_id")?;
    let tried = cache::entry("kvm", &[&host], |path| {
        let works = Path::new("/dev/kvm").exists() && kernel_speaks(kernel)?;
        Ok(fs::write(path, if works { "works" } else { "" })?)
    })?;
    Ok(if fs::read(tried)?.is_empty() { EMULATION } else { KVM })
}

/// Whether a kernel under KVM gets as far as its console within ten seconds.
fn kernel_speaks(kernel: &Kernel) -> Result<bool> {
    let directory = tempfile::tempdir()?;
    let console = directory.path().join("console");
    let mut qemu = machine(kernel, KVM, &console).start()?;
    let begun = Instant::now();
    let mut speaks = false;
    while !speaks && begun.elapsed() < Duration::from_secs(10) && qemu.try_wait()?.is_none() {
        sleep(Duration::from_millis(100));
        let said = fs::read(&console).unwrap_or_default();
        speaks = String::from_utf8_lossy(&said).contains("Linux version");
    }
    let _ = qemu.kill();
    qemu.wait()?;
    Ok(speaks)
}
