//! What a script of the script check engine (SCE) is told, and what its end means, as in OpenSCAP 1.3.7. Starting
//! it is for who has a machine.
//!
//! A script is told nothing but this: its environment is [`environment`] and nothing else, it gets its own path as
//! its only argument, and what it prints is handed back as the imports `stdout` and `stderr`.

use super::system::{Answer, Exported, Request};
use crate::result::Outcome;
use crate::value::{Operator, ValueType};

/// Where a script finds programs.
const PATH: &str = "/bin:/sbin:/usr/bin:/usr/local/bin:/usr/sbin";

/// Outcomes in the order of their exit codes, from 101.
const OUTCOMES: [(&str, Outcome); 9] = [
    ("PASS", Outcome::Pass),
    ("FAIL", Outcome::Fail),
    ("ERROR", Outcome::Error),
    ("UNKNOWN", Outcome::Unknown),
    ("NOT_APPLICABLE", Outcome::NotApplicable),
    ("NOT_CHECKED", Outcome::NotChecked),
    ("NOT_SELECTED", Outcome::NotSelected),
    ("INFORMATIONAL", Outcome::Informational),
    ("FIXED", Outcome::Fixed),
];

/// The whole environment of a script: where programs are, what to exit with, and the values it is handed.
pub fn environment(exports: &[Exported]) -> Vec<(String, String)> {
    let mut told = vec![("PATH".to_owned(), PATH.to_owned())];
    for ((name, _), code) in OUTCOMES.iter().zip(101..) {
        told.push((format!("XCCDF_RESULT_{name}"), code.to_string()));
    }
    for export in exports {
        let name = &export.name;
        told.push((format!("XCCDF_TYPE_{name}"), value_type(export.value_type).to_owned()));
        told.push((format!("XCCDF_VALUE_{name}"), export.content.to_string()));
        told.push((format!("XCCDF_OPERATOR_{name}"), operator(export.operator).to_owned()));
    }
    told
}

/// What the exit code of a script means; `None` for a script that was killed. Any code that is not one of
/// those it is told is an error, 0 too: a script that cannot be parsed must not pass.
pub fn outcome(code: Option<i32>) -> Outcome {
    let found = code.and_then(|code| OUTCOMES.get(usize::try_from(code.checked_sub(101)?).ok()?));
    found.map_or(Outcome::Error, |(_, outcome)| *outcome)
}

/// The answer of an engine whose script ended with this code and printed this.
pub fn answer(request: &Request<'_>, code: Option<i32>, stdout: &str, stderr: &str) -> Answer {
    let import = |name: &str| match name {
        "stdout" => stdout.to_owned(),
        "stderr" => stderr.to_owned(),
        _ => String::new(),
    };
    let imports = request.imports.iter().map(|wanted| import(&wanted.name)).collect();
    Answer { outcome: outcome(code), imports, messages: Vec::new() }
}

fn value_type(value_type: ValueType) -> &'static str {
    match value_type {
        ValueType::Number => "NUMBER",
        ValueType::String => "STRING",
        ValueType::Boolean => "BOOLEAN",
    }
}

fn operator(operator: Operator) -> &'static str {
    match operator {
        Operator::Equals => "EQUALS",
        Operator::NotEqual => "NOT_EQUAL",
        Operator::Greater => "GREATER",
        Operator::GreaterOrEqual => "GREATER_EQUAL",
        Operator::Less => "LESS",
        Operator::LessOrEqual => "LESS_EQUAL",
        Operator::PatternMatch => "PATTERN_MATCH",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Content;

    #[test]
    fn exit_codes_mean_what_the_script_is_told() {
        let environment = environment(&[]);
        for (name, expected) in [
            ("XCCDF_RESULT_PASS", Outcome::Pass),
            ("XCCDF_RESULT_NOT_APPLICABLE", Outcome::NotApplicable),
            ("XCCDF_RESULT_FIXED", Outcome::Fixed),
        ] {
            let (_, code) = environment.iter().find(|(known, _)| known == name).unwrap();
            assert_eq!(outcome(code.parse().ok()), expected, "{name}");
        }
        for code in [Some(0), Some(1), Some(100), Some(110), Some(255), Some(-1), Some(i32::MIN), None] {
            assert_eq!(outcome(code), Outcome::Error, "{code:?}");
        }
    }

    #[test]
    fn values_are_handed_over_with_type_and_comparison() {
        let export = Exported {
            name: "var_x".to_owned(),
            value_id: "xccdf_a_value_x".to_owned(),
            content: Content::One("7".to_owned()),
            value_type: ValueType::Number,
            operator: Operator::GreaterOrEqual,
        };
        let told = environment(&[export]);
        let told: Vec<String> = told.iter().skip(10).map(|(name, value)| format!("{name}={value}")).collect();
        let expected =
            ["XCCDF_TYPE_var_x=NUMBER", "XCCDF_VALUE_var_x=7", "XCCDF_OPERATOR_var_x=GREATER_EQUAL"];
        assert_eq!(told, expected);
    }
}
