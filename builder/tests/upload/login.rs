//! Ways in: which API, certificates, keys; and that nothing long begins before everybody lets one in.

use prism::fault::Act;

use super::*;

#[test]
fn the_api_is_the_newest_that_both_know() {
    let without_store = || Options { store: false, ..v4() };
    let cases = [
        ("auto", Options { v4: Some(0), ..v4() }, "v4.0"),
        ("auto", Options { v4: Some(9), ..v4() }, "v4.3"),
        ("auto", Options { info: false, ..v4() }, "v4.0"),
        ("v4", Options { v3: false, ..v4() }, "v4.2"),
        ("v3", v4(), "v3"),
        ("auto", without_store(), "v3"),
    ];
    for (api, options, wanted) in cases {
        let desk = Desk::new(vec![("paris", options)], &format!("api: {api}"));
        let told = desk.upload(&["--format", "json"]);
        assert_eq!(told.code, Some(0), "{api}: {} {}", told.out, told.err);
        assert_eq!(told.json()["targets"][0]["api"], wanted);
        assert_eq!(names(desk.prism("paris")), ["web"]);
        assert!(
            desk.prism("paris").seen().iter().all(|seen| seen.status != 404 || wanted != "v4.3"),
            "{wanted}"
        );
    }
    for (options, api) in [(without_store(), "v4"), (v3(), "v4"), (Options { v3: false, ..v4() }, "v3")] {
        let desk = Desk::new(vec![("paris", options)], &format!("api: {api}"));
        let told = desk.upload(&[]);
        assert_eq!(told.code, Some(1));
        assert!(told.of_target("paris").contains("do: it may be older"), "{}", told.out);
        assert!(names(desk.prism("paris")).is_empty());
    }
}

#[test]
fn a_key_instead_of_a_password_goes_by_v3() {
    let desk = Desk::new(vec![("paris", v4())], "");
    let prism = desk.prism("paris");
    std::fs::write(desk.path("key"), Options::default().api_key).unwrap();
    std::fs::set_permissions(desk.path("key"), Permissions::from_mode(0o600)).unwrap();
    let address = prism.address;
    desk.write_targets(&format!(
        "targets:\n  paris:\n    nutanix: {{address: '{address}', api_key: 'file:key', ca: paris.pem}}\n"
    ));
    let told = desk.upload(&["--format", "json"]);
    assert_eq!(told.code, Some(0), "{} {}", told.out, told.err);
    assert_eq!(told.json()["targets"][0]["api"], "v3");
}

#[test]
fn certificates_are_verified_and_the_other_target_goes_on() {
    let desk = Desk::two(v4());
    let text = std::fs::read_to_string(desk.path("targets.yml")).unwrap();
    // The authority of another.
    desk.write_targets(&text.replace("ca: paris.pem", "ca: lyon.pem"));
    let told = desk.upload(&[]);
    assert_eq!(told.code, Some(1));
    let paris = told.of_target("paris");
    assert!(
        paris.contains("certificate")
            && paris.contains("do: name the file with its certificate authority under ca"),
        "{paris}"
    );
    assert!(names(desk.prism("paris")).is_empty());
    assert_eq!(names(desk.prism("lyon")), ["web"]);
    // The system's authorities do not know it either; without a look at the certificate it works.
    desk.write_targets(&text.replace("ca: paris.pem", ""));
    assert!(desk.upload(&[]).of_target("paris").contains("certificate"));
    desk.write_targets(&text.replace("ca: paris.pem", "insecure: true"));
    assert_eq!(desk.upload(&[]).code, Some(0));
}

#[test]
fn one_that_is_down_does_not_hold_up_the_other() {
    let desk = Desk::two(v4());
    let text = std::fs::read_to_string(desk.path("targets.yml")).unwrap();
    let address = desk.prism("paris").address.to_string();
    desk.write_targets(&text.replace(&address, "127.0.0.1:1"));
    let told = desk.upload(&[]);
    assert_eq!(told.code, Some(1));
    assert!(told.of_target("paris").contains("do: check the address, the network"), "{}", told.out);
    assert_eq!(names(desk.prism("lyon")), ["web"]);
}

#[test]
fn targets_are_shown_and_tried() {
    let desk = Desk::two(v4());
    let told = desk.run(&["targets"]);
    assert_eq!(told.code, Some(0));
    assert!(
        told.of_target("paris").ends_with("(builder, env:PASSWORD, own certificate authority)"),
        "{}",
        told.out
    );
    let told = desk.run(&["targets", "--check"]);
    assert_eq!(told.code, Some(0), "{}", told.out);
    assert!(told.of_target("paris").contains("good: pc.7.5, API v4.2"), "{}", told.out);
    assert!(told.of_target("lyon").contains("good: pc.2023.4, API v3"), "{}", told.out);
    let text = std::fs::read_to_string(desk.path("targets.yml")).unwrap();
    let cases = [
        ("clusters: [cluster-9]", "there is no cluster \"cluster-9\"; there are: cluster-1, cluster-2"),
        ("categories: {Environment: None}", "there is no category Environment: None: create it"),
    ];
    for (keys, wanted) in cases {
        desk.write_targets(
            &text
                .replace("ca: paris.pem", &format!("ca: paris.pem\n      {keys}"))
                .replace("ca: lyon.pem", &format!("ca: lyon.pem\n      {keys}")),
        );
        let told = desk.run(&["targets", "--check"]);
        assert_eq!(told.code, Some(2));
        for name in ["paris", "lyon"] {
            assert!(told.of_target(name).contains(wanted), "{}", told.out);
        }
    }
    let told = desk.command(&["targets", "--check"]).env("PASSWORD", "wrong").output().unwrap();
    assert_eq!(told.status.code(), Some(2));
    let told = desk.command(&["targets", "--check"]).env_remove("PASSWORD").output().unwrap();
    assert!(String::from_utf8_lossy(&told.stdout).contains("the environment variable PASSWORD is not set"));
}

#[test]
fn a_prism_element_is_told_from_a_prism_central() {
    let desk = Desk::new(vec![("paris", Options { env: "pe".to_owned(), ..v3() })], "");
    let told = desk.upload(&[]);
    assert!(told.of_target("paris").contains("this is a Prism Element"), "{}", told.out);
}

#[test]
fn nothing_is_built_when_a_target_does_not_let_one_in() {
    let desk = Desk::two(v4());
    std::fs::write(desk.path("web.yml"), "name: web\nos: debian12\n").unwrap();
    let told =
        desk.command(&["build", "web.yml", "--to", "paris"]).env("PASSWORD", "wrong").output().unwrap();
    let said = String::from_utf8_lossy(&told.stderr).into_owned();
    assert_eq!(told.status.code(), Some(1));
    assert!(
        said.contains("nothing was built")
            && said.contains("target paris")
            && said.contains("do: check user and password"),
        "{said}"
    );
    assert!(!desk.path("images").exists());
}

#[test]
fn a_secret_that_a_server_repeats_is_not_shown() {
    let desk = Desk::new(vec![("paris", v3())], "");
    let (password, pair) = (Options::default().password, "YnVpbGRlcjpwNHNzOncwcmQvKz0=");
    let body = format!("{{\"message\": \"{password} and Basic {pair} are odd\"}}");
    desk.prism("paris").fault("POST", "v3/images$", Act::Answer { status: 422, after: None, body });
    let told = desk.upload(&["--format", "json"]);
    assert!(told.out.contains("[secret] and Basic [secret] are odd"), "{}", told.out);
}

#[test]
fn the_command_of_a_secret_runs_once_and_its_words_are_in_no_argument() {
    let desk = Desk::two(v4());
    let text = std::fs::read_to_string(desk.path("targets.yml")).unwrap();
    desk.write_targets(&text.replace("env:PASSWORD", "command:echo asked >> asked; cat vault"));
    std::fs::write(desk.path("vault"), Options::default().password).unwrap();
    desk.prism("paris").fault("PUT", "vmm-images", Act::Hang(3600));
    let mut child = desk.command(&desk.uploading(&[])).env_remove("PASSWORD").spawn().unwrap();
    while count(desk.prism("lyon"), "PUT", "/file") == 0 {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let arguments = std::fs::read(format!("/proc/{}/cmdline", child.id())).unwrap();
    let environment = std::fs::read(format!("/proc/{}/environ", child.id())).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    for bytes in [arguments, environment] {
        assert!(!String::from_utf8_lossy(&bytes).contains("p4ss"));
    }
    assert_eq!(std::fs::read_to_string(desk.path("asked")).unwrap(), "asked\n");
}
