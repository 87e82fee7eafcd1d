//! What an array is, as a value.

use std::collections::HashSet;
use std::sync::Arc;

use geometry::{Roi, VoxelGrid, WorldUnit};
use serde_json::{Map, Value};

use crate::blocks::BlockGrid;
use crate::dtype::DType;
use crate::error::ArrayError;

/// Everything about an array but its voxels.
///
/// Axes go slowest first: channel axes (if any), then the spatial axes, such as `c, z, y, x`.
///
/// ```
/// use array_core::{ArrayInfo, DType};
/// use geometry::{Coordinate, Roi, VoxelGrid, VoxelSize};
///
/// let grid = VoxelGrid::new(
///     Coordinate::from([400, 240, 80]),
///     VoxelSize::new(Coordinate::from([8, 4, 4]))?,
/// )?;
/// let info = ArrayInfo::new(DType::U8, &["c", "z", "y", "x"], &[5, 10, 20, 20], grid)?;
///
/// assert_eq!(info.dims(), 3);
/// assert_eq!(info.num_channels(), Some(5));
/// assert_eq!(info.roi(), &Roi::new([400, 240, 80], [80, 80, 80])?);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct ArrayInfo {
    axes: Vec<String>,
    // Invariant: as long as `axes`; the last `grid.dims()` entries are the spatial ones.
    shape: Vec<usize>,
    grid: VoxelGrid,
    roi: Roi,
    unit: WorldUnit,
    dtype: DType,
    // Invariant: of `grid.dims()` axes.
    blocks: BlockGrid,
    channel_names: Option<Arc<[String]>>,
    attrs: Arc<Map<String, Value>>,
}

/// The extent of a block along each axis, in voxels, where nothing says a better one.
const DEFAULT_BLOCK: usize = 64;

/// Whether an axis of this name is a channel axis: `c`, `channel`, or any name that ends in `^`.
///
/// The last is how funlib.persistence marks axes without a place in space.
#[must_use]
pub fn is_channel_axis(name: &str) -> bool {
    name == "c" || name == "channel" || name.ends_with('^')
}

/// The size in bytes of a block in all channels, as far as that can be counted.
fn bytes_of(channel_shape: &[usize], block_shape: &[usize], dtype: DType) -> u64 {
    let elements = channel_shape.iter().chain(block_shape);
    let elements = elements.fold(1_usize, |all, &extent| all.saturating_mul(extent));
    u64::try_from(elements.saturating_mul(dtype.size())).unwrap_or(u64::MAX)
}

impl ArrayInfo {
    /// Describes an array of `shape` voxels whose last `grid.dims()` axes lie in space.
    ///
    /// The world unit is unknown, blocks are at most 64 voxels wide, and there are no attributes, unless
    /// the `with_` methods say otherwise.
    ///
    /// # Errors
    ///
    /// [`ArrayError::BadInfo`] if `axes` and `shape` differ in length, or are shorter than the grid
    /// has axes, or an axis name stands twice, or a spatial axis has the name of a channel axis;
    /// [`ArrayError::Geometry`] if the end of the array lies beyond the 64-bit world.
    pub fn new<S: AsRef<str>>(
        dtype: DType,
        axes: &[S],
        shape: &[usize],
        grid: VoxelGrid,
    ) -> Result<Self, ArrayError> {
        let axes: Vec<String> = axes.iter().map(|axis| axis.as_ref().to_owned()).collect();
        let bad = |reason: String| ArrayError::BadInfo { reason };
        if axes.len() != shape.len() {
            return Err(bad(format!("the axes {axes:?} do not match the shape {shape:?}")));
        }
        let Some(channel_axes) = axes.len().checked_sub(grid.dims()) else {
            let dims = grid.dims();
            return Err(bad(format!("the axes {axes:?} are fewer than the {dims} spatial dims")));
        };
        let (_, spatial) = axes.split_at(channel_axes);
        if let Some(name) = spatial.iter().find(|name| is_channel_axis(name)) {
            return Err(bad(format!(
                "{name:?} is the name of a channel axis, not of a spatial one"
            )));
        }
        // A stranger's document may name millions of axes.
        let mut known = HashSet::with_capacity(axes.len());
        if let Some((index, name)) = axes.iter().enumerate().find(|(_, name)| !known.insert(*name))
        {
            return Err(bad(format!("axis {index} has the name {name:?} of another axis")));
        }
        let spatial_shape = shape.get(channel_axes..).unwrap_or_default();
        let roi = grid.array_roi(spatial_shape)?;
        let blocks: Vec<usize> =
            spatial_shape.iter().map(|&extent| extent.clamp(1, DEFAULT_BLOCK)).collect();
        let channels = shape.get(..channel_axes).unwrap_or_default();
        let blocks = BlockGrid::new(&blocks).ok_or_else(|| bad("a block is empty".to_owned()))?;
        let bytes = bytes_of(channels, blocks.shape(), dtype);
        Ok(Self {
            blocks: blocks.taking(bytes),
            axes,
            shape: shape.to_vec(),
            grid,
            roi,
            unit: WorldUnit::default(),
            dtype,
            channel_names: None,
            attrs: Arc::default(),
        })
    }

    /// The same with another element type.
    #[must_use]
    pub fn with_dtype(self, dtype: DType) -> Self {
        Self { dtype, ..self }
    }

    /// The same with the world unit in which the grid counts.
    #[must_use]
    pub fn with_unit(self, unit: WorldUnit) -> Self {
        Self { unit, ..self }
    }

    /// The same with the shape, in voxels, of the blocks in which the array is best read. While one is read, it
    /// takes its voxels in all channels.
    ///
    /// # Errors
    ///
    /// [`ArrayError::BadInfo`] if it has not one positive entry for each spatial axis.
    pub fn with_block_shape(self, block_shape: &[usize]) -> Result<Self, ArrayError> {
        let dims = self.dims();
        match BlockGrid::new(block_shape).filter(|_| block_shape.len() == dims) {
            Some(blocks) => {
                let bytes = bytes_of(self.channel_shape(), block_shape, self.dtype);
                Ok(Self { blocks: blocks.taking(bytes), ..self })
            }
            None => Err(ArrayError::BadInfo {
                reason: format!("the block shape {block_shape:?} is not {dims} positive numbers"),
            }),
        }
    }

    /// The same with the blocks of another array of the same dims.
    ///
    /// # Errors
    ///
    /// [`ArrayError::BadInfo`] if the blocks have other dims.
    pub fn with_blocks(self, blocks: BlockGrid) -> Result<Self, ArrayError> {
        if blocks.shape().len() != self.dims() {
            return Err(ArrayError::BadInfo {
                reason: format!("blocks of {:?} for {} dims", blocks.shape(), self.dims()),
            });
        }
        Ok(Self { blocks, ..self })
    }

    /// The same with a name for each channel.
    ///
    /// # Errors
    ///
    /// [`ArrayError::BadInfo`] if there are not as many names as channels.
    pub fn with_channel_names(self, names: Vec<String>) -> Result<Self, ArrayError> {
        if self.num_channels() != Some(names.len()) {
            let channels = self.num_channels().unwrap_or(0);
            return Err(ArrayError::BadInfo {
                reason: format!("{} names for {channels} channels", names.len()),
            });
        }
        Ok(Self { channel_names: Some(names.into()), ..self })
    }

    /// The same with attributes.
    #[must_use]
    pub fn with_attrs(self, attrs: Arc<Map<String, Value>>) -> Self {
        Self { attrs, ..self }
    }

    /// The same with the spatial axes cut down to `window` (in voxels of this array).
    pub(crate) fn cropped(&self, window: &geometry::Window) -> Result<Self, ArrayError> {
        let roi = self.grid.roi(window)?;
        let grid = VoxelGrid::new(roi.offset()?, *self.grid.voxel_size())?;
        let shape = [self.channel_shape(), window.shape()].concat();
        let blocks = self.blocks.behind(window.start()).unwrap_or_else(|| self.blocks.clone());
        Ok(Self { shape, grid, roi, blocks, ..self.clone() })
    }

    /// The names of all axes, channel axes first.
    #[must_use]
    pub fn axes(&self) -> &[String] {
        &self.axes
    }

    /// The extent of all axes, in elements, channel axes first.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The number of spatial axes.
    #[must_use]
    pub fn dims(&self) -> usize {
        self.grid.dims()
    }

    /// The number of channel axes, which come before the spatial ones.
    #[must_use]
    pub fn channel_dims(&self) -> usize {
        self.axes.len().saturating_sub(self.dims())
    }

    /// The extent of the channel axes.
    #[must_use]
    pub fn channel_shape(&self) -> &[usize] {
        self.shape.get(..self.channel_dims()).unwrap_or_default()
    }

    /// The extent of the spatial axes, in voxels.
    #[must_use]
    pub fn spatial_shape(&self) -> &[usize] {
        self.shape.get(self.channel_dims()..).unwrap_or_default()
    }

    /// The names of the spatial axes.
    #[must_use]
    pub fn spatial_axes(&self) -> &[String] {
        self.axes.get(self.channel_dims()..).unwrap_or_default()
    }

    /// The number of channels, if there is a channel axis.
    #[must_use]
    pub fn num_channels(&self) -> Option<usize> {
        if self.channel_dims() == 0 {
            return None;
        }
        Some(self.channel_shape().iter().fold(1, |product: usize, &n| product.saturating_mul(n)))
    }

    /// The names of the channels, if they have any.
    #[must_use]
    pub fn channel_names(&self) -> Option<&[String]> {
        self.channel_names.as_deref()
    }

    /// Where the voxels lie, in world units.
    #[must_use]
    pub fn grid(&self) -> &VoxelGrid {
        &self.grid
    }

    /// The region that the array covers, in world units.
    #[must_use]
    pub fn roi(&self) -> &Roi {
        &self.roi
    }

    /// The unit in which grid and region count.
    #[must_use]
    pub fn unit(&self) -> WorldUnit {
        self.unit
    }

    /// The element type.
    #[must_use]
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// The shape, in voxels, of the blocks in which the array is best read: its chunks.
    #[must_use]
    pub fn block_shape(&self) -> &[usize] {
        self.blocks.shape()
    }

    /// The blocks in which the array is best read: its chunks.
    #[must_use]
    pub fn blocks(&self) -> &BlockGrid {
        &self.blocks
    }

    /// The attributes.
    #[must_use]
    pub fn attrs(&self) -> &Arc<Map<String, Value>> {
        &self.attrs
    }
}
