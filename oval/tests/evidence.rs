//! What decided a verdict, told in words: where, what was found, what was wanted.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail the test")]

use oval::{Document, Evaluator, System, Variables, Verdict};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

/// A test, what it refers to, and the evidence for its being false: place, found, wanted.
struct Row {
    test: &'static str,
    parts: &'static str,
    told: &'static [[&'static str; 3]],
}

const ROWS: [Row; 13] = [
    Row {
        test: "<ind:yamlfilecontent_test check='all'><object object_ref='oval:x:obj:1'/><state state_ref='oval:x:ste:1'/></ind:yamlfilecontent_test>",
        parts: "<ind:yamlfilecontent_object id='oval:x:obj:1' version='1'><filepath>/etc/kubelet.yaml</filepath>\
                <yamlpath>.authentication.anonymous.enabled</yamlpath></ind:yamlfilecontent_object><ind:yamlfilecontent_state id='oval:x:ste:1' version='1'>\
                <value datatype='record'><field name='#'>false</field></value></ind:yamlfilecontent_state>",
        told: &[["/etc/kubelet.yaml:3", "true", "false"]],
    },
    Row {
        test: "<ind:yamlfilecontent_test check='all'><object object_ref='oval:x:obj:1'/><state state_ref='oval:x:ste:1'/></ind:yamlfilecontent_test>",
        parts: "<ind:yamlfilecontent_object id='oval:x:obj:1' version='1'><filepath>/etc/kubelet.yaml</filepath>\
                <yamlpath>.limits</yamlpath></ind:yamlfilecontent_object><ind:yamlfilecontent_state id='oval:x:ste:1' version='1'>\
                <value datatype='record'><field name='pids' datatype='int' operation='less than'>5</field></value></ind:yamlfilecontent_state>",
        told: &[["/etc/kubelet.yaml", "\"pids: 9, open: 7\"", "pids less than 5"]],
    },
    Row {
        test: "<ind:textfilecontent54_test check='all'><object object_ref='oval:x:obj:1'/></ind:textfilecontent54_test>",
        parts: "<ind:textfilecontent54_object id='oval:x:obj:1' version='1'><filepath>/etc/sshd_config</filepath>\
                <pattern operation='pattern match'>^\\s*PermitRootLogin\\s+no\\s*$</pattern>\
                <instance datatype='int'>1</instance></ind:textfilecontent54_object>",
        told: &[["/etc/sshd_config", "nothing", "the line \"PermitRootLogin no\" in /etc/sshd_config"]],
    },
    Row {
        test: "<ind:textfilecontent54_test check='all'><object object_ref='oval:x:obj:1'/><state state_ref='oval:x:ste:1'/></ind:textfilecontent54_test>",
        parts: "<ind:textfilecontent54_object id='oval:x:obj:1' version='1'><filepath>/etc/sshd_config</filepath>\
                <pattern operation='pattern match'>^MaxAuthTries\\s+(\\d+)$</pattern><instance datatype='int'>1</instance></ind:textfilecontent54_object>\
                <ind:textfilecontent54_state id='oval:x:ste:1' version='1'><subexpression datatype='int' operation='less than or equal'>4</subexpression>\
                </ind:textfilecontent54_state>",
        told: &[["/etc/sshd_config:2", "\"MaxAuthTries 6\"", "4 or less"]],
    },
    Row {
        test: "<ind:textfilecontent54_test check='all' check_existence='none_exist'><object object_ref='oval:x:obj:1'/></ind:textfilecontent54_test>",
        parts: "<ind:textfilecontent54_object id='oval:x:obj:1' version='1'><path>/etc</path><filename operation='pattern match'>^.*_config$</filename>\
                <pattern operation='pattern match'>^PermitRootLogin.*yes</pattern><instance datatype='int'>1</instance></ind:textfilecontent54_object>",
        told: &[[
            "/etc/sshd_config:1",
            "\"PermitRootLogin yes\"",
            "not: a match of \"^PermitRootLogin.*yes\" in files named like \"^.*_config$\" in /etc",
        ]],
    },
    Row {
        test: "<unix:file_test check='all' check_existence='none_exist'><object object_ref='oval:x:obj:1'/></unix:file_test>",
        parts: "<unix:file_object id='oval:x:obj:1' version='1'><filepath>/etc/crontab</filepath><filter action='exclude'>oval:x:ste:1</filter></unix:file_object>\
                <unix:file_state id='oval:x:ste:1' version='1'><gread datatype='boolean'>false</gread><gwrite datatype='boolean'>false</gwrite>\
                <gexec datatype='boolean'>false</gexec><oread datatype='boolean'>false</oread><owrite datatype='boolean'>false</owrite>\
                <oexec datatype='boolean'>false</oexec></unix:file_state>",
        told: &[[
            "/etc/crontab",
            "regular file, mode 0644, user 0, group 0",
            "/etc/crontab with mode 0700 or stricter",
        ]],
    },
    Row {
        test: "<unix:file_test check='all'><object object_ref='oval:x:obj:1'/><state state_ref='oval:x:ste:1'/></unix:file_test>",
        parts: "<unix:file_object id='oval:x:obj:1' version='1'><filepath>/etc/crontab</filepath></unix:file_object>\
                <unix:file_state id='oval:x:ste:1' version='1'><user_id datatype='int'>7</user_id></unix:file_state>",
        told: &[["/etc/crontab", "regular file, mode 0644, user 0, group 0", "user 7"]],
    },
    Row {
        test: "<linux:dpkginfo_test check='all'><object object_ref='oval:x:obj:1'/></linux:dpkginfo_test>",
        parts: "<linux:dpkginfo_object id='oval:x:obj:1' version='1'><name>aide</name></linux:dpkginfo_object>",
        told: &[["/var/lib/dpkg/status", "not installed", "the package aide"]],
    },
    Row {
        test: "<linux:dpkginfo_test check='all' check_existence='none_exist'><object object_ref='oval:x:obj:1'/></linux:dpkginfo_test>",
        parts: "<linux:dpkginfo_object id='oval:x:obj:1' version='1'><name>telnet</name></linux:dpkginfo_object>",
        told: &[[
            "/var/lib/dpkg/status",
            "the package telnet 0:0.17-44 is installed",
            "not: the package telnet",
        ]],
    },
    Row {
        test: "<ind:textfilecontent54_test check='all'><object object_ref='oval:x:obj:1'/></ind:textfilecontent54_test>",
        parts: "<ind:textfilecontent54_object id='oval:x:obj:1' version='1'><set><object_reference>oval:x:obj:2</object_reference>\
                <object_reference>oval:x:obj:3</object_reference></set></ind:textfilecontent54_object>\
                <ind:textfilecontent54_object id='oval:x:obj:2' version='1'><filepath>/etc/a</filepath><pattern operation='pattern match'>^x$</pattern>\
                <instance datatype='int'>1</instance></ind:textfilecontent54_object>\
                <ind:textfilecontent54_object id='oval:x:obj:3' version='1'><path>/etc/a.d</path><filename operation='pattern match'>.*</filename>\
                <pattern operation='pattern match'>^x=(.)$</pattern><instance datatype='int'>1</instance></ind:textfilecontent54_object>",
        told: &[[
            "/etc/a",
            "nothing",
            "the line \"x\" in /etc/a, or a match of \"^x=(.)$\" in the files in /etc/a.d",
        ]],
    },
    Row {
        test: "<ind:variable_test check='all'><object object_ref='oval:x:obj:1'/><state state_ref='oval:x:ste:1'/></ind:variable_test>",
        parts: "<ind:variable_object id='oval:x:obj:1' version='1'><var_ref>oval:x:var:1</var_ref></ind:variable_object>\
                <ind:variable_state id='oval:x:ste:1' version='1'><value datatype='int' operation='greater than'>1</value></ind:variable_state>\
                <constant_variable id='oval:x:var:1' version='1' datatype='int'><value>1</value></constant_variable>",
        told: &[["", "1", "more than 1"]],
    },
    Row {
        test: "<ind:textfilecontent54_test check='all' check_existence='none_exist'><object object_ref='oval:x:obj:1'/></ind:textfilecontent54_test>",
        parts: "<ind:textfilecontent54_object id='oval:x:obj:1' version='1'><filepath>/etc/shadow</filepath>\
                <pattern operation='pattern match'>^root:(.*)$</pattern><instance datatype='int'>1</instance></ind:textfilecontent54_object>",
        told: &[[
            "/etc/shadow:1",
            "a line that is not shown, as it may hold a password",
            "not: a match of \"^root:(.*)$\" in /etc/shadow",
        ]],
    },
    Row {
        test: "<ind:variable_test check='all'><object object_ref='oval:x:obj:1'/><state state_ref='oval:x:ste:1'/></ind:variable_test>",
        parts: "<ind:variable_object id='oval:x:obj:1' version='1'><var_ref>oval:x:var:1</var_ref></ind:variable_object>\
                <ind:textfilecontent54_object id='oval:x:obj:2' version='1'><filepath>/etc/shadow</filepath>\
                <pattern operation='pattern match'>^root:([^:]*):</pattern><instance datatype='int'>1</instance></ind:textfilecontent54_object>\
                <ind:variable_state id='oval:x:ste:1' version='1'><value>x</value></ind:variable_state>\
                <local_variable id='oval:x:var:1' version='1' datatype='string' comment='c'>\
                <object_component object_ref='oval:x:obj:2' item_field='subexpression'/></local_variable>",
        told: &[["", "\"***\"", "x"]],
    },
];

/// Puts parts into their sections.
fn document(row: &Row) -> String {
    let section = |name: &str, ends: &str| {
        let parts: Vec<&str> = row.parts.split_inclusive(ends).filter(|part| part.contains(ends)).collect();
        format!(
            "<{name}>{}</{name}>",
            parts.iter().map(|part| &part[part.rfind(&start(part, ends)).unwrap()..]).collect::<String>()
        )
    };
    let test = row.test.replacen(" check=", " id='oval:x:tst:1' version='1' check=", 1);
    format!(
        "<oval_definitions xmlns='http://oval.mitre.org/XMLSchema/oval-definitions-5' \
         xmlns:ind='http://oval.mitre.org/XMLSchema/oval-definitions-5#independent' \
         xmlns:linux='http://oval.mitre.org/XMLSchema/oval-definitions-5#linux' \
         xmlns:unix='http://oval.mitre.org/XMLSchema/oval-definitions-5#unix'><definitions>\
         <definition id='oval:x:def:1' version='1' class='compliance'><criteria><criterion test_ref='oval:x:tst:1'/></criteria></definition>\
         </definitions><tests>{test}</tests>{}{}{}</oval_definitions>",
        section("objects", "_object>"),
        section("states", "_state>"),
        section("variables", "_variable>"),
    )
}

/// How the element starts that a part ends with.
fn start(part: &str, ends: &str) -> String {
    let name = &part[part.rfind("</").unwrap() + 2..part.len() - ends.len()];
    format!("<{name}{} id=", &ends[..ends.len() - 1])
}

#[test]
fn evidence_reads_well() {
    let tree = tempfile::tempdir().unwrap();
    let at = |name: &str| tree.path().join(name);
    fs::create_dir_all(at("etc/a.d")).unwrap();
    fs::create_dir_all(at("var/lib/dpkg")).unwrap();
    fs::write(at("etc/sshd_config"), "PermitRootLogin yes\nMaxAuthTries 6\n").unwrap();
    fs::write(at("etc/crontab"), "").unwrap();
    let kubelet = "authentication:\n  anonymous:\n    enabled: true\nlimits: {pids: 9, open: 7}\n";
    fs::write(at("etc/kubelet.yaml"), kubelet).unwrap();
    fs::write(at("etc/shadow"), "root:$6$salt$secretsecret:1::::::\n").unwrap();
    fs::set_permissions(at("etc/crontab"), Permissions::from_mode(0o644)).unwrap();
    std::os::unix::fs::chown(at("etc/crontab"), Some(0), Some(0)).unwrap_or_default();
    fs::write(
        at("var/lib/dpkg/status"),
        "Package: telnet\nStatus: install ok installed\nArchitecture: amd64\nVersion: 0.17-44\n\n",
    )
    .unwrap();
    let system = System::below(tree.path()).unwrap();
    for row in &ROWS {
        let text = document(row);
        let document = Document::parse(text.as_str(), "evidence").unwrap();
        let outcome = Evaluator::new(&document, &system, Variables::new()).evaluate("oval:x:def:1").unwrap();
        assert_eq!(outcome.verdict, Verdict::False, "{}: {:?}", row.parts, outcome.evidence);
        let told: Vec<[&str; 3]> = outcome
            .evidence
            .iter()
            .map(|one| [one.place.as_str(), one.found.as_str(), one.wanted.as_str()])
            .collect();
        assert_eq!(told, row.told, "{}", row.parts);
    }
}
