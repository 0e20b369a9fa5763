//! Results as OVAL writes them (OVAL results and system characteristics 5.11), for tools that show them: every definition and test that was
//! evaluated, and the items that were found.
//!
//! Left out: the definitions themselves, which are in the content, and the values of variables. Items that are secret are marked as masked
//! and have no value, whether or not the content asks for that.

use super::Evaluator;
use super::test::Tested;
use crate::collection::Flag;
use crate::item::{Field, Item, Part, Status, Value};
use crate::model::{Criteria, Test};
use crate::secret;
use crate::verdict::Verdict;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};
use std::rc::Rc;

/// The most items told of one object.
pub(super) const MAX_ITEMS: usize = 500;

const OPEN: &str = r#"<oval_results xmlns="http://oval.mitre.org/XMLSchema/oval-results-5" xmlns:oval="http://oval.mitre.org/XMLSchema/oval-common-5" xmlns:sc="http://oval.mitre.org/XMLSchema/oval-system-characteristics-5">"#;

/// Namespaces of items, by the family of their kind.
const CHARACTERISTICS: &str = "http://oval.mitre.org/XMLSchema/oval-system-characteristics-5#";

/// The machine that results are about.
#[derive(Debug, Clone, Default)]
pub struct Machine {
    /// Its name.
    pub name: String,
    /// Its operating system.
    pub os: String,
    /// The version of that.
    pub version: String,
    /// Its processor.
    pub architecture: String,
    /// When it was looked at, as XML Schema writes times.
    pub time: String,
}

impl Evaluator<'_> {
    /// Writes what came of everything that was evaluated: one element, without XML declaration.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_results(&self, machine: &Machine, out: &mut dyn Write) -> io::Result<()> {
        let mut found = Found::default();
        let Machine { name, os, version, architecture, time } = machine;
        let time = time.split(['Z', '+', '.']).next().unwrap_or_default();
        let generator = |space: &str| {
            format!(
                "<{space}generator><oval:product_name>cpe:/a:trempe:agent</oval:product_name><oval:schema_version>5.11.2</oval:schema_version>\
                 <oval:timestamp>{time}</oval:timestamp></{space}generator>"
            )
        };
        writeln!(out, "{OPEN}\n{}\n<directives include_source_definitions=\"false\">", generator(""))?;
        for verdict in ["true", "false", "unknown", "error", "not_evaluated", "not_applicable"] {
            writeln!(out, "<definition_{verdict} reported=\"true\" content=\"full\"/>")?;
        }
        writeln!(out, "</directives>\n<results>\n<system>")?;
        self.write_definitions(out)?;
        self.write_tests(&mut found, out)?;
        writeln!(out, "<sc:oval_system_characteristics>\n{}\n<sc:system_info>", generator("sc:"))?;
        for (element, text) in [
            ("os_name", os),
            ("os_version", version),
            ("architecture", architecture),
            ("primary_host_name", name),
        ] {
            writeln!(out, "<sc:{element}>{}</sc:{element}>", escaped(text))?;
        }
        writeln!(out, "<sc:interfaces/>\n</sc:system_info>")?;
        found.write(out)?;
        writeln!(out, "</sc:oval_system_characteristics>\n</system>\n</results>\n</oval_results>")
    }

    fn write_definitions(&self, out: &mut dyn Write) -> io::Result<()> {
        let known = self.definitions.borrow();
        let judged: BTreeMap<&String, _> = known.iter().collect();
        if judged.is_empty() {
            return Ok(());
        }
        writeln!(out, "<definitions>")?;
        for (id, judged) in judged {
            let Ok(definition) = self.document.definition(id) else { continue };
            let result = judged.verdict.unwrap_or(Verdict::Unknown).word();
            writeln!(
                out,
                "<definition definition_id=\"{}\" version=\"{}\" class=\"{}\" result=\"{result}\">",
                escaped(id),
                definition.version,
                definition.class.word()
            )?;
            if let Some(criteria) = &definition.criteria {
                self.write_criteria(criteria, out)?;
            }
            writeln!(out, "</definition>")?;
        }
        writeln!(out, "</definitions>")
    }

    /// Writes one node. How deep criteria nest is limited by how deep a document may nest.
    fn write_criteria(&self, criteria: &Criteria, out: &mut dyn Write) -> io::Result<()> {
        let told = |verdict: Option<Verdict>, negate: bool| {
            let verdict = verdict.unwrap_or(Verdict::Unknown);
            format!(
                "negate=\"{negate}\" result=\"{}\"",
                if negate { verdict.negate() } else { verdict }.word()
            )
        };
        match criteria {
            Criteria::Test { id, negate } => {
                let Ok(test) = self.document.test(id) else { return Ok(()) };
                let verdict = self.tests.borrow().get(id).and_then(|tested| tested.verdict);
                let (id, version) = (escaped(id), test.version);
                writeln!(
                    out,
                    "<criterion test_ref=\"{id}\" version=\"{version}\" {}/>",
                    told(verdict, *negate)
                )
            }
            Criteria::Definition { id, negate } => {
                let Ok(definition) = self.document.definition(id) else { return Ok(()) };
                let verdict = self.definitions.borrow().get(id).and_then(|judged| judged.verdict);
                let (id, version) = (escaped(id), definition.version);
                let told = told(verdict, *negate);
                writeln!(out, "<extend_definition definition_ref=\"{id}\" version=\"{version}\" {told}/>")
            }
            Criteria::All { operator, negate, members } => {
                let verdict = self.verdict_of(criteria);
                let told = told(verdict, *negate);
                writeln!(out, "<criteria operator=\"{}\" {told}>", operator.word())?;
                members.iter().try_for_each(|member| self.write_criteria(member, out))?;
                writeln!(out, "</criteria>")
            }
        }
    }

    /// What a node came to before it is negated.
    fn verdict_of(&self, criteria: &Criteria) -> Option<Verdict> {
        match criteria {
            Criteria::Test { id, .. } => self.tests.borrow().get(id)?.verdict,
            Criteria::Definition { id, .. } => self.definitions.borrow().get(id)?.verdict,
            Criteria::All { operator, members, .. } => {
                let verdict = |member: &Criteria| {
                    let negate = match member {
                        Criteria::Test { negate, .. }
                        | Criteria::Definition { negate, .. }
                        | Criteria::All { negate, .. } => *negate,
                    };
                    let verdict = self.verdict_of(member)?;
                    Some(if negate { verdict.negate() } else { verdict })
                };
                let tally: crate::verdict::Tally = members.iter().filter_map(verdict).collect();
                Some(tally.by_operator(*operator))
            }
        }
    }

    fn write_tests(&self, found: &mut Found, out: &mut dyn Write) -> io::Result<()> {
        let known = self.tests.borrow();
        let tested: BTreeMap<&String, &Rc<Tested>> = known.iter().collect();
        if tested.is_empty() {
            return Ok(());
        }
        writeln!(out, "<tests>")?;
        for (id, tested) in tested {
            let Ok(test) = self.document.test(id) else { continue };
            let result = tested.verdict.unwrap_or(Verdict::Unknown).word();
            writeln!(
                out,
                "<test test_id=\"{}\" version=\"{}\" check_existence=\"{}\" check=\"{}\" state_operator=\"{}\" result=\"{result}\">",
                escaped(id),
                test.version,
                test.existence.word(),
                test.check.word(),
                test.operator.word()
            )?;
            self.write_tested(&test, tested, found, out)?;
            writeln!(out, "</test>")?;
        }
        writeln!(out, "</tests>")
    }

    /// The items of a test that are still known, each with what came of it.
    fn write_tested(
        &self,
        test: &Test,
        tested: &Tested,
        found: &mut Found,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let Some(id) = &test.object else { return Ok(()) };
        let Some(collection) = self.objects.borrow().get(id).cloned() else { return Ok(()) };
        let mut items = Vec::new();
        for (n, item) in collection.items.iter().take(MAX_ITEMS).enumerate() {
            let number = found.number(&test.kind, item);
            let result = tested.judged.get(n).copied().unwrap_or(Verdict::NotEvaluated).word();
            writeln!(out, "<tested_item item_id=\"{number}\" result=\"{result}\"/>")?;
            items.push(number);
        }
        let complete = collection.items.len() <= MAX_ITEMS;
        let flag = if complete { collection.flag } else { Flag::Incomplete };
        let version = self.document.object(id).map(|object| object.version).unwrap_or_default();
        found
            .objects
            .insert(id.clone(), Object { flag, version, items, messages: collection.messages.clone() });
        Ok(())
    }
}

/// An object as it was collected.
struct Object {
    flag: Flag,
    version: u64,
    items: Vec<usize>,
    messages: Vec<String>,
}

/// What was found: objects by id, and their items by number.
#[derive(Default)]
struct Found {
    objects: BTreeMap<String, Object>,
    items: Vec<(String, Rc<Item>)>,
    numbers: HashMap<(String, u64), usize>,
}

impl Found {
    /// The number of an item, from 1.
    fn number(&mut self, kind: &str, item: &Rc<Item>) -> usize {
        let next = self.items.len() + 1;
        let number = *self.numbers.entry((kind.to_owned(), item.digest())).or_insert(next);
        if number == next {
            self.items.push((kind.to_owned(), Rc::clone(item)));
        }
        number
    }

    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        if !self.objects.is_empty() {
            writeln!(out, "<sc:collected_objects>")?;
            for (id, object) in &self.objects {
                let (flag, version) = (word(object.flag), object.version);
                writeln!(out, "<sc:object id=\"{}\" version=\"{version}\" flag=\"{flag}\">", escaped(id))?;
                for message in &object.messages {
                    writeln!(out, "<sc:message level=\"info\">{}</sc:message>", escaped(message))?;
                }
                for number in &object.items {
                    writeln!(out, "<sc:reference item_ref=\"{number}\"/>")?;
                }
                writeln!(out, "</sc:object>")?;
            }
            writeln!(out, "</sc:collected_objects>")?;
        }
        if self.items.is_empty() {
            return Ok(());
        }
        writeln!(out, "<sc:system_data>")?;
        for (n, (kind, item)) in self.items.iter().enumerate() {
            write_item(n + 1, kind, item, out)?;
        }
        writeln!(out, "</sc:system_data>")
    }
}

fn write_item(number: usize, kind: &str, item: &Item, out: &mut dyn Write) -> io::Result<()> {
    let family = match kind {
        "environmentvariable58"
        | "family"
        | "filehash58"
        | "textfilecontent54"
        | "variable"
        | "xmlfilecontent"
        | "yamlfilecontent" => "independent",
        "file" | "interface" | "password" | "process58" | "shadow" | "symlink" | "sysctl" | "uname" => "unix",
        _ => "linux",
    };
    // Items of this kind were there before the test, under its old name.
    let name = if kind == "textfilecontent54" { "textfilecontent" } else { kind };
    let status = match item.status {
        Status::Exists => "exists",
        Status::DoesNotExist => "does not exist",
        Status::Error => "error",
    };
    writeln!(out, "<{name}_item xmlns=\"{CHARACTERISTICS}{family}\" id=\"{number}\" status=\"{status}\">")?;
    for field in &item.fields {
        write_field(field, secret::hides(item, field), out)?;
    }
    writeln!(out, "</{name}_item>")
}

fn write_field(field: &Field, hidden: bool, out: &mut dyn Write) -> io::Result<()> {
    let Field { name, datatype, status, value } = field;
    let datatype = match datatype.word() {
        "string" => String::new(),
        word => format!(" datatype=\"{word}\""),
    };
    let text = value.text();
    let holds_hash = || matches!(secret::masked(&text), Cow::Owned(_));
    match status {
        Status::Exists if hidden || holds_hash() => writeln!(out, "<{name}{datatype} mask=\"true\"/>"),
        Status::Exists if matches!(value, Value::Record(_)) => {
            writeln!(out, "<{name}{datatype}>")?;
            let Value::Record(parts) = value else { return Ok(()) };
            for Part { name, datatype, text } in parts {
                let (name, datatype) = (escaped(name), datatype.word());
                writeln!(
                    out,
                    "<sc:field name=\"{name}\" datatype=\"{datatype}\">{}</sc:field>",
                    escaped(text)
                )?;
            }
            writeln!(out, "</{name}>")
        }
        Status::Exists => writeln!(out, "<{name}{datatype}>{}</{name}>", escaped(&text)),
        Status::DoesNotExist => writeln!(out, "<{name}{datatype} status=\"does not exist\"/>"),
        Status::Error => writeln!(out, "<{name}{datatype} status=\"error\"/>"),
    }
}

/// The words of OVAL for how far collecting got.
fn word(flag: Flag) -> &'static str {
    match flag {
        Flag::Error | Flag::GaveUp | Flag::Beyond => "error",
        Flag::Complete => "complete",
        Flag::Incomplete => "incomplete",
        Flag::DoesNotExist => "does not exist",
        Flag::NotCollected | Flag::NotRunning => "not collected",
        Flag::NotApplicable => "not applicable",
    }
}

/// A text for XML; characters that XML cannot carry are replaced.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            '\t' | '\n' | '\r' => escaped.push(c),
            '\0'..'\u{20}' | '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}
