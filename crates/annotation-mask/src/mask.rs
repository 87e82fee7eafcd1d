//! The mask: where a channel may be trained.

use std::sync::Arc;

use array_core::{
    AnyArray, Array, ArrayError, ArrayExt, ArrayInfo, Block, BlockCache, CachedArray, DType,
    Output, Scalar, StoredVisitor, Visitor, set_rows, write_rows,
};
use geometry::{Roi, Window};
use ndarray::{ArrayD, Axis};

use crate::channel_sets::ChannelSets;
use crate::compact::CompactLabels;
use crate::error::MaskError;
use crate::groups::Groups;
use crate::labels::LabelList;
use crate::planes::{fill_foreground, len_of, plane, plane_mut, with_scratch};
use crate::rule::{ChannelDecision, Rule};
use crate::units::{for_each_unit, read_plane};

/// How a mask is made from labels and groups.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MaskOptions {
    /// The rule by which channels are kept.
    pub rule: Rule,
    /// Whether labels without a `labels` attribute are refused; otherwise nothing of them counts as
    /// missing, and a warning is logged.
    pub require_labels: bool,
}

/// For each channel and voxel, 1 where the ground truth may be trusted, 0 where it may not.
///
/// `mask[c, v]` is 1 if channel `c` is kept (no class of it was left out by the annotators, see
/// [`Rule`]) and voxel `v` is labelled at all (`label > 0`). uint8, of shape
/// `[channels, ..source shape]`, axes `c` + those of the source; computed when it is read.
#[derive(Debug)]
pub struct MissingAnnotationsMask<A> {
    source: A,
    info: ArrayInfo,
    labels: Option<LabelList>,
    decisions: Vec<ChannelDecision>,
}

/// A mask as its factors: `mask[c, v]` is `kept[c] && foreground[v]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactoredMask {
    /// 1 for each labelled voxel, 0 for each other, of the shape of the labels; all 0 if no channel is
    /// kept, since nothing is read then.
    pub foreground: ArrayD<u8>,
    /// For each channel, whether it may be trained.
    pub kept: Vec<bool>,
}

impl<A: Array> MissingAnnotationsMask<A> {
    /// The mask of `source`, an array of labels, with one channel for each group.
    ///
    /// What was annotated is read once, from the attribute `labels` of the source.
    ///
    /// # Errors
    ///
    /// [`MaskError::NotLabels`] for floating point voxels; [`ArrayError::SourceHasChannels`];
    /// [`MaskError::LabelsMalformed`]; [`MaskError::NoLabels`] if the attribute is required.
    pub fn new(source: A, groups: &Groups, options: &MaskOptions) -> Result<Self, MaskError> {
        let info = channel_info(source.info(), &groups.names(), "a missing annotations mask")?;
        let labels = LabelList::from_attrs(source.info().attrs())?;
        if labels.is_none() {
            if options.require_labels {
                return Err(MaskError::NoLabels);
            }
            tracing::warn!("no `labels` attribute: every labelled voxel is trusted");
        }
        let nothing = LabelList::default();
        let missing = labels.as_ref().unwrap_or(&nothing).missing();
        let decide = |group| options.rule.decide(group, missing);
        let decisions = groups.as_slice().iter().map(decide).collect();
        Ok(Self { source, info, labels, decisions })
    }

    /// The same mask, of labels whose blocks are kept in `cache`, as [`CompactLabels`]: for reads that meet
    /// the same blocks again, such as random patches.
    ///
    /// # Errors
    ///
    /// None in practice: those of [`MissingAnnotationsMask::new`].
    ///
    /// ```
    /// # use annotation_mask::{Group, Groups, MaskOptions, MissingAnnotationsMask};
    /// # use array_core::{ArrayExt, ArrayInfo, DType, MemoryArray};
    /// # use geometry::{Coordinate, VoxelGrid, VoxelSize};
    /// # let grid = VoxelGrid::new(Coordinate::from([0]), VoxelSize::new(Coordinate::from([4]))?)?;
    /// # let info = ArrayInfo::new(DType::U8, &["x"], &[4], grid)?;
    /// # let labels = MemoryArray::new(info, ndarray::array![0_u8, 3, 1, 3].into_dyn())?;
    /// # let groups = Groups::new(vec![Group::new("mito", [3])])?;
    /// use std::sync::Arc;
    ///
    /// use array_core::BlockCache;
    ///
    /// let cache = Arc::new(BlockCache::new(256 << 20));
    /// let mask = MissingAnnotationsMask::new(labels, &groups, &MaskOptions::default())?;
    /// let mask = mask.with_cache(&cache)?;
    /// mask.read(mask.roi())?;
    /// mask.read(mask.roi())?;
    /// assert_eq!(cache.stats().misses, 1);
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub fn with_cache(
        self,
        cache: &Arc<BlockCache>,
    ) -> Result<MissingAnnotationsMask<CachedArray<CompactLabels<A>>>, MaskError> {
        let (compact, _) = CompactLabels::new(self.source, &ChannelSets::none())?;
        let source = CachedArray::new(compact, cache);
        let Self { info, labels, decisions, .. } = self;
        Ok(MissingAnnotationsMask { source, info, labels, decisions })
    }

    /// The same mask of other labels, which are labelled where these are.
    pub(crate) fn with_source<B: Array>(&self, source: B) -> MissingAnnotationsMask<B> {
        let (info, labels, decisions) =
            (self.info.clone(), self.labels.clone(), self.decisions.clone());
        MissingAnnotationsMask { source, info, labels, decisions }
    }

    /// The labels that the mask is made from.
    pub fn source(&self) -> &A {
        &self.source
    }

    /// What the annotators say about each label; none if the source does not say.
    pub fn labels(&self) -> Option<&LabelList> {
        self.labels.as_ref()
    }

    /// For each channel, whether it is kept, and why not.
    pub fn decisions(&self) -> &[ChannelDecision] {
        &self.decisions
    }

    fn keeps_nothing(&self) -> bool {
        self.decisions.iter().all(|decision| !decision.kept)
    }

    fn keeps_everything(&self) -> bool {
        self.decisions.iter().all(|decision| decision.kept)
    }

    /// Writes the mask of the voxels whose labelled ones are 1 in `plane` to `out`, of shape
    /// `[channels, ..]`; what is zero already is left alone.
    pub(crate) fn write_plane(&self, plane: &[u8], out: Output<'_>) -> Result<(), ArrayError> {
        let (zeroed, stores) = (out.is_zeroed(), out.stores());
        let mut out = out.into_view().typed::<u8>()?;
        let nothing = zeroed && !plane.contains(&1);
        for (channel, decision) in out.axis_iter_mut(Axis(0)).zip(&self.decisions) {
            if decision.kept && !nothing {
                write_rows(channel, plane, stores, |known| known);
            } else if !zeroed {
                set_rows(channel, 0, stores);
            }
        }
        Ok(())
    }

    /// Reads `roi` (world units) as what all channels have in common and what each has of its own, which
    /// takes a fraction of the memory and time of [`array_core::ArrayExt::read`].
    ///
    /// # Errors
    ///
    /// Those of [`array_core::ArrayExt::read`].
    ///
    /// ```
    /// # use annotation_mask::{Group, Groups, MaskOptions, MissingAnnotationsMask};
    /// # use array_core::{ArrayExt, ArrayInfo, DType, MemoryArray};
    /// # use geometry::{Coordinate, VoxelGrid, VoxelSize};
    /// # let grid = VoxelGrid::new(Coordinate::from([0]), VoxelSize::new(Coordinate::from([4]))?)?;
    /// # let info = ArrayInfo::new(DType::U8, &["x"], &[4], grid)?;
    /// # let labels = MemoryArray::new(info, ndarray::array![0_u8, 3, 1, 3].into_dyn())?;
    /// # let groups = Groups::new(vec![Group::new("mito", [3])])?;
    /// let mask = MissingAnnotationsMask::new(labels, &groups, &MaskOptions::default())?;
    /// let factored = mask.read_factored(mask.roi())?;
    /// assert_eq!(factored.foreground, ndarray::array![0, 1, 1, 1].into_dyn());
    /// assert_eq!(factored.kept, [true]);
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub fn read_factored(&self, roi: &Roi) -> Result<FactoredMask, ArrayError> {
        let window = self.slices(roi)?;
        let mut foreground = AnyArray::zeros(DType::U8, window.shape())?;
        self.read_foreground_into(&window, Output::zeroed(foreground.view_mut()))?;
        Ok(FactoredMask { foreground: foreground.into_typed()?, kept: self.kept() })
    }

    /// For each channel, whether it may be trained.
    pub fn kept(&self) -> Vec<bool> {
        self.decisions.iter().map(|decision| decision.kept).collect()
    }

    /// Reads what the kept channels of `window` have in common into `out`, of the shape of the window: 1 for
    /// each labelled voxel, 0 for each other; nothing is read if no channel is kept, and all is 0.
    ///
    /// # Errors
    ///
    /// Those of [`Array::read_into`].
    pub fn read_foreground_into(
        &self,
        window: &Window,
        mut out: Output<'_>,
    ) -> Result<(), ArrayError> {
        if self.keeps_nothing() {
            return out.fill(Scalar::U8(0));
        }
        if window.is_empty() {
            return Ok(());
        }
        self.for_each_plane(window, out, &|plane, out| {
            let stores = out.stores();
            write_rows(out.into_view().typed()?, plane, stores, |known| known);
            Ok(())
        })
    }

    /// Runs `work` on planes of `window` with the parts of `out` at their places: 1 for each labelled
    /// voxel, 0 for each other.
    fn for_each_plane(
        &self,
        window: &Window,
        out: Output<'_>,
        work: &(impl Fn(&[u8], Output<'_>) -> Result<(), ArrayError> + Sync),
    ) -> Result<(), ArrayError> {
        let read = |window: &Window, out: Output<'_>| {
            with_scratch(len_of(window.shape()), |plane: &mut [u8]| {
                let view = plane_mut(window.shape(), plane);
                match read_plane(&self.source, window, view, &out, &fill_foreground)? {
                    true => work(plane, out),
                    false => Ok(()),
                }
            })
        };
        for_each_unit(window, self.source.info().blocks(), size_of::<u8>(), out, &read)
    }
}

impl<A: Array> Array for MissingAnnotationsMask<A> {
    fn info(&self) -> &ArrayInfo {
        &self.info
    }

    fn visit(&self, window: &Window, visitor: &mut Visitor<'_>) -> Result<(), ArrayError> {
        if self.keeps_nothing() {
            return visitor(Block::Constant(Scalar::U8(0)));
        }
        self.source.visit(window, &mut |block| match block {
            Block::Constant(value) if value.to_integer().is_none_or(|label| label <= 0) => {
                visitor(Block::Constant(Scalar::U8(0)))
            }
            Block::Constant(_) if self.keeps_everything() => {
                visitor(Block::Constant(Scalar::U8(1)))
            }
            block => visit_channels(&self.info, window, visitor, |out| {
                with_scratch(len_of(window.shape()), |plane: &mut [u8]| {
                    fill_foreground(&block, plane_mut(window.shape(), plane))?;
                    self.write_plane(plane, out)
                })
            }),
        })
    }

    fn read_into(&self, window: &Window, mut out: Output<'_>) -> Result<(), ArrayError> {
        if self.keeps_nothing() {
            return out.fill(Scalar::U8(0));
        }
        self.for_each_plane(window, out, &|plane, out| self.write_plane(plane, out))
    }

    fn visit_stored(
        &self,
        window: &Window,
        visitor: &mut StoredVisitor<'_>,
    ) -> Result<(), ArrayError> {
        self.source.visit_stored(window, visitor)
    }

    fn kind(&self) -> &'static str {
        "a missing annotations mask"
    }

    fn is_virtual(&self) -> bool {
        true
    }
}

/// What an array of channels over `source` is: uint8, axes `c` + those of the source.
pub(crate) fn channel_info(
    source: &ArrayInfo,
    channels: &[&str],
    wrapper: &'static str,
) -> Result<ArrayInfo, MaskError> {
    if source.channel_dims() > 0 {
        let axes = source.axes()[..source.channel_dims()].to_vec();
        return Err(ArrayError::SourceHasChannels { wrapper, axes }.into());
    }
    if !source.dtype().is_integer() {
        return Err(MaskError::NotLabels { dtype: source.dtype() });
    }
    let axes: Vec<&str> =
        std::iter::once("c").chain(source.axes().iter().map(String::as_str)).collect();
    let shape = [&[channels.len()], source.shape()].concat();
    let names = channels.iter().map(|&name| name.to_owned()).collect();
    let info = ArrayInfo::new(DType::U8, &axes, &shape, *source.grid())?
        .with_unit(source.unit())
        .with_blocks(source.blocks().clone())?
        .with_channel_names(names)?
        .with_attrs(source.attrs().clone());
    Ok(info)
}

/// Computes the channels of a window in a spare buffer and hands them to `visitor`.
pub(crate) fn visit_channels(
    info: &ArrayInfo,
    window: &Window,
    visitor: &mut Visitor<'_>,
    write: impl FnOnce(Output<'_>) -> Result<(), ArrayError>,
) -> Result<(), ArrayError> {
    let shape = [info.channel_shape(), window.shape()].concat();
    with_scratch(len_of(&shape), |buffer: &mut [u8]| {
        write(Output::new(plane_mut(&shape, buffer).into()))?;
        visitor(Block::Voxels(plane(&shape, buffer).into()))
    })
}
