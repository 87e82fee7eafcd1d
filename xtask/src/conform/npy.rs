//! Recorded arrays: gzip around a plain `.npy`, version 1.0, C order.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, bail, ensure};
use flate2::read::GzDecoder;

/// The values of an integer or bool array, in C order.
pub(crate) fn read(path: &Path) -> anyhow::Result<Vec<i128>> {
    let file = File::open(path).with_context(|| format!("opening {}", path.display()))?;
    let mut bytes = Vec::new();
    GzDecoder::new(file)
        .read_to_end(&mut bytes)
        .with_context(|| format!("reading {}", path.display()))?;
    values(&bytes).with_context(|| format!("reading {}", path.display()))
}

fn values(bytes: &[u8]) -> anyhow::Result<Vec<i128>> {
    ensure!(bytes.starts_with(b"\x93NUMPY\x01\x00") && bytes.len() >= 10, "no .npy of version 1.0");
    let header_len = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let header = bytes.get(10..10 + header_len).context("the header is cut off")?;
    let header = std::str::from_utf8(header)?;
    ensure!(header.contains("'fortran_order': False"), "not in C order");
    let descr = header.split("'descr': '").nth(1).and_then(|rest| rest.split('\'').next());
    let data = &bytes[10 + header_len..];
    macro_rules! decode {
        ($type:ty, $from:ident) => {
            data.chunks_exact(size_of::<$type>())
                .map(|chunk| {
                    let chunk = chunk.try_into().expect("chunks have the size of the type");
                    i128::from(<$type>::$from(chunk))
                })
                .collect()
        };
    }
    Ok(match descr.context("no descr")? {
        "|b1" | "|u1" => data.iter().map(|&value| i128::from(value)).collect(),
        "|i1" => decode!(i8, from_le_bytes),
        "<u2" => decode!(u16, from_le_bytes),
        ">u2" => decode!(u16, from_be_bytes),
        "<u4" => decode!(u32, from_le_bytes),
        ">u4" => decode!(u32, from_be_bytes),
        "<u8" => decode!(u64, from_le_bytes),
        ">u8" => decode!(u64, from_be_bytes),
        "<i2" => decode!(i16, from_le_bytes),
        ">i2" => decode!(i16, from_be_bytes),
        "<i4" => decode!(i32, from_le_bytes),
        ">i4" => decode!(i32, from_be_bytes),
        "<i8" => decode!(i64, from_le_bytes),
        ">i8" => decode!(i64, from_be_bytes),
        other => bail!("elements of type {other}"),
    })
}
