"""Masks and targets of labels and of crops."""

from __future__ import annotations

import itertools
import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import funlib.geometry as funlib
import numpy as np
import numpy.typing as npt
import pytest
import zarr
from conftest import GROUPINGS, KEPT, LABELS, SHAPE, StoredCrop, Volume, attributes, some_labels
from funlib.persistence import Array as FunlibArray
from funlib.persistence import open_ds

import voxmask
from voxmask import Coordinate, Roi, errors

WriteArray = Callable[..., Path]


@pytest.fixture(autouse=True)
def warnings_are_errors() -> Any:
    """A warning that no test expects is a bug."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", voxmask.MetadataWarning)
        yield


def in_numpy(volume: Volume, **options: Any) -> voxmask.Array:
    attrs = {"labels": LABELS}
    return voxmask.from_numpy(volume.voxels, volume.voxel_size, volume.offset, unit="nm", attrs=attrs, **options)


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


# Groups


def same_groups(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "groups.json").write_text(json.dumps(GROUPINGS))
    tables = "".join(f"[[group]]\nname = {json.dumps(name)}\nids = {ids}\n" for name, ids in GROUPINGS)
    (tmp_path / "groups.toml").write_text(tables)
    return {
        "pairs": GROUPINGS,
        "lists": [[name, list(ids)] for name, ids in GROUPINGS],
        "tuples": tuple((name, tuple(ids)) for name, ids in GROUPINGS),
        "dict": dict(GROUPINGS),
        "generator": ((name, iter(ids)) for name, ids in GROUPINGS),
        "numpy": [(name, np.array(ids, np.uint64)) for name, ids in GROUPINGS],
        "sets": {name: set(ids) for name, ids in GROUPINGS},
        "tables": [{"name": name, "ids": ids} for name, ids in GROUPINGS],
        "mixed": [{"name": "mito", "ids": [3, 4, 5]}, *GROUPINGS[1:]],
        "json file": tmp_path / "groups.json",
        "toml file": str(tmp_path / "groups.toml"),
    }


@pytest.mark.parametrize(
    "form",
    ["pairs", "lists", "tuples", "dict", "generator", "numpy", "sets", "tables", "mixed", "json file", "toml file"],
)
def test_groups_may_be_written_in_many_forms(in_memory: Volume, tmp_path: Path, form: str) -> None:
    mask = voxmask.MissingAnnotationsMask(in_numpy(in_memory), same_groups(tmp_path)[form])
    assert mask.channels == [name for name, _ in GROUPINGS]
    assert np.array_equal(mask[mask.roi], in_memory.mask())
    target = voxmask.BinarizeArray(in_numpy(in_memory), same_groups(tmp_path)[form])
    assert np.array_equal(target[target.roi], in_memory.target())


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ([("a", 5)], TypeError),
        ([("a", "3")], TypeError),
        ([("a", [1.5])], TypeError),
        ([("a", [None])], TypeError),
        ([("a",)], TypeError),
        ([5], TypeError),
        ({"a": 3}, TypeError),
        (5, TypeError),
        ([(3, [1])], ValueError),
        ([("", [1])], ValueError),
        ([("a", [1]), ("a", [2])], ValueError),
        ([{"name": "a", "idz": [1]}], ValueError),
        ([{"ids": [1]}], ValueError),
        ([("a", [2**64])], ValueError),
        ([("a", [-(2**63) - 1])], ValueError),
    ],
    ids=str,
)
def test_groups_that_cannot_be_channels_are_refused(in_memory: Volume, wrong: Any, error: type[Exception]) -> None:
    for make in (voxmask.MissingAnnotationsMask, voxmask.BinarizeArray, voxmask.MaskAndTarget):
        with pytest.raises(error) as caught:
            make(in_numpy(in_memory), wrong)
        if error is ValueError:
            assert isinstance(caught.value, errors.GroupMalformedError)


def test_labels_need_groups(in_memory: Volume) -> None:
    for make in (voxmask.MissingAnnotationsMask, voxmask.BinarizeArray, voxmask.MaskAndTarget):
        with pytest.raises(errors.ArgumentError, match="groupings"):
            make(in_numpy(in_memory))


def test_a_groups_file_that_is_missing_or_broken_is_named(in_memory: Volume, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"none\.toml"):
        voxmask.MissingAnnotationsMask(in_numpy(in_memory), tmp_path / "none.toml")
    (tmp_path / "broken.json").write_text("[[")
    with pytest.raises(errors.GroupMalformedError, match=r"broken\.json"):
        voxmask.MissingAnnotationsMask(in_numpy(in_memory), tmp_path / "broken.json")
    (tmp_path / "groups.txt").write_text("a = 1")
    with pytest.raises(errors.ArgumentError, match=r"groups\.txt"):
        voxmask.MissingAnnotationsMask(in_numpy(in_memory), tmp_path / "groups.txt")


def test_no_groups_are_no_channels(in_memory: Volume) -> None:
    mask = voxmask.MissingAnnotationsMask(in_numpy(in_memory), [])
    assert mask.shape == (0, *SHAPE)
    assert mask[mask.roi].shape == (0, *SHAPE)
    assert mask.decisions == []


def test_an_id_listed_twice_counts_once_and_one_beyond_the_type_is_reported(in_memory: Volume) -> None:
    with pytest.warns(voxmask.MetadataWarning) as caught:
        target = voxmask.BinarizeArray(in_numpy(in_memory), [("twice", [3, 3]), ("large", [70000, -1])])
    assert [warning.filename for warning in caught] == [__file__] * 2
    assert all("large" in str(warning.message) for warning in caught)
    assert {str(warning.message).split()[-1] for warning in caught} == {"70000", "-1"}
    assert np.array_equal(target[0], in_memory.voxels == 3)
    assert not target[1].any()


def test_names_of_classes_are_looked_up(in_memory: Volume, tmp_path: Path) -> None:
    by_label = voxmask.BinarizeArray(in_numpy(in_memory), [("a", ["Class 3", 4])])
    assert np.array_equal(by_label[0], np.isin(in_memory.voxels, [3, 4]))
    table = tmp_path / "classes.csv"
    table.write_text("mito_mem,3,\nmito_lum,4,\nmito,50,3-4\n")
    mask = voxmask.MissingAnnotationsMask(in_numpy(in_memory), {"mito": ["mito"]}, classes=table)
    assert mask.decisions[0].members == ("50", "3", "4")
    with pytest.raises(errors.GroupMalformedError, match="unicorn"):
        voxmask.BinarizeArray(in_numpy(in_memory), [("a", ["unicorn"])])


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


# Other packages' arrays


def test_an_array_of_funlib_is_a_source(stored: Volume) -> None:
    source = open_ds(str(stored.path))
    assert isinstance(source, FunlibArray)
    assert not isinstance(source, voxmask.Array)
    truth = voxmask.MaskAndTarget(source, stored.groupings)
    assert truth.mask.roi == Roi(source.roi.offset, source.roi.shape)
    assert truth.mask.voxel_size == source.voxel_size
    assert truth.mask.unit == "nanometer"
    assert truth.mask.axes[1:] == ["z", "y", "x"]
    assert [channel.kept for channel in truth.decisions] == [bool(kept) for kept in KEPT["strict"]]
    roi = funlib.Roi(*stored.roi((1, 2, 3), (9, 13, 16)))
    mask, target = truth.read(roi)
    assert np.array_equal(mask, stored.mask()[:, 1:9, 2:13, 3:16])
    assert np.array_equal(target, stored.target()[:, 1:9, 2:13, 3:16])
    assert np.array_equal(voxmask.as_array(source)[roi], source[roi])


def test_an_array_of_funlib_over_numpy_is_a_source(in_memory: Volume) -> None:
    source = FunlibArray(in_memory.voxels, offset=in_memory.offset, voxel_size=in_memory.voxel_size)
    target = voxmask.BinarizeArray(source, GROUPINGS)
    assert target.roi == Roi(source.roi.offset, source.roi.shape)
    assert np.array_equal(target[target.roi], in_memory.target())


class Duck:
    """The least that an array must have."""

    def __init__(self, voxels: npt.NDArray[Any], voxel_size: tuple[int, ...], offset: tuple[int, ...]) -> None:
        self.voxels = voxels
        self.voxel_size = voxel_size
        self.roi = Roi(offset, Coordinate(voxels.shape) * voxel_size)
        self.dtype = voxels.dtype
        self.shape = voxels.shape
        self.asked: list[Any] = []

    def __getitem__(self, roi: Any) -> npt.NDArray[Any]:
        self.asked.append(roi)
        begin = (roi.begin - self.roi.begin) / Coordinate(self.voxel_size)
        end = (roi.end - self.roi.begin) / Coordinate(self.voxel_size)
        return self.voxels[tuple(map(slice, begin, end))]


def test_any_object_that_is_read_by_region_is_a_source(in_memory: Volume) -> None:
    duck = Duck(in_memory.voxels, in_memory.voxel_size, in_memory.offset)
    with pytest.warns(voxmask.MetadataWarning, match="labels"):
        truth = voxmask.MaskAndTarget(duck, GROUPINGS)
    roi = Roi(*in_memory.roi((1, 2, 3), (9, 13, 16)))
    mask, target = truth.read(roi)
    assert np.array_equal(target, in_memory.target()[:, 1:9, 2:13, 3:16])
    assert np.array_equal(mask[0], in_memory.voxels[1:9, 2:13, 3:16] > 0)
    assert all(type(asked) is Roi and roi.contains(asked) for asked in duck.asked)


def test_attributes_and_axes_of_an_object_are_taken(in_memory: Volume) -> None:
    duck = Duck(in_memory.voxels, in_memory.voxel_size, in_memory.offset)
    duck.attrs = {"labels": LABELS, "number": np.int64(3), "list": np.array([1, 2])}  # type: ignore[attr-defined]
    duck.axis_names = ["x", "y", "z"]  # type: ignore[attr-defined]
    duck.units = ["nm", "nm", "nm"]  # type: ignore[attr-defined]
    mask = voxmask.MissingAnnotationsMask(duck, GROUPINGS)
    assert mask.axes[1:] == ["x", "y", "z"]
    assert mask.world_unit == "nm"
    assert mask.attrs["list"] == [1, 2]
    assert np.array_equal(mask[mask.roi], in_memory.mask())


def test_a_source_that_fails_is_the_cause(in_memory: Volume) -> None:
    class Failing(Duck):
        def __getitem__(self, roi: Any) -> npt.NDArray[Any]:
            raise RuntimeError("the disk is on fire")

    target = voxmask.BinarizeArray(Failing(in_memory.voxels, (8, 4, 4), (0, 0, 0)), GROUPINGS)
    for read in (lambda: target[target.roi], lambda: target.read_many([target.roi] * 3), lambda: target[0, 0]):
        with pytest.raises(errors.SourceError) as caught:
            read()
        assert isinstance(caught.value, OSError)
        cause: BaseException | None = caught.value
        while cause is not None and not isinstance(cause, RuntimeError):
            cause = cause.__cause__
        assert str(cause) == "the disk is on fire"


@pytest.mark.parametrize(
    ("give", "text"),
    [
        (lambda voxels: voxels[1:], "shape"),
        (lambda voxels: voxels.astype(np.int64), "int64"),
        (lambda voxels: None, ""),
        (lambda voxels: voxels[None], "shape"),
    ],
)
def test_a_source_that_gives_something_else_is_an_error(
    in_memory: Volume, give: Callable[[Any], Any], text: str
) -> None:
    class Wrong(Duck):
        def __getitem__(self, roi: Any) -> Any:
            return give(super().__getitem__(roi))

    target = voxmask.BinarizeArray(Wrong(in_memory.voxels, (8, 4, 4), (0, 0, 0)), GROUPINGS)
    with pytest.raises(errors.SourceError) as caught:
        target[target.roi]
    assert text in str(caught.value) + str(caught.value.__cause__)


def test_a_source_of_another_byte_order_or_memory_order_is_read(in_memory: Volume) -> None:
    class Strided(Duck):
        def __getitem__(self, roi: Any) -> npt.NDArray[Any]:
            return np.asfortranarray(super().__getitem__(roi))[::1]

    target = voxmask.BinarizeArray(Strided(in_memory.voxels, (8, 4, 4), (0, 0, 0)), GROUPINGS)
    assert np.array_equal(target[target.roi], in_memory.target())


@pytest.mark.parametrize("wrong", [5, None, object(), [1, 2], {"a": 1}])
def test_what_is_no_array_is_a_type_error(wrong: Any) -> None:
    with pytest.raises(TypeError, match="not an array"):
        voxmask.MissingAnnotationsMask(wrong, GROUPINGS)


def test_a_numpy_array_is_a_source_by_itself(in_memory: Volume) -> None:
    with pytest.warns(voxmask.MetadataWarning, match="no place"):
        target = voxmask.BinarizeArray(in_memory.voxels, GROUPINGS)
    assert target.voxel_size == (1, 1, 1)
    assert np.array_equal(target[target.roi], in_memory.target())


# Crops with an array for each class


def test_each_class_of_a_crop_is_a_channel(stored_crop: StoredCrop) -> None:
    crop = voxmask.open_crop(stored_crop.path)
    assert crop.class_names == list(stored_crop.voxels)
    assert crop.name == "crop7"
    assert crop.roi == Roi((80, 0, 0), (48, 32, 28))
    assert crop.attrs["cellmap"]["annotation"]["class_names"] == list(stored_crop.voxels)
    assert np.array_equal(crop["cell"].data, stored_crop.voxels["cell"])
    with pytest.raises(KeyError, match="unicorn"):
        crop["unicorn"]
    truth = voxmask.MaskAndTarget(crop)
    mask, target = truth.read(crop.roi)
    for channel, name in enumerate(truth.mask.channels or []):
        assert np.array_equal(mask[channel], stored_crop.known(name))
        assert np.array_equal(target[channel], stored_crop.present(name))
    assert truth.source is crop
    assert voxmask.open_crop(stored_crop.path.parent, "crop7").class_names == crop.class_names


def test_a_channel_of_several_classes_is_their_or(stored_crop: StoredCrop) -> None:
    crop = voxmask.open_crop(stored_crop.path)
    parts = ("mito_mem", "mito_lum")
    present = np.any([stored_crop.present(name) for name in parts], axis=0)
    absent = np.all([stored_crop.known(name) & ~stored_crop.present(name) for name in parts], axis=0)
    groups = {"mito": list(parts), "nothing": ["nuc"]}
    truth = voxmask.MaskAndTarget(crop, groups)
    mask, target = truth.read(crop.roi)
    assert np.array_equal(mask[0], present | absent)
    assert np.array_equal(target[0], present)
    assert not mask[1].any()
    assert not target[1].any()
    assert [channel.kept for channel in truth.decisions] == [True, False]
    assert truth.decisions[1].missing == ("nuc",)
    assert np.array_equal(voxmask.MissingAnnotationsMask(crop, groups)[crop.roi], mask)
    assert np.array_equal(voxmask.BinarizeArray(crop, groups)[crop.roi], target)


def test_a_table_says_what_composite_classes_consist_of(stored_crop: StoredCrop, tmp_path: Path) -> None:
    table = tmp_path / "classes.csv"
    table.write_text("mito_mem,3,\nmito_lum,4,\nmito,50,3-4\ncell,60,\n")
    crop = voxmask.open_crop(stored_crop.path, classes=table)
    truth = voxmask.MaskAndTarget(crop, [("mito", ["mito"])])
    parts = [("mito", ["mito_mem", "mito_lum"])]
    assert np.array_equal(truth.read(crop.roi), voxmask.MaskAndTarget(crop, parts).read(crop.roi))


def test_a_part_of_a_crop_is_a_crop(stored_crop: StoredCrop) -> None:
    crop = voxmask.open_crop(stored_crop.path)
    roi = Roi((88, 4, 8), (24, 16, 12))
    for kind in (roi, funlib.Roi(*roi), tuple(roi)):
        part = crop.crop(kind)
        assert part.roi == roi
        truth = voxmask.MaskAndTarget(part)
        assert np.array_equal(truth.read(roi), voxmask.MaskAndTarget(crop).read(roi))
    assert voxmask.MaskAndTarget(crop).crop(roi).mask.roi == roi


def test_a_crop_has_no_rules_and_no_factors(stored_crop: StoredCrop) -> None:
    crop = voxmask.open_crop(stored_crop.path)
    for options in (
        dict(rule="strict"), dict(generic_ids=[37]), dict(background=0), dict(require_labels=False), dict(classes="a"),
    ):  # fmt: skip
        with pytest.raises(errors.ArgumentError, match=next(iter(options))):
            voxmask.MaskAndTarget(crop, **options)  # type: ignore[arg-type]
    with pytest.raises(errors.ArgumentError, match="factors"):
        voxmask.MissingAnnotationsMask(crop).read_factored(crop.roi)


def test_a_crop_with_a_cache_answers_the_same(stored_crop: StoredCrop) -> None:
    crop = voxmask.open_crop(stored_crop.path)
    cached = voxmask.MaskAndTarget(crop, cache_bytes=1 << 20)
    for _ in range(2):
        assert np.array_equal(cached.read(crop.roi), voxmask.MaskAndTarget(crop).read(crop.roi))
    assert cached.cache_stats is not None
    assert cached.cache_stats.hits > 0


def test_crops_and_arrays_are_told_apart(stored_crop: StoredCrop, volume: Volume) -> None:
    with pytest.raises(errors.ArgumentError, match="open_crop"):
        voxmask.open_array(stored_crop.path)
    with pytest.raises(errors.ArgumentError, match="open_array"):
        voxmask.open_crop(volume.path)
    assert voxmask.open_array(stored_crop.path / "cell").shape == (6, 8, 7)


# Writing


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_masks_and_targets_are_written(stored: Volume, tmp_path: Path, zarr_format: int) -> None:
    truth = voxmask.MaskAndTarget(stored.path, stored.groupings)
    output = tmp_path / "masks.zarr"
    counts = truth.write(output, zarr_format=zarr_format)
    for name, expected in (("mask", stored.mask()), ("target", stored.target())):
        array = zarr.open_array(str(output / name / "s0"), mode="r")
        assert array.metadata.zarr_format == zarr_format
        assert array.dtype == np.uint8
        assert np.array_equal(array[...], expected)
        again = voxmask.open_array(output / name)
        assert again.roi == truth.mask.roi
        assert again.channels == truth.mask.channels
    assert [count.name for count in counts] == [name for name, _ in GROUPINGS]
    assert [count.kept for count in counts] == [bool(kept) for kept in KEPT["strict"]]
    assert {count.voxels for count in counts} == {int(np.prod(SHAPE))}
    assert [count.known for count in counts] == stored.mask().sum(axis=(1, 2, 3)).tolist()
    assert [count.positive for count in counts] == stored.target().sum(axis=(1, 2, 3)).tolist()


def test_writing_has_options(stored: Volume, tmp_path: Path) -> None:
    truth = voxmask.MaskAndTarget(stored.path, stored.groupings)
    for number, options in enumerate(
        [
            dict(targets=False),
            dict(chunk_shape=(4, 4, 4), shard_shape=(8, 8, 8)),
            dict(chunk_shape=[6]),
            dict(codec="none"),
            dict(codec="gzip:1", zarr_format=2),
            dict(codec="blosc-lz4"),
            dict(levels=2, mask_levels="any", target_levels="mean"),
        ]
    ):
        output = tmp_path / f"{number}.zarr"
        truth.write(output, **options)  # type: ignore[arg-type]
        mask = zarr.open_array(str(output / "mask" / "s0"), mode="r")
        assert np.array_equal(mask[...], stored.mask())
        assert (output / "target").exists() == options.get("targets", True)
        if "shard_shape" in options:
            assert mask.chunks[1:] == (4, 4, 4)
            assert mask.shards is not None
            assert mask.shards[1:] == (8, 8, 8)
        if "levels" in options:
            coarse = zarr.open_array(str(output / "mask" / "s1"), mode="r")[...]
            blocks = stored.mask()[..., :16].reshape(5, 6, 2, 10, 2, 8, 2)
            assert np.array_equal(coarse, blocks.max(axis=(2, 4, 6)))


@pytest.mark.parametrize(
    "options",
    [
        dict(codec="zip"),
        dict(zarr_format=4),
        dict(levels=0),
        dict(mask_levels="most"),
        dict(target_levels="all"),
        dict(existing="append"),
        dict(chunk_shape=(0, 1, 1)),
        dict(chunk_shape=(4, 4)),
        dict(chunk_shape=(4, 4, 4), shard_shape=(6, 8, 8)),
        dict(shard_shape=(8, 8, 8), zarr_format=2),
    ],
    ids=str,
)
def test_options_that_cannot_be_written_are_refused(volume: Volume, tmp_path: Path, options: dict[str, Any]) -> None:
    truth = voxmask.MaskAndTarget(volume.path, volume.groupings)
    with pytest.raises(ValueError):
        truth.write(tmp_path / "masks.zarr", **options)
    assert not (tmp_path / "masks.zarr").exists()


def test_an_output_that_is_there_is_kept_unless_it_may_be_replaced(volume: Volume, tmp_path: Path) -> None:
    output = tmp_path / "masks.zarr"
    truth = voxmask.MaskAndTarget(volume.path, volume.groupings)
    first = truth.write(output)
    for existing in ("refuse", None):
        with pytest.raises(errors.OutputExistsError, match=r"masks\.zarr") as caught:
            truth.write(output, **({} if existing is None else {"existing": existing}))  # type: ignore[arg-type]
        assert isinstance(caught.value, FileExistsError)
    # A complete one stays as it is.
    stamp = (output / "zarr.json").stat().st_mtime_ns
    for existing in ("resume", "continue"):
        assert truth.write(output, existing=existing) == first
        assert (output / "zarr.json").stat().st_mtime_ns == stamp
    other = voxmask.MaskAndTarget(volume.path, [("er", [16])])
    with pytest.raises(errors.OutputExistsError):
        other.write(output, existing="resume")
    other.write(output, existing="overwrite")
    assert zarr.open_array(str(output / "mask" / "s0"), mode="r").shape == (1, *SHAPE)


def test_there_must_be_something_to_resume(volume: Volume, tmp_path: Path) -> None:
    truth = voxmask.MaskAndTarget(volume.path, volume.groupings)
    with pytest.raises(errors.OutputExistsError):
        truth.write(tmp_path / "a.zarr", existing="resume")
    assert len(truth.write(tmp_path / "a.zarr", existing="continue")) == 5


class Breaking(Duck):
    """An array whose source fails after some reads."""

    left = 10**9

    def __getitem__(self, roi: Any) -> npt.NDArray[Any]:
        self.left -= 1
        if self.left < 0:
            raise ConnectionError("gone")
        return super().__getitem__(roi)


def test_a_run_that_failed_is_resumed(tmp_path: Path) -> None:
    volume = Volume(some_labels((32, 20, 17)))
    duck = Breaking(volume.voxels, volume.voxel_size, volume.offset)
    duck.attrs = {"labels": LABELS}  # type: ignore[attr-defined]
    duck.chunk_shape = (4, 20, 17)  # type: ignore[attr-defined]
    truth = voxmask.MaskAndTarget(duck, volume.groupings)
    output, options = tmp_path / "masks.zarr", dict(chunk_shape=(4, 20, 17))
    duck.left = 4
    with pytest.raises(errors.SourceError):
        truth.write(output, **options)  # type: ignore[arg-type]
    assert not output.exists()
    with pytest.raises(errors.OutputExistsError):
        truth.write(output, **options)  # type: ignore[arg-type]
    duck.left, duck.asked = 10**9, []
    truth.write(output, existing="resume", **options)  # type: ignore[arg-type]
    assert np.array_equal(zarr.open_array(str(output / "mask" / "s0"), mode="r")[...], volume.mask())
    assert np.array_equal(zarr.open_array(str(output / "target" / "s0"), mode="r")[...], volume.target())


def test_an_output_in_a_folder_that_is_missing_is_an_os_error(volume: Volume, tmp_path: Path) -> None:
    truth = voxmask.MaskAndTarget(volume.path, volume.groupings)
    with pytest.raises(OSError):
        truth.write(tmp_path / "a" / "b" / "masks.zarr")
    assert not (tmp_path / "a").exists()


def test_a_crop_is_written(stored_crop: StoredCrop, tmp_path: Path) -> None:
    truth = voxmask.MaskAndTarget(voxmask.open_crop(stored_crop.path))
    truth.write(tmp_path / "masks.zarr")
    mask = zarr.open_array(str(tmp_path / "masks.zarr" / "mask" / "s0"), mode="r")[...]
    for channel, name in enumerate(truth.mask.channels or []):
        assert np.array_equal(mask[channel], stored_crop.known(name))


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


def test_the_name_of_a_class_alone_is_a_group(stored_crop: Any) -> None:
    crop = voxmask.open_crop(stored_crop.path)
    name = crop.class_names[0]
    alone = voxmask.MissingAnnotationsMask(crop, [name])
    pair = voxmask.MissingAnnotationsMask(crop, [(name, [name])])
    assert alone.channels == [name]
    np.testing.assert_array_equal(alone[alone.roi], pair[pair.roi])


def placed(volume: Volume) -> voxmask.Array:
    return voxmask.from_numpy(volume.voxels, volume.voxel_size, volume.offset)


@pytest.mark.parametrize(
    "options",
    [dict(generic_ids="37"), dict(generic_ids=[1.5]), dict(background=1.9), dict(background="7"), dict(rule="")],
)
def test_options_are_never_guessed(in_memory: Any, options: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError)):
        voxmask.MaskAndTarget(placed(in_memory), [("a", [3])], **options)


def test_no_group_at_all_is_refused_for_a_crop(stored_crop: Any) -> None:
    with pytest.raises(errors.ArgumentError, match="group"):
        voxmask.MaskAndTarget(voxmask.open_crop(stored_crop.path), [])


def test_options_of_opening_a_crop_are_known(stored_crop: Any) -> None:
    with pytest.raises(TypeError, match="voxelsize"):
        voxmask.open_crop(stored_crop.path, voxelsize=(9, 9, 9))


def test_the_part_of_a_mask_is_a_mask(in_memory: Any) -> None:
    with pytest.warns(voxmask.MetadataWarning, match="`labels`"):
        mask = voxmask.MissingAnnotationsMask(placed(in_memory), [("a", [3])])
    roi = Roi(mask.offset, mask.voxel_size * 4)
    part = mask.crop(roi)
    assert part.decisions == mask.decisions
    np.testing.assert_array_equal(part[roi], mask[roi])
