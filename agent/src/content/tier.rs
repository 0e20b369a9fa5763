//! The tiers: profiles over the catalogue, written as XCCDF tailoring files in `profiles/tiers/` and embedded in the binary.
//!
//! `standard.xml` has a profile `standard_debian12` for the product `debian12`, which extends `standard_common`, what all
//! products have. `standard` by itself means the profile of the machine's product.

use anyhow::Result;
use xccdf::{Benchmark, Kind, Profile, Tailoring, short_id};

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
pub(super) fn profiles() -> Result<Vec<Profile>> {
    let mut profiles = Vec::new();
    for (name, text) in EMBEDDED {
        profiles.extend(Tailoring::parse(text.as_bytes(), &format!("{name}.xml"))?.profiles);
    }
    Ok(profiles)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::content::{Catalogue, benchmark};

    /// The rules of a tier on a product. Fails when the tier names what the catalogue does not have.
    fn selected(tier: &str, product: &str) -> BTreeSet<String> {
        let benchmark = benchmark(&Catalogue::embedded().unwrap()).unwrap();
        let profile = tier_profile(tier, product);
        let policy = xccdf::resolve(&benchmark, &[], Some(&profile), &xccdf::no_alias);
        let policy = policy.unwrap_or_else(|errors| panic!("{errors}"));
        policy.selected().map(|rule| short_id(&rule.id).to_owned()).collect()
    }

    #[test]
    fn tiers_select_what_the_benchmarks_do() {
        assert_eq!(EMBEDDED.iter().map(|(name, _)| *name).collect::<Vec<_>>(), TIERS);
        // As many as the CIS server profiles of the SCAP Security Guide 0.1.82: level 1, level 2.
        for (product, level1, level2) in [
            ("debian12", 403, 507),
            ("debian13", 403, 519),
            ("ubuntu2204", 398, 500),
            ("ubuntu2404", 408, 510),
            ("rhel8", 340, 443),
            ("rhel9", 295, 401),
            ("rhel10", 324, 439),
        ] {
            let [light, standard, strict] = TIERS.map(|tier| selected(tier, product));
            // Strict has one more: no passwords over ssh, which CIS leaves to the site.
            assert_eq!((standard.len(), strict.len()), (level1, level2 + 1), "{product}");
            assert!(light.is_subset(&standard) && standard.is_subset(&strict), "{product}");
        }
    }

    #[test]
    fn light_touches_neither_access_nor_what_runs() {
        // Of the kinds of settings, those that change files of the operating system and parameters of the kernel only.
        let harmless = ["banner", "file", "key_value", "limits", "module", "rsyslog", "sysctl"];
        let catalogue = Catalogue::embedded().unwrap();
        let products = ["debian12", "debian13", "ubuntu2204", "ubuntu2404", "rhel8", "rhel9", "rhel10"];
        let light = products.into_iter().flat_map(|product| selected("light", product));
        for id in light.collect::<BTreeSet<_>>() {
            let rule = catalogue.rule(&id).unwrap();
            assert!(!rule.access, "{id} decides who gets in");
            for kind in std::iter::once(&rule.ensure).chain(rule.instead.iter().map(|other| &other.ensure)) {
                let names = kind.names().unwrap();
                assert!(names.iter().all(|name| harmless.contains(&name.as_str())), "{id} ensures {names:?}");
            }
        }
    }

    #[test]
    fn tiers_by_the_names_of_their_profiles() {
        assert_eq!(tier_of("xccdf_trempe_profile_strict_debian13"), Some(("strict", "debian13")));
        assert_eq!(tier_of("xccdf_trempe_profile_strict_common"), None);
        assert_eq!(tier_of("xccdf_org.ssgproject.content_profile_standard"), None);
        assert_eq!(tier_profile("light", "debian12"), "xccdf_trempe_profile_light_debian12");
    }
}
