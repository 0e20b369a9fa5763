//! Exceptions: rules and values excepted on purpose, with reason, owner and an end.
//!
//! In a tailoring file an exception is what XCCDF has for it, a `select` or `set-value`, so that every tool obeys it. The
//! record beside it, in the profile's metadata, says why, who answers for it and until when. After that day the agent
//! does as if the exception were not written, and every report says so.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use xccdf::{Element, Error, Errors, Kind, Profile, Tailoring, short_id};

/// The namespace of the records.
pub const RECORDS: &str = "urn:trempe:exceptions:1";

/// A rule excepted on purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exception {
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// The last day on which it holds, `YYYY-MM-DD`; `None` without an end.
    pub until: Option<String>,
    /// Whether that day is over.
    pub expired: bool,
    /// The tailoring file it is written in.
    pub source: String,
}

/// An exception as its tailoring file records it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Whether a rule or a value is excepted.
    pub kind: Kind,
    /// Its short id.
    pub id: String,
    /// The profile it is written in.
    pub profile: String,
    /// The exception.
    pub exception: Exception,
}

impl Record {
    /// The record as an element of a profile's metadata.
    pub fn element(&self) -> Element {
        let Exception { reason, owner, until, .. } = &self.exception;
        let element = Element::new(RECORDS, "exception").with(self.kind.word(), &self.id);
        let element = until.iter().fold(element, |element, until| element.with("until", until));
        element.with("owner", owner).text(reason)
    }

    /// Reads a record.
    fn read(element: &Element, profile: &Profile, source: &str, today: Date) -> Result<Record, Error> {
        let wrong = |message: String| {
            Error::new(source, message).at(profile.position).about("exception").remedy(
                "write <exception rule=\"…\" owner=\"…\" until=\"YYYY-MM-DD\">reason</exception>, or use 'agent tailor'",
            )
        };
        let (rule, value) = (element.attribute("rule"), element.attribute("value"));
        let (kind, id) = match (rule, value) {
            (Some(rule), None) => (Kind::Rule, rule),
            (None, Some(value)) => (Kind::Value, value),
            _ => return Err(wrong("names neither a rule nor a value, or both".to_owned())),
        };
        let reason = element.inner_text().split_whitespace().collect::<Vec<_>>().join(" ");
        if reason.is_empty() {
            return Err(wrong(format!("the exception for {id:?} gives no reason")));
        }
        let until = element.attribute("until");
        let last: Option<Date> = until
            .map(|until| {
                until.parse().map_err(|_| {
                    wrong(format!("the exception for {id:?} ends on {until:?}, which is no date"))
                })
            })
            .transpose()?;
        Ok(Record {
            kind,
            id: short_id(id).to_owned(),
            profile: profile.id.clone(),
            exception: Exception {
                reason,
                owner: element.attribute("owner").unwrap_or_default().to_owned(),
                until: last.map(|last| last.to_string()),
                expired: last.is_some_and(|last| last < today),
                source: source.to_owned(),
            },
        })
    }

    fn is_about(&self, idref: &str) -> bool {
        short_id(idref) == self.id
    }
}

/// Reads the records of a tailoring and takes out what the expired ones excepted.
///
/// # Errors
/// Records that say too little, and records of something that the profile does not except.
pub fn enforce(tailoring: &mut Tailoring, today: Date) -> Result<Vec<Record>, Errors> {
    let mut errors = Errors::default();
    let mut records = Vec::new();
    for profile in &mut tailoring.profiles {
        let elements = profile.metadata.iter().filter(|element| element.is(RECORDS, "exception"));
        for element in elements.cloned().collect::<Vec<_>>() {
            match Record::read(&element, profile, &tailoring.source, today) {
                Err(error) => errors.push(error),
                Ok(record) if !excepts(profile, &record) => {
                    let message = format!("the exception for {:?} excepts nothing", record.id);
                    let remedy = match record.kind {
                        Kind::Rule => "select the rule with selected=\"false\" in the same profile",
                        _ => "set the value in the same profile",
                    };
                    let error = Error::new(&tailoring.source, message).at(profile.position);
                    errors.push(error.about("exception").remedy(remedy));
                }
                Ok(record) => {
                    if record.exception.expired {
                        revoke(profile, &record);
                    }
                    records.push(record);
                }
            }
        }
    }
    errors.none_or(records)
}

/// Whether a profile does what a record says it does.
fn excepts(profile: &Profile, record: &Record) -> bool {
    match record.kind {
        Kind::Rule => profile.selects.iter().any(|own| !own.selected && record.is_about(&own.idref)),
        _ => {
            profile.set_values.iter().any(|own| record.is_about(&own.idref))
                || profile.refine_values.iter().any(|own| record.is_about(&own.idref))
        }
    }
}

/// Takes an exception out of a profile.
fn revoke(profile: &mut Profile, record: &Record) {
    match record.kind {
        Kind::Rule => profile.selects.retain(|own| own.selected || !record.is_about(&own.idref)),
        _ => {
            profile.set_values.retain(|own| !record.is_about(&own.idref));
            profile.refine_values.retain(|own| !record.is_about(&own.idref));
        }
    }
}
