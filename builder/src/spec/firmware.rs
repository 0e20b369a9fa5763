//! What a machine starts with.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The firmware that machines of the image have. It is chosen where a machine is made, the image must be able to follow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Firmware {
    /// BIOS alone.
    Bios,
    /// UEFI alone.
    Uefi,
    /// UEFI with Secure Boot.
    UefiSecure,
    /// One disk that starts on either.
    #[default]
    Both,
}

impl Firmware {
    /// How it is written.
    pub fn word(self) -> &'static str {
        match self {
            Firmware::Bios => "bios",
            Firmware::Uefi => "uefi",
            Firmware::UefiSecure => "uefi-secure",
            Firmware::Both => "both",
        }
    }

    /// Whether a disk for it needs a BIOS boot partition.
    pub fn has_bios(self) -> bool {
        matches!(self, Firmware::Bios | Firmware::Both)
    }

    /// Whether a disk for it needs an EFI system partition.
    pub fn has_uefi(self) -> bool {
        self != Firmware::Bios
    }
}
