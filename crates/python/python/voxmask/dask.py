"""Arrays of Dask, and masks of many crops written on a cluster.

Needs the extra ``dask``: ``pip install voxmask[dask]``.
"""

from __future__ import annotations

import operator
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import dask.array
import dask.base
import numpy as np
from dask.delayed import delayed

from voxmask._array import Array
from voxmask._masks import ChannelCount, MaskAndTarget
from voxmask._groupings import ids, plain
from voxmask._open import Crop, absolute, open_either
from voxmask.errors import ArgumentError
from voxmask.geometry import CoordinateLike

__all__ = ["from_array", "write_masks"]


def from_array(array: Array, chunks: CoordinateLike | None = None) -> dask.array.Array:
    """An array of Dask with a task for each block, which reads all channels of it at once.

    The array travels to the workers once, as the description of how it is opened; only a NumPy array goes with its
    voxels. The size of the graph does not depend on the number of blocks.

    Args:
        array: any array of this package.
        chunks: the shape of a block along the spatial axes, in voxels; by default the array's own blocks, several of
            them where they are small.

    Raises:
        ArgumentError: (a ``ValueError``) for ``chunks`` that are no positive number for each spatial axis.
    """
    spatial = _chunks(array, None if chunks is None else _positive(chunks, array))
    blocks = (*((extent,) for extent in array.shape[: array.channel_dims]), *spatial)
    return dask.array.from_array(
        array,
        chunks=blocks,
        name=f"voxmask-{dask.base.tokenize(array, blocks)}",
        # Not one that Dask knows: it would read a block once for each slice of it.
        getitem=_block,
        meta=np.empty((0,) * array.ndim, array.dtype),
    )


def _block(array: Array, where: tuple[slice, ...]) -> np.ndarray[Any, Any]:
    return array[where]


def _positive(chunks: Any, array: Array) -> list[int]:
    try:
        shape = [operator.index(extent) for extent in chunks]
    except TypeError:
        raise ArgumentError(f"chunks {chunks!r} are not a number of voxels for each spatial axis") from None
    if len(shape) != array.dims:
        raise ArgumentError(f"chunks {shape} have {len(shape)} axes, but the array has {array.dims}")
    if min(shape, default=1) < 1:
        raise ArgumentError(f"chunks {shape} are not positive")
    return shape


_BLOCK_VOXELS = 1 << 21
"""Smaller blocks are joined: a task takes about a millisecond by itself."""


def _chunks(array: Array, shape: list[int] | None) -> tuple[tuple[int, ...], ...]:
    """The extents of the blocks along each spatial axis, of which the first may be cut off as in a crop."""
    own = list(array.chunk_shape)
    inside = array._facts["chunk_inside"] if shape is None else [0] * array.dims
    if shape is None:
        shape = list(own)
        for axis in reversed(range(array.dims)):
            while np.prod(shape) * 2 <= _BLOCK_VOXELS and shape[axis] < array.physical_shape[axis]:
                shape[axis] *= 2
    cut = []
    for extent, block, first in zip(array.physical_shape, shape, inside, strict=True):
        borders = [0, *range(block - first, extent, block), extent] if extent else [0, 0]
        cut.append(tuple(stop - start for start, stop in zip(borders, borders[1:], strict=False)))
    return tuple(cut)


def write_masks(
    crops: Mapping[str | os.PathLike[str], str | os.PathLike[str]]
    | Iterable[tuple[str | os.PathLike[str], str | os.PathLike[str]]],
    groupings: Any = None,
    *,
    rule: str | None = None,
    generic_ids: Iterable[int] | None = None,
    background: int | None = None,
    classes: str | os.PathLike[str] | None = None,
    open_options: Mapping[str, Any] | None = None,
    **write_options: Any,
) -> list[Any]:
    """Masks and targets of many crops, as tasks for a cluster; ``dask.compute(*tasks)`` runs them.

    Each crop is one task. A task whose worker dies runs again on another one and goes on where it was, and so does a
    whole computation that is run again: what is complete stays as it is. Workers write to a file system that all of
    them see.

    Args:
        crops: from sources (paths or URLs of arrays of labels, or of crops) to outputs.
        groupings, rule, generic_ids, background, classes: those of :class:`voxmask.MaskAndTarget`. Crops with an array
            for each class use ``groupings`` and ``classes`` only.
        open_options: those of :func:`voxmask.open_array`.
        write_options: those of :meth:`voxmask.MaskAndTarget.write`.

    Returns:
        For each crop a task, whose result is a list of :class:`voxmask.ChannelCount`.

    Raises:
        ArgumentError: (a ``ValueError``) if two crops have the same output.
    """
    pairs = [
        (absolute(os.fspath(source)), os.path.abspath(output))
        for source, output in (crops.items() if isinstance(crops, Mapping) else crops)
    ]
    outputs = Counter(output for _, output in pairs)
    for output, times in outputs.items():
        if times > 1:
            raise ArgumentError(f"{times} crops have the same output {output}")
    # Lists that all tasks can use, and paths that mean the same in the folder of every worker.
    groupings = plain(groupings)
    making = dict(
        rule=rule,
        generic_ids=None if generic_ids is None else ids("generic_ids", generic_ids),
        background=background,
        classes=None if classes is None else os.path.abspath(classes),
    )
    options = {"existing": "continue"} | write_options
    task = delayed(_write, pure=False)
    return [
        task(source, output, groupings, making, dict(open_options or {}), options) for source, output in pairs
    ]


def _write(
    source: str,
    output: str,
    groupings: Any,
    making: dict[str, Any],
    opening: dict[str, Any],
    options: dict[str, Any],
) -> list[ChannelCount]:
    labels = open_either(source, making["classes"], opening)
    if isinstance(labels, Crop):
        making = {}
    return MaskAndTarget(labels, groupings, **making).write(output, **options)
