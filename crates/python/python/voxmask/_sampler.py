"""Drawing patches in which enough is known."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any

from voxmask import _native
from voxmask._array import Array
from voxmask._groupings import whole
from voxmask._masks import MaskAndTarget
from voxmask.geometry import Roi, RoiLike


class ValidSampler:
    """Draws patches of a mask in which enough is known, each equally likely.

    Every draw takes one of all positions, aligned to voxels, at which at least a share ``min_known`` of the values of
    the patch (over the channels that count, and all voxels) is 1: exactly, not only by the voxel in its middle. Making
    a sampler reads the mask once; memory is far below that of the volume.

    It is an endless iterator. The same seed draws the same patches on every machine.

    >>> sampler = ValidSampler(mask, (64, 64, 64), min_known=0.15, seed=1)  # doctest: +SKIP
    >>> batch = mask.read_many([next(sampler) for _ in range(16)])  # doctest: +SKIP

    Args:
        mask: a mask, or masks and targets.
        shape: the shape of a patch along the spatial axes, in voxels.
        min_known: the least share of known values, from 0 (any patch) to 1.
        channels: the channels that count, by name or index; by default all.
        seed: where the sequence begins.
        max_bytes: how much memory may be used; 128 MiB by default.

    Raises:
        NothingQualifiesError: (a ``ValueError``) at once, if there is no such position.
        ArgumentError: (a ``ValueError``) for options that do not fit the mask.
    """

    def __init__(
        self,
        mask: Array | MaskAndTarget,
        shape: Sequence[int],
        min_known: float = 0.15,
        channels: Sequence[str | int] | None = None,
        seed: int = 0,
        max_bytes: int | None = None,
    ) -> None:
        self.mask: Array = mask.mask if isinstance(mask, MaskAndTarget) else mask
        if not isinstance(self.mask, Array):
            raise TypeError(f"a {type(mask).__name__} is not a mask: MissingAnnotationsMask and MaskAndTarget are")
        self._said = dict(
            shape=[whole("shape", extent) for extent in shape],
            min_known=float(min_known),
            channels=None if channels is None else [str(channel) for channel in channels],
            seed=whole("seed", seed),
            max_bytes=max_bytes,
        )
        self._drawn = 0
        self._counted_at: int | None = None
        self._begin()

    def _begin(self) -> None:
        self._handle = _native.NativeSampler(self.mask._native, self._said)
        self._process = os.getpid()

    @property
    def _native(self) -> _native.NativeSampler:
        # In a forked process, the sequence goes on where it was in the parent.
        if self._process != os.getpid():
            self._begin()
            self._repeat()
        return self._handle

    def _repeat(self) -> None:
        """Draws again what was drawn before."""
        if self._counted_at is not None:
            self._handle.draw(self._counted_at)
            self._handle.num_valid()
        self._handle.draw(self._drawn - (self._counted_at or 0))

    def __reduce__(self) -> tuple[Any, ...]:
        return (_again, (self.mask, self._said, self._drawn, self._counted_at))

    def draw(self) -> Roi:
        """A patch, as a region in world units."""
        return self.draw_many(1)[0]

    def draw_many(self, count: int) -> list[Roi]:
        """Several patches, of which some may be the same."""
        drawn = [Roi._of(pair) for pair in self._native.draw(count)]
        self._drawn += count
        return drawn

    def __iter__(self) -> Iterator[Roi]:
        return self

    def __next__(self) -> Roi:
        return self.draw()

    @property
    def num_positions(self) -> int:
        """The number of all positions, valid or not."""
        return self._native.num_positions()

    def num_valid(self) -> int:
        """The number of positions at which enough is known; it may take several times as long as reading the mask.

        Later draws are others than without this call, as likely as before.
        """
        found = self._native.num_valid()
        self._counted_at = self._drawn if self._counted_at is None else self._counted_at
        return found

    def known_fraction(self, roi: RoiLike) -> float:
        """The share of known values in a patch."""
        known, values = self._native.known_values(roi)
        return known / values


def _again(mask: Array, said: dict[str, Any], drawn: int, counted_at: int | None) -> ValidSampler:
    """The same, in another process, at the same place of its sequence."""
    sampler = ValidSampler.__new__(ValidSampler)
    sampler.mask, sampler._said, sampler._drawn, sampler._counted_at = mask, said, drawn, counted_at
    sampler._begin()
    sampler._repeat()
    return sampler
