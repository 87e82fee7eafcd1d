//! The engine of the Python package `voxmask`, as its module `_native`.
//!
//! It holds no logic: it converts arguments, forwards them, and converts what comes back. What users see is
//! in the Python files beside it; nothing here is meant to be called by anyone else.

#![allow(missing_docs, reason = "the Python files document what users see")]

mod arguments;
mod array;
mod crop;
mod elements;
mod errors;
mod foreign;
mod geometry;
mod info;
mod memory;
mod open;
mod sampler;
mod threads;
mod truth;
mod write;

use pyo3::prelude::*;

#[pymodule]
mod _native {
    #[pymodule_export]
    use super::array::NativeArray;
    #[pymodule_export]
    use super::crop::NativeCrop;
    #[pymodule_export]
    use super::foreign::{from_numpy, from_protocol};
    #[pymodule_export]
    use super::geometry::{
        coordinate, coordinate_abs, coordinate_add, coordinate_ceil_division,
        coordinate_floor_division, coordinate_is_multiple_of, coordinate_mod, coordinate_mul,
        coordinate_neg, coordinate_pow, coordinate_round_division, coordinate_squeeze,
        coordinate_sub, coordinate_truediv, roi, roi_add, roi_blocks, roi_center, roi_contains,
        roi_contains_roi, roi_end, roi_floordiv, roi_grow, roi_intersect, roi_intersects,
        roi_is_empty, roi_mod, roi_mul, roi_parse, roi_size, roi_snap_to_grid, roi_squeeze,
        roi_sub, roi_text, roi_to_slices, roi_truediv, roi_union,
    };
    #[pymodule_export]
    use super::memory::{memory_limit, set_memory_limit};
    #[pymodule_export]
    use super::open::open;
    #[pymodule_export]
    use super::sampler::NativeSampler;
    #[pymodule_export]
    use super::threads::{num_threads, set_num_threads};
    #[pymodule_export]
    use super::truth::{NativeTruth, binarize};
    #[pymodule_export]
    use super::write::write;
}
