//! Crops in which each class has an array of its own.

use std::sync::Arc;

use annotation_mask::{CropClass, CropGroup};
use array_core::{Array, ArrayError, ArrayExt};
use pyo3::prelude::*;

use crate::arguments::region;
use crate::array::NativeArray;
use crate::errors::raise;
use crate::threads::Nearness;

/// A crop of the engine.
#[pyclass(frozen, module = "voxmask._native")]
pub(crate) struct NativeCrop {
    pub(crate) crop: Arc<CropGroup<Arc<dyn Array>>>,
    pub(crate) nearness: Nearness,
}

#[pymethods]
impl NativeCrop {
    fn name(&self) -> &str {
        self.crop.name()
    }

    fn class_names(&self) -> Vec<String> {
        self.crop.class_names().to_vec()
    }

    fn attrs(&self) -> String {
        serde_json::Value::Object((**self.crop.attrs()).clone()).to_string()
    }

    /// The array of the class `name`; none if the crop has none of that name.
    fn class_array(&self, name: &str) -> Option<NativeArray> {
        let class = self.crop.classes().iter().find(|class| class.name == name)?;
        Some(NativeArray::new(Arc::clone(&class.array), self.nearness))
    }

    fn crop(&self, py: Python<'_>, roi: &Bound<'_, PyAny>) -> PyResult<Self> {
        let roi = region(roi)?;
        let class = |class: &CropClass<Arc<dyn Array>>| {
            let array: Arc<dyn Array> = Arc::new(Arc::clone(&class.array).crop(&roi)?);
            Ok::<_, ArrayError>(CropClass { array, ..class.clone() })
        };
        let classes: Result<_, _> = self.crop.classes().iter().map(class).collect();
        let (name, attrs) = (self.crop.name(), Arc::clone(self.crop.attrs()));
        let table = self.crop.table().cloned();
        let crop = CropGroup::new(name, attrs, classes.map_err(raise(py))?, table);
        Ok(Self { crop: Arc::new(crop.map_err(raise(py))?), nearness: self.nearness })
    }
}
