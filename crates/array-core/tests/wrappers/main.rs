//! The wrappers that compute: their contract, their laws, and what they refuse.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod laws;
mod sources;
mod stored;

use std::sync::Arc;

use array_core::testing::check_contract;
use array_core::{
    AnyArray, Array, ArrayError, ArrayExt, ArrayInfo, Block, BlockGrid, ConcatArray, ConstantArray,
    DType, Downsampling, LogicalOrArray, MemoryArray, ResampledArray, Scalar, SumArray,
};
use geometry::{LengthUnit, Roi, Window, WorldUnit};
use ndarray::{ArrayD, IxDyn};
use serde_json::json;
use sources::{Broken, Sparse, array, counting, grid, read};

type Source = Arc<dyn Array>;

fn source(axes: &[&str], shape: &[usize], block_shape: &[usize]) -> Source {
    Arc::new(array(axes, shape, block_shape))
}

/// Sources of one place: with and without channels, and one whose blocks are constant here and there.
fn sources() -> Vec<Source> {
    vec![
        source(&["z", "y", "x"], &[9, 5, 6], &[4, 4, 4]),
        source(&["c", "z", "y", "x"], &[3, 9, 5, 6], &[2, 3, 4]),
        Arc::new(Sparse::new(&["z", "y", "x"], &[9, 5, 6], &[4, 2, 3])),
        Arc::new(Sparse::new(&["c", "z", "y", "x"], &[2, 9, 5, 6], &[4, 4, 4])),
    ]
}

fn flat(shape: &[usize]) -> Source {
    Arc::new(Sparse::new(&["y", "x"], shape, &[2, 3]))
}

#[test]
fn constant_arrays_keep_the_contract_and_read_nothing() {
    for source in sources() {
        check_contract(&ConstantArray::ones(Arc::clone(&source)));
        check_contract(&ConstantArray::new(source, -2.5_f64));
    }
    let sparse = Arc::new(Sparse::new(&["y", "x"], &[9, 7], &[2, 3]));
    let ones = ConstantArray::ones(Arc::clone(&sparse));
    assert_eq!(ones.read(ones.roi()).unwrap(), ArrayD::from_elem(vec![9, 7], 1_u8).into());
    assert_eq!(sparse.visits(), 0);
    assert_eq!((ones.dtype(), sparse.dtype()), (DType::U8, DType::U32));
    assert_eq!(ones.attrs(), sparse.attrs());
}

#[test]
fn concatenated_arrays_keep_the_contract() {
    check_contract(&ConcatArray::new(sources()).unwrap());
    check_contract(&ConcatArray::new(sources().split_off(3)).unwrap());
    let no_channels = source(&["c", "y", "x"], &[0, 5, 6], &[2, 3]);
    check_contract(&ConcatArray::new(vec![Arc::clone(&no_channels)]).unwrap());
    let some = source(&["y", "x"], &[5, 6], &[2, 3]);
    check_contract(&ConcatArray::new(vec![some, no_channels]).unwrap());
}

#[test]
fn a_concatenated_array_has_the_channels_of_its_sources_in_their_order() {
    let concat = ConcatArray::new(sources()).unwrap();
    assert_eq!(concat.shape(), [1 + 3 + 1 + 2, 9, 5, 6]);
    assert_eq!(concat.axes(), ["c", "z", "y", "x"]);
    let roi = Roi::new([-240, 144, 43], [720, 96, 144]).unwrap();
    let parts: Vec<ArrayD<u32>> = sources()
        .iter()
        .map(|source| {
            let part = source.read_as::<u32>(&roi).unwrap();
            if part.ndim() == 3 { part.insert_axis(ndarray::Axis(0)) } else { part }
        })
        .collect();
    let views: Vec<_> = parts.iter().map(|part| part.view()).collect();
    let expected = ndarray::concatenate(ndarray::Axis(0), &views).unwrap();
    assert_eq!(concat.read_as::<u32>(&roi).unwrap(), expected);
}

#[test]
fn the_names_of_channels_are_those_of_all_sources_or_the_ones_given() {
    let named = |names: &[&str]| {
        let info = ArrayInfo::new(DType::U32, &["c^", "x"], &[names.len(), 3], grid(&[0], &[2]));
        let names = names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let voxels = counting(&[names.len(), 3]);
        Arc::new(
            MemoryArray::new(info.unwrap().with_channel_names(names).unwrap(), voxels).unwrap(),
        )
    };
    let both = ConcatArray::new(vec![named(&["a", "b"]), named(&["c"])]).unwrap();
    assert_eq!(both.channels().unwrap(), ["a", "b", "c"]);
    assert_eq!(both.axes(), ["c^", "x"]);
    let names = vec!["d".to_owned(), "e".to_owned()];
    let error = both.with_names(names).unwrap_err().to_string();
    assert!(error.contains("2 names for 3 channels"), "{error}");

    let info = ArrayInfo::new(DType::U32, &["x"], &[3], grid(&[0], &[2])).unwrap();
    let plain = Arc::new(MemoryArray::new(info, counting(&[3])).unwrap());
    let half_named = ConcatArray::new(vec![plain, named(&["c"])]).unwrap();
    assert_eq!(half_named.channels(), None);
    let names = vec!["d".to_owned(), "e".to_owned()];
    assert_eq!(half_named.with_names(names).unwrap().channels().unwrap(), ["d", "e"]);
}

#[test]
fn blocks_that_are_constant_in_every_source_stay_so() {
    let sparse = || Arc::new(Sparse::new(&["y", "x"], &[9, 7], &[2, 3]));
    let is_constant = |array: &dyn Array, window: &Window| {
        let mut constant = None;
        array
            .visit(window, &mut |block| {
                constant = match block {
                    Block::Constant(value) => Some(value),
                    Block::Voxels(_) => None,
                };
                Ok(())
            })
            .unwrap();
        constant
    };
    // The second block of the first row of blocks is constant, the first is not.
    let (decoded, constant) =
        (Window::new(&[0, 0], &[2, 3]).unwrap(), Window::new(&[0, 3], &[2, 3]).unwrap());
    let value = is_constant(&sparse(), &constant).unwrap();
    assert_eq!(is_constant(&sparse(), &decoded), None);
    assert_eq!(value, Scalar::U32(41));

    let concat = ConcatArray::new(vec![sparse(), sparse()]).unwrap();
    assert_eq!(is_constant(&concat, &constant), Some(value));
    assert_eq!(is_constant(&concat, &decoded), None);
    let sum = SumArray::new(vec![sparse(), sparse(), sparse()]).unwrap();
    assert_eq!(is_constant(&sum, &constant), Some(Scalar::U32(3 * 41)));
    assert_eq!(is_constant(&sum, &decoded), None);
    let any = LogicalOrArray::new(sparse()).unwrap();
    assert_eq!(is_constant(&any, &constant), Some(Scalar::U8(1)));
    let fine = ResampledArray::new(sparse(), &[3, 2], &[1, 1], Downsampling::Nearest).unwrap();
    assert_eq!(is_constant(&fine, &Window::new(&[0, 6], &[6, 6]).unwrap()), Some(value));
    assert_eq!(fine.info().block_shape(), [6, 6]);
}

#[test]
fn every_block_of_a_source_is_visited_once() {
    let sparse = Arc::new(Sparse::new(&["y", "x"], &[12, 12], &[4, 6]));
    let blocks = 3 * 2;
    let visits = |array: &dyn Array| {
        let before = sparse.visits();
        array.read(array.roi()).unwrap();
        sparse.visits() - before
    };
    assert_eq!(visits(&LogicalOrArray::new(Arc::clone(&sparse)).unwrap()), blocks);
    assert_eq!(visits(&SumArray::new(vec![Arc::clone(&sparse)]).unwrap()), blocks);
    assert_eq!(visits(&ConcatArray::new(vec![Arc::clone(&sparse)]).unwrap()), blocks);
    for method in Downsampling::ALL {
        for (up, down) in [([1, 1], [2, 3]), ([5, 2], [1, 1]), ([1, 3], [4, 1])] {
            let array = ResampledArray::new(Arc::clone(&sparse), &up, &down, method).unwrap();
            assert_eq!(visits(&array), blocks, "{up:?} up, {down:?} down, {method}");
        }
    }
    // Crops shift the blocks, and what is made of them follows.
    let crop =
        Arc::new(Arc::clone(&sparse).crop(&Roi::new([240, 240], [1440, 432]).unwrap()).unwrap());
    let fine = ResampledArray::new(crop, &[2, 1], &[1, 3], Downsampling::Mode).unwrap();
    assert_eq!(visits(&fine), blocks);
}

#[test]
fn blocks_of_an_array_that_is_made_much_larger_stay_small() {
    let large = ResampledArray::new(
        source(&["z", "y", "x"], &[8, 4, 8], &[8, 4, 8]),
        &[4, 4, 1],
        &[1, 1, 1],
        Downsampling::Nearest,
    );
    assert_eq!(large.unwrap().info().block_shape(), [32, 16, 8]);
    let info = ArrayInfo::new(DType::U8, &["y", "x"], &[4096, 4096], grid(&[0; 2], &[64; 2]));
    let info = info.unwrap().with_block_shape(&[512, 512]).unwrap();
    let zeros = AnyArray::zeros(DType::U8, &[4096, 4096]).unwrap();
    let ones = MemoryArray::new(info, zeros).unwrap();
    let huge = ResampledArray::new(ones, &[64, 64], &[1, 1], Downsampling::Nearest).unwrap();
    assert_eq!(huge.shape(), [1 << 18, 1 << 18]);
    assert!(huge.info().block_shape().iter().product::<usize>() <= 1 << 24);
}

#[test]
fn sums_keep_the_contract_and_are_right() {
    check_contract(&SumArray::new(vec![flat(&[9, 7]), flat(&[9, 7])]).unwrap());
    let with_channels = source(&["c", "y", "x"], &[3, 9, 7], &[2, 3]);
    check_contract(&SumArray::new(vec![Arc::clone(&with_channels), with_channels]).unwrap());
    let one = flat(&[9, 7]);
    let ones = Arc::new(ConstantArray::new(Arc::clone(&one), 1_u32));
    let dense = source(&["y", "x"], &[9, 7], &[4, 4]);
    let sum = SumArray::new(vec![Arc::clone(&one), ones, Arc::clone(&dense)]).unwrap();
    assert_eq!(read(&sum), read(&one) + read(&dense) + 1);
    check_contract(&sum);
}

#[test]
fn a_sum_beyond_its_type_is_an_error_that_names_the_values() {
    let of = |values: &[u8]| {
        let info = ArrayInfo::new(DType::U8, &["x"], &[values.len()], grid(&[0], &[1])).unwrap();
        MemoryArray::new(info, ArrayD::from_shape_vec(vec![values.len()], values.to_vec()).unwrap())
            .unwrap()
    };
    let sum = SumArray::new(vec![of(&[1, 200, 7]), of(&[2, 55, 8]), of(&[0, 1, 0])]).unwrap();
    let error = sum.read(sum.roi()).unwrap_err();
    assert!(matches!(error, ArrayError::SumOverflow { .. }), "{error}");
    assert!(error.to_string().starts_with("the sum 255 + 1 is beyond uint8"), "{error}");
    let ends = Roi::new([2], [1]).unwrap();
    assert_eq!(sum.read_as::<u8>(&ends).unwrap(), ndarray::array![15_u8].into_dyn());

    let constant = |value: Scalar| Arc::new(ConstantArray::new(of(&[0, 0, 0]), value));
    let sum = SumArray::new(vec![constant(200_u8.into()), constant(56_u8.into())]).unwrap();
    assert!(sum.read(sum.roi()).unwrap_err().to_string().contains("200 + 56"));
    let sum = SumArray::new(vec![constant(true.into()), constant(false.into())]).unwrap();
    assert_eq!(sum.read(sum.roi()).unwrap(), ndarray::array![true, true, true].into_dyn().into());
    let sum = SumArray::new(vec![constant(true.into()), constant(true.into())]).unwrap();
    assert!(sum.read(sum.roi()).unwrap_err().to_string().contains("true + true is beyond bool"));
    let sum = SumArray::new(vec![constant((-0.5_f32).into()), constant(0.75_f32.into())]).unwrap();
    assert_eq!(sum.read_as::<f32>(sum.roi()).unwrap(), ArrayD::from_elem(vec![3], 0.25_f32));
}

#[test]
fn sources_of_another_place_are_refused_with_both_places() {
    let at = |offset: &[i64], voxel_size: &[i64], shape: &[usize], dtype: DType| {
        let info = ArrayInfo::new(dtype, &["y", "x"], shape, grid(offset, voxel_size)).unwrap();
        Arc::new(MemoryArray::new(info, AnyArray::zeros(dtype, shape).unwrap()).unwrap()) as Source
    };
    let first = || at(&[0, 0], &[8, 4], &[3, 4], DType::U8);
    let refusal = |other: Source| {
        let concat = ConcatArray::new(vec![first(), Arc::clone(&other)]).unwrap_err().to_string();
        let sum = SumArray::new(vec![first(), first(), other]).unwrap_err().to_string();
        assert_eq!(sum, concat.replace("a concatenated array: source 1", "a sum: source 2"));
        concat
    };
    let error = refusal(at(&[8, 0], &[8, 4], &[3, 4], DType::U8));
    assert!(error.contains("has the region [8:32, 0:16] (24, 16), source 0 has [0:24"), "{error}");
    let error = refusal(at(&[0, 0], &[4, 4], &[6, 4], DType::U8));
    assert!(error.contains("voxel size (4, 4), source 0 has (8, 4)"), "{error}");
    assert!(refusal(at(&[0, 0], &[8, 4], &[3, 4], DType::U16)).contains("element type uint16"));
    let info = ArrayInfo::new(DType::U8, &["z", "x"], &[3, 4], grid(&[0, 0], &[8, 4])).unwrap();
    let voxels = || AnyArray::zeros(DType::U8, &[3, 4]).unwrap();
    let other = Arc::new(MemoryArray::new(info, voxels()).unwrap());
    assert!(refusal(other).contains(r#"spatial axes ["z", "x"]"#));
    let info = ArrayInfo::new(DType::U8, &["y", "x"], &[3, 4], grid(&[0, 0], &[8, 4])).unwrap();
    let info = info.with_unit(WorldUnit::whole(LengthUnit::Nanometer));
    let other = Arc::new(MemoryArray::new(info, voxels()).unwrap());
    assert!(refusal(other).contains("world unit nm, source 0 has unknown world unit"));

    let none = ConcatArray::<Source>::new(Vec::new()).unwrap_err();
    assert_eq!(none.to_string(), "a concatenated array needs at least one source");
    let none = SumArray::<Source>::new(Vec::new()).unwrap_err();
    assert!(matches!(none, ArrayError::NoSources { .. }), "{none}");
    let channels = source(&["c", "y", "x"], &[2, 3, 4], &[3, 3]);
    let plain = source(&["y", "x"], &[3, 4], &[3, 3]);
    let error = SumArray::new(vec![channels, plain]).unwrap_err().to_string();
    assert!(error.contains("source 1 has the shape [3, 4], source 0 has [2, 3, 4]"), "{error}");
    let two_axes = source(&["s^", "c^", "y", "x"], &[2, 2, 3, 4], &[3, 3]);
    let error = ConcatArray::new(vec![two_axes]).unwrap_err().to_string();
    assert!(error.contains(r#"channel axes ["s^", "c^"]"#), "{error}");
}

#[test]
fn a_logical_or_keeps_the_contract_and_is_right() {
    for source in sources() {
        check_contract(&LogicalOrArray::new(source).unwrap());
    }
    check_contract(&LogicalOrArray::new(source(&["s^", "c^", "y"], &[2, 3, 5], &[2])).unwrap());
    check_contract(&LogicalOrArray::new(source(&["c", "y", "x"], &[0, 5, 6], &[2, 3])).unwrap());
    let info = ArrayInfo::new(DType::I16, &["c", "x"], &[2, 4], grid(&[0], &[1])).unwrap();
    let values = ndarray::array![[0_i16, 0, 0, 300], [-3, 0, 0, 256]].into_dyn();
    let any = LogicalOrArray::new(MemoryArray::new(info, values).unwrap()).unwrap();
    check_contract(&any);
    assert_eq!(any.axes(), ["x"]);
    assert_eq!(any.read_as::<u8>(any.roi()).unwrap(), ndarray::array![1_u8, 0, 0, 1].into_dyn());
}

#[test]
fn resampled_arrays_keep_the_contract() {
    for method in Downsampling::ALL {
        for source in [
            source(&["z", "y", "x"], &[9, 5, 6], &[4, 4, 4]),
            source(&["c", "z", "y", "x"], &[2, 9, 5, 6], &[4, 4, 4]),
            Arc::new(Sparse::new(&["z", "y", "x"], &[9, 5, 6], &[4, 2, 3])),
        ] {
            for (up, down) in [([1, 1, 1], [2, 3, 2]), ([2, 2, 3], [1; 3]), ([4, 1, 1], [1, 2, 4])]
            {
                let array = ResampledArray::new(Arc::clone(&source), &up, &down, method).unwrap();
                check_contract(&array);
            }
        }
    }
    let empty = source(&["y", "x"], &[0, 5], &[2, 3]);
    check_contract(&ResampledArray::new(empty, &[2, 1], &[1, 5], Downsampling::Mode).unwrap());
}

#[test]
fn factors_that_are_not_whole_are_refused_by_axis() {
    let refusal = |up: &[usize], down: &[usize]| {
        let source = source(&["z", "y", "x"], &[9, 5, 6], &[4, 4, 4]);
        ResampledArray::new(source, up, down, Downsampling::Nearest).unwrap_err().to_string()
    };
    assert!(refusal(&[1, 1], &[1, 1, 1]).contains("upsample has 2 factors"));
    assert!(refusal(&[1; 3], &[1; 4]).contains("downsample has 4 factors"));
    assert_eq!(refusal(&[1, 0, 1], &[1; 3]), "axis y cannot be resampled: a factor is 0");
    assert!(
        refusal(&[2, 1, 1], &[3, 1, 1]).contains("axis z cannot be resampled: 2 up and 3 down")
    );
    assert!(
        refusal(&[1, 1, 5], &[1; 3]).contains("a voxel of 36 world units cannot be cut into 5")
    );
    assert!(refusal(&[1; 3], &[1, 6, 1]).contains("axis y cannot be resampled: its 5 voxels"));
    assert!(refusal(&[usize::MAX, 1, 1], &[1; 3]).contains("axis z"));
    assert!(refusal(&[1; 3], &[1, 1, usize::MAX]).contains("axis x"));
    // Both factors together are one.
    let source = source(&["y", "x"], &[8, 6], &[4, 4]);
    let array = ResampledArray::new(source, &[2, 6], &[4, 3], Downsampling::Nearest).unwrap();
    assert_eq!(array.shape(), [4, 12]);
    assert!("median".parse::<Downsampling>().unwrap_err().to_string().contains("\"median\""));
}

#[test]
fn nearest_takes_the_voxels_that_scikit_image_takes() {
    // rescale(numpy.arange(n), 1 / d, order=0, anti_aliasing=False) of scikit-image 0.26.
    let recorded: [(usize, &[u32]); 5] = [
        (2, &[1, 3, 5, 7, 9, 11]),
        (3, &[1, 4, 7, 10, 13, 16]),
        (4, &[2, 6, 10, 14, 18, 22]),
        (5, &[2, 7, 12, 17, 22, 27]),
        (7, &[3, 10, 17, 24, 31, 38]),
    ];
    for (down, expected) in recorded {
        let info = ArrayInfo::new(DType::U32, &["x"], &[6 * down], grid(&[5], &[3])).unwrap();
        let values = counting(&[6 * down]) - 1;
        let source = MemoryArray::new(info, values).unwrap();
        let array = ResampledArray::new(source, &[1], &[down], Downsampling::Nearest).unwrap();
        let found = array.read_as::<u32>(array.roi()).unwrap();
        assert_eq!(found.as_slice().unwrap(), expected, "{down}");
    }
}

#[test]
fn wrappers_of_wrappers_keep_the_contract() {
    let labels = Arc::new(Sparse::new(&["z", "y", "x"], &[9, 8, 6], &[4, 2, 3])) as Source;
    let crop = |source: &Source| -> Source {
        let roi = Roi::new([-240, 144, 43], [1680, 288, 144]).unwrap();
        Arc::new(Arc::clone(source).crop(&roi).unwrap())
    };
    let ones: Source = Arc::new(ConstantArray::new(Arc::clone(&labels), 1_u32));
    let concat: Source = Arc::new(ConcatArray::new(vec![Arc::clone(&labels), ones]).unwrap());
    let cropped = crop(&concat);
    check_contract(&cropped);
    let coarse: Source =
        Arc::new(ResampledArray::new(cropped, &[2, 1, 1], &[1, 2, 2], Downsampling::Mode).unwrap());
    check_contract(&coarse);
    let sum: Source = Arc::new(SumArray::new(vec![Arc::clone(&coarse), coarse]).unwrap());
    check_contract(&sum);
    let any: Source = Arc::new(LogicalOrArray::new(sum).unwrap());
    check_contract(&any);
    assert_eq!(any.read(any.roi()).unwrap(), ArrayD::from_elem(IxDyn(any.shape()), 1_u8).into());
}

#[test]
fn the_error_of_a_source_comes_through_every_wrapper() {
    let broken = || Arc::new(Broken::new(&["y", "x"], &[4, 4], &[2, 2])) as Source;
    let arrays: Vec<Source> = vec![
        Arc::new(ConcatArray::new(vec![flat(&[4, 4]), broken()]).unwrap()),
        Arc::new(SumArray::new(vec![flat(&[4, 4]), broken()]).unwrap()),
        Arc::new(LogicalOrArray::new(broken()).unwrap()),
        Arc::new(ResampledArray::new(broken(), &[2, 2], &[1, 1], Downsampling::Mean).unwrap()),
    ];
    for array in arrays {
        let error = array.read(array.roi()).unwrap_err();
        assert!(matches!(error, ArrayError::Source { .. }), "{}: {error}", array.kind());
    }
    let source = broken();
    let attrs = json!({"labels": []}).as_object().cloned().unwrap();
    assert_eq!(source.attrs(), &attrs);
    assert_eq!(LogicalOrArray::new(broken()).unwrap().attrs(), &attrs);
    assert!(SumArray::new(vec![broken()]).unwrap().attrs().is_empty());
}

#[test]
fn a_source_without_channels_is_not_read() {
    let plain = source(&["y", "x"], &[5, 6], &[2, 3]);
    let broken: Source = Arc::new(Broken::new(&["c", "y", "x"], &[0, 5, 6], &[2, 3]));
    let concat = ConcatArray::new(vec![Arc::clone(&plain), broken]).unwrap();
    assert_eq!(concat.sources().len(), 2);
    let mut seen = 0;
    let mut look = |_: Block<'_>| {
        seen += 1;
        Ok(())
    };
    concat.visit(&Window::full(&[2, 3]).unwrap(), &mut look).unwrap();
    assert_eq!(seen, 1);
    let found = read(&concat).index_axis_move(ndarray::Axis(0), 0);
    assert_eq!(found, read(&plain));
}

#[test]
fn a_constant_block_is_one_in_a_logical_or_where_it_is_not_zero_in_some_channel() {
    let value_of = |channels: usize, value: u16| {
        let source = source(&["c", "y", "x"], &[channels, 5, 6], &[2, 3]);
        let any = LogicalOrArray::new(ConstantArray::new(source, value)).unwrap();
        let mut seen = None;
        let mut look = |block: Block<'_>| {
            let Block::Constant(value) = block else { panic!("{block:?}") };
            seen = Some(value);
            Ok(())
        };
        any.visit(&Window::full(&[2, 3]).unwrap(), &mut look).unwrap();
        seen.unwrap()
    };
    assert_eq!(value_of(2, 256), Scalar::U8(1));
    assert_eq!(value_of(2, 0), Scalar::U8(0));
    assert_eq!(value_of(0, 256), Scalar::U8(0));
}

#[test]
fn a_sum_knows_its_sources() {
    let sum = SumArray::new(vec![flat(&[4, 4]), flat(&[4, 4])]).unwrap();
    assert_eq!(sum.sources().len(), 2);
}

#[test]
fn blocks_are_those_of_the_source_where_they_can_be() {
    let blocks = |offset: i64, up: [usize; 2], down: [usize; 2]| {
        let source = source(&["y", "x"], &[16, 16], &[4, 4]);
        let roi = Roi::new([-480 + 240 * offset, 96], [240 * 8, 48 * 16]).unwrap();
        let crop = Arc::new(source.crop(&roi).unwrap());
        let array = ResampledArray::new(crop, &up, &down, Downsampling::Mode).unwrap();
        array.info().blocks().clone()
    };
    let expect = |shape: &[usize], inside: &[usize]| {
        BlockGrid::new(shape).unwrap().behind(inside).unwrap().taking(64)
    };
    assert_eq!(blocks(0, [1, 1], [2, 2]), expect(&[2, 2], &[0, 0]));
    assert_eq!(blocks(2, [1, 1], [2, 2]), expect(&[2, 2], &[1, 0]));
    assert_eq!(blocks(2, [3, 1], [1, 4]), expect(&[12, 1], &[6, 0]));
    // Voxels of one block would come of two: the blocks are as large, and begin where the array does.
    assert_eq!(blocks(1, [1, 1], [2, 1]), expect(&[2, 4], &[0, 0]));
    // As large as a block may become, and larger.
    assert_eq!(blocks(0, [12, 12], [1, 1]).shape(), [48, 48]);
    let large = |up: usize| {
        let grid = grid(&[0, 0], &[1 << 20, 1 << 20]);
        let info = ArrayInfo::new(DType::U8, &["y", "x"], &[64, 64], grid).unwrap();
        let source = MemoryArray::new(info, ArrayD::from_elem(vec![64, 64], 0_u8)).unwrap();
        let array = ResampledArray::new(source, &[up, up], &[1; 2], Downsampling::Mode).unwrap();
        array.info().block_shape().to_vec()
    };
    assert_eq!(large(64), [4096, 4096]);
    assert_eq!(large(128).iter().product::<usize>(), 1 << 24);
}

#[test]
fn arrays_without_voxels_stay_so_and_truth_values_have_a_mode() {
    let info =
        |shape: &[usize]| ArrayInfo::new(DType::Bool, &["x"], shape, grid(&[0], &[4])).unwrap();
    let resampled = |values: &[bool]| {
        let values = ArrayD::from_shape_vec(vec![values.len()], values.to_vec()).unwrap();
        let source = MemoryArray::new(info(&[values.len()]), values).unwrap();
        let array = ResampledArray::new(source, &[1], &[3], Downsampling::Mode).unwrap();
        array.read_as::<bool>(array.roi()).unwrap().into_raw_vec_and_offset().0
    };
    assert!(resampled(&[]).is_empty());
    assert_eq!(resampled(&[true, false, true, false, true, false]), [true, false]);
    for method in Downsampling::ALL {
        assert_eq!(method.to_string().parse::<Downsampling>().unwrap(), method);
    }
}
