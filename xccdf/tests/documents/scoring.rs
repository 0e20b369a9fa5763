//! Scores: what oscap 1.3.7 gave, once; [`crate::tools`] asks it again.

use crate::stream::*;
use xccdf::evaluate::Options;
use xccdf::score::scores;

/// Benchmarks with rules that come to `T`, `F`, `E` and so on, and the scores oscap gave: default, flat and flat-unweighted
/// with what could have been reached, absolute.
pub const SCORED: &[(&str, &str, &str)] = &[
    ("all_pass", "T T", "100 2/2 2/2 1"),
    ("half", "T F", "50 1/2 1/2 0"),
    ("third", "T F F", "33.333332 1/3 1/3 0"),
    ("errors_and_unknowns_count_as_failures", "T E U", "33.333332 1/3 1/3 0"),
    ("not_checked_does_not_count", "T F N", "50 1/2 1/2 0"),
    ("nothing_counts", "N", "0 0/0 0/0 1"),
    ("weights", "T:3 F:1", "75 3/4 1/2 0"),
    ("weight_of_nothing", "T:0 F:1", "0 0/1 1/2 0"),
    ("weights_of_nothing_only", "T:0 F:0", "0 0/0 1/2 1"),
    ("groups_weigh_as_one", "(T F F) T", "66.666664 2/4 2/4 0"),
    ("groups_with_weights", "5(T F F) 2(T (F T:2)) F:4", "30.303028 4/11 3/7 0"),
    ("group_without_anything_that_counts", "(N) T F", "50 1/2 1/2 0"),
    ("unscored_does_not_count", "T F!", "100 1/1 1/1 1"),
    ("unscored_complex_does_not_count", "T X!", "100 1/1 1/1 1"),
    ("each_definition_counts_once", "M T", "50 1/2 1/2 0"),
    ("fractions", "T:0.1 F:0.2 T:0.3 (T:0.7 F:0.6 F:0.1)", "56.25 1.1/2 3/6 0"),
];

/// The data stream of a benchmark: letters with `:weight` and `!` for unscored, groups in parentheses with
/// a weight before. `X` is a complex check that fails, `M` one with a result for each definition.
pub fn stream(rules: &str, models: &[&str]) -> String {
    let mut content: String =
        models.iter().map(|model| format!("<model system='urn:xccdf:scoring:{model}'/>\n")).collect();
    content.push_str("<Profile id='xccdf_test_profile_p'><title>p</title></Profile>\n");
    let spaced = rules.replace('(', " ( ").replace(')', " ) ");
    let mut weight = String::new();
    for (n, word) in spaced.split_whitespace().enumerate() {
        match word {
            "(" => {
                let weight = std::mem::take(&mut weight);
                content.push_str(&format!("<Group id='xccdf_test_group_g{n}' {weight}><title>g</title>\n"));
            }
            ")" => content.push_str("</Group>\n"),
            number if number.parse::<f64>().is_ok() => weight = format!("weight='{number}'"),
            rule => {
                let (rule, role) =
                    rule.strip_suffix('!').map_or((rule, ""), |rule| (rule, "role='unscored'"));
                let (letter, weight) = rule.split_once(':').unwrap_or((rule, "1"));
                let check = match letter {
                    "X" => "<complex-check operator='AND'>[F]</complex-check>".to_owned(),
                    "M" => {
                        "<check system='OVAL' multi-check='true'><check-content-ref href='oval.xml'/></check>"
                            .to_owned()
                    }
                    letter => format!("[{letter}]"),
                };
                content.push_str(&format!(
                    "<Rule id='xccdf_test_rule_r{n}' selected='true' weight='{weight}' {role}><title>r</title>{check}</Rule>\n"
                ));
            }
        }
    }
    collection("", &expanded(&content), &[])
}

pub const MODELS: [&str; 4] = ["default", "flat", "flat-unweighted", "absolute"];

/// Scores as the table has them: model, value and maximum of each.
pub fn told(scores: &[(String, f32, f32)]) -> String {
    let each =
        scores.iter().map(|(model, value, maximum)| match model.trim_start_matches("urn:xccdf:scoring:") {
            "default" | "absolute" => value.to_string(),
            _ => format!("{value}/{maximum}"),
        });
    each.collect::<Vec<_>>().join(" ")
}

/// What we make of rules.
fn ours(rules: &str, models: &[&str]) -> String {
    let text = stream(rules, models);
    let (benchmark, _, evaluation) = evaluated(&text, &mut Table::default(), &Options::default());
    let scores = scores(&benchmark, &evaluation.results);
    let scores = scores.into_iter().map(|score| (score.system, score.value, score.maximum));
    told(&scores.collect::<Vec<_>>())
}

#[test]
fn scores_are_those_of_oscap() {
    for (name, rules, expected) in SCORED {
        assert_eq!(ours(rules, &MODELS), *expected, "{name}");
    }
}

#[test]
fn the_default_model_counts_when_none_is_named() {
    assert_eq!(ours("T F", &[]), "50");
    assert_eq!(ours("T F", &["flat"]), "1/2");
    assert_eq!(ours("T F", &["flat", "of-nobody"]), "1/2");
}
