//! The one command for a fresh machine, `packaging/image`: it installs what is missing, builds, and leaves an image that is proved.

use prism::{Options, Prism};
use serde_json::json;

use super::*;

/// The agent, as far as its package wants to know it.
const AGENT: &str =
    "case $1 in --version) echo agent 0.1.0;; man) echo > \"$2/agent.1\";; completions) echo;; esac";

/// A file of targets with that Prism Central in it, `mine.yml`.
fn targets(desk: &Desk, prism: &Prism) {
    fs::write(desk.path("ca.pem"), prism.authority()).unwrap();
    let paris =
        json!({"address": prism.address, "user": "builder", "password": "file:password", "ca": "ca.pem"});
    fs::write(desk.path("mine.yml"), json!({"targets": {"paris": {"nutanix": paris}}}).to_string()).unwrap();
    fs::write(desk.path("password"), Options::default().password).unwrap();
    for private in ["mine.yml", "password"] {
        fs::set_permissions(desk.path(private), fs::Permissions::from_mode(0o600)).unwrap();
    }
}

#[test]
fn a_fresh_machine_gets_what_is_missing_and_an_image_that_is_proved() {
    let (desk, prism) = (Desk::new(), Prism::start(Options::default()).unwrap());
    let (home, bin) = (desk.home.path(), desk.path("bin"));
    fs::write(desk.path("web.yml"), format!("{SPEC}firmware: bios\n")).unwrap();
    fs::remove_file(desk.path("trempe-agent_0.1.0_amd64.deb")).unwrap();
    for (name, script) in [
        ("qemu-system-x86_64", stand_in::QEMU),
        ("xorriso", stand_in::XORRISO),
        ("ssh", stand_in::SSH),
        ("dpkg-query", "echo installed nowhere"),
        ("apt-get", "echo apt-get \"$@\" >> \"$HOME/done\""),
        ("sudo", "exec \"$@\""),
        ("cargo", "echo cargo \"$@\" >> \"$HOME/done\""),
    ] {
        stand_in::program(&bin, name, script);
    }
    // What makes the disk is a stand-in, and the scripts of this repository are none.
    let bash = format!("case $1 in */bootstrap.sh) {BASH};; *) exec /bin/bash \"$@\";; esac");
    stand_in::program(&bin, "bash", &bash);
    stand_in::hardens(home);
    stand_in::audits(home, "TIER", &[]);
    let target = desk.path("target");
    let [own, agent] = ["release", "x86_64-unknown-linux-gnu/release"].map(|name| target.join(name));
    fs::create_dir_all(&own).unwrap();
    fs::create_dir_all(&agent).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_builder"), own.join("builder")).unwrap();
    stand_in::program(&agent, "agent", AGENT);

    let mut command = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging/image"));
    // Paths of the user's arguments begin where the command is given.
    targets(&desk, &prism);
    command.current_dir(home).args(["web.yml", "--emulate", "--out", "mine"]);
    command.args(["--to", "paris", "--targets", "mine.yml"]);
    command.env("PATH", format!("{}:/usr/bin:/bin:/usr/sbin:/sbin", bin.display()));
    command.env("HOME", home).env("CARGO_TARGET_DIR", &target).env("MACHINE", "");
    command.env("ACT", format!("{SEALED}; {HEADER}")).env("COUNT", desk.path("count")).env_remove("HANG");
    // HashiCorp's, which comes without plugins.
    command.env("PACKER_IS", "1.15.0");
    command.env_remove("XDG_STATE_HOME").env_remove("XDG_CONFIG_HOME");
    let output = command.output().unwrap();
    let told = format!("{}{}", String::from_utf8_lossy(&output.stdout), said(&output));
    assert_eq!(output.status.code(), Some(0), "{told}");
    let done = fs::read_to_string(desk.path("done")).unwrap();
    let done: Vec<&str> = done.lines().collect();
    assert_eq!(done[0], "apt-get -qq update");
    assert!([" install ", " mmdebstrap ", " ovmf "].iter().all(|word| done[1].contains(word)), "{done:?}");
    assert!(done[2..].iter().any(|line| line.contains("-p builder")), "{done:?}");
    for tier in ["light", "standard", "strict"] {
        let line = told.lines().find(|line| line.starts_with(tier));
        assert!(line.is_some_and(|line| line.contains("proved")), "{tier}: {told}");
    }
    for file in ["web.qcow2", "web.manifest.json", "web.verify/verify.json"] {
        assert!(desk.path("mine/web").join(file).exists(), "{file}: {told}");
    }
    assert_eq!(prism.images().len(), 1, "{told}");
}
