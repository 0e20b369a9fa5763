//! Stage 2, render: the files that Packer, installers and the guest read, made of a specification.
//!
//! Pure: the same specification gives the same text. Only [`place`] writes. The texts themselves are in `templates/`; what
//! they may say is in [`facts`], and they cannot name anything else. A directory of these files is complete: Packer builds from it
//! with or without the builder.
//!
//! To add a file, add a template, a line to [`template::TEMPLATES`] and one to [`render`].

mod facts;
pub mod layout;
mod packages;
pub mod packer;
pub mod place;
pub mod template;

use anyhow::Result;

use crate::spec::{Family, Firmware, Platform, Source, Spec};
pub use facts::{BUILD_USER, Facts, guest_os};
pub use packer::Version;

/// A file to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its path below the directory of its platform.
    pub path: &'static str,
    /// Its text.
    pub text: String,
    /// Whether it is to be run.
    pub executable: bool,
}

/// What the files depend on beside the specification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choices {
    /// The Packer that is to read them.
    pub packer: Version,
    /// The public half of the build user's key, as in `authorized_keys`.
    pub public_key: String,
}

/// What stands where the key will be, in files that are only looked at.
pub const KEY_TO_COME: &str = "ssh-ed25519 PUBLIC-KEY-OF-THE-BUILD trempe-build";

/// All files for one platform, each with the path it has.
///
/// # Errors
/// When a template does not go with its facts, which the tests rule out for every kind of specification.
pub fn render(spec: &Spec, platform: Platform, choices: &Choices) -> Result<Vec<File>> {
    let facts = Facts::of(spec, platform, choices);
    let engine = template::engine()?;
    let file = |path, template| -> Result<File> {
        let text = template::fill(&engine, template, &facts)?;
        Ok(File { path, text, executable: path.ends_with(".sh") })
    };
    let mut files = vec![match platform {
        Platform::Qemu => file("image.pkr.hcl", "qemu.pkr.hcl")?,
        Platform::Vsphere => file("image.pkr.hcl", "vsphere.pkr.hcl")?,
    }];
    match (&spec.source.value, spec.os.value.family) {
        (Source::Iso(_), Family::Rhel) => files.push(file("installer/ks.cfg", "ks.cfg")?),
        (Source::Iso(_), Family::Debian) => files.push(file("installer/preseed.cfg", "preseed.cfg")?),
        (Source::Iso(_), Family::Ubuntu) => {
            files.push(file("installer/user-data", "autoinstall.yml")?);
            files.push(meta_data("installer/meta-data"));
        }
        (Source::Bootstrap(_) | Source::Image(_), _) => {
            files.push(file("seed/user-data", "seed.yml")?);
            files.push(meta_data("seed/meta-data"));
        }
    }
    if matches!(spec.source.value, Source::Bootstrap(_)) {
        files.push(file("bootstrap/bootstrap.sh", "bootstrap.sh")?);
        files.push(file("bootstrap/layout.sfdisk", "layout.sfdisk")?);
        files.push(file("bootstrap/tree.sh", "tree.sh")?);
        files.push(file("bootstrap/disk.sh", "disk.sh")?);
    }
    files.push(file("files/agent.yml", "agent.yml")?);
    files.push(file("files/90-trempe-image.cfg", "cloud.cfg")?);
    files.push(file("scripts/provision.sh", "provision.sh")?);
    files.push(file("scripts/seal.sh", "seal.sh")?);
    Ok(files)
}

/// The files of UEFI firmware that the template gives the building machine, as it names them when nobody says otherwise.
pub fn firmware(spec: &Spec, packer: Version) -> Vec<&'static str> {
    let firmware = spec.firmware.value;
    match (firmware.has_bios(), packer.has_plugins(), firmware) {
        (true, ..) => Vec::new(),
        (false, false, _) => vec!["/usr/share/ovmf/OVMF.fd"],
        (false, true, Firmware::UefiSecure) => {
            vec!["/usr/share/OVMF/OVMF_CODE_4M.ms.fd", "/usr/share/OVMF/OVMF_VARS_4M.ms.fd"]
        }
        (false, true, _) => vec!["/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"],
    }
}

/// The instance that the building machine is.
fn meta_data(path: &'static str) -> File {
    File { path, text: "instance-id: trempe-build\n".to_owned(), executable: false }
}

#[cfg(test)]
mod tests;
