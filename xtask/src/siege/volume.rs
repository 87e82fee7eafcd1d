//! What is served during a siege: labels and an image, and the bytes of every chunk.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};
use serde_json::json;

/// The extent of the labels, and of one of their blocks, in voxels. Chunks of masks are as large as blocks.
const SIDE: usize = 256;
const BLOCK: usize = 64;
/// The extent of the image along y and x, and of a block; its chunks do not compress, and are large.
const RAW_SIDE: usize = 512;
const RAW_BLOCK: usize = 128;
/// The labels of each channel.
const GROUPS: [(&str, [u64; 2]); 4] =
    [("mito", [1, 2]), ("er", [3, 4]), ("ves", [4, 5]), ("nucleus", [6, 7])];

/// A place of labels and image, and what masks and targets of them are.
pub(crate) struct Volume {
    pub(crate) labels: PathBuf,
    pub(crate) raw: PathBuf,
    pub(crate) groups: PathBuf,
    /// The path and the bytes of each chunk of masks and targets that is there.
    pub(crate) chunks: Vec<(String, Vec<u8>)>,
    /// The paths of the chunks of the image.
    pub(crate) raw_chunks: Vec<String>,
}

impl Volume {
    /// Makes a volume in `folder`, and masks and targets of it with the program `voxmask`.
    ///
    /// # Errors
    ///
    /// If something cannot be written.
    pub(crate) fn make(folder: &Path, voxmask: &Path) -> anyhow::Result<Self> {
        let [labels, raw] = ["labels", "raw"].map(|name| folder.join("crop.zarr").join(name));
        let groups = folder.join("groups.json");
        write(&groups, json!(GROUPS).to_string().as_bytes())?;
        write_labels(&labels)?;
        let raw_chunks = write_raw(&raw)?;
        let mut mask = Command::new(voxmask);
        mask.arg("mask").arg(&labels).arg("--groups").arg(&groups);
        mask.args(["--targets", "--codec", "zstd:1", "--quiet", "-o"]).arg(folder.join("zarr3"));
        let status = mask
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .status()
            .context("starting voxmask mask")?;
        if !status.success() {
            bail!("voxmask mask failed ({status})");
        }
        let mut chunks = Vec::new();
        for (layer, channel) in ["mask", "target"]
            .into_iter()
            .flat_map(|layer| (0..GROUPS.len()).map(move |channel| (layer, channel)))
        {
            for place in places(SIDE / BLOCK) {
                let key = format!("zarr3/{layer}/s0/c/{channel}/{place}");
                let file = folder.join(&key);
                if file.is_file() {
                    let bytes =
                        fs::read(&file).with_context(|| format!("reading {}", file.display()))?;
                    chunks.push((format!("/{key}"), bytes));
                }
            }
        }
        if chunks.is_empty() {
            bail!("no chunk was written");
        }
        Ok(Self { labels, raw, groups, chunks, raw_chunks })
    }
}

/// `0/0/0`, `0/0/1` and so on, in a cube of `count` places along each axis.
pub(crate) fn places(count: usize) -> impl Iterator<Item = String> {
    let along = move || 0..count;
    along()
        .flat_map(move |z| along().flat_map(move |y| along().map(move |x| format!("{z}/{y}/{x}"))))
}

/// Blobs of ids without a period that a wrong offset could hide in.
fn write_labels(folder: &Path) -> anyhow::Result<()> {
    let listed: Vec<_> = (1..=7)
        .map(|id| {
            let annotated = id < 6;
            json!({
                "value": id,
                "name": {"short": format!("n{id}"), "long": format!("name {id}")},
                "annotationState": {"present": true, "annotated": annotated},
            })
        })
        .collect();
    let attributes = json!({"voxel_size": [8, 8, 8], "offset": [0, 0, 0], "axis_names": ["z", "y", "x"], "units": ["nm", "nm", "nm"], "labels": listed});
    write_array(folder, SIDE, BLOCK, "<u8", &attributes)?;
    let mut random = ChaCha8Rng::seed_from_u64(7);
    for place in places(SIDE / BLOCK) {
        let mut voxels = Vec::with_capacity(BLOCK.pow(3) * 8);
        while voxels.len() < BLOCK.pow(3) * 8 {
            let (id, run) = (random.next_u64() % 8, random.next_u32() % 200 + 1);
            for _ in 0..run {
                voxels.extend_from_slice(&id.to_le_bytes());
            }
        }
        voxels.truncate(BLOCK.pow(3) * 8);
        write(&folder.join(place.replace('/', ".")), &voxels)?;
    }
    Ok(())
}

/// Noise; the paths of its chunks are returned.
fn write_raw(folder: &Path) -> anyhow::Result<Vec<String>> {
    let attributes = json!({"voxel_size": [4, 4, 4], "offset": [0, 0, 0], "axis_names": ["z", "y", "x"], "units": ["nm", "nm", "nm"]});
    write_array(folder, RAW_SIDE, RAW_BLOCK, "|u1", &attributes)?;
    let mut random = ChaCha8Rng::seed_from_u64(8);
    let mut voxels = vec![0; RAW_BLOCK.pow(3)];
    let mut chunks = Vec::new();
    for place in places(RAW_SIDE / RAW_BLOCK) {
        random.fill_bytes(&mut voxels);
        write(&folder.join(place.replace('/', ".")), &voxels)?;
        chunks.push(format!("/zarr3/raw/s0/c/{place}"));
    }
    Ok(chunks)
}

/// The metadata of an array of Zarr version 2, which is stored as it is.
fn write_array(
    folder: &Path,
    side: usize,
    block: usize,
    dtype: &str,
    attributes: &serde_json::Value,
) -> anyhow::Result<()> {
    let (shape, chunks) = ([side; 3], [block; 3]);
    let array = json!({
        "zarr_format": 2, "shape": shape, "chunks": chunks, "dtype": dtype,
        "compressor": null, "filters": null, "fill_value": 0, "order": "C",
    });
    fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    write(&folder.join(".zarray"), array.to_string().as_bytes())?;
    write(&folder.join(".zattrs"), attributes.to_string().as_bytes())
}

fn write(file: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    fs::write(file, bytes).with_context(|| format!("writing {}", file.display()))
}
