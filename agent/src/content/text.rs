//! A parameter of a setting: text in which `${value_id}` stands for a bound XCCDF value.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use anyhow::{Result, anyhow, bail};
use schemars::JsonSchema;
use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize};

/// Text, written in YAML as text or whole number. `no` and `yes` must be quoted to be text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema, Default)]
#[serde(transparent)]
#[schemars(extend("type" = ["string", "integer"]))]
pub struct Text(pub String);

impl Text {
    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text as a number.
    ///
    /// # Errors
    /// When it is none.
    pub fn number(&self) -> Result<i64> {
        self.0.trim().parse().map_err(|_| anyhow!("'{}' is not a whole number", self.0))
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Text {
        Text(text.to_owned())
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Text, D::Error> {
        struct ScalarVisitor;
        impl Visitor<'_> for ScalarVisitor {
            type Value = Text;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text or a whole number (quote yes, no, true and false)")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Text, E> {
                Ok(Text(text.to_owned()))
            }
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Text, E> {
                Ok(Text(number.to_string()))
            }
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Text, E> {
                Ok(Text(number.to_string()))
            }
        }
        deserializer.deserialize_any(ScalarVisitor)
    }
}

/// Puts the bound values into every text below `json`.
///
/// # Errors
/// When a `${…}` names no value, or is not closed.
pub fn substitute(json: &mut serde_json::Value, values: &BTreeMap<String, String>) -> Result<()> {
    match json {
        serde_json::Value::String(text) if text.contains("${") => *text = replace(text, values)?,
        serde_json::Value::Array(items) => items.iter_mut().try_for_each(|item| substitute(item, values))?,
        serde_json::Value::Object(fields) => {
            fields.values_mut().try_for_each(|field| substitute(field, values))?;
        }
        _ => {}
    }
    Ok(())
}

fn replace(text: &str, values: &BTreeMap<String, String>) -> Result<String> {
    let mut parts = text.split("${");
    let mut replaced = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let Some((name, rest)) = part.split_once('}') else { bail!("'{text}': ${{ without a closing brace") };
        let Some(value) = values.get(name) else { bail!("'{text}': there is no value '{name}'") };
        replaced.push_str(value);
        replaced.push_str(rest);
    }
    Ok(replaced)
}

/// The ids of the values that `json` refers to.
pub fn references(json: &serde_json::Value) -> BTreeSet<String> {
    match json {
        serde_json::Value::String(text) => {
            let names = text.split("${").skip(1).filter_map(|part| part.split_once('}'));
            names.map(|(name, _)| name.to_owned()).collect()
        }
        serde_json::Value::Array(items) => items.iter().flat_map(references).collect(),
        serde_json::Value::Object(fields) => fields.values().flat_map(references).collect(),
        _ => BTreeSet::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_replace_their_names_everywhere() {
        let values = BTreeMap::from([("n".to_owned(), "4".to_owned())]);
        let mut json = serde_json::json!({"a": ["${n}", "x${n}y${n}"], "b": 1});
        substitute(&mut json, &values).unwrap();
        assert_eq!(json, serde_json::json!({"a": ["4", "x4y4"], "b": 1}));
        let mut unknown = serde_json::json!("${m}");
        assert!(substitute(&mut unknown, &values).unwrap_err().to_string().contains("no value 'm'"));
        let mut open = serde_json::json!("${n");
        assert!(substitute(&mut open, &values).is_err());
    }

    #[test]
    fn scalars_are_text_but_booleans_are_not() {
        assert_eq!(serde_json::from_str::<Text>("5").unwrap(), Text::from("5"));
        assert_eq!(serde_json::from_str::<Text>("\"no\"").unwrap(), Text::from("no"));
        assert!(serde_json::from_str::<Text>("false").is_err());
    }
}
