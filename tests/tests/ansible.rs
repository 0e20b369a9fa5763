//! The collection `trempe.hardening`: by Ansible's own tools, and at work on Debian trees, with the oldest and the newest Ansible.
//! Needs root and what `.ci/setup` installs below `/opt/ansible`. Booted machines: `machine_ansible.rs`.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use e2e::ansible::{AGES, Ansible, Inhabited, Play};
use e2e::command::Program;
use e2e::machine::Machine;
use e2e::root::Root;
use e2e::{agent, cache};
use serde_json::Value;

/// Rules of several kinds that can be ensured in a tree without a network and a kernel of its own.
const RULES: &str = "[banner_etc_issue_cis, disable_host_auth, sshd_disable_root_login, sshd_set_max_auth_tries, \
                     accounts_maximum_age_login_defs, accounts_umask_etc_profile, file_permissions_crontab]";
const PLAY: &str = "
- hosts: all
  gather_facts: false
  any_errors_fatal: true
  roles:
    - role: trempe.hardening.harden
      vars:
        harden_tier: standard
        harden_agent: AGENT
        harden_confirm_within: ''
        harden_rules: RULES
        harden_exceptions:
          - {rule: sshd_disable_root_login, reason: \"the backup's «clé»\", owner: ops@example.org, until: 2099-06-30}
        harden_host_exceptions: [{rule: package_telnetd_removed, reason: in a laboratory, owner: null, until: null}]
        harden_values: [{value: sshd_max_auth_tries_value, set: 3, reason: fewer, owner: null}]
        harden_tailoring: [one/site.xml, two/site.xml]
";
const APPLY: &str = "Make the machine what its tier asks for";

fn tree() -> Result<Inhabited> {
    Inhabited::new(Root::named("debian12")?.copy()?)
}

fn play(text: &str) -> Result<String> {
    Ok(text.replace("AGENT", &agent::binary()?.to_string_lossy()).replace("RULES", RULES))
}

/// Everything that is there, with the time when files were last touched in any way.
fn state(tree: &Inhabited) -> Result<BTreeSet<String>> {
    let own = "-path /root/.ansible -o -path /var/lib/trempe -o -path /var/log";
    let all = format!(
        "find / -xdev \\( {own} \\) -prune -o -type d -printf '%p %m %U:%G\\n' -o -printf '%p %y %m %U:%G %s %C@ %l\\n'"
    );
    Ok(tree.shell(&all)?.lines().map(str::to_owned).collect())
}

fn diff(left: &BTreeSet<String>, right: &BTreeSet<String>) -> Vec<String> {
    left.symmetric_difference(right).cloned().collect()
}

/// The changes and the diffs that a run told.
fn told(play: &Play) -> Result<(Value, Value)> {
    let said = play.task(APPLY)?;
    Ok((said["changes"].clone(), said["diff"].clone()))
}

/// Tailoring files of one name in two directories, and the rule that each excepts.
const TAILORED: [(&str, &str); 2] = [("one", "package_telnet_removed"), ("two", "package_nis_removed")];

fn tailored(ansible: &Ansible) -> Result<()> {
    for (directory, rule) in TAILORED {
        let directory = ansible.directory().join(directory);
        std::fs::create_dir_all(&directory)?;
        let words =
            ["tailor", "--tier", "standard", "--product", "debian12", "--reason", "ours", "--except", rule];
        Program::new(agent::binary()?).args(words).args(["-o"]).args([directory.join("site.xml")]).run()?;
    }
    Ok(())
}

/// Check mode changes nothing and says what the run does; a second run does nothing; the diff is shown; the exception is told.
fn hardened(ansible: &Ansible, tree: &Inhabited) -> Result<()> {
    let text = play(PLAY)?;
    tailored(ansible)?;
    let before = state(tree)?;
    let checked = ansible.play(&text, &["--check", "--diff"])?.good()?;
    ensure!(diff(&before, &state(tree)?).is_empty(), "check mode: {:#?}", diff(&before, &state(tree)?));
    let (changes, diffs) = told(&checked)?;
    let run = ansible.play(&text, &["--diff"])?.good()?;
    ensure!(told(&run)? == (changes.clone(), diffs), "{}\n---\n{}", checked.text, run.text);
    ensure!(changes.as_array().is_some_and(|changes| changes.len() >= 5), "{changes:#}");
    for line in ["+++ b/etc/issue", "+HostbasedAuthentication no", "+MaxAuthTries 3"] {
        ensure!(checked.text.contains(line) && run.text.contains(line), "{line}: {}", run.text);
    }
    let all = run.task(APPLY)?["exceptions"].as_array().context("exceptions")?;
    let of =
        |rule: &str| all.iter().find(|own| own["rule"] == rule).with_context(|| format!("{rule}: {all:#?}"));
    ensure!(TAILORED.iter().all(|(_, rule)| of(rule).is_ok()), "{all:#?}");
    let exception = of("sshd_disable_root_login")?;
    let expected = ["sshd_disable_root_login", "the backup's «clé»", "ops@example.org", "2099-06-30"];
    let found = ["rule", "reason", "owner", "until"].map(|key| exception[key].as_str().unwrap_or_default());
    ensure!(found == expected && exception["expired"] == false, "{exception}");
    ensure!(!tree.shell("cat /etc/ssh/sshd_config.d/00-trempe.conf")?.contains("PermitRootLogin"));

    // With the agent that is there now.
    let again = ansible.play(&text, &["--diff", "-e", "harden_agent="])?.good()?;
    ensure!(again.changed().is_empty() && again.text.contains("changed=0 "), "{}", again.text);
    // What the role wrote is what the agent understands: by itself it says the same.
    let own = tree.shell(
        "agent=/usr/local/sbin/agent; $agent audit --format json --rule sshd_disable_root_login | grep -c 2099-06-30
         $agent status --config > /dev/null && echo understood",
    );
    ensure!(own.as_deref().is_ok_and(|said| said == "1\nunderstood\n"), "{own:?}");
    Ok(())
}

const ROLLBACK: &str = "
- hosts: all
  gather_facts: false
  tasks:
    - {name: Stand, trempe.hardening.facts: {}}
    - name: Take back
      trempe.hardening.rollback: {executable: /usr/local/sbin/agent}
    - name: Keep one exception
      trempe.hardening.apply:
        tier: standard
        rules: [banner_etc_issue_cis, disable_host_auth]
        use_config: false
        exceptions: [{rule: banner_etc_issue_cis, reason: ours, until: 2099-01-01}]
      when: (taken | default('')) == 'back'
";

fn taken_back(ansible: &Ansible, tree: &Inhabited) -> Result<()> {
    let hardened = tree.shell("cat /etc/issue; ls /etc/ssh/sshd_config.d")?;
    let foreseen = ansible.play(ROLLBACK, &["--check"])?.good()?;
    ensure!(tree.shell("cat /etc/issue; ls /etc/ssh/sshd_config.d")? == hardened);
    let stand = &foreseen.task("Stand")?["ansible_facts"]["trempe"];
    ensure!(stand["last"]["tier"] == "standard" && stand["agent"] == "0.1.0", "{stand:#}");
    let taken = ansible.play(ROLLBACK, &[])?.good()?;
    let sentences = |play: &Play| Ok::<_, anyhow::Error>(play.task("Take back")?["changes"].to_string());
    ensure!(sentences(&foreseen)?.replace("would take back", "took back") == sentences(&taken)?);
    ensure!(taken.changed() == ["Take back"], "{}", taken.text);
    ensure!(tree.shell("cat /etc/issue")?.contains("Debian"));
    let again = ansible.play(ROLLBACK, &["-e", "taken=back"])?.good()?;
    ensure!(again.changed() == ["Keep one exception"], "{}", again.text);
    ensure!(tree.shell("cat /etc/issue")?.contains("Debian"));
    Ok(())
}

const MISTAKES: &str = "
- hosts: all
  gather_facts: false
  tasks:
    - {name: Absent, trempe.hardening.facts: {executable: /usr/local/sbin/agent}}
    - {name: Nothing to call, trempe.hardening.apply: {tier: light}, ignore_errors: true}
    - {name: Bring it, ansible.builtin.copy: {src: AGENT, dest: /usr/local/sbin/agent, mode: '0755'}}
    - {name: Present, trempe.hardening.facts: {}}
    - name: Unknown rule
      trempe.hardening.apply: {tier: light, exceptions: [{rule: banner_etc_isue_cis, reason: r}]}
      ignore_errors: true
    - name: Unknown key
      trempe.hardening.apply: {tier: light, exceptions: [{rule: banner_etc_issue_cis, reason: r, untill: x}]}
      ignore_errors: true
    - name: Too bad
      trempe.hardening.audit: {tier: standard, rules: [banner_etc_issue_cis], min_score: 50, full: true}
      ignore_errors: true
    - name: Not written, and errors are no matter
      trempe.hardening.audit: {tier: standard, reports: {html: /none/x.html}, fail_on_error: false, fail_on_expired: false}
      ignore_errors: true
    - name: Not written
      trempe.hardening.audit: {tier: standard, rules: [banner_etc_issue_cis], reports: {html: /none/x.html}}
      ignore_errors: true
    - name: Over
      trempe.hardening.audit:
        tier: standard
        rules: [banner_etc_issue_cis]
        exceptions: [{rule: banner_etc_issue_cis, reason: r, until: 2020-01-01}]
      ignore_errors: true
";

fn mistakes(ansible: &Ansible) -> Result<()> {
    let play = ansible.play(&play(MISTAKES)?, &[])?.good()?;
    // A playbook may ask for any fact, whether the agent is there or not.
    let facts = |task: &str| play.task(task).map(|told| told["ansible_facts"]["trempe"].clone());
    let names = |facts: &Value| facts.as_object().map(|own| own.keys().cloned().collect::<BTreeSet<_>>());
    let (absent, present) = (facts("Absent")?, facts("Present")?);
    ensure!(absent["agent"] == "" && present["agent"] != "", "{absent} {present}");
    ensure!(names(&absent) == names(&present), "{absent} {present}");
    for (task, message) in [
        ("Nothing to call", "the agent is not on this machine"),
        ("Unknown rule", "did you mean banner_etc_issue_cis"),
        ("Unknown key", "untill"),
        ("Too bad", "the score is 0.0, asked for is 50.0"),
        ("Not written", "/none/x.html"),
        ("Not written, and errors are no matter", "/none/x.html"),
        ("Over", "exceptions are over: banner_etc_issue_cis"),
    ] {
        let said = play.task(task)?["msg"].as_str().unwrap_or_default().to_owned();
        ensure!(said.contains(message), "{task}: {said}");
    }
    ensure!(play.task("Too bad")?["report"]["rules"].as_array().is_some_and(|rules| rules.len() > 100));
    Ok(())
}

/// A rule of others that a file decides, with its own fix.
const CONTENT: &str = r#"
mkdir -p /root/content
cat > /root/content/b.xml << 'END'
<Benchmark xmlns='http://checklists.nist.gov/xccdf/1.2' id='xccdf_org.example_benchmark_b'><status>draft</status><version>1</version>
<Profile id='xccdf_org.example_profile_own'><title>Own</title></Profile>
<Rule id='xccdf_org.example_rule_word' selected='true' severity='high'><title>A word is kept</title>
<fix system='urn:xccdf:fix:script:sh'>echo quench &gt; /etc/word</fix>
<check system='http://oval.mitre.org/XMLSchema/oval-definitions-5'><check-content-ref href='oval.xml' name='oval:x:def:1'/></check></Rule></Benchmark>
END
cat > /root/content/oval.xml << 'END'
<oval_definitions xmlns='http://oval.mitre.org/XMLSchema/oval-definitions-5' xmlns:ind='http://oval.mitre.org/XMLSchema/oval-definitions-5#independent'>
<definitions><definition id='oval:x:def:1' version='1' class='compliance'><metadata><title>d</title></metadata>
<criteria><criterion test_ref='oval:x:tst:1'/></criteria></definition></definitions>
<tests><ind:textfilecontent54_test id='oval:x:tst:1' version='1' check='all'><ind:object object_ref='oval:x:obj:1'/></ind:textfilecontent54_test></tests>
<objects><ind:textfilecontent54_object id='oval:x:obj:1' version='1'><ind:filepath>/etc/word</ind:filepath>
<ind:pattern operation='pattern match'>^quench$</ind:pattern><ind:instance datatype='int'>1</ind:instance></ind:textfilecontent54_object></objects></oval_definitions>
END
"#;
const BY_CONTENT: &str = "
- hosts: all
  gather_facts: false
  tasks:
    - name: By content
      trempe.hardening.apply: {content: /root/content/b.xml, profile: own, fixes: content}
    - name: Not both
      trempe.hardening.apply: {content: /root/content/b.xml, keep: [root]}
      ignore_errors: true
";

/// Content of others judges and mends; check mode predicts it, a second run does nothing.
fn by_content(ansible: &Ansible, tree: &Inhabited) -> Result<()> {
    tree.shell(CONTENT)?;
    let checked = ansible.play(BY_CONTENT, &["--check", "--diff"])?.good()?;
    ensure!(tree.shell("ls /etc/word 2>&1 || true")?.contains("No such file"));
    let run = ansible.play(BY_CONTENT, &["--diff"])?.good()?;
    for play in [&checked, &run] {
        let said = play.task("By content")?;
        ensure!(said["changed"] == true && said["diff"].to_string().contains("+quench"), "{said:#}");
        let refused = play.task("Not both")?["msg"].as_str().unwrap_or_default().to_owned();
        ensure!(refused.contains("mutually exclusive"), "{refused}");
    }
    let changes = |play: &Play| play.task("By content").map(|said| said["changes"].clone());
    ensure!(changes(&checked)? == changes(&run)?, "{:#}\n{:#}", changes(&checked)?, changes(&run)?);
    ensure!(tree.shell("cat /etc/word")? == "quench\n");
    ensure!(ansible.play(BY_CONTENT, &[])?.good()?.changed().is_empty());
    Ok(())
}

/// The playbooks that only look, and the one that takes back; the tags of the role, and the reports that it keeps.
fn by_playbooks(ansible: &Ansible, tree: &Inhabited) -> Result<()> {
    let kept = ansible.directory().join("kept");
    let words = |reports: &str| -> Result<Vec<String>> {
        let all = serde_json::json!({
            "harden_tier": "standard", "harden_reports": format!("kept/{reports}"), "harden_fleet": "kept/fleet.html",
            "harden_fleet_agent": agent::binary()?, "harden_agent": "", "harden_report_formats": ["html", "arf"],
        });
        Ok(vec!["-e".to_owned(), all.to_string()])
    };
    let play = |name: &str, reports: &str, further: &[&str]| {
        let words = words(reports)?;
        let words: Vec<&str> = words.iter().map(String::as_str).chain(further.iter().copied()).collect();
        ansible.play(&format!("trempe.hardening.{name}"), &words)
    };
    let files = |directory: &str| -> Result<BTreeSet<String>> {
        let entries = std::fs::read_dir(kept.join(directory))?;
        entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
    };
    let before = state(tree)?;
    std::fs::create_dir(&kept)?;
    // The page of the fleet is written though the play is limited to hosts that are not the controller, and though a machine is not good enough.
    play("audit", "audited", &["--limit", "tree"])?.good()?;
    let page = std::fs::read_to_string(kept.join("fleet.html"))?;
    ensure!(page.contains("<html") && page.contains("banner_etc_issue_cis"), "{page}");
    std::fs::remove_file(kept.join("fleet.html"))?;
    let checked = play("audit", "audited", &["--limit", "tree", "--check"])?.good()?;
    ensure!(kept.join("fleet.html").exists() && checked.changed().is_empty(), "{}", checked.text);
    std::fs::remove_file(kept.join("fleet.html"))?;
    let failed = play("audit", "audited", &["--limit", "tree", "-e", "harden_min_score=100"])?;
    ensure!(failed.code != 0 && failed.text.contains("asked for is 100.0"), "{}", failed.text);
    ensure!(kept.join("fleet.html").exists() && files("audited")? == ["tree.json".to_owned()].into());

    let audited = play("harden", "hardened", &["--tags", "audit"])?.good()?;
    ensure!(audited.task(APPLY).is_err(), "{}", audited.text);
    let expected = ["tree.arf", "tree.html", "tree.json"].map(str::to_owned).into();
    ensure!(files("hardened")? == expected, "{:?}", files("hardened")?);
    ensure!(std::fs::read_to_string(kept.join("hardened/tree.arf"))?.contains("asset-report-collection"));
    ensure!(diff(&before, &state(tree)?).is_empty(), "{:#?}", diff(&before, &state(tree)?));

    let foreseen = play("rollback", "", &["--check"])?.good()?;
    ensure!(diff(&before, &state(tree)?).is_empty(), "{:#?}", diff(&before, &state(tree)?));
    let taken = play("rollback", "", &[])?.good()?;
    ensure!(foreseen.changed() == ["Take it back"] && taken.changed() == ["Take it back"], "{}", taken.text);
    ensure!(tree.shell("ls /etc/word 2>&1 || true")?.contains("No such file"), "by_content is the last run");

    // The agent is found where the command is typed.
    let files = ansible.directory().join("files");
    std::fs::create_dir(&files)?;
    std::fs::copy(agent::binary()?, files.join("agent-x86_64"))?;
    tree.shell("rm /usr/local/sbin/agent")?;
    ansible.play("trempe.hardening.harden", &["--limit", "tree", "--tags", "agent"])?.good()?;
    ensure!(tree.shell("test -x /usr/local/sbin/agent && echo there")? == "there\n");
    Ok(())
}

/// A machine that does not come back stops the roll-out: those that come after it are left alone.
fn lost(ansible: &mut Ansible, tree: &Inhabited) -> Result<()> {
    ansible.tree("later", Some(tree))?;
    let before = state(tree)?;
    let binary = format!("harden_agent={}", agent::binary()?.display());
    let words = ["-e", &binary, "-e", "harden_confirm_within=", "-e", "{\"harden_serial\": 1}"];
    let play = ansible.play("trempe.hardening.harden", &words)?;
    ensure!(play.code != 0 && play.text.contains("lost before: lost"), "{}", play.text);
    ensure!(diff(&before, &state(tree)?).is_empty());
    Ok(())
}

/// Stands in for the agent, where nothing can wait to be confirmed: no systemd runs in a tree. Says what it was called with.
const CALLED: &str = r#"#!/bin/sh
echo "$1" >> /root/calls
case "$1" in
apply) echo '{"policy": {"tier": "light", "profile": "", "sha256": ""}, "score": {"value": 1}, "summary": {}, "run": "1", "rules": []}' ;;
status) echo '{"pending": {"run": "1"}}' ;;
esac
"#;

/// A host that is lost between its hardening and the new connection stops the roll-out, and its neighbour of the same batch is confirmed first.
#[test]
fn a_host_that_is_lost_leaves_its_neighbour_confirmed() -> Result<()> {
    for age in AGES {
        let (lost, neighbour) = (tree()?, tree()?);
        let mut ansible = Ansible::new(age)?;
        ansible.tree_until("lost", &lost, "/root/calls")?;
        ansible.tree("neighbour", Some(&neighbour))?;
        let agent = ansible.directory().join("called");
        std::fs::write(&agent, CALLED)?;
        let words =
            ["--tags", "agent,apply", "-e", "harden_patience=2", "-e", "{\"harden_serial\": 2}", "-e"];
        let agent = format!("harden_agent={}", agent.display());
        let play = ansible.play("trempe.hardening.harden", &[&words[..], &[agent.as_str()]].concat())?;
        ensure!(play.code != 0 && play.text.contains("lost"), "{age}: {}", play.text);
        let calls = |tree: &Inhabited| tree.shell("cat /root/calls");
        ensure!(calls(&lost)? == "apply\n", "{age}: {}", calls(&lost)?);
        ensure!(
            calls(&neighbour)? == "apply\nstatus\nconfirm\n",
            "{age}: {}{}",
            calls(&neighbour)?,
            play.text
        );
    }
    Ok(())
}

fn lives(age: &str, inhabited: Inhabited) -> Result<()> {
    let mut ansible = Ansible::new(age)?;
    ansible.tree("tree", Some(&inhabited))?;
    mistakes(&ansible)?;
    inhabited.shell("rm /usr/local/sbin/agent")?;
    hardened(&ansible, &inhabited)?;
    taken_back(&ansible, &inhabited)?;
    by_content(&ansible, &inhabited)?;
    by_playbooks(&ansible, &inhabited)?;
    let mut ansible = Ansible::new(age)?;
    ansible.tree("lost", None)?;
    lost(&mut ansible, &inhabited)
}

#[test]
fn a_tree_is_hardened_and_restored_by_the_oldest_ansible() {
    lives("oldest", tree().unwrap()).unwrap();
}

#[test]
fn a_tree_is_hardened_and_restored_by_the_newest_ansible() {
    lives("newest", tree().unwrap()).unwrap();
}

/// Where a Python 3.6 is installed, that of RHEL 8, in a directory of its own. Debian 12 has no package of it.
const PYTHON_3_6: &str = "TREMPE_PYTHON36";

/// The modules run with the real thing, brought by the older Ansible: the newest no longer goes to such hosts.
#[test]
fn the_python_of_rhel_8_is_enough_matrix() -> Result<()> {
    let python =
        std::env::var(PYTHON_3_6).with_context(|| format!("{PYTHON_3_6} says where a Python 3.6 is"))?;
    let packed = tempfile::NamedTempFile::new()?;
    Program::new("tar")
        .args(["-C", "/", "-cf"])
        .args([packed.path(), Path::new(python.trim_start_matches('/'))])
        .run()?;
    let copy = Root::named("debian12")?.copy()?;
    let lent = copy.lend(packed.path(), "python.tar")?;
    let inhabited = Inhabited::new(copy)?;
    inhabited.shell(&format!("tar -C / -xf {lent}; ln -sf {python}/bin/python3.6 /usr/bin/python3"))?;
    ensure!(inhabited.shell("/usr/bin/python3 --version")?.starts_with("Python 3.6."));
    lives("oldest", inhabited)
}

/// Every module and the role are documented for both; the collection is built and installed from the file.
#[test]
fn the_collection_is_built_installed_and_documented() {
    for age in AGES {
        let ansible = Ansible::new(age).unwrap();
        let to = ansible.directory();
        let source = cache::checkout().join("ansible");
        let galaxy = || ansible.program("ansible-galaxy").args(["collection"]);
        galaxy().args(["build", "--output-path"]).args([to, &source]).run().unwrap();
        let file = to.join("trempe-hardening-0.1.0.tar.gz");
        let place = to.join("installed");
        galaxy().args(["install", "--offline", "--force", "-p"]).args([&place, &file]).run().unwrap();
        for module in ["apply", "audit", "confirm", "facts", "rollback"] {
            assert!(
                place
                    .join(format!("ansible_collections/trempe/hardening/plugins/modules/{module}.py"))
                    .exists()
            );
        }
        let doc = |words: &[&str]| {
            let json = ansible.program("ansible-doc").args(["--json"]).args(words).output().unwrap();
            serde_json::from_str::<Value>(&json).unwrap()
        };
        let modules =
            ["apply", "audit", "confirm", "facts", "rollback"].map(|name| format!("trempe.hardening.{name}"));
        let documented = doc(&modules.each_ref().map(String::as_str));
        for module in &modules {
            let about = &documented[module];
            assert!(
                about["examples"].as_str().is_some_and(|text| text.contains(module.as_str())),
                "{module}: {about}"
            );
            assert!(about["return"].is_object(), "{module}: {about}");
        }
        let role = doc(&["-t", "role", "trempe.hardening.harden"]);
        assert!(role.to_string().contains("harden_host_exceptions"), "{role}");
    }
}

/// Unit tests, the Python of RHEL 8, and the linter at its strictest.
#[test]
fn the_collection_is_clean() {
    let ansible = Ansible::new("newest").unwrap();
    let source = cache::checkout().join("ansible");
    let at = |path: &str| source.join(path).into_os_string();
    let collections = ansible.directory().join("collections");
    let unit = ansible.program("pytest").env("PYTHONPATH", collections);
    let said =
        unit.args(["-q".into(), "-p".into(), "no:cacheprovider".into(), at("tests/unit")]).output().unwrap();
    assert!(said.contains(" passed"), "{said}");
    let vermin = ansible.program("vermin").args(["-t=3.6-", "--no-tips", "--violations"]);
    println!("{}", vermin.args([at("plugins")]).output().unwrap());
    let lint = ansible.program("ansible-lint").args(["--offline", "--nocolor", "--project-dir", ".", "."]);
    println!("{said}{}", lint.directory(&source).output().unwrap());
}

/// `ansible-test sanity`, whole: without a network it has what the package index gives, and no script of its own to get pip.
#[test]
fn the_collection_is_sane() {
    let ansible = Ansible::new("newest").unwrap();
    // Below a checkout `ansible-test` would ask git which files there are, and find that all are ignored.
    let outside = tempfile::tempdir().unwrap();
    let (to, source) = (outside.path(), cache::checkout().join("ansible"));
    let galaxy = || ansible.program("ansible-galaxy").args(["collection"]);
    galaxy().args(["build", "--output-path"]).args([to, &source]).run().unwrap();
    galaxy()
        .args(["install", "--offline", "--force", "-p"])
        .args([to, &to.join("trempe-hardening-0.1.0.tar.gz")])
        .run()
        .unwrap();
    let place = to.join("ansible_collections/trempe/hardening");
    let said = ansible.sanity(&place).unwrap();
    for test in ["validate-modules", "pylint", "import", "yamllint"] {
        assert!(said.contains(&format!("Running sanity test \"{test}\"")), "{test} was not run: {said}");
    }
}
