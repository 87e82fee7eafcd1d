//! What is refused, and how it is said.

use annotation_mask::{MaskError, SamplerOptions, ValidSampler};
use array_core::{
    Array, ArrayError, ArrayInfo, BlockGrid, ConstantArray, DType, MemoryArray, Visitor,
};
use geometry::{Roi, Window};
use ndarray::{ArrayD, IxDyn};

use crate::masks::{Mask, f_order, info, noise};

fn blocks(dims: usize) -> BlockGrid {
    BlockGrid::new(&vec![4; dims]).unwrap()
}

fn mask(values: &ArrayD<u8>) -> Mask {
    let dims = values.ndim() - 1;
    Mask::new(values, &vec![4; dims], &vec![0; dims])
}

fn zeros(shape: &[usize]) -> ArrayD<u8> {
    ArrayD::zeros(IxDyn(shape))
}

#[track_caller]
fn refuses(mask: &dyn Array, options: &SamplerOptions, needles: &[&str]) {
    let error = ValidSampler::new(mask, options).map(|_| ()).unwrap_err().to_string();
    for needle in needles {
        assert!(error.contains(needle), "{needle:?} is not in {error:?}");
    }
}

#[test]
fn options_that_mean_nothing_are_refused_by_name() {
    let mask = mask(&noise(&[3, 6, 8, 9], 50, 1));
    let shape = |shape: &[usize]| SamplerOptions::new(shape);
    refuses(&mask, &shape(&[4, 4]), &["`shape`", "[4, 4]", "z, y, x"]);
    refuses(&mask, &shape(&[]), &["`shape`", "[]"]);
    refuses(&mask, &shape(&[4, 0, 4]), &["`shape`", "no voxels along y"]);
    refuses(&mask, &shape(&[4, 4, 10]), &["`shape`", "10 voxels along x, where it has 9"]);
    for min_known in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
        let options = SamplerOptions { min_known, ..shape(&[4, 4, 4]) };
        refuses(&mask, &options, &["`min_known`", "not within 0 and 1"]);
    }
    for (channels, needle) in
        [(vec![1, 3], "no channel 3"), (vec![2, 2], "channel 2 stands twice"), (vec![], "empty")]
    {
        let options = SamplerOptions { channels: Some(channels), ..shape(&[4, 4, 4]) };
        refuses(&mask, &options, &["`channels`", needle]);
    }
    let options = SamplerOptions { max_bytes: 49, ..shape(&[4, 4, 4]) };
    refuses(&mask, &options, &["`max_bytes`", "25 bytes"]);
    assert!(ValidSampler::new(&mask, &SamplerOptions { max_bytes: 50, ..options }).is_ok());
}

#[test]
fn channels_are_found_by_name_or_index() {
    let names = |names: [&str; 3]| {
        let info = info(&[3, 9], blocks(1));
        info.with_channel_names(names.map(str::to_owned).to_vec()).unwrap()
    };
    let (options, info) = (SamplerOptions::new(&[4]), names(["mito", "er", "2"]));
    let found = |asked: &[&str]| {
        let options = options.clone().with_channel_names(&info, asked);
        options.map(|options| options.channels.unwrap()).map_err(|error| error.to_string())
    };
    assert_eq!(found(&["er", "0"]), Ok(vec![1, 0]));
    assert_eq!(found(&["2", "1"]), Ok(vec![2, 1]));
    let error = found(&["mita"]).unwrap_err();
    assert!(error.contains("\"mita\"") && error.contains("near names are \"mito\""), "{error}");
    assert!(found(&["3"]).is_err());
    let twins = options.with_channel_names(&names(["a", "b", "a"]), &["a"]).unwrap_err();
    assert!(twins.to_string().contains("channels 0 and 2"), "{twins}");
}

#[test]
fn what_is_no_mask_is_refused() {
    let options = SamplerOptions::new(&[4]);
    let voxels = MemoryArray::new(
        info(&[2, 9], blocks(1)).with_dtype(DType::F32),
        ArrayD::<f32>::zeros(IxDyn(&[2, 9])),
    );
    refuses(&voxels.unwrap(), &options, &["no mask", "float32", "uint8"]);
    let one = info(&[2, 9], blocks(1));
    let labels = ArrayInfo::new(DType::U8, one.spatial_axes(), &[9], *one.grid()).unwrap();
    let labels = MemoryArray::new(labels, zeros(&[9])).unwrap();
    refuses(&labels, &options, &["no mask", "[\"x\"]", "channel axis"]);
    refuses(&mask(&zeros(&[0, 9])), &options, &["no mask", "no channels"]);
    let mut values = noise(&[2, 9], 50, 1);
    (values[[1, 5]], values[[1, 6]]) = (1, 7);
    refuses(&mask(&values), &options, &["no mask", "the value 7"]);
    refuses(&mask(&f_order(&values)), &options, &["no mask", "the value 7"]);
    // A channel that does not count may hold anything.
    let first = SamplerOptions { channels: Some(vec![0]), ..options.clone() };
    assert!(ValidSampler::new(mask(&values), &first).is_ok());
    let constant = ConstantArray::new(mask(&zeros(&[2, 9])), 255_u8);
    refuses(&constant, &options, &["no mask", "255"]);
}

#[test]
fn a_mask_without_a_valid_patch_is_refused_at_once_with_numbers() {
    let options = |min_known| SamplerOptions { min_known, ..SamplerOptions::new(&[4, 4]) };
    refuses(
        &mask(&zeros(&[1, 20, 20])),
        &options(0.15),
        &["[4, 4]", "0.15", "0 of its 16 values", "0.000000"],
    );
    // Four known voxels in a corner: the best patch has exactly these.
    let mut values = zeros(&[1, 20, 20]);
    for place in [[0, 18, 18], [0, 18, 19], [0, 19, 18], [0, 19, 19]] {
        values[place] = 1;
    }
    let mask = mask(&values);
    let mut sampler = ValidSampler::new(&mask, &options(0.25)).unwrap();
    assert_eq!(sampler.num_valid().unwrap(), 1);
    refuses(&mask, &options(0.26), &["4 of its 16 values", "a share of 0.250000"]);
    match ValidSampler::new(&mask, &options(0.250_000_1)).map(|_| ()) {
        Err(MaskError::NothingValid { shape, most, values, .. }) => {
            assert_eq!((shape, most, values), (vec![4, 4], 4, 16));
        }
        other => panic!("{other:?}"),
    }
}

/// Rounded up, the share would be one that is asked for in vain.
#[test]
fn the_share_of_the_best_patch_is_rounded_down() {
    let two_of_three = mask(&ndarray::array![[1, 1, 0]].into_dyn());
    let options = SamplerOptions { min_known: 0.666_667, ..SamplerOptions::new(&[3]) };
    refuses(&two_of_three, &options, &["2 of its 3 values", "a share of 0.666666"]);
}

/// A mask that cannot be read.
#[derive(Debug)]
struct Broken(ArrayInfo);

impl Array for Broken {
    fn info(&self) -> &ArrayInfo {
        &self.0
    }

    fn visit(&self, _: &Window, _: &mut Visitor<'_>) -> Result<(), ArrayError> {
        Err(ArrayError::source("reading chunk 0", "the disk is on fire"))
    }

    fn kind(&self) -> &'static str {
        "a broken mask"
    }
}

#[test]
fn errors_of_the_mask_come_through() {
    let broken = Broken(info(&[2, 9, 9], blocks(2)));
    refuses(&broken, &SamplerOptions::new(&[4, 4]), &["reading chunk 0"]);
    let any = SamplerOptions { min_known: 0.0, ..SamplerOptions::new(&[4, 4]) };
    let mut sampler = ValidSampler::new(&broken, &any).unwrap();
    let patch = sampler.draw().unwrap();
    assert!(sampler.known_values(&patch).is_err());
}

#[test]
fn only_patches_of_the_mask_have_known_values() {
    let mask = mask(&noise(&[2, 9], 50, 1));
    let sampler = ValidSampler::new(&mask, &SamplerOptions::new(&[4])).unwrap();
    let known = |offset, shape| sampler.known_values(&Roi::new([offset], [shape]).unwrap());
    assert!(known(7, 12).is_ok());
    for (offset, shape) in [(7, 9), (8, 12), (28, 12), (7, 0)] {
        assert!(known(offset, shape).is_err(), "{offset} {shape}");
    }
}

#[test]
fn sizes_beyond_the_machine_are_errors() {
    let shape = [1, 1 << 31, 1 << 31, 1 << 31];
    let huge = ConstantArray::ones(Broken(info(&shape, blocks(3))));
    let options = SamplerOptions::new(&[1 << 22, 1 << 22, 1 << 22]);
    refuses(&huge, &options, &["memory"]);
    refuses(&huge, &SamplerOptions::new(&[64, 64, 64]), &["blocks"]);
    let any = SamplerOptions { min_known: 0.0, ..SamplerOptions::new(&[64, 64, 64]) };
    assert!(ValidSampler::new(&huge, &any).unwrap().draw().is_ok());
}
