"""Masks and targets."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from voxmask import _native
from voxmask._array import Array
from voxmask._groupings import Groupings, arguments, ids, whole
from voxmask._open import Crop, MetadataWarning, as_array
from voxmask.errors import ArgumentError
from voxmask.geometry import RoiLike


@dataclass(frozen=True)
class Channel:
    """Whether a channel may be trained on a crop, and why not."""

    name: str
    """The name of the channel."""
    members: tuple[str, ...]
    """Its label ids, or the names of its classes."""
    kept: bool
    """Whether it may be trained."""
    missing: tuple[str, ...]
    """Those of its members of which the crop knows nothing."""
    why: str
    """Why it is masked, or kept although something is missing; empty if there is nothing to say."""


@dataclass(frozen=True)
class CacheStats:
    """What a cache of blocks holds, and how often it had what was asked for."""

    hits: int
    misses: int
    blocks: int
    bytes: int
    max_bytes: int


class MaskAndTarget:
    """Masks and targets of the same labels and channels, each block decoded once for both.

    ``mask[c, voxel]`` is 1 where channel ``c`` may be trained: where the channel is kept (no class of it was left out
    by the annotators) and the voxel is labelled. ``target[c, voxel]`` is 1 where the voxel belongs to the channel. Both
    are uint8, of shape ``[channels, *shape of the labels]``, and computed when they are read.

    Args:
        source: labels, an array of integers without channels: an :class:`Array`, a path or URL, a NumPy array, an
            object as those of funlib.persistence; or a :class:`Crop`.
        groupings: one group for each channel: ``[("mito", [3, 4, 5]), ...]``, ``{"mito": [3, 4, 5]}``, dicts with
            ``name``, ``ids`` and ``generic_ids``, or the path of a groups file. Of a crop, names of classes; by default
            each class is a channel.
        rule: when a channel is kept. ``"strict"``: no id of it is missing. ``"generic"``: or its generic ids are not.
            ``"cnnectome"``: or its other ids are not.
        generic_ids: ids that stand for a class as a whole, in every group that has them.
        background: the label that a group without ids does not have.
        require_labels: whether labels without the attribute ``labels`` are an error; otherwise nothing counts as
            missing, with a :class:`MetadataWarning`.
        classes: a table of classes (CSV), for names of classes in groups of label ids.
        cache_bytes: how much memory the blocks may take that are kept for reads that meet them again, such as random
            patches; none are kept by default. At most :func:`voxmask.memory_limit`.

    Raises:
        GroupMalformedError, LabelsMalformedError, SourceHasChannelsError, NotLabelsError: each a ``ValueError``.
    """

    _handle: _native.NativeTruth

    def __init__(
        self,
        source: Any,
        groupings: Groupings | None = None,
        *,
        rule: str | None = None,
        generic_ids: Iterable[int] | None = None,
        background: int | None = None,
        require_labels: bool | None = None,
        classes: str | os.PathLike[str] | None = None,
        cache_bytes: int | None = None,
        _stacklevel: int = 2,
    ) -> None:
        said: dict[str, Any] = dict(arguments(groupings))
        said["cache_bytes"] = cache_bytes
        if isinstance(source, Crop):
            if said.get("groups") == "[]":
                raise ArgumentError("there is no group: leave groupings out for a channel of each class of the crop")
            given = dict(
                rule=rule, generic_ids=generic_ids, background=background,
                require_labels=require_labels, classes=classes,
            )  # fmt: skip
            for name, value in given.items():
                if value is not None:
                    raise ArgumentError(f"{name} is for arrays of labels; in a crop each class says what is known")
        else:
            source = as_array(source)
            if groupings is None:
                raise ArgumentError("labels need groupings: one group of label ids for each channel")
            said |= dict(
                rule="strict" if rule is None else rule,
                generic_ids=[] if generic_ids is None else ids("generic_ids", generic_ids),
                background=0 if background is None else whole("background", background),
                require_labels=bool(require_labels),
                classes=None if classes is None else os.path.abspath(classes),
            )
        for warning in self._make(source, said):
            warnings.warn(warning, MetadataWarning, stacklevel=_stacklevel)

    def _make(self, source: Any, said: dict[str, Any]) -> list[str]:
        self._source, self._said, self._process = source, said, os.getpid()
        if isinstance(source, Crop):
            self._handle = _native.NativeTruth.crop(source._native, said)
            return []
        self._handle, remarks = _native.NativeTruth.labels(source._native, said)
        return remarks

    @property
    def _native(self) -> _native.NativeTruth:
        # Threads, connections and locks stay behind in the parent when a process forks.
        if self._process != os.getpid():
            self._make(self._source, self._said)
        return self._handle

    def __reduce__(self) -> tuple[Any, ...]:
        return (_again, (self._source, self._said))

    @property
    def source(self) -> Array | Crop:
        """The labels."""
        return self._source

    @property
    def mask(self) -> MissingAnnotationsMask:
        """The mask alone."""
        return _mask(self)

    @property
    def target(self) -> BinarizeArray:
        """The target alone."""
        return _target(self)

    @property
    def decisions(self) -> list[Channel]:
        """For each channel, whether it may be trained, and why not."""
        return [
            Channel(name, tuple(members), kept, tuple(missing), why)
            for name, members, kept, missing, why in self._native.channels()
        ]

    @property
    def cache_stats(self) -> CacheStats | None:
        """What the cache holds; ``None`` without ``cache_bytes``."""
        stats = self._native.cache_stats()
        return None if stats is None else CacheStats(*stats)

    def read(
        self,
        roi: RoiLike,
        out: tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]] | None = None,
    ) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
        """Mask and target of a region in world units, in one pass over the labels.

        Args:
            roi: the region.
            out: two arrays of the right shape, for mask and target.

        Returns:
            Mask and target, each of shape ``[channels, *roi.shape / voxel_size]``.
        """
        if out is None:
            return self._native.read_pair(roi)
        self._native.read_pair_to(roi, *out)
        return out

    def __getitem__(self, roi: RoiLike) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
        return self.read(roi)

    def crop(self, roi: RoiLike) -> MaskAndTarget:
        """The part inside a region in world units."""
        return _again(self._source.crop(roi), self._said)

    def write(
        self,
        output: str | os.PathLike[str],
        *,
        targets: bool = True,
        levels: int = 1,
        chunk_shape: Sequence[int] | None = None,
        shard_shape: Sequence[int] | None = None,
        codec: str = "zstd:3",
        zarr_format: int = 3,
        mask_levels: str = "all",
        target_levels: str = "mode",
        existing: str = "refuse",
    ) -> list[ChannelCount]:
        """Writes masks, and targets, as OME-NGFF images ``mask/s0`` and ``target/s0``, block by block.

        The output appears whole or not at all. A run that was interrupted, or killed, is resumed by
        ``existing="resume"``.

        Args:
            output: the path of the container; the folder that holds it must exist.
            targets: whether targets are written.
            levels: the number of scale levels.
            chunk_shape, shard_shape: in voxels, along the spatial axes.
            codec: ``zstd``, ``blosc-lz4``, ``gzip``, each with a level as ``zstd:3``, or ``none``.
            zarr_format: 2 or 3.
            mask_levels: ``"all"``, ``"any"`` or ``"mean"`` of the voxels that one of a later level covers.
            target_levels: ``"mode"`` or ``"mean"`` of them.
            existing: what happens to an output that is there: ``"refuse"``, ``"overwrite"``, ``"resume"`` (an
                unfinished one; a complete one stays as it is), or ``"continue"``: resume if there is something.

        Returns:
            What each channel has in the first level.

        Raises:
            OutputExistsError: (a ``FileExistsError``) if something is there that may not be replaced.
            KeyboardInterrupt: after what has been written down, which can be resumed.
        """
        said = dict(
            targets=targets, levels=levels, chunk_shape=chunk_shape, shard_shape=shard_shape, codec=codec,
            zarr_format=zarr_format, mask_levels=mask_levels, target_levels=target_levels, existing=existing,
            provenance="{}",
        )  # fmt: skip
        _, voxels, known, positive, _ = _native.write(self._native, os.fspath(output), said)
        return [
            ChannelCount(channel.name, channel.kept, voxels, known[index], positive[index])
            for index, channel in enumerate(self.decisions)
        ]

    def __repr__(self) -> str:
        names = ", ".join(channel.name for channel in self.decisions)
        return f"<voxmask.MaskAndTarget of the channels {names}>"


@dataclass(frozen=True)
class ChannelCount:
    """How many voxels a channel has."""

    name: str
    """The name of the channel."""
    kept: bool
    """Whether it may be trained."""
    voxels: int
    """All voxels."""
    known: int
    """Those that may be trained."""
    positive: int
    """Those that belong to the channel, known or not."""


class MissingAnnotationsMask(Array):
    """For each channel and voxel, 1 where the ground truth may be trusted, 0 where it may not.

    uint8, of shape ``[channels, *shape of the labels]``, computed when it is read. The arguments are some of those of
    :class:`MaskAndTarget`.

    >>> mask = MissingAnnotationsMask("crop.zarr/labels/all", [("mito", [3, 4, 5]), ("er", [16, 17])])  # doctest: +SKIP
    >>> known = mask[mask.roi]  # doctest: +SKIP
    """

    def __init__(
        self,
        source: Any,
        groupings: Groupings | None = None,
        *,
        rule: str | None = None,
        generic_ids: Iterable[int] | None = None,
        require_labels: bool | None = None,
        classes: str | os.PathLike[str] | None = None,
        cache_bytes: int | None = None,
    ) -> None:
        truth = MaskAndTarget(
            source, groupings, rule=rule, generic_ids=generic_ids, require_labels=require_labels,
            classes=classes, cache_bytes=cache_bytes, _stacklevel=3,
        )  # fmt: skip
        self._show(truth)

    def _show(self, truth: MaskAndTarget) -> None:
        self._truth = truth
        self._begin(truth._native.mask(), _mask, truth)

    @property
    def decisions(self) -> list[Channel]:
        """For each channel, whether it may be trained, and why not."""
        return self._truth.decisions

    @property
    def source(self) -> Array | Crop:
        """The labels."""
        return self._truth.source

    @property
    def cache_stats(self) -> CacheStats | None:
        """What the cache holds; ``None`` without ``cache_bytes``."""
        return self._truth.cache_stats

    def crop(self, roi: RoiLike) -> MissingAnnotationsMask:
        """The part of the mask inside a region in world units; it has a cache of its own."""
        return self._truth.crop(roi).mask

    def read_factored(self, roi: RoiLike) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
        """What all channels have in common, and what each has of its own: ``mask[c] == foreground * kept[c]``.

        It takes a fraction of the memory and time of a read.

        Returns:
            The foreground, of the shape of the labels, and for each channel whether it is kept.

        Raises:
            ArgumentError: for the mask of a crop, whose channels have nothing in common.
        """
        factors = self._truth._native.read_factored(roi)
        if factors is None:
            raise ArgumentError("the mask of a crop has no factors: its channels differ voxel by voxel")
        foreground, kept = factors
        return foreground, np.array(kept, dtype=bool)


class BinarizeArray(Array):
    """For each channel and voxel, 1 where the label is one of the channel's, 0 where it is not.

    uint8, of shape ``[channels, *shape of the labels]``, computed when it is read. A group without ids has every label
    but ``background``, which is 0 by default. The arguments are some of those of :class:`MaskAndTarget`.
    """

    def __init__(
        self,
        source: Any,
        groupings: Groupings | None = None,
        background: int | None = None,
        *,
        classes: str | os.PathLike[str] | None = None,
        cache_bytes: int | None = None,
    ) -> None:
        if isinstance(source, Crop):
            truth = MaskAndTarget(
                source, groupings, background=background, classes=classes, cache_bytes=cache_bytes
            )
            self._begin(truth._native.target(), _target, truth)
            return
        if groupings is None:
            raise ArgumentError("labels need groupings: one group of label ids for each channel")
        said: dict[str, Any] = arguments(groupings) | dict(
            background=0 if background is None else whole("background", background),
            classes=None if classes is None else os.path.abspath(classes),
            cache_bytes=cache_bytes,
        )
        labels = as_array(source)
        handle, remarks = _native.binarize(labels._native, said)
        self._begin(handle, _binarize, labels, said)
        for remark in remarks:
            warnings.warn(remark, MetadataWarning, stacklevel=2)


def _again(source: Any, said: dict[str, Any]) -> MaskAndTarget:
    """The same, in another process."""
    pair = MaskAndTarget.__new__(MaskAndTarget)
    pair._make(source, said)
    return pair


def _mask(truth: MaskAndTarget) -> MissingAnnotationsMask:
    mask = MissingAnnotationsMask.__new__(MissingAnnotationsMask)
    mask._show(truth)
    return mask


def _target(truth: MaskAndTarget) -> BinarizeArray:
    return BinarizeArray._of(truth._native.target(), _target, truth)


def _binarize(labels: Array, said: dict[str, Any]) -> BinarizeArray:
    """The same, in another process."""
    return BinarizeArray._of(_native.binarize(labels._native, said)[0], _binarize, labels, said)
