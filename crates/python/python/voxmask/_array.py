"""Arrays: what they are, and reading them by region or by index."""

from __future__ import annotations

import json
import operator
import os
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from voxmask import _native
from voxmask.errors import ArgumentError, OutOfBoundsError
from voxmask.geometry import Coordinate, CoordinateLike, Roi, RoiLike


class Array:
    """A volume of voxels with a place in the world, read when it is asked for.

    Regions are in world units: the coarsest decimal fraction of the declared unit in which voxel size and offset are
    integers, such as 0.01 nm for voxels of 2.62 nm (:attr:`world_unit`). Only spatial axes belong to a region. Channel
    axes come first, and a read returns all of them: its shape is ``[*channels, *roi.shape / voxel_size]``.

    Arrays are made by :func:`open_array`, :func:`from_numpy`, :class:`MissingAnnotationsMask` and
    :class:`BinarizeArray`. They can be pickled, and used in processes that were forked: both open the source again.
    """

    _make: Callable[..., Any]
    _arguments: tuple[Any, ...]
    _handle: _native.NativeArray
    _process: int
    _facts: dict[str, Any]

    def __init__(self) -> None:
        raise TypeError("arrays are made by open_array and from_numpy")

    def _begin(self, handle: _native.NativeArray, make: Callable[..., Any], *arguments: Any) -> None:
        """Sets what the engine made, and how to make it again."""
        self._handle = handle
        self._facts = handle.info()
        self._make = make
        self._arguments = arguments
        self._process = os.getpid()

    @classmethod
    def _of(cls, handle: _native.NativeArray, make: Callable[..., Any], *arguments: Any) -> Self:
        array = cls.__new__(cls)
        array._begin(handle, make, *arguments)
        return array

    @property
    def _native(self) -> _native.NativeArray:
        # Threads, connections and locks stay behind in the parent when a process forks.
        if self._process != os.getpid():
            self._renew(self._make(*self._arguments))
        return self._handle

    def _renew(self, again: Array) -> None:
        self._handle, self._process = again._handle, again._process

    def __reduce__(self) -> tuple[Any, ...]:
        return (self._make, self._arguments)

    # What it is

    @property
    def attrs(self) -> dict[str, Any]:
        """The attributes of the array; of a mask or target, those of its labels."""
        return json.loads(self._native.attrs())

    @property
    def axes(self) -> list[str]:
        """The names of all axes, channel axes first."""
        return list(self._facts["axes"])

    @property
    def axis_names(self) -> list[str]:
        """The same as :attr:`axes`, as funlib.persistence calls it."""
        return self.axes

    @property
    def dims(self) -> int:
        """The number of spatial axes."""
        return self._facts["dims"]

    @property
    def spatial_dims(self) -> int:
        """The same as :attr:`dims`."""
        return self.dims

    @property
    def channel_dims(self) -> int:
        """The number of axes that are not spatial."""
        return len(self._facts["axes"]) - self.dims

    @property
    def ndim(self) -> int:
        """The number of all axes."""
        return len(self._facts["axes"])

    @property
    def shape(self) -> tuple[int, ...]:
        """The extent of all axes in voxels, channel axes first."""
        return self._facts["shape"]

    @property
    def physical_shape(self) -> tuple[int, ...]:
        """The extent of the spatial axes, in voxels."""
        return self.shape[self.channel_dims :]

    @property
    def dtype(self) -> np.dtype[Any]:
        """The element type."""
        return np.dtype(self._facts["dtype"])

    @property
    def voxel_size(self) -> Coordinate:
        """The extent of a voxel along each spatial axis, in world units."""
        return Coordinate._of(tuple(self._facts["voxel_size"]))

    @property
    def roi(self) -> Roi:
        """The region that the array covers, in world units."""
        return Roi._of(self._facts["roi"])

    @property
    def offset(self) -> Coordinate:
        """The first corner of the array, in world units."""
        return self.roi.offset

    @property
    def world_unit(self) -> str:
        """The unit in which regions and the voxel size count, such as ``"0.01 nm"``."""
        return self._facts["world_unit"]

    @property
    def units(self) -> list[str]:
        """:attr:`world_unit` for each spatial axis, as funlib.persistence has it."""
        return [self.world_unit] * self.dims

    @property
    def unit(self) -> str:
        """The declared unit in full, such as ``"nanometer"``; ``"unknown"`` if there is none."""
        return self._facts["unit"]

    @property
    def scale(self) -> Fraction:
        """How many declared units a world unit is: 1/100 for ``"0.01 nm"``."""
        return Fraction(1, 10 ** self._facts["exponent"])

    @property
    def chunk_shape(self) -> tuple[int, ...]:
        """The blocks that are read at once, along the spatial axes, in voxels."""
        return tuple(self._facts["chunk_shape"])

    @property
    def num_channels(self) -> int | None:
        """The number of channels; ``None`` without a channel axis."""
        return self._facts["num_channels"]

    @property
    def channels(self) -> list[str] | None:
        """The names of the channels, if they have any."""
        names = self._facts["channels"]
        return None if names is None else list(names)

    @property
    def writable(self) -> bool:
        """Whether voxels can be written."""
        return self._facts["writable"]

    @property
    def data(self) -> npt.NDArray[Any]:
        """All stored voxels.

        Raises:
            VirtualArrayError: if they are computed when they are read: use ``array[array.roi]``.
        """
        return self._native.data()

    # Reading

    def __getitem__(self, key: Any) -> npt.NDArray[Any]:
        """The voxels of a region, or of an index as NumPy's.

        ``array[roi]`` takes a :class:`Roi`, or one of funlib, in world units; ``array[coordinate]`` the voxel that
        holds a point of the world. Anything else is an index in voxels along all axes: integers, slices and ``...``.

        Raises:
            OutOfBoundsError: (an ``IndexError``) for what is not in the array.
            NotAlignedError: (a ``ValueError``) for a region whose bounds are not those of voxels.
            DimsMismatchError: (a ``ValueError``) for a region with another number of axes.
        """
        if hasattr(key, "begin") and hasattr(key, "shape"):
            return self._native.read(key)
        if isinstance(key, tuple) and type(key).__name__ == "Coordinate":
            return self._voxel(key)
        return self._indexed(key)

    def to_ndarray(self, roi: RoiLike | None = None, fill_value: float | None = None) -> npt.NDArray[Any]:
        """The voxels of a region in world units, by default of all.

        Args:
            roi: the region; it must be aligned to voxels.
            fill_value: what lies outside of the array; without it, that is an error.
        """
        roi = self.roi if roi is None else roi
        if fill_value is None:
            return self._native.read(roi)
        return self._native.read_padded(roi, fill_value)

    def read(self, roi: RoiLike, out: npt.NDArray[Any] | None = None) -> npt.NDArray[Any]:
        """The voxels of a region in world units, in ``out`` if it is given.

        Args:
            roi: the region.
            out: an array of the right type and shape, of any memory order.

        Returns:
            ``out``, or a new array in C order.
        """
        if out is None:
            return self._native.read(roi)
        self._native.read_to(roi, out)
        return out

    def read_many(
        self, rois: Iterable[RoiLike], out: npt.NDArray[Any] | None = None
    ) -> npt.NDArray[Any]:
        """Regions of one shape in world units, read in parallel: of shape ``[regions, *channels, *voxels]``.

        Args:
            rois: the regions, in any order.
            out: an array of the right type and shape.
        """
        if out is None:
            return self._native.read_many(rois)
        self._native.read_many_to(rois, out)
        return out

    def read_each(self, rois: Iterable[RoiLike]) -> list[npt.NDArray[Any]]:
        """Regions of any shapes in world units, read in parallel."""
        return self._native.read_each(rois)

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> npt.NDArray[Any]:
        if copy is False:
            raise ValueError("an array that is read cannot be had without a copy")
        array = self._native.read(self.roi)
        return array if dtype is None else array.astype(dtype, copy=False)

    def _voxel(self, point: Sequence[int]) -> Any:
        index = (Coordinate(point) - self.offset) // self.voxel_size
        for axis, (at, extent) in enumerate(zip(index, self.physical_shape, strict=True)):
            if not 0 <= at < extent:
                raise OutOfBoundsError(f"{tuple(point)} is not in {self.roi} (axis {axis})")
        return self._indexed((..., *index))

    def _indexed(self, key: Any) -> npt.NDArray[Any]:
        """As NumPy's basic indexing, of which only the voxels in between are read."""
        keys = _expanded(key, self.ndim)
        channels, spatial = keys[: self.channel_dims], keys[self.channel_dims :]
        for axis, one in enumerate(channels):
            if not isinstance(one, slice):
                _in_bounds(one, self.shape[axis], axis)
        start, shape, rest = [], [], []
        for axis, (one, extent) in enumerate(zip(spatial, self.physical_shape, strict=True)):
            first, count, inside = _window(one, extent, axis + self.channel_dims)
            start.append(first)
            shape.append(count)
            rest.append(inside)
        voxels = self._native.read_window(start, shape)
        return voxels[(*channels, *rest)]

    # Changing

    def __setitem__(self, key: Any, voxels: npt.ArrayLike) -> None:
        """Writes the voxels of a region in world units.

        Raises:
            NotWritableError: (a ``ValueError``) unless it was opened with ``mode="r+"``.
        """
        self._native.write(key, _converted(voxels, self.dtype))

    def crop(self, roi: RoiLike) -> Array:
        """The part of the array inside a region in world units, which may reach beyond the array."""
        return _crop(self, Roi.like(roi))

    # Text

    def parse_roi(self, text: str) -> Roi:
        """The region that text in declared units says, such as ``"[13282.29:13806.29, 0:400, 0:400] nm"``."""
        return Roi._of(self._native.parse_roi(text))

    def format_roi(self, roi: RoiLike) -> str:
        """A region in declared units, as :meth:`parse_roi` reads it."""
        return self._native.format_roi(roi)

    # Neuroglancer

    def can_neuroglance(self) -> bool:
        """Whether Neuroglancer can show the array."""
        return self._native.can_neuroglance()

    def neuroglancer_layer(self, source: str) -> dict[str, Any]:
        """The layer that shows the array, which is served at ``source``, such as ``"zarr://http://localhost:8000"``.

        Integer labels are a segmentation, everything else an image, of several channels the first.
        """
        return json.loads(self._native.neuroglancer_layer(source))

    def neuroglancer_state(self, source: str) -> dict[str, Any]:
        """The state of a Neuroglancer viewer that shows the array, served at ``source``, and stands in its middle.

        It opens behind ``#!`` in the address of a viewer, as JSON, or in one of the package neuroglancer::

            viewer.set_state(array.neuroglancer_state("zarr://http://localhost:8000/labels"))
        """
        return json.loads(self._native.neuroglancer_state(source))

    # Bridges

    def to_dask(self, chunks: CoordinateLike | None = None) -> Any:
        """The array as one of Dask, with a task for each block; see :mod:`voxmask.dask`."""
        from voxmask.dask import from_array

        return from_array(self, chunks)

    def to_xarray(self) -> Any:
        """The array as an ``xarray.DataArray`` with physical coordinates; see :mod:`voxmask.xarray`."""
        from voxmask.xarray import from_array

        return from_array(self)

    def __repr__(self) -> str:
        name = type(self).__name__
        axes = ", ".join(f"{axis}: {extent}" for axis, extent in zip(self.axes, self.shape, strict=True))
        return f"<voxmask.{name} ({axes}) {self.dtype} {self.format_roi(self.roi)}>"


def _crop(source: Array, roi: Roi) -> Array:
    return Array._of(source._native.crop(roi), _crop, source, roi)


def _expanded(key: Any, ndim: int) -> list[Any]:
    """An entry for each axis."""
    keys = [_one(part) for part in (key if isinstance(key, tuple) else (key,))]
    if keys.count(Ellipsis) > 1:
        raise IndexError("an index can have a single ellipsis ('...')")
    if len(keys) - keys.count(Ellipsis) > ndim:
        raise IndexError(f"too many indices: the array has {ndim} axes, but {len(keys)} were indexed")
    if Ellipsis not in keys:
        keys.append(Ellipsis)
    at = keys.index(Ellipsis)
    keys[at : at + 1] = [slice(None)] * (ndim - len(keys) + 1)
    return keys


def _one(part: Any) -> Any:
    """A part of an index, with integers of all types as those of Python."""
    if part is Ellipsis or isinstance(part, slice):
        return part
    try:
        if not isinstance(part, bool):
            return operator.index(part)
    except TypeError:
        pass
    raise IndexError(f"{part!r} is not an index: integers, slices and ... are; read first for the rest")


def _window(one: Any, extent: int, axis: int) -> tuple[int, int, Any]:
    """The first voxel and the number of voxels that an index needs, and what is left of it inside of these."""
    if not isinstance(one, slice):
        return _in_bounds(one, extent, axis), 1, 0
    picked = range(*one.indices(extent))
    if not picked:
        return 0, 0, slice(0, 0)
    first, last = min(picked[0], picked[-1]), max(picked[0], picked[-1])
    inside = slice(None, None, picked.step) if len(picked) > 1 else slice(None)
    return first, last - first + 1, inside


def _in_bounds(at: int, extent: int, axis: int) -> int:
    if not -extent <= at < extent:
        raise OutOfBoundsError(f"index {at} is out of bounds for axis {axis} with size {extent}")
    return at % extent


def _converted(voxels: npt.ArrayLike, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """The same numbers as elements of another type."""
    given = np.require(voxels, requirements="A")
    with np.errstate(invalid="ignore"):
        converted = given.astype(dtype, copy=False)
    if dtype.kind != "f" and converted is not given and not np.array_equal(converted, given):
        raise ArgumentError(f"voxels of type {given.dtype} have values that are none of {dtype}")
    return converted
