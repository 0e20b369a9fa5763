//! The report as metrics, in the text that the textfile collector of Prometheus' node exporter reads (exposition format 0.0.4).
//!
//! Put it below the collector's directory with `--report prometheus=/var/lib/node_exporter/trempe.prom`: the file is written whole.
//! Rules that are met have no line of their own, so that a machine has some dozens of series and not hundreds.

use std::io::{self, Write};

use super::clean::clean;
use super::{Report, Row};
use crate::inspect::Verdict;

/// Writes a report.
///
/// # Errors
/// When it cannot be written.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let labels = [
        ("agent", report.agent.as_str()),
        ("tier", &report.policy.tier),
        ("profile", &report.policy.profile),
        ("policy_sha256", &report.policy.sha256),
        ("content", &report.content.id),
        ("content_version", &report.content.version),
        ("action", &report.action),
    ];
    metric(out, "trempe_info", "What was asked of this machine.")?;
    sample(out, "trempe_info", &labels, 1.0)?;
    metric(out, "trempe_finished_timestamp_seconds", "When the machine was looked at last.")?;
    sample(out, "trempe_finished_timestamp_seconds", &[], seconds(&report.finished).unwrap_or(0.0))?;
    metric(out, "trempe_score_ratio", "The share of judged rules that are met.")?;
    let maximum = if report.score.maximum > 0.0 { report.score.maximum } else { 100.0 };
    sample(out, "trempe_score_ratio", &[], report.score.value / maximum)?;
    metric(out, "trempe_problems", "What the run as a whole ran into.")?;
    sample(out, "trempe_problems", &[], report.problems.len() as f64)?;
    metric(out, "trempe_rules", "Rules by result.")?;
    for (verdict, count) in report.summary.counts() {
        sample(out, "trempe_rules", &[("result", verdict.as_str())], count as f64)?;
    }
    metric(out, "trempe_rule_deviates", "A rule that is not met, or could not be judged.")?;
    let deviates = |row: &&Row| matches!(row.result, Verdict::Fail | Verdict::Error | Verdict::Unknown);
    for row in report.rules.iter().filter(deviates) {
        let labels =
            [("rule", row.id.as_str()), ("severity", &row.severity), ("result", row.result.as_str())];
        sample(out, "trempe_rule_deviates", &labels, 1.0)?;
    }
    exceptions(report, out)
}

fn exceptions(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let excepted: Vec<_> =
        report.rules.iter().filter_map(|row| Some((row, row.exception.as_ref()?))).collect();
    metric(out, "trempe_exceptions", "Exceptions by whether their last day is over.")?;
    for (state, expired) in [("active", false), ("expired", true)] {
        let count = excepted.iter().filter(|(_, own)| own.expired == expired).count();
        sample(out, "trempe_exceptions", &[("state", state)], count as f64)?;
    }
    metric(out, "trempe_exception_end_timestamp_seconds", "When an exception is over.")?;
    for (row, own) in &excepted {
        let last: Option<jiff::civil::Date> = own.until.as_deref().and_then(|until| until.parse().ok());
        // It holds to the end of its last day, in UTC.
        let over = last.and_then(|day| day.tomorrow().ok());
        let over = over.and_then(|day| jiff::tz::Offset::UTC.to_timestamp(day.into()).ok());
        let Some(over) = over else { continue };
        let labels = [("rule", row.id.as_str()), ("owner", &own.owner)];
        sample(out, "trempe_exception_end_timestamp_seconds", &labels, over.as_second() as f64)?;
    }
    Ok(())
}

fn seconds(time: &str) -> Option<f64> {
    Some(time.parse::<jiff::Timestamp>().ok()?.as_second() as f64)
}

/// Says what a metric is; all of ours can go up and down.
fn metric(out: &mut dyn Write, name: &str, help: &str) -> io::Result<()> {
    writeln!(out, "# HELP {name} {help}\n# TYPE {name} gauge")
}

fn sample(out: &mut dyn Write, name: &str, labels: &[(&str, &str)], value: f64) -> io::Result<()> {
    let labels: Vec<String> =
        labels.iter().map(|(name, value)| format!("{name}=\"{}\"", label(value))).collect();
    let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
    writeln!(out, "{name}{labels} {value}")
}

/// The most characters of a label's value.
const LABEL: usize = 1_000;

fn label(text: &str) -> String {
    let text: String = clean(text).chars().take(LABEL).collect();
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
