//! Reports, read by those they are for: SARIF by its schema, JUnit by Jenkins' schema, metrics by Prometheus' own client, CSV by a strict
//! reader, XCCDF and ARF by oscap, pages by Chromium. Of a small machine, and of one that says hostile things everywhere.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use e2e::agent;
use e2e::cache::checkout;
use e2e::command::Program;
use serde_json::Value;
use tempfile::TempDir;

/// Where `.ci/setup` puts the schemas of others.
const SCHEMAS: &str = "/opt/report-schemas";
const PYTHON: &str = "/usr/bin/python3";

/// What no document may be broken by; without what a line of a file ends at.
const HOSTILE: &str =
    "</script><img src=x onerror=ran=1><script>ran=1</script>\",'`|=1+1\u{1b}[2J\u{202e}]]>&lt;\\";

/// A machine in a directory, with one exception that holds and one that is over.
struct Site {
    dir: TempDir,
}

impl Site {
    fn new(name: &str, said: &str) -> Result<Site> {
        let site = Site { dir: tempfile::tempdir()? };
        let write = |path: &str, text: &str| -> Result<()> {
            let path = site.path("root").join(path);
            fs::create_dir_all(path.parent().context("a path")?)?;
            Ok(fs::write(path, text)?)
        };
        write("etc/hostname", name)?;
        write("etc/machine-id", "0123456789abcdef0123456789abcdef\n")?;
        write("etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n")?;
        write(
            "etc/ssh/sshd_config",
            &format!("PermitRootLogin {said}\nMaxAuthTries {said}\nBanner {said}\n"),
        )?;
        write("etc/issue", &format!("{said}\r\n\r{said}\0\n\u{2028}{said}\n"))?;
        write("etc/sysctl.conf", &format!("kernel.randomize_va_space = {said}\n"))?;
        let package = |name: &str| format!("Package: {name}\nStatus: install ok installed\nVersion: 1\n\n");
        write("var/lib/dpkg/status", &["linux-base", "openssh-server"].map(package).concat())?;
        for (rule, until, file) in
            [("sshd_disable_rhosts", "2999-01-01", "a.xml"), ("sshd_set_idle_timeout", "2020-01-01", "b.xml")]
        {
            let reason =
                if said.contains('<') { HOSTILE.replace('\u{1b}', "") } else { "old clients".to_owned() };
            Program::new(agent::binary()?)
                .args([
                    "tailor",
                    "--tier",
                    "strict",
                    "--product",
                    "debian12",
                    "--except",
                    rule,
                    "--reason",
                    &reason,
                ])
                .args(["--owner", &reason, "--until", "2999-01-01", "-o"])
                .args([site.path(file)])
                .run()?;
            // No exception is made for a day that is over; it becomes one with time.
            let text = fs::read_to_string(site.path(file))?;
            fs::write(site.path(file), text.replace("2999-01-01", until))?;
        }
        Ok(site)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Audits, with a report in every format.
    fn audit(&self) -> Result<Value> {
        let mut program = Program::new(agent::binary()?)
            .args(["audit", "--no-config", "--root"])
            .args([self.path("root")])
            .args(["--tailoring"])
            .args([self.path("a.xml")])
            .args(["--tailoring"])
            .args([self.path("b.xml")])
            .accept(&[1, 2]);
        for (format, name) in [
            ("json", "r.json"),
            ("html", "r.html"),
            ("xccdf", "r.xccdf.xml"),
            ("arf", "r.arf.xml"),
            ("junit", "r.junit.xml"),
            ("sarif", "r.sarif"),
            ("csv", "r.csv"),
            ("prometheus", "r.prom"),
            ("markdown", "r.md"),
        ] {
            program = program.args([format!("--report={format}={}", self.path(name).display())]);
        }
        let output = program.run()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(!said.contains("agent: "), "{said}");
        Ok(serde_json::from_slice(&fs::read(self.path("r.json"))?)?)
    }

    /// Plans or makes what two rules call for, with a page about it.
    fn changed(&self, words: &[&str], page: &Path) -> Result<()> {
        let (file, root) = (page.as_os_str(), self.path("root"));
        let program =
            Program::new(agent::binary()?).args(words).args([file, "--root".as_ref(), root.as_os_str()]);
        let rules = [
            "--no-config",
            "--tier",
            "standard",
            "--rule",
            "sshd_disable_root_login",
            "--rule",
            "sshd_set_max_auth_tries",
        ];
        program.args(rules).accept(&[0, 1, 2]).run()?;
        ensure!(fs::read_to_string(page)?.contains("class=diff"), "{}: no diff", page.display());
        Ok(())
    }

    /// Has every consumer read its report; what they read.
    fn read(&self) -> Result<Value> {
        let run = |program: &str, words: &[&str]| -> Result<String> {
            let words = words.iter().map(|word| word.replace("DIR", &self.dir.path().display().to_string()));
            Program::new(program).args(words).output()
        };
        run("oscap", &["xccdf", "validate", "--skip-schematron", "DIR/r.xccdf.xml"])?;
        run("oscap", &["ds", "rds-validate", "DIR/r.arf.xml"])?;
        run("oscap", &["xccdf", "generate", "report", "--output", "DIR/oscap.html", "DIR/r.arf.xml"])?;
        run("xmllint", &["--noout", "--schema", &format!("{SCHEMAS}/junit-jenkins.xsd"), "DIR/r.junit.xml"])?;
        let readers = checkout().join("tests/lab/readers.py");
        let said = run(PYTHON, &[&readers.to_string_lossy(), SCHEMAS, "DIR"])?;
        Ok(serde_json::from_str(&said)?)
    }
}

/// Opens pages in Chromium and uses them.
fn browse(shots: &Path, pages: &[(&str, &Path)]) -> Result<()> {
    let pages = pages.iter().map(|(kind, path)| format!("{kind}={}", path.display()));
    let script = checkout().join("tests/lab/page.py");
    println!("{}", Program::new(PYTHON).args([script.as_path(), shots]).args(pages).output()?);
    Ok(())
}

/// Where screenshots go: `$TREMPE_SHOTS` for who wants to look at them.
fn shots(site: &Site) -> PathBuf {
    std::env::var_os("TREMPE_SHOTS").map_or_else(|| site.dir.path().to_owned(), PathBuf::from)
}

#[test]
fn every_reader_reads_the_same() -> Result<()> {
    for (name, said) in
        [("web1", "yes".to_owned()), (HOSTILE, format!("{HOSTILE}{}", "<b>&".repeat(1 << 18)))]
    {
        let site = Site::new(name, &said)?;
        let report = site.audit()?;
        let read = site.read().with_context(|| format!("the reports of {name:?}"))?;
        let summary = &report["summary"];
        for (verdict, count) in summary.as_object().context("a summary")? {
            if verdict == "notselected" || verdict == "notchecked" {
                continue; // only those that are excepted are told; informational ones count as the other
            }
            let count_of = |format: &str| read[format][verdict].as_u64().unwrap_or(0);
            ensure!(count_of("csv") == count.as_u64().unwrap_or(0), "{verdict} in CSV: {read} {summary}");
            ensure!(count_of("prometheus") == count.as_u64().unwrap_or(0), "{verdict} in metrics: {read}");
        }
        ensure!(read["csv"]["notselected"] == 1, "the rule that is excepted: {read}");
        ensure!(read["suppressed"] == 1, "{read}");
        ensure!(read["exceptions"] == serde_json::json!({"active": 1, "expired": 1}), "{read}");
        ensure!(
            read["sarif"]["fail"] == summary["fail"] && summary["fail"].as_u64() > Some(3),
            "{read} {summary}"
        );
        let deviates = ["fail", "error", "unknown"].iter().filter_map(|verdict| summary[verdict].as_u64());
        ensure!(read["deviates"] == deviates.sum::<u64>(), "{read} {summary}");
        let oscap = fs::read_to_string(site.path("oscap.html"))?;
        ensure!(oscap.contains("sshd_disable_root_login"), "oscap's report names the rule");
    }
    Ok(())
}

#[test]
fn pages_work_in_a_browser() -> Result<()> {
    let plain = Site::new("web1", "yes")?;
    let report = plain.audit()?;
    let hostile = Site::new(HOSTILE, &format!("{HOSTILE}{}", "<b>".repeat(1 << 18)))?;
    let bad = hostile.audit()?;
    let size = fs::metadata(plain.path("r.html"))?.len();
    println!("the page of {} rules has {size} bytes", report["rules"].as_array().map_or(0, Vec::len));
    ensure!(size < 600_000, "the page has {size} bytes");

    let results = plain.path("results");
    machines(&report, &results, 199)?;
    let one = serde_json::to_vec(&bad)?;
    fs::write(results.join("hostile.json"), one)?;
    let fleet = |directory: &Path, page: &str| -> Result<PathBuf> {
        let page = plain.path(page);
        let program = Program::new(agent::binary()?).args(["report", "--format", "html"]).args([directory]);
        program.args(["--output"]).args([&page]).accept(&[2]).run()?;
        Ok(page)
    };
    let many = fleet(&results, "fleet.html")?;
    let strange = plain.path("strange");
    fs::create_dir(&strange)?;
    fs::copy(
        results.join("hostile.json"),
        strange.join(format!("{}.json", HOSTILE.replace('/', "\u{2215}"))),
    )?;
    fs::copy(plain.path("r.arf.xml"), strange.join("ours.xml"))?;
    let strange = fleet(&strange, "strange.html")?;
    let hostile_page = hostile.path("r.html");
    let (planned, applied) = (plain.path("plan.html"), plain.path("apply.html"));
    plain.changed(&["plan", "--format", "html", "--output"], &planned)?;
    plain.changed(&["apply", "--yes", "--format", "html", "--output"], &applied)?;
    browse(
        &shots(&plain),
        &[
            ("rules", &plain.path("r.html")),
            ("fleet", &many),
            ("hostile", &hostile_page),
            ("hostile", &strange),
            ("diffs", &planned),
            ("diffs", &applied),
        ],
    )
}

/// Results of so many machines, made of one: each fails some rules more.
fn machines(report: &Value, directory: &Path, count: usize) -> Result<()> {
    fs::create_dir_all(directory)?;
    let mut report = report.clone();
    let original = report["rules"].clone();
    for n in 0..count {
        report["rules"].clone_from(&original);
        report["host"]["name"] = format!("machine-{n:03}").into();
        report["host"]["machine_id"] = format!("{n:032x}").into();
        report["policy"]["tier"] =
            ["light", "standard", "strict"].get(n % 3).copied().unwrap_or_default().into();
        let rules = report["rules"].as_array_mut().context("rules")?;
        let mut fail = 0;
        for (place, rule) in rules.iter_mut().enumerate() {
            // Spread as one multiplies, the same each time.
            let turn = (n * 2_654_435_761 + place * 40_503) % 97;
            if rule["result"] == "notapplicable" && turn > n % 50 {
                rule["result"] = "pass".into();
            } else if rule["result"] == "notapplicable" && turn < n % 23 {
                rule["result"] = "fail".into();
            }
            fail += u64::from(rule["result"] == "fail");
        }
        report["summary"]["fail"] = fail.into();
        report["score"]["value"] = (100.0 - fail as f64 / 4.0).max(0.0).into();
        fs::write(directory.join(format!("{n:05}.json")), serde_json::to_vec(&report)?)?;
    }
    Ok(())
}

/// Merges the results in a directory; the peak of memory in KiB, and the seconds.
fn merged(directory: &Path, format: &str, output: &Path) -> Result<(u64, f64)> {
    let began = Instant::now();
    let program = Program::new("/usr/bin/time").args(["-f", "%M"]).args([agent::binary()?]);
    let program = program.args(["report", "--format", format, "--output"]).args([output, directory]);
    let said = program.accept(&[2]).run()?;
    let peak =
        String::from_utf8_lossy(&said.stderr).lines().filter_map(|line| line.trim().parse().ok()).next_back();
    Ok((peak.context("no figure of /usr/bin/time")?, began.elapsed().as_secs_f64()))
}

/// Merges so many machines in every format, and says what it took.
fn stays_flat(few: usize, many: usize, most_per_machine: u64) -> Result<()> {
    let site = Site::new("web1", "yes")?;
    let report = site.audit()?;
    machines(&report, &site.path("few"), few)?;
    machines(&report, &site.path("many"), many)?;
    for format in ["html", "csv", "json", "text"] {
        let output = site.path("fleet");
        let (small, _) = merged(&site.path("few"), format, &output)?;
        let (large, seconds) = merged(&site.path("many"), format, &output)?;
        let written = fs::metadata(&output)?.len() >> 20;
        println!(
            "{many} machines as {format}: {seconds:.1} s, peak {large} KiB ({few} machines: {small} KiB), {written} MiB written"
        );
        let more = large.saturating_sub(small) * 1024 / (many - few) as u64;
        ensure!(more < most_per_machine, "{format}: {more} bytes of memory for each machine");
    }
    Ok(())
}

#[test]
fn memory_does_not_grow_with_the_fleet() -> Result<()> {
    stays_flat(50, 400, 8_000)
}

#[test]
fn memory_does_not_grow_with_the_fleet_matrix() -> Result<()> {
    stays_flat(500, 10_000, 500)
}
