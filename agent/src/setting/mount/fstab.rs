//! The option field of `fstab(5)`: read and changed without touching anything else of the line.

/// Whether a list of options leaves this one in force: the last of an option and its opposite counts.
pub fn has_option(options: &[String], option: &str) -> bool {
    let opposite = opposite(option);
    let last = options.iter().rev().find(|found| *found == option || **found == opposite);
    last.is_some_and(|found| found == option)
}

/// `exec` of `noexec`, `nofail` of `fail`.
fn opposite(option: &str) -> String {
    option.strip_prefix("no").map_or_else(|| format!("no{option}"), str::to_owned)
}

/// The options with this one in force.
pub fn joined<T: AsRef<str>>(options: &[T], option: &str) -> String {
    let opposite = opposite(option);
    let kept = options.iter().map(AsRef::as_ref).filter(|found| *found != option && *found != opposite);
    kept.chain([option]).collect::<Vec<_>>().join(",")
}

/// A text in which the entry on one line has the option; the rest is kept to the byte.
pub fn with_option(text: &str, number: usize, option: &str) -> String {
    let changed = |(index, line): (usize, &str)| {
        if index + 1 == number { line_with_option(line, option) } else { line.to_owned() }
    };
    text.split_inclusive('\n').enumerate().map(changed).collect()
}

fn line_with_option(line: &str, option: &str) -> String {
    match field(line, 3) {
        Some((start, end)) => {
            let (before, rest) = line.split_at(start);
            let (options, after) = rest.split_at(end - start);
            let options: Vec<&str> = options.split(',').collect();
            format!("{before}{}{after}", joined(&options, option))
        }
        None => {
            let bare = line.trim_end();
            let ending = line.get(bare.len()..).unwrap_or_default();
            format!("{bare} defaults,{option}{ending}")
        }
    }
}

/// Where the field of that index begins and ends in a line.
fn field(line: &str, index: usize) -> Option<(usize, usize)> {
    let mut start = None;
    let mut seen = 0;
    for (at, c) in line.char_indices() {
        match (start, c.is_whitespace()) {
            (None, false) => start = Some(at),
            (Some(begin), true) if seen == index => return Some((begin, at)),
            (Some(_), true) => {
                start = None;
                seen += 1;
            }
            _ => {}
        }
    }
    start.filter(|_| seen == index).map(|begin| (begin, line.len()))
}

/// A text with a line added at its end.
pub fn with_line(text: &str, line: &str) -> String {
    let closing = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    format!("{text}{closing}{line}\n")
}
