//! The chunks of an array, as zarrs finds and decodes them.

mod stored;

use std::fmt;
use std::io::{self, ErrorKind};
use std::path::PathBuf;

use array_core::{DType, Scalar};
use zarrs::array::{Array, ArrayBytes, ArrayError};
use zarrs::storage::{Bytes, StorageError, WritableStorageTraits};

use crate::codecs::chunk::ChunkCodecs;
use crate::codecs::options;
use crate::error::ZarrError;
use crate::memory;
use crate::shard::{ShardError, Sharding};
use crate::spec::{ArraySpec, StoredArray, byte_size};
use crate::store::Container;

/// The storage of an array's elements.
pub(crate) struct Chunks {
    pub(crate) dir: PathBuf,
    pub(crate) shape: Vec<usize>,
    /// The shape of what lies under one key: a chunk, or a shard.
    pub(crate) stored_shape: Vec<usize>,
    pub(crate) fill_value: Scalar,
    pub(crate) sharding: Option<Sharding>,
    /// Of what lies under one key.
    codecs: ChunkCodecs,
    array: StoredArray,
    container: Container,
}

impl Chunks {
    pub(crate) fn new(
        container: Container,
        dir: PathBuf,
        spec: ArraySpec,
    ) -> Result<Self, ZarrError> {
        let shape = spec.array.chunk_shape(&vec![0; spec.shape.len()]);
        let shape = shape.map_err(|error| ZarrError::unsupported(&dir, error.to_string()))?;
        let codecs = ChunkCodecs::new(
            spec.array.codecs(),
            shape.to_vec(),
            spec.array.data_type().clone(),
            spec.array.fill_value().clone(),
        );
        let sharding = Sharding::new(&spec.array, &spec.stored_shape, &codecs)
            .map_err(|what| ZarrError::unsupported(&dir, what))?;
        Ok(Self {
            codecs,
            shape: spec.shape,
            stored_shape: spec.stored_shape,
            fill_value: spec.fill_value,
            sharding,
            array: spec.array,
            container,
            dir,
        })
    }

    pub(crate) fn dtype(&self) -> DType {
        self.fill_value.dtype()
    }

    /// The shape of the smallest part that is decoded by itself.
    pub(crate) fn chunk_shape(&self) -> &[usize] {
        self.sharding.as_ref().map_or(&self.stored_shape, |sharding| &sharding.chunk_shape)
    }

    /// The same array, for writing.
    pub(crate) fn writable(&self) -> Result<WritableChunks, ZarrError> {
        Ok(WritableChunks(self.array.with_storage(self.container.writable(&self.dir)?)))
    }

    /// The decoded elements of a chunk; none if it is not stored.
    pub(crate) fn read(&self, index: &[usize]) -> Result<Option<Vec<u8>>, ZarrError> {
        let Some(sharding) = &self.sharding else {
            return self.read_stored(index);
        };
        let decoded =
            sharding.read(&self.container, &self.array, index).map_err(|error| match error {
                ShardError::Store(error) => {
                    self.store_error("read", &sharding.locate(index).0, error)
                }
                ShardError::Corrupt(reason) => self.corrupt(index, reason),
            })?;
        let Some(decoded) = decoded else { return self.check_presence().map(|()| None) };
        self.check_size(&decoded, &sharding.chunk_shape)
            .map_err(|reason| self.corrupt(index, reason))?;
        Ok(Some(decoded))
    }

    /// The decoded elements of what lies under one key; none if there is nothing.
    pub(crate) fn read_stored(&self, index: &[usize]) -> Result<Option<Vec<u8>>, ZarrError> {
        let key = self.array.chunk_key(&wide(index));
        let encoded = self
            .container
            .get_at_most(&key, self.codecs.max_encoded_size())
            .map_err(|error| self.store_error("read", index, error))?;
        let Some(encoded) = encoded else { return self.check_presence().map(|()| None) };
        let size = byte_size(&self.stored_shape, self.dtype());
        memory::check(size.map(|size| size as u64), "the decoded chunk")
            .map_err(|error| self.store_error("read", index, error.into()))?;
        let decoded = self
            .codecs
            .decode(encoded.into())
            .map_err(|reason| self.stored_corrupt(index, reason))?;
        self.check_size(&decoded, &self.stored_shape)
            .map_err(|reason| self.stored_corrupt(index, reason))?;
        Ok(Some(decoded))
    }

    /// Writes all elements of what lies under one key, or removes it if they are fill values.
    pub(crate) fn write_stored(
        &self,
        to: &WritableChunks,
        index: &[usize],
        elements: Vec<u8>,
    ) -> Result<(), ZarrError> {
        let elements = ArrayBytes::new_flen(elements);
        let written = to.0.store_chunk_opt(&wide(index), elements, &options());
        if let Some(sharding) = &self.sharding {
            sharding.forget(index);
        }
        written.map_err(|error| match error {
            ArrayError::StorageError(error) => self.store_error("write", index, error),
            other => {
                let what = format!("writing chunk {index:?} ({other})");
                ZarrError::unsupported(&self.dir, what)
            }
        })
    }

    /// The size in bytes of what [`Chunks::chunk_shape`] holds, decoded.
    pub(crate) fn chunk_size(&self) -> Option<usize> {
        byte_size(self.chunk_shape(), self.dtype())
    }

    /// Encodes the elements of the smallest part that is decoded by itself; none if they are fill values.
    pub(crate) fn encode(&self, elements: ArrayBytes<'_>) -> Result<Option<Vec<u8>>, ZarrError> {
        if elements.is_fill_value(self.array.fill_value()) {
            return Ok(None);
        }
        let encoded = match &self.sharding {
            Some(sharding) => sharding.encode(elements),
            None => self.codecs.encode(elements),
        };
        let refused =
            |reason| ZarrError::unsupported(&self.dir, format!("encoding a chunk ({reason})"));
        encoded.map(Some).map_err(refused)
    }

    /// Stores what lies under one key.
    pub(crate) fn store_encoded(
        &self,
        to: &WritableChunks,
        index: &[usize],
        encoded: Bytes,
    ) -> Result<(), ZarrError> {
        let key = self.array.chunk_key(&wide(index));
        let stored = to.0.storage().set(&key, encoded);
        stored.map_err(|error| self.store_error("write", index, error))
    }

    /// The error for a chunk with bad contents.
    pub(crate) fn corrupt(&self, index: &[usize], reason: String) -> ZarrError {
        match &self.sharding {
            None => self.stored_corrupt(index, reason),
            Some(sharding) => {
                let shard = sharding.locate(index).0;
                let chunk = format!("{index:?} in shard {:?}", self.key(&shard));
                ZarrError::ChunkCorrupt { path: self.dir.clone(), chunk, reason }
            }
        }
    }

    /// The error for a chunk or shard with bad contents.
    pub(crate) fn stored_corrupt(&self, index: &[usize], reason: String) -> ZarrError {
        let chunk = format!("{:?} (index {index:?})", self.key(index));
        ZarrError::ChunkCorrupt { path: self.dir.clone(), chunk, reason }
    }

    fn store_error(&self, action: &str, index: &[usize], error: StorageError) -> ZarrError {
        // What cannot be written is not there to be damaged.
        if action == "read"
            && let Some(reason) = self.container.damage(&error)
        {
            return self.stored_corrupt(index, reason);
        }
        let file = self.container.file(&self.array.chunk_key(&wide(index)));
        self.container.store_error(action, &file, error)
    }

    /// The key of a chunk or shard, relative to the array.
    fn key(&self, index: &[usize]) -> String {
        let file = self.container.file(&self.array.chunk_key(&wide(index)));
        file.strip_prefix(&self.dir).unwrap_or(&file).display().to_string()
    }

    /// Fails if not only a chunk is missing but the array: its disk may have gone. Behind a URL, where asking
    /// takes as long as the chunk would, and in an archive this is not looked at.
    fn check_presence(&self) -> Result<(), ZarrError> {
        if !self.container.is_folder() || self.container.holds_document(&self.dir) {
            return Ok(());
        }
        let error = io::Error::new(ErrorKind::NotFound, "the array has gone");
        Err(ZarrError::io("read", &self.dir, error))
    }

    fn check_size(&self, bytes: &[u8], shape: &[usize]) -> Result<(), String> {
        if Some(bytes.len()) == byte_size(shape, self.dtype()) {
            return Ok(());
        }
        Err(format!(
            "it decodes to {} bytes, which are not {shape:?} elements of type {}",
            bytes.len(),
            self.dtype()
        ))
    }
}

impl fmt::Debug for Chunks {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Chunks").field("dir", &self.dir).finish_non_exhaustive()
    }
}

/// Where the chunks of an array are written.
pub(crate) struct WritableChunks(Array<dyn WritableStorageTraits>);

impl fmt::Debug for WritableChunks {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("WritableChunks").field(self.0.path()).finish()
    }
}

/// An index as zarrs counts.
pub(crate) fn wide(index: &[usize]) -> Vec<u64> {
    // No machine has addresses of more than 64 bits.
    index.iter().map(|&number| u64::try_from(number).unwrap_or(u64::MAX)).collect()
}
