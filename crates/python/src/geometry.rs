//! Arithmetic of coordinates and regions, which Python sees as tuples and pairs of tuples.

use ::geometry::{Roi, Snap};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::arguments::{axis, bounded, entries, operand, pair, region, tuple, voxel_size};
use crate::errors::raise;

type Pair<'py> = PyResult<(Bound<'py, PyTuple>, Bound<'py, PyTuple>)>;

/// Functions of two coordinates, or of a coordinate and a number.
macro_rules! coordinate_functions {
    ($($name:ident $method:ident,)+) => {$(
        #[pyfunction]
        pub(crate) fn $name<'py>(
            left: &Bound<'py, PyAny>,
            right: &Bound<'py, PyAny>,
        ) -> PyResult<Bound<'py, PyTuple>> {
            let py = left.py();
            tuple(py, &entries(left)?.$method(operand(right)?).map_err(raise(py))?)
        }
    )+};
}
coordinate_functions! {
    coordinate_add checked_add,
    coordinate_sub checked_sub,
    coordinate_mul checked_mul,
    coordinate_truediv checked_div,
    coordinate_floor_division floor_div,
    coordinate_ceil_division ceil_div,
    coordinate_round_division round_div,
    coordinate_mod checked_rem,
    coordinate_pow checked_pow,
}

#[pyfunction]
pub(crate) fn coordinate<'py>(values: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyTuple>> {
    tuple(values.py(), &entries(values)?)
}

#[pyfunction]
pub(crate) fn coordinate_neg<'py>(value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyTuple>> {
    tuple(value.py(), &entries(value)?.checked_neg().map_err(raise(value.py()))?)
}

#[pyfunction]
pub(crate) fn coordinate_abs<'py>(value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyTuple>> {
    tuple(value.py(), &entries(value)?.checked_abs().map_err(raise(value.py()))?)
}

#[pyfunction]
pub(crate) fn coordinate_squeeze<'py>(
    value: &Bound<'py, PyAny>,
    dim: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyTuple>> {
    let coordinate = entries(value)?;
    let axis = axis(dim, coordinate.dims())?;
    tuple(value.py(), &coordinate.squeeze(axis).map_err(raise(value.py()))?)
}

#[pyfunction]
pub(crate) fn coordinate_is_multiple_of(
    left: &Bound<'_, PyAny>,
    right: &Bound<'_, PyAny>,
) -> PyResult<bool> {
    entries(left)?.is_multiple_of(operand(right)?).map_err(raise(left.py()))
}

/// Functions of a region and a coordinate or number.
macro_rules! roi_functions {
    ($($name:ident $method:ident,)+) => {$(
        #[pyfunction]
        pub(crate) fn $name<'py>(
            left: &Bound<'py, PyAny>,
            right: &Bound<'py, PyAny>,
        ) -> Pair<'py> {
            let py = left.py();
            pair(py, &region(left)?.$method(operand(right)?).map_err(raise(py))?)
        }
    )+};
}
roi_functions! {
    roi_add checked_add,
    roi_sub checked_sub,
    roi_mul checked_mul,
    roi_truediv checked_div,
    roi_floordiv floor_div,
    roi_mod checked_rem,
}

#[pyfunction]
pub(crate) fn roi<'py>(offset: &Bound<'py, PyAny>, shape: &Bound<'py, PyAny>) -> Pair<'py> {
    let py = offset.py();
    let roi = Roi::from_parts(entries(offset)?, entries(shape)?).map_err(raise(py))?;
    pair(py, &roi)
}

#[pyfunction]
pub(crate) fn roi_parse<'py>(py: Python<'py>, text: &str) -> Pair<'py> {
    let roi: Roi = text.parse().map_err(raise(py))?;
    pair(py, &roi)
}

#[pyfunction]
pub(crate) fn roi_text(roi: &Bound<'_, PyAny>) -> PyResult<String> {
    Ok(region(roi)?.to_string())
}

#[pyfunction]
pub(crate) fn roi_end<'py>(roi: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyTuple>> {
    tuple(roi.py(), &region(roi)?.partial_end())
}

#[pyfunction]
pub(crate) fn roi_center<'py>(roi: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyTuple>> {
    tuple(roi.py(), &region(roi)?.partial_center())
}

#[pyfunction]
pub(crate) fn roi_size(roi: &Bound<'_, PyAny>) -> PyResult<Option<u64>> {
    let region = region(roi)?;
    if region.is_unbounded() {
        return Ok(None);
    }
    region.size().map(Some).map_err(raise(roi.py()))
}

#[pyfunction]
pub(crate) fn roi_is_empty(roi: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(region(roi)?.is_empty())
}

#[pyfunction]
pub(crate) fn roi_to_slices(roi: &Bound<'_, PyAny>) -> PyResult<Vec<(Option<i64>, Option<i64>)>> {
    Ok(region(roi)?.to_slices())
}

#[pyfunction]
pub(crate) fn roi_squeeze<'py>(roi: &Bound<'py, PyAny>, dim: &Bound<'py, PyAny>) -> Pair<'py> {
    let region = region(roi)?;
    let axis = axis(dim, region.dims())?;
    pair(roi.py(), &region.squeeze(axis).map_err(raise(roi.py()))?)
}

#[pyfunction]
pub(crate) fn roi_contains(roi: &Bound<'_, PyAny>, point: &Bound<'_, PyAny>) -> PyResult<bool> {
    region(roi)?.contains(entries(point)?).map_err(raise(roi.py()))
}

#[pyfunction]
pub(crate) fn roi_contains_roi(roi: &Bound<'_, PyAny>, other: &Bound<'_, PyAny>) -> PyResult<bool> {
    region(roi)?.contains_roi(&region(other)?).map_err(raise(roi.py()))
}

#[pyfunction]
pub(crate) fn roi_intersects(roi: &Bound<'_, PyAny>, other: &Bound<'_, PyAny>) -> PyResult<bool> {
    region(roi)?.intersects(&region(other)?).map_err(raise(roi.py()))
}

#[pyfunction]
pub(crate) fn roi_intersect<'py>(roi: &Bound<'py, PyAny>, other: &Bound<'py, PyAny>) -> Pair<'py> {
    pair(roi.py(), &region(roi)?.intersect(&region(other)?).map_err(raise(roi.py()))?)
}

#[pyfunction]
pub(crate) fn roi_union<'py>(roi: &Bound<'py, PyAny>, other: &Bound<'py, PyAny>) -> Pair<'py> {
    pair(roi.py(), &region(roi)?.union(&region(other)?).map_err(raise(roi.py()))?)
}

#[pyfunction]
pub(crate) fn roi_grow<'py>(
    roi: &Bound<'py, PyAny>,
    below: &Bound<'py, PyAny>,
    above: &Bound<'py, PyAny>,
) -> Pair<'py> {
    let grown = region(roi)?.grow(operand(below)?, operand(above)?);
    pair(roi.py(), &grown.map_err(raise(roi.py()))?)
}

#[pyfunction]
pub(crate) fn roi_snap_to_grid<'py>(
    roi: &Bound<'py, PyAny>,
    voxels: &Bound<'py, PyAny>,
    mode: &str,
) -> Pair<'py> {
    let mode = match mode {
        "grow" => Snap::Grow,
        "shrink" => Snap::Shrink,
        "closest" => Snap::Closest,
        other => {
            let message = format!("{other:?} is not a mode: grow, shrink or closest");
            return Err(PyValueError::new_err(message));
        }
    };
    let snapped = region(roi)?.snap_to_grid(&voxel_size(voxels)?, mode);
    pair(roi.py(), &snapped.map_err(raise(roi.py()))?)
}

/// The parts of a region that lie in one block each, one after another: there may be very many.
#[pyclass]
pub(crate) struct RoiBlocks(::geometry::RoiBlocks);

#[pymethods]
impl RoiBlocks {
    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__<'py>(&mut self, py: Python<'py>) -> Option<Pair<'py>> {
        self.0.next().map(|block| pair(py, &block))
    }
}

/// Of blocks of a shape that begin at an origin.
#[pyfunction]
pub(crate) fn roi_blocks(
    roi: &Bound<'_, PyAny>,
    shape: &Bound<'_, PyAny>,
    origin: &Bound<'_, PyAny>,
) -> PyResult<RoiBlocks> {
    let origin = bounded(origin)?;
    let blocks = region(roi)?.blocks(&voxel_size(shape)?, &origin);
    Ok(RoiBlocks(blocks.map_err(raise(roi.py()))?))
}
