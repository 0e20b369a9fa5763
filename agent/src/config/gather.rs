//! Gathering the configuration from its sources, and what counts when one of them is bad.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::source::{Said, Source, all, trusted};
use super::written::Written;
use super::{Config, FILE, TAILORING};
use crate::content::Catalogue;
use crate::policy;
use crate::system::System;

/// The key that switches the first boot off.
const SWITCH: &str = "firstboot.enabled";
/// The key that names the tier.
const TIER: &str = "tier";

/// What the sources say, and which of them count.
#[derive(Debug, Clone, Default)]
pub struct Gathered {
    /// What counts: all sources together, or less of them when one is bad.
    pub config: Config,
    /// Every source that is there, in the order of precedence, the weakest first.
    pub sources: Vec<Source>,
    /// Why not all of them count; empty when all do.
    pub problems: Vec<String>,
    /// Where the tier comes from when it alone counts; empty otherwise.
    pub tier_of: String,
    extent: Extent,
}

/// How much of what there is counts, from the most to the least.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Extent {
    /// All of it.
    #[default]
    All,
    /// The image's own file and the tailoring files.
    Image,
    /// The image's own file.
    ImageAlone,
    /// A tier and nothing else: the image's own, whatever is wrong with the rest of its file; where that tells none, the strongest that
    /// was said well. A mistake in an exception must not leave a machine open.
    Tier,
}

/// Gathers the configuration of a machine from all its sources. Never fails: a bad source is a problem, and so is a configuration
/// that no policy can be made of; then what the image says by itself counts, or the tier alone.
pub fn gather(system: &System) -> Gathered {
    look(system).tried(system)
}

/// Like [`gather`], without trying whether a policy can be made of it: for commands that make one.
pub fn look(system: &System) -> Gathered {
    look_without(system, &[])
}

/// As [`look`], as if these files were not there.
pub fn look_without(system: &System, files: &[PathBuf]) -> Gathered {
    let mut gathered = Gathered { sources: all(system), ..Gathered::default() };
    gathered.sources.retain(|source| files.iter().all(|file| file != Path::new(&source.name)));
    let mut extent = Extent::All;
    for source in &gathered.sources {
        if let Said::Bad(why) = &source.said {
            gathered.problems.push(why.clone());
            extent = extent.max(if source.name == FILE { Extent::Tier } else { Extent::Image });
        }
    }
    if let Err(error) = system.drop_ins(TAILORING, ".xml") {
        gathered.problems.push(format!("{error:#}"));
        extent = extent.max(Extent::Image);
    }
    gathered.extent = extent;
    gathered.weigh(system);
    gathered
}

/// Whether the policy that a configuration asks for can be made.
fn makes_a_policy(config: &Config, system: &System) -> Result<()> {
    let request = config.request(system, false)?;
    if request.tier.is_some() || !request.tailoring.is_empty() {
        let policy = policy::resolve(&Catalogue::embedded()?, &request, &system.os()?.product())?;
        policy.something_is_asked(&[])?;
    }
    Ok(())
}

impl Gathered {
    /// Tries whether a policy can be made of it; while none can, less of it counts, as [`gather`] says.
    pub fn tried(mut self, system: &System) -> Gathered {
        while let Err(error) = makes_a_policy(&self.config, system) {
            let problem = format!("{error:#}");
            if !self.problems.contains(&problem) {
                self.problems.push(problem);
            }
            self.extent = match self.extent {
                Extent::All => Extent::Image,
                Extent::Image => Extent::ImageAlone,
                Extent::ImageAlone => Extent::Tier,
                Extent::Tier => break,
            };
            self.weigh(system);
        }
        self
    }

    /// Lays the sources that count over one another.
    fn weigh(&mut self, system: &System) {
        let mut config = Config::default();
        let whole = |source: &&Source| self.extent != Extent::Tier && self.counts(source);
        for source in self.sources.iter().filter(whole) {
            if let Said::Written(written) = &source.said {
                config.lay(written, &source.name);
            }
        }
        let switch = |source: &Source| match &source.said {
            Said::Written(written) => written.firstboot.enabled,
            _ => None,
        };
        let switches = self.sources.iter().filter(|source| self.decides(source, SWITCH));
        config.firstboot.enabled = switches.filter_map(switch).next_back().unwrap_or(true);
        match self.extent {
            Extent::All | Extent::Image => {
                config.tailoring.extend(system.drop_ins(TAILORING, ".xml").unwrap_or_default());
            }
            Extent::ImageAlone => {}
            Extent::Tier => {
                let alone = self.tier_alone(system);
                config.tier = alone.as_ref().map(|(tier, _)| tier.clone());
                self.tier_of = alone.map(|(_, from)| from).unwrap_or_default();
            }
        }
        self.config = config;
    }

    /// Whether what a source says counts.
    pub fn counts(&self, source: &Source) -> bool {
        match self.extent {
            Extent::All => true,
            Extent::Image | Extent::ImageAlone => source.name == FILE,
            Extent::Tier => source.name == self.tier_of,
        }
    }

    /// The tier that counts where nothing else does, and where it comes from.
    fn tier_alone(&self, system: &System) -> Option<(String, String)> {
        let said = |source: &Source| {
            let tier = match &source.said {
                Said::Written(written) => written.tier.as_ref()?.value.clone(),
                Said::Bad(_) if source.name == FILE => {
                    Written::tier_of(&trusted(system, Path::new(FILE)).ok()??)?
                }
                _ => return None,
            };
            Some((tier, source.name.clone()))
        };
        let image = self.sources.iter().find(|source| source.name == FILE).and_then(said);
        image.or_else(|| self.sources.iter().rev().find_map(said))
    }

    /// Whether what a source says counts for a key. The switch counts whoever turns it: who wants to stop a machine that is
    /// configured wrongly has no other.
    pub fn decides(&self, source: &Source, key: &str) -> bool {
        key == SWITCH || (self.counts(source) && (self.extent != Extent::Tier || key == TIER))
    }

    /// The configuration, when nothing is wrong with it.
    ///
    /// # Errors
    /// When something is: all of it.
    pub fn strict(self) -> Result<Config> {
        if self.problems.is_empty() {
            return Ok(self.config);
        }
        bail!("{}", self.problems.join("\n"))
    }

    /// The sources that only root could read.
    pub fn unseen(&self) -> impl Iterator<Item = &str> {
        let unseen = |source: &&Source| source.said == Said::Unseen;
        self.sources.iter().filter(unseen).map(|source| source.name.as_str())
    }
}
