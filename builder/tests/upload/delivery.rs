//! Deliveries when nothing goes wrong.

use serde_json::json;

use super::*;

#[test]
fn an_image_goes_to_both_at_once_by_the_api_that_each_has() {
    let desk = Desk::two(v4());
    let sha256 = desk.image(1);
    let told = desk.upload(&["--format", "json"]);
    assert_eq!(told.code, Some(0), "{} {}", told.out, told.err);
    let json = told.json();
    assert_eq!(json["image"]["sha256"], sha256);
    assert_eq!(json["image"]["virtual_size"], DISK);
    for (target, api, product) in [(0, "v3", "pc.2023.4"), (1, "v4.2", "pc.7.5")] {
        let target = &json["targets"][target];
        assert_eq!((&target["api"], &target["product"]), (&json!(api), &json!(product)));
        assert_eq!(target["result"], "uploaded");
    }
    for (name, prism) in &desk.prisms {
        let image = only(prism, "web");
        assert_eq!(
            (image.sha256.as_str(), image.size, image.phase),
            (sha256.as_str(), DISK, Phase::Complete),
            "{name}"
        );
        assert_eq!(image.kind, "DISK_IMAGE");
        assert_eq!(names(prism), ["web"]);
    }
    assert_eq!(desk.prism("paris").objects().1, 0);
    assert!(
        std::fs::read_dir(desk.path(".local/state/trempe/uploads"))
            .unwrap()
            .all(|entry| { entry.unwrap().file_name().to_string_lossy().ends_with(".lock") })
    );
}

#[test]
fn a_second_upload_of_the_same_sends_nothing() {
    let desk = Desk::two(v4());
    assert_eq!(desk.upload(&[]).code, Some(0));
    let ids: Vec<String> = desk.prisms.iter().map(|(_, prism)| only(prism, "web").id).collect();
    let told = desk.upload(&[]);
    assert_eq!(told.code, Some(0), "{}", told.err);
    assert!(told.of_target("paris").contains("web there already (pc.7.5 API v4.2, "), "{}", told.out);
    for ((_, prism), id) in desk.prisms.iter().zip(ids) {
        assert_eq!(only(prism, "web").id, id);
        let files = count(prism, "PUT", "/file") + count(prism, "PUT", "/vmm-images/");
        assert_eq!(files, 1);
    }
}

#[test]
fn a_newer_version_takes_the_name_and_so_many_older_ones_stay() {
    for options in [v3(), v4()] {
        let desk = Desk::new(vec![("paris", options)], "keep: 1");
        let digests: Vec<String> = (1..4)
            .map(|kind| {
                let digest = desk.image(kind);
                let told = desk.upload(&[]);
                assert_eq!(told.code, Some(0), "{} {}", told.out, told.err);
                digest
            })
            .collect();
        let prism = desk.prism("paris");
        assert_eq!(names(prism), ["web".to_owned(), format!("web-{}", &digests[1][..12])]);
        assert_eq!(only(prism, "web").sha256, digests[2]);
        // Back to the version before: it is there, and gets the name again.
        desk.image(2);
        let told = desk.upload(&[]);
        assert!(told.of_target("paris").contains("there already"), "{} {}", told.out, told.err);
        assert_eq!(only(prism, "web").sha256, digests[1]);
        assert_eq!(names(prism), ["web".to_owned(), format!("web-{}", &digests[2][..12])]);
    }
}

#[test]
fn clusters_and_categories_go_with_the_image_by_name() {
    let keys = "clusters: [cluster-2, 00061111-aaaa-4bbb-8ccc-000000000001]\n      categories: {Environment: [Production, Staging]}";
    let desk = Desk::new(vec![("paris", v3()), ("lyon", v4())], keys);
    let told = desk.upload(&[]);
    assert_eq!(told.code, Some(0), "{} {}", told.out, told.err);
    let clusters = ["00061111-aaaa-4bbb-8ccc-000000000002", "00061111-aaaa-4bbb-8ccc-000000000001"];
    let (paris, lyon) = (only(desk.prism("paris"), "web"), only(desk.prism("lyon"), "web"));
    assert_eq!(paris.clusters, clusters);
    assert_eq!(lyon.clusters, clusters);
    assert_eq!(paris.categories, json!({"Environment": ["Production", "Staging"]}));
    let ids = ["11111111-2222-4333-8444-555555555501", "11111111-2222-4333-8444-555555555502"];
    assert_eq!(lyon.categories, json!(ids));
}

#[test]
fn what_somebody_else_made_is_not_touched() {
    for options in [v3(), v4()] {
        let desk = Desk::new(vec![("paris", options)], "");
        assert_eq!(desk.upload(&["--name", "db"]).code, Some(0));
        desk.prism("paris").with_images(|images| images[0].description = "by hand".to_owned());
        let told = desk.upload(&["--name", "db"]);
        assert_eq!(told.code, Some(1));
        assert!(
            told.of_target("paris").contains("an image \"db\" is there that the builder did not make"),
            "{}",
            told.out
        );
        assert_eq!(names(desk.prism("paris")), ["db"]);
        assert_eq!(desk.upload(&["--name", "web"]).code, Some(0));
        assert_eq!(names(desk.prism("paris")), ["db", "web"]);
    }
}

#[test]
fn a_long_list_of_images_is_read_to_its_end() {
    for options in [v3(), v4()] {
        let desk = Desk::new(vec![("paris", options)], "");
        assert_eq!(desk.upload(&[]).code, Some(0));
        desk.prism("paris").with_images(|images| {
            let ours = images.remove(0);
            for number in 0..250 {
                let mut other = ours.clone();
                (other.name, other.id) = (format!("other {number}"), format!("id-{number}"));
                other.description.clear();
                images.push(other);
            }
            images.push(ours);
        });
        let told = desk.upload(&[]);
        assert!(told.of_target("paris").contains("there already"), "{} {}", told.out, told.err);
    }
}

#[test]
fn an_image_that_was_built_here_is_found_by_its_name_and_must_be_the_one_of_its_manifest() {
    let desk = Desk::new(vec![("paris", v4())], "");
    let directory = desk.path("images/debian12");
    std::fs::create_dir_all(&directory).unwrap();
    let digest = desk.image(1);
    std::fs::rename(desk.path("web.qcow2"), directory.join("debian12.qcow2")).unwrap();
    let manifest = |sha256: &str| {
        let text = json!({
            "schema": 1, "builder": "0.1.0", "name": "debian12", "os": "debian12", "firmware": "both", "tier": "light",
            "image": {"file": "debian12.qcow2", "format": "qcow2", "size": 1, "virtual_size": 1, "sha256": sha256, "packages": []},
            "spec_sha256": "", "agent": {"version": "0.1.0", "sha256": ""},
            "tools": {"packer": "1.6.6", "qemu": "", "mmdebstrap": ""}, "built": "2026-11-27T10:00:00Z", "stages": [],
        });
        std::fs::write(directory.join("debian12.manifest.json"), text.to_string()).unwrap();
    };
    manifest(&"0".repeat(64));
    let told = desk.run(&["upload", "debian12", "--to", "paris"]);
    assert_eq!(told.code, Some(1));
    assert!(told.err.contains("is not the image that debian12.manifest.json speaks of"), "{}", told.err);
    manifest(&digest);
    let told = desk.run(&["upload", "debian12", "--to", "paris"]);
    assert_eq!(told.code, Some(0), "{} {}", told.out, told.err);
    let image = only(desk.prism("paris"), "debian12");
    assert!(image.description.starts_with("debian12, built 2026-11-27T10:00:00Z. "), "{}", image.description);
    let told = desk.run(&["upload", "nothing", "--to", "paris"]);
    assert!(told.err.contains("there is no image nothing") && told.code == Some(1), "{}", told.err);
}

#[test]
fn the_object_goes_after_the_import_when_the_target_says_so() {
    for (keys, left) in [("remove_object: true", 0), ("", 1)] {
        let desk = Desk::new(vec![("paris", v4())], keys);
        assert_eq!(desk.upload(&[]).code, Some(0));
        assert_eq!(desk.prism("paris").objects().0.len(), left);
    }
}

#[test]
fn a_large_image_goes_in_parts() {
    let desk = Desk::new(vec![("paris", v4())], "");
    desk.large(150 << 20);
    let told = desk.upload(&["--format", "json"]);
    assert_eq!(told.code, Some(0), "{} {}", told.out, told.err);
    let prism = desk.prism("paris");
    assert_eq!(count(prism, "PUT", "partNumber="), 3);
    assert_eq!(told.json()["image"]["sha256"], only(prism, "web").sha256);
    assert_eq!(prism.objects().1, 0);
    assert_eq!(std::fs::read_dir(prism.directory()).unwrap().count(), 0);
}
