//! What the dependencies may be, and that each is used.

use std::process::Command;

use anyhow::{Context, bail};

use crate::setup;

/// Holds licences, sources and versions against `deny.toml`.
const DENY: (&str, &str) = ("cargo-deny", "0.20.2");
/// Finds dependencies that no source file names.
const MACHETE: (&str, &str) = ("cargo-machete", "0.9.2");

/// Checks licences, sources, duplicates, and that every dependency is used.
///
/// # Errors
///
/// If a tool cannot be built or finds something.
pub(crate) fn run() -> anyhow::Result<()> {
    // What warns here is as wrong as what fails: a skip or a licence that nothing needs any longer.
    check(DENY, &["--locked", "check", "-D", "warnings", "bans", "licenses", "sources"])?;
    check(MACHETE, &["--skip-target-dir"])
}

fn check(tool: (&str, &str), arguments: &[&str]) -> anyhow::Result<()> {
    let program = setup::tool(tool)?;
    let (name, text) = (tool.0, arguments.join(" "));
    println!("> {name} {text}");
    let status = Command::new(program).args(arguments).current_dir(crate::root()).status();
    let status = status.with_context(|| format!("starting {name}"))?;
    if !status.success() {
        bail!("{name} {text} failed ({status})");
    }
    Ok(())
}
