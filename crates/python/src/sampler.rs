//! Drawing patches in which enough is known.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, TryLockError};
use std::thread;
use std::time::Duration;

use annotation_mask::{MaskError, SamplerOptions, ValidSampler};
use array_core::Array;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::arguments::{get, maybe, pair, region};
use crate::array::NativeArray;
use crate::errors::raise;
use crate::threads::{Nearness, run};

type Sampler = ValidSampler<Arc<dyn Array>>;

/// How long to wait for another thread before looking again.
const PATIENCE: Duration = Duration::from_millis(1);

/// A sampler of the engine.
#[pyclass(frozen, module = "voxmask._native")]
pub(crate) struct NativeSampler {
    sampler: Mutex<Sampler>,
    // Beside the lock: whoever holds that may be waiting for the interpreter.
    num_positions: u128,
    nearness: Nearness,
}

impl NativeSampler {
    /// Does something with the sampler while Python goes on.
    ///
    /// The lock is taken by the calling thread: one of the pool, waiting for parts of its work, might begin
    /// that of another caller, and wait for itself.
    fn with<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&mut Sampler, &AtomicBool) -> Result<T, MaskError> + Send,
    ) -> PyResult<T> {
        let mut locked = loop {
            match self.sampler.try_lock() {
                Ok(locked) => break locked,
                Err(TryLockError::Poisoned(poisoned)) => break poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => {
                    py.check_signals()?;
                    py.detach(|| thread::sleep(PATIENCE));
                }
            }
        };
        let sampler = &mut *locked;
        run(py, self.nearness, |stop| work(sampler, stop))?.map_err(raise(py))
    }
}

#[pymethods]
impl NativeSampler {
    #[new]
    fn new(py: Python<'_>, mask: &NativeArray, said: &Bound<'_, PyDict>) -> PyResult<Self> {
        let mut options = SamplerOptions {
            min_known: get(said, "min_known")?,
            seed: get(said, "seed")?,
            ..SamplerOptions::new(&get::<Vec<usize>>(said, "shape")?)
        };
        if let Some(names) = maybe::<Vec<String>>(said, "channels")? {
            options = options.with_channel_names(mask.array.info(), &names).map_err(raise(py))?;
        }
        if let Some(bytes) = maybe(said, "max_bytes")? {
            options.max_bytes = bytes;
        }
        let array = Arc::clone(&mask.array);
        let made = run(py, mask.nearness, |_| ValidSampler::new(array, &options))?;
        let sampler = made.map_err(raise(py))?;
        let num_positions = sampler.num_positions();
        Ok(Self { sampler: Mutex::new(sampler), num_positions, nearness: mask.nearness })
    }

    fn draw<'py>(
        &self,
        py: Python<'py>,
        count: usize,
    ) -> PyResult<Vec<(Bound<'py, PyTuple>, Bound<'py, PyTuple>)>> {
        let drawn = self.with(py, |sampler, stop| {
            let go_on = |_: &usize| !stop.load(Ordering::Relaxed);
            (0..count).take_while(go_on).map(|_| sampler.draw()).collect::<Result<Vec<_>, _>>()
        })?;
        drawn.iter().map(|roi| pair(py, roi)).collect()
    }

    fn num_positions(&self) -> u128 {
        self.num_positions
    }

    fn num_valid(&self, py: Python<'_>) -> PyResult<u128> {
        self.with(py, |sampler, _| sampler.num_valid())
    }

    fn known_values(&self, py: Python<'_>, roi: &Bound<'_, PyAny>) -> PyResult<(u64, u64)> {
        let roi = region(roi)?;
        self.with(py, |sampler, _| sampler.known_values(&roi))
    }
}
