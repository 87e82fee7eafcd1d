"""Arrays of xarray with physical coordinates.

Needs the extra ``xarray``: ``pip install voxmask[xarray]``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray
from xarray.backends import BackendArray
from xarray.core import indexing

from voxmask._array import Array

__all__ = ["from_array"]


class _Lazy(BackendArray):
    """What xarray reads when voxels are needed."""

    def __init__(self, array: Array) -> None:
        self.array = array
        self.shape = array.shape
        self.dtype = array.dtype

    def __getitem__(self, key: Any) -> Any:
        return indexing.explicit_indexing_adapter(
            key, self.shape, indexing.IndexingSupport.BASIC, self.array.__getitem__
        )


def from_array(array: Array) -> xarray.DataArray:
    """A view of an array: nothing is read until voxels are needed.

    The coordinates of spatial axes are the centres of voxels in the declared unit, which each of them has as the
    attribute ``units``; that of a channel axis are the names of the channels.
    """
    scale = array.scale
    coords: dict[str, Any] = {}
    spatial = array.axes[array.channel_dims :]
    for axis, begin, size, extent in zip(
        spatial, array.offset, array.voxel_size, array.physical_shape, strict=True
    ):
        # Rounded once, by the division: the centres of voxels of 2.62 nm do not drift.
        first, step, divisor = 2 * begin + size, 2 * size, 2 * scale.denominator
        centres = ((first + voxel * step) * scale.numerator / divisor for voxel in range(extent))
        coords[axis] = (axis, np.fromiter(centres, float, extent), {"units": array.unit})
    if array.channels is not None:
        coords[array.axes[0]] = array.channels
    data = indexing.LazilyIndexedArray(_Lazy(array))
    return xarray.DataArray(xarray.Variable(array.axes, data), coords=coords, attrs=array.attrs)
