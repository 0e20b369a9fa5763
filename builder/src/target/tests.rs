use super::secret::Secrets;
use super::*;
use secrecy::ExposeSecret;

fn said(text: &str) -> String {
    let problems = Targets::parse(text, "targets.yml").unwrap_err();
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn block<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

const HEAD: &str = "targets:\n  a:\n    nutanix:\n      address: pc.example.com\n";

#[test]
fn the_example_is_good_and_its_commented_keys_are_the_defaults() {
    let targets = Targets::parse(example::EXAMPLE, "targets.yml").unwrap();
    assert_eq!(targets.targets.len(), 3);
    let all =
        example::EXAMPLE.replace("\n      # ", "\n      ").replace("\n      api_key", "\n      # api_key");
    let all = all.replace("insecure: true", "insecure: false");
    let all = Targets::parse(&all, "targets.yml").unwrap();
    let lyon = |targets: &Targets| match &targets.targets[&Label::try_from("lyon".to_owned()).unwrap()] {
        Target::Nutanix(nutanix) => nutanix.clone(),
        Target::Vsphere(_) => unreachable!("lyon is a Prism Central"),
    };
    let (said, left_out) = (lyon(&all), lyon(&targets));
    assert_eq!((said.keep, said.patience, said.insecure), (left_out.keep, left_out.patience, false));
    assert_eq!((said.api.value, said.remove_object), (left_out.api.value, left_out.remove_object));
    assert_eq!(said.clusters, ["cluster-1"]);
    assert_eq!(said.categories["Environment"].all(), ["Production"]);
}

#[test]
fn mistakes_are_told_with_their_place_and_never_with_the_secret() {
    let cases = [
        ("      user: u\n      password: hunter2\n", "targets.yml:6:17: a secret is never written here"),
        ("      user: u\n      password: 271828\n", "targets.yml:6:17: a secret is never written here"),
        ("      user: u\n      password: [hunter2]\n", "targets.yml:6:17:"),
        ("      user: u\n", "targets.yml:4:16: a: user without a password: add password: env:NAME"),
        (
            "      api_key: env:K\n      api: v4\n",
            "targets.yml:6:12: API v4 takes files from a user with a password",
        ),
        (
            "      user: u\n      password: env:P\n      insecure: true\n      ca: x.pem\n",
            "targets.yml:8:11: insecure takes any",
        ),
        ("      user: u\n      pasword: env:P\n", "targets.yml:6:7: unknown field `pasword`"),
        ("      user: u\n      password: env:P\n      api_key: env:K\n", "user and api_key"),
        ("      user: u\n      password: env:P\n      patience: {import: 0}\n", "at least 1 second"),
    ];
    for (rest, wanted) in cases {
        let told = said(&format!("{HEAD}{rest}"));
        assert!(told.contains(wanted), "{rest}: {told}");
        assert!(!told.contains("hunter2") && !told.contains("271828"), "{told}");
    }
    let address = said("targets:\n  a:\n    nutanix: {address: 'https://u:hunter2@pc'}\n");
    assert!(
        address.contains("targets.yml:3:24: an address is HOST") && !address.contains("hunter2"),
        "{address}"
    );
    assert!(
        said("targets:\n  a b: {nutanix: {address: x}}\n").contains("targets.yml:2:3: \"a b\" cannot be")
    );
}

#[test]
fn addresses() {
    let address = |text: &str| Address::try_from(text.to_owned());
    let good = [("pc", None), ("10.0.0.1:9441", Some(9441)), ("[fe80::1]", None), ("[::1]:1", Some(1))];
    for (text, port) in good {
        assert_eq!(address(text).unwrap().port, port, "{text}");
    }
    for text in ["", "a b", "pc:", "pc:0", "pc:70000", "::1", "[x]:1", "pc/console", "http://pc", "ü"] {
        assert!(address(text).is_err(), "{text}");
    }
}

#[test]
fn secrets_come_from_the_environment_files_and_commands_and_are_not_shown() {
    let home = tempfile::tempdir().unwrap();
    let key = home.path().join("key");
    std::fs::write(&key, "from file\n").unwrap();
    let get = |text: &str| {
        let reference = SecretRef::try_from(text.to_owned()).unwrap();
        let mut secrets = Secrets::default();
        let found = block(secrets.get(&reference, home.path()));
        assert!(!format!("{secrets:?}{found:?}").contains("from "), "shown");
        found.map(|secret| secret.expose_secret().to_owned()).map_err(|error| format!("{error:#}"))
    };
    assert!(get("file:key").unwrap_err().contains("chmod 600"));
    std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    assert_eq!(get("file:key").unwrap(), "from file");
    assert_eq!(get("command:printf 'fro%s command\\nmore' m").unwrap(), "from command");
    assert!(get("env:TREMPE_NOT_SET").unwrap_err().contains("TREMPE_NOT_SET is not set"));
    assert!(get("command:exit 3").unwrap_err().contains("exit status: 3"));
    assert!(get("command:true").unwrap_err().contains("is empty"));
}

#[test]
fn a_command_runs_once_for_all_targets() {
    let home = tempfile::tempdir().unwrap();
    let line = format!("command:echo x >> {0}/count; echo secret", home.path().display());
    let reference = SecretRef::try_from(line).unwrap();
    let mut secrets = Secrets::default();
    for _ in 0..3 {
        block(secrets.get(&reference, home.path())).unwrap();
    }
    assert_eq!(std::fs::read_to_string(home.path().join("count")).unwrap(), "x\n");
}

#[test]
fn the_file_must_be_the_users_own() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("targets.yml");
    std::fs::write(&file, example::EXAMPLE).unwrap();
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o666)).unwrap();
    assert!(Targets::read(&file).unwrap_err().to_string().contains("chmod go-w"));
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let targets = Targets::read(&file).unwrap();
    assert_eq!(targets.select(&[]).unwrap().len(), 3);
    let error = targets.select(&["rome".to_owned()]).unwrap_err().to_string();
    assert_eq!(error, "there is no target \"rome\"; there are: lyon, paris, vcenter");
}

#[test]
fn the_stored_schema_is_that_of_the_types() {
    let schema = crate::command::targets::schema().unwrap();
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("targets.schema.json");
    if std::env::var_os("TREMPE_BLESS").is_some() {
        std::fs::write(&path, &schema).unwrap();
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(stored == schema, "builder/targets.schema.json is stale: run the tests once with TREMPE_BLESS=1");
}
