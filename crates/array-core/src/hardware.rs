//! What is asked of the machine itself: large pages, and stores that go past the caches.
//!
//! Masks and targets are many times larger than what they are made from, so that memory decides how
//! fast they are. Two things count, and the standard library offers neither: a page fault for each 4 KiB
//! of fresh memory costs several times as much as writing it, and an ordinary store first loads the line
//! that it is about to replace.
//!
//! This is the only module of the workspace with `unsafe` code. Elsewhere than on Linux, no large pages
//! are asked for; elsewhere than on x86-64, stores are ordinary ones. The bytes are always the same.

#![allow(unsafe_code, reason = "neither is offered by safe code; each use says why it is sound")]

use ndarray::ArrayViewMutD;

use crate::rows::{Run, for_each_run_mut};

/// The length of a cache line, and the alignment of large buffers.
pub(crate) const LINE: usize = 64;

/// From this size on, an array is worth large pages, of which each usually has half as many bytes.
pub(crate) const LARGE_BYTES: usize = 4 << 20;

/// Asks the system to put large pages behind memory that has not been touched yet.
///
/// Only a hint: what it cannot do, or does not know, is not done.
pub(crate) fn advise_large_pages<T>(elements: &mut [T]) {
    #[cfg(not(target_os = "linux"))]
    let _ = elements;
    #[cfg(target_os = "linux")]
    {
        use rustix::mm::{Advice, madvise};
        use rustix::param::page_size;

        let begin: *mut u8 = elements.as_mut_ptr().cast();
        // Whole pages inside the memory: nothing beyond it is advised on.
        let before = begin.align_offset(page_size());
        let inside = size_of_val(elements).saturating_sub(before);
        let len = inside.saturating_sub(inside.checked_rem(page_size()).unwrap_or(inside));
        if len == 0 {
            return;
        }
        // SAFETY: the memory has more than `before` bytes, or `len` would be 0.
        let first_page = unsafe { begin.add(before) };
        // SAFETY: the pages from `first_page` to `len` behind it lie in memory that is borrowed here for
        // writing, and this advice changes neither its contents nor what may be done with it. Where the
        // system was built without large pages it fails, which changes nothing either.
        let _ = unsafe { madvise(first_page.cast(), len, Advice::LinuxHugepage) };
    }
}

/// Runs `work`, compiled for wider vectors where the machine has them.
///
/// What it calls is only compiled so if it is inlined; the results are the same either way.
#[inline]
pub fn vectorized<R>(work: impl FnOnce() -> R) -> R {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx2")]
        fn with_avx2<R>(work: impl FnOnce() -> R) -> R {
            work()
        }
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the machine has what the function is compiled for.
            return unsafe { with_avx2(work) };
        }
    }
    work()
}

/// How memory is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stores {
    /// Into the caches: for what is small, or read again soon.
    Cached,
    /// Past the caches where whole lines of 64 bytes are written, and into them elsewhere.
    PastCaches,
}

/// Writes a plane to `out`, entry by entry through `value`: both in C order, of the same length.
///
/// ```
/// use array_core::{Stores, write_rows};
///
/// let mut out = ndarray::arr2(&[[0; 3], [0; 3]]).into_dyn();
/// let part = out.slice_mut(ndarray::s![.., 1..]).into_dyn();
/// write_rows(part, &[1_u16, 2, 3, 4], Stores::PastCaches, |code| (code & 1) as u8);
/// assert_eq!(out, ndarray::arr2(&[[0, 1, 0], [0, 1, 0]]).into_dyn());
/// ```
///
/// # Panics
///
/// If the plane is shorter than `out`.
pub fn write_rows<P: Copy>(
    out: ArrayViewMutD<'_, u8>,
    plane: &[P],
    stores: Stores,
    value: impl Fn(P) -> u8 + Copy,
) {
    let _ordered = OrderedStores(stores);
    let mut rest = plane;
    for_each_run_mut(out, &mut |run| match run {
        Run::Slice(run) => {
            let (part, tail) = rest.split_at(run.len());
            rest = tail;
            match stores {
                Stores::PastCaches if are_lines(run) => write_past_caches(run, part, value),
                _ => write_cached(run, part, value),
            }
        }
        Run::Strided(mut run) => {
            let (part, tail) = rest.split_at(run.len());
            rest = tail;
            run.iter_mut().zip(part).for_each(|(out, &entry)| *out = value(entry));
        }
    });
}

/// Sets every byte of `out`.
pub fn set_rows(out: ArrayViewMutD<'_, u8>, value: u8, stores: Stores) {
    let _ordered = OrderedStores(stores);
    for_each_run_mut(out, &mut |run| match run {
        Run::Slice(run) => match stores {
            // For a long run, this is what the standard library does best.
            Stores::PastCaches if run.len() < MIN_RUN && are_lines(run) => {
                set_past_caches(run, value);
            }
            _ => run.fill(value),
        },
        Run::Strided(mut run) => run.fill(value),
    });
}

/// A run from this length on has whole lines enough, wherever it begins.
const MIN_RUN: usize = 2048;

/// Whether it is worth writing a run past the caches: a line that is written so in part, and in part by
/// other stores, costs more than it saves.
#[inline]
fn are_lines(run: &[u8]) -> bool {
    run.len() >= MIN_RUN || (run.len().is_multiple_of(LINE) && run.as_ptr().align_offset(LINE) == 0)
}

/// The caller orders the stores before anybody else reads the row.
#[inline]
fn set_past_caches(row: &mut [u8], value: u8) {
    let front = row.as_ptr().align_offset(LINE).min(row.len());
    let (row_front, row) = row.split_at_mut(front);
    let (lines, row_back) = row.as_chunks_mut::<LINE>();
    lines.iter_mut().for_each(|line| store_line(line, &[value; LINE]));
    // Even of no bytes, a call of `memset` between such stores makes them several times slower: it may
    // be a masked store of nothing, which ends the gathering of the line beside it.
    for part in [row_front, row_back] {
        if !part.is_empty() {
            part.fill(value);
        }
    }
}

#[inline]
fn write_cached<P: Copy>(row: &mut [u8], part: &[P], value: impl Fn(P) -> u8) {
    row.iter_mut().zip(part).for_each(|(out, &entry)| *out = value(entry));
}

/// The caller orders the stores before anybody else reads the row.
#[inline]
fn write_past_caches<P: Copy>(row: &mut [u8], part: &[P], value: impl Fn(P) -> u8 + Copy) {
    let front = row.as_ptr().align_offset(LINE).min(row.len());
    let (row_front, row) = row.split_at_mut(front);
    let (part_front, part) = part.split_at(front);
    write_cached(row_front, part_front, value);
    let (lines, row_back) = row.as_chunks_mut::<LINE>();
    let (parts, part_back) = part.as_chunks::<LINE>();
    for (line, part) in lines.iter_mut().zip(parts) {
        store_line(line, &part.map(value));
    }
    write_cached(row_back, part_back, value);
}

/// Stores a line past the caches; it begins where a cache line does.
#[cfg(target_arch = "x86_64")]
#[inline]
fn store_line(line: &mut [u8; LINE], bytes: &[u8; LINE]) {
    use std::arch::x86_64::{__m128i, _mm_loadu_si128, _mm_stream_si128};

    debug_assert_eq!(line.as_ptr().align_offset(LINE), 0);
    let (to, from): (*mut __m128i, *const __m128i) =
        (line.as_mut_ptr().cast(), bytes.as_ptr().cast());
    for part in 0..4 {
        // SAFETY: four parts of 16 bytes are the 64 bytes of each array. The source may have any
        // alignment; the target is aligned to 64 bytes, as both callers cut it. SSE2 is part of x86-64.
        unsafe { _mm_stream_si128(to.add(part), _mm_loadu_si128(from.add(part))) };
    }
}

#[cfg(not(target_arch = "x86_64"))]
#[inline]
fn store_line(line: &mut [u8; LINE], bytes: &[u8; LINE]) {
    *line = *bytes;
}

/// Orders stores past the caches when it is dropped, also by a panic: whoever is given the memory after
/// that sees them.
struct OrderedStores(Stores);

impl Drop for OrderedStores {
    fn drop(&mut self) {
        if self.0 == Stores::PastCaches {
            order_stores();
        }
    }
}

/// Makes stores past the caches visible in the order of the program.
#[cfg(target_arch = "x86_64")]
fn order_stores() {
    // SAFETY: SSE, which has the fence, is part of x86-64; the fence touches no memory.
    unsafe { std::arch::x86_64::_mm_sfence() };
}

#[cfg(not(target_arch = "x86_64"))]
fn order_stores() {}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "small numbers of a test")]
mod tests {
    use ndarray::{ArrayD, Axis, Slice};
    use proptest::prelude::*;

    use super::*;

    /// A part of a larger array that is not aligned to anything, and a plane for it.
    fn case() -> impl Strategy<Value = (Vec<usize>, Vec<usize>, Vec<usize>)> {
        let axis = prop_oneof![0..5_usize, Just(64), Just(130)];
        let shape = prop::collection::vec(axis, 0..4);
        shape.prop_flat_map(|shape| {
            let margins = prop::collection::vec(prop_oneof![Just(0), 0..70_usize], shape.len());
            (Just(shape), margins.clone(), margins)
        })
    }

    fn part<'a>(
        whole: &'a mut ArrayD<u8>,
        before: &[usize],
        shape: &[usize],
    ) -> ArrayViewMutD<'a, u8> {
        let mut part = whole.view_mut();
        for (axis, (&before, &extent)) in before.iter().zip(shape).enumerate() {
            part.slice_axis_inplace(Axis(axis), Slice::from(before..before + extent));
        }
        part
    }

    proptest! {
        #[test]
        fn rows_are_the_plane_and_nothing_around_them_is_touched(
            (shape, before, after) in case(),
            stores in prop_oneof![Just(Stores::Cached), Just(Stores::PastCaches)],
        ) {
            let axes = shape.iter().zip(&before).zip(&after);
            let whole: Vec<usize> = axes.map(|((shape, before), after)| shape + before + after).collect();
            let len: usize = shape.iter().product();
            let plane: Vec<u16> = (0..len).map(|index| u16::try_from(index % 999).unwrap()).collect();
            let value = |entry: u16| u8::try_from(entry % 251).unwrap();

            let mut expected = ArrayD::from_elem(whole.clone(), 255_u8);
            part(&mut expected, &before, &shape)
                .iter_mut()
                .zip(&plane)
                .for_each(|(out, &entry)| *out = value(entry));
            let mut found = ArrayD::from_elem(whole.clone(), 255_u8);
            write_rows(part(&mut found, &before, &shape), &plane, stores, value);
            prop_assert_eq!(&found, &expected);

            part(&mut expected, &before, &shape).fill(7);
            set_rows(part(&mut found, &before, &shape), 7, stores);
            prop_assert_eq!(&found, &expected);

            // Rows in another memory order have gaps.
            let mut turned = ArrayD::from_elem(shape.clone(), 255_u8);
            turned = turned.reversed_axes();
            let flat: Vec<u8> = (0..len).map(|index| u8::try_from(index % 251).unwrap()).collect();
            write_rows(turned.view_mut(), &flat, stores, |entry| entry);
            prop_assert!(turned.iter().eq(&flat));
        }
    }

    proptest! {
        #[test]
        fn lines_are_written_past_the_caches_wherever_they_begin(
            rows in 1..4_usize,
            len in prop_oneof![Just(64), Just(192), 2000..2300_usize],
            before in 0..130_usize,
            gap in prop_oneof![Just(64), 1..130_usize],
        ) {
            let plane: Vec<u16> = (0..rows * len).map(|index| u16::try_from(index % 999).unwrap()).collect();
            let value = |entry: u16| u8::try_from(entry % 251).unwrap();
            // The same rows from a place where a line begins on, and `before` bytes behind that.
            let mut bytes = vec![255_u8; 64 + before + rows * (len + gap)];
            let begin = bytes.as_ptr().align_offset(LINE);
            for begin in [begin, begin + before] {
                bytes.fill(255);
                let memory = &mut bytes[begin..begin + rows * (len + gap)];
                let mut whole = ArrayViewMutD::from_shape(vec![rows, len + gap], memory).unwrap();
                let row = Slice::from(..len);
                write_rows(whole.slice_axis_mut(Axis(1), row), &plane, Stores::PastCaches, value);
                let written = whole.slice_axis(Axis(1), row);
                prop_assert!(written.iter().copied().eq(plane.iter().map(|&entry| value(entry))));
                prop_assert!(whole.slice_axis(Axis(1), Slice::from(len..)).iter().all(|&byte| byte == 255));
                set_rows(whole.slice_axis_mut(Axis(1), row), 7, Stores::PastCaches);
                prop_assert!(whole.slice_axis(Axis(1), row).iter().all(|&byte| byte == 7));
                prop_assert!(whole.slice_axis(Axis(1), Slice::from(len..)).iter().all(|&byte| byte == 255));
            }
        }
    }

    #[test]
    fn advice_on_memory_of_any_size_and_place_changes_nothing() {
        for len in [0, 1, 4095, 3 * 4096, LARGE_BYTES + 1] {
            let mut bytes: Vec<u8> =
                (0..len).map(|index| u8::try_from(index % 251).unwrap()).collect();
            let before = bytes.clone();
            advise_large_pages(&mut bytes);
            advise_large_pages(&mut bytes[len / 3..]);
            assert_eq!(bytes, before);
        }
    }
}
