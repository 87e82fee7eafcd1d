//! What is drawn, and what is said about it, against a slow, obvious model: each position counted by itself.

use annotation_mask::{MaskError, SamplerOptions, ValidSampler};
use array_core::testing::check_contract;
use array_core::{Array, ArrayExt, CachedArray, Crop};
use geometry::Window;
use ndarray::{ArrayD, Axis, IxDyn, Slice};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;

use crate::masks::{Mask, counts, f_order, start_of};

/// A mask, and what is drawn from it.
#[derive(Clone, Debug)]
struct Case {
    values: ArrayD<u8>,
    f_order: bool,
    block_shape: Vec<usize>,
    /// How far the mask begins inside its first block.
    inside: Vec<usize>,
    patch: Vec<usize>,
    channels: Option<Vec<usize>>,
    min_known: f64,
    seed: u64,
    max_bytes: usize,
}

/// Masks of 1 to 4 axes, of voxels that come in runs and alone, with patches up to the whole mask.
fn case() -> impl Strategy<Value = Case> {
    let extent = |dims: usize| match dims {
        1 => 1..400_usize,
        2 => 1..40,
        3 => 1..18,
        _ => 1..8,
    };
    let shape = (1..=4_usize).prop_flat_map(move |dims| prop::collection::vec(extent(dims), dims));
    (1..4_usize, shape).prop_flat_map(|(channels, spatial)| {
        let shape = [&[channels], &spatial[..]].concat();
        let len = shape.iter().product::<usize>();
        let dims = spatial.len();
        let run = (prop_oneof![Just(0_u8), 0..2_u8], prop_oneof![Just(1), 1..10_usize, 1..len + 1]);
        let values = prop::collection::vec(run, 1..60).prop_map(move |runs| {
            let values = runs.iter().cycle().flat_map(|&(v, run)| std::iter::repeat_n(v, run));
            ArrayD::from_shape_vec(IxDyn(&shape), values.take(len).collect()).unwrap()
        });
        let patch: Vec<_> = spatial
            .iter()
            .map(|&extent| prop_oneof![3 => 1..=extent.div_ceil(3), 2 => 1..=extent, 1 => Just(extent)])
            .collect();
        let indices = prop::sample::subsequence((0..channels).collect::<Vec<_>>(), 1..=channels);
        let percent = prop_oneof![1..101_u32, 1..20_u32, Just(50), Just(100)];
        (
            (values, any::<bool>(), prop::collection::vec(1..12_usize, dims)),
            prop::collection::vec(0..12_usize, dims),
            patch,
            prop::option::of(indices.prop_shuffle()),
            percent.prop_map(|percent| f64::from(percent) / 100.0),
            any::<u64>(),
            prop_oneof![Just(1 << 20), Just(2000_usize), Just(400)],
        )
            .prop_map(
                |(
                    (values, f_order, block_shape),
                    inside,
                    patch,
                    channels,
                    min_known,
                    seed,
                    max_bytes,
                )| Case {
                    values,
                    f_order,
                    block_shape,
                    inside,
                    patch,
                    channels,
                    min_known,
                    seed,
                    max_bytes,
                },
            )
    })
}

impl Case {
    fn options(&self) -> SamplerOptions {
        SamplerOptions {
            min_known: self.min_known,
            channels: self.channels.clone(),
            seed: self.seed,
            max_bytes: self.max_bytes,
            ..SamplerOptions::new(&self.patch)
        }
    }

    fn indices(&self) -> Vec<usize> {
        let all = (0..self.values.shape()[0]).collect();
        self.channels.clone().unwrap_or(all)
    }

    /// Holds a sampler of `mask`, which has the values of the case, against the model.
    fn check(&self, mask: &dyn Array) -> Result<(), TestCaseError> {
        let counts = counts(&self.values, &self.indices(), &self.patch);
        let values = (self.patch.iter().product::<usize>() * self.indices().len()) as u64;
        // In percent, so that the model rounds nothing either.
        let percent = (self.min_known * 100.0).round() as u64;
        let is_valid = |known: u64| known * 100 >= percent * values;
        let valid = counts.iter().filter(|&&known| is_valid(known)).count();
        let mut sampler = match ValidSampler::new(mask, &self.options()) {
            Ok(sampler) => sampler,
            Err(MaskError::NothingValid { most, values: of, .. }) => {
                prop_assert_eq!(valid, 0);
                prop_assert_eq!(of, values);
                prop_assert!(most >= *counts.iter().max().unwrap());
                prop_assert!(!is_valid(most));
                return Ok(());
            }
            Err(error) => return Err(TestCaseError::fail(error.to_string())),
        };
        prop_assert!(valid > 0);
        prop_assert_eq!(sampler.num_positions(), counts.len() as u128);
        for round in 0..2 {
            for patch in sampler.draw_many(20).unwrap() {
                let known = counts[IxDyn(&start_of(mask, &patch, &self.patch))];
                prop_assert!(is_valid(known), "{known} of {values} in {patch}");
                prop_assert_eq!(sampler.known_values(&patch).unwrap(), (known, values));
            }
            if round == 0 {
                prop_assert_eq!(sampler.num_valid().unwrap(), valid as u128);
            }
        }
        prop_assert_eq!(sampler.num_valid().unwrap(), valid as u128);
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn what_is_drawn_is_valid_and_all_that_is_valid_is_counted(case in case()) {
        let values = if case.f_order { f_order(&case.values) } else { case.values.clone() };
        case.check(&Mask::new(&values, &case.block_shape, &case.inside))?;
    }

    #[test]
    fn crops_and_caches_are_masks_too(case in case(), before in 0..5_usize, cached in any::<bool>()) {
        // The mask in a larger array of ones, whose blocks know nothing of it.
        let shape = case.values.shape();
        let dims = shape.len() - 1;
        let larger: Vec<usize> = shape.iter().enumerate().map(|(axis, &n)| {
            if axis == 0 { n } else { n + before + 2 }
        }).collect();
        let mut values = ArrayD::ones(IxDyn(&larger));
        values.slice_each_axis_mut(|axis| match axis.axis.index() {
            0 => Slice::from(..),
            axis => Slice::from(before..before + shape[axis]),
        }).assign(&case.values);
        let outer = Mask::new(&values, &case.block_shape, &vec![0; dims]);
        let window = Window::new(&vec![before; dims], &shape[1..]).unwrap();
        let crop = Crop::new(&outer, &outer.info().grid().roi(&window).unwrap()).unwrap();
        if cached {
            let cache = std::sync::Arc::new(array_core::BlockCache::new(1 << 20));
            case.check(&CachedArray::new(crop, &cache))?;
        } else {
            check_contract(&crop);
            case.check(&crop)?;
        }
    }
}

#[test]
fn a_patch_that_is_the_whole_mask_has_one_position() {
    let values = crate::masks::noise(&[2, 5, 9, 7], 40, 3);
    let mask = Mask::new(&values, &[2, 4, 3], &[1, 0, 2]);
    let options = SamplerOptions { min_known: 0.3, ..SamplerOptions::new(&[5, 9, 7]) };
    let mut sampler = ValidSampler::new(&mask, &options).unwrap();
    assert_eq!((sampler.num_positions(), sampler.num_valid().unwrap()), (1, 1));
    assert_eq!(sampler.draw_many(3).unwrap(), vec![*mask.roi(); 3]);
}

#[test]
fn many_channels_and_many_rows_are_counted_beyond_a_byte() {
    for (shape, patch) in [(vec![600, 4, 9], [3, 5].as_slice()), (vec![1, 40, 40, 3], &[39, 38, 3])]
    {
        let mut values = ArrayD::ones(IxDyn(&shape));
        // Not a constant, or it would not be counted one by one.
        values[IxDyn(&vec![0; shape.len()])] = 0;
        let dims = shape.len() - 1;
        let mask = Mask::new(&values, &vec![64; dims], &vec![0; dims]);
        let channels: Vec<usize> = (0..shape[0]).collect();
        let counts = counts(&values, &channels, patch);
        let options = SamplerOptions { min_known: 1.0, ..SamplerOptions::new(patch) };
        let mut sampler = ValidSampler::new(&mask, &options).unwrap();
        assert_eq!(sampler.num_valid().unwrap(), counts.len() as u128 - 1, "{shape:?}");
        for patch in sampler.draw_many(5).unwrap() {
            let (known, values) = sampler.known_values(&patch).unwrap();
            assert_eq!(known, values);
        }
    }
}

#[test]
fn a_sampler_says_what_it_draws() {
    let mask = Mask::new(&crate::masks::noise(&[3, 9, 12], 50, 1), &[4, 4], &[0, 0]);
    let options = SamplerOptions { channels: Some(vec![2, 0]), ..SamplerOptions::new(&[3, 5]) };
    let sampler = ValidSampler::new(&mask, &options).unwrap();
    assert_eq!((sampler.patch_shape(), sampler.channels()), (&[3, 5][..], &[2, 0][..]));
    assert_eq!(sampler.mask().roi(), mask.roi());
    let all = ValidSampler::new(&mask, &SamplerOptions::new(&[3, 5])).unwrap();
    assert_eq!(all.channels(), [0, 1, 2]);
}

#[test]
fn what_is_known_far_inside_a_large_mask_is_counted_there() {
    // More voxels than are counted together.
    let mut values = ArrayD::zeros(IxDyn(&[1, 300_000]));
    values.slice_axis_mut(Axis(1), (290_000..290_010).into()).fill(1);
    let mask = Mask::new(&values, &[4096], &[0]);
    let options = SamplerOptions { min_known: 0.01, ..SamplerOptions::new(&[1000]) };
    let mut sampler = ValidSampler::new(&mask, &options).unwrap();
    assert_eq!(sampler.num_valid().unwrap(), 991);
}

#[test]
fn cells_that_are_valid_throughout_or_not_at_all_take_no_memory() {
    // Zeros, ones, and 48 of 64 voxels everywhere behind them: just enough for 0.75.
    let known = |place: IxDyn| match place[1] {
        0..128 => 0,
        128..256 => 1,
        voxel => u8::from(voxel % 64 < 48),
    };
    let mask = Mask::new(&ArrayD::from_shape_fn(IxDyn(&[1, 2560]), known), &[64], &[0]);
    for (min_known, valid) in [(0.75, 16 + 2369), (0.76, 15 + 64 + 64)] {
        // For 40 cells, and a quarter as many in which some patches are valid and others are not.
        let max_bytes = 2 * 25 * 40;
        let options = SamplerOptions { min_known, max_bytes, ..SamplerOptions::new(&[64]) };
        let mut sampler = ValidSampler::new(&mask, &options).unwrap();
        assert_eq!(sampler.num_valid().unwrap(), valid);
        let reads = mask.reads();
        sampler.draw_many(500).unwrap();
        assert_eq!(mask.reads(), reads, "what is known was read again");
    }
}
