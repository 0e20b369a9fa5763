//! Booted machines: a root tree on a virtual disk, run by QEMU, reached by ssh as `admin`, who may use sudo.
//!
//! No boot loader: QEMU loads the kernel itself and, from the second start on, takes the kernel's arguments from the
//! `grub.cfg` that the machine wrote, as GRUB would. Disks: the root tree as ext4 (`disk`), on top of it what one first
//! boot wrote (`machine`: cloud-init done, package lists fetched), both cached; on top of that each [`Vm`]'s own layer.
//! The memory of the machine at that point is cached too, so that a test begins within seconds and not with a boot.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::cache;
use crate::command::Program;
use crate::hypervisor::{self, Hardware, Kernel};
use crate::image::Image;
use crate::machine::Machine;
use crate::root::Root;
use crate::seed::{Seed, Source, apt_settings};

const DISK: &str = "disk.qcow2";
const BOOT: Duration = Duration::from_secs(900);
const SHUTDOWN: Duration = Duration::from_secs(400);
/// So long the console of a kernel that begins is never silent.
const SILENT: Duration = Duration::from_secs(90);
/// What it says when it first touches a disk.
const AT_THE_DISK: &str = "EXT4-fs";
/// An address of the fourth version alone: by itself cloud-init asks for one of the sixth too, for which Debian 13 has no client, and a unit
/// would have failed before any test begins.
const NETWORK: &str = "version: 2\nethernets:\n  ens3:\n    dhcp4: true\n";
/// What the first boot leaves behind beyond cloud-init's work.
const PREPARE: &str = "cloud-init status --wait --long; apt-get -q update; update-grub; sync";

/// A machine, running or switched off. Dropping it switches it off and throws its disk away.
#[derive(Debug)]
pub struct Vm {
    files: TempDir,
    disk: PathBuf,
    kernel: Kernel,
    key: PathBuf,
    seed: PathBuf,
    port: u16,
    address: String,
    oem_strings: Vec<String>,
    running: Option<Child>,
    /// How much its console had said and when, while its kernel begins.
    begun: Option<(usize, Instant)>,
    /// Where key and seed are, when they are this machine's own.
    identity: Option<TempDir>,
}

impl Vm {
    /// A running machine of this root tree that has had its first boot and a second one.
    pub fn boot(root: &Root) -> Result<Self> {
        let prepared = prepared(root)?;
        let mut vm = Self::create(root, &prepared.join(DISK), "qcow2", &prepared)?;
        vm.kernel.arguments = fs::read_to_string(prepared.join("arguments"))?;
        vm.switch_on(Some(&prepared.join("memory")))?;
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs();
        vm.shell(&format!("date -s @{now}"))?;
        Ok(vm)
    }

    /// A machine made from an image, switched off: its first boot lies before it.
    pub fn from_image(image: &Image, seed: &Seed) -> Result<Self> {
        let identity = cache::scratch("identity")?;
        seed.write(identity.path())?;
        let mut vm = Self::create(&image.root, &image.disk(), "raw", identity.path())?;
        vm.identity = Some(identity);
        Ok(vm)
    }

    /// Gives it another seed, read at its next boot.
    pub fn reseed(&mut self, seed: &Seed) -> Result<()> {
        let directory = self.key.parent().context("the key is in no directory")?.to_owned();
        self.seed = seed.write(&directory)?;
        Ok(())
    }

    /// Takes its seed away: a disk with nothing on it is left.
    pub fn remove_seed(&mut self) -> Result<()> {
        self.seed = self.files.path().join("blank");
        fs::write(&self.seed, vec![0; 1 << 20]).context("writing an empty disk")
    }

    /// A machine with an empty layer over `disk`; `identity` holds the ssh key and the cloud-init seed.
    fn create(root: &Root, disk: &Path, format: &str, identity: &Path) -> Result<Self> {
        let files = cache::scratch("vm")?;
        Program::new("qemu-img")
            .args(["create", "-q", "-f", "qcow2", "-F", format, "-b"])
            .args([disk, &files.path().join(DISK)])
            .run()?;
        Ok(Self {
            disk: files.path().join(DISK),
            files,
            kernel: Kernel::of(&root.path)?,
            key: identity.join("key"),
            seed: identity.join("seed.iso"),
            port: 0,
            address: String::new(),
            oem_strings: Vec::new(),
            running: None,
            begun: None,
            identity: None,
        })
    }

    /// Switches it on and waits until one can log in.
    pub fn start(&mut self) -> Result<()> {
        self.switch_on(None)
    }

    /// Switches it on and does not wait.
    pub fn power_on(&mut self) -> Result<()> {
        self.port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        self.begin(None)
    }

    fn begin(&mut self, memory: Option<&Path>) -> Result<()> {
        self.running = Some(hypervisor::start(&self.hardware(), memory)?);
        self.begun = memory.is_none().then(|| (0, Instant::now()));
        Ok(())
    }

    /// An emulated kernel hangs now and then in its first second, before it has touched its disk. To be called while it is waited for: then it
    /// is switched off and on.
    pub fn revive(&mut self) -> Result<()> {
        let Some((heard, at)) = self.begun else { return Ok(()) };
        let console = self.console();
        if console.contains(AT_THE_DISK) {
            self.begun = None;
        } else if console.len() != heard {
            self.begun = Some((console.len(), Instant::now()));
        } else if at.elapsed() > SILENT {
            eprintln!("the kernel hangs where it begins, and is started once more");
            self.power_cut()?;
            self.begin(None)?;
        }
        Ok(())
    }

    /// Has this machine's port 22 looked for at this address; without it, at the one that QEMU's DHCP gives.
    pub fn at_address(&mut self, address: &str) {
        address.clone_into(&mut self.address);
    }

    /// Gives its firmware OEM strings (SMBIOS, type 11).
    pub fn oem_strings(&mut self, strings: &[&str]) {
        self.oem_strings = strings.iter().map(|text| (*text).to_owned()).collect();
    }

    /// Adds to what its kernel is told at the next boot.
    pub fn kernel_arguments(&mut self, words: &str) {
        self.kernel.arguments = format!("{} {words}", self.kernel.arguments);
    }

    fn switch_on(&mut self, memory: Option<&Path>) -> Result<()> {
        self.port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        self.begin(memory)?;
        self.wait_for_login()
    }

    /// Waits until the administrator can log in.
    pub fn wait_for_login(&mut self) -> Result<()> {
        let begun = Instant::now();
        while self.ssh().args(["true"]).run().is_err() {
            if self.exited()? || begun.elapsed() > BOOT {
                let seconds = begun.elapsed().as_secs();
                bail!("no login after {seconds} s; the console's last words:\n{}", self.last_words());
            }
            self.revive()?;
            sleep(Duration::from_secs(1));
        }
        Ok(())
    }

    fn hardware(&self) -> Hardware<'_> {
        let directory = self.files.path();
        let address = self.address.as_str();
        Hardware {
            kernel: &self.kernel,
            disk: &self.disk,
            seed: &self.seed,
            port: self.port,
            address,
            oem_strings: &self.oem_strings,
            directory,
        }
    }

    /// Restarts the machine in good order.
    pub fn reboot(&mut self) -> Result<()> {
        let script = "[ ! -e /boot/grub/grub.cfg ] || awk '$1 == \"linux\" { $1 = $2 = \"\"; print; exit }' /boot/grub/grub.cfg";
        let arguments = self.shell(script)?;
        if !arguments.trim().is_empty() {
            self.kernel.arguments = arguments.trim().to_owned();
        }
        // The connection may be gone before the answer: what counts is that the machine ends.
        self.program(&["systemctl", "reboot"]).accept(&[0, 255]).run()?;
        self.wait()?;
        self.start()
    }

    /// Switches it off in good order.
    pub fn stop(&mut self) -> Result<()> {
        self.program(&["systemctl", "poweroff"]).accept(&[0, 255]).run()?;
        self.wait()
    }

    /// Takes its power away: what the machine had not flushed to disk is lost.
    pub fn power_cut(&mut self) -> Result<()> {
        if let Some(mut qemu) = self.running.take() {
            qemu.kill()?;
            qemu.wait()?;
        }
        Ok(())
    }

    /// A machine, switched off, as this running one would be if its power went now. Key and seed are this one's: it must not go
    /// before.
    pub fn as_after_a_power_cut(&self) -> Result<Self> {
        let files = cache::scratch("vm")?;
        let disk = files.path().join(DISK);
        // What the guest never flushed is in its memory, and that stays behind.
        hypervisor::held(self.files.path(), || {
            Program::new("cp").args(["--sparse=always"]).args([&self.disk, &disk]).run().map(drop)
        })?;
        Ok(Self {
            files,
            disk,
            kernel: self.kernel.clone(),
            key: self.key.clone(),
            seed: self.seed.clone(),
            port: 0,
            address: self.address.clone(),
            oem_strings: self.oem_strings.clone(),
            running: None,
            begun: None,
            identity: None,
        })
    }

    fn wait(&mut self) -> Result<()> {
        let begun = Instant::now();
        while !self.exited()? {
            if begun.elapsed() > SHUTDOWN {
                bail!("still running; the console's last words:\n{}", self.last_words());
            }
            sleep(Duration::from_millis(200));
        }
        self.running = None;
        Ok(())
    }

    /// Whether it is switched off, or QEMU ended.
    pub fn exited(&mut self) -> Result<bool> {
        self.running.as_mut().map_or(Ok(true), |qemu| Ok(qemu.try_wait()?.is_some()))
    }

    /// The command that logs one in; `sudo` works without a password.
    pub fn login(&self) -> String {
        let options = "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR";
        format!("ssh {options} -p {} -i {} admin@127.0.0.1", self.port, self.key.display())
    }

    /// The same for an inventory of Ansible.
    pub fn inventory(&self) -> String {
        format!(
            "ansible_host=127.0.0.1 ansible_port={} ansible_user=admin ansible_ssh_private_key_file={}",
            self.port,
            self.key.display()
        )
    }

    /// Whether something listens on its port 22 that speaks ssh.
    pub fn ssh_answers(&self) -> bool {
        use std::io::Read;
        let Ok(mut door) = std::net::TcpStream::connect(("127.0.0.1", self.port)) else { return false };
        let _ = door.set_read_timeout(Some(Duration::from_secs(3)));
        let mut banner = [0; 4];
        door.read_exact(&mut banner).is_ok() && &banner == b"SSH-"
    }

    /// Its console's words so far.
    pub fn console(&self) -> String {
        let console = fs::read(self.files.path().join(hypervisor::CONSOLE)).unwrap_or_default();
        String::from_utf8_lossy(&console).into_owned()
    }

    /// An attempt of a user to log in over ssh with the administrator's key, or with a password.
    pub fn attempt(&self, user: &str, password: Option<&str>) -> Program {
        let (port, target) = (self.port.to_string(), format!("{user}@127.0.0.1"));
        let options = [
            "StrictHostKeyChecking=no",
            "UserKnownHostsFile=/dev/null",
            "LogLevel=ERROR",
            "ConnectTimeout=10",
        ];
        let options = options.iter().flat_map(|option| ["-o", option]);
        match password {
            None => Program::new("ssh")
                .args(options)
                .args(["-o", "BatchMode=yes", "-p", &port, "-i"])
                .args([&self.key])
                .args([&target]),
            Some(password) => Program::new("sshpass").args(["-p", password, "ssh"]).args(options).args([
                "-o",
                "PubkeyAuthentication=no",
                "-p",
                &port,
                &target,
            ]),
        }
    }

    fn ssh(&self) -> Program {
        let options =
            ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR", "BatchMode=yes"];
        Program::new("ssh")
            .args(options.iter().flat_map(|option| ["-o", option]))
            .args(["-o", "ConnectTimeout=20", "-p", &self.port.to_string(), "-i"])
            .args([&self.key])
            .args(["admin@127.0.0.1"])
    }

    fn last_words(&self) -> String {
        let console = self.console();
        let lines: Vec<&str> = console.lines().collect();
        lines.get(lines.len().saturating_sub(30)..).unwrap_or_default().join("\n")
    }
}

impl Machine for Vm {
    /// Reached the way an administrator would: ssh with a key, then sudo.
    fn program(&self, words: &[&str]) -> Program {
        self.ssh().args(["sudo", "-n"]).args(words.iter().map(|word| quoted(word)))
    }

    /// Not below `/run` or `/tmp`, where nothing may be executed.
    fn scratch(&self) -> &'static str {
        "/root/lab"
    }

    fn lend(&self, file: &Path, name: &str) -> Result<String> {
        let to = format!("{}/{name}", self.scratch());
        let script = format!("mkdir -p {} && cat > {to} && chmod 0755 {to}", self.scratch());
        self.program(&["sh", "-c", &script]).input(file)?.run()?;
        Ok(to)
    }
}

impl Drop for Vm {
    fn drop(&mut self) {
        let _ = self.power_cut();
    }
}

/// The cached state of a machine of this tree after its second boot: disk, memory, kernel arguments, key, seed.
pub fn prepared(root: &Root) -> Result<PathBuf> {
    let tree = root.path.to_string_lossy();
    let hypervisor = hypervisor::version(&Kernel::of(&root.path)?)?;
    let mut seed = Seed::new(Source::NoCloud, "");
    seed.network = Some(NETWORK.to_owned());
    let recipe = [tree.as_ref(), PREPARE, &format!("{seed:?}"), &apt_settings()?, &hypervisor];
    cache::entry(&format!("machine-{}", root.name), &recipe, |path| {
        eprintln!("booting {} for the first time (some minutes without KVM)", root.name);
        fs::create_dir(path)?;
        seed.write(path)?;
        let mut vm = Vm::create(root, &root.disk()?, "raw", path)?;
        vm.start()?;
        vm.shell(PREPARE)?;
        vm.reboot()?;
        // Which unit failed, where one did, is what somebody must know.
        let up = "systemctl is-system-running --wait || { systemctl status --failed --no-pager --lines 30; exit 1; }";
        vm.shell(&format!("{up}; sync; echo 3 > /proc/sys/vm/drop_caches"))?;
        fs::write(path.join("arguments"), &vm.kernel.arguments)?;
        hypervisor::freeze(&vm.hardware(), &path.join("memory"))?;
        vm.wait()?;
        fs::rename(&vm.disk, path.join(DISK)).context("keeping the disk")
    })
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
