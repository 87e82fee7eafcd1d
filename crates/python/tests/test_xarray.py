"""Arrays as those of xarray, with physical coordinates."""

from __future__ import annotations

import pickle
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
import voxmask

SHAPE = (5, 400, 7)
ATTRS = {"note": "kept", "list": [1, 2]}

pytestmark = pytest.mark.filterwarnings("ignore::voxmask.MetadataWarning")


def labels() -> voxmask.Array:
    voxels = (np.arange(np.prod(SHAPE)).reshape(SHAPE) % 251).astype(np.uint8)
    return voxmask.from_numpy(voxels, ("8", "2.62", "4"), ("-80", "13282.29", "0"), unit="nm", attrs=ATTRS)


class Counting:
    """Labels in memory that count how many of their voxels were read."""

    voxel_size = (8, 4, 4)
    roi = voxmask.Roi((80, -40, 12), (40, 32, 28))
    shape = (5, 8, 7)
    dtype = np.dtype("uint8")

    def __init__(self) -> None:
        self.voxels = np.arange(280, dtype=np.uint8).reshape(self.shape)
        self.read = 0

    def __getitem__(self, roi: Any) -> np.ndarray[Any, Any]:
        voxels = self.voxels[((roi - self.roi.begin) / self.voxel_size).to_slices()]
        self.read += voxels.size
        return voxels


def test_it_has_the_voxels_axes_and_attributes_of_the_array() -> None:
    array = labels()
    view = array.to_xarray()
    assert view.dims == ("z", "y", "x")
    assert (view.shape, view.dtype) == (array.shape, array.dtype)
    assert view.attrs == ATTRS
    np.testing.assert_array_equal(view.values, array[array.roi])


def test_coordinates_are_the_exact_centres_of_voxels() -> None:
    view = labels().to_xarray()
    for axis, size, offset in [("z", "8", "-80"), ("y", "2.62", "13282.29"), ("x", "4", "0")]:
        extent = view.sizes[axis]
        centres = [Decimal(offset) + Decimal(size) * (2 * voxel + 1) / 2 for voxel in range(extent)]
        assert view[axis].values.tolist() == [float(centre) for centre in centres]
        assert view[axis].attrs == {"units": "nanometer"}
    # Adding up 2.62 in floats would have drifted.
    assert view["y"].values.tolist() != (np.cumsum(np.full(SHAPE[1], 2.62)) + 13282.29 - 1.31).tolist()


def test_channels_are_found_by_name() -> None:
    truth = voxmask.MaskAndTarget(labels(), [("mito", [3, 4]), ("er", [16])])
    view = truth.target.to_xarray()
    channel = truth.target.axes[0]
    assert view.dims == (channel, "z", "y", "x")
    assert view[channel].values.tolist() == ["mito", "er"]
    np.testing.assert_array_equal(view.sel({channel: "er"}).values, truth.target[1])


def test_a_channel_axis_without_names_has_no_coordinate() -> None:
    view = voxmask.from_numpy(np.arange(24).reshape(2, 3, 4), axes=["c", "y", "x"]).to_xarray()
    assert view.dims == ("c", "y", "x") and "c" not in view.coords
    assert view["x"].attrs == {"units": "unknown"}
    assert view["x"].values.tolist() == [0.5, 1.5, 2.5, 3.5]


def test_nothing_is_read_until_voxels_are_needed() -> None:
    source = Counting()
    view = voxmask.as_array(source).to_xarray()
    part = view.isel(z=2).isel(y=slice(1, 4))
    assert "280" not in repr(part) and view.sizes == {"z": 5, "y": 8, "x": 7}
    assert source.read == 0
    np.testing.assert_array_equal(part.values, source.voxels[2, 1:4])
    assert source.read == 3 * 7


def test_what_is_loaded_is_not_read_again() -> None:
    source = Counting()
    view = voxmask.as_array(source).to_xarray().load()
    assert source.read == 280
    assert int(view.sum()) == source.voxels.sum()
    assert source.read == 280


@pytest.mark.parametrize(
    "key",
    [
        dict(z=0),
        dict(z=-1, x=3),
        dict(z=slice(None, None, -1)),
        dict(y=slice(10, 300, 7), x=slice(5, 1, -2)),
        dict(z=slice(3, 3)),
        dict(z=[4, 0, 0], y=slice(3, 9)),
        dict(z=[1, 2], x=[6, 0, 3]),
        dict(x=np.array([True, False, True, False, False, False, True])),
    ],
)
def test_indices_are_those_of_xarray(key: dict[str, Any]) -> None:
    view = labels().to_xarray()
    loaded = view.copy(data=view.values)
    found = view.isel(key)
    np.testing.assert_array_equal(found.values, loaded.isel(key).values)
    np.testing.assert_array_equal(found["x"].values, loaded.isel(key)["x"].values)


def test_voxels_one_by_one_can_be_picked() -> None:
    import xarray

    view = labels().to_xarray()
    z, y = xarray.DataArray([0, 4, 2], dims="point"), xarray.DataArray([399, 0, 17], dims="point")
    np.testing.assert_array_equal(view.isel(z=z, y=y).values, view.values[[0, 4, 2], [399, 0, 17]])


def test_places_in_the_world_are_found() -> None:
    array = labels()
    view = array.to_xarray()
    # Voxel 5 of the axis y reaches from 13295.39 nm to 13298.01 nm.
    np.testing.assert_array_equal(view.sel(y=13297.9, method="nearest").values, array[:, 5])
    np.testing.assert_array_equal(view.sel(y=slice(13295.39, 13303.25)).values, array[:, 5:8])
    np.testing.assert_array_equal(view.sel(z=-76).values, array[0])


def test_it_can_be_pickled_and_split_for_dask() -> None:
    view = labels().to_xarray()
    xarray_equal = pickle.loads(pickle.dumps(view))
    assert xarray_equal.identical(view)
    lazy = view.chunk({"y": 100})
    assert lazy.chunks == ((5,), (100,) * 4, (7,))
    np.testing.assert_array_equal(lazy.compute().values, view.values)


def test_an_array_without_voxels_has_a_view() -> None:
    view = voxmask.from_numpy(np.zeros((0, 4), np.uint8)).to_xarray()
    assert view.values.shape == (0, 4)
