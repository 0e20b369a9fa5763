//! The keys of the configuration by their names, for people who ask what counts and who said it.
//!
//! To add one, add a line to [`KEYS`].

use jiff::SignedDuration;
use serde::Serialize;
use serde_json::{Value, json};
use serde_saphyr::Spanned;

use super::gather::Gathered;
use super::source::{Said, Source};
use super::written::Written;
use super::{Config, TAILORING};
use crate::policy::Exception;
use crate::policy::make::Excepted;

/// A key.
pub struct Key {
    /// Its name, with the section before a dot.
    pub name: &'static str,
    /// Whether what several sources say adds up; the last counts otherwise.
    adds_up: bool,
    /// What a source says; null when it does not have the key.
    said: fn(&Written) -> Value,
    /// What counts; null when nothing does.
    counts: fn(&Config) -> Value,
}

/// All keys, in the order of the documentation.
pub const KEYS: [Key; 13] = [
    Key {
        name: "tier",
        adds_up: false,
        said: |w| w.tier.as_ref().map_or(Value::Null, |tier| json!(tier.value)),
        counts: |c| json!(c.tier),
    },
    Key {
        name: "tailoring",
        adds_up: true,
        said: |w| list(w.tailoring.iter().map(|path| &path.value)),
        counts: |c| list(c.tailoring.iter()),
    },
    Key {
        name: "exceptions",
        adds_up: true,
        said: |w| excepted(&w.excepted(""), false),
        counts: |c| excepted(&c.exceptions, false),
    },
    Key {
        name: "values",
        adds_up: true,
        said: |w| excepted(&w.excepted(""), true),
        counts: |c| excepted(&c.exceptions, true),
    },
    Key {
        name: "access.keep",
        adds_up: true,
        said: |w| names(&w.access.keep),
        counts: |c| json!(c.access.keep),
    },
    Key {
        name: "cloud_init.afterwards",
        adds_up: false,
        said: |w| json!(w.cloud_init.afterwards),
        counts: |c| json!(c.cloud_init.afterwards),
    },
    Key {
        name: "cloud_init.remove_default_user",
        adds_up: false,
        said: |w| json!(w.cloud_init.remove_default_user),
        counts: |c| json!(c.cloud_init.remove_default_user),
    },
    Key {
        name: "cloud_init.datasource",
        adds_up: false,
        said: |w| names(&w.cloud_init.datasource),
        counts: |c| list(c.cloud_init.datasource.iter()),
    },
    Key {
        name: "cloud_init.vmware_wait",
        adds_up: false,
        said: |w| json!(w.cloud_init.vmware_wait),
        counts: |c| json!(c.cloud_init.vmware_wait),
    },
    Key {
        name: "drift.action",
        adds_up: false,
        said: |w| json!(w.drift.action),
        counts: |c| json!(c.drift.action),
    },
    Key {
        name: "drift.metrics",
        adds_up: false,
        said: |w| w.drift.metrics.as_ref().map_or(Value::Null, |path| json!(path.value)),
        counts: |c| json!(c.drift.metrics),
    },
    Key {
        name: "firstboot.enabled",
        adds_up: false,
        said: |w| json!(w.firstboot.enabled),
        counts: |c| json!(c.firstboot.enabled),
    },
    Key {
        name: "firstboot.time_limit",
        adds_up: false,
        said: |w| w.firstboot.time_limit.as_ref().map_or(Value::Null, |limit| time(limit.value.0)),
        counts: |c| time(c.firstboot.time_limit.try_into().unwrap_or_default()),
    },
];

/// A key as it counts.
#[derive(Debug, PartialEq, Serialize)]
pub struct Counting {
    /// The key.
    pub key: &'static str,
    /// Its value; null when nothing decides it.
    pub value: Value,
    /// The sources it comes from; none when it is the agent's own choice.
    pub from: Vec<String>,
}

/// A list; null when nothing is in it.
fn list<T: Serialize>(items: impl Iterator<Item = T>) -> Value {
    let items: Vec<Value> = items.map(|item| json!(item)).collect();
    if items.is_empty() { Value::Null } else { Value::Array(items) }
}

/// A list of names, which may be empty on purpose.
fn names(names: &Option<Vec<Spanned<String>>>) -> Value {
    names.as_ref().map_or(Value::Null, |names| names.iter().map(|name| json!(name.value)).collect())
}

/// A time as people write it.
fn time(time: SignedDuration) -> Value {
    json!(format!("{time:#}"))
}

/// The exceptions of values, or of rules.
fn excepted(all: &[Excepted], values: bool) -> Value {
    let mine = all.iter().filter(|own| own.set.is_some() == values);
    list(mine.map(|own| {
        let Exception { reason, owner, until, .. } = &own.exception;
        match &own.set {
            None => json!({"rule": own.id, "reason": reason, "owner": owner, "until": until}),
            Some(set) => {
                json!({"value": own.id, "set": set, "reason": reason, "owner": owner, "until": until})
            }
        }
    }))
}

/// What a source says, key by key.
pub fn said(written: &Written) -> impl Iterator<Item = (&'static str, Value)> {
    KEYS.iter().map(|key| (key.name, (key.said)(written))).filter(|(_, value)| !value.is_null())
}

/// What counts, with the sources it comes from.
pub fn counting(gathered: &Gathered) -> Vec<Counting> {
    KEYS.iter()
        .map(|key| {
            let says = |source: &&Source| match &source.said {
                Said::Written(written) => {
                    gathered.decides(source, key.name) && !(key.said)(written).is_null()
                }
                _ => false,
            };
            let mut names = gathered.sources.iter().filter(says).map(|source| source.name.clone());
            let mut from: Vec<String> =
                if key.adds_up { names.collect() } else { names.next_back().into_iter().collect() };
            if key.name == "tailoring"
                && gathered.config.tailoring.iter().any(|path| path.starts_with(TAILORING))
            {
                from.push(TAILORING.to_owned());
            }
            if key.name == "tier" && from.is_empty() && !gathered.tier_of.is_empty() {
                from.push(gathered.tier_of.clone()); // a file of which nothing else could be understood
            }
            Counting { key: key.name, value: (key.counts)(&gathered.config), from }
        })
        .collect()
}
