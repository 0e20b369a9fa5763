//! What is written reads back the same and is valid.

use crate::fixture::*;
use crate::tools::{assert_fits_schema, assert_valid};
use xccdf::*;

/// A benchmark that uses everything the model has.
fn everything() -> Benchmark {
    let text = "<title>All of it</title><description>With <html:b xmlns:html='http://www.w3.org/1999/xhtml'>\
        markup and <sub idref='xccdf_test_value_v' use='legacy'/></html:b>.\n  Lines</description>\
        <plain-text id='words'>plain</plain-text>";
    let rest = "<platform idref='cpe:/o:debian:debian_linux:12'/>\
        <metadata><m:x xmlns:m='urn:m' a='1' m:b='&lt;&quot;&#10;'><m:y/>t<z xmlns=''/></m:x></metadata>";
    let profile = "<Profile id='xccdf_test_profile_p' abstract='true'><status date='2025-01-31'>draft</status>\
        <version time='2025-01-31T10:00:00'>2</version><title>P</title><description>d</description>\
        <reference href='urn:r'>1.2</reference><platform idref='#x'/>\
        <select idref='xccdf_test_rule_r' selected='true'><remark>because</remark></select>\
        <set-value idref='xccdf_test_value_v'>7</set-value>\
        <set-complex-value idref='xccdf_test_value_l'><item>x</item></set-complex-value>\
        <refine-value idref='xccdf_test_value_v' selector='low' operator='less than'/>\
        <refine-rule idref='xccdf_test_rule_r' weight='0.5' severity='high' role='unscored'/>\
        <metadata><e:exception xmlns:e='urn:e' until='2030-01-01'/></metadata></Profile>\
        <Profile id='xccdf_test_profile_q' extends='xccdf_test_profile_p'><title>Q</title></Profile>";
    let values = "<Value id='xccdf_test_value_v' type='number' operator='greater than' interactive='true' \
        interfaceHint='textline'><title>V</title><value>5</value><value selector='low'>1</value>\
        <default>5</default><lower-bound>0</lower-bound><upper-bound selector='low'>2.5</upper-bound>\
        <choices mustMatch='false' selector='c'><choice>5</choice></choices><source uri='urn:s'/></Value>";
    let group = "<Group id='xccdf_test_group_g' selected='true' weight='2' hidden='false'><title>G</title>\
        <rationale>r</rationale><requires idref='xccdf_test_rule_r xccdf_test_group_g'/>\
        <conflicts idref='xccdf_test_rule_s'/>\
        <Value id='xccdf_test_value_l' prohibitChanges='true'><complex-value><item>a</item><item/></complex-value>\
        <match>^a</match></Value>\
        <Rule id='xccdf_test_rule_r' selected='false' severity='medium' role='full' weight='10' multiple='true' \
        cluster-id='c'><status>accepted</status><version>1</version><title>R</title>\
        <warning category='functionality'>beware</warning><reference href='urn:x'>5.1</reference>\
        <rationale>why</rationale><platform idref='#x'/><ident system='urn:cce'>CCE-1</ident>\
        <fix id='f' system='urn:xccdf:fix:script:sh' reboot='false' strategy='configure' disruption='low' \
        complexity='low'>a=<sub idref='xccdf_test_value_v' use='legacy'/>\n\tb &amp;&amp; c</fix>\
        <check system='urn:oval' selector='s' id='k' negate='true' multi-check='true'>\
        <check-import import-name='stdout'/><check-export value-id='xccdf_test_value_v' export-name='oval:v'/>\
        <check-content-ref href='o.xml' name='oval:d'/><check-content-ref href='p.xml'/>\
        <check-content><s:script xmlns:s='urn:s'>x &lt; y</s:script></check-content></check></Rule></Group>\
        <Rule id='xccdf_test_rule_s' extends='xccdf_test_rule_r'>\
        <complex-check operator='AND' negate='true'><check system='urn:a'/>\
        <complex-check operator='OR'><check system='urn:b'/></complex-check></complex-check></Rule>";
    let text =
        benchmark_text("").replace("<version>1</version>", &format!("{text}<version>1</version>{rest}"));
    let text = text.replace("</Benchmark>", &format!("{profile}{values}{group}</Benchmark>"));
    let text = text
        .replace("id='xccdf_test_benchmark_b'", "id='xccdf_test_benchmark_b' xml:lang='en' style='SCAP_1.2'");
    Benchmark::parse(text.as_bytes(), "all.xml").unwrap_or_else(|errors| panic!("{errors}"))
}

fn again(benchmark: &Benchmark) -> Benchmark {
    let written = benchmark.to_xml().unwrap();
    Benchmark::parse(&written, &benchmark.source)
        .unwrap_or_else(|errors| panic!("{errors}\n{}", String::from_utf8_lossy(&written)))
}

#[test]
fn a_benchmark_comes_back_the_same() {
    let first = everything();
    assert_eq!(again(&first), first);
    assert_valid(&first.to_xml().unwrap());
    let minimal = benchmark("");
    assert_eq!(again(&minimal), minimal);
}

#[test]
fn a_tailoring_comes_back_the_same() {
    let everything = everything();
    let first = Tailoring {
        source: "t.xml".into(),
        id: Kind::Tailoring.id("test", "t"),
        benchmark: Some(BenchmarkRef {
            href: "b.xml".into(),
            id: Some(everything.id.clone()),
            version: Some("1".into()),
        }),
        status: everything.status.clone(),
        version: Version { time: Some("2025-01-31T00:00:00".into()), ..Version::from("3") },
        metadata: everything.metadata.clone(),
        profiles: everything.profiles,
    };
    let written = first.to_xml().unwrap();
    assert_eq!(Tailoring::parse(&written, "t.xml").unwrap(), first);
    assert_fits_schema(&written);
}

#[test]
fn texts_survive_whatever_they_hold() {
    for text in ["", " ", "\n", "\r\n", "a\tb", "<&>\"'", "]]>", "é\u{1F512}", "&amp;"] {
        let mut benchmark = benchmark(&rule("a"));
        benchmark.title = text.into();
        let head = &mut benchmark.profiles;
        head.push(Profile {
            id: Kind::Profile.id("test", "p"),
            title: text.into(),
            selects: vec![Select { idref: "a".into(), remarks: vec![text.into()], ..Select::default() }],
            metadata: vec![Element::new("urn:e", "e").with("a", text).text(text).text("!")],
            ..Profile::default()
        });
        let mut read = again(&benchmark);
        // Neighbouring pieces of text are read as one.
        let expected = Element::new("urn:e", "e").with("a", text).text(&format!("{text}!"));
        assert_eq!(read.profiles[0].metadata, [expected], "{text:?}");
        read.profiles[0].metadata.clone_from(&benchmark.profiles[0].metadata);
        assert_eq!(read, benchmark, "{text:?}");
    }
}

#[test]
fn what_xml_cannot_carry_is_refused() {
    let mut benchmark = benchmark("");
    benchmark.title = "\u{0}".into();
    assert!(benchmark.to_xml().unwrap_err().to_string().contains("cannot carry"));
    benchmark.title = Text::default();
    for (namespace, name) in [("urn:x", "a b"), ("urn:x", "1"), ("urn:x", ""), (NAMESPACE, "x"), ("", "x")] {
        benchmark.metadata = vec![Element::new(namespace, name)];
        assert!(benchmark.to_xml().is_err(), "{namespace} {name}");
    }
}
