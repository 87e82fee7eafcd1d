//! Layers: images whose chunks are computed when somebody asks for them.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use array_core::{Array, ArrayError, ArrayInfo, BlockCache, CachedArray, DType, check_memory};
use geometry::Window;
use serde_json::{Map, Value};
use zarr_source::{Compression, ImageOptions, VirtualImage, ZarrFormat};

use crate::chunk::Chunks;
use crate::compute::compute;
use crate::document::Document;
use crate::error::ServeError;

/// An image to serve: an array, or one for each scale level.
///
/// ```
/// use std::sync::Arc;
///
/// use array_core::{ArrayInfo, DType, MemoryArray};
/// use geometry::{Coordinate, VoxelGrid, VoxelSize};
/// use serve::Layer;
///
/// let grid = VoxelGrid::new(Coordinate::from([0]), VoxelSize::new(Coordinate::from([4]))?)?;
/// let info = ArrayInfo::new(DType::U8, &["x"], &[3], grid)?;
/// let labels = MemoryArray::new(info, ndarray::array![7_u8, 8, 9].into_dyn())?;
/// let layer = Layer::new("labels", Arc::new(labels));
/// assert_eq!(layer.name(), "labels");
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Layer {
    name: String,
    levels: Vec<Arc<dyn Array>>,
    chunk_shape: Option<Vec<usize>>,
    compression: Compression,
    attrs: Map<String, Value>,
}

impl Layer {
    /// The layer `name` of an array, which is its only scale level. An array that is computed from others
    /// should keep what it reads of them, as [`CachedArray`] does: it may be asked for parts of blocks.
    #[must_use]
    pub fn new(name: impl Into<String>, array: Arc<dyn Array>) -> Self {
        Self {
            name: name.into(),
            levels: vec![array],
            chunk_shape: None,
            // Whoever asks waits for it, and mostly on the same machine.
            compression: Compression::Zstd { level: 1 },
            attrs: Map::new(),
        }
    }

    /// The same with more scale levels, from fine to coarse.
    #[must_use]
    pub fn with_levels(mut self, coarser: impl IntoIterator<Item = Arc<dyn Array>>) -> Self {
        self.levels.extend(coarser);
        self
    }

    /// The same with chunks of another shape, in voxels along the spatial axes. By default they are whole
    /// blocks of the array, at least 64 voxels wide where there are three axes.
    #[must_use]
    pub fn with_chunk_shape(self, chunk_shape: &[usize]) -> Self {
        Self { chunk_shape: Some(chunk_shape.to_vec()), ..self }
    }

    /// The same with chunks that are compressed otherwise than with Zstandard, level 1.
    #[must_use]
    pub fn with_compression(self, compression: Compression) -> Self {
        Self { compression, ..self }
    }

    /// The same with attributes of its arrays; keys that give their geometry are written over.
    #[must_use]
    pub fn with_attrs(self, attrs: Map<String, Value>) -> Self {
        Self { attrs, ..self }
    }

    /// Its name, which is a part of its address.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What its finest level is as clients see it: booleans are bytes.
    #[must_use]
    pub fn info(&self) -> Option<ArrayInfo> {
        self.levels.first().map(|level| served_info(level.info()))
    }

    /// Its scale levels, from fine to coarse.
    #[must_use]
    pub fn levels(&self) -> &[Arc<dyn Array>] {
        &self.levels
    }
}

/// A layer that can be served.
#[derive(Debug)]
pub(crate) struct ServedLayer {
    pub(crate) name: String,
    pub(crate) image: VirtualImage,
    pub(crate) levels: Vec<ServedLevel>,
    v2: HashMap<String, Document>,
    v3: HashMap<String, Document>,
}

/// One scale level, and how its chunks lie.
#[derive(Debug)]
pub(crate) struct ServedLevel {
    pub(crate) array: Arc<dyn Array>,
    /// Of a chunk along the spatial axes.
    pub(crate) chunk_shape: Vec<usize>,
    /// The number of chunks along the spatial axes.
    counts: Vec<usize>,
}

/// A chunk that is inside its level: the place of all its channels, and the channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The index along the spatial axes.
    pub(crate) block: Vec<usize>,
    /// The number of the block in C order.
    pub(crate) number: usize,
    /// The number of the channel; 0 if there are none.
    pub(crate) channel: usize,
}

impl ServedLayer {
    /// Fails if the layer cannot be served. What its chunks share goes through `blocks`.
    pub(crate) fn new(layer: Layer, blocks: &Arc<BlockCache>) -> Result<Self, ServeError> {
        let Layer { name, levels, chunk_shape, compression, attrs } = layer;
        let refused = |reason: String| ServeError::Layer { name: name.clone(), reason };
        check_name(&name).map_err(refused)?;
        let Some(first) = levels.first().map(|level| level.info().clone()) else {
            return Err(refused("it has no array".to_owned()));
        };
        let differs = |info: &ArrayInfo| {
            info.axes() != first.axes()
                || info.channel_shape() != first.channel_shape()
                || info.dtype() != first.dtype()
        };
        if levels.iter().any(|level| differs(level.info())) {
            return Err(refused("its levels differ in axes, channels or type".to_owned()));
        }
        let chunk_shape = match chunk_shape {
            None => usual_chunk_shape(&first),
            Some(shape) if shape.len() == first.dims() && !shape.contains(&0) => shape,
            Some(shape) => {
                let dims = first.dims();
                let reason = format!("the chunk shape {shape:?} is not {dims} positive numbers");
                return Err(refused(reason));
            }
        };
        let channels = vec![1; first.channel_dims()];
        let options = ImageOptions {
            chunk_shape: Some([&channels[..], &chunk_shape].concat()),
            compression,
            attrs,
            ..ImageOptions::default()
        };
        let infos: Vec<ArrayInfo> = levels.iter().map(|level| served_info(level.info())).collect();
        let image = VirtualImage::new(&name, &infos, &options)?;
        let levels = levels
            .into_iter()
            .map(|array| ServedLevel::new(array, &chunk_shape, blocks).map_err(refused))
            .collect::<Result<_, _>>()?;
        let documents = |format| {
            let all = image.documents(format).iter();
            all.map(|(key, text)| (key.clone(), Document::new(text.clone(), "application/json")))
                .collect()
        };
        let (v2, v3) = (documents(ZarrFormat::V2), documents(ZarrFormat::V3));
        Ok(Self { name, levels, v2, v3, image })
    }

    /// A metadata document by its key in the group of the layer.
    pub(crate) fn document(&self, format: ZarrFormat, key: &str) -> Option<&Document> {
        match format {
            ZarrFormat::V2 => self.v2.get(key),
            _ => self.v3.get(key),
        }
    }

    /// The place of a chunk; none if there is no such level, or the chunk is not inside.
    pub(crate) fn place(&self, level: usize, index: &[usize]) -> Option<Place> {
        self.levels.get(level)?.place(index)
    }

    /// Computes the chunks of all channels in a block of a level.
    pub(crate) fn compute(
        &self,
        level: usize,
        block: &[usize],
        stop: &AtomicBool,
    ) -> Result<Chunks, ServeError> {
        let encode = |elements: &[u8]| self.image.encode(level, elements);
        let level = &self.levels[level];
        compute(&level.array, &level.window(block)?, &level.chunk_shape, &encode, stop)
    }
}

impl ServedLevel {
    fn new(
        array: Arc<dyn Array>,
        chunk_shape: &[usize],
        blocks: &Arc<BlockCache>,
    ) -> Result<Self, String> {
        let info = array.info();
        let counts: Vec<usize> = info
            .spatial_shape()
            .iter()
            .zip(chunk_shape)
            .map(|(&extent, &chunk)| extent.div_ceil(chunk))
            .collect();
        let channels = info.channel_shape().iter().try_fold(1_usize, |n, &c| n.checked_mul(c));
        let number = counts.iter().try_fold(1_usize, |all, &count| all.checked_mul(count));
        if number.zip(channels).is_none_or(|(n, channels)| n.checked_mul(channels).is_none()) {
            return Err("it has more chunks than can be numbered".to_owned());
        }
        // Where chunks are not whole blocks, several need the same block. What is computed has many channels, of
        // which a block would fill the cache, and keeps by itself what it is computed from.
        let axes = info.blocks().inside().iter().zip(info.block_shape()).zip(chunk_shape);
        let is_whole =
            axes.zip(info.spatial_shape()).all(|(((&inside, &block), &chunk), &extent)| {
                chunk >= extent || (inside == 0 && chunk.is_multiple_of(block))
            });
        let array: Arc<dyn Array> = if is_whole || array.is_virtual() {
            array
        } else {
            Arc::new(CachedArray::new(array, blocks))
        };
        Ok(Self { array, chunk_shape: chunk_shape.to_vec(), counts })
    }

    /// What computing a place takes: a block of the array, and the chunks of all channels, as elements and encoded.
    ///
    /// # Errors
    ///
    /// [`ArrayError::OverMemoryLimit`] if that is more than the process may take.
    pub(crate) fn bytes_at_once(&self) -> Result<u64, ArrayError> {
        let info = self.array.info();
        let elements = info.channel_shape().iter().chain(&self.chunk_shape);
        let elements = elements.fold(1_u64, |all, &extent| all.saturating_mul(extent as u64));
        let chunks = elements.saturating_mul(2 * info.dtype().size() as u64);
        // A block that is not stored takes nothing, and one that is may be refused by whoever reads it.
        check_memory(Some(chunks), || {
            format!("computing chunks of {:?} voxels, with all channels,", self.chunk_shape)
        })?;
        Ok(chunks.saturating_add(info.blocks().bytes()))
    }

    fn place(&self, index: &[usize]) -> Option<Place> {
        let channels = self.array.info().channel_shape();
        let (channel, block) = index.split_at_checked(channels.len())?;
        Some(Place {
            channel: number(channel, channels)?,
            number: number(block, &self.counts)?,
            block: block.to_vec(),
        })
    }

    /// The voxels of a block that lie in the array.
    fn window(&self, block: &[usize]) -> Result<Window, ServeError> {
        let extents = self.array.info().spatial_shape();
        let axes = block.iter().zip(&self.chunk_shape).zip(extents);
        let (start, shape): (Vec<usize>, Vec<usize>) = axes
            .map(|((&index, &chunk), &extent)| {
                let start = index.saturating_mul(chunk).min(extent);
                (start, extent.saturating_sub(start).min(chunk))
            })
            .unzip();
        Ok(Window::new(&start, &shape)?)
    }
}

/// The number of an element in C order; none if it is not inside.
fn number(index: &[usize], counts: &[usize]) -> Option<usize> {
    if index.len() != counts.len() {
        return None;
    }
    index.iter().zip(counts).try_fold(0_usize, |number, (&index, &count)| {
        (index < count).then_some(())?;
        number.checked_mul(count)?.checked_add(index)
    })
}

/// What an array is as clients see it.
fn served_info(info: &ArrayInfo) -> ArrayInfo {
    // Neuroglancer has no booleans.
    let dtype = if info.dtype() == DType::Bool { DType::U8 } else { info.dtype() };
    info.clone().with_dtype(dtype)
}

/// The size in bytes of a chunk beyond which blocks are cut, rather than being served as a whole.
const MAX_CHUNK_BYTES: usize = 4 << 20;

/// Whole blocks, at least 64 voxels wide where there are three axes; smaller than blocks if they are too large
/// for a browser.
fn usual_chunk_shape(info: &ArrayInfo) -> Vec<usize> {
    let side = match info.dims() {
        0 | 1 => 4096,
        2 => 256,
        _ => 64,
    };
    let extents = info.spatial_shape().iter().map(|&extent| extent.max(1));
    let whole = extents.clone().zip(info.block_shape()).map(|(extent, &block)| {
        let count = usize::div_ceil(side, block).max(1);
        block.saturating_mul(count).min(extent)
    });
    let whole: Vec<usize> = whole.collect();
    let bytes = whole.iter().fold(info.dtype().size(), |all, &n| all.saturating_mul(n));
    if bytes <= MAX_CHUNK_BYTES {
        return whole;
    }
    extents.map(|extent| extent.min(side)).collect()
}

/// Fails for a name that could not be a part of an address.
fn check_name(name: &str) -> Result<(), String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if !name.is_empty() && name.len() <= 64 && name.bytes().all(is_plain) {
        return Ok(());
    }
    Err("its name is not 1 to 64 letters, digits, hyphens and underscores".to_owned())
}
