"""Patches in which enough is known."""

from __future__ import annotations

import itertools
import multiprocessing
import pickle
from typing import Any

import numpy as np
import pytest

import voxmask
from voxmask import Roi, ValidSampler, errors

VOXEL_SIZE, OFFSET, PATCH = (8, 4, 4), (80, -40, 12), (3, 4, 2)


@pytest.fixture
def truth() -> voxmask.MaskAndTarget:
    """Two kept channels and one that is masked, of which a ball is labelled."""
    z, y, x = np.indices((7, 9, 8))
    voxels = np.where((z - 3) ** 2 + (y - 4) ** 2 + (x - 3) ** 2 < 9, 3, 0).astype(np.uint8)
    missing = {
        "value": 8,
        "name": {"long": "Vesicle", "short": "Ves"},
        "annotationState": {"present": True, "annotated": "empty"},
    }
    labels = voxmask.from_numpy(voxels, VOXEL_SIZE, OFFSET, attrs={"labels": [missing]})
    return voxmask.MaskAndTarget(labels, [("mito", [3]), ("vesicle", [8]), ("er", [16])])


def places(mask: voxmask.Array, share: float, channels: list[int]) -> set[Roi]:
    """All patches in which so much is known, one by one."""
    known = mask[mask.roi][channels]
    found = set()
    for start in itertools.product(*(range(e - p + 1) for e, p in zip(mask.physical_shape, PATCH, strict=True))):
        part = known[(slice(None), *(slice(s, s + p) for s, p in zip(start, PATCH, strict=True)))]
        if part.sum() >= share * part.size:
            found.add(Roi(mask.offset + mask.voxel_size * start, mask.voxel_size * PATCH))
    return found


@pytest.mark.parametrize(("share", "channels"), [(0.0, None), (0.25, None), (0.5, ["mito"]), (0.6, ["er", 0])])
def test_exactly_the_places_are_drawn_in_which_enough_is_known(
    truth: voxmask.MaskAndTarget, share: float, channels: Any
) -> None:
    valid = places(truth.mask, share, {None: [0, 1, 2], "mito": [0], "er": [2, 0]}[channels and channels[0]])
    sampler = ValidSampler(truth, PATCH, share, channels, seed=5)
    assert set(sampler.draw_many(40 * len(valid))) == valid
    assert sampler.num_valid() == len(valid)
    assert sampler.num_positions == 5 * 6 * 7
    fraction = sampler.known_fraction(next(sampler))
    assert share <= fraction <= 1


def test_the_same_seed_draws_the_same_patches(truth: voxmask.MaskAndTarget) -> None:
    first, again, other = (ValidSampler(truth.mask, PATCH, seed=seed) for seed in (1, 1, 2))
    drawn = first.draw_many(50)
    assert [again.draw() for _ in range(50)] == drawn
    assert other.draw_many(50) != drawn


def draws(sampler: ValidSampler, queue: Any) -> None:
    queue.put([(tuple(roi.offset), tuple(roi.shape)) for roi in sampler.draw_many(20)])


@pytest.mark.parametrize("counts", [False, True])
def test_a_copy_goes_on_in_the_sequence(truth: voxmask.MaskAndTarget, counts: bool) -> None:
    sampler = ValidSampler(truth, PATCH, seed=3)
    sampler.draw_many(7)
    if counts:
        sampler.num_valid()
    sampler.draw_many(4)
    copy = pickle.loads(pickle.dumps(sampler))
    fork = multiprocessing.get_context("fork")
    queue = fork.Queue()
    process = fork.Process(target=draws, args=(sampler, queue))
    process.start()
    forked = [Roi(*pair) for pair in queue.get(timeout=60)]
    process.join()
    following = sampler.draw_many(20)
    assert copy.draw_many(20) == following
    assert forked == following


def test_it_is_told_at_once_that_nothing_qualifies(truth: voxmask.MaskAndTarget) -> None:
    # A channel is masked, so that never more than two of three values are known.
    with pytest.raises(errors.NothingQualifiesError, match="0.7"):
        ValidSampler(truth, PATCH, min_known=0.7)
    with pytest.raises(ValueError):
        ValidSampler(truth, PATCH, channels=["vesicle"])


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (dict(shape=(8, 4, 2)), "shape"),
        (dict(shape=(0, 4, 2)), "shape"),
        (dict(shape=(4, 2)), "shape"),
        (dict(min_known=1.5), "min_known"),
        (dict(min_known=float("nan")), "min_known"),
        (dict(channels=["mitos"]), "mito"),
        (dict(channels=[3]), "channels"),
    ],
)
def test_options_that_do_not_fit_are_named(truth: voxmask.MaskAndTarget, options: dict[str, Any], word: str) -> None:
    with pytest.raises(errors.ArgumentError, match=word):
        ValidSampler(truth, **({"shape": PATCH} | options))


def test_an_array_that_is_no_mask_is_refused(truth: voxmask.MaskAndTarget) -> None:
    with pytest.raises(errors.ArgumentError, match="mask"):
        ValidSampler(truth.source, PATCH)
