//! The work that `benches/peers/peers.py` does with other libraries, with voxmask.
//!
//! `peer FOLDER SIDE-LABELS-CODEC make|full|patches` makes the volume, or prints one JSON object for each
//! measurement: what, milliseconds, and a checksum of the result.

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot be set up has failed")]

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use annotation_mask::{BinarizeArray, MaskOptions, MissingAnnotationsMask};
use array_core::{AnyArray, Array, ArrayExt, BlockCache, DType};
use benches::{Volume, checksum, groups, touch, weight};
use geometry::Roi;
use ndarray::Slice;
use rayon::prelude::*;
use serde_json::json;

const CHANNELS: usize = 8;
const PATCHES: usize = 1000;
const BATCH: usize = 16;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, volume, what] = &arguments[..] else { panic!("peer FOLDER VOLUME WHAT") };
    let (folder, volume) = (Path::new(folder), Volume::named(volume).expect("a volume"));
    match what.as_str() {
        "make" => drop(volume.open(folder)),
        "full" => full(&volume, folder),
        "patches" => {
            [64, 96].into_iter().for_each(|extent| patches(&volume, folder, extent));
            [8, 64].into_iter().for_each(|extent| calls(&volume, folder, extent));
        }
        other => panic!("{other:?} is none of make, full and patches"),
    }
}

/// Tells of two rounds of `work`. The first, whose result `sum` has, does not count.
fn report<T>(what: &str, sum: u64, mut work: impl FnMut() -> T) {
    for _ in 0..2 {
        let begin = Instant::now();
        let result = work();
        let ms = begin.elapsed().as_secs_f64() * 1e3;
        // Giving memory back is no part of the work.
        drop(result);
        println!("{}", json!({"what": what, "ms": ms, "sum": sum}));
    }
}

fn sum(array: &AnyArray) -> u64 {
    checksum(array.view().typed::<u8>().unwrap().to_slice().unwrap())
}

fn first(array: &AnyArray) -> u64 {
    array.view().typed::<u8>().unwrap().first().copied().map_or(0, u64::from)
}

fn full(volume: &Volume, folder: &Path) {
    let array = volume.open(folder);
    let groups = groups(CHANNELS);
    let mask =
        MissingAnnotationsMask::new(array.clone(), &groups, &MaskOptions::default()).unwrap();
    let target = BinarizeArray::new(array, &groups, 0).unwrap();
    let roi = *mask.roi();
    let read = || mask.read(&roi).unwrap();
    report("mask", sum(&read()), read);
    let mut buffer = read();
    touch(buffer.view_mut());
    mask.read_to(&roi, buffer.view_mut()).unwrap();
    report("mask into a buffer", sum(&buffer), || {
        mask.read_to(&roi, buffer.view_mut()).unwrap();
    });
    drop(buffer);
    let read = || AnyArray::from(mask.read_factored(&roi).unwrap().foreground);
    report("factored", sum(&read()), read);
    let read = || target.read(&roi).unwrap();
    report("target", sum(&read()), read);
}

fn patches(volume: &Volume, folder: &Path, extent: usize) {
    let array = volume.open(folder);
    let rois = volume.patches(PATCHES, extent);
    let groups = groups(CHANNELS);
    let mask =
        || MissingAnnotationsMask::new(array.clone(), &groups, &MaskOptions::default()).unwrap();
    let name = format!("{extent}^3 patches");

    let plain = mask();
    report(&name, read_each(&plain, &rois, weighted), || read_each(&plain, &rois, |_, a| first(a)));

    let cache = Arc::new(BlockCache::new(4 << 30));
    let cached = mask().with_cache(&cache).unwrap();
    let all = read_each(&cached, &rois, weighted);
    report(&format!("{name}, cache cold"), all, || {
        cache.clear();
        read_each(&cached, &rois, |_, array| first(array))
    });
    let all = read_each(&cached, &rois, weighted);
    report(&format!("{name}, cache warm"), all, || read_each(&cached, &rois, |_, a| first(a)));

    let all = read_into_buffers(&cached, &rois, extent, weighted);
    report(&format!("{name}, cache warm, into a buffer"), all, || {
        read_into_buffers(&cached, &rois, extent, |_, array| first(array))
    });

    let mut batch = AnyArray::zeros(DType::U8, &[BATCH, CHANNELS, extent, extent, extent]).unwrap();
    let all = read_batches(&cached, &rois, &mut batch, true);
    report(&format!("{name}, cache warm, into a batch"), all, || {
        read_batches(&cached, &rois, &mut batch, false)
    });
}

/// One call after another, each of which waits for the one before: how long a call takes.
fn calls(volume: &Volume, folder: &Path, extent: usize) {
    let (array, rois) = (volume.open(folder), volume.patches(PATCHES, extent));
    let mask = MissingAnnotationsMask::new(array, &groups(CHANNELS), &MaskOptions::default());
    let mask = mask.unwrap();
    let each = |array: &dyn Array, see: fn(usize, &AnyArray) -> u64| {
        let read = |(index, roi)| see(index, &array.read(roi).unwrap());
        rois.iter().enumerate().map(read).fold(0, u64::wrapping_add)
    };
    let name = format!("{extent}^3 patches, one at a time");
    report(&name, each(&mask, weighted), || each(&mask, |_, array| first(array)));
    let mask = mask.with_cache(&Arc::new(BlockCache::new(4 << 30))).unwrap();
    let name = format!("{extent}^3 patches, cache warm, one at a time");
    report(&name, each(&mask, weighted), || each(&mask, |_, array| first(array)));
}

/// The checksum of the patch at `index`.
fn weighted(index: usize, patch: &AnyArray) -> u64 {
    sum(patch).wrapping_mul(weight(index))
}

/// Reads each patch into memory of its own, in parallel.
fn read_each(array: &dyn Array, rois: &[Roi], see: impl Fn(usize, &AnyArray) -> u64 + Sync) -> u64 {
    let read = |(index, roi)| see(index, &array.read(roi).unwrap());
    rois.par_iter().enumerate().map(read).reduce(|| 0, u64::wrapping_add)
}

/// The same, into one piece of memory in each thread.
fn read_into_buffers(
    array: &dyn Array,
    rois: &[Roi],
    extent: usize,
    see: impl Fn(usize, &AnyArray) -> u64 + Sync,
) -> u64 {
    let shape = [CHANNELS, extent, extent, extent];
    let buffer = || AnyArray::zeros(DType::U8, &shape).unwrap();
    let read = |buffer: &mut AnyArray, (index, roi)| {
        array.read_to(roi, buffer.view_mut()).unwrap();
        see(index, buffer)
    };
    rois.par_iter().enumerate().map_init(buffer, read).reduce(|| 0, u64::wrapping_add)
}

/// The same, a batch at a time; looks at every byte of it, or at nearly none.
fn read_batches(array: &dyn Array, rois: &[Roi], batch: &mut AnyArray, every: bool) -> u64 {
    let mut total = 0_u64;
    for (number, rois) in rois.chunks(BATCH).enumerate() {
        let mut view = batch.view_mut().typed::<u8>().unwrap();
        let mut view = view.slice_each_axis_mut(|axis| {
            Slice::from(..if axis.axis.index() == 0 { rois.len() } else { axis.len })
        });
        array.read_batch_to(rois, view.view_mut().into()).unwrap();
        for (index, patch) in view.outer_iter().enumerate() {
            let patch = patch.to_slice().unwrap();
            let seen = if every {
                checksum(patch).wrapping_mul(weight(number * BATCH + index))
            } else {
                u64::from(patch[0])
            };
            total = total.wrapping_add(seen);
        }
    }
    total
}
