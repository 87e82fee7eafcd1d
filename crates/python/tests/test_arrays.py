"""Arrays: what they are, and reading and writing them."""

from __future__ import annotations

import random
import zipfile
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import funlib.geometry as funlib
import numpy as np
import numpy.typing as npt
import pytest
import zarr
from conftest import AXES, CHUNKS, LABELS, OFFSET, SHAPE, VOXEL_SIZE, Volume, attributes, some_labels

import voxmask
from voxmask import Coordinate, Roi, errors

WriteArray = Callable[..., Path]
pytestmark = pytest.mark.filterwarnings("ignore::voxmask.MetadataWarning")

# Opening


def test_an_array_is_opened_by_its_path(stored: Volume) -> None:
    array = voxmask.open_array(stored.path)
    assert np.array_equal(array[array.roi], stored.voxels)
    assert np.array_equal(voxmask.open_array(str(stored.path)).data, stored.voxels)


@pytest.mark.parametrize("dataset", ["labels/all", "/labels/all", "labels/all/"])
def test_a_dataset_is_the_path_inside_of_the_container(stored: Volume, dataset: str) -> None:
    container = stored.path.parent.parent
    assert np.array_equal(voxmask.open_array(container, dataset).data, stored.voxels)


def test_an_array_in_a_zip_archive_is_opened(stored: Volume, tmp_path: Path) -> None:
    packed = tmp_path / "crop.zarr.zip"
    container = stored.path.parent.parent
    with zipfile.ZipFile(packed, "w") as archive:
        for path in sorted(container.rglob("*")):
            archive.write(path, path.relative_to(container))
    array = voxmask.open_array(packed, "labels/all")
    assert np.array_equal(array.data, stored.voxels)
    assert array.roi == Roi(OFFSET, np.multiply(SHAPE, VOXEL_SIZE))


def test_an_array_tells_what_it_is(stored: Volume) -> None:
    array = voxmask.open_array(stored.path)
    assert array.shape == array.physical_shape == SHAPE
    assert array.ndim == array.dims == array.spatial_dims == 3
    assert array.channel_dims == 0
    assert array.axes == array.axis_names == AXES
    assert array.dtype == np.uint8
    assert isinstance(array.dtype, np.dtype)
    assert array.voxel_size == VOXEL_SIZE
    assert array.offset == OFFSET
    assert array.roi == Roi(OFFSET, (96, 80, 68))
    assert (type(array.voxel_size), type(array.offset), type(array.roi)) == (Coordinate, Coordinate, Roi)
    assert array.unit == "nanometer"
    assert array.world_unit == "nm"
    assert array.units == ["nm"] * 3
    assert array.scale == 1
    assert array.chunk_shape == CHUNKS
    assert array.num_channels is None
    assert array.channels is None
    assert array.writable is False
    assert array.attrs["labels"] == LABELS
    assert array.attrs["voxel_size"] == list(VOXEL_SIZE)


def test_the_repr_names_axes_type_and_region(stored: Volume) -> None:
    text = repr(voxmask.open_array(stored.path))
    assert text == "<voxmask.Array (z: 12, y: 20, x: 17) uint8 [80:176, -40:40, 12:80] nm>"


def test_attributes_and_axes_that_are_changed_stay_with_the_caller(stored: Volume) -> None:
    array = voxmask.open_array(stored.path)
    array.attrs["labels"].clear()
    array.axes.append("t")
    assert array.attrs["labels"] == LABELS
    assert array.axes == AXES


def test_the_caller_knows_the_geometry_better(stored: Volume) -> None:
    array = voxmask.open_array(stored.path, voxel_size=(2, 3, "4"), offset=[0, Fraction(6, 2), 8.0], unit="um")
    assert array.voxel_size == (2, 3, 4)
    assert array.offset == (0, 3, 8)
    assert array.unit == "micrometer"
    assert np.array_equal(array[array.roi], stored.voxels)


def test_lengths_with_a_fraction_give_a_finer_unit(tmp_path: Path, write_array: WriteArray) -> None:
    attrs = attributes(voxel_size=[2.62, 2, 2], offset=[13282.289999999999, 0, -5.5])
    array = voxmask.open_array(write_array(tmp_path / "a.zarr", some_labels(SHAPE), attrs))
    assert array.voxel_size == (262, 200, 200)
    assert array.offset == (1328229, 0, -550)
    assert array.world_unit == "0.01 nm"
    assert array.units == ["0.01 nm"] * 3
    assert array.unit == "nanometer"
    assert array.scale == Fraction(1, 100)
    assert array.format_roi(array.roi) == "[13282.29:13313.73, 0:40, -5.5:28.5] nm"
    assert array.parse_roi(array.format_roi(array.roi)) == array.roi
    one = array.parse_roi("[13284.91:13287.53, 2:4, -5.5:-3.5] nm")
    assert np.array_equal(array[one], array[1:2, 1:2, 0:1])


@pytest.mark.parametrize("size", ["2.62", 2.62, np.float64(2.62), Fraction(131, 50)])
def test_lengths_of_any_type_are_exact(stored: Volume, size: Any) -> None:
    if isinstance(size, Fraction):
        size = float(size)
    array = voxmask.open_array(stored.path, voxel_size=(size, 2, 2), offset=(0, 0, 0))
    assert array.voxel_size == (262, 200, 200)


def test_regions_are_parsed_in_declared_units(stored: Volume) -> None:
    array = voxmask.open_array(stored.path)
    roi = array.parse_roi("[0.08:0.096, -0.04:0, 0.012:0.02] um")
    assert roi == Roi((80, -40, 12), (16, 40, 8))
    assert array.format_roi(((80, -40, 12), (16, 40, 8))) == "[80:96, -40:0, 12:20] nm"
    for wrong in ("", "[0:1, 0:1, 0:1] parsec", "[0:0.5, 0:1, 0:1] nm", "5"):
        with pytest.raises(ValueError):
            array.parse_roi(wrong)


def test_a_scale_level_is_chosen_by_name_or_voxel_size(tmp_path: Path) -> None:
    root = zarr.create_group(store=str(tmp_path / "image.zarr"), zarr_format=2)
    datasets = []
    for level, extent in enumerate((8, 4)):
        array = root.create_array(f"s{level}", shape=(extent,) * 3, chunks=(4, 4, 4), dtype=np.uint8)
        array[...] = level + 1
        size = 4.0 * 2**level
        scale = {"type": "scale", "scale": [size] * 3}
        datasets.append({"path": f"s{level}", "coordinateTransformations": [scale]})
    axes = [{"name": axis, "type": "space", "unit": "nanometer"} for axis in AXES]
    root.attrs["multiscales"] = [{"version": "0.4", "axes": axes, "datasets": datasets}]
    path = tmp_path / "image.zarr"
    assert voxmask.open_array(path).shape == (8, 8, 8)
    for scale in ("s1", "8nm"):
        assert (voxmask.open_array(path, scale=scale).data == 2).all()
    with pytest.raises(errors.ArgumentError):
        voxmask.open_array(path, scale="s7")


def test_a_translation_is_the_centre_of_a_voxel_unless_it_is_told_otherwise(tmp_path: Path) -> None:
    root = zarr.create_group(store=str(tmp_path / "image.zarr"), zarr_format=3)
    root.create_array("s0", shape=(4, 4), chunks=(4, 4), dtype=np.uint8)
    transforms = [{"type": "scale", "scale": [4.0, 4.0]}, {"type": "translation", "translation": [10.0, 2.0]}]
    axes = [{"name": axis, "type": "space", "unit": "nanometer"} for axis in "yx"]
    datasets = [{"path": "s0", "coordinateTransformations": transforms}]
    root.attrs["ome"] = {"version": "0.5", "multiscales": [{"axes": axes, "datasets": datasets}]}
    assert voxmask.open_array(tmp_path / "image.zarr").offset == (8, 0)
    assert voxmask.open_array(tmp_path / "image.zarr", translation="corner").offset == (10, 2)
    with pytest.raises(ValueError, match="corner"):
        voxmask.open_array(tmp_path / "image.zarr", translation="middle")


def test_unit_voxels_are_taken_only_if_asked_for(tmp_path: Path, write_array: WriteArray) -> None:
    path = write_array(tmp_path / "a.zarr", some_labels((4, 5)), {})
    with pytest.raises(errors.NoGeometryError, match="voxel_size"):
        voxmask.open_array(path)
    with pytest.warns(voxmask.MetadataWarning):
        array = voxmask.open_array(path, unit_voxels=True)
    assert array.voxel_size == (1, 1)


def test_what_metadata_leave_open_is_a_warning_of_the_caller(tmp_path: Path, write_array: WriteArray) -> None:
    path = write_array(tmp_path / "a.zarr", some_labels(SHAPE), attributes(units=None))
    with pytest.warns(voxmask.MetadataWarning, match="unit") as caught:
        voxmask.open_array(path)
    assert caught[0].filename == __file__


def test_opening_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        voxmask.open_array(tmp_path / "missing.zarr", "a/b")
    assert list(tmp_path.iterdir()) == []


# Reading by region


def test_a_region_reads_the_voxels_inside(stored: Volume) -> None:
    array = voxmask.open_array(stored.path)
    expected = stored.voxels[2:7, 0:20, 5:9]
    bounds = stored.roi((2, 0, 5), (7, 20, 9))
    for roi in (Roi(*bounds), funlib.Roi(*bounds)):
        read = array[roi]
        assert np.array_equal(read, expected)
        assert read.dtype == array.dtype
        assert read.flags.c_contiguous
        assert read.flags.writeable
    for roi in (bounds, Roi(*bounds), [list(bounds[0]), list(bounds[1])]):
        if isinstance(roi, list):
            roi = tuple(roi)
        assert np.array_equal(array.to_ndarray(roi), expected)
        assert np.array_equal(array.read(roi), expected)
    assert np.array_equal(array.to_ndarray(), stored.voxels)


def test_an_unbounded_region_is_not_inside(stored: Volume) -> None:
    array = voxmask.open_array(stored.path)
    for roi in (Roi((None,) * 3, (None,) * 3), Roi((None, -40, 12), (None, 8, 4))):
        for read in (array.__getitem__, array.crop, lambda roi: array.read_many([roi])):
            with pytest.raises(errors.OutOfBoundsError):
                read(roi)


def test_an_empty_region_reads_no_voxels_wherever_it_is(stored: Volume) -> None:
    array = voxmask.open_array(stored.path)
    assert array[Roi((10**6, 0, 12), (8, 0, 8))].shape == (1, 0, 2)


@pytest.mark.parametrize("shift", [(-8, 0, 0), (0, 4, 0), (0, 0, 4 * 10**9)])
def test_a_region_outside_is_an_index_error(stored: Volume, shift: tuple[int, ...]) -> None:
    array = voxmask.open_array(stored.path)
    outside = array.roi + shift
    for read in (array.__getitem__, array.to_ndarray, array.read, lambda roi: array.read_many([roi])):
        with pytest.raises(errors.OutOfBoundsError) as caught:
            read(outside)
        assert isinstance(caught.value, IndexError)
        assert str(array.roi).split("]")[0] in str(caught.value)


def test_a_region_between_voxels_is_a_value_error(stored: Volume) -> None:
    array = voxmask.open_array(stored.path)
    for offset, shape in (((84, -40, 12), (8, 4, 4)), ((80, -40, 12), (8, 4, 6))):
        with pytest.raises(errors.NotAlignedError, match="8, 4, 4") as caught:
            array[Roi(offset, shape)]
        assert isinstance(caught.value, ValueError)


def test_a_region_of_other_dims_is_a_value_error(stored: Volume) -> None:
    array = voxmask.open_array(stored.path)
    with pytest.raises(errors.DimsMismatchError):
        array[Roi((80, -40), (8, 4))]
    with pytest.raises(ValueError):
        array.to_ndarray(((80,), (8,)))


def test_a_negative_shape_is_a_value_error(stored: Volume) -> None:
    with pytest.raises(errors.GeometryError, match="negative"):
        voxmask.open_array(stored.path).read(((80, -40, 12), (-8, 4, 4)))


def test_a_fill_value_stands_for_what_lies_outside(stored: Volume) -> None:
    array = voxmask.open_array(stored.path)
    roi = array.roi.grow((8, 4, 0), (0, 8, 12))
    expected = np.pad(stored.voxels, ((1, 0), (1, 2), (0, 3)), constant_values=99)
    assert np.array_equal(array.to_ndarray(roi, fill_value=99), expected)
    assert np.array_equal(array.to_ndarray(roi, 0), np.where(expected == 99, 0, expected))
    far = Roi((8000, 4000, 4012), (8, 8, 8))
    assert (array.to_ndarray(far, fill_value=np.uint8(7)) == 7).all()
    for wrong in (256, -1, 1.5, "a"):
        with pytest.raises((ValueError, TypeError)):
            array.to_ndarray(roi, fill_value=wrong)


def test_a_coordinate_reads_the_voxel_that_holds_it(stored: Volume) -> None:
    array = voxmask.open_array(stored.path)
    for point in (Coordinate(80, -40, 12), funlib.Coordinate(87, -37, 15)):
        assert array[point] == stored.voxels[0, 0, 0]
    assert array[Coordinate(175, 39, 79)] == stored.voxels[-1, -1, -1]
    for outside in ((79, 0, 12), (176, 0, 12), (80, 40, 12)):
        with pytest.raises(errors.OutOfBoundsError, match="axis"):
            array[Coordinate(outside)]
    with pytest.raises(errors.DimsMismatchError):
        array[Coordinate(80, -40)]


# Reading by index


def test_random_indices_answer_as_those_of_numpy(stored: Volume) -> None:
    array, generator = voxmask.open_array(stored.path), random.Random("indices")
    compared = 0
    for _ in range(600):
        key = random_key(generator, stored.voxels.shape)
        try:
            expected = stored.voxels[key]
        except IndexError:
            with pytest.raises(IndexError):
                array[key]
            continue
        read = array[key]
        assert np.shape(read) == expected.shape, key
        assert np.array_equal(read, expected), key
        assert read.dtype == expected.dtype
        compared += 1
    assert compared > 300


def random_key(generator: random.Random, shape: tuple[int, ...]) -> Any:
    def one(extent: int) -> Any:
        if generator.random() < 0.3:
            number = generator.randint(-extent, extent - 1)
            if generator.random() < 0.05:
                number += extent * generator.choice([-3, 3])
            return generator.choice([int, np.int64])(number)
        bound = lambda: generator.choice([None, generator.randint(-extent - 3, extent + 3)])  # noqa: E731
        return slice(bound(), bound(), generator.choice([None, None, 1, 2, 3, -1, -2, -50, 50]))

    dims = generator.randint(0, len(shape))
    if generator.random() < 0.4:
        before = generator.randint(0, dims)
        after = shape[len(shape) - (dims - before) :] if dims > before else ()
        return (*map(one, shape[:before]), ..., *map(one, after))
    if dims == 1 and generator.random() < 0.5:
        return one(shape[0])
    return tuple(map(one, shape[:dims]))


def test_masks_are_indexed_with_channels_first(stored: Volume) -> None:
    mask = voxmask.BinarizeArray(stored.path, stored.groupings)
    expected, generator = stored.target(), random.Random("channels")
    for _ in range(300):
        key = random_key(generator, expected.shape)
        try:
            wanted = expected[key]
        except IndexError:
            with pytest.raises(IndexError):
                mask[key]
            continue
        assert np.array_equal(mask[key], wanted), key


@pytest.mark.parametrize(
    "key",
    [12, True, np.True_, (0, 0, 17), -13, (0,) * 4, (..., ...), np.array([0, 1]), [0, 1], "a", 1.5, None, (0, None)],
)
def test_what_is_no_basic_index_inside_is_an_index_error(stored: Volume, key: Any) -> None:
    array = voxmask.open_array(stored.path)
    with pytest.raises(IndexError):
        array[key]


def test_a_step_of_zero_is_a_value_error(stored: Volume) -> None:
    with pytest.raises(ValueError, match="step"):
        voxmask.open_array(stored.path)[::0]


def test_numpy_reads_an_array_as_one_of_its_own(stored: Volume) -> None:
    array = voxmask.open_array(stored.path)
    assert np.array_equal(np.asarray(array), stored.voxels)
    assert np.asarray(array, dtype=np.int32).dtype == np.int32
    assert (np.max(array), np.array(array).sum()) == (stored.voxels.max(), stored.voxels.sum())


# Reading into arrays that are given


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_given_array_is_filled_whatever_its_memory_order(stored: Volume, order: Any) -> None:
    array = voxmask.open_array(stored.path)
    roi = Roi(*stored.roi((2, 3, 4), (11, 9, 17)))
    out = np.full((9, 6, 13), 255, np.uint8, order=order)
    assert array.read(roi, out=out) is out
    assert np.array_equal(out, stored.voxels[2:11, 3:9, 4:17])


@pytest.mark.parametrize("key", [np.s_[::2, ::2, ::2], np.s_[::-2, 1::2, ::-2], np.s_[1::2, ::-2, ::2]])
def test_a_given_view_with_gaps_is_filled_and_nothing_beside_it(stored: Volume, key: Any) -> None:
    array = voxmask.open_array(stored.path)
    around = np.full((18, 12, 26), 255, np.uint8)
    expected = around.copy()
    array.read(Roi(*stored.roi((2, 3, 4), (11, 9, 17))), out=around[key])
    expected[key] = stored.voxels[2:11, 3:9, 4:17]
    assert np.array_equal(around, expected)


@pytest.mark.parametrize(
    ("out", "error"),
    [
        (np.zeros((9, 6, 13), np.int16), ValueError),
        (np.zeros((9, 6, 12), np.uint8), ValueError),
        (np.zeros((1, 9, 6, 13), np.uint8), ValueError),
        (np.zeros((9, 6, 13), ">u2"), TypeError),
        (np.zeros((9, 6, 13), "U1"), TypeError),
        ([[0]], TypeError),
        (memoryview(b"abc"), TypeError),
    ],
)
def test_a_given_array_of_another_type_or_shape_is_refused(stored: Volume, out: Any, error: type[Exception]) -> None:
    array = voxmask.open_array(stored.path)
    with pytest.raises(error):
        array.read(Roi(*stored.roi((2, 3, 4), (11, 9, 17))), out=out)
    if isinstance(out, np.ndarray) and out.dtype.kind != "U":
        assert not out.any()


def test_a_given_array_that_cannot_be_written_is_refused(stored: Volume) -> None:
    array = voxmask.open_array(stored.path)
    out = np.zeros(SHAPE, np.uint8)
    out.flags.writeable = False
    with pytest.raises(ValueError, match="cannot be used"):
        array.read(array.roi, out=out)
    assert not out.any()


def test_many_regions_of_one_shape_are_a_batch(stored: Volume) -> None:
    array = voxmask.open_array(stored.path)
    starts = [(0, 0, 0), (7, 11, 9), (3, 5, 1), (0, 0, 0)]
    rois = [Roi(*stored.roi(start, np.add(start, (5, 9, 8)))) for start in starts]
    expected = np.stack([stored.voxels[z : z + 5, y : y + 9, x : x + 8] for z, y, x in starts])
    batch = array.read_many(rois)
    assert np.array_equal(batch, expected)
    assert batch.flags.c_contiguous
    assert np.array_equal(array.read_many(roi for roi in rois), expected)
    assert np.array_equal(array.read_many([funlib.Roi(*roi) for roi in rois]), expected)
    for order in "CF":
        out = np.full_like(expected, 255, order=order)  # type: ignore[call-overload]
        assert array.read_many(rois, out=out) is out
        assert np.array_equal(out, expected)
    for wrong in (np.zeros((3, 5, 9, 8), np.uint8), np.zeros((4, 5, 9, 8), np.uint16)):
        with pytest.raises(ValueError):
            array.read_many(rois, out=wrong)


def test_a_batch_of_several_shapes_is_refused_but_read_as_a_list(stored: Volume) -> None:
    array = voxmask.open_array(stored.path)
    windows = [((0, 0, 0), (5, 9, 8)), ((2, 2, 2), (3, 3, 17)), ((0, 0, 0), (12, 20, 17))]
    rois = [Roi(*stored.roi(start, stop)) for start, stop in windows]
    with pytest.raises(ValueError):
        array.read_many(rois)
    read = array.read_each(rois)
    assert len(read) == 3
    for voxels, (start, stop) in zip(read, windows, strict=True):
        assert np.array_equal(voxels, stored.voxels[tuple(map(slice, start, stop))])


def test_no_regions_are_an_empty_list(stored: Volume) -> None:
    array = voxmask.open_array(stored.path)
    assert array.read_each([]) == []
    assert len(array.read_many([])) == 0


def test_one_region_outside_fails_the_batch(stored: Volume) -> None:
    array = voxmask.open_array(stored.path)
    good, bad = Roi((80, -40, 12), (8, 4, 4)), Roi((72, -40, 12), (8, 4, 4))
    for read in (array.read_many, array.read_each):
        with pytest.raises(errors.OutOfBoundsError):
            read([good, bad, good])
    with pytest.raises(TypeError):
        array.read_many([good, 5])


# Crops


def test_a_crop_reads_what_its_array_reads_there(stored: Volume) -> None:
    array = voxmask.open_array(stored.path)
    crop = array.crop(Roi(*stored.roi((2, 3, 4), (11, 9, 17))))
    assert crop.shape == (9, 6, 13)
    assert crop.offset == (96, -28, 28)
    assert crop.attrs == array.attrs
    assert np.array_equal(crop[crop.roi], stored.voxels[2:11, 3:9, 4:17])
    assert np.array_equal(crop[1:3, ..., -1], stored.voxels[3:5, 3:9, 16])
    assert np.array_equal(crop.crop(((104, -28, 28), (8, 24, 4))).data, stored.voxels[3:4, 3:9, 4:5])
    with pytest.raises(errors.OutOfBoundsError):
        crop[array.roi]


def test_a_crop_reaches_no_further_than_its_array(stored: Volume) -> None:
    array = voxmask.open_array(stored.path)
    assert array.crop(array.roi.grow(80, 80)).roi == array.roi
    with pytest.raises(errors.NotAlignedError):
        array.crop(((84, -40, 12), (8, 4, 4)))
    with pytest.raises(errors.DimsMismatchError):
        array.crop(((80,), (8,)))


# Writing


def test_an_array_opened_for_writing_takes_voxels(stored: Volume) -> None:
    array = voxmask.open_array(stored.path, mode="r+")
    assert array.writable is True
    roi = Roi(*stored.roi((2, 3, 4), (11, 9, 17)))
    new = some_labels((9, 6, 13)) + 100
    array[roi] = np.asfortranarray(new)
    expected = stored.voxels.copy()
    expected[2:11, 3:9, 4:17] = new
    assert np.array_equal(array.data, expected)
    assert np.array_equal(voxmask.open_array(stored.path).data, expected)
    assert np.array_equal(zarr.open_array(str(stored.path), mode="r")[...], expected)  # type: ignore[arg-type]


def test_what_does_not_fit_is_not_written(stored: Volume) -> None:
    array = voxmask.open_array(stored.path, mode="r+")
    roi = Roi(*stored.roi((2, 3, 4), (11, 9, 17)))
    with pytest.raises(ValueError):
        array[roi] = np.zeros((9, 6, 12), np.uint8)
    with pytest.raises(errors.OutOfBoundsError):
        array[roi + (8000, 0, 0)] = np.zeros((9, 6, 13), np.uint8)
    with pytest.raises(errors.NotAlignedError):
        array[roi + (4, 0, 0)] = np.zeros((9, 6, 13), np.uint8)
    assert np.array_equal(array.data, stored.voxels)


def test_voxels_that_change_when_they_are_converted_are_not_written(stored: Volume) -> None:
    array = voxmask.open_array(stored.path, mode="r+")
    roi = Roi(*stored.roi((0, 0, 0), (1, 1, 2)))
    for wrong in ([[[300, 1]]], [[[-1, 1]]], np.array([[[1.5, 2]]])):
        with pytest.raises((ValueError, TypeError, OverflowError)):
            array[roi] = np.asarray(wrong)
    assert np.array_equal(array.data, stored.voxels)
    array[roi] = [[[7, 9]]]
    assert array[0, 0, :2].tolist() == [7, 9]


def test_an_array_opened_for_reading_takes_no_voxels(stored: Volume) -> None:
    array = voxmask.open_array(stored.path)
    with pytest.raises(errors.NotWritableError) as caught:
        array[array.roi] = stored.voxels
    assert isinstance(caught.value, ValueError)
    mask = voxmask.MissingAnnotationsMask(array, stored.groupings)
    with pytest.raises(errors.NotWritableError):
        mask[mask.roi] = stored.mask()
    with pytest.raises(errors.ArgumentError, match="mode"):
        voxmask.open_array(stored.path, mode="w")


# NumPy's arrays


def test_a_numpy_array_gets_a_place_in_the_world(in_memory: Volume) -> None:
    array = voxmask.from_numpy(in_memory.voxels, VOXEL_SIZE, OFFSET, unit="nm", attrs={"labels": LABELS})
    assert array.roi == Roi(OFFSET, (96, 80, 68))
    assert array.axes == AXES
    assert array.attrs == {"labels": LABELS}
    assert array.unit == "nanometer"
    assert np.array_equal(array[array.roi], in_memory.voxels)
    assert np.array_equal(array[3:5, ::-1], in_memory.voxels[3:5, ::-1])


def test_a_numpy_array_without_a_place_has_voxels_of_one(in_memory: Volume) -> None:
    array = voxmask.from_numpy(in_memory.voxels)
    assert array.roi == Roi((0, 0, 0), SHAPE)
    assert array.unit == "unknown"
    assert voxmask.from_numpy(in_memory.voxels[0]).axes == ["y", "x"]


def test_changes_of_a_numpy_array_are_seen(in_memory: Volume) -> None:
    voxels = in_memory.voxels.copy()
    array = voxmask.from_numpy(voxels)
    target = voxmask.BinarizeArray(array, [("new", [200])])
    assert not target[target.roi].any()
    voxels[3, 4, 5] = 200
    assert array[3, 4, 5] == 200
    assert target[0, 3, 4, 5] == 1
    assert target[target.roi].sum() == 1


@pytest.mark.parametrize(
    "change",
    [
        np.asfortranarray,
        lambda voxels: voxels[::-1],
        lambda voxels: voxels[::2, ::-3, 1::2],
        lambda voxels: voxels.transpose(2, 0, 1),
        lambda voxels: np.broadcast_to(voxels[:1], (4, *voxels.shape[1:])),
        lambda voxels: voxels[:, :0],
    ],
    ids=["fortran", "reversed", "steps", "transposed", "broadcast", "empty"],
)
def test_a_numpy_array_of_any_memory_order_is_read_in_place(
    in_memory: Volume, change: Callable[[npt.NDArray[Any]], npt.NDArray[Any]]
) -> None:
    voxels = change(in_memory.voxels)
    array = voxmask.from_numpy(voxels, voxel_size=(8, 4, 4), attrs={"labels": LABELS})
    assert np.array_equal(array.data, voxels)
    mask = voxmask.MissingAnnotationsMask(array, in_memory.groupings)
    assert np.array_equal(mask[mask.roi], Volume(voxels).mask())


@pytest.mark.parametrize("dtype", ["u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "?", "f4", "f8"])
def test_numpy_arrays_of_numbers_and_booleans_are_read(dtype: str) -> None:
    voxels = (np.arange(24).reshape(2, 3, 4) - (12 if dtype[0] == "i" else 0)).astype(dtype)
    array = voxmask.from_numpy(voxels)
    assert array.dtype == voxels.dtype
    assert np.array_equal(array.data, voxels)


@pytest.mark.parametrize("dtype", [">u2", ">i8", ">f4", "c8", "U3", "datetime64[s]", "O", "f2"])
def test_numpy_arrays_of_other_types_are_refused_by_name(dtype: str) -> None:
    with pytest.raises(TypeError, match="not supported.*byte order"):
        voxmask.from_numpy(np.zeros((2, 3), dtype))


def test_channels_of_a_numpy_array_come_first() -> None:
    voxels = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    array = voxmask.from_numpy(voxels, voxel_size=(2, 2), axes=["c^", "y", "x"])
    assert (array.num_channels, array.dims, array.channel_dims) == (2, 2, 1)
    assert np.array_equal(array[Roi((2, 0), (4, 8))], voxels[:, 1:3])
    assert np.array_equal(array[1, :, ::-1], voxels[1, :, ::-1])
    assert np.array_equal(array[Coordinate(3, 5)], voxels[:, 1, 2])
    with pytest.raises(errors.SourceHasChannelsError):
        voxmask.BinarizeArray(voxmask.from_numpy(voxels.astype(np.uint8), axes=["c^", "y", "x"]), [("a", [1])])


@pytest.mark.parametrize(
    "wrong",
    [
        dict(voxel_size=(1, 1)),
        dict(voxel_size=(0, 1, 1)),
        dict(voxel_size=(-1, 1, 1)),
        dict(offset=(0,)),
        dict(axes=["z", "y"]),
        dict(axes=["z", "z", "x"]),
        dict(unit="parsecs"),
        dict(chunk_shape=(0, 1, 1)),
        dict(chunk_shape=(1, 1)),
        dict(voxel_size=("a", 1, 1)),
        dict(voxel_size=(float("nan"), 1, 1)),
    ],
)
def test_what_does_not_fit_to_a_numpy_array_is_a_value_error(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        voxmask.from_numpy(np.zeros((2, 3, 4), np.uint8), **wrong)


def test_the_array_that_is_read_cannot_be_the_one_that_is_filled(in_memory: Volume) -> None:
    voxels = in_memory.voxels.copy()
    array = voxmask.from_numpy(voxels)
    part = Roi((0, 0, 0), (11, 20, 17))
    for out in (voxels[1:], voxels[:-1], voxels[:-1, ::-1]):
        with pytest.raises((ValueError, OSError)):
            array.read(part, out=out)
        assert np.array_equal(voxels, in_memory.voxels)
    with pytest.raises((ValueError, OSError)):
        array.read_many([array.roi], out=voxels[None])
    assert np.array_equal(voxels, in_memory.voxels)
    # Afterwards both can be used again.
    out = np.empty_like(voxels)
    array.read(array.roi, out=out)
    assert np.array_equal(array.read(array.roi, out=out), voxels)


def test_two_arrays_that_share_memory_are_not_filled_together(in_memory: Volume) -> None:
    truth = voxmask.MaskAndTarget(voxmask.from_numpy(in_memory.voxels), [("a", [3])], rule="strict")
    out = np.zeros((1, *SHAPE), np.uint8)
    with pytest.raises(ValueError, match="cannot be used"):
        truth.read(truth.mask.roi, out=(out, out))


# Errors


def test_every_error_is_one_of_the_package_and_a_built_in_one() -> None:
    classes = [one for one in vars(errors).values() if isinstance(one, type) and one is not errors.VoxmaskError]
    assert len(classes) > 20
    for one in classes:
        assert issubclass(one, voxmask.VoxmaskError)
        assert issubclass(one, (ValueError, IndexError, OSError))
        assert one.__doc__


def test_nothing_at_a_path_is_a_file_not_found_error(tmp_path: Path, stored: Volume) -> None:
    for path in (tmp_path / "missing.zarr", stored.path.parent / "other"):
        with pytest.raises(errors.NotFoundError, match=path.name) as caught:
            voxmask.open_array(path)
        assert isinstance(caught.value, FileNotFoundError)
        assert isinstance(caught.value, OSError)


def test_a_folder_without_an_array_is_a_value_error(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a.txt").write_text("no array")
    with pytest.raises(errors.NotZarrError) as caught:
        voxmask.open_array(tmp_path / "folder")
    assert isinstance(caught.value, ValueError)


def test_a_group_is_named_as_such(stored: Volume) -> None:
    with pytest.raises(ValueError, match="array"):
        voxmask.open_array(stored.path.parent)


def test_malformed_metadata_name_the_file_and_the_place(stored: Volume) -> None:
    metadata = stored.path / ("zarr.json" if stored.zarr_format == 3 else ".zarray")
    metadata.write_text('{"zarr_format": ')
    with pytest.raises(errors.MetadataMalformedError, match=metadata.name) as caught:
        voxmask.open_array(stored.path)
    assert isinstance(caught.value, ValueError)
    assert "line 1" in str(caught.value)


@pytest.mark.parametrize("voxel_size", [[0, 4, 4], [-8, 4, 4], ["a", 4, 4], [8, 4]])
def test_malformed_geometry_is_a_value_error(tmp_path: Path, write_array: WriteArray, voxel_size: Any) -> None:
    path = write_array(tmp_path / "a.zarr", some_labels(SHAPE), attributes(voxel_size=voxel_size))
    with pytest.raises(ValueError) as caught:
        voxmask.open_array(path)
    assert isinstance(caught.value, voxmask.VoxmaskError)


def test_a_codec_that_is_not_known_is_unsupported(stored: Volume) -> None:
    metadata = stored.path / ("zarr.json" if stored.zarr_format == 3 else ".zarray")
    text = metadata.read_text()
    assert "zstd" in text
    metadata.write_text(text.replace("zstd", "squeeze_it"))
    with pytest.raises(errors.UnsupportedError, match="squeeze_it"):
        voxmask.open_array(stored.path)


def test_a_corrupt_chunk_is_named(stored: Volume) -> None:
    name = "c/1/2/0" if stored.zarr_format == 3 else "1.2.0"
    chunk = stored.path / name
    chunk.write_bytes(chunk.read_bytes()[:9] + b"nonsense")
    array = voxmask.open_array(stored.path)
    assert np.array_equal(array[:5], stored.voxels[:5])
    mask = voxmask.MissingAnnotationsMask(array, stored.groupings)
    reads: list[Callable[[], Any]] = [
        lambda: array.data,
        lambda: array[5, 16, 0],
        lambda: array.read_many([array.roi]),
        lambda: mask[mask.roi],
    ]
    for read in reads:
        with pytest.raises(errors.ChunkCorruptError, match=name) as caught:
            read()
        assert isinstance(caught.value, OSError)
        assert caught.value.__cause__ is not None
    assert np.array_equal(array[:5], stored.voxels[:5])


@pytest.mark.parametrize("location", [b"a.zarr", 5, None, ["a.zarr"]])
def test_what_is_no_path_is_a_type_error(location: Any) -> None:
    with pytest.raises(TypeError):
        voxmask.open_array(location)


@pytest.mark.parametrize(
    "options",
    [
        dict(voxel_size="844"),
        dict(voxel_size=4),
        dict(axes="zy"),
        dict(unit=5),
        dict(timeout=-1),
        dict(timeout="a"),
        dict(retries=-1),
        dict(unit="parsec"),
        dict(voxel_size=(float("inf"), 4, 4)),
        dict(voxel_size=(None, 4, 4)),
        dict(voxel_size=(8, 4)),
    ],
    ids=str,
)
def test_options_that_cannot_be_meant_are_refused(volume: Volume, options: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError, OverflowError)):
        voxmask.open_array(volume.path, **options)


def test_arrays_are_not_made_by_their_class() -> None:
    with pytest.raises(TypeError, match="open_array"):
        voxmask.Array()
    with pytest.raises(TypeError, match="open_crop"):
        voxmask.Crop()


def test_a_result_that_fits_nowhere_is_an_error(stored: Volume) -> None:
    array = voxmask.open_array(stored.path)
    with pytest.raises(errors.TooLargeError):
        array.to_ndarray(Roi((80, -40, 12), (8 << 40, 4 << 40, 4 << 20)), fill_value=0)


def unaligned(shape: tuple[int, ...]) -> Any:
    """Elements of four bytes that begin at an odd address."""
    memory = np.zeros(4 * int(np.prod(shape)) + 1, np.uint8)
    return memory[1:].view(np.uint32).reshape(shape)


def test_memory_that_is_not_aligned_is_refused_or_copied() -> None:
    voxels = np.arange(8, dtype=np.uint32).reshape(2, 2, 2)
    array = voxmask.from_numpy(voxels)
    for fill in (
        lambda: array.read(array.roi, out=unaligned((2, 2, 2))),
        lambda: array.read_many([array.roi], out=unaligned((1, 2, 2, 2))),
    ):
        with pytest.raises(ValueError, match="aligned"):
            fill()

    class Unaligned:
        roi, voxel_size, dtype, shape = array.roi, array.voxel_size, array.dtype, array.shape

        def __getitem__(self, roi: Any) -> Any:
            part = unaligned((2, 2, 2))
            part[:] = voxels
            return part[roi.to_slices()]

    copied = voxmask.as_array(Unaligned())
    np.testing.assert_array_equal(copied[copied.roi], voxels)


def test_outputs_that_overlap_in_memory_are_refused() -> None:
    array = voxmask.from_numpy(np.ones((2, 3, 4), np.uint16))
    for strides in [(0, 0, 0), (2, 2, 2), (24, 8, 0)]:
        out = np.lib.stride_tricks.as_strided(np.zeros(100, np.uint16), (2, 3, 4), strides)
        with pytest.raises(ValueError, match="overlap"):
            array.read(array.roi, out=out)
    for out in (np.zeros((4, 3, 2), np.uint16).T, np.zeros((2, 3, 8), np.uint16)[:, :, ::-2]):
        np.testing.assert_array_equal(array.read(array.roi, out=out), 1)


def test_a_fill_value_is_any_number_that_the_type_has() -> None:
    floats = voxmask.from_numpy(np.ones((2,), np.float32))
    outside = Roi((0,), (3,))
    assert floats.to_ndarray(outside, fill_value=0.5)[2] == 0.5
    assert np.isnan(floats.to_ndarray(outside, fill_value=float("nan"))[2])
    integers = voxmask.from_numpy(np.ones((2,), np.uint16))
    assert integers.to_ndarray(outside, fill_value=2.0)[2] == 2
    for wrong in (0.5, -1, 1 << 16, "2"):
        with pytest.raises((ValueError, TypeError)):
            integers.to_ndarray(outside, fill_value=wrong)  # type: ignore[arg-type]


class Foreign:
    """What an array of another package has."""

    def __init__(self, voxels: Any, voxel_size: Any, begin: Any, units: Any = None) -> None:
        self.voxels, self.voxel_size, self.units = voxels, voxel_size, units
        self.dtype, self.shape = voxels.dtype, voxels.shape
        extent = [size * count for size, count in zip(voxel_size, voxels.shape, strict=True)]
        self.roi = type("Region", (), {"begin": begin, "shape": extent, "__init__": lambda s, *a: None})()

    def __getitem__(self, roi: Any) -> Any:
        return self.voxels


def test_the_geometry_of_other_packages_is_never_cut_off() -> None:
    voxels = np.ones((2, 2), np.uint8)
    with pytest.raises(TypeError, match="2.62"):
        voxmask.as_array(Foreign(voxels, (2.62, 2), (0, 0)))
    with pytest.raises(TypeError, match="13282.29"):
        voxmask.as_array(Foreign(voxels, (2, 2), (13282.29, 0)))
    foreign = Foreign(voxels, (2, 2), (0, 0))
    foreign.shape = (4, 4)
    with pytest.raises(errors.ArgumentError, match="region"):
        voxmask.as_array(foreign)


def test_the_units_of_other_packages_are_understood_or_refused() -> None:
    voxels = np.ones((2, 2), np.uint8)
    assert voxmask.as_array(Foreign(voxels, (2, 2), (0, 0), "um")).unit == "micrometer"
    assert voxmask.as_array(Foreign(voxels, (2, 2), (0, 0), ["nm", "nm"])).unit == "nanometer"
    assert voxmask.as_array(Foreign(voxels, (2, 2), (0, 0), ["0.01 nm"] * 2)).unit == "unknown"
    with pytest.raises(errors.ArgumentError, match="nm and um"):
        voxmask.as_array(Foreign(voxels, (2, 2), (0, 0), ["nm", "um"]))


def test_other_byte_orders_of_other_packages_are_read() -> None:
    voxels = np.array([[1, 256], [3, 4]], ">u2")
    array = voxmask.as_array(Foreign(voxels, (1, 1), (0, 0)))
    np.testing.assert_array_equal(array[array.roi], voxels)


def test_a_point_is_in_a_region() -> None:
    roi = Roi((0, 0), (8, 8))
    assert (3, 7) in roi
    assert (3, 8) not in roi
    assert Roi((2, 2), (2, 2)) in roi


def test_the_bridges_are_loaded_when_they_are_asked_for() -> None:
    assert voxmask.xarray.from_array is not None
    with pytest.raises(AttributeError, match="numbers"):
        voxmask.numbers  # noqa: B018


# Neuroglancer


def test_neuroglancer_is_told_where_labels_are(stored: Volume) -> None:
    array = voxmask.open_array(stored.path)
    assert array.can_neuroglance() is True
    source = "zarr://http://localhost:8000/labels/all"
    layer = array.neuroglancer_layer(source)
    assert (layer["type"], layer["source"], layer["name"]) == ("segmentation", source, "all")
    state = array.neuroglancer_state(source)
    assert state["layers"] == [layer]
    assert list(state["dimensions"].items()) == [("x", [4e-9, "m"]), ("y", [4e-9, "m"]), ("z", [8e-9, "m"])]
    assert state["position"] == [12 / 4 + 8.5, -40 / 4 + 10.5, 80 / 8 + 6.5]


def test_a_mask_is_shown_as_an_image_of_its_first_channel(stored: Volume) -> None:
    mask = voxmask.MissingAnnotationsMask(stored.path, stored.groupings)
    layer = mask.neuroglancer_layer("zarr://http://localhost:8000/mask")
    assert (layer["type"], layer["localPosition"], layer["localDimensions"]) == ("image", [0], {"c'": [1, ""]})


def test_what_neuroglancer_cannot_show_is_refused(tmp_path: Path, write_array: WriteArray) -> None:
    array = voxmask.open_array(write_array(tmp_path / "wide.zarr", np.zeros(SHAPE, np.int64)))
    assert array.can_neuroglance() is False
    for show in (array.neuroglancer_layer, array.neuroglancer_state):
        with pytest.raises(errors.ArgumentError, match="int64"):
            show("zarr://http://localhost:8000/wide")
