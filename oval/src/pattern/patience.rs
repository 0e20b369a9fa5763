//! How much processor time all searches of a run may take together, those of other threads too.

use nix::time::{ClockId, clock_gettime};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The most processor time that all searches together may take.
const MOST: Duration = Duration::from_secs(60);

/// What is left of it, in nanoseconds. A copy is the same patience.
#[derive(Debug, Clone)]
pub(crate) struct Patience(Arc<AtomicU64>);

impl Default for Patience {
    fn default() -> Patience {
        Patience::of(MOST)
    }
}

impl Patience {
    /// Patience for so long.
    pub fn of(time: Duration) -> Patience {
        Patience(Arc::new(AtomicU64::new(nanoseconds(time))))
    }

    /// Takes time off.
    pub fn spend(&self, time: Duration) {
        let less = |left: u64| Some(left.saturating_sub(nanoseconds(time)));
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }

    /// An error when nothing is left.
    pub fn is_left(&self) -> Result<(), String> {
        if self.0.load(Ordering::Relaxed) > 0 { Ok(()) } else { Err(refusal()) }
    }
}

/// Why a search is not made.
pub(super) fn refusal() -> String {
    format!("all searches together took longer than {} s", MOST.as_secs())
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// The processor time of this thread.
pub(super) fn processor_time() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map_or(Duration::ZERO, Duration::from)
}
