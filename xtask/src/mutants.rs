//! Mutation testing: would a test notice if the code were another?
//!
//! What is left out, and why, is in `.cargo/mutants.toml`.

use std::fs::{self, File};
use std::process::Command;

use anyhow::{Context, bail};
use serde::Deserialize;

use crate::setup;

/// Changes code in small ways, builds it, and runs the tests.
const TOOL: (&str, &str) = ("cargo-mutants", "27.1.0");

/// The crates in which every number must be right.
const PACKAGES: &[&str] = &["geometry", "array-core", "annotation-mask"];

/// Of each property test: hundreds of mutants each run all of them.
const CASES: &str = "64";

/// The status of the tool when it has found mutants that are missed, and when some made a test hang.
const MISSED: i32 = 2;
const HANGING: i32 = 3;

/// What became of the mutants of a package.
#[derive(Deserialize)]
struct Outcomes {
    total_mutants: usize,
    caught: usize,
    missed: usize,
    timeout: usize,
    unviable: usize,
}

/// Tests the mutants of one package, or of each, with the tests of that package; the tool gets the arguments.
///
/// A mutant at which a test hangs is found, too.
///
/// # Errors
///
/// If a mutant is missed, or the mutants cannot be tested.
pub(crate) fn run(package: Option<&str>, arguments: &[&str]) -> anyhow::Result<()> {
    let tool = setup::tool(TOOL)?;
    let packages = package.as_ref().map_or(PACKAGES, std::slice::from_ref);
    let mut table = format!(
        "{:<20} {:>8} {:>8} {:>8} {:>8} {:>8}\n",
        "PACKAGE", "MUTANTS", "CAUGHT", "HANGING", "MISSED", "NO CODE"
    );
    let mut missed = 0;
    for package in packages {
        let folder = crate::target().join("mutants").join(package);
        fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
        let mut command = Command::new(&tool);
        // It copies the workspace, so that this one stays as it is.
        command.args(["mutants", "--package", package, "--test-package", package, "--output"]);
        command.arg(&folder).args(arguments);
        command.env("PROPTEST_CASES", CASES).current_dir(crate::root());
        println!("> {} mutants --package {package} {}", TOOL.0, arguments.join(" "));
        let status = command.status().context("starting it")?;
        if !matches!(status.code(), Some(0 | MISSED | HANGING)) {
            bail!("the mutants of {package} cannot be tested ({status})");
        }
        let file = folder.join("mutants.out/outcomes.json");
        let text = File::open(&file).with_context(|| format!("opening {}", file.display()))?;
        let outcomes: Outcomes = serde_json::from_reader(text)
            .with_context(|| format!("understanding {}", file.display()))?;
        let Outcomes { total_mutants, caught, timeout, unviable, .. } = outcomes;
        missed += outcomes.missed;
        table += &format!(
            "{package:<20} {total_mutants:>8} {caught:>8} {timeout:>8} {:>8} {unviable:>8}\n",
            outcomes.missed
        );
    }
    print!("\n{table}");
    if missed > 0 {
        bail!("no test notices {missed} mutants, which mutants.out/missed.txt lists");
    }
    Ok(())
}
