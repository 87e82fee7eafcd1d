//! A folder with small Zarr containers, and configs beside them.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]
#![allow(dead_code, reason = "each file of tests uses a part of this")]
#![allow(unreachable_pub, reason = "a module of each file of tests")]

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use array_config::{ArrayConfig, ConfigError};
use array_core::{Array, ArrayExt, ArrayInfo, DType};
use geometry::{Coordinate, LengthUnit, VoxelGrid, VoxelSize, WorldUnit};
use ndarray::{ArrayD, IxDyn};
use serde_json::{Value, json};
use zarr_source::{ImageOptions, Staging};

pub struct Folder(tempfile::TempDir);

/// Voxels of 8 x 4 x 4 nm from the corner (400, 240, 80) nm.
pub const SHAPE: [usize; 3] = [6, 8, 10];

impl Folder {
    /// A folder with `crop.zarr`, in which are `labels`, and `raw` with two channels.
    pub fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        let labels = json!([
            entry(1, "ECS", true, "dense"),
            entry(2, "PM", true, "sparse"),
            entry(3, "Mito", true, "empty"),
            entry(4, "Ves", false, "empty"),
        ]);
        let staging = Staging::new(folder.path().join("crop.zarr"), false).unwrap();
        let unit = WorldUnit::whole(LengthUnit::Nanometer);
        let grid = grid([400, 240, 80], [8, 4, 4]);
        let info = ArrayInfo::new(DType::U16, &["z", "y", "x"], &SHAPE, grid).unwrap();
        let info = info.with_unit(unit).with_block_shape(&[4, 4, 4]).unwrap();
        let options = ImageOptions {
            attrs: json!({"labels": labels}).as_object().cloned().unwrap(),
            ..ImageOptions::default()
        };
        let array = staging.create_image("labels", &info, &options).unwrap();
        array.write(array.roi(), &voxels().view().into()).unwrap();
        let info = ArrayInfo::new(DType::U8, &["c", "z", "y", "x"], &[2, 6, 8, 10], grid).unwrap();
        let info = info.with_unit(unit).with_block_shape(&[4, 4, 4]).unwrap();
        let raw = staging.create_image("raw", &info, &ImageOptions::default()).unwrap();
        let both = ArrayD::from_shape_fn(IxDyn(&[2, 6, 8, 10]), |index| {
            u8::try_from((index[0] * 97 + index[1] * 31 + index[2] * 7 + index[3]) % 251).unwrap()
        });
        raw.write(raw.roi(), &both.view().into()).unwrap();
        staging.commit(&serde_json::Map::new()).unwrap();
        folder
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// Opens a config of JSON values.
    pub fn build(&self, config: &Value) -> Result<Arc<dyn Array>, ConfigError> {
        ArrayConfig::from_json(&config.to_string())?.build(self.path())
    }
}

fn entry(value: u32, name: &str, present: bool, annotated: &str) -> Value {
    json!({
        "value": value, "name": {"long": name, "short": name},
        "annotationState": {"present": present, "annotated": annotated},
    })
}

pub fn grid<const N: usize>(offset: [i64; N], voxel_size: [i64; N]) -> VoxelGrid {
    let voxel_size = VoxelSize::new(Coordinate::new(&voxel_size).unwrap()).unwrap();
    VoxelGrid::new(Coordinate::new(&offset).unwrap(), voxel_size).unwrap()
}

/// The labels: ids 0 to 4 without a period along any axis.
pub fn voxels() -> ArrayD<u16> {
    ArrayD::from_shape_fn(IxDyn(&SHAPE), |index| {
        let (z, y, x) = (index[0], index[1], index[2]);
        u16::try_from((z * z * 7 + y * y * 3 + x * x + z * y + x * y) % 11 % 5).unwrap()
    })
}

/// The labels as a config.
pub fn labels() -> Value {
    json!({"kind": "zarr", "path": "crop.zarr", "dataset": "labels/s0"})
}

/// An error and its causes, as the command line shows them.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
