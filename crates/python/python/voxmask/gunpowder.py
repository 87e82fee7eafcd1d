"""A source node for Gunpowder.

Needs the extra ``gunpowder``: ``pip install voxmask[gunpowder]``.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import gcd
from typing import Any

import gunpowder as gp

from voxmask._masks import MaskAndTarget
from voxmask._open import as_array
from voxmask._world import ratio, scaled
from voxmask.errors import ArgumentError
from voxmask.geometry import Coordinate, Roi

__all__ = ["MaskSource"]


class MaskSource(gp.BatchProvider):  # type: ignore[misc]
    """Provides masks and targets, both of one pass over the labels, and any other arrays beside them.

    .. code-block:: python

        source = MaskSource(truth, mask=mask_key, target=target_key, arrays={raw_key: raw})
        pipeline = source + gp.RandomLocation() + gp.Reject(mask=mask_key, min_masked=0.15)

    Regions are in the finest world unit of all these arrays. Gunpowder wants offsets that are multiples of the voxel
    size; where those of the arrays are not, :attr:`origin` is the place that it calls 0.

    Args:
        truth: masks and targets.
        mask: the key of the mask, if it is wanted.
        target: the key of the target, if it is wanted.
        arrays: other arrays by their keys: what :func:`voxmask.as_array` takes. Those of floats and of uint8 count as
            images that may be interpolated, as in the sources of Gunpowder.
        interpolatable: what holds instead, by the key of the array.

    Raises:
        ArgumentError: (a ``ValueError``) for arrays in different units, such as nanometers and micrometers, and for
            arrays whose voxels do not meet in any place, so that no origin suits all of them.
    """

    origin: Coordinate
    """What is added to a place of Gunpowder's to have it in the world: 0 if the arrays allow it."""

    def __init__(
        self,
        truth: MaskAndTarget,
        mask: gp.ArrayKey | None = None,
        target: gp.ArrayKey | None = None,
        arrays: Mapping[gp.ArrayKey, Any] | None = None,
        interpolatable: Mapping[gp.ArrayKey, bool] | None = None,
    ) -> None:
        self.truth = truth
        self.mask_key = mask
        self.target_key = target
        self.arrays = {key: as_array(array) for key, array in (arrays or {}).items()}
        guesses = {key: array.dtype.kind == "f" or array.dtype == "uint8" for key, array in self.arrays.items()}
        self._interpolatable = guesses | dict(interpolatable or {})
        named = {mask: truth.mask, target: truth.target}
        self._all = {key: array for key, array in named.items() if key is not None} | self.arrays
        ratios = {key: ratio(array, truth.mask) for key, array in self._all.items()}
        finest = min(ratios.values(), default=Fraction(1))
        self._ratios = {key: found / finest for key, found in ratios.items()}
        self.origin = _origin({key: self._grid(key) for key in self._all})

    def setup(self) -> None:
        for key, array in self._all.items():
            roi, voxel_size = self._grid(key)
            self.provides(
                key,
                gp.ArraySpec(
                    roi=gp.Roi(tuple(roi.offset - self.origin), tuple(roi.shape)),
                    voxel_size=gp.Coordinate(tuple(voxel_size)),
                    interpolatable=self._interpolatable.get(key, False),
                    dtype=array.dtype,
                ),
            )

    def _grid(self, key: gp.ArrayKey) -> tuple[Roi, Coordinate]:
        """Region and voxel size of an array in the common world unit."""
        array, by = self._all[key], self._ratios[key]
        return scaled(array.roi, by), scaled(Roi((0,) * array.dims, array.voxel_size), by).shape

    def provide(self, request: Any) -> Any:
        batch = gp.Batch()
        wanted = {key: request[key].roi for key in self._all if key in request}
        voxels: dict[gp.ArrayKey, Any] = {}
        both = (self.mask_key, self.target_key)
        if all(key in wanted for key in both) and wanted[both[0]] == wanted[both[1]]:
            voxels = dict(zip(both, self.truth.read(self._region(both[0], wanted)), strict=True))
        for key, roi in wanted.items():
            spec = self.spec[key].copy()
            spec.roi = roi
            found = voxels[key] if key in voxels else self._all[key].read(self._region(key, wanted))
            batch[key] = gp.Array(found, spec)
        return batch

    def _region(self, key: gp.ArrayKey, wanted: Mapping[gp.ArrayKey, Any]) -> Roi:
        """What is wanted of an array, in its own world unit."""
        return scaled(Roi(wanted[key].begin, wanted[key].shape) + self.origin, 1 / self._ratios[key])


def _origin(grids: Mapping[gp.ArrayKey, tuple[Roi, Coordinate]]) -> Coordinate:
    """The first place from 0 on of which the offset of each array is multiples of its voxel size away."""
    dims = {roi.dims for roi, _ in grids.values()}
    if len(dims) > 1:
        raise ArgumentError(f"arrays with {' and '.join(map(str, sorted(dims)))} spatial axes do not share regions")
    return Coordinate(_meeting(grids, axis) for axis in range(max(dims, default=0)))


def _meeting(grids: Mapping[gp.ArrayKey, tuple[Roi, Coordinate]], axis: int) -> int:
    place, step = 0, 1
    for key, (roi, voxel_size) in grids.items():
        size = voxel_size[axis]
        common = gcd(step, size)
        steps, rest = divmod(roi.offset[axis] - place, common)
        if rest:
            raise ArgumentError(f"the voxels of {key} begin nowhere where those of the other arrays do (axis {axis})")
        # The Chinese remainder theorem.
        place += step * (steps * pow(step // common, -1, size // common) % (size // common))
        step = step // common * size
    return place
