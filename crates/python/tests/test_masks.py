"""Masks and targets of labels."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import funlib.geometry as funlib
import numpy as np
import pytest
import zarr
from conftest import GROUPINGS, KEPT, LABELS, SHAPE, Volume, WriteArray, attributes, in_numpy, some_labels

import voxmask
from voxmask import Roi, errors

# A warning that no test expects is a bug.
pytestmark = pytest.mark.filterwarnings("error::voxmask.MetadataWarning")


# Labels


def test_a_mask_is_one_where_labels_can_be_trusted(stored: Volume) -> None:
    mask = voxmask.MissingAnnotationsMask(stored.path, stored.groupings)
    assert np.array_equal(mask[mask.roi], stored.mask())
    roi = Roi(*stored.roi((1, 2, 3), (9, 13, 16)))
    read = mask[roi]
    assert np.array_equal(read, stored.mask()[:, 1:9, 2:13, 3:16])
    assert read.dtype == np.uint8
    assert read.flags.c_contiguous


def test_a_target_is_one_where_the_label_is_in_the_group(stored: Volume) -> None:
    for background in (0, 3, 255):
        target = voxmask.BinarizeArray(stored.path, stored.groupings, background=background)
        assert np.array_equal(target[target.roi], stored.target(background))


def test_masks_and_targets_tell_what_they_are(stored: Volume) -> None:
    labels = voxmask.open_array(stored.path)
    mask = voxmask.MissingAnnotationsMask(labels, stored.groupings)
    target = voxmask.BinarizeArray(labels, stored.groupings)
    for array in (mask, target):
        assert isinstance(array, voxmask.Array)
        assert array.dtype == np.uint8
        assert array.shape == (5, *SHAPE)
        assert array.axes == ["c", "z", "y", "x"] or array.axes == ["c^", "z", "y", "x"]
        assert (array.dims, array.channel_dims, array.num_channels) == (3, 1, 5)
        assert array.channels == [name for name, _ in GROUPINGS]
        assert array.roi == labels.roi
        assert array.voxel_size == labels.voxel_size
        assert array.physical_shape == SHAPE
        assert array.units == labels.units
        assert array.attrs == labels.attrs
        assert array.writable is False
        with pytest.raises(errors.VirtualArrayError) as caught:
            _ = array.data
        assert isinstance(caught.value, ValueError)
    assert mask.source is labels
    assert "MissingAnnotationsMask" in repr(mask)
    assert "BinarizeArray" in repr(target)


def test_both_are_read_in_one_pass(stored: Volume) -> None:
    truth = voxmask.MaskAndTarget(stored.path, stored.groupings)
    roi = Roi(*stored.roi((1, 2, 3), (9, 13, 16)))
    for read in (truth.read(roi), truth[roi], truth.read(funlib.Roi(*roi)), truth.read(tuple(roi))):
        assert isinstance(read, tuple)
        assert np.array_equal(read[0], stored.mask()[:, 1:9, 2:13, 3:16])
        assert np.array_equal(read[1], stored.target()[:, 1:9, 2:13, 3:16])
    assert np.array_equal(truth.mask[roi], truth.read(roi)[0])
    assert np.array_equal(truth.target[roi], truth.read(roi)[1])


@pytest.mark.parametrize("order", ["C", "F"])
def test_both_fill_arrays_that_are_given(stored: Volume, order: Any) -> None:
    truth = voxmask.MaskAndTarget(stored.path, stored.groupings)
    roi = Roi(*stored.roi((1, 2, 3), (9, 13, 16)))
    out = tuple(np.full((5, 8, 11, 13), 9, np.uint8, order=order) for _ in range(2))
    assert truth.read(roi, out=out) is out
    assert np.array_equal(out[0], truth.mask[roi])
    assert np.array_equal(out[1], truth.target[roi])
    for wrong in ((out[0], out[1][1:]), (out[0].astype(bool), out[1])):
        with pytest.raises(ValueError):
            truth.read(roi, out=wrong)


def test_a_batch_of_masks_is_read_at_once(stored: Volume) -> None:
    mask = voxmask.MissingAnnotationsMask(stored.path, stored.groupings)
    starts = [(0, 0, 0), (4, 5, 6), (7, 11, 9)]
    rois = [Roi(*stored.roi(start, np.add(start, (5, 9, 8)))) for start in starts]
    expected = np.stack([stored.mask()[:, z : z + 5, y : y + 9, x : x + 8] for z, y, x in starts])
    assert np.array_equal(mask.read_many(rois), expected)
    out = np.full_like(expected, 9)
    mask.read_many(rois, out=out)
    assert np.array_equal(out, expected)


def test_a_mask_is_the_foreground_times_what_is_kept(stored: Volume) -> None:
    mask = voxmask.MissingAnnotationsMask(stored.path, stored.groupings)
    roi = Roi(*stored.roi((1, 2, 3), (9, 13, 16)))
    foreground, kept = mask.read_factored(roi)
    assert foreground.shape == (8, 11, 13)
    assert foreground.dtype == np.uint8
    assert kept.tolist() == [bool(one) for one in KEPT["strict"]]
    assert np.array_equal(foreground * kept[:, None, None, None], mask[roi])


def test_a_region_outside_of_a_mask_is_an_index_error(stored: Volume) -> None:
    truth = voxmask.MaskAndTarget(stored.path, stored.groupings)
    outside = truth.mask.roi + (8000, 0, 0)
    for read in (truth.read, truth.mask.read, truth.target.read, truth.mask.read_factored):
        with pytest.raises(errors.OutOfBoundsError):
            read(outside)
        with pytest.raises(errors.NotAlignedError):
            read(Roi(truth.mask.offset + 1, truth.mask.voxel_size))


# Rules


def test_the_rule_says_when_a_channel_is_kept(in_memory: Volume) -> None:
    labels = in_numpy(in_memory)
    strict = voxmask.MissingAnnotationsMask(labels, GROUPINGS)
    assert [channel.kept for channel in strict.decisions] == [bool(kept) for kept in KEPT["strict"]]
    generic = voxmask.MissingAnnotationsMask(labels, GROUPINGS, rule="generic", generic_ids=[37])
    assert [channel.kept for channel in generic.decisions] == [bool(kept) for kept in KEPT["generic"]]
    assert np.array_equal(generic[generic.roi], in_memory.mask("generic"))
    without = voxmask.MissingAnnotationsMask(labels, GROUPINGS, rule="generic")
    assert [channel.kept for channel in without.decisions] == [bool(kept) for kept in KEPT["strict"]]
    table = [{"name": "nucleus", "ids": [20, 24, 37], "generic_ids": [37]}]
    assert voxmask.MissingAnnotationsMask(labels, table, rule="generic").decisions[0].kept
    assert not voxmask.MissingAnnotationsMask(labels, table, rule="strict").decisions[0].kept
    # 8 stands for the class as a whole and is missing, 9 is not.
    table = [{"name": "vesicle", "ids": [8, 9], "generic_ids": [8]}]
    assert not voxmask.MissingAnnotationsMask(labels, table, rule="generic").decisions[0].kept
    assert voxmask.MissingAnnotationsMask(labels, table, rule="cnnectome").decisions[0].kept


@pytest.mark.parametrize("rule", ["lenient", "Strict", 5])
def test_a_rule_that_is_not_known_is_refused(in_memory: Volume, rule: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        voxmask.MissingAnnotationsMask(in_numpy(in_memory), GROUPINGS, rule=rule)


def test_decisions_say_why_a_channel_is_masked(in_memory: Volume) -> None:
    mask = voxmask.MissingAnnotationsMask(in_numpy(in_memory), GROUPINGS)
    vesicle = mask.decisions[1]
    assert vesicle == voxmask.Channel(
        name="vesicle", members=("8", "9"), kept=False, missing=("8",), why="8 is present but was not annotated"
    )
    assert mask.decisions[0].why == ""
    assert voxmask.MaskAndTarget(in_numpy(in_memory), GROUPINGS).decisions == mask.decisions


def test_labels_without_the_attribute_are_reported_or_refused(in_memory: Volume) -> None:
    labels = voxmask.from_numpy(in_memory.voxels)
    for make in (voxmask.MissingAnnotationsMask, voxmask.MaskAndTarget):
        with pytest.warns(voxmask.MetadataWarning, match="labels") as caught:
            made = make(labels, GROUPINGS)
        assert caught[0].filename == __file__
        assert all(channel.kept for channel in made.decisions)
        with pytest.raises(errors.NoLabelsError) as refused:
            make(labels, GROUPINGS, require_labels=True)
        assert isinstance(refused.value, errors.LabelsMalformedError)
    # A target does not ask for it.
    voxmask.BinarizeArray(labels, GROUPINGS)


@pytest.mark.parametrize(
    ("spoil", "text"),
    [
        (lambda labels: labels[2].pop("value"), "value"),
        (lambda labels: labels[2].update(annotationState=5), "annotationState"),
        (lambda labels: labels[1]["annotationState"].update(annotated="perhaps"), "annotated"),
        (lambda labels: labels[0]["annotationState"].update(present="yes"), "present"),
        (lambda labels: labels.append("a"), "10"),
    ],
)
def test_malformed_labels_are_named_with_field_and_position(
    in_memory: Volume, labels_attrs: list[Any], spoil: Callable[[Any], Any], text: str
) -> None:
    spoil(labels_attrs)
    labels = voxmask.from_numpy(in_memory.voxels, attrs={"labels": labels_attrs})
    with pytest.raises(errors.LabelsMalformedError, match=text) as caught:
        voxmask.MissingAnnotationsMask(labels, GROUPINGS)
    assert isinstance(caught.value, errors.MetadataMalformedError)
    assert isinstance(caught.value, ValueError)


def test_floats_are_no_labels() -> None:
    labels = voxmask.from_numpy(np.zeros((3, 4), np.float32), attrs={"labels": []})
    for make in (voxmask.MissingAnnotationsMask, voxmask.BinarizeArray, voxmask.MaskAndTarget):
        with pytest.raises(errors.NotLabelsError, match="float32"):
            make(labels, [("a", [1])])


@pytest.mark.parametrize("dtype", ["u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "?"])
def test_labels_of_all_integers_and_booleans_are_masked(dtype: str) -> None:
    voxels = np.array([[0, 1, 1], [0, 3, 37]]).astype(dtype)
    if dtype[0] == "i":
        voxels[0, 0] = -5
    labels = voxmask.from_numpy(voxels, attrs={"labels": []})
    mask = voxmask.MissingAnnotationsMask(labels, [("a", [1])])
    assert np.array_equal(mask[0], voxels > 0)
    ids = [1] if dtype == "?" else [1, 37, *([-5] if dtype[0] == "i" else [])]
    target = voxmask.BinarizeArray(labels, [("a", ids)])
    assert np.array_equal(target[0], np.isin(voxels, ids))


# Caches


def test_a_cache_has_what_was_read_before(stored: Volume) -> None:
    truth = voxmask.MaskAndTarget(stored.path, stored.groupings, cache_bytes=1 << 20)
    assert truth.cache_stats is not None
    assert (truth.cache_stats.hits, truth.cache_stats.misses) == (0, 0)
    assert truth.cache_stats.max_bytes == 1 << 20
    first = truth.read(truth.mask.roi)
    blocks = 3 * 3 * 3
    assert (truth.cache_stats.hits, truth.cache_stats.misses) == (0, blocks)
    assert truth.cache_stats.blocks == blocks
    assert 0 < truth.cache_stats.bytes <= 1 << 20
    again = truth.read(truth.mask.roi)
    assert truth.cache_stats.hits == blocks
    assert np.array_equal(first, again)
    assert np.array_equal(first[0], stored.mask())
    assert np.array_equal(first[1], stored.target())
    assert np.array_equal(truth.mask[truth.mask.roi], stored.mask())
    assert np.array_equal(truth.target[truth.target.roi], stored.target())


def test_a_small_cache_gives_right_answers_too(stored: Volume) -> None:
    truth = voxmask.MaskAndTarget(stored.path, stored.groupings, cache_bytes=600)
    mask = voxmask.MissingAnnotationsMask(stored.path, stored.groupings, cache_bytes=600)
    target = voxmask.BinarizeArray(stored.path, stored.groupings, cache_bytes=600)
    for _ in range(3):
        assert np.array_equal(truth.read(mask.roi), (stored.mask(), stored.target()))
        assert np.array_equal(mask[mask.roi], stored.mask())
        assert np.array_equal(target[mask.roi], stored.target())
    for stats in (truth.cache_stats, mask.cache_stats):
        assert stats is not None
        assert stats.bytes <= 600


def test_there_is_no_cache_unless_it_is_asked_for(in_memory: Volume) -> None:
    assert voxmask.MaskAndTarget(in_numpy(in_memory), GROUPINGS).cache_stats is None
    assert voxmask.MissingAnnotationsMask(in_numpy(in_memory), GROUPINGS).cache_stats is None


# Parts


def test_a_crop_of_a_mask_reads_what_the_mask_reads_there(stored: Volume) -> None:
    truth = voxmask.MaskAndTarget(stored.path, stored.groupings)
    roi = Roi(*stored.roi((1, 2, 3), (9, 13, 16)))
    for part in (truth.crop(roi), voxmask.MaskAndTarget(truth.source.crop(roi), stored.groupings)):
        assert part.mask.roi == roi
        assert np.array_equal(part.read(roi), truth.read(roi))
        assert part.decisions == truth.decisions
    assert np.array_equal(truth.mask.crop(roi)[roi], truth.mask[roi])
    assert truth.mask.crop(roi).channels == truth.mask.channels


# Writing


def test_all_windows_of_a_small_volume_are_right() -> None:
    volume = Volume(some_labels((3, 4, 3)))
    truth = voxmask.MaskAndTarget(in_numpy(volume, chunk_shape=(2, 2, 2)), GROUPINGS)
    mask, target = volume.mask(), volume.target()
    bounds = [[(a, b) for a in range(n) for b in range(a, n + 1)] for n in (3, 4, 3)]
    for window in itertools.product(*bounds):
        where = (slice(None), *(slice(start, stop) for start, stop in window))
        roi = Roi(*volume.roi([start for start, _ in window], [stop for _, stop in window]))
        got_mask, got_target = truth.read(roi)
        assert np.array_equal(got_mask, mask[where])
        assert np.array_equal(got_target, target[where])


def test_attributes_of_a_group_count_for_its_arrays(tmp_path: Path, write_array: WriteArray) -> None:
    root = zarr.create_group(store=str(tmp_path / "crop.zarr"), zarr_format=2)
    root.create_group("labels").attrs["labels"] = LABELS
    voxels = some_labels(SHAPE)
    path = write_array(tmp_path / "crop.zarr" / "labels" / "all", voxels, attributes(labels=None), 2)
    with pytest.warns(voxmask.MetadataWarning, match="group"):
        mask = voxmask.MissingAnnotationsMask(path, GROUPINGS)
    assert np.array_equal(mask[mask.roi], Volume(voxels).mask())


def placed(volume: Volume) -> voxmask.Array:
    return voxmask.from_numpy(volume.voxels, volume.voxel_size, volume.offset)


@pytest.mark.parametrize(
    "options",
    [dict(generic_ids="37"), dict(generic_ids=[1.5]), dict(background=1.9), dict(background="7"), dict(rule="")],
)
def test_options_are_never_guessed(in_memory: Any, options: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError)):
        voxmask.MaskAndTarget(placed(in_memory), [("a", [3])], **options)


def test_the_part_of_a_mask_is_a_mask(in_memory: Any) -> None:
    with pytest.warns(voxmask.MetadataWarning, match="`labels`"):
        mask = voxmask.MissingAnnotationsMask(placed(in_memory), [("a", [3])])
    roi = Roi(mask.offset, mask.voxel_size * 4)
    part = mask.crop(roi)
    assert part.decisions == mask.decisions
    np.testing.assert_array_equal(part[roi], mask[roi])
