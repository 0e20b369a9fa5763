//! What the library promises of documents and their resolution, one file per promise.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail the test")]

mod fixture;
mod inheritance;
mod mistakes;
mod robustness;
mod round_trip;
mod selection;
mod stack;
mod tools;
mod values;
