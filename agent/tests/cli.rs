//! What users see: whole sessions on a small machine, with output and exit codes. `TRYCMD=overwrite` rewrites what is expected.

use std::fs;
use std::path::Path;

/// What the sessions write beside their machine. `agent tailor` does not write over what an earlier run has left.
const WRITTEN: [&str; 3] = ["site.xml", "more.xml", "renewed.xml"];

#[test]
fn sessions() {
    for file in WRITTEN.map(|name| Path::new("tests/cli/machine.in").join(name)) {
        let removed = fs::remove_file(&file);
        assert!(removed.is_ok() || !file.exists(), "{}: {removed:?}", file.display());
    }
    trycmd::TestCases::new().case("tests/cli/*.trycmd");
}
