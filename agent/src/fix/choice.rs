//! The fixes of content for the rules that are chosen, their values put in.

use anyhow::Result;
use xccdf::{Fix, fix};

use crate::scap::{self, Request};

/// A rule that is chosen, and the fix that its content has for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// Full id.
    pub rule: String,
    /// The text of the fix, or why it has none; `None` where the content has no fix.
    pub text: Option<Result<String, String>>,
}

/// The rules that `request` comes to, in the order of the content, each with its fix of this `system`.
///
/// # Errors
/// When content, profile, tailoring or rules are not understood.
pub fn of_policy(request: &Request, system: &str) -> Result<Vec<Chosen>> {
    scap::chosen(request, &|checklist, benchmark, policy| {
        let mut all = Vec::new();
        for rule in policy.rules.iter().filter(|rule| request.asks_for(rule)) {
            let fixes = checklist.rule(&rule.id)?.map(|rule| rule.fixes).unwrap_or_default();
            let chosen = fix::choose(&fixes, |own| is_of(own, system));
            let text = chosen.map(|own| fix::text(own, benchmark, policy).map_err(|error| error.to_string()));
            all.push(Chosen { rule: rule.id.clone(), text });
        }
        Ok(all)
    })
}

/// Whether a fix is of a system, which is a URI or the last part of one.
fn is_of(fix: &Fix, system: &str) -> bool {
    let Some(own) = fix.system.as_deref() else { return false };
    own == system || own.rsplit(':').next() == Some(system)
}
