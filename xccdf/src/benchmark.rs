//! A benchmark: the tree of groups and rules, the values they use, and the profiles that choose
//! among them.
//!
//! Attributes are `Option` where XCCDF tells "not said" from "said": an item that extends another
//! inherits what it does not say. The default applies when nobody says it.

use crate::element::Element;
use crate::error::Position;
use crate::id::{Kind, short_id};
use crate::profile::Profile;
use crate::rule::{Reference, Rule, Warning};
use crate::text::Text;
use crate::value::Value;

/// A benchmark document.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Benchmark {
    /// The name the caller gave the document, for messages.
    pub source: String,
    /// Full id.
    pub id: String,
    /// Whether the author says that nothing extends anything any more.
    pub resolved: bool,
    /// The scheme it was written for, such as `SCAP_1.2`.
    pub style: Option<String>,
    /// Language of the texts.
    pub language: Option<String>,
    /// States of the document; XCCDF wants at least one.
    pub status: Vec<Status>,
    /// Title.
    pub title: Text,
    /// What it is for.
    pub description: Text,
    /// Named texts that `<sub>` can refer to.
    pub plain_texts: Vec<PlainText>,
    /// Platforms it is for: CPE names, or `#id` of a platform specification.
    pub platforms: Vec<String>,
    /// Version.
    pub version: Version,
    /// Elements of other namespaces.
    pub metadata: Vec<Element>,
    /// Scoring models, URIs; the default model when empty.
    pub models: Vec<String>,
    /// Profiles, in document order.
    pub profiles: Vec<Profile>,
    /// Values outside groups.
    pub values: Vec<Value>,
    /// Groups and rules, in document order.
    pub items: Vec<Item>,
}

/// A group or a rule.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// A group.
    Group(Box<Group>),
    /// A rule.
    Rule(Box<Rule>),
}

impl Item {
    /// Id, title, description and so on.
    pub fn head(&self) -> &Head {
        match self {
            Item::Group(group) => &group.head,
            Item::Rule(rule) => &rule.head,
        }
    }

    /// Group or rule.
    pub fn kind(&self) -> Kind {
        match self {
            Item::Group(_) => Kind::Group,
            Item::Rule(_) => Kind::Rule,
        }
    }

    /// Whether it is selected when no profile says.
    pub fn selected(&self) -> bool {
        let said = match self {
            Item::Group(group) => group.selected,
            Item::Rule(rule) => rule.selected,
        };
        said.unwrap_or(true)
    }

    /// Weight in its parent's score.
    pub fn weight(&self) -> f64 {
        let said = match self {
            Item::Group(group) => group.weight,
            Item::Rule(rule) => rule.weight,
        };
        said.unwrap_or(1.0)
    }

    /// Every list must name a selected item, or the item is deselected.
    pub fn requires(&self) -> &[Vec<String>] {
        match self {
            Item::Group(group) => &group.requires,
            Item::Rule(rule) => &rule.requires,
        }
    }

    /// Items that deselect the item when they are selected.
    pub fn conflicts(&self) -> &[String] {
        match self {
            Item::Group(group) => &group.conflicts,
            Item::Rule(rule) => &rule.conflicts,
        }
    }
}

/// A group of rules, values and groups.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Group {
    /// Id, title, description and so on.
    pub head: Head,
    /// Whether it is selected when no profile says; `true` unless said.
    pub selected: Option<bool>,
    /// Weight in its parent's score; 1 unless said.
    pub weight: Option<f64>,
    /// Why it matters.
    pub rationale: Text,
    /// Platforms it is for; all when empty.
    pub platforms: Vec<String>,
    /// Every list must name a selected item, or the group is deselected.
    pub requires: Vec<Vec<String>>,
    /// Items that deselect the group when they are selected.
    pub conflicts: Vec<String>,
    /// Values, in document order.
    pub values: Vec<Value>,
    /// Groups and rules, in document order.
    pub items: Vec<Item>,
}

/// What groups, rules and values have in common.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Head {
    /// Full id.
    pub id: String,
    /// Where it is written.
    pub position: Position,
    /// An id shared by items that are selected together.
    pub cluster_id: Option<String>,
    /// The item of the same kind it takes over what it does not say from. Ignored on groups, where
    /// XCCDF 1.2 made it obsolete.
    pub extends: Option<String>,
    /// There to be extended only.
    pub is_abstract: bool,
    /// Not to be shown in printed documents.
    pub hidden: Option<bool>,
    /// Not to be changed by tailoring: a word to editors, resolution does not enforce it.
    pub prohibit_changes: Option<bool>,
    /// States.
    pub status: Vec<Status>,
    /// Version.
    pub version: Option<Version>,
    /// Title.
    pub title: Text,
    /// What it is.
    pub description: Text,
    /// What to beware of.
    pub warnings: Vec<Warning>,
    /// Other documents that speak of it.
    pub references: Vec<Reference>,
    /// Elements of other namespaces.
    pub metadata: Vec<Element>,
}

/// A state of a document or item, and since when.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Status {
    /// `accepted`, `deprecated`, `draft`, `incomplete` or `interim`.
    pub name: String,
    /// `YYYY-MM-DD`.
    pub date: Option<String>,
}

/// A version.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Version {
    /// The version itself.
    pub name: String,
    /// When it was made, RFC 3339.
    pub time: Option<String>,
    /// Where newer versions are found.
    pub update: Option<String>,
}

impl From<&str> for Version {
    fn from(name: &str) -> Self {
        Version { name: name.to_owned(), ..Version::default() }
    }
}

/// A named text that `<sub>` can refer to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PlainText {
    /// Id, of no particular form.
    pub id: String,
    /// The text.
    pub text: String,
}

impl Benchmark {
    /// All rules in document order.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.walk().filter_map(|item| match item {
            Item::Rule(rule) => Some(rule.as_ref()),
            Item::Group(_) => None,
        })
    }

    /// All groups in document order, parents before children.
    pub fn groups(&self) -> impl Iterator<Item = &Group> {
        self.walk().filter_map(|item| match item {
            Item::Group(group) => Some(group.as_ref()),
            Item::Rule(_) => None,
        })
    }

    /// All values: those outside groups, then those of groups in document order.
    pub fn values(&self) -> impl Iterator<Item = &Value> {
        self.values.iter().chain(self.groups().flat_map(|group| &group.values))
    }

    /// All groups and rules in document order, parents before children.
    pub fn walk(&self) -> impl Iterator<Item = &Item> {
        let mut open = vec![self.items.iter()];
        std::iter::from_fn(move || {
            loop {
                match open.last_mut()?.next() {
                    Some(item) => {
                        if let Item::Group(group) = item {
                            open.push(group.items.iter());
                        }
                        return Some(item);
                    }
                    None => drop(open.pop()),
                }
            }
        })
    }

    /// The rule with this full or short id.
    pub fn rule(&self, id: &str) -> Option<&Rule> {
        find(self.rules(), id, Kind::Rule, |rule| &rule.head.id)
    }

    /// The value with this full or short id.
    pub fn value(&self, id: &str) -> Option<&Value> {
        find(self.values(), id, Kind::Value, |value| &value.head.id)
    }

    /// The profile with this full or short id.
    pub fn profile(&self, id: &str) -> Option<&Profile> {
        find(self.profiles.iter(), id, Kind::Profile, |profile| &profile.id)
    }
}

/// The thing with exactly this id, else the first with the same short id; an id that says it is of
/// another kind finds nothing.
pub(crate) fn find<'a, T: 'a>(
    things: impl Iterator<Item = &'a T>,
    id: &str,
    kind: Kind,
    id_of: impl Fn(&T) -> &str,
) -> Option<&'a T> {
    if crate::id::kind_of(id).is_some_and(|said| said != kind) {
        return None;
    }
    let short = short_id(id);
    let mut alike = None;
    for thing in things {
        let own = id_of(thing);
        if own == id {
            return Some(thing);
        }
        if alike.is_none() && own.ends_with(short) && short_id(own) == short {
            alike = Some(thing);
        }
    }
    alike
}
