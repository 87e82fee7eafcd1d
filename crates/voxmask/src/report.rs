//! What the user is told: channels as a table or JSON, errors in one block.

use std::error::Error;
use std::io::Write;

use annotation_mask::{ChannelCounts, MaskError};
use anstream::stderr;
use anyhow::Result;
use array_config::{ConfigError, OpenError};
use array_core::ArrayError;
use mask_writer::WriteError;
use zarr_source::ZarrError;

use crate::shown::shown_lines;
use crate::table::{self, grouped, table};
use crate::truth::Truth;
use crate::values::fraction;

/// Prints an error with its causes, and a hint where one helps; `overwrite` says whether the user asked
/// for that.
pub(crate) fn print_error(error: &anyhow::Error, overwrite: bool) {
    let mut out = stderr();
    let mut print = |line: String| {
        // Where nothing can be written, the exit code still tells that it failed.
        let _ = writeln!(out, "{line}");
    };
    print(format!("\x1b[1;31merror\x1b[0m: {}", shown_lines(&error.to_string())));
    let mut last = error.to_string();
    for cause in error.chain().skip(1) {
        let text = cause.to_string();
        // Transparent errors repeat the message of their cause.
        if !last.ends_with(&text) {
            print(format!("  because: {}", shown_lines(&text)));
        }
        last = text;
    }
    if let Some(hint) = hint(error, overwrite) {
        print(format!("  hint: {hint}"));
    }
}

/// Whether a cause is that something takes more memory than it may.
fn is_over_memory_limit(cause: &(dyn Error + 'static)) -> bool {
    let of_mask = |error: &MaskError| match error {
        MaskError::Array(error) => is_over_memory_limit(error),
        _ => false,
    };
    // The chain has what wraps a transparent error, not the error itself.
    match (cause.downcast_ref(), cause.downcast_ref(), cause.downcast_ref()) {
        (Some(ArrayError::OverMemoryLimit { .. }), ..) => true,
        (_, Some(WriteError::Array(error)), _) => is_over_memory_limit(error),
        (_, Some(WriteError::Mask(error)), _) | (.., Some(error)) => of_mask(error),
        _ => false,
    }
}

fn hint(error: &anyhow::Error, overwrite: bool) -> Option<&'static str> {
    let zarr = error.chain().find_map(|cause| match cause.downcast_ref() {
        Some(OpenError::Zarr(error)) => Some(error),
        // The chain has the box, not what is in it.
        _ => match cause.downcast_ref() {
            Some(ConfigError::Zarr { source, .. }) => Some(&**source),
            _ => match cause.downcast_ref() {
                Some(WriteError::Zarr(error)) => Some(error),
                _ => cause.downcast_ref::<ZarrError>(),
            },
        },
    });
    match zarr {
        Some(ZarrError::OutputExists { .. }) if !overwrite => {
            return Some("add --overwrite to replace it");
        }
        Some(ZarrError::NoGeometry { .. }) => {
            return Some(
                "say it with --voxel-size Z,Y,X (and --offset, --unit), or add --unit-voxels",
            );
        }
        _ => {}
    }
    if error.chain().any(is_over_memory_limit) {
        return Some("--memory SIZE sets the limit; smaller chunks, regions and patches need less");
    }
    match error.chain().find_map(|cause| cause.downcast_ref()) {
        Some(WriteError::Unfinished { .. }) => {
            return Some("--resume goes on with it, --overwrite begins anew");
        }
        Some(WriteError::NothingToResume { .. }) => return Some("leave out --resume"),
        Some(WriteError::OtherJob { .. }) => {
            return Some("give the same arguments as before, or --overwrite to begin anew");
        }
        Some(WriteError::LabelsChanged { .. } | WriteError::LabelsDiffer { .. }) => {
            return Some("once nobody changes the labels, --overwrite begins anew");
        }
        Some(WriteError::JournalDamaged { .. }) => return Some("--overwrite begins anew"),
        Some(error) if error.is_resumable() => {
            return Some("the same command with --resume goes on");
        }
        _ => {}
    }
    match error.chain().find_map(|cause| cause.downcast_ref()) {
        Some(MaskError::NoLabels) => {
            Some("leave out --require-labels to trust every labelled voxel")
        }
        Some(MaskError::NothingValid { .. }) => {
            Some("lower --min-known, name fewer --channels, or choose another --shape")
        }
        _ => None,
    }
}

/// Prints the channels of a crop as a table.
pub(crate) fn print_channels(truth: &Truth, counts: &ChannelCounts) -> Result<()> {
    let members = truth.members_name();
    let header = ["channel", members, "", "known voxels", "known", "positive voxels", "why"];
    let mut table = table(&header, &[3, 4, 5]);
    for (index, channel) in truth.pair().channels().into_iter().enumerate() {
        let known = counts.known.get(index).copied().unwrap_or(0);
        let positive = counts.positive.get(index).copied().unwrap_or(0);
        table.add_row([
            channel.name,
            members_text(&channel.members),
            if channel.kept { "kept" } else { "masked" }.to_owned(),
            grouped(known),
            format!("{:.1} %", 100.0 * fraction(known, counts.voxels)),
            grouped(positive),
            channel.why,
        ]);
    }
    Ok(table::print(&table)?)
}

/// The members of a channel as text.
fn members_text(members: &[String]) -> String {
    if members.is_empty() { "all".to_owned() } else { members.join(", ") }
}
