//! How cloud-init is set up on the image.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Name, Platform};

/// How cloud-init is set up on the image.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CloudInit {
    /// The account that it makes on every machine by itself.
    pub default_user: DefaultUser,
    /// Where it looks for its data.
    pub datasources: Datasources,
    /// How many seconds it waits for VMware's customization at each boot. cloud-init's own default is 15.
    pub vmware_wait: u16,
}

impl Default for CloudInit {
    fn default() -> CloudInit {
        CloudInit {
            default_user: DefaultUser::default(),
            datasources: Datasources::default(),
            vmware_wait: 5,
        }
    }
}

/// The account that cloud-init makes by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DefaultUser {
    /// None: only those that user-data names.
    #[default]
    None,
    /// The distribution's: `cloud-user`, `debian`, `ubuntu`.
    Keep,
    /// One of that name.
    #[serde(untagged)]
    Named(NamedUser),
}

/// A default user of another name.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NamedUser {
    /// The account's name.
    pub name: Name,
}

/// Where cloud-init looks for its data, in this order.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Datasources {
    /// On KVM and Nutanix: AHV attaches a disc that only `ConfigDrive` reads.
    pub qemu: Vec<Datasource>,
    /// On vSphere.
    pub vsphere: Vec<Datasource>,
}

impl Default for Datasources {
    fn default() -> Datasources {
        Datasources {
            qemu: vec![Datasource::ConfigDrive, Datasource::NoCloud, Datasource::None],
            vsphere: vec![Datasource::VMware, Datasource::OVF, Datasource::None],
        }
    }
}

impl Datasources {
    /// Those of a platform.
    pub fn on(&self, platform: Platform) -> &[Datasource] {
        match platform {
            Platform::Qemu => &self.qemu,
            Platform::Vsphere => &self.vsphere,
        }
    }
}

/// A data source of cloud-init, by its name there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs, reason = "the names are cloud-init's own")]
#[allow(clippy::upper_case_acronyms, reason = "the names are cloud-init's own")]
pub enum Datasource {
    ConfigDrive,
    NoCloud,
    VMware,
    OVF,
    OpenStack,
    Ec2,
    GCE,
    Azure,
    None,
}
