"""Crops with an array for each class."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import funlib.geometry as funlib
import numpy as np
import pytest
from conftest import StoredCrop, Volume

import voxmask
from voxmask import Roi, errors

# A warning that no test expects is a bug.
pytestmark = pytest.mark.filterwarnings("error::voxmask.MetadataWarning")

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


def test_the_name_of_a_class_alone_is_a_group(stored_crop: Any) -> None:
    crop = voxmask.open_crop(stored_crop.path)
    name = crop.class_names[0]
    alone = voxmask.MissingAnnotationsMask(crop, [name])
    pair = voxmask.MissingAnnotationsMask(crop, [(name, [name])])
    assert alone.channels == [name]
    np.testing.assert_array_equal(alone[alone.roi], pair[pair.roi])


def test_no_group_at_all_is_refused_for_a_crop(stored_crop: Any) -> None:
    with pytest.raises(errors.ArgumentError, match="group"):
        voxmask.MaskAndTarget(voxmask.open_crop(stored_crop.path), [])


def test_options_of_opening_a_crop_are_known(stored_crop: Any) -> None:
    with pytest.raises(TypeError, match="voxelsize"):
        voxmask.open_crop(stored_crop.path, voxelsize=(9, 9, 9))
