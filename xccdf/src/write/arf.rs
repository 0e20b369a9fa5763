//! Writes ARF 1.1 (NISTIR 7694): in one document the content, the machine and the results.

use super::xml::Xml;
use crate::check::{Check, CheckPart};
use crate::result::{FQDN, HOST_NAME, MAC, TestResult};
use crate::source::{Checklist, Spliced};
use crate::tailoring::Tailoring;
use std::collections::BTreeMap;
use std::io::{self, Read, Write};

const ARF: &str = "http://scap.nist.gov/schema/asset-reporting-format/1.1";
const CORE: &str = "http://scap.nist.gov/schema/reporting-core/1.1";
const VOCABULARY: &str = "http://scap.nist.gov/specifications/arf/vocabulary/relationships/1.0#";
const DS: &str = "http://scap.nist.gov/schema/scap/source/1.2";
const XLINK: &str = "http://www.w3.org/1999/xlink";
/// The namespace of what identifies machines.
pub(super) const AI: &str = "http://scap.nist.gov/schema/asset-identification/1.1";

/// Ids in the document.
const REQUEST: &str = "collection1";
const ASSET: &str = "asset0";
const REPORT: &str = "xccdf1";

/// What goes into an ARF document.
pub struct Arf<'a> {
    /// The content that was evaluated. It is written as it is; an XCCDF document alone in a data stream
    /// of its own, without what it refers to.
    pub checklist: &'a Checklist<'a>,
    /// What came of it.
    pub result: &'a TestResult,
    /// The tailoring that guided the choice.
    pub tailoring: Option<&'a Tailoring>,
    /// What the engines have to say, a document each; of several about one, results refer to the first.
    pub reports: &'a [CheckReport<'a>],
}

/// The report of an engine about one of its documents.
pub struct CheckReport<'a> {
    /// The document, as checks name it.
    pub href: &'a str,
    /// Writes the report: one element that declares its namespaces, without XML declaration.
    pub write: &'a dyn Fn(&mut dyn Write) -> io::Result<()>,
}

impl Arf<'_> {
    /// Writes the document.
    ///
    /// # Errors
    /// Those of `out` and of the reports, and a text that XML cannot carry.
    pub fn write(&self, mut out: impl Write) -> io::Result<()> {
        let mut xml = Xml::new(&mut out)?;
        let attributes = [("xmlns:arf", Some(ARF)), ("xmlns:core", Some(CORE)), ("xmlns:ai", Some(AI))];
        xml.parent("arf:asset-report-collection", &attributes, |xml| {
            relationships(xml)?;
            xml.parent("arf:report-requests", &[], |xml| {
                content(xml, "arf:report-request", REQUEST, |xml| self.request(xml))
            })?;
            xml.parent("arf:assets", &[], |xml| {
                xml.parent("arf:asset", &[("id", Some(ASSET))], |xml| asset(xml, self.result))
            })?;
            xml.parent("arf:reports", &[], |xml| {
                let result = self.linked();
                content(xml, "arf:report", REPORT, |xml| super::result::write(xml, &result))?;
                for (n, report) in self.reports.iter().enumerate() {
                    content(xml, "arf:report", &report_id(n), |xml| {
                        xml.raw("\n")?;
                        (report.write)(xml.out())
                    })?;
                }
                Ok(())
            })
        })?;
        xml.end()
    }

    /// The result, with references to the asset and to the reports of engines.
    fn linked(&self) -> TestResult {
        let mut ids: BTreeMap<&str, String> = BTreeMap::new();
        for (n, own) in self.reports.iter().enumerate() {
            ids.entry(own.href).or_insert_with(|| format!("#{}", report_id(n)));
        }
        let mut result = self.result.clone();
        result.asset = Some(ASSET.to_owned());
        if self.checklist.stream().is_none() {
            result.benchmark.href = format!("#{COMPONENT}");
        }
        for check in result.results.iter_mut().filter_map(|own| own.check.as_mut()) {
            link(check, &ids);
        }
        result
    }

    /// The content, with the tailoring in it.
    fn request(&self, xml: &mut Xml<'_>) -> io::Result<()> {
        xml.raw("\n")?;
        let Some(stream) = self.checklist.stream() else { return self.composed(xml) };
        let content = self.checklist.content();
        let text = content.collection();
        let Some(tailoring) = self.tailoring else { return xml.raw(text) };
        let (refs, components) = content.insertion_points(stream);
        let (before, rest) = text.split_at_checked(refs).unwrap_or((text, ""));
        let (between, after) = rest.split_at_checked(components.saturating_sub(refs)).unwrap_or((rest, ""));
        let timestamp = tailoring.version.time.as_deref().unwrap_or_default();
        let namespace = content.collection_namespace();
        xml.raw(before)?;
        xml.inside(4, |xml| tailoring_ref(xml, namespace))?;
        xml.raw(between)?;
        xml.inside(2, |xml| {
            let attributes =
                [("xmlns", Some(namespace)), ("id", Some(TAILORING)), ("timestamp", Some(timestamp))];
            xml.parent("component", &attributes, |xml| tailoring.write_element(xml))
        })?;
        xml.raw(after)
    }

    /// A data stream around an XCCDF document alone.
    fn composed(&self, xml: &mut Xml<'_>) -> io::Result<()> {
        let timestamp = self.result.start.as_deref().unwrap_or(&self.result.end);
        let attributes = [
            ("xmlns", Some(DS)),
            ("id", Some("scap_org.trempe_collection_alone")),
            ("schematron-version", Some("1.2")),
        ];
        xml.parent("data-stream-collection", &attributes, |xml| {
            let attributes = [
                ("id", Some("scap_org.trempe_datastream_alone")),
                ("scap-version", Some("1.3")),
                ("use-case", Some("OTHER")),
                ("timestamp", Some(timestamp)),
            ];
            xml.parent("data-stream", &attributes, |xml| {
                xml.parent("checklists", &[], |xml| {
                    component_ref(xml, DS, "scap_org.trempe_cref_xccdf", COMPONENT)?;
                    self.tailoring.map_or(Ok(()), |_| tailoring_ref(xml, DS))
                })
            })?;
            let component = [("id", Some(COMPONENT)), ("timestamp", Some(timestamp))];
            xml.parent("component", &component, |xml| {
                xml.raw("\n")?;
                let fragment = self.checklist.fragment();
                let spliced = Spliced::new(&fragment);
                io::copy(&mut spliced.head().chain(spliced.tail()), xml.out()).map(drop)
            })?;
            let Some(tailoring) = self.tailoring else { return Ok(()) };
            let timestamp = tailoring.version.time.as_deref().unwrap_or(timestamp);
            let component = [("id", Some(TAILORING)), ("timestamp", Some(timestamp))];
            xml.parent("component", &component, |xml| tailoring.write_element(xml))
        })
    }
}

/// The component of an XCCDF document alone.
const COMPONENT: &str = "scap_org.trempe_comp_xccdf";
/// The component of the tailoring.
const TAILORING: &str = "scap_org.trempe_comp_tailoring";

fn report_id(n: usize) -> String {
    format!("check{n}")
}

fn tailoring_ref(xml: &mut Xml<'_>, namespace: &str) -> io::Result<()> {
    component_ref(xml, namespace, "scap_org.trempe_cref_tailoring", TAILORING)
}

fn component_ref(xml: &mut Xml<'_>, namespace: &str, id: &str, component: &str) -> io::Result<()> {
    let href = format!("#{component}");
    let attributes = [
        ("xmlns", Some(namespace)),
        ("xmlns:xlink", Some(XLINK)),
        ("id", Some(id)),
        ("xlink:href", Some(href.as_str())),
    ];
    xml.leaf("component-ref", &attributes, "")
}

/// Points the references of a check at the reports of engines.
fn link(part: &mut CheckPart, ids: &BTreeMap<&str, String>) {
    let one = |check: &mut Check| {
        for reference in &mut check.content_refs {
            if let Some(id) = ids.get(reference.href.as_str()) {
                reference.href.clone_from(id);
            }
        }
    };
    match part {
        CheckPart::Check(check) => one(check),
        CheckPart::Complex(complex) => complex.parts.iter_mut().for_each(|part| link(part, ids)),
    }
}

/// Something that holds content.
fn content(
    xml: &mut Xml<'_>,
    name: &str,
    id: &str,
    inside: impl FnOnce(&mut Xml<'_>) -> io::Result<()>,
) -> io::Result<()> {
    xml.parent(name, &[("id", Some(id))], |xml| xml.parent("arf:content", &[], inside))
}

/// The result was made for the request, and is about the machine.
fn relationships(xml: &mut Xml<'_>) -> io::Result<()> {
    xml.parent("core:relationships", &[("xmlns:arfvocab", Some(VOCABULARY))], |xml| {
        [("arfvocab:createdFor", REQUEST), ("arfvocab:isAbout", ASSET)].into_iter().try_for_each(
            |(kind, target)| {
                let attributes = [("type", Some(kind)), ("subject", Some(REPORT))];
                xml.parent("core:relationship", &attributes, |xml| xml.leaf("core:ref", &[], target))
            },
        )
    })
}

/// The machine.
fn asset(xml: &mut Xml<'_>, result: &TestResult) -> io::Result<()> {
    let facts = |name: &'static str| result.facts.iter().filter(move |fact| fact.name == name);
    xml.parent("ai:computing-device", &[], |xml| {
        if !result.addresses.is_empty() || facts(MAC).next().is_some() {
            xml.parent("ai:connections", &[], |xml| {
                for address in &result.addresses {
                    xml.parent("ai:connection", &[], |xml| {
                        let kind = if address.contains(':') { "ai:ip-v6" } else { "ai:ip-v4" };
                        xml.parent("ai:ip-address", &[], |xml| xml.leaf(kind, &[], &expanded(address)))
                    })?;
                }
                for fact in facts(MAC) {
                    xml.parent("ai:connection", &[], |xml| xml.leaf("ai:mac-address", &[], &fact.value))?;
                }
                Ok(())
            })?;
        }
        for (name, element) in [(FQDN, "ai:fqdn"), (HOST_NAME, "ai:hostname")] {
            if let Some(fact) = facts(name).next() {
                xml.leaf(element, &[], &fact.value)?;
            }
        }
        Ok(())
    })
}

/// An IPv6 address in full, as the schema of asset identification wants it; any other as it is.
fn expanded(address: &str) -> String {
    match address.parse::<std::net::Ipv6Addr>() {
        Ok(address) => address.segments().map(|segment| format!("{segment:04x}")).join(":"),
        Err(_) => address.to_owned(),
    }
}
