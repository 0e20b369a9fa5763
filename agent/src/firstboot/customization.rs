//! VMware's guest customization: vCenter's scripts, run by the tools some time after the machine was started. They name the machine, set
//! its network and end with a reboot; the second phase lets them finish.
//!
//! While they are at work their package lies unpacked in a directory of its own (open-vm-tools, `linuxDeployment.c`: the pattern
//! `.vmware-imgcust-dXXXXXX`), which the tools remove at the end.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::system::System;

/// Where the tools unpack it, newer ones and older ones.
const PLACES: [&str; 2] = ["/run", "/tmp"];
/// How the directory's name begins.
const DIRECTORY: &str = ".vmware-imgcust-d";
/// So long it is waited for; what hangs that long is not waited for any longer.
const MOST: Duration = Duration::from_secs(600);
const PAUSE: Duration = Duration::from_secs(1);

/// Waits until no customization is under way, or somebody asks to stop. Returns what is to be known: that it was still at work when
/// the time was over.
///
/// # Errors
/// When the directories cannot be listed.
pub fn wait(system: &System, stop: &AtomicBool) -> Result<Option<String>> {
    wait_for(system, stop, MOST, PAUSE)
}

fn wait_for(system: &System, stop: &AtomicBool, most: Duration, pause: Duration) -> Result<Option<String>> {
    let begun = Instant::now();
    while let Some(directory) = under_way(system)? {
        if begun.elapsed() >= most {
            return Ok(Some(format!(
                "guest customization was still under way after {} minutes ({directory} is there) and was not waited for any longer",
                most.as_secs() / 60
            )));
        }
        if stop.load(Ordering::Relaxed) {
            break;
        }
        std::thread::sleep(pause);
    }
    Ok(None)
}

/// The directory of a customization that is under way.
fn under_way(system: &System) -> Result<Option<String>> {
    for place in PLACES {
        for name in system.list(place)?.into_iter().filter(|name| name.starts_with(DIRECTORY)) {
            let path = Path::new(place).join(name);
            // Anybody may make such a directory in /tmp; the tools are root, as the agent is.
            if system.meta(&path)?.is_some_and(|meta| meta.uid == nix::unistd::geteuid().as_raw()) {
                return Ok(Some(path.display().to_string()));
            }
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::testing::Tree;

    #[test]
    fn it_is_waited_for_and_not_for_ever() {
        let stop = AtomicBool::new(false);
        let short = Duration::from_millis(20);
        let wait =
            |tree: &Tree, most| wait_for(&tree.system(), &stop, most, Duration::from_millis(1)).unwrap();
        let quiet = Tree::new().dir("/run", 0o755).dir("/tmp", 0o1777);
        assert_eq!(wait(&quiet, MOST), None);
        let busy = quiet.dir("/run/.vmware-imgcust-dh0Ta7i", 0o700);
        assert_eq!(under_way(&busy.system()).unwrap().unwrap(), "/run/.vmware-imgcust-dh0Ta7i");
        assert!(wait(&busy, short).unwrap().contains("/run/.vmware-imgcust-dh0Ta7i is there"));
        stop.store(true, Ordering::Relaxed);
        assert_eq!(wait(&busy, MOST), None, "who is told to stop does not wait");
    }

    #[test]
    fn its_end_is_seen() {
        let tree = Tree::new().dir("/run", 0o755).dir("/tmp/.vmware-imgcust-dX", 0o700);
        let system = tree.system();
        let stop = AtomicBool::new(false);
        let ended = system.host_path(Path::new("/tmp/.vmware-imgcust-dX"));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(30));
                std::fs::remove_dir(ended).unwrap();
            });
            assert_eq!(wait_for(&system, &stop, MOST, Duration::from_millis(1)).unwrap(), None);
        });
        assert!(under_way(&system).unwrap().is_none());
    }
}
