//! A run, from the first look at the output to the move to its place.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use annotation_mask::{ChannelCounts, GroundTruth};
use array_core::{BlockCache, concurrent, memory_limit};
use rayon::prelude::*;
use serde_json::{Map, Value};
use zarr_source::{Staging, ZarrGroup};

use crate::error::WriteError;
use crate::images::Image;
use crate::job::{ATTRIBUTE, Job};
use crate::journal::{Earlier, Journal, Unit, counts_json, counts_of};
use crate::labels::Labels;
use crate::observer::Observer;
use crate::options::{Existing, WriteOptions};
use crate::partial::Partial;
use crate::plan::Plan;
use crate::start::{Request, Start};
use crate::{first_level, later_levels};

/// What blocks may take that several chunks need: a layer of those of a volume of 1024^3, twice. At most a quarter
/// of the memory limit.
const CACHE_BYTES: u64 = 128 << 20;

/// What is there after a run.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Written {
    /// Where the container is.
    pub path: PathBuf,
    /// What each channel has in the first level.
    pub counts: ChannelCounts,
    /// How much earlier runs had written already, in percent; none if this one has written everything.
    pub resumed_at: Option<u8>,
}

/// Writes the masks, and targets if they are wanted, of `pair` as a container at `output`, whose parent folder
/// must exist. The arrays are `mask/s0` and `target/s0`, and so on for later levels.
///
/// # Errors
///
/// [`WriteError::Option`] for options that cannot be fulfilled;
/// [`array_core::ArrayError::OverMemoryLimit`] if one chunk alone takes more than the memory limit; [`WriteError::Zarr`] if there is something at
/// `output` that may not be replaced; [`WriteError::Busy`] while another run writes it;
/// [`WriteError::Unfinished`], [`WriteError::NothingToResume`], [`WriteError::OtherJob`] or
/// [`WriteError::JournalDamaged`] if [`WriteOptions::existing`] does not fit what is there. Nothing has changed,
/// then.
///
/// [`WriteError::Interrupted`] if the observer ends the run, [`WriteError::Failed`] if it fails later than that;
/// both can be resumed from where they say. If it fails before anything is finished, the error is the cause
/// itself, and nothing is left.
pub fn write(
    pair: &dyn GroundTruth,
    output: impl AsRef<Path>,
    options: &WriteOptions<'_>,
    observer: &dyn Observer,
) -> Result<Written, WriteError> {
    let plan = Plan::new(pair.info(), options)?;
    let at_once = concurrent(plan.bytes_at_once()?);
    let job = Job::new(pair, &plan, options);
    // Where the chunks do not follow the blocks, several need the same block.
    let cache = Arc::new(BlockCache::new(CACHE_BYTES.min(memory_limit() / 4)));
    let kept = if plan.decodes_once() { None } else { Some(pair.cached(&cache)?) };
    let pair = kept.as_deref().unwrap_or(pair);
    // What replaces the output is asked for later: an unfinished run may have been allowed to.
    let output = Staging::check(output, options.existing != Existing::Refuse)?;
    if options.existing == Existing::Resume && !Partial::exists(&output) {
        return complete(&output, &job);
    }
    let partial = Partial::lock(&output)?;
    let earlier = match earlier(&partial, &plan, options, &job, &output) {
        Ok(Some(earlier)) => Some(earlier),
        // The folder was of a run that had finished nothing, or only had to remove it.
        Ok(None) if options.existing == Existing::Resume => {
            partial.clear()?;
            partial.remove();
            return complete(&output, &job);
        }
        Ok(None) => None,
        Err(error) => return Err(error),
    };
    let request = Request { pair, plan: &plan, job: &job, output: &output, options, observer };
    let started = match &earlier {
        None => Start::anew(&partial, &request),
        Some(earlier) => Start::resume(&partial, earlier, &request),
    };
    let Start { labels, staging, images, journal } = match (started, &earlier) {
        (Ok(start), _) => start,
        (Err(WriteError::Interrupted { .. }), Some(earlier)) => {
            let percent = percent_of(done_voxels(&plan, earlier)?, plan.voxels()?);
            return Err(WriteError::Interrupted { percent: Some(percent) });
        }
        (Err(error), Some(_)) => return Err(error),
        (Err(error), None) => {
            partial.remove();
            return Err(error);
        }
    };
    let run = Run::new(&request, &partial, &images, &labels, &journal, earlier.as_ref())?;
    let resumed_at = earlier.is_some().then(|| run.percent());
    let worked = run.all_levels(at_once.min(rayon::current_num_threads()));
    let finished = |counts: &ChannelCounts| {
        let mut told = job.to_json();
        told.insert("counts".to_owned(), counts_json(counts));
        if let Some(channels) = options.channels {
            told.insert("channels".to_owned(), channels(counts));
        }
        Map::from_iter([(ATTRIBUTE.to_owned(), Value::Object(told))])
    };
    let (counts, percent, has_units) = run.into_done();
    let committed = worked
        .and_then(|()| partial.check())
        .and_then(|()| Ok(staging.commit(&finished(&counts))?))
        // That is why, then, whatever has failed.
        .map_err(|error| partial.check().err().unwrap_or(error));
    match committed {
        Ok(path) => {
            drop(journal);
            partial.remove();
            Ok(Written { path, counts, resumed_at })
        }
        Err(WriteError::Interrupted { .. }) if has_units => {
            Err(WriteError::Interrupted { percent: Some(percent) })
        }
        // There is nothing left of it.
        Err(error @ WriteError::Displaced { .. }) => Err(error),
        // It stays: where the labels come back as they were, it can go on.
        Err(error @ WriteError::LabelsChanged { .. }) if has_units => Err(error),
        Err(source) if has_units => {
            Err(WriteError::Failed { output, percent, source: Box::new(source) })
        }
        Err(error) => {
            drop(journal);
            partial.remove();
            Err(error)
        }
    }
}

/// The unfinished run to go on with, if there is one and that is asked for.
fn earlier(
    partial: &Partial,
    plan: &Plan,
    options: &WriteOptions<'_>,
    job: &Job,
    output: &Path,
) -> Result<Option<Earlier>, WriteError> {
    if options.existing == Existing::Overwrite {
        return Ok(None);
    }
    let earlier = Earlier::read(&partial.journal())?.filter(|earlier| {
        // After the move to its place, only the rest of the folder is left to remove.
        !earlier.units.is_empty() && partial.run(earlier.run.clone()).output().is_dir()
    });
    let Some(earlier) = earlier else { return Ok(None) };
    if options.existing == Existing::Refuse {
        let percent = percent_of(done_voxels(plan, &earlier)?, plan.voxels()?);
        return Err(WriteError::Unfinished { output: output.to_owned(), percent });
    }
    if let Some(differences) = job.differences(&earlier.job) {
        return Err(WriteError::OtherJob { output: output.to_owned(), differences });
    }
    Ok(Some(earlier))
}

/// The output that is complete already, if it is of this job.
fn complete(output: &Path, job: &Job) -> Result<Written, WriteError> {
    let nothing = || WriteError::NothingToResume { output: output.to_owned() };
    if !output.exists() {
        return Err(nothing());
    }
    let group = ZarrGroup::open(output)?;
    let told = group.attrs().get(ATTRIBUTE).and_then(Value::as_object).ok_or_else(nothing)?;
    let counts = told.get("counts").and_then(counts_of).ok_or_else(nothing)?;
    match job.differences(&Job::from_json(told)) {
        None => Ok(Written { path: output.to_owned(), counts, resumed_at: Some(100) }),
        Some(differences) => Err(WriteError::OtherJob { output: output.to_owned(), differences }),
    }
}

/// The work of a run.
struct Run<'a> {
    pair: &'a dyn GroundTruth,
    plan: &'a Plan,
    partial: &'a Partial,
    images: &'a [Image],
    labels: &'a Labels,
    journal: &'a Journal,
    observer: &'a dyn Observer,
    /// The units that earlier runs have finished, by level and number.
    finished: HashSet<(usize, usize)>,
    total: u64,
    done: Mutex<Done>,
}

/// What is finished, by earlier runs too.
#[derive(Default)]
struct Done {
    counts: ChannelCounts,
    voxels: u64,
    units: usize,
}

impl<'a> Run<'a> {
    fn new(
        request: &Request<'a>,
        partial: &'a Partial,
        images: &'a [Image],
        labels: &'a Labels,
        journal: &'a Journal,
        earlier: Option<&Earlier>,
    ) -> Result<Self, WriteError> {
        let Request { pair, plan, observer, .. } = *request;
        let mut finished = HashSet::new();
        let mut done = Done::default();
        for unit in earlier.map_or(&[][..], |earlier| &earlier.units) {
            // A unit that is told twice counts once, and one that the job does not have not at all.
            if has_unit(plan, unit) && finished.insert((unit.level, unit.number)) {
                done.add(plan, unit)?;
            }
        }
        let total = plan.voxels()?;
        observer.begins(done.voxels, total);
        let done = Mutex::new(done);
        Ok(Self { pair, plan, partial, images, labels, journal, observer, finished, total, done })
    }

    /// Level after level, each by so many threads at once, of which each takes the next unit that nobody has.
    fn all_levels(&self, threads: usize) -> Result<(), WriteError> {
        for (level, plan) in self.plan.levels.iter().enumerate() {
            let (units, next) = (plan.units(), AtomicUsize::new(0));
            (0..threads).into_par_iter().with_max_len(1).try_for_each(|_| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= units {
                        return Ok(());
                    }
                    if self.finished.contains(&(level, number)) {
                        continue;
                    }
                    if let Err(error) = self.unit(level, number) {
                        // The others end behind the unit that they are at.
                        next.store(units, Ordering::Relaxed);
                        return Err(error);
                    }
                }
            })?;
        }
        Ok(())
    }

    fn unit(&self, level: usize, number: usize) -> Result<(), WriteError> {
        let cell = self.plan.levels[level].unit(number)?;
        let counts = if level == 0 {
            let counts =
                first_level::write_unit(self.pair, self.plan, self.images, &cell, self.observer);
            match self.labels.check(self.pair, &cell.index) {
                // That may be why it failed.
                Err(changed @ WriteError::LabelsChanged { .. }) => return Err(changed),
                checked => counts.and_then(|counts| checked.map(|()| counts))?,
            }
        } else {
            later_levels::write_unit(self.plan, self.images, level, &cell, self.observer)?;
            ChannelCounts::default()
        };
        let unit = Unit { level, number, counts };
        self.partial.check()?;
        self.journal.finished(&unit)?;
        self.done.lock().unwrap_or_else(PoisonError::into_inner).add(self.plan, &unit)
    }

    /// How much is finished; 100 only if all is.
    fn percent(&self) -> u8 {
        percent_of(self.done.lock().unwrap_or_else(PoisonError::into_inner).voxels, self.total)
    }

    fn into_done(self) -> (ChannelCounts, u8, bool) {
        let percent = self.percent();
        let done = self.done.into_inner().unwrap_or_else(PoisonError::into_inner);
        (done.counts, percent, done.units > 0)
    }
}

impl Done {
    fn add(&mut self, plan: &Plan, unit: &Unit) -> Result<(), WriteError> {
        self.voxels += plan.levels[unit.level].unit(unit.number)?.window.num_voxels()? as u64;
        self.units += 1;
        self.counts = std::mem::take(&mut self.counts).merged(unit.counts.clone());
        Ok(())
    }
}

/// The voxels of the units that an earlier run has finished; the job may be another one.
fn done_voxels(plan: &Plan, earlier: &Earlier) -> Result<u64, WriteError> {
    let mut voxels = 0_u64;
    for unit in &earlier.units {
        if has_unit(plan, unit) {
            let window = plan.levels[unit.level].unit(unit.number)?.window;
            voxels = voxels.saturating_add(window.num_voxels()? as u64);
        }
    }
    Ok(voxels)
}

/// Whether there is such a unit.
fn has_unit(plan: &Plan, unit: &Unit) -> bool {
    plan.levels.get(unit.level).is_some_and(|level| unit.number < level.units())
}

fn percent_of(done: u64, total: u64) -> u8 {
    let percent = u128::from(done) * 100 / u128::from(total.max(1));
    u8::try_from(percent.min(100)).unwrap_or(100)
}
