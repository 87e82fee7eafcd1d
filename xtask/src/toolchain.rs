//! Toolchains of Rust other than the one that is used all the time.

use std::process::{Command, Stdio};

use anyhow::{Context, bail};

/// The oldest version of Rust that the manifests promise.
const OLDEST: &str = env!("CARGO_PKG_RUST_VERSION");

/// Checks what users build with the oldest version of Rust that its manifests promise: everything but tests,
/// benchmarks and this program.
///
/// # Errors
///
/// If that version cannot be had, or does not compile it.
pub(crate) fn check_with_the_oldest() -> anyhow::Result<()> {
    install(OLDEST, &[])?;
    let toolchain = format!("+{OLDEST}");
    let target = target_for("msrv")?;
    let mut arguments = vec![&*toolchain, "check", "--locked", "--workspace"];
    arguments.extend(["--exclude", "xtask", "--exclude", "benches", "--target-dir", &target]);
    crate::cargo(&arguments, &[])
}

/// The machine that the compiler compiles for.
///
/// # Errors
///
/// If it cannot be asked.
pub(crate) fn host() -> anyhow::Result<String> {
    let host = Command::new("rustc").args(["-vV"]).output().context("asking rustc for its host")?;
    let host = String::from_utf8_lossy(&host.stdout).into_owned();
    let host = host.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc does not tell its host")?.to_owned())
}

/// The folder that another toolchain builds in, so that neither waits for the other.
///
/// # Errors
///
/// If its path is no text.
pub(crate) fn target_for(purpose: &str) -> anyhow::Result<String> {
    let target = crate::target().join(purpose).into_os_string().into_string();
    target.ok().context("the path of the target folder is no text")
}

/// Installs a toolchain, and components of it, unless they are there; one that is there stays as it is.
///
/// # Errors
///
/// If rustup cannot.
pub(crate) fn install(toolchain: &str, components: &[&str]) -> anyhow::Result<()> {
    let mut list = Command::new("rustup");
    list.args(["component", "list", "--installed", "--toolchain", toolchain]);
    let listed = list.stderr(Stdio::null()).output().context("rustup is needed")?;
    if !listed.status.success() {
        rustup(&["toolchain", "install", toolchain, "--profile", "minimal", "--no-self-update"])?;
    }
    let installed = String::from_utf8_lossy(&listed.stdout);
    for component in components {
        // Most are listed with the machine that they are for, sources alone.
        if !installed.lines().any(|line| line.starts_with(component)) {
            rustup(&["component", "add", component, "--toolchain", toolchain])?;
        }
    }
    Ok(())
}

fn rustup(arguments: &[&str]) -> anyhow::Result<()> {
    let text = arguments.join(" ");
    println!("> rustup {text}");
    let status = Command::new("rustup").args(arguments).status().context("rustup is needed")?;
    if !status.success() {
        bail!("rustup {text} failed: is its server within reach?");
    }
    Ok(())
}
