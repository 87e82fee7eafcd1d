//! The tests that reach unsafe code, C code or threads, under sanitizers of the compiler.

use anyhow::bail;

use crate::runs::Runs;
use crate::toolchain;

/// Sanitizers are options of nightly toolchains only.
const TOOLCHAIN: &str = "nightly";
/// Of each property test: under a sanitizer, each takes many times as long.
const CASES: &str = "32";
/// What the thread sanitizer is told to be silent about.
const KNOWN_RACES: &str = "xtask/src/sanitize/known_races.txt";

struct Sanitizer {
    name: &'static str,
    /// Whether the standard library must be built with it, too.
    builds_std: bool,
    packages: &'static [&'static str],
}

const SANITIZERS: &[Sanitizer] = &[
    // All unsafe code of the workspace, and what hands memory to the C code of codecs.
    Sanitizer { name: "address", builds_std: false, packages: &["array-core", "zarr-source"] },
    // What locks or waits, and what it is for. Locks of a standard library without it look like races.
    Sanitizer {
        name: "thread",
        builds_std: true,
        packages: &["array-core", "annotation-mask", "mask-writer", "serve"],
    },
];

/// Runs the tests under the sanitizer of that name, or under each.
///
/// # Errors
///
/// If there is no such sanitizer, or a test fails under one.
pub(crate) fn run(name: Option<&str>) -> anyhow::Result<()> {
    let is_asked = |sanitizer: &&Sanitizer| name.is_none_or(|name| name == sanitizer.name);
    let sanitizers: Vec<_> = SANITIZERS.iter().filter(is_asked).collect();
    if sanitizers.is_empty() {
        let names: Vec<_> = SANITIZERS.iter().map(|sanitizer| sanitizer.name).collect();
        bail!("{name:?} is no sanitizer: there are {}", names.join(" and "));
    }
    toolchain::install(TOOLCHAIN, &["rust-src"])?;
    let host = toolchain::host()?;
    let mut runs = Runs::default();
    for sanitizer in sanitizers {
        for package in sanitizer.packages {
            let name = format!("{} sanitizer, {package}", sanitizer.name);
            runs.run(name, || test(sanitizer, package, &host));
        }
    }
    runs.finish()
}

fn test(sanitizer: &Sanitizer, package: &str, host: &str) -> anyhow::Result<()> {
    let toolchain = format!("+{TOOLCHAIN}");
    // A target of its own, so that build scripts are not sanitized.
    let target = toolchain::target_for("sanitize")?;
    let mut arguments = vec![&*toolchain, "test", "--package", package, "--tests"];
    arguments.extend(["--target", host, "--target-dir", &target]);
    if sanitizer.builds_std {
        arguments.push("-Zbuild-std");
    }
    let flags = format!("-Zsanitizer={}", sanitizer.name);
    let silence = format!("suppressions={}", crate::root().join(KNOWN_RACES).display());
    let variables =
        [("RUSTFLAGS", &*flags), ("TSAN_OPTIONS", &*silence), ("PROPTEST_CASES", CASES)];
    crate::cargo(&arguments, &variables)
}
