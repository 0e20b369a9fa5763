//! Changes to systemd units.
//!
//! What holds at boot is a matter of links below `/etc/systemd/system` (`systemctl(1)`, enable and mask), which are made here
//! rather than by `systemctl`: so it works on any root, each link can be taken back, and the manager reads its unit files again
//! once for all units instead of once for each. Starting and stopping is the manager's.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use super::file;
use super::journal::Blobs;
use super::restore::Taken;
use super::undo::{self, Was};
use crate::change::{Change, UnitGoal};
use crate::system::{System, Tool, UnitFileState};

const ETC: &str = "/etc/systemd/system";

/// What a unit was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Before {
    /// Its full name.
    pub unit: String,
    /// Whether it ran; `None` where no manager could be asked.
    pub active: Option<bool>,
    /// The links that the change makes or removes, and what they were.
    pub links: Vec<(PathBuf, Was)>,
    /// Directories that were not there, the outermost first.
    pub directories: Vec<PathBuf>,
}

/// A link as it shall be: with a target, or gone.
type Link = (PathBuf, Option<PathBuf>);

/// Saves what a change to a unit is about to overwrite.
///
/// # Errors
/// When unit files cannot be read.
pub fn before(system: &System, unit: &str, goal: UnitGoal, blobs: &Blobs) -> Result<Before> {
    let mut before = Before {
        unit: unit.to_owned(),
        active: system.units()?.state(unit).active,
        links: vec![],
        directories: vec![],
    };
    for (path, target) in links(system, unit, goal)? {
        before.links.push((path.clone(), undo::save(system, &path, blobs)?));
        let parent = path.parent().unwrap_or(Path::new(ETC));
        if target.is_some() && !system.exists(parent)? && !before.directories.iter().any(|dir| dir == parent)
        {
            before.directories.push(parent.to_path_buf());
        }
    }
    Ok(before)
}

/// Makes a unit what it shall be.
///
/// # Errors
/// When a link cannot be made, or the manager refuses.
pub fn perform(system: &System, unit: &str, goal: UnitGoal) -> Result<()> {
    let was = system.units()?.state(unit).file;
    if goal != UnitGoal::Enabled {
        now(system, "stop", unit)?;
    }
    for (path, target) in links(system, unit, goal)? {
        match target {
            None => file::remove(system, &path)?,
            Some(target) => {
                file::make_directories(system, path.parent().unwrap_or(Path::new(ETC)), 0o755)?;
                file::link(system, &path, &target)?;
            }
        }
    }
    if goal == UnitGoal::Enabled {
        if was == UnitFileState::Masked {
            reload(system)?;
        }
        now(system, "start", unit)?;
    }
    Ok(())
}

/// Makes a unit what it was, but for links and a running state that are no longer as `change` left them. `left` is how it left
/// the links, when it came to its end.
///
/// # Errors
/// When a link cannot be made, or the manager refuses.
pub fn bring_back(
    system: &System,
    before: &Before,
    change: &Change,
    left: Option<&[(PathBuf, Was)]>,
    blobs: &Blobs,
) -> Result<Taken> {
    let mut taken = Taken::Back;
    for (path, was) in &before.links {
        let now = undo::save_lazily(system, path, blobs)?;
        let ours = left.and_then(|left| left.iter().find(|(other, _)| other == path)).map(|(_, left)| left);
        if now == *was || ours.is_none_or(|left| now == *left) {
            undo::restore(system, path, was, blobs)?;
        } else {
            taken = Taken::Kept(format!("{} was changed since", path.display()));
        }
    }
    before.directories.iter().rev().try_for_each(|dir| file::remove_directory(system, dir))?;
    let now = system.units()?.state(&before.unit);
    let running = matches!(change, Change::Unit { goal: UnitGoal::Enabled, .. });
    if left.is_some() && now.active.is_some_and(|active| active != running) {
        return Ok(taken);
    }
    match before.active {
        Some(true) if now.file == UnitFileState::Masked => {
            taken =
                Taken::Kept(format!("{} was masked while it ran: nothing can start it again", before.unit));
        }
        Some(true) => {
            // Only a mask keeps the manager from starting it.
            if before.links.iter().any(|(path, _)| *path == Path::new(ETC).join(&before.unit)) {
                reload(system)?;
            }
            self::now(system, "start", &before.unit)?;
        }
        // Gone with the package that brought it: nothing left to stop.
        Some(false) if now.file != UnitFileState::Absent => self::now(system, "stop", &before.unit)?,
        _ => {}
    }
    Ok(taken)
}

/// The links that make a unit what it shall be; those that are so already are left out.
fn links(system: &System, unit: &str, goal: UnitGoal) -> Result<Vec<Link>> {
    let mask = PathBuf::from(ETC).join(unit);
    let masked = system.read_link(&mask)?.is_some_and(|target| target.as_os_str() == "/dev/null");
    let mut links: Vec<Link> = Vec::new();
    match goal {
        UnitGoal::Enabled => {
            if masked {
                links.push((mask, None));
            }
            install_links(system, unit, &mut links)?;
        }
        UnitGoal::Disabled => links.extend(enabling_links(system, unit)?),
        UnitGoal::Masked => {
            links.extend(enabling_links(system, unit)?);
            if !masked {
                if system.exists(&mask)? && system.read_link(&mask)?.is_none() {
                    bail!(
                        "{} is a file of this machine's own: it cannot be masked without losing it",
                        mask.display()
                    );
                }
                links.retain(|(path, _)| *path != mask);
                links.push((mask, Some(PathBuf::from("/dev/null"))));
            }
        }
    }
    Ok(links)
}

/// The links by which a unit is enabled now: in `.wants` and `.requires` directories, and its aliases.
fn enabling_links(system: &System, unit: &str) -> Result<Vec<Link>> {
    let mut links = Vec::new();
    for name in system.list(ETC)? {
        let path = PathBuf::from(ETC).join(&name);
        if name.ends_with(".wants") || name.ends_with(".requires") {
            let inside = path.join(unit);
            if system.read_link(&inside)?.is_some() {
                links.push((inside, None));
            }
        } else if system
            .read_link(&path)?
            .is_some_and(|target| target.file_name().is_some_and(|file| file == unit))
        {
            links.push((path, None));
        }
    }
    Ok(links)
}

/// The links that the `[Install]` section of a unit asks for (`systemd.unit(5)`).
fn install_links(system: &System, unit: &str, links: &mut Vec<Link>) -> Result<()> {
    let Some(path) = system.unit_file(unit)? else { bail!("there is no unit {unit}") };
    let text = system.read_text(&path)?.unwrap_or_default();
    let mut add = |link: PathBuf| -> Result<()> {
        if system.read_link(&link)?.is_none() && !links.iter().any(|(other, _)| *other == link) {
            links.push((link, Some(path.clone())));
        }
        Ok(())
    };
    let mut also = Vec::new();
    for (key, value) in install_section(&text) {
        for word in value.split_whitespace() {
            match key {
                "WantedBy" => add(PathBuf::from(ETC).join(format!("{word}.wants")).join(unit))?,
                "RequiredBy" => add(PathBuf::from(ETC).join(format!("{word}.requires")).join(unit))?,
                "Alias" if word != unit => add(PathBuf::from(ETC).join(word))?,
                "Also" if word != unit => also.push(word),
                _ => {}
            }
        }
    }
    // Units that are enabled together; one that names the first again is not followed in circles.
    for other in also {
        if system.unit_file(other)?.is_some() && !links.iter().any(|(path, _)| path.ends_with(other)) {
            install_links(system, other, links)?;
        }
    }
    Ok(())
}

fn install_section(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut inside = false;
    text.lines().map(str::trim).filter_map(move |line| {
        if line.starts_with('[') {
            inside = line == "[Install]";
        }
        line.split_once('=').filter(|_| inside).map(|(key, value)| (key.trim(), value.trim()))
    })
}

/// Starts or stops a unit, where a manager runs.
fn now(system: &System, verb: &str, unit: &str) -> Result<()> {
    if !system.is_booted() {
        return Ok(());
    }
    let output = system.run(Tool::Systemctl, &["--quiet", verb, unit])?;
    // A unit that is not loaded does not run, which is what stopping it is for.
    if verb == "stop" && output.code == Some(5) {
        return Ok(());
    }
    output.success().with_context(|| format!("to {verb} {unit}")).map(drop)
}

fn reload(system: &System) -> Result<()> {
    if !system.is_booted() {
        return Ok(());
    }
    system.run(Tool::Systemctl, &["daemon-reload"])?.success().map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apply::journal::Journal;
    use crate::setting::testing::Tree;

    const UNIT: &str = "[Service]\nExecStart=/bin/x\n[Install]\nWantedBy=multi-user.target\nAlias=other.service\nAlso=x.socket\n";

    fn tree() -> Tree {
        Tree::new()
            .file("/usr/lib/systemd/system/x.service", UNIT)
            .file(
                "/usr/lib/systemd/system/x.socket",
                "[Socket]\n[Install]\nWantedBy=sockets.target\nAlso=x.service\n",
            )
            .dir(ETC, 0o755)
    }

    /// Performs a goal, hands the tree over, and takes it back.
    fn there_and_back(tree: &Tree, goal: UnitGoal, look: impl Fn(&Tree)) {
        let state = tempfile::tempdir().unwrap();
        let blobs = Journal::begin(state.path(), "run").unwrap().blobs;
        let was = tree.snapshot();
        let saved = before(&tree.system(), "x.service", goal, &blobs).unwrap();
        perform(&tree.system(), "x.service", goal).unwrap();
        look(tree);
        let change = Change::Unit { unit: "x.service".into(), goal };
        assert_eq!(bring_back(&tree.system(), &saved, &change, None, &blobs).unwrap(), Taken::Back);
        assert_eq!(tree.snapshot(), was);
    }

    fn file_state(tree: &Tree) -> UnitFileState {
        tree.system().units().unwrap().state("x.service").file
    }

    #[test]
    fn enabling_makes_every_link_that_install_asks_for() {
        there_and_back(&tree(), UnitGoal::Enabled, |tree| {
            assert_eq!(file_state(tree), UnitFileState::Enabled);
            for link in
                ["multi-user.target.wants/x.service", "other.service", "sockets.target.wants/x.socket"]
            {
                assert!(tree.has(&format!("{ETC}/{link}")), "{link}");
            }
        });
    }

    #[test]
    fn disabling_and_masking_take_the_links_away_and_back() {
        let enabled = || {
            tree()
                .link(
                    &format!("{ETC}/multi-user.target.wants/x.service"),
                    "/usr/lib/systemd/system/x.service",
                )
                .link(&format!("{ETC}/other.service"), "/usr/lib/systemd/system/x.service")
        };
        there_and_back(&enabled(), UnitGoal::Disabled, |tree| {
            assert_eq!(file_state(tree), UnitFileState::Disabled)
        });
        there_and_back(&enabled(), UnitGoal::Masked, |tree| {
            assert_eq!(file_state(tree), UnitFileState::Masked)
        });
    }

    #[test]
    fn what_was_masked_while_it_ran_cannot_be_started_again() {
        let tree = tree().link(&format!("{ETC}/x.service"), "/dev/null").booted(&["x.service"]);
        let state = tempfile::tempdir().unwrap();
        let blobs = Journal::begin(state.path(), "run").unwrap().blobs;
        let saved = before(&tree.system(), "x.service", UnitGoal::Masked, &blobs).unwrap();
        perform(&tree.system(), "x.service", UnitGoal::Masked).unwrap();
        assert_eq!(tree.system().units().unwrap().state("x.service").active, Some(false));
        let change = Change::Unit { unit: "x.service".into(), goal: UnitGoal::Masked };
        let taken = bring_back(&tree.system(), &saved, &change, Some(&[]), &blobs).unwrap();
        assert!(matches!(taken, Taken::Kept(_)));
    }

    #[test]
    fn enabling_unmasks() {
        let tree = tree().link(&format!("{ETC}/x.service"), "/dev/null");
        there_and_back(&tree, UnitGoal::Enabled, |tree| assert_eq!(file_state(tree), UnitFileState::Enabled));
    }

    #[test]
    fn a_unit_of_the_administrators_own_is_not_masked() {
        let tree = tree().file(&format!("{ETC}/x.service"), UNIT);
        let error = perform(&tree.system(), "x.service", UnitGoal::Masked).unwrap_err().to_string();
        assert!(error.contains("cannot be masked"), "{error}");
    }
}
