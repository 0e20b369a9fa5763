//! Builds that begin with a file from elsewhere: an installer's disc, a disk image.

use sha2::{Digest, Sha256, Sha512};

use super::*;

/// What stands in for Packer is told which medium it gets.
const KEEPS: &str = "for word; do case $word in iso_url=*) cat \"${word#iso_url=}\" > $COUNT.medium;; esac; done; ls > $COUNT.files;";

/// A desk with a disc on it, and a specification that names it by its digest.
fn desk(os: &str, source: &str, checksum: &str) -> Desk {
    let desk = Desk::new();
    fs::create_dir(desk.path("media")).unwrap();
    fs::write(desk.path("media/a.iso"), "a disc").unwrap();
    let url = if source == "iso" { "media/a.iso" } else { "media/../media/a.iso" };
    let text = format!(
        "name: web\nos: {os}\nfirmware: bios\nsource: {{{source}: {{url: {url}, checksum: '{checksum}'}}}}\n"
    );
    fs::write(desk.path("web.yml"), text).unwrap();
    desk
}

fn sha256(text: &str) -> String {
    format!("sha256:{}", Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}

fn sha512(text: &str) -> String {
    format!("sha512:{}", Sha512::digest(text).iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}

#[test]
fn an_image_is_made_from_a_disc_or_from_another_image() {
    let cases = [
        ("rhel9", "iso", sha256("a disc"), "install", "trempe-agent.rpm"),
        ("debian12", "iso", sha512("a disc"), "install", "trempe-agent.deb"),
        ("rocky9", "image", sha256("a disc"), "provision", "trempe-agent.rpm"),
    ];
    for (os, source, checksum, stage, package) in cases {
        let desk = desk(os, source, &checksum);
        // Nothing of a bootstrap is needed.
        for program in ["mmdebstrap", "sfdisk", "mke2fs", "mkfs.vfat", "mcopy"] {
            fs::remove_file(desk.path("bin").join(program)).unwrap();
        }
        let built = desk.build(&format!("{KEEPS} {SEALED}"), &[]);
        assert!(built.status.success(), "{}", said(&built));
        let manifest: serde_json::Value = serde_json::from_slice(&built.stdout).unwrap();
        assert_eq!((&manifest["source"], &manifest["source_checksum"]), (&source.into(), &checksum.into()));
        let stages: Vec<_> =
            manifest["stages"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect();
        assert_eq!(stages, ["checksum", "prepare", stage, "finish"]);
        assert!(manifest["tools"].get("mmdebstrap").is_none());
        assert_eq!(manifest["agent"]["version"], "0.1.0");
        assert_eq!(fs::read_to_string(desk.path("count.medium")).unwrap(), "a disc");
        assert!(fs::read_to_string(desk.path("count.files")).unwrap().contains(package));
        assert!(desk.work().is_empty());
        let again = desk.build("exit 9", &[]);
        assert!(said(&again).contains("nothing has changed"), "{}", said(&again));
    }
}

#[test]
fn what_is_built_already_needs_no_room() {
    let desk = desk("rocky9", "image", &sha256("a disc"));
    assert!(desk.build(SEALED, &[]).status.success());
    // More than any disk has.
    fs::OpenOptions::new().write(true).open(desk.path("media/a.iso")).unwrap().set_len(8 << 40).unwrap();
    let again = desk.build("exit 9", &[]);
    assert!(said(&again).contains("nothing has changed"), "{}", said(&again));
    let anew = desk.build("exit 9", &["--fresh"]);
    assert!(said(&anew).contains("MiB are free, a build takes"), "{}", said(&anew));
    assert!(desk.work().is_empty());
}

#[test]
fn a_medium_that_is_another_one_is_refused_before_anything_runs() {
    let wrong = desk("rhel9", "iso", &sha256("another disc"));
    let output = wrong.build("touch $COUNT.ran", &[]);
    assert_eq!(output.status.code(), Some(1));
    let text = said(&output);
    assert!(text.contains(&sha256("a disc")) && text.contains(&sha256("another disc")), "{text}");
    fs::remove_file(wrong.path("media/a.iso")).unwrap();
    assert!(said(&wrong.build("touch $COUNT.ran", &[])).contains("media/a.iso"));
    assert!(!wrong.path("count.ran").exists() && wrong.work().is_empty());
}

#[test]
fn an_address_is_left_to_packer_which_keeps_what_it_fetched() {
    // An image and not a disc, which would want more room than a machine of tests may have.
    let desk = desk("rocky9", "image", &sha256("a disc"));
    let text = fs::read_to_string(desk.path("web.yml")).unwrap();
    fs::write(desk.path("web.yml"), text.replace("media/../media/a.iso", "http://127.0.0.1:9/a.img"))
        .unwrap();
    let built = desk.build(&format!("echo $PACKER_CACHE_DIR > $COUNT.cache; {KEEPS} {SEALED}"), &[]);
    assert!(built.status.success(), "{}", said(&built));
    assert!(!desk.path("count.medium").exists());
    assert!(
        fs::read_to_string(desk.path("count.cache")).unwrap().trim().ends_with("images/.builder/fetched")
    );
}

#[test]
fn an_installer_that_has_failed_ends_the_build_at_once() {
    let desk = desk("rhel9", "iso", &sha256("a disc"));
    let act = "echo '+ dracut --force' > $log; echo 'no room left' >> $log; echo 'trempe: the installer failed' >> $log; echo 'a traceback' >> $log; sleep 300 & trap 'kill $!; exit 1' TERM; wait";
    let begun = Instant::now();
    let output = desk.build(act, &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(begun.elapsed() < Duration::from_secs(60));
    for words in ["the installer failed", "no room left", "a traceback"] {
        assert!(said(&output).contains(words), "{words}: {}", said(&output));
    }
    assert!(desk.path("images/web/logs/guest.log").exists() && desk.work().is_empty());
}
