//! Root trees of Debian and Ubuntu, and copies of them.
//!
//! A [`Root`] is what `mmdebstrap` makes from a recipe: a plain server, cached, never written to again.
//! A [`Copy`] is that tree on a disk image of its own (a real file system, as some probes pass over anything else).
//! Programs run in it with their own mounts, processes, network and `/proc`, so that nothing they do reaches this
//! machine; see `lab/enter.sh`. To add a Debian, add a [`Recipe`]; other systems are made of data ([`crate::synthetic`]).

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::command::Program;
use crate::machine::Machine;
use crate::synthetic::{SYSTEMS, System};
use crate::{cache, content};

/// What a root tree is made from.
pub struct Recipe {
    /// Our name for it.
    pub name: &'static str,
    /// The operating system's name in the content's file names.
    os: &'static str,
    suite: &'static str,
    packages: &'static [&'static str],
    archive: Archive,
}

/// Where packages come from.
#[derive(Clone, Copy)]
enum Archive {
    Debian,
    Ubuntu,
}

/// The plain trees are a server as the installer leaves it without any task, plus cloud-init, sshd and oscap.
/// The full ones also have what CIS wants installed and what it wants gone, all as the packages configure it: there
/// the rules are applicable that a plain server leaves aside.
/// The ready ones lack one package that CIS wants and have one that it does not, and are otherwise complete: there an
/// apply shows what it does itself and not how long Debian's packages take to configure themselves.
pub const RECIPES: [Recipe; 8] = [
    Recipe {
        name: "debian12",
        os: "debian12",
        suite: "bookworm",
        packages: &[PLAIN, "isc-dhcp-client"],
        archive: Archive::Debian,
    },
    Recipe {
        name: "debian12-full",
        os: "debian12",
        suite: "bookworm",
        packages: &[PLAIN, "isc-dhcp-client", FULL],
        archive: Archive::Debian,
    },
    Recipe {
        name: "debian12-ready",
        os: "debian12",
        suite: "bookworm",
        packages: &[PLAIN, "isc-dhcp-client", READY],
        archive: Archive::Debian,
    },
    Recipe {
        name: "debian13",
        os: "debian13",
        suite: "trixie",
        packages: &[PLAIN, "dhcpcd-base"],
        archive: Archive::Debian,
    },
    Recipe {
        name: "debian13-ready",
        os: "debian13",
        suite: "trixie",
        packages: &[PLAIN, "dhcpcd-base", READY],
        archive: Archive::Debian,
    },
    Recipe {
        name: "debian13-full",
        os: "debian13",
        suite: "trixie",
        packages: &[PLAIN, "dhcpcd-base", FULL],
        archive: Archive::Debian,
    },
    Recipe { name: "jammy", os: "ubuntu2204", suite: "jammy", packages: &[UBUNTU], archive: Archive::Ubuntu },
    Recipe { name: "noble", os: "ubuntu2404", suite: "noble", packages: &[UBUNTU], archive: Archive::Ubuntu },
];
const PLAIN: &str = "linux-image-cloud-amd64,systemd-sysv,cloud-init,openssh-server,sudo,udev,dbus,netbase,\
                     ifupdown,python3,openscap-scanner,grub-pc,libpam-systemd";
const UBUNTU: &str = "linux-image-virtual,systemd-sysv,cloud-init,openssh-server,sudo,udev,dbus,netbase,netplan.io,python3,\
                      grub-pc,libpam-systemd,apparmor,ufw,rsyslog";
const READY: &str = "auditd,audispd-plugins,aide,aide-common,apparmor,apparmor-utils,ufw,rsyslog,systemd-journal-remote,systemd-timesyncd,\
                     cron,cracklib-runtime,telnet";
const FULL: &str = "auditd,audispd-plugins,aide,apparmor,apparmor-utils,libpam-pwquality,nftables,ufw,iptables,chrony,\
                    rsyslog,systemd-journal-remote,cron,acl,\
                    apache2,autofs,avahi-daemon,bind9,cups,dnsmasq,dovecot-imapd,ftp,ldap-utils,nfs-kernel-server,nginx,\
                    nis,postfix,rpcbind,rsync,samba,slapd,snmpd,squid,telnet,tftpd-hpa,tnftp,vsftpd,xinetd,ypserv";

const FSTAB: &str = "echo '/dev/vda / ext4 defaults 0 1' > \"$1/etc/fstab\"";

/// A finished, unchanging tree.
#[derive(Debug, Clone)]
pub struct Root {
    /// The recipe's name.
    pub name: &'static str,
    /// The operating system's name in the content's file names.
    pub os: &'static str,
    /// Where it lies.
    pub path: PathBuf,
}

impl Root {
    /// The tree of this name, made when the cache lacks it (about a minute).
    pub fn named(name: &str) -> Result<Self> {
        if let Some(system) = SYSTEMS.iter().find(|system| system.name == name) {
            return Self::synthetic(system);
        }
        let known = RECIPES.iter().map(|recipe| recipe.name).chain(SYSTEMS.iter().map(|system| system.name));
        let known = || known.collect::<Vec<_>>().join(", ");
        let recipe = RECIPES
            .iter()
            .find(|recipe| recipe.name == name)
            .with_context(|| format!("no root tree is called {name}; there are {}", known()))?;
        let key = [recipe.suite, &recipe.packages.join(","), FSTAB];
        let path = cache::entry(&format!("root-{name}"), &key, |path| recipe.make(path))?;
        Ok(Self { name: recipe.name, os: recipe.os, path })
    }

    fn synthetic(system: &System) -> Result<Self> {
        let path =
            cache::entry(&format!("root-{}", system.name), &[&system.recipe()?], |path| system.make(path))?;
        Ok(Self { name: system.name, os: system.os, path })
    }

    /// The tree as an ext4 file system in a file.
    pub fn disk(&self) -> Result<PathBuf> {
        cache::entry(&format!("disk-{}", self.name), &[&self.path.to_string_lossy()], |path| {
            Program::new("mke2fs")
                .args(["-q", "-t", "ext4", "-d"])
                .args([&self.path, path])
                .args(["6G"])
                .run()?;
            Ok(())
        })
    }

    /// A writable copy; it is gone when dropped.
    pub fn copy(&self) -> Result<Copy> {
        let files = cache::scratch("copy")?;
        fs::create_dir(files.path().join("root"))?;
        fs::create_dir(files.path().join("lab"))?;
        let disk = [self.disk()?, files.path().join("disk")];
        Program::new("cp").args(["--sparse=always"]).args(disk).run()?;
        Ok(Copy { files })
    }
}

impl Recipe {
    fn make(&self, target: &Path) -> Result<()> {
        eprintln!("making the root tree {} (about a minute)", self.name);
        Program::new("mmdebstrap")
            .args(["--quiet", "--format=directory", "--variant=important"])
            .args([format!("--include={}", self.packages.join(",")), format!("--customize-hook={FSTAB}")])
            .args(self.archive.options()?)
            .args([self.suite.as_ref(), target.as_os_str(), self.archive.address()?.as_ref()])
            .run()?;
        Ok(())
    }
}

/// Ubuntu's keys, as its own package brings them, which Debian has no package of; and the digest of that.
const UBUNTU_KEYS: (&str, &str) = (
    "pool/main/u/ubuntu-keyring/ubuntu-keyring_2023.11.28.1_all.deb",
    "36de43b15853ccae0028e9a767613770c704833f82586f28eb262f0311adb8a8",
);
const UBUNTU_ARCHIVE: &str = "http://archive.ubuntu.com/ubuntu";

impl Archive {
    fn address(self) -> Result<String> {
        match self {
            Archive::Debian => content::mirror(),
            Archive::Ubuntu => Ok(UBUNTU_ARCHIVE.to_owned()),
        }
    }

    /// What `mmdebstrap` must be told to trust it.
    fn options(self) -> Result<Vec<String>> {
        let Archive::Ubuntu = self else { return Ok(Vec::new()) };
        let (file, digest) = UBUNTU_KEYS;
        let keys = cache::entry("ubuntu-keys", &[file, digest], |path| {
            fs::create_dir(path)?;
            let package = path.join("keyring.deb");
            let address = format!("{UBUNTU_ARCHIVE}/{file}");
            Program::new("curl")
                .args(["--fail", "--silent", "--show-error", "--output"])
                .args([package.as_os_str(), address.as_ref()])
                .run()?;
            let found = Program::new("sha256sum").args([&package]).output()?;
            ensure!(found.starts_with(digest), "{address} is not what it was: {found}");
            Program::new("dpkg-deb")
                .args(["--extract".as_ref(), package.as_os_str(), path.as_os_str()])
                .run()
                .map(drop)
        })?;
        let keys = keys.join("usr/share/keyrings");
        Ok(vec![format!("--keyring={}", keys.display()), "--components=main,universe".to_owned()])
    }
}

/// A root tree that may be changed.
#[derive(Debug)]
pub struct Copy {
    files: TempDir,
}

impl Copy {
    /// The disk image it lies on.
    pub fn disk(&self) -> PathBuf {
        self.files.path().join("disk")
    }
}

impl Machine for Copy {
    fn program(&self, words: &[&str]) -> Program {
        Program::new("unshare")
            .args(["--mount", "--pid", "--fork", "--kill-child", "--net", "--uts", "--ipc", "sh"])
            .args([
                concat!(env!("CARGO_MANIFEST_DIR"), "/lab/enter.sh").as_ref(),
                self.files.path().as_os_str(),
            ])
            .args(words)
    }

    /// It lies on a mount of its own, so it is not part of the tree.
    fn scratch(&self) -> &'static str {
        "/run/lab"
    }

    fn lend(&self, file: &Path, name: &str) -> Result<String> {
        let target = self.files.path().join("lab").join(name);
        let _ = fs::remove_file(&target); // lent before: never write through a link into the cache
        fs::hard_link(file, &target)
            .or_else(|_| fs::copy(file, &target).map(drop))
            .with_context(|| format!("lending {} to the copy", file.display()))?;
        Ok(format!("/run/lab/{name}"))
    }
}
