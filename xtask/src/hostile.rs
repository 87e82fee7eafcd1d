//! Containers made to do harm, and what the command line does with each, as a table.

mod bombs;
mod case;
mod child;
mod containers;
mod documents;
mod links;
mod names;
mod shapes;
mod zips;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};

use self::case::{Case, Command, Expected};
use self::child::{Outcome, without_colours};

/// What no command may exceed: the time of the processors, as the machine may be busy with other things.
const MAX_TIME: Duration = Duration::from_secs(1);
const MAX_MEMORY: u64 = 512 << 20;

/// The width of the exit codes of all commands.
const CODES: usize = 13;

/// What the commands of one case did.
struct Row {
    name: String,
    commands: usize,
    codes: String,
    longest: Duration,
    peak: u64,
    message: String,
    broken: Vec<String>,
}

/// Makes each container, runs the commands on it, and prints a table.
///
/// # Errors
///
/// If a command does not end as it must: with the right exit code, in time, in bounded memory, with a message
/// that names what is wrong, and without control characters or a half-written output.
pub(crate) fn run(filter: Option<&str>) -> anyhow::Result<()> {
    let program = crate::program()?;
    let cases = [
        bombs::cases(),
        shapes::cases(),
        documents::cases(),
        links::cases(),
        names::cases(),
        zips::cases(),
    ];
    let chosen = |case: &Case| filter.is_none_or(|filter| case.name.contains(filter));
    let cases: Vec<Case> = cases.into_iter().flatten().filter(chosen).collect();
    let width = cases.iter().map(|case| case.name.chars().count()).max();
    let Some(width) = width else {
        bail!("no case has {:?} in its name", filter.unwrap_or_default());
    };
    println!("{:<width$}  {:<CODES$}  {:>7}  {:>7}  MESSAGE", "CASE", "EXIT", "LONGEST", "PEAK");
    let mut rows = Vec::new();
    for case in cases {
        let row = run_case(&program, &case).with_context(|| format!("the case {:?}", case.name))?;
        print(&row, width);
        rows.push(row);
    }
    let broken: Vec<&String> = rows.iter().flat_map(|row| &row.broken).collect();
    for text in &broken {
        println!("BROKEN  {text}");
    }
    if !broken.is_empty() {
        bail!("{} guarantees are broken", broken.len());
    }
    let commands: usize = rows.iter().map(|row| row.commands).sum();
    println!("\n{} containers, {commands} commands: all as they must be", rows.len());
    Ok(())
}

fn run_case(program: &Path, case: &Case) -> anyhow::Result<Row> {
    let folder = tempfile::tempdir().context("making a temporary folder")?;
    let source = (case.make)(folder.path()).context("making the container")?;
    let source = folder.path().join(source);
    let as_nobody = case.needs_nobody && is_root(folder.path())?;
    if as_nobody {
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777))
            .context("opening the folder for others")?;
    }
    let output = folder.path().join("output.zarr");
    let picture = folder.path().join("picture.png");
    let mut row = Row {
        name: case.name.clone(),
        commands: 0,
        codes: String::new(),
        longest: Duration::ZERO,
        peak: 0,
        message: String::new(),
        broken: Vec::new(),
    };
    for (command, expected) in &case.commands {
        remove(&output)?;
        remove(&picture)?;
        let mut arguments = command.arguments(&source);
        arguments.extend(command.output(&output, &picture));
        let outcome = child::run(program, &arguments, as_nobody)?;
        let what = format!("{}, {command:?}: ", case.name);
        row.broken.extend(wrong(&outcome, expected).into_iter().map(|text| what.clone() + &text));
        // Half of an output is none.
        for path in [&output, &picture] {
            if path.exists() && outcome.code != Some(0) {
                row.broken.push(format!("{what}left {}", path.display()));
            }
        }
        let code = outcome.code.map_or("killed".to_owned(), |code| code.to_string());
        if !row.codes.is_empty() {
            row.codes.push(' ');
        }
        row.codes.push_str(&code);
        row.commands += 1;
        row.longest = row.longest.max(outcome.time);
        row.peak = row.peak.max(outcome.peak);
        // What `check` tells is how many errors it has printed.
        if outcome.code != Some(0) && row.message.is_empty() && *command != Command::Check {
            row.message = outcome.message();
        }
    }
    Ok(row)
}

/// Takes away what the command before has written.
fn remove(path: &Path) -> anyhow::Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Err(_) => return Ok(()),
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
    };
    removed.with_context(|| format!("removing {}", path.display()))
}

/// Whether what we make belongs to the one user who may read everything.
fn is_root(folder: &Path) -> anyhow::Result<bool> {
    Ok(fs::metadata(folder).context("looking at the temporary folder")?.uid() == 0)
}

/// What a command did that it must not do.
fn wrong(outcome: &Outcome, expected: &Expected) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut check = |holds: bool, text: String| {
        if !holds {
            wrong.push(text);
        }
    };
    let message = outcome.message();
    match expected {
        Expected::Success => {
            check(outcome.code == Some(0), format!("failed ({:?}): {message}", outcome.code));
        }
        Expected::Refusal(names) => {
            check(
                outcome.code == Some(1),
                format!("exit code {:?} in place of 1: {message}", outcome.code),
            );
            for name in *names {
                // Findings are what `check` prints.
                let is_told = outcome.told.contains(name) || outcome.printed.contains(name);
                check(is_told, format!("does not tell {name:?}: {message}"));
            }
        }
        Expected::Either => check(
            matches!(outcome.code, Some(0 | 1)),
            format!("exit code {:?}: {message}", outcome.code),
        ),
    }
    check(!outcome.told.contains("panicked"), format!("panicked: {message}"));
    for text in [&outcome.told, &outcome.printed] {
        let text = without_colours(text);
        let obeyed = text.chars().find(|letter| letter.is_control() && *letter != '\n');
        check(obeyed.is_none(), format!("printed {obeyed:?}"));
    }
    check(outcome.time <= MAX_TIME, format!("took {:.1} s", outcome.time.as_secs_f64()));
    check(!outcome.was_killed, "did not come to an end".to_owned());
    check(outcome.peak <= MAX_MEMORY, format!("took {} MB", outcome.peak >> 20));
    wrong
}

fn print(row: &Row, width: usize) {
    println!(
        "{:<width$}  {:<CODES$}  {:>4} ms  {:>4} MB  {}",
        row.name,
        row.codes,
        row.longest.as_millis(),
        row.peak >> 20,
        row.message
    );
}
