//! Writing chunks whose elements are there as a whole.

use std::borrow::Cow;
use std::fmt;

use array_core::ArrayError;
use geometry::Window;
use zarrs::array::ArrayBytes;
use zarrs::storage::Bytes;

use crate::array::ZarrArray;
use crate::chunks::{Chunks, WritableChunks};
use crate::error::ZarrError;
use crate::read::{self, Range};

/// A chunk as it is stored, or as it is put into a shard. A clone costs nothing.
#[derive(Clone)]
pub struct EncodedChunk(pub(crate) Bytes);

impl EncodedChunk {
    /// Its size in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.0.len()
    }
}

/// The bytes as they are stored.
impl AsRef<[u8]> for EncodedChunk {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for EncodedChunk {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("EncodedChunk").field(&self.size()).finish()
    }
}

/// Encodes and stores the chunks of an array one by one, so that equal chunks are encoded once.
///
/// Chunks go by their index and hold the full chunk shape: beyond the border of the array they are padded
/// with the fill value. Those that hold nothing but fill values are not stored. A file is replaced as a
/// whole, so that a reader, or whoever finds it after a crash, sees all of it or nothing.
///
/// ```
/// use array_core::{Array, ArrayExt, ArrayInfo, DType};
/// use geometry::{Coordinate, VoxelGrid, VoxelSize};
/// use serde_json::Map;
/// use zarr_source::{ImageOptions, Staging, ZarrArray};
///
/// let folder = tempfile::tempdir()?;
/// let grid = VoxelGrid::new(Coordinate::from([0]), VoxelSize::new(Coordinate::from([4]))?)?;
/// let info = ArrayInfo::new(DType::U8, &["c", "x"], &[3, 2], grid)?;
/// let staging = Staging::new(folder.path().join("masks.zarr"), false)?;
/// let options = ImageOptions { chunk_shape: Some(vec![1, 2]), ..ImageOptions::default() };
/// let masks = staging.create_image("mask", &info, &options)?;
///
/// let writer = masks.chunk_writer()?;
/// if let Some(chunk) = writer.encode(&[0, 1])? {
///     writer.store(&[0, 0], &chunk)?;
///     writer.store(&[2, 0], &chunk)?;
/// }
/// assert!(writer.encode(&[0, 0])?.is_none());
/// let masks = ZarrArray::open(staging.commit(&Map::new())?.join("mask/s0"))?;
/// assert_eq!(masks.data()?.into_typed::<u8>()?, ndarray::array![[0, 1], [0, 0], [0, 1]].into_dyn());
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct ChunkWriter<'a> {
    chunks: &'a Chunks,
    target: &'a WritableChunks,
}

impl ZarrArray {
    /// What writes the chunks of this array as a whole.
    ///
    /// # Errors
    ///
    /// [`ZarrError::NotWritable`] if it was not opened for writing.
    pub fn chunk_writer(&self) -> Result<ChunkWriter<'_>, ZarrError> {
        match &self.writer {
            Some(writer) => Ok(ChunkWriter { chunks: &self.chunks, target: writer.target() }),
            None => Err(ZarrError::NotWritable { path: self.metadata().path().to_owned() }),
        }
    }

    /// Hands the elements of a box, which counts along all axes, channels too, to `visitor`: the voxels of
    /// one channel, say, where [`array_core::Array::visit`] decodes all channels.
    ///
    /// # Errors
    ///
    /// [`ArrayError::DimsMismatch`] or [`ArrayError::Geometry`] if the box is not inside; those of the
    /// storage, and those of `visitor`.
    pub fn visit_box(
        &self,
        part: &Window,
        visitor: &mut array_core::Visitor<'_>,
    ) -> Result<(), ArrayError> {
        let shape = &self.chunks.shape;
        if !Window::full(shape)?.contains(part)? {
            let (expected, found) = (shape.clone(), part.stop().to_vec());
            return Err(ArrayError::ShapeMismatch { expected, found });
        }
        let ranges: Vec<Range> = part
            .start()
            .iter()
            .zip(part.shape())
            .map(|(&start, &len)| Range { start, len })
            .collect();
        read::visit_ranges(&self.chunks, &ranges, visitor)
    }
}

impl ChunkWriter<'_> {
    /// Encodes the elements of one chunk, in C order and native bytes; of one chunk in a shard, if the array
    /// has shards. None if all of them are the fill value.
    ///
    /// # Errors
    ///
    /// [`ZarrError::Unsupported`] if they are not as many as a chunk has, or cannot be encoded.
    pub fn encode(&self, elements: &[u8]) -> Result<Option<EncodedChunk>, ZarrError> {
        encode(self.chunks, elements)
    }

    /// Stores a chunk of an array without shards.
    ///
    /// # Errors
    ///
    /// [`ZarrError::Unsupported`] if the array has shards; [`ZarrError::StoreIo`].
    pub fn store(&self, index: &[usize], chunk: &EncodedChunk) -> Result<(), ZarrError> {
        if self.chunks.sharding.is_some() {
            let what = "storing a chunk that lies in a shard by itself";
            return Err(ZarrError::unsupported(&self.chunks.dir, what));
        }
        self.chunks.store_encoded(self.target, index, chunk.0.clone())
    }

    /// Stores a shard of these chunks, in C order; one for each place in it, none where all elements are the
    /// fill value. A shard without chunks is not stored.
    ///
    /// # Errors
    ///
    /// [`ZarrError::Unsupported`] if the array has no shards, or others; [`ZarrError::StoreIo`].
    pub fn store_shard(
        &self,
        index: &[usize],
        chunks: &[Option<EncodedChunk>],
    ) -> Result<(), ZarrError> {
        let unsupported = |what: String| ZarrError::unsupported(&self.chunks.dir, what);
        let Some(sharding) = &self.chunks.sharding else {
            return Err(unsupported("storing a shard in an array without shards".to_owned()));
        };
        if chunks.iter().all(Option::is_none) {
            return Ok(());
        }
        let parts: Vec<Option<&[u8]>> =
            chunks.iter().map(|chunk| chunk.as_ref().map(|chunk| chunk.0.as_ref())).collect();
        let shard = sharding
            .assemble(&parts)
            .map_err(|reason| unsupported(format!("writing shard {index:?} ({reason})")))?;
        let stored = self.chunks.store_encoded(self.target, index, shard.into());
        sharding.forget(index);
        stored
    }
}

/// Encodes the elements of one chunk, in C order and native bytes; none if all of them are the fill value.
pub(crate) fn encode(chunks: &Chunks, elements: &[u8]) -> Result<Option<EncodedChunk>, ZarrError> {
    if Some(elements.len()) != chunks.chunk_size() {
        let what = format!(
            "writing {} bytes as a chunk of the shape {:?} of {}",
            elements.len(),
            chunks.chunk_shape(),
            chunks.dtype()
        );
        return Err(ZarrError::unsupported(&chunks.dir, what));
    }
    let bytes = ArrayBytes::new_flen(Cow::Borrowed(elements));
    Ok(chunks.encode(bytes)?.map(|encoded| EncodedChunk(encoded.into())))
}
