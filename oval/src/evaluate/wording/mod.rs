//! What content looks for and what an item is, in words a person understands: no ids, no names of schemas.
//!
//! To teach it another kind of object, add a line to [`SOUGHT`], and to [`described`] when its items need more than their fields.

mod item;
mod text;

pub(super) use item::{described, found};

use super::Evaluator;
use crate::model::{
    Check, Component, Entity, Filter, FilterAction, Object, Operation, Operator, Set, SetOperator, Source,
    State, Variable,
};
use item::{BITS, NAMELESS};
use text::{listed, quoted, readable, shown, spelt};

/// The most parts told of a set.
const MAX_PARTS: usize = 4;

/// What objects of a kind look for, and the entity that says which.
const SOUGHT: [(&str, &str, &str); 14] = [
    ("symlink", "the link", "filepath"),
    ("dpkginfo", "the package", "name"),
    ("rpminfo", "the package", "name"),
    ("partition", "a file system mounted at", "mount_point"),
    ("sysctl", "the kernel's setting", "name"),
    ("password", "an account", "username"),
    ("shadow", "a password's record of", "username"),
    ("selinuxboolean", "the SELinux boolean", "name"),
    ("environmentvariable58", "the environment variable", "name"),
    ("interface", "the network interface", "name"),
    ("process58", "a process", "command_line"),
    ("inetlisteningservers", "an open socket", ""),
    ("uname", "the kernel", ""),
    ("family", "the kind of system", ""),
];

/// How deep it is told what a thing is made of.
const MAX_DEPTH: usize = 4;

/// Puts what an evaluator's document says into words.
pub(super) struct Words<'a>(pub &'a Evaluator<'a>);

impl Words<'_> {
    /// What an object looks for.
    pub fn sought(&self, object: &Object) -> String {
        self.sought_at(object, 0)
    }

    /// What should be instead of what an object looks for: what its filters leave out.
    pub fn unwanted(&self, object: &Object) -> String {
        let left_out = |filter: &Filter| filter.action == FilterAction::Exclude;
        if object.set.is_some() || object.filters.is_empty() || !object.filters.iter().all(left_out) {
            return format!("not: {}", self.sought(object));
        }
        let states = object.filters.iter().filter_map(|filter| self.0.state(&filter.state).ok());
        let conditions: Vec<String> = states.map(|state| self.condition(&state)).collect();
        format!("{} with {}", self.bare(object, 0), conditions.join(", or "))
    }

    fn sought_at(&self, object: &Object, depth: usize) -> String {
        let bare = self.bare(object, depth);
        let told = |filter: &Filter| {
            let condition = self.condition(&*self.0.state(&filter.state).ok()?);
            Some(match filter.action {
                FilterAction::Include => format!("with {condition}"),
                FilterAction::Exclude => format!("without {condition}"),
            })
        };
        let filters: Vec<String> = object.filters.iter().filter_map(told).collect();
        if filters.is_empty() { bare } else { format!("{bare}, {}", filters.join(" and ")) }
    }

    /// What an object looks for, its filters left aside.
    fn bare(&self, object: &Object, depth: usize) -> String {
        if let Some(set) = &object.set {
            return self.set(set, depth);
        }
        let value = |name: &str| {
            object.entities.iter().find(|entity| entity.name == name).map(|entity| self.plain(entity))
        };
        let named = |what: &str, name: &str| format!("{what} {}", value(name).unwrap_or_default());
        match object.kind.as_str() {
            "textfilecontent54" => {
                let pattern = object.entities.iter().find(|entity| entity.name == "pattern");
                let pattern = pattern.map(|entity| self.pattern(entity)).unwrap_or_default();
                format!("{pattern} in {}", self.files(object))
            }
            "xmlfilecontent" => {
                format!("{} in {}", named("what the XPath", "xpath") + " selects", self.files(object))
            }
            "yamlfilecontent" => {
                format!("{} in {}", named("what the path", "yamlpath") + " selects", self.files(object))
            }
            "file" => self.files(object),
            "filehash58" => format!("a digest of {}", self.files(object)),
            "selinuxsecuritycontext" => format!("the SELinux context of {}", self.files(object)),
            "systemdunitproperty" => {
                format!("{} of {}", value("property").unwrap_or_default(), named("the unit", "unit"))
            }
            "systemdunitdependency" => format!("what {} needs", named("the unit", "unit")),
            "variable" => match object.entities.first().map(|entity| &entity.source) {
                Some(Source::Literal(id)) => self.variable(id.trim(), depth + 1),
                _ => "a value of the content".to_owned(),
            },
            other => match SOUGHT.iter().find(|(kind, ..)| *kind == other) {
                Some((_, what, "")) => (*what).to_owned(),
                Some((_, what, entity)) => named(what, entity),
                None => format!("{other} objects"),
            },
        }
    }

    fn set(&self, set: &Set, depth: usize) -> String {
        if depth >= MAX_DEPTH {
            return "what the content puts together".to_owned();
        }
        let objects = set.objects.iter().map(|id| match self.0.document.object(id) {
            Ok(object) => self.sought_at(&object, depth + 1),
            Err(_) => "what the content lacks".to_owned(),
        });
        let mut parts: Vec<String> =
            objects.chain(set.sets.iter().map(|inner| self.set(inner, depth + 1))).collect();
        parts.dedup();
        let more = parts.len().saturating_sub(MAX_PARTS);
        parts.truncate(MAX_PARTS);
        let joint = match set.operator {
            SetOperator::Union => ", or ",
            SetOperator::Intersection => ", and at once ",
            SetOperator::Complement => ", but not ",
        };
        let told = parts.join(joint);
        if more > 0 { format!("{told}{joint}{more} more") } else { told }
    }

    /// Where the values of a variable come from.
    pub fn variable(&self, id: &str, depth: usize) -> String {
        match self.0.document.variable(id) {
            Ok(Variable::Local { component, .. }) => self.component(&component, depth),
            Ok(Variable::External { .. }) => "a value that the profile sets".to_owned(),
            Ok(Variable::Constant { .. }) | Err(_) => "a value of the content".to_owned(),
        }
    }

    fn component(&self, component: &Component, depth: usize) -> String {
        if depth >= MAX_DEPTH {
            return "a value of the content".to_owned();
        }
        match component {
            Component::Literal(..) => "a value of the content".to_owned(),
            Component::Object { id, .. } => match self.0.document.object(id) {
                Ok(object) => self.sought_at(&object, depth + 1),
                Err(_) => "what the content lacks".to_owned(),
            },
            Component::Variable(id) => self.variable(id, depth + 1),
            Component::Function(crate::model::Function::Count, parts) => match parts.first() {
                Some(first) => format!("how often there is {}", self.component(first, depth + 1)),
                None => "a count".to_owned(),
            },
            Component::Function(_, parts) => {
                let literal = |part: &&Component| !matches!(part, Component::Literal(..));
                let telling = parts.iter().find(literal).or(parts.first());
                telling.map_or_else(String::new, |part| self.component(part, depth + 1))
            }
        }
    }

    /// Where an object looks, when that is one place.
    pub fn place(&self, object: &Object) -> String {
        if let Some(set) = &object.set {
            let first = set.objects.first().and_then(|id| self.0.document.object(id).ok());
            return first
                .filter(|first| first.set.is_none())
                .map(|first| self.place(&first))
                .unwrap_or_default();
        }
        match object.kind.as_str() {
            "dpkginfo" => return "/var/lib/dpkg/status".to_owned(),
            "partition" => return "/proc/mounts".to_owned(),
            "password" => return "/etc/passwd".to_owned(),
            "shadow" => return "/etc/shadow".to_owned(),
            _ => {}
        }
        let literal = |name: &str| {
            object.entities.iter().find(|entity| entity.name == name).and_then(|entity| {
                match (&entity.source, entity.operation) {
                    (Source::Literal(path), Operation::Equals) if !entity.nil => Some(path.clone()),
                    _ => None,
                }
            })
        };
        match (literal("filepath"), literal("path"), literal("filename")) {
            (Some(path), ..) => path,
            (None, Some(path), Some(name)) => format!("{}/{name}", path.trim_end_matches('/')),
            (None, Some(path), None) => path,
            _ => String::new(),
        }
    }

    /// The files an object looks at.
    fn files(&self, object: &Object) -> String {
        let entity = |name: &str| object.entities.iter().find(|entity| entity.name == name);
        let below = if object.behaviors.get("recurse_direction", "none") == "down" { "below" } else { "in" };
        match (entity("filepath"), entity("path"), entity("filename")) {
            (Some(path), ..) => self.plain(path),
            (None, Some(path), Some(name)) if name.nil && below == "in" => {
                format!("the directory {}", self.plain(path))
            }
            (None, Some(path), Some(name)) if name.nil => {
                format!("the directories below {}", self.plain(path))
            }
            (None, Some(path), Some(name)) => match (&name.source, name.operation) {
                (Source::Literal(all), Operation::PatternMatch)
                    if matches!(all.as_str(), ".*" | "^.*$" | "^.*" | "^.+$" | ".") =>
                {
                    format!("the files {below} {}", self.plain(path))
                }
                (Source::Literal(all), Operation::NotEqual) if all == "/" => {
                    format!("the files {below} {}", self.plain(path))
                }
                (Source::Literal(one), Operation::Equals) if below == "in" => {
                    format!("{}/{one}", self.plain(path).trim_end_matches('/'))
                }
                _ if name.operation == Operation::PatternMatch => {
                    format!("files named like {} {below} {}", self.plain(name), self.plain(path))
                }
                _ => format!("files {} {below} {}", self.compared(name, &self.plain(name)), self.plain(path)),
            },
            (None, Some(path), None) => self.plain(path),
            (None, None, _) => "files".to_owned(),
        }
    }

    /// A pattern that content searches a text for.
    fn pattern(&self, entity: &Entity) -> String {
        match &entity.source {
            Source::Literal(pattern) => match readable(pattern) {
                Some(text) => format!("the line {}", quoted(&text)),
                None => format!("a match of {}", quoted(pattern)),
            },
            Source::Variable(_) => format!("a match of {}", self.plain(entity)),
        }
    }

    /// What an item in a state is like.
    pub fn condition(&self, state: &State) -> String {
        let bits = state.entities.iter().filter(|entity| BITS.contains(&entity.name.as_str()));
        let unset = |entity: &&Entity| {
            matches!(&entity.source, Source::Literal(text) if matches!(text.as_str(), "false" | "0"))
                && entity.operation == Operation::Equals
        };
        let forbidden: Vec<&Entity> = bits.clone().filter(unset).collect();
        let mut parts: Vec<String> = Vec::new();
        let told = forbidden.len() > 1 && state.operator == Operator::And;
        if told {
            let mask = BITS.iter().fold(0u16, |mask, bit| {
                mask << 1 | u16::from(forbidden.iter().any(|entity| entity.name == *bit))
            });
            parts.push(format!("mode {:04o} or stricter", 0o777 & !mask));
        }
        let others = state
            .entities
            .iter()
            .filter(|entity| !(told && unset(entity) && BITS.contains(&entity.name.as_str())));
        parts.extend(others.map(|entity| self.wanted(entity)));
        if parts.is_empty() {
            return "nothing in particular".to_owned();
        }
        parts.join(match state.operator {
            Operator::Or => " or ",
            _ => " and ",
        })
    }

    /// What an entity of a state wants.
    pub fn wanted(&self, entity: &Entity) -> String {
        let value = if entity.mask { "(hidden)".to_owned() } else { self.plain(entity) };
        let compared = self.compared(entity, &value);
        let name = entity.name.as_str();
        if !entity.fields.is_empty() {
            let fields: Vec<String> = entity.fields.iter().map(|field| self.wanted(field)).collect();
            return fields.join(" and ");
        }
        if let Some(bit) = BITS.iter().find(|bit| **bit == name) {
            return if value == "true" { format!("the bit {bit}") } else { format!("no bit {bit}") };
        }
        match (name, entity.entity_check) {
            _ if NAMELESS.contains(&name) => compared,
            (_, Check::AtLeastOne) => format!("{compared} among the {}", spelt(name)),
            _ => format!("{} {compared}", spelt(name)),
        }
    }

    fn compared(&self, entity: &Entity, value: &str) -> String {
        match entity.operation {
            Operation::Equals => value.to_owned(),
            Operation::NotEqual => format!("other than {value}"),
            Operation::GreaterThan => format!("more than {value}"),
            Operation::GreaterThanOrEqual => format!("{value} or more"),
            Operation::LessThan => format!("less than {value}"),
            Operation::LessThanOrEqual => format!("{value} or less"),
            Operation::PatternMatch => format!("that matches {value}"),
            Operation::CaseInsensitiveEquals => format!("{value} in any case"),
            other => format!("{} {value}", other.word()),
        }
    }

    /// The values of an entity.
    fn plain(&self, entity: &Entity) -> String {
        match &entity.source {
            Source::Literal(text) if entity.operation == Operation::PatternMatch => match readable(text) {
                Some(text) if entity.name != "value" => text,
                _ => quoted(text),
            },
            Source::Literal(text) => shown(text),
            Source::Variable(id) => {
                let variable = self.0.variable(id);
                let values: Vec<String> = variable.values.iter().map(|(_, value)| shown(value)).collect();
                match values.as_slice() {
                    [] => "a value that is not there".to_owned(),
                    [only] => only.clone(),
                    several => format!("one of {}", listed(several)),
                }
            }
        }
    }
}
