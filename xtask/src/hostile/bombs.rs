//! Chunks that decode to gigabytes, or claim to.

use std::fs::File;
use std::io::{Read, Write};

use anyhow::Context;
use flate2::{Compress, Compression, FlushCompress};
use serde_json::{Value, json};

use super::case::Case;
use super::containers::{attributes, cube, file, n5, raw, v2, v3, write, write_as};

/// What bombs decode to.
const BOMB: usize = 1 << 32;
/// What bombs of bzip2 decode to, which take long to make.
const SMALLER_BOMB: u64 = 1 << 26;
/// The key of the only chunk.
const CHUNK: &str = "c/0/0/0";

type Chunk = fn() -> anyhow::Result<Vec<u8>>;

pub(super) fn cases() -> Vec<Case> {
    let gzip = json!({"name": "gzip", "configuration": {"level": 9}});
    let zlib = json!({"name": "numcodecs.zlib", "configuration": {"level": 9}});
    let bz2 = json!({"name": "numcodecs.bz2", "configuration": {"level": 9}});
    let zstd = json!({"name": "zstd", "configuration": {"level": 1, "checksum": false}});
    let lz4 = json!({"name": "numcodecs.lz4"});
    let mut cases = vec![
        of_v3("gzip bomb", &[&gzip], gzip_bomb),
        of_v3("zlib bomb", &[&zlib], zlib_bomb),
        of_v3("bz2 bomb", &[&bz2], bz2_bomb),
        of_v3("zstd bomb", &[&zstd], || Ok(zstd_bomb(true))),
        of_v3("zstd bomb without a size", &[&zstd], || Ok(zstd_bomb(false))),
        of_v3("zstd frame of 2^50 bytes", &[&zstd], || Ok(zstd_claim())),
        of_v3("gzip bomb in gzip", &[&gzip, &gzip], || packed(&gzip_bomb()?)),
        of_v3("zstd bomb in gzip", &[&zstd, &gzip], || packed(&zstd_bomb(true))),
        of_v3("lz4 of 2^32 bytes", &[&lz4], || Ok(lz4_claim())),
    ];
    for cname in ["lz4", "blosclz", "zstd", "zlib"] {
        let blosc = json!({"name": "blosc", "configuration": {
            "cname": cname, "clevel": 5, "shuffle": "noshuffle", "blocksize": 0}});
        cases.push(of_v3(&format!("blosc-{cname} of 2^31 bytes"), &[&blosc], || Ok(blosc_claim())));
    }
    cases.extend(of_v2());
    cases.extend(of_n5());
    cases.extend(in_shards());
    for (name, codecs) in [("raw", raw()), ("gzip", json!([{"name": "bytes"}, gzip]))] {
        cases.push(Case::unreadable(
            format!("{name} chunk in a file of 1 TiB"),
            &[CHUNK, "1099511627776 bytes"],
            move |folder| {
                let array = write(folder, &v3(&cube(), &cube(), &codecs), &[(CHUNK, &[])])?;
                File::create(folder.join(&array).join(CHUNK))?.set_len(1 << 40)?;
                Ok(array)
            },
        ));
    }
    cases
}

/// A chunk in an array of version 3.
fn of_v3(name: &str, codecs: &[&Value], chunk: Chunk) -> Case {
    let bytes = json!({"name": "bytes"});
    let codecs: Value = [&bytes].into_iter().chain(codecs.iter().copied()).cloned().collect();
    Case::unreadable(name, &[CHUNK], move |folder| {
        write(folder, &v3(&cube(), &cube(), &codecs), &[(CHUNK, &chunk()?)])
    })
}

/// The same with the compressors of numcodecs.
fn of_v2() -> impl Iterator<Item = Case> {
    let blosc = json!({"id": "blosc", "cname": "lz4", "clevel": 5, "shuffle": 1, "blocksize": 0});
    let compressors: [(&str, Value, Chunk); 6] = [
        ("gzip bomb", json!({"id": "gzip", "level": 1}), gzip_bomb),
        ("zlib bomb", json!({"id": "zlib", "level": 1}), zlib_bomb),
        ("bz2 bomb", json!({"id": "bz2", "level": 1}), bz2_bomb),
        ("zstd bomb", json!({"id": "zstd", "level": 1}), || Ok(zstd_bomb(true))),
        ("lz4 of 2^32 bytes", json!({"id": "lz4", "acceleration": 1}), || Ok(lz4_claim())),
        ("blosc of 2^31 bytes", blosc, || Ok(blosc_claim())),
    ];
    compressors.into_iter().map(|(name, compressor, chunk)| {
        Case::unreadable(format!("{name} in Zarr v2"), &["0/0/0"], move |folder| {
            let attributes = attributes(&cube()).to_string();
            let files = [(".zattrs", attributes.as_bytes()), ("0/0/0", &chunk()?)];
            write_as(folder, ".zarray", &v2(&cube(), &cube(), &compressor), &files)
        })
    })
}

/// The same in blocks of N5.
fn of_n5() -> impl Iterator<Item = Case> {
    let blosc = json!({"type": "blosc", "cname": "lz4", "clevel": 5});
    let compressions: [(&str, Value, Chunk); 5] = [
        ("gzip bomb", json!({"type": "gzip", "level": -1}), gzip_bomb),
        ("zlib bomb", json!({"type": "gzip", "level": -1, "useZlib": true}), zlib_bomb),
        ("bzip2 bomb", json!({"type": "bzip2", "blockSize": 9}), bz2_bomb),
        ("zstd bomb", json!({"type": "zstd", "level": 3}), || Ok(zstd_bomb(true))),
        ("blosc of 2^31 bytes", blosc, || Ok(blosc_claim())),
    ];
    let bombs = compressions.into_iter().map(|(name, compression, chunk)| {
        Case::unreadable(format!("{name} in N5"), &["0/0/0"], move |folder| {
            let block = [&n5_header(64)[..], &chunk()?].concat();
            let document = n5(&cube(), &cube(), &compression);
            write_as(folder, "attributes.json", &document, &[("0/0/0", &block)])
        })
    });
    let claim = Case::unreadable("N5 block of 2^96 voxels", &["0/0/0"], |folder| {
        let document = n5(&cube(), &cube(), &json!({"type": "raw"}));
        write_as(folder, "attributes.json", &document, &[("0/0/0", &n5_header(u32::MAX))])
    });
    bombs.chain([claim])
}

/// Shards whose index lies, and bombs in and around them.
fn in_shards() -> impl Iterator<Item = Case> {
    fn document(codecs: &Value) -> Value {
        let sharding = json!([{"name": "sharding_indexed", "configuration": {
            "chunk_shape": [32, 64, 64], "codecs": codecs, "index_location": "start",
            "index_codecs": [{"name": "bytes", "configuration": {"endian": "little"}}]}}]);
        v3(&cube(), &cube(), &sharding)
    }
    let gzip = || json!({"name": "gzip", "configuration": {"level": 1}});
    let entries = [
        ("shard index out of the file", [1 << 41, 1 << 17, 1 << 41, 1 << 17]),
        ("shard index that overflows", [u64::MAX - 8, 100, 100, u64::MAX - 8]),
        ("shard index with chunks of 512 GiB", [32, 1 << 39, 32, 1 << 39]),
    ];
    let lies = entries.into_iter().map(|(name, entries)| {
        Case::unreadable(name, &[CHUNK], move |folder| {
            let array = write(folder, &document(&raw()), &[])?;
            let mut shard = File::create(file(&folder.join(&array), CHUNK, &[])?)?;
            shard.write_all(&entries.map(u64::to_le_bytes).concat())?;
            shard.set_len(1 << 40)?;
            Ok(array)
        })
    });
    // Nothing says that two chunks may not share their bytes.
    let overlapping = Case::usable("shard with chunks that overlap", move |folder| {
        let size = 32 * 64 * 64_u64;
        let index = [32, size, 33, size].map(u64::to_le_bytes).concat();
        let shard = [index, vec![1; 32 * 64 * 64 + 1]].concat();
        write(folder, &document(&raw()), &[(CHUNK, &shard)])
    });
    let inside = Case::unreadable("gzip bomb in a shard", &[CHUNK], move |folder| {
        let bomb = gzip_bomb()?;
        let size = u64::try_from(bomb.len()).context("the size of a bomb")?;
        let index = [32, size, 32, size].map(u64::to_le_bytes).concat();
        let document = document(&json!([{"name": "bytes"}, gzip()]));
        write(folder, &document, &[(CHUNK, &[index, bomb].concat())])
    });
    let around = Case::unreadable("gzip bomb around a shard", &[CHUNK], move |folder| {
        let mut document = document(&raw());
        document["codecs"].as_array_mut().context("the codecs")?.push(gzip());
        write(folder, &document, &[(CHUNK, &gzip_bomb()?)])
    });
    lies.chain([overlapping, inside, around])
}

/// The header of a block of N5 with three axes of this extent.
fn n5_header(extent: u32) -> Vec<u8> {
    let mut header = vec![0, 0, 0, 3];
    for _ in 0..3 {
        header.extend(extent.to_be_bytes());
    }
    header
}

/// Zeros in the form of deflate, without an end.
pub(super) fn deflated_zeros(bytes: usize) -> anyhow::Result<Vec<u8>> {
    const PART: usize = 1 << 20;
    let zeros = vec![0; PART];
    let mut machine = Compress::new(Compression::best(), false);
    let mut part = || -> anyhow::Result<Vec<u8>> {
        let mut packed = Vec::with_capacity(PART);
        machine.compress_vec(&zeros, &mut packed, FlushCompress::Sync).context("deflating")?;
        Ok(packed)
    };
    // Behind zeros, the same bytes mean the same zeros again.
    let (first, next) = (part()?, part()?);
    Ok([first, next.repeat(bytes / PART - 1)].concat())
}

fn gzip_bomb() -> anyhow::Result<Vec<u8>> {
    let header = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    Ok([&header[..], &deflated_zeros(BOMB)?].concat())
}

fn zlib_bomb() -> anyhow::Result<Vec<u8>> {
    Ok([&[0x78, 0x9c][..], &deflated_zeros(BOMB)?].concat())
}

fn bz2_bomb() -> anyhow::Result<Vec<u8>> {
    let zeros = std::io::repeat(0).take(SMALLER_BOMB);
    let mut packed = Vec::new();
    bzip2::read::BzEncoder::new(zeros, bzip2::Compression::new(9)).read_to_end(&mut packed)?;
    Ok(packed)
}

/// What a bomb becomes when it is compressed once more.
fn packed(bytes: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut packed = Vec::new();
    flate2::read::GzEncoder::new(bytes, Compression::fast()).read_to_end(&mut packed)?;
    Ok(packed)
}

/// A frame of zstd that holds zeros, and says how many or not.
fn zstd_bomb(says_size: bool) -> Vec<u8> {
    const BLOCK: usize = 1 << 17;
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd];
    if says_size {
        // One segment, with a size of 8 bytes.
        frame.push(0xe0);
        frame.extend((BOMB as u64).to_le_bytes());
    } else {
        // A window of 128 KiB.
        frame.extend([0x00, 0x38]);
    }
    for number in 1..=BOMB / BLOCK {
        // A block that repeats one byte.
        let header = BLOCK << 3 | 1 << 1 | usize::from(number == BOMB / BLOCK);
        frame.extend(&header.to_le_bytes()[..3]);
        frame.push(0);
    }
    frame
}

/// A frame that says that it holds 2^50 bytes.
fn zstd_claim() -> Vec<u8> {
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0xe0];
    frame.extend((1_u64 << 50).to_le_bytes());
    frame.extend([0x0b, 0x00, 0x00, 0x61]);
    frame
}

fn lz4_claim() -> Vec<u8> {
    vec![0xff, 0xff, 0xff, 0xff, 0x10, 0x61]
}

/// Blosc data that say that they hold almost 2^31 bytes, stored as they are.
fn blosc_claim() -> Vec<u8> {
    let sizes = [0x7fff_ff00_u32, 0x7fff_ff00, 20];
    let mut chunk = vec![2, 1, 2, 1];
    chunk.extend(sizes.into_iter().flat_map(u32::to_le_bytes));
    chunk.extend([0; 4]);
    chunk
}
