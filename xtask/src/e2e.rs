//! The whole way: a served crop in a real browser, and read by other software.

use std::env;
use std::process::Command;

use anyhow::{Context, bail};

use crate::setup;

/// What the tests use: Neuroglancer's client, what steers a browser, and readers of Zarr.
const PACKAGES: &[&str] = &[
    "aiohttp==3.14.5",
    "fsspec==2026.9.0",
    "neuroglancer==2.41.2",
    "numpy==2.4.6",
    "pillow==13.0.0",
    "pytest==9.2.0",
    "selenium==4.51.0",
    "tensorstore==0.1.86",
    "zarr==3.1.6",
];

/// Builds the command line and runs the tests in `xtask/e2e`; screenshots go to `target/e2e`.
///
/// Without a browser, what needs none is tested all the same.
///
/// # Errors
///
/// If something cannot be made, or a test fails; with `VOXMASK_REQUIRE_PEERS`, also if there is no browser.
pub(crate) fn run(arguments: &[&str]) -> anyhow::Result<()> {
    let program = crate::program()?;
    let python = setup::python(&crate::target().join("peers/e2e"), PACKAGES)?;
    let target = std::path::absolute(crate::target()).context("finding the current folder")?;
    let mut pytest = Command::new(&python);
    pytest.args(["-B", "-m", "pytest", "-p", "no:cacheprovider"]).args(arguments);
    pytest.current_dir(crate::root());
    pytest.env("VOXMASK_BINARY", program);
    pytest.env("VOXMASK_PICTURES", target.join("e2e"));
    match setup::browser() {
        Ok([chromium, driver]) => {
            pytest.env("VOXMASK_CHROMIUM", chromium).env("VOXMASK_CHROMEDRIVER", driver);
            pytest.arg("xtask/e2e");
        }
        Err(error) if env::var_os("VOXMASK_REQUIRE_PEERS").is_some() => {
            return Err(error.context("there is no browser, and tests may not go without"));
        }
        Err(error) => {
            println!("> there is no browser, so only other readers are tested: {error:#}");
            pytest.arg("xtask/e2e/test_peers.py");
        }
    }
    println!("> pytest xtask/e2e");
    let status = pytest.status().context("starting pytest")?;
    if !status.success() {
        bail!("the tests in xtask/e2e failed ({status})");
    }
    Ok(())
}
