"""Patches for training with PyTorch, and losses that leave out what is unknown.

Needs the extra ``torch``: ``pip install voxmask[torch]``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from voxmask._array import Array
from voxmask._masks import MaskAndTarget
from voxmask.geometry import Coordinate, Roi, RoiLike

__all__ = ["PatchDataset", "masked_mean"]


class PatchDataset(Dataset[dict[str, torch.Tensor]]):
    """The patches of a list of regions, each as a dict of tensors ``raw``, ``target`` and ``mask``.

    ``target`` and ``mask`` are uint8, of shape ``[channels, *voxels]``; ``raw`` is what ``raw[roi]`` gives, in its own
    voxel size. It is map-style: give it to a ``torch.utils.data.DataLoader`` with as many workers as you like, forked
    or spawned.

    Args:
        truth: masks and targets. With ``cache_bytes``, neighbouring patches share decoded blocks.
        rois: the regions, in world units, such as those of :class:`voxmask.ValidSampler`.
        raw: the image, if it is wanted: any array that is read by ``raw[roi]``.
        transform: what is done with each patch at the end.
    """

    def __init__(
        self,
        truth: MaskAndTarget,
        rois: Sequence[RoiLike],
        raw: Array | None = None,
        transform: Callable[[dict[str, torch.Tensor]], Any] | None = None,
    ) -> None:
        self.truth = truth
        self.rois = [Roi.like(roi) for roi in rois]
        self.raw = raw
        self.transform = transform

    def __len__(self) -> int:
        return len(self.rois)

    def __getitem__(self, index: int) -> Any:
        roi = self.rois[index]
        mask, target = self.truth.read(roi)
        patch = {"mask": torch.from_numpy(mask), "target": torch.from_numpy(target)}
        if self.raw is not None:
            patch["raw"] = torch.from_numpy(np.ascontiguousarray(self.raw[roi]))
        return patch if self.transform is None else self.transform(patch)

    @classmethod
    def on_grid(
        cls, truth: MaskAndTarget, shape: Sequence[int], raw: Array | None = None
    ) -> PatchDataset:
        """All whole patches of ``shape`` (in voxels) side by side."""
        bounds, size = truth.mask.roi, Coordinate(shape) * truth.mask.voxel_size
        return cls(truth, [block for block in bounds.blocks(size) if block.shape == size], raw)


def masked_mean(loss: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """The mean of a loss over the voxels that are known.

    Voxels with mask 0 have no part in it, whatever their loss is, also where it is not a number; they get no gradient.
    If nothing is known, the result is 0, and so are all gradients.

    Args:
        loss: one loss for each element, such as that of ``binary_cross_entropy_with_logits(..., reduction="none")``.
        mask: 1 where it counts, 0 where not, of the same shape or one that broadcasts to it.

    >>> masked_mean(torch.tensor([1.0, float("nan"), 3.0]), torch.tensor([1, 0, 1]))
    tensor(2.)
    """
    known = (mask != 0).expand_as(loss) if mask.shape != loss.shape else mask != 0
    kept = torch.where(known, loss, torch.zeros((), dtype=loss.dtype, device=loss.device))
    return kept.sum() / known.sum().clamp(min=1).to(loss.dtype)
