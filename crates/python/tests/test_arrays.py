"""Arrays: reading them by region and by index."""

from __future__ import annotations

import random
from typing import Any

import funlib.geometry as funlib
import numpy as np
import pytest
from conftest import Volume

import voxmask
from voxmask import Coordinate, Roi, errors

pytestmark = pytest.mark.filterwarnings("ignore::voxmask.MetadataWarning")


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


# Errors


def test_a_result_that_fits_nowhere_is_an_error(stored: Volume) -> None:
    array = voxmask.open_array(stored.path)
    with pytest.raises(errors.TooLargeError):
        array.to_ndarray(Roi((80, -40, 12), (8 << 40, 4 << 40, 4 << 20)), fill_value=0)


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
