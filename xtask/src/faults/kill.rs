//! Processes that are killed at any moment, and resumed.

use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;

use super::bed::{Bed, Tree, WAYS, difference, text_of, tree, whole};
use super::random::Random;
use super::report::Report;

/// How often a run and those that resume it are killed, at most.
const MOST_KILLS: usize = 4;
/// How often a run is asked whether it has ended.
const LOOK: Duration = Duration::from_micros(200);

/// Kills `voxmask mask` at random moments, `count` times in all, and resumes it until it is done.
pub(super) fn run(bed: &Bed, count: usize, report: &mut Report) -> anyhow::Result<()> {
    let mut random = Random::new(1);
    let cases = WAYS.len() * 2;
    for (number, way) in WAYS.iter().enumerate() {
        for replaces in [false, true] {
            let case = number * 2 + usize::from(replaces);
            // As many of each, and the rest for the first.
            let kills = (count / cases) + usize::from(case < count % cases);
            let replacing = if replaces { ", replacing an output" } else { "" };
            let row = report.row(format!("killed: {}{replacing}", way.join(" ")));
            let begun = Instant::now();
            let expected = bed.undisturbed(&bed.labels().display().to_string(), way)?;
            let mut case =
                Case { bed, way, replaces, expected, time: begun.elapsed(), random: &mut random };
            let mut left = kills;
            while left > 0 {
                match case.try_once(left)? {
                    Ok(killed) => {
                        for _ in 0..killed {
                            row.came("byte-equal after the resume");
                        }
                        left = left.saturating_sub(killed);
                    }
                    Err(why) => {
                        row.broke(why);
                        left = left.saturating_sub(1);
                    }
                }
            }
        }
    }
    Ok(())
}

struct Case<'a> {
    bed: &'a Bed,
    way: &'a [&'a str],
    replaces: bool,
    expected: Tree,
    /// How long a run takes.
    time: Duration,
    random: &'a mut Random,
}

impl Case<'_> {
    /// One output, killed up to `most` times: how often it was, or what was wrong.
    fn try_once(&mut self, most: usize) -> anyhow::Result<Result<usize, String>> {
        let output = self.bed.empty("killed")?.join("masks.zarr");
        let old = if self.replaces { Some(self.make_old(&output)?) } else { None };
        let begin: &[&str] = if self.replaces { &["--overwrite"] } else { &[] };
        let mut killed = 0;
        let mut more = begin;
        while killed < most.min(MOST_KILLS) && (killed == 0 || self.random.below(3) > 0) {
            let mut command = self.bed.mask_here(&[self.way, more].concat(), &output);
            if !self.kill(&mut command, killed == 0)? {
                // It was faster, or there was nothing to resume yet.
                break;
            }
            killed += 1;
            if let Some(wrong) = self.wrong(&output, old.as_ref())? {
                return Ok(Err(format!("after kill {killed}: {wrong}")));
            }
            more = &["--resume"];
        }
        let finish = |more: &[&str]| {
            let ended = self.bed.mask_here(&[self.way, more].concat(), &output).output();
            let ended = ended.context("starting voxmask")?;
            let failed = (!ended.status.success()).then(|| text_of(&ended));
            anyhow::Ok(failed)
        };
        let mut failed = finish(&["--resume"])?;
        // Killed before anything was finished, there is nothing, or the old output of another job.
        let is_none =
            |text: &String| ["nothing to resume", "another job"].iter().any(|t| text.contains(t));
        if failed.as_ref().is_some_and(is_none) {
            failed = finish(begin)?;
        }
        if let Some(text) = failed {
            return Ok(Err(format!("after {killed} kills it is not resumed: {text}")));
        }
        let whole = whole(&output, &self.expected)?;
        Ok(whole.map(|()| killed).map_err(|why| format!("after {killed} kills: {why}")))
    }

    /// Kills a run at a random moment; whether it had not ended before. `is_whole` is whether it makes everything.
    fn kill(&mut self, command: &mut Command, is_whole: bool) -> anyhow::Result<bool> {
        let mut process = command.spawn().context("starting voxmask")?;
        let micros = usize::try_from(self.time.as_micros()).unwrap_or(usize::MAX);
        let moment = u64::try_from(self.random.below(micros)).unwrap_or(0);
        let (begun, moment) = (Instant::now(), Duration::from_micros(moment));
        while begun.elapsed() < moment {
            if process.try_wait().context("waiting for voxmask")?.is_some() {
                if is_whole {
                    // What else there was to do had made the run before slow.
                    self.time = self.time.min(begun.elapsed());
                }
                return Ok(false);
            }
            thread::sleep(LOOK);
        }
        // SIGKILL, of which a process hears nothing.
        process.kill().context("killing voxmask")?;
        let status = process.wait().context("waiting for voxmask")?;
        Ok(status.code().is_none())
    }

    /// What is wrong with what there is before a run is done: an output that is neither the old nor the new.
    fn wrong(&self, output: &Path, old: Option<&Tree>) -> anyhow::Result<Option<String>> {
        if !output.exists() {
            // Between two moves, there may be none.
            return Ok(None);
        }
        let found = tree(output)?;
        if old.is_some_and(|old| difference(&found, old).is_none()) {
            return Ok(None);
        }
        Ok(difference(&found, &self.expected)
            .map(|text| format!("there is half an output: {text}")))
    }

    /// An output of another job.
    fn make_old(&self, output: &Path) -> anyhow::Result<Tree> {
        let ended = self.bed.mask_here(&["--chunks", "80"], output).output();
        let ended = ended.context("starting voxmask")?;
        anyhow::ensure!(ended.status.success(), "cannot make an output: {}", text_of(&ended));
        tree(output)
    }
}
