//! Shell patterns made regular expressions.

/// The regular expression of a shell pattern (`oval_glob_to_regex` of oscap): `*` and `?` do not match `/`, nor a dot that a name starts
/// with. `None` when a bracket does not end. As in oscap, the bracket of a class right behind a `/` is lost.
pub(super) fn glob_to_regex(glob: &str, no_escape: bool) -> Option<String> {
    let mut out = String::from("^");
    let mut state = State::Start;
    for c in glob.chars() {
        state = match state {
            State::Bracket => {
                out.push(if c == '!' { '^' } else { c });
                State::Class
            }
            State::Class => {
                if c == '\\' && no_escape {
                    out.push('\\');
                }
                out.push(c);
                if c == ']' { State::Normal } else { State::Class }
            }
            State::Escape => {
                out.push_str(if "?*[]".contains(c) { "\\" } else { "\\\\" });
                out.push(c);
                State::Normal
            }
            State::Start | State::Slash | State::Normal => plain(c, &state, no_escape, &mut out),
        };
    }
    match state {
        State::Bracket | State::Class => return None,
        State::Escape => out.push_str("\\\\"),
        State::Start | State::Slash | State::Normal => {}
    }
    out.push('$');
    Some(out)
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    Start,
    Slash,
    Normal,
    Bracket,
    Class,
    Escape,
}

/// A character outside brackets.
fn plain(c: char, state: &State, no_escape: bool, out: &mut String) -> State {
    let first = *state != State::Normal;
    match c {
        '/' => {
            out.push('/');
            return if *state == State::Slash { State::Normal } else { State::Slash };
        }
        '?' => out.push_str(if first { "[^./]" } else { "[^/]" }),
        '*' => out.push_str(if first { "(?=[^.])[^/]*" } else { "[^/]*" }),
        '[' => {
            if *state != State::Slash {
                out.push('[');
            }
            return State::Bracket;
        }
        '\\' if !no_escape => return State::Escape,
        '\\' => out.push_str("\\\\"),
        '.' | '|' | '^' | '(' | ')' | '{' | '}' | '+' | '$' => {
            out.push('\\');
            out.push(c);
        }
        c => out.push(c),
    }
    State::Normal
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected values from `glob_to_regex` variables of oscap 1.3.7.
    #[test]
    fn shell_patterns_become_regular_expressions() {
        for (glob, expected) in [
            ("/etc/*.conf", Some("^/etc/(?=[^.])[^/]*\\.conf$")),
            ("/a?b", Some("^/a[^/]b$")),
            ("/?b", Some("^/[^./]b$")),
            ("a[!b]c", Some("^a[^b]c$")),
            ("/[ab]", Some("^/ab]$")),
            ("a\\*b", Some("^a\\*b$")),
            ("a\\b", Some("^a\\\\b$")),
            ("a[b", None),
            ("a//*", Some("^a//[^/]*$")),
        ] {
            assert_eq!(glob_to_regex(glob, false).as_deref(), expected, "{glob}");
        }
        assert_eq!(glob_to_regex("a\\*", true).as_deref(), Some("^a\\\\[^/]*$"));
    }
}
