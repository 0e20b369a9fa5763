//! Real benchmarks: those of the SCAP Security Guide, when its data streams are at hand.
//!
//! They are looked for in the directory that `TREMPE_CONTENT` names, else in `../shared/content`
//! beside the workspace. Without them there is nothing to test here.

use std::path::{Path, PathBuf};
use std::process::Command;
use xccdf::{Benchmark, Policy, no_alias, resolve};

fn content() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/content");
    let directory = std::env::var_os("TREMPE_CONTENT").map_or(beside, PathBuf::from);
    directory.is_dir().then_some(directory)
}

/// Cuts the benchmark out of a data stream and gives it the namespaces it had around it.
fn cut(stream: &str) -> String {
    let from = stream.find("<xccdf-1.2:Benchmark ").unwrap();
    let end = "</xccdf-1.2:Benchmark>";
    let to = stream.find(end).unwrap() + end.len();
    let inside = &stream[from + "<xccdf-1.2:Benchmark".len()..to];
    format!(
        "<xccdf-1.2:Benchmark xmlns:xccdf-1.2='http://checklists.nist.gov/xccdf/1.2' \
         xmlns:html='http://www.w3.org/1999/xhtml' \
         xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' \
         xmlns:cpe-lang='http://cpe.mitre.org/language/2.0' \
         xmlns:dc='http://purl.org/dc/elements/1.1/'{inside}"
    )
}

fn benchmark(directory: &Path, product: &str) -> Benchmark {
    let file = directory.join(format!("ssg-{product}-ds.xml.xz"));
    let unpacked = Command::new("xz").arg("-dc").arg(&file).output().unwrap();
    assert!(unpacked.status.success(), "{}", file.display());
    let document = cut(std::str::from_utf8(&unpacked.stdout).unwrap());
    Benchmark::parse(document.as_bytes(), product).unwrap_or_else(|errors| panic!("{errors}"))
}

fn policy(benchmark: &Benchmark, profile: &str) -> Policy {
    resolve(benchmark, &[], Some(profile), &no_alias).unwrap_or_else(|errors| panic!("{errors}"))
}

#[test]
fn counts_of_rules_and_of_selected_rules() {
    let Some(directory) = content() else { return };
    #[rustfmt::skip]
    let products = [
        ("debian12", 887, 147, [("cis_level1_server", 403), ("cis_level2_server", 507)]),
        ("debian13", 777, 129, [("cis_level1_server", 403), ("cis_level2_server", 519)]),
        ("rhel8", 1701, 468, [("cis_server_l1", 340), ("cis", 443)]),
        ("rhel9", 1540, 454, [("cis_server_l1", 295), ("cis", 401)]),
        ("rhel10", 1073, 165, [("cis_server_l1", 324), ("cis", 439)]),
        ("ubuntu2204", 639, 101, [("cis_level1_server", 398), ("cis_level2_server", 500)]),
        ("ubuntu2404", 648, 104, [("cis_level1_server", 408), ("cis_level2_server", 510)]),
    ];
    for (product, rules, values, profiles) in products {
        let benchmark = benchmark(&directory, product);
        assert_eq!(benchmark.rules().count(), rules, "{product}");
        assert_eq!(benchmark.values().count(), values, "{product}");
        for (profile, selected) in profiles {
            let policy = policy(&benchmark, profile);
            assert_eq!(policy.rules.len(), rules, "{product}");
            assert_eq!(policy.selected().count(), selected, "{product} {profile}");
        }
        for profile in &benchmark.profiles {
            assert!(policy(&benchmark, &profile.id).selected().count() > 0, "{}", profile.id);
        }
    }
}

#[test]
fn what_is_written_of_a_real_benchmark_reads_back_and_fits_the_schema() {
    let Some(directory) = content() else { return };
    let benchmark = benchmark(&directory, "debian12");
    let written = benchmark.to_xml().unwrap();
    assert_eq!(Benchmark::parse(&written, "debian12"), Ok(benchmark));
    crate::tools::assert_fits_schema(&written);
}
