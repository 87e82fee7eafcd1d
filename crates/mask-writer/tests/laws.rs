//! Whatever the shapes, what is written is what the model says.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use std::sync::Arc;

use annotation_mask::GroundTruth;
use array_core::ArrayExt;
use common::{labels, memory, pair_of, reduced};
use mask_writer::{MaskLevels, WriteOptions, write};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use zarr_source::ZarrArray;

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        cases: 24,
        ..ProptestConfig::default()
    })]

    #[test]
    fn all_levels_are_those_of_the_model(
        shape in prop::array::uniform3(4_usize..12),
        blocks in vec(1_usize..7, 3),
        chunks in vec(1_usize..7, 3),
        shards in prop::option::of(vec(1_usize..4, 3)),
        is_any in any::<bool>(),
    ) {
        let pair = pair_of(Arc::new(memory(&labels(shape), &blocks)), &["a", "b", "c"]);
        let shard = |counts: Vec<usize>| counts.iter().zip(&chunks).map(|(n, chunk)| n * chunk).collect();
        let options = WriteOptions {
            targets: true,
            shard_shape: shards.map(shard),
            chunk_shape: Some(chunks.clone()),
            levels: 3,
            mask_levels: if is_any { MaskLevels::Any } else { MaskLevels::All },
            ..WriteOptions::default()
        };
        let folder = tempfile::tempdir().unwrap();
        let written = write(&pair, folder.path().join("masks.zarr"), &options, &()).unwrap();
        let images =
            [("mask", pair.mask_array(), options.mask_levels.name()), ("target", pair.target_array(), "mode")];
        for (image, source, how) in images {
            let first = source.read_as::<u8>(source.roi()).unwrap().mapv(f32::from);
            for level in 0..3 {
                let found = ZarrArray::open(written.path.join(format!("{image}/s{level}"))).unwrap();
                let found = found.data().unwrap().into_typed::<u8>().unwrap().mapv(f32::from);
                prop_assert_eq!(found, reduced(&first, 1 << level, how));
            }
            let counts = if image == "mask" { &written.counts.known } else { &written.counts.positive };
            for (channel, &count) in counts.iter().enumerate() {
                let ones = first.index_axis(ndarray::Axis(0), channel).iter().filter(|&&v| v > 0.5).count();
                prop_assert_eq!(count, ones as u64);
            }
        }
    }
}
