//! Platforms that are known without any dictionary: the names that OpenSCAP 1.3.7 always knows, so that a benchmark alone which is for one of
//! them is applicable on it.
//!
//! What proves a name is what OpenSCAP looks at (its `openscap-cpe-oval.xml`): who owns the release file by the database of packages, or
//! which version of the release package is installed. Later versions of OpenSCAP know no names by themselves.
//! To add a name, add it to [`NAMES`] and its proof to `platforms.xml`.

use xccdf::cpe::dictionary::{Dictionary, Entry};
use xccdf::cpe::{Fact, Name};
use xccdf::evaluate::system::OVAL;

/// What the document of proofs is called. No content has one of that name.
pub const HREF: &str = "trempe-platforms.xml";

/// The names, each with the number of the definition that proves it.
const NAMES: [(&str, u16); 13] = [
    ("cpe:/o:redhat:enterprise_linux:-", 1),
    ("cpe:/o:redhat:enterprise_linux:5", 5),
    ("cpe:/o:redhat:enterprise_linux:6", 6),
    ("cpe:/o:redhat:enterprise_linux:7", 7),
    ("cpe:/o:redhat:enterprise_linux:8", 8),
    ("cpe:/o:centos:centos:5", 105),
    ("cpe:/o:centos:centos:6", 106),
    ("cpe:/o:centos:centos:7", 107),
    ("cpe:/o:centos:centos:8", 108),
    ("cpe:/o:fedoraproject:fedora:32", 232),
    ("cpe:/o:fedoraproject:fedora:33", 233),
    ("cpe:/o:fedoraproject:fedora:34", 234),
    ("cpe:/o:fedoraproject:fedora:35", 235),
];

/// The dictionary of them.
pub fn dictionary() -> Dictionary {
    let entry = |(name, number): (&str, u16)| {
        let definition = format!("oval:trempe.platform:def:{number}");
        let fact = Fact { system: OVAL.to_owned(), href: HREF.to_owned(), name: definition };
        Some(Entry { name: Name::parse(name)?, facts: vec![fact] })
    };
    Dictionary { entries: NAMES.into_iter().filter_map(entry).collect() }
}

/// The document of proofs.
///
/// # Errors
/// Never, as it is part of the program.
pub fn document() -> Result<oval::Document<'static>, String> {
    oval::Document::parse(include_str!("platforms.xml"), HREF).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// What each name comes to on machines of which only the release file says what they are, and on none of which packages are known.
    #[test]
    fn each_name_has_a_proof_of_its_own() {
        let document = document().unwrap();
        let dictionary = dictionary();
        assert_eq!(dictionary.entries.len(), NAMES.len());
        let facts = dictionary.entries.iter().flat_map(|entry| &entry.facts);
        let proofs: BTreeMap<&str, &Fact> = facts.map(|fact| (fact.name.as_str(), fact)).collect();
        assert_eq!(proofs.len(), NAMES.len());
        let here = |release: &str| {
            let root = tempfile::tempdir().unwrap();
            std::fs::create_dir(root.path().join("etc")).unwrap();
            std::fs::write(root.path().join("etc/os-release"), release).unwrap();
            let system = oval::System::below(root.path()).unwrap();
            let evaluator = oval::Evaluator::new(&document, &system, oval::Variables::new());
            let holds = |id: &&&str| evaluator.evaluate(id).unwrap().verdict == oval::Verdict::True;
            proofs.keys().filter(holds).map(|id| (*id).to_owned()).collect::<Vec<String>>()
        };
        assert_eq!(here("ID=debian\nVERSION_ID=\"12\"\n"), [""; 0]);
        assert_eq!(here("ID=\"centos\"\nVERSION_ID=\"8\"\n"), ["oval:trempe.platform:def:108"]);
        assert_eq!(here("ID=\"centos\"\nVERSION_ID=\"8.4\"\n"), [""; 0]);
    }
}
