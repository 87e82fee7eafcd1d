//! The same seed draws the same patches.

use annotation_mask::{
    Group, Groups, MaskOptions, MissingAnnotationsMask, SamplerOptions, ValidSampler,
};
use array_core::{Array, BlockCache, BlockGrid, DType, MemoryArray};
use geometry::Roi;
use ndarray::Axis;

use crate::masks::{Mask, info, noise, start_of};

const SHAPE: [usize; 4] = [2, 30, 33, 41];
const PATCH: [usize; 3] = [8, 9, 10];

fn mask() -> Mask {
    Mask::new(&noise(&SHAPE, 50, 2), &[7, 16, 16], &[3, 0, 5])
}

fn options(seed: u64) -> SamplerOptions {
    SamplerOptions { min_known: 0.51, seed, ..SamplerOptions::new(&PATCH) }
}

fn drawn(mask: &dyn Array, seed: u64) -> Vec<Roi> {
    ValidSampler::new(mask, &options(seed)).unwrap().draw_many(50).unwrap()
}

#[test]
fn a_seed_draws_the_same_whatever_the_number_of_threads_and_another_seed_does_not() {
    let first = drawn(&mask(), 3);
    for threads in [1, 2, 5] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        assert_eq!(pool.install(|| drawn(&mask(), 3)), first, "{threads} threads");
    }
    assert_ne!(drawn(&mask(), 4), first);
    // One by one is as many at once.
    let mask = mask();
    let mut sampler = ValidSampler::new(&mask, &options(3)).unwrap();
    let one_by_one: Vec<Roi> = (0..50).map(|_| sampler.draw().unwrap()).collect();
    assert_eq!(one_by_one, first);
}

#[test]
fn a_seed_draws_what_it_always_drew() {
    let mask = mask();
    let starts = |patches: Vec<Roi>| -> Vec<Vec<usize>> {
        patches.iter().map(|patch| start_of(&mask, patch, &PATCH)).collect()
    };
    let drawn = starts(drawn(&mask, 12_345)[..4].to_vec());
    let expected = [[4, 8, 14], [8, 5, 7], [6, 13, 21], [10, 8, 11]];
    assert_eq!(drawn, expected.map(|start| start.to_vec()));
    let any = SamplerOptions { min_known: 0.0, ..options(12_345) };
    let drawn = starts(ValidSampler::new(&mask, &any).unwrap().draw_many(2).unwrap());
    // Worked out from the definition of ChaCha with 8 rounds by another program.
    assert_eq!(drawn, [[2, 2, 20], [18, 13, 5]].map(|start| start.to_vec()));
}

#[test]
fn masks_of_labels_are_drawn_from_with_and_without_a_cache() {
    let known = noise(&SHAPE, 50, 2);
    // Label 3 where something is known.
    let labels = known.index_axis(Axis(0), 0).mapv(|value| u16::from(value) * 3);
    let channels = info(&SHAPE, BlockGrid::new(&[7, 16, 16]).unwrap());
    let grid = *channels.grid();
    let axes = channels.spatial_axes();
    let info = array_core::ArrayInfo::new(DType::U16, axes, &SHAPE[1..], grid).unwrap();
    let labels = MemoryArray::new(info.with_block_shape(&[7, 16, 16]).unwrap(), labels).unwrap();
    let groups = Groups::new(vec![Group::new("one", [3]), Group::new("two", [5])]).unwrap();
    let mask = MissingAnnotationsMask::new(&labels, &groups, &MaskOptions::default()).unwrap();
    let first = drawn(&mask, 3);
    let cache = std::sync::Arc::new(BlockCache::new(1 << 20));
    assert_eq!(drawn(&mask.with_cache(&cache).unwrap(), 3), first);
    let blocks = cache.stats().misses;
    assert_eq!(blocks, 5 * 3 * 3, "each block is read once");
}
