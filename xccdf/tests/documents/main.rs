//! What the library promises of documents and their resolution, one file per promise.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail the test")]

mod engines;
mod fixes;
mod fixture;
mod hostile;
mod inheritance;
mod mistakes;
mod oscap;
mod real;
mod recorded;
mod robustness;
mod round_trip;
mod scoring;
mod selection;
mod settings;
mod stack;
mod stream;
mod streams;
mod tools;
mod values;
mod verdicts;
