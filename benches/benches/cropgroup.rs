//! How fast are mask and target of a crop group: 24 class arrays of 256^3 voxels?

#![allow(missing_docs, reason = "criterion's macro writes functions")]
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot be set up has failed")]

use std::sync::Arc;
use std::time::Duration;

use annotation_mask::{
    AnnotationType, ClassAnnotation, ClassState, CropClass, CropGroup, CropMaskAndTarget, Encoding,
    GroundTruth,
};
use array_core::{AnyArray, Array, ArrayExt, DType};
use benches::{Labels, Stored, Volume, decode, touch};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use geometry::Window;

const CLASSES: usize = 24;

fn cropgroup(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let volume = Volume::dense(256, Labels::U8, Stored::Lz4);
    let array = volume.open(folder.path());
    // One array for all classes, in which each has other values: decoded anew for each of them.
    let class = |index: usize| {
        let values = |state: ClassState, first: i128| [(first, state), (first + 24, state)];
        let first = i128::try_from(index).unwrap_or(0) + 1;
        let states = [(0, ClassState::Absent), (25, ClassState::Unknown)];
        let states = values(ClassState::Present, first).into_iter().chain(states);
        let states = states.filter(|(value, state)| *value != 25 || *state == ClassState::Unknown);
        CropClass {
            name: format!("class{index}"),
            array: array.clone(),
            annotation: ClassAnnotation::new(
                Encoding::new(AnnotationType::Semantic, states).expect("the values differ"),
            ),
        }
    };
    let classes = (0..CLASSES).map(class).collect();
    let crop = Arc::new(CropGroup::new("crop", Arc::default(), classes, None).unwrap());
    let pair = CropMaskAndTarget::new(crop.clone(), &crop.default_groups().unwrap()).unwrap();
    let (mask, target) = (pair.mask(), pair.target());
    let roi = *mask.roi();

    let mut group = criterion.benchmark_group("cropgroup/256-24-classes");
    group.throughput(Throughput::Elements(volume.voxels()));
    group.sample_size(10).warm_up_time(Duration::from_millis(300));
    let whole = Window::full(array.info().spatial_shape()).unwrap();
    group.bench_function("decode only", |bencher| {
        bencher.iter(|| (0..CLASSES).for_each(|_| decode(&array, &whole)));
    });
    let side = volume.side;
    let mut write = |name: &str, channels: usize| {
        let fresh = || {
            let mut array = AnyArray::zeros(DType::U8, &[channels, side, side, side]).unwrap();
            touch(array.view_mut());
            array
        };
        group.bench_function(name, |bencher| bencher.iter_with_large_drop(fresh));
    };
    write("write all", CLASSES);
    write("write all twice", 2 * CLASSES);
    group.bench_function("mask", |bencher| {
        bencher.iter_with_large_drop(|| mask.read(&roi).unwrap());
    });
    group.bench_function("target", |bencher| {
        bencher.iter_with_large_drop(|| target.read(&roi).unwrap());
    });
    group.bench_function("mask and target", |bencher| {
        bencher.iter_with_large_drop(|| pair.read_pair(&roi).unwrap());
    });
}

criterion_group!(benches, cropgroup);
criterion_main!(benches);
