//! The tiers: profiles over the catalogue, written as XCCDF tailoring files in `profiles/tiers/` and embedded in the binary.
//!
//! `standard.xml` has a profile `standard_debian12` for the product `debian12`, which extends `standard_common`, what all
//! products have. `standard` by itself means the profile of the machine's product.

use anyhow::Result;
use xccdf::{Benchmark, Kind, Profile, RefineValue, Tailoring, short_id};

use super::Catalogue;
use super::benchmark::xccdf_id;

/// The names of the tiers, the least demanding first.
pub const TIERS: [&str; 3] = ["light", "standard", "strict"];

/// The embedded tier files: name and text.
const EMBEDDED: &[(&str, &str)] = &include!(concat!(env!("OUT_DIR"), "/tiers.rs"));

/// The full id of the profile that a tier is on a product.
pub fn tier_profile(tier: &str, product: &str) -> String {
    xccdf_id(Kind::Profile, &format!("{tier}_{product}"))
}

/// The tier and the product of a profile's id, when it is that of a tier.
pub fn tier_of(profile: &str) -> Option<(&str, &str)> {
    let (tier, product) = short_id(profile).split_once('_')?;
    (TIERS.contains(&tier) && product != "common").then_some((tier, product))
}

/// The products that tiers are written for.
pub fn products(benchmark: &Benchmark) -> Vec<&str> {
    let tiers = benchmark.profiles.iter().filter_map(|profile| tier_of(&profile.id));
    let mut products: Vec<&str> = tiers.map(|(_, product)| product).collect();
    products.sort_unstable();
    products.dedup();
    products
}

/// The profiles of all tiers.
///
/// # Errors
/// When a tier file cannot be understood; a test proves at build time that all can.
pub(super) fn profiles(catalogue: &Catalogue) -> Result<Vec<Profile>> {
    let mut profiles = Vec::new();
    for (name, text) in EMBEDDED {
        profiles.extend(Tailoring::parse(text.as_bytes(), &format!("{name}.xml"))?.profiles);
    }
    for profile in &mut profiles {
        profile.selects.retain(|select| catalogue.rule(short_id(&select.idref)).is_some());
        profile.refine_values.retain(|refine| has_selector(catalogue, refine));
    }
    Ok(profiles)
}

/// Whether the catalogue has the value, with the selector that is asked for.
fn has_selector(catalogue: &Catalogue, refine: &RefineValue) -> bool {
    let value = catalogue.values().find(|value| value.id == short_id(&refine.idref));
    let selector = refine.selector.as_deref().unwrap_or_default();
    value.is_some_and(|value| value.selectors.contains_key(selector))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// What the tier files name, read without regard to the catalogue.
    fn written() -> Vec<Profile> {
        let read = |(name, text): &(&str, &str)| Tailoring::parse(text.as_bytes(), name).unwrap().profiles;
        EMBEDDED.iter().flat_map(read).collect()
    }

    #[test]
    fn tells_what_the_tiers_name_and_the_catalogue_lacks() {
        let catalogue = Catalogue::embedded().unwrap();
        let profiles = written();
        let selects = profiles.iter().flat_map(|profile| &profile.selects);
        let rules: BTreeSet<&str> = selects.map(|select| short_id(&select.idref)).collect();
        let lacking = rules.iter().filter(|id| catalogue.rule(id).is_none());
        println!("rules without an entry: {:#?}", lacking.collect::<Vec<_>>());
        let refines = profiles.iter().flat_map(|profile| &profile.refine_values);
        let lacking = refines.filter(|refine| !has_selector(&catalogue, refine));
        println!("selectors without a value: {:#?}", lacking.map(|own| &own.idref).collect::<Vec<_>>());
        assert_eq!(EMBEDDED.iter().map(|(name, _)| *name).collect::<Vec<_>>(), TIERS);
    }

    #[test]
    fn tiers_by_the_names_of_their_profiles() {
        assert_eq!(tier_of("xccdf_trempe_profile_strict_debian13"), Some(("strict", "debian13")));
        assert_eq!(tier_of("xccdf_trempe_profile_strict_common"), None);
        assert_eq!(tier_of("xccdf_org.ssgproject.content_profile_standard"), None);
        assert_eq!(tier_profile("light", "debian12"), "xccdf_trempe_profile_light_debian12");
    }
}
