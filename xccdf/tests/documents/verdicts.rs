//! The result of each rule: what oscap 1.3.7 gave, once; [`crate::tools`] asks it again.

use crate::stream::*;
use xccdf::evaluate::Options;

/// Rules: short id, attributes, content with the markers of [`expanded`], what oscap gave.
pub const RULES: &[(&str, &str, &str, &str)] = &[
    ("pass", "", "[T]", "pass"),
    ("fail", "", "[F]", "fail"),
    ("unknown", "", "[U]", "unknown"),
    ("error", "", "[E]", "error"),
    ("definition_not_evaluated", "", "[N]", "notchecked"),
    ("no_check", "", "", "notchecked"),
    ("no_reference", "", "<check system='OVAL'/>", "notchecked"),
    ("not_selected", "selected='false'", "[T]", "notselected"),
    ("negated_pass", "", "<check system='OVAL' negate='true'>@T</check>", "fail"),
    ("negated_fail", "", "<check system='OVAL' negate='true'>@F</check>", "pass"),
    ("negated_error", "", "<check system='OVAL' negate='true'>@E</check>", "error"),
    ("negated_not_checked", "", "<check system='OVAL' negate='true'>@N</check>", "notchecked"),
    // Which check, which reference.
    ("last_check_counts", "", "[F][T]", "pass"),
    (
        "last_known_engine_counts",
        "",
        "[T]<check system='http://scap.nist.gov/schema/ocil/2'>@F</check>",
        "pass",
    ),
    ("unknown_engine", "", "<check system='urn:nobody'>@T</check>", "notchecked"),
    ("first_reference_counts", "", "<check system='OVAL'>@F@T</check>", "fail"),
    (
        "missing_definition_falls_through",
        "",
        "<check system='OVAL'><check-content-ref href='oval.xml' name='oval:t:def:99'/>@T</check>",
        "pass",
    ),
    ("not_evaluated_falls_through", "", "<check system='OVAL'>@N@F</check>", "fail"),
    (
        "missing_document_falls_through",
        "",
        "<check system='OVAL'><check-content-ref href='no.xml' name='oval:t:def:1'/>@T</check>",
        "pass",
    ),
    (
        "missing_document",
        "",
        "<check system='OVAL'><check-content-ref href='no.xml' name='oval:t:def:1'/></check>",
        "notchecked",
    ),
    (
        "remote_document",
        "",
        "<check system='OVAL'><check-content-ref href='remote.xml' name='oval:t:def:1'/></check>",
        "notchecked",
    ),
    ("check_without_selector", "", "[T]<check system='OVAL' selector='s'>@F</check>", "pass"),
    ("check_by_selector", "", "[F]<check system='OVAL' selector='s'>@T</check>", "pass"),
    // Whole documents.
    ("whole_document", "", "<check system='OVAL'><check-content-ref href='oval.xml'/></check>", "fail"),
    (
        "each_definition",
        "",
        "<check system='OVAL' multi-check='true'><check-content-ref href='oval.xml'/></check>",
        "unknown+notchecked+error+unknown+fail+pass",
    ),
    (
        "each_definition_negated",
        "",
        "<check system='OVAL' multi-check='true' negate='true'><check-content-ref href='oval.xml'/></check>",
        "unknown+notchecked+error+unknown+pass+fail",
    ),
    (
        "each_definition_unscored",
        "role='unscored'",
        "<check system='OVAL' multi-check='true'><check-content-ref href='oval.xml'/></check>",
        "unknown+notchecked+error+unknown+fail+pass",
    ),
    (
        "each_definition_of_remote_document",
        "",
        "<check system='OVAL' multi-check='true'><check-content-ref href='remote.xml'/></check>",
        "notchecked",
    ),
    ("multi_check_with_name", "", "<check system='OVAL' multi-check='true'>@F</check>", "fail"),
    // Roles.
    ("unscored_pass", "role='unscored'", "[T]", "informational"),
    ("unscored_fail", "role='unscored'", "[F]", "informational"),
    ("unscored_not_checked", "role='unscored'", "[N]", "informational"),
    ("unscored_without_check", "role='unscored'", "", "notchecked"),
    ("unchecked", "role='unchecked'", "[T]", "notchecked"),
    ("unscored_complex", "role='unscored'", "<complex-check operator='AND'>[F]</complex-check>", "fail"),
    ("refined_to_unscored", "", "[F]", "informational"),
    ("refined_to_unchecked", "", "[F]", "notchecked"),
    // A refinement that does not speak of the role takes it back.
    ("unscored_refined_otherwise", "role='unscored'", "[F]", "fail"),
    ("unchecked_refined_otherwise", "role='unchecked'", "[F]", "fail"),
    // Complex checks.
    ("complex_counts_before_check", "", "[T]<complex-check operator='AND'>[F]</complex-check>", "fail"),
    ("and_pass_pass", "", "<complex-check operator='AND'>[T][T]</complex-check>", "pass"),
    ("and_pass_fail", "", "<complex-check operator='AND'>[T][F]</complex-check>", "fail"),
    ("and_pass_error", "", "<complex-check operator='AND'>[T][E]</complex-check>", "error"),
    ("and_error_pass", "", "<complex-check operator='AND'>[E][T]</complex-check>", "unknown"),
    ("and_unknown_pass", "", "<complex-check operator='AND'>[U][T]</complex-check>", "error"),
    ("and_pass_unknown", "", "<complex-check operator='AND'>[T][U]</complex-check>", "unknown"),
    ("and_error_error", "", "<complex-check operator='AND'>[E][E]</complex-check>", "unknown"),
    ("and_error_fail", "", "<complex-check operator='AND'>[E][F]</complex-check>", "fail"),
    ("and_pass_not_checked", "", "<complex-check operator='AND'>[T][N]</complex-check>", "pass"),
    ("and_not_checked_fail", "", "<complex-check operator='AND'>[N][F]</complex-check>", "fail"),
    ("or_fail_pass", "", "<complex-check operator='OR'>[F][T]</complex-check>", "pass"),
    ("or_fail_fail", "", "<complex-check operator='OR'>[F][F]</complex-check>", "fail"),
    ("or_error_pass", "", "<complex-check operator='OR'>[E][T]</complex-check>", "pass"),
    ("or_fail_error", "", "<complex-check operator='OR'>[F][E]</complex-check>", "error"),
    ("or_error_fail", "", "<complex-check operator='OR'>[E][F]</complex-check>", "unknown"),
    ("or_unknown_fail", "", "<complex-check operator='OR'>[U][F]</complex-check>", "error"),
    ("or_unknown_unknown", "", "<complex-check operator='OR'>[U][U]</complex-check>", "unknown"),
    ("or_not_checked_not_checked", "", "<complex-check operator='OR'>[N][N]</complex-check>", "notchecked"),
    ("complex_negated", "", "<complex-check operator='AND' negate='true'>[T][F]</complex-check>", "pass"),
    (
        "complex_of_complex",
        "",
        "<complex-check operator='AND'>[T]<complex-check operator='OR' negate='true'>[F][F]</complex-check>\
         </complex-check>",
        "pass",
    ),
    (
        "complex_with_negated_check",
        "",
        "<complex-check operator='AND'>[T]<check system='OVAL' negate='true'>@F</check></complex-check>",
        "pass",
    ),
    (
        "complex_with_unknown_engine",
        "",
        "<complex-check operator='AND'>[T]<check system='urn:nobody'>@F</check></complex-check>",
        "pass",
    ),
    // Values.
    (
        "value_by_default",
        "",
        "<check system='OVAL'><check-export value-id='xccdf_test_value_first' export-name='oval:tv:var:1'/>@V</check>",
        "pass",
    ),
    (
        "value_by_selector",
        "",
        "<check system='OVAL'><check-export value-id='xccdf_test_value_picked' export-name='oval:tv:var:1'/>@V</check>",
        "pass",
    ),
    (
        "value_set",
        "",
        "<check system='OVAL'><check-export value-id='xccdf_test_value_set' export-name='oval:tv:var:1'/>@V</check>",
        "pass",
    ),
    (
        "value_without_default",
        "",
        "<check system='OVAL'><check-export value-id='xccdf_test_value_keyed' export-name='oval:tv:var:1'/>@V</check>",
        "pass",
    ),
    (
        "value_other",
        "",
        "<check system='OVAL'><check-export value-id='xccdf_test_value_other' export-name='oval:tv:var:1'/>@V</check>",
        "fail",
    ),
    // Platforms.
    ("platform_true", "", "<platform idref='#true'/>|[T]", "pass"),
    ("platform_without_hash", "", "<platform idref='true'/>|[T]", "pass"),
    ("platform_false", "", "<platform idref='#false'/>|[T]", "notapplicable"),
    ("platform_any_of_two", "", "<platform idref='#false'/><platform idref='#true'/>|[T]", "pass"),
    ("platform_unknown_fact", "", "<platform idref='#unknown'/>|[T]", "notapplicable"),
    ("platform_error_fact", "", "<platform idref='#error'/>|[T]", "notapplicable"),
    ("platform_not_unknown_fact", "", "<platform idref='#not_unknown'/>|[T]", "pass"),
    ("platform_not_error_fact", "", "<platform idref='#not_error'/>|[T]", "pass"),
    ("platform_missing_definition", "", "<platform idref='#missing'/>|[T]", "notapplicable"),
    ("platform_and", "", "<platform idref='#and'/>|[T]", "notapplicable"),
    ("platform_or", "", "<platform idref='#or'/>|[T]", "pass"),
    ("platform_nested", "", "<platform idref='#nested'/>|[T]", "pass"),
    ("platform_nobody_knows", "", "<platform idref='#nothing'/>|[T]", "notapplicable"),
    ("platform_name", "", "<platform idref='cpe:/o:test:true:1'/>|[T]", "pass"),
    ("platform_name_of_wider_product", "", "<platform idref='cpe:/o:test:true'/>|[T]", "pass"),
    ("platform_name_narrower", "", "<platform idref='cpe:/o:test:true:1:2'/>|[T]", "notapplicable"),
    ("platform_name_false", "", "<platform idref='cpe:/o:test:false:1'/>|[T]", "notapplicable"),
    ("platform_name_nobody_knows", "", "<platform idref='cpe:/o:test:nothing'/>|[T]", "notapplicable"),
    ("platform_name_in_test", "", "<platform idref='#named'/>|[T]", "pass"),
    ("unchecked_before_platform", "role='unchecked'", "<platform idref='#false'/>|[T]", "notchecked"),
    ("not_selected_before_platform", "selected='false'", "<platform idref='#false'/>|[T]", "notselected"),
    ("unscored_after_platform", "role='unscored'", "<platform idref='#false'/>|[T]", "notapplicable"),
    // What requires and conflicts.
    ("requires_selected", "", "<requires idref='xccdf_test_rule_pass'/>|[T]", "pass"),
    ("requires_not_selected", "", "<requires idref='xccdf_test_rule_not_selected'/>|[T]", "notselected"),
    ("requires_any", "", "<requires idref='xccdf_test_rule_not_selected xccdf_test_rule_pass'/>|[T]", "pass"),
    (
        "requires_all",
        "",
        "<requires idref='xccdf_test_rule_not_selected'/><requires idref='xccdf_test_rule_pass'/>|[T]",
        "notselected",
    ),
    (
        "requires_what_fell",
        "",
        "<requires idref='xccdf_test_rule_requires_not_selected'/>|[T]",
        "notselected",
    ),
    ("requires_are_not_inherited", "extends='xccdf_test_rule_requires_not_selected'", "[T]", "pass"),
    ("conflicts_are_inherited", "extends='xccdf_test_rule_conflicts_selected'", "[T]", "notselected"),
    ("conflicts_selected", "", "<conflicts idref='xccdf_test_rule_pass'/>|[T]", "notselected"),
    ("conflicts_not_selected", "", "<conflicts idref='xccdf_test_rule_not_selected'/>|[T]", "pass"),
];

/// Rules in groups: group attributes, group content, rule content, what oscap gave for the rule.
pub const GROUPED: &[(&str, &str, &str, &str, &str)] = &[
    ("in_group", "", "", "[T]", "pass"),
    ("in_group_not_selected", "selected='false'", "", "[T]", "notselected"),
    ("in_group_not_here", "", "<platform idref='#false'/>", "[T]", "notapplicable"),
    ("in_group_here", "", "<platform idref='#true'/>", "[F]", "fail"),
    (
        "in_group_not_here_itself_here",
        "",
        "<platform idref='#false'/>",
        "<platform idref='#true'/>|[T]",
        "notapplicable",
    ),
    (
        "in_group_here_itself_not",
        "",
        "<platform idref='#true'/>",
        "<platform idref='#false'/>|[T]",
        "notapplicable",
    ),
    ("in_group_in_conflict", "", "<conflicts idref='xccdf_test_rule_pass'/>", "[T]", "notselected"),
    (
        "in_group_without_required",
        "",
        "<requires idref='xccdf_test_rule_not_selected'/>",
        "[T]",
        "notselected",
    ),
];

/// Rules that the schema does not allow, though the standard does.
const NOT_VALID: [&str; 2] = ["last_check_counts", "complex_counts_before_check"];

/// Whether the schema allows a rule.
pub fn is_valid(id: &str) -> bool {
    !NOT_VALID.contains(&id)
}

/// The data stream with all of them, and a profile `p`.
pub fn stream() -> String {
    stream_of(|_| true)
}

/// The same without what the schema does not allow.
pub fn valid_stream() -> String {
    stream_of(is_valid)
}

fn stream_of(wanted: impl Fn(&str) -> bool) -> String {
    let value = |id: &str, instances: &str| {
        format!("<Value id='xccdf_test_value_{id}' type='string'><title>v</title>{instances}</Value>\n")
    };
    // oscap 1.3.7 passes over an element that follows another without white space.
    let profile = "<Profile id='xccdf_test_profile_p'><title>p</title>\n\
         <set-value idref='xccdf_test_value_set'>two</set-value>\n\
         <refine-value idref='xccdf_test_value_picked' selector='b'/>\n\
         <refine-value idref='xccdf_test_value_set' selector='b'/>\n\
         <refine-rule idref='xccdf_test_rule_check_by_selector' selector='s'/>\n\
         <refine-rule idref='xccdf_test_rule_refined_to_unscored' role='unscored'/>\n\
         <refine-rule idref='xccdf_test_rule_unscored_refined_otherwise' severity='high'/>\n\
         <refine-rule idref='xccdf_test_rule_unchecked_refined_otherwise' weight='2'/>\n\
         <refine-rule idref='xccdf_test_rule_refined_to_unchecked' role='unchecked'/>\n</Profile>\n";
    let mut content = profile.to_owned();
    content.push_str(&value("first", "<value>two</value><value selector='b'>three</value>"));
    content.push_str(&value("picked", "<value>one</value><value selector='b'>two</value>"));
    content.push_str(&value("set", "<value>one</value><value selector='b'>three</value>"));
    content.push_str(&value("keyed", "<value selector='a'>two</value><value selector='b'>three</value>"));
    content.push_str(&value("other", "<value>one</value>"));
    for (id, attributes, rule, _) in RULES.iter().filter(|(id, ..)| wanted(id)) {
        content.push_str(&self::rule(id, attributes, rule));
    }
    for (id, attributes, group, inside, _) in GROUPED {
        content.push_str(&format!(
            "<Group id='xccdf_test_group_{id}' {attributes}><title>g</title>{group}{}</Group>\n",
            self::rule(id, "", inside)
        ));
    }
    let test = |id: &str, test: &str| format!("<cpe:platform id='{id}'>{test}</cpe:platform>\n");
    let joined = |operator: &str, negate: bool, inside: &str| {
        format!("<cpe:logical-test operator='{operator}' negate='{negate}'>{inside}</cpe:logical-test>")
    };
    let missing = "<cpe:check-fact-ref system='OVAL' href='cpe-oval.xml' id-ref='oval:t:def:99'/>";
    let specification = [
        test("true", &joined("AND", false, "%T")),
        test("false", &joined("AND", false, "%F")),
        test("unknown", &joined("AND", false, "%U")),
        test("error", &joined("AND", false, "%E")),
        test("not_unknown", &joined("AND", true, "%U")),
        test("not_error", &joined("AND", true, "%E")),
        test("missing", &joined("AND", false, missing)),
        test("and", &joined("AND", false, "%T%F")),
        test("or", &joined("OR", false, "%F%T")),
        test("nested", &joined("AND", false, &format!("{}%T", joined("OR", true, "%F%U")))),
        test("named", &joined("AND", false, "<cpe:fact-ref name='cpe:/o:test:true:1'/>")),
    ];
    let before =
        format!("<cpe:platform-specification>\n{}</cpe:platform-specification>\n", specification.concat());
    let names = [("cpe:/o:test:true:1", 'T'), ("cpe:/o:test:false:1", 'F')];
    collection(&expanded(&before), &expanded(&content), &names)
}

/// A rule; what comes before `|` in its content goes before its checks.
fn rule(id: &str, attributes: &str, content: &str) -> String {
    let selected = if attributes.contains("selected") { "" } else { "selected='true'" };
    let content = content.replace('|', "");
    format!("<Rule id='xccdf_test_rule_{id}' {attributes} {selected}><title>t</title>{content}</Rule>\n")
}

#[test]
fn each_rule_comes_to_what_oscap_says() {
    let (_, _, evaluation) = evaluated(&stream(), &mut Table::default(), &Options::default());
    let cases = RULES.iter().map(|(id, _, _, expected)| (id, expected));
    let grouped = GROUPED.iter().map(|(id, _, _, _, expected)| (id, expected));
    let wrong: Vec<String> = cases
        .chain(grouped)
        .map(|(id, expected)| (id, expected, outcomes(&evaluation, id)))
        .filter(|(_, expected, found)| *expected != found)
        .map(|(id, expected, found)| format!("{id}: oscap says {expected}, we say {found}"))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
