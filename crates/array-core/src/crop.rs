//! A part of an array as an array.

use geometry::{GeometryError, Roi, Window};

use crate::any_array::AnyView;
use crate::array::{Array, ArrayExt, Visitor, WritableArray};
use crate::blocks::Output;
use crate::error::{ArrayError, not_aligned, out_of_bounds};
use crate::info::ArrayInfo;
use crate::stored::StoredVisitor;

/// The part of an array that lies inside a region: the same voxels at the same place in the world.
///
/// ```
/// use array_core::{ArrayExt, ArrayInfo, DType, MemoryArray};
/// use geometry::{Coordinate, Roi, VoxelGrid, VoxelSize};
///
/// let grid = VoxelGrid::new(Coordinate::from([0]), VoxelSize::new(Coordinate::from([4]))?)?;
/// let info = ArrayInfo::new(DType::U8, &["x"], &[5], grid)?;
/// let array = MemoryArray::new(info, ndarray::array![0_u8, 1, 2, 3, 4].into_dyn())?;
///
/// let crop = array.crop(&Roi::new([8], [100])?)?;
/// assert_eq!(crop.roi(), &Roi::new([8], [12])?);
/// assert_eq!(crop.read_as::<u8>(crop.roi())?, ndarray::array![2, 3, 4].into_dyn());
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Crop<A> {
    source: A,
    info: ArrayInfo,
    // Where the crop begins in the source, in voxels.
    start: Vec<usize>,
}

impl<A: Array> Crop<A> {
    /// The part of `source` inside `roi` (world units), which may reach beyond the source.
    ///
    /// # Errors
    ///
    /// [`ArrayError::DimsMismatch`]; [`ArrayError::OutOfBounds`] if `roi` is unbounded;
    /// [`ArrayError::EmptyCrop`] if it holds nothing of the source; [`ArrayError::NotAligned`] if it
    /// does not begin and end between voxels.
    pub fn new(source: A, roi: &Roi) -> Result<Self, ArrayError> {
        let (bounds, voxel_size) = (*source.roi(), source.voxel_size());
        if roi.dims() != bounds.dims() {
            return Err(ArrayError::DimsMismatch { roi: Box::new(*roi), bounds: Box::new(bounds) });
        }
        if roi.is_unbounded() {
            return Err(out_of_bounds(roi, &bounds, voxel_size));
        }
        let part = roi.intersect(&bounds)?;
        if part.is_empty() {
            return Err(ArrayError::EmptyCrop { roi: Box::new(*roi), bounds: Box::new(bounds) });
        }
        match source.info().grid().voxels(roi) {
            Err(GeometryError::NotAligned { .. }) => {
                return Err(not_aligned(roi, &bounds, voxel_size));
            }
            voxels => voxels?,
        };
        let window = source.slices(&part)?;
        let info = source.info().cropped(&window)?;
        Ok(Self { start: window.start().to_vec(), info, source })
    }

    /// The array that this is a part of.
    pub fn source(&self) -> &A {
        &self.source
    }

    /// The window of the source that a window of the crop shows.
    fn in_source(&self, window: &Window) -> Window {
        let start: Vec<usize> =
            window.start().iter().zip(&self.start).map(|(a, b)| a.saturating_add(*b)).collect();
        Window::new(&start, window.shape()).expect("a window inside the crop is inside the source")
    }
}

impl<A: Array> Array for Crop<A> {
    fn info(&self) -> &ArrayInfo {
        &self.info
    }

    fn visit(&self, window: &Window, visitor: &mut Visitor<'_>) -> Result<(), ArrayError> {
        self.source.visit(&self.in_source(window), visitor)
    }

    fn read_into(&self, window: &Window, out: Output<'_>) -> Result<(), ArrayError> {
        self.source.read_into(&self.in_source(window), out)
    }

    fn visit_stored(
        &self,
        window: &Window,
        visitor: &mut StoredVisitor<'_>,
    ) -> Result<(), ArrayError> {
        self.source.visit_stored(&self.in_source(window), visitor)
    }

    fn kind(&self) -> &'static str {
        "a crop"
    }

    fn is_virtual(&self) -> bool {
        self.source.is_virtual()
    }

    fn as_writable(&self) -> Option<&dyn WritableArray> {
        self.source.as_writable().map(|_| self as &dyn WritableArray)
    }
}

impl<A: Array> WritableArray for Crop<A> {
    fn write_window(&self, window: &Window, data: &AnyView<'_>) -> Result<(), ArrayError> {
        match self.source.as_writable() {
            Some(source) => source.write_window(&self.in_source(window), data),
            None => Err(ArrayError::NotWritable {
                array: self.kind().to_owned(),
                reason: "its source was opened for reading".to_owned(),
            }),
        }
    }
}
