//! Arrays of any kind.

use std::sync::Arc;

use ::geometry::Window;
use array_core::{AnyArray, Array, ArrayExt, Interruptible, Scalar};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::arguments::{integer, pair, region, regions};
use crate::elements::{NumpyArray, Writable, into_numpy};
use crate::errors::{named, raise};
use crate::info::dictionary;
use crate::threads::{Load, Nearness, Pace, read, run};

/// An array of the engine.
#[pyclass(frozen, module = "voxmask._native")]
pub(crate) struct NativeArray {
    pub(crate) array: Arc<dyn Array>,
    pub(crate) nearness: Nearness,
    pace: Pace,
}

impl NativeArray {
    pub(crate) fn new(array: Arc<dyn Array>, nearness: Nearness) -> Self {
        Self { array, nearness, pace: Pace::default() }
    }

    /// Computes a new array while Python goes on.
    fn compute<'py, E: std::error::Error + Send + 'static>(
        &self,
        py: Python<'py>,
        load: Load,
        work: impl FnOnce(&Interruptible<'_, &dyn Array>) -> Result<AnyArray, E> + Send,
    ) -> PyResult<Bound<'py, PyAny>> {
        let array = &*self.array;
        let result = read(py, self.nearness, load, &self.pace, |stop| {
            work(&Interruptible::new(array, stop))
        })?;
        Ok(into_numpy(py, result.map_err(raise(py))?))
    }
}

#[pymethods]
impl NativeArray {
    fn info<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        dictionary(py, &*self.array)
    }

    fn attrs(&self) -> String {
        serde_json::Value::Object(self.array.attrs().clone()).to_string()
    }

    fn read<'py>(&self, py: Python<'py>, roi: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let roi = region(roi)?;
        self.compute(py, Load::of(&*self.array, &roi), |array| array.read(&roi))
    }

    fn read_to(
        &self,
        py: Python<'_>,
        roi: &Bound<'_, PyAny>,
        out: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let (roi, mut out) = (region(roi)?, Writable::new(out)?);
        let (array, view) = (&*self.array, out.view());
        let work = |stop: &_| Interruptible::new(array, stop).read_to(&roi, view);
        read(py, self.nearness, Load::of(array, &roi), &self.pace, work)?.map_err(raise(py))
    }

    /// With a value where the region reaches beyond the array.
    fn read_padded<'py>(
        &self,
        py: Python<'py>,
        roi: &Bound<'py, PyAny>,
        fill_value: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (roi, fill) = (region(roi)?, scalar(fill_value, &*self.array)?);
        self.compute(py, Load::Large, |array| array.read_padded(&roi, fill))
    }

    /// A window of voxels, counted from the first voxel of the array.
    fn read_window<'py>(
        &self,
        py: Python<'py>,
        start: Vec<usize>,
        shape: Vec<usize>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let window = Window::new(&start, &shape).map_err(raise(py))?;
        let roi = self.array.info().grid().roi(&window).map_err(raise(py))?;
        self.compute(py, Load::of(&*self.array, &roi), |array| array.read(&roi))
    }

    fn read_many<'py>(
        &self,
        py: Python<'py>,
        rois: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let rois = regions(rois)?;
        self.compute(py, Load::Large, |array| array.read_batch(&rois))
    }

    fn read_many_to(
        &self,
        py: Python<'_>,
        rois: &Bound<'_, PyAny>,
        out: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let (rois, mut out) = (regions(rois)?, Writable::new(out)?);
        let (array, view) = (&*self.array, out.view());
        let read = |stop: &_| Interruptible::new(array, stop).read_batch_to(&rois, view);
        run(py, self.nearness, read)?.map_err(raise(py))
    }

    /// Regions of any shapes, as a list.
    fn read_each<'py>(
        &self,
        py: Python<'py>,
        rois: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyList>> {
        let (rois, array) = (regions(rois)?, &*self.array);
        let read = |stop: &_| Interruptible::new(array, stop).read_many(&rois);
        let results = run(py, self.nearness, read)?.map_err(raise(py))?;
        PyList::new(py, results.into_iter().map(|result| into_numpy(py, result)))
    }

    fn data<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.compute(py, Load::Large, |array| array.data())
    }

    fn write(
        &self,
        py: Python<'_>,
        roi: &Bound<'_, PyAny>,
        data: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let (roi, data) = (region(roi)?, NumpyArray::new(data)?);
        let data = data.readable(py)?;
        let (array, view) = (&*self.array, data.view());
        run(py, self.nearness, |_| array.write(&roi, &view))?.map_err(raise(py))
    }

    fn crop(&self, py: Python<'_>, roi: &Bound<'_, PyAny>) -> PyResult<Self> {
        let crop = Arc::clone(&self.array).crop(&region(roi)?).map_err(raise(py))?;
        Ok(Self::new(Arc::new(crop), self.nearness))
    }

    /// The region that text in declared units says.
    fn parse_roi<'py>(&self, py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyAny>> {
        let roi = self.array.unit().parse_roi(text).map_err(raise(py))?;
        Ok(pair(py, &roi)?.into_pyobject(py)?.into_any())
    }

    fn format_roi(&self, roi: &Bound<'_, PyAny>) -> PyResult<String> {
        Ok(self.array.unit().format_roi(&region(roi)?))
    }

    fn can_neuroglance(&self) -> bool {
        self.array.can_neuroglance()
    }

    fn neuroglancer_layer(&self, py: Python<'_>, source: &str) -> PyResult<String> {
        Ok(self.array.neuroglancer_layer(source).map_err(raise(py))?.to_string())
    }

    fn neuroglancer_state(&self, py: Python<'_>, source: &str) -> PyResult<String> {
        Ok(self.array.neuroglancer_state(source).map_err(raise(py))?.to_string())
    }
}

/// A number as an element of an array.
fn scalar(value: &Bound<'_, PyAny>, array: &dyn Array) -> PyResult<Scalar> {
    let dtype = array.dtype();
    let made = match Scalar::zero(dtype) {
        Scalar::F32(_) => value.extract::<f32>().ok().map(Scalar::F32),
        Scalar::F64(_) => value.extract::<f64>().ok().map(Scalar::F64),
        _ => match value.extract::<i128>() {
            Ok(number) => Scalar::from_integer(dtype, number),
            Err(_) => {
                integer(value).ok().and_then(|number| Scalar::from_integer(dtype, number.into()))
            }
        },
    };
    made.ok_or_else(|| {
        named(value.py(), "ArgumentError", &format!("{value} is not a value of type {dtype}"))
    })
}
