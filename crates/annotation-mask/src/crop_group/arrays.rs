//! Mask and target of a crop group, as arrays and in one pass.

use std::sync::Arc;

use array_core::{
    Array, ArrayError, ArrayExt, ArrayInfo, Block, BlockCache, Output, Scalar, StoredVisitor,
    Stores, Visitor, fold_blocks, set_rows, write_rows,
};
use geometry::Window;
use ndarray::{ArrayViewMutD, Axis};

use crate::channel_planes::ChannelPlanes;
use crate::class_groups::ClassGroups;
use crate::crop_group::CropGroup;
use crate::crop_group::plan::Plan;
use crate::crop_group::states::{Evaluated, PRESENT, Planes, States, UNKNOWN};
use crate::error::MaskError;
use crate::ground_truth::{ChannelSummary, GroundTruth, PairVisitor};
use crate::mask::channel_info;
use crate::pair::{BlockPair, ChannelCounts};
use crate::planes::{count_ones, len_of, plane, with_scratch};

/// For each channel and voxel, 1 where the channel is known: present or absent, 0 where it is unknown.
///
/// uint8, of shape `[channels, ..shape of the classes]`, axes `c` + those of the classes, attributes
/// those of the crop group; computed when it is read. [`CropMaskAndTarget`] makes it.
#[derive(Debug)]
pub struct CropMask<A>(Arc<Channels<A>>);

/// For each channel and voxel, 1 where the channel is present, 0 where it is absent or unknown.
///
/// Of the same form as [`CropMask`].
#[derive(Debug)]
pub struct CropTarget<A>(Arc<Channels<A>>);

/// The mask and the target of one crop group, which read each block of each class once for both.
///
/// ```
/// use std::sync::Arc;
///
/// use annotation_mask::{
///     AnnotationType, ClassAnnotation, ClassState, CropClass, CropGroup, CropMaskAndTarget, Encoding,
/// };
/// use array_core::{ArrayExt, ArrayInfo, DType, MemoryArray};
/// use geometry::{Coordinate, VoxelGrid, VoxelSize};
///
/// let grid = VoxelGrid::new(Coordinate::from([0]), VoxelSize::new(Coordinate::from([4]))?)?;
/// let info = ArrayInfo::new(DType::U8, &["x"], &[3], grid)?;
/// let mito = CropClass {
///     name: "mito".to_owned(),
///     array: MemoryArray::new(info, ndarray::array![0_u8, 1, 255].into_dyn())?,
///     annotation: ClassAnnotation::new(
///         Encoding::new(
///             AnnotationType::Semantic,
///             [(0, ClassState::Absent), (1, ClassState::Present), (255, ClassState::Unknown)],
///         )
///         .expect("the values differ"),
///     ),
/// };
/// let crop = Arc::new(CropGroup::new("crop1", Arc::default(), vec![mito], None)?);
/// let groups = crop.default_groups()?;
/// let pair = CropMaskAndTarget::new(crop, &groups)?;
///
/// let (mask, target) = (pair.mask(), pair.target());
/// assert_eq!(mask.read_as::<u8>(mask.roi())?, ndarray::array![[1, 1, 0]].into_dyn());
/// assert_eq!(target.read_as::<u8>(target.roi())?, ndarray::array![[0, 1, 0]].into_dyn());
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct CropMaskAndTarget<A> {
    shared: Arc<Channels<A>>,
    mask: CropMask<A>,
    target: CropTarget<A>,
}

/// What mask and target have in common.
#[derive(Debug)]
struct Channels<A> {
    crop: Arc<CropGroup<A>>,
    groups: ClassGroups,
    plan: Plan,
    info: ArrayInfo,
    summaries: Vec<ChannelSummary>,
}

impl<A: Array> CropMaskAndTarget<A> {
    /// Mask and target of `crop`, with one channel for each group.
    ///
    /// # Errors
    ///
    /// [`MaskError::Array`] if there are more channels than an array can have.
    pub fn new(crop: Arc<CropGroup<A>>, groups: &ClassGroups) -> Result<Self, MaskError> {
        let info = channel_info(crop.info(), &groups.names(), "a crop mask")?
            .with_attrs(Arc::clone(crop.attrs()));
        let plan = Plan::new(&crop, groups);
        let summaries = plan.summaries(groups);
        let groups = groups.clone();
        let shared = Arc::new(Channels { crop, groups, plan, info, summaries });
        Ok(Self {
            mask: CropMask(Arc::clone(&shared)),
            target: CropTarget(Arc::clone(&shared)),
            shared,
        })
    }

    /// The crop that both are made from.
    pub fn crop(&self) -> &CropGroup<A> {
        &self.shared.crop
    }

    /// The mask alone.
    pub fn mask(&self) -> &CropMask<A> {
        &self.mask
    }

    /// The target alone.
    pub fn target(&self) -> &CropTarget<A> {
        &self.target
    }

    /// The mask and the target, as arrays of their own.
    pub fn into_arrays(self) -> (CropMask<A>, CropTarget<A>) {
        (self.mask, self.target)
    }
}

impl<A: Array> GroundTruth for CropMaskAndTarget<A> {
    fn info(&self) -> &ArrayInfo {
        &self.shared.info
    }

    fn visit_pair(&self, window: &Window, visitor: &mut PairVisitor<'_>) -> Result<(), ArrayError> {
        let info = &self.shared.info;
        // As a region, so that the error is the one of every other read.
        let roi = info.grid().roi(window).map_err(ArrayError::from)?;
        self.mask.slices(&roi)?;
        let shape = [info.channel_shape(), window.shape()].concat();
        let len = len_of(&shape);
        let num_channels = info.channel_shape()[0];
        self.shared.with_states(window, len.saturating_mul(2), |buffer, mut evaluated| {
            let (mask, target) = buffer.split_at_mut(len);
            let voxels = len_of(window.shape());
            evaluated.for_each_channel(|channel, states, plane| {
                let place = channel * voxels..(channel + 1) * voxels;
                Product::Mask.write_bytes(states, plane, &mut mask[place.clone()]);
                Product::Target.write_bytes(states, plane, &mut target[place]);
            });
            let counts = |bytes: &[u8]| match voxels {
                0 => vec![0; num_channels],
                _ => bytes.chunks_exact(voxels).map(count_ones).collect(),
            };
            visitor(BlockPair {
                counts: ChannelCounts {
                    voxels: voxels as u64,
                    known: counts(mask),
                    positive: counts(target),
                },
                mask: ChannelPlanes::of_buffer(window.shape(), num_channels, mask),
                target: ChannelPlanes::of_buffer(window.shape(), num_channels, target),
            })
        })
    }

    fn read_pair_into(
        &self,
        window: &Window,
        mask: Output<'_>,
        target: Output<'_>,
    ) -> Result<(), ArrayError> {
        self.shared.read_pair_into(window, mask, target)
    }

    fn cached(&self, cache: &Arc<BlockCache>) -> Result<Box<dyn GroundTruth + '_>, MaskError> {
        let crop = self.shared.crop.borrowed().with_cache(cache)?;
        Ok(Box::new(CropMaskAndTarget::new(Arc::new(crop), &self.shared.groups)?))
    }

    fn channels(&self) -> Vec<ChannelSummary> {
        self.shared.summaries.clone()
    }

    fn mask_array(&self) -> &dyn Array {
        &self.mask
    }

    fn target_array(&self) -> &dyn Array {
        &self.target
    }
}

/// Which of the two a read makes.
#[derive(Clone, Copy)]
enum Product {
    Mask,
    Target,
}

impl Product {
    #[inline]
    fn of(self, state: u8) -> u8 {
        match self {
            Self::Mask => u8::from(state != UNKNOWN),
            Self::Target => state & PRESENT,
        }
    }

    /// Writes one channel to a run of bytes.
    fn write_bytes(self, states: States, plane: &[u8], out: &mut [u8]) {
        match states {
            States::Constant(state) => out.fill(self.of(state)),
            States::Plane => {
                out.iter_mut().zip(plane).for_each(|(out, &state)| *out = self.of(state));
            }
        }
    }
}

impl<A: Array> Channels<A> {
    /// Runs `work` with `extra` bytes of any content, and the states of a window.
    fn with_states<T>(
        &self,
        window: &Window,
        extra: usize,
        work: impl FnOnce(&mut [u8], Evaluated<'_, '_>) -> Result<T, ArrayError>,
    ) -> Result<T, ArrayError> {
        let voxels = len_of(window.shape());
        let bytes = voxels.saturating_mul(Planes::count(&self.plan)).saturating_add(extra);
        with_scratch(bytes, |buffer: &mut [u8]| {
            let (extra, rest) = buffer.split_at_mut(extra);
            let planes = Planes::new(&self.plan, rest, voxels);
            work(extra, Evaluated::new(&self.crop, &self.plan, window, planes)?)
        })
    }

    fn visit(
        &self,
        product: Product,
        window: &Window,
        visitor: &mut Visitor<'_>,
    ) -> Result<(), ArrayError> {
        if self.plan.keeps_nothing() {
            return visitor(Block::Constant(Scalar::U8(0)));
        }
        let shape = [self.info.channel_shape(), window.shape()].concat();
        let voxels = len_of(window.shape());
        self.with_states(window, len_of(&shape), |buffer, mut evaluated| {
            // While all channels are the same constant, nothing is written.
            let mut uniform: Option<u8> = None;
            let mut written = false;
            evaluated.for_each_channel(|channel, states, plane| {
                if let (States::Constant(state), false) = (states, written) {
                    let value = product.of(state);
                    if *uniform.get_or_insert(value) == value {
                        return;
                    }
                }
                if !written {
                    buffer[..channel * voxels].fill(uniform.unwrap_or(0));
                    written = true;
                }
                let place = channel * voxels..(channel + 1) * voxels;
                product.write_bytes(states, plane, &mut buffer[place]);
            });
            visitor(match uniform {
                Some(value) if !written => Block::Constant(Scalar::U8(value)),
                _ => Block::Voxels(plane(&shape, buffer).into()),
            })
        })
    }

    /// Tells the files of the classes that some channel needs.
    fn visit_stored(
        &self,
        window: &Window,
        visitor: &mut StoredVisitor<'_>,
    ) -> Result<(), ArrayError> {
        let arrays = self.plan.nodes.iter().filter_map(|node| node.array);
        for index in arrays {
            self.crop.classes()[index].array.visit_stored(window, visitor)?;
        }
        Ok(())
    }

    fn read_into(
        &self,
        product: Product,
        window: &Window,
        mut out: Output<'_>,
    ) -> Result<(), ArrayError> {
        if self.plan.keeps_nothing() {
            return out.fill(Scalar::U8(0));
        }
        let work = |window: &Window, out: Output<'_>| {
            let mut out = ChannelsOutput::new(product, out)?;
            self.with_states(window, 0, |_, mut evaluated| {
                evaluated.for_each_channel(|channel, states, plane| {
                    out.write(channel, states, plane);
                });
                Ok(())
            })
        };
        fold_blocks(window, self.info.blocks(), out, &work, &|(), ()| ())?;
        Ok(())
    }

    fn read_pair_into(
        &self,
        window: &Window,
        mut mask: Output<'_>,
        mut target: Output<'_>,
    ) -> Result<(), ArrayError> {
        if self.plan.keeps_nothing() {
            return mask.fill(Scalar::U8(0)).and_then(|()| target.fill(Scalar::U8(0)));
        }
        let work = |window: &Window, (mask, target): (Output<'_>, Output<'_>)| {
            let mut mask = ChannelsOutput::new(Product::Mask, mask)?;
            let mut target = ChannelsOutput::new(Product::Target, target)?;
            self.with_states(window, 0, |_, mut evaluated| {
                evaluated.for_each_channel(|channel, states, plane| {
                    mask.write(channel, states, plane);
                    target.write(channel, states, plane);
                });
                Ok(())
            })
        };
        fold_blocks(window, self.info.blocks(), (mask, target), &work, &|(), ()| ())?;
        Ok(())
    }
}

/// The place of one product of a block, of shape `[channels, ..block]`.
struct ChannelsOutput<'a> {
    product: Product,
    view: ArrayViewMutD<'a, u8>,
    zeroed: bool,
    stores: Stores,
}

impl<'a> ChannelsOutput<'a> {
    fn new(product: Product, out: Output<'a>) -> Result<Self, ArrayError> {
        let (zeroed, stores) = (out.is_zeroed(), out.stores());
        Ok(Self { product, view: out.into_view().typed()?, zeroed, stores })
    }

    /// Writes one channel; what is zero already is left alone.
    fn write(&mut self, channel: usize, states: States, plane: &[u8]) {
        let (product, stores) = (self.product, self.stores);
        let out = self.view.index_axis_mut(Axis(0), channel);
        match states {
            States::Constant(state) if self.zeroed && product.of(state) == 0 => {}
            States::Constant(state) => set_rows(out, product.of(state), stores),
            States::Plane => write_rows(out, plane, stores, |state| product.of(state)),
        }
    }
}

macro_rules! impl_array {
    ($name:ident, $product:expr, $kind:literal) => {
        impl<A: Array> $name<A> {
            /// The crop that the channels are made from.
            pub fn crop(&self) -> &CropGroup<A> {
                &self.0.crop
            }

            /// For each channel, whether it may be trained, and why not.
            pub fn channel_summaries(&self) -> &[ChannelSummary] {
                &self.0.summaries
            }
        }

        impl<A: Array> Array for $name<A> {
            fn info(&self) -> &ArrayInfo {
                &self.0.info
            }

            fn visit(&self, window: &Window, visitor: &mut Visitor<'_>) -> Result<(), ArrayError> {
                self.0.visit($product, window, visitor)
            }

            fn read_into(&self, window: &Window, out: Output<'_>) -> Result<(), ArrayError> {
                self.0.read_into($product, window, out)
            }

            fn visit_stored(
                &self,
                window: &Window,
                visitor: &mut StoredVisitor<'_>,
            ) -> Result<(), ArrayError> {
                self.0.visit_stored(window, visitor)
            }

            fn kind(&self) -> &'static str {
                $kind
            }

            fn is_virtual(&self) -> bool {
                true
            }
        }
    };
}
impl_array!(CropMask, Product::Mask, "a mask of a crop group");
impl_array!(CropTarget, Product::Target, "a target of a crop group");
