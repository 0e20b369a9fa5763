//! Input that is wrong: said so in one message with its place, exit code 1, nothing changed.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::case::Case;

impl Case {
    /// Every path below the root with its content.
    fn state(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut found = Vec::new();
        let mut open = vec![self.root()];
        while let Some(dir) = open.pop() {
            for entry in fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    open.push(path)
                } else {
                    found.push((path.clone(), fs::read(path).unwrap()))
                }
            }
        }
        found.sort();
        found
    }

    /// The agent says each of these, once, on standard error, ends with 1, and leaves the machine as it is.
    fn refused(&self, args: &[&str], said: &[&str]) {
        let before = self.state();
        let output = self.agent(args);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{args:?}: {stderr}");
        assert_eq!(String::from_utf8(output.stdout).unwrap(), "", "{args:?}");
        for words in said {
            assert_eq!(stderr.matches(words).count(), 1, "{args:?} should say {words:?} once: {stderr}");
        }
        assert!(self.state() == before, "{args:?} changed the machine");
    }

    /// A tailoring is refused by whatever reads it.
    fn refused_tailoring(&self, said: &[&str]) {
        self.refused(&["check", "t.xml"], said);
        self.refused(&["audit", "--tailoring", "t.xml"], said);
        self.refused(&["apply", "--yes", "--tailoring", "t.xml"], said);
    }
}

/// A tailoring with this inside its profile.
fn tailoring(inside: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?>\n<Tailoring xmlns=\"http://checklists.nist.gov/xccdf/1.2\" id=\"xccdf_x_tailoring_t\">\n\
         <version time=\"2026-01-01T00:00:00Z\">1</version>\n\
         <Profile id=\"xccdf_x_profile_p\" extends=\"standard\">\n<title>t</title>\n{inside}\n</Profile>\n</Tailoring>\n"
    )
}

#[test]
fn tailoring_that_is_wrong() {
    let benchmark =
        |href: &str| tailoring("").replace("<version", &format!("<benchmark href=\"{href}\"/>\n<version"));
    let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]>\n";
    let deep = format!("<metadata>{}{}</metadata>", "<e xmlns=\"urn:x\">".repeat(100), "</e>".repeat(100));
    for (text, said) in [
        (String::new(), vec!["t.xml"]),
        ("not XML".to_owned(), vec!["t.xml:1:"]),
        (tailoring("<select"), vec!["t.xml:"]),
        (tailoring("").replace("</Profile>", "</Profil>"), vec!["t.xml:7:"]),
        (tailoring("").replace("xccdf/1.2", "xccdf/1.1"), vec!["t.xml:2:", "XCCDF 1.1, expected XCCDF 1.2"]),
        (
            tailoring("<select idref=\"sshd_disable_root_logn\" selected=\"false\"/>"),
            vec!["t.xml:6:1: <select>", "did you mean sshd_disable_root_login"],
        ),
        (
            tailoring("<select idref=\"sshd_disable_root_login\"/>"),
            vec!["t.xml:6:1: <select>", "selected is missing"],
        ),
        (
            tailoring("<set-value idref=\"sshd_max_auth_tries_valu\">3</set-value>"),
            vec!["t.xml:6:1: <set-value>", "did you mean sshd_max_auth_tries_value"],
        ),
        (
            tailoring("<set-value idref=\"sshd_max_auth_tries_value\">many</set-value>"),
            vec!["t.xml:6:1: <set-value>", "expected a number"],
        ),
        (
            tailoring("<refine-value idref=\"sshd_max_auth_tries_value\" selector=\"many\"/>"),
            vec!["t.xml:6:1: <refine-value>", "has no selector \"many\""],
        ),
        (
            tailoring("<select idref=\"sshd_enable_pubkey_auth\" selected=\"true\"/>"),
            vec!["t.xml:6:1: <select>", "the catalogue has no rule"],
        ),
        (tailoring("").replace("\"standard\"", "\"standart\""), vec!["t.xml:4:1: <Profile>", "there are: "]),
        (
            tailoring("</Profile><Profile id=\"xccdf_x_profile_p\"><title>t</title>"),
            vec!["t.xml:6:11: <Profile>"],
        ),
        (tailoring("").replace(" extends=\"standard\"", ""), vec!["asks for no rule: let it extend a tier"]),
        (benchmark("U_RHEL_9_STIG.xml"), vec!["written for another benchmark"]),
        (tailoring("").replace("<Tailoring", &format!("{bomb}<Tailoring")), vec!["t.xml:2:"]),
        (tailoring(&deep), vec!["t.xml:6:"]),
    ] {
        let case = Case::new();
        case.write("t.xml", &text);
        case.refused_tailoring(&said);
    }
    let case = Case::new();
    case.write("t.xml", &benchmark("ssg-rhel9-ds.xml"));
    assert_eq!(case.agent(&["check", "t.xml"]).status.code(), Some(0), "it is good, for another system");
    let said = ["benchmark of rhel9, but this is debian12"];
    case.refused(&["audit", "--tailoring", "t.xml"], &said);
    case.refused(&["apply", "--yes", "--tailoring", "t.xml"], &said);
}

#[test]
fn exception_records_that_are_wrong() {
    for (text, said) in [
        (
            tailoring(
                "<metadata><exception xmlns=\"urn:trempe:exceptions:1\" rule=\"sshd_disable_root_login\"/></metadata>",
            ),
            vec!["t.xml:4:1: <exception>", "gives no reason"],
        ),
        (
            tailoring(
                "<metadata><exception xmlns=\"urn:trempe:exceptions:1\" rule=\"sshd_disable_root_login\">x</exception></metadata>",
            ),
            vec!["t.xml:4:1: <exception>", "excepts nothing"],
        ),
        (
            tailoring(
                "<metadata><exception xmlns=\"urn:trempe:exceptions:1\" rule=\"a\" until=\"soon\">x</exception></metadata>",
            ),
            vec!["t.xml:4:1: <exception>", "no date"],
        ),
    ] {
        let case = Case::new();
        case.write("t.xml", &text);
        case.refused_tailoring(&said);
    }
}

#[test]
fn a_tailoring_of_200_megabytes_is_not_read() {
    let case = Case::new();
    let head = tailoring("").replace("</Tailoring>\n", "");
    let file = case.write("t.xml", &head);
    File::options().append(true).open(file).unwrap().set_len(200 << 20).unwrap();
    case.refused_tailoring(&["t.xml"]);
    // White space is allowed between elements: only the size is wrong here.
    let mut text = head;
    text.push_str(&" ".repeat(9 << 20));
    case.write("t.xml", &text);
    case.refused_tailoring(&["larger than"]);
}

#[test]
fn files_that_others_can_write() {
    let case = Case::new();
    let file = case.write("t.xml", &tailoring(""));
    let open = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    open(&file, 0o666);
    case.refused_tailoring(&["chmod go-w"]);
    open(&file, 0o644);
    let config = case.root().join("etc/trempe");
    fs::write(config.join("agent.yml"), "tier: standard\n").unwrap();
    open(&config.join("agent.yml"), 0o646);
    case.refused(&["audit"], &["agent.yml is not used", "chmod o-w"]);
    open(&config.join("agent.yml"), 0o644);
    open(&config, 0o777);
    case.refused(&["audit"], &["the directory", "chmod go-w"]);
}

/// Nobody may ever write to a pipe: it is refused and not waited for.
#[test]
fn a_pipe_is_no_file() {
    let case = Case::new();
    let pipe = case.root().parent().unwrap().join("t.xml");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::from_bits_truncate(0o600)).unwrap();
    case.refused_tailoring(&["t.xml is not used: it is no regular file"]);
}

/// What editors leave beside a file says nothing.
#[test]
fn hidden_files_do_not_count() {
    let case = Case::new();
    let directory = case.root().join("etc/trempe/agent.d");
    fs::create_dir_all(&directory).unwrap();
    fs::write(directory.join(".10-site.yml.yml"), "tiers: nonsense\n").unwrap();
    std::os::unix::fs::symlink("ops@vm.1234:5678", directory.join(".#10-site.yml")).unwrap();
    fs::write(directory.join("10-site.yml"), "tier: standard\n").unwrap();
    let output = case.agent(&["status", "--config"]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success() && said.contains("tier: standard") && !said.contains(".10-site"),
        "{said}"
    );
}

#[test]
fn configuration_that_is_wrong() {
    for (text, said) in [
        ("tiers: standard\n", "agent.yml:1:1: unknown field `tiers`"),
        ("tier: standart\n", "did you mean standard?"),
        ("tier: standard\ntier: strict\n", "agent.yml:2:1"),
        ("tier: standard\ntailoring: [/etc/none.xml]\n", "/etc/none.xml: no such file"),
        ("tier: [\n", "agent.yml:"),
        (
            "tier: strict\nvalues: [{value: sshd_max_auth_tries_value, set: 2147483648, reason: x}]\n",
            "agent.yml:2: sshd_max_auth_tries_value is \"2147483648\", expected a whole number up to 2147483647",
        ),
    ] {
        let case = Case::new();
        fs::write(case.root().join("etc/trempe/agent.yml"), text).unwrap();
        case.refused(&["audit"], &[said]);
        case.refused(&["apply", "--yes"], &[said]);
    }
}

/// What is meant for a machine's first boot is checked before it is given to one.
#[test]
fn user_data_that_is_wrong() {
    let writes = |content: &str| {
        format!(
            "#cloud-config\nwrite_files:\n- path: /etc/trempe/agent.d/50-site.yml\n  content: |\n    {content}\n"
        )
    };
    for (text, said) in [
        (
            "#cloud-config\ntremp:\n  tier: strict\n",
            "u.yml: says nothing to the agent: it has no key 'trempe'",
        ),
        ("#cloud-config\ntrempe:\n  teir: strict\n", "u.yml:3:3: unknown field `teir` (did you mean tier?)"),
        (
            &writes("teir: strict"),
            "u.yml: write_files: /etc/trempe/agent.d/50-site.yml:1:1: unknown field `teir`",
        ),
        ("tier: \u{fffd}\n", "unknown tier"),
    ] {
        let case = Case::new();
        case.write("u.yml", text);
        let output = case.agent_alone(&["check", "u.yml"]);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(1) && stderr.contains(said), "{text}: {stderr}");
    }
    let case = Case::new();
    for (text, said) in [
        (writes("tier: strict"), "in /etc/trempe/agent.d/50-site.yml: a configuration for tier strict\n"),
        ("# nothing yet\n".to_owned(), "good, a configuration\n"),
    ] {
        case.write("u.yml", &text);
        let output = case.agent_alone(&["check", "u.yml"]);
        let stdout = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && stdout.ends_with(said), "{text}: {stdout}");
    }
    fs::write(case.write("u.yml", ""), b"tier: \xff\n").unwrap();
    let said = String::from_utf8(case.agent_alone(&["check", "u.yml"]).stderr).unwrap();
    assert!(said.contains("u.yml: byte 6 is not UTF-8 text"), "{said}");
}

#[test]
fn command_lines_that_are_wrong() {
    let case = Case::new();
    for (args, said) in [
        (&["audit"][..], "light, standard, strict"),
        (&["audit", "--tier", "strct"], "did you mean strict?"),
        (
            &["audit", "--tier", "strict", "--rule", "sshd_disable_root_logn"],
            "did you mean sshd_disable_root_login",
        ),
        (
            &["audit", "--tier", "light", "--rule", "sshd_disable_root_login"],
            "light_debian12 does not ask for sshd_disable_root_login",
        ),
        (&["audit", "--profile", "strict_debian13"], "strict_debian13 is for debian13, but this is debian12"),
        (
            &[
                "tailor",
                "--tier",
                "standard",
                "--except",
                "banner_etc_issue",
                "--select",
                "banner_etc_issue",
                "--reason",
                "x",
            ],
            "both name banner_etc_issue",
        ),
        (
            &["tailor", "--tier", "standard", "--name", "a b<", "--select", "banner_etc_issue"],
            "letters, digits",
        ),
        (&["rollback"], "no run to take back"),
        (&["audit", "--profile", "cis_level9"], "unknown profile"),
        (&["audit", "--tailoring", "none.xml"], "No such file"),
        (&["explain", "sshd_disable_root_logn"], "did you mean sshd_disable_root_login"),
        (&["check", "none.xml"], "No such file"),
        (&["audit", "--teir", "strict"], "similar argument exists: '--tier'"),
    ] {
        case.refused(args, &[said]);
    }
}

#[test]
fn a_reader_that_goes_away_is_no_trouble_to_anybody() {
    let agent = env!("CARGO_BIN_EXE_agent");
    let script = format!("set -o pipefail; {agent} list rules --format json | head -c 10 >/dev/null");
    let output = Command::new("bash").args(["-c", &script]).output().unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

#[test]
fn a_report_that_cannot_be_written_is_trouble_and_keeps_back_no_other() {
    let case = Case::new();
    let one_rule = ["audit", "--tier", "light", "--rule", "banner_etc_issue_cis", "--root", "root"];
    let audit = |further: &[&str]| {
        let mut agent = Command::new(env!("CARGO_BIN_EXE_agent"));
        agent.current_dir(case.root().parent().unwrap()).args(one_rule).args(further);
        agent
    };
    let full = audit(&[]).stdout(File::create("/dev/full").unwrap()).output().unwrap();
    let said = String::from_utf8(full.stderr).unwrap();
    assert!(full.status.code() == Some(1) && said.contains("No space left"), "{said}");

    let output = audit(&["--report", "html=none/x.html", "--report", "csv=x.csv"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(1) && said.contains("none/x.html"), "{said}");
    assert!(!output.stdout.is_empty() && case.root().with_file_name("x.csv").exists());
}

#[test]
fn two_reports_to_one_file() {
    let case = Case::new();
    let twice: &[&str] = &["--report", "html=r", "--report", "csv=r"];
    for command in [&["audit", "--tier", "light"][..], &["apply", "--yes", "--tier", "light"]] {
        case.refused(&[command, twice].concat(), &["two reports go to r"]);
    }
    case.refused(&["audit", "--tier", "light", "-o", "r", "--results", "r"], &["two reports go to r"]);
}
