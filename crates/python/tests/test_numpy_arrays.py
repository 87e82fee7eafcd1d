"""NumPy's arrays as sources."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from conftest import AXES, LABELS, OFFSET, SHAPE, VOXEL_SIZE, Volume

import voxmask
from voxmask import Coordinate, Roi, errors

pytestmark = pytest.mark.filterwarnings("ignore::voxmask.MetadataWarning")


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
