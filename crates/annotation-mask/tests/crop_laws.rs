//! Masks and targets of crop groups against a slow, obvious model: one voxel, one class, one channel
//! at a time, as the definition says.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use std::collections::BTreeSet;
use std::sync::Arc;

use annotation_mask::{
    AnnotationType, ClassAnnotation, ClassGroup, ClassGroups, ClassState, ClassTable, CropClass,
    CropGroup, CropMaskAndTarget, Encoding, GroundTruth, LabelId, check_crop,
};
use array_core::{
    AnyArray, ArrayError, ArrayExt, BlockCache, BlockGrid, DType, MemoryArray, Scalar, fold_blocks,
};
use geometry::Window;
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use serde_json::json;

use ClassState::{Absent, Present, Unknown};

/// Class `n` has the id `n` and the name `c{n}`.
const CLASSES: usize = 7;

/// How one class array is stored.
#[derive(Clone, Debug)]
struct Stored {
    dtype: DType,
    f_order: bool,
    block_shape: Vec<usize>,
    annotation_type: AnnotationType,
    absent: LabelId,
    present: Option<LabelId>,
    unknown: Option<LabelId>,
    values: Vec<LabelId>,
}

#[derive(Clone, Debug)]
struct Case {
    shape: Vec<usize>,
    /// For each class, its array.
    stored: Vec<Option<Stored>>,
    /// For each class, the classes below it of which it consists; none without a table.
    table: Option<Vec<Vec<usize>>>,
    groups: Vec<Vec<usize>>,
}

fn alphabet(dtype: DType) -> Vec<LabelId> {
    let (low, high) = dtype.integer_range().unwrap();
    let all = [0, 1, 2, 3, 255, 256, high, low];
    let all: BTreeSet<LabelId> = all.into_iter().filter(|id| (low..=high).contains(id)).collect();
    all.into_iter().collect()
}

fn stored(shape: Vec<usize>) -> impl Strategy<Value = Stored> {
    let integers: Vec<DType> = DType::ALL.iter().copied().filter(|d| d.is_integer()).collect();
    let kinds = [AnnotationType::Semantic, AnnotationType::Instance];
    (prop::sample::select(integers), prop::sample::select(kinds.to_vec()), any::<bool>())
        .prop_flat_map(move |(dtype, annotation_type, f_order)| {
            let len = shape.iter().product::<usize>();
            let values = alphabet(dtype);
            // Some encodings have a value that the type does not.
            let mut order = values.clone();
            order.push(1 << 70);
            let block_shape = prop::collection::vec(1..5_usize, shape.len());
            // Mostly one value or two, so that whole blocks are constant.
            let few = prop::sample::subsequence(values.clone(), 1..=values.len().min(3));
            let voxels =
                few.prop_flat_map(move |few| prop::collection::vec(prop::sample::select(few), len));
            (Just(order).prop_shuffle(), voxels, block_shape, any::<bool>(), any::<bool>())
                .prop_map(move |(order, values, block_shape, has_present, has_unknown)| Stored {
                    dtype,
                    f_order,
                    block_shape,
                    annotation_type,
                    absent: order[0],
                    present: has_present.then(|| order[1]),
                    unknown: (has_unknown && order.len() > 2).then(|| order[2]),
                    values,
                })
        })
}

fn case() -> impl Strategy<Value = Case> {
    prop::collection::vec(1..6_usize, 1..4).prop_flat_map(|shape| {
        let one = prop::option::weighted(0.6, stored(shape.clone()));
        let below = |class: usize| {
            let all: Vec<usize> = (0..class).collect();
            prop::option::weighted(0.5, prop::sample::subsequence(all, 0..=class))
                .prop_map(Option::unwrap_or_default)
                .boxed()
        };
        let table: Vec<_> = (0..CLASSES).map(below).collect();
        // One class more than there are: it is nowhere.
        let members = prop::collection::vec(0..=CLASSES, 1..4);
        (
            prop::collection::vec(one, CLASSES),
            prop::option::weighted(0.8, table),
            prop::collection::vec(members, 0..6),
            stored(shape.clone()),
        )
            .prop_map(move |(mut stored, table, groups, first)| {
                // A crop has an array at least.
                stored[0].get_or_insert(first);
                Case { shape: shape.clone(), stored, table, groups }
            })
    })
}

fn name(class: usize) -> String {
    format!("c{class}")
}

impl Case {
    fn crop(&self) -> Arc<CropGroup<MemoryArray>> {
        let class = |(class, stored): (usize, &Option<Stored>)| {
            let stored = stored.as_ref()?;
            let states = [
                Some((stored.absent, Absent)),
                stored.present.map(|value| (value, Present)),
                stored.unknown.map(|value| (value, Unknown)),
            ];
            let encoding = Encoding::new(stored.annotation_type, states.into_iter().flatten());
            let info = common::info(stored.dtype, &self.shape, &stored.block_shape);
            Some(CropClass {
                name: name(class),
                array: common::array(info, &stored.values, stored.f_order),
                annotation: ClassAnnotation::new(encoding.unwrap()),
            })
        };
        let classes = self.stored.iter().enumerate().filter_map(class).collect();
        let table = self.table.as_ref().map(|table| {
            let line = |(class, parts): (usize, &Vec<usize>)| {
                let parts: Vec<String> = parts.iter().map(ToString::to_string).collect();
                format!("{},{class},{}\n", name(class), parts.join("-"))
            };
            // In reverse, so that composite classes come before their constituents.
            let lines: Vec<String> = table.iter().enumerate().map(line).rev().collect();
            ClassTable::from_csv(&lines.concat()).unwrap()
        });
        let names: Vec<String> = (0..CLASSES).map(name).collect();
        let attrs = common::attrs(&json!({"cellmap": {"annotation": {"class_names": names}}}));
        Arc::new(CropGroup::new("crop", attrs, classes, table).unwrap())
    }

    fn groups(&self) -> ClassGroups {
        let group = |(index, classes): (usize, &Vec<usize>)| {
            ClassGroup::new(format!("g{index}"), classes.iter().map(|&class| name(class)))
        };
        ClassGroups::new(self.groups.iter().enumerate().map(group).collect()).unwrap()
    }

    /// What the array of a class says at a voxel.
    fn own(&self, class: usize, voxel: usize) -> ClassState {
        let Some(Some(stored)) = self.stored.get(class) else { return Unknown };
        let value = Some(stored.values[voxel]);
        match stored.annotation_type {
            _ if value == Some(stored.absent) => Absent,
            _ if value == stored.unknown => Unknown,
            _ if value == stored.present => Present,
            AnnotationType::Semantic if stored.present.is_some() => Unknown,
            _ => Present,
        }
    }

    /// The classes of which a class consists.
    fn parts(&self, class: usize) -> &[usize] {
        let parts = self.table.as_ref().and_then(|table| table.get(class));
        parts.map(Vec::as_slice).unwrap_or_default()
    }

    /// The classes of which a class consists, and theirs.
    fn all_parts(&self, class: usize) -> BTreeSet<usize> {
        let below = |&part: &usize| self.all_parts(part).into_iter().chain([part]);
        self.parts(class).iter().flat_map(below).collect()
    }

    /// What is known about a class at a voxel.
    fn class(&self, class: usize, voxel: usize) -> ClassState {
        match (self.own(class, voxel), self.parts(class)) {
            (Unknown, parts @ [_, ..]) => self.any_of(parts, voxel),
            (own, _) => own,
        }
    }

    /// Present if any is; absent if all are; else unknown.
    fn any_of(&self, classes: &[usize], voxel: usize) -> ClassState {
        let states: Vec<ClassState> = classes.iter().map(|&c| self.class(c, voxel)).collect();
        if states.contains(&Present) {
            Present
        } else if states.iter().all(|state| *state == Absent) {
            Absent
        } else {
            Unknown
        }
    }

    fn values(&self, of: impl Fn(ClassState) -> bool) -> Vec<u8> {
        let voxels = self.shape.iter().product::<usize>();
        let of = &of;
        let channel = |classes: &'_ Vec<usize>| -> Vec<u8> {
            (0..voxels).map(|voxel| u8::from(of(self.any_of(classes, voxel)))).collect()
        };
        self.groups.iter().flat_map(channel).collect()
    }

    fn mask(&self) -> Vec<u8> {
        self.values(|state| state != Unknown)
    }

    fn target(&self) -> Vec<u8> {
        self.values(|state| state == Present)
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn mask_and_target_say_of_each_voxel_what_the_classes_say(case in case()) {
        let pair = CropMaskAndTarget::new(case.crop(), &case.groups()).unwrap();
        let (mask, target) = (pair.mask(), pair.target());
        let found = mask.read_as::<u8>(mask.roi()).unwrap();
        prop_assert_eq!(found.iter().copied().collect::<Vec<_>>(), case.mask());
        let found = target.read_as::<u8>(target.roi()).unwrap();
        prop_assert_eq!(found.iter().copied().collect::<Vec<_>>(), case.target());
    }

    #[test]
    fn one_pass_gives_the_mask_the_target_and_their_sums(case in case()) {
        let pair = CropMaskAndTarget::new(case.crop(), &case.groups()).unwrap();
        let (mask, target) = (pair.mask(), pair.target());
        let whole = Window::full(&case.shape).unwrap();
        let work = |window: &Window, ()| {
            let roi = mask.roi_of(window);
            let mut counts = None;
            pair.visit_pair(window, &mut |block| {
                assert_eq!(block.mask.to_array(), mask.read_as::<u8>(&roi).unwrap());
                assert_eq!(block.target.to_array(), target.read_as::<u8>(&roi).unwrap());
                counts = Some(block.counts);
                Ok(())
            })?;
            Ok::<_, ArrayError>(counts.unwrap())
        };
        let blocks = BlockGrid::new(&[3, 2, 4][..case.shape.len()]).unwrap();
        let counts = fold_blocks(&whole, &blocks, (), &work, &|a, b| a.merged(b)).unwrap().unwrap();
        let voxels = case.shape.iter().product::<usize>();
        let sums = |values: Vec<u8>| -> Vec<u64> {
            values.chunks(voxels).map(|c| c.iter().map(|&v| u64::from(v)).sum()).collect()
        };
        prop_assert_eq!(counts.voxels, voxels as u64);
        prop_assert_eq!(counts.known, sums(case.mask()));
        prop_assert_eq!(counts.positive, sums(case.target()));
    }

    #[test]
    fn however_masks_and_targets_are_read_they_are_the_same(case in case()) {
        let flat = |array: &AnyArray| -> Vec<u8> {
            array.view().typed::<u8>().unwrap().iter().copied().collect()
        };
        let crop = || Arc::into_inner(case.crop()).unwrap();
        let pair = CropMaskAndTarget::new(Arc::new(crop()), &case.groups()).unwrap();
        let roi = *pair.mask().roi();
        let (mut mask, mut target) = pair.read_pair(&roi).unwrap();
        prop_assert_eq!(flat(&mask), case.mask());
        prop_assert_eq!(flat(&target), case.target());
        // What lies in a buffer does not shine through.
        for array in [&mut mask, &mut target] {
            array.view_mut().fill(Scalar::U8(9)).unwrap();
        }
        pair.read_pair_to(&roi, mask.view_mut(), target.view_mut()).unwrap();
        prop_assert_eq!(flat(&mask), case.mask());
        prop_assert_eq!(flat(&target), case.target());

        let cache = Arc::new(BlockCache::new(1 << 20));
        let cached = crop().with_cache(&cache).unwrap();
        let cached = CropMaskAndTarget::new(Arc::new(cached), &case.groups()).unwrap();
        for _ in 0..2 {
            let (mask, target) = cached.read_pair(&roi).unwrap();
            prop_assert_eq!(flat(&mask), case.mask());
            prop_assert_eq!(flat(&target), case.target());
        }
    }

    #[test]
    fn the_check_counts_what_the_arrays_say(case in case()) {
        let report = check_crop(&case.crop()).unwrap();
        let voxels = case.shape.iter().product::<usize>();
        let count = |is: &dyn Fn(usize) -> bool| (0..voxels).filter(|&v| is(v)).count() as u64;
        let has_array = |class: &usize| case.stored[*class].is_some();
        let classes: Vec<usize> = (0..CLASSES).filter(has_array).collect();
        prop_assert_eq!(report.classes.len(), classes.len());
        let mut contradicted = BTreeSet::new();
        for (class, found) in classes.into_iter().zip(&report.classes) {
            let states = [found.present, found.absent, found.unknown];
            let expected = [Present, Absent, Unknown].map(|s| count(&|v| case.own(class, v) == s));
            prop_assert_eq!(states, expected);
            let parts = case.all_parts(class);
            let wrong = count(&|v| {
                case.own(class, v) == Absent && parts.iter().any(|&p| case.own(p, v) == Present)
            });
            if wrong > 0 {
                contradicted.insert((name(class), wrong));
            }
        }
        let found = report.findings.iter().filter(|f| f.code == "composite-contradicted");
        let found = found.map(|f| (f.subject.clone(), f.values["voxels"].as_u64().unwrap()));
        prop_assert_eq!(found.collect::<BTreeSet<_>>(), contradicted);
    }

    #[test]
    fn a_channel_that_is_not_kept_is_unknown_everywhere(case in case()) {
        let pair = CropMaskAndTarget::new(case.crop(), &case.groups()).unwrap();
        let voxels = case.shape.iter().product::<usize>();
        let mask = case.mask();
        for (channel, summary) in pair.channels().iter().enumerate() {
            let known = mask[channel * voxels..(channel + 1) * voxels].contains(&1);
            prop_assert!(summary.kept || !known, "{:?}", summary);
            prop_assert_eq!(&summary.name, &format!("g{channel}"));
            // What is never absent says so.
            let absent = case.groups[channel].iter().all(|&class| class < CLASSES);
            prop_assert!(absent || !summary.why.is_empty(), "{:?}", summary);
        }
    }
}

/// The region of a window.
trait RoiOf {
    fn roi_of(&self, window: &Window) -> geometry::Roi;
}

impl<A: array_core::Array> RoiOf for A {
    fn roi_of(&self, window: &Window) -> geometry::Roi {
        self.info().grid().roi(window).unwrap()
    }
}
