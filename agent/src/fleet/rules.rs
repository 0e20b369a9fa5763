//! The rules that a fleet was held to, with how many machines ended how; and a machine's verdicts as letters, one for each rule.

use std::collections::HashMap;

use anyhow::{Result, bail};

use crate::inspect::Verdict;
use crate::report::{Report, Row};

/// The letters of the verdicts. A capital stands for an exception that is over, `w` for a rule that is excepted, `.` for one that the
/// machine was not asked.
pub const LETTERS: [(char, &str); 10] = [
    ('p', "pass"),
    ('x', "fixed"),
    ('f', "fail"),
    ('e', "error"),
    ('u', "unknown"),
    ('n', "notapplicable"),
    ('c', "notchecked"),
    ('i', "informational"),
    ('w', "excepted"),
    ('.', "not asked for"),
];

/// More rules than any content has.
const MOST: usize = 20_000;

/// A rule.
#[derive(Debug)]
pub struct Rule {
    /// Its short id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its severity, as the machine said where it was first met.
    pub severity: String,
    /// Its CIS numbers, there.
    pub cis: String,
    /// How many machines ended with each of [`LETTERS`].
    pub counts: [usize; LETTERS.len()],
}

impl Rule {
    /// How many machines ended with one of these letters.
    pub fn count(&self, letters: &str) -> usize {
        let counts = LETTERS.iter().zip(self.counts);
        counts.filter(|((letter, _), _)| letters.contains(*letter)).map(|(_, count)| count).sum()
    }
}

/// The rules, in the order they were first met.
#[derive(Debug, Default)]
pub struct Rules {
    /// The rules.
    pub all: Vec<Rule>,
    places: HashMap<String, usize>,
}

impl Rules {
    /// The letters of a machine, counted.
    ///
    /// # Errors
    /// When there are more rules than any content has.
    pub fn letters(&mut self, report: &Report) -> Result<String> {
        let told: Vec<&Row> = report.rules.iter().filter(|row| row.is_told()).collect();
        if self.all.len() + told.iter().filter(|row| !self.places.contains_key(&row.id)).count() > MOST {
            bail!("more than {MOST} different rules, which no content has");
        }
        let mut letters = vec!['.'; self.all.len()];
        for row in told {
            let place = match self.places.get(&row.id) {
                Some(place) => *place,
                None => self.add(row),
            };
            letters.resize(letters.len().max(place + 1), '.');
            if let Some(own) = letters.get_mut(place) {
                *own = letter(row);
            }
        }
        self.count(&letters, |count| *count += 1);
        Ok(letters.into_iter().collect())
    }

    /// Takes the letters of a machine out of the counts.
    pub fn forget(&mut self, letters: &str) {
        let letters: Vec<char> = letters.chars().collect();
        self.count(&letters, |count| *count = count.saturating_sub(1));
    }

    fn add(&mut self, row: &Row) -> usize {
        self.places.insert(row.id.clone(), self.all.len());
        self.all.push(Rule {
            id: row.id.clone(),
            title: row.title.clone(),
            severity: row.severity.clone(),
            cis: row.references.cis.join(", "),
            counts: [0; LETTERS.len()],
        });
        self.all.len() - 1
    }

    fn count(&mut self, letters: &[char], change: impl Fn(&mut usize)) {
        for (rule, letter) in self.all.iter_mut().zip(letters) {
            let place = LETTERS.iter().position(|(known, _)| *known == letter.to_ascii_lowercase());
            if let Some(count) = place.and_then(|place| rule.counts.get_mut(place)) {
                change(count);
            }
        }
    }

    /// Their places, those first that the most machines do not meet, of them the gravest.
    pub fn worst_first(&self) -> Vec<(usize, &Rule)> {
        let mut rules: Vec<(usize, &Rule)> = self.all.iter().enumerate().collect();
        rules.sort_by_key(|(_, rule)| {
            let rank = crate::report::severity_rank(&rule.severity);
            (std::cmp::Reverse(rule.count("feu")), rank, rule.id.clone())
        });
        rules
    }
}

fn letter(row: &Row) -> char {
    let letter = match row.result {
        Verdict::Pass => 'p',
        Verdict::Fixed => 'x',
        Verdict::Fail => 'f',
        Verdict::Error => 'e',
        Verdict::Unknown => 'u',
        Verdict::NotApplicable => 'n',
        Verdict::NotChecked => 'c',
        Verdict::Informational => 'i',
        Verdict::NotSelected => 'w',
    };
    if row.is_overdue() { letter.to_ascii_uppercase() } else { letter }
}
