"""A served crop in Neuroglancer: every layer loads, and every pixel shows the voxel that is there."""

import copy
from pathlib import Path

import numpy as np
import pytest

from crop import AXES, Crop, border, centre, colours, seen
from programs import Served
from viewer import State, Viewer, link, state_of

# A voxel near which slices along all axes cross a mitochondrion and a vesicle, which has no label.
MIDDLE = (76, 101, 56)
LAYOUTS = ["xy", "xz", "yz"]
# Of the sample: two that are kept, and one of which nothing is known.
CHANNELS = {"ecs": 0, "mitochondria": 2, "nucleus": 5}
OUTSIDE = 255
BLACK = (0, 0, 0)


def opened(viewer: Viewer, site: Served, version: int = 3) -> State:
    """Opens the link that the server printed, with sources of a version of Zarr; returns its state."""
    page = site.neuroglancer_url.partition("#!")[0]
    state = copy.deepcopy(state_of(site.neuroglancer_url))
    for layer in state["layers"]:
        assert "zarr3://" in layer["source"]
        layer["source"] = layer["source"].replace("zarr3", f"zarr{version}")
    viewer.keep_open(link(page, state))
    return state


@pytest.mark.parametrize("version", [2, 3])
def test_every_layer_of_the_link_loads(viewer: Viewer, site: Served, version: int) -> None:
    state = opened(viewer, site, version)
    names = [layer["name"] for layer in viewer.layers()]
    assert names == [layer["name"] for layer in state["layers"]]
    assert {"raw", "labels", "mask ecs", "target mitochondria"} <= set(names)
    for layer in viewer.layers():
        assert layer["sources"] == ["loaded"], layer
        assert layer["messages"] == [], layer
    # Every layer is also drawn, since only what is visible is asked for.
    viewer.look(names, centre(MIDDLE), pixels=4)
    assert viewer.complaints() == []


def test_the_link_shows_the_middle_of_the_crop_with_its_first_channel(
    viewer: Viewer, site: Served, pictures: Path
) -> None:
    viewer.open(site.neuroglancer_url)
    viewer.screenshot(pictures / "link.png")
    visible = [layer["name"] for layer in viewer.layers() if layer["visible"]]
    assert visible == ["raw", "labels", "mask ecs", "target ecs"]
    place = viewer.ask("return [...viewer.position.value];")
    middle = centre((64, 64, 64))
    steps = viewer.ask("return [...viewer.coordinateSpace.value.scales];")
    for axis, voxels, metres in zip("xyz", place, steps, strict=True):
        assert voxels * metres * 1e9 == pytest.approx(middle[axis], abs=1e-3)


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("layer", ["mask", "target"])
@pytest.mark.parametrize("version", [2, 3])
def test_every_pixel_shows_its_voxel(
    crop: Crop, viewer: Viewer, site: Served, version: int, layer: str, layout: str, channel: str
) -> None:
    opened(viewer, site, version)
    picture = viewer.look([f"{layer} {channel}"], centre(MIDDLE), layout, pixels=8)
    volume = crop.written("masks.zarr", layer)[CHANNELS[channel]]
    expected, sure = seen(picture, volume, OUTSIDE)

    shown = colours(picture, expected, sure)
    if channel == "mitochondria":
        assert {0, 1} <= shown.keys()
    # Black is what lies below: nothing is drawn outside, and not where a target is 0.
    assert shown.pop(OUTSIDE, BLACK) == BLACK
    if layer == "target":
        assert shown.pop(0, BLACK) == BLACK
    assert BLACK not in shown.values()
    assert len(set(shown.values())) == len(shown)


@pytest.mark.parametrize("axis", AXES)
def test_a_mask_ends_where_its_label_ends_to_less_than_half_a_voxel(
    crop: Crop, viewer: Viewer, site: Served, pictures: Path, axis: str
) -> None:
    """The place just before the face between two voxels is inside, the place just behind it is outside."""
    opened(viewer, site)
    number = AXES.index(axis)
    inside = border(np.isin(crop.labels, [3, 4]), number, MIDDLE)

    def at(shift: float) -> dict[str, float]:
        return centre(inside, [shift if i == number else 0.0 for i in range(3)])

    layout = "yz" if axis == "y" else "xz"
    picture = viewer.look(
        ["target mitochondria"], at(0), layout, pixels=32, path=pictures / f"edge-{axis}.png"
    )
    colour = picture.at(at(0))
    assert colour != BLACK
    assert picture.at(at(0.45)) == colour
    assert picture.at(at(0.55)) == BLACK
    assert picture.at(at(1)) == BLACK


def test_labels_have_their_colours_and_no_label_has_none(crop: Crop, viewer: Viewer, site: Served) -> None:
    opened(viewer, site)
    for layout in LAYOUTS:
        picture = viewer.look(["labels"], centre(MIDDLE), layout, pixels=6)
        expected, sure = seen(picture, crop.labels)
        shown = colours(picture, expected, sure)
        assert shown.pop(0) == BLACK
        assert len(shown) > 3
        assert BLACK not in shown.values()
        assert len(set(shown.values())) == len(shown)


def test_the_image_is_grey_and_brighter_where_its_values_are_larger(
    crop: Crop, viewer: Viewer, site: Served
) -> None:
    opened(viewer, site)
    picture = viewer.look(["raw"], centre(MIDDLE), pixels=6)
    expected, sure = seen(picture, crop.raw)
    shown = sorted(colours(picture, expected, sure).items())
    assert len(shown) > 100
    greys = [colour[0] for _, colour in shown]
    assert all(colour == (grey, grey, grey) for grey, (_, colour) in zip(greys, shown, strict=True))
    assert greys == sorted(greys)
    assert greys[-1] - greys[0] > 100


def test_the_mask_lies_over_its_labels(crop: Crop, viewer: Viewer, site: Served, pictures: Path) -> None:
    """With all layers over one another: known, unknown and positive voxels differ in every label."""
    opened(viewer, site)
    names = ["labels", "mask mitochondria", "target mitochondria"]
    picture = viewer.look(names, centre(MIDDLE), pixels=6, path=pictures / "over.png")
    expected, sure = seen(picture, crop.labels, OUTSIDE)
    shown = colours(picture, expected, sure)
    assert {0, 3, 4, 35} <= shown.keys()
    assert len(set(shown.values())) == len(shown)


def test_labels_and_targets_side_by_side_make_a_picture(viewer: Viewer, site: Served, pictures: Path) -> None:
    """Draws the picture of the documentation: labels on the left, what a network may learn on the right."""
    state = opened(viewer, site)
    channels = ["ecs", "plasma membrane", "mitochondria", "lysosomes", "er"]
    left, right = ["raw", "labels"], ["raw", "mask er", *(f"target {name}" for name in channels)]
    by_name = {layer["name"]: layer for layer in state["layers"]}
    columns = [{"type": "viewer", "layout": "xy", "layers": names} for names in (left, right)]
    shown = {
        **state,
        "layers": [{**by_name[name], "visible": True} for name in [*left, *right[1:]]],
        "layout": {"type": "row", "children": columns},
        "crossSectionScale": 0.25,
        "crossSectionBackgroundColor": "#000000",
        "showAxisLines": False,
        "showDefaultAnnotations": False,
    }
    viewer.show(shown)
    page = viewer.screenshot(pictures / "neuroglancer.png")
    half = page.shape[1] // 2
    # More colours than the image has greys: there are layers over it, on both sides.
    for side in (page[:, :half], page[:, half:]):
        assert len(np.unique(side.reshape(-1, 3), axis=0)) > 400
    assert viewer.complaints() == []
