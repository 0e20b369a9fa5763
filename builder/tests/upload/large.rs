//! Memory stays flat, whatever the size of an image.

use super::*;

/// The most memory that a process had, in KiB, as it ends.
fn peak(child: Child) -> u64 {
    let status = format!("/proc/{}/status", child.id());
    let watching = std::thread::spawn(move || {
        let mut most = 0;
        while let Ok(text) = std::fs::read_to_string(&status) {
            let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let Some(kib) = line.and_then(|line| line.split_whitespace().next()?.parse().ok()) else { break };
            most = most.max(kib);
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        most
    });
    let told = Told::of(child.wait_with_output().unwrap());
    assert_eq!(told.code, Some(0), "{} {}", told.out, told.err);
    watching.join().unwrap()
}

fn flat(size: u64) {
    let desk = Desk::two(v4());
    desk.large(size);
    let most = peak(desk.start());
    assert!(most > 0 && most < 50 << 10, "{most} KiB for {} MiB", size >> 20);
    for (_, prism) in &desk.prisms {
        assert_eq!(names(prism), ["web"]);
    }
    println!("{most} KiB at most for an image of {} MiB to two targets", size >> 20);
}

#[test]
fn memory_is_flat() {
    flat(256 << 20);
}

#[test]
fn memory_is_flat_for_four_gibibytes_matrix() {
    flat(4 << 30);
}
