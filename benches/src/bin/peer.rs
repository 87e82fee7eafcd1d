//! The work that `benches/peers/peers.py` does with other libraries, with voxmask.
//!
//! `peer FOLDER SIDE-LABELS-CODEC make|full|patches` makes the volume, or prints one JSON object for each
//! measurement: what, milliseconds, and the sum of the bytes of the result.

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot be set up has failed")]

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use annotation_mask::{BinarizeArray, MaskOptions, MissingAnnotationsMask};
use array_core::{AnyArray, Array, ArrayExt, BlockCache, DType};
use benches::{Volume, groups, touch};
use rayon::prelude::*;
use serde_json::json;

const CHANNELS: usize = 8;
const PATCHES: usize = 1000;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, volume, what] = &arguments[..] else { panic!("peer FOLDER VOLUME WHAT") };
    let (folder, volume) = (Path::new(folder), Volume::named(volume).expect("a volume"));
    match what.as_str() {
        "make" => drop(volume.open(folder)),
        "full" => full(&volume, folder),
        "patches" => [64, 96].into_iter().for_each(|extent| patches(&volume, folder, extent)),
        other => panic!("{other:?} is none of make, full and patches"),
    }
}

/// Runs `work` three times and tells of the last two.
fn measure(what: &str, mut work: impl FnMut() -> u64) {
    for round in 0..3 {
        let begin = Instant::now();
        let sum = work();
        let ms = begin.elapsed().as_secs_f64() * 1e3;
        if round > 0 {
            println!("{}", json!({"what": what, "ms": ms, "sum": sum}));
        }
    }
}

/// The same for work whose result is looked at after the time is taken.
fn measure_result(what: &str, mut work: impl FnMut() -> AnyArray) {
    for round in 0..3 {
        let begin = Instant::now();
        let array = work();
        let ms = begin.elapsed().as_secs_f64() * 1e3;
        if round > 0 {
            println!("{}", json!({"what": what, "ms": ms, "sum": sum(&array)}));
        }
    }
}

fn sum(array: &AnyArray) -> u64 {
    let view = array.view().typed::<u8>().unwrap();
    let bytes = view.to_slice().unwrap();
    bytes.par_iter().map(|&byte| u64::from(byte)).sum()
}

fn full(volume: &Volume, folder: &Path) {
    let array = volume.open(folder);
    let groups = groups(CHANNELS);
    let mask =
        MissingAnnotationsMask::new(array.clone(), &groups, &MaskOptions::default()).unwrap();
    let target = BinarizeArray::new(array, &groups, 0).unwrap();
    let roi = *mask.roi();
    measure_result("mask", || mask.read(&roi).unwrap());
    let mut buffer = mask.read(&roi).unwrap();
    touch(buffer.view_mut());
    measure("mask into a buffer", || {
        mask.read_to(&roi, buffer.view_mut()).unwrap();
        0
    });
    drop(buffer);
    measure_result("factored", || AnyArray::from(mask.read_factored(&roi).unwrap().foreground));
    measure_result("target", || target.read(&roi).unwrap());
}

fn patches(volume: &Volume, folder: &Path, extent: usize) {
    let array = volume.open(folder);
    let rois = volume.patches(PATCHES, extent);
    let groups = groups(CHANNELS);
    let mask =
        || MissingAnnotationsMask::new(array.clone(), &groups, &MaskOptions::default()).unwrap();
    // The first byte of each, as the other side has.
    let read = |array: &dyn Array| -> u64 {
        let first = |roi| {
            let patch = array.read(roi).unwrap();
            u64::from(patch.view().typed::<u8>().unwrap()[[0, 0, 0, 0]])
        };
        rois.par_iter().map(first).sum()
    };
    let name = format!("{extent}^3 patches");
    let plain = mask();
    measure(&name, || read(&plain));
    let cache = Arc::new(BlockCache::new(4 << 30));
    let cached = mask().with_cache(&cache).unwrap();
    measure(&format!("{name}, cache cold"), || {
        cache.clear();
        read(&cached)
    });
    measure(&format!("{name}, cache warm"), || read(&cached));
    let shape = [CHANNELS, extent, extent, extent];
    let buffers = || AnyArray::zeros(DType::U8, &shape).unwrap();
    measure(&format!("{name}, cache warm, into a buffer"), || {
        let read = |buffer: &mut AnyArray, roi| {
            cached.read_to(roi, buffer.view_mut()).unwrap();
            u64::from(buffer.view().typed::<u8>().unwrap()[[0, 0, 0, 0]])
        };
        rois.par_iter().map_init(buffers, read).sum()
    });
}
