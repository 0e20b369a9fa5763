//! What a value must be: a bound or a choice, as the catalogue writes it (`must: {at_least: 14}`).
//!
//! To add a way of comparing, add a field here and its line in [`Must::accepts`], [`Must::aim`] and `Display`.

use std::fmt;

use anyhow::{Context, Result, bail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::content::Text;

/// What a value must be. Where several are given, all must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Must {
    /// This text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equals: Option<Text>,
    /// A number that is not smaller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<Text>,
    /// A number that is not larger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<Text>,
    /// One of these words, separated by `|`; the first is the one to set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub one_of: Option<Text>,
    /// An octal mask with at least these bits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub covers: Option<Text>,
    /// Texts that are good whatever else is asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<Text>,
}

impl Must {
    /// Whether a value is good enough. A value that is no number is not, where a number is asked for.
    ///
    /// # Errors
    /// When the bound itself is no number: the catalogue or a tailoring is wrong.
    pub fn accepts(&self, value: &str) -> Result<bool> {
        let value = value.trim();
        if self.also.iter().any(|text| text.as_str() == value) {
            return Ok(true);
        }
        let number = value.parse::<i64>().ok();
        let mut holds = self.equals.as_ref().is_none_or(|text| text.as_str() == value);
        if let Some(bound) = &self.at_least {
            let bound = bound.number().context("at_least")?;
            holds &= number.is_some_and(|number| number >= bound);
        }
        if let Some(bound) = &self.at_most {
            let bound = bound.number().context("at_most")?;
            holds &= number.is_some_and(|number| number <= bound);
        }
        if let Some(words) = &self.one_of {
            holds &= words.as_str().split('|').any(|word| word.trim() == value);
        }
        if let Some(mask) = &self.covers {
            let mask = octal(mask.as_str()).with_context(|| format!("'{mask}' is not an octal mask"))?;
            holds &= octal(value).is_some_and(|value| value & mask == mask);
        }
        Ok(holds)
    }

    /// The value to set where the one found is not good enough.
    ///
    /// # Errors
    /// When nothing is asked for: the catalogue is wrong.
    pub fn aim(&self) -> Result<&str> {
        let all = [&self.equals, &self.one_of, &self.covers, &self.at_most, &self.at_least];
        let Some(text) = all.into_iter().flatten().next() else {
            bail!("a value must be equals, one_of, covers, at_most or at_least something");
        };
        Ok(text.as_str().split('|').next().unwrap_or_default().trim())
    }
}

impl fmt::Display for Must {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |word: &str, text: &Option<Text>| text.as_ref().map(|text| format!("{word}{text}"));
        let parts = [
            part("", &self.equals),
            part("at least ", &self.at_least),
            part("at most ", &self.at_most),
            part("", &self.one_of).map(|words| words.replace('|', " or ")),
            part("a mask with ", &self.covers),
        ];
        f.write_str(&parts.into_iter().flatten().collect::<Vec<_>>().join(" and "))?;
        self.also.iter().try_for_each(|text| write!(f, " or {text}"))
    }
}

/// A number written in octal digits.
pub fn octal(text: &str) -> Option<u32> {
    let digits =
        !text.is_empty() && text.len() <= 6 && text.bytes().all(|byte| (b'0'..=b'7').contains(&byte));
    if digits { u32::from_str_radix(text, 8).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn must(yaml: &str) -> Must {
        serde_json::from_str(yaml).unwrap()
    }

    #[test]
    fn each_comparison_accepts_and_refuses() {
        for (yaml, good, bad) in [
            (r#"{"equals": "sugroup"}"#, "sugroup", "wheel"),
            (r#"{"at_least": 14}"#, "14", "8"),
            (r#"{"at_least": 14}"#, "20", "many"),
            (r#"{"at_most": -1}"#, "-2", "0"),
            (r#"{"at_least": 1, "at_most": 4}"#, "4", "0"),
            (r#"{"at_least": 900, "also": ["never"]}"#, "never", "600"),
            (r#"{"one_of": "YESCRYPT|SHA512"}"#, "SHA512", "sha512"),
            (r#"{"covers": "027"}"#, "077", "022"),
            (r#"{"covers": "027"}"#, "0027", "u=rwx"),
        ] {
            assert!(must(yaml).accepts(good).unwrap(), "{yaml} {good}");
            assert!(!must(yaml).accepts(bad).unwrap(), "{yaml} {bad}");
        }
    }

    #[test]
    fn what_is_set_is_accepted() {
        for yaml in [
            r#"{"equals": "x"}"#,
            r#"{"at_least": 1, "at_most": 4}"#,
            r#"{"at_least": 14}"#,
            r#"{"one_of": "b|a"}"#,
            r#"{"covers": "027"}"#,
        ] {
            let must = must(yaml);
            assert!(must.accepts(must.aim().unwrap()).unwrap(), "{yaml}");
        }
        assert!(Must::default().aim().is_err());
    }

    #[test]
    fn a_bound_that_is_no_number_is_an_error() {
        assert!(must(r#"{"at_least": "lots"}"#).accepts("1").is_err());
        assert!(must(r#"{"covers": "u=rwx"}"#).accepts("1").is_err());
    }
}
