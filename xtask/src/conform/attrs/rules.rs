//! Why an answer about attributes can differ.
//!
//! A difference has a rule only if the recorded answer is the one that the version of the original
//! must give, and ours is the one that is promised: then the first habit of the original that made the
//! answers part names it.

use geometry::Decimal;
use serde_json::Value;
use zarr_source::ZarrError;

use super::contract::{self, Fault, Promise};
use super::model::{Answer, Cause, Failure, Modelled};
use super::python::reversed;
use crate::conform::report::Rule;

pub(crate) const RULES: &[Rule] = &[
    Rule {
        name: "keys_of_other_tools_understood",
        reason: "each version of the original knows only some of the spellings and takes voxel size 1 or \
                 offset 0 for the others; all are read here",
    },
    Rule {
        name: "no_silent_voxel_size",
        reason: "where nothing says a voxel size, the original takes 1; here it is an error",
    },
    Rule {
        name: "exact_geometry",
        reason: "the original truncates voxel sizes and offsets to integers, or rounds offsets to a \
                 multiple of the voxel size; they are exact here",
    },
    Rule {
        name: "decimals_only",
        reason: "a number that is no decimal fraction, such as 16/3, has no exact place and is an error; \
                 the original truncates it",
    },
    Rule {
        name: "beyond_64_bits",
        reason: "numbers have 64 bits, and what does not fit is an error; the original's have no limit",
    },
    Rule {
        name: "malformed_is_refused",
        reason: "a value that is no list of positive numbers, one for each axis, is an error; the original \
                 guesses or takes a part of it, or does not read it",
    },
    Rule {
        name: "missing_key_is_no_error",
        reason: "the old version fails where a unit, or the translation of a transform, is missing; here \
                 the unit is unknown, and reported, and the offset 0",
    },
    Rule {
        name: "null_is_absent",
        reason: "the original fails on some values that are null; they count as absent here",
    },
    Rule {
        name: "one_text_for_all_axes",
        reason: "one unit for all axes, or their names in one text, are read here; the new version fails \
                 on them",
    },
    Rule {
        name: "unneeded_key_is_ignored",
        reason: "the original fails on a value of the wrong form although another key says all that is \
                 needed; here that is no error, but reported",
    },
    Rule {
        name: "keys_of_the_group_unread",
        reason: "of the group that holds the array, `resolution` and `multiscales` give a voxel size; the \
                 old version also takes its `scale`, `pixelResolution` and `transform`, where here it is an \
                 error that nothing was found",
    },
    Rule {
        name: "pixels_are_x_first",
        reason: "`pixelResolution` lists x before y and z; the original takes it in the order of the array",
    },
    Rule {
        name: "units_are_converted",
        reason: "where axes have different units, all are converted to the finest; the original does not \
                 look at units",
    },
    Rule {
        name: "lengths_follow_the_axes",
        reason: "lists may name channels or leave them out, and a missing list gets an entry for each \
                 axis; the original fails where two of them differ in length",
    },
    Rule {
        name: "memory_order_is_not_axis_order",
        reason: "the original reverses lists by the memory order or an attribute `order`; only \
                 `transform` has an order of its own here",
    },
    Rule {
        name: "channel_axes_have_no_place",
        reason: "an axis named as a channel (or sample) takes no part in voxel size, offset and dims; the \
                 original counts it as one of space",
    },
    Rule {
        name: "axes_match_the_array",
        reason: "names that do not fit the array are an error, and the usual ones stand where none are \
                 given; the original reports what it finds under one key, or names of its own making",
    },
];

/// Names the difference between an answer of the original and the one that is promised.
pub(super) fn name(original: &Modelled, promised: &Result<Promise, Fault>) -> Option<&'static str> {
    match (original, promised) {
        (Err(Failure { cause, .. }), Ok(_)) => of_failure(*cause),
        (Ok(original), Err(fault)) => of_refusal(original, *fault),
        (Ok(original), Ok(promised)) => of_places(original, promised),
        (Err(_), Err(_)) => None,
    }
}

fn of_failure(cause: Cause) -> Option<&'static str> {
    match cause {
        Cause::MissingKey("unit" | "units" | "axes" | "translate") => {
            Some("missing_key_is_no_error")
        }
        Cause::Null => Some("null_is_absent"),
        Cause::Fraction => Some("exact_geometry"),
        Cause::Lengths => Some("lengths_follow_the_axes"),
        Cause::OneText => Some("one_text_for_all_axes"),
        Cause::Malformed | Cause::MissingKey(_) => Some("unneeded_key_is_ignored"),
    }
}

fn of_refusal(original: &Answer, fault: Fault) -> Option<&'static str> {
    match fault {
        Fault::NoVoxelSize if original.size_from == "default" => Some("no_silent_voxel_size"),
        // A `scale` that is no list may mean anything.
        Fault::NoVoxelSize if original.size_from == "scale" => Some("malformed_is_refused"),
        Fault::NoVoxelSize => {
            original.size_from.starts_with("parent ").then_some("keys_of_the_group_unread")
        }
        Fault::Malformed => Some("malformed_is_refused"),
        Fault::Axes => Some("axes_match_the_array"),
        Fault::NotDecimal => Some("decimals_only"),
        Fault::Beyond64Bits => Some("beyond_64_bits"),
        Fault::Unsupported => None,
    }
}

fn of_places(original: &Answer, promised: &Promise) -> Option<&'static str> {
    let dims = promised.voxel_size.len();
    let place = &original.place;
    let same_integers = |integers: &[i128], exact: &[Decimal]| {
        integers.iter().map(i128::to_string).eq(exact.iter().map(Decimal::to_string))
    };
    let same_numbers = same_integers(&place.voxel_size, &promised.voxel_size)
        && same_integers(&place.offset, &promised.offset);
    let read_elsewhere =
        original.size_from != promised.size_from || original.offset_from != promised.offset_from;
    // Whether nothing but the later steps of the original lies between a list and ours.
    let same = |list: &Value, exact: &[Decimal], usual: i64| {
        let usual = || vec![Decimal::from(usual); dims];
        contract::exact(list).unwrap_or_else(usual).ends_with(exact)
    };
    let is_ours = |(size, offset): &(Value, Value)| {
        same(size, &promised.written.0, 1) && same(offset, &promised.written.1, 0)
    };
    let backwards = |(size, offset): &(Value, Value)| {
        let backwards = |list: &Value| reversed(list).unwrap_or_default();
        (backwards(size), backwards(offset))
    };
    let converted =
        (&promised.written.0, &promised.written.1) != (&promised.voxel_size, &promised.offset);
    match () {
        () if promised.channel_dims > 0 && place.voxel_size.len() > dims => {
            Some("channel_axes_have_no_place")
        }
        () if same_numbers => Some("axes_match_the_array"),
        () if converted && (is_ours(&original.turned) || is_ours(&original.read)) => {
            Some("units_are_converted")
        }
        () if is_ours(&original.turned) => Some("exact_geometry"),
        () if is_ours(&original.read) => Some("memory_order_is_not_axis_order"),
        () if read_elsewhere || promised.order_key == Some("order") => {
            Some("keys_of_other_tools_understood")
        }
        () if promised.size_from == "pixelResolution" => Some("pixels_are_x_first"),
        () if is_ours(&backwards(&original.turned)) => Some("memory_order_is_not_axis_order"),
        () => None,
    }
}

/// Whether an error of ours says what is wrong.
pub(super) fn says(error: &ZarrError, fault: Fault) -> bool {
    match error {
        ZarrError::NoGeometry { .. } => fault == Fault::NoVoxelSize,
        ZarrError::MetadataMalformed { .. } => {
            matches!(
                fault,
                Fault::Malformed | Fault::Axes | Fault::NotDecimal | Fault::Beyond64Bits
            )
        }
        ZarrError::Geometry { .. } => matches!(fault, Fault::NotDecimal | Fault::Beyond64Bits),
        ZarrError::Unsupported { .. } => matches!(fault, Fault::Axes | Fault::Unsupported),
        ZarrError::Description { .. } => matches!(fault, Fault::Axes | Fault::Beyond64Bits),
        _ => false,
    }
}
