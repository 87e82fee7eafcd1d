"""The memory limit: nothing that takes more is allocated."""

from collections.abc import Iterator

import numpy as np
import pytest

import voxmask
from voxmask import errors


@pytest.fixture(autouse=True)
def limit() -> Iterator[int]:
    before = voxmask.memory_limit()
    yield before
    voxmask.set_memory_limit(before)


def labels() -> voxmask.Array:
    return voxmask.from_numpy(np.ones((64, 64, 64), np.uint8), voxel_size=(4, 4, 4))


def test_the_usual_limit_is_a_part_of_the_machine(limit: int) -> None:
    assert 1 << 20 < limit < 1 << 60


def test_reads_beyond_it_are_refused_with_the_number() -> None:
    voxmask.set_memory_limit(1 << 20)
    mask = voxmask.MissingAnnotationsMask(labels(), [(str(n), [n + 1]) for n in range(8)], require_labels=False)
    with pytest.raises(errors.TooLargeError, match=r"takes 2\.0 MB, beyond the memory limit of 1\.0 MB"):
        mask[mask.roi]
    part = voxmask.Roi((0, 0, 0), (256, 256, 64))
    assert mask[part].sum() == 8 * 64 * 64 * 16


def test_a_cache_beyond_it_is_refused() -> None:
    voxmask.set_memory_limit(1 << 20)
    with pytest.raises(errors.TooLargeError, match=r"the cache takes 2\.0 MB"):
        voxmask.MissingAnnotationsMask(labels(), [("a", [1])], require_labels=False, cache_bytes=1 << 21)


@pytest.mark.parametrize("bytes", [0, -1, 1 << 70])
def test_what_is_no_limit_is_refused(bytes: int) -> None:
    with pytest.raises((ValueError, OverflowError)):
        voxmask.set_memory_limit(bytes)
