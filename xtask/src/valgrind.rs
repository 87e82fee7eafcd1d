//! The tests that decode and encode chunks, under valgrind.
//!
//! It sees what the sanitizers of the compiler do not: the C code of codecs.

use crate::runs::Runs;
use crate::{setup, toolchain};

const PACKAGE: &str = "zarr-source";

/// What decodes chunks that others wrote, chunks that are broken, and what we encode.
const TESTS: &[&str] = &["fixtures", "n5", "zip", "bad_input", "writing"];

/// Runs the tests; what reads or writes memory that it may not, or depends on what nobody wrote, fails.
///
/// # Errors
///
/// If valgrind cannot be had, or a test fails under it.
pub(crate) fn run() -> anyhow::Result<()> {
    let valgrind = setup::valgrind()?;
    let options = "--error-exitcode=99 --quiet --leak-check=no --fair-sched=yes";
    let runner = format!("{} {options}", valgrind.display());
    // Cargo names the variable after the machine that it builds for.
    let host = toolchain::host()?.to_uppercase().replace('-', "_");
    let variable = format!("CARGO_TARGET_{host}_RUNNER");
    let mut runs = Runs::default();
    for test in TESTS {
        runs.run(format!("valgrind, {PACKAGE}, {test}"), || {
            crate::cargo(&["test", "--package", PACKAGE, "--test", test], &[(&variable, &runner)])
        });
    }
    runs.finish()
}
