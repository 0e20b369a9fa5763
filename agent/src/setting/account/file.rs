//! Changing one field of one line of an account file, all others kept to the byte.

/// The text with a field, counted from 0, of the first line of that name changed. Missing fields before it are added.
pub fn with_field(text: &str, name: &str, index: usize, value: &str) -> String {
    let mut done = false;
    let lines = text.split('\n').map(|line| {
        if done || line.split(':').next() != Some(name) {
            return line.to_owned();
        }
        done = true;
        let mut fields: Vec<&str> = line.split(':').collect();
        while fields.len() <= index {
            fields.push("");
        }
        if let Some(field) = fields.get_mut(index) {
            *field = value;
        }
        fields.join(":")
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The text with a line more.
pub fn with_line(text: &str, line: &str) -> String {
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    format!("{text}{end}{line}\n")
}

/// The line of a name, counted from 1; 0 when there is none.
pub fn line_of(text: &str, name: &str) -> usize {
    text.lines().position(|line| line.split(':').next() == Some(name)).map_or(0, |index| index + 1)
}

/// Where the entry of a name is in a file with this text, as evidence says it; the file alone where there is none.
pub fn place_of(file: &str, text: &str, name: &str) -> String {
    match line_of(text, name) {
        0 => file.to_owned(),
        line => format!("{file}:{line}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_field_changes_and_nothing_else() {
        let text = "# x\nroot:*:1::\n\nann:$y$:2:0:99999:7:::\nann:second";
        assert_eq!(with_field(text, "ann", 4, "365"), "# x\nroot:*:1::\n\nann:$y$:2:0:365:7:::\nann:second");
        assert_eq!(with_field("ann:x", "ann", 3, "1"), "ann:x::1");
        assert_eq!(with_field(text, "bob", 1, "!"), text);
        assert_eq!(line_of(text, "ann"), 4);
        assert_eq!(place_of("/etc/x", text, "ann"), "/etc/x:4");
        assert_eq!(place_of("/etc/x", text, "bob"), "/etc/x");
        assert_eq!(with_line("a", "b"), "a\nb\n");
    }
}
