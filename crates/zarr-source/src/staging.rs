//! Outputs that appear as a whole or not at all.

use std::borrow::Cow;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use array_core::ArrayInfo;
use serde_json::{Map, Value};

use crate::array::ZarrArray;
use crate::error::ZarrError;
use crate::image::{self, ImageOptions, write_group};
use crate::n5;
use crate::node::{Node, NodeKind, ZarrFormat, absolute};
use crate::store::Container;

/// A container that is being written in a hidden folder beside its target, and is moved there by
/// [`Staging::commit`].
///
/// Dropped without that, it leaves nothing behind. The arrays that it created write into the hidden
/// folder: when it has been committed, open them again under the target.
///
/// ```
/// use array_core::{ArrayExt, ArrayInfo, DType};
/// use geometry::{Coordinate, VoxelGrid, VoxelSize};
/// use serde_json::Map;
/// use zarr_source::{ImageOptions, Staging, ZarrArray};
///
/// let folder = tempfile::tempdir()?;
/// let target = folder.path().join("masks.zarr");
/// let grid = VoxelGrid::new(Coordinate::from([80, 40]), VoxelSize::new(Coordinate::from([8, 4]))?)?;
/// let info = ArrayInfo::new(DType::U8, &["y", "x"], &[2, 3], grid)?;
///
/// let staging = Staging::new(&target, false)?;
/// let array = staging.create_image("mito", &info, &ImageOptions::default())?;
/// array.write(array.roi(), &ndarray::array![[0_u8, 1, 1], [0, 0, 1]].view().into_dyn().into())?;
/// assert!(!target.exists());
/// staging.commit(&Map::new())?;
///
/// let mask = ZarrArray::open(target.join("mito/s0"))?;
/// assert_eq!(mask.roi(), info.roi());
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Staging {
    target: PathBuf,
    folder: PathBuf,
    overwrite: bool,
    // Where an output that is replaced waits until the new one is in its place.
    aside: PathBuf,
    removes_folder: bool,
}

impl Staging {
    /// Makes the hidden folder beside `target`, whose parent folder must exist.
    ///
    /// # Errors
    ///
    /// [`ZarrError::OutputExists`] if there is something at `target`, unless `overwrite` is set and it
    /// is a Zarr container; [`ZarrError::InvalidName`] if `target` has no name or is a link;
    /// [`ZarrError::StoreIo`].
    pub fn new(target: impl AsRef<Path>, overwrite: bool) -> Result<Self, ZarrError> {
        let target = Self::check(target, overwrite)?;
        let (folder, aside) = (hidden_beside(&target, "partial")?, hidden_beside(&target, "old")?);
        fs::create_dir(&folder).map_err(|error| {
            // The hidden name would not help anybody.
            let parent = target.parent().unwrap_or(&target);
            ZarrError::io("create an output in", parent, error)
        })?;
        Ok(Self { target, folder, overwrite, aside, removes_folder: true })
    }

    /// The same in a folder of the caller's choice, for work that goes on after its process has ended: a
    /// folder that exists is used as it is, and dropped without a commit it stays.
    ///
    /// It must be on the file system of `target`. An output that is replaced is moved to `aside` before it is
    /// deleted.
    ///
    /// # Errors
    ///
    /// Those of [`Staging::new`].
    pub fn in_folder(
        folder: impl Into<PathBuf>,
        aside: impl Into<PathBuf>,
        target: impl AsRef<Path>,
        overwrite: bool,
    ) -> Result<Self, ZarrError> {
        let target = Self::check(target, overwrite)?;
        let (folder, aside) = (folder.into(), aside.into());
        match fs::create_dir(&folder) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                Err(ZarrError::io("create", &folder, error))
            }
            _ => Ok(Self { target, folder, overwrite, aside, removes_folder: false }),
        }
    }

    /// Fails if an output at `target` could not be committed, and otherwise returns its absolute path.
    ///
    /// # Errors
    ///
    /// [`ZarrError::OutputExists`] if there is something at `target`, unless `overwrite` is set and it
    /// is a Zarr container; [`ZarrError::InvalidName`] if `target` has no name or is a link;
    /// [`ZarrError::StoreIo`].
    pub fn check(target: impl AsRef<Path>, overwrite: bool) -> Result<PathBuf, ZarrError> {
        let target = absolute(target.as_ref())?;
        name_of(&target)?;
        check_target(&target, overwrite)?;
        Ok(target)
    }

    /// Creates the image `name` (such as `mito` or `labels/all`): a group with OME-NGFF metadata and an
    /// array `s0` in it, opened for writing.
    ///
    /// The array has zeros everywhere. Geometry, axes, channel names and element type are those of
    /// `info`; its attributes are not written unless `options` holds them.
    ///
    /// # Errors
    ///
    /// [`ZarrError::InvalidName`]; [`ZarrError::OutputExists`] if there is an image or group of that name;
    /// [`ZarrError::Unsupported`] for a chunk shape that does not fit, or a geometry that JSON numbers
    /// cannot hold exactly; [`ZarrError::StoreIo`].
    pub fn create_image(
        &self,
        name: &str,
        info: &ArrayInfo,
        options: &ImageOptions,
    ) -> Result<ZarrArray, ZarrError> {
        let mut levels = self.create_levels(name, std::slice::from_ref(info), options)?;
        Ok(levels.swap_remove(0))
    }

    /// The same for an image in several resolutions: an array `s0`, `s1` and so on for each of `levels`, which
    /// begins at the corner that its grid says. Chunks and shards have the same shape in all of them.
    ///
    /// # Errors
    ///
    /// Those of [`Staging::create_image`].
    pub fn create_levels(
        &self,
        name: &str,
        levels: &[ArrayInfo],
        options: &ImageOptions,
    ) -> Result<Vec<ZarrArray>, ZarrError> {
        check_name(name)?;
        let group: PathBuf = self.folder.join(name.split('/').collect::<PathBuf>());
        if group.exists() {
            let reason = format!("this container has a group {name:?} already");
            return Err(ZarrError::OutputExists { path: self.target.join(name), reason });
        }
        let enclosing: Vec<&Path> =
            group.ancestors().skip(1).take_while(|path| path.starts_with(&self.folder)).collect();
        let container = Container::staged(&self.folder)?;
        for folder in enclosing.into_iter().rev() {
            match Node::read(&container, folder)? {
                Some(node) if node.kind == NodeKind::Array => {
                    let reason = "an array cannot hold images".to_owned();
                    return Err(ZarrError::InvalidName { name: name.to_owned(), reason });
                }
                Some(node) if node.format == options.zarr_format => {}
                _ => write_group(&container, folder, options.zarr_format, Map::new())?,
            }
        }
        image::create(&container, &group, name, levels, options)
    }

    /// Moves the container to its target, with `attrs` as its attributes. Returns the target.
    ///
    /// With `overwrite`, the old container is moved aside first, moved back if something fails, and
    /// deleted in the end.
    ///
    /// # Errors
    ///
    /// [`ZarrError::OutputExists`] if something has appeared at the target; [`ZarrError::StoreIo`]. The
    /// target is as it was before, then.
    pub fn commit(self, attrs: &Map<String, Value>) -> Result<PathBuf, ZarrError> {
        let documents = [
            (".zgroup", ZarrFormat::V2),
            ("zarr.json", ZarrFormat::V3),
            (n5::ATTRIBUTES, ZarrFormat::N5),
        ];
        let formats: Vec<ZarrFormat> = documents
            .into_iter()
            .filter(|(file, _)| self.folder.join(file).exists())
            .map(|(_, format)| format)
            .collect();
        let container = Container::staged(&self.folder)?;
        for format in if formats.is_empty() { vec![ZarrFormat::V2] } else { formats } {
            write_group(&container, &self.folder, format, attrs.clone())?;
        }
        check_target(&self.target, self.overwrite)?;
        let failed = |error| ZarrError::io("move the output to", &self.target, error);
        if fs::symlink_metadata(&self.target).is_err() {
            fs::rename(&self.folder, &self.target).map_err(failed)?;
            return Ok(self.target.clone());
        }
        let old = &self.aside;
        fs::rename(&self.target, old)
            .map_err(|error| ZarrError::io("move aside", &self.target, error))?;
        if let Err(error) = fs::rename(&self.folder, &self.target) {
            fs::rename(old, &self.target)
                .map_err(|error| ZarrError::io("move back the old output from", old, error))?;
            return Err(failed(error));
        }
        if let Err(error) = fs::remove_dir_all(old) {
            tracing::warn!("the old output is left in {}: {error}", old.display());
        }
        Ok(self.target.clone())
    }

    /// Where the container will be.
    #[must_use]
    pub fn target(&self) -> &Path {
        &self.target
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if !self.removes_folder {
            return;
        }
        // After a commit there is no such folder.
        match fs::remove_dir_all(&self.folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                tracing::warn!("cannot remove {}: {error}", self.folder.display());
            }
            _ => {}
        }
    }
}

fn check_target(target: &Path, overwrite: bool) -> Result<(), ZarrError> {
    let Ok(found) = fs::symlink_metadata(target) else {
        return Ok(());
    };
    if found.is_symlink() {
        let reason = if target.exists() {
            "it is a link, which is not replaced"
        } else {
            "it is a link that leads nowhere, which is not replaced"
        };
        let name = target.display().to_string();
        return Err(ZarrError::InvalidName { name, reason: reason.to_owned() });
    }
    let reason = if !overwrite {
        "it may be replaced only if that is asked for"
    } else if !Node::exists(target) {
        "it is not a Zarr container, so it is not replaced"
    } else {
        return Ok(());
    };
    Err(ZarrError::OutputExists { path: target.to_owned(), reason: reason.to_owned() })
}

/// The name of an output.
fn name_of(target: &Path) -> Result<Cow<'_, str>, ZarrError> {
    target.file_name().map(std::ffi::OsStr::to_string_lossy).ok_or_else(|| ZarrError::InvalidName {
        name: target.display().to_string(),
        reason: "it does not end in the name of a folder".to_owned(),
    })
}

/// An unused hidden name beside `target`.
fn hidden_beside(target: &Path, suffix: &str) -> Result<PathBuf, ZarrError> {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let (name, process) = (name_of(target)?, std::process::id());
    loop {
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let path = target.with_file_name(format!(".{name}.{process}-{number}.{suffix}"));
        if fs::symlink_metadata(&path).is_err() {
            return Ok(path);
        }
    }
}

fn check_name(name: &str) -> Result<(), ZarrError> {
    let invalid = |reason: &str| {
        Err(ZarrError::InvalidName { name: name.to_owned(), reason: reason.to_owned() })
    };
    for part in name.split('/') {
        if part.is_empty() {
            return invalid("a part of it is empty");
        }
        if part.starts_with('.') || part.starts_with("__") {
            return invalid("no part of it may begin with a dot or two underscores");
        }
        if ["zarr.json", n5::ATTRIBUTES].contains(&part) || part.contains(['\\', '\0']) {
            return invalid("a part of it is reserved");
        }
    }
    Ok(())
}
