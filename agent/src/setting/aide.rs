//! AIDE: its database, and what it watches with which attributes.
//!
//! Building the database reads every file and takes minutes, so it is never waited for: a unit of our own builds it in the
//! background, now and, if it is interrupted, at the next boot. Until it is there the rule fails, and says why. Undoing
//! stops the unit and removes the database.

use std::path::{Path, PathBuf};

use anyhow::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{OWNED_HEADER, Setting};
use crate::change::{Change, UnitGoal};
use crate::content::Text;
use crate::finding::Finding;
use crate::system::{System, Tool, UnitFileState};

/// What differs between families.
struct Family {
    /// The configuration.
    config: &'static str,
    /// The packages: the program, and its configuration where that is another.
    packages: &'static [&'static str],
    /// The program.
    program: &'static str,
    /// Root's own crontab.
    crontab: &'static str,
}

const DEBIAN: Family = Family {
    config: "/etc/aide/aide.conf",
    packages: &["aide", "aide-common"],
    program: "/usr/bin/aide",
    crontab: "/var/spool/cron/crontabs/root",
};

const RED_HAT: Family = Family {
    config: "/etc/aide.conf",
    packages: &["aide"],
    program: "/usr/sbin/aide",
    crontab: "/var/spool/cron/root",
};

impl Family {
    fn of(system: &System) -> Result<&'static Family> {
        Ok(if system.exists("/etc/redhat-release")? { &RED_HAT } else { &DEBIAN })
    }

    /// The command that builds the first database.
    fn build(&self, input: &Path, output: &Path) -> String {
        let (program, input, output) = (self.program, input.display(), output.display());
        match self.packages {
            ["aide"] => format!("/bin/sh -c '{program} --init && mv -f {output} {input}'"),
            _ => "/usr/sbin/aideinit -y -f".to_owned(),
        }
    }
}

/// The unit that builds the database.
const UNIT: &str = "trempe-aide-init.service";

/// Where scripts are that cron runs by themselves.
const CRON_DIRECTORIES: [&str; 3] = ["/etc/cron.hourly", "/etc/cron.daily", "/etc/cron.weekly"];

/// The script that has AIDE compare the files every day. Its name has no dot: cron would pass over it.
const JOB: &str = "/etc/cron.daily/trempe-aide";

/// What is ensured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Aide {
    /// The database is there.
    Database {},
    /// A job of cron compares the files, in `/etc/cron.hourly`, `/etc/cron.daily` or `/etc/cron.weekly`, or in root's or the
    /// system's crontab.
    Scheduled {},
    /// These files are watched.
    Watched {
        /// Their paths.
        files: Vec<String>,
        /// The attributes, joined by `+`.
        attributes: Text,
    },
}

impl Setting for Aide {
    fn examine(&self, system: &System) -> Result<Finding> {
        let family = Family::of(system)?;
        if let Some(finding) = missing_package(family, system)? {
            return Ok(finding);
        }
        let text = system.read_text(family.config)?.unwrap_or_default();
        match self {
            Aide::Database {} => database(family, &text, system),
            Aide::Scheduled {} => scheduled(family, system),
            Aide::Watched { files, attributes } => {
                Ok(watched(family.config, files, attributes.as_str(), &text))
            }
        }
    }

    fn describe(&self) -> String {
        match self {
            Aide::Database {} => "AIDE is configured and its database is built".to_owned(),
            Aide::Scheduled {} => "cron has AIDE compare the files".to_owned(),
            Aide::Watched { files, attributes } => {
                format!("AIDE watches {attributes} of {}", files.join(", "))
            }
        }
    }
}

/// The finding when AIDE or its configuration is not there.
fn missing_package(family: &Family, system: &System) -> Result<Option<Finding>> {
    let packages = system.packages()?;
    let missing: Vec<&str> = family.packages.iter().copied().filter(|name| !packages.has(name)).collect();
    if !missing.is_empty() {
        let found = format!("package {} is not installed", missing.join(" and "));
        let install = missing.iter().map(|name| (*name).to_owned()).collect();
        let mut finding = Finding::new();
        finding.persistent(false, found, "installed", "the package database");
        finding.change(Change::Packages { install, remove: Vec::new() });
        return Ok(Some(finding));
    }
    if family.packages.iter().any(|name| packages.is_planned(name)) {
        return Ok(Some(Finding::not_checked("can be judged once aide is installed")));
    }
    Ok(None)
}

/// The file a database setting names, from a configuration.
fn database_file(text: &str, keys: &[&str]) -> Option<PathBuf> {
    let mut defined: Vec<(String, String)> = Vec::new();
    let mut found = None;
    for line in text.lines().map(str::trim) {
        if let Some(definition) = line.strip_prefix("@@define") {
            let (name, value) =
                definition.trim().split_once(char::is_whitespace).unwrap_or((definition.trim(), ""));
            defined.push((format!("@@{{{name}}}"), value.trim().to_owned()));
        } else if let Some((key, value)) = line.split_once('=')
            && keys.contains(&key.trim())
            && let Some(file) = value.trim().strip_prefix("file:")
        {
            let put = |file: String, (name, value): &(String, String)| file.replace(name, value);
            found = Some(PathBuf::from(defined.iter().fold(file.to_owned(), put)));
        }
    }
    found
}

fn database(family: &Family, text: &str, system: &System) -> Result<Finding> {
    // What is changed afterwards would look like tampering.
    let mut finding = Finding { last: true, ..Finding::new() };
    let input = database_file(text, &["database_in", "database"]);
    let output = database_file(text, &["database_out"]);
    let (Some(input), Some(output)) = (input, output) else {
        finding.persistent(false, "no database_in and database_out", "a file for each", family.config);
        let lines = "database_in=file:/var/lib/aide/aide.db\ndatabase_out=file:/var/lib/aide/aide.db.new\n";
        finding.change(Change::write(family.config, format!("{lines}{text}")));
        return Ok(finding);
    };
    let place = input.display().to_string();
    let wanted = "the database";
    if system.exists(&input)? {
        finding.persistent(true, "is there", wanted, place);
        return Ok(finding);
    }
    let path = Path::new("/etc/systemd/system").join(UNIT);
    let content = unit_file(&input, &family.build(&input, &output));
    let unit = system.units()?.state(UNIT);
    let arranged = unit.file == UnitFileState::Enabled && system.read_text(&path)?.as_ref() == Some(&content);
    match (arranged, unit.active) {
        (true, Some(true)) => {
            finding.persistent(false, format!("is being built by {UNIT}"), wanted, place);
            finding.manual("the database is being built in the background, which takes some minutes");
        }
        (true, None) => {
            finding.persistent(false, format!("will be built by {UNIT}"), wanted, place);
            finding.manual("the database is built in the background after the next boot");
        }
        (true, Some(false)) => {
            finding.persistent(
                false,
                format!("is not there, and {UNIT} has ended (journalctl -u {UNIT})"),
                wanted,
                place,
            );
            finding.change(Change::Unit { unit: UNIT.to_owned(), goal: UnitGoal::Enabled });
        }
        (false, _) => {
            finding.persistent(false, "is not there", wanted, place);
            finding.change(Change::write(path, content));
            if system.is_booted() {
                // The unit writes these files later; named here, they are removed when this is taken back.
                let args = vec!["daemon-reload".to_owned()];
                finding.change(Change::Generate {
                    tool: Tool::Systemctl,
                    args,
                    outputs: vec![input, output],
                });
            }
            finding.change(Change::Unit { unit: UNIT.to_owned(), goal: UnitGoal::Enabled });
        }
    }
    Ok(finding)
}

fn scheduled(family: &Family, system: &System) -> Result<Finding> {
    let mut finding = Finding::new();
    let mut found = None;
    for directory in CRON_DIRECTORIES {
        for name in system.list(directory)? {
            let path = format!("{directory}/{name}");
            let text = system.read_text(&path)?.unwrap_or_default();
            found = found.or_else(|| line(&text, is_call).map(|at| (path, at)));
        }
    }
    for (table, user) in [("/etc/crontab", true), (family.crontab, false)] {
        let text = system.read_text(table)?.unwrap_or_default();
        found = found.or_else(|| line(&text, |line| is_job(line, user)).map(|at| (table.to_owned(), at)));
    }
    let wanted = "a job that calls aide";
    match found {
        Some((path, at)) => {
            finding.persistent(true, "AIDE is called", wanted, format!("{path}:{at}"));
        }
        None => {
            finding.persistent(false, "no job calls aide", wanted, "/etc/cron.daily");
            let script =
                format!("#!/bin/sh\n{OWNED_HEADER}{} --config {} --check\n", family.program, family.config);
            finding.change(Change::WriteFile { path: JOB.into(), content: script, mode: 0o700 });
        }
    }
    Ok(finding)
}

/// The number of the first line that is so.
fn line(text: &str, is_so: impl Fn(&str) -> bool) -> Option<usize> {
    text.lines().position(is_so).map(|index| index + 1)
}

/// Whether a line of a script calls the program.
fn is_call(line: &str) -> bool {
    let program = line.split_whitespace().next().unwrap_or_default();
    let name = ["/usr/bin/", "/usr/sbin/", "/sbin/"].iter().find_map(|dir| program.strip_prefix(dir));
    ["aide", "aide.wrapper"].contains(&name.unwrap_or(program))
}

/// Whether a line of a crontab calls the program, after the five fields of the time and, in the system's, the user.
fn is_job(line: &str, user: bool) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    let times = if line.starts_with('@') { 1 } else { 5 };
    let command = words.get(times + usize::from(user)..).unwrap_or_default();
    !line.trim_start().starts_with('#')
        && command.first().is_some_and(|program| is_call(program))
        && command.iter().any(|word| ["-C", "--check"].contains(word))
}

/// A unit that is started without being waited for, and yields to everything else. What it writes beside the database are logs, which are not
/// open to others (Debian's `aideinit` leaves that to the umask).
fn unit_file(database: &Path, command: &str) -> String {
    let database = database.display();
    format!(
        "{OWNED_HEADER}[Unit]\n\
         Description=First database of the file integrity checker\n\
         ConditionPathExists=!{database}\n\n\
         [Service]\n\
         Type=simple\n\
         ExecStart={command}\n\
         UMask=0027\n\
         Nice=19\n\
         CPUSchedulingPolicy=idle\n\
         IOSchedulingClass=idle\n\
         TimeoutStopSec=5\n\n\
         [Install]\n\
         WantedBy=multi-user.target\n"
    )
}

fn watched(config: &str, files: &[String], attributes: &str, text: &str) -> Finding {
    let mut finding = Finding::new();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for file in files {
        let wanted = format!("{file} {attributes}");
        let short = file.strip_prefix("/usr").unwrap_or(file);
        let found = lines.iter().position(|line| {
            line.split_whitespace().next().is_some_and(|path| path == file || path == short)
        });
        let line = found.and_then(|at| Some((at, lines.get_mut(at)?)));
        match line {
            Some((at, line)) => {
                let holds = line.split_whitespace().nth(1).is_some_and(|is| same_attributes(is, attributes));
                finding.persistent(holds, line.clone(), &wanted, format!("{config}:{}", at + 1));
                if !holds {
                    *line = wanted;
                }
            }
            None => {
                finding.persistent(false, format!("{file} is not watched by name"), &wanted, config);
                lines.push(wanted);
            }
        }
    }
    if !finding.is_compliant() {
        finding.change(Change::write(config, lines.join("\n") + "\n"));
    }
    finding
}

/// Whether two lists of attributes are the same, in any order.
fn same_attributes(one: &str, other: &str) -> bool {
    let sorted = |list: &str| {
        let mut names: Vec<String> = list.split('+').map(str::to_owned).collect();
        names.sort();
        names
    };
    sorted(one) == sorted(other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::testing::Tree;

    const CONFIG: &str = super::DEBIAN.config;
    const DEBIAN: &str =
        "database_in=file:/var/lib/aide/aide.db\ndatabase_out=file:/var/lib/aide/aide.db.new\nFull = p+i\n";

    fn tools() -> Aide {
        let files = ["/usr/sbin/auditctl", "/usr/sbin/auditd"].map(str::to_owned).to_vec();
        Aide::Watched { files, attributes: "p+i+sha512".into() }
    }

    fn tree(config: &str) -> Tree {
        Tree::new().packages(&["aide", "aide-common"]).file(CONFIG, config)
    }

    #[test]
    fn database_names_are_expanded() {
        for (text, file) in [
            (DEBIAN, Some("/var/lib/aide/aide.db")),
            (
                "@@define DBDIR /var/lib/aide\ndatabase=file:@@{DBDIR}/aide.db.gz\n",
                Some("/var/lib/aide/aide.db.gz"),
            ),
            ("#database_in=file:/x\n", None),
            ("database_in=stdin\n", None),
        ] {
            assert_eq!(database_file(text, &["database_in", "database"]), file.map(PathBuf::from), "{text}");
        }
    }

    #[test]
    fn a_missing_database_is_built_by_a_unit_and_the_rule_says_so() {
        let tree = tree(DEBIAN);
        let before = Aide::Database {}.examine(&tree.system()).unwrap();
        assert_eq!(before.changes.len(), 2, "{before:?}");
        let tree = tree
            .file(
                &format!("/etc/systemd/system/{UNIT}"),
                &unit_file(Path::new("/var/lib/aide/aide.db"), "/usr/sbin/aideinit -y -f"),
            )
            .link(&format!("/etc/systemd/system/multi-user.target.wants/{UNIT}"), &format!("../{UNIT}"));
        let arranged = Aide::Database {}.examine(&tree.system()).unwrap();
        assert!(!arranged.is_compliant());
        assert_eq!(arranged.evidence[0].found, format!("will be built by {UNIT}"));
        assert!(arranged.manual.unwrap().contains("in the background") && arranged.changes.is_empty());
        let tree = tree.file("/var/lib/aide/aide.db", "");
        assert!(Aide::Database {}.examine(&tree.system()).unwrap().is_compliant());
    }

    #[test]
    fn a_job_is_found_wherever_cron_looks() {
        for (path, text, found) in [
            ("/etc/cron.daily/x", "#!/bin/sh\n/usr/bin/aide.wrapper --check\n", Some("/etc/cron.daily/x:2")),
            ("/etc/cron.daily/x", "#!/bin/sh\n# aide --check\nexec true aide\n", None),
            (
                "/etc/crontab",
                "05 4 * * * root /usr/bin/aide --config /etc/aide/aide.conf --check\n",
                Some("/etc/crontab:1"),
            ),
            ("/etc/crontab", "05 4 * * * aide --check\n", None),
            ("/var/spool/cron/crontabs/root", "@daily aide -C\n", Some("/var/spool/cron/crontabs/root:1")),
            ("/var/spool/cron/crontabs/root", "#@daily aide -C\n", None),
            ("/var/spool/cron/crontabs/root", "@daily aide --init\n", None),
        ] {
            let tree = tree(DEBIAN).dir("/etc/cron.daily", 0o755).file(path, text);
            let finding = Aide::Scheduled {}.examine(&tree.system()).unwrap();
            assert_eq!(finding.is_compliant(), found.is_some(), "{text}");
            if let Some(found) = found {
                assert_eq!(finding.evidence[0].place, found);
            }
        }
        let tree = tree(DEBIAN).dir("/etc/cron.daily", 0o755);
        tree.round_trip(&Aide::Scheduled {});
        assert_eq!(tree.applied(&Aide::Scheduled {}).mode(JOB), 0o700);
    }

    #[test]
    fn a_configuration_without_databases_gets_them() {
        let tree = tree("Full = p+i\n");
        let changes = Aide::Database {}.examine(&tree.system()).unwrap().changes;
        assert_eq!(changes, [Change::write(CONFIG, DEBIAN)]);
    }

    #[test]
    fn red_hat_has_it_elsewhere() {
        let text = "@@define DBDIR /var/lib/aide\ndatabase_in=file:@@{DBDIR}/aide.db.gz\n\
                    database_out=file:@@{DBDIR}/aide.db.new.gz\n";
        let tree = Tree::new()
            .packages(&["aide"])
            .file("/etc/redhat-release", "x\n")
            .file("/etc/aide.conf", text)
            .file("/var/spool/cron/root", "05 4 * * * /usr/sbin/aide --check\n");
        assert!(Aide::Scheduled {}.examine(&tree.system()).unwrap().is_compliant());
        let changes = Aide::Database {}.examine(&tree.system()).unwrap().changes;
        let unit = changes.iter().find_map(|change| match change {
            Change::WriteFile { content, .. } => Some(content.clone()),
            _ => None,
        });
        let command = "/usr/sbin/aide --init && mv -f /var/lib/aide/aide.db.new.gz /var/lib/aide/aide.db.gz";
        assert!(unit.unwrap().contains(command));
        tree.round_trip(&Aide::Watched {
            files: vec!["/usr/sbin/auditd".into()],
            attributes: "p+i+sha512".into(),
        });
    }

    #[test]
    fn packages_come_first() {
        for (packages, missing) in [(vec![], 2), (vec!["aide"], 1)] {
            let tree = Tree::new().packages(&packages);
            let finding = tools().examine(&tree.system()).unwrap();
            assert!(!finding.is_compliant());
            match finding.changes.as_slice() {
                [Change::Packages { install, .. }] => assert_eq!(install.len(), missing),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn watched_files_are_added_and_mended() {
        let tree = tree("/usr/sbin/auditctl p+i\n/usr Full\n");
        tree.round_trip(&tools());
        assert_eq!(
            tree.applied(&tools()).text(CONFIG),
            "/usr/sbin/auditctl p+i+sha512\n/usr Full\n/usr/sbin/auditd p+i+sha512\n"
        );
    }

    #[test]
    fn the_order_of_attributes_and_the_old_path_do_not_matter() {
        let tree = tree("/sbin/auditctl sha512+p+i\n/usr/sbin/auditd i+p+sha512\n");
        assert!(tools().examine(&tree.system()).unwrap().is_compliant());
    }
}
