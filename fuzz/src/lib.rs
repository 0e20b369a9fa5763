//! Feeds a function with seeds and with what chance makes of them, until its time is up. Runs on stable Rust, in an ordinary test.
//!
//! There is no look into the program as `libFuzzer` has it. Instead a target says what came of an input; an input that brings about
//! something new is kept, and more is made of it. To add a target, add a function to `tests/targets.rs` and a directory to `seeds/`.

mod mutate;

use mutate::Random;
use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long each target is fed when nobody says otherwise (`TREMPE_FUZZ_SECONDS`).
const SECONDS: u64 = 8;

/// What is longer than this to deal with is called a hang.
const HANG: Duration = Duration::from_secs(60);

/// The most inputs kept to make others from.
const MOST_KEPT: usize = 2000;

/// Feeds a target, which says in a few words what came of an input.
///
/// # Errors
/// When an input makes the target panic or hang. The input is then in `found/NAME`, and will be tried first from then on.
pub fn fuzz(name: &str, target: impl Fn(&[u8]) -> String + Send + 'static) -> Result<(), String> {
    let seconds = setting("TREMPE_FUZZ_SECONDS").unwrap_or(SECONDS);
    let random = Random::new(setting("TREMPE_FUZZ_SEED").unwrap_or(1));
    let seeds = [here().join("seeds").join(name), here().join("found").join(name)]
        .iter()
        .flat_map(|path| files(path))
        .collect();
    let present = Arc::new(Mutex::new(Vec::new()));
    let (alive, watched) = channel();
    let feeder =
        Feeder { target, random, kept: seeds, seen: HashSet::new(), present: Arc::clone(&present), alive };
    let end = Instant::now() + Duration::from_secs(seconds);
    let worker = std::thread::spawn(move || feeder.run(end));
    let hangs = hangs(&watched);
    let outcome = if hangs {
        Err("hangs".to_owned())
    } else {
        worker.join().unwrap_or_else(|_| Err("breaks down".to_owned()))
    };
    match outcome {
        Ok((inputs, outcomes)) => {
            println!("{name}: {inputs} inputs, {outcomes} outcomes, {seconds} s");
            Ok(())
        }
        Err(how) => {
            let input = present.lock().unwrap_or_else(PoisonError::into_inner).clone();
            Err(format!("{name} {how} on {}", keep(name, &input)))
        }
    }
}

/// Keeps an input that broke a target; where, or what it is when it cannot be kept.
fn keep(name: &str, input: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    input.hash(&mut hasher);
    let directory = here().join("found").join(name);
    let path = directory.join(format!("{:016x}", hasher.finish()));
    match fs::create_dir_all(&directory).and_then(|()| fs::write(&path, input)) {
        Ok(()) => path.display().to_string(),
        Err(_) => format!("{input:?}"),
    }
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn here() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files(directory: &Path) -> Vec<Vec<u8>> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths.iter().filter_map(|path| fs::read(path).ok()).collect()
}

/// Waits for the end, or for a sign of life that does not come.
fn hangs(watched: &Receiver<()>) -> bool {
    loop {
        match watched.recv_timeout(HANG) {
            Ok(()) => {}
            Err(RecvTimeoutError::Timeout) => return true,
            Err(RecvTimeoutError::Disconnected) => return false,
        }
    }
}

struct Feeder<T> {
    target: T,
    random: Random,
    /// Inputs to make others from.
    kept: Vec<Vec<u8>>,
    /// What came of inputs so far.
    seen: HashSet<String>,
    /// The input that the target has.
    present: Arc<Mutex<Vec<u8>>>,
    alive: Sender<()>,
}

impl<T: Fn(&[u8]) -> String> Feeder<T> {
    /// How many inputs there were and how many different things came of them; the error says what went wrong.
    fn run(mut self, end: Instant) -> Result<(usize, usize), String> {
        let mut inputs = 0;
        for n in 0..self.kept.len() {
            let Some(seed) = self.kept.get(n).cloned() else { break };
            inputs += 1;
            self.feed(seed)?;
        }
        while Instant::now() < end {
            let input = self.random.from(&self.kept);
            inputs += 1;
            let new = self.feed(input.clone())?;
            if new && self.kept.len() < MOST_KEPT {
                self.kept.push(input);
            }
        }
        Ok((inputs, self.seen.len()))
    }

    /// Whether something new came of an input.
    fn feed(&mut self, input: Vec<u8>) -> Result<bool, String> {
        *self.present.lock().unwrap_or_else(PoisonError::into_inner) = input.clone();
        let _ = self.alive.send(());
        let said =
            catch_unwind(AssertUnwindSafe(|| (self.target)(&input))).map_err(|_| "panics".to_owned())?;
        // Numbers, places most often, make nothing new.
        let kind: String = said.chars().filter(|c| !c.is_ascii_digit()).take(200).collect();
        Ok(self.seen.insert(kind))
    }
}
