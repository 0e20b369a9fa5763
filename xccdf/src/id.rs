//! XCCDF ids: `xccdf_NAMESPACE_KIND_NAME`, and their short form `NAME`.
//!
//! The namespace says who wrote a thing, the short id which thing it is. Rules of different
//! authors that share a short id and kind are taken for the same rule: that is what lets a
//! tailoring file written for one benchmark apply to another.

use std::fmt;

/// What an id names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Kind {
    /// A benchmark.
    Benchmark,
    /// A profile.
    Profile,
    /// A group of rules.
    Group,
    /// A rule.
    Rule,
    /// A value.
    Value,
    /// The result of one evaluation.
    TestResult,
    /// A tailoring.
    Tailoring,
}

impl Kind {
    const ALL: [Kind; 7] = [
        Kind::Benchmark,
        Kind::Profile,
        Kind::Group,
        Kind::Rule,
        Kind::Value,
        Kind::TestResult,
        Kind::Tailoring,
    ];

    /// The word used in ids: `rule`, `testresult` …
    pub fn word(self) -> &'static str {
        match self {
            Kind::Benchmark => "benchmark",
            Kind::Profile => "profile",
            Kind::Group => "group",
            Kind::Rule => "rule",
            Kind::Value => "value",
            Kind::TestResult => "testresult",
            Kind::Tailoring => "tailoring",
        }
    }

    /// The full id of `name` in `namespace`, a reversed domain name without underscore:
    /// `Kind::Rule.id("org.example", "sshd_x")` is `xccdf_org.example_rule_sshd_x`.
    pub fn id(self, namespace: &str, name: &str) -> String {
        format!("xccdf_{namespace}_{self}_{name}")
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Namespace, kind and name of a full id; `None` for anything else.
pub fn parts(id: &str) -> Option<(&str, Kind, &str)> {
    let (namespace, rest) = id.strip_prefix("xccdf_")?.split_once('_')?;
    let (word, name) = rest.split_once('_')?;
    let kind = Kind::ALL.into_iter().find(|kind| kind.word() == word)?;
    (!namespace.is_empty() && !name.is_empty()).then_some((namespace, kind, name))
}

/// What follows the kind in a full id; an id of any other form is its own short id.
pub fn short_id(id: &str) -> &str {
    parts(id).map_or(id, |(_, _, name)| name)
}

/// The kind a full id says it is of.
pub fn kind_of(id: &str) -> Option<Kind> {
    parts(id).map(|(_, kind, _)| kind)
}

/// The known ids nearest to one that is not known, the nearest first, three at most. Compares short
/// ids by edit distance and takes only those that a slip of the keyboard or a missing word explains.
pub fn nearest<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let wanted = short_id(wanted);
    let length = wanted.chars().count();
    let most = (length / 3).max(2);
    let mut near: Vec<(usize, &str)> = known
        .into_iter()
        .filter(|id| short_id(id).chars().count().abs_diff(length) <= most)
        .map(|id| (strsim::osa_distance(wanted, short_id(id)), id))
        .filter(|(distance, _)| *distance <= most)
        .collect();
    near.sort();
    near.dedup();
    near.into_iter().take(3).map(|(_, id)| id).collect()
}

/// [`nearest`] as a question for a message; empty when nothing is near.
pub fn did_you_mean<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let near = nearest(wanted, known);
    if near.is_empty() {
        return String::new();
    }
    let near: Vec<&str> = near.into_iter().map(short_id).collect();
    format!("did you mean {}?", near.join(" or "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_the_nearest_only() {
        let known = ["xccdf_a_rule_sshd_disable_root_login", "xccdf_a_rule_sshd_x", "sysctl_y"];
        let near = nearest("xccdf_b_rule_sshd_disable_root_logn", known);
        assert_eq!(near, ["xccdf_a_rule_sshd_disable_root_login"]);
        assert_eq!(did_you_mean("sshd_y", known), "did you mean sshd_x?");
        assert_eq!(did_you_mean("completely_different", known), "");
    }

    #[test]
    fn short_ids() {
        for (id, short) in [
            ("xccdf_org.ssgproject.content_rule_sshd_x", "sshd_x"),
            ("xccdf_a_profile_b", "b"),
            ("xccdf_a_value_var_rule_x", "var_rule_x"),
            ("sshd_x", "sshd_x"),
            ("xccdf_org.example_rule_", "xccdf_org.example_rule_"),
            ("xccdf__rule_x", "xccdf__rule_x"),
            ("xccdf_org.example_thing_x", "xccdf_org.example_thing_x"),
            ("", ""),
        ] {
            assert_eq!(short_id(id), short, "{id}");
        }
    }

    #[test]
    fn built_ids_take_apart_again() {
        for kind in Kind::ALL {
            let id = kind.id("org.example", "a_b");
            assert_eq!(parts(&id), Some(("org.example", kind, "a_b")));
        }
    }
}
