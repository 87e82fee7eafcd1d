//! Labels, the program, and what the masks of the labels are if nothing goes wrong.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context, bail};
use array_core::{ArrayExt, ArrayInfo, DType};
use geometry::{Coordinate, VoxelGrid, VoxelSize};
use ndarray::ArrayD;
use serde_json::{Map, json};
use zarr_source::{ImageOptions, Staging, ZarrFormat};

/// The extent of the labels along each axis, and of their chunks, in voxels.
pub(super) const SIDE: usize = 160;
pub(super) const CHUNK: usize = 32;

/// Ways of writing masks that differ in which files there are.
pub(super) const WAYS: [&[&str]; 4] = [
    &["--chunks", "32"],
    &["--targets", "--chunks", "32", "--levels", "3"],
    &["--targets", "--chunks", "16", "--shards", "64", "--codec", "blosc-lz4", "--levels", "2"],
    // They do not follow the blocks of the labels.
    &["--chunks", "40", "--zarr-format", "2"],
];

/// Every file and folder below a folder, with the bytes of the files.
pub(super) type Tree = BTreeMap<PathBuf, Option<Vec<u8>>>;

/// A folder with labels, groups and the program.
pub(super) struct Bed {
    folder: tempfile::TempDir,
}

impl Bed {
    /// Builds the program and makes the labels.
    pub(super) fn new() -> anyhow::Result<Self> {
        let built = crate::program()?;
        let folder = tempfile::tempdir().context("making a temporary folder")?;
        // A copy that other users may run, too.
        let program = folder.path().join("voxmask");
        fs::copy(built, &program).context("copying voxmask")?;
        let bed = Self { folder };
        make_labels(&bed.path("crop.zarr"), SIDE)?;
        let groups: Vec<_> =
            (0..6).map(|n| json!([format!("g{n}"), [2 * n + 1, 2 * n + 2]])).collect();
        fs::write(bed.path("groups.json"), json!(groups).to_string()).context("writing groups")?;
        Ok(bed)
    }

    /// A path in the folder.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A new empty folder.
    pub(super) fn empty(&self, name: &str) -> anyhow::Result<PathBuf> {
        let folder = self.path(name);
        if folder.exists() {
            fs::remove_dir_all(&folder)
                .with_context(|| format!("removing {}", folder.display()))?;
        }
        fs::create_dir(&folder).with_context(|| format!("creating {}", folder.display()))?;
        Ok(folder)
    }

    /// The labels.
    pub(super) fn labels(&self) -> PathBuf {
        self.path("crop.zarr/labels/s0")
    }

    /// `voxmask mask`, of labels at a place.
    pub(super) fn mask(&self, labels: &str, way: &[&str], output: &Path) -> Command {
        let mut command = Command::new(self.path("voxmask"));
        command.arg("mask").arg(labels).arg("--groups").arg(self.path("groups.json"));
        command.args(way).arg("--quiet").arg("-o").arg(output);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command
    }

    /// `voxmask mask` of the labels of this folder.
    pub(super) fn mask_here(&self, way: &[&str], output: &Path) -> Command {
        self.mask(&self.labels().display().to_string(), way, output)
    }

    /// What the masks of labels at a place are if nothing goes wrong.
    pub(super) fn undisturbed(&self, labels: &str, way: &[&str]) -> anyhow::Result<Tree> {
        let output = self.empty("undisturbed")?.join("masks.zarr");
        let ended = self.mask(labels, way, &output).output().context("starting voxmask")?;
        if !ended.status.success() {
            bail!("voxmask mask fails undisturbed: {}", text_of(&ended));
        }
        tree(&output)
    }
}

/// What a process has said.
pub(super) fn text_of(ended: &Output) -> String {
    String::from_utf8_lossy(&ended.stderr).trim().replace('\n', " | ")
}

/// Every file and folder below a folder.
pub(super) fn tree(folder: &Path) -> anyhow::Result<Tree> {
    let (mut found, mut folders) = (Tree::new(), vec![folder.to_owned()]);
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).with_context(|| format!("listing {}", next.display()))? {
            let path = entry?.path();
            let name = path.strip_prefix(folder).unwrap_or(&path).to_owned();
            if path.is_dir() {
                folders.push(path);
                found.insert(name, None);
            } else {
                let bytes = fs::read(&path);
                found.insert(
                    name,
                    Some(bytes.with_context(|| format!("reading {}", path.display()))?),
                );
            }
        }
    }
    Ok(found)
}

/// In what a tree differs from what it should be, in words.
pub(super) fn difference(found: &Tree, expected: &Tree) -> Option<String> {
    let names = found.keys().chain(expected.keys());
    let name = names.into_iter().find(|name| found.get(*name) != expected.get(*name))?;
    let what = match (found.contains_key(name), expected.contains_key(name)) {
        (true, true) => "differs",
        (true, false) => "should not be there",
        (false, _) => "is missing",
    };
    Some(format!("{} {what}", name.display()))
}

/// What there is beside an output.
pub(super) fn beside(output: &Path) -> anyhow::Result<Vec<String>> {
    let folder = output.parent().context("an output lies in a folder")?;
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("listing {}", folder.display()))? {
        let entry = entry?;
        if entry.path() != output {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    Ok(names)
}

/// That an output is byte for byte what it should be, and that nothing is left beside it; or what is wrong.
pub(super) fn whole(output: &Path, expected: &Tree) -> anyhow::Result<Result<(), String>> {
    if let Some(difference) = difference(&tree(output)?, expected) {
        return Ok(Err(format!("wrong masks: {difference}")));
    }
    let left = beside(output)?;
    Ok(if left.is_empty() { Ok(()) } else { Err(format!("left beside it: {left:?}")) })
}

/// Writes labels: boxes of ids that have no period, with boxes in between that are not labelled.
fn make_labels(container: &Path, side: usize) -> anyhow::Result<()> {
    let sizes = VoxelSize::new(Coordinate::from([8, 4, 4]))?;
    let grid = VoxelGrid::new(Coordinate::from([80, 0, -40]), sizes)?;
    let info = ArrayInfo::new(DType::U16, &["z", "y", "x"], &[side; 3], grid)?;
    let voxels = ArrayD::from_shape_fn(vec![side; 3], |index| {
        let place = (index[0] / 5) * 7919 + (index[1] / 7) * 104_729 + (index[2] / 6) * 1_299_709;
        let mixed = place.wrapping_mul(0x9E37_79B9).rotate_right(13) % 20;
        u16::try_from(mixed).unwrap_or(0)
    });
    let entries: Vec<_> = (1..20)
        .map(|id| {
            json!({"value": id, "name": {"long": format!("class {id}"), "short": format!("c{id}")},
                "annotationState": {"present": true, "annotated": id != 3}})
        })
        .collect();
    let options = ImageOptions {
        zarr_format: ZarrFormat::V2,
        chunk_shape: Some(vec![CHUNK; 3]),
        attrs: Map::from_iter([("labels".to_owned(), json!(entries))]),
        ..ImageOptions::default()
    };
    let staging = Staging::new(container, false)?;
    let image = staging.create_image("labels", &info, &options)?;
    image.write(image.roi(), &voxels.view().into())?;
    staging.commit(&Map::new())?;
    Ok(())
}
