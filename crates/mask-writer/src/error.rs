//! Why masks could not be written.

use std::io;
use std::path::{Path, PathBuf};

use array_core::ArrayError;
use geometry::GeometryError;
use zarr_source::ZarrError;

/// Why masks could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The labels cannot be kept in a cache.
    #[error(transparent)]
    Mask(#[from] annotation_mask::MaskError),
    /// The container could not be written.
    #[error(transparent)]
    Zarr(#[from] ZarrError),
    /// The labels could not be read, or a chunk not be written.
    #[error(transparent)]
    Array(#[from] ArrayError),
    /// A level has no place in the 64-bit world.
    #[error("a scale level cannot be represented")]
    Geometry(#[from] GeometryError),
    /// The options cannot be fulfilled.
    #[error("{option}: {reason}")]
    Option {
        /// The option.
        option: &'static str,
        /// What is wrong with it, and what would be right.
        reason: String,
    },
    /// Another run is writing the output.
    #[error("another run is writing {}", output.display())]
    Busy {
        /// The output.
        output: PathBuf,
    },
    /// Somebody has removed the folder in which the run worked.
    #[error("the run that writes {} was given up: somebody has removed its folder", output.display())]
    Displaced {
        /// The output.
        output: PathBuf,
    },
    /// There is an unfinished run, and nothing was said about it.
    #[error("an earlier run has written {percent} % of {}: resume it, or overwrite it", output.display())]
    Unfinished {
        /// The output.
        output: PathBuf,
        /// How much of it is there.
        percent: u8,
    },
    /// There is no unfinished run.
    #[error("there is nothing to resume: no earlier run has begun {}", output.display())]
    NothingToResume {
        /// The output.
        output: PathBuf,
    },
    /// The unfinished run, or the output that is there, is of another job.
    #[error("{} was begun as another job, which cannot be resumed as this one: {differences}", output.display())]
    OtherJob {
        /// The output.
        output: PathBuf,
        /// What is different.
        differences: String,
    },
    /// The labels of an unfinished run are no longer what they were when it began.
    #[error("the labels have changed since the run began that is to be resumed: {files}")]
    LabelsDiffer {
        /// The file that has changed, or among which it is.
        files: String,
    },
    /// The labels have changed during the run.
    #[error("the labels changed while they were read: {files}")]
    LabelsChanged {
        /// The file that has changed, or among which it is.
        files: String,
    },
    /// The journal of an unfinished run does not say what it should.
    #[error("{}: {reason}, so that the run cannot be resumed", file.display())]
    JournalDamaged {
        /// The journal.
        file: PathBuf,
        /// What is wrong, and in which line.
        reason: String,
    },
    /// The observer has ended the run.
    #[error("{}", interrupted(*percent))]
    Interrupted {
        /// How much has been written and can be resumed; nothing is left if it is none.
        percent: Option<u8>,
    },
    /// Something has failed, and what was written before can be resumed.
    #[error("{percent} % of {} are written and can be resumed, but the run failed", output.display())]
    Failed {
        /// The output.
        output: PathBuf,
        /// How much has been written.
        percent: u8,
        /// What has failed.
        source: Box<WriteError>,
    },
    /// The file system failed.
    #[error("cannot {context}")]
    Io {
        /// What was being done, and to which file.
        context: String,
        /// The error of the system.
        source: io::Error,
    },
}

impl WriteError {
    pub(crate) fn io(action: &str, path: &Path, source: io::Error) -> Self {
        Self::Io { context: format!("{action} {}", path.display()), source }
    }

    /// Whether an unfinished run is there that can be resumed.
    #[must_use]
    pub const fn is_resumable(&self) -> bool {
        matches!(
            self,
            Self::Unfinished { .. } | Self::Failed { .. } | Self::Interrupted { percent: Some(_) }
        )
    }
}

fn interrupted(percent: Option<u8>) -> String {
    match percent {
        Some(percent) => format!("interrupted at {percent} %, from where the run can be resumed"),
        None => "interrupted; nothing was written".to_owned(),
    }
}
