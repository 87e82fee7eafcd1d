//! What an array is, as Python sees it.

use ::geometry::{LengthUnit, VoxelGrid, WorldUnit};
use array_core::{ArrayExt, ArrayInfo, DType, is_channel_axis};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde_json::{Map, Value};
use std::sync::Arc;

use crate::arguments::{decimals, names};
use crate::errors::raise;

/// What callers say about an array that has no metadata of its own.
pub(crate) fn described(
    py: Python<'_>,
    dtype: DType,
    shape: &[usize],
    said: &Bound<'_, PyDict>,
) -> PyResult<ArrayInfo> {
    let get = |key: &str| Ok::<_, PyErr>(said.get_item(key)?.filter(|value| !value.is_none()));
    let axes = match get("axes")? {
        Some(axes) => names(&axes)?,
        None => usual_axes(shape.len()),
    };
    let spatial = axes.iter().filter(|axis| !is_channel_axis(axis)).count();
    let numbers = |key: &str, usual: i32| match get(key)? {
        Some(values) => decimals(&values),
        None => Ok(vec![::geometry::Decimal::from(i64::from(usual)); spatial]),
    };
    let (voxel_size, offset) = (numbers("voxel_size", 1)?, numbers("offset", 0)?);
    let unit = match get("unit")? {
        Some(unit) => unit.extract::<String>()?.parse::<LengthUnit>().map_err(raise(py))?,
        None => LengthUnit::Unknown,
    };
    let unit = WorldUnit::fit(unit, &[&voxel_size[..], &offset[..]].concat()).map_err(raise(py))?;
    let corner = unit.coordinate(&offset).map_err(raise(py))?;
    let voxel_size = unit.coordinate(&voxel_size).map_err(raise(py))?;
    let voxel_size = ::geometry::VoxelSize::new(voxel_size).map_err(raise(py))?;
    let grid = VoxelGrid::new(corner, voxel_size).map_err(raise(py))?;
    let mut info = ArrayInfo::new(dtype, &axes, shape, grid).map_err(raise(py))?.with_unit(unit);
    if let Some(blocks) = get("chunk_shape")? {
        info = info.with_block_shape(&blocks.extract::<Vec<usize>>()?).map_err(raise(py))?;
    }
    if let Some(attrs) = get("attrs")? {
        let attrs: Map<String, Value> =
            serde_json::from_str(&attrs.extract::<String>()?).map_err(raise(py))?;
        info = info.with_attrs(Arc::new(attrs));
    }
    Ok(info)
}

/// `z, y, x`, or as many of them as there are.
fn usual_axes(dims: usize) -> Vec<String> {
    let names = ["z", "y", "x"];
    match names.len().checked_sub(dims) {
        Some(skipped) => names[skipped..].iter().map(|&name| name.to_owned()).collect(),
        None => (0..dims).map(|axis| format!("d{axis}")).collect(),
    }
}

/// What an array is, as a dictionary.
pub(crate) fn dictionary<'py>(
    py: Python<'py>,
    array: &dyn array_core::Array,
) -> PyResult<Bound<'py, PyDict>> {
    let info = array.info();
    let said = PyDict::new(py);
    let unit = info.unit();
    said.set_item("axes", info.axes())?;
    said.set_item("shape", pyo3::types::PyTuple::new(py, info.shape())?)?;
    said.set_item("dims", info.dims())?;
    said.set_item("dtype", info.dtype().name())?;
    said.set_item("voxel_size", array.voxel_size().as_coordinate().as_slice().to_vec())?;
    said.set_item("roi", crate::arguments::pair(py, info.roi())?)?;
    said.set_item("world_unit", unit.to_string())?;
    said.set_item("unit", unit.unit().name())?;
    said.set_item("exponent", unit.exponent())?;
    said.set_item("num_channels", info.num_channels())?;
    said.set_item("channels", info.channel_names())?;
    said.set_item("chunk_shape", info.block_shape().to_vec())?;
    said.set_item("chunk_inside", info.blocks().inside().to_vec())?;
    said.set_item("writable", array.writable())?;
    said.set_item("virtual", array.is_virtual())?;
    said.set_item("kind", array.kind())?;
    Ok(said)
}
