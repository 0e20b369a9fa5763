//! Every mistake in a document is told with its place, and is never taken for something else.

use crate::fixture::{OPEN, assert_says, benchmark_text, tailoring_text};
use xccdf::{Benchmark, Error, Limits, Tailoring};

fn benchmark_errors(document: impl AsRef<[u8]>) -> Vec<Error> {
    Benchmark::parse(document.as_ref(), "f.xml").unwrap_err().0
}

fn tailoring_errors(profiles: &str) -> Vec<Error> {
    Tailoring::parse(tailoring_text(profiles).as_bytes(), "f.xml").unwrap_err().0
}

#[test]
fn documents_that_are_not_what_they_should_be() {
    let ended = |root: &str| format!("{root}</Benchmark>");
    let cases: [(String, &[&str]); 13] = [
        (String::new(), &["f.xml:1:1:", "is empty"]),
        ("not XML".into(), &["f.xml:1:1:", "text before the root", "is this XML?"]),
        ("just text <b/>".into(), &["text before the root"]),
        ("<Benchmark>".into(), &["of namespace \"\"", "xmlns="]),
        ("<a:Benchmark/>".into(), &["prefix \"a\" is not declared"]),
        ("<x xmlns='urn:y'/>".into(), &["not XCCDF", "urn:y"]),
        (format!("<Tailoring {OPEN}/>"), &["XCCDF Tailoring, expected a Benchmark"]),
        (
            "<Benchmark xmlns='http://checklists.nist.gov/xccdf/1.1'/>".into(),
            &["XCCDF 1.1, expected XCCDF 1.2", "xccdf_1.1_to_1.2.xsl"],
        ),
        (
            "<data-stream-collection xmlns='http://scap.nist.gov/schema/scap/source/1.2'/>".into(),
            &["SCAP source data stream"],
        ),
        (
            ended(&format!("<Benchmark {OPEN} id='xccdf_a_benchmark_b'>\n  <status>draft")),
            &["f.xml:2:16:", "not well-formed"],
        ),
        (
            format!("<Benchmark {OPEN} id='xccdf_a_benchmark_b'>\n<status>"),
            &["f.xml:2:9:", "ends before </status> of line 2"],
        ),
        (format!("{}<x/>", benchmark_text("")), &["content after the root"]),
        (
            "<?xml version='1.0' encoding='ISO-8859-1'?><x/>".into(),
            &["encoding is ISO-8859-1", "save the file as UTF-8"],
        ),
    ];
    for (document, pieces) in cases {
        assert_says(&benchmark_errors(document), pieces);
    }
}

#[test]
fn entities_and_document_types_are_refused() {
    let bomb = "<!DOCTYPE x [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;'>]>";
    let told = benchmark_errors(format!("{bomb}{}", benchmark_text("<title>&b;</title>")));
    assert_says(&told, &["DOCTYPE", "not allowed"]);
    let unknown = benchmark_errors(benchmark_text("<title>&b;</title>"));
    assert_says(&unknown, &["f.xml:4:8:", "unknown entity &b;"]);
    let null = benchmark_errors(benchmark_text("<title>&#1;</title>"));
    assert_says(&null, &["not allowed in XML"]);
}

#[test]
fn bytes_that_are_not_text() {
    let mut latin = benchmark_text("<title>caf#</title>").into_bytes();
    for byte in latin.iter_mut().filter(|byte| **byte == b'#') {
        *byte = 0xE9;
    }
    assert_says(&benchmark_errors(latin), &["f.xml:4:", "not valid UTF-8"]);
    let utf16: Vec<u8> = "<x/>".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(!benchmark_errors([&[0xFF, 0xFE], utf16.as_slice()].concat()).is_empty());
    assert_says(&benchmark_errors(benchmark_text("<title>\u{1}</title>")), &["not allowed in XML"]);
}

#[test]
fn limits_hold_before_and_while_reading() {
    let text = benchmark_text("");
    let small = Limits { max_bytes: 100, ..Limits::default() };
    let told = Benchmark::parse_within(text.as_bytes(), "f.xml", &small).unwrap_err();
    assert_says(&told.0, &["larger than 100 bytes"]);
    let told = Benchmark::read(text.as_bytes(), "f.xml", &small).unwrap_err();
    assert_says(&told.0, &["larger than 100 bytes"]);
    let exact = Limits { max_bytes: text.len() as u64, ..Limits::default() };
    assert!(Benchmark::read(text.as_bytes(), "f.xml", &exact).is_ok());

    let nested = |n: usize| {
        let open: String = (0..n).map(|n| format!("<Group id='xccdf_t_group_{n}'>")).collect();
        benchmark_text(&format!("{open}{}", "</Group>".repeat(n)))
    };
    assert!(Benchmark::parse(nested(63).as_bytes(), "f.xml").is_ok());
    assert_says(&benchmark_errors(nested(64)), &["nest deeper than 64"]);
}

/// Content of a benchmark, and what must be said of it.
#[test]
fn mistakes_in_a_benchmark() {
    let cases: [(&str, &[&str]); 17] = [
        ("<Rule/>", &["f.xml:4:1: <Rule>:", "attribute id is missing"]),
        ("<Rule id='x'/>", &["\"x\" is not the id of a rule", "xccdf_NAMESPACE_rule_x"]),
        ("<Rule id='xccdf_a_group_x'/>", &["is not the id of a rule"]),
        (
            "<Rule id='xccdf_a_rule_x'/>\n<Rule id='xccdf_a_rule_x'/>",
            &["f.xml:5:1:", "already taken at line 4"],
        ),
        ("<Rule id='xccdf_a_rule_x' selectd='false'/>", &["unknown attribute selectd"]),
        ("<Rule id='xccdf_a_rule_x' selected='no'/>", &["selected=\"no\"", "true or false"]),
        ("<Rule id='xccdf_a_rule_x' weight='-1'/>", &["weight=\"-1\"", "0 or more"]),
        ("<Rule id='xccdf_a_rule_x' weight='inf'/>", &["weight=\"inf\""]),
        ("<Rule id='xccdf_a_rule_x' severity='severe'/>", &["severe", "unknown, info, low, medium, high"]),
        ("<Rule id='xccdf_a_rule_x'><chek/></Rule>", &["<chek>: not expected in <Rule>"]),
        ("<Rule id='xccdf_a_rule_x'><f:fix xmlns:f='urn:f'/></Rule>", &["of namespace \"urn:f\""]),
        ("<Rule id='xccdf_a_rule_x'>words</Rule>", &["unexpected text \"words\""]),
        ("<Rule id='xccdf_a_rule_x'><check/></Rule>", &["<check>: attribute system is missing"]),
        ("<Value id='xccdf_a_value_x'/>", &["no <value> in it"]),
        (
            "<Value id='xccdf_a_value_x'><value>1</value><value>2</value></Value>",
            &["selector \"\" is already taken"],
        ),
        (
            "<Value id='xccdf_a_value_x'><value>1</value><lower-bound>a</lower-bound></Value>",
            &["<lower-bound>: \"a\"", "expected a number"],
        ),
        ("<status>finished</status>", &["unknown status \"finished\"", "accepted, deprecated"]),
    ];
    for (content, pieces) in cases {
        assert_says(&benchmark_errors(benchmark_text(content)), pieces);
    }
}

#[test]
fn mistakes_in_a_tailoring() {
    let cases: [(&str, &[&str]); 6] = [
        ("", &["no <Profile> in it"]),
        ("<Profile id='xccdf_a_profile_p'/>", &["no <title>"]),
        (
            "<Profile id='xccdf_a_profile_p'><title>t</title><select idref='r'/></Profile>",
            &["<select>: attribute selected is missing"],
        ),
        (
            "<Profile id='xccdf_a_profile_p'><title>t</title><select selected='1'/></Profile>",
            &["<select>: attribute idref is missing"],
        ),
        (
            "<Profile id='xccdf_a_profile_p'><title>t</title>\n  <selct idref='r'/></Profile>",
            &["f.xml:4:3: <selct>: not expected in <Profile>"],
        ),
        (
            "<Profile id='xccdf_a_profile_p'><title>t</title>\
             <refine-value idref='v' operator='like'/></Profile>",
            &["operator=\"like\"", "equals, not equal"],
        ),
    ];
    for (profiles, pieces) in cases {
        assert_says(&tailoring_errors(profiles), pieces);
    }
    let untimed = tailoring_text("<Profile id='xccdf_a_profile_p'><title/></Profile>");
    let untimed = untimed.replace("time='2025-01-31T00:00:00'", "");
    let told = Tailoring::parse(untimed.as_bytes(), "f.xml").unwrap_err();
    assert_says(&told.0, &["no <version> with a time"]);
}

#[test]
fn all_mistakes_are_told_in_order_and_their_number_is_bounded() {
    let told = benchmark_errors(benchmark_text("<Rule/>\n<Group/>\n<Value/>"));
    let lines: Vec<u32> = told.iter().map(|error| error.position.line).collect();
    assert_eq!(lines, [4, 5, 6, 6]);
    let many = benchmark_errors(benchmark_text(&"<Rule/>".repeat(1000)));
    assert_eq!(many.len(), 51);
    assert!(many.last().unwrap().message.contains("more mistakes"));
}

#[test]
fn elements_of_the_standard_without_use_are_passed_over() {
    let content = "<notice id='n'>x</notice><front-matter>x</front-matter><reference>x</reference>\
        <platform-specification xmlns='http://cpe.mitre.org/language/2.0'><platform id='x'/>\
        </platform-specification><model system='s'><param name='p'>1</param></model>\
        <Rule id='xccdf_a_rule_x'><question>?</question><fixtext>do it</fixtext>\
        <profile-note tag='t'>x</profile-note></Rule><!-- c --><?pi x?>";
    let benchmark = Benchmark::parse(benchmark_text(content).as_bytes(), "f.xml").unwrap();
    assert_eq!(benchmark.rules().count(), 1);
}

#[test]
fn texts_are_read_as_written() {
    let content = "<title xml:lang='de'>T&#252;r</title><title xml:lang='en'>a &lt;b&gt; \
        <![CDATA[<c> & ]]>d</title><title>late</title>";
    let benchmark = Benchmark::parse(benchmark_text(content).as_bytes(), "f.xml").unwrap();
    assert_eq!(benchmark.title.plain(), "a <b> <c> & d");
    let german = benchmark_text("<title xml:lang='de'>T&#252;r</title>");
    let german = Benchmark::parse(german.as_bytes(), "f.xml").unwrap();
    assert_eq!(german.title.plain(), "Tür");
}
