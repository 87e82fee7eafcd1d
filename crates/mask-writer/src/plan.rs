//! How the work is cut.

use array_core::{ArrayInfo, BlockGrid, check_memory};
use geometry::{Coordinate, VoxelGrid, VoxelSize, Window};
use zarr_source::ZarrFormat;

use crate::cells::{Cell, counts, part, unravel};
use crate::error::WriteError;
use crate::options::WriteOptions;

/// Blocks smaller than this are joined: a file for each would be slow to read and to list.
const MIN_CHUNK: usize = 64;
/// Chunks smaller than a block of the labels are made together only if these are their voxels at most.
const MAX_TILE: usize = 1 << 22;

/// How all levels are cut into files, and the work on them into units.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Of a chunk, along the spatial axes.
    pub(crate) chunk_shape: Vec<usize>,
    /// Of a shard, along the spatial axes; none without shards.
    pub(crate) shard_shape: Option<Vec<usize>>,
    /// One entry for each scale level; there is at least one.
    pub(crate) levels: Vec<Level>,
}

/// One scale level.
#[derive(Debug)]
pub(crate) struct Level {
    /// What its arrays are, apart from the element type.
    pub(crate) info: ArrayInfo,
    /// The chunks that are made together, as voxels.
    pub(crate) tile: Vec<usize>,
    /// What is finished together: whole tiles and whole files.
    pub(crate) unit: Vec<usize>,
}

impl Plan {
    pub(crate) fn new(info: &ArrayInfo, options: &WriteOptions<'_>) -> Result<Self, WriteError> {
        let (chunk_shape, shard_shape) = shapes(info, options)?;
        let levels: Vec<Level> = (0..options.levels.max(1))
            .map(|level| {
                let info = level_info(info, level)?;
                let tile = match level {
                    0 => tile(&info, &chunk_shape, shard_shape.as_deref()),
                    _ => chunk_shape.clone(),
                };
                let unit = shard_shape.as_ref().unwrap_or(&tile).clone();
                Ok(Level { info, tile, unit })
            })
            .collect::<Result<_, WriteError>>()?;
        if options.levels == 0 {
            return Err(WriteError::Option {
                option: "levels",
                reason: "there is at least 1, the resolution of the labels".to_owned(),
            });
        }
        info.blocks().check_count(&Window::full(info.spatial_shape())?)?;
        for level in &levels {
            let tiles = BlockGrid::new(&level.tile);
            tiles.map_or(Ok(()), |tiles| {
                tiles.check_count(&level.bounds()?).map_err(WriteError::from)
            })?;
        }
        Ok(Self { chunk_shape, shard_shape, levels })
    }

    /// Whether each block of the labels is needed once.
    pub(crate) fn decodes_once(&self) -> bool {
        self.levels.first().is_none_or(|level| follows_blocks(&level.info, &level.tile))
    }

    /// What one thread holds while it works: a block of the labels, mask and target of a tile in all channels,
    /// and a chunk, as elements and encoded. The encoded chunks of a shard come on top.
    ///
    /// # Errors
    ///
    /// [`array_core::ArrayError::OverMemoryLimit`] if that is more than the process may take.
    pub(crate) fn bytes_at_once(&self) -> Result<u64, WriteError> {
        let Some(level) = self.levels.first() else { return Ok(0) };
        let product = |shape: &[usize]| {
            shape.iter().fold(1_u64, |all, &extent| all.saturating_mul(extent as u64))
        };
        let channels = product(level.info.channel_shape());
        // A block, and so a tile, may be said to be larger than the array.
        let extents = level.tile.iter().zip(level.info.spatial_shape());
        let tile: Vec<usize> = extents.map(|(&tile, &extent)| tile.min(extent)).collect();
        let tile = product(&tile).saturating_mul(channels.saturating_add(2));
        // Shares of later levels have four bytes.
        let chunk = product(&self.chunk_shape).saturating_mul(8);
        let bytes = tile.saturating_add(chunk);
        // A block that is not stored takes nothing, and one that is may be refused by whoever reads it.
        check_memory(Some(bytes), || {
            format!("writing chunks of {:?} voxels in {channels} channels", self.chunk_shape)
        })?;
        Ok(bytes.saturating_add(level.info.blocks().bytes()))
    }

    /// The voxels of all levels.
    pub(crate) fn voxels(&self) -> Result<u64, WriteError> {
        self.levels
            .iter()
            .map(Level::voxels)
            .try_fold(0_u64, |all, one| Ok(all.saturating_add(one?)))
    }
}

impl Level {
    pub(crate) fn bounds(&self) -> Result<Window, WriteError> {
        Ok(Window::full(self.info.spatial_shape())?)
    }

    pub(crate) fn voxels(&self) -> Result<u64, WriteError> {
        Ok(self.bounds()?.num_voxels()? as u64)
    }

    /// The number of units.
    pub(crate) fn units(&self) -> usize {
        let counts = counts(self.info.spatial_shape(), &self.unit);
        // At most as many as there are voxels, which the shape of the array has been checked for.
        counts.iter().fold(1, |all, &count| all.saturating_mul(count))
    }

    pub(crate) fn unit(&self, number: usize) -> Result<Cell, WriteError> {
        let index = unravel(number, &counts(self.info.spatial_shape(), &self.unit));
        let window = part(&index, &self.bounds()?, &self.unit)?;
        Ok(Cell { index, window })
    }
}

/// Whether a run that makes chunks of this shape (spatial axes) of labels with these blocks decodes each block
/// once. Where it does not, blocks that several chunks meet are worth keeping in a cache.
///
/// ```
/// use array_core::{ArrayInfo, DType};
/// use geometry::{Coordinate, VoxelGrid, VoxelSize};
///
/// let grid = VoxelGrid::new(Coordinate::from([0]), VoxelSize::new(Coordinate::from([4]))?)?;
/// let info = ArrayInfo::new(DType::U8, &["x"], &[300], grid)?.with_block_shape(&[64])?;
/// assert!(mask_writer::decodes_once(&info, &[128]));
/// assert!(mask_writer::decodes_once(&info, &[32]));
/// assert!(!mask_writer::decodes_once(&info, &[100]));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn decodes_once(info: &ArrayInfo, chunk_shape: &[usize]) -> bool {
    follows_blocks(info, &tile(info, chunk_shape, None))
}

/// Whether no two tiles meet the same block.
fn follows_blocks(info: &ArrayInfo, tile: &[usize]) -> bool {
    let blocks = info.blocks();
    let axes =
        tile.iter().zip(info.spatial_shape()).zip(blocks.shape().iter().zip(blocks.inside()));
    axes.into_iter().all(|((&tile, &extent), (&block, &inside))| {
        // One tile, or borders at the same places.
        tile >= extent || (inside == 0 && tile.is_multiple_of(block))
    })
}

/// The chunks that are made together: one, or those in one block of the labels.
fn tile(info: &ArrayInfo, chunk_shape: &[usize], shard_shape: Option<&[usize]>) -> Vec<usize> {
    let blocks = info.blocks();
    let axes = chunk_shape.iter().zip(blocks.shape()).zip(blocks.inside()).enumerate();
    let joined: Vec<usize> = axes
        .map(|(axis, ((&chunk, &block), &inside))| {
            let fits_shard = shard_shape.is_none_or(|shard| shard[axis].is_multiple_of(block));
            if inside == 0 && block.is_multiple_of(chunk) && fits_shard { block } else { chunk }
        })
        .collect();
    // A block may be said to be larger than the array.
    let extents =
        joined.iter().zip(info.spatial_shape()).map(|(&joined, &extent)| joined.min(extent));
    let voxels = extents.fold(1_usize, usize::saturating_mul);
    if voxels <= MAX_TILE { joined } else { chunk_shape.to_vec() }
}

/// The shapes of chunks and shards along the spatial axes.
fn shapes(
    info: &ArrayInfo,
    options: &WriteOptions<'_>,
) -> Result<(Vec<usize>, Option<Vec<usize>>), WriteError> {
    let extents = info.spatial_shape();
    let check = |option: &'static str, shape: &[usize]| {
        if shape.len() == extents.len() && !shape.contains(&0) {
            return Ok(());
        }
        let reason = format!("{shape:?} is not {} positive numbers", extents.len());
        Err(WriteError::Option { option, reason })
    };
    let chunks = match &options.chunk_shape {
        Some(chunks) => {
            check("chunk shape", chunks)?;
            chunks.clone()
        }
        None => {
            let blocks = info.block_shape().iter();
            blocks.map(|&block| block.saturating_mul(MIN_CHUNK.div_ceil(block))).collect()
        }
    };
    // A chunk larger than the array would only take memory.
    let clipped: Vec<usize> =
        chunks.iter().zip(extents).map(|(&chunk, &extent)| chunk.min(extent.max(1))).collect();
    let Some(shards) = &options.shard_shape else { return Ok((clipped, None)) };
    check("shard shape", shards)?;
    if options.zarr_format != ZarrFormat::V3 {
        let reason = "only version 3 of Zarr has shards".to_owned();
        return Err(WriteError::Option { option: "shard shape", reason });
    }
    if !shards.iter().zip(&chunks).all(|(shard, &chunk)| shard.is_multiple_of(chunk)) {
        let reason = format!("{shards:?} is not a multiple of the chunk shape {chunks:?}");
        return Err(WriteError::Option { option: "shard shape", reason });
    }
    // Places beyond the array would only make the index longer.
    let axes = clipped.iter().zip(extents).zip(shards);
    let shards = axes
        .map(|((&chunk, &extent), &shard)| {
            let needed = extent.max(1).div_ceil(chunk).saturating_mul(chunk);
            if chunk < extent { shard.min(needed) } else { chunk }
        })
        .collect();
    Ok((clipped, Some(shards)))
}

/// What the arrays of a scale level are.
fn level_info(info: &ArrayInfo, level: usize) -> Result<ArrayInfo, WriteError> {
    if level == 0 {
        return Ok(info.clone());
    }
    let error = |reason: String| WriteError::Option { option: "levels", reason };
    let factor = u32::try_from(level).ok().and_then(|level| 1_i64.checked_shl(level));
    let factor = factor.filter(|&factor| factor > 0);
    let mut shape = info.channel_shape().to_vec();
    let mut sizes = Vec::new();
    let shortest = info.spatial_shape().iter().enumerate().min_by_key(|&(_, &extent)| extent);
    for (axis, &extent) in info.spatial_shape().iter().enumerate() {
        let divisor = factor.and_then(|factor| usize::try_from(factor).ok());
        let half = divisor.and_then(|divisor| extent.checked_div(divisor));
        let Some(half) = half.filter(|&half| half > 0) else {
            let (axis, &extent) = shortest.unwrap_or((axis, &extent));
            let (name, most) = (&info.spatial_axes()[axis], extent.max(1).ilog2() + 1);
            return Err(error(format!(
                "axis {name} has {extent} voxels, which can be halved so often that there are {most} levels"
            )));
        };
        shape.push(half);
        let size = info.grid().voxel_size()[axis];
        let size = factor.and_then(|factor| size.checked_mul(factor));
        sizes.push(size.ok_or_else(|| {
            error(format!("the voxels of level s{level} are larger than 64 bits can say"))
        })?);
    }
    let size = VoxelSize::new(Coordinate::new(&sizes)?)?;
    let grid = VoxelGrid::new(*info.grid().offset(), size)?;
    let mut level = ArrayInfo::new(info.dtype(), info.axes(), &shape, grid)?.with_unit(info.unit());
    if let Some(names) = info.channel_names() {
        level = level.with_channel_names(names.to_vec())?;
    }
    Ok(level)
}
