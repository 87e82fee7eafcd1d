"""Groups of labels: what may be given as channels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import GROUPINGS, SHAPE, Volume, in_numpy

import voxmask
from voxmask import errors

# A warning that no test expects is a bug.
pytestmark = pytest.mark.filterwarnings("error::voxmask.MetadataWarning")


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
