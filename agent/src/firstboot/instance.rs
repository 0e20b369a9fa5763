//! Which machine this is: cloud-init's instance and systemd's machine id. A clone has another of at least one.

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::system::System;

/// Where cloud-init keeps the id of the instance it last set up (`cloudinit.helpers`, `data/instance-id`).
const CLOUD_INIT: &str = "/var/lib/cloud/data/instance-id";
/// The id that cloud-init takes where it finds no datasource: it says nothing of the machine.
const NONE: &str = "iid-datasource-none";

/// The identity of a machine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    /// cloud-init's instance id; `None` where cloud-init is not there or found no datasource.
    pub instance_id: Option<String>,
    /// `/etc/machine-id`.
    pub machine_id: String,
}

impl Instance {
    /// That of this machine, now.
    ///
    /// # Errors
    /// When one of the two files is there and cannot be read.
    pub fn of(system: &System) -> Result<Instance> {
        let read = |path: &str| -> Result<Option<String>> {
            let text = system.read_text(path)?.map(|text| text.trim().to_owned());
            Ok(text.filter(|text| !text.is_empty()))
        };
        Ok(Instance {
            instance_id: read(CLOUD_INIT)?.filter(|id| id != NONE),
            machine_id: read("/etc/machine-id")?.unwrap_or_default(),
        })
    }

    /// Whether this is still the machine that `before` was. A seed that was taken away makes no other machine of it.
    pub fn is_still(&self, before: &Instance) -> bool {
        self.machine_id == before.machine_id
            && (self.instance_id.is_none() || self.instance_id == before.instance_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::testing::Tree;

    fn instance(id: Option<&str>, machine: &str) -> Instance {
        Instance { instance_id: id.map(str::to_owned), machine_id: machine.to_owned() }
    }

    #[test]
    fn clones_are_new_and_a_seed_taken_away_is_not() {
        for (before, now, same) in [
            (instance(Some("a"), "m"), instance(Some("a"), "m"), true),
            (instance(Some("a"), "m"), instance(Some("b"), "m"), false),
            (instance(Some("a"), "m"), instance(Some("a"), "n"), false),
            (instance(Some("a"), "m"), instance(None, "m"), true),
            (instance(None, "m"), instance(Some("a"), "m"), false),
            (instance(None, "m"), instance(None, "n"), false),
        ] {
            assert_eq!(now.is_still(&before), same, "{before:?} {now:?}");
        }
    }

    #[test]
    fn it_is_read_from_both_files() {
        let tree = Tree::new().file("/etc/machine-id", "m\n");
        assert_eq!(Instance::of(&tree.system()).unwrap(), instance(None, "m"));
        let tree = tree.file(CLOUD_INIT, "i-1\n");
        assert_eq!(Instance::of(&tree.system()).unwrap(), instance(Some("i-1"), "m"));
        let tree = tree.file(CLOUD_INIT, "iid-datasource-none\n");
        assert_eq!(Instance::of(&tree.system()).unwrap(), instance(None, "m"));
    }
}
