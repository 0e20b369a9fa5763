//! How long runs are kept: for as long as something of them can be taken back. Of those of which everything was, the newest stay
//! for `agent history`.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::journal::{Journal, State, runs};

/// How many runs are kept that nothing can be taken back of any more.
const KEPT: usize = 50;

/// Forgets the oldest of the runs that are no longer needed. The state directory must be locked.
///
/// # Errors
/// When one cannot be removed; it is tried again the next time.
pub fn forget_old(state: &Path) -> Result<()> {
    let old: Vec<_> = runs(state)?.into_iter().filter(|dir| is_over(dir)).collect();
    // Put aside first, whole: half a run must never be taken for one.
    let aside = state.join("forgotten");
    remove(&aside)?;
    for dir in old.iter().take(old.len().saturating_sub(KEPT)) {
        fs::rename(dir, &aside).with_context(|| format!("removing {}", dir.display()))?;
        remove(&aside)?;
    }
    Ok(())
}

/// Whether a run came to its end and nothing of it stays.
fn is_over(dir: &Path) -> bool {
    matches!(Journal::read(dir), Ok((entries, State::Closed)) if entries.iter().all(|entry| entry.undone))
}

fn remove(dir: &Path) -> Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("removing {}", dir.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apply::journal::Record;
    use crate::apply::undo::Undo;
    use crate::change::Change;

    /// A run with one change, and the records that follow it.
    fn run(state: &Path, id: &str, after: &[Record]) {
        let mut journal = Journal::begin(state, id).unwrap();
        let (rule, change) = ("r".to_owned(), Change::write("/etc/x", ""));
        journal
            .record(&Record::Intent { number: 1, rule, change, undo: Undo::Nothing, effects: vec![] })
            .unwrap();
        after.iter().for_each(|record| journal.record(record).unwrap());
    }

    #[test]
    fn what_can_be_needed_is_kept_and_of_the_rest_the_newest() {
        let state = tempfile::tempdir().unwrap();
        let state = state.path();
        run(state, "000-cut", &[]);
        run(
            state,
            "000-half",
            &[Record::Closed, Record::TakingBack { rules: vec![] }, Record::Undone { number: 1 }],
        );
        run(state, "000-stays", &[Record::Closed]);
        for number in 1..=KEPT + 2 {
            run(state, &format!("{number:03}"), &[Record::Undone { number: 1 }, Record::Closed]);
        }
        fs::create_dir_all(state.join("forgotten/blobs")).unwrap();
        forget_old(state).unwrap();
        let left = runs(state).unwrap();
        let left: Vec<&str> = left.iter().filter_map(|dir| dir.file_name()?.to_str()).collect();
        assert_eq!(left.len(), KEPT + 3);
        assert_eq!(left[..4], ["000-cut", "000-half", "000-stays", "003"]);
        assert!(!state.join("forgotten").exists());
    }
}
