//! The ages of passwords in `shadow(5)`: of accounts that are there already, whatever the defaults for new ones are.
//!
//! A largest age counts from the last change. On an account whose password is older it would run out at once: the next login,
//! by key or with sudo as well, would ask for a new password, and one that is also past its grace would close. That is not done
//! to anybody unasked; such accounts are left to a person, with their names.

use anyhow::{Result, bail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::file::{place_of, with_field};
use super::{SHADOW, or_well, today};
use crate::change::Change;
use crate::content::Text;
use crate::finding::Finding;
use crate::system::{Shadow, System};

/// The ages of the passwords that are there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordDays {
    /// Which age.
    pub field: Field,
    /// The fewest days.
    pub at_least: Text,
    /// The most days.
    pub at_most: Text,
}

/// An age in `shadow(5)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// Days before the password may be changed again.
    Min,
    /// Days until it must be.
    Max,
    /// Days after that until the account closes.
    Inactive,
    /// Days before that on which its owner is told.
    Warn,
}

impl PasswordDays {
    /// Judges every account that a password opens.
    ///
    /// # Errors
    /// When the files cannot be read or a bound is no number.
    pub fn examine(&self, system: &System) -> Result<Finding> {
        let (least, most) = (self.at_least.number()?, self.at_most.number()?);
        if least > most {
            bail!("at least {least} and at most {most} days leave no choice");
        }
        let text = system.read_text(SHADOW)?.unwrap_or_default();
        let mut mended = text.clone();
        let mut finding = Finding::new();
        let mut closing = Vec::new();
        let aim = if matches!(self.field, Field::Min | Field::Warn) { least } else { most };
        for entry in system.passwords()?.entries.iter().filter(|entry| !entry.password.contains(['!', '*'])) {
            let days = self.days(entry);
            let unset = days.is_none() && entry.password.is_empty();
            if unset || days.is_some_and(|days| (least..=most).contains(&days)) {
                continue;
            }
            let found = days.map_or("not set".to_owned(), |days| format!("{days} days"));
            let place = place_of(SHADOW, &text, &entry.name);
            finding.persistent(false, format!("{}: {found}", entry.name), self.wanted(), place);
            mended = with_field(&mended, &entry.name, self.index(), &aim.to_string());
            if self.runs_out(entry, aim) {
                closing.push(entry.name.as_str());
            }
        }
        if !closing.is_empty() {
            finding.manual(format!(
                "the password of {} is so old that it would run out at once: change it first (passwd), or set the day of \
                 its last change (chage -d)",
                closing.join(", ")
            ));
        } else if mended != text {
            finding.change(Change::WriteFile { path: SHADOW.into(), content: mended, mode: 0o640 });
        }
        Ok(or_well(finding, "so for every account with a password", &self.wanted(), SHADOW))
    }

    /// How it is checked.
    pub fn describe(&self) -> String {
        format!("accounts with a password in {SHADOW}: {}", self.wanted())
    }

    fn wanted(&self) -> String {
        let what = match self.field {
            Field::Min => "days before a change",
            Field::Max => "days until a change",
            Field::Warn => "days of warning before a change",
            Field::Inactive => "days until an account with an old password closes",
        };
        format!("{} to {} {what}", self.at_least, self.at_most)
    }

    fn days(&self, entry: &Shadow) -> Option<i64> {
        match self.field {
            Field::Min => entry.min,
            Field::Max => entry.max,
            Field::Inactive => entry.inactive,
            Field::Warn => entry.warn,
        }
    }

    fn index(&self) -> usize {
        match self.field {
            Field::Min => 3,
            Field::Max => 4,
            Field::Inactive => 6,
            Field::Warn => 5,
        }
    }

    /// Whether the new age would shut the account's owner out or make them change the password now.
    fn runs_out(&self, entry: &Shadow, aim: i64) -> bool {
        let lives = match self.field {
            Field::Min | Field::Warn => return false,
            Field::Max => aim,
            Field::Inactive => match entry.max {
                Some(max) => max.saturating_add(aim),
                None => return false,
            },
        };
        match entry.last_change {
            // Day 0 means that it must be changed at the next login anyway.
            Some(0) => false,
            Some(day) => day.saturating_add(lives) < today(),
            None => true,
        }
    }
}
