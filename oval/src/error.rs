//! What is wrong with a document: where, and what to do about it.
//!
//! The type is `xccdf`'s: a person who feeds content to the agent gets one kind of message for all of it.

pub use xccdf::Error;

/// The outcome of reading a document.
pub type Result<T, E = Error> = std::result::Result<T, E>;
