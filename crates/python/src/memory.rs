//! How much memory voxels may take.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// Sets how many bytes reads and caches may take, for all that is allocated from now on.
#[pyfunction]
pub(crate) fn set_memory_limit(bytes: u64) -> PyResult<()> {
    if bytes == 0 {
        return Err(PyValueError::new_err("a memory limit of 0 bytes leaves nothing to read"));
    }
    array_core::set_memory_limit(bytes);
    Ok(())
}

#[pyfunction]
pub(crate) fn memory_limit() -> u64 {
    array_core::memory_limit()
}
