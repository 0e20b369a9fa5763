//! The `oval` library and oscap evaluate every definition of a data stream in the same root tree, and agree.

use std::path::Path;

use e2e::content::Content;
use e2e::oval;
use e2e::root::Root;

/// Definitions of the content that belongs to a root tree, in it.
fn agrees(root: &str, content: Option<&str>) {
    let root = Root::named(root).unwrap();
    let content = Content::find(content.unwrap_or(root.os)).unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_oval"));
    let comparison = oval::compare(&root.copy().unwrap(), &content, program).unwrap();
    println!("{} definitions agree", comparison.agreed);
    assert!(comparison.agreed > 100, "hardly anything was compared");
    assert!(comparison.differences.is_empty(), "{}", comparison.table());
}

#[test]
fn debian_12_content_on_debian_12() {
    agrees("debian12", None);
}

#[test]
fn every_content_on_every_root_matrix() {
    for root in ["debian12", "debian12-full", "debian13"] {
        for content in Content::products().unwrap() {
            println!("{content} on {root}");
            agrees(root, Some(&content));
        }
    }
}
