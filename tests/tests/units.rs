//! The units of the first boot order themselves into every boot without a cycle: the judge is `systemd-analyze verify`, the boots are
//! those of Debian 12 and 13 as installed, and of Red Hat's 9 and 10, whose units are in `tests/lab/units`.
//!
//! Needs root.

use anyhow::{Result, ensure};
use e2e::cache;
use e2e::command::Program;
use e2e::image::package;
use e2e::machine::Machine;
use e2e::root::{Copy, Root};

/// A daemon for each connection, as OpenSSH has it, under Debian's name and under Red Hat's.
const SOCKET: &str = "for name in ssh sshd; do \
    printf '[Socket]\nListenStream=22\nAccept=yes\n[Install]\nWantedBy=sockets.target\n' > /etc/systemd/system/$name.socket; \
    printf '[Unit]\nAfter=auditd.service\n[Service]\nExecStart=-/usr/sbin/sshd -i\nStandardInput=socket\n' > /etc/systemd/system/$name@.service; \
    done; systemctl --no-reload enable $OWN.socket 2>&1";
/// The guest tools, with the order that Debian's and Red Hat's packages give them.
const TOOLS: &str = "for name in open-vm-tools vmtoolsd; do \
    printf '[Unit]\nDefaultDependencies=no\nBefore=cloud-init-local.service\nAfter=systemd-remount-fs.service systemd-tmpfiles-setup.service systemd-modules-load.service\nRequiresMountsFor=/tmp\n\
    [Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n' > /etc/systemd/system/$name.service; \
    systemctl --no-reload enable $name.service 2>&1; done";

/// What a boot may have beside.
const EXTRAS: [(&str, &str); 4] = [
    ("nothing more", ":"),
    ("ssh by its socket", SOCKET),
    ("open-vm-tools", TOOLS),
    (
        "/tmp and /var apart",
        "for name in tmp var; do printf '[Unit]\nBefore=local-fs.target\n[Mount]\nWhat=/dev/disk/by-label/%s\nWhere=/%s\n\
         [Install]\nRequiredBy=local-fs.target\n' $name $name > /etc/systemd/system/$name.mount; done; \
         systemctl --no-reload enable tmp.mount var.mount 2>&1",
    ),
];

/// The units of cloud-init are pulled in by its generator, which runs at boot alone.
const PULL_IN: &str = "mkdir -p /etc/systemd/system/multi-user.target.wants; \
    ln -sf /lib/systemd/system/cloud-init.target /etc/systemd/system/multi-user.target.wants/; ";

/// What systemd says of the order of a boot with this script run first; empty when there is nothing to say.
fn complaints(copy: &Copy, script: &str) -> Result<String> {
    let judge = "systemd-analyze verify --man=no default.target cloud-init.target trempe-cloud-init.service trempe-firstboot.service \
                 trempe-provisioned.service trempe-drift.service trempe-drift.timer ssh@0.service sshd@0.service 2>&1 | grep -iE 'cycle|trempe|deleted' || :";
    let undo = "cp -a /etc/systemd/system /run/lab/before; trap 'rm -rf /etc/systemd/system; mv /run/lab/before /etc/systemd/system' EXIT";
    copy.shell(&format!("{undo}\n{PULL_IN}\n{{ {script}\n}} > /dev/null 2>&1\n{judge}"))
}

fn installed(root: &str) -> Result<Copy> {
    let copy = Root::named(root)?.copy()?;
    let (_directory, deb) = package("deb")?;
    let deb = copy.lend(&deb, "agent.deb")?;
    copy.program(&["dpkg", "--install", &deb]).run()?;
    Ok(copy)
}

/// Puts the units of another distribution in the place of Debian's.
fn variant(copy: &Copy, name: &str) -> Result<String> {
    let from = cache::checkout().join("tests/lab/units").join(name);
    let mut script = "mask() { ln -sf /dev/null /etc/systemd/system/$1; }; mask ssh.service; mask cloud-init.service; mask cloud-init-network.service; "
        .to_owned();
    for file in std::fs::read_dir(from)? {
        let file = file?;
        let unit = file.file_name().to_string_lossy().into_owned();
        let lent = copy.lend(&file.path(), &unit)?;
        script.push_str(&format!("rm -f /etc/systemd/system/{unit}; cp {lent} /etc/systemd/system/{unit}; "));
    }
    Ok(script
        + "systemctl --no-reload enable cloud-init-local cloud-config cloud-final sshd 2>&1; \
                 for unit in cloud-init cloud-init-network cloud-init-main; do \
                 [ ! -s /etc/systemd/system/$unit.service ] || systemctl --no-reload enable $unit 2>&1; done")
}

/// No complaint with any extra, nor with all of them together; and the judge is worth something: units ordered the obvious way do
/// get a cycle.
fn judge(copy: &Copy, name: &str, before: &str) -> Result<()> {
    let own = if name.starts_with("el") { "OWN=sshd" } else { "OWN=ssh" };
    let all = EXTRAS.map(|(_, script)| script).join("\n");
    for (extra, script) in EXTRAS.into_iter().chain([("all of it", all.as_str())]) {
        let said = complaints(copy, &format!("{own}\n{before}\n{script}"))?;
        ensure!(said.is_empty(), "{name} with {extra}: {said}");
        let wrong = "mkdir -p /etc/systemd/system/trempe-firstboot.service.d; \
                     printf '[Unit]\nAfter=multi-user.target\n' > /etc/systemd/system/trempe-firstboot.service.d/wrong.conf";
        let said = complaints(copy, &format!("{own}\n{before}\n{script}\n{wrong}"))?;
        ensure!(said.contains("cycle"), "{name} with {extra}: systemd found nothing wrong with it: {said:?}");
    }
    Ok(())
}

#[test]
fn no_boot_of_debian_gets_a_cycle() -> Result<()> {
    for root in ["debian12", "debian13"] {
        judge(&installed(root)?, root, ":")?;
    }
    Ok(())
}

#[test]
fn no_boot_of_red_hats_family_gets_a_cycle() -> Result<()> {
    let copy = installed("debian12")?;
    for name in ["el9", "el10"] {
        let script = variant(&copy, name)?;
        judge(&copy, name, &script)?;
    }
    Ok(())
}

/// Packages of cloud-init that have nothing in them but a version, and `installed NAME PACKAGE...`: what is left in the place of the
/// order before sshd when they are installed one after the other.
const OLD_AND_NEW: &str = r#"
cd "$0"
for version in 22.1 24.4; do
    printf 'Name: cloud-init\nVersion: %s\nRelease: 1\nSummary: s\nLicense: l\nBuildArch: noarch\n%%description\nd\n%%files\n' $version > $version.spec
    rpmbuild --quiet -bb --define "_topdir $PWD/build" --define "_rpmdir $PWD" --define '_rpmfilename %{VERSION}.rpm' $version.spec
done
installed() {
    name=$1 root=$PWD/root-$1; shift
    mkdir -p "$root/etc/systemd/system"
    rpm --root "$root" --initdb
    for package; do
        # There is no shell in that root; the triggers need none.
        rpm --root "$root" --nodeps --ignorearch --nopre --nopost --nopreun --nopostun -U "$package"
    done
    echo "$name: $(readlink "$root/etc/systemd/system/trempe-firstboot.service.d/10-sshd.conf" || echo ordered)"
}
"#;

/// On Red Hat's family root waits for the first phase too, but with a cloud-init that would wait for sshd then.
#[test]
fn an_old_cloud_init_has_the_order_before_sshd_left_out() -> Result<()> {
    let (directory, rpm) = package("rpm")?;
    let agent = rpm.display();
    let script = format!(
        "{OLD_AND_NEW}
        installed alone {agent}
        installed old-first 22.1.rpm {agent}
        installed old-later {agent} 22.1.rpm
        installed new-first 24.4.rpm {agent}
        installed upgraded {agent} 22.1.rpm 24.4.rpm"
    );
    let said = Program::new("bash").args(["-euc", &script]).args([directory.path()]).output()?;
    let expected =
        "alone: ordered\nold-first: /dev/null\nold-later: /dev/null\nnew-first: ordered\nupgraded: ordered\n";
    ensure!(said == expected, "{said}");
    Ok(())
}
