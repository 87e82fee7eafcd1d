//! What a run begins with: nothing, or what an earlier one has left.

use std::path::Path;

use annotation_mask::GroundTruth;
use zarr_source::Staging;

use crate::error::WriteError;
use crate::images::Image;
use crate::job::Job;
use crate::journal::{Earlier, Journal};
use crate::labels::Labels;
use crate::observer::Observer;
use crate::options::{Existing, WriteOptions};
use crate::partial::{Partial, RunFiles};
use crate::plan::Plan;

/// What is to be written, and where.
pub(crate) struct Request<'a> {
    pub(crate) pair: &'a dyn GroundTruth,
    pub(crate) plan: &'a Plan,
    pub(crate) job: &'a Job,
    pub(crate) output: &'a Path,
    pub(crate) options: &'a WriteOptions<'a>,
    pub(crate) observer: &'a dyn Observer,
}

/// What a run works with.
pub(crate) struct Start {
    pub(crate) labels: Labels,
    pub(crate) staging: Staging,
    pub(crate) images: Vec<Image>,
    pub(crate) journal: Journal,
}

impl Start {
    /// Makes the arrays of a new run.
    pub(crate) fn anew(partial: &Partial, request: &Request<'_>) -> Result<Self, WriteError> {
        let Request { pair, plan, options, observer, .. } = *request;
        partial.clear()?;
        let files = partial.new_run()?;
        let labels = Labels::record(&files.labels(), pair, plan, observer)?;
        let overwrite = options.existing == Existing::Overwrite;
        let staging = request.staging(partial, &files, overwrite)?;
        let images = Image::create_all(&staging, pair, plan, options)?;
        partial.check()?;
        // Behind the arrays, so that a journal is one of arrays that are there.
        let journal = Journal::create(&partial.journal(), &files, request.job, overwrite)?;
        Ok(Self { labels, staging, images, journal })
    }

    /// Opens the arrays of an earlier run, if the labels are what they were then.
    pub(crate) fn resume(
        partial: &Partial,
        earlier: &Earlier,
        request: &Request<'_>,
    ) -> Result<Self, WriteError> {
        let Request { pair, plan, options, observer, .. } = *request;
        let files = partial.run(earlier.run.clone());
        let labels = Labels::resume(&files.labels(), pair, plan, observer)?;
        let staging = request.staging(partial, &files, earlier.overwrite)?;
        files.remove_temporary()?;
        let images = Image::open_all(&files.output(), plan, options)?;
        let journal = Journal::resume(&partial.journal(), earlier)?;
        Ok(Self { labels, staging, images, journal })
    }
}

impl Request<'_> {
    fn staging(
        &self,
        partial: &Partial,
        files: &RunFiles,
        overwrite: bool,
    ) -> Result<Staging, WriteError> {
        Ok(Staging::in_folder(files.output(), partial.replaced(), self.output, overwrite)?)
    }
}
