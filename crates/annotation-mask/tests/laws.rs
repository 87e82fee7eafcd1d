//! Masks and targets against a slow, obvious model: one voxel and one channel at a time.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::sync::Arc;

use annotation_mask::{
    BinarizeArray, GroundTruth, Group, Groups, LabelId, MaskAndTarget, MaskOptions,
    MissingAnnotationsMask, Rule,
};
use array_core::testing::check_contract;
use array_core::{
    AnyArray, Array, ArrayError, ArrayExt, ArrayInfo, BlockCache, BlockGrid, DType, MemoryArray,
    fold_blocks,
};
use geometry::{Coordinate, VoxelGrid, VoxelSize, Window};
use ndarray::{ArrayD, Axis, IxDyn};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use serde_json::json;

/// A crop: labels, what is annotated, groups, and how to read it.
#[derive(Clone, Debug)]
struct Case {
    dtype: DType,
    f_order: bool,
    shape: Vec<usize>,
    block_shape: Vec<usize>,
    /// Counted from a small alphabet of ids, in C order.
    voxels: Vec<LabelId>,
    missing: Vec<LabelId>,
    groups: Groups,
    rule: Rule,
    background: LabelId,
}

/// Ids that touch the borders of the types, and small ones that often meet.
fn ids(dtype: DType) -> Vec<LabelId> {
    let (low, high) = dtype.integer_range().unwrap();
    let all = [0, 1, 2, 3, 5, 37, 255, 256, 4095, 4096, 70_000, 1 << 53, (1 << 53) + 1, low, high];
    all.into_iter().filter(|id| (low..=high).contains(id)).collect()
}

fn case() -> impl Strategy<Value = Case> {
    let integers: Vec<DType> = DType::ALL.iter().copied().filter(|d| d.is_integer()).collect();
    // The last axis is long enough for what is done with many neighbours at once.
    let shape = (prop::collection::vec(1..7_usize, 0..3), prop_oneof![1..7_usize, 30..70_usize]);
    (prop::sample::select(integers), any::<bool>(), shape).prop_flat_map(
        |(dtype, f_order, (mut shape, last))| {
            shape.push(last);
            let len = shape.iter().product::<usize>();
            let id = prop::sample::select(ids(dtype));
            // Also ids that the type cannot hold.
            let any_id = prop::sample::select([ids(DType::I64), ids(DType::U64)].concat());
            let group = (prop::collection::vec(any_id.clone(), 0..5), any::<u8>());
            let groups = prop::collection::vec(group, 0..20).prop_map(|groups| {
                let group = |(index, (ids, generic)): (usize, (Vec<LabelId>, u8))| {
                    let generic: Vec<LabelId> = ids
                        .iter()
                        .enumerate()
                        .filter(|(bit, _)| generic >> bit & 1 == 1)
                        .map(|(_, id)| *id)
                        .collect();
                    Group::new(format!("g{index}"), ids).with_generic_ids(generic)
                };
                Groups::new(groups.into_iter().enumerate().map(group).collect()).unwrap()
            });
            let block_shape =
                prop::collection::vec(prop_oneof![1..5_usize, Just(40_usize)], shape.len());
            // Labels come in runs, and also one by one.
            let run = (id.clone(), prop_oneof![Just(1_usize), 1..40_usize]);
            let voxels = prop::collection::vec(run, len).prop_map(move |runs| {
                let voxels = runs.into_iter().flat_map(|(id, run)| std::iter::repeat_n(id, run));
                voxels.take(len).collect::<Vec<_>>()
            });
            (
                voxels,
                prop::collection::vec(any_id, 0..4),
                groups,
                prop::sample::select(Rule::ALL.to_vec()),
                id,
                block_shape,
            )
                .prop_map(
                    move |(voxels, missing, groups, rule, background, block_shape)| Case {
                        dtype,
                        f_order,
                        shape: shape.clone(),
                        block_shape,
                        voxels,
                        missing,
                        groups,
                        rule,
                        background,
                    },
                )
        },
    )
}

impl Case {
    fn labels(&self) -> MemoryArray {
        macro_rules! typed {
            ($($variant:ident: $type:ty),+) => {
                match self.dtype {
                    $(DType::$variant => {
                        let values = self.voxels.iter().map(|&id| <$type>::try_from(id).unwrap());
                        AnyArray::from(self.ordered(values.collect::<Vec<_>>()))
                    })+
                    DType::Bool => {
                        AnyArray::from(self.ordered(self.voxels.iter().map(|&id| id == 1).collect()))
                    }
                    DType::F32 | DType::F64 => unreachable!("labels are integers"),
                }
            };
        }
        let voxels =
            typed!(U8: u8, U16: u16, U32: u32, U64: u64, I8: i8, I16: i16, I32: i32, I64: i64);
        let axes = &["z", "y", "x"][3 - self.shape.len()..];
        let ones = Coordinate::splat(self.shape.len(), 1).unwrap();
        let grid = VoxelGrid::new(ones, VoxelSize::new(ones).unwrap()).unwrap();
        let entry = |id: &LabelId| {
            let value = u64::try_from(*id)
                .map_or_else(|_| json!(i64::try_from(*id).unwrap()), |id| json!(id));
            json!({"value": value, "name": {"long": "", "short": ""},
                   "annotationState": {"present": true, "annotated": "empty"}})
        };
        let attrs = json!({"labels": self.missing.iter().map(entry).collect::<Vec<_>>()});
        let info = ArrayInfo::new(self.dtype, axes, &self.shape, grid)
            .unwrap()
            .with_block_shape(&self.block_shape)
            .unwrap()
            .with_attrs(Arc::new(attrs.as_object().unwrap().clone()));
        MemoryArray::new(info, voxels).unwrap()
    }

    /// The values in C order of their indices, in the memory order of the case.
    fn ordered<T: Clone>(&self, values: Vec<T>) -> ArrayD<T> {
        let array = ArrayD::from_shape_vec(IxDyn(&self.shape), values).unwrap();
        if self.f_order {
            array.t().as_standard_layout().into_owned().reversed_axes()
        } else {
            array
        }
    }

    fn is_kept(&self, group: &Group) -> bool {
        let annotated = |id: &&LabelId| !self.missing.contains(id);
        let strict = group.ids.iter().all(|id| annotated(&id));
        let (generic, specific): (Vec<&LabelId>, Vec<&LabelId>) =
            group.ids.iter().partition(|id| group.generic_ids.contains(id));
        let by_generic = !generic.is_empty() && generic.iter().all(annotated);
        let by_specific = !specific.is_empty() && specific.iter().all(annotated);
        match self.rule {
            Rule::Strict => strict,
            Rule::Generic => strict || by_generic,
            Rule::Cnnectome => strict || by_generic || by_specific,
        }
    }

    fn mask(&self) -> Vec<u8> {
        let groups = self.groups.as_slice().iter();
        let of = |group| self.voxels.iter().map(move |&id| u8::from(self.is_kept(group) && id > 0));
        groups.flat_map(of).collect()
    }

    fn target(&self) -> Vec<u8> {
        let groups = self.groups.as_slice().iter();
        let of = |group: &Group| {
            let positive = |id: &LabelId| {
                if group.ids.is_empty() { *id != self.background } else { group.ids.contains(id) }
            };
            self.voxels.iter().map(|id| u8::from(positive(id))).collect::<Vec<_>>()
        };
        groups.flat_map(of).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn mask_and_target_say_of_each_voxel_what_the_rules_say(case in case()) {
        let options = MaskOptions { rule: case.rule, require_labels: true };
        let pair = MaskAndTarget::new(Arc::new(case.labels()), &case.groups, &options, case.background).unwrap();
        let (mask, target) = (pair.mask(), pair.target());
        let found = mask.read_as::<u8>(mask.roi()).unwrap();
        prop_assert_eq!(found.iter().copied().collect::<Vec<_>>(), case.mask());
        let found = target.read_as::<u8>(target.roi()).unwrap();
        prop_assert_eq!(found.iter().copied().collect::<Vec<_>>(), case.target());
    }

    #[test]
    fn however_masks_and_targets_are_read_they_are_the_same(case in case()) {
        let options = MaskOptions { rule: case.rule, require_labels: true };
        let pair = MaskAndTarget::new(Arc::new(case.labels()), &case.groups, &options, case.background).unwrap();
        let roi = *pair.mask().roi();
        let flat = |array: &AnyArray| -> Vec<u8> {
            array.view().typed::<u8>().unwrap().iter().copied().collect()
        };
        let (mask, target) = pair.read_pair(&roi).unwrap();
        prop_assert_eq!(flat(&mask), case.mask());
        prop_assert_eq!(flat(&target), case.target());

        // What lies in a buffer does not shine through.
        let dirty = || AnyArray::from(ArrayD::from_elem(mask.shape(), 9_u8));
        let (mut mask, mut target) = (dirty(), dirty());
        pair.read_pair_to(&roi, mask.view_mut(), target.view_mut()).unwrap();
        prop_assert_eq!(flat(&mask), case.mask());
        prop_assert_eq!(flat(&target), case.target());
        let (mut mask, mut target) = (dirty(), dirty());
        pair.mask().read_to(&roi, mask.view_mut()).unwrap();
        pair.target().read_to(&roi, target.view_mut()).unwrap();
        prop_assert_eq!(flat(&mask), case.mask());
        prop_assert_eq!(flat(&target), case.target());

        // From a cache that was empty, and again.
        let cache = Arc::new(BlockCache::new(1 << 20));
        let cached = pair.with_cache(&cache).unwrap();
        for _ in 0..2 {
            let (mask, target) = cached.read_pair(&roi).unwrap();
            prop_assert_eq!(flat(&mask), case.mask());
            prop_assert_eq!(flat(&target), case.target());
        }
        prop_assert_eq!(cached.mask().decisions(), pair.mask().decisions());
        let labels = Arc::new(case.labels());
        let mask = MissingAnnotationsMask::new(labels.clone(), &case.groups, &options).unwrap();
        let mask = mask.with_cache(&cache).unwrap();
        prop_assert_eq!(flat(&mask.read(&roi).unwrap()), case.mask());
        let target = BinarizeArray::new(labels, &case.groups, case.background).unwrap();
        let target = target.with_cache(&cache).unwrap();
        prop_assert_eq!(flat(&target.read(&roi).unwrap()), case.target());

        let factored = pair.mask().read_factored(&roi).unwrap();
        let kept = case.groups.as_slice().iter().map(|group| case.is_kept(group));
        prop_assert!(factored.kept.iter().copied().eq(kept));
        let product = factored.kept.iter().flat_map(|&kept| {
            factored.foreground.iter().map(move |&known| known * u8::from(kept))
        });
        prop_assert_eq!(product.collect::<Vec<_>>(), case.mask());
    }

    #[test]
    fn one_pass_gives_the_mask_the_target_and_their_sums(case in case()) {
        let options = MaskOptions { rule: case.rule, require_labels: true };
        let pair = MaskAndTarget::new(Arc::new(case.labels()), &case.groups, &options, case.background).unwrap();
        let (mask, target) = (pair.mask(), pair.target());
        let whole = Window::full(&case.shape).unwrap();
        let work = |window: &Window, ()| {
            let roi = mask.info().grid().roi(window).unwrap();
            let mut counts = None;
            pair.visit::<ArrayError>(window, |block| {
                assert_eq!(block.mask.to_array(), mask.read_as::<u8>(&roi).unwrap());
                assert_eq!(block.target.to_array(), target.read_as::<u8>(&roi).unwrap());
                counts = Some(block.counts);
                Ok(())
            })?;
            Ok::<_, ArrayError>(counts.unwrap())
        };
        let counts = fold_blocks(&whole, &BlockGrid::new(&[3, 2, 4][..case.shape.len()]).unwrap(), (), &work, &|a, b| a.merged(b));
        let counts = counts.unwrap().unwrap();
        let sums = |values: Vec<u8>| -> Vec<u64> {
            let shape = [case.groups.len(), case.voxels.len()];
            let values = ndarray::Array2::from_shape_vec(shape, values).unwrap();
            values.map(|&v| u64::from(v)).sum_axis(Axis(1)).to_vec()
        };
        prop_assert_eq!(counts.voxels, case.voxels.len() as u64);
        prop_assert_eq!(counts.known, sums(case.mask()));
        prop_assert_eq!(counts.positive, sums(case.target()));
    }
}

/// Outputs of many megabytes are written in another way, which small ones never reach.
#[test]
fn what_is_large_is_the_same_as_its_parts() {
    const SIDE: usize = 130;
    let id = |index: usize| u16::try_from((index / 23) % 7 * ((index / 999) % 2)).unwrap();
    let voxels =
        ArrayD::from_shape_fn(vec![SIDE; 3], |at| id((at[0] * SIDE + at[1]) * SIDE + at[2]));
    let ones = Coordinate::splat(3, 1).unwrap();
    let grid = VoxelGrid::new(ones, VoxelSize::new(ones).unwrap()).unwrap();
    let attrs = json!({"labels": [{"value": 3, "name": {"long": "", "short": ""},
                                   "annotationState": {"present": true, "annotated": false}}]});
    let info = ArrayInfo::new(DType::U16, &["z", "y", "x"], &[SIDE; 3], grid)
        .unwrap()
        .with_block_shape(&[64; 3])
        .unwrap()
        .with_attrs(Arc::new(attrs.as_object().unwrap().clone()));
    let labels = Arc::new(MemoryArray::new(info, AnyArray::from(voxels)).unwrap());
    for channels in [9, 20] {
        let group = |index: usize| Group::new(format!("g{index}"), [index as LabelId % 7 + 1]);
        let groups = Groups::new((0..channels).map(group).collect()).unwrap();
        let pair = MaskAndTarget::new(labels.clone(), &groups, &MaskOptions::default(), 0).unwrap();
        let roi = *pair.mask().roi();
        let (mut mask, mut target) = pair.read_pair(&roi).unwrap();
        assert!(mask.shape().iter().product::<usize>() > 16 << 20);
        for round in ["fresh", "in place"] {
            let (masks, targets) = (mask.view(), target.view());
            for z in (0..SIDE).step_by(13) {
                let window = Window::new(&[z, 0, 0], &[13, SIDE, SIDE]).unwrap();
                pair.visit::<ArrayError>(&window, |block| {
                    let part = masks.slice_axis(1, z, 13).typed::<u8>().unwrap();
                    assert!(
                        part == block.mask.to_array(),
                        "the mask of {channels} channels, {round}, {window}"
                    );
                    let part = targets.slice_axis(1, z, 13).typed::<u8>().unwrap();
                    assert!(
                        part == block.target.to_array(),
                        "the target of {channels} channels, {round}"
                    );
                    Ok(())
                })
                .unwrap();
            }
            for array in [&mut mask, &mut target] {
                array.view_mut().fill(array_core::Scalar::U8(9)).unwrap();
            }
            pair.mask().read_to(&roi, mask.view_mut()).unwrap();
            pair.target().read_to(&roi, target.view_mut()).unwrap();
        }
    }
}

/// More sets of channels than a byte can number, and any number of channels.
#[test]
fn compact_labels_tell_apart_whatever_channels_tell_apart() {
    for (channels, dtype, compact) in [
        (0, DType::U64, DType::U8),
        (5, DType::U64, DType::U8),
        (5, DType::I64, DType::I16),
        (64, DType::U16, DType::U8),
        (65, DType::U16, DType::U8),
        (300, DType::U16, DType::I16),
    ] {
        let group = |c: usize| Group::new(format!("g{c}"), [c as LabelId, c as LabelId + 1]);
        let groups = Groups::new((0..channels).map(group).collect()).unwrap();
        let ids = |index: usize| index % 400;
        let voxels = match dtype {
            DType::U64 => AnyArray::from(ArrayD::from_shape_fn(vec![4, 200], |i| {
                ids(i[0] * 200 + i[1]) as u64
            })),
            DType::I64 => AnyArray::from(ArrayD::from_shape_fn(vec![4, 200], |i| {
                i64::try_from(ids(i[0] * 200 + i[1])).unwrap() - 3
            })),
            _ => AnyArray::from(ArrayD::from_shape_fn(vec![4, 200], |i| {
                u16::try_from(ids(i[0] * 200 + i[1])).unwrap()
            })),
        };
        let ones = Coordinate::splat(2, 1).unwrap();
        let grid = VoxelGrid::new(ones, VoxelSize::new(ones).unwrap()).unwrap();
        let info = ArrayInfo::new(dtype, &["y", "x"], &[4, 200], grid).unwrap();
        let labels =
            Arc::new(MemoryArray::new(info.with_block_shape(&[3, 64]).unwrap(), voxels).unwrap());
        let pair = MaskAndTarget::new(labels, &groups, &MaskOptions::default(), 0).unwrap();
        let cached = pair.with_cache(&Arc::new(BlockCache::new(1 << 20))).unwrap();
        let roi = *pair.mask().roi();
        assert_eq!(cached.mask().source().dtype(), compact);
        assert_eq!(
            cached.read_pair(&roi).unwrap(),
            pair.read_pair(&roi).unwrap(),
            "{channels} {dtype}"
        );
        check_contract(cached.mask());
        check_contract(cached.target());
        check_contract(cached.mask().source().source());
    }
}

/// Labels of any memory order, with negative ids and a background that is not 0.
#[test]
fn compact_labels_know_the_background_and_negative_labels_in_any_memory_order() {
    let groups = Groups::new(vec![
        Group::new("negative", [-2]),
        Group::new("any", []),
        Group::new("both", [-2, 4]),
    ])
    .unwrap();
    let voxels = ArrayD::from_shape_fn(vec![40, 9], |at| {
        i32::try_from((at[1] * 40 + at[0]) / 3 % 9).unwrap() - 3
    });
    let turned = voxels.t().as_standard_layout().into_owned().reversed_axes();
    assert!(!turned.is_standard_layout());
    let ones = Coordinate::splat(2, 1).unwrap();
    let grid = VoxelGrid::new(ones, VoxelSize::new(ones).unwrap()).unwrap();
    for background in [0, 4, -3, 1000] {
        for labels in [&voxels, &turned] {
            let info = ArrayInfo::new(DType::I32, &["y", "x"], &[40, 9], grid).unwrap();
            let info = info.with_block_shape(&[16, 4]).unwrap();
            let source = Arc::new(MemoryArray::new(info, labels.clone()).unwrap());
            let options = MaskOptions::default();
            let pair = MaskAndTarget::new(source, &groups, &options, background).unwrap();
            let roi = *pair.mask().roi();
            let mask =
                ArrayD::from_shape_fn(vec![3, 40, 9], |at| u8::from(voxels[[at[1], at[2]]] > 0));
            let target = ArrayD::from_shape_fn(vec![3, 40, 9], |at| {
                let id = LabelId::from(voxels[[at[1], at[2]]]);
                u8::from([id == -2, id != background, id == -2 || id == 4][at[0]])
            });
            let expected = (AnyArray::from(mask), AnyArray::from(target));
            assert!(pair.read_pair(&roi).unwrap() == expected, "{background}");
            let cached = pair.with_cache(&Arc::new(BlockCache::new(1 << 20))).unwrap();
            assert!(cached.read_pair(&roi).unwrap() == expected, "{background}, cached");
        }
    }
}
