//! A rule: one thing to be true, how to check it and how to mend it.

use crate::benchmark::Head;
use crate::check::{Check, CheckPart, ComplexCheck};
use crate::text::Text;
use crate::words::words;
use std::sync::Arc;

/// A rule.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rule {
    /// Id, title, description and so on.
    pub head: Head,
    /// Whether it is selected when no profile says; `true` unless said.
    pub selected: Option<bool>,
    /// Weight in its parent's score; 1 unless said.
    pub weight: Option<f64>,
    /// How bad its failure is; `unknown` unless said.
    pub severity: Option<Severity>,
    /// Its part in evaluation and score; `full` unless said.
    pub role: Option<Role>,
    /// Whether it may apply to several instances of the thing it is about.
    pub multiple: Option<bool>,
    /// Why it matters.
    pub rationale: Text,
    /// Platforms it is for; all when empty.
    pub platforms: Vec<String>,
    /// Every list must name a selected item, or the rule is deselected.
    pub requires: Vec<Vec<String>>,
    /// Items that deselect the rule when they are selected.
    pub conflicts: Vec<String>,
    /// Its names in numbering schemes, such as a CCE.
    pub idents: Vec<Ident>,
    /// Ways to mend it.
    pub fixes: Vec<Fix>,
    /// Ways to check it; the caller picks the one it can evaluate.
    pub checks: Vec<Check>,
    /// A check made of checks; has precedence over [`Rule::checks`].
    pub complex_check: Option<ComplexCheck>,
}

impl Rule {
    /// Every check of the rule, those inside complex checks too.
    pub fn all_checks(&self) -> Vec<&Check> {
        let mut all: Vec<&Check> = self.checks.iter().collect();
        let mut open: Vec<&ComplexCheck> = self.complex_check.iter().collect();
        while let Some(complex) = open.pop() {
            for part in &complex.parts {
                match part {
                    CheckPart::Check(check) => all.push(check),
                    CheckPart::Complex(inner) => open.push(inner),
                }
            }
        }
        all
    }
}

/// A name in a numbering scheme.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ident {
    /// The scheme, a URI.
    pub system: String,
    /// The name.
    pub name: String,
}

/// A pointer to another document.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reference {
    /// Where the document is. Shared, as a benchmark points at few documents many times.
    pub href: Option<Arc<str>>,
    /// The section in it, or its title.
    pub text: String,
}

/// A caution.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Warning {
    /// `general`, `functionality`, `performance`, `hardware`, `legal`, `regulatory`, `management`,
    /// `audit` or `dependency`; `general` unless said.
    pub category: Option<String>,
    /// What to beware of.
    pub text: Text,
}

/// A way to mend a rule.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fix {
    /// Its id.
    pub id: Option<String>,
    /// The kind of script, a URI such as `urn:xccdf:fix:script:sh`.
    pub system: Option<String>,
    /// The platform it is for.
    pub platform: Option<String>,
    /// Whether it takes effect at the next boot only.
    pub reboot: Option<bool>,
    /// What it does.
    pub strategy: Option<Strategy>,
    /// How much it disturbs.
    pub disruption: Option<Rating>,
    /// How hard it is.
    pub complexity: Option<Rating>,
    /// The script, with references to values.
    pub script: Text,
}

words! {
    /// How bad a failure is, from least to worst.
    Severity {
        /// Not said.
        Unknown = "unknown",
        /// Not a failure at all.
        Info = "info",
        /// Not serious.
        Low = "low",
        /// Serious.
        Medium = "medium",
        /// Grave.
        High = "high",
    }
}

words! {
    /// A rule's part in evaluation and score.
    Role {
        /// Checked and scored.
        Full = "full",
        /// Checked, reported as informational.
        Unscored = "unscored",
        /// Not checked.
        Unchecked = "unchecked",
    }
}

words! {
    /// What a fix does.
    Strategy {
        /// Not said.
        Unknown = "unknown",
        /// Changes a setting.
        Configure = "configure",
        /// Several of the others.
        Combination = "combination",
        /// Turns something off or removes it.
        Disable = "disable",
        /// Turns something on or installs it.
        Enable = "enable",
        /// Applies a patch.
        Patch = "patch",
        /// Changes a policy by other means.
        Policy = "policy",
        /// Narrows permissions.
        Restrict = "restrict",
        /// Installs a newer version.
        Update = "update",
    }
}

words! {
    /// A rating of a fix.
    Rating {
        /// Not said.
        Unknown = "unknown",
        /// Low.
        Low = "low",
        /// Medium.
        Medium = "medium",
        /// High.
        High = "high",
    }
}
