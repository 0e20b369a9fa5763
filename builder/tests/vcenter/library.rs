//! The content library.

use super::*;

#[test]
fn an_image_becomes_an_item_of_the_library_once_for_each_version() {
    let desk = Desk::new();
    let center = Vcenter::start(&desk, "env:PASSWORD");
    let checked = desk.run(&["targets", "--check"]);
    assert!(said(&checked).contains("good: vCenter, content library templates"), "{}", said(&checked));

    let first = desk.run(&["upload", "web.qcow2", "--to", "center", "--format", "json"]);
    assert!(first.status.success(), "{}", said(&first));
    let told: Value = serde_json::from_slice(&first.stdout).unwrap();
    assert_eq!(
        (&told["targets"][0]["result"], &told["targets"][0]["api"]),
        (&"uploaded".into(), &"content library".into())
    );
    let items = center.items();
    let [(name, description, files)] = items.as_slice() else { panic!("{items:?}") };
    assert_eq!(name, "web");
    assert!(description.contains(told["image"]["sha256"].as_str().unwrap()), "{description}");
    // The same files as those of the archive.
    assert!(desk.run(&["ova", "web.qcow2"]).status.success());
    run(Command::new("tar").args(["xf", "web.ova"]).current_dir(desk.home.path()));
    for file in ["web.ovf", "web-disk1.vmdk"] {
        let size = fs::metadata(desk.path(file)).unwrap().len();
        assert!(files.contains(&(file.to_owned(), size)), "{file}, {size}: {files:?}");
    }

    let again = desk.run(&["upload", "web.qcow2", "--to", "center"]);
    assert!(said(&again).contains("there already"), "{}", said(&again));
    assert_eq!(center.items(), items);

    let short = |told: &Value| told["image"]["sha256"].as_str().unwrap()[..12].to_owned();
    let mut versions = vec![short(&told)];
    for kind in [2, 3] {
        desk.image(kind);
        let newer = desk.run(&["upload", "web.qcow2", "--to", "center", "--format", "json"]);
        assert!(newer.status.success(), "{}", said(&newer));
        versions.push(short(&serde_json::from_slice(&newer.stdout).unwrap()));
    }
    // One earlier version is kept.
    let names: Vec<_> = center.items().into_iter().map(|(name, ..)| name).collect();
    assert_eq!(names, ["web".to_owned(), format!("web-{}", versions[1])]);
    assert_eq!(desk.left(), 0);
    for output in [first, again, checked] {
        assert!(!said(&output).contains(PASSWORD));
    }
}

#[test]
fn what_is_not_ours_is_left_alone_and_what_is_wrong_is_said() {
    let desk = Desk::new();
    let center = Vcenter::start(&desk, "env:PASSWORD");
    let spec = json!({"create_spec": {"library_id": center.library, "name": "web", "type": "ovf", "description": "by hand"}});
    center.post("content/library/item", &spec);
    let refused = desk.run(&["upload", "web.qcow2", "--to", "center"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(said(&refused).contains("the builder did not make"), "{}", said(&refused));
    assert_eq!(center.items().len(), 1);
    assert!(desk.run(&["upload", "web.qcow2", "--to", "center", "--name", "other"]).status.success());
    assert_eq!(center.items().len(), 2);

    let targets = fs::read_to_string(desk.path("targets.yml")).unwrap();
    fs::write(desk.path("targets.yml"), targets.replace("library: templates", "library: elsewhere")).unwrap();
    let missing = desk.run(&["upload", "web.qcow2", "--to", "center"]);
    assert!(said(&missing).contains("there is no content library \"elsewhere\""), "{}", said(&missing));
}

#[test]
fn what_a_killed_upload_left_is_cleared_away() {
    let desk = Desk::new();
    let center = Vcenter::start(&desk, "env:PASSWORD");
    // As it is when the builder was killed after it had made the item.
    let digest = run(Command::new("sha256sum").arg(desk.path("web.qcow2")));
    let digest = digest.split_whitespace().next().unwrap();
    let stamp = format!("[trempe image=web sha256={digest} upload=u-1]");
    let name = format!("web-{}", &digest[..12]);
    let spec = json!({"create_spec": {"library_id": center.library, "name": name, "type": "ovf", "description": stamp}});
    center.post("content/library/item", &spec);
    let journals = desk.path(".local/state/trempe/uploads");
    fs::create_dir_all(&journals).unwrap();
    let begun = json!({"upload": "u-1", "sha256": digest, "server": center.address});
    fs::write(journals.join("center~web.json"), begun.to_string()).unwrap();
    let done = desk.run(&["upload", "web.qcow2", "--to", "center"]);
    assert!(done.status.success(), "{}", said(&done));
    let items = center.items();
    assert_eq!(items.len(), 1, "{items:?}");
    assert!(items[0].0 == "web" && items[0].2.len() == 2, "{items:?}");
}
