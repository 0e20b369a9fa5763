//! A machine that is no longer what it was hardened to, in a root tree. Needs root.

use anyhow::{Context, Result, ensure};
use e2e::agent;
use e2e::machine::Machine;
use e2e::root::Root;
use serde_json::Value;

#[test]
fn where_nothing_is_configured_nothing_is_looked_at() -> Result<()> {
    let machine = Root::named("debian12")?.copy()?;
    machine.lend(&agent::binary()?, "agent")?;
    let looked = "mkdir -p /etc/trempe; echo 'tier: light' > /etc/trempe/agent.yml
                  $LAB/agent drift 2>&1; ls /run/trempe/drift.json 2>&1 || true";
    let said = machine.shell(looked)?;
    ensure!(said.contains("no drift.action"), "{said}");
    ensure!(said.contains("No such file"), "it was recorded: {said}");
    Ok(())
}

/// Three rules that a tree without network and kernel of its own can be held to, and what undoes each.
const RULES: [&str; 3] = ["banner_etc_issue_cis", "sshd_set_max_auth_tries", "accounts_umask_etc_profile"];

/// What is asked of the machine: these rules. `look ACTION` has the agent look, and tells what it said, how it ended, and what those who
/// log in are told.
const SETUP: &str = r#"
mkdir -p /etc/trempe/tailoring.d
cat > /etc/trempe/tailoring.d/own.xml << 'END'
<Tailoring xmlns='http://checklists.nist.gov/xccdf/1.2' id='xccdf_org.example_tailoring_own'><version time='2026-01-01T00:00:00'>1</version>
<Profile id='xccdf_org.example_profile_own'><title>Own</title>SELECTED</Profile></Tailoring>
END
action() { printf 'drift: {action: %s, metrics: /var/lib/trempe.prom}\n' "$1" > /etc/trempe/agent.yml; }
look() {
    action "$1"
    code=0; said=$($LAB/agent drift --format json) || code=$?
    echo "{\"code\": $code, \"drift\": $said, \"told\": $(wc -l < /run/motd.d/50-trempe 2> /dev/null || echo 0)}" | tr '\n' ' '
    echo
}
action record
$LAB/agent apply --yes > /dev/null
"#;

/// What the agent said each time it looked.
fn looked(script: &str) -> Result<(Vec<Value>, String)> {
    let machine = Root::named("debian12")?.copy()?;
    machine.lend(&agent::binary()?, "agent")?;
    let select = |rule: &str| format!("<select idref='xccdf_trempe_rule_{rule}' selected='true'/>");
    let setup = SETUP.replace("SELECTED", &RULES.map(select).concat());
    let said = machine.shell(&format!("{setup}\n{script}"))?;
    let looks = said.lines().filter(|line| line.starts_with('{'));
    let looks: Result<Vec<Value>> =
        looks.map(|line| serde_json::from_str(line).with_context(|| line.to_owned())).collect();
    Ok((looks?, said))
}

fn rules(look: &Value, which: &str) -> Vec<String> {
    let all = look["drift"][which].as_array().cloned().unwrap_or_default();
    all.iter().filter_map(|rule| rule.as_str().map(str::to_owned)).collect()
}

#[test]
fn drift_is_recorded_warned_of_and_mended() -> Result<()> {
    let (looks, said) = looked(
        r#"look record
        echo 'runs \r on \m' > /etc/issue
        sed -i 's/^MaxAuthTries.*/MaxAuthTries 9/' /etc/ssh/sshd_config.d/00-trempe.conf
        look record
        $LAB/agent status | grep 'drift since' | sed 's/^/status: /' || true
        look warn
        echo "metrics: $(grep -E '^trempe_(drifted|mended)_rules' /var/lib/trempe.prom | tr '\n' ' ')"
        look reapply
        echo "metrics: $(grep -E '^trempe_(drifted|mended)_rules' /var/lib/trempe.prom | tr '\n' ' ')"
        echo "issue: $(cat /etc/issue)"
        grep MaxAuthTries /etc/ssh/sshd_config.d/00-trempe.conf
        look record"#,
    )?;
    let [clean, record, warn, reapply, after] = &looks[..] else { anyhow::bail!("{said}") };
    let spoiled = ["banner_etc_issue_cis", "sshd_set_max_auth_tries"];
    for (look, drifted, mended, deviating, told, code) in [
        (clean, &[][..], &[][..], &[][..], 0, 0),
        (record, &spoiled, &[], &spoiled, 0, 2),
        (warn, &spoiled, &[], &spoiled, 1, 2),
        (reapply, &spoiled, &spoiled, &[], 0, 0),
        (after, &[], &[], &[], 0, 0),
    ] {
        ensure!(rules(look, "drifted") == drifted, "{look:#}");
        ensure!(rules(look, "mended") == mended, "{look:#}");
        ensure!(rules(look, "deviating") == deviating, "{look:#}");
        ensure!(look["told"] == told && look["code"] == code, "{look:#}");
        ensure!(rules(look, "problems").is_empty(), "{look:#}");
    }
    ensure!(rules(record, "found").iter().any(|line| line.contains("MaxAuthTries 9")), "{record:#}");
    ensure!(said.contains("status: drift since") && said.contains("2 no longer met"), "{said}");
    ensure!(said.contains("metrics: trempe_drifted_rules 2 trempe_mended_rules 0"), "{said}");
    ensure!(said.contains("metrics: trempe_drifted_rules 2 trempe_mended_rules 2"), "{said}");
    ensure!(!said.contains("issue: runs") && !said.contains("MaxAuthTries 9\n"), "{said}");
    Ok(())
}

/// What was taken back is told and not done again; what was told before somebody put it right is told no longer.
#[test]
fn what_somebody_took_back_is_left_alone_and_old_words_go() -> Result<()> {
    let (looks, said) = looked(
        r#"$LAB/agent rollback > /dev/null
        look reapply
        echo "runs: $($LAB/agent history | wc -l), $(cat /etc/issue)"
        $LAB/agent apply --yes > /dev/null
        ls /run/motd.d/50-trempe /run/trempe/drift.json 2> /dev/null || echo no words"#,
    )?;
    let [look] = &looks[..] else { anyhow::bail!("{said}") };
    ensure!(rules(look, "drifted").is_empty() && rules(look, "mended").is_empty(), "{look:#}");
    ensure!(
        rules(look, "deviating").len() == RULES.len() && look["told"] == 1 && look["code"] == 2,
        "{look:#}"
    );
    ensure!(said.contains("runs: 1, Debian") && said.ends_with("no words\n"), "{said}");
    Ok(())
}

/// What drift did again and somebody took back is not done a third time, until somebody applies it.
#[test]
fn what_was_mended_and_taken_back_is_left_to_people() -> Result<()> {
    let (looks, said) = looked(
        r#"spoil() { sed -i 's/^MaxAuthTries.*/MaxAuthTries 9/' /etc/ssh/sshd_config.d/00-trempe.conf; sleep 1; }
        spoil; look reapply
        $LAB/agent rollback > /dev/null; sleep 1
        look reapply
        echo "runs: $($LAB/agent history | wc -l)"; cat /etc/ssh/sshd_config.d/00-trempe.conf
        $LAB/agent apply --yes > /dev/null
        spoil; look reapply"#,
    )?;
    let [mended, left, again] = &looks[..] else { anyhow::bail!("{said}") };
    let rule = ["sshd_set_max_auth_tries"];
    ensure!(looks.iter().all(|look| rules(look, "drifted") == rule), "{said}");
    ensure!(rules(mended, "mended") == rule && rules(again, "mended") == rule, "{said}");
    ensure!(rules(left, "mended").is_empty() && left["told"] == 1 && left["code"] == 2, "{left:#}");
    ensure!(said.contains("runs: 2\n") && said.contains("MaxAuthTries 9\n"), "{said}");
    Ok(())
}

/// A run for one rule says nothing of the others, and one that was taken back nothing of its rule.
#[test]
fn a_run_for_one_rule_and_its_rollback_hide_no_drift() -> Result<()> {
    let (looks, said) = looked(
        r#"echo 'runs \r on \m' > /etc/issue
        sed -i 's/^MaxAuthTries.*/MaxAuthTries 9/' /etc/ssh/sshd_config.d/00-trempe.conf
        sleep 1
        $LAB/agent apply --yes --rule sshd_set_max_auth_tries > /dev/null
        look record
        $LAB/agent rollback --rule sshd_set_max_auth_tries > /dev/null
        look record
        sleep 1
        $LAB/agent apply --yes --rule banner_etc_issue_cis --rule sshd_set_max_auth_tries > /dev/null
        look record
        $LAB/agent rollback --rule banner_etc_issue_cis > /dev/null
        look record"#,
    )?;
    let both = ["banner_etc_issue_cis", "sshd_set_max_auth_tries"];
    let found: Vec<_> = looks.iter().map(|look| rules(look, "drifted")).collect();
    ensure!(found == [&both[..1], &both, &[], &both[..1]], "{said}");
    ensure!(looks.iter().all(|look| look["drift"]["policy_changed"] == false), "{said}");
    Ok(())
}
