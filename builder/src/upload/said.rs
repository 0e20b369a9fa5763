//! What a server says when it refuses: one sentence out of the many forms that answers have.
//!
//! Prism's v3 has `message_list`, v4 `data.error` (a list of messages, or one object with what a schema objects to), Objects Lite XML,
//! a vCenter `value.messages` with a `default_message` each, a proxy HTML or nothing.

use serde_json::Value;

/// The longest quotation, in characters.
const LONGEST: usize = 400;

/// What an answer's body says, in one line.
pub fn said(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let sentence = match serde_json::from_slice::<Value>(body) {
        Ok(value) => messages(&value).join("; "),
        Err(_) => tagged(&text),
    };
    let sentence = sentence.split_whitespace().collect::<Vec<_>>().join(" ");
    let clean: String = sentence.chars().filter(|c| !c.is_control()).take(LONGEST).collect();
    if clean.is_empty() { "nothing more is said".to_owned() } else { clean }
}

/// The messages of a JSON body, whatever its form.
fn messages(value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    collect(value, &mut found, 0);
    found.dedup();
    found
}

/// The keys that messages are under, and those that hold more of them.
const MESSAGES: [&str; 4] = ["message", "error_detail", "validationErrorMessages", "default_message"];
const HOLDERS: [&str; 7] = ["message_list", "data", "error", "errorMessages", "details", "value", "messages"];
/// How deep the forms go.
const DEEP: usize = 6;

fn collect(value: &Value, found: &mut Vec<String>, depth: usize) {
    match value {
        _ if depth > DEEP => {}
        Value::Array(items) => items.iter().for_each(|item| collect(item, found, depth + 1)),
        Value::Object(fields) => {
            for key in MESSAGES {
                match fields.get(key) {
                    Some(Value::String(text)) if !text.is_empty() => {
                        let code = ["code", "reason", "error_code"]
                            .into_iter()
                            .find_map(|code| fields.get(code)?.as_str())
                            .map_or(String::new(), |code| format!("{code}: "));
                        found.push(format!("{code}{text}"));
                    }
                    Some(other) => collect(other, found, depth + 1),
                    None => {}
                }
            }
            for key in HOLDERS {
                match fields.get(key) {
                    Some(Value::String(text)) if !text.is_empty() => found.push(text.clone()),
                    Some(details @ Value::Object(_)) if key == "details" => found.push(details.to_string()),
                    Some(other) => collect(other, found, depth + 1),
                    None => {}
                }
            }
        }
        _ => {}
    }
}

/// The text between the tags of XML or HTML; for S3's errors, code and message.
fn tagged(text: &str) -> String {
    let element = |name: &str| {
        let rest = text.split_once(&format!("<{name}>"))?.1;
        Some(rest.split_once("</")?.0.to_owned())
    };
    if let (Some(code), Some(message)) = (element("Code"), element("Message")) {
        return format!("{code}: {message}");
    }
    let mut inside = false;
    let plain = |c: char| {
        let shown = !inside && c != '<';
        inside = c == '<' || (inside && c != '>');
        if shown { c } else { ' ' }
    };
    text.chars().map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_answer_gives_its_sentence() {
        let cases = [
            (
                r#"{"code":422,"message_list":[{"message":"bad","reason":"INVALID_REQUEST","details":"x"}]}"#,
                "INVALID_REQUEST: bad; x",
            ),
            (
                r#"{"message_list":[{"message":"bad","details":{"":["'a' is required"]}}]}"#,
                r#"bad; {"":["'a' is required"]}"#,
            ),
            (r#"{"data":{"error":[{"message":"stale","code":"PLAT-10005"}]}}"#, "PLAT-10005: stale"),
            (
                r#"{"data":{"error":{"error":"Bad Request","validationErrorMessages":[{"message":"name is too long"}]}}}"#,
                "name is too long; Bad Request",
            ),
            (r#"{"message":"The requested URL was not found"}"#, "The requested URL was not found"),
            (
                "<?xml version='1.0'?><Error><Code>NoSuchUpload</Code><Message>gone</Message></Error>",
                "NoSuchUpload: gone",
            ),
            ("<html><head><title>502</title></head>\n<body>Bad  Gateway</body></html>", "502 Bad Gateway"),
            ("", "nothing more is said"),
            ("{}", "nothing more is said"),
        ];
        for (body, wanted) in cases {
            assert_eq!(said(body.as_bytes()), wanted, "{body}");
        }
    }

    #[test]
    fn no_body_makes_it_panic_and_none_floods_the_terminal() {
        let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
        for body in ["\u{0}\u{1b}[2J", "<<<>", "{\"message\": 7}", deep.as_str()] {
            assert!(!said(body.as_bytes()).contains('\u{1b}'));
        }
        assert_eq!(said("x".repeat(9000).as_bytes()).len(), LONGEST);
    }
}
