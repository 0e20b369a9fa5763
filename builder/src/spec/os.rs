//! Operating systems: a distribution and its release. To add one, add a line to [`KNOWN`].

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::storage::FileSystem;

/// What an operating system is a relative of: which installer and which package manager it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// Red Hat Enterprise Linux and its rebuilds: Anaconda and dnf.
    Rhel,
    /// Debian: its installer, and apt.
    Debian,
    /// Ubuntu: Subiquity, and apt.
    Ubuntu,
}

/// An operating system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Os {
    /// Its name, as `debian12`: the same as the agent's product.
    pub id: &'static str,
    /// What it is a relative of.
    pub family: Family,
    /// Its major release: 9, 12, 2404.
    pub release: u16,
    /// What its makers call the release; empty where that is no word in any path.
    pub codename: &'static str,
    /// How it is written for people.
    pub title: &'static str,
    /// The directory below `EFI/` that its boot loader is in.
    pub efi: &'static str,
}

const fn os(
    id: &'static str,
    family: Family,
    release: u16,
    codename: &'static str,
    title: &'static str,
    efi: &'static str,
) -> Os {
    Os { id, family, release, codename, title, efi }
}

/// Every operating system that an image can be built of.
pub const KNOWN: [Os; 18] = [
    os("rhel8", Family::Rhel, 8, "", "Red Hat Enterprise Linux 8", "redhat"),
    os("rhel9", Family::Rhel, 9, "", "Red Hat Enterprise Linux 9", "redhat"),
    os("rhel10", Family::Rhel, 10, "", "Red Hat Enterprise Linux 10", "redhat"),
    os("almalinux8", Family::Rhel, 8, "", "AlmaLinux 8", "almalinux"),
    os("almalinux9", Family::Rhel, 9, "", "AlmaLinux 9", "almalinux"),
    os("almalinux10", Family::Rhel, 10, "", "AlmaLinux 10", "almalinux"),
    os("rocky8", Family::Rhel, 8, "", "Rocky Linux 8", "rocky"),
    os("rocky9", Family::Rhel, 9, "", "Rocky Linux 9", "rocky"),
    os("rocky10", Family::Rhel, 10, "", "Rocky Linux 10", "rocky"),
    os("oracle8", Family::Rhel, 8, "", "Oracle Linux 8", "redhat"),
    os("oracle9", Family::Rhel, 9, "", "Oracle Linux 9", "redhat"),
    os("oracle10", Family::Rhel, 10, "", "Oracle Linux 10", "redhat"),
    os("centos9", Family::Rhel, 9, "", "CentOS Stream 9", "centos"),
    os("centos10", Family::Rhel, 10, "", "CentOS Stream 10", "centos"),
    os("debian12", Family::Debian, 12, "bookworm", "Debian 12", "debian"),
    os("debian13", Family::Debian, 13, "trixie", "Debian 13", "debian"),
    os("ubuntu2204", Family::Ubuntu, 2204, "jammy", "Ubuntu 22.04", "ubuntu"),
    os("ubuntu2404", Family::Ubuntu, 2404, "noble", "Ubuntu 24.04", "ubuntu"),
];

impl Os {
    /// The one of that name.
    pub fn named(id: &str) -> Option<Os> {
        KNOWN.into_iter().find(|os| os.id == id)
    }
}

impl TryFrom<String> for Os {
    type Error = String;

    fn try_from(text: String) -> Result<Os, String> {
        Os::named(&text).ok_or_else(|| {
            let ids = || KNOWN.iter().map(|os| os.id);
            let near = ids().map(|id| (strsim::osa_distance(id, &text), id)).min();
            let known = ids().collect::<Vec<_>>().join(", ");
            match near {
                Some((distance, id)) if distance <= 3 => {
                    format!("unknown operating system {text:?} (did you mean {id:?}? there are: {known})")
                }
                _ => format!("unknown operating system {text:?} (there are: {known})"),
            }
        })
    }
}

impl<'de> Deserialize<'de> for Os {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Os, D::Error> {
        Os::try_from(String::deserialize(from)?).map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for Os {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id)
    }
}

impl JsonSchema for Os {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Os".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let ids = KNOWN.iter().map(|os| os.id).collect::<Vec<_>>();
        schemars::json_schema!({"type": "string", "enum": ids, "description": "An operating system."})
    }
}

/// The packages that people reach for when a network does not work.
pub fn troubleshooting(family: Family) -> &'static [&'static str] {
    match family {
        Family::Rhel => &["telnet", "bind-utils", "traceroute", "tcpdump", "lsof", "iproute"],
        Family::Debian | Family::Ubuntu => {
            &["telnet", "bind9-dnsutils", "traceroute", "tcpdump", "lsof", "iproute2"]
        }
    }
}

/// The kind of file systems that a distribution's own installer makes.
pub fn filesystem(family: Family) -> FileSystem {
    match family {
        Family::Rhel => FileSystem::Xfs,
        Family::Debian | Family::Ubuntu => FileSystem::Ext4,
    }
}
