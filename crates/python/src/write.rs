//! Masks and targets as containers.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use mask_writer::{Existing, MaskLevels, Observer, TargetLevels, WriteError, WriteOptions};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde_json::{Map, Value};
use zarr_source::{CodecError, Compression, ZarrFormat};

use crate::arguments::{get, maybe};
use crate::errors::raise;
use crate::threads::run;
use crate::truth::NativeTruth;

/// Ends a run when Python has been interrupted.
struct Watch<'a>(&'a AtomicBool);

impl Observer for Watch<'_> {
    fn goes_on(&self) -> bool {
        !self.0.load(Ordering::Relaxed)
    }
}

/// Writes masks, and targets if they are wanted: where they are, how many voxels there are, and for each
/// channel how many are known and how many belong to it; and how much earlier runs had written, in percent.
#[pyfunction]
#[expect(clippy::type_complexity, reason = "a tuple for Python")]
pub(crate) fn write(
    py: Python<'_>,
    truth: &NativeTruth,
    output: PathBuf,
    said: &Bound<'_, PyDict>,
) -> PyResult<(PathBuf, u64, Vec<u64>, Vec<u64>, Option<u8>)> {
    let mut provenance: Map<String, Value> =
        serde_json::from_str(&get::<String>(said, "provenance")?).map_err(raise(py))?;
    provenance.extend(truth.provenance.clone());
    let dims = truth.truth.info().dims();
    let existing: String = get(said, "existing")?;
    let begins = existing == "continue";
    let options = WriteOptions {
        targets: get(said, "targets")?,
        zarr_format: zarr_format(get(said, "zarr_format")?)?,
        chunk_shape: shape(maybe(said, "chunk_shape")?, dims),
        shard_shape: shape(maybe(said, "shard_shape")?, dims),
        compression: compression(maybe(said, "codec")?)?,
        levels: get(said, "levels")?,
        mask_levels: one_of(
            "mask_levels",
            &get::<String>(said, "mask_levels")?,
            &[MaskLevels::All, MaskLevels::Any, MaskLevels::Mean].map(|how| (how.name(), how)),
        )?,
        target_levels: one_of(
            "target_levels",
            &get::<String>(said, "target_levels")?,
            &[TargetLevels::Mode, TargetLevels::Mean].map(|how| (how.name(), how)),
        )?,
        existing: one_of(
            "existing",
            &existing,
            &[
                ("refuse", Existing::Refuse),
                ("overwrite", Existing::Overwrite),
                ("resume", Existing::Resume),
                ("continue", Existing::Resume),
            ],
        )?,
        provenance,
        channels: None,
    };
    let pair = &*truth.truth;
    let written = run(py, truth.nearness, |stop| {
        let write =
            |options: &WriteOptions<'_>| mask_writer::write(pair, &output, options, &Watch(stop));
        match write(&options) {
            Err(WriteError::NothingToResume { .. }) if begins => {
                write(&WriteOptions { existing: Existing::Refuse, ..options })
            }
            written => written,
        }
    })?;
    let written = written.map_err(raise(py))?;
    let counts = written.counts;
    Ok((written.path, counts.voxels, counts.known, counts.positive, written.resumed_at))
}

fn zarr_format(number: u8) -> PyResult<ZarrFormat> {
    match number {
        2 => Ok(ZarrFormat::V2),
        3 => Ok(ZarrFormat::V3),
        other => Err(PyValueError::new_err(format!("zarr_format {other} is not 2 or 3"))),
    }
}

/// One number stands for all axes.
fn shape(numbers: Option<Vec<usize>>, dims: usize) -> Option<Vec<usize>> {
    numbers.map(|shape| if shape.len() == 1 { vec![shape[0]; dims] } else { shape })
}

fn one_of<T: Copy>(argument: &str, name: &str, known: &[(&str, T)]) -> PyResult<T> {
    let found = known.iter().find(|(other, _)| *other == name);
    found.map(|&(_, value)| value).ok_or_else(|| {
        let names: Vec<&str> = known.iter().map(|&(name, _)| name).collect();
        PyValueError::new_err(format!("{argument} {name:?} is not one of {}", names.join(", ")))
    })
}

/// `zstd:3`: the name of a codec, and a level if it is not the usual one.
fn compression(text: Option<String>) -> PyResult<Compression> {
    let Some(text) = text else { return Ok(Compression::default()) };
    text.parse().map_err(|error: CodecError| PyValueError::new_err(error.to_string()))
}
