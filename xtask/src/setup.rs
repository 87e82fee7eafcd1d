//! Other software that the tests ask: readers and writers in Python, and servers.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use anyhow::{Context, anyhow, bail};

/// What reads Zarr of versions 2 and 3.
const PYTHON: &[&str] = &["zarr==3.1.6", "tensorstore==0.1.86"];
/// The last zarr-python that knows N5, and z5py, whose codecs must not be newer than that.
const N5_PYTHON: &[&str] = &["zarr==2.18.7", "numcodecs==0.15.1", "z5py==3.0.2"];
/// An S3 server that keeps its buckets in a folder.
const S3_SERVER: (&str, &str) = ("s3s-fs", "0.14.1");
/// A static server, and the package of Debian that has it.
const NGINX: (&str, &str) = ("nginx", "nginx-light");
/// A browser, and what lets programs use it.
const CHROMIUM: (&str, &str) = ("chromium", "chromium");
const CHROMEDRIVER: (&str, &str) = ("chromedriver", "chromium-driver");
/// What sees memory that is used wrongly, also by C code.
const VALGRIND: (&str, &str) = ("valgrind", "valgrind");
/// What asks a server as fast as it answers.
const WRK: (&str, &str) = ("wrk", "wrk");

/// Makes in `folder` what is not there yet, and prints a line `VARIABLE=path` for each peer.
///
/// All else goes to standard error, so that the lines can be exported as they are.
///
/// # Errors
///
/// If a peer cannot be made; those that can are made all the same.
pub(crate) fn run(folder: &Path) -> anyhow::Result<()> {
    let folder = &std::path::absolute(folder).context("finding the current folder")?;
    fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    // The peers wait for networks and compilers in turn, so none of them waits for another.
    let (python, n5_python, s3_server, nginx) = thread::scope(|scope| {
        let python = scope.spawn(|| python(&folder.join("python"), PYTHON));
        let n5_python = scope.spawn(|| python_for_n5(folder));
        let s3_server = scope.spawn(|| s3_server(folder));
        let nginx = nginx();
        (join(python), join(n5_python), join(s3_server), nginx)
    });
    let peers = [
        ("VOXMASK_PYTHON", python),
        ("VOXMASK_N5_PYTHON", n5_python),
        ("VOXMASK_S3_SERVER", s3_server),
        ("VOXMASK_NGINX", nginx),
    ];
    let mut failed = Vec::new();
    for (variable, path) in peers {
        match path {
            Ok(path) => println!("{variable}={}", path.display()),
            Err(error) => failed.push(format!("{variable}: {error:#}")),
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(anyhow!(failed.join("\n"))) }
}

fn join(peer: thread::ScopedJoinHandle<'_, anyhow::Result<PathBuf>>) -> anyhow::Result<PathBuf> {
    peer.join().unwrap_or_else(|_| bail!("the thread that made it panicked"))
}

fn python_for_n5(folder: &Path) -> anyhow::Result<PathBuf> {
    python(&folder.join("n5-python"), N5_PYTHON)
}

/// A virtual environment with exactly these packages, and what they ask for.
pub(crate) fn python(folder: &Path, packages: &[&str]) -> anyhow::Result<PathBuf> {
    let interpreter = folder.join("bin/python");
    once(folder, &packages.join(" "), || {
        let hint = "install Python 3.11 or newer with its module venv";
        tell(Command::new("python3").args(["-m", "venv"]).arg(folder), hint)?;
        let mut pip = Command::new(&interpreter);
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(packages);
        tell(&mut pip, "is the package index within reach, and Python 3.11 or newer?")
    })?;
    Ok(interpreter)
}

fn s3_server(folder: &Path) -> anyhow::Result<PathBuf> {
    program_of_crate(&folder.join("s3-server"), S3_SERVER, &["--features", "binary"])
}

/// A tool that checks this project, in a folder beside what is built.
pub(crate) fn tool(tool: (&str, &str)) -> anyhow::Result<PathBuf> {
    let folder = crate::target().join("tools").join(tool.0);
    let folder = std::path::absolute(folder).context("finding the current folder")?;
    program_of_crate(&folder, tool, &[])
}

/// The program of a crate that has its name, built into a folder of its own.
fn program_of_crate(
    folder: &Path,
    (name, version): (&str, &str),
    options: &[&str],
) -> anyhow::Result<PathBuf> {
    once(folder, version, || {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let build = folder.join("build");
        let mut install = Command::new(cargo);
        install.args(["install", name, "--version", version, "--locked", "--quiet"]);
        install.args(options).args(["--no-track", "--root"]).arg(folder);
        // They have little to do: building them fast matters more than their speed.
        install.args(["--debug", "--target-dir"]).arg(&build);
        install.env("CARGO_PROFILE_DEV_DEBUG", "0");
        tell(&mut install, "is the registry of crates within reach?")?;
        fs::remove_dir_all(&build).with_context(|| format!("removing {}", build.display()))
    })?;
    Ok(folder.join("bin").join(name))
}

fn nginx() -> anyhow::Result<PathBuf> {
    installed(NGINX)
}

/// A static server, and what asks servers as fast as they answer.
pub(crate) fn for_load() -> anyhow::Result<[PathBuf; 2]> {
    Ok([installed(NGINX)?, installed(WRK)?])
}

/// What runs a program and watches its memory.
pub(crate) fn valgrind() -> anyhow::Result<PathBuf> {
    installed(VALGRIND)
}

/// A browser, and the driver of it.
pub(crate) fn browser() -> anyhow::Result<[PathBuf; 2]> {
    Ok([installed(CHROMIUM)?, installed(CHROMEDRIVER)?])
}

/// The program that is installed; where there is none, root installs its package.
fn installed((name, package): (&str, &str)) -> anyhow::Result<PathBuf> {
    let hint = format!("install {name}, or be root on a system with apt-get ({package})");
    let path = env::var_os("PATH").unwrap_or_default();
    if let Some(found) = program(name, &path) {
        return Ok(found);
    }
    let apt_get = program("apt-get", &path).ok_or_else(|| anyhow!("there is none: {hint}"))?;
    let install = || {
        let mut install = Command::new(&apt_get);
        install.args(["install", "--yes", "--quiet", "--no-install-recommends", package]);
        tell(install.env("DEBIAN_FRONTEND", "noninteractive"), &hint)
    };
    // Without lists of packages, or with old ones, the first attempt finds nothing.
    if install().is_err() {
        tell(Command::new(&apt_get).args(["update", "--quiet"]), &hint)?;
        install()?;
    }
    program(name, &path).ok_or_else(|| anyhow!("{package} has no program {name}: {hint}"))
}

/// A program in the folders of `path`, or in those of the system that a user's `PATH` leaves out.
fn program(name: &str, path: &OsStr) -> Option<PathBuf> {
    let system = ["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from);
    env::split_paths(path).chain(system).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// Makes what belongs into a folder, unless it was made out of the same before.
///
/// The file that says so is written last: what was left half made is made anew.
fn once(
    folder: &Path,
    made_of: &str,
    make: impl FnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let stamp = folder.join("made-of");
    if fs::read_to_string(&stamp).is_ok_and(|text| text == made_of) {
        return Ok(());
    }
    eprintln!("> making {} of {made_of}", folder.display());
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("removing {}", folder.display()));
        }
        _ => {}
    }
    make()?;
    fs::write(&stamp, made_of).with_context(|| format!("writing {}", stamp.display()))
}

/// Runs a program whose output goes to standard error; the hint says what a failure may come from.
fn tell(command: &mut Command, hint: &str) -> anyhow::Result<()> {
    let program = command.get_program().display().to_string();
    let status = command.stdin(Stdio::null()).stdout(io::stderr()).status();
    let status = status.with_context(|| format!("{program} cannot be run: {hint}"))?;
    if !status.success() {
        bail!("{program} failed ({status}): {hint}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn a_peer_is_made_once_and_anew_if_it_changes_or_was_left_half_made() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("peer");
        let times = Cell::new(0);
        let make = |made_of: &str, fails: bool| {
            once(&folder, made_of, || {
                times.set(times.get() + 1);
                // What an attempt before it left would be in the way.
                fs::create_dir(&folder)?;
                if fails { bail!("no network") } else { Ok(()) }
            })
        };
        make("zarr==3", true).unwrap_err();
        assert_eq!(times.get(), 1);
        make("zarr==3", false).unwrap();
        make("zarr==3", false).unwrap();
        assert_eq!(times.get(), 2);
        make("zarr==4", false).unwrap();
        assert_eq!(times.get(), 3);
    }

    #[test]
    fn what_cannot_be_run_or_fails_is_named_with_a_hint() {
        let missing = tell(&mut Command::new("/nowhere/python3"), "install Python").unwrap_err();
        assert_eq!(missing.to_string(), "/nowhere/python3 cannot be run: install Python");
        let failing = tell(Command::new("sh").args(["-c", "exit 3"]), "try again").unwrap_err();
        let message = failing.to_string();
        assert!(message.starts_with("sh failed") && message.ends_with(": try again"), "{message}");
    }

    #[test]
    fn programs_are_found_in_the_folders_of_the_path_in_its_order() {
        let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let path = env::join_paths([first.path(), second.path()]).unwrap();
        assert_eq!(program("voxmask-no-such-program", &path), None);
        let file = second.path().join("voxmask-peer");
        fs::write(&file, "").unwrap();
        assert_eq!(program("voxmask-peer", &path), Some(file));
        fs::write(first.path().join("voxmask-peer"), "").unwrap();
        assert_eq!(program("voxmask-peer", &path), Some(first.path().join("voxmask-peer")));
    }
}
