"""Writing voxels into stored arrays."""

from __future__ import annotations

import numpy as np
import pytest
import zarr
from conftest import Volume, some_labels

import voxmask
from voxmask import Roi, errors

pytestmark = pytest.mark.filterwarnings("ignore::voxmask.MetadataWarning")


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
