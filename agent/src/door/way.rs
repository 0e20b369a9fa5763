//! The ways into an account: over ssh with a key or a password, at the console, and from there to root.

use serde::Serialize;

/// The part of the machine that a way goes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Aspect {
    /// The ssh daemon.
    Ssh,
    /// PAM, with passwords, their age and shells.
    Pam,
    /// sudo.
    Sudo,
}

/// Why a way is closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// What closes it.
    pub aspect: Aspect,
    /// The reason, for people.
    pub why: String,
}

impl Closed {
    /// Shorthand.
    pub fn by(aspect: Aspect, why: impl Into<String>) -> Closed {
        Closed { aspect, why: why.into() }
    }
}

/// Whether something lets through.
pub type Gate = Result<(), Closed>;

/// A way in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Way {
    /// Whether it is open.
    pub open: bool,
    /// Whether that was tried, and not only judged by what is configured.
    pub proved: bool,
    /// Why it is closed, or what is to be known of an open one; may be empty.
    pub why: String,
    /// What closes it.
    #[serde(skip)]
    pub aspect: Aspect,
}

impl Way {
    /// One that was tried.
    pub fn proved() -> Way {
        Way { open: true, proved: true, why: String::new(), aspect: Aspect::Ssh }
    }

    /// One that is open by all that is configured.
    pub fn judged(why: impl Into<String>) -> Way {
        Way { open: true, proved: false, why: why.into(), aspect: Aspect::Ssh }
    }

    /// One that is closed.
    pub fn closed(closed: Closed) -> Way {
        Way { open: false, proved: false, why: closed.why, aspect: closed.aspect }
    }

    /// What a gate makes of a way that was not tried.
    pub fn through(gate: Gate) -> Way {
        gate.map_or_else(Way::closed, |()| Way::judged(""))
    }
}

/// How far sudo leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Not to root.
    None,
    /// To root, with a password that the account has.
    WithPassword,
    /// To root, without a password.
    WithoutPassword,
}

/// The way from an account to root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ToRoot {
    /// How far it leads.
    pub class: Class,
    /// Whether that was tried.
    pub proved: bool,
    /// Why it does not lead to root, or what is to be known; may be empty.
    pub why: String,
    /// What closes it.
    #[serde(skip)]
    pub aspect: Aspect,
}

impl ToRoot {
    /// One of a class.
    pub fn open(class: Class, proved: bool, why: impl Into<String>) -> ToRoot {
        ToRoot { class, proved, why: why.into(), aspect: Aspect::Sudo }
    }

    /// None.
    pub fn closed(closed: Closed) -> ToRoot {
        ToRoot { class: Class::None, proved: false, why: closed.why, aspect: closed.aspect }
    }
}

/// All ways of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ways {
    /// Over ssh with a key.
    pub ssh_key: Way,
    /// Over ssh with a password.
    pub ssh_password: Way,
    /// At the console, with a password.
    pub console: Way,
    /// From the account to root.
    pub sudo: ToRoot,
}

impl Ways {
    /// Whether one leads in over the network.
    pub fn remote(&self) -> bool {
        self.ssh_key.open || self.ssh_password.open
    }

    /// Whether one leads in at all.
    pub fn any(&self) -> bool {
        self.remote() || self.console.open
    }

    /// Whether who is in can become root.
    pub fn to_root(&self) -> bool {
        self.sudo.class > Class::None
    }
}
