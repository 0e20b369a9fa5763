//! The rendered template, run by a real Packer: a machine that a vCenter installs from a disc becomes a template, or an item of a library. What the
//! simulator cannot do is left out: keys that are typed, and a machine that one can log in to.

use super::*;

/// The template without what is typed and what is done in the machine.
fn without_a_guest(template: &str) -> String {
    let (before, rest) = template.split_once("  boot_command = [").unwrap();
    let (_, after) = rest.split_once("\n  ]\n").unwrap();
    let (settings, build) = after.split_once("build {").unwrap();
    let sources = build.lines().find(|line| line.trim_start().starts_with("sources")).unwrap();
    let settings = settings.replace("\"ssh\"", "\"none\"");
    format!("{before}{settings}build {{\n{sources}\n}}\n")
}

#[test]
fn packer_leaves_a_template_or_an_item_of_a_library() {
    let desk = Desk::new();
    let center = Vcenter::start(&desk, "env:PASSWORD");
    fs::write(desk.path("disc.iso"), "a disc").unwrap();
    let digest = run(Command::new("sha256sum").arg(desk.path("disc.iso")));
    let digest = digest.split_whitespace().next().unwrap();
    let spec = format!(
        "name: made\nos: rhel9\nsource: {{iso: {{url: '{}', checksum: 'sha256:{digest}'}}}}\ntargets: [vsphere]\n",
        desk.path("disc.iso").display()
    );
    fs::write(desk.path("made.yml"), spec).unwrap();
    let rendered = desk.run(&["render", "made.yml", "--out", "rendered"]);
    assert!(rendered.status.success(), "{}", said(&rendered));
    let directory = desk.path("rendered/vsphere");
    let template = directory.join("image.pkr.hcl");
    fs::write(&template, without_a_guest(&fs::read_to_string(&template).unwrap())).unwrap();

    for library in ["", "templates"] {
        let mut packer = Command::new("packer");
        packer.current_dir(&directory).env("CHECKPOINT_DISABLE", "1").env("HOME", desk.home.path());
        packer.env("PKR_VAR_vcenter_user", "builder").env("PKR_VAR_vcenter_password", PASSWORD);
        packer.env("SSL_CERT_FILE", desk.path("ca.pem")).args(["build", "-color=false"]);
        for (name, value) in [
            ("vcenter_server", center.address.as_str()),
            ("cluster", "DC0_C0"),
            ("datastore", "LocalDS_0"),
            ("network", "VM Network"),
            ("content_library", library),
        ] {
            packer.args(["-var", &format!("{name}={value}")]);
        }
        let child = packer.arg(".").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let off = center.tell("off made");
        let done = child.wait_with_output().unwrap();
        assert!(off == "off" && done.status.success(), "{library:?}: {off}: {}", said(&done));
        let items: Vec<_> = center.items().into_iter().map(|(name, ..)| name).collect();
        match library {
            "" => {
                assert_eq!((center.tell("about made").as_str(), items), ("template", vec![]));
                // The name is free for the next one.
                assert_eq!(center.tell("remove made"), "removed");
            }
            _ => {
                // As an item of type OVF; the machine has gone.
                assert_eq!(center.tell("about made"), "gone");
                assert_eq!(items, ["made"]);
            }
        }
        assert!(!said(&done).contains(PASSWORD));
    }
}
