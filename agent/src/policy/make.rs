//! Making exceptions: the lines and the record of each, as `agent tailor` writes them to a file and as the configuration lays them
//! over a tier.

use xccdf::{
    BenchmarkRef, Content, Kind, Position, Profile, Select, SetValue, Status, Tailoring, Text, Version,
    short_id,
};

use super::{Exception, Record};
use crate::content::{BENCHMARK_ID, xccdf_id};

/// An exception that is in no tailoring file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excepted {
    /// The rule; the value when `set` says something.
    pub id: String,
    /// What the value is to be.
    pub set: Option<String>,
    /// Why, by whom, until when, and where that is written.
    pub exception: Exception,
    /// Where in that source.
    pub position: Position,
}

impl Excepted {
    fn kind(&self) -> Kind {
        if self.set.is_some() { Kind::Value } else { Kind::Rule }
    }

    /// Whether both are about one rule, or about one value.
    pub fn is_about_the_same(&self, other: &Excepted) -> bool {
        self.kind() == other.kind() && short_id(&self.id) == short_id(&other.id)
    }

    /// Writes it into a profile, instead of what that said of the rule or value.
    pub fn put(&self, profile: &mut Profile) {
        let (kind, id) = (self.kind(), short_id(&self.id));
        match &self.set {
            None => choose(profile, id, false, vec![remark(&self.exception)], self.position),
            Some(content) => {
                profile.set_values.retain(|own| short_id(&own.idref) != id);
                forget(profile, kind, id);
                let (idref, content) = (xccdf_id(kind, id), Content::One(content.clone()));
                profile.set_values.push(SetValue { idref, content, position: self.position });
            }
        }
        let (id, exception) = (id.to_owned(), self.exception.clone());
        profile.metadata.push(Record { kind, id, profile: String::new(), exception }.element());
    }
}

/// Asks for a rule in a profile, whatever that said of it.
pub fn select(profile: &mut Profile, id: &str) {
    choose(profile, short_id(id), true, Vec::new(), Position::default());
}

fn choose(profile: &mut Profile, id: &str, selected: bool, remarks: Vec<String>, position: Position) {
    profile.selects.retain(|own| short_id(&own.idref) != id);
    forget(profile, Kind::Rule, id);
    profile.selects.push(Select { idref: xccdf_id(Kind::Rule, id), selected, remarks, position });
}

/// Drops the record of an exception that is made anew.
fn forget(profile: &mut Profile, kind: Kind, id: &str) {
    profile.metadata.retain(|element| element.attribute(kind.word()).map(short_id) != Some(id));
}

/// What people read beside the rule, in whatever tool.
fn remark(exception: &Exception) -> String {
    let until = exception.until.as_ref().map(|until| format!(" until {until}")).unwrap_or_default();
    let owner = if exception.owner.is_empty() { String::new() } else { format!(" by {}", exception.owner) };
    format!("Excepted{until}{owner}: {}", exception.reason)
}

/// A tailoring of the catalogue with this profile. `source` is what messages call it.
pub fn tailoring(profile: Profile, source: &str) -> Tailoring {
    Tailoring {
        source: source.to_owned(),
        id: xccdf_id(Kind::Tailoring, short_id(&profile.id)),
        benchmark: Some(BenchmarkRef {
            href: "catalogue".to_owned(),
            id: Some(BENCHMARK_ID.to_owned()),
            version: None,
        }),
        status: vec![Status { name: "accepted".to_owned(), date: None }],
        version: Version { name: "1".to_owned(), ..Version::default() },
        profiles: vec![profile],
        ..Tailoring::default()
    }
}

/// The exceptions as tailorings that build on whatever is below them: one for each source, in their order.
pub fn layers(excepted: &[Excepted]) -> Vec<Tailoring> {
    let sources = excepted.chunk_by(|one, next| one.exception.source == next.exception.source);
    let layer = |own: &[Excepted]| {
        let source = own.first().map(|own| own.exception.source.as_str()).unwrap_or_default();
        let mut profile = Profile {
            id: xccdf_id(Kind::Profile, "configuration"),
            title: Text::from(source),
            ..Profile::default()
        };
        own.iter().for_each(|own| own.put(&mut profile));
        tailoring(profile, source)
    };
    sources.map(layer).collect()
}
