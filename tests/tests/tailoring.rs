//! Tailoring files of other tools: autotailor's, against the SCAP Security Guide and against our own benchmark, mean the same as
//! those that the agent or a person writes; and OpenSCAP takes ours. Needs the content, autotailor and oscap.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use e2e::command::Program;
use e2e::content::Content;
use e2e::verdict::Verdict;
use e2e::{agent, oscap};
use serde_json::Value;
use tempfile::TempDir;

/// A Debian with nothing on it, and files beside it.
struct Site {
    dir: TempDir,
}

impl Site {
    fn new() -> Result<Site> {
        let site = Site { dir: tempfile::tempdir()? };
        fs::create_dir_all(site.path("root/etc/ssh"))?;
        fs::write(site.path("root/etc/ssh/sshd_config"), "UsePAM yes\n")?;
        fs::create_dir_all(site.path("root/var/lib/dpkg"))?;
        fs::write(site.path("root/etc/os-release"), "ID=debian\nVERSION_ID=\"12\"\n")?;
        let package = |name: &str| format!("Package: {name}\nStatus: install ok installed\nVersion: 1\n\n");
        let status = ["linux-base", "openssh-server"].map(package).concat();
        fs::write(site.path("root/var/lib/dpkg/status"), status)?;
        Ok(site)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Runs the agent with one file to write or read.
    fn agent(&self, words: &str, file: &str) -> Result<String> {
        let file = self.path(file);
        let (words, root) = (words.split_whitespace(), self.path("root"));
        let program = Program::new(agent::binary()?).args(words).args([&file]).accept(&[0, 1, 2]);
        let output = program.args(["--root".as_ref(), root.as_os_str()]).run()?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(!said.starts_with("agent: ") && !said.starts_with("error: "), "{said}");
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Has autotailor write a tailoring of a benchmark.
    fn autotailor(&self, words: &str, benchmark: &Path, profile: &str, file: &str) -> Result<()> {
        let program = Program::new("autotailor")
            .args(words.split_whitespace())
            .args(["-o".as_ref(), self.path(file).as_os_str()]);
        program.args([benchmark.as_os_str(), profile.as_ref()]).run()?;
        Ok(())
    }

    /// Writes a tailoring as people do.
    fn by_hand(&self, extends: &str, inside: &str, file: &str) -> Result<()> {
        let text = format!(
            "<Tailoring xmlns='http://checklists.nist.gov/xccdf/1.2' id='xccdf_org.example_tailoring_x'>
             <version time='2026-11-25T00:00:00Z'>1</version>
             <Profile id='xccdf_org.example_profile_x' extends='{extends}'><title>x</title>{inside}</Profile></Tailoring>"
        );
        Ok(fs::write(self.path(file), text)?)
    }

    /// The report of an audit, for the exit code that it has.
    fn audit(&self, file: &str) -> Result<Value> {
        let said = self.agent("audit --format json --tailoring", file)?;
        serde_json::from_str(&said).with_context(|| format!("{file}: {said}"))
    }
}

fn row<'a>(report: &'a Value, rule: &str) -> Result<&'a Value> {
    let rows = report["rules"].as_array().context("no rules")?;
    rows.iter().find(|row| row["id"] == rule).with_context(|| format!("no rule {rule}"))
}

/// Result of each rule, and what was wanted.
fn asked(report: &Value) -> Vec<String> {
    let wanted = |row: &Value| {
        let evidence = row["evidence"].as_array().into_iter().flatten();
        format!(
            "{} {} {:?}",
            row["id"],
            row["result"],
            evidence.map(|one| &one["wanted"]).collect::<Vec<_>>()
        )
    };
    report["rules"].as_array().into_iter().flatten().map(wanted).collect()
}

/// Files that except the same rule: the same rules are asked for, and the two without a record are one policy.
fn same(site: &Site, rule: &str, recorded: &str, unrecorded: [&str; 2]) -> Result<()> {
    let with = site.audit(recorded)?;
    for file in unrecorded {
        let report = site.audit(file)?;
        ensure!(row(&report, rule)?["result"] == "notselected", "{file} does not leave {rule} out");
        ensure!(row(&report, rule)?["exception"].is_object(), "{file}: the report hides the exception");
        ensure!(asked(&report) == asked(&with), "{file} and {recorded} differ");
        ensure!(report["policy"]["tier"] == with["policy"]["tier"], "{file}: another tier");
    }
    let digests =
        [&site.audit(unrecorded[0])?, &site.audit(unrecorded[1])?].map(|one| one["policy"]["sha256"].clone());
    ensure!(digests[0] == digests[1], "{unrecorded:?} are not one policy");
    Ok(())
}

#[test]
fn an_exception_by_autotailor_against_the_guide() -> Result<()> {
    let (site, rule) = (Site::new()?, "sshd_disable_root_login");
    let guide = Content::find("debian12")?.path;
    let set = "<set-value idref='sshd_max_auth_tries_value'>3</set-value>";
    let out = format!("<select idref='{rule}' selected='false'/>");
    site.by_hand("standard", &format!("{out}{set}"), "hand.xml")?;
    let words = format!("-u {rule} -v sshd_max_auth_tries_value=3");
    // The name of a content file that was unpacked into the cache says nothing.
    let named = site.path("ssg-debian12-ds.xml");
    fs::copy(&guide, &named)?;
    site.autotailor(&words, &named, "cis_level1_server", "auto.xml")?;
    site.agent(
        &format!(
            "tailor --tier standard --except {rule} --set sshd_max_auth_tries_value=3 --reason backups -o"
        ),
        "agent.xml",
    )?;
    same(&site, rule, "agent.xml", ["auto.xml", "hand.xml"])?;
    let report = site.audit("auto.xml")?;
    let wanted = &row(&report, "sshd_set_max_auth_tries")?["evidence"][0]["wanted"];
    ensure!(wanted == "MaxAuthTries 3 or less, not 0", "{wanted}");
    Ok(())
}

#[test]
fn an_exception_by_autotailor_against_our_benchmark() -> Result<()> {
    let (site, rule) = (Site::new()?, "sshd_disable_password_authentication");
    export(&site)?;
    let words = format!("--id-namespace trempe -u {rule}");
    site.autotailor(&words, &site.path("ours.xml"), "strict_debian12", "auto.xml")?;
    site.by_hand("strict", &format!("<select idref='{rule}' selected='false'/>"), "hand.xml")?;
    site.agent(&format!("tailor --tier strict --except {rule} --reason passwords -o"), "agent.xml")?;
    same(&site, rule, "agent.xml", ["auto.xml", "hand.xml"])
}

#[test]
fn oscap_leaves_out_what_our_tailoring_leaves_out() -> Result<()> {
    let (site, rule) = (Site::new()?, "sshd_disable_root_login");
    export(&site)?;
    site.agent(
        &format!("tailor --tier standard --product debian12 --except {rule} --reason backups -o"),
        "agent.xml",
    )?;
    let [ours, tailoring, results] = ["ours.xml", "agent.xml", "results.xml"].map(|name| site.path(name));
    let select =
        ["xccdf", "eval", "--profile", "xccdf_trempe_profile_site", "--tailoring-file"].map(str::to_owned);
    let program = Program::new("oscap").args(select).args([tailoring.as_os_str(), "--results".as_ref()]);
    program.args([&results, &ours]).accept(&[0, 2]).run()?;
    let theirs = oscap::read(&results)?;
    let report = site.audit("agent.xml")?;
    for row in report["rules"].as_array().context("no rules")? {
        let id = row["id"].as_str().context("no id")?;
        let chosen = theirs.contains_key(id);
        ensure!(chosen == (row["result"] != "notselected"), "{id}: selected by oscap: {chosen}");
    }
    ensure!(!theirs.contains_key(rule) && theirs.values().all(|verdict| *verdict == Verdict::Notchecked));
    Ok(())
}

fn export(site: &Site) -> Result<String> {
    let program = Program::new(agent::binary()?).args(["export", "-o"]).args([site.path("ours.xml")]);
    program.output()
}
