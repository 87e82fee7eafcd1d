"""Written masks behind an ordinary web server, shown by Neuroglancer; and that these tests can fail."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from crop import Crop, centre, colours, seen
from programs import client, files, voxmask
from viewer import Picture, State, Viewer, link

# A voxel near which slices along all axes cross a mitochondrion and a vesicle, which has no label.
CHANNEL = 2
MIDDLE = (76, 101, 56)
LAYOUTS = ["xy", "xz", "yz"]


def state(source: str, layer: str) -> State:
    """The state that shows one channel in green, written by hand: nothing of it comes from voxmask."""
    shader = "void main() { emitRGBA(vec4(0.0, 1.0, 0.0, toNormalized(getDataValue()) * 255.0)); }"
    return {
        "dimensions": {"x": [4e-9, "m"], "y": [4e-9, "m"], "z": [5.24e-9, "m"]},
        "layout": "xy",
        "layers": [
            {
                "type": "image",
                "name": layer,
                "source": f"{source}/{layer}/",
                "shader": shader,
                "opacity": 1,
                "localDimensions": {"c'": [1, ""]},
                "localPosition": [CHANNEL],
            }
        ],
    }


def green(picture: Picture) -> np.ndarray:
    return picture.colours[..., 1] > 128


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("layer", ["mask", "target"])
@pytest.mark.parametrize(("name", "version"), [("masks.zarr", 3), ("masks-v2.zarr", 2)])
def test_every_pixel_shows_its_voxel(
    crop: Crop, viewer: Viewer, files_url: str, name: str, version: int, layer: str, layout: str
) -> None:
    viewer.keep_open(link(f"{files_url}/v/1/", state(f"zarr{version}://{files_url}/{name}", layer)))
    assert viewer.complaints() == []
    assert [one["sources"] for one in viewer.layers()] == [["loaded"]]

    picture = viewer.look([layer], centre(MIDDLE), layout, pixels=12)
    expected, sure = seen(picture, crop.written(name, layer)[CHANNEL])
    assert expected.any() and not expected.all()
    assert (green(picture) == expected)[sure].all()


def test_the_link_to_written_masks_shows_them_where_they_are(
    crop: Crop, viewer: Viewer, files_url: str
) -> None:
    where = ["--url", f"{files_url}/masks.zarr", "--client", f"{files_url}/v/1/"]
    viewer.open(voxmask("neuroglancer", crop.folder / "masks.zarr", *where).strip())
    assert {one["sources"][0] for one in viewer.layers()} == {"loaded"}
    for layer in ["mask", "target"]:
        picture = viewer.look([f"{layer} mitochondria"], centre(MIDDLE), pixels=12)
        expected, sure = seen(picture, crop.written("masks.zarr", layer)[CHANNEL])
        shown = colours(picture, expected, sure)
        assert shown.keys() == {0, 1}
        assert shown[0] != shown[1]


def test_a_shift_of_half_a_voxel_is_seen(crop: Crop, viewer: Viewer, tmp_path: Path) -> None:
    # The translation that would be right if Neuroglancer took it for the corner of voxel 0.
    shutil.copytree(crop.folder / "masks.zarr/target", tmp_path / "target")
    document = tmp_path / "target/zarr.json"
    metadata = json.loads(document.read_text())
    transforms = metadata["attributes"]["ome"]["multiscales"][0]["datasets"][0]
    scale, translation = (t[t["type"]] for t in transforms["coordinateTransformations"])
    transforms["coordinateTransformations"][1]["translation"] = [
        place - size / 2 for place, size in zip(translation, scale, strict=True)
    ]
    document.write_text(json.dumps(metadata))

    with files(tmp_path, client()) as url:
        viewer.open(link(f"{url}/v/1/", state(f"zarr3://{url}", "target")))
        for layout in LAYOUTS:
            picture = viewer.look(["target"], centre(MIDDLE), layout, pixels=12)
            expected, sure = seen(picture, crop.written("masks.zarr", "target")[CHANNEL])
            assert (green(picture) != expected)[sure].any()


def test_a_layer_that_is_not_there_is_seen(viewer: Viewer, files_url: str) -> None:
    viewer.open(link(f"{files_url}/v/1/", state(f"zarr3://{files_url}/masks.zarr", "nothing")))
    (layer,) = viewer.layers()
    assert layer["sources"] != ["loaded"]
