//! The folder in which a run works, and which one process at a time may use.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::WriteError;

const LOCK: &str = "lock";

/// The locked folder of a run. Dropped, it is unlocked and stays; [`Partial::remove`] removes it.
#[derive(Debug)]
pub(crate) struct Partial {
    target: PathBuf,
    folder: PathBuf,
    // A lock of the system, which ends with the process however that ends.
    _lock: File,
}

impl Partial {
    /// Whether there is such a folder, in use or not.
    pub(crate) fn exists(target: &Path) -> bool {
        folder_of(target).is_dir()
    }

    /// Locks the folder beside `target` (absolute, with a name), which is made if there is none.
    pub(crate) fn lock(target: &Path) -> Result<Self, WriteError> {
        let folder = folder_of(target);
        // The hidden name would not help anybody.
        let failed = |error| {
            let parent = target.parent().unwrap_or(target);
            WriteError::io("create an output in", parent, error)
        };
        loop {
            match fs::create_dir(&folder) {
                Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                    return Err(failed(error));
                }
                _ => {}
            }
            let found = fs::symlink_metadata(&folder);
            if found.is_ok_and(|found| !found.is_dir()) {
                let error = io::Error::new(ErrorKind::NotADirectory, "it is not a folder");
                return Err(WriteError::io("work in", &folder, error));
            }
            let path = folder.join(LOCK);
            let file = match File::options().create(true).append(true).open(&path) {
                // Whoever had the folder has removed it in between.
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                opened => opened.map_err(failed)?,
            };
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    return Err(WriteError::Busy { output: target.to_owned() });
                }
                Err(TryLockError::Error(error)) => {
                    return Err(WriteError::io("lock", &path, error));
                }
            }
            // A file that was removed before it was locked keeps nobody else out.
            if is_at(&file, &path) {
                return Ok(Self { target: target.to_owned(), folder, _lock: file });
            }
        }
    }

    /// Where the container is written.
    pub(crate) fn output(&self) -> PathBuf {
        self.folder.join("output")
    }

    pub(crate) fn journal(&self) -> PathBuf {
        self.folder.join("journal")
    }

    /// Where an output that is replaced waits until the new one is in its place.
    pub(crate) fn replaced(&self) -> PathBuf {
        self.folder.join("replaced")
    }

    /// Throws away what an earlier run has made, but brings back an output that it had moved aside.
    pub(crate) fn clear(&self) -> Result<(), WriteError> {
        let replaced = self.replaced();
        if replaced.exists() && fs::symlink_metadata(&self.target).is_err() {
            fs::rename(&replaced, &self.target).map_err(|error| {
                WriteError::io("move back the old output from", &replaced, error)
            })?;
        }
        // The journal first: without it, nothing of the rest counts.
        let removed = absent_is_fine(fs::remove_file(self.journal()))
            .and_then(|()| absent_is_fine(fs::remove_dir_all(self.output())))
            .and_then(|()| absent_is_fine(fs::remove_dir_all(&replaced)));
        removed.map_err(|error| WriteError::io("remove what is in", &self.folder, error))
    }

    /// Removes the files that a run had not moved to their places when it ended.
    pub(crate) fn remove_temporary(&self) -> Result<(), WriteError> {
        let mut folders = vec![self.output()];
        while let Some(folder) = folders.pop() {
            let failed = |error| WriteError::io("clean up", &folder, error);
            for entry in fs::read_dir(&folder).map_err(failed)? {
                let entry = entry.map_err(failed)?;
                if entry.file_type().map_err(failed)?.is_dir() {
                    folders.push(entry.path());
                    continue;
                }
                let name = entry.file_name();
                let name = name.to_string_lossy();
                if name.starts_with('.') && name.ends_with(".tmp") {
                    fs::remove_file(entry.path()).map_err(failed)?;
                }
            }
        }
        Ok(())
    }

    /// Removes the folder, and unlocks it.
    pub(crate) fn remove(self) {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let name = hidden_name(&self.target, &format!("{}-{number}.done", std::process::id()));
        let away = self.folder.with_file_name(name);
        // Under another name first: in a folder of the old name, somebody else may begin to work.
        let removed = fs::rename(&self.folder, &away).and_then(|()| fs::remove_dir_all(&away));
        if let Err(error) = removed {
            tracing::warn!("cannot remove {}: {error}", self.folder.display());
        }
    }
}

fn folder_of(target: &Path) -> PathBuf {
    target.with_file_name(hidden_name(target, "partial"))
}

fn hidden_name(target: &Path, suffix: &str) -> String {
    format!(".{}.{suffix}", target.file_name().unwrap_or_default().to_string_lossy())
}

fn absent_is_fine(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

/// Whether an open file is the one that lies at a path.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;

    let id = |found: fs::Metadata| (found.dev(), found.ino());
    let ids = file.metadata().map(id).ok().zip(fs::metadata(path).map(id).ok());
    ids.is_some_and(|(opened, there)| opened == there)
}

/// Whether an open file is the one that lies at a path.
#[cfg(not(unix))]
fn is_at(_file: &File, path: &Path) -> bool {
    path.exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_works_in_the_folder() {
        let parent = tempfile::tempdir().unwrap();
        let target = parent.path().join("masks.zarr");
        let first = Partial::lock(&target).unwrap();
        assert!(matches!(Partial::lock(&target), Err(WriteError::Busy { .. })));
        drop(first);
        let second = Partial::lock(&target).unwrap();
        assert!(matches!(Partial::lock(&target), Err(WriteError::Busy { .. })));
        second.remove();
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
        Partial::lock(&target).unwrap();
    }

    #[test]
    fn an_output_that_was_moved_aside_comes_back() {
        let parent = tempfile::tempdir().unwrap();
        let target = parent.path().join("masks.zarr");
        let partial = Partial::lock(&target).unwrap();
        fs::create_dir(partial.replaced()).unwrap();
        fs::write(partial.replaced().join("old"), "old").unwrap();
        fs::create_dir(partial.output()).unwrap();
        partial.clear().unwrap();
        assert!(target.join("old").exists());
        assert!(!partial.output().exists() && !partial.replaced().exists());
    }
}
