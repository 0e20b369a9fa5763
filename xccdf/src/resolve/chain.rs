//! Which profiles apply, and in what order: the rules are those of [`super::resolve`].

use super::{Alias, Layer};
use crate::benchmark::Benchmark;
use crate::error::Error;
use crate::id::{Kind, did_you_mean, kind_of, short_id};
use crate::profile::Profile;
use crate::tailoring::Tailoring;
use std::collections::HashMap;

/// Most profiles that may build on one another.
const LONGEST: usize = 64;

pub(super) fn chain<'a>(
    benchmark: &'a Benchmark,
    stack: &'a [Tailoring],
    profile: Option<&str>,
    alias: Alias<'_>,
) -> Result<Vec<Layer<'a>>, Error> {
    let mut files = vec![File::new(&benchmark.source, &benchmark.profiles)];
    files.extend(stack.iter().map(|tailoring| File::new(&tailoring.source, &tailoring.profiles)));
    let stack = Stack { files, alias };
    let spots = stack.chosen(profile)?;
    Ok(spots.into_iter().filter_map(|spot| stack.layer(spot)).collect())
}

/// The profiles of a document.
struct File<'a> {
    source: &'a str,
    profiles: &'a [Profile],
    by_id: HashMap<&'a str, Vec<usize>>,
    by_short: HashMap<&'a str, Vec<usize>>,
}

impl<'a> File<'a> {
    fn new(source: &'a str, profiles: &'a [Profile]) -> Self {
        let mut file = File { source, profiles, by_id: HashMap::new(), by_short: HashMap::new() };
        for (n, profile) in profiles.iter().enumerate() {
            file.by_id.entry(&profile.id).or_default().push(n);
            file.by_short.entry(short_id(&profile.id)).or_default().push(n);
        }
        file
    }
}

/// A profile's place: which document, which profile in it.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Spot {
    file: usize,
    profile: usize,
}

/// The documents, the benchmark first.
struct Stack<'a, 'b> {
    files: Vec<File<'a>>,
    alias: Alias<'b>,
}

impl<'a> Stack<'a, '_> {
    fn layer(&self, spot: Spot) -> Option<Layer<'a>> {
        let file = self.files.get(spot.file)?;
        Some(Layer { profile: file.profiles.get(spot.profile)?, source: file.source, file: spot.file })
    }

    fn chosen(&self, name: Option<&str>) -> Result<Vec<Spot>, Error> {
        let last = self.files.len().saturating_sub(1);
        let top = match name {
            Some(name) => self.named(name)?,
            None if last > 0 => self.only_tip(last)?,
            None if self.names(last).next().is_none() => return Ok(Vec::new()),
            None => return Err(self.several(last)),
        };
        let mut chain = self.up_to(top, &mut Vec::new())?;
        for file in top.file + 1..self.files.len() {
            self.on_top(file, &mut chain)?;
        }
        Ok(chain)
    }

    /// The profile the caller asks for.
    fn named(&self, name: &str) -> Result<Spot, Error> {
        let last = self.files.len().saturating_sub(1);
        let found = match self.find(name, last, None) {
            Some(spot) => Some(spot),
            None => self.ending(name)?,
        };
        let Some(spot) = found else {
            let source = self.files.get(last).map_or("", |file| file.source);
            let remedy = self.near_or_all(name, last);
            return Err(Error::new(source, format!("unknown profile {name:?}")).remedy(remedy));
        };
        match self.layer(spot) {
            Some(layer) if layer.profile.is_abstract => {
                Err(about(layer, "is abstract").remedy("choose a profile that extends it"))
            }
            _ => Ok(spot),
        }
    }

    /// The only profile whose id ends like this, in the last document that has one; OpenSCAP takes such ends
    /// for ids.
    fn ending(&self, end: &str) -> Result<Option<Spot>, Error> {
        for (file, profiles) in self.files.iter().enumerate().rev() {
            let ends = |profile: &&Profile| !end.is_empty() && profile.id.ends_with(end);
            let found: Vec<&str> = profiles.profiles.iter().filter(ends).map(|own| own.id.as_str()).collect();
            match found.as_slice() {
                [] => {}
                [only] => return Ok(self.find(only, file, None)),
                several => {
                    let message = format!("{end:?} can be any of several profiles");
                    let remedy = format!("name one: {}", listed(several.iter().copied()));
                    return Err(Error::new(profiles.source, message).remedy(remedy));
                }
            }
        }
        Ok(None)
    }

    /// Looks for a profile in a document and those before it, leaving one out.
    fn find(&self, id: &str, last: usize, except: Option<Spot>) -> Option<Spot> {
        self.find_as(id, last, except).or_else(|| {
            let known_as = (self.alias)(id)?;
            self.find_as(&known_as, last, except)
        })
    }

    fn find_as(&self, id: &str, last: usize, except: Option<Spot>) -> Option<Spot> {
        if kind_of(id).is_some_and(|kind| kind != Kind::Profile) {
            return None;
        }
        let search = |full: bool| {
            self.files.iter().enumerate().take(last + 1).rev().find_map(|(file, profiles)| {
                let found = if full { profiles.by_id.get(id) } else { profiles.by_short.get(short_id(id)) };
                let spots = found?.iter().map(|profile| Spot { file, profile: *profile });
                spots.into_iter().find(|spot| Some(*spot) != except)
            })
        };
        search(true).or_else(|| search(false))
    }

    /// What a profile extends, if anything.
    fn base(&self, spot: Spot) -> Result<Option<Spot>, Error> {
        let Some(layer) = self.layer(spot) else { return Ok(None) };
        let Some(extends) = &layer.profile.extends else { return Ok(None) };
        match self.find(extends, spot.file, Some(spot)) {
            Some(base) => Ok(Some(base)),
            None => {
                let message = format!("extends profile {extends:?}, which is not known");
                Err(about(layer, message).remedy(self.near_or_all(extends, spot.file)))
            }
        }
    }

    /// Everything that applies when this profile does, it being the last.
    fn up_to(&self, spot: Spot, path: &mut Vec<Spot>) -> Result<Vec<Spot>, Error> {
        self.step(spot, path)?;
        let mut chain = match self.base(spot)? {
            Some(base) => {
                let mut chain = self.up_to(base, path)?;
                for file in base.file + 1..spot.file {
                    self.on_top(file, &mut chain)?;
                }
                chain
            }
            None if spot.file < 2 => Vec::new(),
            None => self.up_to(self.only_tip(spot.file - 1)?, path)?,
        };
        chain.push(spot);
        Ok(chain)
    }

    /// Notes a step down the chain, which may neither come back nor go on for ever.
    fn step(&self, spot: Spot, path: &mut Vec<Spot>) -> Result<(), Error> {
        let circle = path.contains(&spot);
        path.push(spot);
        let Some(layer) = self.layer(spot) else { return Ok(()) };
        if circle {
            let ids = path.iter().filter_map(|spot| self.layer(*spot));
            let ids: Vec<&str> = ids.map(|layer| short_id(&layer.profile.id)).collect();
            return Err(about(layer, format!("extends itself: {}", ids.join(" → ")))
                .remedy("take one of the extends out"));
        }
        if path.len() > LONGEST {
            return Err(about(layer, format!("more than {LONGEST} profiles build on one another")));
        }
        Ok(())
    }

    /// Applies a document whose profile nobody names: the one that builds on the latest of those
    /// that apply already.
    fn on_top(&self, file: usize, chain: &mut Vec<Spot>) -> Result<(), Error> {
        let mut fitting = Vec::new();
        let mut unfit = None;
        for tip in self.tips(file)? {
            let (root, own) = self.own_chain(tip)?;
            let base = self.base(root)?;
            match base.map(|base| chain.iter().rposition(|applied| *applied == base)) {
                // Building on nothing comes before building on the first that applies.
                None => fitting.push((0, own)),
                Some(Some(place)) => fitting.push((place + 1, own)),
                Some(None) => unfit = self.layer(root),
            }
        }
        let latest = fitting.iter().map(|(place, _)| *place).max();
        fitting.retain(|(place, _)| Some(*place) == latest);
        match (fitting.as_slice(), unfit) {
            ([(_, own)], _) => {
                chain.extend(own);
                Ok(())
            }
            ([], Some(layer)) => {
                let extends = layer.profile.extends.as_deref().unwrap_or_default();
                let applies = chain.last().and_then(|spot| self.layer(*spot));
                let applies = applies.map(|layer| format!(": {} does", short_id(&layer.profile.id)));
                let message = format!(
                    "builds on {extends:?}, which does not apply here{}",
                    applies.unwrap_or_default()
                );
                Err(about(layer, message).remedy("leave the file out, or extend what applies"))
            }
            _ => Err(self.several(file)),
        }
    }

    /// The part of a profile's chain that is of its own document, and where that part starts.
    fn own_chain(&self, tip: Spot) -> Result<(Spot, Vec<Spot>), Error> {
        let mut path = Vec::new();
        let mut root = tip;
        self.step(root, &mut path)?;
        while let Some(base) = self.base(root)?.filter(|base| base.file == tip.file) {
            self.step(base, &mut path)?;
            root = base;
        }
        path.reverse();
        Ok((root, path))
    }

    /// The profiles of a document that may be chosen and that no other of it extends.
    fn tips(&self, file: usize) -> Result<Vec<Spot>, Error> {
        let Some(profiles) = self.files.get(file).map(|file| file.profiles) else {
            return Ok(Vec::new());
        };
        let spots = (0..profiles.len()).map(|profile| Spot { file, profile });
        let mut extended = vec![false; profiles.len()];
        for spot in spots.clone() {
            if let Some(base) = self.base(spot)?.filter(|base| base.file == file)
                && let Some(flag) = extended.get_mut(base.profile)
            {
                *flag = true;
            }
        }
        let free = |spot: &Spot| {
            let taken = extended.get(spot.profile).copied().unwrap_or(true);
            !taken && profiles.get(spot.profile).is_some_and(|profile| !profile.is_abstract)
        };
        let tips: Vec<Spot> = spots.clone().filter(free).collect();
        if tips.is_empty() {
            // Either all are abstract, or all extend one another: the second is an error of its own.
            for spot in spots {
                self.own_chain(spot)?;
            }
        }
        Ok(tips)
    }

    fn only_tip(&self, file: usize) -> Result<Spot, Error> {
        match self.tips(file)?.as_slice() {
            [only] => Ok(*only),
            _ => Err(self.several(file)),
        }
    }

    /// The error of a document that leaves open which of its profiles is meant.
    fn several(&self, file: usize) -> Error {
        let source = self.files.get(file).map_or("", |file| file.source);
        let known = listed(self.names(file));
        let message = "it is not clear which profile to use";
        Error::new(source, message).remedy(format!("name one; there are: {known}"))
    }

    /// What to write instead of the id of a profile that is not known.
    fn near_or_all(&self, id: &str, last: usize) -> String {
        let near = did_you_mean(id, self.names(last));
        if near.is_empty() { format!("there are: {}", listed(self.names(last))) } else { near }
    }

    /// The ids of all profiles of a document and those before it, the nearest document first.
    fn names(&self, last: usize) -> impl Iterator<Item = &'a str> {
        let files = self.files.iter().take(last + 1).rev();
        files.flat_map(|file| file.profiles.iter().map(|profile| profile.id.as_str()))
    }
}

fn listed<'a>(ids: impl Iterator<Item = &'a str>) -> String {
    let ids: Vec<&str> = ids.map(short_id).collect();
    if ids.is_empty() { "none".to_owned() } else { ids.join(", ") }
}

fn about(layer: Layer<'_>, message: impl AsRef<str>) -> Error {
    let message = format!("profile {:?} {}", short_id(&layer.profile.id), message.as_ref());
    Error::new(layer.source, message).at(layer.profile.position).about("Profile")
}
