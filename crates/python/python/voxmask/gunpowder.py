"""A source node for Gunpowder.

Needs the extra ``gunpowder``: ``pip install voxmask[gunpowder]``.
"""

from __future__ import annotations

from typing import Any

import gunpowder as gp

from voxmask._array import Array
from voxmask._masks import MaskAndTarget

__all__ = ["MaskSource"]


class MaskSource(gp.BatchProvider):  # type: ignore[misc]
    """Provides masks and targets, both of one pass over the labels, and any other arrays beside them.

    .. code-block:: python

        source = MaskSource(truth, mask=mask_key, target=target_key, arrays={raw_key: raw})
        pipeline = source + gp.RandomLocation() + gp.Reject(mask=mask_key, min_masked=0.15)

    Args:
        truth: masks and targets.
        mask: the key of the mask, if it is wanted.
        target: the key of the target, if it is wanted.
        arrays: other arrays by their keys.
    """

    def __init__(
        self,
        truth: MaskAndTarget,
        mask: gp.ArrayKey | None = None,
        target: gp.ArrayKey | None = None,
        arrays: dict[gp.ArrayKey, Array] | None = None,
    ) -> None:
        self.truth = truth
        self.mask_key = mask
        self.target_key = target
        self.arrays = dict(arrays or {})

    def setup(self) -> None:
        for key, array in self._all().items():
            self.provides(key, _spec(array))

    def _all(self) -> dict[gp.ArrayKey, Array]:
        named = {self.mask_key: self.truth.mask, self.target_key: self.truth.target}
        return {key: array for key, array in named.items() if key is not None} | self.arrays

    def provide(self, request: Any) -> Any:
        batch = gp.Batch()
        wanted = {key: request[key].roi for key in self._all() if key in request}
        both = {wanted.get(self.mask_key), wanted.get(self.target_key)} if self.mask_key and self.target_key else set()
        voxels: dict[gp.ArrayKey, Any] = {}
        if len(both) == 1 and None not in both:
            voxels[self.mask_key], voxels[self.target_key] = self.truth.read(wanted[self.mask_key])
        for key, array in self._all().items():
            if key not in wanted:
                continue
            spec = self.spec[key].copy()
            spec.roi = wanted[key]
            found = voxels[key] if key in voxels else array.read(wanted[key])
            batch[key] = gp.Array(found, spec)
        return batch


def _spec(array: Array) -> gp.ArraySpec:
    roi = gp.Roi(tuple(array.roi.offset), tuple(array.roi.shape))
    voxel_size = gp.Coordinate(tuple(array.voxel_size))
    integers = array.dtype.kind in "bui"
    return gp.ArraySpec(roi=roi, voxel_size=voxel_size, interpolatable=not integers, dtype=array.dtype)
