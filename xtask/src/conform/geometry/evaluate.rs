//! Our answer to a recorded operation.

use anyhow::{Context, bail, ensure};
use geometry::{Coordinate, GeometryError, Operand, PartialCoordinate, Roi, Snap, VoxelSize};
use serde_json::{Value, json};

use super::vector::{
    Refusal, Vector, coordinate, coordinate_json, entries, integer, region, region_entries,
    region_json,
};

type Answer = Result<Value, Refusal>;

/// Evaluates an operation through the public API.
///
/// The outer error means that the vector has an unknown form.
pub(super) fn evaluate(vector: &Vector) -> anyhow::Result<Answer> {
    match vector.op.split_once('.') {
        Some(("coord", op)) => on_coordinate(op, vector),
        Some(("roi", op)) => on_region(op, vector),
        _ => bail!("unknown operation {}", vector.op),
    }
}

fn on_coordinate(op: &str, vector: &Vector) -> anyhow::Result<Answer> {
    if op == "new" {
        let entries = vector.arg(0)?.as_array().context("no list of entries")?;
        return Ok(coordinate(entries).map(|own| coordinate_json(&own)));
    }
    let own = match coordinate(entries(&vector.receiver).context("no coordinate")?) {
        Ok(own) => own,
        Err(refusal) => return Ok(Err(refusal)),
    };
    if op == "eq" {
        let other = coordinate(entries(vector.arg(0)?).context("no coordinate")?);
        return Ok(other.map(|other| json!(own == other)));
    }
    if op == "squeeze" {
        return Ok(axis(vector.arg(0)?, own.dims())
            .and_then(|axis| Ok(own.squeeze(axis)?))
            .map(|own| coordinate_json(&own)));
    }
    let argument = match vector.args.first().map(operand).transpose() {
        Ok(argument) => argument,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let answer = coordinate_operation(op, own, argument)?;

    // Where every number is there, Coordinate answers like PartialCoordinate.
    let finite = match argument {
        Some(Operand::PerAxis(other)) => {
            other.to_coordinate().ok().map(|other| Some(Operand::PerAxis(other)))
        }
        Some(Operand::Scalar(value)) => Some(Some(Operand::Scalar(value))),
        None => Some(None),
    };
    if let (Ok(own), Some(argument)) = (own.to_coordinate(), finite) {
        let finite = finite_operation(op, own, argument)?;
        ensure!(finite == answer, "Coordinate answers {finite:?}, PartialCoordinate {answer:?}");
    }
    Ok(answer.map_err(Refusal::from))
}

/// Writes the same dispatch for both coordinate types.
macro_rules! coordinate_operations {
    ($name:ident, $type:ty) => {
        fn $name(
            op: &str,
            own: $type,
            argument: Option<Operand<$type>>,
        ) -> anyhow::Result<Result<Value, GeometryError>> {
            let other = || argument.context("no argument");
            let answer = match op {
                "dims" => return Ok(Ok(json!(own.dims()))),
                "is_multiple_of" => return Ok(own.is_multiple_of(other()?).map(Value::from)),
                "add" => own.checked_add(other()?),
                "sub" => own.checked_sub(other()?),
                "mul" => own.checked_mul(other()?),
                "truediv" => own.checked_div(other()?),
                "floordiv" | "floor_division" => own.floor_div(other()?),
                "ceil_division" => own.ceil_div(other()?),
                "round_division" => own.round_div(other()?),
                "mod" => own.checked_rem(other()?),
                "pow" => own.checked_pow(other()?),
                "neg" => own.checked_neg(),
                "abs" => own.checked_abs(),
                _ => bail!("unknown operation coord.{op}"),
            };
            Ok(answer.map(|own| coordinate_json(&PartialCoordinate::from(own))))
        }
    };
}

coordinate_operations!(coordinate_operation, PartialCoordinate);
coordinate_operations!(finite_operation, Coordinate);

fn on_region(op: &str, vector: &Vector) -> anyhow::Result<Answer> {
    if op == "new" {
        return new_region(vector);
    }
    let roi = match region(&vector.receiver) {
        Ok(roi) => roi,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let other = || vector.arg(0).map(region);
    Ok(match op {
        "begin" | "end" | "center" => Ok(coordinate_json(&bound(op, &roi)?)),
        "dims" => Ok(json!(roi.dims())),
        "size" => match roi.size() {
            Err(GeometryError::Unbounded { .. }) => Ok(Value::Null),
            size => size.map(Value::from).map_err(Refusal::from),
        },
        "empty" => Ok(json!(roi.is_empty())),
        "unbounded" => Ok(json!(roi.is_unbounded())),
        "to_slices" => Ok(json!({ "sl": roi.to_slices() })),
        "str" => Ok(json!(roi.to_string())),
        "repr" => {
            if let Some(later) = &vector.later {
                let ours = format!("{roi:?}");
                ensure!(*later == ours, "the later form is {later}, ours {ours:?}");
            }
            Ok(json!(roi.to_string()))
        }
        "eq" => other()?.map(|other| json!(roi == other)),
        "contains_coord" => {
            let point = coordinate(entries(vector.arg(0)?).context("no coordinate")?);
            point.and_then(|point| Ok(json!(roi.contains(point)?)))
        }
        "contains_roi" => other()?.and_then(|other| Ok(json!(roi.contains_roi(&other)?))),
        "intersects" => other()?.and_then(|other| Ok(json!(roi.intersects(&other)?))),
        "intersect" => other()?.and_then(|other| Ok(region_json(&roi.intersect(&other)?))),
        "union" => other()?.and_then(|other| Ok(region_json(&roi.union(&other)?))),
        "squeeze" => {
            let axis = axis(vector.arg(0)?, roi.dims());
            axis.and_then(|axis| Ok(region_json(&roi.squeeze(axis)?)))
        }
        "snap_to_grid" => snap(&roi, vector)?,
        "shift" => operand(vector.arg(0)?).and_then(|by| Ok(region_json(&roi.shift(by)?))),
        "grow" => {
            let amounts =
                operand(vector.arg(0)?).and_then(|lower| Ok((lower, operand(&vector.args[1])?)));
            amounts.and_then(|(lower, upper)| Ok(region_json(&roi.grow(lower, upper)?)))
        }
        _ => scale(op, &roi, vector.arg(0)?)?,
    })
}

fn new_region(vector: &Vector) -> anyhow::Result<Answer> {
    let part = |index| {
        Ok::<_, anyhow::Error>(coordinate(entries(vector.arg(index)?).context("no coordinate")?))
    };
    let parts =
        part(0)?.and_then(|offset| Ok((offset, part(1).map_err(|_| Refusal::NotANumber)??)));
    let (offset, shape) = match parts {
        Ok(parts) => parts,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let roi = Roi::from_parts(offset, shape);
    if let (Ok(offset), Ok(shape)) = (offset.to_coordinate(), shape.to_coordinate()) {
        let finite = Roi::new(offset, shape);
        ensure!(finite == roi, "Roi::new makes {finite:?}, Roi::from_parts {roi:?}");
    }
    Ok(roi.map(|roi| region_json(&roi)).map_err(Refusal::from))
}

fn bound(op: &str, roi: &Roi) -> anyhow::Result<PartialCoordinate> {
    let (partial, finite) = match op {
        "begin" => (roi.partial_begin(), roi.begin()),
        "end" => (roi.partial_end(), roi.end()),
        _ => (roi.partial_center(), roi.center()),
    };
    ensure!(partial.to_coordinate() == finite, "{op} is {partial} and {finite:?}");
    Ok(partial)
}

fn snap(roi: &Roi, vector: &Vector) -> anyhow::Result<Answer> {
    let mode = match vector.arg(1)?.as_str() {
        Some("grow") => Snap::Grow,
        Some("shrink") => Snap::Shrink,
        Some("closest") => Snap::Closest,
        _ => bail!("unknown mode"),
    };
    let voxel_size = coordinate(entries(vector.arg(0)?).context("no voxel size")?);
    Ok(voxel_size.and_then(|voxel_size| {
        let voxel_size = VoxelSize::new(voxel_size.to_coordinate()?)?;
        Ok(region_json(&roi.snap_to_grid(&voxel_size, mode)?))
    }))
}

/// Evaluates the operators of a region, which take whole numbers only.
fn scale(op: &str, roi: &Roi, argument: &Value) -> anyhow::Result<Answer> {
    if argument.is_f64() {
        return Ok(Err(Refusal::Fraction));
    }
    let other = match operand(argument) {
        Ok(other) => other,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let answer = match op {
        "add" => roi.checked_add(other),
        "sub" => roi.checked_sub(other),
        "mul" => roi.checked_mul(other),
        "truediv" => roi.checked_div(other),
        "floordiv" => roi.floor_div(other),
        "mod" => roi.checked_rem(other),
        _ => bail!("unknown operation roi.{op}"),
    };
    Ok(answer.map(|roi| region_json(&roi)).map_err(Refusal::from))
}

fn operand(value: &Value) -> Result<Operand<PartialCoordinate>, Refusal> {
    match entries(value) {
        Some(entries) => Ok(Operand::PerAxis(coordinate(entries)?)),
        None => Ok(Operand::Scalar(integer(value)?)),
    }
}

/// Returns an axis; before the first there is none either.
fn axis(value: &Value, dims: usize) -> Result<usize, Refusal> {
    usize::try_from(integer(value)?)
        .map_err(|_| GeometryError::NoSuchAxis { axis: usize::MAX, dims }.into())
}

/// Returns the dims of a recorded coordinate or region.
pub(super) fn dims(value: &Value) -> Option<usize> {
    entries(value).or_else(|| Some(region_entries(value)?.1)).map(Vec::len)
}
