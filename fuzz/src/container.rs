//! Containers in a folder that each input fills anew.

use std::fs;
use std::path::{Path, PathBuf};

use array_config::Opened;
use array_core::{Array, ArrayExt, Block};
use geometry::Window;
use tempfile::TempDir;
use zarr_source::{Location, OpenOptions, ZarrArray, ZarrNode, ZarrTree};

/// A block that is larger is not decoded: how much memory a read may take is not the matter here.
const LARGEST_BLOCK: usize = 16 << 20;
/// How many blocks one read may take: each is looked for among files, in each of several reads, and how long many of
/// them take is not the matter here either.
const MAX_BLOCKS: usize = 1 << 11;
/// How many nodes of a tree are looked at.
const MAX_NODES: usize = 200;

/// A folder, and what is written into it.
#[derive(Debug)]
pub struct Container {
    folder: TempDir,
}

impl Container {
    /// An empty folder among the temporary ones. libFuzzer ends without removing it: whoever starts a target says
    /// with `TMPDIR` where that is.
    ///
    /// # Panics
    ///
    /// If it cannot be made.
    #[must_use]
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder can be made") }
    }

    /// Where a file of this name is.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file, and makes the folders that it is in.
    ///
    /// # Panics
    ///
    /// If it cannot be written.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        let folder = path.parent().expect("a file is in a folder");
        if !folder.is_dir() {
            fs::create_dir_all(folder).expect("a folder can be made");
        }
        fs::write(path, content).expect("a file can be written");
    }

    /// Removes a file if there is one.
    pub fn remove(&self, name: &str) {
        // Most inputs leave none.
        let _ = fs::remove_file(self.path(name));
    }
}

impl Default for Container {
    fn default() -> Self {
        Self::new()
    }
}

/// How much of an array is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// All voxels.
    Whole,
    /// The first and the last two along each axis.
    Corners,
}

/// Opens what lies at `path` in every way that users have, and reads voxels of what is an array.
pub fn look_at(path: &Path, view: View) {
    let lenient = OpenOptions { unit_voxels: true, ..OpenOptions::default() };
    match ZarrTree::open(path, &lenient, MAX_NODES) {
        Ok(_) => {}
        Err(error) => crate::tell(&error),
    }
    match ZarrNode::open_with(path, &OpenOptions::default()) {
        Ok(ZarrNode::Array(array)) => read(&array, view),
        Ok(ZarrNode::Group(group)) => {
            match group.levels() {
                Ok(_) => {}
                Err(error) => crate::tell(&error),
            }
            match group.open_array("", &lenient) {
                Ok(array) => read(&array, view),
                Err(error) => crate::tell(&error),
            }
        }
        Err(error) => crate::tell(&error),
    }
    match array_config::open(Location::from(path), &lenient, None) {
        Ok(Opened::Array(array)) => read(&array, view),
        Ok(Opened::Crop(crop)) => crate::mask_everything(&crop.crop),
        Ok(Opened::Group(group)) => match group.arrays() {
            Ok(_) => {}
            Err(error) => crate::tell(&error),
        },
        Err(error) => crate::tell(&error),
    }
}

/// Reads an array, which gives voxels of the shape that it claims, or an error.
fn read(array: &ZarrArray, view: View) {
    assert!(array.remarks().all(|remark| !remark.text.is_empty()));
    let info = array.info();
    if !is_small(info.block_shape(), info.dtype().size()) {
        return;
    }
    let (channels, whole) = info.shape().split_at(info.channel_dims());
    let (shape, begins) = match view {
        View::Whole => (whole.to_vec(), vec![vec![0; whole.len()]]),
        View::Corners => {
            let last = whole.iter().map(|edge| edge.saturating_sub(2)).collect();
            (whole.iter().map(|&edge| edge.min(2)).collect(), vec![vec![0; whole.len()], last])
        }
    };
    let expected = [channels, &shape].concat();
    if !is_small(&expected, info.dtype().size()) {
        return;
    }
    // A window that begins in the last voxel of a block touches the most of them.
    let touched = |(&edge, &block): (&usize, &usize)| edge.saturating_sub(1).div_ceil(block) + 1;
    let along = expected.iter().zip(info.block_shape()).map(touched);
    if along.fold(1, usize::saturating_mul) > MAX_BLOCKS {
        return;
    }
    for begin in begins {
        let window = Window::new(&begin, &shape).expect("the window is inside the array");
        let mut visits = 0;
        let result = array.visit(&window, &mut |block| {
            visits += 1;
            if let Block::Voxels(voxels) = block {
                assert_eq!(voxels.shape(), expected);
            }
            Ok(())
        });
        match result {
            Ok(()) => assert_eq!(visits, 1, "voxels are handed over once"),
            Err(error) => crate::tell(&error),
        }
    }
    if view == View::Whole {
        match array.data() {
            Ok(voxels) => assert_eq!(voxels.shape(), info.shape()),
            Err(error) => crate::tell(&error),
        }
    }
}

/// Whether so many values fit into what is decoded at once.
pub(crate) fn is_small(shape: &[usize], size: usize) -> bool {
    let bytes = shape.iter().try_fold(size, |bytes, &edge| bytes.checked_mul(edge));
    bytes.is_some_and(|bytes| bytes <= LARGEST_BLOCK)
}
