//! What is checked: paths out of patterns, crops and label arrays out of containers.

use std::path::PathBuf;

use annotation_mask::{Finding, MaskError, Severity};
use anyhow::{Context, Result, bail};
use array_config::{OpenError, is_crop};
use serde_json::Value;
use zarr_source::{Location, Remark, RemarkKind, TreeKind, TreeNode, ZarrTree};

use crate::args::UsageError;

/// The paths that the user means: what exists as it is written, all else as a pattern.
pub(crate) fn expand(sources: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for source in sources {
        let text = source.to_str().filter(|text| text.contains(['*', '?', '[']));
        let Some(pattern) = text.filter(|_| !Location::from(source).is_url() && !source.exists())
        else {
            paths.push(source.clone());
            continue;
        };
        let found = glob::glob(pattern)
            .map_err(|error| UsageError(format!("{pattern:?} is no pattern of paths: {error}")))?;
        let before = paths.len();
        for path in found {
            paths.push(path.with_context(|| format!("looking for {pattern:?}"))?);
        }
        if paths.len() == before {
            bail!("nothing matches {pattern:?}");
        }
    }
    Ok(paths)
}

/// The crops in a container, and the arrays that say what was annotated in them.
pub(crate) fn inside(tree: &ZarrTree) -> Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    collect(&tree.root, false, &mut paths);
    if tree.truncated {
        let path = tree.root.path.display();
        bail!("{path} holds more groups and arrays than are looked at; name a part of it");
    }
    Ok(paths)
}

fn collect(node: &TreeNode, labelled: bool, paths: &mut Vec<PathBuf>) {
    if is_crop(&node.attrs) {
        paths.push(node.path.clone());
    }
    let labels = node.attrs.get("labels").and_then(Value::as_array);
    let labelled_here = labels.is_some_and(|labels| labels.iter().any(Value::is_object));
    if matches!(node.kind, TreeKind::Array(_)) {
        if labelled || labelled_here {
            paths.push(node.path.clone());
        }
        return;
    }
    // The levels of an image say the same, so that the first one is enough.
    let skipped = node.levels.get(1..).unwrap_or_default();
    for child in node.children.iter().filter(|child| !skipped.contains(&child.name)) {
        collect(child, labelled_here, paths);
    }
}

/// What a remark about the place of an array is among the findings.
pub(crate) fn remark(remark: &Remark) -> Finding {
    let severity = match remark.kind {
        RemarkKind::LevelTaken | RemarkKind::FillValue | RemarkKind::LabelsOfGroup => {
            Severity::Info
        }
        _ => Severity::Warning,
    };
    Finding::new(severity, remark.kind.code(), "", remark.text.clone())
}

/// A class that cannot be opened, as a finding.
pub(crate) fn failure(class: &str, error: &OpenError) -> Finding {
    match error {
        OpenError::Mask(error) if !is_of_storage(error) => Finding::refused(class, error),
        other => Finding::new(Severity::Error, "not-readable", class, chain(other)),
    }
}

/// What keeps a source from being checked, as a finding.
pub(crate) fn refusal(error: &anyhow::Error) -> Finding {
    // A transparent error hides the one that it holds from the chain.
    let cause = error.chain().find_map(|cause| match cause.downcast_ref() {
        Some(OpenError::Mask(error)) => Some(error),
        _ => cause.downcast_ref::<MaskError>(),
    });
    match cause {
        Some(cause) if !is_of_storage(cause) => Finding::refused("", cause),
        _ => Finding::new(Severity::Error, "not-readable", "", chain(error.as_ref())),
    }
}

/// Whether an error has causes that say what could not be read.
fn is_of_storage(error: &MaskError) -> bool {
    matches!(error, MaskError::Array(_))
}

/// An error with its causes in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        // Transparent errors repeat the message of their cause.
        if !text.ends_with(&message) {
            text = format!("{text}: {message}");
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_exists_is_no_pattern() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["crop1", "crop2", "crop[1]"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        let expanded = |name: &str| expand(&[folder.path().join(name)]).unwrap();
        assert_eq!(expanded("crop[1]"), [folder.path().join("crop[1]")]);
        assert_eq!(expanded("crop?"), ["crop1", "crop2"].map(|name| folder.path().join(name)));
        assert_eq!(expanded("nowhere"), [folder.path().join("nowhere")]);
        assert!(expand(&[folder.path().join("x*")]).is_err());
        let url = PathBuf::from("s3://bucket/crop?");
        assert_eq!(expand(std::slice::from_ref(&url)).unwrap(), [url]);
    }
}
