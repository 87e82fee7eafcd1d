//! Chunks that are not what was written: bits that have flipped, and files that are too short or too long.

use std::error::Error;
use std::fs;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};

use anyhow::Context;
use array_core::{AnyArray, ArrayExt, ArrayInfo, DType};
use geometry::{Coordinate, VoxelGrid, VoxelSize};
use ndarray::ArrayD;
use serde_json::{Map, Value, json};
use zarr_source::{Compression, ImageOptions, Staging, ZarrArray, ZarrFormat};

use super::bed::Bed;
use super::random::Random;
use super::report::{Report, Row};

/// The extent of the array along each axis, and of its chunks.
const SIDE: usize = 16;
const CHUNK: usize = 8;

/// A way of storing chunks.
struct Stored {
    name: &'static str,
    format: ZarrFormat,
    compression: Compression,
    sharded: bool,
    /// What the codecs are instead, if the writer cannot be asked for them: of a chunk, inside of shards too.
    codecs: Option<Value>,
    /// Whether each bit of a chunk is part of a checksum.
    is_checked: bool,
}

/// Damages each way of storing `count` times in each way, and reads what is left.
pub(super) fn run(bed: &Bed, count: usize, report: &mut Report) -> anyhow::Result<()> {
    // A panic is an outcome here, which the table tells.
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let done = ways().iter().try_for_each(|stored| damaged(bed, stored, count, report));
    panic::set_hook(hook);
    done
}

fn ways() -> Vec<Stored> {
    let v3 = |name, compression, sharded, codecs, is_checked| Stored {
        name,
        format: ZarrFormat::V3,
        compression,
        sharded,
        codecs,
        is_checked,
    };
    let v2 = |name, codec: Value, is_checked| Stored {
        name,
        format: ZarrFormat::V2,
        compression: Compression::None,
        sharded: false,
        codecs: Some(codec),
        is_checked,
    };
    let bytes = || json!({"name": "bytes", "configuration": {"endian": "little"}});
    let crc32c = || json!({"name": "crc32c"});
    let zstd = |checksum: bool| json!({"name": "zstd", "configuration": {"level": 3, "checksum": checksum}});
    let none = Compression::None;
    let gzip = Compression::Gzip { level: 5 };
    vec![
        v3("v3, crc32c", none, false, Some(json!([bytes(), crc32c()])), true),
        v3("v3, zstd, crc32c", none, false, Some(json!([bytes(), zstd(false), crc32c()])), true),
        v3("v3, zstd with checksum", none, false, Some(json!([bytes(), zstd(true)])), true),
        v3("v3, gzip", gzip, false, None, true),
        v3("v3, shards, crc32c inside", none, true, Some(json!([bytes(), crc32c()])), true),
        v3("v3, shards, gzip inside", gzip, true, None, true),
        v2("v2, zlib", json!({"id": "zlib", "level": 5}), true),
        v2("v2, bz2", json!({"id": "bz2", "level": 5}), true),
        v3("v3, not compressed", none, false, None, false),
        v3("v3, zstd", Compression::Zstd { level: 3 }, false, None, false),
        v3("v3, blosc-lz4", Compression::BloscLz4 { level: 5 }, false, None, false),
        v3("v3, shards, zstd inside", Compression::Zstd { level: 3 }, true, None, false),
        v2("v2, lz4", json!({"id": "lz4", "acceleration": 1}), false),
        Stored {
            name: "N5, gzip",
            format: ZarrFormat::N5,
            compression: gzip,
            sharded: false,
            codecs: None,
            // The head of a block is not compressed.
            is_checked: false,
        },
    ]
}

fn damaged(bed: &Bed, stored: &Stored, count: usize, report: &mut Report) -> anyhow::Result<()> {
    let container = bed.path("damaged.zarr");
    if container.exists() {
        fs::remove_dir_all(&container).context("removing an array")?;
    }
    let array = make(&container, stored).with_context(|| stored.name.to_owned())?;
    let expected = ZarrArray::open(&array)?.data()?;
    let chunks = chunk_files(&array)?;
    let mut random = Random::new(5);
    let row = report.row(format!("damage: {}: a bit flips", stored.name));
    for _ in 0..count {
        let (path, whole) = &chunks[random.below(chunks.len())];
        let mut bytes = whole.clone();
        let at = random.below(bytes.len());
        bytes[at] ^= 1 << random.below(8);
        read_damaged(row, &array, path, &bytes, whole, &expected, stored.is_checked)?;
    }
    let row = report.row(format!("damage: {}: too short or too long", stored.name));
    for number in 0..count {
        let (path, whole) = &chunks[random.below(chunks.len())];
        let bytes = if number % 4 > 0 {
            whole[..random.below(whole.len())].to_vec()
        } else {
            let more = random.below(40) + 1;
            [&whole[..], &vec![u8::try_from(random.below(256)).unwrap_or(0); more]].concat()
        };
        read_damaged(row, &array, path, &bytes, whole, &expected, true)?;
    }
    Ok(())
}

/// Reads the array with one file damaged: the right voxels, or an error that names the chunk; others break a
/// promise only where damage can be seen.
fn read_damaged(
    row: &mut Row,
    array: &Path,
    path: &Path,
    bytes: &[u8],
    whole: &[u8],
    expected: &AnyArray,
    is_seen: bool,
) -> anyhow::Result<()> {
    fs::write(path, bytes).with_context(|| format!("writing {}", path.display()))?;
    let read =
        panic::catch_unwind(AssertUnwindSafe(|| ZarrArray::open(array).map(|array| array.data())));
    fs::write(path, whole).with_context(|| format!("writing {}", path.display()))?;
    let key = path.strip_prefix(array).unwrap_or(path).display().to_string();
    row.tell(match read {
        Err(_) => Err(format!("panic at {key}")),
        Ok(Ok(Ok(voxels))) if voxels == *expected => Ok("right".to_owned()),
        Ok(Ok(Ok(_))) if is_seen => Err(format!("wrong voxels of {key}, without an error")),
        Ok(Ok(Ok(_))) => Ok("not seen".to_owned()),
        Ok(Ok(Err(error))) => named(&error, &key),
        Ok(Err(error)) => named(&error, &key),
    });
    Ok(())
}

fn named(error: &(dyn Error + 'static), key: &str) -> Result<String, String> {
    let causes = std::iter::successors(Some(error), |error| (*error).source());
    let text = causes.map(ToString::to_string).collect::<Vec<_>>().join(": ");
    if text.contains(key) {
        Ok("error that names the chunk".to_owned())
    } else {
        Err(format!("the error does not name {key}: {text}"))
    }
}

/// The files of chunks or shards, with their bytes.
fn chunk_files(array: &Path) -> anyhow::Result<Vec<(PathBuf, Vec<u8>)>> {
    let files = super::bed::tree(array)?.into_iter();
    let is_chunk = |path: &Path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.bytes().all(|byte| byte.is_ascii_digit())
    };
    let chunks = files.filter_map(|(name, bytes)| Some((array.join(name), bytes?)));
    Ok(chunks.filter(|(path, _)| is_chunk(path)).collect())
}

/// Writes an array, and returns its path.
fn make(container: &Path, stored: &Stored) -> anyhow::Result<PathBuf> {
    let sizes = VoxelSize::new(Coordinate::from([4, 4, 4]))?;
    let grid = VoxelGrid::new(Coordinate::from([0, 0, 0]), sizes)?;
    let info = ArrayInfo::new(DType::U16, &["z", "y", "x"], &[SIDE; 3], grid)?;
    let options = ImageOptions {
        zarr_format: stored.format,
        chunk_shape: Some(vec![CHUNK; 3]),
        shard_shape: stored.sharded.then(|| vec![SIDE; 3]),
        compression: stored.compression,
        ..ImageOptions::default()
    };
    let staging = Staging::new(container, false)?;
    staging.create_image("labels", &info, &options)?;
    let array = staging.commit(&Map::new())?.join("labels/s0");
    if let Some(codecs) = &stored.codecs {
        let (name, place) = match (stored.format, stored.sharded) {
            (ZarrFormat::V3, false) => ("zarr.json", "/codecs"),
            (ZarrFormat::V3, true) => ("zarr.json", "/codecs/0/configuration/codecs"),
            _ => (".zarray", "/compressor"),
        };
        let file = array.join(name);
        let mut document: Value = serde_json::from_slice(&fs::read(&file)?)?;
        *document.pointer_mut(place).context("the array has no codecs")? = codecs.clone();
        fs::write(&file, document.to_string())?;
    }
    // Runs and noise, so that codecs have something to do.
    let mut random = Random::new(6);
    let voxels = ArrayD::from_shape_fn(vec![SIDE; 3], |index| {
        let noise = if random.below(3) == 0 { random.below(7) } else { 0 };
        u16::try_from(index[0] / 3 * 50 + index[1] / 5 + noise).unwrap_or(0)
    });
    let image = ZarrArray::open_writable(&array)?;
    image.write(image.roi(), &voxels.view().into())?;
    Ok(array)
}
