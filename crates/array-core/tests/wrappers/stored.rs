//! Which files wrappers read: those of their sources, of the part that they read.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use array_core::{
    Array, ArrayError, ArrayExt, ArrayInfo, BlockCache, CachedArray, ConcatArray, ConstantArray,
    Downsampling, Interruptible, LogicalOrArray, MemoryArray, ResampledArray, StoredFile,
    StoredVisitor, SumArray, Visitor,
};
use geometry::Window;

use crate::sources;

/// An array that says that it is stored in one file, called by the window.
#[derive(Debug)]
struct Stored(MemoryArray);

fn stored(axes: &[&str]) -> Arc<Stored> {
    let channels: &[usize] = if axes.len() == 3 { &[2] } else { &[] };
    let shape = [channels, &[8, 8]].concat();
    Arc::new(Stored(sources::array(axes, &shape, &[4, 4])))
}

impl Array for Stored {
    fn info(&self) -> &ArrayInfo {
        self.0.info()
    }

    fn visit(&self, window: &Window, visitor: &mut Visitor<'_>) -> Result<(), ArrayError> {
        self.0.visit(window, visitor)
    }

    fn visit_stored(
        &self,
        window: &Window,
        visitor: &mut StoredVisitor<'_>,
    ) -> Result<(), ArrayError> {
        visitor(StoredFile { path: Path::new(&window.to_string()), version: Some("1") })
    }

    fn kind(&self) -> &'static str {
        "a stored array"
    }
}

/// The files of the voxels from 2, 4 to 4, 8 of an array.
fn files(array: &dyn Array) -> Vec<String> {
    let mut found = Vec::new();
    let window = Window::new(&[2, 4], &[2, 4]).unwrap();
    let mut tell = |file: StoredFile<'_>| {
        found.push(file.path.display().to_string());
        Ok(())
    };
    array.visit_stored(&window, &mut tell).unwrap();
    found
}

#[test]
fn a_wrapper_reads_the_files_of_its_sources() {
    let (source, channels) = (stored(&["y", "x"]), stored(&["c", "y", "x"]));
    let same = "[2:4, 4:8]";
    let cache = Arc::new(BlockCache::new(1 << 20));
    let stop = AtomicBool::new(false);
    assert_eq!(files(&source), [same]);
    assert_eq!(files(&CachedArray::new(Arc::clone(&source), &cache)), [same]);
    assert_eq!(files(&Interruptible::new(Arc::clone(&source), &stop)), [same]);
    assert_eq!(files(&LogicalOrArray::new(Arc::clone(&channels)).unwrap()), [same]);
    let both = || vec![Arc::clone(&source), Arc::clone(&source)];
    assert_eq!(files(&ConcatArray::new(both()).unwrap()), [same, same]);
    assert_eq!(files(&SumArray::new(both()).unwrap()), [same, same]);
    assert!(files(&ConstantArray::ones(Arc::clone(&source))).is_empty());
    assert!(files(&sources::array(&["y", "x"], &[8, 8], &[4, 4])).is_empty());
}

#[test]
fn a_wrapper_reads_the_files_of_the_part_that_it_shows() {
    let source = stored(&["y", "x"]);
    let window = Window::new(&[1, 0], &[7, 8]).unwrap();
    let crop = Arc::clone(&source).crop(&source.info().grid().roi(&window).unwrap()).unwrap();
    assert_eq!(files(&crop), ["[3:5, 4:8]"]);
    let larger =
        ResampledArray::new(Arc::clone(&source), &[1, 1], &[2, 1], Downsampling::Mode).unwrap();
    assert_eq!(files(&larger), ["[4:8, 4:8]"]);
}

#[test]
fn what_hands_out_stored_voxels_has_data_and_what_computes_them_has_none() {
    let (source, channels) = (stored(&["y", "x"]), stored(&["c", "y", "x"]));
    let cache = Arc::new(BlockCache::new(1 << 20));
    let stop = AtomicBool::new(false);
    let has_data = |array: &dyn Array| array.data().is_ok();
    assert!(has_data(&source) && has_data(&channels));
    assert!(has_data(&CachedArray::new(Arc::clone(&source), &cache)));
    assert!(has_data(&Interruptible::new(Arc::clone(&source), &stop)));
    assert!(has_data(&Arc::clone(&source).crop(source.roi()).unwrap()));
    let both = || vec![Arc::clone(&source), Arc::clone(&source)];
    let computed: [Arc<dyn Array>; 5] = [
        Arc::new(ConcatArray::new(both()).unwrap()),
        Arc::new(SumArray::new(both()).unwrap()),
        Arc::new(LogicalOrArray::new(channels).unwrap()),
        Arc::new(ConstantArray::ones(Arc::clone(&source))),
        Arc::new(ResampledArray::new(source, &[1; 2], &[2; 2], Downsampling::Mode).unwrap()),
    ];
    for array in computed {
        assert!(array.is_virtual() && !has_data(&array), "{}", array.kind());
        // Wrappers that keep voxels as they are compute nothing, but what they show is computed.
        assert!(!has_data(&CachedArray::new(Arc::clone(&array), &cache)));
        assert!(!has_data(&Interruptible::new(Arc::clone(&array), &stop)));
        assert!(!has_data(&Arc::clone(&array).crop(array.roi()).unwrap()));
    }
}
