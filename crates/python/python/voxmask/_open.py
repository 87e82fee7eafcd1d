"""Making arrays and crops."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from voxmask import _native
from voxmask._array import Array
from voxmask.errors import ArgumentError
from voxmask.geometry import Coordinate, Roi, RoiLike

Lengths = Iterable[Any]
"""One length for each spatial axis, in declared units: ``float``, ``int``, ``str`` or ``Decimal``."""


class MetadataWarning(UserWarning):
    """What metadata leave open, or say twice."""


def open_array(
    location: str | os.PathLike[str],
    dataset: str | None = None,
    *,
    scale: str | None = None,
    voxel_size: Lengths | None = None,
    offset: Lengths | None = None,
    axes: Sequence[str] | None = None,
    unit: str | None = None,
    translation: str | None = None,
    unit_voxels: bool = False,
    mode: str = "r",
    endpoint: str | None = None,
    region: str | None = None,
    anonymous: bool = False,
    timeout: float | None = None,
    retries: int | None = None,
) -> Array:
    """Opens a Zarr (version 2 or 3) or N5 array, or a scale level of an image, in a folder, a zip archive or at a URL.

    Nothing is decoded yet. What the metadata leave open, or say twice, is a :class:`MetadataWarning`.

    Args:
        location: a path, or a URL that begins with ``http://``, ``https://`` or ``s3://``.
        dataset: the path inside of it.
        scale: which level of an image is meant, by name or voxel size: ``"s1"``, ``"8nm"``. By default the finest.
        voxel_size, offset: the voxel size and the first corner of voxel 0, where they are known better than the
            metadata tell; in ``unit``, or in the finest unit of the metadata.
        axes: the names of the axes; ``"c"`` and names that end in ``"^"`` are channels.
        unit: such as ``"nm"``.
        translation: what an offset or translation in the metadata means: ``"corner"`` or ``"centre"`` of voxel 0.
        unit_voxels: whether an array without geometry gets voxels of size 1 instead of an error.
        mode: ``"r"``, or ``"r+"`` to write voxels of a local array.
        endpoint, region, anonymous: how S3 is reached; by default as the usual environment and files say.
        timeout: how many seconds a request may take.
        retries: how often one is made again that failed for a reason that may pass.

    Raises:
        NotFoundError: (a ``FileNotFoundError``) if there is nothing.
        NotZarrError, UnsupportedError, MetadataMalformedError, NoGeometryError: (each a ``ValueError``) for what is
            no array that can be read.
        StoreError: (an ``OSError``) if the file system or the server fails.
    """
    where = _joined(location, dataset)
    said = dict(
        scale=scale,
        voxel_size=_lengths(voxel_size),
        offset=_lengths(offset),
        axes=_names(axes),
        unit=unit,
        translation=translation,
        unit_voxels=unit_voxels,
        endpoint=endpoint,
        region=region,
        anonymous=anonymous,
        timeout=timeout,
        retries=retries,
    )
    if mode not in ("r", "r+"):
        raise ArgumentError(f'mode {mode!r} is not "r" or "r+"')
    said["writable"] = mode == "r+"
    opened, remarks = _native.open(where, said)
    _warn(remarks)
    return Array._of(_only_array(opened, where), _open_again, absolute(where), said)


def _open_again(where: str, said: dict[str, Any]) -> Array:
    """The same array in another process; what there is to say of it has been said."""
    opened, _ = _native.open(where, said)
    return Array._of(_only_array(opened, where), _open_again, where, said)


_OPTIONS = frozenset(
    ("scale", "voxel_size", "offset", "axes", "unit", "translation", "unit_voxels")
    + ("endpoint", "region", "anonymous", "timeout", "retries")
)


def _options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options of :func:`open_array`, as the engine takes them."""
    for name in options:
        if name not in _OPTIONS:
            raise TypeError(f"{name!r} is not an option: {', '.join(sorted(_OPTIONS))} are")
    how = {"voxel_size": _lengths, "offset": _lengths, "axes": _names}
    return {name: how[name](value) if name in how else value for name, value in options.items()}


def _only_array(opened: _native.NativeArray | _native.NativeCrop, where: str) -> _native.NativeArray:
    """The array that was opened, or that of the only class of a crop."""
    if isinstance(opened, _native.NativeArray):
        return opened
    names = opened.class_names()
    array = opened.class_array(names[0]) if len(names) == 1 else None
    if array is None:
        raise ArgumentError(f"{where} is a crop, with an array for each class: open_crop opens it")
    return array


def open_crop(
    location: str | os.PathLike[str],
    dataset: str | None = None,
    *,
    classes: str | os.PathLike[str] | None = None,
    **options: Any,
) -> Crop:
    """Opens a crop in which each class has an array of its own, as those of the CellMap challenge.

    Args:
        location: a path or URL.
        dataset: the path inside of it.
        classes: a table of classes (CSV), which says what composite classes consist of.
        options: those of :func:`open_array`, without ``mode``.

    Raises:
        MetadataMalformedError: (a ``ValueError``) for a crop whose metadata contradict each other; those of
            :func:`open_array`.
    """
    where = _joined(location, dataset)
    said = _options(options)
    said["classes"] = None if classes is None else os.path.abspath(classes)
    crop = _open_crop(where, said)
    _warn(crop._remarks)
    return crop


def _open_crop(where: str, said: dict[str, Any]) -> Crop:
    opened, remarks = _native.open(where, said)
    if not isinstance(opened, _native.NativeCrop):
        raise ArgumentError(f"{where} is an array, and no crop: open_array opens it")
    return Crop._of(opened, remarks, _open_crop, absolute(where), said)


def open_either(location: str, classes: str | os.PathLike[str] | None, options: Mapping[str, Any]) -> Array | Crop:
    """What lies at a location, whichever it is."""
    said = _options(options)
    said["classes"] = None if classes is None else os.path.abspath(classes)
    opened, remarks = _native.open(location, said)
    _warn(remarks)
    if isinstance(opened, _native.NativeCrop):
        return Crop._of(opened, remarks, _open_crop, location, said)
    return Array._of(opened, _open_again, location, said)


class Crop:
    """A crop in which each class has an array of its own; :func:`open_crop` opens one."""

    _handle: _native.NativeCrop
    _remarks: list[str]
    _make: Callable[..., Any]
    _arguments: tuple[Any, ...]
    _process: int

    def __init__(self) -> None:
        raise TypeError("crops are made by open_crop")

    @classmethod
    def _of(cls, handle: _native.NativeCrop, remarks: list[str], make: Any, *arguments: Any) -> Crop:
        crop = cls.__new__(cls)
        crop._handle = handle
        crop._remarks = remarks
        crop._make = make
        crop._arguments = arguments
        crop._process = os.getpid()
        return crop

    @property
    def _native(self) -> _native.NativeCrop:
        # Threads, connections and locks stay behind in the parent when a process forks.
        if self._process != os.getpid():
            again = self._make(*self._arguments)
            self._handle, self._process = again._handle, again._process
        return self._handle

    def __reduce__(self) -> tuple[Any, ...]:
        return (self._make, self._arguments)

    @property
    def name(self) -> str:
        """The name of its group."""
        return self._native.name()

    @property
    def attrs(self) -> dict[str, Any]:
        """The attributes of its group."""
        return json.loads(self._native.attrs())

    @property
    def class_names(self) -> list[str]:
        """The classes that have an array."""
        return self._native.class_names()

    def __getitem__(self, class_name: str) -> Array:
        """The array of a class.

        Raises:
            KeyError: if there is none.
        """
        array = self._native.class_array(class_name)
        if array is None:
            raise KeyError(f"{class_name!r} is not one of the classes {', '.join(self.class_names)}")
        return Array._of(array, _class_array, self, class_name)

    @property
    def roi(self) -> Roi:
        """The region that it covers, in world units."""
        return self[self.class_names[0]].roi

    def crop(self, roi: RoiLike) -> Crop:
        """The part of it inside a region in world units."""
        return _crop_of_crop(self, Roi.like(roi))

    def __repr__(self) -> str:
        return f"<voxmask.Crop {self.name} of {len(self.class_names)} classes>"


def _class_array(crop: Crop, class_name: str) -> Array:
    return crop[class_name]


def _crop_of_crop(crop: Crop, roi: Roi) -> Crop:
    return Crop._of(crop._native.crop(roi), [], _crop_of_crop, crop, roi)


def from_numpy(
    array: npt.NDArray[Any],
    voxel_size: Lengths | None = None,
    offset: Lengths | None = None,
    *,
    axes: Sequence[str] | None = None,
    unit: str | None = None,
    attrs: Mapping[str, Any] | None = None,
    chunk_shape: Sequence[int] | None = None,
) -> Array:
    """A NumPy array with a place in the world. It is read where it is, so that changes to it are seen.

    Args:
        array: the voxels, channels first; of any memory order.
        voxel_size: the extent of a voxel along each spatial axis; 1 by default.
        offset: the first corner of voxel 0; 0 by default.
        axes: the names of all axes; the last of ``z, y, x`` by default. ``"c"`` and names that end in ``"^"`` are
            channels.
        unit: the unit of ``voxel_size`` and ``offset``, such as ``"nm"``.
        attrs: attributes, such as ``labels``.
        chunk_shape: the blocks in which it is read, along the spatial axes.

    Raises:
        ArgumentError: (a ``ValueError``) if these do not fit together.
    """
    array = np.asarray(array)
    if not array.flags.aligned:
        raise ArgumentError("the elements of the array are not aligned in memory: only a copy of it can be read")
    said = dict(
        voxel_size=_lengths(voxel_size),
        offset=_lengths(offset),
        axes=_listed(axes),
        unit=unit,
        attrs=_attributes(attrs),
        chunk_shape=_listed(chunk_shape),
    )
    return _from_numpy(array, said)


def _from_numpy(array: npt.NDArray[Any], said: dict[str, Any]) -> Array:
    # Where it was pickled by a cluster, it lies somewhere in a message.
    array = np.require(array, requirements=["ALIGNED"])
    return Array._of(_native.from_numpy(array, said), _from_numpy, array, said)


def as_array(source: Any) -> Array:
    """An array of this package over anything that is one.

    Args:
        source: an :class:`Array`; a NumPy array; a path or URL; or any object that is read by ``source[roi]`` and has
            ``roi``, ``voxel_size``, ``dtype`` and ``shape``, such as those of funlib.persistence and DaCapo.
    """
    if isinstance(source, Array):
        return source
    if isinstance(source, (str, os.PathLike)):
        return open_array(source)
    if isinstance(source, np.ndarray):
        warnings.warn("a NumPy array has no place: voxels of size 1 from 0 on; from_numpy gives it one", MetadataWarning, 3)
        return from_numpy(source)
    if all(hasattr(source, name) for name in ("roi", "voxel_size", "dtype", "shape", "__getitem__")):
        return _from_protocol(source)
    raise TypeError(
        f"a {type(source).__name__} is not an array: it needs roi, voxel_size, dtype, shape and source[roi]"
    )


def _from_protocol(source: Any) -> Array:
    # What is no integer is refused, rather than cut off.
    voxel_size, begin = list(Coordinate(source.voxel_size)), list(Coordinate(source.roi.begin))
    axes = getattr(source, "axis_names", None) or getattr(source, "axes", None)
    said = dict(
        voxel_size=voxel_size,
        offset=begin,
        axes=None if axes is None else _axes(list(axes), len(source.shape), len(voxel_size)),
        unit=_unit(getattr(source, "units", None)),
        attrs=_attributes(getattr(source, "attrs", None)),
        chunk_shape=_chunks(source, len(voxel_size)),
    )
    return Array._of(_native.from_protocol(source, said), _from_protocol, source)


def _axes(names: list[str], ndim: int, dims: int) -> list[str]:
    """Names for all axes, of which some packages give only the spatial ones."""
    channels = ["c^"] if ndim == dims + 1 else [f"c{axis}^" for axis in range(ndim - dims)]
    return [str(name) for name in (names if len(names) == ndim else channels + names)]


def _unit(units: Any) -> str | None:
    """The one unit of all axes; none if it is unknown, or a part of a unit such as ``0.01 nm``."""
    known = {str(unit) for unit in ([units] if isinstance(units, str) else units or ()) if unit}
    if len(known) > 1:
        raise ArgumentError(f"axes with different units, {' and '.join(sorted(known))}, are not supported")
    unit = known.pop() if known else None
    return None if unit is None or " " in unit else unit


def _attributes(attrs: Any) -> str | None:
    if attrs is None:
        return None
    try:
        return json.dumps(dict(attrs), default=_plain, allow_nan=False)
    except ValueError as error:
        raise ArgumentError(f"the attributes are not JSON: {error}") from error


def _plain(value: Any) -> Any:
    """NumPy's numbers and arrays for JSON."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"the attribute {value!r} is not JSON")


def _chunks(source: Any, dims: int) -> list[int] | None:
    chunks = getattr(source, "chunk_shape", None)
    return None if chunks is None or not len(chunks) else [int(extent) for extent in chunks][-dims:]


def _joined(location: str | os.PathLike[str], dataset: str | os.PathLike[str] | None) -> str:
    where, dataset = os.fspath(location), None if dataset is None else os.fspath(dataset)
    if isinstance(where, bytes):
        raise TypeError("a path of bytes is not supported")
    if not dataset:
        return where
    if "://" not in where:
        return os.path.join(where, dataset.strip("/"))
    before, mark, query = where.partition("?")
    return f"{before.rstrip('/')}/{dataset.strip('/')}{mark}{query}"


def absolute(where: str) -> str:
    """The same place for a process that works in another folder."""
    return where if "://" in where else os.path.abspath(where)


def _lengths(values: Iterable[Any] | None) -> list[Any] | None:
    if isinstance(values, str):
        raise TypeError(f"{values!r} is not one length for each axis")
    return _listed(values)


def _names(values: Iterable[str] | None) -> list[str] | None:
    return list(values) if values is not None else None


def _listed(values: Iterable[Any] | None) -> list[Any] | None:
    return None if values is None else list(values)


def _warn(remarks: list[str]) -> None:
    for remark in remarks:
        warnings.warn(remark, MetadataWarning, stacklevel=3)
