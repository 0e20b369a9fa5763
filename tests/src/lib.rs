//! The laboratory: what the end-to-end tests are made of.
//!
//! | module | what it gives |
//! |---|---|
//! | [`cache`] | where things that are slow to make are kept between runs |
//! | [`command`] | running an external program and reporting its failure |
//! | [`root`] | Debian root trees, and scratch copies of them to run programs in |
//! | [`synthetic`] | trees of other systems, made of data |
//! | [`vm`], [`hypervisor`] | booted machines |
//! | [`firstboot`] | what their tests do with them |
//! | [`image`], [`seed`] | machines before their first boot, and what a cloud gives them |
//! | [`machine`], [`scenario`] | what both have in common; named states of them |
//! | [`content`] | the SCAP data streams both tools read |
//! | [`oscap`] | OpenSCAP's verdicts on a scratch copy |
//! | [`judge`] | oscap 1.3.7, run in any tree |
//! | [`agent`] | our verdicts on the same copy |
//! | [`agreement`] | the two, rule by rule |
//! | [`parity`] | the two by the same SCAP content |
//! | [`coverage`] | which rules of the content the catalogue has |
//! | [`person`] | which rules are left to a person |
//! | [`manifest`] | what a rollback must restore |
//! | [`verdict`] | the words both speak |
//! | [`tree`] | small trees that a test changes thousands of times |
//! | [`ansible`] | real Ansible with our collection |
//! | [`triage`] | the differences that are understood, read from `docs/triage.md` |

pub mod agent;
pub mod agreement;
pub mod ansible;
pub mod cache;
pub mod command;
pub mod content;
pub mod coverage;
pub mod firstboot;
pub mod hypervisor;
pub mod image;
pub mod judge;
pub mod machine;
pub mod manifest;
pub mod oscap;
pub mod oval;
pub mod parity;
pub mod person;
pub mod root;
pub mod scenario;
pub mod seed;
pub mod synthetic;
pub mod tree;
pub mod triage;
pub mod verdict;
pub mod vm;
