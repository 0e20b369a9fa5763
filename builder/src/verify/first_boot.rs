//! Waiting: first until the machine lets in, then until its agent has done both phases of the first boot.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::audit::FirstBoot;
use super::console::Console;
use super::login::Login;
use super::machine::still_on;
use crate::build::process::Group;

/// How often the machine and its console are looked at.
const PAUSE: Duration = Duration::from_secs(3);
/// How often the agent is asked how it stands when nothing is heard of it: a login costs an emulated machine seconds.
const ASKED: Duration = Duration::from_secs(20);
/// How long the agent may take to its first word after somebody is in; its first phase comes before logins.
const SILENCE: Duration = Duration::from_secs(180);

/// A machine that runs, and what is known of it.
pub struct Watched<'a> {
    /// QEMU.
    pub machine: &'a mut Group,
    /// What QEMU itself says.
    pub log: &'a Path,
    /// The serial port.
    pub console: Console,
    /// The way in.
    pub login: &'a Login,
    /// Who hears what the agent says.
    pub hear: &'a (dyn Fn(&str) + Sync),
    /// When the machine must be done.
    pub deadline: Instant,
}

impl Watched<'_> {
    /// Waits a little; what the agent said meanwhile is told. Whether it said anything.
    async fn pause(&mut self) -> Result<bool> {
        tokio::time::sleep(PAUSE).await;
        let news = self.console.news();
        news.iter().for_each(|news| (self.hear)(news));
        still_on(self.machine, self.log)?;
        Ok(!news.is_empty())
    }

    /// Waits until the key lets in.
    ///
    /// # Errors
    /// When it does not in time, or the machine goes off.
    pub async fn login(&mut self) -> Result<()> {
        let mut last = String::new();
        while Instant::now() < self.deadline {
            match self.login.refused().await? {
                None => return Ok(()),
                Some(said) => last = said,
            }
            self.pause().await?;
        }
        bail!("the key of the seed does not let in over ssh; the last attempt: {last}")
    }

    /// Waits until the agent says something, or for a while.
    async fn next_word(&mut self) -> Result<()> {
        let begun = Instant::now();
        while !self.pause().await? && begun.elapsed() < ASKED {}
        Ok(())
    }

    /// Waits until both phases are over.
    ///
    /// # Errors
    /// When they are not in time, the agent does not begin, or the machine goes off.
    pub async fn over(&mut self) -> Result<FirstBoot> {
        let begun = Instant::now();
        let mut last = None;
        while Instant::now() < self.deadline {
            last = FirstBoot::read(&self.login.agent("status --format json").await?)?;
            match &last {
                Some(first_boot) if first_boot.over() => return Ok(first_boot.clone()),
                None if begun.elapsed() > SILENCE => {
                    bail!(
                        "the agent has not begun the first boot (systemctl status trempe-firstboot trempe-provisioned)"
                    )
                }
                _ => self.next_word().await?,
            }
        }
        let stands =
            last.map_or("nothing has begun".to_owned(), |it| format!("phase {} is {}", it.phase, it.state));
        bail!("the first boot is not over in time: {stands}")
    }
}
