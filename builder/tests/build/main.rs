//! How a build is led: what it leaves, what it uses again, what it says when something fails, and that nothing is left when it is ended.
//! The programs that make disks, images and machines are small scripts here, so little but a shell and `setpriv` is needed.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on ends")]

mod ended;
mod fresh;
mod proved;
mod secrets;
mod sources;
#[path = "../stand_in/mod.rs"]
mod stand_in;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

const SPEC: &str = "name: web\nos: debian12\nagent: {tier: light}\n";
/// Of a system that is installed from a disc; the source is to be added.
const RHEL: &str = "name: web\nos: rhel9\nfirmware: bios\n";
/// Makes what bootstrap.sh makes.
const BASH: &str = "echo 'I: installing'; echo made >> \"$COUNT\"; echo disk > \"$2\"; echo kernel > \"$(dirname \"$2\")/kernel\"";
const QEMU_IMG: &str = "[ \"$1 $2\" = 'check -q' ] || case $1 in check) exit 1;; info) echo '{\"virtual-size\": 21474836480, \"format\": \"qcow2\", \"format-specific\": {\"data\": {\"compat\": \"1.1\"}}}';; --version) echo qemu-img 7.2;; esac";
/// Does what `$ACT` says when it is to build.
const PACKER: &str = r#"
[ "$1" = version ] && { echo "Packer v${PACKER_IS:-1.6.6}"; exit; }
[ "$1" = plugins ] && { [ "$2" != install ] || echo "/p/$3/packer-plugin-qemu_v1.1.4_x5.0_linux_amd64" > "$COUNT.plugins"; cat "$COUNT.plugins"; exit; }
for word; do case $word in guest_log=*) log=${word#guest_log=};; esac; done
echo "==> qemu.image: Waiting for SSH to become available..."
eval "$ACT"
"#;
/// Hangs with a child, both of which end when they are asked to.
const HANG: &str = "{ trap 'kill $!; exit 1' TERM; sleep 300 & echo $$ $! > \"$PIDS\"; wait; }";
/// Makes of `output/web.qcow2` an image that targets take: it has the header of one.
const HEADER: &str = "printf 'QFI\\373\\0\\0\\0\\003' > output/web.qcow2; head -c 16 /dev/zero >> output/web.qcow2; \
                      printf '\\0\\0\\0\\005\\0\\0\\0\\0' >> output/web.qcow2; head -c 4096 /dev/zero >> output/web.qcow2";
const SEALED: &str = "mkdir output; echo image > output/web.qcow2; printf 'base\\t1\\tamd64\\n' > packages.tsv; echo 'trempe: sealed' > $log";

/// A directory with a specification, a package and programs.
struct Desk {
    home: TempDir,
}

impl Desk {
    fn new() -> Desk {
        let desk = Desk { home: tempfile::tempdir().unwrap() };
        fs::write(desk.path("web.yml"), SPEC).unwrap();
        for package in ["trempe-agent_0.1.0_amd64.deb", "trempe-agent-0.1.0.x86_64.rpm"] {
            fs::write(desk.path(package), "package").unwrap();
        }
        fs::create_dir(desk.path("bin")).unwrap();
        let own =
            [("bash", BASH), ("ssh-keygen", stand_in::KEYGEN), ("qemu-img", QEMU_IMG), ("packer", PACKER)];
        let other = ["qemu-system-x86_64", "mmdebstrap", "sfdisk", "mke2fs", "mkfs.vfat", "mcopy", "xorriso"];
        for (name, script) in own.into_iter().chain(other.map(|name| (name, "echo 1"))) {
            let script =
                format!("case $1 in *version) ;; *) [ \"$HANG\" != {name} ] || {HANG};; esac\n{script}");
            stand_in::program(&desk.path("bin"), name, &script);
        }
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn command(&self, act: &str, arguments: &[&str]) -> Command {
        let mut command = self.proving(act);
        command.args(["--no-verify", "--format", "json"]).args(arguments);
        command
    }

    /// A build that also proves the image.
    fn proving(&self, act: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_builder"));
        command.current_dir(self.home.path()).args(["build", "web.yml", "--emulate"]);
        let path = format!("{}:/usr/bin:/bin:/usr/sbin:/sbin", self.path("bin").display());
        command.env("PATH", path).env("ACT", act).env("COUNT", self.path("count"));
        command.env("PIDS", self.path("pids")).env_remove("HANG");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn build(&self, act: &str, arguments: &[&str]) -> Output {
        self.command(act, arguments).output().unwrap()
    }

    /// How many times a disk was made.
    fn disks(&self) -> usize {
        fs::read_to_string(self.path("count")).unwrap_or_default().lines().count()
    }

    /// What is left of builds that run.
    fn work(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.path("images/.builder")).into_iter().flatten().flatten();
        entries
            .map(|entry| entry.path())
            .filter(|path| path.is_dir() && path.to_string_lossy().contains("work~"))
            .collect()
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Waits until a file is there, and gives its text.
fn wait_for(path: &Path) -> String {
    let begun = Instant::now();
    loop {
        let text = fs::read_to_string(path).unwrap_or_default();
        if text.ends_with('\n') {
            return text;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{} does not come", path.display());
        sleep(Duration::from_millis(20));
    }
}

/// Whether a process of that number still does something.
fn alive(pid: &str) -> bool {
    fs::read_to_string(format!("/proc/{}/stat", pid.trim())).is_ok_and(|stat| !stat.contains(") Z "))
}

fn gone(pid: &str) {
    let begun = Instant::now();
    while alive(pid) {
        assert!(begun.elapsed() < Duration::from_secs(60), "process {pid} is left");
        sleep(Duration::from_millis(20));
    }
}

fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args(["-s", name, &child.id().to_string()]).status().unwrap().success());
}

#[test]
fn an_image_is_built_once_and_again_as_far_as_something_changed() {
    let desk = Desk::new();
    let first = desk.build(SEALED, &[]);
    assert!(first.status.success(), "{}", said(&first));
    let manifest: serde_json::Value = serde_json::from_slice(&first.stdout).unwrap();
    assert_eq!(manifest["image"]["virtual_size"], 20_u64 << 30);
    assert_eq!(manifest["image"]["packages"][0], serde_json::json!(["base", "1", "amd64"]));
    assert_eq!((&manifest["tier"], &manifest["agent"]["version"]), (&"light".into(), &"0.1.0".into()));
    assert_eq!(fs::read_to_string(desk.path("images/web/web.qcow2")).unwrap(), "image\n");
    assert_eq!(fs::read(desk.path("images/web/web.manifest.json")).unwrap(), first.stdout);
    assert!(desk.path("images/web/logs/guest.log").exists());
    assert!(desk.work().is_empty());

    let again = desk.build("exit 9", &[]);
    assert!(again.status.success() && said(&again).contains("nothing has changed"), "{}", said(&again));
    assert_eq!(again.stdout, first.stdout);

    fs::write(desk.path("trempe-agent_0.1.0_amd64.deb"), "another").unwrap();
    let changed = desk.build(SEALED, &[]);
    assert!(said(&changed).contains("bootstrap: unchanged, used again"), "{}", said(&changed));
    assert_eq!(desk.disks(), 1);
    fs::write(desk.path("images/web/web.qcow2"), "spoilt").unwrap();
    assert!(!said(&desk.build(SEALED, &[])).contains("nothing has changed"));
    assert!(desk.build(SEALED, &["--fresh"]).status.success());
    assert_eq!(desk.disks(), 2);
}

#[test]
fn disks_that_are_too_old_to_be_used_again_go() {
    let desk = Desk::new();
    assert!(desk.build(SEALED, &[]).status.success());
    let own = desk.path("images/.builder");
    let day = Duration::from_secs(24 * 60 * 60);
    for (name, days) in [("bootstrap-0123456789abcdef", 6), ("bootstrap-fedcba9876543210", 9)] {
        fs::create_dir(own.join(name)).unwrap();
        let disk = fs::File::create(own.join(name).join("disk.raw")).unwrap();
        disk.set_modified(std::time::SystemTime::now() - day * days).unwrap();
    }
    assert!(desk.build(SEALED, &["--fresh"]).status.success());
    let kept = fs::read_dir(&own).unwrap().flatten().map(|entry| entry.file_name().into_string().unwrap());
    let kept: Vec<String> = kept.filter(|name| name.starts_with("bootstrap-")).collect();
    assert_eq!(kept.len(), 2, "{kept:?}");
    assert!(!kept.iter().any(|name| name.ends_with("fedcba9876543210")), "{kept:?}");
}

#[test]
fn what_went_wrong_is_quoted_and_nothing_half_made_is_left() {
    let cases = [
        (
            "echo 'trempe: provisioning failed at line 9' > $log; echo Timeout >&2; exit 1",
            ["provisioning failed at line 9", "Timeout"],
        ),
        (
            "mkdir output; echo x > output/web.qcow2; echo '+ userdel' > $log",
            ["without having been sealed", "+ userdel"],
        ),
        ("exit 1", ["said nothing over its serial port", "packer ended with exit status: 1"]),
    ];
    for (act, expected) in cases {
        let desk = Desk::new();
        let output = desk.build(act, &[]);
        assert_eq!(output.status.code(), Some(1));
        for words in expected {
            assert!(said(&output).contains(words), "{words}: {}", said(&output));
        }
        assert!(!desk.path("images/web/web.qcow2").exists() && desk.work().is_empty());
        assert!(desk.path("images/web/logs/packer.log").exists());
    }
}

#[test]
fn what_is_missing_is_told_before_anything_is_done() {
    let desk = Desk::new();
    fs::remove_file(desk.path("trempe-agent_0.1.0_amd64.deb")).unwrap();
    let output = desk.build(SEALED, &[]);
    assert!(said(&output).contains("build one with packaging/build"), "{}", said(&output));
    assert!(!desk.path("images/web").exists());
}

#[test]
fn a_packer_with_plugins_apart_is_asked_for_the_one_of_qemu() {
    let desk = Desk::new();
    let build = || desk.command(SEALED, &[]).env("PACKER_IS", "1.15.0").output().unwrap();
    let missed = build();
    assert_eq!(missed.status.code(), Some(1));
    let remedy = "packer plugins install github.com/hashicorp/qemu";
    assert!(said(&missed).contains(remedy), "{}", said(&missed));
    assert!(!desk.path("images/web").exists() && desk.disks() == 0);
    // An older one does not know all that the template says.
    for (version, good) in [("1.0.9", false), ("1.1.4", true)] {
        let path = format!("/p/github.com/hashicorp/qemu/packer-plugin-qemu_v{version}_x5.0_linux_amd64\n");
        fs::write(desk.path("count.plugins"), path).unwrap();
        let built = build();
        assert_eq!(built.status.success(), good, "{version}: {}", said(&built));
        assert_eq!(said(&built).contains(remedy), !good, "{version}: {}", said(&built));
    }
}
