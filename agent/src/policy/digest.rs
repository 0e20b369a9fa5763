//! The digest of a policy: two machines with the same digest were asked the same.

use anyhow::Result;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{Check, PolicyRule};

/// The digest of the content, the rules that are asked for with their values, and the exceptions; in hexadecimal.
///
/// # Errors
/// When a rule cannot be written as JSON.
pub fn digest(content: &str, rules: &[PolicyRule]) -> Result<String> {
    let mut hash = Sha256::new();
    hash.update(content);
    for rule in rules.iter().filter(|rule| rule.not_selected.is_none() || rule.exception.is_some()) {
        let Check::Setting { applies, ensure, instead } = &rule.check;
        let exception = rule.exception.as_ref().map(|own| (&own.reason, &own.owner, &own.until));
        let selected = rule.not_selected.is_none();
        let asked = json!([rule.id, selected, rule.severity, applies, ensure, instead, exception]);
        hash.update(serde_json::to_vec(&asked)?);
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}
