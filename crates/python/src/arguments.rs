//! What callers pass: coordinates, regions and numbers, of whatever type has their form.

use ::geometry::{Coordinate, Decimal, Operand, PartialCoordinate, Roi, VoxelSize};
use pyo3::conversion::FromPyObjectOwned;
use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyInt, PyString, PyTuple};

use crate::errors::{exception, named, raise, wrong_type};

/// A whole number: an `int`, anything with `__index__`, or a number of another type without a fraction.
pub(crate) fn integer(value: &Bound<'_, PyAny>) -> PyResult<i64> {
    let py = value.py();
    match value.extract::<i64>() {
        Ok(number) => return Ok(number),
        Err(error) if error.is_instance_of::<PyOverflowError>(py) => return Err(too_large(value)),
        Err(_) => {}
    }
    // Text can be turned into a number, but is not equal to it.
    let whole = py.get_type::<PyInt>().call1((value,)).ok();
    match whole.filter(|whole| whole.eq(value).unwrap_or(false)) {
        Some(whole) => whole.extract::<i64>().map_err(|_| too_large(value)),
        None => Err(wrong_type(format!("{} is not a whole number", value.repr()?))),
    }
}

/// The number of an axis.
pub(crate) fn axis(value: &Bound<'_, PyAny>, dims: usize) -> PyResult<usize> {
    let number = integer(value).ok().and_then(|number| usize::try_from(number).ok());
    number.filter(|&axis| axis < dims).ok_or_else(|| {
        let message = format!("there is no axis {value} among {dims} dims");
        named(value.py(), "GeometryError", &message)
    })
}

fn too_large(value: &Bound<'_, PyAny>) -> PyErr {
    exception(value.py(), &::geometry::GeometryError::Overflow { expression: value.to_string() })
}

/// One number for each axis, none where it is unbounded; from any iterable of numbers and `None`.
pub(crate) fn entries(value: &Bound<'_, PyAny>) -> PyResult<PartialCoordinate> {
    let Ok(items) = value.try_iter() else {
        return Err(wrong_type(format!("{} is not one number for each axis", value.repr()?)));
    };
    let mut numbers = Vec::new();
    for item in items {
        let item = item?;
        numbers.push(if item.is_none() { None } else { Some(integer(&item)?) });
        if numbers.len() > ::geometry::MAX_DIMS {
            break;
        }
    }
    PartialCoordinate::new(&numbers).map_err(raise(value.py()))
}

/// The same, without unbounded axes.
pub(crate) fn bounded(value: &Bound<'_, PyAny>) -> PyResult<Coordinate> {
    entries(value)?.to_coordinate().map_err(raise(value.py()))
}

pub(crate) fn voxel_size(value: &Bound<'_, PyAny>) -> PyResult<VoxelSize> {
    VoxelSize::new(bounded(value)?).map_err(raise(value.py()))
}

/// The right side of arithmetic: one number for all axes, or one for each.
pub(crate) fn operand(value: &Bound<'_, PyAny>) -> PyResult<Operand<PartialCoordinate>> {
    if value.hasattr("__iter__")? {
        return Ok(Operand::PerAxis(entries(value)?));
    }
    Ok(Operand::Scalar(integer(value)?))
}

/// A region: anything with `begin` and `shape`, or a pair of offset and shape.
pub(crate) fn region(value: &Bound<'_, PyAny>) -> PyResult<Roi> {
    let (offset, shape) = if value.hasattr("begin")? && value.hasattr("shape")? {
        (value.getattr("begin")?, value.getattr("shape")?)
    } else if let Ok((offset, shape)) = value.extract::<(Bound<'_, PyAny>, Bound<'_, PyAny>)>() {
        (offset, shape)
    } else {
        let got = value.repr()?;
        return Err(wrong_type(format!("{got} is not a region: a Roi, or a pair (offset, shape)")));
    };
    Roi::from_parts(entries(&offset)?, entries(&shape)?).map_err(raise(value.py()))
}

pub(crate) fn regions(values: &Bound<'_, PyAny>) -> PyResult<Vec<Roi>> {
    values.try_iter()?.map(|value| region(&value?)).collect()
}

/// Numbers with their shortest decimals: `float`, `int`, `str`, `Decimal`, NumPy's.
pub(crate) fn decimals(value: &Bound<'_, PyAny>) -> PyResult<Vec<Decimal>> {
    if value.is_instance_of::<PyString>() {
        return Err(wrong_type(format!("{} is not one number for each axis", value.repr()?)));
    }
    let number = |item: PyResult<Bound<'_, PyAny>>| {
        let item = item?;
        let text = item.str()?.to_string();
        let parsed: Result<Decimal, _> = text.parse();
        parsed.map_err(|error| exception(value.py(), &error))
    };
    value.try_iter()?.map(number).collect()
}

/// A coordinate as a tuple.
pub(crate) fn tuple<'py>(
    py: Python<'py>,
    coordinate: &PartialCoordinate,
) -> PyResult<Bound<'py, PyTuple>> {
    PyTuple::new(py, coordinate.as_slice())
}

/// A region as its offset and its shape.
pub(crate) fn pair<'py>(
    py: Python<'py>,
    roi: &Roi,
) -> PyResult<(Bound<'py, PyTuple>, Bound<'py, PyTuple>)> {
    Ok((tuple(py, &roi.partial_begin())?, tuple(py, &roi.partial_shape())?))
}

/// Fails for text where a list is meant.
pub(crate) fn names(value: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
    value.extract().map_err(|_| PyTypeError::new_err(format!("{value} is not a list of names")))
}

/// What is said under a key, if anything is.
pub(crate) fn maybe<'py, T>(said: &Bound<'py, PyDict>, key: &str) -> PyResult<Option<T>>
where
    T: FromPyObjectOwned<'py>,
{
    match said.get_item(key)? {
        Some(value) if !value.is_none() => value.extract().map(Some).map_err(Into::into),
        _ => Ok(None),
    }
}

/// What must be said under a key: the Python files always do.
pub(crate) fn get<'py, T>(said: &Bound<'py, PyDict>, key: &str) -> PyResult<T>
where
    T: FromPyObjectOwned<'py>,
{
    let missing = || pyo3::exceptions::PyKeyError::new_err(key.to_owned());
    maybe(said, key)?.ok_or_else(missing)
}
