//! The archive.

use super::*;

#[test]
fn an_archive_has_the_disk_its_description_and_their_digests() {
    let desk = Desk::new();
    let told = desk.run(&["ova", "web.qcow2"]);
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    let archive = desk.path("web.ova");
    let names = run(Command::new("tar").arg("tf").arg(&archive));
    assert_eq!(names.lines().collect::<Vec<_>>(), ["web.ovf", "web.mf", "web-disk1.vmdk"]);
    run(Command::new("tar").arg("xf").arg(&archive).arg("-C").arg(desk.home.path()));

    // The digests are those of the files; sha256sum reads them in BSD's form.
    let digests = fs::read_to_string(desk.path("web.mf")).unwrap();
    let bsd = digests.replace("SHA256(", "SHA256 (").replace(")= ", ") = ");
    fs::write(desk.path("digests"), bsd).unwrap();
    run(Command::new("sha256sum").args(["--check", "--strict", "digests"]).current_dir(desk.home.path()));

    let disk = desk.path("web-disk1.vmdk");
    let info = run(Command::new("qemu-img").args(["info", "--output=json"]).arg(&disk));
    let info: Value = serde_json::from_str(&info).unwrap();
    assert_eq!(info["format-specific"]["data"]["create-type"], "streamOptimized");
    run(Command::new("qemu-img").arg("compare").args([&desk.path("web.qcow2"), &disk]));

    let ovf = desk.path("web.ovf");
    let ask = |path: &str| run(Command::new("xmllint").args(["--xpath", path]).arg(&ovf)).trim().to_owned();
    let local = |name: &str, attribute: &str| {
        format!("string(//*[local-name()='{name}']/@*[local-name()='{attribute}'])")
    };
    assert_eq!(ask(&local("Disk", "capacity")), (64_u64 << 20).to_string());
    assert_eq!(ask(&local("File", "size")), fs::metadata(&disk).unwrap().len().to_string());
    assert_eq!(ask(&local("File", "href")), "web-disk1.vmdk");
    assert_eq!(ask(&local("OperatingSystemSection", "osType")), "rhel9_64Guest");
    let settings = ask(
        "count(//*[local-name()='Config'][@*[local-name()='value']='efi' or @*[local-name()='key']='bootOptions.efiSecureBootEnabled'])",
    );
    assert_eq!(settings, "2");
    assert_eq!(desk.left(), 0);
}

#[test]
fn an_archive_becomes_a_virtual_machine_as_it_is_described() {
    let desk = Desk::new();
    let center = Vcenter::start(&desk, "env:PASSWORD");
    assert!(desk.run(&["ova", "web.qcow2"]).status.success());
    run(Command::new("tar").arg("xf").arg(desk.path("web.ova")).arg("-C").arg(desk.home.path()));
    let told: Value =
        serde_json::from_str(&center.tell(&format!("import {}", desk.path("web.ova").display()))).unwrap();
    assert_eq!((&told["guest"], &told["version"]), (&"rhel9_64Guest".into(), &"vmx-13".into()), "{told:#}");
    assert_eq!(told["disks"], json!([64 << 20]), "{told:#}");
    let size = fs::metadata(desk.path("web-disk1.vmdk")).unwrap().len();
    // What the archive says of the file's size, and how many bytes there were.
    assert_eq!(told["files"], json!({"web-disk1.vmdk": [size, size]}), "{told:#}");
    let devices: Vec<&str> = told["devices"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    for device in ["ParaVirtualSCSIController", "VirtualVmxnet3", "VirtualDisk"] {
        assert_eq!(devices.iter().filter(|name| **name == device).count(), 1, "{device}: {told:#}");
    }
}

#[test]
fn what_a_killed_conversion_left_goes_with_the_next() {
    let desk = Desk::new();
    // No process has that number.
    fs::create_dir(desk.path(".vmdk~4194305~x")).unwrap();
    let alive = format!(".vmdk~{}~x", std::process::id());
    fs::create_dir(desk.path(&alive)).unwrap();
    assert!(desk.run(&["ova", "web.qcow2", "--name", "other", "--output", "o.ova"]).status.success());
    assert!(!desk.path(".vmdk~4194305~x").exists() && desk.path(&alive).exists());
    assert!(run(Command::new("tar").arg("tf").arg(desk.path("o.ova"))).starts_with("other.ovf\n"));
}
