//! What users write for the agent, as the binary takes it: tailoring files, configuration, command lines.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail the test")]

mod case;
mod content;
mod manual;
mod mistakes;
mod state;
mod tailoring;
