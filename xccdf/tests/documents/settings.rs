//! What a profile that extends another makes of its settings: what oscap 1.3.7 gave, once; [`crate::oscap`] asks it again. The other profile is
//! one of the benchmark, and the one that extends it is beside it or in a tailoring.

use crate::fixture::{profile, tailoring};
use crate::stream::*;
use xccdf::evaluate::{Options, evaluate};
use xccdf::{Choice, RuleResult, Tailoring, no_alias, resolve, short_id};

/// Values: name, what the base says, what the profile says, what the value is then. Settings are `set A`, which sets the value to A, a selector
/// (`low` makes it L, `high` H), or `operator`, which compares otherwise; D is the default.
pub const VALUES: [(&str, &str, &str, char); 11] = [
    ("what is inherited", "low", "", 'L'),
    ("another selector", "low", "high", 'H'),
    ("set by both", "set A", "set B", 'B'),
    ("set after a selector", "low", "set A", 'A'),
    ("a selector after it was set", "set A", "high", 'A'),
    ("another operator after it was set", "set A", "operator", 'A'),
    ("another operator takes the selector away", "low", "operator", 'D'),
    ("a selector after another operator", "operator", "low", 'L'),
    ("two selectors", "", "low, high", 'H'),
    ("a selector and an operator apart", "", "low, operator", 'D'),
    ("set twice", "", "set A, set B", 'B'),
];

/// Rules with severity low and weight 2, that pass by the selector `s` and fail without: name, what the base says, what the profile says, outcome,
/// severity and weight. `*` is a refinement of a cluster that the rule is in.
pub const RULES: [(&str, &str, &str, &str); 9] = [
    ("what is inherited", "selector='s'", "", "pass low 2"),
    ("a weight takes the selector away", "selector='s'", "weight='7'", "fail low 7"),
    ("a weight takes the severity away", "severity='high'", "weight='7'", "fail low 7"),
    ("a selector takes the weight away", "weight='7'", "selector='s'", "pass low 2"),
    ("a severity takes the role away", "role='unscored'", "severity='high'", "fail high 2"),
    ("apart in one profile they add up", "", "selector='s', weight='7'", "pass low 7"),
    ("of one profile and inherited", "selector='s', severity='high'", "", "pass high 2"),
    ("all of the base's", "selector='s', severity='high'", "weight='7'", "fail low 7"),
    ("under another id they add up", "*selector='s'", "weight='7'", "pass low 7"),
];

/// The settings of a row for the value or rule `n`.
fn settings(text: &str, n: usize, winner: Option<char>) -> String {
    let one = |setting: &str| match (winner, setting.split_once(' ')) {
        (Some(winner), Some(("set", own))) => {
            let content = content(own.starts_with(winner));
            format!("<set-value idref='xccdf_test_value_v{n}'>{content}</set-value>\n")
        }
        (Some(_), _) if setting == "operator" => {
            format!("<refine-value idref='xccdf_test_value_v{n}' operator='not equal'/>\n")
        }
        (Some(_), _) => format!("<refine-value idref='xccdf_test_value_v{n}' selector='{setting}'/>\n"),
        (None, _) => match setting.strip_prefix('*') {
            Some(setting) => format!("<refine-rule idref='cluster{n}' {setting}/>\n"),
            None => format!("<refine-rule idref='xccdf_test_rule_r{n}' {setting}/>\n"),
        },
    };
    text.split(", ").filter(|setting| !setting.is_empty()).map(one).collect()
}

/// What a value is that should win, and one that should not.
fn content(wins: bool) -> &'static str {
    if wins { "two" } else { "other" }
}

/// The settings of all rows: those of the base, and those of the profile.
fn all() -> [String; 2] {
    let mut both = [String::new(), String::new()];
    for (n, (_, base, own, winner)) in VALUES.iter().enumerate() {
        both[0] += &settings(base, n, Some(*winner));
        both[1] += &settings(own, n, Some(*winner));
    }
    for (n, (_, base, own, _)) in RULES.iter().enumerate() {
        both[0] += &settings(base, n, None);
        both[1] += &settings(own, n, None);
    }
    both
}

/// The profile `p`, which extends `base`.
pub fn own() -> String {
    profile("p", "xccdf_test_profile_base", &format!("\n{}", all()[1]))
}

/// The data stream, with the profile in it or without.
pub fn stream(with_own: bool) -> String {
    let [base, _] = all();
    let mut text = profile("base", "", &format!("\n{base}")) + "\n";
    if with_own {
        text += &(own() + "\n");
    }
    for (n, (.., winner)) in VALUES.iter().enumerate() {
        let instance = |selector: &str, letter: char| {
            format!("<value {selector}>{}</value>\n", content(letter == *winner))
        };
        let instances = [("", 'D'), ("selector='low'", 'L'), ("selector='high'", 'H')]
            .map(|(own, letter)| instance(own, letter));
        text += &format!(
            "<Value id='xccdf_test_value_v{n}' type='string'>\n<title>v</title>\n{}</Value>\n",
            instances.concat()
        );
    }
    for n in 0..VALUES.len() {
        text += &format!(
            "<Rule id='xccdf_test_rule_v{n}' selected='true'>\n<title>v</title>\n<check system='OVAL'>\n\
             <check-export value-id='xccdf_test_value_v{n}' export-name='oval:tv:var:1'/>\n@V\n</check>\n</Rule>\n"
        );
    }
    for n in 0..RULES.len() {
        text += &format!(
            "<Rule id='xccdf_test_rule_r{n}' cluster-id='cluster{n}' selected='true' severity='low' weight='2'>\n<title>r</title>\n\
             <check system='OVAL'>\n@F\n</check>\n<check system='OVAL' selector='s'>\n@T\n</check>\n</Rule>\n"
        );
    }
    collection("", &expanded(&text), &[])
}

/// What is wrong in results: `told` has the outcome, severity and weight of a rule by its short id.
pub fn wrong(told: impl Fn(&str) -> String) -> Vec<String> {
    let outcome = |told: &str| told.split(' ').next().unwrap_or_default().to_owned();
    let values = VALUES.iter().enumerate().map(|(n, (name, ..))| {
        let told = told(&format!("v{n}"));
        (*name, "pass", outcome(&told))
    });
    let rules =
        RULES.iter().enumerate().map(|(n, (name, .., expected))| (*name, *expected, told(&format!("r{n}"))));
    values
        .chain(rules)
        .filter(|(_, expected, told)| expected != told)
        .map(|(name, expected, told)| format!("{name}: {told} instead of {expected}"))
        .collect()
}

fn ours(with_own: bool, stack: &[Tailoring]) -> Vec<RuleResult> {
    let text = stream(with_own);
    let content = source(&text);
    let checklist = content.checklist(Choice::default()).unwrap();
    let (benchmark, platforms) = (checklist.benchmark().unwrap(), checklist.platforms().unwrap());
    let policy = resolve(&benchmark, stack, Some("p"), &no_alias).unwrap();
    let evaluation =
        evaluate(&benchmark, &policy, &platforms, &mut Table::default(), &Options::default()).unwrap();
    evaluation.results
}

#[test]
fn settings_of_a_base_are_inherited_as_oscap_does() {
    for (with_own, stack) in [(true, vec![]), (false, vec![tailoring("t.xml", &own())])] {
        let results = ours(with_own, &stack);
        let told = |id: &str| {
            let result = results.iter().find(|result| short_id(&result.rule) == id).unwrap();
            format!("{} {} {}", result.outcome.word(), result.severity.word(), result.weight)
        };
        let wrong = wrong(told);
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}
