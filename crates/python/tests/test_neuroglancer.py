"""States of Neuroglancer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from conftest import SHAPE, Volume, WriteArray

import voxmask
from voxmask import errors

pytestmark = pytest.mark.filterwarnings("ignore::voxmask.MetadataWarning")


def test_neuroglancer_is_told_where_labels_are(stored: Volume) -> None:
    array = voxmask.open_array(stored.path)
    assert array.can_neuroglance() is True
    source = "zarr://http://localhost:8000/labels/all"
    layer = array.neuroglancer_layer(source)
    assert (layer["type"], layer["source"], layer["name"]) == ("segmentation", source, "all")
    state = array.neuroglancer_state(source)
    assert state["layers"] == [layer]
    assert list(state["dimensions"].items()) == [("x", [4e-9, "m"]), ("y", [4e-9, "m"]), ("z", [8e-9, "m"])]
    assert state["position"] == [12 / 4 + 8.5, -40 / 4 + 10.5, 80 / 8 + 6.5]


def test_a_mask_is_shown_as_an_image_of_its_first_channel(stored: Volume) -> None:
    mask = voxmask.MissingAnnotationsMask(stored.path, stored.groupings)
    layer = mask.neuroglancer_layer("zarr://http://localhost:8000/mask")
    assert (layer["type"], layer["localPosition"], layer["localDimensions"]) == ("image", [0], {"c'": [1, ""]})


def test_what_neuroglancer_cannot_show_is_refused(tmp_path: Path, write_array: WriteArray) -> None:
    array = voxmask.open_array(write_array(tmp_path / "wide.zarr", np.zeros(SHAPE, np.int64)))
    assert array.can_neuroglance() is False
    for show in (array.neuroglancer_layer, array.neuroglancer_state):
        with pytest.raises(errors.ArgumentError, match="int64"):
            show("zarr://http://localhost:8000/wide")
