use std::path::PathBuf;

use super::*;

/// What messages say of a specification.
fn problems(text: &str) -> Vec<String> {
    match Spec::parse(text, "image.yml") {
        Ok(_) => Vec::new(),
        Err(problems) => problems.iter().map(ToString::to_string).collect(),
    }
}

const ISO: &str = "source: {iso: {url: /srv/a.iso, checksum: sha256:0000000000000000000000000000000000000000000000000000000000000000}}";

#[test]
fn the_example_of_this_repository_is_what_init_writes() {
    let debian = os::KNOWN.into_iter().find(|os| os.id == "debian12").unwrap();
    assert_eq!(example::example(debian), include_str!("../../../packaging/debian12.yml"));
}

#[test]
fn every_example_is_good_and_says_the_defaults() {
    for os in os::KNOWN {
        let text = example::example(os);
        let spec = Spec::parse(&text, "example").unwrap_or_else(|problems| panic!("{os}: {problems:?}"));
        let wide = text.lines().find(|line| line.chars().count() > 120);
        assert_eq!(wide, None, "{os}");
        let iso = if os.family == Family::Rhel { ISO } else { "" };
        let mut least = Spec::parse(&format!("name: {os}\nos: {os}\n{iso}\n"), "least").unwrap();
        // What an example says for orientation, and what is the family's own.
        least.agent.tier = Some(Tier::Standard);
        least.storage.filesystem = spec.storage.filesystem.clone();
        least.source = spec.source.clone();
        assert_eq!(format!("{:?}", bare(&spec)), format!("{:?}", bare(&least)), "{os}");
    }
}

/// A specification without the places of its values.
fn bare(spec: &Spec) -> impl std::fmt::Debug {
    let Spec { name, os, source, firmware, hardware, storage, locale, packages, agent, cloud_init, targets } =
        spec.clone();
    let mounts: Vec<_> = storage.mounts.into_iter().map(|mount| mount.value).collect();
    let kind = storage.filesystem.map(|kind| kind.value);
    let storage = (storage.disk.value, storage.scheme.value, kind, storage.swap, mounts);
    (
        name.value,
        os.value,
        source.value,
        firmware.value,
        hardware,
        storage,
        locale,
        (packages, agent, cloud_init, targets),
    )
}

#[test]
fn mistakes_are_told_with_place_and_remedy() {
    let start = "name: a\nos: debian12\n";
    let table: [(&str, &str); 16] = [
        (
            "name: a\nos: debain12\n",
            "image.yml:2:5: unknown operating system \"debain12\" (did you mean \"debian12\"?",
        ),
        ("name: a b\nos: debian12\n", "image.yml:1:7: \"a b\" has a ' '"),
        ("name: ../a\nos: debian12\n", "image.yml:1:7: \"../a\""),
        ("name: A\nos: debian12\n", "image.yml:1:7: \"A\" cannot be an image's name"),
        ("os: debian12\n", "missing field `name`"),
        (
            "name: a\nos: rhel9\n",
            "image.yml:2:5: Red Hat Enterprise Linux 9 has no bootstrap: give source: {iso",
        ),
        (&format!("{start}firmwar: bios\n"), "image.yml:3:1: unknown field `firmwar`"),
        (
            &format!("{start}storage:\n  disk: 20 GB\n"),
            "image.yml:4:9: \"20 GB\" is no size: write it as 512 MiB",
        ),
        (&format!("{start}storage:\n  disk: 4 GiB\n"), "image.yml:4:9: what is to be on the disk takes"),
        (&format!("{start}storage:\n  scheme: lvm\n"), "image.yml:4:11: logical volumes need an installer"),
        (&format!("{start}storage:\n  mounts: [{{at: /var, size: 1 GiB}}]\n"), "there is no /"),
        (
            &format!("{start}storage:\n  mounts:\n  - {{at: /, size: 5 GiB}}\n  - {{at: /, size: 5 GiB}}\n"),
            "image.yml:6:5: / is there twice",
        ),
        (
            &format!("{start}storage:\n  mounts: [{{at: ../x, size: 1 GiB}}]\n"),
            "image.yml:4:17: \"../x\" is no mount point",
        ),
        (&format!("{start}{ISO}\n"), "firmware: uefi or bios"),
        (
            &format!("{start}source: {{bootstrap: {{mirror: 'http://u:p@host/debian'}}}}\n"),
            "fetch the file beforehand",
        ),
        (&format!("{start}targets: []\n"), "targets: name at least one"),
    ];
    for (text, expected) in table {
        let found = problems(text);
        assert!(found.iter().any(|problem| problem.contains(expected)), "{text}\n{found:#?}");
    }
}

#[test]
fn no_text_makes_reading_panic() {
    let good = example::example(os::KNOWN[14]);
    for (at, _) in good.char_indices() {
        let (head, tail) = good.split_at(at);
        let _ = Spec::parse(head, "cut");
        let _ = Spec::parse(&format!("{head}\u{0}: [{tail}"), "spoilt");
    }
}

#[test]
fn the_schema_is_the_one_of_the_types() {
    let schema = crate::command::schema::text().unwrap();
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("schema.json");
    if std::env::var_os("TREMPE_BLESS").is_some() {
        std::fs::write(&path, &schema).unwrap();
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(stored == schema, "builder/schema.json is stale: run the tests once with TREMPE_BLESS=1");
}
