//! Stage 4, verify: the image is booted once for each tier and firmware, hardens itself, and is judged by its own agent's audit.
//!
//! | step | file | what it does |
//! |---|---|---|
//! | image | [`image`] | `qemu-img check`, the digest, what the manifest promises |
//! | cases | [`case`] | which tier on which firmware |
//! | place | [`place`] | where results go and machines have their disks |
//! | acceleration | [`acceleration`] | KVM where this very image starts with it, emulation elsewhere |
//! | machine | [`machine`], [`firmware`], [`seed`] | a disk over the image, which is never written; a seed of its own; QEMU |
//! | login | [`login`] | in by key over ssh, root by sudo, commands of the agent |
//! | first boot | [`first_boot`] | waits until the agent has done both phases |
//! | judgement | [`audit`], [`judgement`] | which failures are expected, which are not |
//! | result | [`proof`], [`table`] | `verify.json`, `audit-TIER-FIRMWARE.json`, `console-TIER-FIRMWARE.log`; a table for people |
//!
//! Everything goes through the machine's own door, as its user will: a port of this host that only this host reaches, and no network
//! beyond QEMU's. The image needs an ssh daemon, cloud-init and the agent, and nothing for our sake.

pub mod acceleration;
pub mod audit;
pub mod case;
pub mod console;
pub mod firmware;
pub mod first_boot;
pub mod image;
pub mod judgement;
pub mod login;
pub mod machine;
pub mod place;
pub mod proof;
mod run;
pub mod seed;
pub mod table;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::task::JoinSet;

use crate::build::acceleration::Acceleration;
use crate::build::progress::Progress;
use crate::spec::{Firmware, Tier};
use case::Case;
use image::Image;
use judgement::Limits;
use machine::Bus;
use place::Place;
use proof::{Proof, Record};
use seed::{Source, UserData};

/// What is to be verified, and how.
#[derive(Debug, Clone)]
pub struct Order {
    /// The image.
    pub image: PathBuf,
    /// Where results go; `NAME.verify` beside `NAME.qcow2` when left out.
    pub out: Option<PathBuf>,
    /// The tiers; all when empty.
    pub tiers: Vec<Tier>,
    /// The firmware; what the manifest promises when empty.
    pub firmware: Vec<Firmware>,
    /// How the seed is given.
    pub seed: Source,
    /// What the disk hangs on.
    pub bus: Bus,
    /// A cloud-config that the machines get too.
    pub user_data: Option<PathBuf>,
    /// What may fail.
    pub limits: Limits,
    /// How long a machine may take; [`TIME`] or [`TIME_EMULATED`] when left out.
    pub time: Option<Duration>,
    /// Memory of a machine, in MiB.
    pub memory: u64,
    /// How many machines run at once; as many as there is room for when left out.
    pub jobs: Option<usize>,
    /// Whether the machines reach nothing but this host.
    pub offline: bool,
    /// Whether everything is done anew.
    pub fresh: bool,
    /// Emulation although there is KVM.
    pub emulate: bool,
}

/// Memory of a machine where nobody says otherwise, in MiB.
pub const MEMORY: u64 = 2048;

impl Order {
    /// All tiers, on the firmware that the image's manifest promises.
    pub fn of(image: PathBuf) -> Order {
        Order {
            image,
            out: None,
            tiers: Vec::new(),
            firmware: Vec::new(),
            seed: Source::default(),
            bus: Bus::default(),
            user_data: None,
            limits: Limits::default(),
            time: None,
            memory: MEMORY,
            jobs: None,
            offline: false,
            fresh: false,
            emulate: false,
        }
    }
}

/// How long a machine may take from power on to its audit.
const TIME: Duration = Duration::from_secs(30 * 60);
/// The same where its processor is emulated.
const TIME_EMULATED: Duration = Duration::from_secs(2 * 60 * 60);

/// What all machines of a verification have in common.
#[derive(Debug)]
struct Shared {
    order: Order,
    image: Image,
    place: Place,
    user_data: UserData,
    acceleration: Acceleration,
    progress: Arc<Progress>,
}

/// Looks whether all is here that it takes to verify an image on the firmware that it promises, before there is one.
///
/// # Errors
/// For what is missing, with the command that installs it.
pub fn ready(promised: Firmware) -> Result<()> {
    image::programs()?;
    firmware::found(&case::cases(&[], &[], Some(promised)))
}

/// Verifies an image. A machine that does not come up, or is not what its tier asks for, is part of the record and no error.
///
/// # Errors
/// When there is no sound image, something that is needed is not here, or the results cannot be written.
pub async fn verify(order: &Order, progress: &Arc<Progress>) -> Result<Record> {
    image::programs()?;
    let image = Image::look_at(&order.image).await?;
    let place = Place::open(&order.image, order.out.as_deref())?;
    let user_data = UserData::read(order.user_data.as_deref())?;
    let cases = case::cases(&order.tiers, &order.firmware, image.promised);
    firmware::found(&cases)?;
    if order.firmware.is_empty() && image.promised.is_none() {
        progress.note("no manifest beside the image says which firmware it starts on: BIOS is taken");
    }
    let known = Record::read(&place, &image.sha256);
    let (mut proofs, mut open) = (Vec::new(), Vec::new());
    for case in &cases {
        let digest = case.digest(order, &image, &user_data);
        match known.kept(&digest, &place).filter(|_| !order.fresh) {
            Some(proof) => {
                progress
                    .note(&format!("{case}: nothing has changed since it was proved; --fresh does it again"));
                proofs.push(proof);
            }
            None => open.push(*case),
        }
    }
    let Some(first) = open.first().copied() else { return known.write(&place, proofs, &cases) };
    let acceleration = acceleration::choose(&image, &place, first, order, progress).await?;
    let (order, progress) = (order.clone(), progress.clone());
    let shared = Arc::new(Shared { order, image, place, user_data, acceleration, progress });
    proofs.extend(all(&shared, open).await?);
    known.write(&shared.place, proofs, &cases)
}

/// Proves the cases, as many at once as there is room for.
async fn all(shared: &Arc<Shared>, cases: Vec<Case>) -> Result<Vec<Proof>> {
    let room = shared.order.jobs.unwrap_or_else(|| case::room(shared.order.memory)).max(1);
    let mut waiting = cases.into_iter();
    let mut running = JoinSet::new();
    let mut proofs = Vec::new();
    loop {
        while running.len() < room
            && let Some(case) = waiting.next()
        {
            let shared = shared.clone();
            running.spawn(async move { run::prove(&shared, case).await });
        }
        let Some(done) = running.join_next().await else { return Ok(proofs) };
        proofs.push(done.context("a verification broke off")??);
    }
}
