//! Small data streams to start from, and an engine that answers from a table.

use xccdf::cpe::Fact;
use xccdf::evaluate::{Answer, CheckSystem, Options, Request, evaluate, system};
use xccdf::{Benchmark, Choice, Evaluation, Limits, Outcome, Policy, SourceContent, no_alias, resolve};

/// Definitions of the OVAL document that come to something whatever the machine: letter, number, criteria.
/// `V` is true when the external variable is `two`.
const DEFINITIONS: [(char, &str); 6] =
    [('T', "T"), ('F', "F"), ('U', "U"), ('E', "E"), ('N', ""), ('V', "V")];

/// The id of the definition of a letter.
pub fn definition(letter: char) -> String {
    let n = DEFINITIONS.iter().position(|(own, _)| *own == letter).unwrap();
    format!("oval:t:def:{}", n + 1)
}

/// An OVAL document with the definitions. Elements are apart, as oscap 1.3.7 wants them.
pub fn oval() -> String {
    let mut definitions = String::new();
    for (letter, criteria) in DEFINITIONS {
        let criteria = match criteria {
            "" => String::new(),
            test => format!("<criteria>\n<criterion test_ref='oval:t{test}:tst:1'/>\n</criteria>\n"),
        };
        let id = definition(letter);
        definitions.push_str(&format!(
            "<definition id='{id}' version='1' class='compliance'>\n<metadata>\n<title>{letter}</title>\n\
             <description>d</description>\n</metadata>\n{criteria}</definition>\n"
        ));
    }
    let mut tests = String::new();
    for (letter, state) in [('T', "T"), ('F', "F"), ('E', "E")] {
        tests.push_str(&format!(
            "<ind:variable_test id='oval:t{letter}:tst:1' version='1' check='all' comment='c'>\n\
             <ind:object object_ref='oval:tx:obj:1'/>\n<ind:state state_ref='oval:t{state}:ste:1'/>\n\
             </ind:variable_test>\n"
        ));
    }
    format!(
        "<oval_definitions xmlns='http://oval.mitre.org/XMLSchema/oval-definitions-5' \
         xmlns:oval='http://oval.mitre.org/XMLSchema/oval-common-5' \
         xmlns:ind='http://oval.mitre.org/XMLSchema/oval-definitions-5#independent'>\n<generator>\n\
         <oval:schema_version>5.11</oval:schema_version>\n\
         <oval:timestamp>2025-01-01T00:00:00</oval:timestamp>\n</generator>\n\
         <definitions>\n{definitions}</definitions>\n<tests>\n{tests}\
         <ind:variable_test id='oval:tV:tst:1' version='1' check='all' comment='c'>\n\
         <ind:object object_ref='oval:tv:obj:1'/>\n<ind:state state_ref='oval:tV:ste:1'/>\n</ind:variable_test>\n\
         <ind:unknown_test id='oval:tU:tst:1' version='1' check='all' comment='c'/>\n</tests>\n<objects>\n\
         <ind:variable_object id='oval:tx:obj:1' version='1'>\n<ind:var_ref>oval:tx:var:1</ind:var_ref>\n\
         </ind:variable_object>\n<ind:variable_object id='oval:tv:obj:1' version='1'>\n\
         <ind:var_ref>oval:tv:var:1</ind:var_ref>\n</ind:variable_object>\n</objects>\n<states>\n\
         <ind:variable_state id='oval:tT:ste:1' version='1'>\n<ind:value>x</ind:value>\n</ind:variable_state>\n\
         <ind:variable_state id='oval:tF:ste:1' version='1'>\n<ind:value>y</ind:value>\n</ind:variable_state>\n\
         <ind:variable_state id='oval:tE:ste:1' version='1'>\n\
         <ind:value datatype='int' operation='greater than'>1</ind:value>\n</ind:variable_state>\n\
         <ind:variable_state id='oval:tV:ste:1' version='1'>\n<ind:value>two</ind:value>\n\
         </ind:variable_state>\n</states>\n<variables>\n\
         <constant_variable id='oval:tx:var:1' version='1' datatype='string' comment='c'>\n<value>x</value>\n\
         </constant_variable>\n\
         <external_variable id='oval:tv:var:1' version='1' datatype='string' comment='c'/>\n\
         </variables>\n</oval_definitions>"
    )
}

/// A checking document with markers written out: `[T]` is a check of definition `T`, `@T` a reference
/// to it, `%T` its place in a platform's test.
pub fn expanded(content: &str) -> String {
    let mut text = content.to_owned();
    for (letter, _) in DEFINITIONS {
        let id = definition(letter);
        // Values stay with a document for oscap, so those have one of their own.
        let href = if letter == 'V' { "values.xml" } else { "oval.xml" };
        let reference = format!("<check-content-ref href='{href}' name='{id}'/>");
        let fact =
            format!("<cpe:check-fact-ref system='{}' href='cpe-oval.xml' id-ref='{id}'/>", system::OVAL);
        text = text.replace(&format!("[{letter}]"), &format!("<check system='OVAL'>{reference}</check>"));
        text = text.replace(&format!("@{letter}"), &reference).replace(&format!("%{letter}"), &fact);
    }
    text.replace("'OVAL'", &format!("'{}'", system::OVAL))
}

/// A data stream collection with a benchmark of this content after its version, the OVAL document for its checks
/// and for platforms, and a dictionary with these names, each proved by a definition.
pub fn collection(before_version: &str, content: &str, names: &[(&str, char)]) -> String {
    let benchmark = format!(
        "<Benchmark xmlns='{}' xmlns:cpe='http://cpe.mitre.org/language/2.0' id='xccdf_test_benchmark_b'>\n\
         <status date='2025-01-01'>draft</status><title>t</title><description>d</description>\
         <notice id='n'/>\n{before_version}<version>1</version>\n{content}</Benchmark>",
        xccdf::NAMESPACE
    );
    let items: String = names
        .iter()
        .map(|(name, letter)| {
            format!(
                "<cpe-item name='{name}'><title>t</title><check system='{}' href='cpe-oval.xml'>{}</check>\
                 </cpe-item>\n",
                system::OVAL,
                definition(*letter)
            )
        })
        .collect();
    let uri = |name: &str| format!("<cat:uri name='{name}' uri='#scap_t_cref_{name}'/>");
    let reference = |name: &str, inside: &str| {
        format!(
            "<ds:component-ref id='scap_t_cref_{name}' xlink:href='#scap_t_comp_{name}'>{inside}</ds:component-ref>"
        )
    };
    let catalog = |names: &[&str]| {
        format!("<cat:catalog>{}</cat:catalog>", names.iter().map(|name| uri(name)).collect::<String>())
    };
    let component = |name: &str, document: &str| {
        format!(
            "<ds:component id='scap_t_comp_{name}' timestamp='2025-01-01T00:00:00'>\n{document}\n</ds:component>\n"
        )
    };
    let oval = oval();
    let dictionaries =
        format!("<ds:dictionaries>{}</ds:dictionaries>", reference("dict.xml", &catalog(&["cpe-oval.xml"])));
    format!(
        "<ds:data-stream-collection xmlns:ds='http://scap.nist.gov/schema/scap/source/1.2' \
         xmlns:xlink='http://www.w3.org/1999/xlink' xmlns:cat='urn:oasis:names:tc:entity:xmlns:xml:catalog' \
         id='scap_t_collection_c' schematron-version='1.3'>\n\
         <ds:data-stream id='scap_t_datastream_d' scap-version='1.3' use-case='OTHER' \
         timestamp='2025-01-01T00:00:00'>\n{}<ds:checklists>{}</ds:checklists>\n<ds:checks>{}{}{}\
         <ds:component-ref id='scap_t_cref_remote.xml' xlink:href='https://example.org/remote.xml'/></ds:checks>\n\
         </ds:data-stream>\n{}{}{}{}{}</ds:data-stream-collection>\n",
        if names.is_empty() { String::new() } else { dictionaries },
        reference("xccdf.xml", &catalog(&["oval.xml", "values.xml", "cpe-oval.xml", "remote.xml"])),
        reference("oval.xml", ""),
        reference("values.xml", ""),
        reference("cpe-oval.xml", ""),
        if names.is_empty() {
            String::new()
        } else {
            let open = "<cpe-list xmlns='http://cpe.mitre.org/dictionary/2.0'>";
            component("dict.xml", &format!("{open}\n{items}</cpe-list>"))
        },
        component("xccdf.xml", &benchmark),
        component("oval.xml", &oval),
        component("values.xml", &oval),
        component("cpe-oval.xml", &oval)
    )
}

pub fn source(text: &str) -> SourceContent {
    SourceContent::new(text.as_bytes().to_vec(), "stream.xml", &Limits::default())
        .unwrap_or_else(|errors| panic!("{errors}\n{text}"))
}

/// An engine for OVAL that knows what each definition comes to.
#[derive(Default)]
pub struct Table {
    /// Systems that can be evaluated besides OVAL.
    pub systems: Vec<&'static str>,
    /// What was asked: document and definition.
    pub asked: Vec<String>,
    /// The definition of a fact that only a running system could tell.
    pub dark: Option<String>,
}

impl Table {
    fn outcome(name: &str, exports: &[String]) -> Outcome {
        let letter = DEFINITIONS.iter().map(|(letter, _)| *letter).find(|letter| definition(*letter) == name);
        match letter {
            Some('T') => Outcome::Pass,
            Some('F') => Outcome::Fail,
            Some('U') => Outcome::Unknown,
            Some('E') => Outcome::Error,
            Some('V') if exports == ["oval:tv:var:1=two"] => Outcome::Pass,
            Some('V') if exports.is_empty() => Outcome::Unknown,
            Some('V') => Outcome::Fail,
            _ => Outcome::NotChecked,
        }
    }
}

impl CheckSystem for Table {
    fn evaluates(&self, system: &str) -> bool {
        system == system::OVAL || self.systems.contains(&system)
    }

    fn check(&mut self, request: &Request<'_>) -> Answer {
        self.asked.push(format!("{} {}", request.href, request.name.unwrap_or("all")));
        if self.systems.contains(&request.system) {
            let handed = request.imports.iter().map(|import| format!("{} of it", import.name));
            return Answer { imports: handed.collect(), ..Answer::from(Outcome::Pass) };
        }
        if !matches!(request.href, "oval.xml" | "values.xml") {
            return Outcome::NotChecked.into();
        }
        let export = |export: &xccdf::evaluate::Exported| format!("{}={}", export.name, export.content);
        let exports: Vec<String> = request.exports.iter().map(export).collect();
        match request.name {
            Some(name) => Table::outcome(name, &exports).into(),
            None => {
                let all =
                    DEFINITIONS.iter().map(|(letter, _)| Table::outcome(&definition(*letter), &exports));
                xccdf::evaluate::all_of(all).into()
            }
        }
    }

    fn definitions(&mut self, system: &str, href: &str) -> Option<Vec<String>> {
        let known = system == system::OVAL && href == "oval.xml";
        known.then(|| DEFINITIONS.iter().rev().map(|(letter, _)| definition(*letter)).collect())
    }

    fn holds(&mut self, fact: &Fact) -> Option<bool> {
        self.asked.push(format!("{} {}", fact.href, fact.name));
        if self.dark.as_ref() == Some(&fact.name) {
            return None;
        }
        Some(fact.href == "cpe-oval.xml" && Table::outcome(&fact.name, &[]) == Outcome::Pass)
    }
}

/// What the engine makes of the profile `p` of a data stream.
pub fn evaluated(text: &str, engine: &mut Table, options: &Options<'_>) -> (Benchmark, Policy, Evaluation) {
    let content = source(text);
    let checklist = content.checklist(Choice::default()).unwrap_or_else(|error| panic!("{error}"));
    let benchmark = checklist.benchmark().unwrap_or_else(|errors| panic!("{errors}"));
    let policy = resolve(&benchmark, &[], Some("p"), &no_alias).unwrap_or_else(|errors| panic!("{errors}"));
    let platforms = checklist.platforms().unwrap_or_else(|errors| panic!("{errors}"));
    let evaluation = evaluate(&benchmark, &policy, &platforms, engine, options);
    (benchmark, policy, evaluation.unwrap_or_else(|errors| panic!("{errors}")))
}

/// The outcomes of a rule by its short id, `+` between them.
pub fn outcomes(evaluation: &Evaluation, rule: &str) -> String {
    let of_rule = evaluation.results.iter().filter(|result| xccdf::short_id(&result.rule) == rule);
    of_rule.map(|result| result.outcome.word()).collect::<Vec<_>>().join("+")
}
