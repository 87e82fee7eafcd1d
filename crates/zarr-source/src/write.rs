//! Writing windows into chunks.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::{Mutex, PoisonError};

use array_core::{AnyArray, AnyView, ArrayError};
use geometry::Window;

use crate::chunks::{Chunks, WritableChunks};
use crate::elements::{array_bytes, with_elements};
use crate::error::{ZarrError, into_array_error};
use crate::read::{Part, all_axes, cut, cut_mut, filled, parts};

const LOCKS: usize = 64;

/// What an array needs to be written by several threads at once.
///
/// A chunk is replaced as a whole, so that readers see the old or the new chunk. Parts of one chunk
/// that are written at the same time wait for each other; that holds for threads, not for processes.
#[derive(Debug)]
pub(crate) struct Writer {
    target: WritableChunks,
    locks: Vec<Mutex<()>>,
}

impl Writer {
    pub(crate) fn new(chunks: &Chunks) -> Result<Self, ZarrError> {
        let locks = (0..LOCKS).map(|_| Mutex::default()).collect();
        Ok(Self { target: chunks.writable()?, locks })
    }

    /// Where the chunks go.
    pub(crate) fn target(&self) -> &WritableChunks {
        &self.target
    }

    /// Writes `data`, of shape `[..channels, ..window.shape()]`.
    pub(crate) fn write(
        &self,
        chunks: &Chunks,
        channel_dims: usize,
        window: &Window,
        data: &AnyView<'_>,
    ) -> Result<(), ArrayError> {
        let window = all_axes(&chunks.shape, channel_dims, window);
        let expected: Vec<usize> = window.iter().map(|range| range.len).collect();
        if data.shape() != expected {
            let found = data.shape().to_vec();
            return Err(ArrayError::ShapeMismatch { expected, found });
        }
        if data.dtype() != chunks.dtype() {
            let (expected, found) = (chunks.dtype(), data.dtype());
            return Err(ArrayError::DTypeMismatch { expected, found });
        }
        for part in parts(&window, &chunks.stored_shape) {
            self.write_part(chunks, &part, &cut(data, &part.in_window))?;
        }
        Ok(())
    }

    fn write_part(
        &self,
        chunks: &Chunks,
        part: &Part,
        data: &AnyView<'_>,
    ) -> Result<(), ArrayError> {
        let _guard = self.lock(&part.index);
        let mut elements = if covers_chunk(chunks, part) {
            filled(chunks, &chunks.stored_shape)?
        } else {
            stored_elements(chunks, &part.index)?
        };
        cut_mut(elements.view_mut(), &part.in_chunk).assign(data)?;
        chunks
            .write_stored(&self.target, &part.index, array_bytes(&elements))
            .map_err(into_array_error)
    }

    fn lock(&self, index: &[usize]) -> std::sync::MutexGuard<'_, ()> {
        let hasher = BuildHasherDefault::<DefaultHasher>::default();
        let hash = usize::try_from(hasher.hash_one(index) % LOCKS as u64).unwrap_or(0);
        // A panic elsewhere has left the old or the new chunk, so the lock still means something.
        self.locks[hash].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a part holds all voxels of its chunk that lie in the array.
fn covers_chunk(chunks: &Chunks, part: &Part) -> bool {
    let axes =
        part.index.iter().zip(&part.in_chunk).zip(chunks.stored_shape.iter().zip(&chunks.shape));
    axes.into_iter().all(|((&index, range), (&chunk, &extent))| {
        let inside = extent.saturating_sub(index.saturating_mul(chunk)).min(chunk);
        range.start == 0 && range.len == inside
    })
}

/// The elements of what lies under one key; fill values if there is nothing.
fn stored_elements(chunks: &Chunks, index: &[usize]) -> Result<AnyArray, ArrayError> {
    let Some(bytes) = chunks.read_stored(index).map_err(into_array_error)? else {
        return filled(chunks, &chunks.stored_shape);
    };
    with_elements(chunks.dtype(), &chunks.stored_shape, &bytes, |view| view.to_owned())
        .map_err(|reason| into_array_error(chunks.stored_corrupt(index, reason)))
}
