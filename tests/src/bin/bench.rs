//! Times a full strict audit of one root tree by oscap and by the agent, alternating, and holds the figures against our goals: see
//! `tests/bench/audit.sh`.

use std::fmt;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use e2e::command::Program;
use e2e::content::Content;
use e2e::machine::Machine;
use e2e::root::{Copy, Root};
use e2e::{agent, oscap};

const ROOT: &str = "debian12";

/// The operating systems with the largest data streams.
const LARGEST: [&str; 2] = ["rhel8", "rhel9"];

/// What is held against others, by name.
const OSCAP: &str = "oscap, as Debian ships it";
const AGENT: &str = "agent, the content that oscap has";
const LOADED: &str = "agent, the content only loaded";
const FIND: &str = "find / -xdev -printf, for comparison";

/// A way of auditing.
struct Contender {
    name: &'static str,
    command: Vec<String>,
    runs: Vec<Run>,
}

/// One round: the tree is mounted anew, so that nothing of it is in memory, and judged twice.
struct Run {
    /// Wall time of the first judgement, in seconds: most of it is the disk's.
    first: f64,
    /// Wall time of the second, in seconds.
    second: f64,
    /// Processor time of the second, in seconds, user and system: what else runs on the machine matters less to it.
    processor: f64,
    /// Peak memory, in MiB.
    memory: f64,
}

fn main() -> Result<()> {
    let number = |index, default| {
        std::env::args()
            .nth(index)
            .map_or(Ok(default), |text| text.parse::<usize>())
            .context("usage: bench [ROUNDS [FILES [oscap]]]")
    };
    let patient = std::env::args().nth(3).is_some_and(|word| word == "oscap");
    let (rounds, wanted) = (number(1, 5)?, number(2, 0)?);
    let root = Root::named(ROOT)?;
    let copy = root.copy()?;
    copy.lend(&agent::binary()?, "agent")?;
    copy.lend(&Content::find(root.os)?.path, "content.xml")?;
    copy.lend(Path::new("/usr/bin/time"), "time")?;
    lend_packed(&copy)?;
    let files = enlarge(&copy, wanted)?;
    // oscap's whole-disk rules take minutes on a large tree: there `find` is the measure.
    let mut contenders = contenders();
    contenders.retain(|contender| wanted == 0 || patient || !contender.name.starts_with("oscap"));
    for round in 1..=rounds {
        for contender in &mut contenders {
            let run = time(&copy, &contender.command)?;
            let Run { first, second, processor, memory } = run;
            eprintln!(
                "round {round}: {} {first:.2} s, {second:.2} s, {processor:.2} s of processor, {memory:.0} MiB",
                contender.name
            );
            contender.runs.push(run);
        }
    }
    println!(
        "CIS level 2 on {ROOT}, {files} files, {rounds} rounds, medians: just mounted, once more, processor time of that, peak memory"
    );
    for contender in &contenders {
        println!(
            "{:44} {:8.2} s {:8.2} s {:8.2} s {:5.0} MiB",
            contender.name,
            median(contender, |run| run.first),
            median(contender, |run| run.second),
            median(contender, |run| run.processor),
            median(contender, |run| run.memory)
        );
    }
    let goals = goals(&contenders, wanted > 0);
    goals.iter().for_each(|goal| println!("{goal}"));
    ensure!(goals.iter().all(Goal::is_met), "not every goal is met");
    Ok(())
}

/// What a figure is to be.
enum Wanted {
    AtLeast(f64),
    AtMost(f64),
}

struct Goal {
    what: String,
    figure: f64,
    wanted: Wanted,
}

impl Goal {
    fn is_met(&self) -> bool {
        match self.wanted {
            Wanted::AtLeast(least) => self.figure >= least,
            Wanted::AtMost(most) => self.figure <= most,
        }
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (words, limit) = match self.wanted {
            Wanted::AtLeast(least) => ("at least", least),
            Wanted::AtMost(most) => ("at most", most),
        };
        let met = if self.is_met() { "met" } else { "MISSED" };
        write!(f, "goal: {}: {:.2}, wanted {words} {limit}: {met}", self.what, self.figure)
    }
}

/// The goals that these contenders can show, on the tree as it is or on an enlarged one.
fn goals(contenders: &[Contender], enlarged: bool) -> Vec<Goal> {
    let figure = |name: &str, share: fn(&Run) -> f64| {
        contenders.iter().find(|contender| contender.name == name).map(|contender| median(contender, share))
    };
    let first = |name: &str| figure(name, |run| run.first);
    let goal = |what: &str, figure: f64, wanted| Goal { what: what.to_owned(), figure, wanted };
    let mut goals = Vec::new();
    if let (Some(oscap), Some(agent)) = (first(OSCAP), first(AGENT)) {
        let times = if enlarged { 100.0 } else { 20.0 };
        goals.push(goal("times faster than oscap", oscap / agent, Wanted::AtLeast(times)));
    }
    if let (true, Some(find), Some(agent)) = (enlarged, first(FIND), first(AGENT)) {
        goals.push(goal("times as long as find", agent / find, Wanted::AtMost(1.5)));
    }
    if let Some(loaded) = figure(LOADED, |run| run.second) {
        goals.push(goal("seconds to load 15 MB", loaded, Wanted::AtMost(0.06)));
    }
    let memory = contenders.iter().filter(|contender| contender.name.starts_with("agent"));
    goals.extend(memory.map(|contender| {
        goal(&format!("MiB of {}", contender.name), median(contender, |run| run.memory), Wanted::AtMost(60.0))
    }));
    goals
}

/// Multiplies `/usr`, as links to the same inodes, until the tree has so many files; gives how many it has then.
fn enlarge(copy: &Copy, wanted: usize) -> Result<usize> {
    let count = || -> Result<usize> { Ok(copy.shell("find / -xdev | wc -l")?.trim().parse()?) };
    let (files, usr) = (count()?, copy.shell("find /usr | wc -l")?.trim().parse::<usize>()?);
    let copies = wanted.saturating_sub(files).div_ceil(usr.max(1));
    copy.shell(&format!("for i in $(seq {copies}); do cp -al /usr /srv/usr$i; done"))?;
    count()
}

/// The largest data streams, plain and as small as `xz` makes them: what they weigh in memory.
fn lend_packed(copy: &Copy) -> Result<()> {
    for os in LARGEST {
        let plain = Content::find(os)?.path;
        let packed = tempfile::NamedTempFile::new()?;
        std::fs::write(packed.path(), Program::new("xz").args(["-9", "-c"]).args([&plain]).run()?.stdout)?;
        copy.lend(&plain, &format!("{os}.xml"))?;
        copy.lend(packed.path(), &format!("{os}.xml.xz"))?;
    }
    Ok(())
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
    let by_content = |content: &str, profile: &str| -> Vec<String> {
        let content = format!("/run/lab/{content}");
        let output = "/run/lab/agent.json";
        let words = ["/run/lab/agent", "audit", "--content", &content, "--profile", profile];
        words.into_iter().chain(["--format", "json", "--output", output]).map(str::to_owned).collect()
    };
    let load = ["/run/lab/agent", "list", "profiles", "--content", "/run/lab/content.xml"];
    let find = ["sh", "-c", "exec find / -xdev -printf '%m %U %G %p\\n' > /dev/null"];
    let contender = |name, command| Contender { name, command, runs: Vec::new() };
    vec![
        contender(OSCAP, oscap("LC_ALL=C")),
        contender("oscap, SEXP_VALIDATE_DISABLE=1", oscap("SEXP_VALIDATE_DISABLE=1")),
        contender("agent, the catalogue", agent.map(str::to_owned).to_vec()),
        contender(AGENT, by_content("content.xml", "cis_level2_server")),
        contender(LOADED, load.map(str::to_owned).to_vec()),
        contender("agent, rhel8, 29 MB", by_content("rhel8.xml", "cis")),
        contender("agent, rhel8, packed by xz -9", by_content("rhel8.xml.xz", "cis")),
        contender("agent, rhel9, 29 MB", by_content("rhel9.xml", "cis")),
        contender("agent, rhel9, packed by xz -9", by_content("rhel9.xml.xz", "cis")),
        contender(FIND, find.map(str::to_owned).to_vec()),
    ]
}

fn time(copy: &Copy, command: &[String]) -> Result<Run> {
    const TWICE: &str =
        "for run in 1 2; do /run/lab/time -q -a -f '%e %U %S %M' -o /run/lab/time.txt \"$@\"; done";
    copy.shell("rm -f /run/lab/time.txt")?;
    copy.program(&["sh", "-c", TWICE, "sh"]).args(command).accept(&[0, 1, 2]).run()?;
    let text = copy.shell("cat /run/lab/time.txt")?;
    let figures: Vec<f64> = text.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    match figures[..] {
        [first, _, _, kib, second, user, system, other] => {
            Ok(Run { first, second, processor: user + system, memory: kib.max(other) / 1024.0 })
        }
        _ => bail!("time(1) told something else: {text:?}"),
    }
}

fn median(contender: &Contender, figure: impl Fn(&Run) -> f64) -> f64 {
    let mut figures: Vec<f64> = contender.runs.iter().map(figure).collect();
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or_default()
}
