//! Cases: a tier on a firmware. Each is one machine.

use std::fmt;
use std::fs;

use serde::{Deserialize, Serialize};

use super::Order;
use super::image::Image;
use super::seed::UserData;
use crate::build::digest;
use crate::spec::{Firmware, Tier};

/// A tier on a firmware.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// What the machine hardens itself to.
    pub tier: Tier,
    /// What it starts with; never `both`.
    pub firmware: Firmware,
}

/// What QEMU itself takes beside its guest's memory, in MiB.
const QEMU: u64 = 300;

impl fmt::Display for Case {
    fn fmt(&self, to: &mut fmt::Formatter) -> fmt::Result {
        write!(to, "{} on {}", self.tier.word(), self.firmware.word())
    }
}

impl Case {
    /// As in the names of files.
    pub fn word(&self) -> String {
        format!("{}-{}", self.tier.word(), self.firmware.word())
    }

    /// What decides its outcome: a proof of the same digest need not be made again.
    pub fn digest(&self, order: &Order, image: &Image, user_data: &UserData) -> String {
        let Order { seed, bus, limits, memory, offline, .. } = order;
        let choices = format!("{seed:?} {bus:?} {limits:?} {memory} {offline}");
        let parts = [env!("CARGO_PKG_VERSION"), &image.sha256, &self.word(), user_data.text(), &choices];
        digest::texts(parts)
    }
}

/// Each tier on each firmware; of what is not said, all tiers, and the firmware that was promised.
pub fn cases(tiers: &[Tier], firmware: &[Firmware], promised: Option<Firmware>) -> Vec<Case> {
    let tiers = if tiers.is_empty() { &[Tier::Light, Tier::Standard, Tier::Strict] } else { tiers };
    let promised = [promised.unwrap_or(Firmware::Bios)];
    let firmware = if firmware.is_empty() { &promised } else { firmware };
    let each = firmware.iter().flat_map(|firmware| match firmware {
        Firmware::Both => vec![Firmware::Bios, Firmware::Uefi],
        one => vec![*one],
    });
    let each: Vec<Firmware> = each.collect();
    let mut cases = Vec::new();
    for tier in tiers {
        for firmware in &each {
            let case = Case { tier: *tier, firmware: *firmware };
            if !cases.contains(&case) {
                cases.push(case);
            }
        }
    }
    cases
}

/// How many machines of that much memory, in MiB, this host has room for: memory that is free, and two processors for each.
pub fn room(memory: u64) -> usize {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    machines(available(&text), memory, processors)
}

/// What the kernel says is available, in MiB.
fn available(meminfo: &str) -> u64 {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    let kib = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or_default() >> 10
}

fn machines(available: u64, memory: u64, processors: usize) -> usize {
    // A quarter stays for whatever else this host does.
    let by_memory = available.saturating_sub(available / 4) / (memory + QEMU);
    usize::try_from(by_memory).unwrap_or(usize::MAX).min(processors / 2).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_asked_for_is_all_tiers_on_the_promised_firmware() {
        let words = |cases: Vec<Case>| cases.iter().map(Case::word).collect::<Vec<_>>().join(" ");
        assert_eq!(words(cases(&[], &[], None)), "light-bios standard-bios strict-bios");
        assert_eq!(
            words(cases(&[Tier::Strict, Tier::Strict], &[], Some(Firmware::Both))),
            "strict-bios strict-uefi"
        );
        let asked = [Firmware::UefiSecure, Firmware::Both, Firmware::Uefi];
        assert_eq!(
            words(cases(&[Tier::Light], &asked, Some(Firmware::Bios))),
            "light-uefi-secure light-bios light-uefi"
        );
    }

    #[test]
    fn as_many_machines_run_as_memory_and_processors_allow() {
        assert_eq!(available("MemTotal: 9 kB\nMemAvailable:   8388608 kB\n"), 8192);
        for (available, processors, expected) in
            [(0, 8, 1), (8192, 8, 2), (8192, 2, 1), (65536, 8, 4), (65536, 1, 1)]
        {
            assert_eq!(machines(available, 2048, processors), expected, "{available} {processors}");
        }
    }
}
