//! Tailoring as users have it: the same wish written in several ways, files that build on each other, and what comes of them.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use crate::case::Case;

/// A machine whose ssh daemon lets root in, with cron.
fn machine() -> Case {
    let case = Case::new();
    let package = |name: &str| format!("Package: {name}\nStatus: install ok installed\nVersion: 1\n\n");
    let status: String = ["linux-base", "openssh-server", "cron"].map(package).concat();
    fs::write(case.root().join("var/lib/dpkg/status"), status).unwrap();
    fs::create_dir_all(case.root().join("etc/ssh")).unwrap();
    fs::write(case.root().join("etc/ssh/sshd_config"), "PermitRootLogin yes\n").unwrap();
    fs::write(case.root().join("etc/crontab"), "").unwrap();
    case
}

impl Case {
    /// The report of an audit or a plan.
    fn report(&self, args: &[&str]) -> Value {
        let output = self.agent(&[args, &["--format", "json"]].concat());
        let stderr = String::from_utf8(output.stderr).unwrap();
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{args:?}: {stderr}"))
    }

    /// Runs the agent, which has nothing to complain of.
    fn good(&self, args: &[&str]) {
        let output = self.agent(args);
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

/// A tailoring file with one profile.
fn tailoring(name: &str, extends: &str, inside: &str) -> String {
    format!(
        "<Tailoring xmlns='http://checklists.nist.gov/xccdf/1.2' id='xccdf_org.example_tailoring_{name}'>
         <version time='2026-11-25T00:00:00Z'>1</version>
         <Profile id='xccdf_org.example_profile_{name}' extends='{extends}'><title>t</title>{inside}</Profile></Tailoring>"
    )
}

/// What every rule of a report came to: `notselected`, or what is wanted of the machine.
fn asked(report: &Value) -> BTreeMap<String, String> {
    let wanted = |rule: &Value| match rule["result"].as_str().unwrap() {
        "notselected" => "notselected".to_owned(),
        _ => rule["evidence"].as_array().unwrap().iter().map(|one| one["wanted"].to_string()).collect(),
    };
    let rules = report["rules"].as_array().unwrap().iter();
    rules.map(|rule| (rule["id"].as_str().unwrap().to_owned(), wanted(rule))).collect()
}

/// The rules of which two reports want something else.
fn differing(one: &Value, other: &Value) -> Vec<String> {
    let (one, other) = (asked(one), asked(other));
    one.iter().filter(|(id, wanted)| other.get(*id) != Some(wanted)).map(|(id, _)| id.clone()).collect()
}

fn exception<'a>(report: &'a Value, rule: &str) -> &'a Value {
    &report["rules"].as_array().unwrap().iter().find(|row| row["id"] == rule).unwrap()["exception"]
}

const SSG: &str = "xccdf_org.ssgproject.content";

#[test]
fn one_exception_in_each_form_is_one_policy() {
    let case = machine();
    let record = |rule: &str| {
        format!(
            "<metadata><e:exception xmlns:e='urn:trempe:exceptions:1' rule='{rule}' owner='ops' until='2099-12-31'>
             backups</e:exception></metadata>"
        )
    };
    let leave_out = |rule: &str| format!("<select idref='{rule}' selected='false'/>{}", record(rule));
    let id = "sshd_disable_root_login";
    case.write("short.xml", &tailoring("a", "standard", &leave_out(id)));
    let guide =
        tailoring("b", &format!("{SSG}_profile_cis_level1_server"), &leave_out(&format!("{SSG}_rule_{id}")));
    case.write("guide.xml", &guide);
    let other =
        tailoring("c", "xccdf_trempe_profile_standard", &leave_out(&format!("xccdf_com.example_rule_{id}")));
    case.write("other.xml", &other);
    let except = ["--except", id, "--reason", "backups", "--owner", "ops", "--until", "2099-12-31"];
    case.good(&[&["tailor", "--tier", "standard", "-o", "agent.xml"], &except[..]].concat());
    case.good(
        &[&["tailor", "--tier", "standard", "--product", "debian12", "-o", "product.xml"], &except[..]]
            .concat(),
    );
    let plain = case.report(&["audit", "--tier", "standard"]);
    let reports: Vec<Value> = ["agent.xml", "product.xml", "short.xml", "guide.xml", "other.xml"]
        .map(|file| case.report(&["audit", "--tailoring", file]))
        .into();
    for report in &reports {
        assert_eq!(report["policy"]["tier"], "standard");
        assert_eq!(report["policy"]["sha256"], reports[0]["policy"]["sha256"]);
        assert_eq!(differing(&plain, report), [id]);
        let exception = exception(report, id);
        let said = ["reason", "owner", "until"].map(|field| exception[field].as_str().unwrap());
        assert_eq!(said, ["backups", "ops", "2099-12-31"]);
    }
    assert_ne!(plain["policy"]["sha256"], reports[0]["policy"]["sha256"]);
}

#[test]
fn values_groups_and_rules_of_another_tier() {
    let case = machine();
    let inside = format!(
        "<select idref='{SSG}_group_cron_and_at' selected='false'><remark>no cron here</remark></select>
         <select idref='sshd_disable_password_authentication' selected='true'/>
         <set-value idref='{SSG}_value_sshd_max_auth_tries_value'>3</set-value>
         <refine-value idref='sshd_idle_timeout_value' selector='10_minutes'/>"
    );
    case.write("site.xml", &tailoring("site", "standard", &inside));
    let (plain, site) =
        (case.report(&["audit", "--tier", "standard"]), case.report(&["audit", "--tailoring", "site.xml"]));
    let rules = asked(&site);
    assert_eq!(rules["file_permissions_crontab"], "notselected");
    assert_eq!(exception(&site, "file_permissions_crontab")["reason"], "no cron here");
    assert_eq!(rules["sshd_set_max_auth_tries"], "\"MaxAuthTries 3 or less, not 0\"");
    assert!(rules["sshd_set_idle_timeout"].contains("ClientAliveInterval 600"), "{rules:?}");
    assert!(rules["sshd_disable_password_authentication"].contains("PasswordAuthentication no"));
    let differing = differing(&plain, &site);
    let expected = |id: &String| id.contains("cron") || id.contains("_at_") || id.starts_with("sshd_");
    assert!(differing.iter().all(expected), "{differing:?}");
}

#[test]
fn a_host_builds_on_its_site_which_builds_on_a_tier() {
    let case = machine();
    let site = "<select idref='sshd_disable_root_login' selected='false'><remark>backups</remark></select>
                <select idref='sshd_disable_empty_passwords' selected='false'><remark>kiosk</remark></select>
                <set-value idref='sshd_max_auth_tries_value'>3</set-value>";
    let host = "<select idref='sshd_disable_root_login' selected='true'/>
                <select idref='sshd_disable_rhosts' selected='false'><remark>museum</remark></select>
                <set-value idref='sshd_max_auth_tries_value'>2</set-value>";
    let place = case.root().join("etc/trempe/tailoring.d");
    fs::create_dir_all(&place).unwrap();
    fs::write(place.join("10-site.xml"), tailoring("site", "standard", site)).unwrap();
    let host = tailoring("host", "xccdf_org.example_profile_site", host);
    case.write("host.xml", &host);
    let plain = case.report(&["audit", "--tier", "standard", "--no-config"]);
    let of_site = case.report(&["audit"]);
    let on_line = case.report(&["audit", "--tailoring", "host.xml"]);
    fs::write(place.join("50-host.xml"), &host).unwrap();
    let of_host = case.report(&["audit"]);
    assert_eq!(of_host["policy"]["sha256"], on_line["policy"]["sha256"]);
    assert_eq!(of_host["policy"]["tailoring"].as_array().unwrap().len(), 2);
    assert_eq!(of_host["policy"]["profile"], "xccdf_org.example_profile_host");
    assert_eq!(of_host["policy"]["tier"], "standard");
    let tries = "sshd_set_max_auth_tries";
    assert_eq!(
        differing(&plain, &of_site),
        ["sshd_disable_empty_passwords", "sshd_disable_root_login", tries],
        "the tailoring of a site holds where its host has none"
    );
    assert_eq!(differing(&plain, &of_host), ["sshd_disable_empty_passwords", "sshd_disable_rhosts", tries]);
    let wanted = |report| asked(report)[tries].clone();
    assert_eq!(
        [&plain, &of_site, &of_host].map(wanted),
        ["4", "3", "2"].map(|most| format!("\"MaxAuthTries {most} or less, not 0\""))
    );
    for (rule, reason) in [("sshd_disable_empty_passwords", "kiosk"), ("sshd_disable_rhosts", "museum")] {
        assert_eq!(exception(&of_host, rule)["reason"], reason);
    }
    assert!(exception(&of_host, "sshd_disable_root_login").is_null());
    let plan = case.report(&["plan"]);
    let steps = plan["plan"]["steps"].as_array().unwrap();
    let planned = |rule: &str| steps.iter().any(|step| step["rule"] == rule);
    assert!(planned("sshd_disable_root_login") && !planned("sshd_disable_rhosts"), "{steps:?}");
}

#[test]
fn exceptions_that_are_written_down_are_not_written_over() {
    let case = machine();
    let except = |rule: &str, further: &[&str]| {
        let args = ["tailor", "--except", rule, "--reason", "backups", "-o", "site.xml"];
        case.agent(&[&args[..], further].concat())
    };
    let site = || std::fs::read_to_string(case.root().with_file_name("site.xml")).unwrap();
    let first = except("sshd_disable_root_login", &["--tier", "standard"]);
    assert!(first.status.success(), "{first:?}");
    let before = site();
    let refused = except("sshd_disable_rhosts", &["--tier", "standard"]);
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(refused.status.code() == Some(1) && said.contains("--extends site.xml keeps"), "{said}");
    assert_eq!(site(), before);
    let added = except("sshd_disable_rhosts", &["--extends", "site.xml"]);
    assert!(added.status.success(), "{added:?}");
    assert!(["sshd_disable_root_login", "sshd_disable_rhosts"].iter().all(|rule| site().contains(rule)));
}
