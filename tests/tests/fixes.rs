//! The shell fixes of content, run as data: what they would change is a plan, and nothing they do reaches anything. Needs root and a
//! Debian root tree, some tests also oscap.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use e2e::agent;
use e2e::command::Program;
use e2e::content::Content;
use e2e::root::Root;
use serde_json::Value;

/// Content of rules that always fail, each with this script as its fix.
fn content(dir: &Path, fixes: &[(&str, &str)]) -> Result<()> {
    const OVAL: &str = "<oval_definitions xmlns='http://oval.mitre.org/XMLSchema/oval-definitions-5' \
        xmlns:unix='http://oval.mitre.org/XMLSchema/oval-definitions-5#unix'>\n\
        <generator><schema_version xmlns='http://oval.mitre.org/XMLSchema/oval-common-5'>5.11</schema_version>\
        <timestamp xmlns='http://oval.mitre.org/XMLSchema/oval-common-5'>2025-01-01T00:00:00</timestamp></generator>\n\
        <definitions>\n<definition id='oval:x:def:1' version='1' class='compliance'>\n\
        <metadata><title>t</title><description>d</description></metadata>\n\
        <criteria><criterion test_ref='oval:x:tst:1'/></criteria></definition>\n</definitions>\n\
        <tests>\n<unix:file_test id='oval:x:tst:1' version='1' check='all' check_existence='at_least_one_exists' comment='c'>\
        <unix:object object_ref='oval:x:obj:1'/></unix:file_test>\n</tests>\n\
        <objects>\n<unix:file_object id='oval:x:obj:1' version='1'><unix:filepath>/etc/trempe-none</unix:filepath></unix:file_object>\n</objects>\n\
        </oval_definitions>\n";
    let rule = |(name, script): &(&str, &str)| {
        let script = script.replace('&', "&amp;").replace('<', "&lt;");
        format!(
            "<Rule id='xccdf_test_rule_{name}' selected='true'><title>{name}</title>\
             <fix system='urn:xccdf:fix:script:sh'>{script}</fix>\
             <check system='http://oval.mitre.org/XMLSchema/oval-definitions-5'>\
             <check-content-ref href='oval.xml' name='oval:x:def:1'/></check></Rule>\n"
        )
    };
    let benchmark = format!(
        "<Benchmark xmlns='http://checklists.nist.gov/xccdf/1.2' id='xccdf_test_benchmark_b' resolved='1'>\n\
         <status>draft</status><title>t</title><version>1</version>\n{}</Benchmark>\n",
        fixes.iter().map(rule).collect::<String>()
    );
    fs::write(dir.join("oval.xml"), OVAL)?;
    Ok(fs::write(dir.join("content.xml"), benchmark)?)
}

/// What a plan of these fixes says on a plain Debian tree, which is only read.
fn plan(fixes: &[(&str, &str)], limit: u32) -> Result<Value> {
    let dir = tempfile::tempdir()?;
    content(dir.path(), fixes)?;
    let root = Root::named("debian12")?;
    let said = Program::new(agent::binary()?)
        .args([
            "plan",
            "--fixes",
            "content",
            "--format",
            "json",
            "--fix-limit",
            &limit.to_string(),
            "--content",
        ])
        .args([dir.path().join("content.xml").as_os_str(), "--root".as_ref(), root.path.as_os_str()])
        .accept(&[0, 2])
        .output()?;
    Ok(serde_json::from_str::<Value>(&said)?["plan"].take())
}

/// By rule: what is said in one field of the entries of a list.
fn by_rule(list: &Value, field: &str) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for entry in list.as_array().into_iter().flatten() {
        let text = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
        found.entry(text("rule")).or_default().push(text(field));
    }
    found
}

#[test]
fn what_a_fix_writes_is_planned_and_the_next_builds_on_it() -> Result<()> {
    let plan = plan(
        &[
            ("a_new", "umask 077; mkdir /etc/x; chmod 750 /etc/x; echo one > /etc/x/f; ln -s f /etc/x/l"),
            ("b_next", "grep -q one /etc/x/f && echo two >> /etc/x/f"),
            (
                "c_old",
                "sed -i 's/.*/changed/' /etc/hostname; chmod 600 /etc/hostname; rm /etc/issue.net; touch /etc/fstab",
            ),
            (
                "d_called",
                "/usr/bin/systemctl stop cron; systemctl mask --now cron.service; apt-get -y remove sudo",
            ),
            ("e_package", "apt-get -o X=1 install -y nothere && echo x > /etc/nothere.conf"),
            (
                "f_hidden",
                "systemctl is-enabled cron; [ \"$(systemctl is-enabled cron)\" = masked ] && echo ok > /etc/seen",
            ),
            ("g_nothing", "echo all is well"),
            ("h_obstacle", "echo x > /etc/lost; mount none /mnt; head -c 9 /dev/urandom > /etc/noise"),
            ("i_lost", "[ -e /etc/lost ] || echo gone > /etc/gone"),
        ],
        60,
    )?;
    let steps = by_rule(&plan["steps"], "sentence");
    let said = |rule: &str| steps.get(rule).map(|all| all.join("; ")).unwrap_or_default();
    ensure!(
        said("a_new") == "create directory /etc/x with mode 0750; write /etc/x/f; link /etc/x/l to f",
        "{plan:#}"
    );
    ensure!(said("b_next") == "write /etc/x/f", "{plan:#}");
    let diff = &by_rule(&plan["steps"], "diff")["b_next"][0];
    ensure!(diff.contains(" one\n+two\n"), "{diff}");
    ensure!(
        said("c_old") == "write /etc/hostname; set mode 0600 of /etc/hostname; remove /etc/issue.net",
        "{plan:#}"
    );
    ensure!(said("d_called") == "remove sudo; stop and mask cron.service", "{plan:#}");
    ensure!(said("e_package") == "install nothere", "{plan:#}");
    ensure!(said("f_hidden") == "write /etc/seen", "{plan:#}");
    ensure!(said("i_lost") == "write /etc/gone", "{plan:#}");
    let left = by_rule(&plan["manual"], "reason");
    ensure!(left["g_nothing"] == ["its fix changes nothing here (all is well)"], "{plan:#}");
    ensure!(
        left["h_obstacle"][0].contains("'mount none /mnt'") && left["h_obstacle"][0].contains("/etc/noise"),
        "{plan:#}"
    );
    ensure!(by_rule(&plan["deferred"], "reason").contains_key("e_package"), "{plan:#}");
    Ok(())
}

/// Each writes the names of its ways out that were open to `/etc/escaped`.
const ESCAPES: &str = "try() { \"$@\" >/dev/null 2>&1 && echo \"$*\" >> /etc/escaped; }\n\
    try /run/trempe/real/usr+bin+mount -t tmpfs none /mnt; try chmod 700 /usr/bin/mount\n\
    try mknod /etc/disk b 8 0; try chroot /proc/1/root true; try nsenter -t 1 -m true; try unshare -m true\n\
    try sh -c 'echo x > /proc/sys/kernel/domainname'; try sh -c 'echo b > /proc/sysrq-trigger'\n\
    try sh -c 'echo x > /sys/power/state'; try sh -c 'echo x > /proc/1/oom_score_adj'\n\
    try ls /proc/1/root/etc; try hostname escaped; try date -s 2001-01-01; try dmesg -C\n\
    try bash -c 'echo > /dev/tcp/127.0.0.1/22'; try bash -c 'echo > /dev/udp/8.8.8.8/53'\n\
    try chattr +i /etc/hostname; try ls /var/lib/trempe/runs; try test -e /dev/vda; try test -e /run/udev\n\
    echo tried > /etc/tried";

#[test]
fn hostile_fixes_are_contained_and_told() -> Result<()> {
    let begun = Instant::now();
    let host = fs::read_to_string("/proc/sys/kernel/hostname")?;
    let tree = Root::named("debian12")?.path;
    let mut bystander = Command::new("sleep").arg("600").spawn()?;
    let plan = plan(
        &[
            ("a_loops", "while :; do :; done"),
            ("b_sleeps", "trap '' TERM INT HUP; echo x > /etc/half; sleep 31415 & sleep 31415"),
            ("c_bomb", "f() { f | f & }; f; sleep 60"),
            ("d_fills", "dd if=/dev/zero of=/etc/big bs=1M"),
            ("e_kills", "kill -9 -1; echo survived > /etc/survived"),
            ("f_eats", "a=x; while :; do a=$a$a$a; b=$b$a; done"),
            ("g_leaves", "setsid sleep 27182 >/dev/null 2>&1 & echo left > /etc/left"),
            ("h_escapes", ESCAPES),
            ("i_fails", "echo x > /etc/failed; exit 3"),
            ("j_floods", "head -c 30000000 /dev/zero | tr '\\0' x; echo x > /etc/flooded"),
            ("k_after", "cat /etc/half /etc/big; echo fine > /etc/after"),
        ],
        5,
    )?;
    let left = by_rule(&plan["manual"], "reason");
    let why = |rule: &str| left.get(rule).map(|all| all.join("; ")).unwrap_or_default();
    for (rule, sign) in [
        ("a_loops", "did not end within"),
        ("b_sleeps", "did not end within 5 seconds"),
        ("c_bomb", "was stopped"),
        ("d_fills", "filled the disk"),
    ] {
        ensure!(why(rule).contains(sign), "{rule}: {plan:#}");
    }
    // The limit that it meets first, or the end of what bash gets: it depends on how fast the machine is.
    let eaten = ["was stopped", "changes nothing here"];
    ensure!(eaten.iter().any(|sign| why("f_eats").contains(sign)), "{plan:#}");
    ensure!(bystander.try_wait()?.is_none(), "a process outside was killed");
    bystander.kill()?;
    bystander.wait()?;
    let steps = by_rule(&plan["steps"], "sentence");
    for rule in ["a_loops", "b_sleeps", "c_bomb", "d_fills", "f_eats"] {
        ensure!(!steps.contains_key(rule), "{rule}: {plan:#}");
    }
    for (rule, sentence) in [
        ("e_kills", "write /etc/survived"),
        ("g_leaves", "write /etc/left"),
        ("h_escapes", "write /etc/tried"),
        ("i_fails", "write /etc/failed"),
        ("j_floods", "write /etc/flooded"),
        ("k_after", "write /etc/after"),
    ] {
        ensure!(steps.get(rule).is_some_and(|all| *all == [sentence]), "{rule}: {plan:#}");
    }
    ensure!(fs::read_to_string("/proc/sys/kernel/hostname")? == host, "the host name was changed");
    for name in ["half", "big", "left", "tried", "after", "disk"] {
        ensure!(!tree.join("etc").join(name).exists(), "{name} is in the tree");
    }
    ensure!(running("31415").is_empty() && running("27182").is_empty(), "processes were left");
    ensure!(begun.elapsed() < Duration::from_secs(400), "it took {:?}", begun.elapsed());
    Ok(())
}

/// The processes of this machine whose last argument is this.
fn running(argument: &str) -> Vec<String> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let lines = processes.filter_map(|process| fs::read_to_string(process.path().join("cmdline")).ok());
    lines.filter(|line| line.trim_end_matches('\0').ends_with(argument)).collect()
}

#[test]
fn an_agent_that_is_killed_leaves_no_process() -> Result<()> {
    let dir = tempfile::tempdir()?;
    content(dir.path(), &[("sleeps", "sleep 16180 & sleep 16180")])?;
    let root = Root::named("debian12")?;
    let mut plan = Command::new(agent::binary()?)
        .args(["plan", "--fixes", "content", "--content"])
        .args([dir.path().join("content.xml").as_os_str(), "--root".as_ref(), root.path.as_os_str()])
        .stdout(Stdio::null())
        .spawn()?;
    let until = |wanted: bool| {
        let begun = Instant::now();
        while running("16180").is_empty() == wanted && begun.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_millis(50));
        }
        running("16180").is_empty() != wanted
    };
    let began = until(true);
    plan.kill()?;
    plan.wait()?;
    ensure!(began, "the fix was not started");
    ensure!(until(false), "it runs on: {:?}", running("16180"));
    Ok(())
}

/// Runs the agent on a writable view of a plain Debian tree, then what `check` says in it; gives what that wrote.
fn on_a_copy(fixes: &[(&str, &str)], lines: &str) -> Result<String> {
    let dir = tempfile::tempdir()?;
    content(dir.path(), fixes)?;
    let root = Root::named("debian12")?;
    let view = "set -e; mkdir \"$DIR/m\"; mount -t tmpfs none \"$DIR/m\"; cd \"$DIR/m\"; mkdir u w t; \
        mount -t overlay -o \"lowerdir=$ROOT,upperdir=$DIR/m/u,workdir=$DIR/m/w\" none t; TREE=$DIR/m/t; \
        state() { (cd \"$TREE\" && find etc usr/lib/systemd -printf '%p %m %U:%G %l\\n' -type f -exec sha256sum {} + | sort -u); }; ";
    Program::new("unshare")
        .args(["--mount", "bash", "-c", &format!("{view}{lines}")])
        .env("AGENT", agent::binary()?)
        .env("DIR", dir.path())
        .env("ROOT", &root.path)
        .output()
}

/// By rule: what is said in one list of texts of the rules of a report.
fn texts_by_rule(report: &Value, field: &str) -> BTreeMap<String, Vec<String>> {
    let texts = |rule: &Value| {
        let texts = rule[field].as_array().into_iter().flatten().filter_map(Value::as_str);
        texts.map(str::to_owned).collect::<Vec<_>>()
    };
    let rules = report["rules"].as_array().into_iter().flatten();
    let all = rules.map(|rule| (rule["id"].as_str().unwrap_or_default().to_owned(), texts(rule)));
    all.filter(|(_, texts)| !texts.is_empty()).collect()
}

/// The files that a step is about. A unit that is masked is a link, and is not wanted any more by what wanted it.
fn files_of(step: &Value) -> Vec<String> {
    let text = |name: &str| step["change"][name].as_str();
    match text("unit") {
        Some(unit) => {
            ["", "multi-user.target.wants/"].map(|at| format!("etc/systemd/system/{at}{unit}")).into()
        }
        None => text("path").map(|path| path.trim_start_matches('/').to_owned()).into_iter().collect(),
    }
}

#[test]
fn an_apply_does_what_the_plan_said_and_a_rollback_takes_all_of_it_back() -> Result<()> {
    let said = on_a_copy(
        &[
            ("a_new", "mkdir /etc/x; echo one > /etc/x/f; ln -s f /etc/x/l; chown 1:2 /etc/x/f"),
            ("b_old", "sed -i 's/.*/changed/' /etc/hostname; chmod 600 /etc/hostname; rm /etc/issue.net"),
            ("c_link", "ln -sf /dev/null /etc/issue"),
            ("d_unit", "systemctl mask cron.service"),
            ("e_met", "touch /etc/trempe-none"),
        ],
        "state > before; agent() { \"$AGENT\" $1 $2 --fixes content --content \"$DIR/content.xml\" --root \"$TREE\" --format json || true; }; \
         echo '== plan'; agent plan; state > planned; echo '== of the plan'; diff before planned || true; \
         echo '== apply'; agent apply --yes; state > applied; \
         echo '== changed'; diff before applied | awk '/^[<>]/ { print length($2) == 64 ? $3 : $2 }' | sort -u; \
         echo '== state'; cat t/etc/hostname t/etc/x/l; readlink t/etc/x/l t/etc/issue t/etc/systemd/system/cron.service; \
         stat -c '%u:%g' t/etc/x/f; ls t/etc/issue.net 2>/dev/null || true; \
         \"$AGENT\" rollback --root \"$TREE\" >/dev/null; state > after; diff before after && echo the same",
    )?;
    let parts: BTreeMap<&str, &str> = said.split("== ").filter_map(|part| part.split_once('\n')).collect();
    let part = |name: &str| parts.get(name).copied().with_context(|| format!("no {name} in {said}"));
    ensure!(part("of the plan")?.is_empty(), "a plan changes: {said}");
    let plan: Value = serde_json::from_str(part("plan")?)?;
    let report: Value = serde_json::from_str(part("apply")?)?;
    let planned = by_rule(&plan["plan"]["steps"], "sentence");
    ensure!(planned.len() == 5 && texts_by_rule(&report, "changes") == planned, "{plan:#}\n{report:#}");
    ensure!(report["summary"]["fixed"] == 5, "{report:#}");
    // Every file that is another one afterwards was named, and no other.
    let steps = plan["plan"]["steps"].as_array().into_iter().flatten();
    let named: BTreeSet<String> = steps.flat_map(files_of).collect();
    let changed: BTreeSet<String> = part("changed")?.lines().map(str::to_owned).collect();
    ensure!(named == changed && named.len() == 9, "planned {named:?}, changed {changed:?}");
    let lines: Vec<&str> = part("state")?.lines().collect();
    let expected = ["changed", "one", "f", "/dev/null", "/dev/null", "1:2", "the same"];
    ensure!(lines == expected, "{said}");
    Ok(())
}

/// What oscap writes for a rule, by full id, and what we write.
fn sections(script: &str) -> BTreeMap<String, String> {
    let parts = script.split("# BEGIN fix (").skip(1);
    let part = |part: &str| {
        let id = part.split('\'').nth(1)?.to_owned();
        let text = part.split_once("\")\n")?.1.split("# END fix").next()?.trim_end().to_owned();
        Some((id, text))
    };
    parts.filter_map(part).collect()
}

#[test]
fn fixes_are_written_out_as_oscap_writes_them() -> Result<()> {
    let content = Content::find("debian12")?;
    let profile = "cis_level1_server";
    let list = |system: &str| {
        Program::new(agent::binary()?)
            .args(["list", "fixes", "--profile", profile, "--system", system, "--content"])
            .args([&content.path])
            .output()
    };
    let generate = |kind: &str| {
        Program::new("oscap")
            .args(["xccdf", "generate", "fix", "--fix-type", kind, "--profile"])
            .args([format!("xccdf_org.ssgproject.content_profile_{profile}").as_str()])
            .args([&content.path])
            .output()
    };
    let (ours, theirs) = (sections(&list("sh")?), sections(&generate("bash")?));
    ensure!(theirs.len() > 300, "oscap wrote {} fixes", theirs.len());
    for (rule, text) in &theirs {
        let own = ours.get(rule).with_context(|| format!("{rule} is missing"))?;
        ensure!(own == text, "{rule}:\n{own}\n---\n{text}");
    }
    ensure!(ours.len() == theirs.len(), "{} fixes, oscap has {}", ours.len(), theirs.len());
    let tasks = |text: &str| {
        let lines = text.lines().map(str::trim_end).filter(|line| !line.is_empty() && !line.starts_with('#'));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    ensure!(tasks(&list("ansible")?) == tasks(&generate("ansible")?), "the playbooks differ");
    Ok(())
}

/// What comes of all shell fixes of an operating system's content on a tree: each of them is run, whatever the rule's verdict.
struct Through {
    /// How many there are.
    all: usize,
    /// Rules with changes, and how many changes.
    changes: BTreeMap<String, usize>,
    /// Rules without, and why.
    left: BTreeMap<String, String>,
    /// Rules that are decided once a package is there.
    waiting: BTreeSet<String>,
    took: Duration,
}

impl Through {
    /// Runs every `each`th of them.
    fn of(os: &str, profile: &str, tree: &str, each: usize) -> Result<Through> {
        let content_of = Content::find(os)?;
        let rules: Vec<String> = content_of.benchmark()?.rules().map(|rule| rule.head.id.clone()).collect();
        let wanted = rules.iter().flat_map(|rule| ["--rule", rule.as_str()]);
        let json = Program::new(agent::binary()?)
            .args(["list", "fixes", "--format", "json", "--profile", profile, "--content"])
            .args([&content_of.path])
            .args(wanted)
            .output()?;
        let listed: Vec<Value> = serde_json::from_str(&json)?;
        let fix =
            |own: &Value| Some((short(own["rule"].as_str()?).to_owned(), own["text"].as_str()?.to_owned()));
        let fixes: Vec<(String, String)> = listed.iter().filter_map(fix).step_by(each).collect();
        let borrowed: Vec<(&str, &str)> =
            fixes.iter().map(|(rule, text)| (rule.as_str(), text.as_str())).collect();
        let dir = tempfile::tempdir()?;
        content(dir.path(), &borrowed)?;
        let root = Root::named(tree)?;
        let begun = Instant::now();
        let said = Program::new(agent::binary()?)
            .args(["plan", "--fixes", "content", "--format", "json", "--content"])
            .args([dir.path().join("content.xml").as_os_str(), "--root".as_ref(), root.path.as_os_str()])
            .accept(&[0, 2])
            .output()?;
        let took = begun.elapsed();
        let plan = serde_json::from_str::<Value>(&said)?["plan"].take();
        let changes =
            by_rule(&plan["steps"], "sentence").into_iter().map(|(rule, all)| (rule, all.len())).collect();
        let left = by_rule(&plan["manual"], "reason")
            .into_iter()
            .map(|(rule, all)| (rule, all.join("; ")))
            .collect();
        let waiting = by_rule(&plan["deferred"], "reason").into_keys().collect();
        Ok(Through { all: fixes.len(), changes, left, waiting, took })
    }

    /// How many were told of, whatever comes of them.
    fn settled(&self) -> usize {
        let rules = self.changes.keys().chain(self.left.keys()).chain(&self.waiting);
        rules.collect::<BTreeSet<_>>().len()
    }

    /// Those that wait, and have no changes before.
    fn wait(&self) -> usize {
        self.waiting.iter().filter(|rule| !self.changes.contains_key(*rule)).count()
    }

    /// Those without changes for a reason that holds.
    fn count(&self, holds: impl Fn(&str) -> bool) -> usize {
        self.left.iter().filter(|(rule, reason)| !self.changes.contains_key(*rule) && holds(reason)).count()
    }

    /// The table, with the obstacles.
    fn tell(&self, os: &str) -> String {
        let nothing = self.count(|reason| reason.contains("changes nothing here"));
        let stopped = self.count(|reason| reason.contains("was stopped"));
        let obstacle = self.count(|reason| reason.contains("cannot be planned"));
        let mut lines = vec![format!(
            "| {os} | {} | {} | {nothing} | {} | {obstacle} | {stopped} | {:.0} s |",
            self.all,
            self.changes.len(),
            self.wait(),
            self.took.as_secs_f64()
        )];
        let told = |reason: &str| !reason.contains("changes nothing here");
        lines.extend(
            self.left.iter().filter(|(_, why)| told(why)).map(|(rule, why)| format!("{rule}: {why}")),
        );
        lines.join("\n")
    }
}

fn short(id: &str) -> &str {
    id.split_once("_rule_").map_or(id, |(_, short)| short)
}

#[test]
fn a_sample_of_the_content_s_fixes_goes_through_the_sandbox() -> Result<()> {
    let through = Through::of("debian12", "standard", "debian12", 23)?;
    println!("{}", through.tell("debian12"));
    ensure!(through.all >= 30, "only {} fixes", through.all);
    ensure!(through.count(|reason| reason.contains("was stopped")) == 0, "{}", through.tell("debian12"));
    let settled = through.settled();
    ensure!(settled == through.all, "of {} fixes {settled} were told of", through.all);
    ensure!(through.changes.len() * 5 >= through.all, "{}", through.tell("debian12"));
    Ok(())
}

/// Prints what comes of each; see docs/content.md.
#[test]
fn all_fixes_of_the_content_go_through_the_sandbox_matrix() -> Result<()> {
    println!("| content | shell fixes | changes | nothing to change | waits | obstacle | stopped | time |");
    for (os, profile) in [("debian12", "standard"), ("rhel9", "cis")] {
        let through = Through::of(os, profile, os, 1)?;
        println!("{}", through.tell(os));
        let settled = through.settled();
        ensure!(settled == through.all, "of {} fixes of {os} {settled} were told of", through.all);
        ensure!(through.all >= 650, "only {} fixes of {os}", through.all);
        ensure!(through.count(|reason| reason.contains("was stopped")) == 0, "{os}: some were stopped");
        ensure!(through.changes.len() * 5 >= through.all, "{os}: only {} change", through.changes.len());
    }
    Ok(())
}
