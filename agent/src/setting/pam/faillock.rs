//! `pam_faillock`: accounts are locked for a while after too many wrong passwords.
//!
//! It needs three places (`pam_faillock(8)`): before the password is asked for, to refuse a locked account; behind the
//! modules that ask, to count a failure; and in the account stack, to forget failures once somebody got in. In Debian's
//! stacks a module that lets in jumps over the counting line, so the line that would forget there (`authsucc`) is never
//! reached and only tells checkers what they look for. Red Hat's stacks let in with `sufficient`, and authselect brings the three
//! places with a feature.

use std::path::Path;

use anyhow::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::authselect::{self, Selection};
use super::debian::Common;
use super::line::Line;
use super::stack::{self, Step};
use crate::finding::Finding;
use crate::setting::Setting;
use crate::system::System;

const MODULE: &str = "pam_faillock.so";
/// authselect's feature.
const FEATURE: &str = "with-faillock";
const FIRST: &str = "trempe-faillock-first";
const LAST: &str = "trempe-faillock-last";

/// The places of `pam_faillock`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Faillock {
    /// The service whose auth stack asks for passwords.
    pub auth: String,
    /// The service whose account stack ends a login.
    pub account: String,
}

impl Setting for Faillock {
    fn examine(&self, system: &System) -> Result<Finding> {
        let mut finding = Finding::new();
        let auth = stack::read(system, &self.auth, "auth")?.unwrap_or_default();
        let account = stack::read(system, &self.account, "account")?.unwrap_or_default();
        self.judge(&auth, &account, &mut finding);
        if finding.is_compliant() {
            return Ok(finding);
        }
        if authselect::stack_of(system, &stack::path(&self.auth))?.is_some() {
            self.select(system, &mut finding)?;
            return Ok(finding);
        }
        match Common::read(system)? {
            Err(reason) => drop(finding.manual(format!("{reason}; add the lines by hand"))),
            Ok(mut common) => {
                common.enable(FIRST);
                common.enable(LAST);
                let then = |service: &str, facility: &'static str| {
                    stack::of_text(system, &stack::path(service), &common.file(facility), facility)
                };
                let mut after = Finding::new();
                self.judge(&then(&self.auth, "auth")?, &then(&self.account, "account")?, &mut after);
                match after.is_compliant() {
                    true => finding.changes = common.changes(system)?,
                    false => drop(
                        finding.manual(format!("lines of {MODULE} are there in other places; remove them")),
                    ),
                }
            }
        }
        Ok(finding)
    }

    fn describe(&self) -> String {
        format!("{MODULE} refuses, counts and forgets in the stacks of {} and {}", self.auth, self.account)
    }
}

impl Faillock {
    fn select(&self, system: &System, finding: &mut Finding) -> Result<()> {
        let mut selection = match Selection::read(system)? {
            Ok(selection) => selection,
            Err(reason) => {
                finding.manual(reason);
                return Ok(());
            }
        };
        selection.enable(FEATURE);
        let then = |service: &str, facility| {
            stack::of_text(system, &stack::path(service), &selection.file(service), facility)
        };
        let mut after = Finding::new();
        self.judge(&then(&self.auth, "auth")?, &then(&self.account, "account")?, &mut after);
        match after.is_compliant() {
            true => finding.changes = selection.changes(system)?,
            false => drop(
                finding.manual(format!("the profile of authselect lacks lines of {MODULE} for {FEATURE}")),
            ),
        }
        Ok(())
    }

    fn judge(&self, auth: &[Step], account: &[Step], finding: &mut Finding) {
        let lines = stack::lines(auth);
        let auth_file = stack::path(&self.auth).display().to_string();
        let asks = |(_, line): &(&Path, &Line)| line.module_name() == "pam_unix.so";
        let asking = lines.iter().position(asks);
        let once = lines.iter().filter(|line| asks(line)).count() == 1;
        let found = if once { "one line" } else { "none or several lines" };
        finding.persistent(once, found, "one line of pam_unix.so", &auth_file);
        let before = |index: usize| asking.is_some_and(|asking| index < asking);
        let behind = |index: usize| asking.is_some_and(|asking| index > asking);
        let refuses = |index: usize, line: &Line| {
            before(index)
                && has(line, "preauth")
                && ["required", "requisite"].contains(&line.control.as_str())
        };
        let counts = |index: usize, line: &Line| {
            // Behind a `sufficient` that let in nothing is reached; behind a jump over it the line would deny.
            let sufficient = asking
                .and_then(|asking| lines.get(asking))
                .is_some_and(|(_, line)| line.control == "sufficient");
            let counts = line.control.replace(' ', "") == "[default=die]"
                || (sufficient && line.control == "required");
            behind(index) && has(line, "authfail") && counts
        };
        let wanted = format!("auth required {MODULE} preauth, before pam_unix.so");
        record(&lines, &refuses, &wanted, &auth_file, finding);
        let wanted = format!("auth [default=die] {MODULE} authfail, behind pam_unix.so");
        record(&lines, &counts, &wanted, &auth_file, finding);
        let account_file = stack::path(&self.account).display().to_string();
        let forgets = |_: usize, line: &Line| line.control == "required";
        let wanted = format!("account required {MODULE}");
        record(&stack::lines(account), &forgets, &wanted, &account_file, finding);
    }
}

fn has(line: &Line, word: &str) -> bool {
    line.arguments.iter().any(|argument| argument.text == word)
}

fn record(
    lines: &[(&Path, &Line)],
    fits: &dyn Fn(usize, &Line) -> bool,
    wanted: &str,
    file: &str,
    finding: &mut Finding,
) {
    let fits =
        |(index, (_, line)): &(usize, &(&Path, &Line))| line.module_name() == MODULE && fits(*index, line);
    match lines.iter().enumerate().find(fits) {
        Some((_, (path, line))) => {
            let place = format!("{}:{}", path.display(), line.number);
            finding.persistent(true, line.sentence(), wanted, place);
        }
        None => drop(finding.persistent(false, "no such line", wanted, file)),
    }
}
