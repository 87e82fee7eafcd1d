//! Rows and planes: the inner loops over the voxels of one block.
//!
//! A *plane* is a buffer with one entry for each voxel of a block, in C order. Labels are turned into
//! a plane once; each channel is then copied from the plane, one after another. Writing a voxel of all
//! channels at a time would touch as many distant cache lines as there are channels.

use std::cell::RefCell;
use std::thread::LocalKey;

use array_core::{AnyView, ArrayError, Block, Element, check_memory, fill_rows, for_each_row_pair};
use ndarray::{ArrayView1, ArrayViewD, ArrayViewMutD};

use crate::label::{Label, for_label_view};

/// Writes 1 for each labelled voxel of a block to its place in a plane, and 0 for each other.
pub(crate) fn fill_foreground(
    block: &Block<'_>,
    mut plane: ArrayViewMutD<'_, u8>,
) -> Result<(), ArrayError> {
    #[inline(always)]
    fn write<T: Label>(row: ArrayView1<'_, T>, plane: &mut [u8]) {
        let mark = |(known, label): (&mut u8, &T)| *known = u8::from(label.is_foreground());
        match row.to_slice() {
            Some(row) => plane.iter_mut().zip(row).for_each(mark),
            None => plane.iter_mut().zip(row).for_each(mark),
        }
    }
    match block {
        Block::Constant(value) => {
            let known = value.to_integer().is_some_and(|label| label > 0);
            fill_rows(plane, u8::from(known));
        }
        Block::Voxels(labels) => for_label_view!(
            labels,
            |labels| for_each_row_pair(labels.view(), plane.view_mut(), &mut write),
            return Err(not_labels(labels))
        ),
    }
    Ok(())
}

/// The error for a block of floating point numbers, which no wrapper here lets through.
pub(crate) fn not_labels(labels: &AnyView<'_>) -> ArrayError {
    ArrayError::source(
        "reading labels",
        crate::error::MaskError::NotLabels { dtype: labels.dtype() },
    )
}

/// The number of ones in a plane of zeros and ones.
pub(crate) fn count_ones(plane: &[u8]) -> u64 {
    // In runs that a byte can count, which the compiler turns into vector additions.
    let runs = plane.chunks(255);
    runs.map(|run| u64::from(run.iter().fold(0_u8, |sum, &one| sum.wrapping_add(one)))).sum()
}

/// A buffer with one entry for each index of a shape, as an array.
pub(crate) fn plane<'a, P>(shape: &[usize], buffer: &'a [P]) -> ArrayViewD<'a, P> {
    ArrayViewD::from_shape(shape, buffer).expect("the buffer was made for the shape")
}

/// A buffer with one entry for each index of a shape, as an array to write.
pub(crate) fn plane_mut<'a, P>(shape: &[usize], buffer: &'a mut [P]) -> ArrayViewMutD<'a, P> {
    ArrayViewMutD::from_shape(shape, buffer).expect("the buffer was made for the shape")
}

/// The spare buffers of a thread, the last one used on top.
type Spare<P> = RefCell<Vec<Vec<P>>>;

thread_local! {
    static BYTES: Spare<u8> = const { RefCell::new(Vec::new()) };
    static CODES: Spare<u16> = const { RefCell::new(Vec::new()) };
}

/// A larger buffer is given back to the system after its use, or every thread that ever saw a large
/// block would keep one.
const MAX_SPARE_BYTES: usize = 64 << 20;

/// As many buffers as work inside work needs; a thread that waits for others may take more.
const MAX_SPARE: usize = 3;

/// A buffer type with spare buffers for each thread, so that blocks do not pay for fresh memory.
pub(crate) trait Scratch: Element + Default + Send + Sync {
    fn spare() -> &'static LocalKey<Spare<Self>>;
}

impl Scratch for u8 {
    fn spare() -> &'static LocalKey<Spare<Self>> {
        &BYTES
    }
}

impl Scratch for u16 {
    fn spare() -> &'static LocalKey<Spare<Self>> {
        &CODES
    }
}

/// The number of elements of a shape; more than memory can hold where that overflows.
pub(crate) fn len_of(shape: &[usize]) -> usize {
    shape.iter().fold(1, |len, &extent| len.saturating_mul(extent))
}

/// Runs `work` with a buffer of `len` entries of any content.
///
/// The buffer is taken out of its place meanwhile: work inside work gets another one.
///
/// # Errors
///
/// [`ArrayError::TooLarge`] if there is no memory for the buffer; those of `work`.
pub(crate) fn with_scratch<P: Scratch, T, E: From<ArrayError>>(
    len: usize,
    work: impl FnOnce(&mut [P]) -> Result<T, E>,
) -> Result<T, E> {
    let mut buffer = P::spare().with_borrow_mut(Vec::pop).unwrap_or_default();
    let bytes = len.saturating_mul(size_of::<P>()) as u64;
    check_memory(Some(bytes), || format!("a block of {len} values of type {}", P::DTYPE))?;
    let missing = len.saturating_sub(buffer.len());
    if buffer.try_reserve_exact(missing).is_err() {
        return Err(ArrayError::TooLarge { dtype: P::DTYPE, shape: vec![len] }.into());
    }
    buffer.resize(buffer.len().max(len), P::default());
    let result = work(&mut buffer[..len]);
    if buffer.capacity().saturating_mul(size_of::<P>()) <= MAX_SPARE_BYTES {
        P::spare().with_borrow_mut(|spare| {
            if spare.len() < MAX_SPARE {
                spare.push(buffer);
            }
        });
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ones_are_counted_beyond_a_byte() {
        assert_eq!(count_ones(&[1; 100_000]), 100_000);
        assert_eq!(count_ones(&[0, 1, 0]), 1);
    }

    /// Takes so many buffers at once.
    fn take(count: usize) -> Result<(), ArrayError> {
        with_scratch(1, |_: &mut [u8]| if count > 1 { take(count - 1) } else { Ok(()) })
    }

    #[test]
    fn a_few_buffers_are_kept_for_later_and_large_ones_are_not() {
        let kept =
            || BYTES.with_borrow(|spare| spare.iter().map(Vec::capacity).collect::<Vec<_>>());
        BYTES.set(Vec::new());
        take(1).unwrap();
        assert_eq!(kept().len(), 1);
        take(5).unwrap();
        assert_eq!(kept().len(), MAX_SPARE);
        for (bytes, is_kept) in [(MAX_SPARE_BYTES, true), (MAX_SPARE_BYTES + 1, false)] {
            BYTES.set(vec![Vec::with_capacity(bytes)]);
            take(1).unwrap();
            assert_eq!(kept() == [bytes], is_kept, "{bytes}");
        }
        assert_eq!(kept().len(), 0);
    }
}
