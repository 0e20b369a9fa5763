//! A CPE dictionary: names of platforms, and the checks that prove that one is here.

use super::{DICTIONARY, Fact, Name};
use crate::element::Element;

/// A dictionary.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Dictionary {
    /// Its names, in document order.
    pub entries: Vec<Entry>,
}

/// A name and what proves it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Entry {
    /// The name.
    pub name: Name,
    /// Checks of which any is enough. Without one the platform is never here.
    pub facts: Vec<Fact>,
}

impl Dictionary {
    /// Reads a `<cpe-list>`. Items without a name that can be understood match nothing and are left out.
    pub fn new(list: &Element) -> Self {
        let items = list.elements().filter(|element| element.is(DICTIONARY, "cpe-item"));
        let entry = |item: &Element| {
            let name = Name::parse(item.attribute("name")?)?;
            let checks = item.elements().filter(|element| element.is(DICTIONARY, "check"));
            Some(Entry { name, facts: checks.map(fact).collect() })
        };
        Dictionary { entries: items.filter_map(entry).collect() }
    }

    /// The facts of which any proves that a platform of this name, or a narrower one, is here.
    pub fn facts(&self, name: &Name) -> impl Iterator<Item = &Fact> {
        self.entries.iter().filter(|entry| name.covers(&entry.name)).flat_map(|entry| &entry.facts)
    }
}

fn fact(check: &Element) -> Fact {
    let attribute = |name| check.attribute(name).unwrap_or_default().to_owned();
    let name = check.inner_text().trim().to_owned();
    Fact { system: attribute("system"), href: attribute("href"), name }
}
