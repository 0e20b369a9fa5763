//! Exit codes: the same meaning as oscap's.

use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Compliant, nothing to change, done.
    Good,
    /// The agent could not do its work, or a rule ended in `error`.
    Trouble,
    /// A rule fails, changes are pending, something still fails after an apply.
    Deviates,
}

impl Exit {
    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Exit::Good => 0,
            Exit::Trouble => 1,
            Exit::Deviates => 2,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}
