//! dpkg's list of packages, by name: content asks for thousands of them, most of which are not installed.

use std::ops::Range;

/// What is installed.
pub(crate) struct Packages {
    status: String,
    /// The paragraphs of installed packages in the order of their names, the first of each name.
    installed: Vec<Range<usize>>,
}

/// An installed package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Package<'a> {
    pub architecture: &'a str,
    /// With epoch and revision, as dpkg has it.
    pub version: &'a str,
}

impl Packages {
    /// From the text of dpkg's status file.
    pub fn new(status: String) -> Packages {
        let mut installed = Vec::new();
        let mut at = 0;
        for paragraph in status.split("\n\n") {
            let span = at..at + paragraph.len();
            at = span.end + 2;
            if is_installed(paragraph) {
                installed.push(span);
            }
        }
        let mut packages = Packages { status, installed: Vec::new() };
        // Equal names stay in their order.
        installed.sort_by(|one, two| packages.name(one).cmp(packages.name(two)));
        installed.dedup_by(|later, first| packages.name(later) == packages.name(first));
        packages.installed = installed;
        packages
    }

    /// The installed package of a name.
    pub fn get(&self, name: &str) -> Option<Package<'_>> {
        let found = self.installed.binary_search_by(|span| self.name(span).cmp(name)).ok()?;
        let paragraph = self.paragraph(self.installed.get(found)?);
        let architecture = field(paragraph, "Architecture").unwrap_or_default();
        Some(Package { architecture, version: field(paragraph, "Version")? })
    }

    fn name(&self, span: &Range<usize>) -> &str {
        field(self.paragraph(span), "Package").unwrap_or_default()
    }

    fn paragraph(&self, span: &Range<usize>) -> &str {
        self.status.get(span.clone()).unwrap_or_default()
    }
}

/// Whether dpkg has a version of a package on disk: in three states it has none.
fn is_installed(paragraph: &str) -> bool {
    let state = field(paragraph, "Status").and_then(|status| status.rsplit(' ').next()).unwrap_or_default();
    !matches!(state, "" | "not-installed" | "config-files" | "half-installed")
}

fn field<'a>(paragraph: &'a str, name: &str) -> Option<&'a str> {
    paragraph.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_counts_when_a_version_is_on_disk() {
        let status = "Package: c\nStatus: hold ok installed\nVersion: 4\nDescription: x\n Package: d\n\n\
                      Package: b\nStatus: deinstall ok config-files\nVersion: 1\n\n\
                      Package: a\nStatus: deinstall ok config-files\nArchitecture: i386\nVersion: 1:1-3\n\n\
                      Package: a\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1:2-3\n\n\
                      Package: a\nStatus: install ok installed\nArchitecture: i386\nVersion: 1:2-2\n\n";
        let packages = Packages::new(status.to_owned());
        assert_eq!(packages.get("a"), Some(Package { architecture: "amd64", version: "1:2-3" }));
        assert_eq!(packages.get("c"), Some(Package { architecture: "", version: "4" }));
        assert_eq!(["", "b", "d", "ab"].map(|name| packages.get(name)), [None; 4]);
    }
}
