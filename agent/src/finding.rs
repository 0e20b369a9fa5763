//! What an inspection found: evidence, and the changes that would make it right.
//!
//! A setting compares and says so with [`Finding::expect`]; the finding is compliant when every piece of evidence
//! holds. Reading and planning are one act, so a plan can never be about something else than the verdict was.

use serde::{Deserialize, Serialize};

use crate::change::{Change, Effect};

/// Which state a piece of evidence is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// What is so now.
    Running,
    /// What will be so after a reboot.
    Persistent,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// What is there.
    pub found: String,
    /// What should be there.
    pub wanted: String,
    /// Where: `file`, `file:line`, or the command that tells.
    #[serde(rename = "where")]
    pub place: String,
    /// Of now or of the next boot.
    pub state: State,
    /// Whether `found` is good enough.
    pub holds: bool,
}

/// The outcome of looking at one rule's setting.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at, in order.
    pub evidence: Vec<Evidence>,
    /// What would make it right; empty when it is, or when only a person can.
    pub changes: Vec<Change>,
    /// What must be told to running programs after the changes.
    pub effects: Vec<Effect>,
    /// Why the agent cannot mend this by itself, when it cannot.
    pub manual: Option<String>,
    /// Why there is nothing to judge here: the missing object, by name.
    pub not_applicable: Option<String>,
    /// What could not be looked at and would be needed for a verdict.
    pub not_checked: Option<String>,
    /// Whether the changes must come after all others, because they take stock of the machine.
    pub last: bool,
}

impl Finding {
    /// A finding without evidence yet.
    pub fn new() -> Finding {
        Finding::default()
    }

    /// There is nothing to judge, because `missing` is not there.
    pub fn not_applicable(missing: impl Into<String>) -> Finding {
        Finding { not_applicable: Some(missing.into()), ..Finding::default() }
    }

    /// A verdict needs something that could not be looked at here, for instance the running kernel with `--root`.
    pub fn not_checked(reason: impl Into<String>) -> Finding {
        Finding { not_checked: Some(reason.into()), ..Finding::default() }
    }

    /// Records a comparison.
    pub fn expect(
        &mut self,
        holds: bool,
        state: State,
        found: impl Into<String>,
        wanted: impl Into<String>,
        place: impl Into<String>,
    ) -> &mut Finding {
        let evidence =
            Evidence { found: found.into(), wanted: wanted.into(), place: place.into(), state, holds };
        self.evidence.push(evidence);
        self
    }

    /// Records a comparison of the state that survives a reboot.
    pub fn persistent(
        &mut self,
        holds: bool,
        found: impl Into<String>,
        wanted: impl Into<String>,
        place: impl Into<String>,
    ) -> &mut Finding {
        self.expect(holds, State::Persistent, found, wanted, place)
    }

    /// Records a comparison of the running state.
    pub fn running(
        &mut self,
        holds: bool,
        found: impl Into<String>,
        wanted: impl Into<String>,
        place: impl Into<String>,
    ) -> &mut Finding {
        self.expect(holds, State::Running, found, wanted, place)
    }

    /// Adds a change that is part of making it right.
    pub fn change(&mut self, change: Change) -> &mut Finding {
        self.changes.push(change);
        self
    }

    /// Adds what must be told to running programs after the changes.
    pub fn effect(&mut self, effect: Effect) -> &mut Finding {
        self.effects.push(effect);
        self
    }

    /// Says why a person must mend this. Changes are dropped: half a remedy is none.
    pub fn manual(&mut self, reason: impl Into<String>) -> &mut Finding {
        self.manual = Some(reason.into());
        self.changes.clear();
        self.effects.clear();
        self
    }

    /// Whether every piece of evidence holds. A finding without evidence proves nothing.
    pub fn is_compliant(&self) -> bool {
        !self.evidence.is_empty() && self.evidence.iter().all(|evidence| evidence.holds)
    }

    /// Takes over all of another finding: both must hold.
    pub fn and(&mut self, other: Finding) -> &mut Finding {
        self.evidence.extend(other.evidence);
        self.changes.extend(other.changes);
        self.effects.extend(other.effects);
        self.manual = self.manual.take().or(other.manual);
        self.not_checked = self.not_checked.take().or(other.not_checked);
        self.last |= other.last;
        if let Some(missing) = other.not_applicable {
            self.not_applicable.get_or_insert(missing);
        }
        self
    }
}
