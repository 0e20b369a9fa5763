//! Points of OVAL's meaning where an evaluator goes wrong, one row each, with the verdict that oscap 1.3.7 gives.
//!
//! The rows of a table become one document, evaluated below a small tree. With `OVAL_ASK_OSCAP=1` oscap evaluates it too, and must say what
//! the table says: that is where the expected values come from. `.ci/run` asks it. To add a point, add a row. Where our verdict is another one
//! for a reason that `docs/oval.md` tells, the row has both: "error, ours true"; "ends" is oscap when it crashes.
//!
//! Without a row: units of a machine whose manager of services runs, since none runs where the tables are asked; in which order `concat` has its
//! values, which no verdict shows.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail the test")]

mod bench;
mod bytes;
mod comparing;
mod counting;
mod criteria;
mod existence;
mod families;
mod files;
mod given_up;
mod mounted;
mod packages;
mod probes;
mod schemas;
mod sets;
mod text;
mod variables;
mod yaml;
