//! Several processes at one output, and at one container.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::Context;
use array_core::ArrayExt;
use zarr_source::{ZarrArray, ZarrError};

use super::bed::{Bed, Tree, WAYS, difference, text_of, tree, whole};
use super::random::Random;
use super::report::Report;

/// How many processes open one container at the same time.
const PROCESSES: usize = 20;

/// Tries each kind of company `count` times.
pub(super) fn run(bed: &Bed, count: usize, report: &mut Report) -> anyhow::Result<()> {
    let way = WAYS[1];
    let expected = bed.undisturbed(&bed.labels().display().to_string(), way)?;
    two_writers(bed, way, &expected, count, report)?;
    displaced(bed, way, &expected, count, report)?;
    readers(bed, way, &expected, count, report)?;
    openers(bed, &expected, way, report)
}

/// Two runs that begin the same output at nearly the same time, in every way of treating what is there.
fn two_writers(
    bed: &Bed,
    way: &[&str],
    expected: &Tree,
    count: usize,
    report: &mut Report,
) -> anyhow::Result<()> {
    let mut random = Random::new(7);
    let row = report.row("company: two runs of one output");
    for number in 0..count {
        let output = bed.empty("company")?.join("masks.zarr");
        let more: &[&str] = [&[][..], &["--overwrite"], &["--resume"]][number % 3];
        let first = bed.mask_here(way, &output).spawn().context("starting voxmask")?;
        thread::sleep(Duration::from_micros(random.below(60_000) as u64));
        let second = bed.mask_here(&[way, more].concat(), &output).spawn();
        let second = second.context("starting voxmask")?;
        let (first, second) = (first.wait_with_output()?, second.wait_with_output()?);
        let succeeded = [&first, &second].iter().filter(|ended| ended.status.success()).count();
        let known = ["another run is writing", "exists already", "nothing to resume"];
        let unknown = [&first, &second].into_iter().find(|ended| {
            let text = text_of(ended);
            !ended.status.success()
                && (ended.status.code() != Some(1) || !known.iter().any(|why| text.contains(why)))
        });
        row.tell(match (unknown, succeeded) {
            (Some(ended), _) => Err(format!("it ended with {}: {}", ended.status, text_of(ended))),
            (None, 0) => Err("neither has made an output".to_owned()),
            (None, succeeded) => whole(&output, expected)?.map(|()| match succeeded {
                1 => "one made it, one was refused".to_owned(),
                _ => "one after the other".to_owned(),
            }),
        });
    }
    Ok(())
}

/// Runs whose folder somebody removes, while another begins in its place.
fn displaced(
    bed: &Bed,
    way: &[&str],
    expected: &Tree,
    count: usize,
    report: &mut Report,
) -> anyhow::Result<()> {
    let mut random = Random::new(8);
    let row = report.row("company: the folder of a run removed, another begun");
    for _ in 0..count {
        let output = bed.empty("company")?.join("masks.zarr");
        let partial = output.with_file_name(".masks.zarr.partial");
        // Other masks, so that what gets among those of the second is seen.
        let other = bed.path("other-groups.json");
        fs::write(&other, r#"[["g0", [19]], ["g1", [18]], ["g2", [7]], ["g3", [6]]]"#)?;
        let mut first = Command::new(bed.path("voxmask"));
        first.arg("mask").arg(bed.labels()).arg("--groups").arg(&other).args(way);
        first.arg("-o").arg(&output).stdout(Stdio::null()).stderr(Stdio::piped());
        let first = first.spawn().context("starting voxmask")?;
        thread::sleep(Duration::from_micros(random.below(60_000) as u64));
        // It goes on to make folders meanwhile.
        while partial.exists() && fs::remove_dir_all(&partial).is_err() {}
        let second = bed.mask_here(way, &output).output().context("starting voxmask")?;
        let first = first.wait_with_output().context("waiting for voxmask")?;
        if first.status.success() {
            row.came("the first was faster");
            continue;
        }
        let text = text_of(&first);
        row.tell(match () {
            () if first.status.code() != Some(1) => Err(format!("the first ended with {text}")),
            () if !second.status.success() => {
                let text = text_of(&second);
                if text.contains("another run is writing") || text.contains("exists already") {
                    Ok("the second was refused".to_owned())
                } else {
                    Err(format!("the second fails: {text}"))
                }
            }
            () => whole(&output, expected)?.map(|()| {
                let gives_up = text.contains("somebody has removed its folder");
                let how = if gives_up { "gives up" } else { "fails" };
                format!("the first {how}, the second is whole")
            }),
        });
    }
    Ok(())
}

/// Somebody who looks at an output all the time while it is written: nothing, or all of it.
fn readers(
    bed: &Bed,
    way: &[&str],
    expected: &Tree,
    count: usize,
    report: &mut Report,
) -> anyhow::Result<()> {
    let row = report.row("company: readers while an output is written");
    for _ in 0..count {
        let output = bed.empty("company")?.join("masks.zarr");
        let ended = AtomicBool::new(false);
        let looked = thread::scope(|scope| {
            let reader = scope.spawn(|| look(&output, expected, &ended));
            let status = bed.mask_here(way, &output).status();
            ended.store(true, Ordering::Relaxed);
            let looked = reader.join().map_err(|_| anyhow::anyhow!("a reader panicked"))?;
            anyhow::ensure!(status.context("starting voxmask")?.success(), "voxmask mask fails");
            looked
        })?;
        row.tell(looked);
    }
    Ok(())
}

/// Looks at an output until its run has ended.
fn look(
    output: &Path,
    expected: &Tree,
    ended: &AtomicBool,
) -> anyhow::Result<Result<String, String>> {
    loop {
        let is_last = ended.load(Ordering::Relaxed);
        match ZarrArray::open(output.join("mask/s0")) {
            Ok(array) => {
                array.data()?;
                let whole = difference(&tree(output)?, expected);
                return Ok(match whole {
                    None => Ok("nothing, and then all of it".to_owned()),
                    Some(difference) => Err(format!("a part was seen: {difference}")),
                });
            }
            Err(ZarrError::NotFound { .. }) if !is_last => {}
            Err(error) => return Ok(Err(format!("a reader was told {error}"))),
        }
    }
}

/// Many processes that read one container at the same time.
fn openers(bed: &Bed, expected: &Tree, way: &[&str], report: &mut Report) -> anyhow::Result<()> {
    let row = report.row("company: processes that read one container at once");
    let folder = bed.empty("company")?;
    let outputs: Vec<_> = (0..PROCESSES).map(|n| folder.join(format!("{n}.zarr"))).collect();
    let started: Vec<Child> = outputs
        .iter()
        .map(|output| bed.mask_here(way, output).spawn())
        .collect::<Result<_, _>>()
        .context("starting voxmask")?;
    let before = tree(&bed.path("crop.zarr"))?;
    for (process, output) in started.into_iter().zip(&outputs) {
        let ended = process.wait_with_output().context("waiting for voxmask")?;
        row.tell(if ended.status.success() {
            match difference(&tree(output)?, expected) {
                None => Ok("right".to_owned()),
                Some(difference) => Err(format!("wrong masks: {difference}")),
            }
        } else {
            Err(format!("it ended with {}: {}", ended.status, text_of(&ended)))
        });
    }
    if difference(&tree(&bed.path("crop.zarr"))?, &before).is_some() {
        row.broke("the labels have changed");
    }
    Ok(())
}
