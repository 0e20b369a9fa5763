//! What the machine's agent says: the report of an audit and how the first boot stands, so far as a verification needs them
//! (`docs/report.md`, `docs/first-boot.md`). Fields that are not known are passed over.

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

/// The version of reports that is understood.
const SCHEMA: u32 = 1;

/// A report.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Audit {
    schema: u32,
    /// What was asked for.
    pub policy: Policy,
    /// The share of rules that are met.
    pub score: Score,
    /// How many rules ended how.
    pub summary: Summary,
    /// The rules.
    pub rules: Vec<Rule>,
    /// What the run as a whole ran into.
    #[serde(default)]
    pub problems: Vec<String>,
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Policy {
    /// The tier; empty when none.
    pub tier: String,
}

/// The share of rules that are met.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub struct Score {
    /// Of 100.
    pub value: f64,
}

/// How many rules ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Met.
    pub pass: u32,
    /// Not met.
    pub fail: u32,
    /// Could not be looked at.
    pub error: u32,
    /// Without a verdict.
    pub unknown: u32,
    /// About something that is not there.
    pub notapplicable: u32,
    /// Not looked at.
    pub notchecked: u32,
    /// Not asked for.
    pub notselected: u32,
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Rule {
    /// Its id.
    pub id: String,
    /// How it ended.
    pub result: String,
    /// Why, where evidence does not say.
    #[serde(default)]
    pub reason: Option<String>,
    /// What was looked at.
    #[serde(default)]
    pub evidence: Vec<Evidence>,
    /// That it is left out, or was to be.
    #[serde(default)]
    pub exception: Option<Exception>,
}

/// Something that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Evidence {
    /// What is there.
    pub found: String,
    /// What should be.
    pub wanted: String,
    /// Where.
    #[serde(rename = "where")]
    pub place: String,
    /// Whether it is good enough.
    pub holds: bool,
}

/// An exception.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Exception {
    /// Whether its last day is over.
    pub expired: bool,
}

impl Audit {
    /// Reads a report.
    ///
    /// # Errors
    /// When it is none.
    pub fn read(text: &str) -> Result<Audit> {
        let audit: Audit = serde_json::from_str(text).context("reading the agent's audit")?;
        if audit.schema != SCHEMA {
            bail!("the agent reports in schema {}, this builder reads {SCHEMA}", audit.schema);
        }
        Ok(audit)
    }
}

impl Rule {
    /// Why it ended as it did, in a line.
    pub fn why(&self) -> String {
        let missed = self.evidence.iter().find(|evidence| !evidence.holds);
        match (missed, &self.reason) {
            (Some(Evidence { found, wanted, place, .. }), _) => format!("{place}: {found}, wanted {wanted}"),
            (None, Some(reason)) => reason.clone(),
            (None, None) => "no reason was given".to_owned(),
        }
    }
}

/// What only a person can mend: the part of a plan that says so.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Manual {
    /// The rule.
    pub rule: String,
    /// Why.
    pub reason: String,
}

/// The rules that the agent leaves to a person, from `agent plan`.
///
/// # Errors
/// When it is no plan.
pub fn left_to_a_person(plan: &str) -> Result<Vec<Manual>> {
    #[derive(Deserialize)]
    struct Report {
        plan: Plan,
    }
    #[derive(Deserialize)]
    struct Plan {
        manual: Vec<Manual>,
    }
    let report: Report = serde_json::from_str(plan).context("reading the agent's plan")?;
    Ok(report.plan.manual)
}

/// How the first boot stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct FirstBoot {
    /// `before-logins` or `after-provisioning`.
    pub phase: String,
    /// `running`, `done`, `idle` or `failed`.
    pub state: String,
    /// What went wrong.
    #[serde(default)]
    pub problems: Vec<String>,
    /// What is worth knowing.
    #[serde(default)]
    pub notes: Vec<String>,
}

impl FirstBoot {
    /// How it stands, from `agent status`; `None` while no phase has begun.
    ///
    /// # Errors
    /// When it is no status.
    pub fn read(status: &str) -> Result<Option<FirstBoot>> {
        #[derive(Deserialize)]
        struct Standing {
            first_boot: Option<FirstBoot>,
        }
        let standing: Standing = serde_json::from_str(status).context("reading the agent's status")?;
        Ok(standing.first_boot)
    }

    /// Whether both phases are over.
    pub fn over(&self) -> bool {
        self.phase == "after-provisioning" && self.state != "running"
    }
}
