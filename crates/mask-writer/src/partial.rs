//! The folder in which a run works, and which one process at a time may use.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::error::WriteError;

const LOCK: &str = "lock";
/// What the names of the folders begin with in which runs have their files.
const RUN: &str = "run-";

/// The locked folder of a run. Dropped, it is unlocked and stays; [`Partial::remove`] removes it.
#[derive(Debug)]
pub(crate) struct Partial {
    target: PathBuf,
    folder: PathBuf,
    // A lock of the system, which ends with the process however that ends.
    lock: File,
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
                return Ok(Self { target: target.to_owned(), folder, lock: file });
            }
        }
    }

    /// The files of a new run, in a folder of its own: where somebody removes the folder of a run by hand and
    /// another begins in its place, what the first goes on to write must not come among the files of the other.
    pub(crate) fn new_run(&self) -> Result<RunFiles, WriteError> {
        let time = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let name = format!("{RUN}{:x}-{:x}", std::process::id(), time.as_nanos());
        let files = self.run(name);
        fs::create_dir(&files.folder).map_err(|error| self.cannot_create(error))?;
        Ok(files)
    }

    /// The files of an earlier run.
    pub(crate) fn run(&self, name: String) -> RunFiles {
        RunFiles { folder: self.folder.join(&name), name }
    }

    pub(crate) fn journal(&self) -> PathBuf {
        self.folder.join("journal")
    }

    /// Where an output that is replaced waits until the new one is in its place.
    pub(crate) fn replaced(&self) -> PathBuf {
        self.folder.join("replaced")
    }

    /// Fails if this is no longer the folder that was locked, but gone or that of somebody else.
    pub(crate) fn check(&self) -> Result<(), WriteError> {
        if is_at(&self.lock, &self.folder.join(LOCK)) {
            return Ok(());
        }
        Err(WriteError::Displaced { output: self.target.clone() })
    }

    /// Throws away what an earlier run has made, but brings back an output that it had moved aside.
    pub(crate) fn clear(&self) -> Result<(), WriteError> {
        let replaced = self.replaced();
        if replaced.exists() && fs::symlink_metadata(&self.target).is_err() {
            fs::rename(&replaced, &self.target).map_err(|error| {
                WriteError::io("move back the old output from", &replaced, error)
            })?;
        }
        self.remove_files()
            .map_err(|error| WriteError::io("remove what is in", &self.folder, error))
    }

    fn remove_files(&self) -> io::Result<()> {
        // The journal first: without it, nothing of the rest counts.
        absent_is_fine(fs::remove_file(self.journal()))?;
        absent_is_fine(fs::remove_file(self.journal().with_extension("tmp")))?;
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with(RUN) || path == self.replaced() {
                absent_is_fine(fs::remove_dir_all(path))?;
            }
        }
        Ok(())
    }

    /// Removes the folder, and unlocks it. What of it is left if the process ends meanwhile, the next run removes.
    pub(crate) fn remove(self) {
        if self.check().is_err() {
            // It belongs to somebody else.
            return;
        }
        let removed = self.clear().map_err(|error| error.to_string()).and_then(|()| {
            // From here on somebody else may lock the folder anew, and it stays with what is in it.
            let removed = fs::remove_file(self.folder.join(LOCK));
            let removed = removed.and_then(|()| match fs::remove_dir(&self.folder) {
                Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => Ok(()),
                removed => absent_is_fine(removed),
            });
            removed.map_err(|error| error.to_string())
        });
        if let Err(error) = removed {
            tracing::warn!("cannot remove {}: {error}", self.folder.display());
        }
    }

    // The hidden name would not help anybody.
    fn cannot_create(&self, error: io::Error) -> WriteError {
        let parent = self.target.parent().unwrap_or(&self.target);
        WriteError::io("create an output in", parent, error)
    }
}

/// The files of one run.
#[derive(Clone, Debug)]
pub(crate) struct RunFiles {
    name: String,
    folder: PathBuf,
}

impl RunFiles {
    /// Whether a text is the name of such a folder.
    pub(crate) fn is_name(text: &str) -> bool {
        let is_part = |byte: u8| byte.is_ascii_hexdigit() || byte == b'-';
        text.strip_prefix(RUN).is_some_and(|rest| rest.bytes().all(is_part))
    }

    /// What the journal calls them.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Where the container is written.
    pub(crate) fn output(&self) -> PathBuf {
        self.folder.join("output")
    }

    /// Where it is written down what the labels were.
    pub(crate) fn labels(&self) -> PathBuf {
        self.folder.join("labels")
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
}

fn folder_of(target: &Path) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    target.with_file_name(format!(".{name}.partial"))
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
        let run = partial.new_run().unwrap();
        fs::create_dir(run.output()).unwrap();
        partial.clear().unwrap();
        assert!(target.join("old").exists());
        assert!(!run.output().exists() && !partial.replaced().exists());
    }

    #[test]
    fn whoever_was_displaced_leaves_the_folder_of_the_other_alone() {
        let parent = tempfile::tempdir().unwrap();
        let target = parent.path().join("masks.zarr");
        let first = Partial::lock(&target).unwrap();
        first.check().unwrap();
        fs::remove_dir_all(parent.path().join(".masks.zarr.partial")).unwrap();
        assert!(matches!(first.check(), Err(WriteError::Displaced { .. })));
        let second = Partial::lock(&target).unwrap();
        let run = second.new_run().unwrap();
        assert!(matches!(first.check(), Err(WriteError::Displaced { .. })));
        first.remove();
        second.check().unwrap();
        assert!(run.folder.exists());
    }

    #[test]
    fn what_a_clean_up_that_was_killed_has_left_goes_with_the_next_run() {
        let parent = tempfile::tempdir().unwrap();
        let target = parent.path().join("masks.zarr");
        let partial = Partial::lock(&target).unwrap();
        for _ in 0..2 {
            fs::create_dir(partial.new_run().unwrap().output()).unwrap();
        }
        fs::create_dir(partial.replaced()).unwrap();
        fs::create_dir(&target).unwrap();
        drop(partial);
        Partial::lock(&target).unwrap().remove();
        let left: Vec<_> =
            fs::read_dir(parent.path()).unwrap().map(|e| e.unwrap().path()).collect();
        assert_eq!(left, [target]);
    }

    #[test]
    fn only_names_of_runs_are_taken_out_of_a_journal() {
        let parent = tempfile::tempdir().unwrap();
        let partial = Partial::lock(&parent.path().join("masks.zarr")).unwrap();
        assert!(RunFiles::is_name(partial.new_run().unwrap().name()));
        for name in ["run-../../x", "output", "run-/", "/run-1"] {
            assert!(!RunFiles::is_name(name), "{name}");
        }
    }
}
