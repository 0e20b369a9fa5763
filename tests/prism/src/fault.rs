//! What goes wrong, on request.

use crate::Shared;

/// Something that goes wrong with some requests.
#[derive(Debug, Clone)]
pub struct Fault {
    /// The method.
    pub method: String,
    /// What the path has in it, or with a `$` behind, ends with.
    pub path: String,
    /// How many such requests go well first.
    pub skip: u32,
    /// How many go wrong then.
    pub times: u32,
    /// How.
    pub act: Act,
}

/// What goes wrong.
#[derive(Debug, Clone)]
pub enum Act {
    /// This is answered, after the body has been read; nothing is done.
    Answer {
        /// The status.
        status: u16,
        /// `Retry-After`.
        after: Option<u32>,
        /// The body; the API's own form of an error when empty.
        body: String,
    },
    /// This status is answered at once, and the body is not read.
    Early(u16),
    /// The connection ends after so many bytes of the body.
    Reset(u64),
    /// It is done, and the connection ends before it is answered.
    LoseAnswer,
    /// No byte is read and nothing answered for so many seconds.
    Hang(u64),
    /// What arrives is not what was sent.
    Spoil,
    /// The task that comes of it fails, with or without a reason.
    FailTask(Option<String>),
    /// The task that comes of it is cancelled.
    CancelTask,
    /// The task that comes of it takes so many looks.
    SlowTask(u32),
    /// Somebody changes the image just before.
    ChangeBefore,
}

impl Act {
    /// An answer of this status.
    pub fn status(status: u16) -> Act {
        Act::Answer { status, after: None, body: String::new() }
    }

    /// An answer of this status that says when to come again.
    pub fn busy(status: u16, after: u32) -> Act {
        Act::Answer { status, after: Some(after), body: String::new() }
    }
}

impl Shared {
    /// What goes wrong with this request.
    pub(crate) fn fault_for(&self, method: &str, path: &str) -> Option<Act> {
        let mut faults = self.faults.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let fault = faults
            .iter_mut()
            .find(|fault| fault.times > 0 && fault.method == method && matches(&fault.path, path))?;
        if fault.skip > 0 {
            fault.skip -= 1;
            return None;
        }
        fault.times -= 1;
        Some(fault.act.clone())
    }
}

/// Whether a path has a text in it, or with a `$` behind, ends with it.
pub fn matches(wanted: &str, path: &str) -> bool {
    wanted.strip_suffix('$').map_or_else(|| path.contains(wanted), |end| path.ends_with(end))
}
