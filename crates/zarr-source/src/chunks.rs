//! The chunks of an array, as they lie in files.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::PathBuf;

use array_core::{DType, Scalar};

use crate::codecs::ChunkCodec;
use crate::error::ZarrError;
use crate::shard::{ShardError, Sharding};
use crate::spec::{ArraySpec, KeyEncoding, byte_size};

/// The storage of an array's elements.
#[derive(Debug)]
pub(crate) struct Chunks {
    pub(crate) dir: PathBuf,
    pub(crate) shape: Vec<usize>,
    /// The shape of what one file holds.
    pub(crate) stored_shape: Vec<usize>,
    /// The codecs of what one file holds.
    pub(crate) stored_codec: ChunkCodec,
    pub(crate) fill_value: Scalar,
    pub(crate) sharding: Option<Sharding>,
    keys: KeyEncoding,
}

impl Chunks {
    pub(crate) fn new(dir: PathBuf, spec: &ArraySpec) -> Result<Self, ZarrError> {
        let unsupported = |what: String| ZarrError::unsupported(&dir, what);
        let (codecs, fill_value) = (&spec.codecs, spec.fill_value);
        let sharding =
            Sharding::new(codecs, &spec.stored_shape, fill_value).map_err(unsupported)?;
        let stored_codec =
            ChunkCodec::new(codecs, &spec.stored_shape, fill_value).map_err(unsupported)?;
        Ok(Self {
            shape: spec.shape.clone(),
            stored_shape: spec.stored_shape.clone(),
            stored_codec,
            fill_value,
            sharding,
            keys: spec.keys,
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

    /// The decoded elements of a chunk; none if it is not stored.
    pub(crate) fn read(&self, index: &[usize]) -> Result<Option<Vec<u8>>, ZarrError> {
        let Some(sharding) = &self.sharding else {
            return self.read_stored(index);
        };
        let file = |shard: &[usize]| not_found_is_none(File::open(self.file(shard)));
        let encoded = match sharding.read(index, file) {
            Ok(Some(encoded)) => encoded,
            Ok(None) => return Ok(None),
            Err(ShardError::Io(error)) => {
                let file = self.file(&sharding.locate(index).0);
                return Err(ZarrError::io("read", &file, error));
            }
            Err(ShardError::Corrupt(reason)) => return Err(self.corrupt(index, reason)),
        };
        let decoded =
            sharding.chunk_codec.decode(encoded).map_err(|reason| self.corrupt(index, reason))?;
        self.sized(index, decoded, &sharding.chunk_shape).map(Some)
    }

    /// The decoded elements of what one file holds; none if there is no file.
    pub(crate) fn read_stored(&self, index: &[usize]) -> Result<Option<Vec<u8>>, ZarrError> {
        let file = self.file(index);
        let encoded = not_found_is_none(fs::read(&file))
            .map_err(|error| ZarrError::io("read", &file, error))?;
        let Some(encoded) = encoded else {
            return Ok(None);
        };
        let corrupt = |reason| self.stored_corrupt(index, reason);
        let decoded = self.stored_codec.decode(encoded).map_err(corrupt)?;
        self.sized(index, decoded, &self.stored_shape).map(Some)
    }

    /// The file that holds a chunk or shard.
    pub(crate) fn file(&self, stored_index: &[usize]) -> PathBuf {
        self.dir.join(self.keys.path(stored_index))
    }

    /// The error for a chunk with bad contents.
    pub(crate) fn corrupt(&self, index: &[usize], reason: String) -> ZarrError {
        match &self.sharding {
            None => self.stored_corrupt(index, reason),
            Some(sharding) => {
                let shard = self.keys.key(&sharding.locate(index).0);
                let chunk = format!("{index:?} in shard {shard:?}");
                ZarrError::ChunkCorrupt { path: self.dir.clone(), chunk, reason }
            }
        }
    }

    fn stored_corrupt(&self, index: &[usize], reason: String) -> ZarrError {
        let chunk = format!("{:?} (index {index:?})", self.keys.key(index));
        ZarrError::ChunkCorrupt { path: self.dir.clone(), chunk, reason }
    }

    fn sized(
        &self,
        index: &[usize],
        bytes: Vec<u8>,
        shape: &[usize],
    ) -> Result<Vec<u8>, ZarrError> {
        if Some(bytes.len()) == byte_size(shape, self.dtype()) {
            return Ok(bytes);
        }
        let reason = format!(
            "it decodes to {} bytes, which are not {shape:?} elements of type {}",
            bytes.len(),
            self.dtype()
        );
        Err(self.corrupt(index, reason))
    }
}

/// What is not there is not an error.
pub(crate) fn not_found_is_none<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
