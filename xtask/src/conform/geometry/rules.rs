//! Where our answers differ from the recorded ones, and why.
//!
//! A rule looks at the inputs and at both answers, never at a place in a file. The first that
//! applies gives the difference its name.

use geometry::GeometryError;
use serde_json::Value;

use super::{
    super::report::Rule,
    evaluate::dims,
    vector::{Refusal, Vector, entries, region_entries},
};

/// Every deliberate difference.
pub(crate) const RULES: &[Rule] = &[
    Rule {
        name: "axis_without_place_refused",
        reason: "a region with a size but no offset along an axis lies nowhere; the original reads the missing offset \
                 as minus infinity in one operation and as nothing in the next",
    },
    Rule {
        name: "negative_shape_refused",
        reason: "a region cannot end before it begins; the original computes on with negative sizes",
    },
    Rule {
        name: "shrinks_to_empty",
        reason: "a region without a whole voxel shrinks to an empty one; the original's gets a negative shape",
    },
    Rule {
        name: "empty_keeps_its_place",
        reason: "an empty intersection begins at the later of the two begins; the original forgets the place, after \
                 which the region contains every coordinate",
    },
    Rule {
        name: "empty_is_contained",
        reason: "a region without coordinates lies in every region; the original asks where it begins",
    },
    Rule {
        name: "empty_prints_its_place",
        reason: "the text of an empty region reads back; the original prints [empty ROI]",
    },
    Rule {
        name: "dims_must_match",
        reason: "values with different dims do not combine; the original drops the axes that one of them lacks",
    },
    Rule {
        name: "no_such_axis",
        reason: "an axis that does not exist is an error; the original removes nothing and says nothing",
    },
    Rule {
        name: "one_to_six_axes",
        reason: "a coordinate has 1 to 6 axes; the original allows none at all and any number",
    },
    Rule {
        name: "fraction_refused",
        reason: "coordinates are integers; the original takes fractions and truncates the result",
    },
    Rule {
        name: "voxel_size_is_positive",
        reason: "a voxel has a positive size along every axis; the original snaps to negative or missing ones",
    },
    Rule {
        name: "negative_divisor",
        reason: "rounding up or to the nearest is right for a negative divisor, too; the original's formula is not",
    },
    Rule {
        name: "beyond_64_bits",
        reason: "numbers have 64 bits, and what does not fit is an error; the original's have no limit",
    },
    Rule {
        name: "through_float",
        reason: "division is exact; the original's goes through a float, which loses digits beyond 2^53",
    },
];

/// Returns the name of the rule that explains a difference.
pub(super) fn explain(vector: &Vector, ours: &Result<Value, Refusal>) -> Option<&'static str> {
    match ours {
        Ok(ours) => explain_value(vector, ours),
        Err(Refusal::Geometry(error)) => explain_error(vector, error),
        Err(Refusal::Fraction) => has_number(vector, is_fraction).then_some("fraction_refused"),
        Err(Refusal::NotANumber) => None,
    }
}

/// Explains why we answer where the original answers something else.
fn explain_value(vector: &Vector, ours: &Value) -> Option<&'static str> {
    let theirs = vector.expected_value()?;
    let rule = match vector.op.as_str() {
        "roi.snap_to_grid" if shrank_to_empty(theirs, ours) => "shrinks_to_empty",
        "roi.intersect" if is_placeless_empty(theirs) && is_empty(ours) => "empty_keeps_its_place",
        "roi.contains_roi" if vector.args.first().is_some_and(is_empty) && *ours == true => {
            "empty_is_contained"
        }
        "roi.str" | "roi.repr" if is_empty(&vector.receiver) && theirs == "[empty ROI]" => {
            "empty_prints_its_place"
        }
        "coord.ceil_division" | "coord.round_division"
            if differs_by_divisor_sign(vector, theirs, ours) =>
        {
            "negative_divisor"
        }
        _ if goes_through_float(vector)
            && has_number(vector, beyond_float)
            && nearly_equal(vector, theirs, ours) =>
        {
            "through_float"
        }
        _ => return None,
    };
    Some(rule)
}

/// Explains why we refuse what the original answers, or refuses for another reason.
fn explain_error(vector: &Vector, error: &GeometryError) -> Option<&'static str> {
    let theirs = vector.expected_value();
    let regions = || vector.inputs().chain(theirs).filter_map(region_entries);
    match error {
        GeometryError::AxisWithoutPlace { .. } => {
            let lost_by_new = vector.op == "roi.new" && placeless(&vector.args);
            let placeless = |(offset, shape): (&Vec<Value>, &Vec<Value>)| {
                offset.iter().zip(shape).any(|(o, s)| o.is_null() && !s.is_null())
            };
            (lost_by_new || regions().any(placeless)).then_some("axis_without_place_refused")
        }
        GeometryError::NegativeShape { .. } => {
            let lost_by_new = vector.op == "roi.new"
                && vector.args.get(1).and_then(entries).is_some_and(|shape| has_negative(shape));
            (lost_by_new || regions().any(|(_, shape)| has_negative(shape)))
                .then_some("negative_shape_refused")
        }
        GeometryError::DimsMismatch { .. } => {
            let mut all_dims = vector.inputs().filter_map(dims);
            let first = all_dims.next();
            all_dims.any(|dims| Some(dims) != first).then_some("dims_must_match")
        }
        GeometryError::NoSuchAxis { .. } => {
            let axis = vector.args.first()?.as_i64()?;
            let exists =
                usize::try_from(axis).is_ok_and(|axis| Some(axis) < dims(&vector.receiver));
            (!exists).then_some("no_such_axis")
        }
        GeometryError::NumDims { dims } => {
            (*dims == 0 || *dims > geometry::MAX_DIMS).then_some("one_to_six_axes")
        }
        GeometryError::NotPositive { .. } | GeometryError::Unbounded { .. }
            if vector.op == "roi.snap_to_grid" =>
        {
            let voxel_size = vector.args.first().and_then(entries)?;
            (has_negative(voxel_size) || voxel_size.contains(&Value::Null))
                .then_some("voxel_size_is_positive")
        }
        GeometryError::Overflow { .. }
            if goes_through_float(vector) && has_number(vector, beyond_float) =>
        {
            Some("through_float")
        }
        GeometryError::Overflow { .. } => {
            let ends_beyond = |(offset, shape): (&Vec<Value>, &Vec<Value>)| {
                offset.iter().zip(shape).any(|(offset, shape)| {
                    offset
                        .as_i64()
                        .zip(shape.as_i64())
                        .is_some_and(|(offset, shape)| offset.checked_add(shape).is_none())
                })
            };
            // Without a limit, the original goes on to the next fault.
            (theirs.is_none() || has_number(vector, beyond_i64) || regions().any(ends_beyond))
                .then_some("beyond_64_bits")
        }
        _ => None,
    }
}

fn placeless(parts: &[Value]) -> bool {
    let [offset, shape] = parts else { return false };
    entries(offset).zip(entries(shape)).is_some_and(|(offset, shape)| {
        offset.iter().zip(shape).any(|(o, s)| o.is_null() && !s.is_null())
    })
}

fn has_negative(entries: &[Value]) -> bool {
    entries.iter().any(|entry| entry.as_f64().is_some_and(|entry| entry < 0.0))
}

fn is_empty(region: &Value) -> bool {
    region_entries(region).is_some_and(|(_, shape)| shape.iter().any(|length| *length == 0))
}

fn is_placeless_empty(region: &Value) -> bool {
    region_entries(region).is_some_and(|(offset, shape)| {
        offset.iter().all(Value::is_null) && shape.iter().all(|length| *length == 0)
    })
}

/// Returns true if the only difference is that a negative length is zero in ours.
fn shrank_to_empty(theirs: &Value, ours: &Value) -> bool {
    let (Some((their_offset, their_shape)), Some((our_offset, our_shape))) =
        (region_entries(theirs), region_entries(ours))
    else {
        return false;
    };
    has_negative(their_shape)
        && their_offset == our_offset
        && their_shape.len() == our_shape.len()
        && their_shape.iter().zip(our_shape).all(|(theirs, ours)| {
            theirs == ours || (*ours == 0 && theirs.as_i64().is_some_and(|theirs| theirs < 0))
        })
}

/// Returns true if the answers differ only where the divisor is negative.
fn differs_by_divisor_sign(vector: &Vector, theirs: &Value, ours: &Value) -> bool {
    let (Some(divisors), Some(theirs), Some(ours)) =
        (vector.args.first().and_then(entries), entries(theirs), entries(ours))
    else {
        return false;
    };
    theirs.len() == ours.len()
        && theirs.iter().zip(ours).zip(divisors).all(|((theirs, ours), divisor)| {
            theirs == ours || divisor.as_i64().is_some_and(|divisor| divisor < 0)
        })
}

/// Returns true if the original computes this with floats.
fn goes_through_float(vector: &Vector) -> bool {
    matches!(vector.op.as_str(), "coord.truediv" | "roi.truediv" | "roi.center")
        || vector.args.iter().any(Value::is_f64)
}

/// Returns true if some number among the inputs or in the recorded answer is as asked.
fn has_number(vector: &Vector, is: impl Fn(&Value) -> bool + Copy) -> bool {
    fn search(value: &Value, is: impl Fn(&Value) -> bool + Copy) -> bool {
        match value {
            Value::Array(values) => values.iter().any(|value| search(value, is)),
            Value::Object(fields) => fields.values().any(|value| search(value, is)),
            number => number.is_number() && is(number),
        }
    }
    vector.inputs().chain(vector.expected_value()).any(|value| search(value, is))
}

fn beyond_i64(number: &Value) -> bool {
    number.as_i64().is_none()
        && number.as_f64().is_some_and(|number| number.abs() >= 2.0_f64.powi(63))
}

fn beyond_float(number: &Value) -> bool {
    match number.as_i64() {
        Some(integer) => integer.unsigned_abs() > 1 << 53,
        None => number.as_f64().is_some_and(|number| number.abs() > 2.0_f64.powi(53)),
    }
}

fn is_fraction(number: &Value) -> bool {
    number.as_f64().is_some_and(|number| number.fract() != 0.0)
}

/// Returns true if two answers have the same form and their numbers agree as well as numbers do
/// that were computed from the vector's inputs with floats and then truncated.
fn nearly_equal(vector: &Vector, left: &Value, right: &Value) -> bool {
    let magnitude = vector.inputs().map(largest).fold(0.0, f64::max);
    agree(left, right, 1.0 + magnitude * 2.0 * f64::EPSILON)
}

fn agree(left: &Value, right: &Value, tolerance: f64) -> bool {
    match (left, right) {
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len()
                && left.iter().zip(right).all(|(left, right)| agree(left, right, tolerance))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(name, left)| {
                    right.get(name).is_some_and(|right| agree(left, right, tolerance))
                })
        }
        _ => match (left.as_f64(), right.as_f64()) {
            (Some(left), Some(right)) => (left - right).abs() <= tolerance,
            _ => left == right,
        },
    }
}

/// Returns the magnitude of the largest number in a value.
fn largest(value: &Value) -> f64 {
    match value {
        Value::Array(values) => values.iter().map(largest).fold(0.0, f64::max),
        Value::Object(fields) => fields.values().map(largest).fold(0.0, f64::max),
        number => number.as_f64().map_or(0.0, f64::abs),
    }
}
