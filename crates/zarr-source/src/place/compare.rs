//! Comparing what several places say.

use std::path::Path;

use geometry::{Decimal, GeometryError, LengthUnit};

use super::claim::{Claim, corner};
use super::report::{Convention, GeometrySource};
use super::units::{self, AxisUnits};
use super::values::numbers_text;
use crate::remark::{Remark, RemarkKind};

/// What was decided on, for the spatial axes, in one unit.
pub(super) struct Decision<'a> {
    pub(super) voxel_size: &'a [Decimal],
    pub(super) corner: &'a [Decimal],
    pub(super) unit: LengthUnit,
    pub(super) voxel_size_source: &'a GeometrySource,
    pub(super) offset_source: &'a GeometrySource,
    pub(super) channel_dims: usize,
    pub(super) translation: Option<Convention>,
}

/// One sentence for each thing that `claim` says otherwise than what was decided.
pub(super) fn disagreements(claim: &Claim, decision: &Decision<'_>) -> Vec<Remark> {
    match differences(claim, decision) {
        Ok(found) => found,
        Err(reason) => {
            let text = format!("{} could not be compared: {reason}", claim.source);
            vec![RemarkKind::Unreadable.says(text)]
        }
    }
}

fn differences(claim: &Claim, decision: &Decision<'_>) -> Result<Vec<Remark>, String> {
    let (file, dims): (&Path, usize) = (&claim.file, decision.voxel_size.len());
    let text = |error: &dyn std::fmt::Display| error.to_string();
    if claim.voxel_size.is_none() && claim.offset.is_none() {
        return Ok(Vec::new());
    }
    let units: AxisUnits = match &claim.units {
        Some(names) => units::spatial(names, file, decision.channel_dims, dims, &mut Vec::new())
            .map_err(|error| text(&error))?,
        None => vec![None; dims],
    };
    let in_unit = |values: &[Decimal]| {
        units::convert(values, &units, decision.unit).map_err(|error| text(&error))
    };
    let found_size = match &claim.voxel_size {
        Some(list) => in_unit(
            &list.spatial(file, decision.channel_dims, dims).map_err(|error| text(&error))?,
        )?,
        None => decision.voxel_size.to_vec(),
    };
    let mut found = Vec::new();
    if found_size != decision.voxel_size {
        found.push(RemarkKind::Disagreement.says(format!(
            "{} gives the voxel size {}, {} gives {}",
            claim.source,
            numbers_text(&found_size),
            decision.voxel_size_source,
            numbers_text(decision.voxel_size)
        )));
    }
    if let Some(list) = &claim.offset {
        let position =
            list.spatial(file, decision.channel_dims, dims).map_err(|error| text(&error))?;
        let convention = decision.translation.unwrap_or(claim.convention);
        let found_corner =
            corner(&in_unit(&position)?, &found_size, convention).map_err(|error| text(&error))?;
        if found_corner != decision.corner {
            let kind = if is_half_a_voxel(&found_corner, decision).unwrap_or(false) {
                RemarkKind::HalfVoxel
            } else {
                RemarkKind::Disagreement
            };
            let hint = match kind {
                RemarkKind::HalfVoxel => {
                    ": half a voxel apart, as if one took a corner for a centre"
                }
                _ => "",
            };
            found.push(kind.says(format!(
                "{} places the corner of the array at {}, {} at {}{hint}",
                claim.source,
                numbers_text(&found_corner),
                decision.offset_source,
                numbers_text(decision.corner)
            )));
        }
    }
    Ok(found)
}

/// Whether another corner lies half a voxel from the one that was decided on, along each axis to the same side.
fn is_half_a_voxel(corner: &[Decimal], decision: &Decision<'_>) -> Result<bool, GeometryError> {
    let apart = |[from, to]: [&[Decimal]; 2]| {
        from.iter().zip(to).map(|(from, to)| to.checked_sub(*from)).collect::<Result<Vec<_>, _>>()
    };
    let halves: Vec<Decimal> =
        decision.voxel_size.iter().map(|size| size.half()).collect::<Result<_, _>>()?;
    Ok([[corner, decision.corner], [decision.corner, corner]]
        .into_iter()
        .any(|pair| apart(pair).is_ok_and(|apart| apart == halves)))
}
