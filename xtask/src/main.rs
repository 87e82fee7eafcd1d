//! The project's own commands: `cargo xtask help` lists them.

mod bench;
mod conform;
mod dependencies;
mod e2e;
mod faults;
mod fuzz;
mod hostile;
mod layers;
mod load;
mod memory;
mod mutants;
mod peers;
mod python;
mod real;
mod runs;
mod sanitize;
mod server;
mod setup;
mod siege;
mod toolchain;
mod valgrind;

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, bail};

const HELP: &str = "\
cargo xtask COMMAND

  check               lint, then test
  lint                layers, formatting, clippy and documentation, with warnings as errors
  test [--release]    all tests of the workspace, as they are debugged or as users build it
  msrv                compile what users build with the oldest version of Rust that the manifests promise
  dependencies        licences, sources and duplicates of the dependencies, and that each is used
  props [CASES]       the property tests, in release, with CASES cases each (default 4096)
  conform [--golden DIR]
                      compare with the recorded answers of the original (default: the copy in
                      xtask/tests/golden)
  real DIR            check the masks of the real label volumes in DIR
  python [--golden DIR] [ARGUMENT...]
                      install the Python package into an environment of its own, check its types, and run
                      its tests (pytest gets the arguments)
  e2e [ARGUMENT...]   show a served crop in a browser, and read it with other software, over HTTP (pytest
                      gets the arguments)
  hostile [FILTER]    run the command line on containers made to do harm (those whose name holds FILTER), and
                      print how each command ended, how long it took and how much memory
  faults [kill|disk|source|store|damage|writers [N]]
                      kill runs and resume them, fill disks, change labels meanwhile, let a server fail,
                      damage chunks, and run several processes at one output: N times each (default: 200,
                      3, 3, 3, 2000 and 20), and print a table
  setup               make the other software that tests ask, in target/peers, and print the environment
                      variables that name it, one KEY=value in each line
  bench [FILTER]      run the benchmarks whose name holds FILTER, and print a table
  memory              write masks and targets of volumes of 512^3 and 1024^3 voxels, and print how much
                      memory that takes
  peers [--side N] [--codec lz4|zstd] [--work full|patches] [--write]
                      do the same work with voxmask, TensorStore and zarr-python, and print a table (of
                      volumes of N^3 voxels, default 512); write it into docs/benchmarks.md
  load [SECONDS] [--write]
                      ask a served volume for chunks as fast as it answers, so many seconds in each
                      case (default 20), beside nginx and Python, and print a table; write it into
                      docs/benchmarks.md
  siege [SECONDS] [--quick]
                      let strangers do their worst to a served volume, among it that they come and go for
                      so many seconds (default 600), and print what others notice, and memory and open
                      files of the server; --quick does little of everything, in half a minute
  fuzz [TARGET|all] [SECONDS]
                      feed each parser and each boundary with damaged input, so many seconds each (default
                      1800), by libFuzzer and Hypothesis; what fails is kept in target/fuzz/findings
  fuzz report         print how long each target has been fuzzed by now
  mutants [PACKAGE [ARGUMENT...]]
                      change the code of geometry, array-core and annotation-mask, or of one package, in
                      many small ways, and list the changes at which no test fails; takes hours
                      (cargo-mutants gets the arguments)
  sanitize [address|thread]
                      the tests that reach unsafe code, C code or threads, with the sanitizers of a nightly
                      toolchain
  valgrind            the tests that decode and encode chunks, under valgrind, which also sees the C code of
                      codecs
  help                print this";

/// The test targets that are property tests, and the crates that have them. Those of others write files, which takes
/// a second for each case.
const PROPERTY_TESTS: &[&str] = &["laws", "crop_laws", "cache", "many"];
const PROPERTY_PACKAGES: &[&str] = &["geometry", "array-core", "annotation-mask"];

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[&str]) -> anyhow::Result<()> {
    match arguments {
        ["check"] => {
            lint()?;
            test(&[])
        }
        ["lint"] => lint(),
        ["test"] => test(&[]),
        ["test", "--release"] => test(&["--release"]),
        ["msrv"] => toolchain::check_with_the_oldest(),
        ["dependencies"] => dependencies::run(),
        ["props"] => props("4096"),
        ["props", cases] => {
            cases.parse::<u32>().with_context(|| format!("{cases:?} is no number of cases"))?;
            props(cases)
        }
        ["conform"] => conform::run(&root().join("xtask/tests/golden")),
        ["conform", "--golden", folder] => conform::run(Path::new(folder)),
        ["real", folder] => real::run(Path::new(folder)),
        ["python", "--golden", folder, arguments @ ..] => python::run(Path::new(folder), arguments),
        ["python", arguments @ ..] => python::run(&root().join("xtask/tests/golden"), arguments),
        ["e2e", arguments @ ..] => e2e::run(arguments),
        ["hostile"] => hostile::run(None),
        ["hostile", filter] => hostile::run(Some(filter)),
        ["faults", options @ ..] => faults::run(options),
        ["setup"] => setup::run(&target().join("peers")),
        ["bench"] => bench::run(None),
        ["bench", filter] => bench::run(Some(filter)),
        ["memory"] => memory::run(),
        ["peers", options @ ..] => peers::run(options),
        ["load", options @ ..] => load::run(options),
        ["siege", options @ ..] => siege::run(options),
        ["fuzz", options @ ..] => fuzz::run(options),
        ["mutants"] => mutants::run(None, &[]),
        ["mutants", package, arguments @ ..] => mutants::run(Some(package), arguments),
        ["sanitize"] => sanitize::run(None),
        ["sanitize", name] => sanitize::run(Some(name)),
        ["valgrind"] => valgrind::run(),
        ["help" | "--help" | "-h"] => {
            println!("{HELP}");
            Ok(())
        }
        _ => bail!("cannot run {arguments:?}\n\n{HELP}"),
    }
}

fn lint() -> anyhow::Result<()> {
    layers::check(&root())?;
    cargo(&["fmt", "--all", "--check"], &[])?;
    cargo(&["fmt", "--manifest-path", "fuzz/Cargo.toml", "--check"], &[])?;
    cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"], &[])?;
    // By itself, without the feature `remote`, which the workspace turns on.
    cargo(&["clippy", "--package", "zarr-source", "--all-targets", "--", "-D", "warnings"], &[])?;
    cargo(
        &["doc", "--workspace", "--no-deps", "--document-private-items"],
        &[("RUSTDOCFLAGS", "-D warnings")],
    )
}

fn test(profile: &[&str]) -> anyhow::Result<()> {
    cargo(&[&["test", "--workspace"], profile].concat(), &[])
}

fn props(cases: &str) -> anyhow::Result<()> {
    let packages = PROPERTY_PACKAGES.iter().flat_map(|package| ["--package", package]);
    let targets = PROPERTY_TESTS.iter().flat_map(|target| ["--test", target]);
    // At once, so that what they share is built once.
    let arguments: Vec<_> =
        ["test", "--release"].into_iter().chain(packages).chain(targets).collect();
    cargo(&arguments, &[("PROPTEST_CASES", cases)])
}

/// Builds voxmask with optimizations; the path of the program.
fn program() -> anyhow::Result<PathBuf> {
    // Without the name of a package, dependencies get the features that `cargo run` gives them: nothing is built twice.
    cargo(&["build", "--release", "--bin", "voxmask"], &[])?;
    let program = std::path::absolute(target().join("release/voxmask"));
    program.context("finding the current folder")
}

/// The folder of the workspace.
fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).to_owned()
}

/// The folder that cargo builds in.
fn target() -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    target.unwrap_or_else(|| root().join("target"))
}

/// Takes out of the environment what cargo says of this package. Build scripts of others would take it for a change:
/// they, and all that depends on them, would be built anew whenever cargo is called from here and not from a shell.
fn forget_this_package(command: &mut Command) -> &mut Command {
    let is_own =
        |name: &str| ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|own| name.starts_with(own));
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_str().is_some_and(is_own)) {
        command.env_remove(name);
    }
    command
}

/// Runs cargo in the workspace, and fails if it does.
fn cargo(arguments: &[&str], variables: &[(&str, &str)]) -> anyhow::Result<()> {
    let text = arguments.join(" ");
    println!("> cargo {text}");
    // Only the proxy on the path knows other toolchains.
    let is_other = arguments.first().is_some_and(|argument| argument.starts_with('+'));
    let cargo = env::var("CARGO").ok().filter(|_| !is_other);
    let cargo = cargo.unwrap_or_else(|| "cargo".to_owned());
    let mut command = Command::new(cargo);
    let status = forget_this_package(&mut command)
        .args(arguments)
        .envs(variables.iter().copied())
        .current_dir(root())
        .status()
        .context("starting cargo")?;
    if !status.success() {
        bail!("cargo {text} failed");
    }
    Ok(())
}
