//! From labels to codes: one small number for each voxel.

use std::fmt::Debug;

use array_core::{ArrayError, Block, DType, Element, Scalar, fill_rows, for_each_row_pair};
use ndarray::{ArrayView1, ArrayViewMutD};

use crate::error::MaskError;
use crate::label::{Label, LabelId};
use crate::planes::not_labels;

/// Ids below this are looked up in a table with one entry for each id.
const TABLE_LEN: usize = 4096;

/// Labels come in runs: so many neighbours are compared with the label before them at once.
const RUN: usize = 16;

/// The codes of labels of one type, behind the type.
pub(crate) trait Codes<C>: Debug + Send + Sync {
    /// Writes the code of each voxel of a block to its place in a plane.
    fn fill(&self, block: &Block<'_>, plane: ArrayViewMutD<'_, C>) -> Result<(), ArrayError>;

    /// The code of a label.
    fn code_of(&self, value: Scalar) -> C;
}

/// A number that stands for a label.
pub(crate) trait CodeType: Element + Default + Debug + Send + Sync {}

impl<C: Element + Default + Debug + Send + Sync> CodeType for C {}

/// The code of the ids that are not listed: of positive ones, and of the others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Others<C> {
    pub(crate) foreground: C,
    pub(crate) rest: C,
}

/// The codes of labels of type `dtype`: those of `coded`, and `others` for all other ids.
///
/// # Errors
///
/// [`MaskError::NotLabels`] for floating point numbers.
pub(crate) fn codes_for<C: CodeType>(
    dtype: DType,
    coded: &[(LabelId, C)],
    others: Others<C>,
) -> Result<Box<dyn Codes<C>>, MaskError> {
    Ok(match dtype {
        DType::Bool => Box::new(TypedCodes::<bool, C>::new(coded, others)),
        DType::U8 => Box::new(TypedCodes::<u8, C>::new(coded, others)),
        DType::U16 => Box::new(TypedCodes::<u16, C>::new(coded, others)),
        DType::U32 => Box::new(TypedCodes::<u32, C>::new(coded, others)),
        DType::U64 => Box::new(TypedCodes::<u64, C>::new(coded, others)),
        DType::I8 => Box::new(TypedCodes::<i8, C>::new(coded, others)),
        DType::I16 => Box::new(TypedCodes::<i16, C>::new(coded, others)),
        DType::I32 => Box::new(TypedCodes::<i32, C>::new(coded, others)),
        DType::I64 => Box::new(TypedCodes::<i64, C>::new(coded, others)),
        DType::F32 | DType::F64 => return Err(MaskError::NotLabels { dtype }),
    })
}

/// A table for small ids, a sorted list for the others.
#[derive(Debug)]
struct TypedCodes<T, C> {
    table: Vec<C>,
    sorted: Vec<(T, C)>,
    others: Others<C>,
}

impl<T: Label + Debug, C: CodeType> TypedCodes<T, C> {
    fn new(coded: &[(LabelId, C)], others: Others<C>) -> Self {
        let mut table = Vec::new();
        let mut sorted = Vec::new();
        for &(id, code) in coded {
            let Some(label) = T::from_id(id) else { continue };
            match label.to_index().filter(|&index| index < TABLE_LEN) {
                Some(index) => {
                    while table.len() <= index {
                        let is_zero = table.is_empty();
                        table.push(if is_zero { others.rest } else { others.foreground });
                    }
                    table[index] = code;
                }
                None => sorted.push((label, code)),
            }
        }
        sorted.sort_unstable_by_key(|&(label, _)| label);
        Self { table, sorted, others }
    }

    #[inline]
    fn code(&self, label: T) -> C {
        if let Some(&code) = label.to_index().and_then(|index| self.table.get(index)) {
            return code;
        }
        let found = match self.sorted.is_empty() {
            true => None,
            false => self.sorted.binary_search_by_key(&label, |&(key, _)| key).ok(),
        };
        match found {
            Some(found) => self.sorted[found].1,
            None if label.is_foreground() => self.others.foreground,
            None => self.others.rest,
        }
    }

    #[inline(always)]
    fn fill_row(&self, row: ArrayView1<'_, T>, codes: &mut [C]) {
        let Some(&first) = row.first() else { return };
        let mut last = (first, self.code(first));
        let Some(row) = row.to_slice() else {
            codes.iter_mut().zip(row).for_each(|(out, &label)| *out = self.code(label));
            return;
        };
        let (runs, rest) = row.as_chunks::<RUN>();
        let (code_runs, rest_codes) = codes.as_chunks_mut::<RUN>();
        for (out, run) in code_runs.iter_mut().zip(runs) {
            // Without a way out in between, the comparisons are made at once.
            if run.iter().fold(true, |same, &label| same & (label == last.0)) {
                *out = [last.1; RUN];
                continue;
            }
            for (out, &label) in out.iter_mut().zip(run) {
                if label != last.0 {
                    last = (label, self.code(label));
                }
                *out = last.1;
            }
        }
        for (out, &label) in rest_codes.iter_mut().zip(rest) {
            *out = self.code(label);
        }
    }
}

impl<T: Label + Debug, C: CodeType> Codes<C> for TypedCodes<T, C> {
    fn fill(&self, block: &Block<'_>, plane: ArrayViewMutD<'_, C>) -> Result<(), ArrayError> {
        match block {
            Block::Constant(value) => fill_rows(plane, self.code_of(*value)),
            Block::Voxels(labels) => {
                let labels = labels.typed::<T>().map_err(|_| not_labels(labels))?;
                for_each_row_pair(labels, plane, &mut |row, codes| self.fill_row(row, codes));
            }
        }
        Ok(())
    }

    fn code_of(&self, value: Scalar) -> C {
        // A constant block has the type of its array.
        value.get::<T>().map_or(self.others.rest, |label| self.code(label))
    }
}
