//! Documents out, as the schema of XCCDF 1.2 wants them. One file per element family.
//!
//! Ids and references are written as they are: other tools match full ids only, so a document meant
//! for them has to use full ids throughout.

pub mod arf;
mod item;
mod profile;
mod result;
mod value;
mod xml;

use crate::NAMESPACE;
use crate::benchmark::{Benchmark, Version};
use crate::tailoring::Tailoring;
use std::io::{self, Write};
use xml::{XHTML, Xml, flag};

impl Benchmark {
    /// Writes the benchmark.
    ///
    /// # Errors
    /// Those of `out`, and a text or name that XML cannot carry.
    pub fn write(&self, mut out: impl Write) -> io::Result<()> {
        let mut xml = Xml::new(&mut out)?;
        let attributes = [
            ("xmlns", Some(NAMESPACE)),
            ("xmlns:html", Some(XHTML)),
            ("id", Some(self.id.as_str())),
            ("resolved", flag(self.resolved.then_some(true))),
            ("style", self.style.as_deref()),
            ("xml:lang", self.language.as_deref()),
        ];
        xml.parent("Benchmark", &attributes, |xml| {
            item::statuses(xml, &self.status)?;
            xml.text_unless_empty("title", &self.title)?;
            xml.text_unless_empty("description", &self.description)?;
            for text in &self.plain_texts {
                xml.leaf("plain-text", &[("id", Some(&text.id))], &text.text)?;
            }
            item::idrefs(xml, "platform", &self.platforms)?;
            version(xml, &self.version)?;
            xml.metadata(&self.metadata)?;
            for system in &self.models {
                xml.leaf("model", &[("system", Some(system))], "")?;
            }
            for own in &self.profiles {
                profile::write(xml, own)?;
            }
            item::values_and_items(xml, &self.values, &self.items)
        })?;
        xml.end()
    }

    /// The benchmark as bytes.
    ///
    /// # Errors
    /// A text or name that XML cannot carry.
    pub fn to_xml(&self) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        self.write(&mut out).map(|()| out)
    }
}

impl Tailoring {
    /// Writes the tailoring.
    ///
    /// # Errors
    /// Those of `out`, and a text or name that XML cannot carry.
    pub fn write(&self, mut out: impl Write) -> io::Result<()> {
        let mut xml = Xml::new(&mut out)?;
        self.write_element(&mut xml)?;
        xml.end()
    }

    fn write_element(&self, xml: &mut Xml<'_>) -> io::Result<()> {
        let attributes =
            [("xmlns", Some(NAMESPACE)), ("xmlns:html", Some(XHTML)), ("id", Some(self.id.as_str()))];
        xml.parent("Tailoring", &attributes, |xml| {
            if let Some(benchmark) = &self.benchmark {
                let attributes = [
                    ("href", Some(benchmark.href.as_str())),
                    ("id", benchmark.id.as_deref()),
                    ("version", benchmark.version.as_deref()),
                ];
                xml.leaf("benchmark", &attributes, "")?;
            }
            item::statuses(xml, &self.status)?;
            version(xml, &self.version)?;
            xml.metadata(&self.metadata)?;
            for own in &self.profiles {
                profile::write(xml, own)?;
            }
            Ok(())
        })
    }

    /// The tailoring as bytes.
    ///
    /// # Errors
    /// A text or name that XML cannot carry.
    pub fn to_xml(&self) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        self.write(&mut out).map(|()| out)
    }
}

fn version(xml: &mut Xml<'_>, version: &Version) -> io::Result<()> {
    let attributes = [("time", version.time.as_deref()), ("update", version.update.as_deref())];
    xml.leaf("version", &attributes, &version.name)
}
