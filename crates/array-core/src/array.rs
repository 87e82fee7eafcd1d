//! The interface of every array.

use std::fmt::Debug;
use std::sync::Arc;

use geometry::{Roi, VoxelSize, Window, WorldUnit};
use serde_json::{Map, Value};

use crate::any_array::{AnyArray, AnyView, AnyViewMut, same_shape};
use crate::blocks::{Block, Output, copy_blocks};
use crate::crop::Crop;
use crate::dtype::{DType, Element};
use crate::error::{ArrayError, not_aligned, out_of_bounds};
use crate::info::ArrayInfo;
use crate::many;
use crate::neuroglancer;
use crate::scalar::Scalar;
use crate::stored::StoredVisitor;

/// A volume of voxels with a place in the world: what a source or a wrapper must provide.
///
/// Users call the methods of [`ArrayExt`], which check their arguments; the methods here may rely on
/// a window inside the array.
pub trait Array: Debug + Send + Sync {
    /// What the array is.
    fn info(&self) -> &ArrayInfo;

    /// Hands the voxels of `window` to `visitor`, once, in the calling thread.
    ///
    /// The window lies inside the array; it need not follow block borders, but one that lies in a
    /// single block costs no copy.
    ///
    /// # Errors
    ///
    /// Those of the source, and those of `visitor`.
    fn visit(&self, window: &Window, visitor: &mut Visitor<'_>) -> Result<(), ArrayError>;

    /// Reads `window` into `out`, of shape `[..channels, ..window.shape()]`.
    ///
    /// The window lies inside the array. The default walks the blocks in parallel.
    ///
    /// # Errors
    ///
    /// Those of the source, and a dtype or shape of `out` that does not fit.
    fn read_into(&self, window: &Window, out: Output<'_>) -> Result<(), ArrayError> {
        copy_blocks(self, window, out)
    }

    /// Tells `visitor` of the files out of which `window` is read, in the calling thread: those that describe
    /// the array, and those of its voxels that are stored or could be. A file may be told more than once.
    ///
    /// Who asks before and after a read knows whether what was read is of one state. The default is that of an
    /// array that nothing is stored of; a wrapper tells the files of its sources.
    ///
    /// # Errors
    ///
    /// Those of the storage, and those of `visitor`.
    fn visit_stored(
        &self,
        window: &Window,
        visitor: &mut StoredVisitor<'_>,
    ) -> Result<(), ArrayError> {
        let _ = (window, visitor);
        Ok(())
    }

    /// What kind of array this is, for messages.
    fn kind(&self) -> &'static str;

    /// Whether the voxels are computed from another array when they are read.
    fn is_virtual(&self) -> bool {
        false
    }

    /// The array as one that can be written, if it is.
    fn as_writable(&self) -> Option<&dyn WritableArray> {
        None
    }
}

/// What [`Array::visit`] calls with the voxels.
pub type Visitor<'a> = dyn FnMut(Block<'_>) -> Result<(), ArrayError> + Send + 'a;

/// An array whose voxels can be written.
pub trait WritableArray: Array {
    /// Writes `data`, of shape `[..channels, ..window.shape()]`, to `window`, which lies inside the
    /// array.
    ///
    /// # Errors
    ///
    /// Those of the storage, and a dtype or shape of `data` that does not fit.
    fn write_window(&self, window: &Window, data: &AnyView<'_>) -> Result<(), ArrayError>;
}

/// A pointer to an array is the array.
macro_rules! impl_array_for_pointer {
    ($pointer:ty) => {
        impl<A: Array + ?Sized> Array for $pointer {
            fn info(&self) -> &ArrayInfo {
                (**self).info()
            }

            fn visit(&self, window: &Window, visitor: &mut Visitor<'_>) -> Result<(), ArrayError> {
                (**self).visit(window, visitor)
            }

            fn read_into(&self, window: &Window, out: Output<'_>) -> Result<(), ArrayError> {
                (**self).read_into(window, out)
            }

            fn visit_stored(
                &self,
                window: &Window,
                visitor: &mut StoredVisitor<'_>,
            ) -> Result<(), ArrayError> {
                (**self).visit_stored(window, visitor)
            }

            fn kind(&self) -> &'static str {
                (**self).kind()
            }

            fn is_virtual(&self) -> bool {
                (**self).is_virtual()
            }

            fn as_writable(&self) -> Option<&dyn WritableArray> {
                (**self).as_writable()
            }
        }
    };
}
impl_array_for_pointer!(&A);
impl_array_for_pointer!(Arc<A>);
impl_array_for_pointer!(Box<A>);

/// The methods that users of an array call, each checked.
pub trait ArrayExt: Array {
    /// The attributes of the array (of a wrapper: those of its source).
    fn attrs(&self) -> &Map<String, Value> {
        self.info().attrs()
    }

    /// The names of all axes, channel axes first.
    fn axes(&self) -> &[String] {
        self.info().axes()
    }

    /// The number of spatial axes.
    fn dims(&self) -> usize {
        self.info().dims()
    }

    /// The extent of a voxel along each spatial axis, in world units.
    fn voxel_size(&self) -> VoxelSize {
        *self.info().grid().voxel_size()
    }

    /// The region that the array covers, in world units.
    fn roi(&self) -> &Roi {
        self.info().roi()
    }

    /// The unit in which the region and the voxel size count.
    fn unit(&self) -> WorldUnit {
        self.info().unit()
    }

    /// The extent of all axes, in elements, channel axes first.
    fn shape(&self) -> &[usize] {
        self.info().shape()
    }

    /// The element type.
    fn dtype(&self) -> DType {
        self.info().dtype()
    }

    /// The number of channels, if there is a channel axis.
    fn num_channels(&self) -> Option<usize> {
        self.info().num_channels()
    }

    /// The names of the channels, if they have any.
    fn channels(&self) -> Option<&[String]> {
        self.info().channel_names()
    }

    /// Whether [`ArrayExt::write`] can succeed.
    fn writable(&self) -> bool {
        self.as_writable().is_some()
    }

    /// All stored voxels.
    ///
    /// # Errors
    ///
    /// [`ArrayError::Virtual`] if the array only computes voxels on demand: use
    /// [`ArrayExt::read`]; otherwise those of a read.
    fn data(&self) -> Result<AnyArray, ArrayError> {
        if self.is_virtual() {
            return Err(ArrayError::Virtual { array: self.kind().to_owned() });
        }
        self.read(self.roi())
    }

    /// The window of voxels that `roi` (world units) covers: where a read will look.
    ///
    /// A region without voxels has a window without voxels, wherever it lies.
    ///
    /// # Errors
    ///
    /// [`ArrayError::DimsMismatch`], [`ArrayError::OutOfBounds`] (also for an unbounded region) or
    /// [`ArrayError::NotAligned`].
    fn slices(&self, roi: &Roi) -> Result<Window, ArrayError> {
        let (bounds, voxel_size) = (self.roi(), self.voxel_size());
        if roi.dims() != bounds.dims() {
            return Err(ArrayError::DimsMismatch {
                roi: Box::new(*roi),
                bounds: Box::new(*bounds),
            });
        }
        // An empty region is inside every array, so only its shape must fit the voxels.
        let place = if roi.is_empty() { Roi::new(bounds.offset()?, roi.shape()?)? } else { *roi };
        if !roi.is_empty() && !bounds.contains_roi(roi)? {
            return Err(out_of_bounds(roi, bounds, voxel_size));
        }
        match self.info().grid().window(&place) {
            Err(geometry::GeometryError::NotAligned { .. }) => {
                Err(not_aligned(roi, bounds, voxel_size))
            }
            window => Ok(window?),
        }
    }

    /// Reads `roi` (world units) into an array of shape `[..channels, ..roi.shape() / voxel_size]`.
    ///
    /// # Errors
    ///
    /// Those of [`ArrayExt::slices`]; [`ArrayError::TooLarge`] if the result does not fit into
    /// memory; those of the source.
    fn read(&self, roi: &Roi) -> Result<AnyArray, ArrayError> {
        let window = self.slices(roi)?;
        let shape = [self.info().channel_shape(), window.shape()].concat();
        let mut out = AnyArray::zeros(self.dtype(), &shape)?;
        if !shape.contains(&0) {
            self.read_into(&window, Output::zeroed(out.view_mut()))?;
        }
        Ok(out)
    }

    /// Reads `roi` as [`ArrayExt::read`] does, as an array of a Rust type.
    ///
    /// # Errors
    ///
    /// Those of [`ArrayExt::read`], and [`ArrayError::DTypeMismatch`] if the elements are of another
    /// type; they are not converted.
    fn read_as<T: Element>(&self, roi: &Roi) -> Result<ndarray::ArrayD<T>, ArrayError> {
        let found = self.dtype();
        if found != T::DTYPE {
            return Err(ArrayError::DTypeMismatch { expected: T::DTYPE, found });
        }
        self.read(roi)?.into_typed()
    }

    /// Reads `roi` as [`ArrayExt::read`] does, with `fill` where it reaches beyond the array.
    ///
    /// # Errors
    ///
    /// [`ArrayError::DimsMismatch`], [`ArrayError::NotAligned`], or [`ArrayError::OutOfBounds`] for
    /// an unbounded region; [`ArrayError::DTypeMismatch`] if `fill` is of another type;
    /// [`ArrayError::TooLarge`]; those of the source.
    fn read_padded(&self, roi: &Roi, fill: Scalar) -> Result<AnyArray, ArrayError> {
        let (bounds, voxel_size) = (self.roi(), self.voxel_size());
        if roi.dims() != bounds.dims() {
            return Err(ArrayError::DimsMismatch {
                roi: Box::new(*roi),
                bounds: Box::new(*bounds),
            });
        }
        if roi.is_unbounded() {
            return Err(out_of_bounds(roi, bounds, voxel_size));
        }
        if roi.is_empty() {
            return self.read(roi);
        }
        let grid = self.info().grid();
        let voxels = grid.voxels(roi).map_err(|error| match error {
            geometry::GeometryError::NotAligned { .. } => not_aligned(roi, bounds, voxel_size),
            error => error.into(),
        })?;
        let extent = voxels.shape()?;
        let spatial: Vec<usize> = extent
            .iter()
            .map(|&extent| usize::try_from(extent))
            .collect::<Result<_, _>>()
            .map_err(|_| out_of_bounds(roi, bounds, voxel_size))?;
        let shape = [self.info().channel_shape(), &spatial].concat();
        let mut out = AnyArray::zeros(self.dtype(), &shape)?;
        let mut whole = Output::zeroed(out.view_mut());
        whole.fill(fill)?;
        let inside = roi.intersect(bounds)?;
        if shape.contains(&0) || inside.is_empty() {
            return Ok(out);
        }
        let window = grid.window(&inside)?;
        let place = geometry::VoxelGrid::new(roi.offset()?, voxel_size)?.window(&inside)?;
        let channel_dims = self.info().channel_dims();
        let mut part = whole;
        for (axis, (&start, &len)) in place.start().iter().zip(place.shape()).enumerate() {
            part = part.slice_axis(channel_dims.saturating_add(axis), start, len);
        }
        self.read_into(&window, part)?;
        Ok(out)
    }

    /// Reads `roi` (world units) into `out`, of shape `[..channels, ..roi.shape() / voxel_size]`.
    ///
    /// # Errors
    ///
    /// Those of [`ArrayExt::slices`]; [`ArrayError::DTypeMismatch`] or [`ArrayError::ShapeMismatch`]
    /// if `out` does not fit; those of the source, after which `out` holds a part of the voxels.
    fn read_to(&self, roi: &Roi, out: AnyViewMut<'_>) -> Result<(), ArrayError> {
        let window = self.slices(roi)?;
        if out.dtype() != self.dtype() {
            let (expected, found) = (self.dtype(), out.dtype());
            return Err(ArrayError::DTypeMismatch { expected, found });
        }
        same_shape(&[self.info().channel_shape(), window.shape()].concat(), out.shape())?;
        if out.shape().contains(&0) {
            return Ok(());
        }
        self.read_into(&window, Output::new(out))
    }

    /// Reads many regions (world units) in parallel, each as [`ArrayExt::read`] does; the results have
    /// the order of `rois`.
    ///
    /// Regions that begin in the same block are read one after another, whatever their order. Blocks that
    /// several regions meet are read for each of them, unless they are kept: see
    /// [`CachedArray`](crate::CachedArray).
    ///
    /// # Errors
    ///
    /// Those of [`ArrayExt::read`], with the region; [`ArrayError::TooLarge`] if the results do not fit
    /// into memory together. All regions are checked before anything is read.
    fn read_many(&self, rois: &[Roi]) -> Result<Vec<AnyArray>, ArrayError> {
        many::read_many(self, rois)
    }

    /// Reads many regions (world units) of one shape, as [`ArrayExt::read_many`] does, into one array of
    /// shape `[rois, ..channels, ..roi.shape() / voxel_size]`.
    ///
    /// # Errors
    ///
    /// Those of [`ArrayExt::read_many`], and [`ArrayError::ShapeMismatch`] if regions differ in shape.
    fn read_batch(&self, rois: &[Roi]) -> Result<AnyArray, ArrayError> {
        many::read_batch(self, rois)
    }

    /// Reads many regions (world units) of one shape, as [`ArrayExt::read_many`] does, into `out`, of
    /// shape `[rois, ..channels, ..roi.shape() / voxel_size]`.
    ///
    /// # Errors
    ///
    /// Those of [`ArrayExt::read_batch`] and [`ArrayExt::read_to`].
    fn read_batch_to(&self, rois: &[Roi], out: AnyViewMut<'_>) -> Result<(), ArrayError> {
        many::read_batch_to(self, rois, out)
    }

    /// Writes `data`, of shape `[..channels, ..roi.shape() / voxel_size]`, to `roi` (world units).
    ///
    /// # Errors
    ///
    /// [`ArrayError::NotWritable`]; those of [`ArrayExt::slices`]; [`ArrayError::DTypeMismatch`] or
    /// [`ArrayError::ShapeMismatch`] if `data` does not fit; those of the storage.
    fn write(&self, roi: &Roi, data: &AnyView<'_>) -> Result<(), ArrayError> {
        let Some(array) = self.as_writable() else {
            return Err(ArrayError::NotWritable {
                array: self.kind().to_owned(),
                reason: if self.is_virtual() {
                    "its voxels are computed from its source".to_owned()
                } else {
                    "it was opened for reading".to_owned()
                },
            });
        };
        let window = self.slices(roi)?;
        if data.dtype() != self.dtype() {
            let (expected, found) = (self.dtype(), data.dtype());
            return Err(ArrayError::DTypeMismatch { expected, found });
        }
        same_shape(&[self.info().channel_shape(), window.shape()].concat(), data.shape())?;
        if window.is_empty() {
            return Ok(());
        }
        array.write_window(&window, data)
    }

    /// The part of the array inside `roi` (world units), as an array of its own.
    ///
    /// # Errors
    ///
    /// Those of [`Crop::new`].
    fn crop(self, roi: &Roi) -> Result<Crop<Self>, ArrayError>
    where
        Self: Sized,
    {
        Crop::new(self, roi)
    }

    /// Whether Neuroglancer can show the array.
    fn can_neuroglance(&self) -> bool {
        neuroglancer::check(self.info()).is_ok()
    }

    /// The Neuroglancer layer that shows the array, whose voxels are served at `source` (such as
    /// `zarr2://http://127.0.0.1:8000/labels`).
    ///
    /// Integer labels become a segmentation, everything else an image; of several channels it shows the
    /// first. [`Layer`](neuroglancer::Layer) has layers for masks and targets.
    ///
    /// # Errors
    ///
    /// [`ArrayError::NotShowable`] if [`ArrayExt::can_neuroglance`] is false.
    fn neuroglancer_layer(&self, source: &str) -> Result<Value, ArrayError> {
        neuroglancer::Layer::of(source, self.info()).to_json()
    }

    /// The state of a Neuroglancer viewer that shows the array alone, served at `source`, and stands in
    /// its middle; [`neuroglancer::link`] makes a link of it.
    ///
    /// # Errors
    ///
    /// [`ArrayError::NotShowable`] if [`ArrayExt::can_neuroglance`] is false.
    fn neuroglancer_state(&self, source: &str) -> Result<Value, ArrayError> {
        neuroglancer::state(self.info(), &[neuroglancer::Layer::of(source, self.info())])
    }
}

impl<A: Array + ?Sized> ArrayExt for A {}
