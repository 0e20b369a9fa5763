//! The places where configuration comes from, one file each.
//!
//! To add one, add a file here with a function that looks there, and a line to [`PLACES`].

mod base64;
pub mod cloud_init;
mod credential;
mod file;
mod guestinfo;
mod kernel;
mod parts;
mod smbios;

use std::io::ErrorKind;

use anyhow::{Result, bail};

use super::written::Written;
use crate::system::System;

pub use cloud_init::CloudConfig;
pub use file::trusted;

/// A look at a place: every source there is.
type Look = fn(&System) -> Vec<Source>;

/// The places, the weakest first.
const PLACES: [(Lives, Look); 8] = [
    (Lives::OnDisk, file::image),
    (Lives::OnDisk, file::further),
    (Lives::OnDisk, cloud_init::vendor_data),
    (Lives::OnDisk, cloud_init::user_data),
    (Lives::InMachine, guestinfo::look),
    (Lives::InMachine, smbios::look),
    (Lives::InMachine, credential::look),
    (Lives::InMachine, kernel::look),
];

/// Where to look for a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lives {
    /// In files, which are there with `--root` too.
    OnDisk,
    /// In the machine the agent runs on, and in none of its containers.
    InMachine,
}

/// What marks a container: there, firmware and kernel speak to the machine around it.
const CONTAINERS: [&str; 3] = ["/run/systemd/container", "/run/.containerenv", "/.dockerenv"];

/// Something that configures the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// What messages call it: a path, or the way it comes in.
    pub name: String,
    /// What it says.
    pub said: Said,
}

/// What a source says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// This.
    Written(Box<Written>),
    /// Something that is wrong, and why.
    Bad(String),
    /// Something that only root can read, and it is not root who asks.
    Unseen,
}

impl Source {
    /// A source from what reading it came to; `None` when it is not there.
    fn new(name: impl Into<String>, read: Result<Option<Written>>) -> Option<Source> {
        let said = match read.transpose()? {
            Ok(written) => Said::Written(Box::new(written)),
            Err(error) if unseen(&error) => Said::Unseen,
            Err(error) => Said::Bad(format!("{error:#}")),
        };
        Some(Source { name: name.into(), said })
    }

    /// A source that is wrong.
    pub fn bad(name: impl Into<String>, error: &anyhow::Error) -> Source {
        Source { name: name.into(), said: Said::Bad(format!("{error:#}")) }
    }
}

/// Everything there is, the weakest first.
pub fn all(system: &System) -> Vec<Source> {
    let contained = CONTAINERS.iter().any(|path| !matches!(system.exists(path), Ok(false)));
    let asked = system.is_running() && !contained;
    let places = PLACES.iter().filter(|(lives, _)| asked || *lives == Lives::OnDisk);
    places.flat_map(|(_, look)| look(system)).collect()
}

/// Whether something could not be read because it is not root who asks.
fn unseen(error: &anyhow::Error) -> bool {
    let denied = |cause: &(dyn std::error::Error + 'static)| {
        cause
            .downcast_ref::<std::io::Error>()
            .is_some_and(|error| error.kind() == ErrorKind::PermissionDenied)
    };
    !nix::unistd::geteuid().is_root() && error.chain().any(denied)
}

/// Bytes as text. `name` is what messages call them.
///
/// # Errors
/// Where they are none.
pub fn text(bytes: Vec<u8>, name: &str) -> Result<String> {
    match String::from_utf8(bytes) {
        Ok(text) => Ok(text),
        Err(error) => bail!("{name}: byte {} is not UTF-8 text", error.utf8_error().valid_up_to()),
    }
}
