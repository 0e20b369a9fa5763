//! `shadow`: passwords and how they age, from `/etc/shadow`.
//!
//! Source: `src/OVAL/probes/unix/shadow_probe.c` of OpenSCAP 1.3.7; a number that is not set is -1.

use super::{Context, Request};
use crate::collector::Collector;
use crate::item::{Field, Item};
use crate::model::Schema;
use crate::verdict::Verdict;

/// The version of the schema from which on it is told how a password is encrypted.
const WITH_METHOD: Schema = Schema::new(5, 8, 0);

const FILE: &str = "/etc/shadow";

/// The numbers of a line, behind name and password.
const NUMBERS: [&str; 6] = ["chg_lst", "chg_allow", "chg_req", "exp_warn", "exp_inact", "exp_date"];

pub(super) fn collect(request: &Request<'_>, context: &Context<'_>, out: &mut Collector<'_>) {
    let Some(name) = request.entity("username") else { return out.fail("the object has no username") };
    // oscap finds nothing in a file it may not read; here that is told.
    let text = match context.system.read_text(FILE) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return,
        Err(error) => return out.fail(format!("{FILE} cannot be read: {error}")),
    };
    for (number, line) in text.lines().enumerate() {
        let Some(mut fields) = fields(line) else { continue };
        fields.retain(|field| context.schema >= WITH_METHOD || field.name != "encrypt_method");
        let user = line.split(':').next().unwrap_or_default();
        if name.compare(context.patterns, user.as_bytes()) == Verdict::True {
            out.add(Item::new(fields).at(FILE, Some(number + 1)));
        }
    }
}

/// The fields of a line; `None` when `getspent(3)` would pass it over.
fn fields(line: &str) -> Option<Vec<Field>> {
    let parts: Vec<&str> = line.split(':').collect();
    if line.starts_with(['#', '+', '-']) || !matches!(parts.len(), 8 | 9) {
        return None;
    }
    let (user, password) = (*parts.first()?, *parts.get(1)?);
    let mut fields = vec![Field::text("username", user), Field::text("password", password)];
    for (name, value) in NUMBERS.into_iter().zip(parts.iter().skip(2)) {
        fields.push(Field::int(name, if value.is_empty() { -1 } else { value.parse::<i64>().ok()? }));
    }
    let flag = parts.get(8).filter(|flag| !flag.is_empty());
    fields.push(Field::text("flag", flag.map_or_else(|| u64::MAX.to_string(), |flag| (*flag).to_owned())));
    fields.extend(method(password).map(|method| Field::text("encrypt_method", method)));
    Some(fields)
}

/// How a password is encrypted, as far as oscap knows the methods.
fn method(password: &str) -> Option<&'static str> {
    if password.starts_with('_') {
        return Some("BSDi");
    }
    let Some(rest) = password.strip_prefix('$') else { return Some("DES") };
    let known = [
        ("1", "MD5"),
        ("2a", "Blowfish"),
        ("2", "Blowfish"),
        ("5", "SHA-256"),
        ("6", "SHA-512"),
        ("md5", "Sun MD5"),
    ];
    let (mark, method) = known.into_iter().find(|(mark, _)| rest.starts_with(mark))?;
    rest.get(mark.len()..)?.starts_with('$').then_some(method)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_those_oscap_knows() {
        for (password, expected) in [
            ("$6$salt$hash", Some("SHA-512")),
            ("$y$j9T$salt$hash", None),
            ("$2a$05$x", Some("Blowfish")),
            ("$2b$05$x", None),
            ("$md5$x", Some("Sun MD5")),
            ("!", Some("DES")),
            ("", Some("DES")),
            ("_x", Some("BSDi")),
        ] {
            assert_eq!(method(password), expected, "{password:?}");
        }
    }
}
