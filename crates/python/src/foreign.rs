//! Arrays that live in Python: NumPy's, and any object that is read by region.

use std::sync::Arc;

use ::geometry::Window;
use array_core::{Array, ArrayError, ArrayInfo, Block, DType, Visitor};
use numpy::{PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arguments::{pair, region};
use crate::array::NativeArray;
use crate::elements::NumpyArray;
use crate::errors::{named, wrong_type};
use crate::info::described;
use crate::threads::Nearness;

/// A NumPy array, read where it is.
#[derive(Debug)]
struct InNumpy {
    info: ArrayInfo,
    voxels: NumpyArray,
}

impl Array for InNumpy {
    fn info(&self) -> &ArrayInfo {
        &self.info
    }

    fn visit(&self, window: &Window, visitor: &mut Visitor<'_>) -> Result<(), ArrayError> {
        Python::attach(|py| {
            let readable = self.voxels.readable(py).map_err(|error| failed(window, error))?;
            let mut view = readable.view();
            let axes = window.start().iter().zip(window.shape());
            for (axis, (&start, &len)) in axes.enumerate() {
                view = view.slice_axis(self.info.channel_dims().saturating_add(axis), start, len);
            }
            py.detach(|| visitor(Block::Voxels(view)))
        })
    }

    fn kind(&self) -> &'static str {
        "a NumPy array"
    }
}

/// An object whose `object[roi]` are the voxels of a region, as those of funlib.persistence.
#[derive(Debug)]
struct InPython {
    info: ArrayInfo,
    object: Py<PyAny>,
    /// The class of its regions: such objects ask whether a key is one.
    region: Py<PyAny>,
}

impl InPython {
    fn block(&self, py: Python<'_>, window: &Window) -> PyResult<NumpyArray> {
        let roi = self.info.grid().roi(window).map_err(crate::errors::raise(py))?;
        let key = self.region.bind(py).call1(pair(py, &roi)?)?;
        let voxels = self.object.bind(py).get_item(key)?;
        let numpy = py.import("numpy")?;
        let voxels = numpy.call_method1("asarray", (voxels,))?;
        // Copies only what is not aligned in memory, or in another byte order.
        let native = voxels.getattr("dtype")?.call_method1("newbyteorder", ("=",))?;
        let voxels = numpy.call_method1("require", (voxels, native, "A"))?;
        let shape = [self.info.channel_shape(), window.shape()].concat();
        let found = voxels.getattr("shape")?.extract::<Vec<usize>>()?;
        if found != shape {
            let message = format!("it gave the shape {found:?} instead of {shape:?}");
            return Err(PyValueError::new_err(message));
        }
        let voxels = NumpyArray::new(&voxels)?;
        if voxels.dtype() != self.info.dtype() {
            let (found, said) = (voxels.dtype(), self.info.dtype());
            return Err(PyValueError::new_err(format!("it gave {found} instead of {said}")));
        }
        Ok(voxels)
    }
}

impl Array for InPython {
    fn info(&self) -> &ArrayInfo {
        &self.info
    }

    fn visit(&self, window: &Window, visitor: &mut Visitor<'_>) -> Result<(), ArrayError> {
        Python::attach(|py| {
            let block = self.block(py, window).map_err(|error| failed(window, error))?;
            let readable = block.readable(py).map_err(|error| failed(window, error))?;
            let view = readable.view();
            py.detach(|| visitor(Block::Voxels(view)))
        })
    }

    fn kind(&self) -> &'static str {
        "an array of another Python package"
    }
}

fn failed(window: &Window, error: PyErr) -> ArrayError {
    ArrayError::source(format!("the voxels {window} could not be read from Python"), error)
}

/// A NumPy array with a place in the world; see `voxmask.from_numpy`.
#[pyfunction]
pub(crate) fn from_numpy(
    py: Python<'_>,
    array: &Bound<'_, PyAny>,
    said: &Bound<'_, PyDict>,
) -> PyResult<NativeArray> {
    let voxels = NumpyArray::new(array)?;
    let shape = array.cast::<PyUntypedArray>()?.shape().to_vec();
    let info = described(py, voxels.dtype(), &shape, said)?;
    Ok(NativeArray::new(Arc::new(InNumpy { info, voxels }), Nearness::Local))
}

/// An object with `object[roi]`, `roi`, `voxel_size`, `dtype`, `shape`; `said` is what else it tells.
#[pyfunction]
pub(crate) fn from_protocol(
    py: Python<'_>,
    object: &Bound<'_, PyAny>,
    said: &Bound<'_, PyDict>,
) -> PyResult<NativeArray> {
    let dtype = py.import("numpy")?.call_method1("dtype", (object.getattr("dtype")?,))?;
    let text = dtype.call_method1("newbyteorder", ("=",))?.str()?.to_string();
    let dtype: DType = text.parse().map_err(|_| {
        wrong_type(format!("elements of type {text} are not supported: booleans and numbers are"))
    })?;
    let shape = object.getattr("shape")?.extract::<Vec<usize>>()?;
    let info = described(py, dtype, &shape, said)?;
    let found = region(&object.getattr("roi")?)?;
    if found != *info.roi() {
        let message =
            format!("its region {found} is not that of its shape and voxel size, {}", info.roi());
        return Err(named(py, "ArgumentError", &message));
    }
    let region = object.getattr("roi")?.get_type().into_any().unbind();
    let array = InPython { info, object: object.clone().unbind(), region };
    Ok(NativeArray::new(Arc::new(array), Nearness::Python))
}
