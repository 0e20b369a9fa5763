//! Times a full strict audit of one root tree by oscap and by the agent, alternating: see `tests/bench/audit.sh`.

use std::path::Path;

use anyhow::{Context, Result};
use e2e::content::Content;
use e2e::machine::Machine;
use e2e::root::{Copy, Root};
use e2e::{agent, oscap};

const ROOT: &str = "debian12";

/// A way of auditing.
struct Contender {
    name: &'static str,
    command: Vec<String>,
    runs: Vec<(f64, u64)>,
}

fn main() -> Result<()> {
    let number = |index, default| {
        std::env::args()
            .nth(index)
            .map_or(Ok(default), |text| text.parse::<usize>())
            .context("usage: bench [ROUNDS [FILES]]")
    };
    let (rounds, wanted) = (number(1, 5)?, number(2, 0)?);
    let root = Root::named(ROOT)?;
    let copy = root.copy()?;
    copy.lend(&agent::binary()?, "agent")?;
    copy.lend(&Content::find(root.os)?.path, "content.xml")?;
    copy.lend(Path::new("/usr/bin/time"), "time")?;
    let files = enlarge(&copy, wanted)?;
    // oscap's whole-disk rules take minutes on a large tree: there `find` is the measure.
    let mut contenders = contenders();
    contenders.retain(|contender| wanted == 0 || !contender.name.starts_with("oscap"));
    for round in 1..=rounds {
        for contender in &mut contenders {
            let run = time(&copy, &contender.command)?;
            eprintln!("round {round}: {} {:.2} s, {} MiB", contender.name, run.0, run.1 / 1024);
            contender.runs.push(run);
        }
    }
    println!("tier strict on {ROOT}, {files} files, {rounds} rounds, medians:");
    for contender in &contenders {
        println!(
            "{:44} {:8.2} s {:6} MiB",
            contender.name,
            median(contender, |r| r.0),
            median(contender, |r| r.1 as f64) as u64 / 1024
        );
    }
    Ok(())
}

/// Multiplies `/usr`, as links to the same inodes, until the tree has so many files; gives how many it has then.
fn enlarge(copy: &Copy, wanted: usize) -> Result<usize> {
    let count = || -> Result<usize> { Ok(copy.shell("find / -xdev | wc -l")?.trim().parse()?) };
    let (files, usr) = (count()?, copy.shell("find /usr | wc -l")?.trim().parse::<usize>()?);
    let copies = wanted.saturating_sub(files).div_ceil(usr.max(1));
    copy.shell(&format!("for i in $(seq {copies}); do cp -al /usr /srv/usr$i; done"))?;
    count()
}

fn contenders() -> Vec<Contender> {
    let oscap = |setting: &str| {
        let arguments =
            oscap::arguments("cis_level2_server", &[], "/run/lab/content.xml", "/run/lab/oscap.xml");
        ["env".to_owned(), setting.to_owned(), "oscap".to_owned()].into_iter().chain(arguments).collect()
    };
    let agent = [
        "/run/lab/agent",
        "audit",
        "--tier",
        "strict",
        "--format",
        "json",
        "--output",
        "/run/lab/agent.json",
    ];
    let find = ["sh", "-c", "exec find / -xdev -printf '%m %U %G %p\\n' > /dev/null"];
    let contender = |name, command| Contender { name, command, runs: Vec::new() };
    vec![
        contender("oscap, as Debian ships it", oscap("LC_ALL=C")),
        contender("oscap, SEXP_VALIDATE_DISABLE=1", oscap("SEXP_VALIDATE_DISABLE=1")),
        contender("agent", agent.map(str::to_owned).to_vec()),
        contender("find / -xdev -printf, for comparison", find.map(str::to_owned).to_vec()),
    ]
}

/// Wall time in seconds and peak memory in KiB.
fn time(copy: &Copy, command: &[String]) -> Result<(f64, u64)> {
    copy.program(&["/run/lab/time"])
        .args(["-q", "-f", "%e %M", "-o", "/run/lab/time.txt"])
        .args(command)
        .accept(&[0, 1, 2])
        .run()?;
    let text = copy.shell("cat /run/lab/time.txt")?;
    let (seconds, memory) = text.trim().split_once(' ').context("time(1) told something else")?;
    Ok((seconds.parse()?, memory.parse()?))
}

fn median(contender: &Contender, figure: impl Fn(&(f64, u64)) -> f64) -> f64 {
    let mut figures: Vec<f64> = contender.runs.iter().map(figure).collect();
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or_default()
}
