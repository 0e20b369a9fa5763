//! QEMU: which acceleration works here, and a machine's hardware.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

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

/// A machine's hardware. Two of the same can hand a running system from one to the other.
#[derive(Debug)]
pub struct Hardware<'a> {
    /// What it boots.
    pub kernel: &'a Kernel,
    /// Its hard disk, qcow2.
    pub disk: &'a Path,
    /// Its second disk, with what cloud-init reads.
    pub seed: &'a Path,
    /// The OEM strings of its firmware.
    pub oem_strings: &'a [String],
    /// Where its port 22 is reached on this machine.
    pub port: u16,
    /// The machine's own address; empty for the one that QEMU's DHCP gives.
    pub address: &'a str,
    /// Where its console and its monitor go.
    pub directory: &'a Path,
}

/// The file in the machine's directory that its console writes to.
pub const CONSOLE: &str = "console";
const MONITOR: &str = "monitor";

/// Switches a machine on; with `memory`, in the state that [`freeze`] wrote there.
///
/// A guest that reboots ends QEMU. QEMU ends when the thread that started it does.
pub fn start(hardware: &Hardware, memory: Option<&Path>) -> Result<Child> {
    let Hardware { kernel, disk, seed, oem_strings, port, address, directory } = hardware;
    let incoming = memory.map(|file| ["-incoming".to_owned(), format!("exec:cat '{}'", file.display())]);
    computer(kernel, acceleration(kernel)?, &directory.join(CONSOLE))
        // A flush waits for nothing, as on a disk whose cache survives a power cut: what this machine's own disk is like shall
        // not be measured. What the guest never flushed is lost with its memory all the same.
        .args(["-drive", &format!("file={},format=qcow2,if=virtio,cache=unsafe", disk.display())])
        .args(["-drive", &format!("file={},format=raw,if=virtio,readonly=on", seed.display())])
        .args(["-netdev", &format!("user,id=net,hostfwd=tcp:127.0.0.1:{port}-{address}:22")])
        .args(["-device", "virtio-net-pci,netdev=net", "-device", "virtio-rng-pci"])
        .args(["-monitor", &format!("unix:{},server=on,wait=off", directory.join(MONITOR).display())])
        .args(oem_strings.iter().flat_map(|text| ["-smbios".to_owned(), format!("type=11,value={text}")]))
        .args(incoming.into_iter().flatten())
        .start()
}

/// Writes a running machine's memory to a file and ends it; its disk stays as it was at that moment.
pub fn freeze(hardware: &Hardware, memory: &Path) -> Result<()> {
    let mut monitor =
        UnixStream::connect(hardware.directory.join(MONITOR)).context("reaching QEMU's monitor")?;
    writeln!(monitor, "migrate \"exec:cat > '{}'\"\ninfo migrate\nquit", memory.display())?;
    let mut said = String::new();
    monitor.read_to_string(&mut said)?;
    ensure!(said.contains("Migration status: completed"), "QEMU wrote no memory: {said}");
    Ok(())
}

/// Does something while a running machine, whose monitor is in this directory, stands still.
pub fn held(directory: &Path, work: impl FnOnce() -> Result<()>) -> Result<()> {
    let mut monitor = UnixStream::connect(directory.join(MONITOR)).context("reaching QEMU's monitor")?;
    monitor.set_read_timeout(Some(Duration::from_secs(60)))?;
    prompted(&mut monitor)?;
    writeln!(monitor, "stop")?;
    prompted(&mut monitor)?;
    let done = work();
    writeln!(monitor, "cont")?;
    prompted(&mut monitor)?;
    done
}

/// Waits until the monitor wants to hear something.
fn prompted(monitor: &mut UnixStream) -> Result<()> {
    let mut said = Vec::new();
    let mut byte = [0];
    while !said.ends_with(b"(qemu) ") {
        monitor.read_exact(&mut byte).context("QEMU's monitor went silent")?;
        said.extend(byte);
    }
    Ok(())
}

/// How machines run here; part of what makes their frozen memory usable.
pub fn version(kernel: &Kernel) -> Result<String> {
    let qemu = Program::new("qemu-system-x86_64").args(["--version"]).output()?;
    Ok(format!("{qemu}{:?}", acceleration(kernel)?))
}

fn computer(kernel: &Kernel, acceleration: &[&str], console: &Path) -> Program {
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
    let mut qemu = computer(kernel, KVM, &console).start()?;
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
