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

use crate::rows::for_each_row_mut;

/// The length of a cache line, and the alignment of large buffers.
pub(crate) const LINE: usize = 64;

/// Below this size, large pages are not worth asking for.
const LARGE_BYTES: usize = 4 << 20;

/// Asks the system to put large pages behind memory that has not been touched yet.
///
/// Only a hint: what it cannot do, or does not know, is not done.
pub(crate) fn advise_large_pages<T>(elements: &mut [T]) {
    let bytes = size_of_val(elements);
    if bytes < LARGE_BYTES {
        return;
    }
    #[cfg(target_os = "linux")]
    {
        use rustix::mm::{Advice, madvise};
        use rustix::param::page_size;

        let begin: *mut u8 = elements.as_mut_ptr().cast();
        // Whole pages inside the memory: nothing beyond it is advised on.
        let before = begin.align_offset(page_size());
        let inside = bytes.saturating_sub(before);
        let len = inside.saturating_sub(inside.checked_rem(page_size()).unwrap_or(inside));
        if len == 0 {
            return;
        }
        // SAFETY: `before` is less than `bytes`, or `len` would be 0, so that the pointer stays inside
        // the borrowed memory.
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
    mut out: ArrayViewMutD<'_, u8>,
    plane: &[P],
    stores: Stores,
    value: impl Fn(P) -> u8 + Copy,
) {
    let write = |row: &mut [u8], part: &[P]| match stores {
        Stores::PastCaches => write_past_caches(row, part, value),
        Stores::Cached => write_cached(row, part, value),
    };
    if let Some(all) = out.as_slice_mut() {
        write(all, &plane[..all.len()]);
    } else {
        let mut rest = plane;
        for_each_row_mut(out, &mut |mut row| {
            let (part, tail) = rest.split_at(row.len());
            rest = tail;
            match row.as_slice_mut() {
                Some(row) => write(row, part),
                None => row.iter_mut().zip(part).for_each(|(out, &entry)| *out = value(entry)),
            }
        });
    }
    if stores == Stores::PastCaches {
        order_stores();
    }
}

/// Sets every byte of `out`.
pub fn set_rows(mut out: ArrayViewMutD<'_, u8>, value: u8, stores: Stores) {
    if let Some(all) = out.as_slice_mut() {
        // As one run, this is what the standard library does best.
        return all.fill(value);
    }
    for_each_row_mut(out, &mut |mut row| match (row.as_slice_mut(), stores) {
        (Some(row), Stores::PastCaches) => set_past_caches(row, value),
        (Some(row), Stores::Cached) => row.fill(value),
        (None, _) => row.fill(value),
    });
    if stores == Stores::PastCaches {
        order_stores();
    }
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
    for part in 0..LINE / size_of::<__m128i>() {
        // SAFETY: four parts of 16 bytes are the 64 bytes of each array. The source may have any
        // alignment; the target is aligned to 64 bytes, as the one caller cut it. SSE2 is part of x86-64.
        unsafe { _mm_stream_si128(to.add(part), _mm_loadu_si128(from.add(part))) };
    }
}

#[cfg(not(target_arch = "x86_64"))]
#[inline]
fn store_line(line: &mut [u8; LINE], bytes: &[u8; LINE]) {
    *line = *bytes;
}

/// Makes stores past the caches visible in the order of the program.
#[cfg(target_arch = "x86_64")]
fn order_stores() {
    // SAFETY: SSE, which has the fence, is part of x86-64; the fence touches no memory.
    unsafe { std::arch::x86_64::_mm_sfence() };
}

#[cfg(not(target_arch = "x86_64"))]
fn order_stores() {}
