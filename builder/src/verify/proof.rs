//! What came of a verification: a proof for each case, and the record of all, `verify.json`.

use std::fs;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::audit::Summary;
use super::case::Case;
use super::judgement::Judgement;
use super::place::Place;
use crate::exit::Exit;

/// The version of the record's structure: fields are added, never renamed or removed.
const SCHEMA: u32 = 1;

/// How a case ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The machine is what its tier asks for.
    Proved,
    /// It is not.
    Deviates,
    /// That could not be found out: it did not come up, or rules could not be looked at.
    Failed,
}

/// What became of a machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Proof {
    /// Its tier and firmware.
    #[serde(flatten)]
    pub case: Case,
    /// How it ended.
    pub outcome: Outcome,
    /// How its seed was given.
    pub seed: String,
    /// What its disk hung on.
    pub bus: String,
    /// `kvm` or `tcg`.
    pub accelerator: String,
    /// Digest of all that decides the outcome.
    pub digest: String,
    /// When it was over: RFC 3339.
    pub finished: String,
    /// Seconds from power on until the key let in.
    pub login: Option<f64>,
    /// Seconds from power on until both phases of the first boot were over.
    pub hardened: Option<f64>,
    /// Seconds in all.
    pub seconds: f64,
    /// How many rules ended how.
    pub summary: Option<Summary>,
    /// The share of rules that are met, of 100.
    pub score: Option<f64>,
    /// What was found of rules and beside them.
    pub judgement: Judgement,
    /// Why it could not be found out.
    pub error: Option<String>,
    /// Whether it was made earlier, and nothing has changed since.
    pub reused: bool,
}

/// What is known of an image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// 1.
    pub schema: u32,
    /// The builder's version.
    pub builder: String,
    /// SHA-256 of the image.
    pub image_sha256: String,
    /// One for each case.
    pub proofs: Vec<Proof>,
}

impl Record {
    /// What an earlier verification found of that image; nothing where it was another image.
    pub fn read(place: &Place, image_sha256: &str) -> Record {
        let text = fs::read_to_string(place.record()).unwrap_or_default();
        let known: Option<Record> = serde_json::from_str(&text).ok();
        known.filter(|record| record.image_sha256 == image_sha256 && record.schema == SCHEMA).unwrap_or_else(
            || Record {
                schema: SCHEMA,
                builder: env!("CARGO_PKG_VERSION").to_owned(),
                image_sha256: image_sha256.to_owned(),
                proofs: Vec::new(),
            },
        )
    }

    /// The proof of that digest, if it was one and its audit is still there.
    pub fn kept(&self, digest: &str, place: &Place) -> Option<Proof> {
        let good = |proof: &&Proof| {
            proof.digest == digest && proof.outcome == Outcome::Proved && place.audit(proof.case).exists()
        };
        self.proofs.iter().find(good).map(|proof| Proof { reused: true, ..proof.clone() })
    }

    /// Writes it, with new proofs in place of those of the same cases, and gives the part that is about these cases.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(self, place: &Place, proofs: Vec<Proof>, cases: &[Case]) -> Result<Record> {
        let mut all = self.proofs;
        all.retain(|old| !proofs.iter().any(|new| new.case == old.case));
        all.extend(proofs);
        all.sort_by_key(|proof| (proof.case.tier, proof.case.firmware.word()));
        let mut whole =
            Record { schema: SCHEMA, builder: self.builder, image_sha256: self.image_sha256, proofs: all };
        place.write(&place.record(), &whole.json()?)?;
        whole.proofs.retain(|proof| cases.contains(&proof.case));
        Ok(whole)
    }

    /// As it is written.
    ///
    /// # Errors
    /// None that can happen.
    pub fn json(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// How a command ends that finds this.
    pub fn exit(&self) -> Exit {
        let any = |outcome| self.proofs.iter().any(|proof| proof.outcome == outcome);
        match (any(Outcome::Failed), any(Outcome::Deviates)) {
            (true, _) => Exit::Trouble,
            (false, true) => Exit::Deviates,
            (false, false) => Exit::Good,
        }
    }
}
