//! Embeds the catalogue: every `profiles/catalogue/*.yml` becomes JSON inside the binary, so that no YAML is parsed at run
//! time. A file that is not valid YAML stops the build with its name and line.

use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context, Result};

fn main() -> Result<()> {
    let profiles = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../profiles");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    println!("cargo::rerun-if-changed={}", profiles.display());
    fs::write(out.join("catalogue.json"), catalogue(&profiles.join("catalogue"))?)?;
    fs::write(out.join("tiers.rs"), tiers(&profiles.join("tiers"))?)?;
    Ok(())
}

/// One JSON array of `{"file": NAME, "content": …}`.
fn catalogue(dir: &Path) -> Result<String> {
    let mut files = Vec::new();
    for path in sorted(dir, "yml")? {
        println!("cargo::rerun-if-changed={}", path.display());
        let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        let content: serde_json::Value =
            serde_saphyr::from_str(&text).with_context(|| format!("reading {}", path.display()))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        files.push(serde_json::json!({ "file": name, "content": content }));
    }
    Ok(serde_json::to_string(&files)?)
}

/// A Rust array of `(tier, tailoring text)`.
fn tiers(dir: &Path) -> Result<String> {
    let mut array = String::from("[");
    for path in sorted(dir, "xml")? {
        println!("cargo::rerun-if-changed={}", path.display());
        let tier = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        array.push_str(&format!("({tier:?}, include_str!({path:?})),"));
    }
    array.push(']');
    Ok(array)
}

fn sorted(dir: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(dir).with_context(|| format!("listing {}", dir.display()))?;
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|found| found == extension));
    paths.sort();
    Ok(paths)
}
