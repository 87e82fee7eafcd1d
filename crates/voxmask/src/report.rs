//! What the user is told: channels as a table or JSON, errors in one block.

use annotation_mask::{ChannelCounts, ChannelDecision, LabelId};
use anstream::eprintln;
use anyhow::Result;
use serde_json::{Value, json};

use crate::table::{self, grouped, table};

/// Prints an error with its causes, and a hint where one helps; `overwrite` says whether the user asked
/// for that.
pub(crate) fn print_error(error: &anyhow::Error, overwrite: bool) {
    eprintln!("\x1b[1;31merror\x1b[0m: {error}");
    let mut last = error.to_string();
    for cause in error.chain().skip(1) {
        let text = cause.to_string();
        // Transparent errors repeat the message of their cause.
        if !last.ends_with(&text) {
            eprintln!("  because: {text}");
        }
        last = text;
    }
    if let Some(hint) = hint(error, overwrite) {
        eprintln!("  hint: {hint}");
    }
}

fn hint(error: &anyhow::Error, overwrite: bool) -> Option<&'static str> {
    use zarr_source::ZarrError;
    let zarr = error.chain().find_map(|cause| cause.downcast_ref::<ZarrError>());
    match zarr {
        Some(ZarrError::OutputExists { .. }) if !overwrite => Some("add --overwrite to replace it"),
        Some(ZarrError::NoGeometry { .. }) => {
            Some("say it with --voxel-size Z,Y,X (and --offset, --unit), or add --unit-voxels")
        }
        _ => {
            let mask = error.chain().find_map(|cause| cause.downcast_ref());
            match mask {
                Some(annotation_mask::MaskError::NoLabels) => {
                    Some("leave out --require-labels to trust every labelled voxel")
                }
                _ => None,
            }
        }
    }
}

/// Prints the channels of a crop as a table.
pub(crate) fn print_channels(decisions: &[ChannelDecision], counts: &ChannelCounts) -> Result<()> {
    let header = ["channel", "ids", "", "known voxels", "known", "positive voxels", "why"];
    let mut table = table(&header, &[3, 4, 5]);
    for (index, decision) in decisions.iter().enumerate() {
        let known = counts.known.get(index).copied().unwrap_or(0);
        let positive = counts.positive.get(index).copied().unwrap_or(0);
        table.add_row([
            decision.name.clone(),
            ids_text(&decision.ids),
            if decision.kept { "kept" } else { "masked" }.to_owned(),
            grouped(known),
            format!("{:.1} %", 100.0 * fraction(known, counts.voxels)),
            grouped(positive),
            why(decision),
        ]);
    }
    Ok(table::print(&table)?)
}

/// The channels of a crop for programs.
pub(crate) fn channels_json(decisions: &[ChannelDecision], counts: &ChannelCounts) -> Value {
    let channel = |(index, decision): (usize, &ChannelDecision)| {
        let known = counts.known.get(index).copied().unwrap_or(0);
        json!({
            "name": decision.name,
            "ids": ids_json(&decision.ids),
            "kept": decision.kept,
            "missing_ids": ids_json(&decision.missing_ids),
            "known": known,
            "positive": counts.positive.get(index).copied().unwrap_or(0),
            "fraction": fraction(known, counts.voxels),
        })
    };
    decisions.iter().enumerate().map(channel).collect()
}

/// Why a channel is kept or masked, in a few words.
pub(crate) fn why(decision: &ChannelDecision) -> String {
    let missing = ids_text(&decision.missing_ids);
    match (decision.kept, decision.missing_ids.len()) {
        (true, 0) => String::new(),
        (true, _) => format!("kept by the rule although {missing} was not annotated"),
        (false, 1) => format!("{missing} is present but was not annotated"),
        (false, _) => format!("{missing} are present but were not annotated"),
    }
}

/// Label ids as text.
pub(crate) fn ids_text(ids: &[LabelId]) -> String {
    if ids.is_empty() {
        return "all".to_owned();
    }
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Label ids as JSON numbers.
pub(crate) fn ids_json(ids: &[LabelId]) -> Value {
    ids.iter().map(|&id| id_json(id)).collect()
}

/// A label id as a JSON number; all ids lie within 64 bits.
pub(crate) fn id_json(id: LabelId) -> Value {
    match (u64::try_from(id), i64::try_from(id)) {
        (Ok(id), _) => json!(id),
        (_, Ok(id)) => json!(id),
        _ => json!(id.to_string()),
    }
}

fn fraction(part: u64, whole: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a share for people to read")]
    let share = if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
    share
}
