//! What is served is an image that readers of Zarr open, with the same voxels at the same place.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::sync::Arc;

use array_core::{Array, ArrayExt, DType, MemoryArray};
use serve::Layer;
use zarr_source::{Compression, ZarrArray, ZarrGroup};

use common::{Running, counter, info};

fn check(layer: Layer) {
    let arrays: Vec<Arc<dyn Array>> = layer.levels().to_vec();
    let name = layer.name().to_owned();
    let server = Running::new(vec![layer]);
    for format in ["zarr2", "zarr3"] {
        for (level, array) in arrays.iter().enumerate() {
            let url = server.url(&format!("/{format}/{name}/s{level}"));
            let found = ZarrArray::open(url.as_str()).unwrap();
            let (served, own) = (found.info(), array.info());
            assert_eq!(served.grid(), own.grid(), "{url}");
            assert_eq!(served.unit(), own.unit(), "{url}");
            assert_eq!(served.axes(), own.axes(), "{url}");
            assert_eq!(served.shape(), own.shape(), "{url}");
            let expected = array.read(array.roi()).unwrap();
            assert_eq!(found.data().unwrap(), expected, "{url}");
        }
        let group = ZarrGroup::open(server.url(&format!("/{format}/{name}")).as_str()).unwrap();
        assert_eq!(group.levels().unwrap().len(), arrays.len());
    }
}

#[test]
fn an_array_with_channels_is_read_back() {
    check(Layer::new("mask", Arc::new(counter(Some(3), [17, 9, 20]))).with_chunk_shape(&[8, 8, 8]));
}

#[test]
fn chunks_that_are_no_blocks_are_read_back() {
    check(Layer::new("mask", Arc::new(counter(Some(2), [17, 9, 20]))).with_chunk_shape(&[5, 9, 7]));
    check(Layer::new("mask", Arc::new(counter(None, [17, 9, 20]))).with_chunk_shape(&[32, 3, 16]));
}

#[test]
fn each_codec_is_read_back() {
    for compression in [
        Compression::None,
        Compression::Zstd { level: 3 },
        Compression::Gzip { level: 6 },
        Compression::BloscLz4 { level: 5 },
    ] {
        let array = Arc::new(counter(None, [9, 9, 9]));
        check(Layer::new("labels", array).with_compression(compression));
    }
}

#[test]
fn types_of_several_bytes_are_read_back() {
    let voxels = ndarray::Array3::from_shape_fn((5, 6, 7), |(z, y, x)| {
        u64::try_from(z * 1_000_000_007 + y * 65_537 + x).unwrap()
    });
    let labels = MemoryArray::new(info(DType::U64, None, [5, 6, 7], 4), voxels.into_dyn()).unwrap();
    check(Layer::new("labels", Arc::new(labels)));
    let voxels = ndarray::Array3::from_shape_fn((5, 6, 7), |(z, y, x)| {
        [z + y, x].iter().map(|&n| f32::from(u8::try_from(n).unwrap()) / 3.0).sum::<f32>()
    });
    let raw = MemoryArray::new(info(DType::F32, None, [5, 6, 7], 4), voxels.into_dyn()).unwrap();
    check(Layer::new("raw", Arc::new(raw)));
}

#[test]
fn all_levels_are_read_back() {
    let fine: Arc<dyn Array> = Arc::new(counter(None, [16, 16, 16]));
    let coarse: Arc<dyn Array> = Arc::new(counter(None, [8, 8, 8]));
    check(Layer::new("raw", fine).with_levels([coarse]));
}

#[test]
fn booleans_are_served_as_bytes() {
    let voxels = ndarray::Array3::from_shape_fn((5, 6, 7), |(z, y, x)| (z + y + x) % 3 == 0);
    let expected = voxels.map(|&voxel| u8::from(voxel)).into_dyn();
    let array = MemoryArray::new(info(DType::Bool, None, [5, 6, 7], 4), voxels.into_dyn()).unwrap();
    let server = Running::new(vec![Layer::new("labels", Arc::new(array))]);
    let found = ZarrArray::open(server.url("/zarr3/labels/s0").as_str()).unwrap();
    assert_eq!(found.read_as::<u8>(found.roi()).unwrap(), expected);
}

#[test]
fn what_another_server_serves_is_served_on() {
    let far = Running::new(vec![Layer::new("mask", Arc::new(counter(Some(2), [17, 9, 20])))]);
    let array = ZarrArray::open(far.url("/zarr3/mask/s0").as_str()).unwrap();
    check(Layer::new("mask", Arc::new(array)));
}
