//! Each valid position is drawn equally often, whatever the sampler knows already.

use std::collections::BTreeMap;

use annotation_mask::{SamplerOptions, ValidSampler};
use ndarray::{ArrayD, Axis, Dimension, IxDyn};

use crate::masks::{Mask, counts, noise, start_of};

/// Fails unless draws fall on all valid positions and no other, each about equally often: the sum of squared
/// deviations is what chance leads to.
#[track_caller]
fn assert_uniform(draws: &BTreeMap<Vec<usize>, u64>, counts: &ArrayD<u64>, threshold: u64) {
    let valid = counts.iter().filter(|&&known| known >= threshold).count() as f64;
    let all: u64 = draws.values().sum();
    let expected = all as f64 / valid;
    assert!(expected > 8.0, "too few draws to tell");
    let mut deviation = 0.0;
    for (start, &known) in counts.indexed_iter() {
        let drawn = draws.get(start.slice()).copied().unwrap_or(0);
        assert!(known >= threshold || drawn == 0, "{start:?} is not valid");
        if known >= threshold {
            deviation += (drawn as f64 - expected).powi(2) / expected;
        }
    }
    // The distribution of chi squared has this mean and this variance; 4 standard deviations.
    let (mean, variance) = (valid - 1.0, 2.0 * (valid - 1.0));
    let limit = mean + 4.0 * variance.sqrt();
    assert!(deviation < limit, "chi squared is {deviation:.0} of {valid} positions");
}

/// A mask that is known throughout in the first half of its last axis, and by half behind that, where few
/// patches reach a share beyond a half: cells differ much in how many of their starts are valid, and there
/// are some of which nothing more needs to be known.
fn patchy(shape: &[usize]) -> ArrayD<u8> {
    let mut values = noise(shape, 50, 11);
    let last = shape.len() - 1;
    values.slice_axis_mut(Axis(last), (..shape[last] / 2).into()).fill(1);
    values
}

/// The first draws of many samplers: most of the cells have not been looked at then.
#[track_caller]
fn check_first_draws(shape: &[usize], patch: &[usize], min_known: f64, draws: usize, seeds: u64) {
    let values = patchy(&[&[2], shape].concat());
    let mask = Mask::new(&values, &vec![16; shape.len()], &vec![0; shape.len()]);
    let all = 2 * patch.iter().product::<usize>() as u64;
    let threshold = (min_known * 100.0).round() as u64 * all;
    let mut found = BTreeMap::new();
    let mut reads = 0;
    for seed in 0..seeds {
        let options = SamplerOptions { min_known, seed, ..SamplerOptions::new(patch) };
        let mut sampler = ValidSampler::new(&mask, &options).unwrap();
        let before = mask.reads();
        let drawn = sampler.draw_many(draws).unwrap();
        reads += mask.reads() - before;
        for patch_roi in drawn {
            *found.entry(start_of(&mask, &patch_roi, patch)).or_insert(0) += 1;
        }
    }
    assert!(reads > 0, "no draw has looked at a cell");
    assert_uniform(&found, &counts(&values, &[0, 1], patch), threshold.div_ceil(100));
}

#[test]
fn the_first_draws_are_uniform() {
    check_first_draws(&[500], &[12], 0.6, 1, 3_000);
    check_first_draws(&[16, 50], &[5, 4], 0.6, 1, 3_000);
    check_first_draws(&[5, 8, 60], &[2, 3, 6], 0.6, 1, 6_000);
}

#[test]
fn the_draws_after_that_are_uniform() {
    check_first_draws(&[16, 50], &[5, 4], 0.6, 3, 1_200);
    check_first_draws(&[16, 50], &[5, 4], 0.6, 12_000, 1);
    check_first_draws(&[5, 8, 60], &[2, 3, 6], 0.6, 20_000, 1);
}

#[test]
fn any_patch_is_as_likely_as_any_other_if_nothing_need_be_known() {
    let values = ArrayD::zeros(IxDyn(&[1, 9, 12]));
    let mask = Mask::new(&values, &[4, 4], &[0, 0]);
    let options = SamplerOptions { min_known: 0.0, seed: 1, ..SamplerOptions::new(&[3, 5]) };
    let mut sampler = ValidSampler::new(&mask, &options).unwrap();
    let mut found = BTreeMap::new();
    for patch in sampler.draw_many(2_000).unwrap() {
        *found.entry(start_of(&mask, &patch, &[3, 5])).or_insert(0) += 1;
    }
    assert_uniform(&found, &counts(&values, &[0], &[3, 5]), 0);
    assert_eq!((sampler.num_positions(), sampler.num_valid().unwrap()), (56, 56));
    assert_eq!(mask.reads(), 0);
}
