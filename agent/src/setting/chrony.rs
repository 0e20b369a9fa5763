//! chrony: the servers it asks and the user it runs as.
//!
//! `chrony.conf(5)` can bring in further files with `include`, `confdir` and `sourcedir`; a directive is a line, its name
//! in any case. What must be added goes to the main file, where everybody looks for it.

use std::path::{Path, PathBuf};

use anyhow::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Setting;
use crate::change::{Change, Effect};
use crate::content::Text;
use crate::finding::Finding;
use crate::system::System;

/// Where the main file is, by family.
const MAIN: [&str; 2] = ["/etc/chrony/chrony.conf", "/etc/chrony.conf"];

/// Where the unit takes its options from, by family.
const OPTIONS: [&str; 2] = ["/etc/default/chrony", "/etc/sysconfig/chronyd"];

/// What is ensured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Chrony {
    /// It asks one of these servers or pools, each a list separated by commas. All servers are written.
    Sources {
        /// Single servers.
        servers: Text,
        /// Names that stand for several servers.
        pools: Text,
    },
    /// It asks some server; these, a list separated by commas, where there is none.
    Remote {
        /// Servers to ask.
        servers: Text,
    },
    /// It runs as this user, which is also the one it takes when none is named.
    User(Text),
}

/// A directive.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Directive {
    name: String,
    argument: String,
    file: PathBuf,
    number: usize,
}

impl Directive {
    fn place(&self) -> String {
        format!("{}:{}", self.file.display(), self.number)
    }
}

impl Setting for Chrony {
    fn examine(&self, system: &System) -> Result<Finding> {
        let mut finding = Finding::new();
        let main = main_file(system)?;
        let debian = main == Path::new(MAIN[0]);
        let directives = directives(system, &main)?;
        match self {
            Chrony::Sources { servers, pools } => {
                sources(servers, pools, &directives, &mut finding);
                if !finding.is_compliant() {
                    let text = system.read_text(&main)?.unwrap_or_default();
                    finding.change(Change::write(main, with_servers(text, servers)));
                }
            }
            Chrony::Remote { servers } => {
                let is = |one: &&Directive| ["server", "pool"].contains(&one.name.as_str());
                let wanted = "a server or a pool";
                match directives.iter().find(is) {
                    Some(one) => {
                        let found = format!("{} {}", one.name, one.argument);
                        finding.persistent(true, found, wanted, one.place());
                    }
                    None => {
                        finding.persistent(false, "none", wanted, main.display().to_string());
                        let text = system.read_text(&main)?.unwrap_or_default();
                        finding.change(Change::write(main, with_servers(text, servers)));
                    }
                }
            }
            Chrony::User(user) => {
                run_as(user, &directives, system, &mut finding)?;
            }
        }
        if !finding.is_compliant() {
            let unit = if debian { "chrony.service" } else { "chronyd.service" };
            finding.effect(Effect::restart(unit));
        }
        Ok(finding)
    }

    fn describe(&self) -> String {
        match self {
            Chrony::Sources { servers, pools } => format!("chrony asks one of {servers},{pools}"),
            Chrony::Remote { .. } => "chrony asks a server or a pool".to_owned(),
            Chrony::User(user) => format!("chrony runs as {user}"),
        }
    }
}

/// The text of the main file with servers added.
fn with_servers(mut text: String, servers: &Text) -> String {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    for server in list(servers) {
        text.push_str(&format!("server {server} iburst\n"));
    }
    text
}

fn main_file(system: &System) -> Result<PathBuf> {
    for path in MAIN {
        if system.exists(path)? {
            return Ok(PathBuf::from(path));
        }
    }
    Ok(PathBuf::from(MAIN[0]))
}

fn list(text: &Text) -> impl Iterator<Item = &str> {
    text.as_str().split(',').map(str::trim).filter(|name| !name.is_empty())
}

fn sources(servers: &Text, pools: &Text, directives: &[Directive], finding: &mut Finding) {
    let wanted = format!("server or pool, one of {servers}");
    let is_wanted = |one: &&Directive| match one.name.as_str() {
        "server" => list(servers).any(|name| name == one.argument),
        "pool" => list(pools).any(|name| name == one.argument),
        _ => false,
    };
    match directives.iter().find(is_wanted) {
        Some(one) => {
            finding.persistent(true, format!("{} {}", one.name, one.argument), wanted, one.place());
        }
        None => {
            let others = directives.iter().filter(|one| ["server", "pool"].contains(&one.name.as_str()));
            let found: Vec<String> = others.map(|one| format!("{} {}", one.name, one.argument)).collect();
            let found = if found.is_empty() { "no server".to_owned() } else { found.join(", ") };
            finding.persistent(false, found, wanted, MAIN[0]);
        }
    }
}

/// The directive counts unless the command line names a user.
fn run_as(user: &Text, directives: &[Directive], system: &System, finding: &mut Finding) -> Result<()> {
    let wanted = format!("user {user}");
    for path in OPTIONS {
        let text = system.read_text(path)?.unwrap_or_default();
        let words: Vec<&str> =
            text.lines().filter(|line| !line.trim_start().starts_with('#')).flat_map(words).collect();
        let named = words.iter().position(|word| *word == "-u").and_then(|at| words.get(at + 1));
        if let Some(named) = named {
            finding.persistent(*named == user.as_str(), format!("-u {named}"), &wanted, path);
            if *named != user.as_str() {
                let changed = text.replace(&format!("-u {named}"), &format!("-u {user}"));
                finding.change(Change::write(path, changed));
            }
        }
    }
    let named: Vec<&Directive> = directives.iter().filter(|one| one.name == "user").collect();
    let Some(last) = named.last() else {
        finding.persistent(true, format!("no user is named, which is {user}"), wanted, MAIN[0]);
        return Ok(());
    };
    let holds = last.argument == user.as_str();
    finding.persistent(holds, format!("user {}", last.argument), wanted, last.place());
    if !holds {
        let text = system.read_text(&last.file)?.unwrap_or_default();
        let replace = |(index, line): (usize, &str)| {
            if index + 1 == last.number { format!("user {user}\n") } else { format!("{line}\n") }
        };
        finding.change(Change::write(&last.file, text.lines().enumerate().map(replace).collect::<String>()));
    }
    Ok(())
}

/// The words of a line of shell assignments.
fn words(line: &str) -> Vec<&str> {
    line.split(|c: char| c.is_whitespace() || c == '"' || c == '\'' || c == '=')
        .filter(|w| !w.is_empty())
        .collect()
}

/// Every directive, those of files brought in where they are brought in.
fn directives(system: &System, main: &Path) -> Result<Vec<Directive>> {
    let mut found = Vec::new();
    for one in parse(main, &system.read_text(main)?.unwrap_or_default()) {
        let suffix = match one.name.as_str() {
            "confdir" => ".conf",
            "sourcedir" => ".sources",
            "include" => {
                let file = PathBuf::from(&one.argument);
                found.extend(parse(&file, &system.read_text(&file)?.unwrap_or_default()));
                continue;
            }
            _ => {
                found.push(one);
                continue;
            }
        };
        for file in system.drop_ins(&one.argument, suffix)? {
            found.extend(parse(&file, &system.read_text(&file)?.unwrap_or_default()));
        }
    }
    Ok(found)
}

fn parse(file: &Path, text: &str) -> Vec<Directive> {
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.starts_with(['#', '!', ';', '%']) {
            continue;
        }
        let mut words = line.split_whitespace();
        let Some(name) = words.next() else { continue };
        found.push(Directive {
            name: name.to_ascii_lowercase(),
            argument: words.next().unwrap_or_default().to_owned(),
            file: file.to_owned(),
            number: index + 1,
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::testing::Tree;
    use proptest::prelude::*;

    fn servers() -> Chrony {
        Chrony::Sources { servers: "a.example,b.example".into(), pools: "p.example".into() }
    }

    fn user() -> Chrony {
        Chrony::User("_chrony".into())
    }

    #[test]
    fn a_server_in_any_of_its_files_is_enough() {
        for (main, other, holds) in [
            ("pool p.example iburst\n", "", true),
            ("Server b.example\n", "", true),
            ("server p.example\n", "", false),
            ("# server a.example\n! pool p.example\n", "", false),
            ("sourcedir /etc/chrony/sources.d\n", "server a.example iburst\n", true),
            ("driftfile /x\n", "server a.example iburst\n", false),
        ] {
            let tree = Tree::new().file(MAIN[0], main).file("/etc/chrony/sources.d/x.sources", other);
            assert_eq!(servers().examine(&tree.system()).unwrap().is_compliant(), holds, "{main}");
        }
    }

    #[test]
    fn servers_are_added_and_taken_back() {
        let tree = Tree::new().file(MAIN[0], "pool x.example\nrtcsync\n");
        tree.round_trip(&servers());
        assert_eq!(
            tree.applied(&servers()).text(MAIN[0]),
            "pool x.example\nrtcsync\nserver a.example iburst\nserver b.example iburst\n"
        );
    }

    #[test]
    fn the_user_is_the_default_or_named() {
        for (text, holds) in
            [("rtcsync\n", true), ("user _chrony\n", true), ("user root\n", false), ("#user root\n", true)]
        {
            let tree = Tree::new().file(MAIN[0], text);
            assert_eq!(user().examine(&tree.system()).unwrap().is_compliant(), holds, "{text}");
        }
        Tree::new().file(MAIN[0], "rtcsync\nuser root\n").round_trip(&user());
    }

    #[test]
    fn the_command_line_counts_too() {
        let tree = Tree::new()
            .file(MAIN[0], "rtcsync\n")
            .file(OPTIONS[0], "# -u nobody\nDAEMON_OPTS=\"-F 1 -u root\"\n");
        tree.round_trip(&user());
        assert_eq!(tree.applied(&user()).text(OPTIONS[0]), "# -u nobody\nDAEMON_OPTS=\"-F 1 -u _chrony\"\n");
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC*\n?[a-z -]*") {
            drop(parse(Path::new("f"), &text));
            drop(words(&text));
        }
    }
}
