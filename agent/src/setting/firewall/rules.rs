//! The rules of iptables in their own language: what `iptables -S` prints and `iptables-save` files hold (`iptables(8)`).
//!
//! Only the table `filter` is of interest. A rule is its chain, its conditions by short name, and its target.

use std::collections::BTreeMap;

use super::Port;

/// Options that say the same as a shorter one.
const LONG: [(&str, &str); 7] = [
    ("--append", "-A"),
    ("--in-interface", "-i"),
    ("--out-interface", "-o"),
    ("--source", "-s"),
    ("--src", "-s"),
    ("--protocol", "-p"),
    ("--jump", "-j"),
];

/// Options that narrow nothing down.
const NEUTRAL: [&str; 4] = ["-m", "--match", "--comment", "-j"];

/// The filter table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    /// The policy of each built-in chain.
    pub policies: BTreeMap<String, String>,
    /// All rules in their order.
    pub rules: Vec<Rule>,
}

/// A rule.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rule {
    /// The chain.
    pub chain: String,
    /// Its conditions: option and argument. A negated one has `!` before its argument.
    pub conditions: BTreeMap<String, String>,
    /// Where packets that meet them go.
    pub target: String,
}

impl Rules {
    /// Reads either form. Lines of other tables are skipped.
    pub fn parse(text: &str) -> Rules {
        let mut rules = Rules::default();
        let mut filter = true;
        for line in text.lines().map(str::trim) {
            if let Some(table) = line.strip_prefix('*') {
                filter = table == "filter";
            } else if filter {
                rules.read(line);
            }
        }
        rules
    }

    fn read(&mut self, line: &str) {
        let mut words = line.split_whitespace();
        match words.next() {
            Some("-P") => {
                if let (Some(chain), Some(policy)) = (words.next(), words.next()) {
                    self.policies.insert(chain.to_owned(), policy.to_owned());
                }
            }
            Some("-A" | "--append") => self.rules.push(Rule::parse(line)),
            Some(word) => {
                if let (Some(chain), Some(policy)) = (word.strip_prefix(':'), words.next()) {
                    self.policies.insert(chain.to_owned(), policy.to_owned());
                }
            }
            None => {}
        }
    }

    /// The policy of a built-in chain: `ACCEPT` unless said otherwise.
    pub fn policy(&self, chain: &str) -> &str {
        self.policies.get(chain).map_or("ACCEPT", String::as_str)
    }

    /// Whether a chain has a rule with exactly these conditions and one of these targets.
    pub fn has(&self, chain: &str, conditions: &[(&str, &str)], targets: &[&str]) -> bool {
        self.rules.iter().any(|rule| {
            rule.chain == chain
                && targets.contains(&rule.target.as_str())
                && rule.conditions.len() == conditions.len()
                && conditions.iter().all(|(option, value)| rule.is(option, value))
        })
    }

    /// Whether a rule of a chain is about a port, for whomever.
    pub fn names(&self, chain: &str, port: Port) -> bool {
        self.rules.iter().any(|rule| rule.chain == chain && rule.covers(port))
    }

    /// Whether a chain accepts new connections to a port from anywhere.
    pub fn admits(&self, chain: &str, port: Port, targets: &[&str]) -> bool {
        let about = ["-p", "--dport", "--dports", "--ctstate", "--state"];
        self.rules.iter().any(|rule| {
            rule.chain == chain
                && targets.contains(&rule.target.as_str())
                && rule.covers(port)
                && rule.conditions.keys().all(|option| about.contains(&option.as_str()))
        })
    }
}

impl Rule {
    fn parse(line: &str) -> Rule {
        let mut rule = Rule::default();
        let (mut option, mut not) = (String::new(), false);
        for word in line.split_whitespace() {
            if word == "!" {
                not = true;
            } else if word.starts_with('-') && word.parse::<f64>().is_err() {
                option =
                    LONG.iter().find(|(long, _)| *long == word).map_or(word, |(_, short)| short).to_owned();
                if !NEUTRAL.contains(&option.as_str()) && option != "-A" {
                    let value = if std::mem::take(&mut not) { "!" } else { "" };
                    rule.conditions.insert(option.clone(), value.to_owned());
                }
            } else {
                rule.argument(&option, word);
            }
        }
        rule
    }

    fn argument(&mut self, option: &str, word: &str) {
        match option {
            "-A" => word.clone_into(&mut self.chain),
            "-j" if self.target.is_empty() => word.clone_into(&mut self.target),
            _ => {
                if let Some(value) = self.conditions.get_mut(option) {
                    if !value.is_empty() {
                        value.push(' ');
                    }
                    value.push_str(word);
                }
            }
        }
    }

    fn is(&self, option: &str, value: &str) -> bool {
        let strip = |text: &str| text.trim_end_matches("/128").trim_end_matches("/32").to_owned();
        self.conditions.get(option).is_some_and(|found| strip(found) == strip(value))
    }

    /// Whether the rule is about a destination port.
    fn covers(&self, port: Port) -> bool {
        let list = self.conditions.get("--dport").or_else(|| self.conditions.get("--dports"));
        let inside = |part: &str| match part.split_once(':') {
            Some((first, last)) => {
                let first = first.parse().unwrap_or(0);
                let last = last.parse().unwrap_or(u16::MAX);
                (first..=last).contains(&port.number)
            }
            None => part.parse() == Ok(port.number),
        };
        self.conditions.get("-p").is_some_and(|protocol| protocol == port.protocol())
            && list.is_some_and(|list| list.split(',').any(inside))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SSH: Port = Port { tcp: true, number: 22 };

    #[test]
    fn both_forms_say_the_same() {
        let save = "*nat\n:INPUT DROP [0:0]\n-A INPUT -i lo -j DROP\nCOMMIT\n\
            *filter\n:INPUT DROP [1:2]\n:own - [0:0]\n-A INPUT -i lo -j ACCEPT\nCOMMIT\n";
        let listed = "-P INPUT DROP\n-N own\n-A INPUT -i lo -j ACCEPT\n";
        let (save, listed) = (Rules::parse(save), Rules::parse(listed));
        assert_eq!(save.rules, listed.rules);
        assert_eq!((save.policy("INPUT"), listed.policy("INPUT")), ("DROP", "DROP"));
        assert_eq!(listed.policy("OUTPUT"), "ACCEPT");
    }

    #[test]
    fn a_rule_with_further_conditions_is_another_rule() {
        for (line, expected) in [
            ("-A INPUT -i lo -j ACCEPT", true),
            ("-A INPUT --in-interface lo -m comment --comment \"own traffic\" -j ACCEPT", true),
            ("-A INPUT ! -i lo -j ACCEPT", false),
            ("-A INPUT -i lo -p tcp -j ACCEPT", false),
            ("-A INPUT -i lo -j DROP", false),
            ("-A OUTPUT -i lo -j ACCEPT", false),
        ] {
            assert_eq!(Rules::parse(line).has("INPUT", &[("-i", "lo")], &["ACCEPT"]), expected, "{line}");
        }
    }

    #[test]
    fn ports_are_found_alone_in_ranges_and_in_lists() {
        for (line, names, admits) in [
            ("-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT", true, true),
            (
                "-A INPUT -p tcp -m multiport --dports 80,20:25 -m conntrack --ctstate NEW -j ACCEPT",
                true,
                true,
            ),
            ("-A INPUT -s 10.0.0.0/8 -p tcp -m tcp --dport 22 -j ACCEPT", true, false),
            ("-A INPUT -p tcp -m tcp --dport 22 -j DROP", true, false),
            ("-A INPUT -p udp -m udp --dport 22 -j ACCEPT", false, false),
            ("-A INPUT -p tcp -m tcp --sport 22 -j ACCEPT", false, false),
        ] {
            let rules = Rules::parse(line);
            assert_eq!(rules.names("INPUT", SSH), names, "{line}");
            assert_eq!(rules.admits("INPUT", SSH, &["ACCEPT"]), admits, "{line}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_can_be_read(text: String) {
            let rules = Rules::parse(&text);
            proptest::prop_assert!(rules.rules.len() <= text.lines().count());
        }
    }
}
