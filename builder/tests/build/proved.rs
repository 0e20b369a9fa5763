//! From the specification to the target in one command: an image is proved before it goes anywhere, and what is not proved goes nowhere.

use prism::{Options, Prism};
use serde_json::{Value, json};

use super::*;

/// A desk with machines to prove an image on, and a Prism Central to send it to.
struct Chain {
    desk: Desk,
    prism: Prism,
}

impl Chain {
    fn new(firmware: &str) -> Chain {
        let chain = Chain { desk: Desk::new(), prism: Prism::start(Options::default()).unwrap() };
        let (desk, home) = (&chain.desk, chain.desk.home.path());
        fs::write(desk.path("web.yml"), format!("{SPEC}firmware: {firmware}\n")).unwrap();
        for (name, script) in
            [("qemu-system-x86_64", stand_in::QEMU), ("xorriso", stand_in::XORRISO), ("ssh", stand_in::SSH)]
        {
            stand_in::program(&desk.path("bin"), name, script);
        }
        stand_in::hardens(home);
        stand_in::audits(home, "TIER", &[]);
        fs::write(desk.path("ca.pem"), chain.prism.authority()).unwrap();
        let target = json!({"address": chain.prism.address, "user": "builder", "password": "env:PRISM", "ca": "ca.pem"});
        fs::write(desk.path("targets.yml"), json!({"targets": {"paris": {"nutanix": target}}}).to_string())
            .unwrap();
        fs::set_permissions(desk.path("targets.yml"), fs::Permissions::from_mode(0o600)).unwrap();
        chain
    }

    fn run(&self, act: &str, arguments: &[&str]) -> Output {
        let mut command = self.desk.proving(act);
        command.args(["--to", "paris", "--targets", "targets.yml"]).args(arguments);
        command.env("PRISM", Options::default().password).env("MACHINE", "");
        command.env("HOME", self.desk.home.path()).env_remove("XDG_CONFIG_HOME").env_remove("XDG_STATE_HOME");
        command.output().unwrap()
    }

    fn machines(&self) -> String {
        fs::read_to_string(self.desk.path("machines")).unwrap_or_default()
    }

    /// That nothing was sent to the target, be it for a moment.
    fn nothing_went(&self, output: &Output) {
        let changes: Vec<_> =
            self.prism.seen().into_iter().filter(|it| !["GET", "OPTIONS"].contains(&&*it.method)).collect();
        assert!(changes.is_empty() && self.prism.images().is_empty(), "{changes:?} {}", said(output));
    }
}

fn act() -> String {
    format!("{SEALED}; {HEADER}")
}

#[test]
fn an_image_is_built_proved_at_each_tier_and_sent() {
    let chain = Chain::new("bios");
    let first = chain.run(&act(), &["--format", "json"]);
    assert_eq!(first.status.code(), Some(0), "{}", said(&first));
    let parts: Vec<Value> =
        serde_json::Deserializer::from_slice(&first.stdout).into_iter().collect::<Result<_, _>>().unwrap();
    let [manifest, record, sent] = parts.as_slice() else { panic!("{parts:#?}") };
    let proofs: Vec<_> = record["proofs"].as_array().unwrap().iter().collect();
    let told: Vec<_> = proofs.iter().map(|it| (it["tier"].as_str(), it["outcome"].as_str())).collect();
    let proved = Some("proved");
    assert_eq!(told, [(Some("light"), proved), (Some("standard"), proved), (Some("strict"), proved)]);
    assert_eq!(sent["targets"][0]["result"], "uploaded");
    for part in [&manifest["image"]["sha256"], &record["image_sha256"], &sent["image"]["sha256"]] {
        assert_eq!(part.as_str().unwrap(), chain.prism.images()[0].sha256, "{parts:#?}");
    }
    assert!(chain.desk.path("images/web/web.verify/verify.json").exists());

    // Once more: nothing is built, proved or sent again.
    let again = chain.run("exit 9", &[]);
    assert_eq!(again.status.code(), Some(0), "{}", said(&again));
    let told = String::from_utf8_lossy(&again.stdout).into_owned();
    assert!(told.contains("proved, emulated, unchanged") && told.contains("there already"), "{told}");
    assert_eq!((chain.machines().lines().count(), chain.prism.images().len()), (3, 1));
}

#[test]
fn what_is_not_proved_goes_nowhere() {
    // A rule fails that should not; nobody gets in, so nothing can be judged.
    for (code, locked, failing) in [(2, "", &["sshd_set_idle_timeout"][..]), (1, "nosudo", &[])] {
        let chain = Chain::new("bios");
        stand_in::audits(chain.desk.home.path(), "TIER", failing);
        if !locked.is_empty() {
            fs::write(chain.desk.path(locked), "").unwrap();
        }
        let refused = chain.run(&act(), &[]);
        assert_eq!(refused.status.code(), Some(code), "{}", said(&refused));
        chain.nothing_went(&refused);
        // The image stays, to be looked at.
        assert!(chain.desk.path("images/web/web.qcow2").exists());
        // A machine that nobody gets into may be switched off before it notes that it was switched on.
        let before = chain.machines().lines().count();
        assert!((1..=3).contains(&before), "{}", chain.machines());

        // Mended: what was built is proved then, and goes.
        stand_in::audits(chain.desk.home.path(), "TIER", &[]);
        let _ = fs::remove_file(chain.desk.path("nosudo"));
        let sent = chain.run("exit 9", &[]);
        assert_eq!(sent.status.code(), Some(0), "{}", said(&sent));
        assert_eq!((chain.machines().lines().count(), chain.prism.images().len()), (before + 3, 1));
    }
}

#[test]
fn what_the_proof_needs_is_missed_before_anything_is_built() {
    let chain = Chain::new("both");
    let own = chain.desk.path(".config/qemu/firmware");
    fs::create_dir_all(&own).unwrap();
    // An empty file of the user's hides the system's descriptor of that name.
    for directory in ["/usr/share/qemu/firmware", "/etc/qemu/firmware"] {
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            fs::write(own.join(entry.file_name()), "").unwrap();
        }
    }
    let missed = chain.run(&act(), &[]);
    assert_eq!(missed.status.code(), Some(1), "{}", said(&missed));
    assert!(said(&missed).contains("no firmware for uefi is here"), "{}", said(&missed));
    assert!(!chain.desk.path("images").exists() && chain.prism.seen().is_empty());
    // Without a proof BIOS is enough: the machine that builds has no other.
    assert_eq!(chain.run(&act(), &["--no-verify"]).status.code(), Some(0));

    let descriptor = json!({
        "interface-types": ["uefi"], "features": [], "targets": [{"architecture": "x86_64", "machines": ["pc-q35-*"]}],
        "mapping": {"device": "flash", "executable": {"filename": chain.desk.path("code"), "format": "raw"},
                    "nvram-template": {"filename": chain.desk.path("variables"), "format": "raw"}},
    });
    fs::write(own.join("99-own.json"), descriptor.to_string()).unwrap();
    fs::write(chain.desk.path("variables"), "").unwrap();
    let proved = chain.run(&act(), &[]);
    assert_eq!(proved.status.code(), Some(0), "{}", said(&proved));
    assert_eq!(chain.machines().matches("unit=1,format=raw,file=").count(), 3, "{}", chain.machines());
}
