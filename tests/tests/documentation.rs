//! What the documentation says can be typed and followed: its commands exist, its links lead somewhere, and both READMEs show
//! the same commands.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::Parser;

fn project() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn pages() -> Result<Vec<PathBuf>> {
    let mut pages = Vec::new();
    for directory in [".", "docs", "tests", "fuzz"] {
        let entries = fs::read_dir(project().join(directory)).with_context(|| directory.to_owned())?;
        let paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()?;
        pages.extend(paths.into_iter().filter(|path| path.extension().is_some_and(|end| end == "md")));
    }
    Ok(pages)
}

/// The commands of indented blocks, a continued line joined to its first, without the remark behind.
fn commands(text: &str) -> Vec<String> {
    let joined = text.replace("\\\n", " ");
    let lines = joined.lines().filter_map(|line| line.strip_prefix("    "));
    let commands = lines.map(|line| line.split(" # ").next().unwrap_or(line));
    let words = commands.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    words.filter(|line| !line.is_empty()).collect()
}

/// The commands of a page that are ours, each without what a shell does with it.
fn ours(text: &str) -> Vec<String> {
    let simple = commands(text).into_iter().flat_map(|line| {
        line.split(['|', '>', ';', '&']).map(|part| part.trim().to_owned()).collect::<Vec<_>>()
    });
    let bare = simple.map(|line| line.strip_prefix("sudo ").map(str::to_owned).unwrap_or(line));
    bare.filter(|line| line.starts_with("agent ") || line.starts_with("builder ")).collect()
}

/// What is wrong with a command line of ours.
fn complaint(line: &str) -> Option<String> {
    let words = shlex::split(line).unwrap_or_default();
    let parsed = match words.first().map(String::as_str) {
        Some("builder") => builder::cli::Cli::try_parse_from(words).map(drop),
        _ => agent::cli::Cli::try_parse_from(words).map(drop),
    };
    let error = parsed.err().filter(clap::Error::use_stderr)?;
    Some(format!("{line}: {}", error.to_string().lines().next().unwrap_or_default()))
}

#[test]
fn every_command_of_the_documentation_exists() -> Result<()> {
    let (mut agent, mut builder) = (0, 0);
    let mut wrong = Vec::new();
    for page in pages()? {
        for line in ours(&fs::read_to_string(&page)?) {
            *(if line.starts_with("agent ") { &mut agent } else { &mut builder }) += 1;
            wrong.extend(complaint(&line).map(|complaint| format!("{}: {complaint}", page.display())));
        }
    }
    ensure!(agent > 30 && builder > 10, "only {agent} commands of the agent and {builder} of builder found");
    ensure!(wrong.is_empty(), "{wrong:#?}");
    Ok(())
}

#[test]
fn a_command_that_does_not_exist_is_noticed() {
    assert!(complaint("agent audit --teir strict").is_some());
    assert!(complaint("agent audit --tier strict").is_none());
    assert!(complaint("builder build image.yml --firmwear uefi").is_some());
    assert!(complaint("builder check image.yml").is_none());
    assert_eq!(
        ours("    sudo agent plan > x  # diff\n    builder init -o x\n"),
        ["agent plan", "builder init -o x"]
    );
}

/// The commands of a README, in order, up to what only the English one has.
fn tour(name: &str) -> Result<Vec<String>> {
    let text = fs::read_to_string(project().join(name))?;
    Ok(commands(text.split("## How data flows").next().unwrap_or_default()))
}

#[test]
fn both_readmes_show_the_same_commands() -> Result<()> {
    let (english, french) = (tour("README.md")?, tour("README.fr.md")?);
    ensure!(english.len() > 20, "only {} commands found", english.len());
    ensure!(english == french, "English: {english:#?}, French: {french:#?}");
    Ok(())
}

/// The targets of links of a page that are files of the project.
fn links(text: &str) -> Vec<String> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let files = targets.filter(|target| !target.contains("://") && !target.starts_with('#'));
    files.map(|target| target.split('#').next().unwrap_or(target).to_owned()).collect()
}

#[test]
fn every_link_leads_somewhere() -> Result<()> {
    let mut dead = Vec::new();
    for page in pages()? {
        let beside = page.parent().context("a page without a directory")?.to_owned();
        let targets = links(&fs::read_to_string(&page)?);
        let gone = targets.into_iter().filter(|target| !beside.join(target).exists());
        dead.extend(gone.map(|target| format!("{}: {target}", page.display())));
    }
    ensure!(dead.is_empty(), "{dead:#?}");
    Ok(())
}
