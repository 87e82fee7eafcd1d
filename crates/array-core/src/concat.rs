//! The channels of several arrays in one.

use geometry::Window;

use crate::any_array::AnyArray;
use crate::array::{Array, Visitor};
use crate::blocks::{Block, Output};
use crate::computed::{buffer, same_place};
use crate::error::ArrayError;
use crate::info::ArrayInfo;
use crate::scalar::Scalar;
use crate::stored::StoredVisitor;

/// The name of this wrapper in messages.
const WRAPPER: &str = "a concatenated array";

/// The channels of several sources, one source after the other. A source without channels is one channel.
///
/// All sources cover the same voxels and have the same element type. The channel axis has the name that
/// the first source with one gives it, `c` otherwise. The channels have names if those of all sources
/// have, or if [`ConcatArray::with_names`] gives some. There are no attributes, as those of one source
/// say nothing about the others.
///
/// ```
/// use array_core::{ArrayExt, ArrayInfo, ConcatArray, DType, MemoryArray};
/// use geometry::{Coordinate, VoxelGrid, VoxelSize};
///
/// let grid = VoxelGrid::new(Coordinate::from([0]), VoxelSize::new(Coordinate::from([4]))?)?;
/// let info = ArrayInfo::new(DType::U8, &["x"], &[3], grid)?;
/// let mito = MemoryArray::new(info.clone(), ndarray::array![1_u8, 0, 0].into_dyn())?;
/// let er = MemoryArray::new(info, ndarray::array![0_u8, 1, 1].into_dyn())?;
///
/// let both = ConcatArray::new(vec![mito, er])?.with_names(vec!["mito".into(), "er".into()])?;
/// assert_eq!(both.axes(), ["c", "x"]);
/// assert_eq!(both.read_as::<u8>(both.roi())?, ndarray::array![[1, 0, 0], [0, 1, 1]].into_dyn());
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct ConcatArray<A> {
    sources: Vec<A>,
    info: ArrayInfo,
}

impl<A: Array> ConcatArray<A> {
    /// The channels of `sources` in their order.
    ///
    /// # Errors
    ///
    /// [`ArrayError::NoSources`]; [`ArrayError::SourcesDiffer`] for another place, unit or element type;
    /// [`ArrayError::BadInfo`] for a source with several channel axes.
    pub fn new(sources: Vec<A>) -> Result<Self, ArrayError> {
        same_place(WRAPPER, &sources)?;
        let mut channels = 0_usize;
        for (index, source) in sources.iter().enumerate() {
            let info = source.info();
            if info.channel_dims() > 1 {
                let axes = &info.axes()[..info.channel_dims()];
                return Err(ArrayError::BadInfo {
                    reason: format!(
                        "source {index} of {WRAPPER} has the channel axes {axes:?}, one is the most"
                    ),
                });
            }
            channels = channels.saturating_add(width(source));
        }
        let infos = || sources.iter().map(Array::info);
        let first = sources[0].info();
        let channel_axis = infos().find(|info| info.channel_dims() > 0);
        let channel_axis = channel_axis.map_or("c", |info| info.axes()[0].as_str());
        let axes: Vec<&str> = std::iter::once(channel_axis)
            .chain(first.spatial_axes().iter().map(String::as_str))
            .collect();
        let shape = [&[channels], first.spatial_shape()].concat();
        let mut info = ArrayInfo::new(first.dtype(), &axes, &shape, *first.grid())?
            .with_unit(first.unit())
            .with_blocks(first.blocks().clone())?;
        let names: Option<Vec<&[String]>> = infos().map(ArrayInfo::channel_names).collect();
        if let Some(names) = names {
            info = info.with_channel_names(names.concat())?;
        }
        Ok(Self { sources, info })
    }

    /// The same with a name for each channel.
    ///
    /// # Errors
    ///
    /// [`ArrayError::BadInfo`] if there are not as many names as channels.
    pub fn with_names(self, names: Vec<String>) -> Result<Self, ArrayError> {
        Ok(Self { info: self.info.with_channel_names(names)?, ..self })
    }

    /// The arrays whose channels these are.
    pub fn sources(&self) -> &[A] {
        &self.sources
    }
}

/// The number of channels that a source becomes.
fn width(source: &impl Array) -> usize {
    source.info().num_channels().unwrap_or(1)
}

/// The part of `out` that belongs to a source, in the shape that the source writes, and the rest.
fn split<'a>(source: &impl Array, out: Output<'a>) -> (Output<'a>, Output<'a>) {
    let (front, rest) = out.split_at(0, width(source));
    if source.info().channel_dims() == 0 { (front.index_axis(0, 0), rest) } else { (front, rest) }
}

/// What the sources visited so far have in a window.
enum Seen {
    Nothing,
    Constant(Scalar),
    // All channels; those of the sources still to come are not filled.
    Voxels(AnyArray),
}

impl<A: Array> ConcatArray<A> {
    /// Puts a block of the source `index` behind those of the sources before it.
    fn append(
        &self,
        seen: &mut Seen,
        index: usize,
        window: &Window,
        block: &Block<'_>,
    ) -> Result<(), ArrayError> {
        let same = match (&*seen, block) {
            (Seen::Nothing, Block::Constant(value)) => Some(*value),
            (Seen::Constant(before), Block::Constant(value)) if before == value => Some(*value),
            _ => None,
        };
        if let Some(value) = same {
            *seen = Seen::Constant(value);
            return Ok(());
        }
        let mut voxels = match std::mem::replace(seen, Seen::Nothing) {
            Seen::Voxels(voxels) => voxels,
            Seen::Nothing => buffer(&self.info, window)?,
            Seen::Constant(value) => {
                let mut voxels = buffer(&self.info, window)?;
                Output::zeroed(voxels.view_mut()).fill(value)?;
                voxels
            }
        };
        let mut rest = Output::new(voxels.view_mut());
        for source in &self.sources[..index] {
            rest = split(source, rest).1;
        }
        split(&self.sources[index], rest).0.assign(block)?;
        *seen = Seen::Voxels(voxels);
        Ok(())
    }
}

impl<A: Array> Array for ConcatArray<A> {
    fn info(&self) -> &ArrayInfo {
        &self.info
    }

    fn visit(&self, window: &Window, visitor: &mut Visitor<'_>) -> Result<(), ArrayError> {
        let mut seen = Seen::Nothing;
        for (index, source) in self.sources.iter().enumerate() {
            // Without channels there is nothing to compare, and nothing to put anywhere.
            if width(source) > 0 {
                source.visit(window, &mut |block| self.append(&mut seen, index, window, &block))?;
            }
        }
        match seen {
            Seen::Nothing => visitor(Block::Constant(Scalar::zero(self.info.dtype()))),
            Seen::Constant(value) => visitor(Block::Constant(value)),
            Seen::Voxels(voxels) => visitor(Block::Voxels(voxels.view())),
        }
    }

    fn read_into(&self, window: &Window, out: Output<'_>) -> Result<(), ArrayError> {
        let mut rest = out;
        for source in &self.sources {
            let (part, behind) = split(source, rest);
            rest = behind;
            if !part.shape().contains(&0) {
                source.read_into(window, part)?;
            }
        }
        Ok(())
    }

    fn visit_stored(
        &self,
        window: &Window,
        visitor: &mut StoredVisitor<'_>,
    ) -> Result<(), ArrayError> {
        self.sources.iter().try_for_each(|source| source.visit_stored(window, visitor))
    }

    fn kind(&self) -> &'static str {
        WRAPPER
    }

    fn is_virtual(&self) -> bool {
        true
    }
}
