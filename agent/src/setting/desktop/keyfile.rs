//! Key files: `[section]` and `key=value`, as dconf and GDM read them.

/// An assignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The section it is in.
    pub section: String,
    /// The key.
    pub key: String,
    /// The value as written.
    pub value: String,
    /// The line, counted from 1.
    pub line: usize,
}

/// Every assignment of a text, in order. Lines that assign nothing say nothing.
pub fn assignments(text: &str) -> Vec<Assignment> {
    let mut section = String::new();
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            name.trim().clone_into(&mut section);
        } else if let (false, Some((key, value))) = (line.starts_with('#'), line.split_once('=')) {
            let (key, value) = (key.trim().to_owned(), value.trim().to_owned());
            found.push(Assignment { section: section.clone(), key, value, line: index + 1 });
        }
    }
    found
}

/// A text in which a key of a section has this value wherever it is set; when it is not, it is added to the section.
pub fn with(text: &str, section: &str, key: &str, value: &str) -> String {
    let new = format!("{key}={value}\n");
    let own: Vec<usize> = assignments(text)
        .into_iter()
        .filter(|found| found.section == section && found.key == key)
        .map(|found| found.line)
        .collect();
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    for number in &own {
        if let Some(line) = lines.get_mut(number - 1) {
            line.clone_from(&new);
        }
    }
    if own.is_empty() {
        let head = format!("[{section}]");
        if let Some(last) = lines.last_mut().filter(|last| !last.ends_with('\n')) {
            last.push('\n');
        }
        match lines.iter().position(|line| line.trim() == head) {
            Some(at) => lines.insert(at + 1, new),
            None => lines.push(format!("{head}\n{new}")),
        }
    }
    lines.concat()
}
