//! From a benchmark and a choice to a [`Policy`]. Pure: data in, data out.
//!
//! The stages, one file each: [`extend`] gives items what they inherit, [`chain`] finds the profiles
//! that apply and their order, [`select`] decides every rule, [`bind`] settles every value.

mod bind;
mod chain;
mod extend;
mod select;

use crate::benchmark::Benchmark;
use crate::error::{Error, Errors, Position};
use crate::index::{Index, Lost};
use crate::policy::{Applied, Origin, Policy, Remark};
use crate::profile::Profile;
use crate::tailoring::Tailoring;

pub use extend::flatten;

/// Tells under which id this benchmark or these tailorings know a profile of another benchmark.
/// Asked only for ids that are found nowhere.
pub type Alias<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The [`Alias`] that knows none.
pub fn no_alias(_: &str) -> Option<String> {
    None
}

/// A profile that applies, and the document it is from.
#[derive(Clone, Copy)]
struct Layer<'a> {
    profile: &'a Profile,
    source: &'a str,
    /// The place of the document in the stack; the benchmark's is 0.
    file: usize,
}

impl Layer<'_> {
    /// Whether this adds to what an earlier layer says, and does not replace it: both are of tailorings, and not of the same. (OpenSCAP
    /// has one tailoring at most.)
    fn adds_to(&self, earlier: &Layer<'_>) -> bool {
        earlier.file > 0 && self.file > earlier.file
    }

    fn origin(&self, position: Position) -> Origin {
        Origin { profile: self.profile.id.clone(), source: self.source.to_owned(), position }
    }

    fn remarks(&self, texts: &[String], position: Position) -> Vec<Remark> {
        let remark = |text: &String| Remark { text: text.clone(), origin: self.origin(position) };
        texts.iter().map(remark).collect()
    }

    fn error(&self, element: &str, position: Position, lost: Lost) -> Error {
        Error::new(self.source, lost.message).at(position).about(element).remedy(lost.remedy)
    }
}

/// Resolves a choice.
///
/// `stack` holds tailorings in the order they are to apply, and every one of them takes part:
///
/// - `profile`, a full id or its last part, is looked for in the last tailoring first, in the
///   benchmark last; else the end of an id that only one profile of a document has. Without it, the last tailoring must have exactly one profile that no other of
///   that file extends; without tailorings, the benchmark must have no profiles, and its own
///   defaults stand.
/// - A profile that extends another builds on that one, which may be of its own file, of an earlier
///   file or of the benchmark. A profile with the id of the one it extends takes its place.
/// - A profile that extends nothing builds on what the earlier files come to: on the only profile
///   of the file before that no other extends, and so down to the benchmark's own defaults.
/// - Files between those two, and files after the one `profile` is of, apply on top in their order,
///   each with the profile that extends the latest of those that apply already, or else with the
///   one that extends nothing. Files made for the same benchmark profile therefore add up, and one
///   file can hold a profile for each profile of the benchmark.
///
/// Settings of a later profile outdo those of an earlier one. As in OpenSCAP (`xccdf_resolve_profile`), among profiles of the benchmark
/// and of one tailoring:
///
/// - a `refine-value` or `refine-rule` replaces an earlier one of the same id as a whole, also what it does not speak of;
/// - a value that is set stays so, whatever selector a later profile asks for.
///
/// Between tailorings of a stack, which OpenSCAP does not have, refinements add up, and a selector outdoes what an earlier file sets.
///
/// # Errors
/// Everything that is wrong with the choice: unknown ids, selectors and profiles, with what is near;
/// profiles that extend one another in a circle; files that cannot take part; values that are not
/// what they may be.
pub fn resolve(
    benchmark: &Benchmark,
    stack: &[Tailoring],
    profile: Option<&str>,
    alias: Alias<'_>,
) -> Result<Policy, Errors> {
    let benchmark = &*flatten(benchmark)?;
    let index = Index::new(benchmark);
    let layers = chain::chain(benchmark, stack, profile, alias)?;
    let mut errors = Errors::default();
    let chosen = select::select(benchmark, &index, &layers, &mut errors);
    let values = bind::bind(benchmark, &index, &layers, &mut errors);
    errors.none_or(Policy {
        benchmark: benchmark.id.clone(),
        applied: layers.iter().map(applied).collect(),
        rules: chosen.rules,
        groups: chosen.groups,
        values,
    })
}

fn applied(layer: &Layer<'_>) -> Applied {
    Applied {
        id: layer.profile.id.clone(),
        title: layer.profile.title.clone(),
        source: layer.source.to_owned(),
        metadata: layer.profile.metadata.clone(),
    }
}
