use std::path::Path;

use super::*;
use crate::setting::testing::Tree;
use crate::system::{Output, Run, Tool};

/// cloud-init 22.4 as Debian 12 sets it, shortened.
const CLOUD_CFG: &str = "\
users:
   - default
disable_root: true
cloud_init_modules:
 - migrator
 - bootcmd
 - write-files
 - growpart
 - mounts
 - update_hostname
 - users-groups
 - ssh
cloud_config_modules:
 - set-passwords
 - disable-ec2-metadata
 - runcmd
cloud_final_modules:
 - scripts-per-boot
 - scripts-user
 - [final-message, always]
system_info:
   distro: debian
   default_user:
     name: debian
     sudo: [\"ALL=(ALL) NOPASSWD:ALL\"]
";
const RENDERED: &str = "# This file is generated from information provided by the datasource.\nauto lo\niface lo inet loopback\n\nauto eth0\niface eth0 inet static\n    address 192.0.2.10/24\n";

fn machine() -> Tree {
    Tree::new()
        .file("/etc/cloud/cloud.cfg", CLOUD_CFG)
        .file("/etc/cloud/cloud.cfg.d/05_logging.cfg", "_log:\n - &base |\n   [x]\nlog_cfgs:\n - [ *base ]\n")
        .file("/etc/network/interfaces", "source /etc/network/interfaces.d/*\n")
        .file("/etc/network/interfaces.d/50-cloud-init", RENDERED)
        .file("/etc/fstab", "LABEL=root / ext4 defaults 0 1\n")
}

fn wanted(afterwards: Afterwards) -> CloudInit {
    CloudInit { afterwards, ..CloudInit::default() }
}

/// Makes the changes on an overlay; afterwards nothing is left to be done. Returns the machine as it is then.
fn done(tree: &Tree, wanted: &CloudInit) -> (System, Todo) {
    let mut system = tree.system_with(Box::new(Sudo));
    let todo = changes(&system, wanted, &[]).unwrap();
    for change in all(&todo) {
        system.pretend(change).unwrap();
    }
    assert_eq!(changes(&system, wanted, &[]).unwrap().parts, [], "the second time changes something");
    (system, todo)
}

fn all(todo: &Todo) -> Vec<&Change> {
    todo.parts.iter().flat_map(|(_, changes)| changes).collect()
}

fn touches(todo: &Todo, path: &str) -> bool {
    all(todo).iter().any(|change| change.path() == Some(Path::new(path)))
}

fn text(system: &System, path: &str) -> String {
    system.read_text(path).unwrap().unwrap_or_default()
}

/// A host whose sudo lets `ops` become root.
struct Sudo;

impl Run for Sudo {
    fn run(&self, tool: Tool, args: &[&str], _: Option<&[u8]>) -> Result<Output> {
        let listed = "User ops may run the following commands on vm:\n    (ALL : ALL) ALL\n";
        let stdout = if tool == Tool::Sudo && args.contains(&"ops") { listed } else { "" };
        Ok(Output { code: Some(0), stdout: stdout.to_owned(), ..Output::default() })
    }

    fn has(&self, tool: Tool) -> bool {
        tool == Tool::Sudo
    }
}

/// The lines of our drop-in that are no comments.
fn drop_in(system: &System) -> Vec<String> {
    text(system, drop_in::FILE).lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
}

#[test]
fn kept_is_left_alone() {
    let (_, todo) = done(&machine(), &wanted(Afterwards::Keep));
    assert_eq!(todo, Todo::default());
    let none = Tree::new().file("/etc/fstab", "");
    assert_eq!(done(&none, &wanted(Afterwards::Disable)).1, Todo::default(), "cloud-init is not installed");
}

#[test]
fn trimmed_does_what_is_to_be_done_at_every_boot() {
    let tree = machine().file(
        "/etc/cloud/cloud.cfg.d/50-site.cfg",
        "cloud_config_modules: [runcmd, [disable_ec2_metadata, always]]\n",
    );
    let (system, todo) = done(&tree, &wanted(Afterwards::Trim));
    assert_eq!(
        drop_in(&system),
        [
            "cloud_init_modules: [\"bootcmd\",\"growpart\",\"update_hostname\"]",
            "cloud_config_modules: [[\"disable_ec2_metadata\",\"always\"]]",
            "cloud_final_modules: [\"scripts-per-boot\",[\"final-message\",\"always\"]]",
            "network: {config: disabled}",
        ]
    );
    assert_eq!(todo.refused, [""; 0]);
    assert!(!system.exists(DISABLED).unwrap());
    assert_eq!(text(&system, "/etc/network/interfaces.d/50-cloud-init"), RENDERED);
    assert_eq!(system.meta("/etc/cloud/clean.d/99-trempe").unwrap().unwrap().mode, 0o755);
}

#[test]
fn disabled_leaves_the_network_and_starts_no_more() {
    let fstab = "# x-systemd.requires=cloud-init.service\nLABEL=root / ext4 defaults 0 1\n/dev/vdb\t/data\text4\tdefaults,nofail,x-systemd.requires=cloud-init.service,_netdev\t0\t2\n/dev/vdc /c ext4 x-systemd.requires=cloud-init.service";
    let tree = machine().file("/etc/fstab", fstab);
    let (system, todo) = done(&tree, &wanted(Afterwards::Disable));
    assert!(text(&system, DISABLED).starts_with(MARK));
    assert_eq!(drop_in(&system), ["network: {config: disabled}"]);
    assert_eq!(
        text(&system, "/etc/fstab"),
        "# x-systemd.requires=cloud-init.service\nLABEL=root / ext4 defaults 0 1\n/dev/vdb\t/data\text4\tdefaults,nofail,_netdev\t0\t2\n/dev/vdc /c ext4 defaults"
    );
    assert_eq!(all(&todo).last().and_then(|change| change.path()), Some(Path::new(DISABLED)));
    let mut system = system;
    let trimmed = changes(&system, &wanted(Afterwards::Trim), &[]).unwrap();
    assert!(touches(&trimmed, DISABLED), "{trimmed:?}");
    for change in all(&trimmed) {
        system.pretend(change).unwrap();
    }
    assert!(!system.exists(DISABLED).unwrap(), "trimmed runs again");
    let by_hand = machine().file(DISABLED, "");
    assert!(!touches(&changes(&by_hand.system(), &wanted(Afterwards::Disable), &[]).unwrap(), DISABLED));
}

#[test]
fn a_network_that_only_cloud_init_knows_is_not_frozen() {
    let bare =
        || machine().file("/etc/network/interfaces.d/50-cloud-init", "auto lo\niface lo inet loopback\n");
    for afterwards in [Afterwards::Trim, Afterwards::Disable] {
        let (_, todo) = done(&bare(), &wanted(afterwards));
        assert_eq!(todo.parts, []);
        assert!(todo.refused[0].contains("is not done: nothing but cloud-init"), "{:?}", todo.refused);
    }
    for (path, text) in [
        ("/etc/netplan/50-cloud-init.yaml", ""),
        ("/etc/systemd/network/10-cloud-init-eth0.network", ""),
        ("/etc/NetworkManager/system-connections/cloud-init-eth0.nmconnection", ""),
        ("/etc/sysconfig/network-scripts/ifcfg-eth0", ""),
        ("/etc/network/interfaces", "iface eth0 inet dhcp\n"),
        ("/etc/cloud/cloud.cfg.d/99-installer.cfg", "network: {config: disabled}\n"),
    ] {
        let (_, todo) = done(&bare().file(path, text), &wanted(Afterwards::Trim));
        assert_eq!(todo.refused, [""; 0], "{path}");
    }
    for (path, text) in [
        ("/etc/sysconfig/network-scripts/ifcfg-lo", ""),
        ("/usr/lib/systemd/network/80-container-host0.network", ""),
        ("/etc/network/interfaces", "auto eth0\n# iface eth0\niface lo inet loopback\n"),
        ("/etc/cloud/cloud.cfg.d/99-installer.cfg", "network: {config: {version: 2}}\n"),
    ] {
        let (_, todo) = done(&bare().file(path, text), &wanted(Afterwards::Trim));
        assert_eq!(todo.parts, [], "{path}");
    }
}

#[test]
fn data_sources_and_their_waiting_are_set_by_themselves() {
    let names = ["VMware", "OVF", "None"].map(str::to_owned).to_vec();
    let wanted = CloudInit { datasource: names, vmware_wait: Some(5), ..CloudInit::default() };
    let (system, _) = done(&machine(), &wanted);
    assert_eq!(
        drop_in(&system),
        [
            "datasource_list: [ VMware, OVF, None ]",
            "datasource: {VMware: {vmware_cust_file_max_wait: 5}, OVF: {vmware_cust_file_max_wait: 5}}",
        ]
    );
}

#[test]
fn the_datasource_that_set_the_machine_up_is_not_left_out() {
    let names = ["VMware", "None"].map(str::to_owned).to_vec();
    let pinned = |afterwards| CloudInit { afterwards, datasource: names.clone(), ..CloudInit::default() };
    for (own, afterwards, told) in [
        ("DataSourceVMware: DataSourceVMware [seed=guestinfo]", Afterwards::Keep, false),
        ("DataSourceNoCloud: DataSourceNoCloud [seed=/dev/sr0]", Afterwards::Keep, true),
        // Its network is frozen then.
        ("DataSourceNoCloud: DataSourceNoCloud [seed=/dev/sr0]", Afterwards::Trim, false),
        ("DataSourceNone: DataSourceNone", Afterwards::Keep, false),
    ] {
        let tree = machine().file("/var/lib/cloud/instance/datasource", own);
        let (system, todo) = done(&tree, &pinned(afterwards));
        assert_eq!(todo.refused.iter().any(|why| why.contains("set up by NoCloud")), told, "{own}");
        let list = system.read_text(drop_in::FILE).unwrap().unwrap_or_default();
        assert_eq!(list.contains("datasource_list"), !told, "{own}");
    }
}

#[test]
fn files_that_outdo_ours_are_told() {
    let tree = machine().file(
        "/etc/cloud/cloud.cfg.d/99-vmware.cfg",
        "network: {config: disabled}\ndatasource_list: [ OVF ]\n",
    );
    let (_, todo) = done(&tree, &wanted(Afterwards::Trim));
    let said = todo.refused.join("\n");
    assert!(
        said.contains("99-vmware.cfg") && said.contains("'network'") && !said.contains("datasource"),
        "{said}"
    );
    let broken = machine().file("/etc/cloud/cloud.cfg.d/60-x.cfg", "a: [\n");
    let error = changes(&broken.system(), &wanted(Afterwards::Trim), &[]).unwrap_err();
    assert!(error.to_string().starts_with("/etc/cloud/cloud.cfg.d/60-x.cfg:"), "{error}");
}

/// The machine with the accounts that cloud-init made, and somebody who administers it.
fn inhabited() -> Tree {
    machine()
        .file("/etc/passwd", "root:x:0:0:root:/root:/bin/bash\ndebian:x:1000:1000:Debian:/home/debian:/bin/bash\nops:x:1001:1001::/home/ops:/bin/bash\n")
        .file("/etc/shadow", "root:*:20000:0:99999:7:::\ndebian:!:20000:0:99999:7:::\nops:$y$x:20000:0:99999:7:::\n")
        .file("/etc/group", "root:x:0:\nadm:x:4:debian\nsudo:x:27:debian,ops\ndebian:x:1000:\nops:x:1001:\n")
        .file("/etc/gshadow", "adm:*::debian\nsudo:*:debian:debian,ops\ndebian:!::\n")
        .file("/etc/subuid", "debian:100000:65536\nops:165536:65536\n")
        .file("/etc/sudoers", "root ALL=(ALL:ALL) ALL\n%sudo ALL=(ALL:ALL) ALL\n@includedir /etc/sudoers.d\n")
        .file("/etc/sudoers.d/90-cloud-init-users", "# Created by cloud-init v. 22.4.2\n\n# User rules for debian\ndebian ALL=(ALL) NOPASSWD:ALL\n")
        .file("/etc/shells", "/bin/bash\n")
}

#[test]
fn the_default_user_goes() {
    let wanted = CloudInit { remove_default_user: true, ..CloudInit::default() };
    let (system, todo) = done(&inhabited(), &wanted);
    assert_eq!(todo.refused, [""; 0]);
    assert_eq!(drop_in(&system), ["users: []"]);
    for (path, left) in [
        ("/etc/passwd", "root:x:0:0:root:/root:/bin/bash\nops:x:1001:1001::/home/ops:/bin/bash\n"),
        ("/etc/shadow", "root:*:20000:0:99999:7:::\nops:$y$x:20000:0:99999:7:::\n"),
        ("/etc/group", "root:x:0:\nadm:x:4:\nsudo:x:27:ops\nops:x:1001:\n"),
        ("/etc/gshadow", "adm:*::\nsudo:*::ops\n"),
        ("/etc/subuid", "ops:165536:65536\n"),
    ] {
        assert_eq!(text(&system, path), left, "{path}");
    }
    assert!(!system.exists("/etc/sudoers.d/90-cloud-init-users").unwrap());
    let shared = inhabited().file(
        "/etc/sudoers.d/90-cloud-init-users",
        "# User rules for debian\ndebian ALL=(ALL) NOPASSWD:ALL\n# User rules for ops\nops ALL=(ALL) NOPASSWD:ALL\n",
    );
    let (system, _) = done(&shared, &wanted);
    assert_eq!(
        text(&system, "/etc/sudoers.d/90-cloud-init-users"),
        "# User rules for ops\nops ALL=(ALL) NOPASSWD:ALL\n"
    );
}

#[test]
fn the_default_user_stays_where_somebody_needs_it() {
    let wanted = CloudInit { remove_default_user: true, ..CloudInit::default() };
    let refused = |tree: Tree, keep: &[String]| {
        let todo = changes(&tree.system_with(Box::new(Sudo)), &wanted, keep).unwrap();
        assert!(!touches(&todo, "/etc/passwd"));
        todo.refused.join("\n")
    };
    assert!(refused(inhabited(), &["debian".to_owned()]).contains("must keep access"));
    let asked = "users:\n- default\n- name: debian\n  shell: /bin/sh\n";
    let asked = inhabited().file("/var/lib/cloud/instance/cloud-config.txt", asked);
    assert!(refused(asked, &[]).contains("user-data asks for it"));
    let alone = inhabited()
        .file("/etc/shadow", "root:*:20000:0:99999:7:::\ndebian:!:20000:0:99999:7:::\nops:!:20000::::::\n");
    assert!(refused(alone, &[]).contains("no other account gets in"));
    let crontab = inhabited().file("/var/spool/cron/crontabs/debian", "");
    assert!(refused(crontab, &[]).contains("crontab"));
    let none = inhabited().file("/etc/passwd", "root:x:0:0:root:/root:/bin/bash\n");
    assert_eq!(refused(none, &[]), "");
}

#[test]
fn what_the_default_user_owns_is_given_to_root() {
    let me = nix::unistd::geteuid();
    let uid = if me.is_root() { 1000 } else { me.as_raw() };
    let tree = inhabited()
        .file("/etc/passwd", &format!("root:x:0:0::/root:/bin/bash\ndebian:x:{uid}:1000::/home/debian:/bin/bash\nops:x:65001:1001::/home/ops:/bin/bash\n"))
        .file("/home/debian/.ssh/authorized_keys", "ssh-ed25519 AAAA\n")
        .link("/home/debian/link", "/etc/passwd")
        .file("/home/ops/note", "");
    let system = tree.system_with(Box::new(Sudo));
    for path in
        ["/home/debian", "/home/debian/.ssh", "/home/debian/.ssh/authorized_keys", "/home/debian/link"]
    {
        std::os::unix::fs::lchown(system.host_path(path), Some(uid), None).unwrap();
    }
    let todo =
        changes(&system, &CloudInit { remove_default_user: true, ..CloudInit::default() }, &[]).unwrap();
    assert_eq!(todo.refused, [""; 0]);
    let given = all(&todo)
        .into_iter()
        .filter(|change| matches!(change, Change::SetMeta { uid: Some(0), gid: Some(0), .. }));
    let mut given: Vec<_> = given.filter_map(|change| change.path()).collect();
    given.sort();
    assert_eq!(
        given,
        ["/home/debian", "/home/debian/.ssh", "/home/debian/.ssh/authorized_keys", "/home/debian/link"]
            .map(Path::new)
    );
}
