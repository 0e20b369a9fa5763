use super::source::Said;
use super::*;
use crate::content::Catalogue;
use crate::policy::PolicyRule;
use crate::setting::testing::Tree;

/// A machine of an operating system that has tiers, with these files below `/etc/trempe`.
fn machine(files: &[(&str, &str)]) -> Tree {
    let tree =
        Tree::new().file("/etc/os-release", "ID=debian\nVERSION_ID=12\n").file("/etc/machine-id", "m\n");
    files.iter().fold(tree, |tree, (path, text)| tree.file(&format!("/etc/trempe/{path}"), text))
}

/// Adds what cloud-init leaves behind for an instance, in the form it writes it.
fn instance(tree: Tree, id: &str, user_data: &str) -> Tree {
    let merged = format!("#cloud-config\n\n# from 1 files\n# part-001\n\n---\n{user_data}...\n");
    let directory = format!("/var/lib/cloud/instances/{}", id.replace('/', "_"));
    tree.file("/var/lib/cloud/data/instance-id", &format!("{id}\n"))
        .file_with_mode(&format!("{directory}/cloud-config.txt"), &merged, 0o600)
        .file_with_mode(&format!("{directory}/user-data.txt"), &format!("#cloud-config\n{user_data}"), 0o600)
}

fn at_work(tree: Tree, id: &str) -> Tree {
    tree.file("/run/cloud-init/.instance-id", &format!("{id}\n"))
}

fn tier(tree: &Tree) -> Option<String> {
    Config::read(&tree.system()).unwrap().tier
}

fn refusal(text: &str) -> String {
    format!("{:#}", Config::parse(text, Path::new("a.yml")).unwrap_err())
}

const SAMPLE: &str = "<Tailoring xmlns='http://checklists.nist.gov/xccdf/1.2' id='xccdf_x_tailoring_t'>
    <version time='2027-01-01T00:00:00Z'>1</version><Profile id='xccdf_x_profile_p'><title>t</title></Profile></Tailoring>";

#[test]
fn what_is_done_about_drift_is_one_choice() {
    use crate::drift::Action;
    let path = Path::new("a.yml");
    for (text, action) in [
        ("tier: light", Action::Off),
        ("drift: {action: off}", Action::Off),
        ("drift: {action: record}", Action::Record),
        ("drift: {action: warn, metrics: /m.prom}", Action::Warn),
        ("drift: {action: reapply}", Action::Reapply),
    ] {
        assert_eq!(Config::parse(text, path).unwrap().drift.action, action, "{text}");
    }
    for (text, said) in [
        ("drift: {action: mend}", "mend"),
        ("drift: {metrics: m.prom}", "absolute"),
        ("drift: {file: /m}", "file"),
    ] {
        let error = format!("{:#}", Config::parse(text, path).unwrap_err());
        assert!(error.starts_with("a.yml:1:") && error.contains(said), "{error}");
    }
}

#[test]
fn files_add_up_in_the_order_of_their_names() {
    let tree = machine(&[
        (
            "agent.yml",
            "# ours\ntier: standard\ntailoring: [/etc/a.xml]\ncloud_init: {datasource: [VMware, None]}\n",
        ),
        ("agent.d/20.yml", "tier: strict\naccess: {keep: [ops, robot]}\n"),
        (
            "agent.d/10.yml",
            "tier: light\ntailoring: [/etc/b.xml, /etc/a.xml]\naccess: {keep: [ops]}\ncloud_init: {datasource: [NoCloud], vmware_wait: 3}\n",
        ),
        ("agent.d/readme", "not a configuration"),
        ("tailoring.d/x.xml", ""),
    ]);
    let config = Config::read(&tree.system()).unwrap();
    assert_eq!(config.tier.as_deref(), Some("strict"));
    assert_eq!(
        config.tailoring,
        ["/etc/a.xml", "/etc/b.xml", "/etc/trempe/tailoring.d/x.xml"].map(PathBuf::from)
    );
    assert_eq!(config.access.keep.unwrap(), ["ops", "robot"]);
    assert_eq!(
        (config.cloud_init.datasource, config.cloud_init.vmware_wait),
        (vec!["NoCloud".to_owned()], Some(3))
    );
}

#[test]
fn nothing_configured_is_nothing_said() {
    assert_eq!(Config::read(&Tree::new().system()).unwrap(), Config::default());
    assert_eq!(Config::parse("# nothing yet\n", Path::new("a.yml")).unwrap(), Config::default());
    assert_eq!(Config::default().firstboot, Firstboot { enabled: true, time_limit: TIME_LIMIT });
}

#[test]
fn mistakes_are_told_with_their_place() {
    for (text, said) in [
        ("tier: strict\ntiers: light\n", "a.yml:2:1: unknown field `tiers` (did you mean tier?)"),
        (
            "tier:strict\n",
            "a.yml:1:1: expected keys with values, such as 'tier: strict', with a blank after the colon",
        ),
        ("cloud_init: {vmware_wait: -1}\n", "a.yml:1:27: expected a whole number from 0 to 65535"),
        ("tier: light\n---\ntier: strict\n", "multiple YAML documents detected: a configuration is one"),
        ("tier: [strict]\n", "a.yml:1:7: "),
        ("tier: strict\ntier: light\n", "a.yml:2:1: "),
        ("tier:\n", "a.yml:1:5: a key without a value"),
        ("access:\n  keep:\n", "a.yml:2:7: a key without a value"),
        ("tier: strickt\n", "a.yml:1:7: unknown tier \"strickt\" (did you mean strict?)"),
        ("tier: hardest\n", "(there are: light, standard, strict)"),
        (
            "tailoring: [etc/x.xml]\n",
            "a.yml:1:13: tailoring \"etc/x.xml\" must be written as an absolute path",
        ),
        ("tier: \"strict\n", "a.yml:"),
        ("cloud_init: {afterwards: trimm}\n", "a.yml:1:26: unknown variant `trimm` (did you mean trim?)"),
        ("access: {keep: ops}\n", "a.yml:1:16: expected a list, such as [a, b]"),
        ("access: {keep: [[a]]}\n", "a.yml:1:17: expected one word, neither a list nor keys"),
        ("tailoring: &a [*a]\n", "an anchor must not hold itself"),
        (
            "cloud_init: {datasource: [VMWare, None]}\n",
            "a.yml:1:27: unknown data source of cloud-init \"VMWare\" (did you mean VMware?)",
        ),
        ("firstboot: {time_limit: -10m}\n", "a.yml:1:25: firstboot.time_limit must be a time such as 10m"),
        ("firstboot: {time_limit: soon}\n", "a.yml:1:25: \"soon\" is no time; write one such as 10m"),
        ("access: {keep: ops}\n", "a.yml:1:16: "),
        ("access: {keep: []}\n", "a.yml: access.keep names nobody"),
        ("firstboot: {time_limit: 21m}\n", "at most 20m"),
        ("access: {keep: [a b]}\n", "a.yml:1:17: access.keep: \"a b\" is no account"),
        (
            "exceptions:\n  - {rule: sshd_disable_root_logn, reason: x}\n",
            "a.yml:2:12: unknown rule \"sshd_disable_root_logn\" (did you mean sshd_disable_root_login or",
        ),
        ("exceptions: [{rule: zzz, reason: x}]\n", "('agent list rules' shows them all)"),
        ("exceptions: [{rule: sshd_disable_root_login}]\n", "a.yml:1:15: missing field `reason`"),
        (
            "exceptions: [{rule: sshd_disable_root_login, reason: ' '}]\n",
            "a.yml:1:21: the exception for sshd_disable_root_login gives no reason",
        ),
        (
            "exceptions: [{rule: sshd_disable_root_login, reason: x, until: soon}]\n",
            "a.yml:1:64: \"soon\" is no day; write one as YYYY-MM-DD",
        ),
        ("tier: light\ntier: strict\n", "a.yml:2:1: duplicate mapping key: tier"),
        (
            "values: [{value: sshd_max_auth_tries_valu, set: 3, reason: x}]\n",
            "did you mean sshd_max_auth_tries_value?",
        ),
        ("#cloud-config\nhostname: x\ntrempe:\n  teir: x\n", "a.yml:4:3: unknown field `teir`"),
    ] {
        let error = refusal(text);
        assert!(error.contains(said), "{text:?}: {error}");
    }
    assert!(refusal(&format!("# {}\ntier: strict\n", "x".repeat(1 << 20))).contains("larger than 1 MiB"));
}

#[test]
fn a_bad_source_leaves_the_image_alone_to_decide() {
    let files = [
        ("agent.yml", "tier: standard\naccess: {keep: [ops]}\n"),
        (
            "agent.d/10.yml",
            "tier: light\naccess: {keep: [robot]}\nfirstboot: {time_limit: 10m, enabled: false}\n",
        ),
        ("tailoring.d/x.xml", SAMPLE),
    ];
    let keep = |gathered: &Gathered| gathered.config.access.keep.clone().unwrap().join(" ");
    let good = gather(&machine(&files).system());
    assert_eq!((good.config.tier.as_deref(), keep(&good).as_str()), (Some("light"), "ops robot"));
    assert_eq!(good.config.firstboot, Firstboot { enabled: false, time_limit: Duration::from_secs(600) });
    assert_eq!(good.problems, [""; 0]);
    let tree = machine(&files).file("/etc/trempe/agent.d/20.yml", "teir: strict\n");
    let bad = gather(&tree.system());
    assert_eq!((bad.config.tier.as_deref(), keep(&bad).as_str()), (Some("standard"), "ops"));
    assert_eq!(bad.config.tailoring, [PathBuf::from("/etc/trempe/tailoring.d/x.xml")]);
    assert!(bad.problems.concat().contains("agent.d/20.yml:1:1: unknown field `teir`"));
    assert!(matches!(bad.sources.last().unwrap().said, Said::Bad(_)));
    assert_eq!(
        bad.config.firstboot,
        Firstboot { enabled: false, time_limit: TIME_LIMIT },
        "the switch counts"
    );
    assert!(Config::read(&tree.system()).is_err());
}

#[test]
fn what_no_policy_can_be_made_of_is_left_out_step_by_step() {
    let set = "values: [{value: sshd_max_auth_tries_value, set: many, reason: x}]\n";
    let tree =
        machine(&[("agent.yml", "tier: light\n"), ("agent.d/10.yml", set), ("tailoring.d/x.xml", SAMPLE)]);
    let gathered = gather(&tree.system());
    assert!(gathered.config.exceptions.is_empty());
    assert_eq!(gathered.config.tailoring.len(), 1);
    assert!(
        gathered.problems.concat().contains("/etc/trempe/agent.d/10.yml:1:18"),
        "{:?}",
        gathered.problems
    );
    let tree = tree.file("/etc/trempe/tailoring.d/x.xml", "<Tailoring");
    let gathered = gather(&tree.system());
    assert_eq!(gathered.config, Config { tier: Some("light".to_owned()), ..Config::default() });
    assert!(gathered.problems.concat().contains("/etc/trempe/tailoring.d/x.xml:"), "{:?}", gathered.problems);
}

#[test]
fn a_mistake_in_the_images_own_file_leaves_its_tier() {
    let later = ("agent.d/10.yml", "tier: light\naccess: {keep: [robot]}\n");
    for (what, own, tier, from) in [
        ("an exception is misspelt", "tier: strict\nexceptions: [{rule: zzz, reason: x}]\n", "strict", FILE),
        ("a key is unknown", "teir: strict\n", "light", "/etc/trempe/agent.d/10.yml"),
        ("no YAML at all", "tier: [strict\n", "light", "/etc/trempe/agent.d/10.yml"),
        ("a tailoring is missing", "tier: standard\ntailoring: [/etc/none.xml]\n", "standard", FILE),
        (
            "a tailoring is missing, and no tier said",
            "tailoring: [/etc/none.xml]\n",
            "light",
            "/etc/trempe/agent.d/10.yml",
        ),
    ] {
        let gathered = gather(&machine(&[("agent.yml", own), later]).system());
        let alone = Config { tier: Some(tier.to_owned()), ..Config::default() };
        assert_eq!(gathered.config, alone, "{what}");
        assert!(!gathered.problems.is_empty(), "{what}");
        let counting = key::counting(&gathered);
        let counts = counting.iter().find(|counting| counting.key == "tier").unwrap();
        assert_eq!(
            (counts.value.as_str(), counts.from.as_slice()),
            (Some(tier), &[from.to_owned()][..]),
            "{what}"
        );
    }
    let nothing = gather(&machine(&[("agent.yml", "teir: strict\n")]).system());
    assert_eq!((nothing.config, nothing.problems.len()), (Config::default(), 1));
}

#[test]
fn user_data_counts_where_cloud_init_is_at_work_for_this_machine() {
    let image = || machine(&[("agent.yml", "tier: light\n")]);
    let strict = "ssh_pwauth: true\ntrempe:\n    tier: strict\n";
    let record = |id: &str, machine: &str| {
        format!("{{\"instance\":{{\"instance_id\":\"{id}\",\"machine_id\":\"{machine}\"}},\"done\":{{}}}}")
    };
    let recorded =
        |tree: Tree, id, machine| tree.file("/var/lib/trempe/firstboot.json", &record(id, machine));
    let cases = [
        ("at work", at_work(instance(image(), "i/1", strict), "i/1"), "strict"),
        ("left in an image that was not cleaned", instance(image(), "i/1", strict), "light"),
        ("at work for another", at_work(instance(image(), "i/1", strict), "i/2"), "light"),
        ("disabled since the first boot", recorded(instance(image(), "i/1", strict), "i/1", "m"), "strict"),
        ("a clone with cloud-init disabled", recorded(instance(image(), "i/1", strict), "i/1", "n"), "light"),
        (
            "its seed was taken away",
            at_work(recorded(instance(image(), "i/1", strict), "i/1", "m"), "iid-datasource-none")
                .file("/var/lib/cloud/data/instance-id", "iid-datasource-none\n"),
            "strict",
        ),
    ];
    for (what, tree, wanted) in cases {
        assert_eq!(tier(&tree).as_deref(), Some(wanted), "{what}");
    }
}

#[test]
fn user_data_outdoes_vendor_data_and_files() {
    let tree = machine(&[("agent.d/99.yml", "tier: light\naccess: {keep: [a]}\n")]);
    let tree = at_work(instance(tree, "i", "trempe: {access: {keep: [c]}}\n"), "i")
        .file(
            "/var/lib/cloud/instances/i/vendor-cloud-config.txt",
            "trempe: {tier: standard, access: {keep: [b]}}\n",
        )
        .file("/var/lib/cloud/instances/i/vendor2-cloud-config.txt", "trempe: {tier: strict}\n");
    let gathered = gather(&tree.system());
    assert_eq!(gathered.config.tier.as_deref(), Some("strict"));
    assert_eq!(gathered.config.access.keep.unwrap(), ["a", "b", "c"]);
    let names: Vec<&str> = gathered.sources.iter().map(|source| source.name.as_str()).collect();
    assert_eq!(names, ["/etc/trempe/agent.d/99.yml", "vendor-data", "vendor-data2", "user-data"]);
}

#[test]
fn user_data_that_cloud_init_did_not_understand_is_a_problem() {
    let path = "/var/lib/cloud/instances/i/cloud-config.txt";
    let given = |merged: &str, raw: &str| {
        let tree = at_work(instance(machine(&[]), "i", ""), "i").file(path, merged);
        let parts = format!("Content-Type: multipart/mixed; boundary=\"B\"\n\n--B\n{raw}\n--B--\n");
        gather(&tree.file("/var/lib/cloud/instances/i/user-data.txt.i", &parts).system()).problems.concat()
    };
    // What 22.4.2 and 25.1.4 make of cloud-config that is no YAML, alone and beside good, of a script and of nothing.
    let config = |text: &str| format!("Content-Type: text/cloud-config\n\n{text}\n");
    let bad = config("#cloud-config\ntrempe: [\n");
    let good = config("#cloud-config\nhostname: x\n");
    assert!(given("#cloud-config\n\n--- {}\n...\n", &bad).contains("did not understand"));
    let one = "#cloud-config\n\n# from 1 files\n# part-001\n\n---\nhostname: x\n...\n";
    assert!(given(one, &format!("{good}--B\n{bad}")).contains("did not understand"));
    let merged = "#cloud-config\n\n# Cloud-config part ignored SCHEMA_ERROR: part-001\n--- {}\n...\n";
    assert!(given(merged, &bad).contains("did not understand"));
    assert_eq!(given("", "Content-Type: text/x-shellscript\n\n#!/bin/sh\necho\n"), "");
    assert_eq!(given("#cloud-config\n\n--- {}\n...\n", &config("#cloud-config\n# nothing\n")), "");
    assert_eq!(given(one, &good), "");
    let error = given(
        "---\nwrite_files:\n-   content: !!binary |\n        /w==\n    path: /x\ntrempe:\n    teir: x\n",
        "",
    );
    assert!(error.starts_with(&format!("{path}:7:5: unknown field `teir` (did you mean tier?)")), "{error}");
    assert!(!error.contains("line 7"), "{error}");
}

/// What is meant for the agent lost its indentation.
#[test]
fn a_key_of_user_data_without_a_value_is_a_mistake() {
    let error = CloudConfig::parse("#cloud-config\ntrempe:\ntier: strict\n", "user-data").unwrap_err();
    assert!(error.to_string().starts_with("user-data:2:7: a key without a value"), "{error}");
}

#[test]
fn exceptions_without_a_file_are_laid_over_the_tier() {
    let text = "tier: standard
exceptions:
  - {rule: sshd_disable_root_login, reason: backup server, owner: ops, until: 2099-06-30}
  - {rule: xccdf_org.ssgproject.content_rule_sshd_disable_empty_passwords, reason: test, until: 2001-01-01}
values: [{value: sshd_max_auth_tries_value, set: 6, reason: old clients}]
";
    let tree = machine(&[
        ("agent.yml", text),
        ("agent.d/1.yml", "exceptions: [{rule: sshd_disable_root_login, reason: newer}]\n"),
    ]);
    let config = Config::read(&tree.system()).unwrap();
    let policy = policy::resolve(
        &Catalogue::embedded().unwrap(),
        &config.request(&tree.system(), false).unwrap(),
        "debian12",
    )
    .unwrap();
    let rule = |id: &str| -> &PolicyRule { policy.rules.iter().find(|rule| rule.id == id).unwrap() };
    let exception = |id: &str| rule(id).exception.clone().unwrap();
    assert_eq!(policy.tier, "standard");
    let root = exception("sshd_disable_root_login");
    assert_eq!(
        (root.reason.as_str(), root.source.as_str(), root.until),
        ("newer", "/etc/trempe/agent.d/1.yml", None)
    );
    assert!(rule("sshd_disable_root_login").not_selected.is_some());
    assert!(exception("sshd_disable_empty_passwords").expired);
    assert!(rule("sshd_disable_empty_passwords").not_selected.is_none());
    assert_eq!(rule("sshd_set_max_auth_tries").values["sshd_max_auth_tries_value"], "6");
    assert_eq!(exception("sshd_set_max_auth_tries").reason, "old clients");
}

#[test]
fn exceptions_from_nothing_ask_for_nothing() {
    let config =
        Config::parse("exceptions: [{rule: sshd_disable_root_login, reason: x}]\n", Path::new("a")).unwrap();
    assert!(config.request(&Tree::new().system(), false).unwrap().tailoring.is_empty());
    assert_eq!(config.request(&Tree::new().system(), true).unwrap().tailoring.len(), 1);
}

#[test]
fn what_is_said_for_one_run_is_laid_over_what_the_machine_says() {
    let tree = machine(&[("agent.yml", "tier: light\naccess: {keep: [ops]}\n")]);
    let mut config = Config::read(&tree.system()).unwrap();
    let said = br#"{"exceptions": [{"rule": "sshd_disable_root_login", "reason": "caf\u00e9: 'x'", "until": "2027-06-30"}],
                    "values": [{"value": "var_accounts_tmout", "set": "900", "reason": "r"}], "access": {"keep": ["robot"]}}"#;
    config.overlay(said.as_slice(), "standard input").unwrap();
    assert_eq!((config.tier.as_deref(), config.exceptions.len()), (Some("light"), 2));
    assert_eq!(config.access.keep.unwrap(), ["ops", "robot"]);
    let without = look_without(&tree.system(), &["/etc/trempe/agent.yml".into()]);
    assert_eq!(without.strict().unwrap(), Config::default());
    let mut config = Config::default();
    let error = config.overlay(&b"{\"exeptions\": []}"[..], "standard input").unwrap_err();
    assert!(format!("{error:#}").contains("standard input"), "{error:#}");
    let endless = std::io::repeat(b' ');
    let error = config.overlay(endless, "standard input").unwrap_err();
    assert!(format!("{error:#}").contains("larger than 1 MiB"), "{error:#}");
}
