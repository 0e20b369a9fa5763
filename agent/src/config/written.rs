//! The configuration as written: the one shape that every source has, be it a file or a key of user-data.
//!
//! Unknown keys are errors: a misspelt `tier` must not harden to another. So are values that mean nothing, and a key without one: what
//! stands below it is not indented, most likely. To add a key, add a field here and to [`Config`], say in [`Config::lay`] how it adds
//! up, and add a line to [`super::key::KEYS`].
//!
//! [`Config`]: super::Config
//! [`Config::lay`]: super::Config::lay

use std::path::PathBuf;

use anyhow::{Result, anyhow, bail};
use jiff::SignedDuration;
use jiff::civil::Date;
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use serde_saphyr::{Location, Spanned};
use xccdf::id::did_you_mean;
use xccdf::{Position, short_id};

use super::Afterwards;
use crate::content::{Catalogue, TIERS};
use crate::drift::Action;
use crate::policy::Exception;
use crate::policy::make::Excepted;

/// The most a source may say, in bytes.
pub const LARGEST: usize = 1 << 20;

/// The names of cloud-init's data sources, as `ds-identify` knows them.
const DATASOURCES: [&str; 31] = [
    "MAAS",
    "ConfigDrive",
    "NoCloud",
    "AltCloud",
    "Azure",
    "Bigstep",
    "CloudSigma",
    "CloudStack",
    "DigitalOcean",
    "Vultr",
    "AliYun",
    "Ec2",
    "GCE",
    "OpenNebula",
    "OpenStack",
    "VMware",
    "OVF",
    "SmartOS",
    "Scaleway",
    "Hetzner",
    "IBMCloud",
    "Oracle",
    "Exoscale",
    "RbxCloud",
    "UpCloud",
    "LXD",
    "NWCS",
    "Akamai",
    "WSL",
    "CloudCIX",
    "None",
];

/// What one source says. A key that is `None` or an empty list is one it does not have.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Written {
    /// The tier.
    #[serde(deserialize_with = "valued")]
    pub tier: Option<Spanned<String>>,
    /// Tailoring files.
    pub tailoring: Vec<Spanned<PathBuf>>,
    /// Rules excepted.
    pub exceptions: Vec<RuleException>,
    /// Values set otherwise than the tier does.
    pub values: Vec<ValueException>,
    /// Who must keep access.
    pub access: Access,
    /// What becomes of cloud-init.
    pub cloud_init: CloudInit,
    /// What happens at the first boot.
    pub firstboot: Firstboot,
    /// What is done about drift.
    pub drift: Drift,
}

/// An entry of `exceptions`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleException {
    /// The rule.
    pub rule: Spanned<String>,
    /// Why.
    pub reason: String,
    /// Who answers for it.
    #[serde(default)]
    pub owner: String,
    /// Its last day; none for one without an end.
    #[serde(default, deserialize_with = "day")]
    pub until: Option<Date>,
}

/// An entry of `values`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValueException {
    /// The value.
    pub value: Spanned<String>,
    /// What it is to be.
    pub set: String,
    /// Why.
    pub reason: String,
    /// Who answers for it.
    #[serde(default)]
    pub owner: String,
    /// Its last day; none for one without an end.
    #[serde(default, deserialize_with = "day")]
    pub until: Option<Date>,
}

/// The section `access`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Access {
    /// The accounts.
    #[serde(deserialize_with = "valued")]
    pub keep: Option<Vec<Spanned<String>>>,
}

/// The section `cloud_init`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CloudInit {
    /// How much of it stays.
    #[serde(deserialize_with = "valued")]
    pub afterwards: Option<Afterwards>,
    /// Whether the account it makes by itself is removed.
    #[serde(deserialize_with = "valued")]
    pub remove_default_user: Option<bool>,
    /// The data sources it may look for.
    #[serde(deserialize_with = "valued")]
    pub datasource: Option<Vec<Spanned<String>>>,
    /// How many seconds it waits for VMware's customization.
    #[serde(deserialize_with = "valued")]
    pub vmware_wait: Option<u16>,
}

/// The section `firstboot`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Firstboot {
    /// Whether the machine hardens itself.
    #[serde(deserialize_with = "valued")]
    pub enabled: Option<bool>,
    /// How long each phase of it may take.
    #[serde(deserialize_with = "valued")]
    pub time_limit: Option<Spanned<Time>>,
}

/// The section `drift`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Drift {
    /// What is done about it.
    #[serde(deserialize_with = "valued")]
    pub action: Option<Action>,
    /// The file that metrics are written to.
    #[serde(deserialize_with = "valued")]
    pub metrics: Option<Spanned<PathBuf>>,
}

/// A time as people write it: `10m`, `90s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time(pub SignedDuration);

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Time, D::Error> {
        let text = String::deserialize(deserializer)?;
        let wrong = || D::Error::custom(format!("{text:?} is no time; write one such as 10m"));
        text.parse().map(Time).map_err(|_| wrong())
    }
}

/// The value of a key that has one.
///
/// # Errors
/// Where nothing is written after the key.
pub fn valued<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let value = Option::<T>::deserialize(deserializer)?;
    let nothing = || {
        D::Error::custom(
            "a key without a value: write one (indented, if it has several lines), or leave the key out",
        )
    };
    value.map(Some).ok_or_else(nothing)
}

/// A day as people write it.
fn day<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Date>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    let wrong = || D::Error::custom(format!("{text:?} is no day; write one as YYYY-MM-DD"));
    text.parse().map(Some).map_err(|_| wrong())
}

/// The longest time limit, in seconds: the units end the phases after 30 and 90 minutes, of which four times this must leave some.
const LONGEST: i64 = 20 * 60;

impl Written {
    /// Reads a document. `source` is what messages call it.
    ///
    /// # Errors
    /// When it is not understood, with source, line and column.
    pub fn parse(text: &str, source: &str) -> Result<Written> {
        if text.len() > LARGEST {
            bail!("{source}: larger than 1 MiB, which no configuration is");
        }
        document::<Written>(text, source)?.checked(source)
    }

    /// What says nothing but the tier.
    pub fn tier(tier: &str) -> Written {
        let tier = Spanned::new(tier.to_owned(), Location::UNKNOWN, Location::UNKNOWN);
        Written { tier: Some(tier), ..Written::default() }
    }

    /// The tier that a text names, whatever is wrong with the rest of it; `None` where that cannot be told.
    pub fn tier_of(text: &str) -> Option<String> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Alone {
            tier: Option<String>,
        }
        let text = Some(text).filter(|text| text.len() <= LARGEST)?;
        let tier = document::<Alone>(text, "").ok()?.tier?;
        TIERS.contains(&tier.as_str()).then_some(tier)
    }

    /// Refuses values that mean nothing. `source` is what messages call what was read.
    ///
    /// # Errors
    /// For the first of them, with its place.
    pub fn checked(self, source: &str) -> Result<Written> {
        if let Some(tier) = self.tier.as_ref().filter(|tier| !TIERS.contains(&tier.value.as_str())) {
            bail!("{}", unknown(source, "tier", tier, TIERS));
        }
        if let Some(path) = self.tailoring.iter().find(|path| path.value.is_relative()) {
            bail!("{}: tailoring {:?} must be written as an absolute path", at(source, path), path.value);
        }
        if self.access.keep.as_ref().is_some_and(Vec::is_empty) {
            bail!(
                "{source}: access.keep names nobody; leave it out to keep the access of those that have it"
            );
        }
        let odd = |name: &&Spanned<String>| name.value.is_empty() || name.value.contains(char::is_whitespace);
        if let Some(name) = self.access.keep.iter().flatten().find(odd) {
            bail!("{}: access.keep: {:?} is no account", at(source, name), name.value);
        }
        let mut names = self.cloud_init.datasource.iter().flatten();
        if let Some(name) = names.find(|name| !DATASOURCES.contains(&name.value.as_str())) {
            bail!("{}", unknown(source, "data source of cloud-init", name, DATASOURCES));
        }
        if let Some(path) = self.drift.metrics.as_ref().filter(|path| path.value.is_relative()) {
            bail!("{}: drift.metrics {:?} must be written as an absolute path", at(source, path), path.value);
        }
        let possible = |seconds| (1..=LONGEST).contains(&seconds);
        if let Some(limit) =
            self.firstboot.time_limit.as_ref().filter(|limit| !possible(limit.value.0.as_secs()))
        {
            bail!("{}: firstboot.time_limit must be a time such as 10m, at most 20m", at(source, limit));
        }
        self.exceptions_checked(source)?;
        Ok(self)
    }

    fn exceptions_checked(&self, source: &str) -> Result<()> {
        if self.exceptions.is_empty() && self.values.is_empty() {
            return Ok(());
        }
        let catalogue = Catalogue::embedded()?;
        let rules = || catalogue.rules().map(|rule| rule.id.as_str());
        let values = || catalogue.values().map(|value| value.id.as_str());
        let rule = |own: &&RuleException| rules().all(|id| id != short_id(&own.rule.value));
        if let Some(own) = self.exceptions.iter().find(rule) {
            bail!("{}", unknown(source, "rule", &own.rule, rules()));
        }
        let value = |own: &&ValueException| values().all(|id| id != short_id(&own.value.value));
        if let Some(own) = self.values.iter().find(value) {
            bail!("{}", unknown(source, "value", &own.value, values()));
        }
        let reasons = self.exceptions.iter().map(|own| (&own.rule, &own.reason));
        let mut reasons = reasons.chain(self.values.iter().map(|own| (&own.value, &own.reason)));
        match reasons.find(|(_, reason)| reason.trim().is_empty()) {
            Some((id, _)) => bail!("{}: the exception for {} gives no reason", at(source, id), id.value),
            None => Ok(()),
        }
    }

    /// The exceptions, of rules and of values. `source` is what reports call it.
    pub fn excepted(&self, source: &str) -> Vec<Excepted> {
        let made = |reason: &str, owner: &str, until: Option<Date>| Exception {
            reason: reason.split_whitespace().collect::<Vec<_>>().join(" "),
            owner: owner.to_owned(),
            until: until.map(|until| until.to_string()),
            expired: false,
            source: source.to_owned(),
        };
        let rules = self.exceptions.iter().map(|own| Excepted {
            id: short_id(&own.rule.value).to_owned(),
            set: None,
            exception: made(&own.reason, &own.owner, own.until),
            position: position(&own.rule),
        });
        let values = self.values.iter().map(|own| Excepted {
            id: short_id(&own.value.value).to_owned(),
            set: Some(own.set.clone()),
            exception: made(&own.reason, &own.owner, own.until),
            position: position(&own.value),
        });
        rules.chain(values).collect()
    }
}

/// Reads a YAML document; one of nothing but comments says nothing.
///
/// # Errors
/// When it is not understood, with source, line and column.
pub fn document<T: DeserializeOwned + Default>(text: &str, source: &str) -> Result<T> {
    if text.lines().all(|line| line.trim().is_empty() || line.trim().starts_with('#')) {
        return Ok(T::default());
    }
    // cloud-init's files may hold binary content that is none of ours; only whoever wants text of it would stumble.
    let options = serde_saphyr::options! { ignore_binary_tag_for_string: true };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let message = error.without_snippet().to_string();
        let Some(place) = error.location() else { return anyhow!("{source}: {message}") };
        let (line, column) = (place.line(), place.column());
        let message = message.strip_suffix(&format!(" at line {line}, column {column}")).unwrap_or(&message);
        anyhow!("{source}:{line}:{column}: {}", plain(message))
    })
}

/// What the library says to programmers, and what it means to people.
const PLAIN: [(&str, &str); 7] = [
    (", set DuplicateKeyPolicy in Options if acceptable", ""),
    (
        "expected mapping start",
        "expected keys with values, such as 'tier: strict', with a blank after the colon",
    ),
    ("expected sequence start", "expected a list, such as [a, b]"),
    ("expected string scalar", "expected one word, neither a list nor keys"),
    ("invalid u16", "expected a whole number from 0 to 65535"),
    ("; use from_str_multiple or from_str_multiple_with_options", ": a configuration is one"),
    ("recursive references require weak recursion types", "an anchor must not hold itself"),
];

/// A message of the library as people are told it, with what a misspelt key may have been meant for.
fn plain(message: &str) -> String {
    let mut plain = message.to_owned();
    for (technical, meant) in PLAIN {
        plain = plain.replace(technical, meant);
    }
    // unknown field `a`, expected one of b, c
    let near = plain.split_once(", expected ").and_then(|(what, known)| {
        let name = what.strip_prefix("unknown ")?.split('`').nth(1)?;
        let known = known.trim_start_matches("one of ").split([',', ' ']).map(|name| name.trim_matches('`'));
        let near = did_you_mean(name, known.filter(|name| !name.is_empty()));
        (!near.is_empty()).then(|| format!("{what} ({near})"))
    });
    near.unwrap_or(plain)
}

fn position<T>(written: &Spanned<T>) -> Position {
    let number = |number: u64| u32::try_from(number).unwrap_or_default();
    Position { line: number(written.referenced.line()), column: number(written.referenced.column()) }
}

/// The source with the place of something in it.
fn at<T>(source: &str, written: &Spanned<T>) -> String {
    match position(written) {
        Position { line: 0, .. } => source.to_owned(),
        Position { line, column } => format!("{source}:{line}:{column}"),
    }
}

fn unknown<'a>(
    source: &str,
    what: &str,
    name: &Spanned<String>,
    known: impl IntoIterator<Item = &'a str>,
) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    let near = did_you_mean(&name.value, known.iter().copied());
    let remedy = match near.is_empty() {
        false => near,
        true if known.len() < 40 => format!("there are: {}", known.join(", ")),
        true => format!("'agent list {what}s' shows them all"),
    };
    format!("{}: unknown {what} {:?} ({remedy})", at(source, name), name.value)
}
