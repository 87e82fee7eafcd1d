"""Patches for training with PyTorch, and losses that leave out what is unknown.

Needs the extra ``torch``: ``pip install voxmask[torch]``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.utils.data import Dataset

from voxmask._masks import MaskAndTarget
from voxmask._open import as_array
from voxmask._world import ratio, scaled
from voxmask.geometry import Coordinate, Roi, RoiLike

__all__ = ["PatchDataset", "masked_mean"]


class PatchDataset(Dataset[dict[str, torch.Tensor]]):
    """The patches of a list of regions, each as a dict of tensors ``raw``, ``target`` and ``mask``.

    ``target`` and ``mask`` are uint8, of shape ``[channels, *voxels]``; ``raw`` is what ``raw[roi]`` gives, in its own
    voxel size. It is map-style: give it to a ``torch.utils.data.DataLoader`` with as many workers as you like, forked
    or spawned.

    Args:
        truth: masks and targets. With ``cache_bytes``, neighbouring patches share decoded blocks.
        rois: the regions, in world units of ``truth``, such as those of :class:`voxmask.ValidSampler`.
        raw: the image, if it is wanted: what :func:`voxmask.as_array` takes. It may count in another world unit.
        transform: what is done with each patch at the end.
    """

    def __init__(
        self,
        truth: MaskAndTarget,
        rois: Sequence[RoiLike],
        raw: Any = None,
        transform: Callable[[dict[str, torch.Tensor]], Any] | None = None,
    ) -> None:
        self.truth = truth
        self.rois = [Roi.like(roi) for roi in rois]
        self.raw = None if raw is None else as_array(raw)
        self._ratio = None if self.raw is None else ratio(truth.mask, self.raw)
        self.transform = transform

    def __len__(self) -> int:
        return len(self.rois)

    def __getitem__(self, index: int) -> Any:
        roi = self.rois[index]
        mask, target = self.truth.read(roi)
        patch = {"mask": torch.from_numpy(mask), "target": torch.from_numpy(target)}
        if self.raw is not None and self._ratio is not None:
            patch["raw"] = torch.from_numpy(self.raw.read(scaled(roi, self._ratio)))
        return patch if self.transform is None else self.transform(patch)

    @classmethod
    def on_grid(
        cls,
        truth: MaskAndTarget,
        shape: Sequence[int],
        raw: Any = None,
        transform: Callable[[dict[str, torch.Tensor]], Any] | None = None,
    ) -> PatchDataset:
        """All whole patches of ``shape`` (in voxels) side by side."""
        mask = truth.mask
        size = Coordinate(shape) * mask.voxel_size
        return cls(truth, [block for block in mask.roi.blocks(size) if block.shape == size], raw, transform)


def masked_mean(loss: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """The mean of a loss over the voxels that are known.

    Voxels with mask 0 have no part in it, whatever their loss is, also where it is not a number; their loss gets no
    gradient. If nothing is known, the result is 0, and so are all gradients. (What comes before the loss must have a
    finite derivative there: 0 times infinity is not a number in any chain of derivatives.)

    Args:
        loss: one loss for each element, such as that of ``binary_cross_entropy_with_logits(..., reduction="none")``.
        mask: 1 where it counts, 0 where not, of the same shape or one that broadcasts to it.

    >>> masked_mean(torch.tensor([1.0, float("nan"), 3.0]), torch.tensor([1, 0, 1]))
    tensor(2.)
    """
    known = (mask != 0).expand_as(loss)
    kept = torch.where(known, loss, torch.zeros((), dtype=loss.dtype, device=loss.device))
    # Sums of half precision end at 65504, and their counts of voxels are wrong long before.
    wide = torch.promote_types(loss.dtype, torch.float32)
    return (kept.sum(dtype=wide) / known.sum().clamp(min=1).to(wide)).to(loss.dtype)
