//! Whether our Prism Central is one to those who know real ones: Nutanix's own client of API v4, and Amazon's of S3, both in Python. And
//! whether a real image, made by `qemu-img`, arrives. Needs what `.ci/setup` installs.

use super::*;

/// Where `.ci/setup` puts them.
const PYTHON: &str = "/opt/prism-clients/bin/python";

fn qcow2(desk: &Desk) {
    let raw = desk.path("disk.raw");
    let mut file = File::create(&raw).unwrap();
    for piece in 0..40u64 {
        let noise: Vec<u8> =
            (0..1u64 << 20).map(|at| ((at * (piece + 3)).wrapping_mul(0x9e37_79b9) >> 13) as u8).collect();
        file.write_all(&noise).unwrap();
    }
    file.set_len(2 << 30).unwrap();
    let done = Command::new("qemu-img")
        .args(["convert", "-c", "-O", "qcow2"])
        .arg(raw)
        .arg(desk.path("web.qcow2"))
        .status();
    let done = done.unwrap_or_else(|error| panic!("qemu-img is needed, see .ci/setup: {error}"));
    assert!(done.success());
}

#[test]
fn a_real_image_arrives_at_both() {
    let desk = Desk::two(v4());
    qcow2(&desk);
    let told = desk.upload(&["--format", "json"]);
    assert_eq!(told.code, Some(0), "{} {}", told.out, told.err);
    let wanted = digest(&fs::read(desk.path("web.qcow2")).unwrap());
    for (name, prism) in &desk.prisms {
        let image = only(prism, "web");
        assert_eq!((image.sha256, image.size), (wanted.clone(), 2 << 30), "{name}");
    }
}

#[test]
fn the_official_clients_take_it_for_a_prism_central() {
    let desk = Desk::new(vec![("paris", v4())], "");
    desk.large(20 << 20);
    let prism = desk.prism("paris");
    let options = Options::default();
    let done = Command::new(PYTHON)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/upload/judge.py"))
        .args(["127.0.0.1", &prism.address.port().to_string(), &options.user, &options.password])
        .arg(desk.path("paris.pem"))
        .arg(desk.path("web.qcow2"))
        .env_remove("AWS_ACCESS_KEY_ID")
        .output()
        .unwrap_or_else(|error| panic!("the clients are needed, see .ci/setup: {error}"));
    let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{out} {err} {:#?}", prism.seen());
    let told: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(told["object_size"], 20 << 20);
    assert_eq!(told["objects"], serde_json::json!(["by-boto3"]));
    assert_eq!((&told["good"], &told["bad"]), (&"SUCCEEDED".into(), &"FAILED".into()), "{told}");
    assert_eq!(told["reason"], "Failed to read the object.");
    assert_eq!(told["size"], DISK);
    // What was given as an object is told as an address.
    assert_eq!(told["source"], "UrlSource");
    assert_eq!(told["named"], serde_json::json!(["renamed"]));
    assert_eq!((&told["stale"], &told["empty"]), (&412.into(), &Value::Null));
}
