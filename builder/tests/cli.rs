//! What users see: whole sessions, with output and exit codes. `TRYCMD=overwrite` rewrites what is expected.

#[test]
fn sessions() {
    trycmd::TestCases::new().case("tests/cli/*.trycmd");
}
