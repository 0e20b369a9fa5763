//! What the PAM stacks decide for those who come with a password, judged by reading them.

use super::way::{Aspect, Closed, Gate};
use crate::setting::pam::stack::{opens_for_the_right, read};
use crate::system::System;

/// Whether a service lets in who has the right password.
///
/// # Errors
/// Which stack does not.
pub fn lets(system: &System, service: &str) -> Gate {
    for facility in ["auth", "account"] {
        let opens = match read(system, service, facility) {
            Ok(steps) => steps.is_none_or(|steps| steps.is_empty() || opens_for_the_right(&steps)),
            Err(error) => return Err(Closed::by(Aspect::Pam, format!("{error:#}"))),
        };
        if !opens {
            let why = format!("the {facility} stack of /etc/pam.d/{service} lets nobody through");
            return Err(Closed::by(Aspect::Pam, why));
        }
    }
    Ok(())
}
