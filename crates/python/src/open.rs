//! Opening what lies at a path or URL.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ::geometry::LengthUnit;
use annotation_mask::ClassTable;
use array_config::Opened;
use array_core::Array;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use zarr_source::{Convention, Location, OpenOptions, StoreOptions, ZarrArray};

use crate::arguments::{decimals, maybe, names};
use crate::array::NativeArray;
use crate::crop::NativeCrop;
use crate::errors::raise;
use crate::threads::{Nearness, run};

/// What lies at a location, with what its metadata leave open: an array, or a crop.
#[pyfunction]
pub(crate) fn open<'py>(
    py: Python<'py>,
    location: &str,
    said: &Bound<'py, PyDict>,
) -> PyResult<(Bound<'py, PyAny>, Vec<String>)> {
    let location = Location::from(location);
    let nearness = if location.is_url() { Nearness::Remote } else { Nearness::Local };
    let options = options(py, said)?;
    if maybe(said, "writable")?.unwrap_or(false) {
        let opened = run(py, nearness, |_| ZarrArray::open_with(location, &options))?;
        let array = opened.and_then(ZarrArray::into_writable).map_err(raise(py))?;
        let remarks = remarks(&array);
        let array = NativeArray::new(Arc::new(array), nearness);
        return Ok((array.into_pyobject(py)?.into_any(), remarks));
    }
    let table = class_table(py, said)?;
    let shown = location.clone();
    let opened = run(py, nearness, |_| array_config::open(location, &options, table.as_ref()))?;
    Ok(match opened.map_err(raise(py))? {
        Opened::Array(array) => {
            let remarks = remarks(&array);
            let array = NativeArray::new(array as Arc<dyn Array>, nearness);
            (array.into_pyobject(py)?.into_any(), remarks)
        }
        Opened::Crop(opened) => {
            let mut all: Vec<String> = Vec::new();
            let said = opened.arrays.iter().flat_map(|array| remarks(array));
            // What all classes have in common is said once.
            for remark in said.chain(opened.crop.warnings().map(str::to_owned)) {
                if !all.contains(&remark) {
                    all.push(remark);
                }
            }
            let crop = NativeCrop { crop: Arc::new(opened.crop), nearness };
            (crop.into_pyobject(py)?.into_any(), all)
        }
        Opened::Group(_) => {
            return Err(PyValueError::new_err(format!(
                "{shown} is neither an array nor a crop: name the array in it"
            )));
        }
    })
}

fn remarks(array: &ZarrArray) -> Vec<String> {
    array.remarks().map(|remark| remark.text.clone()).collect()
}

/// The table of classes that the caller names.
pub(crate) fn class_table(
    py: Python<'_>,
    said: &Bound<'_, PyDict>,
) -> PyResult<Option<ClassTable>> {
    let Some(path) = maybe::<PathBuf>(said, "classes")? else { return Ok(None) };
    array_config::read_class_table(&path).map(Some).map_err(raise(py))
}

/// What the caller knows better than the metadata.
fn options(py: Python<'_>, said: &Bound<'_, PyDict>) -> PyResult<OpenOptions> {
    let mut options = OpenOptions::default();
    if let Some(values) = maybe::<Bound<'_, PyAny>>(said, "voxel_size")? {
        options.voxel_size = Some(decimals(&values)?);
    }
    if let Some(values) = maybe::<Bound<'_, PyAny>>(said, "offset")? {
        options.offset = Some(decimals(&values)?);
    }
    if let Some(axes) = maybe::<Bound<'_, PyAny>>(said, "axes")? {
        options.axes = Some(names(&axes)?);
    }
    if let Some(text) = maybe::<String>(said, "unit")? {
        options.unit = Some(text.parse::<LengthUnit>().map_err(raise(py))?);
    }
    if let Some(text) = maybe::<String>(said, "scale")? {
        options.level = Some(text.parse().map_err(raise(py))?);
    }
    if let Some(text) = maybe::<String>(said, "translation")? {
        options.translation = Some(match text.as_str() {
            "corner" => Convention::Corner,
            "centre" | "center" => Convention::Centre,
            other => {
                let message = format!("translation {other:?} is not \"corner\" or \"centre\"");
                return Err(PyValueError::new_err(message));
            }
        });
    }
    options.unit_voxels = maybe(said, "unit_voxels")?.unwrap_or(false);
    options.store = store(said)?;
    Ok(options)
}

/// How a container behind a URL is reached.
fn store(said: &Bound<'_, PyDict>) -> PyResult<StoreOptions> {
    let usual = StoreOptions::default();
    let timeout = match maybe::<f64>(said, "timeout")? {
        None => usual.request_timeout,
        Some(seconds) => Duration::try_from_secs_f64(seconds)
            .map_err(|error| PyValueError::new_err(format!("timeout {seconds}: {error}")))?,
    };
    Ok(StoreOptions {
        endpoint: maybe(said, "endpoint")?,
        region: maybe(said, "region")?,
        anonymous: maybe(said, "anonymous")?.unwrap_or(false),
        request_timeout: timeout,
        retries: maybe(said, "retries")?.unwrap_or(usual.retries),
    })
}
