//! The door stays open: who got in, or became root, before a run changed anything about access still does afterwards.
//!
//! Before the first change of that kind the [`Door`] is looked at, and after each pass again. Where access is lost, rules are taken
//! back one by one, those first that have to do with what is lost, the newest of them first, until it is there again. The one that
//! brought it back is given up, and says why; those taken back before it are innocent, and the next pass does them again. So one
//! that is innocent ends as if it had never been suspected, and several guilty ones are found one after the other.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Result, bail};

use super::effect::SSHD as SSHD_UNITS;
use super::worker::Worker;
use super::{Control, check_stop};
use crate::change::{Change, Effect};
use crate::door::{Aspect, Comparison, Door, Lost};
use crate::inspect::{Outcome, Verdict, inspect_these};
use crate::plan::Step;
use crate::policy::{Policy, PolicyRule};
use crate::system::System;

/// Whose access is watched over.
#[derive(Debug, Clone, Copy)]
pub enum Watch<'a> {
    /// Nobody's: the machine does not run, or cannot be asked.
    Off,
    /// That of the accounts named, or of those that get in and become root.
    Accounts(Option<&'a [String]>),
}

/// Said while it is looked at the door.
const LOOKING: &str = "looking at who gets in";

/// What has to do with getting in by ssh.
const SSH: [&str; 3] = ["/etc/ssh", "/root", "/home"];
/// What has to do with passwords, accounts and PAM.
const PAM: [&str; 15] = [
    "/etc/pam.d",
    "/etc/authselect",
    "/var/lib/authselect",
    "/etc/security",
    "/usr/share/pam-configs",
    "/var/lib/pam",
    "/etc/passwd",
    "/etc/shadow",
    "/etc/group",
    "/etc/gshadow",
    "/etc/login.defs",
    "/etc/nsswitch.conf",
    "/etc/sssd",
    "/etc/shells",
    "/etc/default/useradd",
];
/// What has to do with sudo.
const SUDO: [&str; 2] = ["/etc/sudoers", "/etc/sudoers.d"];
/// The beginnings of packages that people come through.
const PACKAGES: [&str; 4] = ["openssh", "sudo", "libpam", "pam"];

/// Watches over access during a run.
pub struct Guard<'a> {
    policy: &'a Policy,
    control: &'a Control<'a>,
    door: Option<Door>,
    /// Ways that are closed where another stays open, as last seen.
    pub notes: Vec<String>,
    /// Why somebody who must keep access cannot be watched over.
    pub problems: Vec<String>,
}

impl<'a> Guard<'a> {
    /// One that has not looked yet.
    pub fn new(policy: &'a Policy, control: &'a Control<'a>) -> Guard<'a> {
        Guard { policy, control, door: None, notes: Vec::new(), problems: Vec::new() }
    }

    /// Inspects the machine. Where a rule about access fails, so that something about it will be changed, and nobody is asked first,
    /// the door is looked at meanwhile: both take their time.
    pub fn inspect(&mut self, system: &System) -> Vec<Outcome> {
        let (access, others): (Vec<_>, Vec<_>) = self.policy.rules.iter().partition(|rule| rule.access);
        let access = inspect_these(&access, system, &|_| ());
        let keep = match self.control.watch {
            Watch::Accounts(keep) if self.control.confirm.is_none() => Some(keep),
            _ => None,
        };
        let keep = keep.filter(|_| access.iter().any(|outcome| outcome.verdict == Verdict::Fail));
        let others = std::thread::scope(|scope| {
            let looking = keep.map(|keep| {
                (self.control.progress)(LOOKING);
                scope.spawn(move || Door::look(system, keep))
            });
            let others = inspect_these(&others, system, &|_| ());
            // Where it could not be seen, it is looked at again before the first change, which then says why.
            self.door = looking.and_then(|looking| looking.join().ok()?.ok());
            others
        });
        self.problems.extend(self.door.iter().flat_map(|door| &door.problems).cloned());
        let (mut access, mut others) = (access.into_iter(), others.into_iter());
        let of = |rule: &PolicyRule| if rule.access { access.next() } else { others.next() };
        self.policy.rules.iter().filter_map(of).collect()
    }

    /// Looks at the door, when the steps are the first that change something about access. What cannot be watched over, or would
    /// shut somebody out by itself, is not done: its rules are given up, and their steps left out.
    pub fn before(&mut self, system: &System, steps: &mut Vec<Step>, worker: &mut Worker) {
        let Watch::Accounts(keep) = self.control.watch else { return };
        if self.door.is_none() && steps.iter().any(|step| self.concerns(step)) {
            (self.control.progress)(LOOKING);
            match Door::look(system, keep) {
                Ok(door) => {
                    self.problems.extend(door.problems.iter().cloned());
                    self.door = Some(door);
                }
                Err(error) => {
                    let reason = format!(
                        "who gets in now cannot be told, so nothing about that was changed: {error:#}"
                    );
                    give_up(steps, worker, &reason, |step| self.concerns(step));
                }
            }
        }
        if let Some(reason) = self.door.as_ref().and_then(|door| door.unread.as_ref()) {
            give_up(steps, worker, reason, tells_sshd);
        }
    }

    /// Looks again after a pass that made `steps`, and does something else meanwhile, as both take their time. Nothing is seen where
    /// the steps were none about access.
    ///
    /// # Errors
    /// When who gets in cannot be told.
    pub fn look_again<T>(
        &self,
        system: &System,
        steps: &[Step],
        meanwhile: impl FnOnce() -> T,
    ) -> Result<(Option<Comparison>, T)> {
        let door = self.door.as_ref().filter(|_| steps.iter().any(|step| self.concerns(step)));
        let Some(door) = door else { return Ok((None, meanwhile())) };
        (self.control.progress)("looking whether everybody still gets in");
        std::thread::scope(|scope| {
            let looking = scope.spawn(|| door.compare(system, None));
            let done = meanwhile();
            let Ok(seen) = looking.join() else {
                bail!("looking whether everybody still gets in ended early")
            };
            Ok((Some(seen?), done))
        })
    }

    /// Takes back what closed the door, as it was `seen` after a pass. Returns whether innocent rules were taken back on the way,
    /// which another pass must do again, and what running programs could not be told; nothing where nobody is shut out.
    ///
    /// # Errors
    /// When the door cannot be opened again: the whole run must be taken back.
    pub fn open(
        &mut self,
        seen: Option<Comparison>,
        system: &mut System,
        worker: &mut Worker,
    ) -> Result<Option<(bool, Vec<String>)>> {
        let (Some(door), Some(Comparison { lost, notes })) = (&self.door, seen) else { return Ok(None) };
        if lost.is_empty() {
            self.notes = notes;
            return Ok(None);
        }
        let (again, untold) = self.narrow(door, lost, system, worker)?;
        // Where another pass follows, it looks again.
        if !again {
            self.notes = door.compare(system, None)?.notes;
        }
        Ok(Some((again, untold)))
    }

    fn narrow(
        &self,
        door: &Door,
        mut lost: Vec<Lost>,
        system: &mut System,
        worker: &mut Worker,
    ) -> Result<(bool, Vec<String>)> {
        let (mut innocent, mut problems) = (false, Vec::new());
        for rule in self.suspects(worker, &lost) {
            let Some(first) = lost.first() else { break };
            check_stop(self.control.stop)?;
            (self.control.progress)(&format!("{}: taking {rule} back", first.sentence));
            problems.extend(worker.withdraw(system, &rule)?);
            let only: BTreeSet<String> = lost.iter().map(|lost| lost.account.clone()).collect();
            let still = door.compare(system, Some(&only))?.lost;
            if still.len() < lost.len() {
                let back = |lost: &&Lost| !still.iter().any(|other| other.same(lost));
                let told = lost.iter().filter(back).map(|lost| lost.sentence.clone()).collect::<Vec<_>>();
                worker.failed.insert(rule, format!("would lock out: {}; taken back", told.join("; ")));
            } else {
                innocent = true;
            }
            lost = still;
        }
        if let Some(lost) = lost.first() {
            bail!("{}, and that comes from none of the rules about access", lost.sentence);
        }
        Ok((innocent, problems))
    }

    /// Whether a step changes something about access.
    fn concerns(&self, step: &Step) -> bool {
        let of_access = self.policy.rules.iter().any(|rule| rule.id == step.rule && rule.access);
        let touches = |paths: &[&str]| step.change.path().is_some_and(|path| below(path, paths));
        of_access || touches(&SSH) || touches(&PAM) || touches(&SUDO) || brings_a_way_in(&step.change)
    }

    /// The rules that may have closed the door, the likeliest first.
    fn suspects(&self, worker: &Worker, lost: &[Lost]) -> Vec<String> {
        let mut suspects: Vec<(usize, String)> = Vec::new();
        for step in worker.made.iter().rev().filter(|step| self.concerns(step)) {
            let nearness = lost.iter().map(|lost| nearness(step, lost.aspect)).min().unwrap_or_default();
            match suspects.iter_mut().find(|(_, rule)| *rule == step.rule) {
                Some((nearest, _)) => *nearest = nearness.min(*nearest),
                None => suspects.push((nearness, step.rule.clone())),
            }
        }
        // Stable: of those equally near, the newest first.
        suspects.sort_by_key(|(nearness, _)| *nearness);
        suspects.into_iter().map(|(_, rule)| rule).collect()
    }
}

/// Gives the rules of some steps up, and leaves all their steps out.
fn give_up(steps: &mut Vec<Step>, worker: &mut Worker, reason: &str, which: impl Fn(&Step) -> bool) {
    let rules: Vec<String> = steps.iter().filter(|step| which(step)).map(|step| step.rule.clone()).collect();
    worker.failed.extend(rules.into_iter().map(|rule| (rule, reason.to_owned())));
    steps.retain(|step| !worker.failed.contains_key(&step.rule));
}

/// Whether the ssh daemon reads its configuration after this step.
fn tells_sshd(step: &Step) -> bool {
    let told = |effect: &Effect| match effect {
        Effect::ReloadUnit { unit } | Effect::RestartUnit { unit } => SSHD_UNITS.contains(&unit.as_str()),
        _ => false,
    };
    step.effects.iter().any(told) || step.change.path().is_some_and(|path| path.starts_with("/etc/ssh"))
}

/// How near a change is to what closed a way: 0 is at it. To take packages back is slow, so they come last.
fn nearness(step: &Step, aspect: Aspect) -> usize {
    let own: &[&str] = match aspect {
        Aspect::Ssh => &SSH,
        Aspect::Pam => &PAM,
        Aspect::Sudo => &SUDO,
    };
    match (&step.change, step.change.path()) {
        (Change::Packages { .. }, _) => 3,
        (_, Some(path)) if below(path, own) => 0,
        (_, Some(path)) if below(path, &SSH) || below(path, &PAM) || below(path, &SUDO) => 1,
        _ => 2,
    }
}

fn below(path: &Path, paths: &[&str]) -> bool {
    paths.iter().any(|dir| path.starts_with(dir))
}

fn brings_a_way_in(change: &Change) -> bool {
    let Change::Packages { install, remove } = change else { return false };
    install.iter().chain(remove).any(|name| PACKAGES.iter().any(|start| name.starts_with(start)))
}

#[cfg(test)]
mod tests;
