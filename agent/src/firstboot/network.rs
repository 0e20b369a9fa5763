//! The network, which the second phase fetches packages over. cloud-init's units wait for it; where there is no cloud-init, or it was
//! disabled, nobody does. Not the unit's `Wants=`: that would have every later boot wait, too, for what it does not need.

use crate::system::{System, Tool};

/// What systemd reaches when a way out is configured ([systemd.special(7)]); what waits for it has a limit of its own.
///
/// [systemd.special(7)]: https://www.freedesktop.org/software/systemd/man/latest/systemd.special.html
const ONLINE: &str = "network-online.target";

/// Waits until the network is there, or nobody expects it any longer. Returns what is worth knowing.
pub fn wait(system: &System) -> Option<String> {
    let started = system.run(Tool::Systemctl, &["start", ONLINE]).and_then(crate::system::Output::success);
    started.err().map(|error| format!("the network was not waited for: {error:#}"))
}
