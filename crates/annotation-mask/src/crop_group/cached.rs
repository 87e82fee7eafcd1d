//! A crop group whose blocks are kept in a cache.

use std::sync::Arc;

use array_core::{Array, BlockCache, CachedArray};

use crate::channel_sets::ChannelSets;
use crate::class_annotation::ClassAnnotation;
use crate::compact::CompactLabels;
use crate::crop_group::{CropClass, CropGroup};
use crate::encoding::{AnnotationType, ClassState, Encoding};
use crate::error::MaskError;

impl<A: Array> CropGroup<A> {
    /// The same crop, of class arrays whose blocks are kept in `cache`, as [`CompactLabels`] that tell only
    /// what is present, absent and unknown: for reads that meet the same blocks again.
    ///
    /// # Errors
    ///
    /// None in practice: a crop has arrays of integers only.
    pub fn with_cache(
        self,
        cache: &Arc<BlockCache>,
    ) -> Result<CropGroup<CachedArray<CompactLabels<A>>>, MaskError> {
        let Self { name, attrs, classes, listed, table, info, findings } = self;
        let classes =
            classes.into_iter().map(|class| cached(class, cache)).collect::<Result<_, _>>()?;
        Ok(CropGroup { name, attrs, classes, listed, table, info, findings })
    }

    /// The same crop, of arrays that stay where they are, whatever their type.
    pub(super) fn borrowed(&self) -> CropGroup<&dyn Array> {
        CropGroup {
            name: self.name.clone(),
            attrs: Arc::clone(&self.attrs),
            classes: self.classes.iter().map(borrow).collect(),
            listed: self.listed.clone(),
            table: self.table.clone(),
            info: self.info.clone(),
            findings: self.findings.clone(),
        }
    }
}

fn borrow<A: Array>(class: &CropClass<A>) -> CropClass<&dyn Array> {
    CropClass {
        name: class.name.clone(),
        array: &class.array,
        annotation: class.annotation.clone(),
    }
}

fn cached<A: Array>(
    class: CropClass<A>,
    cache: &Arc<BlockCache>,
) -> Result<CropClass<CachedArray<CompactLabels<A>>>, MaskError> {
    let CropClass { name, array, annotation } = class;
    let states = states(&annotation.encoding);
    let (compact, states) = CompactLabels::new(array, &states)?;
    let numbers = states.by_id.iter().map(|(&number, set)| (number, state(set)));
    // All numbers are listed, so that nothing is left for the type to explain.
    let encoding = Encoding::new(AnnotationType::Instance, numbers)
        .expect("a number has one set, and with it one state");
    let annotation = ClassAnnotation { encoding, ..annotation };
    Ok(CropClass { name, array: CachedArray::new(compact, cache), annotation })
}

/// The states of an encoding, as sets of two channels: present and absent.
fn states(encoding: &Encoding) -> ChannelSets {
    let states = encoding.states().iter();
    ChannelSets {
        channels: 2,
        by_id: states.map(|(&value, &state)| (value, vec![set(state)])).collect(),
        others: vec![set(encoding.others())],
    }
}

fn set(state: ClassState) -> u8 {
    match state {
        ClassState::Present => 1,
        ClassState::Absent => 2,
        ClassState::Unknown => 0,
    }
}

fn state(set: &[u8]) -> ClassState {
    match set {
        [1] => ClassState::Present,
        [2] => ClassState::Absent,
        _ => ClassState::Unknown,
    }
}
