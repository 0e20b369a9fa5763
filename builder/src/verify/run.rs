//! One case, from power on to its proof. The machine is switched off and its disk gone at the end, however that comes.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::audit::{Audit, FirstBoot, left_to_a_person};
use super::case::Case;
use super::console::Console;
use super::first_boot::Watched;
use super::judgement::Judgement;
use super::login::Login;
use super::machine::{Hardware, disk_over, free_port, own_variables};
use super::proof::{Outcome, Proof};
use super::{Shared, TIME, TIME_EMULATED, firmware, seed};
use crate::build::acceleration::Acceleration;

/// What is found of a machine while it runs.
#[derive(Default)]
struct Found {
    login: Option<Duration>,
    hardened: Option<Duration>,
    audit: Option<Audit>,
    judgement: Judgement,
}

/// Proves a case. That it fails is a proof too.
///
/// # Errors
/// When this host lacks something, or is full.
pub async fn prove(shared: &Shared, case: Case) -> Result<Proof> {
    let Shared { order, place, progress, acceleration, .. } = shared;
    progress.note(&format!("{case}: power on"));
    let begun = Instant::now();
    let mut found = Found::default();
    let done = watch(shared, case, begun, &mut found).await;
    let error =
        done.err().map(|error| format!("{error:#}\n{}", Console::new(&place.console(case)).last_words()));
    let Judgement { errors, objections, .. } = &found.judgement;
    let outcome = match (&error, errors.is_empty(), objections.is_empty()) {
        (None, true, true) => Outcome::Proved,
        (None, true, false) => Outcome::Deviates,
        _ => Outcome::Failed,
    };
    let seconds = begun.elapsed().as_secs_f64();
    let word = match outcome {
        Outcome::Proved => "proved",
        Outcome::Deviates => "is not what it should be",
        Outcome::Failed => "FAILED",
    };
    progress.note(&format!("{case}: {word}, {seconds:.0} s"));
    Ok(Proof {
        case,
        outcome,
        seed: order.seed.word().to_owned(),
        bus: order.bus.word().to_owned(),
        accelerator: acceleration.words().0.to_owned(),
        digest: case.digest(order, &shared.image, &shared.user_data),
        finished: jiff::Timestamp::now().round(jiff::Unit::Second)?.to_string(),
        login: found.login.map(|it| it.as_secs_f64()),
        hardened: found.hardened.map(|it| it.as_secs_f64()),
        seconds,
        summary: found.audit.as_ref().map(|audit| audit.summary),
        score: found.audit.as_ref().map(|audit| audit.score.value),
        judgement: found.judgement,
        error,
        reused: false,
    })
}

/// Switches a machine on and finds out what there is to find.
async fn watch(shared: &Shared, case: Case, begun: Instant, found: &mut Found) -> Result<()> {
    let Shared { order, image, place, user_data, acceleration, progress } = shared;
    let directory = place.machine(&case.word())?;
    let (log, console) = (directory.join("qemu.log"), place.console(case));
    let port = free_port()?;
    let (login, public_key) = Login::new(&directory, port).await?;
    let disk = disk_over(&image.path, &image.format, &directory).await?;
    let seed = seed::disc(&directory, order.seed, case, user_data, &public_key).await?;
    let flash = own_variables(firmware::flash(case.firmware)?, &directory)?;
    let hardware = Hardware {
        case,
        acceleration: *acceleration,
        memory: order.memory,
        bus: order.bus,
        disk: &disk,
        seed: Some(&seed),
        flash: flash.as_ref(),
        console: &console,
        port,
        offline: order.offline,
    };
    let mut machine = hardware.start(&log)?;
    let usual = if *acceleration == Acceleration::Kvm { TIME } else { TIME_EMULATED };
    let hear = |news: &str| progress.step(&format!("{case}: {news}"));
    let mut watched = Watched {
        machine: &mut machine,
        log: &log,
        console: Console::new(&console),
        login: &login,
        hear: &hear,
        deadline: begun + order.time.unwrap_or(usual),
    };
    watched.login().await?;
    found.login = Some(begun.elapsed());
    progress.note(&format!("{case}: login by key after {:.0} s", begun.elapsed().as_secs_f64()));
    root(&login).await?;
    let first_boot = watched.over().await?;
    found.hardened = Some(begun.elapsed());
    progress.note(&format!(
        "{case}: first boot over after {:.0} s, {}",
        begun.elapsed().as_secs_f64(),
        first_boot.state
    ));
    judge(shared, case, &login, &first_boot, found).await?;
    // Hardened, it must still let in.
    root(&login).await
}

/// That the user of the seed becomes root.
async fn root(login: &Login) -> Result<()> {
    let answer = login.root("true").await?;
    anyhow::ensure!(
        answer.code == Some(0),
        "the key lets in, but sudo does not make root ({}): {}",
        answer.ended(),
        answer.err.trim()
    );
    Ok(())
}

/// Has the machine judge itself, keeps its audit, and judges that.
async fn judge(
    shared: &Shared,
    case: Case,
    login: &Login,
    first_boot: &FirstBoot,
    found: &mut Found,
) -> Result<()> {
    let text = login.agent("audit --format json").await?;
    shared.place.write(&shared.place.audit(case), &text)?;
    let audit = Audit::read(&text)?;
    let plan = login.agent("plan --format json").await?;
    let manual = left_to_a_person(&plan).context("asking what is left to a person")?;
    found.judgement = Judgement::of(case.tier, first_boot, &audit, &manual, &shared.order.limits);
    found.audit = Some(audit);
    Ok(())
}
