"""Arrays of other packages as sources."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import funlib.geometry as funlib
import numpy as np
import numpy.typing as npt
import pytest
from conftest import GROUPINGS, KEPT, LABELS, Duck, Volume
from funlib.persistence import Array as FunlibArray
from funlib.persistence import open_ds

import voxmask
from voxmask import Roi, errors

# A warning that no test expects is a bug.
pytestmark = pytest.mark.filterwarnings("error::voxmask.MetadataWarning")


def test_an_array_of_funlib_is_a_source(stored: Volume) -> None:
    source = open_ds(str(stored.path))
    assert isinstance(source, FunlibArray)
    assert not isinstance(source, voxmask.Array)
    truth = voxmask.MaskAndTarget(source, stored.groupings)
    assert truth.mask.roi == Roi(source.roi.offset, source.roi.shape)
    assert truth.mask.voxel_size == source.voxel_size
    assert truth.mask.unit == "nanometer"
    assert truth.mask.axes[1:] == ["z", "y", "x"]
    assert [channel.kept for channel in truth.decisions] == [bool(kept) for kept in KEPT["strict"]]
    roi = funlib.Roi(*stored.roi((1, 2, 3), (9, 13, 16)))
    mask, target = truth.read(roi)
    assert np.array_equal(mask, stored.mask()[:, 1:9, 2:13, 3:16])
    assert np.array_equal(target, stored.target()[:, 1:9, 2:13, 3:16])
    assert np.array_equal(voxmask.as_array(source)[roi], source[roi])


def test_an_array_of_funlib_over_numpy_is_a_source(in_memory: Volume) -> None:
    source = FunlibArray(in_memory.voxels, offset=in_memory.offset, voxel_size=in_memory.voxel_size)
    target = voxmask.BinarizeArray(source, GROUPINGS)
    assert target.roi == Roi(source.roi.offset, source.roi.shape)
    assert np.array_equal(target[target.roi], in_memory.target())


def test_any_object_that_is_read_by_region_is_a_source(in_memory: Volume) -> None:
    duck = Duck(in_memory.voxels, in_memory.voxel_size, in_memory.offset)
    with pytest.warns(voxmask.MetadataWarning, match="labels"):
        truth = voxmask.MaskAndTarget(duck, GROUPINGS)
    roi = Roi(*in_memory.roi((1, 2, 3), (9, 13, 16)))
    mask, target = truth.read(roi)
    assert np.array_equal(target, in_memory.target()[:, 1:9, 2:13, 3:16])
    assert np.array_equal(mask[0], in_memory.voxels[1:9, 2:13, 3:16] > 0)
    assert all(type(asked) is Roi and roi.contains(asked) for asked in duck.asked)


def test_attributes_and_axes_of_an_object_are_taken(in_memory: Volume) -> None:
    duck = Duck(in_memory.voxels, in_memory.voxel_size, in_memory.offset)
    duck.attrs = {"labels": LABELS, "number": np.int64(3), "list": np.array([1, 2])}  # type: ignore[attr-defined]
    duck.axis_names = ["x", "y", "z"]  # type: ignore[attr-defined]
    duck.units = ["nm", "nm", "nm"]  # type: ignore[attr-defined]
    mask = voxmask.MissingAnnotationsMask(duck, GROUPINGS)
    assert mask.axes[1:] == ["x", "y", "z"]
    assert mask.world_unit == "nm"
    assert mask.attrs["list"] == [1, 2]
    assert np.array_equal(mask[mask.roi], in_memory.mask())


def test_a_source_that_fails_is_the_cause(in_memory: Volume) -> None:
    class Failing(Duck):
        def __getitem__(self, roi: Any) -> npt.NDArray[Any]:
            raise RuntimeError("the disk is on fire")

    target = voxmask.BinarizeArray(Failing(in_memory.voxels, (8, 4, 4), (0, 0, 0)), GROUPINGS)
    for read in (lambda: target[target.roi], lambda: target.read_many([target.roi] * 3), lambda: target[0, 0]):
        with pytest.raises(errors.SourceError) as caught:
            read()
        assert isinstance(caught.value, OSError)
        cause: BaseException | None = caught.value
        while cause is not None and not isinstance(cause, RuntimeError):
            cause = cause.__cause__
        assert str(cause) == "the disk is on fire"


@pytest.mark.parametrize(
    ("give", "text"),
    [
        (lambda voxels: voxels[1:], "shape"),
        (lambda voxels: voxels.astype(np.int64), "int64"),
        (lambda voxels: None, ""),
        (lambda voxels: voxels[None], "shape"),
    ],
)
def test_a_source_that_gives_something_else_is_an_error(
    in_memory: Volume, give: Callable[[Any], Any], text: str
) -> None:
    class Wrong(Duck):
        def __getitem__(self, roi: Any) -> Any:
            return give(super().__getitem__(roi))

    target = voxmask.BinarizeArray(Wrong(in_memory.voxels, (8, 4, 4), (0, 0, 0)), GROUPINGS)
    with pytest.raises(errors.SourceError) as caught:
        target[target.roi]
    assert text in str(caught.value) + str(caught.value.__cause__)


def test_a_source_of_another_byte_order_or_memory_order_is_read(in_memory: Volume) -> None:
    class Strided(Duck):
        def __getitem__(self, roi: Any) -> npt.NDArray[Any]:
            return np.asfortranarray(super().__getitem__(roi))[::1]

    target = voxmask.BinarizeArray(Strided(in_memory.voxels, (8, 4, 4), (0, 0, 0)), GROUPINGS)
    assert np.array_equal(target[target.roi], in_memory.target())


@pytest.mark.parametrize("wrong", [5, None, object(), [1, 2], {"a": 1}])
def test_what_is_no_array_is_a_type_error(wrong: Any) -> None:
    with pytest.raises(TypeError, match="not an array"):
        voxmask.MissingAnnotationsMask(wrong, GROUPINGS)


def test_a_numpy_array_is_a_source_by_itself(in_memory: Volume) -> None:
    with pytest.warns(voxmask.MetadataWarning, match="no place"):
        target = voxmask.BinarizeArray(in_memory.voxels, GROUPINGS)
    assert target.voxel_size == (1, 1, 1)
    assert np.array_equal(target[target.roi], in_memory.target())


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
