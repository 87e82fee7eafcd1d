//! What the tests of the command line share: a folder to work in, small label containers, and a slow
//! model of masks and targets.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]
#![allow(dead_code, reason = "each file of tests uses a part of this")]
#![allow(unreachable_pub, reason = "a module of each file of tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use array_core::{AnyArray, ArrayExt, ArrayInfo};
use geometry::{Decimal, LengthUnit, VoxelGrid, VoxelSize, WorldUnit};
use ndarray::{ArrayD, Axis, IxDyn};
use serde_json::{Map, Value, json};
use zarr_source::{Compression, ImageOptions, Staging, ZarrArray, ZarrFormat};

pub mod crop_groups;

/// Every file and folder below a folder, with the bytes of the files.
pub type Listing = BTreeMap<PathBuf, Option<Vec<u8>>>;

/// A folder in which one test works.
pub struct Sandbox {
    folder: tempfile::TempDir,
}

/// What a run of the binary has left.
#[derive(Debug)]
pub struct Run {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Sandbox {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root().join(name)
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        path
    }

    pub fn listing(&self) -> Listing {
        listing(self.root())
    }

    /// A command in this folder, to check with the matchers of `assert_cmd`.
    pub fn command(&self) -> assert_cmd::Command {
        let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_voxmask"));
        command.current_dir(self.root()).env_remove("CLICOLOR_FORCE").env_remove("RUST_BACKTRACE");
        command
    }

    /// Runs the binary in this folder.
    pub fn run(&self, args: &[&str]) -> Run {
        run_of(&self.command().args(args).output().unwrap())
    }

    /// Runs the binary, which must succeed.
    pub fn succeeds(&self, args: &[&str]) -> Run {
        let run = self.run(args);
        assert_eq!(run.code, Some(0), "{args:?} fails: {}", run.stderr);
        run
    }

    /// Runs the binary, which must succeed and print one JSON object and nothing else.
    pub fn json(&self, args: &[&str]) -> Value {
        let run = self.succeeds(args);
        serde_json::from_str(&run.stdout)
            .unwrap_or_else(|error| panic!("{args:?} prints no JSON: {error}\n{}", run.stdout))
    }

    /// Runs the binary, which must refuse: with this exit code, a message that names all of `needles`,
    /// nothing on standard output, and every file as it was.
    #[track_caller]
    pub fn refuses(&self, args: &[&str], code: i32, needles: &[&str]) -> Run {
        let before = self.listing();
        let run = self.run(args);
        assert_refusal(&run, code, needles, &format!("{args:?}"));
        self.assert_unchanged(&before);
        run
    }

    #[track_caller]
    pub fn assert_unchanged(&self, before: &Listing) {
        let after = self.listing();
        let names = |listing: &Listing| listing.keys().cloned().collect::<BTreeSet<_>>();
        assert_eq!(names(before), names(&after), "files and folders have come or gone");
        for (path, bytes) in before {
            assert!(&after[path] == bytes, "{} has changed", path.display());
        }
    }
}

/// What a finished process has left.
pub fn run_of(output: &Output) -> Run {
    Run {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout.clone()).unwrap(),
        stderr: String::from_utf8(output.stderr.clone()).unwrap(),
    }
}

#[track_caller]
pub fn assert_refusal(run: &Run, code: i32, needles: &[&str], what: &str) {
    let text = &run.stderr;
    assert_eq!(run.code, Some(code), "exit code of {what}: {text}");
    assert_eq!(run.stdout, "", "standard output of {what}");
    assert!(text.contains("error: "), "{what} says no error: {text:?}");
    for needle in needles {
        assert!(text.contains(needle), "{what} does not name {needle:?}: {text}");
    }
    for trace in ["panicked", "RUST_BACKTRACE", "unwrap()", "src/"] {
        assert!(!text.contains(trace), "{what} speaks of {trace:?}: {text}");
    }
}

/// Every file and folder below `folder`, by its path in it.
pub fn listing(folder: &Path) -> Listing {
    let (mut found, mut folders) = (Listing::new(), vec![folder.to_owned()]);
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(folder).unwrap().to_owned();
            let kind = fs::symlink_metadata(&path).unwrap();
            found.insert(name, kind.is_file().then(|| fs::read(&path).unwrap()));
            if kind.is_dir() {
                folders.push(path);
            }
        }
    }
    found
}

/// The files below `folder` that hold voxels, sorted.
pub fn chunk_files(folder: &Path) -> Vec<PathBuf> {
    let is_chunk = |name: &str| !name.starts_with(".z") && name != "zarr.json";
    let files = listing(folder).into_iter().filter(|(_, bytes)| bytes.is_some());
    let names = files.map(|(path, _)| path);
    names
        .filter(|path| is_chunk(&path.file_name().unwrap().to_string_lossy()))
        .map(|path| folder.join(path))
        .collect()
}

/// A path as an argument.
pub fn arg(path: &Path) -> &str {
    path.to_str().unwrap()
}

pub fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

/// A JSON file.
pub fn json_file(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap()
}

pub fn write_json(path: &Path, value: &Value) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, value.to_string()).unwrap();
}

/// Where the voxels lie, in declared units.
#[derive(Clone, Copy)]
pub struct Place {
    pub voxel_size: &'static [&'static str],
    pub corner: &'static [&'static str],
}

/// Voxels whose sizes and corner are no integers.
pub const FRACTIONS: Place =
    Place { voxel_size: &["2.62", "2", "2.5"], corner: &["13282.29", "-4", "0.5"] };

/// Plain voxels.
pub const WHOLE: Place = Place { voxel_size: &["8", "4", "4"], corner: &["80", "0", "-40"] };

pub fn decimals(texts: &[&str]) -> Vec<Decimal> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

/// What is stored in a container.
pub struct Crop<'a> {
    pub format: ZarrFormat,
    pub place: Place,
    pub axes: &'a [&'a str],
    pub chunks: &'a [usize],
    pub compression: Compression,
    pub attrs: Value,
}

impl Default for Crop<'_> {
    fn default() -> Self {
        Self {
            format: ZarrFormat::V2,
            place: WHOLE,
            axes: &["z", "y", "x"],
            chunks: &[4, 5, 4],
            compression: Compression::default(),
            attrs: json!({"labels": entries()}),
        }
    }
}

impl Crop<'_> {
    /// Writes `voxels` as the image `all` of a new container, and returns the path of the array.
    pub fn store(&self, container: &Path, voxels: &AnyArray) -> PathBuf {
        let staging = Staging::new(container, false).unwrap();
        let (sizes, corner) = (decimals(self.place.voxel_size), decimals(self.place.corner));
        let all = [sizes.as_slice(), &corner].concat();
        let unit = WorldUnit::fit(LengthUnit::Nanometer, &all).unwrap();
        let sizes = VoxelSize::new(unit.coordinate(&sizes).unwrap()).unwrap();
        let grid = VoxelGrid::new(unit.coordinate(&corner).unwrap(), sizes).unwrap();
        let info = ArrayInfo::new(voxels.dtype(), self.axes, voxels.shape(), grid).unwrap();
        let options = ImageOptions {
            zarr_format: self.format,
            chunk_shape: Some(self.chunks.to_vec()),
            compression: self.compression,
            attrs: object(self.attrs.clone()),
            ..ImageOptions::default()
        };
        let image = staging.create_image("all", &info.with_unit(unit), &options).unwrap();
        image.write(image.roi(), &voxels.view()).unwrap();
        staging.commit(&Map::new()).unwrap().join("all/s0")
    }
}

/// Ids of the classes in [`entries`], and some that no entry names.
pub const IDS: [i128; 12] = [0, 1, 3, 4, 5, 12, 13, 16, 17, 20, 37, 99];

/// One entry of the `labels` attribute.
pub fn entry(id: i128, short: &str, present: bool, annotated: &Value) -> Value {
    json!({
        "value": i64::try_from(id).unwrap(),
        "name": {"long": format!("Class of {short}"), "short": short},
        "annotationState": {"present": present, "annotated": annotated},
    })
}

/// Annotations with one of each kind: 17, 24 and 40 are in the crop but were not annotated.
pub fn entries() -> Value {
    json!([
        entry(1, "ECS", true, &json!("dense")),
        entry(3, "Mito membrane", true, &json!(true)),
        entry(4, "Mito lumen", true, &json!("sparse")),
        entry(5, "Mito DNA", false, &json!(false)),
        entry(12, "Lyso membrane", true, &json!("dense")),
        entry(13, "Lyso lumen", true, &json!("dense")),
        entry(16, "ER membrane", true, &json!("dense")),
        entry(17, "ER lumen", true, &json!("empty")),
        entry(20, "NE membrane", true, &json!("dense")),
        entry(24, "HChrom", true, &json!(false)),
        entry(37, "Nucleus", true, &json!("dense")),
        entry(40, "Lyso combined", true, &json!("empty")),
    ])
}

/// Groups for [`entries`], one for each way in which the rules differ.
pub const GROUPS_TOML: &str = r#"
[[group]]
name = "mito"
ids = [3, 4, 5]

[[group]]
name = "er"
ids = [16, 17]

[[group]]
name = "nucleus"
ids = [20, 24, 37]
generic_ids = [37]

[[group]]
name = "lyso"
ids = [12, 13, 40]
generic_ids = [40]

[[group]]
name = "anything"
ids = []
"#;

/// The names and ids in [`GROUPS_TOML`].
pub const GROUPS: [(&str, &[i128]); 5] = [
    ("mito", &[3, 4, 5]),
    ("er", &[16, 17]),
    ("nucleus", &[20, 24, 37]),
    ("lyso", &[12, 13, 40]),
    ("anything", &[]),
];

/// Which of [`GROUPS`] each rule keeps, thought out by hand.
pub const STRICT: [bool; 5] = [true, false, false, false, true];
pub const GENERIC: [bool; 5] = [true, false, true, false, true];
pub const CNNECTOME: [bool; 5] = [true, false, true, true, true];

/// Labels without a period, so that a shift is seen: one of `ids` for each voxel.
pub fn labels(shape: &[usize], ids: &[i128]) -> ArrayD<i128> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    ArrayD::from_shape_simple_fn(IxDyn(shape), || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let random = usize::try_from(state >> 40).unwrap();
        ids[random % ids.len()]
    })
}

/// The same labels with elements of another type.
pub fn typed<T>(labels: &ArrayD<i128>) -> AnyArray
where
    T: TryFrom<i128>,
    <T as TryFrom<i128>>::Error: std::fmt::Debug,
    AnyArray: From<ArrayD<T>>,
{
    labels.map(|&label| T::try_from(label).unwrap()).into()
}

/// The mask, voxel by voxel.
pub fn model_mask(labels: &ArrayD<i128>, kept: &[bool]) -> ArrayD<u8> {
    channels(labels, kept.len(), |channel, label| kept[channel] && label > 0)
}

/// The target, voxel by voxel.
pub fn model_target(labels: &ArrayD<i128>, groups: &[&[i128]], background: i128) -> ArrayD<u8> {
    channels(labels, groups.len(), |channel, label| match groups[channel] {
        [] => label != background,
        ids => ids.contains(&label),
    })
}

fn channels(
    labels: &ArrayD<i128>,
    count: usize,
    is_one: impl Fn(usize, i128) -> bool,
) -> ArrayD<u8> {
    let planes: Vec<ArrayD<u8>> =
        (0..count).map(|channel| labels.map(|&label| u8::from(is_one(channel, label)))).collect();
    let views: Vec<_> = planes.iter().map(|plane| plane.view()).collect();
    ndarray::stack(Axis(0), &views).unwrap()
}

/// How many voxels of a channel are 1.
pub fn ones(channels: &ArrayD<u8>, channel: usize) -> u64 {
    channels.index_axis(Axis(0), channel).iter().map(|&voxel| u64::from(voxel)).sum()
}

/// All voxels of an array of bytes.
pub fn bytes_of(path: &Path) -> ArrayD<u8> {
    let array = ZarrArray::open(path).unwrap_or_else(|error| panic!("{error}"));
    array.data().unwrap().into_typed::<u8>().unwrap()
}

/// Fails at the first voxel that differs.
#[track_caller]
pub fn assert_voxels(found: &ArrayD<u8>, expected: &ArrayD<u8>) {
    assert_eq!(found.shape(), expected.shape());
    let differs = expected.indexed_iter().find(|(index, voxel)| found[index] != **voxel);
    if let Some((index, voxel)) = differs {
        panic!("voxel {index:?} is {} instead of {voxel}", found[&index]);
    }
}

/// Writes a Zarr array of version 2 by hand, and returns its path.
pub fn v2_by_hand(
    array: &Path,
    zarray: &Value,
    zattrs: &Value,
    chunks: &[(&str, Vec<u8>)],
) -> PathBuf {
    let mut metadata = json!({
        "zarr_format": 2,
        "compressor": null,
        "fill_value": 0,
        "filters": null,
        "order": "C",
    });
    metadata.as_object_mut().unwrap().extend(object(zarray.clone()));
    write_json(&array.join(".zarray"), &metadata);
    write_json(&array.join(".zattrs"), zattrs);
    for (name, bytes) in chunks {
        fs::write(array.join(name), bytes).unwrap();
    }
    array.to_owned()
}
