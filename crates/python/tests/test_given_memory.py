"""Reading into memory that the caller gives."""

from __future__ import annotations

from typing import Any

import funlib.geometry as funlib
import numpy as np
import pytest
from conftest import SHAPE, Volume

import voxmask
from voxmask import Roi, errors

pytestmark = pytest.mark.filterwarnings("ignore::voxmask.MetadataWarning")


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


# NumPy's arrays


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
