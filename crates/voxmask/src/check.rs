//! `voxmask check`: what is wrong with ground truth.

mod report;
mod sources;

use std::collections::HashSet;
use std::path::Path;

use annotation_mask::{
    ClassTable, Finding, Group, Grouping, Groups, LabelList, MaskError, Severity, check_crop,
    check_labels,
};
use anyhow::Result;
use array_core::{Array, ArrayExt};
use rayon::prelude::*;
use zarr_source::ZarrArray;

use crate::args::{CheckArgs, OpeningArgs};
use crate::check::report::{Details, Report};
use crate::progress;
use crate::source::{self, Source};
use crate::table::counted;

/// The ground truth has errors.
#[derive(Debug, thiserror::Error)]
#[error("{errors} found{sources}")]
struct ErrorsFound {
    errors: String,
    /// In how many of several sources.
    sources: String,
}

pub(crate) fn run(args: &CheckArgs) -> Result<()> {
    source::start_threads(&args.sources);
    let check = Check {
        opening: &args.opening,
        table: source::class_table(&args.opening)?,
        grouping: source::grouping(&args.groups)?,
    };
    // What cannot mean anything is wrong usage, not a fault of each source.
    source::options(&args.opening)?;
    let sources = sources::expand(&args.sources)?;
    let bar = progress::sources(sources.len() as u64, "checking");
    let reports: Vec<Report> = sources
        .par_iter()
        .flat_map_iter(|path| {
            let reports = check.path(path);
            bar.inc(1);
            reports
        })
        .collect();
    bar.finish_and_clear();
    report::print(&reports, args.json)?;
    let errors = |report: &Report| report.count(Severity::Error);
    let total: usize = reports.iter().map(errors).sum();
    if total == 0 {
        return Ok(());
    }
    let bad = reports.iter().filter(|report| errors(report) > 0).count();
    let errors = counted(total as u64, "error", "errors");
    let sources = match reports.len() {
        1 => String::new(),
        all => format!(" in {bad} of {all} sources"),
    };
    Err(ErrorsFound { errors, sources }.into())
}

/// How every source is checked.
struct Check<'a> {
    opening: &'a OpeningArgs,
    table: Option<ClassTable>,
    grouping: Grouping,
}

impl Check<'_> {
    /// The reports on what lies at a path: one, or one for each crop and label array in a container.
    fn path(&self, path: &Path) -> Vec<Report> {
        let name = zarr_source::Location::from(path).to_string();
        let table = self.table.as_ref();
        match source::open_source(path, self.opening, table, array_config::open_partly) {
            Ok(Source::Tree(tree)) => match sources::inside(&tree) {
                Ok(paths) if paths.is_empty() => {
                    let message = "there are neither crops nor arrays with `labels` in it";
                    let finding = Finding::new(Severity::Error, "nothing-to-check", "", message);
                    vec![Report::new(name, Details::None, vec![finding])]
                }
                Ok(paths) => paths.iter().flat_map(|path| self.path(path)).collect(),
                Err(error) => vec![Report::failed(name, &error)],
            },
            Ok(source) => {
                let report = self.source(name.clone(), &source);
                vec![report.unwrap_or_else(|error| Report::failed(name, &error))]
            }
            Err(error) => vec![Report::failed(name, &error)],
        }
    }

    fn source(&self, name: String, source: &Source) -> Result<Report> {
        match source {
            Source::Labels(array) => self.labels(name, array, None, geometry(array)),
            Source::Config(array, _) => self.labels(name, &**array, None, Vec::new()),
            Source::Channels(channels, _) => {
                self.labels(name, &*channels.labels, Some(&channels.groups), Vec::new())
            }
            Source::Crop(opened) => {
                let report = check_crop(&opened.crop)?;
                let mut findings = report.findings.clone();
                for finding in opened.arrays.iter().flat_map(|array| geometry(array)) {
                    // What all classes have in common is said once.
                    if !findings.contains(&finding) {
                        findings.push(finding);
                    }
                }
                if let (false, Err(error)) =
                    (self.grouping.is_empty(), opened.crop.resolve(&self.grouping))
                {
                    findings.push(Finding::refused("", &error));
                }
                // A class that cannot be opened is no class without an array.
                let has_failed = |finding: &Finding| {
                    finding.code == "listed-without-array"
                        && opened.failed.iter().any(|(class, _)| *class == finding.subject)
                };
                findings.retain(|finding| !has_failed(finding));
                for (class, error) in &opened.failed {
                    findings.push(sources::failure(class, error));
                }
                Ok(Report::new(name, Details::Crop(report), findings))
            }
            Source::Tree(_) => Ok(Report::new(name, Details::None, Vec::new())),
        }
    }

    fn labels(
        &self,
        name: String,
        array: &dyn Array,
        of_config: Option<&Groups>,
        geometry: Vec<Finding>,
    ) -> Result<Report> {
        let (groups, refused) = match self.groups(array, of_config) {
            Ok(groups) => (groups, None),
            Err(error) => (None, Some(Finding::refused("", &error))),
        };
        let report = check_labels(array, groups.as_ref())?;
        let findings = [report.findings.clone(), geometry].concat();
        Ok(Report::new(
            name,
            Details::Labels(report),
            findings.into_iter().chain(refused).collect(),
        ))
    }

    /// The user's groups for an array of labels, or those of its config; without any, each class that it
    /// names is one.
    fn groups(
        &self,
        array: &dyn Array,
        of_config: Option<&Groups>,
    ) -> Result<Option<Groups>, MaskError> {
        // What is wrong with the attribute is found by the check itself.
        let list = LabelList::from_attrs(array.attrs()).ok().flatten();
        if !self.grouping.is_empty() {
            return self.grouping.resolve_labels(self.table.as_ref(), list.as_ref()).map(Some);
        }
        if of_config.is_some() {
            return Ok(of_config.cloned());
        }
        let (mut groups, mut ids) = (Vec::new(), HashSet::new());
        for entry in list.iter().flat_map(|list| list.entries()) {
            // Names may stand twice, ids name a channel just as well.
            let name = format!("{} {}", entry.value, entry.short_name);
            if ids.insert(entry.value) {
                groups.push(Group::new(name, [entry.value]));
            }
        }
        if groups.is_empty() { Ok(None) } else { Groups::new(groups).map(Some) }
    }
}

/// What the metadata of an array leave open about its place, or say twice.
fn geometry(array: &ZarrArray) -> Vec<Finding> {
    array.remarks().map(sources::remark).collect()
}
