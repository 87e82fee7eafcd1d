//! Zip archives that lie.

use std::path::{Path, PathBuf};

use anyhow::Context;
use flate2::{Compress, Compression, FlushCompress};
use serde_json::json;

use super::case::{Case, Expected};
use super::containers::{SIDE, cube, file, raw, v3};

const ARRAY: &str = "crop.zip/crop.zarr/s0";

pub(super) fn cases() -> Vec<Case> {
    let chunk = || vec![1; SIDE * SIDE * SIDE];
    vec![
        Case::usable("an archive as it should be", move |folder| {
            archive(folder, &[entry("c/0/0/0", &chunk(), true)?])
        }),
        Case::unreadable("a bomb as a chunk in an archive", &["c/0/0/0"], |folder| {
            archive(folder, &[bomb("c/0/0/0", 1 << 32)?])
        }),
        Case::unusable("a bomb as a document in an archive", &["zarr.json"], |folder| {
            archive_of(folder, &[bomb("zarr.json", 1 << 31)?])
        }),
        Case::unreadable("a bomb as a shard in an archive", &["c/0/0/0"], |folder| {
            let sharding = json!([{"name": "sharding_indexed", "configuration": {
                "chunk_shape": [32, 64, 64], "codecs": [{"name": "bytes"}],
                "index_codecs": [{"name": "bytes", "configuration": {"endian": "little"}}]}}]);
            let document = v3(&cube(), &cube(), &sharding).to_string();
            let document = entry("zarr.json", document.as_bytes(), false)?;
            archive_of(folder, &[document, bomb("c/0/0/0", 1 << 31)?])
        }),
        Case::unreadable("an entry that says to be small", &["c/0/0/0"], |folder| {
            let mut bomb = bomb("c/0/0/0", 1 << 32)?;
            bomb.size = u32::try_from(SIDE * SIDE * SIDE)?;
            archive(folder, &[bomb])
        }),
        Case::unreadable("an entry behind the end of the archive", &["c/0/0/0"], move |folder| {
            let mut far = entry("c/0/0/0", &chunk(), false)?;
            far.offset = Some(0x7fff_ffff);
            archive(folder, &[far])
        }),
        Case::unreadable("entries that overlap", &["c/0/0/0"], move |folder| {
            let mut other = entry("c/0/0/0", &chunk(), false)?;
            // Where the document is, which has another name.
            other.offset = Some(0);
            archive(folder, &[other])
        }),
        Case::usable("names with .. in an archive", move |folder| {
            let secret = v3(&cube(), &cube(), &raw()).to_string();
            archive(
                folder,
                &[
                    entry("../../../secret", secret.as_bytes(), true)?,
                    entry("../s0/zarr.json", b"{}", true)?,
                    entry("c/0/0/0", &chunk(), true)?,
                ],
            )
        }),
        Case::unusable("2^64 entries in an archive", &["crop.zip"], |folder| {
            let document = v3(&cube(), &cube(), &raw()).to_string();
            let place = archive_of(folder, &[entry("zarr.json", document.as_bytes(), true)?])?;
            let path = folder.join("crop.zip");
            let mut bytes = std::fs::read(&path).context("reading the archive")?;
            let end = bytes.len() - 22;
            let tail = bytes.split_off(end);
            bytes.extend(zip64_end(end as u64));
            bytes.extend(tail.get(..8).context("the end of the archive")?);
            bytes.extend([0xff; 12]);
            bytes.extend([0, 0]);
            std::fs::write(path, bytes).context("writing the archive")?;
            Ok(place)
        }),
        Case::inspected("100 000 names in an archive", Expected::Success, |folder| {
            let document = v3(&cube(), &cube(), &raw()).to_string();
            let mut entries = vec![entry("zarr.json", document.as_bytes(), true)?];
            for number in 0..100_000 {
                entries.push(entry(&format!("c/0/{number}/0"), b"", false)?);
            }
            archive_of(folder, &entries)
        }),
    ]
}

/// A file in an archive.
struct ZipEntry {
    name: String,
    is_deflated: bool,
    data: Vec<u8>,
    size: u32,
    checksum: u32,
    /// Where the directory says that it is; none for the truth.
    offset: Option<u32>,
}

fn entry(name: &str, data: &[u8], is_deflated: bool) -> anyhow::Result<ZipEntry> {
    let mut checksum = flate2::Crc::new();
    checksum.update(data);
    let mut packed = Vec::with_capacity(data.len() + 1024);
    if is_deflated {
        Compress::new(Compression::fast(), false)
            .compress_vec(data, &mut packed, FlushCompress::Finish)
            .context("deflating")?;
    } else {
        packed = data.to_vec();
    }
    Ok(ZipEntry {
        name: format!("crop.zarr/s0/{name}"),
        is_deflated,
        data: packed,
        size: u32::try_from(data.len())?,
        checksum: checksum.sum(),
        offset: None,
    })
}

/// An entry of zeros, so many of them.
fn bomb(name: &str, size: u64) -> anyhow::Result<ZipEntry> {
    let mut bomb = entry(name, b"", true)?;
    bomb.data = super::bombs::deflated_zeros(usize::try_from(size)?)?;
    bomb.size = u32::try_from(size).unwrap_or(u32::MAX);
    Ok(bomb)
}

/// An archive of an array and these files.
fn archive(folder: &Path, entries: &[ZipEntry]) -> anyhow::Result<PathBuf> {
    let document = v3(&cube(), &cube(), &raw()).to_string();
    let mut all = vec![entry("zarr.json", document.as_bytes(), true)?];
    for other in entries {
        let ZipEntry { name, is_deflated, data, size, checksum, offset } = other;
        let (name, data) = (name.clone(), data.clone());
        let (is_deflated, size, checksum, offset) = (*is_deflated, *size, *checksum, *offset);
        all.push(ZipEntry { name, is_deflated, data, size, checksum, offset });
    }
    archive_of(folder, &all)
}

fn archive_of(folder: &Path, entries: &[ZipEntry]) -> anyhow::Result<PathBuf> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for entry in entries {
        let offset = u32::try_from(bytes.len())?;
        let fields = fields(entry)?;
        bytes.extend(b"PK\x03\x04");
        bytes.extend(&fields);
        bytes.extend(entry.name.as_bytes());
        bytes.extend(&entry.data);
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&fields);
        directory.extend([0; 10]);
        directory.extend(entry.offset.unwrap_or(offset).to_le_bytes());
        directory.extend(entry.name.as_bytes());
    }
    let at = u32::try_from(bytes.len())?;
    let count = u16::try_from(entries.len()).unwrap_or(u16::MAX);
    bytes.extend(&directory);
    if count == u16::MAX {
        bytes.extend(zip64_of(entries.len() as u64, directory.len() as u64, u64::from(at)));
    }
    bytes.extend(b"PK\x05\x06\0\0\0\0");
    bytes.extend([count, count].into_iter().flat_map(u16::to_le_bytes));
    bytes.extend(u32::try_from(directory.len())?.to_le_bytes());
    bytes.extend(at.to_le_bytes());
    bytes.extend([0, 0]);
    file(folder, "crop.zip", &bytes)?;
    Ok(PathBuf::from(ARRAY))
}

/// What stands both before the data of an entry and in the directory.
fn fields(entry: &ZipEntry) -> anyhow::Result<Vec<u8>> {
    let method = if entry.is_deflated { 8_u16 } else { 0 };
    // Version, flags, method, time, date.
    let mut fields: Vec<u8> =
        [20, 0, method, 0, 33].into_iter().flat_map(u16::to_le_bytes).collect();
    let sizes = [entry.checksum, u32::try_from(entry.data.len())?, entry.size];
    fields.extend(sizes.into_iter().flat_map(u32::to_le_bytes));
    fields.extend(u16::try_from(entry.name.len())?.to_le_bytes());
    fields.extend([0, 0]);
    Ok(fields)
}

/// The end of a large archive, which says that it has all entries that there can be.
fn zip64_end(at: u64) -> Vec<u8> {
    zip64(u64::MAX, u64::MAX, 0, at)
}

fn zip64_of(entries: u64, size: u64, offset: u64) -> Vec<u8> {
    zip64(entries, size, offset, offset + size)
}

fn zip64(entries: u64, size: u64, offset: u64, at: u64) -> Vec<u8> {
    let mut end = b"PK\x06\x06".to_vec();
    end.extend(44_u64.to_le_bytes());
    end.extend([45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    end.extend([entries, entries, size, offset].into_iter().flat_map(u64::to_le_bytes));
    end.extend(b"PK\x06\x07\0\0\0\0");
    end.extend(at.to_le_bytes());
    end.extend(1_u32.to_le_bytes());
    end
}
