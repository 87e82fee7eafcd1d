"""Patches and losses for training with PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import voxmask
from torch.utils.data import DataLoader
from voxmask.torch import PatchDataset, masked_mean

PATCH = (4, 5, 6)


@pytest.fixture
def truth(volume: Any) -> voxmask.MaskAndTarget:
    return voxmask.MaskAndTarget(volume.path, volume.groupings)


@pytest.fixture
def raw(tmp_path: Path, write_array: Callable[..., Path], volume: Any) -> voxmask.Array:
    """An image of the same place, in voxels of half the size."""
    voxels = np.random.default_rng(5).integers(0, 255, [2 * extent for extent in volume.voxels.shape]).astype(np.uint8)
    attrs = dict(voxel_size=[4, 2, 2], offset=list(volume.offset), units=["nm"] * 3, axis_names=["z", "y", "x"])
    return voxmask.open_array(write_array(tmp_path / "raw.zarr", voxels, attrs))


def double_mask(patch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {"mask": patch["mask"] * 2, "sum": patch["target"].sum()}


def everything(dataset: PatchDataset, **options: Any) -> dict[str, np.ndarray[Any, Any]]:
    batches = list(DataLoader(dataset, batch_size=3, **options))
    return {key: np.concatenate([batch[key].numpy() for batch in batches]) for key in batches[0]}


def test_patches_are_the_voxels_of_their_regions(
    truth: voxmask.MaskAndTarget, raw: voxmask.Array, volume: Any
) -> None:
    roi = volume.roi((1, 2, 3), (5, 7, 9))
    patch = PatchDataset(truth, [roi, truth.mask.roi], raw)[0]
    assert sorted(patch) == ["mask", "raw", "target"]
    assert patch["mask"].dtype == patch["target"].dtype == torch.uint8
    where = (slice(None), slice(1, 5), slice(2, 7), slice(3, 9))
    np.testing.assert_array_equal(patch["mask"].numpy(), volume.mask()[where])
    np.testing.assert_array_equal(patch["target"].numpy(), volume.target()[where])
    np.testing.assert_array_equal(patch["raw"].numpy(), raw[2:10, 4:14, 6:18])
    assert "raw" not in PatchDataset(truth, [roi])[0]


def test_regions_may_be_of_any_kind(truth: voxmask.MaskAndTarget, volume: Any) -> None:
    import funlib.geometry

    pair = volume.roi((1, 2, 3), (5, 7, 9))
    dataset = PatchDataset(truth, [pair, voxmask.Roi(*pair), funlib.geometry.Roi(*pair)])
    assert len(dataset) == 3
    assert all(torch.equal(dataset[0]["target"], dataset[index]["target"]) for index in (1, 2))


def test_a_region_outside_is_an_index_error(truth: voxmask.MaskAndTarget) -> None:
    with pytest.raises(IndexError, match="not inside|not in|outside"):
        PatchDataset(truth, [truth.mask.roi + (8, 0, 0)])[0]


@pytest.mark.parametrize("cache_bytes", [None, 1 << 22])
@pytest.mark.parametrize(
    "loading",
    [
        dict(num_workers=0),
        dict(num_workers=2, multiprocessing_context="fork"),
        dict(num_workers=2, multiprocessing_context="spawn"),
    ],
    ids=["here", "fork", "spawn"],
)
def test_a_loader_gives_the_patches_in_order(
    loading: dict[str, Any], cache_bytes: int | None, volume: Any, raw: voxmask.Array
) -> None:
    truth = voxmask.MaskAndTarget(volume.path, volume.groupings, cache_bytes=cache_bytes)
    dataset = PatchDataset.on_grid(truth, PATCH, raw)
    here = [dataset[index] for index in range(len(dataset))]  # so that threads have run before processes fork
    loaded = everything(dataset, **loading)
    for key in ("mask", "target", "raw"):
        np.testing.assert_array_equal(loaded[key], np.stack([patch[key].numpy() for patch in here]))
    assert loaded["target"].sum() == volume.target()[:, :12, :20, :12].sum()


def test_neighbouring_patches_share_decoded_blocks(volume: Any) -> None:
    truth = voxmask.MaskAndTarget(volume.path, volume.groupings, cache_bytes=1 << 22)
    everything(PatchDataset.on_grid(truth, PATCH))
    stats = truth.cache_stats
    assert stats is not None and stats.hits > 0
    assert stats.misses == 3 * 3 * 2  # the blocks that whole patches meet


def test_on_grid_covers_all_whole_patches(truth: voxmask.MaskAndTarget, volume: Any) -> None:
    dataset = PatchDataset.on_grid(truth, PATCH)
    seen = np.zeros(volume.voxels.shape, int)
    for roi in dataset.rois:
        seen[((roi - volume.offset) / volume.voxel_size).to_slices()] += 1
    assert len(dataset) == 3 * 4 * 2
    assert (seen[:12, :20, :12] == 1).all()
    assert seen.sum() == 12 * 20 * 12


def test_on_grid_of_a_patch_larger_than_the_volume_is_empty(truth: voxmask.MaskAndTarget) -> None:
    assert len(PatchDataset.on_grid(truth, (13, 4, 4))) == 0


@pytest.mark.parametrize("num_workers", [0, 2])
def test_a_transform_has_the_last_word(truth: voxmask.MaskAndTarget, num_workers: int) -> None:
    plain = everything(PatchDataset.on_grid(truth, PATCH))
    changed = everything(PatchDataset.on_grid(truth, PATCH, transform=double_mask), num_workers=num_workers)
    np.testing.assert_array_equal(changed["mask"], plain["mask"] * 2)
    assert changed["sum"].tolist() == plain["target"].sum(axis=(1, 2, 3, 4)).tolist()


def nanometers(voxels: np.ndarray[Any, Any], voxel_size: Any, offset: Any, unit: str = "nm") -> voxmask.Array:
    return voxmask.from_numpy(voxels, voxel_size, offset, unit=unit)


@pytest.mark.filterwarnings("ignore::voxmask.MetadataWarning")
def test_an_image_may_count_in_a_coarser_world_unit() -> None:
    labels = nanometers(np.arange(64, dtype=np.uint8).reshape(4, 4, 4), ("2.5",) * 3, ("0.5", 0, 0))
    image = nanometers(np.arange(1000, dtype=np.uint16).reshape(10, 10, 10), (1, 1, 1), (0, 0, 0))
    assert (labels.world_unit, image.world_unit) == ("0.1 nm", "nm")
    truth = voxmask.MaskAndTarget(labels, [("some", [1, 2])])
    # From 3 nm to 8 nm along the first axis, and from 0 nm to 5 nm along the others.
    dataset = PatchDataset(truth, [((30, 0, 0), (50, 50, 50))], image)
    np.testing.assert_array_equal(dataset[0]["raw"].numpy(), image[3:8, :5, :5])
    with pytest.raises(ValueError, match="voxels of the other array"):
        PatchDataset(truth, [((5, 0, 0), (50, 50, 50))], image)[0]


@pytest.mark.filterwarnings("ignore::voxmask.MetadataWarning")
def test_an_image_in_another_unit_is_a_value_error() -> None:
    labels = nanometers(np.ones((4, 4, 4), np.uint8), (1, 1, 1), (0, 0, 0))
    image = nanometers(np.ones((4, 4, 4), np.uint8), (1, 1, 1), (0, 0, 0), unit="um")
    with pytest.raises(ValueError, match="nanometer and micrometer|micrometer and nanometer"):
        PatchDataset(voxmask.MaskAndTarget(labels, [("all", [])]), [], image)


def test_an_array_of_funlib_can_be_the_image(truth: voxmask.MaskAndTarget, volume: Any) -> None:
    from funlib.persistence import Array

    image = Array(volume.voxels * 2, offset=volume.offset, voxel_size=volume.voxel_size)
    patch = PatchDataset(truth, [volume.roi((1, 2, 3), (5, 7, 9))], image)[0]
    np.testing.assert_array_equal(patch["raw"].numpy(), volume.voxels[1:5, 2:7, 3:9] * 2)


def test_masked_mean_is_the_mean_over_what_is_known() -> None:
    generator = np.random.default_rng(3)
    loss, mask = generator.random((2, 3, 4, 5)), generator.integers(0, 2, (2, 3, 4, 5)).astype(np.uint8)
    found = masked_mean(torch.from_numpy(loss), torch.from_numpy(mask))
    assert found.item() == pytest.approx(loss[mask == 1].mean(), rel=1e-12)
    assert masked_mean(torch.from_numpy(loss), torch.from_numpy(mask.astype(bool))) == found
    assert found.shape == ()


def test_gradients_are_those_of_the_mean_and_zero_where_it_is_unknown() -> None:
    loss = torch.tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True)
    masked_mean(loss, torch.tensor([1, 0, 1, 0], dtype=torch.uint8)).backward()
    assert loss.grad is not None and loss.grad.tolist() == [0.5, 0.0, 0.5, 0.0]


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), -float("inf")])
def test_what_is_under_the_mask_does_not_matter(wrong: float) -> None:
    loss = torch.tensor([1.0, wrong, 3.0], requires_grad=True)
    mean = masked_mean(loss, torch.tensor([1, 0, 1]))
    mean.backward()
    assert mean.item() == 2.0
    assert loss.grad is not None and loss.grad.tolist() == [0.5, 0.0, 0.5]


def test_a_loss_that_is_not_a_number_where_it_is_known_stays_so() -> None:
    assert torch.isnan(masked_mean(torch.tensor([1.0, float("nan")]), torch.tensor([1, 1])))


def test_a_mask_broadcasts_to_the_loss() -> None:
    loss = torch.arange(24.0).reshape(2, 3, 4)
    assert masked_mean(loss, torch.tensor([1, 0, 0, 1])) == loss[..., [0, 3]].mean()
    assert masked_mean(loss, torch.tensor([0, 1, 0]).reshape(3, 1)) == loss[:, 1].mean()
    assert masked_mean(loss, torch.tensor(1)) == loss.mean()
    with pytest.raises(RuntimeError):
        masked_mean(loss, torch.ones(5))


def test_nothing_known_gives_zero_and_finite_gradients() -> None:
    loss = torch.tensor([1.0, float("nan")], requires_grad=True)
    mean = masked_mean(loss, torch.zeros(2))
    mean.backward()
    assert mean.item() == 0.0
    assert loss.grad is not None and loss.grad.tolist() == [0.0, 0.0]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_neither_overflows_nor_miscounts(dtype: torch.dtype) -> None:
    loss = torch.full((300_001,), 0.5, dtype=dtype)
    mean = masked_mean(loss, torch.ones(300_001, dtype=torch.uint8))
    assert mean.dtype == dtype and mean.item() == 0.5


def test_a_network_learns_only_where_the_mask_is_1() -> None:
    logits = torch.zeros(2, 3, requires_grad=True)
    target = torch.tensor([[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]])
    mask = torch.tensor([[1, 0, 1], [0, 0, 1]], dtype=torch.uint8)
    loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
    masked_mean(loss, mask).backward()
    assert logits.grad is not None
    assert (logits.grad.sign() == torch.tensor([[-1, 0, -1], [0, 0, 1]])).all()
