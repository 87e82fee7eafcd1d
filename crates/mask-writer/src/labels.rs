//! What the labels were when a run began, written down so that a change is seen.
//!
//! For each unit of the first level, one number tells the versions of all files out of which it is made. They are
//! asked for before anything is read, once more when a unit is done, and again when a run is resumed: what is
//! written is made of the labels as they were when the run began, all of them, or the run fails. The numbers
//! are in a file, since there may be more units than memory should hold.

use std::fs::File;
use std::hash::Hasher;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use annotation_mask::GroundTruth;
use geometry::Window;
use rayon::prelude::*;
use siphasher::sip::SipHasher13;

use crate::error::WriteError;
use crate::observer::Observer;
use crate::plan::Plan;

/// How many units are asked about before what is known of them is written down.
const BATCH: usize = 1 << 14;
/// The bytes of a number.
const NUMBER: usize = size_of::<u64>();

/// The versions of the labels when a run began.
#[derive(Debug)]
pub(crate) struct Labels {
    path: PathBuf,
    file: Mutex<File>,
}

impl Labels {
    /// Asks for the versions of all labels, and writes them down.
    pub(crate) fn record(
        path: &Path,
        pair: &dyn GroundTruth,
        plan: &Plan,
        observer: &dyn Observer,
    ) -> Result<Self, WriteError> {
        let failed = |error| WriteError::io("write", path, error);
        let mut options = File::options();
        options.create(true).truncate(true).read(true).write(true);
        let mut file = options.open(path).map_err(failed)?;
        for_batches(pair, plan, observer, |_, numbers| {
            let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
            file.write_all(&bytes).map_err(failed)
        })?;
        Ok(Self { path: path.to_owned(), file: Mutex::new(file) })
    }

    /// Goes on with what an earlier run has written down, if the labels are still the same.
    pub(crate) fn resume(
        path: &Path,
        pair: &dyn GroundTruth,
        plan: &Plan,
        observer: &dyn Observer,
    ) -> Result<Self, WriteError> {
        let failed = |error| WriteError::io("read", path, error);
        let file = File::open(path).map_err(failed)?;
        let mut reader = std::io::BufReader::new(file.try_clone().map_err(failed)?);
        for_batches(pair, plan, observer, |first, numbers| {
            for (offset, &number) in numbers.iter().enumerate() {
                let mut before = [0; NUMBER];
                reader.read_exact(&mut before).map_err(failed)?;
                if before != number.to_le_bytes() {
                    let files = files(pair, &window(plan, first + offset)?)?;
                    return Err(WriteError::LabelsDiffer { files });
                }
            }
            Ok(())
        })?;
        Ok(Self { path: path.to_owned(), file: Mutex::new(file) })
    }

    /// Fails if the labels of a unit are others than when the run began.
    pub(crate) fn check(
        &self,
        pair: &dyn GroundTruth,
        plan: &Plan,
        unit: usize,
    ) -> Result<(), WriteError> {
        let window = window(plan, unit)?;
        let now = versions(pair, &window)?;
        let mut before = [0; NUMBER];
        // A unit is one of a number of voxels, and these fit into memory.
        let offset = (unit as u64).saturating_mul(NUMBER as u64);
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(offset))
            .and_then(|_| file.read_exact(&mut before))
            .map_err(|error| WriteError::io("read", &self.path, error))?;
        drop(file);
        if before == now.to_le_bytes() {
            return Ok(());
        }
        Err(WriteError::LabelsChanged { files: files(pair, &window)? })
    }
}

/// Hands the numbers of all units to `work`, in their order; the number of the first of them before.
fn for_batches(
    pair: &dyn GroundTruth,
    plan: &Plan,
    observer: &dyn Observer,
    mut work: impl FnMut(usize, &[u64]) -> Result<(), WriteError>,
) -> Result<(), WriteError> {
    let units = plan.levels.first().map_or(0, |level| level.units());
    for first in (0..units).step_by(BATCH) {
        let batch = first..first.saturating_add(BATCH).min(units);
        let numbers: Vec<u64> = batch
            .into_par_iter()
            .map(|unit| {
                if !observer.goes_on() {
                    return Err(WriteError::Interrupted { percent: None });
                }
                versions(pair, &window(plan, unit)?)
            })
            .collect::<Result<_, _>>()?;
        work(first, &numbers)?;
    }
    Ok(())
}

fn window(plan: &Plan, unit: usize) -> Result<Window, WriteError> {
    Ok(plan.levels[0].unit(unit)?.window)
}

/// A number that is another one if any file of the labels of a window is.
fn versions(pair: &dyn GroundTruth, window: &Window) -> Result<u64, WriteError> {
    // Its numbers are the same in every build, unlike those of std, and a journal may outlive one.
    let mut hasher = SipHasher13::new();
    pair.mask_array().visit_stored(window, &mut |file| {
        for text in
            [Some(file.path.as_os_str().as_encoded_bytes()), file.version.map(str::as_bytes)]
        {
            // Lengths, so that no two files read like one.
            hasher.write_u64(text.map_or(u64::MAX, |text| text.len() as u64));
            hasher.write(text.unwrap_or_default());
        }
        Ok(())
    })?;
    Ok(hasher.finish())
}

/// The files of the labels of a window, in words: which of them is another one, its number does not tell.
fn files(pair: &dyn GroundTruth, window: &Window) -> Result<String, WriteError> {
    let (mut document, mut stored, mut missing, mut count) = (None, None, None, 0_usize);
    pair.mask_array().visit_stored(window, &mut |file| {
        let name = file.path.file_name().unwrap_or_default().to_string_lossy();
        let is_document = name.starts_with(".z") || name.ends_with(".json");
        let place = match file.version {
            // Most of them are not there because the format has others.
            None if is_document => return Ok(()),
            Some(_) if is_document => &mut document,
            Some(_) => &mut stored,
            None => &mut missing,
        };
        place.get_or_insert_with(|| file.path.display().to_string());
        count += usize::from(!is_document);
        Ok(())
    })?;
    let there = if missing.is_some() { ", which is not there" } else { "" };
    let path = missing.or(stored).or(document).unwrap_or_default();
    Ok(match count {
        0 | 1 => format!("{path}{there}"),
        _ => format!(
            "one of the {count} files of the voxels {window} ({path}{there}, is among them)"
        ),
    })
}
