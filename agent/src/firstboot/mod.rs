//! First boot: a machine hardens itself, once, to what its configuration says.
//!
//! Two phases, run by two systemd units (`packaging/systemd`). The first comes before anybody can log in and does what does not stand
//! in the way of provisioning; the second comes when cloud-init is done, waits for the end of VMware's guest
//! customization ([`customization`]) and for the [`network`], does the rest, and looks again at what they rewrote. Each is done once for every instance ([`instance`]): a clone is a new one. What was done is kept on disk
//! ([`record`]), how it stands is told in `/run` ([`status`]). A phase that did not come to its end is done again
//! at the next boot, one with rules in error a few times.
//!
//! cloud-init begins anew where a power cut ended what comes before the first phase ([`cut`]).
//!
//! To make a kind of setting wait for the second phase, name it in [`crate::setting::Kind::after_provisioning`].

pub mod customization;
pub mod cut;
pub mod instance;
pub mod network;
pub mod record;
pub mod status;
pub mod wishes;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::policy::{Check, Policy, PolicyRule};

/// A part of the first boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Before anybody can log in.
    #[value(name = "1")]
    BeforeLogins,
    /// When provisioning is over.
    #[value(name = "2")]
    AfterProvisioning,
}

impl Phase {
    /// What it is, for people.
    pub fn sentence(self) -> &'static str {
        match self {
            Phase::BeforeLogins => "phase 1, before logins",
            Phase::AfterProvisioning => "phase 2, after provisioning",
        }
    }

    /// Leaves in a policy what this phase looks at.
    pub fn limit(self, policy: &mut Policy) {
        if self == Phase::BeforeLogins {
            policy.rules.retain(|rule| !waits(rule));
        }
    }
}

fn waits(rule: &PolicyRule) -> bool {
    let Check::Setting { ensure, instead, .. } = &rule.check;
    ensure.after_provisioning() || instead.iter().any(|(_, kind)| kind.after_provisioning())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::Names;
    use crate::policy::testing::{policy, rule, zero};
    use crate::setting::Kind;
    use crate::setting::package::Package;

    #[test]
    fn what_provisioning_needs_waits_for_the_second_phase() {
        let package = || Kind::Package(Package::Installed(Names::One("aide".into())));
        let rules = || {
            let Check::Setting { ensure, .. } = zero("kernel.b").check;
            let both = Kind::All(vec![ensure, package()]);
            vec![zero("kernel.a"), rule("package", vec![], package()), rule("both", vec![], both)]
        };
        let mut first = policy(rules());
        Phase::BeforeLogins.limit(&mut first);
        assert_eq!(first.rules.len(), 1, "{:?}", first.rules);
        let mut second = policy(rules());
        Phase::AfterProvisioning.limit(&mut second);
        assert_eq!(second.rules.len(), 3);
    }

    #[test]
    fn what_is_to_be_started_waits_and_what_is_to_be_stopped_does_not() {
        let unit = |state: &str| -> Kind {
            serde_json::from_value(serde_json::json!({"unit": {"name": "crond.service", "state": state}}))
                .unwrap()
        };
        for (state, left) in [("enabled", 0), ("disabled", 1), ("masked", 1)] {
            let mut first = policy(vec![rule("cron", vec![], unit(state))]);
            Phase::BeforeLogins.limit(&mut first);
            assert_eq!(first.rules.len(), left, "{state}");
        }
    }
}
