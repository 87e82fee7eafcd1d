//! The sum of several arrays.

use geometry::Window;
use ndarray::{ArrayViewD, Zip};

use crate::any_array::AnyArray;
use crate::array::{Array, Visitor};
use crate::blocks::Block;
use crate::computed::{buffer, same_place};
use crate::dtype::Element;
use crate::error::ArrayError;
use crate::for_any;
use crate::info::ArrayInfo;
use crate::scalar::Scalar;
use crate::stored::StoredVisitor;

/// The name of this wrapper in messages.
const WRAPPER: &str = "a sum";

/// The sum of several sources, voxel by voxel and channel by channel.
///
/// All sources have the same shape, place and element type, which are those of the sum. A sum beyond
/// the element type is an error, never another number; `bool` holds no more than one `true`. Axes and
/// channel names are those of the first source. There are no attributes, as those of one source say
/// nothing about the others.
///
/// ```
/// use array_core::{ArrayExt, ArrayInfo, DType, MemoryArray, SumArray};
/// use geometry::{Coordinate, VoxelGrid, VoxelSize};
///
/// let grid = VoxelGrid::new(Coordinate::from([0]), VoxelSize::new(Coordinate::from([4]))?)?;
/// let info = ArrayInfo::new(DType::U8, &["x"], &[3], grid)?;
/// let left = MemoryArray::new(info.clone(), ndarray::array![1_u8, 0, 200].into_dyn())?;
/// let right = MemoryArray::new(info, ndarray::array![1_u8, 7, 55].into_dyn())?;
///
/// let sum = SumArray::new(vec![left, right])?;
/// assert_eq!(sum.read_as::<u8>(sum.roi())?, ndarray::array![2_u8, 7, 255].into_dyn());
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct SumArray<A> {
    sources: Vec<A>,
    info: ArrayInfo,
}

impl<A: Array> SumArray<A> {
    /// The sum of `sources`.
    ///
    /// # Errors
    ///
    /// [`ArrayError::NoSources`]; [`ArrayError::SourcesDiffer`] for another place, unit, element type or
    /// number of channels.
    pub fn new(sources: Vec<A>) -> Result<Self, ArrayError> {
        same_place(WRAPPER, &sources)?;
        let first = sources[0].info();
        for (index, source) in sources.iter().enumerate() {
            let (expected, found) = (first.shape(), source.info().shape());
            if expected != found {
                return Err(ArrayError::SourcesDiffer {
                    wrapper: WRAPPER,
                    index,
                    what: "shape",
                    expected: format!("{expected:?}"),
                    found: format!("{found:?}"),
                });
            }
        }
        let info = first.clone().with_attrs(std::sync::Arc::default());
        Ok(Self { sources, info })
    }

    /// The arrays that are summed.
    pub fn sources(&self) -> &[A] {
        &self.sources
    }

    /// Adds a block to what was summed so far.
    fn add(&self, sum: &mut Partial, window: &Window, block: &Block<'_>) -> Result<(), ArrayError> {
        let zero = Scalar::zero(self.info.dtype());
        let overflow = |(left, right)| ArrayError::SumOverflow {
            dtype: self.info.dtype(),
            left,
            right,
            window: Box::new(*window),
        };
        match (&mut *sum, block) {
            (_, Block::Constant(value)) if *value == zero => Ok(()),
            (Partial::Constant(before), Block::Constant(value)) if *before == zero => {
                *before = *value;
                Ok(())
            }
            (Partial::Constant(before), block) => {
                let mut voxels = match block {
                    Block::Constant(_) => AnyArray::zeros(self.info.dtype(), &[1])?,
                    Block::Voxels(_) => buffer(&self.info, window)?,
                };
                voxels.view_mut().fill(*before)?;
                add(&mut voxels, block)?.map_err(overflow)?;
                *sum = match block {
                    Block::Constant(_) => Partial::Constant(first(&voxels)),
                    Block::Voxels(_) => Partial::Voxels(voxels),
                };
                Ok(())
            }
            (Partial::Voxels(voxels), block) => add(voxels, block)?.map_err(overflow),
        }
    }
}

/// What the sources visited so far sum up to.
enum Partial {
    Constant(Scalar),
    Voxels(AnyArray),
}

/// The two values whose sum is too large.
type TooLarge = (Scalar, Scalar);

/// Adds a block to an array of the same type; the inner error is that of the sum.
fn add(sum: &mut AnyArray, block: &Block<'_>) -> Result<Result<(), TooLarge>, ArrayError> {
    fn add_view<T: Addend>(
        sum: &mut AnyArray,
        view: Option<ArrayViewD<'_, T>>,
    ) -> Result<Result<(), TooLarge>, ArrayError> {
        let mut sum = sum.view_mut().typed::<T>()?;
        let shape = (sum.shape().to_vec(), view.as_ref().map(|view| view.shape().to_vec()));
        let Some(view) = view.filter(|view| view.shape() == sum.shape()) else {
            let (expected, found) = (shape.0, shape.1.unwrap_or_default());
            return Err(ArrayError::ShapeMismatch { expected, found });
        };
        let mut too_large = None;
        Zip::from(&mut sum).and(&view).for_each(|sum, &value| match sum.plus(value) {
            Some(total) => *sum = total,
            None => too_large = too_large.or(Some(((*sum).into(), value.into()))),
        });
        Ok(too_large.map_or(Ok(()), Err))
    }
    match block {
        Block::Constant(value) => {
            let mut one = AnyArray::zeros(value.dtype(), &[])?;
            one.view_mut().fill(*value)?;
            let shape = sum.shape().to_vec();
            for_any!(AnyArray, &one, |one| add_view(sum, one.broadcast(shape)))
        }
        Block::Voxels(view) => for_any!(AnyView, view, |view| add_view(sum, Some(view.view()))),
    }
}

/// The first element of an array that has one.
fn first(array: &AnyArray) -> Scalar {
    for_any!(AnyArray, array, |values| values.first().copied().unwrap_or_default().into())
}

/// An element type with a sum that is right or none.
trait Addend: Element + Into<Scalar> {
    fn plus(self, other: Self) -> Option<Self>;
}

macro_rules! impl_addend {
    ($(($($type:ty),+): |$left:ident, $right:ident| $sum:expr;)+) => {
        $($(impl Addend for $type {
            #[inline]
            fn plus(self, other: Self) -> Option<Self> {
                let ($left, $right) = (self, other);
                $sum
            }
        })+)+
    };
}
impl_addend! {
    (u8, u16, u32, u64, i8, i16, i32, i64): |left, right| left.checked_add(right);
    (f32, f64): |left, right| Some(left + right);
    (bool): |left, right| (!(left && right)).then_some(left || right);
}

impl<A: Array> Array for SumArray<A> {
    fn info(&self) -> &ArrayInfo {
        &self.info
    }

    fn visit(&self, window: &Window, visitor: &mut Visitor<'_>) -> Result<(), ArrayError> {
        let mut sum = Partial::Constant(Scalar::zero(self.info.dtype()));
        for source in &self.sources {
            source.visit(window, &mut |block| self.add(&mut sum, window, &block))?;
        }
        match sum {
            Partial::Constant(value) => visitor(Block::Constant(value)),
            Partial::Voxels(voxels) => visitor(Block::Voxels(voxels.view())),
        }
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
