//! Labels that somebody changes or removes while their masks are written.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::thread;
use std::time::Duration;

use anyhow::Context;

use super::bed::{Bed, CHUNK, Tree, WAYS, difference, text_of, tree};
use super::random::Random;
use super::report::Report;

/// What is done to the labels: its name, and how.
type Change = (&'static str, fn(&Path, &mut Random) -> anyhow::Result<()>);

const CHANGES: [Change; 5] = [
    ("a chunk is removed", |labels, random| Ok(fs::remove_file(chunk(labels, random))?)),
    ("a chunk is written anew", |labels, random| {
        let (one, other) = (chunk(labels, random), chunk(labels, random));
        Ok(fs::write(one, fs::read(other)?)?)
    }),
    ("a chunk is cut short", |labels, random| {
        let path = chunk(labels, random);
        let bytes = fs::read(&path)?;
        Ok(fs::write(path, &bytes[..bytes.len() / 2])?)
    }),
    ("all of it is removed", |labels, _| Ok(fs::remove_dir_all(labels)?)),
    ("its description is written anew", |labels, _| {
        let path = labels.join(".zarray");
        let text = fs::read_to_string(&path)?;
        Ok(fs::write(path, text.replace("\"fill_value\":0", "\"fill_value\":7"))?)
    }),
];

/// Lets each change happen `count` times, at random moments of a run.
pub(super) fn run(bed: &Bed, count: usize, report: &mut Report) -> anyhow::Result<()> {
    let mut random = Random::new(3);
    let whole = tree(&bed.path("crop.zarr"))?;
    let copy = bed.path("changing.zarr");
    let labels = copy.join("labels/s0");
    let place = labels.display().to_string();
    restore(&copy, &whole)?;
    for (name, change) in CHANGES {
        let row = report.row(format!("labels: {name} while they are read"));
        for number in 0..count {
            let way = WAYS[number % WAYS.len()];
            restore(&copy, &whole)?;
            let expected = bed.undisturbed(&place, way)?;
            let output = bed.empty("source")?.join("masks.zarr");
            let process = bed.mask(&place, way, &output).spawn().context("starting voxmask")?;
            wait_for_units(&output);
            thread::sleep(Duration::from_micros(random.below(20_000) as u64));
            // A process that has ended has not seen it.
            change(&labels, &mut random)?;
            let ended = process.wait_with_output().context("waiting for voxmask")?;
            row.tell(judge(&ended, &output, &expected)?);
        }
    }
    let row = report.row("labels: changed between a run and its --resume");
    for _ in 0..count {
        let way = WAYS[0];
        restore(&copy, &whole)?;
        let output = bed.empty("source")?.join("masks.zarr");
        let mut process = bed.mask(&place, way, &output).spawn().context("starting voxmask")?;
        wait_for_units(&output);
        process.kill().context("killing voxmask")?;
        process.wait().context("waiting for voxmask")?;
        if output.exists() {
            row.came("too late");
            continue;
        }
        fs::remove_file(chunk(&labels, &mut random))?;
        let ended = bed.mask(&place, &[way, &["--resume"]].concat(), &output).output()?;
        let text = text_of(&ended);
        let is_refused = ended.status.code() == Some(1) && !output.exists();
        row.tell(match () {
            () if is_refused && text.contains("the labels have changed since") => {
                Ok("refused, with the file".to_owned())
            }
            () if is_refused && text.contains("nothing to resume") => {
                Ok("nothing begun".to_owned())
            }
            () => Err(format!("it ended with {}: {text}", ended.status)),
        });
    }
    Ok(())
}

/// Waits until a run has begun to write, or has ended.
fn wait_for_units(output: &Path) {
    let journal = output.with_file_name(".masks.zarr.partial").join("journal");
    for _ in 0..5000 {
        let lines = fs::read_to_string(&journal).unwrap_or_default().lines().count();
        if lines > 1 || output.exists() {
            return;
        }
        thread::sleep(Duration::from_micros(200));
    }
}

/// Whether a run has made the right masks or none.
fn judge(ended: &Output, output: &Path, expected: &Tree) -> anyhow::Result<Result<String, String>> {
    let text = text_of(ended);
    if ended.status.success() {
        let wrong = difference(&tree(output)?, expected);
        return Ok(match wrong {
            None => Ok("right, all was read before".to_owned()),
            Some(difference) => Err(format!("wrong masks: {difference}")),
        });
    }
    let is_told = text.contains("the labels changed while they were read");
    Ok(match () {
        () if ended.status.code() != Some(1) => {
            Err(format!("it ended with {}: {text}", ended.status))
        }
        () if output.exists() => Err(format!("there is an output although it failed: {text}")),
        () if !is_told => Err(format!("the message does not say why: {text}")),
        () => Ok("error that names the file".to_owned()),
    })
}

/// The file of a random chunk.
fn chunk(labels: &Path, random: &mut Random) -> PathBuf {
    let along = super::bed::SIDE.div_ceil(CHUNK);
    let mut index = || random.below(along).to_string();
    labels.join(index()).join(index()).join(index())
}

/// Puts the labels back as they were.
fn restore(container: &Path, whole: &Tree) -> anyhow::Result<()> {
    if container.exists() {
        fs::remove_dir_all(container).context("removing a copy of the labels")?;
    }
    for (name, bytes) in whole {
        let path = container.join(name);
        match bytes {
            None => fs::create_dir_all(&path),
            Some(bytes) => {
                fs::create_dir_all(path.parent().unwrap_or(container))?;
                fs::write(&path, bytes)
            }
        }
        .with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}
