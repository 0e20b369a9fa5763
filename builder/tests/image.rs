//! A whole build with real programs, and what is in the image then. Needs root, a Debian mirror, and what `.ci/setup` installs; takes some
//! minutes with KVM and a quarter of an hour without.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on ends")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

const SPEC: &str = "name: plain\nos: debian12\nagent: {tier: standard, keep: [ops]}\ntargets: [nutanix]\n";

/// A program's output; the test fails when the program does.
fn run(command: &mut Command) -> String {
    let output = command.env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin").output();
    let output = output.unwrap_or_else(|error| panic!("{command:?} (see .ci/setup): {error}"));
    let [out, err] = [&output.stdout, &output.stderr].map(|said| String::from_utf8_lossy(said).into_owned());
    assert!(output.status.success(), "{command:?} ended with {}:\n{out}{err}", output.status);
    out
}

/// The package of the agent: of the binary that `TREMPE_AGENT` names, else of a debug build.
fn package(directory: &Path) -> PathBuf {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let agent = std::env::var_os("TREMPE_AGENT").map(PathBuf::from).filter(|path| path.exists());
    let agent = agent.unwrap_or_else(|| {
        let built =
            Command::new(env!("CARGO")).args(["build", "--package", "agent"]).current_dir(&checkout).status();
        assert!(built.unwrap().success());
        Path::new(env!("CARGO_BIN_EXE_builder")).with_file_name("agent")
    });
    run(Command::new(checkout.join("packaging/build")).arg(agent).arg(directory).arg("deb"));
    let mut packages = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    packages.find(|path| path.extension().is_some_and(|extension| extension == "deb")).unwrap()
}

/// The disk of an image, looked into without starting it.
struct Disk {
    raw: PathBuf,
    /// Name and first byte of each partition.
    partitions: Vec<(String, u64)>,
}

impl Disk {
    fn open(image: &Path, raw: PathBuf) -> Disk {
        run(Command::new("qemu-img").args(["convert", "-O", "raw"]).arg(image).arg(&raw));
        let table: Value =
            serde_json::from_str(&run(Command::new("sfdisk").arg("--json").arg(&raw))).unwrap();
        let partition = |entry: &Value| {
            (entry["name"].as_str().unwrap().to_owned(), entry["start"].as_u64().unwrap() * 512)
        };
        let partitions =
            table["partitiontable"]["partitions"].as_array().unwrap().iter().map(partition).collect();
        Disk { raw, partitions }
    }

    fn offset(&self, name: &str) -> u64 {
        self.partitions.iter().find(|(found, _)| found == name).unwrap().1
    }

    /// What debugfs says to a request about a file system.
    fn ask(&self, name: &str, request: &str) -> String {
        let place = format!("{}?offset={}", self.raw.display(), self.offset(name));
        run(Command::new("debugfs").args(["-R", request, &place]))
    }
}

/// How this machine's apt judges its mirror: a machine that installs what its tier wants must do the same.
fn user_data(path: &Path) {
    let all = run(Command::new("apt-config").arg("dump"));
    let ours =
        |line: &&str| ["Acquire::Check-", "Acquire::http::Proxy"].iter().any(|name| line.starts_with(name));
    let settings: String = all.lines().filter(ours).map(|line| format!("{line}\n")).collect();
    let file = serde_json::json!({"path": "/etc/apt/apt.conf.d/90mirror", "content": settings});
    fs::write(path, format!("#cloud-config\nwrite_files: [{file}]\n")).unwrap();
}

/// Machines of the image harden themselves: on both firmwares and disk controllers, with both kinds of seed.
fn verify_at_its_tiers(image: &Path, user_data: &Path) {
    let digest = || run(Command::new("sha256sum").arg(image));
    let before = digest();
    for choices in [
        ["--tier=light", "--firmware=both", "--seed=nocloud", "--disk=virtio-scsi"],
        ["--tier=standard", "--firmware=uefi", "--seed=configdrive", "--disk=virtio-blk"],
    ] {
        let mut verify = Command::new(env!("CARGO_BIN_EXE_builder"));
        verify.args(["verify", "--format", "json", "--user-data"]).arg(user_data).args(choices);
        let record: Value = serde_json::from_str(&run(verify.arg(image))).unwrap();
        for proof in record["proofs"].as_array().unwrap() {
            assert_eq!(proof["outcome"], "proved", "{proof:#}");
            let name = format!(
                "audit-{}-{}.json",
                proof["tier"].as_str().unwrap(),
                proof["firmware"].as_str().unwrap()
            );
            let audit: Value =
                serde_json::from_slice(&fs::read(image.with_extension("verify").join(name)).unwrap())
                    .unwrap();
            assert_eq!(audit["policy"]["tier"], proof["tier"]);
        }
    }
    assert_eq!(digest(), before, "a verification wrote to the image");
}

#[test]
fn a_debian_image_is_plain_sealed_and_proved_matrix() {
    let scratch = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let at = |name: &str| scratch.path().join(name);
    fs::write(at("plain.yml"), SPEC).unwrap();
    fs::create_dir(at("package")).unwrap();
    let package = package(&at("package"));
    let mut build = Command::new(env!("CARGO_BIN_EXE_builder"));
    build
        .args(["build", "--no-verify", "--format", "json", "--out"])
        .arg(at("images"))
        .arg("--agent-package")
        .arg(&package);
    let manifest: Value = serde_json::from_str(&run(build.arg(at("plain.yml")))).unwrap();
    let packages = manifest["image"]["packages"].as_array().unwrap();
    let listed = |name: &str| packages.iter().any(|package| package[0] == name);
    assert!(listed("trempe-agent") && listed("cloud-init") && listed("telnet"));

    let image = at("images/plain/plain.qcow2");
    run(Command::new("qemu-img").arg("check").arg(&image));
    let disk = Disk::open(&image, at("raw"));
    for (name, _) in disk.partitions.iter().filter(|(name, _)| !["bios", "efi"].contains(&name.as_str())) {
        let place = format!("{}?offset={}", disk.raw.display(), disk.offset(name));
        run(Command::new("e2fsck").args(["-f", "-n", &place]));
    }
    let passwd = disk.ask("root", "cat /etc/passwd");
    assert!(passwd.starts_with("root:") && !passwd.contains("trempe-build"), "{passwd}");
    assert!(disk.ask("root", "stat /etc/machine-id").contains("Size: 0"));
    assert!(!disk.ask("root", "ls /etc/ssh").contains("ssh_host_"));
    assert!(!disk.ask("root", "ls /root").contains("trempe"));
    assert!(!disk.ask("home", "ls /").contains("trempe-build"));
    assert!(disk.ask("root", "cat /etc/trempe/agent.yml").contains("tier: standard"));
    assert!(!disk.ask("var", "ls /lib").contains("trempe"), "the machine that built it was hardened");
    let cloud = disk.ask("root", "cat /etc/cloud/cloud.cfg.d/90-trempe-image.cfg");
    assert!(cloud.contains("datasource_list: [ ConfigDrive, NoCloud, None ]"), "{cloud}");
    assert!(!disk.ask("var", "ls /lib/cloud").contains("instances"));
    assert!(disk.ask("boot", "cat /grub/grub.cfg").contains("menuentry"));
    let esp = format!("{}@@{}", disk.raw.display(), disk.offset("efi"));
    assert!(run(Command::new("mdir").args(["-b", "-i", &esp, "::/EFI/BOOT"])).contains("BOOTX64.EFI"));
    user_data(&at("site.yml"));
    verify_at_its_tiers(&image, &at("site.yml"));
}
