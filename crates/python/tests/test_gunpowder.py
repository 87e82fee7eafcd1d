"""Masks and targets in pipelines of Gunpowder."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import voxmask
import zarr

# Gunpowder asks zarr-python 2 for these when it is imported. Its own files in Zarr and N5 are not used here.
if not hasattr(zarr, "N5Store"):
    stores = {name: type(name, (), {}) for name in ("BaseStore", "N5Store", "N5FSStore")}
    vars(zarr).update(stores)
    vars(sys.modules.setdefault("zarr._storage.store", ModuleType("zarr._storage.store"))).update(stores)

import gunpowder as gp  # noqa: E402
from voxmask.gunpowder import MaskSource  # noqa: E402

SHAPE = (24, 28, 30)
VOXEL_SIZE = (8, 4, 4)
OFFSET = (80, -40, 12)
GROUPINGS = [("one", [1]), ("two and three", [2, 3])]

pytestmark = pytest.mark.filterwarnings("ignore::voxmask.MetadataWarning")


class Counting:
    """Labels in memory that count how many of their voxels were read; those of the first half are unknown."""

    voxel_size = VOXEL_SIZE
    attrs: dict[str, Any] = {}
    dtype = np.dtype("uint8")
    shape = SHAPE
    roi = voxmask.Roi(OFFSET, voxmask.Coordinate(SHAPE) * VOXEL_SIZE)

    def __init__(self) -> None:
        self.voxels = np.random.default_rng(1).integers(1, 5, SHAPE).astype(np.uint8)
        self.voxels[:12] = 0
        self.read = 0

    def __getitem__(self, roi: Any) -> np.ndarray[Any, Any]:
        voxels = self.voxels[((roi - OFFSET) / VOXEL_SIZE).to_slices()]
        self.read += voxels.size
        return voxels


class Keys:
    """Keys of their own for each test."""

    def __init__(self) -> None:
        self.mask, self.target, self.raw = gp.ArrayKey("MASK"), gp.ArrayKey("TARGET"), gp.ArrayKey("RAW")


@pytest.fixture
def keys() -> Keys:
    return Keys()


@pytest.fixture
def labels() -> Counting:
    return Counting()


@pytest.fixture
def truth(labels: Counting) -> voxmask.MaskAndTarget:
    return voxmask.MaskAndTarget(labels, GROUPINGS)


def image(dtype: str = "uint8") -> voxmask.Array:
    """An image of the same place in voxels of half the size."""
    voxels = np.random.default_rng(2).integers(0, 200, [2 * extent for extent in SHAPE]).astype(dtype)
    return voxmask.from_numpy(voxels, (4, 2, 2), OFFSET)


def asked(size: tuple[int, ...], *keys: gp.ArrayKey, seed: int | None = None) -> gp.BatchRequest:
    request = gp.BatchRequest(random_seed=seed)
    for key in keys:
        request.add(key, gp.Coordinate(size))
    return request


def at(key: gp.ArrayKey, begin: tuple[int, ...], shape: tuple[int, ...]) -> dict[gp.ArrayKey, gp.ArraySpec]:
    return {key: gp.ArraySpec(roi=gp.Roi(begin, shape))}


def test_its_specs_say_where_and_what_the_arrays_are(truth: voxmask.MaskAndTarget, keys: Keys) -> None:
    source = MaskSource(truth, keys.mask, keys.target, {keys.raw: image()})
    with gp.build(source):
        for key in (keys.mask, keys.target):
            spec = source.spec[key]
            assert spec.roi == gp.Roi(OFFSET, (192, 112, 120))
            assert spec.voxel_size == gp.Coordinate(VOXEL_SIZE)
            assert spec.dtype == np.uint8
            assert spec.interpolatable is False
        assert source.spec[keys.raw].voxel_size == gp.Coordinate(4, 2, 2)


@pytest.mark.parametrize(("dtype", "expected"), [("uint8", True), ("float32", True), ("uint16", False)])
def test_images_are_interpolated_as_in_other_sources(
    truth: voxmask.MaskAndTarget, keys: Keys, dtype: str, expected: bool
) -> None:
    for said, found in [({}, expected), ({keys.raw: not expected}, not expected)]:
        source = MaskSource(truth, arrays={keys.raw: image(dtype)}, interpolatable=said)
        with gp.build(source):
            assert source.spec[keys.raw].interpolatable is found


def test_a_batch_has_the_voxels_of_its_regions(truth: voxmask.MaskAndTarget, keys: Keys) -> None:
    raw = image()
    source = MaskSource(truth, keys.mask, keys.target, {keys.raw: raw})
    begin, shape = (104, -32, 20), (128, 40, 48)
    roi = voxmask.Roi(begin, shape)
    with gp.build(source):
        batch = source.request_batch(
            gp.BatchRequest(at(keys.mask, begin, shape) | at(keys.target, begin, shape) | at(keys.raw, begin, shape))
        )
    np.testing.assert_array_equal(batch[keys.mask].data, truth.mask[roi])
    np.testing.assert_array_equal(batch[keys.target].data, truth.target[roi])
    np.testing.assert_array_equal(batch[keys.raw].data, raw[roi])
    assert batch[keys.raw].data.shape == (32, 20, 24)
    assert batch[keys.mask].spec.roi == gp.Roi(begin, shape)
    assert batch[keys.mask].data.any() and not batch[keys.mask].data.all()


def test_equal_regions_of_mask_and_target_are_read_in_one_pass(
    truth: voxmask.MaskAndTarget, labels: Counting, keys: Keys
) -> None:
    source = MaskSource(truth, keys.mask, keys.target)
    begin, shape = (80, -40, 12), (64, 40, 48)
    with gp.build(source):
        source.request_batch(gp.BatchRequest(at(keys.mask, begin, shape) | at(keys.target, begin, shape)))
    assert labels.read == 8 * 10 * 12


def test_other_regions_are_read_by_themselves(
    truth: voxmask.MaskAndTarget, labels: Counting, keys: Keys
) -> None:
    source = MaskSource(truth, keys.mask, keys.target)
    wanted = at(keys.mask, (80, -40, 12), (64, 40, 48)) | at(keys.target, (160, -40, 12), (64, 20, 24))
    with gp.build(source):
        batch = source.request_batch(gp.BatchRequest(wanted))
        alone = source.request_batch(gp.BatchRequest(at(keys.target, (80, -40, 12), (8, 4, 4))))
    np.testing.assert_array_equal(batch[keys.mask].data, truth.mask[:, :8, :10, :12])
    np.testing.assert_array_equal(batch[keys.target].data, truth.target[:, 10:18, :5, :6])
    assert keys.mask not in alone and alone[keys.target].data.shape == (2, 1, 1, 1)
    assert labels.read == 2 * (8 * 10 * 12 + 8 * 5 * 6) + 1


def test_a_key_that_is_not_wanted_is_not_provided(truth: voxmask.MaskAndTarget, keys: Keys) -> None:
    source = MaskSource(truth, target=keys.target)
    with gp.build(source):
        assert keys.target in source.spec and keys.mask not in source.spec


def test_random_places_that_are_known_too_little_are_rejected(truth: voxmask.MaskAndTarget, keys: Keys) -> None:
    size = (64, 40, 48)
    source = MaskSource(truth, keys.mask, keys.target, {keys.raw: image()})
    pipeline = source + gp.RandomLocation() + gp.Reject(mask=keys.mask, min_masked=0.5)
    images = set()
    with gp.build(pipeline):
        for _ in range(30):
            # Without a seed: a batch that is rejected is asked for again with the same one.
            batch = pipeline.request_batch(asked(size, keys.mask, keys.target, keys.raw))
            assert batch[keys.mask].data.mean() > 0.5
            assert batch[keys.mask].data.shape == (2, 8, 10, 12)
            assert batch[keys.raw].data.shape == (16, 20, 24)
            np.testing.assert_array_equal(batch[keys.target].data.any(axis=0) <= batch[keys.mask].data[0], True)
            images.add(batch[keys.raw].data.tobytes())
    assert len(images) > 5


def test_worker_processes_make_the_same_batches(labels: Counting, keys: Keys, tmp_path: Path) -> None:
    stored = zarr.open_array(str(tmp_path / "labels.zarr"), mode="w", shape=SHAPE, chunks=(7, 9, 8), dtype="uint8")
    stored[...] = labels.voxels
    stored.attrs.update(voxel_size=VOXEL_SIZE, offset=OFFSET)
    truth = voxmask.MaskAndTarget(tmp_path / "labels.zarr", GROUPINGS)
    whole = truth.read(truth.mask.roi)  # so that threads have run before processes fork
    pipeline = (
        MaskSource(truth, keys.mask, keys.target)
        + gp.RandomLocation()
        + gp.Reject(mask=keys.mask, min_masked=0.1)
        + gp.PreCache(cache_size=6, num_workers=2)
    )
    request = asked((32, 20, 24), keys.mask, keys.target)
    with gp.build(pipeline):
        for _ in range(12):
            batch = pipeline.request_batch(request)
            roi = batch[keys.mask].spec.roi
            assert roi == batch[keys.target].spec.roi
            assert batch[keys.mask].data.shape == (2, 4, 5, 6)
            for key, voxels in zip((keys.mask, keys.target), whole, strict=True):
                # A location is given back as it was asked for, so that the voxels must be found.
                windows = np.lib.stride_tricks.sliding_window_view(voxels, batch[key].data.shape)
                assert (windows == batch[key].data).all(axis=(-4, -3, -2, -1)).any()


def test_arrays_of_different_world_units_share_the_finest(keys: Keys) -> None:
    labels = voxmask.from_numpy(np.arange(64, dtype=np.uint8).reshape(4, 4, 4), ("2.5",) * 3, ("0.5", 0, 0), unit="nm")
    raw = voxmask.from_numpy(np.arange(1000, dtype=np.uint16).reshape(10, 10, 10), (1, 1, 1), (3, 0, 0), unit="nm")
    truth = voxmask.MaskAndTarget(labels, GROUPINGS)
    source = MaskSource(truth, keys.mask, arrays={keys.raw: raw})
    # 3 nm is the first place where voxels of both begin: voxel 1 of the labels does.
    assert source.origin == (30, 0, 0)
    begin, shape = (25 * 2, 0, 0), (50, 50, 50)
    with gp.build(source):
        assert source.spec[keys.raw].roi == gp.Roi((0, 0, 0), (100, 100, 100))
        assert source.spec[keys.raw].voxel_size == gp.Coordinate(10, 10, 10)
        assert source.spec[keys.mask].roi == gp.Roi((-25, 0, 0), (100, 100, 100))
        assert source.spec[keys.mask].voxel_size == gp.Coordinate(25, 25, 25)
        batch = source.request_batch(gp.BatchRequest(at(keys.mask, (25, 0, 0), shape) | at(keys.raw, begin, shape)))
    np.testing.assert_array_equal(batch[keys.raw].data, raw[5:10, :5, :5])
    np.testing.assert_array_equal(batch[keys.mask].data, truth.mask[:, 2:4, :2, :2])


def test_offsets_that_are_no_multiples_of_the_voxel_size_can_be_sampled(keys: Keys) -> None:
    voxels = np.random.default_rng(4).integers(0, 4, (12, 13, 14)).astype(np.uint8)
    labels = voxmask.from_numpy(voxels, ("2.62", 2, 2), ("13282.29", "-1", "4"), unit="nm")
    numbers = np.arange(voxels.size, dtype=np.uint16).reshape(voxels.shape)
    raw = voxmask.from_numpy(numbers, ("5.24", 4, 4), ("13279.67", "-3", "0"), unit="nm")
    source = MaskSource(voxmask.MaskAndTarget(labels, GROUPINGS), target=keys.target, arrays={keys.raw: raw})
    assert all((array.offset - source.origin) % array.voxel_size == (0, 0, 0) for array in (labels, raw))
    pipeline = source + gp.RandomLocation()
    size = (1048, 800, 800)
    places = set()
    with gp.build(pipeline):
        for seed in range(1, 20):
            batch = pipeline.request_batch(asked(size, keys.target, keys.raw, seed=seed))
            # A batch does not say where it was taken, but the image does.
            index = np.unravel_index(batch[keys.raw].data.flat[0], numbers.shape)
            roi = voxmask.Roi(raw.offset + raw.voxel_size * index, size)
            np.testing.assert_array_equal(batch[keys.raw].data, raw[roi])
            np.testing.assert_array_equal(batch[keys.target].data, source.truth.target[roi])
            places.add(roi)
    assert len(places) > 5


def test_the_origin_is_0_where_that_is_possible(truth: voxmask.MaskAndTarget, keys: Keys) -> None:
    assert MaskSource(truth, keys.mask, arrays={keys.raw: image()}).origin == (0, 0, 0)


def test_voxels_that_do_not_meet_are_a_value_error(truth: voxmask.MaskAndTarget, keys: Keys) -> None:
    raw = voxmask.from_numpy(np.ones(SHAPE, np.uint8), VOXEL_SIZE, (80, -40, 13))
    with pytest.raises(ValueError, match=r"RAW begin nowhere .* \(axis 2\)"):
        MaskSource(truth, keys.mask, arrays={keys.raw: raw})
    with pytest.raises(ValueError, match="2 and 3 spatial axes"):
        MaskSource(truth, keys.mask, arrays={keys.raw: voxmask.from_numpy(np.ones((3, 3)))})


def test_arrays_in_other_units_are_a_value_error(keys: Keys) -> None:
    labels = voxmask.from_numpy(np.ones((4, 4, 4), np.uint8), unit="nm")
    raw = voxmask.from_numpy(np.ones((4, 4, 4), np.uint8), unit="um")
    with pytest.raises(ValueError, match="do not share regions"):
        MaskSource(voxmask.MaskAndTarget(labels, GROUPINGS), keys.mask, arrays={keys.raw: raw})
