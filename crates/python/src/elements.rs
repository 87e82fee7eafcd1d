//! Arrays of NumPy as arrays of the engine, and back.

use array_core::{AnyArray, AnyView, AnyViewMut, DType};
use numpy::{PyArray, PyArrayDyn, PyArrayMethods, PyReadonlyArrayDyn, PyReadwriteArrayDyn};
use numpy::{PyArrayDescrMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::errors::wrong_type;

/// Calls a macro with all element types: `Variant, type`.
macro_rules! with_all_dtypes {
    ($callback:ident) => {
        $callback! {
            (Bool, bool), (U8, u8), (U16, u16), (U32, u32), (U64, u64),
            (I8, i8), (I16, i16), (I32, i32), (I64, i64), (F32, f32), (F64, f64),
        }
    };
}

macro_rules! define {
    ($(($variant:ident, $type:ty),)+) => {
        /// An array in the memory of Python.
        #[derive(Debug)]
        pub(crate) enum NumpyArray { $($variant(Py<PyArrayDyn<$type>>),)+ }

        /// The same, while nobody else in this package writes to it.
        pub(crate) enum Readable<'py> { $($variant(PyReadonlyArrayDyn<'py, $type>),)+ }

        /// An array to write to, while nobody else in this package uses it.
        pub(crate) enum Writable<'py> { $($variant(PyReadwriteArrayDyn<'py, $type>),)+ }

        /// Gives the memory of an array to NumPy.
        pub(crate) fn into_numpy(py: Python<'_>, array: AnyArray) -> Bound<'_, PyAny> {
            match array {
                $(AnyArray::$variant(array) => PyArray::from_owned_array(py, array).into_any(),)+
            }
        }

        impl NumpyArray {
            pub(crate) fn new(array: &Bound<'_, PyAny>) -> PyResult<Self> {
                check_aligned(array)?;
                $(if let Ok(array) = array.cast::<PyArrayDyn<$type>>() {
                    return Ok(Self::$variant(array.clone().unbind()));
                })+
                Err(not_an_array(array))
            }

            pub(crate) fn dtype(&self) -> DType {
                match self { $(Self::$variant(_) => DType::$variant,)+ }
            }

            pub(crate) fn readable<'py>(&self, py: Python<'py>) -> PyResult<Readable<'py>> {
                Ok(match self {
                    $(Self::$variant(array) => {
                        Readable::$variant(array.bind(py).try_readonly().map_err(in_use)?)
                    })+
                })
            }
        }

        impl Readable<'_> {
            pub(crate) fn view(&self) -> AnyView<'_> {
                match self { $(Self::$variant(array) => AnyView::$variant(array.as_array()),)+ }
            }
        }

        impl<'py> Writable<'py> {
            pub(crate) fn new(array: &Bound<'py, PyAny>) -> PyResult<Self> {
                check_aligned(array)?;
                check_apart(array)?;
                $(if let Ok(array) = array.cast::<PyArrayDyn<$type>>() {
                    return Ok(Self::$variant(array.try_readwrite().map_err(in_use)?));
                })+
                Err(not_an_array(array))
            }

            pub(crate) fn view(&mut self) -> AnyViewMut<'_> {
                match self {
                    $(Self::$variant(array) => AnyViewMut::$variant(array.as_array_mut()),)+
                }
            }
        }
    };
}
with_all_dtypes!(define);

/// Fails for elements that do not lie where the machine wants elements of their type, as in some arrays that
/// were unpickled without a copy.
fn check_aligned(array: &Bound<'_, PyAny>) -> PyResult<()> {
    if array.cast::<PyUntypedArray>().is_err()
        || array.getattr("flags")?.getattr("aligned")?.extract::<bool>()?
    {
        return Ok(());
    }
    Err(PyValueError::new_err("the array is not aligned in memory: give a copy of it"))
}

/// Fails for an array in which two indices may be the same memory, which threads would write at once.
fn check_apart(array: &Bound<'_, PyAny>) -> PyResult<()> {
    let Ok(array) = array.cast::<PyUntypedArray>() else { return Ok(()) };
    if array.shape().contains(&0) {
        return Ok(());
    }
    let axes = array.strides().iter().map(|stride| stride.unsigned_abs()).zip(array.shape());
    let mut axes: Vec<(usize, usize)> =
        axes.map(|(stride, &extent)| (stride, extent)).filter(|(_, extent)| *extent > 1).collect();
    axes.sort_unstable();
    let mut reach = array.dtype().itemsize();
    for (stride, extent) in axes {
        if stride < reach {
            let message = "the elements of the array overlap in memory: give one of its own";
            return Err(PyValueError::new_err(message));
        }
        reach = reach.saturating_add(stride.saturating_mul(extent - 1));
    }
    Ok(())
}

fn in_use(error: numpy::BorrowError) -> PyErr {
    PyValueError::new_err(format!("the array cannot be used here: {error}"))
}

fn not_an_array(value: &Bound<'_, PyAny>) -> PyErr {
    match value.cast::<PyUntypedArray>() {
        Ok(array) => wrong_type(format!(
            "an array of type {} is not supported: booleans, integers, float32 and float64 in the byte \
             order of this machine are",
            array.dtype()
        )),
        Err(_) => wrong_type(format!("a {} is not a NumPy array", value.get_type())),
    }
}
