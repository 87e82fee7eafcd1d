//! What is finished of a run, written down so that it outlives the process.
//!
//! The first line is the job. Each line behind it is a unit whose files are all in place. A line counts once
//! it ends, so that one that was cut off by a crash is as if it had never been begun.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use annotation_mask::ChannelCounts;
use serde_json::{Map, Value, json};

use crate::error::WriteError;
use crate::job::Job;
use crate::partial::RunFiles;

/// The version of what a journal says.
const VERSION: u64 = 2;

/// A journal that is being written.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    file: File,
    /// Why a line could not be written, if one could not.
    failure: Option<std::io::Error>,
}

/// What an earlier run has left.
#[derive(Debug)]
pub(crate) struct Earlier {
    pub(crate) job: Job,
    /// Whether it was to replace an output.
    pub(crate) overwrite: bool,
    /// The name of its files.
    pub(crate) run: String,
    pub(crate) units: Vec<Unit>,
    /// How many bytes of the journal count.
    size: u64,
}

/// A unit that is finished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unit {
    pub(crate) level: usize,
    pub(crate) number: usize,
    /// What it has to count; nothing in later levels.
    pub(crate) counts: ChannelCounts,
}

impl Journal {
    /// Begins the journal of a job. Whatever was there is replaced as a whole.
    pub(crate) fn create(
        path: &Path,
        run: &RunFiles,
        job: &Job,
        overwrite: bool,
    ) -> Result<Self, WriteError> {
        let (run, job) = (run.name(), job.to_json());
        let header = json!({"journal": VERSION, "overwrite": overwrite, "run": run, "job": job});
        let temporary = path.with_extension("tmp");
        fs::write(&temporary, format!("{header}\n"))
            .and_then(|()| fs::rename(&temporary, path))
            .map_err(|error| WriteError::io("write", path, error))?;
        Self::append_to(path)
    }

    /// Goes on with a journal, behind the last line that counts.
    pub(crate) fn resume(path: &Path, earlier: &Earlier) -> Result<Self, WriteError> {
        let journal = Self::append_to(path)?;
        let inner = journal.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.file.set_len(earlier.size).map_err(|error| WriteError::io("write", path, error))?;
        drop(inner);
        Ok(journal)
    }

    fn append_to(path: &Path) -> Result<Self, WriteError> {
        let file = OpenOptions::new().append(true).open(path);
        let file = file.map_err(|error| WriteError::io("write", path, error))?;
        let inner = Mutex::new(Inner { file, failure: None });
        Ok(Self { path: path.to_owned(), inner })
    }

    /// Writes down that a unit is finished.
    pub(crate) fn finished(&self, unit: &Unit) -> Result<(), WriteError> {
        let line = format!("{}\n", unit.to_json());
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        // Behind a part of a line, the next would be a part of it. Several threads may fail, and any of them may be
        // the one that is heard, so all tell the same.
        if inner.failure.is_none() {
            inner.failure = inner.file.write_all(line.as_bytes()).err();
        }
        match &inner.failure {
            None => Ok(()),
            Some(failure) => {
                let same = match failure.raw_os_error() {
                    Some(code) => std::io::Error::from_raw_os_error(code),
                    None => std::io::Error::new(failure.kind(), failure.to_string()),
                };
                Err(WriteError::io("write", &self.path, same))
            }
        }
    }
}

impl Earlier {
    /// Reads a journal; none if there is none, or not even its job was written down.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>, WriteError> {
        let bytes = match fs::read(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            read => read.map_err(|error| WriteError::io("read", path, error))?,
        };
        let size = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |last| last + 1);
        let mut lines = bytes[..size].split_inclusive(|&byte| byte == b'\n').enumerate();
        let damaged = |number: usize, reason: &str| WriteError::JournalDamaged {
            file: path.to_owned(),
            reason: format!("line {} is not {reason}", number + 1),
        };
        let Some((_, header)) = lines.next() else { return Ok(None) };
        let (job, overwrite, run) =
            header_of(header).ok_or_else(|| damaged(0, "the job of a run"))?;
        let units = lines
            .map(|(number, line)| Unit::parse(line).ok_or_else(|| damaged(number, "a unit")))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Some(Self { job, overwrite, run, units, size: size as u64 }))
    }
}

fn header_of(line: &[u8]) -> Option<(Job, bool, String)> {
    let header: Map<String, Value> = serde_json::from_slice(line).ok()?;
    let is_known = header.get("journal")?.as_u64()? == VERSION;
    let job = Job::from_json(header.get("job")?.as_object()?);
    let run = header.get("run")?.as_str().filter(|run| RunFiles::is_name(run))?.to_owned();
    is_known.then_some((job, header.get("overwrite")?.as_bool()?, run))
}

impl Unit {
    fn to_json(&self) -> Value {
        let mut line = json!({"level": self.level, "unit": self.number});
        if self.level == 0 {
            line["counts"] = counts_json(&self.counts);
        }
        line
    }

    fn parse(line: &[u8]) -> Option<Self> {
        let line: Map<String, Value> = serde_json::from_slice(line).ok()?;
        let number = |key: &str| usize::try_from(line.get(key)?.as_u64()?).ok();
        let level = number("level")?;
        let counts = match line.get("counts") {
            Some(counts) => counts_of(counts)?,
            None if level > 0 => ChannelCounts::default(),
            None => return None,
        };
        Some(Self { level, number: number("unit")?, counts })
    }
}

/// Counts as JSON.
pub(crate) fn counts_json(counts: &ChannelCounts) -> Value {
    json!({"voxels": counts.voxels, "known": counts.known, "positive": counts.positive})
}

/// The counts that JSON tells.
pub(crate) fn counts_of(value: &Value) -> Option<ChannelCounts> {
    let list = |key: &str| -> Option<Vec<u64>> {
        value.get(key)?.as_array()?.iter().map(Value::as_u64).collect()
    };
    let voxels = value.get("voxels")?.as_u64()?;
    Some(ChannelCounts { voxels, known: list("known")?, positive: list("positive")? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::partial::Partial;

    fn unit(number: usize) -> Unit {
        let counts = ChannelCounts { voxels: 8, known: vec![3, 0], positive: vec![1, 7] };
        Unit { level: 0, number, counts }
    }

    fn job() -> Job {
        Job::from_json(json!({"rule": "strict"}).as_object().unwrap())
    }

    /// A journal in the folder of a run.
    fn journal(folder: &Path, overwrite: bool) -> (PathBuf, Journal) {
        let partial = Partial::lock(&folder.join("masks.zarr")).unwrap();
        let run = partial.new_run().unwrap();
        let journal = Journal::create(&partial.journal(), &run, &job(), overwrite).unwrap();
        (partial.journal(), journal)
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn behind_a_line_that_could_not_be_written_each_tells_why() {
        let journal = Journal::append_to(Path::new("/dev/full")).unwrap();
        for number in 0..3 {
            let error = journal.finished(&unit(number)).unwrap_err();
            let WriteError::Io { source, .. } = error else { panic!("{error}") };
            assert_eq!(source.kind(), std::io::ErrorKind::StorageFull, "unit {number}");
        }
    }

    #[test]
    fn a_line_that_was_cut_off_anywhere_is_as_if_it_had_not_been_begun() {
        let folder = tempfile::tempdir().unwrap();
        let (path, journal) = journal(folder.path(), true);
        journal.finished(&unit(4)).unwrap();
        let before = fs::metadata(&path).unwrap().len();
        journal.finished(&unit(2)).unwrap();
        let whole = fs::read(&path).unwrap();
        for size in usize::try_from(before).unwrap()..whole.len() {
            fs::write(&path, &whole[..size]).unwrap();
            let earlier = Earlier::read(&path).unwrap().unwrap();
            assert_eq!((earlier.job.clone(), earlier.overwrite), (job(), true));
            assert_eq!(earlier.units, [unit(4)]);
            let journal = Journal::resume(&path, &earlier).unwrap();
            journal.finished(&unit(9)).unwrap();
            assert_eq!(Earlier::read(&path).unwrap().unwrap().units, [unit(4), unit(9)]);
        }
    }

    #[test]
    fn a_line_that_is_wrong_is_told_by_number() {
        let folder = tempfile::tempdir().unwrap();
        let (path, journal) = journal(folder.path(), false);
        journal.finished(&unit(1)).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("{text}{{\"level\":0}}\n")).unwrap();
        let error = Earlier::read(&path).unwrap_err().to_string();
        assert!(error.contains("line 3 is not a unit"), "{error}");
        fs::write(&path, "what\n").unwrap();
        let error = Earlier::read(&path).unwrap_err().to_string();
        assert!(error.contains("line 1 is not the job"), "{error}");
    }
}
