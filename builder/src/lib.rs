//! Builds a plain machine image with the agent in it, from one specification.
//!
//! Data flows one way, through stages that are modules here; a stage uses the stages before it and never a later one:
//!
//! | stage | module | what it does |
//! |---|---|---|
//! | 1 spec | [`spec`] | what the image is to be: one YAML file, read and found possible |
//! | 2 render | [`render`] | the files that Packer and the installers read: pure text, the same for the same spec |
//! | 3 build | [`build`] | the image: a disk from packages, provisioned and sealed by Packer and QEMU; a manifest |
//! | 4 verify | [`verify`] | the image booted at each tier and judged by its own agent |
//! | 5 target | [`target`] | the places that images go to: a file of the user's, which names secrets and has none |
//! | 6 upload | [`upload`] | the image at all of them, each by itself |
//!
//! Beside the stages: [`lint`] looks for what makes builds fail or images useless, in a spec and in files that others wrote; [`ova`] makes of an image
//! what VMware takes;
//! [`command`] is one file per subcommand.
#![warn(missing_docs)]
#![warn(clippy::print_stderr, clippy::print_stdout)]

pub mod build;
pub mod cli;
pub mod command;
pub mod exit;
pub mod lint;
pub mod ova;
pub mod render;
pub mod spec;
pub mod target;
pub mod upload;
pub mod verify;
