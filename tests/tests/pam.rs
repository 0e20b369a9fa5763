//! Debian's own generator of the common PAM stacks agrees with what the agent writes in its place.
//!
//! Needs root, like every test in a root tree.

use e2e::agent;
use e2e::machine::Machine;
use e2e::root::Root;

/// Rules that add modules, take arguments away and add some.
const RULES: &str = "--rule accounts_passwords_pam_faillock_enabled --rule accounts_password_pam_pwhistory_remember \
                     --rule accounts_password_pam_pwhistory_enforce_root --rule no_empty_passwords_unix";

#[test]
fn the_next_run_of_the_generator_changes_nothing() {
    for name in ["debian12-full", "debian13-full"] {
        let machine = Root::named(name).unwrap().copy().unwrap();
        machine.lend(&agent::binary().unwrap(), "agent").unwrap();
        let lab = machine.scratch();
        let script = format!(
            "{lab}/agent apply --yes --tier strict {RULES} >/dev/null
             mkdir {lab}/was && cp -a /etc/pam.d /var/lib/pam /usr/share/pam-configs {lab}/was
             DEBIAN_FRONTEND=noninteractive pam-auth-update --package
             for at in /etc/pam.d /var/lib/pam /usr/share/pam-configs; do
                 diff -r {lab}/was/$(basename $at) $at || true
             done
             grep -c -e preauth -e authfail -e pam_unix /etc/pam.d/common-auth"
        );
        assert_eq!(machine.shell(&script).unwrap(), "3\n", "{name}");
    }
}
