//! Containers made to take all memory or all time: an error that names the place, before either is taken.

#![expect(clippy::unwrap_used, reason = "what a helper of a test cannot do fails the test")]

use std::fs::{self, File};
use std::io::{Read, Write};
#[cfg(unix)]
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use array_core::{ArrayError, ArrayExt};
use serde_json::{Value, json};
use tempfile::TempDir;
use zarr_source::{OpenOptions, ZarrArray, ZarrError, ZarrTree};

/// A chunk of uint8.
const CHUNK: usize = 8 * 8 * 8;
/// What the bombs decode to.
const BOMB: usize = 1 << 24;

fn document(codecs: &Value) -> Value {
    json!({
        "zarr_format": 3, "node_type": "array", "shape": [8, 8, 8], "data_type": "uint8",
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [8, 8, 8]}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": 0, "codecs": codecs, "attributes": {"voxel_size": [8, 8, 8]},
    })
}

/// An array of one chunk, which is stored as these bytes.
fn array(codecs: &Value, chunk: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let array = folder.path().join("s0");
    fs::create_dir_all(array.join("c/0/0")).unwrap();
    fs::write(array.join("zarr.json"), document(codecs).to_string()).unwrap();
    fs::write(array.join("c/0/0/0"), chunk).unwrap();
    (folder, array)
}

fn read_error(array: &Path) -> ZarrError {
    let error = ZarrArray::open(array).unwrap().data().unwrap_err();
    let ArrayError::Source { source, .. } = error else { panic!("{error}") };
    *source.downcast::<ZarrError>().unwrap()
}

/// The chunk is corrupt, and the error names it and says why.
#[track_caller]
fn assert_corrupt(array: &Path, why: &str) {
    let error = read_error(array);
    assert!(matches!(error, ZarrError::ChunkCorrupt { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("c/0/0/0") && text.contains(why), "{text}");
}

fn all(mut reader: impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).unwrap();
    bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    all(flate2::read::GzEncoder::new(bytes, flate2::Compression::new(9)))
}

/// A frame of zstd that holds zeros, and says how many or not.
fn zstd_of_zeros(says_size: bool) -> Vec<u8> {
    const BLOCK: u32 = 1 << 17;
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd];
    if says_size {
        // One segment, with a size of 8 bytes.
        frame.push(0xe0);
        frame.extend((BOMB as u64).to_le_bytes());
    } else {
        // A window of 128 KiB.
        frame.extend([0x00, 0x38]);
    }
    let blocks = u32::try_from(BOMB).unwrap() / BLOCK;
    for number in 0..blocks {
        // A block that repeats one byte.
        let header = BLOCK << 3 | 1 << 1 | u32::from(number + 1 == blocks);
        frame.extend(&header.to_le_bytes()[..3]);
        frame.push(0);
    }
    frame
}

#[test]
fn a_chunk_that_decodes_to_far_more_than_its_voxels_is_corrupt_whatever_compressed_it() {
    let zeros = vec![0; BOMB];
    let bz2 = all(bzip2::read::BzEncoder::new(&zeros[..], bzip2::Compression::new(9)));
    let zlib = all(flate2::read::ZlibEncoder::new(&zeros[..], flate2::Compression::new(9)));
    let gzip_level = json!({"name": "gzip", "configuration": {"level": 9}});
    let zstd_level = json!({"name": "zstd", "configuration": {"level": 1, "checksum": false}});
    let expected = format!("{CHUNK} bytes");
    let bombs = [
        (gzip_level.clone(), gzip(&zeros)),
        (json!({"name": "numcodecs.zlib", "configuration": {"level": 9}}), zlib),
        (json!({"name": "numcodecs.bz2", "configuration": {"level": 9}}), bz2),
        (zstd_level.clone(), zstd_of_zeros(true)),
        (zstd_level, zstd_of_zeros(false)),
    ];
    for (codec, bomb) in bombs {
        let (_folder, array) = array(&json!([{"name": "bytes"}, codec]), &bomb);
        assert_corrupt(&array, &expected);
    }
    // The inner one must not decode to more than the outer codec makes of a chunk.
    let nested = gzip(&gzip(&zeros));
    let (_folder, array) = array(&json!([{"name": "bytes"}, gzip_level, gzip_level]), &nested);
    assert_corrupt(&array, "expected");
}

#[test]
fn a_header_that_claims_gigabytes_is_corrupt() {
    let blosc = |cname: &str| {
        json!({"name": "blosc", "configuration": {
            "cname": cname, "clevel": 5, "shuffle": "noshuffle", "blocksize": 0}})
    };
    // Version, version of the format, flags (stored as it is), element size, size, block size, stored size.
    let mut header = vec![2, 1, 2, 1];
    header.extend([0x7f_ff_ff_00_u32, 0x7f_ff_ff_00, 20].into_iter().flat_map(u32::to_le_bytes));
    header.extend([0; 4]);
    let lz4 = [0xff, 0xff, 0xff, 0xff, 0x10, 0x61];
    for (codec, chunk, why) in [
        (blosc("lz4"), &header[..], "claim to hold 2147483392 bytes, expected 512"),
        (json!({"name": "numcodecs.lz4"}), &lz4[..], "claims to hold 4294967295 bytes"),
    ] {
        let (_folder, array) = array(&json!([{"name": "bytes"}, codec]), chunk);
        assert_corrupt(&array, why);
    }
}

#[test]
fn a_file_far_larger_than_a_chunk_is_not_read() {
    for codecs in [
        json!([{"name": "bytes"}]),
        json!([{"name": "bytes"}, {"name": "gzip", "configuration": {"level": 1}}]),
    ] {
        let (_folder, array) = array(&codecs, &[]);
        File::create(array.join("c/0/0/0")).unwrap().set_len(1 << 40).unwrap();
        assert_corrupt(&array, "it has 1099511627776 bytes, and may have");
    }
}

#[test]
fn a_shard_whose_index_claims_more_than_chunks_have_is_corrupt() {
    let codecs = json!([{"name": "sharding_indexed", "configuration": {
        "chunk_shape": [8, 8, 8], "codecs": [{"name": "bytes"}], "index_codecs": [{"name": "bytes",
        "configuration": {"endian": "little"}}], "index_location": "start"}}]);
    // As large as a shard of this shape may be.
    const SHARD: u64 = (1 << 20) + 2 * (512 + 16);
    for (length, offset, size, why) in [
        (SHARD, 16_u64, SHARD - 16, "it has 1049616 bytes, more than the 1049600"),
        (SHARD, 0, 1 << 41, "2199023255552 bytes long, in a file of 1049632 bytes"),
        (SHARD, u64::MAX - 8, 512, "places it at 18446744073709551607, 512 bytes long"),
        (SHARD, 8, u64::MAX - 1, "18446744073709551614 bytes long"),
        (SHARD + 1, 16, 512, "the shard has 1049633 bytes, more than the 1049632"),
    ] {
        let (_folder, array) = array(&codecs, &[]);
        let mut shard = File::create(array.join("c/0/0/0")).unwrap();
        shard.write_all(&[offset.to_le_bytes(), size.to_le_bytes()].concat()).unwrap();
        shard.set_len(length).unwrap();
        assert_corrupt(&array, why);
    }
}

#[cfg(unix)]
fn pipe(path: &Path) {
    assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[cfg(unix)]
#[test]
fn a_pipe_in_the_place_of_a_file_is_an_error_and_no_end_of_waiting() {
    let raw = json!([{"name": "bytes"}]);
    let (_folder, chunk) = array(&raw, &[]);
    fs::remove_file(chunk.join("c/0/0/0")).unwrap();
    pipe(&chunk.join("c/0/0/0"));
    let error = read_error(&chunk);
    assert!(error.is_io() && error.to_string().contains("c/0/0/0"), "{error}");
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(cause, "it is no regular file");
    for name in ["zarr.json", ".zarray", ".zattrs", ".zgroup", "attributes.json"] {
        let folder = tempfile::tempdir().unwrap();
        let container = folder.path().join("crop.zarr");
        fs::create_dir(&container).unwrap();
        pipe(&container.join(name));
        ZarrArray::open(container.join("s0")).map(drop).unwrap_err();
        for error in [
            ZarrArray::open(&container).map(drop).unwrap_err(),
            ZarrTree::open(&container, &OpenOptions::default(), 10).map(drop).unwrap_err(),
        ] {
            let text = error.to_string();
            assert!(text.contains(&*container.join(name).to_string_lossy()), "{name}: {text}");
        }
    }
}

#[cfg(unix)]
#[test]
fn a_chunk_on_a_disk_that_is_gone_is_not_one_that_was_never_stored() {
    for gone in ["c/0/0/0", "c/0", "c"] {
        for sharded in [false, true] {
            let codecs = if sharded {
                json!([{"name": "sharding_indexed", "configuration": {"chunk_shape": [4, 4, 4],
                    "codecs": [{"name": "bytes"}], "index_codecs": [{"name": "bytes",
                    "configuration": {"endian": "little"}}]}}])
            } else {
                json!([{"name": "bytes"}])
            };
            let (_folder, array) = array(&codecs, &[0; CHUNK]);
            let path = array.join(gone);
            if path.is_dir() {
                fs::remove_dir_all(&path).unwrap();
            } else {
                fs::remove_file(&path).unwrap();
            }
            symlink("/no-such-disk/labels", &path).unwrap();
            let error = read_error(&array);
            assert!(error.is_io() && error.to_string().contains("c/0/0/0"), "{gone}: {error}");
            let cause = std::error::Error::source(&error).unwrap().to_string();
            assert!(cause.contains("is a link that leads nowhere"), "{gone}: {cause}");
        }
    }
}

#[cfg(unix)]
#[test]
fn voxels_on_other_disks_are_read_through_links() {
    let raw = json!([{"name": "bytes"}]);
    for linked in ["c/0/0/0", "c", ""] {
        let (folder, array) = array(&raw, &[7; CHUNK]);
        let elsewhere = tempfile::tempdir().unwrap();
        let (path, to) = (array.join(linked), elsewhere.path().join("moved"));
        let path: PathBuf = path.components().collect();
        fs::rename(&path, &to).unwrap();
        symlink(&to, &path).unwrap();
        let read = ZarrArray::open(&array).unwrap().data().unwrap();
        let read = read.into_typed::<u8>().unwrap();
        assert!(read.iter().all(|&voxel| voxel == 7), "{linked} in {:?}", folder.path());
    }
}
