//! The attributes of annotators, `labels` and `cellmap.annotation`: of an array, and behind a NUL those of its
//! group.

#![no_main]

use std::sync::Arc;

use annotation_mask::{
    CropClass, CropGroup, Group, Groups, LabelList, MaskAndTarget, MaskOptions, check_labels,
};
use array_core::{Array, ArrayInfo, DType, MemoryArray};
use fuzz::{mask_everything, parts, tell, zeros_and_ones};
use geometry::{Coordinate, VoxelGrid, VoxelSize};
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};

fuzz_target!(|data: &[u8]| {
    let Some(texts) = parts::<2>(data) else { return };
    let [Ok(attrs), group] = texts.map(serde_json::from_str::<Map<String, Value>>) else { return };
    let group = group.unwrap_or_default();

    match LabelList::from_attrs(&attrs) {
        Ok(_) => {}
        Err(error) => tell(&error),
    }
    let array = labels_with(attrs);
    let groups = Groups::new(vec![
        Group::new("mito", [3, 4]),
        Group::new("nucleus", [20, 37]).with_generic_ids([37]),
        Group::new("anything", []),
    ])
    .expect("the groups are right");
    match MaskAndTarget::new(Arc::new(Arc::clone(&array)), &groups, &MaskOptions::default(), 0) {
        Ok(pair) => {
            zeros_and_ones(pair.mask());
            zeros_and_ones(pair.target());
        }
        Err(error) => tell(&error),
    }
    match check_labels(&array, Some(&groups)) {
        Ok(report) => assert!(report.findings.iter().all(|finding| !finding.message.is_empty())),
        Err(error) => tell(&error),
    }
    let crop = CropClass::from_attrs("mito", array, &group)
        .and_then(|class| CropGroup::new("crop1", Arc::new(group.clone()), vec![class], None));
    match crop {
        Ok(crop) => mask_everything(&crop),
        Err(error) => tell(&error),
    }
});

/// Each value of a byte once.
fn labels_with(attrs: Map<String, Value>) -> Arc<dyn Array> {
    let size = VoxelSize::new(Coordinate::from([4])).expect("4 is a size");
    let grid = VoxelGrid::new(Coordinate::from([0]), size).expect("the grid is right");
    let info = ArrayInfo::new(DType::U8, &["x"], &[256], grid).expect("the array is right");
    let voxels = ndarray::Array1::from_iter(0..=u8::MAX).into_dyn();
    let array = MemoryArray::new(info.with_attrs(Arc::new(attrs)), voxels);
    Arc::new(array.expect("the voxels are of that shape"))
}
