//! What the labels were when a run began, written down so that a change is seen.
//!
//! For each section of the labels, one number tells the versions of all files out of which it is read. They are
//! asked for before anything is read, once more when a unit of the first level is done, and again when a run is
//! resumed: what is written is made of the labels as they were when the run began, all of them, or the run fails.
//! The numbers are in a file, since there may be more sections than memory should hold.

use std::fs::File;
use std::hash::Hasher;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use annotation_mask::GroundTruth;
use geometry::Window;
use rayon::prelude::*;
use siphasher::sip::SipHasher13;

use crate::cells::{counts, part, unravel};
use crate::error::WriteError;
use crate::observer::Observer;
use crate::plan::Plan;

/// How many sections are asked about before what is known of them is written down.
const BATCH: usize = 1 << 14;
/// The bytes of a number.
const NUMBER: usize = size_of::<u64>();

/// The versions of the labels when a run began.
#[derive(Debug)]
pub(crate) struct Labels {
    path: PathBuf,
    file: Mutex<File>,
    sections: Sections,
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
        let sections = Sections::of(plan)?;
        sections.for_batches(pair, observer, |_, numbers| {
            let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
            file.write_all(&bytes).map_err(failed)
        })?;
        Ok(Self { path: path.to_owned(), file: Mutex::new(file), sections })
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
        let sections = Sections::of(plan)?;
        sections.for_batches(pair, observer, |first, numbers| {
            for (offset, &number) in numbers.iter().enumerate() {
                let mut before = [0; NUMBER];
                reader.read_exact(&mut before).map_err(failed)?;
                if before != number.to_le_bytes() {
                    let files = files(pair, &sections.window(first + offset)?)?;
                    return Err(WriteError::LabelsDiffer { files });
                }
            }
            Ok(())
        })?;
        Ok(Self { path: path.to_owned(), file: Mutex::new(file), sections })
    }

    /// Fails if the labels of a unit are others than when the run began.
    pub(crate) fn check(&self, pair: &dyn GroundTruth, unit: &[usize]) -> Result<(), WriteError> {
        let section = self.sections.of_unit(unit);
        let window = self.sections.window(section)?;
        let now = versions(pair, &window)?;
        let mut before = [0; NUMBER];
        // There are no more sections than voxels, which can be addressed.
        let offset = (section as u64).saturating_mul(NUMBER as u64);
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

/// How the labels are cut for their versions to be noted: each section is as many units of the first level as a
/// block of the labels spans, so that the file of a large block is asked for once and not with each unit.
#[derive(Debug)]
struct Sections {
    /// In units.
    shape: Vec<usize>,
    /// In voxels.
    extent: Vec<usize>,
    bounds: Window,
    counts: Vec<usize>,
}

impl Sections {
    fn of(plan: &Plan) -> Result<Self, WriteError> {
        let level = &plan.levels[0];
        let units = level.unit.iter().zip(level.info.blocks().shape());
        let shape = units.map(|(unit, block)| block.div_ceil(*unit)).collect();
        Ok(Self::new(level.bounds()?, &level.unit, shape))
    }

    /// Sections of `shape` units, each of which has `unit` voxels.
    fn new(bounds: Window, unit: &[usize], shape: Vec<usize>) -> Self {
        let axes = unit.iter().zip(&shape);
        let extent: Vec<usize> = axes.map(|(unit, units)| unit.saturating_mul(*units)).collect();
        let counts = counts(bounds.shape(), &extent);
        Self { shape, extent, bounds, counts }
    }

    fn window(&self, number: usize) -> Result<Window, WriteError> {
        Ok(part(&unravel(number, &self.counts), &self.bounds, &self.extent)?)
    }

    /// The number of the section that has the unit with this index.
    fn of_unit(&self, index: &[usize]) -> usize {
        let axes = index.iter().zip(&self.shape).zip(&self.counts);
        axes.fold(0, |number, ((unit, units), count)| number * count + unit / units)
    }

    /// Hands the numbers of all sections to `work`, in their order; the number of the first of them before.
    fn for_batches(
        &self,
        pair: &dyn GroundTruth,
        observer: &dyn Observer,
        mut work: impl FnMut(usize, &[u64]) -> Result<(), WriteError>,
    ) -> Result<(), WriteError> {
        let sections = self.counts.iter().fold(1, |all: usize, &count| all.saturating_mul(count));
        for first in (0..sections).step_by(BATCH) {
            let batch = first..first.saturating_add(BATCH).min(sections);
            let numbers: Vec<u64> = batch
                .into_par_iter()
                .map(|section| {
                    if !observer.goes_on() {
                        return Err(WriteError::Interrupted { percent: None });
                    }
                    versions(pair, &self.window(section)?)
                })
                .collect::<Result<_, _>>()?;
            work(first, &numbers)?;
        }
        Ok(())
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_unit_lies_in_the_section_that_is_said_to_have_it() {
        let (bounds, unit) = (Window::full(&[100, 70]).unwrap(), [16, 32]);
        for units in [[1, 1], [3, 1], [1, 2], [2, 3], [100, 100]] {
            let sections = Sections::new(bounds, &unit, units.to_vec());
            for (z, y) in (0..7).flat_map(|z| (0..3).map(move |y| (z, y))) {
                let section = sections.window(sections.of_unit(&[z, y])).unwrap();
                let unit = part(&[z, y], &sections.bounds, &unit).unwrap();
                for axis in 0..2 {
                    assert!(section.start()[axis] <= unit.start()[axis], "{units:?} {z} {y}");
                    assert!(unit.stop()[axis] <= section.stop()[axis], "{units:?} {z} {y}");
                }
            }
        }
    }
}
