//! What values are bound to, from where, and what they may not be.

use crate::fixture::*;
use xccdf::{Benchmark, Binding, Content, Operator, Policy, ValueType, short_id};

fn value(attributes: &str, content: &str) -> Benchmark {
    benchmark(&format!("<Value id='xccdf_test_value_v' {attributes}>{content}</Value>"))
}

fn bound(policy: &Policy) -> (String, String) {
    let value = policy.value("v").unwrap();
    let from = match &value.binding {
        Binding::Default => "default".to_owned(),
        Binding::Selector { selector, origin } => {
            format!("{selector} by {} of {}", short_id(&origin.profile), origin.source)
        }
        Binding::Set(origin) => format!("set by {} of {}", short_id(&origin.profile), origin.source),
    };
    (value.content.to_string(), from)
}

const SELECTORS: &str = "<value selector='low'>1</value><value>5</value><value selector='high'>9</value>";

#[test]
fn defaults_selectors_and_set_values() {
    for (settings, content, from) in [
        ("", "5", "default"),
        ("<refine-value idref='v' selector='high'/>", "9", "high by p of t.xml"),
        ("<refine-value idref='xccdf_x_value_v' selector=''/>", "5", " by p of t.xml"),
        ("<set-value idref='v'>7</set-value>", "7", "set by p of t.xml"),
        ("<set-value idref='v'>7</set-value><set-value idref='v'>8</set-value>", "8", "set by p of t.xml"),
        (
            "<refine-value idref='v' selector='high'/><refine-value idref='v' selector='low'/>",
            "1",
            "low by p of t.xml",
        ),
        // Within a profile, setting outright outdoes picking, wherever it is written.
        (
            "<set-value idref='v'>7</set-value><refine-value idref='v' selector='low'/>",
            "7",
            "set by p of t.xml",
        ),
    ] {
        let stack = [tailoring("t.xml", &profile("p", "", settings))];
        let policy = resolved(&value("type='number'", SELECTORS), &stack, None);
        assert_eq!(bound(&policy), (content.to_owned(), from.to_owned()), "{settings}");
    }
}

#[test]
fn without_a_default_the_first_counts() {
    let benchmark = value("", "<value selector='a'>1</value><value selector='b'>2</value>");
    assert_eq!(bound(&resolved(&benchmark, &[], None)).0, "1");
}

#[test]
fn a_later_file_outdoes_an_earlier_one() {
    let set = |id: &str, extends: &str, n: u8| {
        profile(id, extends, &format!("<set-value idref='v'>{n}</set-value>"))
    };
    let refine = profile("b", "a", "<refine-value idref='v' selector='high'/>");
    let benchmark = value("type='number'", SELECTORS);
    let stack = [tailoring("1.xml", &set("a", "", 7)), tailoring("2.xml", &set("b", "a", 8))];
    assert_eq!(bound(&resolved(&benchmark, &stack, None)), ("8".into(), "set by b of 2.xml".into()));
    let stack = [tailoring("1.xml", &set("a", "", 7)), tailoring("2.xml", &refine)];
    assert_eq!(bound(&resolved(&benchmark, &stack, None)), ("9".into(), "high by b of 2.xml".into()));
}

#[test]
fn operator_type_and_remarks() {
    let benchmark = value("type='number' operator='less than'", SELECTORS);
    let refine = "<refine-value idref='v' operator='greater than'><remark>why</remark></refine-value>";
    let stack = [tailoring("t.xml", &profile("p", "", refine))];
    let policy = resolved(&benchmark, &stack, None);
    let v = policy.value("v").unwrap();
    assert_eq!((v.operator, v.value_type), (Operator::Greater, ValueType::Number));
    assert_eq!(v.binding, Binding::Default);
    assert_eq!(v.remarks.first().map(|remark| remark.text.as_str()), Some("why"));
    let plain = resolved(&value("", "<value>x</value>"), &[], None);
    let v = plain.value("v").unwrap();
    assert_eq!((v.operator, v.value_type), (Operator::Equals, ValueType::String));
}

#[test]
fn lists() {
    let list = "<complex-value><item>a</item><item>b</item></complex-value>";
    let policy = resolved(&value("", list), &[], None);
    let expected = Content::List(vec!["a".into(), "b".into()]);
    assert_eq!(policy.value("v").unwrap().content, expected);
    let set = "<set-complex-value idref='v'><item>c</item></set-complex-value>";
    let stack = [tailoring("t.xml", &profile("p", "", set))];
    let policy = resolved(&value("", list), &stack, None);
    assert_eq!(policy.value("v").unwrap().content, Content::List(vec!["c".into()]));
}

const BOUNDS: &str = "<value>5</value><value selector='wide'>50</value>\
    <lower-bound>1</lower-bound><upper-bound>9</upper-bound>\
    <upper-bound selector='wide'>99</upper-bound>";
const CHOICES: &str =
    "<value>a</value><choices mustMatch='true'><choice>a</choice><choice>b</choice></choices>";
const OPEN_CHOICES: &str = "<value>a</value><choices><choice>a</choice></choices>";
const MATCH: &str = "<value>ab1</value><match>^[a-z]+[0-9]$</match>";

/// Attributes and content of the value, what it is set to, what must be said (nothing: it may).
#[test]
fn what_a_value_may_be() {
    let cases: [(&str, &str, &str, &[&str]); 19] = [
        ("type='number'", SELECTORS, "12.5", &[]),
        ("type='number'", SELECTORS, " 12 ", &[]),
        ("type='number'", SELECTORS, "many", &["cannot be \"many\"", "expected a number"]),
        ("type='number'", SELECTORS, "1e3", &["expected a number"]),
        ("type='number'", SELECTORS, "", &["expected a number"]),
        ("type='boolean'", "<value>1</value>", "true", &[]),
        ("type='boolean'", "<value>1</value>", "yes", &["cannot be \"yes\"", "true or false"]),
        ("type='number'", BOUNDS, "9", &[]),
        ("type='number'", BOUNDS, "10", &["expected 9 or less"]),
        ("type='number'", BOUNDS, "0", &["expected 1 or more"]),
        ("", CHOICES, "b", &[]),
        ("", CHOICES, "c", &["cannot be \"c\"", "expected one of: a, b"]),
        ("", OPEN_CHOICES, "c", &[]),
        ("", MATCH, "zz9", &[]),
        ("", MATCH, "9zz", &["expected a match of ^[a-z]+[0-9]$"]),
        // What is no pattern here may be one elsewhere.
        ("", "<value>a</value><match>(</match>", "a", &[]),
        ("", "<value>1</value><match>^\\p{Nd}+$</match>", "x", &[]),
        ("type='number'", "<value>1</value><choices mustMatch='1'><choice>1</choice></choices>", "1.0", &[]),
        ("", "<value>x</value>", "anything", &[]),
    ];
    for (attributes, content, set, pieces) in cases {
        let set = format!("\n<set-value idref='v'>{set}</set-value>");
        let stack = [tailoring("t.xml", &profile("p", "", &set))];
        if pieces.is_empty() {
            resolved(&value(attributes, content), &stack, None);
        } else {
            let told = unresolved(&value(attributes, content), &stack, None);
            assert_says(&told, &[&["t.xml:4:1: <set-value>: value \"v\""], pieces].concat());
        }
    }
}

#[test]
fn bounds_go_with_the_selector() {
    let refine = |selector: &str| {
        let settings = format!("<refine-value idref='v' selector='{selector}'/>");
        [tailoring("t.xml", &profile("p", "", &settings))]
    };
    let benchmark = value("type='number'", BOUNDS);
    assert_eq!(bound(&resolved(&benchmark, &refine("wide"), None)).0, "50");
    let told = unresolved(&benchmark, &refine("narrow"), None);
    assert_says(&told, &["<refine-value>", "has no selector \"narrow\"", "there are: wide"]);
}

#[test]
fn unknown_values_are_errors_wherever_named() {
    for settings in ["<set-value idref='vv'>1</set-value>", "<refine-value idref='vv' selector='x'/>"] {
        let stack = [tailoring("t.xml", &profile("p", "", settings))];
        let told = unresolved(&value("", "<value>1</value>"), &stack, None);
        assert_says(&told, &["t.xml", "unknown value \"vv\"", "did you mean v?"]);
    }
}

#[test]
fn only_what_is_set_is_held_against_what_a_value_may_be() {
    let benchmark = value(
        "type='number'",
        "<value>x</value><value selector='wide'>50</value><upper-bound>9</upper-bound>",
    );
    assert_eq!(bound(&resolved(&benchmark, &[], None)).0, "x");
    let with = |settings: &str| [tailoring("t.xml", &profile("p", "", settings))];
    let picked = with("<refine-value idref='v' selector='wide'/>");
    assert_eq!(bound(&resolved(&benchmark, &picked, None)).0, "50");
    let set = with("<set-value idref='v'>50</set-value>");
    assert_says(&unresolved(&benchmark, &set, None), &["t.xml", "expected 9 or less"]);
}
