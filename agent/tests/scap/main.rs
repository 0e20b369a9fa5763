//! What comes of content of others: the agent and oscap 1.3.7 on the same small documents. The tables keep what oscap said, once; where
//! it is installed it is asked again.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail the test")]

mod bench;
mod check;
mod classes;
mod engines;
mod evidence;
mod fleet;
mod order;
mod platforms;
mod scripts;
mod tiers;
