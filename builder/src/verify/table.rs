//! The record for people: a table, and under it why something is not proved.

use std::fmt::Write;

use super::proof::{Outcome, Proof, Record};

/// How many rules of a case are told; all are in the record.
const SHOWN: usize = 20;
/// The table's heads; the first two columns and the last are words.
const HEADS: [&str; 11] = [
    "tier", "firmware", "pass", "fail", "by hand", "error", "score", "login", "hardened", "in all", "result",
];

/// What is said of a record.
pub fn table(record: &Record) -> String {
    let rows: Vec<[String; 11]> = record.proofs.iter().map(row).collect();
    let heads = HEADS.map(str::to_owned);
    let width = |column: usize| {
        let cells = std::iter::once(&heads).chain(&rows).filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
    };
    let mut out = String::new();
    for row in std::iter::once(&heads).chain(&rows) {
        let cell = |(column, text): (usize, &String)| match column {
            0 | 1 => format!("{text:<width$}", width = width(column)),
            10 => text.clone(),
            _ => format!("{text:>width$}", width = width(column)),
        };
        let cells: Vec<String> = row.iter().enumerate().map(cell).collect();
        out.push_str(cells.join("  ").trim_end());
        out.push('\n');
    }
    record.proofs.iter().for_each(|proof| why(proof, &mut out));
    out
}

fn row(proof: &Proof) -> [String; 11] {
    let seconds = |time: Option<f64>| time.map_or("-".to_owned(), |it| format!("{it:.0} s"));
    let count = |number: Option<u32>| number.map_or("-".to_owned(), |it| it.to_string());
    let expected = proof.summary.map(|_| u32::try_from(proof.judgement.expected.len()).unwrap_or(u32::MAX));
    let failing = proof.summary.map(|summary| summary.fail + summary.unknown);
    let result = match proof.outcome {
        Outcome::Proved => "proved",
        Outcome::Deviates => "NOT PROVED",
        Outcome::Failed => "FAILED",
    };
    let slow = if proof.accelerator == "tcg" { ", emulated" } else { "" };
    let old = if proof.reused { ", unchanged" } else { "" };
    [
        proof.case.tier.word().to_owned(),
        proof.case.firmware.word().to_owned(),
        count(proof.summary.map(|summary| summary.pass)),
        count(failing),
        count(expected),
        count(proof.summary.map(|summary| summary.error)),
        proof.score.map_or("-".to_owned(), |score| format!("{score:.1}")),
        seconds(proof.login),
        seconds(proof.hardened),
        seconds(Some(proof.seconds)),
        format!("{result}{slow}{old}"),
    ]
}

/// Why a case is not proved.
fn why(proof: &Proof, out: &mut String) {
    if proof.outcome == Outcome::Proved {
        return;
    }
    let judgement = &proof.judgement;
    // Writing to a string does not fail.
    let _ = writeln!(out, "\n{}:", proof.case);
    for line in proof
        .error
        .iter()
        .flat_map(|error| error.lines())
        .chain(judgement.objections.iter().map(String::as_str))
    {
        let _ = writeln!(out, "  {line}");
    }
    let rules = [("error", &judgement.errors), ("fail", &judgement.unexpected)];
    let all = rules.iter().flat_map(|(word, reasons)| reasons.iter().map(move |reason| (word, reason)));
    for (word, reason) in all.clone().take(SHOWN) {
        let _ =
            writeln!(out, "  {word}: {}: {}", reason.rule, reason.reason.lines().next().unwrap_or_default());
    }
    let hidden = all.count().saturating_sub(SHOWN);
    if hidden > 0 {
        let _ = writeln!(out, "  and {hidden} more, in verify.json");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;
    use crate::spec::{Firmware, Tier};
    use crate::verify::audit::Summary;
    use crate::verify::case::Case;
    use crate::verify::judgement::{Judgement, Reason};

    fn proof(tier: Tier, firmware: Firmware, outcome: Outcome) -> Proof {
        Proof {
            case: Case { tier, firmware },
            outcome,
            seed: "nocloud".into(),
            bus: "virtio-scsi".into(),
            accelerator: "kvm".into(),
            digest: "d".into(),
            finished: "2026-11-27T12:00:00Z".into(),
            login: Some(21.4),
            hardened: Some(33.2),
            seconds: 40.0,
            summary: Some(Summary { pass: 120, fail: 2, unknown: 1, ..Summary::default() }),
            score: Some(97.26),
            judgement: Judgement::default(),
            error: None,
            reused: false,
        }
    }

    fn record(proofs: Vec<Proof>) -> Record {
        Record { schema: 1, builder: "0.1.0".into(), image_sha256: "i".into(), proofs }
    }

    #[test]
    fn the_table_tells_how_each_machine_came_out_and_why_one_is_not_proved() {
        let reason = |rule: &str, reason: &str| Reason { rule: rule.into(), reason: reason.into() };
        let mut good = proof(Tier::Light, Firmware::Bios, Outcome::Proved);
        good.reused = true;
        let mut bad = proof(Tier::Standard, Firmware::Uefi, Outcome::Deviates);
        bad.judgement.expected = vec![reason("partition_for_home", "disks are laid out at installation")];
        bad.judgement.unexpected = vec![reason("sshd_set_idle_timeout", "sshd -T: 0, wanted 300\nmore")];
        bad.judgement.objections = vec!["1 rule fails that should not".into()];
        let mut dead = proof(Tier::Strict, Firmware::UefiSecure, Outcome::Failed);
        dead.accelerator = "tcg".into();
        (dead.login, dead.hardened, dead.summary, dead.score) = (None, None, None, None);
        dead.error = Some("port 22 does not answer\nthe console's last words:\n  grub rescue>".into());
        snapbox::assert_data_eq!(
            table(&record(vec![good, bad, dead])),
            snapbox::str![[r#"
tier      firmware     pass  fail  by hand  error  score  login  hardened  in all  result
light     bios          120     3        0      0   97.3   21 s      33 s    40 s  proved, unchanged
standard  uefi          120     3        1      0   97.3   21 s      33 s    40 s  NOT PROVED
strict    uefi-secure     -     -        -      -      -      -         -    40 s  FAILED, emulated

standard on uefi:
  1 rule fails that should not
  fail: sshd_set_idle_timeout: sshd -T: 0, wanted 300

strict on uefi-secure:
  port 22 does not answer
  the console's last words:
    grub rescue>

"#]]
        );
    }

    #[test]
    fn the_worst_case_decides_how_the_command_ends() {
        let of = |outcomes: &[Outcome]| {
            record(outcomes.iter().map(|outcome| proof(Tier::Light, Firmware::Bios, *outcome)).collect())
                .exit()
        };
        assert_eq!(of(&[Outcome::Proved]), Exit::Good);
        assert_eq!(of(&[Outcome::Proved, Outcome::Deviates]), Exit::Deviates);
        assert_eq!(of(&[Outcome::Deviates, Outcome::Failed]), Exit::Trouble);
    }
}
