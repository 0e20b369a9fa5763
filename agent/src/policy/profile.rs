//! Which profile is meant by what a user writes.

use anyhow::{Result, bail};
use xccdf::id::{did_you_mean, parts};
use xccdf::{Benchmark, short_id};

use super::Request;
use crate::content::{NAMESPACE, TIERS, products, tier_profile};

/// The profiles of the SCAP Security Guide that a tier stands for, by their last part.
const SSG_PROFILES: [(&str, &str); 4] = [
    ("cis_level1_server", "standard"),
    ("cis_server_l1", "standard"),
    ("cis_level2_server", "strict"),
    ("cis", "strict"),
];

/// The full id under which the catalogue has a profile that is known by another name: a tier by its bare name, a CIS server
/// profile by the name the SCAP Security Guide gives it.
pub fn alias(id: &str, product: &str) -> Option<String> {
    let ours = parts(id).is_none_or(|(namespace, ..)| namespace == NAMESPACE);
    let name = short_id(id);
    let tier = if ours && TIERS.contains(&name) {
        name
    } else {
        SSG_PROFILES.iter().find(|(profile, _)| *profile == name)?.1
    };
    Some(tier_profile(tier, product))
}

/// The profile that a request names; `None` when its tailoring is to decide.
///
/// # Errors
/// When the tier is not known, or the product has none, or nothing at all is asked for.
pub fn named(request: &Request, benchmark: &Benchmark, product: &str) -> Result<Option<String>> {
    let tiers = || TIERS.join(", ");
    if let Some(profile) = &request.profile {
        return Ok(Some(profile.clone()));
    }
    let Some(tier) = &request.tier else {
        if request.tailoring.is_empty() {
            bail!("nothing says what to hold this machine to: give --tier with one of {}", tiers());
        }
        return Ok(None);
    };
    if !TIERS.contains(&tier.as_str()) {
        let near = did_you_mean(tier, TIERS);
        let remedy = if near.is_empty() { format!("there are: {}", tiers()) } else { near };
        bail!("unknown tier {tier:?} ({remedy})");
    }
    let profile = tier_profile(tier, product);
    if benchmark.profile(&profile).is_none() {
        bail!("there is no tier for {product}: the catalogue has {}", products(benchmark).join(", "));
    }
    Ok(Some(profile))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases() {
        let standard = Some("xccdf_trempe_profile_standard_debian12");
        for (id, known_as) in [
            ("standard", standard),
            ("xccdf_trempe_profile_standard", standard),
            ("xccdf_org.ssgproject.content_profile_cis_level1_server", standard),
            ("cis_server_l1", standard),
            ("cis", Some("xccdf_trempe_profile_strict_debian12")),
            // That profile of the SCAP Security Guide is something else.
            ("xccdf_org.ssgproject.content_profile_standard", None),
            ("xccdf_org.ssgproject.content_profile_cis_level1_workstation", None),
        ] {
            assert_eq!(alias(id, "debian12").as_deref(), known_as, "{id}");
        }
    }
}
