//! Probes: one file for each kind of object, which turns what the machine says into items.
//!
//! To add one: a file with a function `collect` that asks the [`Context`] and hands what it finds to the [`Collector`], and a line in
//! [`PROBES`]. What oscap's probe of the same name does is the measure: see `docs/oval.md`.

mod dpkginfo;
mod environmentvariable58;
mod family;
pub(crate) mod file;
mod filehash58;
mod inetlisteningservers;
mod interface;
mod partition;
mod password;
mod process58;
mod rpminfo;
mod rpmverifyfile;
mod selinuxboolean;
mod selinuxsecuritycontext;
mod shadow;
mod symlink;
mod sysctl;
mod systemdunitdependency;
mod systemdunitproperty;
mod textfilecontent54;
mod uname;
mod xmlfilecontent;
mod yamlfilecontent;

use crate::collector::Collector;
use crate::compare;
use crate::item::Value;
use crate::model::{Behaviors, Check, Datatype, Object, Operation, Schema};
use crate::pattern::Patterns;
use crate::system::System;
use crate::verdict::{Tally, Verdict};
use crate::walk::sweep::Look;
use std::sync::Arc;

/// What a probe may ask.
pub(crate) struct Context<'a> {
    /// The machine.
    pub system: &'a System,
    /// The engine for patterns.
    pub patterns: &'a Patterns,
    /// The version of the schema that the object was written for.
    pub schema: Schema,
}

/// A probe.
pub(crate) struct Probe {
    /// The schema it is from: `unix`, `linux`, `independent`. Other families have objects of the same names.
    pub family: &'static str,
    /// The kind of object: `file` for a `file_object`.
    pub kind: &'static str,
    /// Whether only a running system has an answer, and what is then asked, for people.
    pub asks: Option<&'static str>,
    /// Collects the items of an object.
    pub collect: Collect,
    /// What a sweep of the disk asks about each file instead, where one can.
    pub look: Option<Look>,
}

type Collect = fn(&Request<'_>, &Context<'_>, &mut Collector<'_>);

const fn files(family: &'static str, kind: &'static str, collect: Collect) -> Probe {
    Probe { family, kind, asks: None, collect, look: None }
}

const fn live(family: &'static str, kind: &'static str, asks: &'static str, collect: Collect) -> Probe {
    Probe { asks: Some(asks), ..files(family, kind, collect) }
}

/// Every probe there is. `variable` is none: its items come from the content.
pub(crate) const PROBES: &[Probe] = &[
    files("linux", "dpkginfo", dpkginfo::collect),
    live(
        "independent",
        "environmentvariable58",
        "the environment of a process",
        environmentvariable58::collect,
    ),
    files("independent", "family", family::collect),
    Probe { look: Some(file::look), ..files("unix", "file", file::collect) },
    files("independent", "filehash58", filehash58::collect),
    live("linux", "inetlisteningservers", "which sockets are open", inetlisteningservers::collect),
    live("unix", "interface", "its network interfaces", interface::collect),
    live("linux", "partition", "what is mounted", partition::collect),
    files("unix", "password", password::collect),
    live("unix", "process58", "which processes run", process58::collect),
    files("linux", "rpminfo", rpminfo::collect),
    files("linux", "rpmverifyfile", rpmverifyfile::collect),
    live("linux", "selinuxboolean", "the policy in the kernel", selinuxboolean::collect),
    files("linux", "selinuxsecuritycontext", selinuxsecuritycontext::collect),
    files("unix", "shadow", shadow::collect),
    files("unix", "symlink", symlink::collect),
    live("unix", "sysctl", "the kernel's settings", sysctl::collect),
    live("linux", "systemdunitdependency", "what its units depend on", systemdunitdependency::collect),
    live("linux", "systemdunitproperty", "how its units are", systemdunitproperty::collect),
    files("independent", "textfilecontent54", textfilecontent54::collect),
    live("unix", "uname", "the kernel's name", uname::collect),
    files("independent", "xmlfilecontent", xmlfilecontent::collect),
    files("independent", "yamlfilecontent", yamlfilecontent::collect),
];

/// The probe for an object.
pub(crate) fn of_object(object: &Object) -> Option<&'static Probe> {
    PROBES.iter().find(|probe| (probe.family, probe.kind) == (object.family.as_str(), object.kind.as_str()))
}

/// An object as a probe sees it: every entity with its values at hand.
pub(crate) struct Request<'a> {
    object: &'a Object,
    entities: Vec<Asked>,
}

/// The values of an entity, shared by all who look for them.
pub(crate) type Texts = Arc<[String]>;

/// An entity of an object with its values at hand.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// Its name.
    pub name: String,
    /// How its values are understood.
    pub datatype: Datatype,
    /// How they are compared.
    pub operation: Operation,
    /// How many values must compare, when they are a variable's.
    pub var_check: Option<Check>,
    /// The values; none when the entity is nil.
    pub values: Texts,
    /// Which of a variable's values this collecting is for.
    pub current: usize,
}

impl Asked {
    /// The value; empty when there is none. Of a variable's values the one that this collecting is for.
    pub fn value(&self) -> &str {
        self.values.get(self.current).map_or("", String::as_str)
    }

    /// Whether there is no value.
    pub fn is_nil(&self) -> bool {
        self.values.is_empty()
    }

    /// Compares bytes that were found (`probe_entobj_cmp` of oscap): with all values of a variable, not the current one alone.
    pub fn compare(&self, patterns: &Patterns, found: &[u8]) -> Verdict {
        self.by_check(|wanted| match self.datatype {
            Datatype::String => compare::string(patterns, self.operation, wanted, found),
            _ => Verdict::Error,
        })
    }

    /// Compares a number that was found.
    pub fn compare_int(&self, patterns: &Patterns, found: i64) -> Verdict {
        let found = Value::Int(found);
        self.by_check(|wanted| compare::typed(patterns, self.datatype, self.operation, wanted, &found))
    }

    fn by_check(&self, one: impl Fn(&str) -> Verdict) -> Verdict {
        let verdict = match self.var_check {
            Some(_) if self.values.is_empty() => Verdict::False,
            Some(check) => self
                .values
                .iter()
                .map(|value| one(value))
                .collect::<Tally>()
                .by_check(check, Verdict::Unknown),
            None => self.values.first().map_or(Verdict::False, |value| one(value)),
        };
        if verdict == Verdict::NotEvaluated { Verdict::False } else { verdict }
    }
}

impl<'a> Request<'a> {
    /// An object with the values of its entities.
    pub fn new(object: &'a Object, entities: Vec<Asked>) -> Self {
        Request { object, entities }
    }

    /// An entity by name.
    pub fn entity(&self, name: &str) -> Option<&Asked> {
        self.entities.iter().find(|entity| entity.name == name)
    }

    /// How many combinations of variables' values there are.
    pub fn combinations(&self) -> usize {
        let variables = self.entities.iter().filter(|entity| entity.var_check.is_some());
        variables.map(|entity| entity.values.len()).fold(1, usize::saturating_mul)
    }

    /// Moves on to the next combination of variables' values, the first entity's first; false when there is none.
    pub fn next_combination(&mut self) -> bool {
        for entity in self.entities.iter_mut().filter(|entity| entity.var_check.is_some()) {
            entity.current += 1;
            if entity.current < entity.values.len() {
                return true;
            }
            entity.current = 0;
        }
        false
    }

    /// How to go about it.
    pub fn behaviors(&self) -> &Behaviors {
        &self.object.behaviors
    }
}
