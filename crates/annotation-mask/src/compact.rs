//! Labels, renumbered to what masks and targets need of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use array_core::{
    AnyArray, Array, ArrayError, ArrayInfo, Block, DType, Scalar, StoredVisitor, Visitor,
};
use geometry::Window;

use crate::channel_sets::ChannelSets;
use crate::codes::{CodeType, Codes, Others, codes_for};
use crate::error::MaskError;
use crate::label::LabelId;

/// Labels with other numbers, as few as tell apart what a mask and a target tell apart: whether a voxel is
/// labelled at all, and to which channels it belongs.
///
/// A number is greater than 0 exactly where the label is, so that this is a label array of its own, with
/// the place and the attributes of its source, which still speak of the ids of the source; its voxels
/// take one byte instead of up to eight, mostly.
/// What is kept of labels for later reads is kept in this form (see
/// [`MaskAndTarget::with_cache`](crate::MaskAndTarget::with_cache)).
#[derive(Debug)]
pub struct CompactLabels<A> {
    source: A,
    info: ArrayInfo,
    numbers: Box<dyn Numbers>,
}

impl<A: Array> CompactLabels<A> {
    /// The labels of `source` for these sets of channels, and the sets of the new numbers.
    pub(crate) fn new(source: A, sets: &ChannelSets) -> Result<(Self, ChannelSets), MaskError> {
        let dtype = source.info().dtype();
        let Some((low, high)) = dtype.integer_range() else {
            return Err(MaskError::NotLabels { dtype });
        };
        // Whether there can be a label, and to which channels it belongs.
        type Class<'a> = (bool, &'a [u8]);
        let mut classes: BTreeSet<Class<'_>> = BTreeSet::from([(true, &sets.others[..])]);
        if low < 0 || !sets.by_id.contains_key(&0) {
            classes.insert((false, &sets.others));
        }
        let listed = || sets.by_id.iter().filter(|(id, _)| (low..=high).contains(*id));
        classes.extend(listed().map(|(&id, set)| (id > 0, &set[..])));
        // 1, 2, … for labels that are there, 0, -1, … for the rest.
        let (mut up, mut down) = (1.., (0..).map(|n: LabelId| -n));
        let numbers: BTreeMap<Class<'_>, LabelId> = classes
            .into_iter()
            .filter_map(|class| Some((class, if class.0 { up.next()? } else { down.next()? })))
            .collect();
        let number = |class: Class<'_>| numbers.get(&class).copied().unwrap_or(0);
        let coded: Vec<(LabelId, LabelId)> =
            listed().map(|(&id, set)| (id, number((id > 0, set)))).collect();
        let others = Others {
            foreground: number((true, &sets.others)),
            rest: number((false, &sets.others)),
        };
        let least = numbers.values().copied().min().unwrap_or(0);
        let most = numbers.values().copied().max().unwrap_or(0);
        let (dtype, numbers_of): (DType, Box<dyn Numbers>) = match () {
            () if least >= 0 && most <= u8::MAX.into() => {
                (DType::U8, numbered::<u8>(dtype, &coded, others)?)
            }
            () if least >= i16::MIN.into() && most <= i16::MAX.into() => {
                (DType::I16, numbered::<i16>(dtype, &coded, others)?)
            }
            () => (DType::I32, numbered::<i32>(dtype, &coded, others)?),
        };
        let by_number = numbers.iter().map(|(class, &number)| (number, class.1.to_vec())).collect();
        let renumbered = sets.renumbered(by_number);
        let info = source.info().clone().with_dtype(dtype);
        Ok((Self { source, info, numbers: numbers_of }, renumbered))
    }

    /// The labels with their own numbers.
    pub fn source(&self) -> &A {
        &self.source
    }
}

impl<A: Array> Array for CompactLabels<A> {
    fn info(&self) -> &ArrayInfo {
        &self.info
    }

    fn visit(&self, window: &Window, visitor: &mut Visitor<'_>) -> Result<(), ArrayError> {
        self.source.visit(window, &mut |block| match block {
            Block::Constant(value) => visitor(Block::Constant(self.numbers.of(value))),
            block => self.numbers.visit(&block, window.shape(), visitor),
        })
    }

    fn visit_stored(
        &self,
        window: &Window,
        visitor: &mut StoredVisitor<'_>,
    ) -> Result<(), ArrayError> {
        self.source.visit_stored(window, visitor)
    }

    fn kind(&self) -> &'static str {
        "compact labels"
    }

    fn is_virtual(&self) -> bool {
        true
    }
}

/// New numbers for labels, behind their type.
trait Numbers: Debug + Send + Sync {
    fn of(&self, label: Scalar) -> Scalar;

    /// Hands the numbers of a block of this shape to `visitor`.
    fn visit(
        &self,
        block: &Block<'_>,
        shape: &[usize],
        visitor: &mut Visitor<'_>,
    ) -> Result<(), ArrayError>;
}

impl<C> Numbers for Box<dyn Codes<C>>
where
    C: CodeType + Into<Scalar>,
{
    fn of(&self, label: Scalar) -> Scalar {
        self.code_of(label).into()
    }

    fn visit(
        &self,
        block: &Block<'_>,
        shape: &[usize],
        visitor: &mut Visitor<'_>,
    ) -> Result<(), ArrayError> {
        let mut numbers = AnyArray::zeros(C::DTYPE, shape)?;
        self.fill(block, numbers.view_mut().typed()?)?;
        visitor(Block::Voxels(numbers.view()))
    }
}

/// The numbers as elements of one type, which holds all of them.
fn numbered<C>(
    dtype: DType,
    coded: &[(LabelId, LabelId)],
    others: Others<LabelId>,
) -> Result<Box<dyn Numbers>, MaskError>
where
    C: CodeType + Into<Scalar> + TryFrom<LabelId>,
{
    // The caller chose a type that holds them.
    let narrow = |number: LabelId| C::try_from(number).unwrap_or_default();
    let coded: Vec<(LabelId, C)> = coded.iter().map(|&(id, number)| (id, narrow(number))).collect();
    let others = Others { foreground: narrow(others.foreground), rest: narrow(others.rest) };
    Ok(Box::new(codes_for(dtype, &coded, others)?))
}
