//! Taking one change out of a text that was changed further since.
//!
//! Unlike a three-way merge for people, lines added right beside those of the change are no conflict: rules that share a drop-in
//! write their lines one below the other. What they share stays with those that are left: the head of the file, and the section
//! that their lines are in.

use similar::{Algorithm, DiffOp, capture_diff_slices};

use crate::setting::OWNED_HEADER;

/// The text `now` without the change from `before` to `after`; `None` when the lines of that change are no longer as it left
/// them.
pub fn take_out(before: &str, after: &str, now: &str) -> Option<String> {
    let (before, after, now) = (lines(before), lines(after), lines(now));
    let places = places(&after, &now);
    let mut result: Vec<&str> = Vec::new();
    let mut at = 0;
    for op in capture_diff_slices(Algorithm::Myers, &before, &after) {
        if matches!(op, DiffOp::Equal { .. }) {
            continue;
        }
        let start = match op.new_range().start {
            // An insertion point with nothing of its own: right behind the line before it, or before the first.
            index if op.new_range().is_empty() => match index.checked_sub(1) {
                Some(previous) => places.get(previous).copied().flatten()? + 1,
                None => places.first().copied().flatten().unwrap_or(0),
            },
            index => places.get(index).copied().flatten()?,
        };
        let mine = op.new_range();
        let length = mine.len();
        let together =
            mine.enumerate().all(|(offset, index)| places.get(index) == Some(&Some(start + offset)));
        if !together || start < at {
            return None;
        }
        result.extend(now.get(at..start)?);
        let removed = now.get(start..start + length)?;
        at = start + length;
        let old = before.get(op.old_range())?;
        if old.is_empty() && !places.contains(&Some(at)) && now.get(at).is_some_and(|next| !is_section(next))
        {
            result.extend(removed.iter().rev().find(|line| is_section(line)));
        }
        if !(length == 0 && is_back(old, &after, &now, start)) {
            result.extend(old);
        }
    }
    result.extend(now.get(at..)?);
    Some(result.concat())
}

/// The text before a change to a file that was not there: the head that is put into every file of ours, or nothing.
pub fn head(after: &str) -> &'static str {
    if after.starts_with(OWNED_HEADER) { OWNED_HEADER } else { "" }
}

/// Whether nothing is left of a file but what its lines share.
pub fn is_bare(text: &str) -> bool {
    let lines = text.strip_prefix(OWNED_HEADER).unwrap_or(text).lines();
    lines.into_iter().all(|line| line.trim().is_empty() || is_section(line))
}

/// Whether a line begins a section, as `[Journal]` does.
fn is_section(line: &str) -> bool {
    let line = line.trim();
    line.starts_with('[') && line.ends_with(']')
}

/// Whether lines that were taken away are there again, by hand or by an earlier taking back.
fn is_back(old: &[&str], after: &[&str], now: &[&str], start: usize) -> bool {
    let count = |text: &[&str], line: &str| text.iter().filter(|other| **other == line).count();
    now.get(start..start + old.len()) == Some(old)
        && old.iter().all(|line| count(now, line) >= count(after, line) + count(old, line))
}

/// The lines, each with its end.
fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

/// Where each line of `from` is in `to`; `None` for lines that are no longer there.
fn places(from: &[&str], to: &[&str]) -> Vec<Option<usize>> {
    let mut places = vec![None; from.len()];
    for op in capture_diff_slices(Algorithm::Myers, from, to) {
        if let DiffOp::Equal { old_index, new_index, len } = op {
            for offset in 0..len {
                if let Some(place) = places.get_mut(old_index + offset) {
                    *place = Some(new_index + offset);
                }
            }
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_the_lines_of_the_change_go() {
        for (before, after, now, wanted) in [
            ("a\n", "a\nb\n", "a\nb\nc\n", Some("a\nc\n")),
            ("a\n", "a\nb\n", "z\na\nb\n", Some("z\na\n")),
            ("x=1\n", "x=0\n", "# mine\nx=0\ny=2\n", Some("# mine\nx=1\ny=2\n")),
            ("a\nb\nc\n", "a\nc\n", "a\nc\nd\n", Some("a\nb\nc\nd\n")),
            ("a\nb\n", "b\n", "b\nc\n", Some("a\nb\nc\n")),
            ("", "h\na\n", "h\na\nb\n", Some("b\n")),
            ("a\n", "a\nb\n", "a\nB\n", None),
            ("x=1\n", "x=0\n", "x=2\n", None),
            ("a\nb\n", "a\n", "a\nb\nc\n", Some("a\nb\nc\n")),
            ("a\nb\n", "a\n", "a\nc\n", Some("a\nb\nc\n")),
            ("b\nb\n", "b\n", "b\nc\n", Some("b\nb\nc\n")),
            ("h\n", "h\n[s]\na\n", "h\n[s]\na\nb\n", Some("h\n[s]\nb\n")),
            ("h\n", "h\n[s]\na\n", "h\n[s]\na\n[t]\nb\n", Some("h\n[t]\nb\n")),
            ("[s]\na\n", "[s]\na\nb\n", "[s]\nb\n", Some("[s]\n")),
            ("z\n", "[s]\na\nz\n", "[s]\na\nz\n", Some("z\n")),
        ] {
            assert_eq!(take_out(before, after, now).as_deref(), wanted, "{before:?} {after:?} {now:?}");
        }
    }

    proptest! {
        #[test]
        fn without_later_changes_the_former_text_comes_back(before in "([abc]\n){0,6}", after in "([abc]\n){0,6}") {
            prop_assert_eq!(take_out(&before, &after, &after), Some(before));
        }

        #[test]
        fn lines_added_around_stay(before in "([abc]\n){1,6}", after in "([abc]\n){1,6}") {
            let now = format!("first\n{after}last\n");
            prop_assert_eq!(take_out(&before, &after, &now), Some(format!("first\n{before}last\n")));
        }
    }
}
