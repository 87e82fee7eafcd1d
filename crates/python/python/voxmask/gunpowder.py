"""A source node for Gunpowder.

Needs the extra ``gunpowder``: ``pip install voxmask[gunpowder]``.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import gunpowder as gp

from voxmask._masks import MaskAndTarget
from voxmask._open import as_array
from voxmask._world import ratio, scaled
from voxmask.geometry import Roi

__all__ = ["MaskSource"]


class MaskSource(gp.BatchProvider):  # type: ignore[misc]
    """Provides masks and targets, both of one pass over the labels, and any other arrays beside them.

    .. code-block:: python

        source = MaskSource(truth, mask=mask_key, target=target_key, arrays={raw_key: raw})
        pipeline = source + gp.RandomLocation() + gp.Reject(mask=mask_key, min_masked=0.15)

    Regions are in the finest world unit of all these arrays.

    Args:
        truth: masks and targets.
        mask: the key of the mask, if it is wanted.
        target: the key of the target, if it is wanted.
        arrays: other arrays by their keys: what :func:`voxmask.as_array` takes. Those of floats and of uint8 count as
            images that may be interpolated, as in the sources of Gunpowder.
        interpolatable: what holds instead, by the key of the array.

    Raises:
        ArgumentError: (a ``ValueError``) for arrays in different units, such as nanometers and micrometers.
    """

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

    def setup(self) -> None:
        for key, array in self._all.items():
            by = self._ratios[key]
            roi = scaled(array.roi, by)
            voxel_size = scaled(Roi((0,) * array.dims, array.voxel_size), by).shape
            self.provides(
                key,
                gp.ArraySpec(
                    roi=gp.Roi(tuple(roi.offset), tuple(roi.shape)),
                    voxel_size=gp.Coordinate(tuple(voxel_size)),
                    interpolatable=self._interpolatable.get(key, False),
                    dtype=array.dtype,
                ),
            )

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
        return scaled(Roi(wanted[key].begin, wanted[key].shape), 1 / self._ratios[key])
