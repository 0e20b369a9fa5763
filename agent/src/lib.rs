//! Hardens, audits and restores a Linux machine.
//!
//! Data flows one way, through stages that are modules here; a stage uses the stages before it and
//! never a later one:
//!
//! | stage | module | what it does |
//! |---|---|---|
//! | 1 content | [`content`] | what could be checked: the embedded catalogue |
//! | 2 policy | [`policy`] | what was chosen: tier, tailoring, exceptions, values bound |
//! | 3 inspect | [`inspect`] | what is so: read only, parallel |
//! | 4 plan | [`plan`] | what to do: a list of [`change::Change`], tried on an overlay |
//! | 5 apply | [`apply`] | doing it, with an undo log on disk before each change |
//! | 6 report | [`report`] | a finished value and its writers |
//!
//! Beside the stages: [`config`] gathers what the machine is configured to, [`system`] is the only way to the machine, [`setting`]
//! holds one file per kind of thing a rule can ensure, [`door`] looks at who gets in, [`change`] is the closed set of changes,
//! [`scap`] judges by SCAP content of others, [`fix`] makes changes of the fixes in it, [`fleet`] merges the reports of many machines, [`drift`] says what a machine has become since it was hardened, [`firstboot`] says when all of it happens on a new machine, [`command`] is one file per subcommand.
#![warn(missing_docs)]
// They panic when nobody can be told any more: a run is never ended by that.
#![warn(clippy::print_stderr, clippy::print_stdout)]

pub mod apply;
pub mod change;
pub mod cli;
pub mod cloud_init;
pub mod command;
pub mod config;
pub mod content;
pub mod door;
pub mod drift;
pub mod exit;
pub mod finding;
pub mod firstboot;
pub mod fix;
pub mod fleet;
pub mod inspect;
pub mod plan;
pub mod policy;
pub mod report;
pub mod scap;
pub mod setting;
pub mod system;
pub mod trust;
