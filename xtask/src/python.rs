//! The Python package: built, installed into an environment of its own, and tested.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use crate::setup;

/// What the tests use: the packages that the package works with, and what checks it.
const PACKAGES: &[&str] = &[
    "dask==2026.8.0",
    "distributed==2026.8.0",
    "funlib.geometry==0.3.0",
    "funlib.persistence==0.7.0",
    "gunpowder==1.4.3",
    "hypothesis==6.170.17",
    "mypy==2.4.1",
    "numpy==2.4.6",
    "pytest==9.2.0",
    "tensorstore==0.1.86",
    "torch==2.15.0",
    "xarray==2026.9.0",
    "zarr==3.1.6",
];

/// Installs the package as users do, checks its types and runs its tests, with the recorded answers in
/// `golden`.
///
/// # Errors
///
/// If the package cannot be built, or a test fails.
pub(crate) fn run(golden: &Path, arguments: &[&str]) -> anyhow::Result<()> {
    let python = environment()?;
    let package = crate::root().join("crates/python");
    let mut mypy = Command::new(&python);
    mypy.args(["-m", "mypy"]);
    run_in(&package, &mut mypy)?;
    let golden = std::path::absolute(golden).context("finding the recorded answers")?;
    let mut pytest = Command::new(&python);
    pytest.args(["-m", "pytest", "-p", "no:cacheprovider"]).args(arguments);
    run_in(&package, pytest.env("VOXMASK_GOLDEN", golden))
}

/// The interpreter of an environment that has the package as it is now, and what its tests use.
pub(crate) fn environment() -> anyhow::Result<PathBuf> {
    let python = setup::python(&crate::target().join("peers/package"), PACKAGES)?;
    install(&python)?;
    Ok(python)
}

/// Builds the package, and installs it into an environment that has what it needs.
pub(crate) fn install(python: &Path) -> anyhow::Result<()> {
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    pip.args(["--no-deps", "--force-reinstall", "."]);
    // One folder for everything that is built.
    pip.env("CARGO_TARGET_DIR", crate::target());
    run_in(&crate::root().join("crates/python"), crate::forget_this_package(&mut pip))
}

fn run_in(folder: &Path, command: &mut Command) -> anyhow::Result<()> {
    let words = command.get_args().map(|word| word.to_string_lossy().into_owned());
    let text = words.collect::<Vec<_>>().join(" ");
    println!("> python {text}");
    let status = command.current_dir(folder).status();
    let status = status.with_context(|| format!("starting python {text}"))?;
    if !status.success() {
        bail!("python {text} failed ({status})");
    }
    Ok(())
}
