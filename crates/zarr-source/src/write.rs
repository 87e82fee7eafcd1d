//! Writing windows into chunks.

use std::fs;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use array_core::{AnyArray, AnyView, ArrayError};
use geometry::Window;

use crate::chunks::{Chunks, not_found_is_none};
use crate::elements::{array_bytes, scalar_bytes, with_elements};
use crate::error::{ZarrError, into_array_error};
use crate::read::{Part, all_axes, cut, cut_mut, filled, parts};

const LOCKS: usize = 64;

/// What an array needs to be written by several threads at once.
///
/// A file is replaced as a whole, so that readers see the old or the new chunk. Parts of one chunk
/// that are written at the same time wait for each other; that holds for threads, not for processes.
#[derive(Debug)]
pub(crate) struct Writer {
    locks: Vec<Mutex<()>>,
}

impl Default for Writer {
    fn default() -> Self {
        Self { locks: (0..LOCKS).map(|_| Mutex::default()).collect() }
    }
}

impl Writer {
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
        let bytes = array_bytes(&elements);
        let file = chunks.file(&part.index);
        let fill_value = scalar_bytes(chunks.fill_value);
        if bytes.chunks_exact(fill_value.len()).all(|element| element == fill_value) {
            not_found_is_none(fs::remove_file(&file))
                .map_err(|error| into_array_error(ZarrError::io("remove", &file, error)))?;
        } else {
            let encoded = chunks.stored_codec.encode(bytes).map_err(|reason| {
                let what = format!("writing chunk {:?} ({reason})", part.index);
                into_array_error(ZarrError::unsupported(&chunks.dir, what))
            })?;
            replace(&chunks.dir, &file, &encoded)
                .map_err(|error| into_array_error(ZarrError::io("write", &file, error)))?;
        }
        if let Some(sharding) = &chunks.sharding {
            sharding.forget(&part.index);
        }
        Ok(())
    }

    fn lock(&self, index: &[usize]) -> std::sync::MutexGuard<'_, ()> {
        let hasher = BuildHasherDefault::<DefaultHasher>::default();
        let hash = usize::try_from(hasher.hash_one(index) % LOCKS as u64).unwrap_or(0);
        // A panic elsewhere has left the old or the new file, so the lock still means something.
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

/// The elements of what one file holds; fill values if there is no file.
fn stored_elements(chunks: &Chunks, index: &[usize]) -> Result<AnyArray, ArrayError> {
    let Some(bytes) = chunks.read_stored(index).map_err(into_array_error)? else {
        return filled(chunks, &chunks.stored_shape);
    };
    with_elements(chunks.dtype(), &chunks.stored_shape, &bytes, |view| view.to_owned())
        .map_err(|reason| into_array_error(chunks.corrupt(index, reason)))
}

/// Replaces a file inside the folder `root` as a whole. Makes the folders between them, but not `root`.
fn replace(root: &Path, file: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = temporary_beside(file);
    let written = match fs::write(&temporary, bytes) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            make_folders(root, file)?;
            fs::write(&temporary, bytes)
        }
        result => result,
    };
    written.and_then(|()| fs::rename(&temporary, file)).inspect_err(|_| {
        // The first error is the one to tell.
        let _ = fs::remove_file(&temporary);
    })
}

/// A hidden name beside a file that no other thread or process uses.
fn temporary_beside(file: &Path) -> PathBuf {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    file.with_file_name(format!(".{name}.{}-{number}.tmp", std::process::id()))
}

fn make_folders(root: &Path, file: &Path) -> io::Result<()> {
    let parents: Vec<&Path> =
        file.ancestors().skip(1).take_while(|folder| *folder != root).collect();
    for folder in parents.into_iter().rev() {
        match fs::create_dir(folder) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
    }
    Ok(())
}
