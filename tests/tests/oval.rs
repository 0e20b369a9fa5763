//! The `oval` library and oscap evaluate every definition of a data stream in the same root tree, and agree.

use std::path::Path;

use anyhow::{Result, ensure};
use e2e::content::Content;
use e2e::oval;
use e2e::root::Root;

/// Definitions of the content that belongs to a root tree, in it.
fn agrees(root: &str, content: Option<&str>) -> Result<()> {
    let root = Root::named(root)?;
    let content = Content::find(content.unwrap_or(root.os))?;
    let program = Path::new(env!("CARGO_BIN_EXE_oval"));
    let comparison = oval::compare(&root.copy()?, &content, program)?;
    println!("{} definitions agree", comparison.agreed);
    ensure!(comparison.agreed > 100, "hardly anything was compared");
    ensure!(comparison.differences.is_empty(), "{}", comparison.table());
    Ok(())
}

#[test]
fn debian_12_content_on_debian_12() -> Result<()> {
    agrees("debian12", None)
}

#[test]
fn every_content_on_every_root_matrix() -> Result<()> {
    for root in ["debian12", "debian12-full", "debian13"] {
        for content in Content::products()? {
            println!("{content} on {root}");
            agrees(root, Some(&content))?;
        }
    }
    Ok(())
}
