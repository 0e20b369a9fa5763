//! The description of a machine in OVF 1.1, with what VMware adds to it: the firmware, and names for its operating systems and its network.
//!
//! The hardware is what is in every VMware since 6.5: paravirtual SCSI, VMXNET3, hardware version 13. Who deploys it chooses processors and memory anew.

use anyhow::Result;
use serde::Serialize;

use super::Disk;
use crate::build::manifest::Manifest;
use crate::render::{guest_os, template};
use crate::spec::{Hardware, Os};

/// The machine that a disk belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Machine {
    name: String,
    /// Whether it starts by UEFI, and only what is signed.
    efi: bool,
    secure: bool,
    /// VMware's name for the operating system.
    guest: &'static str,
    about: String,
    cpus: u8,
    memory: u64,
    capacity: u64,
    disk: String,
    size: u64,
}

impl Machine {
    /// The machine of an image: what its manifest says, and of one without a manifest what most images are.
    pub fn of(name: &str, manifest: Option<&Manifest>, capacity: u64, disk: &Disk) -> Machine {
        let Hardware { cpus, memory, .. } = Hardware::default();
        let os = manifest.and_then(|manifest| Os::named(&manifest.os));
        let firmware = manifest.map_or("both", |manifest| manifest.firmware.as_str());
        Machine {
            name: name.to_owned(),
            efi: firmware != "bios",
            secure: firmware == "uefi-secure",
            guest: os.map_or("otherLinux64Guest", guest_os),
            about: os.map_or(String::new(), |os| os.title.to_owned()),
            cpus,
            memory: memory.in_mebibytes(),
            capacity,
            disk: disk.path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            size: disk.size,
        }
    }

    /// The description.
    ///
    /// # Errors
    /// When the template is none, which the tests rule out.
    pub fn ovf(&self) -> Result<String> {
        template::fill(&template::engine()?, "machine.ovf", self)
    }
}
