//! Masks and targets are not stored: they are read out of the files of their sources.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use std::path::Path;
use std::sync::Arc;

use annotation_mask::{
    ClassAnnotation, ClassGroup, ClassGroups, ClassTable, CropClass, CropGroup, CropMaskAndTarget,
    GroundTruth, Group, Groups, MaskAndTarget, MaskOptions,
};
use array_core::{
    Array, ArrayError, ArrayExt, ArrayInfo, BlockCache, DType, MemoryArray, StoredFile,
    StoredVisitor, Visitor,
};
use common::{array, info, semantic};
use geometry::Window;

/// An array that says that it is stored in one file, called by its name and the window.
#[derive(Debug)]
struct Stored {
    name: &'static str,
    voxels: MemoryArray,
}

fn stored(name: &'static str) -> Stored {
    Stored { name, voxels: array(info(DType::U8, &[4], &[4]), &[0, 1, 255, 1], false) }
}

impl Array for Stored {
    fn info(&self) -> &ArrayInfo {
        self.voxels.info()
    }

    fn visit(&self, window: &Window, visitor: &mut Visitor<'_>) -> Result<(), ArrayError> {
        self.voxels.visit(window, visitor)
    }

    fn visit_stored(
        &self,
        window: &Window,
        visitor: &mut StoredVisitor<'_>,
    ) -> Result<(), ArrayError> {
        let path = format!("{} {window}", self.name);
        visitor(StoredFile { path: Path::new(&path), version: Some("1") })
    }

    fn kind(&self) -> &'static str {
        "a stored array"
    }
}

/// The files of the voxels 2 and 3 of an array, in the order of their names.
fn files(array: &dyn Array) -> Vec<String> {
    let mut found = Vec::new();
    let mut tell = |file: StoredFile<'_>| {
        found.push(file.path.display().to_string());
        Ok(())
    };
    array.visit_stored(&Window::new(&[2], &[2]).unwrap(), &mut tell).unwrap();
    found.sort();
    found
}

#[test]
fn a_mask_and_a_target_are_read_out_of_the_files_of_the_labels() {
    let groups = Groups::new(vec![Group::new("mito", [1])]).unwrap();
    let options = MaskOptions::default();
    let pair = MaskAndTarget::new(Arc::new(stored("labels")), &groups, &options, 0).unwrap();
    let cached = pair.with_cache(&Arc::new(BlockCache::new(1 << 20))).unwrap();
    let arrays: [&dyn Array; 5] =
        [pair.mask(), pair.target(), cached.mask(), cached.target(), cached.mask().source()];
    for array in arrays {
        assert_eq!(files(array), ["labels [2:4]"]);
        assert!(matches!(array.data(), Err(ArrayError::Virtual { .. })), "{array:?}");
    }
}

#[test]
fn a_crop_group_is_read_out_of_the_files_of_the_classes_that_a_channel_needs() {
    let class = |name| CropClass {
        name: String::from(name),
        array: stored(name),
        annotation: ClassAnnotation::new(semantic()),
    };
    let classes = ["a", "b", "ab", "d"].map(class).into();
    let table = ClassTable::from_csv("a,1,\nb,2,\nab,3,1-2\nd,4,\n").unwrap();
    let crop = CropGroup::new("crop", Arc::default(), classes, Some(table)).unwrap();
    let groups = ClassGroups::new(vec![ClassGroup::new("ab", ["ab"])]).unwrap();
    let pair = CropMaskAndTarget::new(Arc::new(crop), &groups).unwrap();
    let cached = pair.cached(&Arc::new(BlockCache::new(1 << 20))).unwrap();
    for array in
        [pair.mask_array(), pair.target_array(), cached.mask_array(), cached.target_array()]
    {
        assert_eq!(files(array), ["a [2:4]", "ab [2:4]", "b [2:4]"]);
    }
}
