"""Other readers of Zarr read what is served over HTTP, and find what `voxmask mask` writes into files."""

import json
import urllib.error
import urllib.request
from typing import Any, Literal

import numpy as np
import pytest
import tensorstore
import zarr

from crop import Crop
from programs import Served

Version = Literal[2, 3]

LAYERS = ["raw", "labels", "mask", "target"]


def by_zarr_python(where: str, version: Version) -> np.ndarray:
    array = zarr.open_array(where, mode="r", zarr_format=version)
    return np.asarray(array[...])


def by_tensorstore(where: str, version: Version) -> np.ndarray:
    driver = "zarr3" if version == 3 else "zarr"
    spec = {"driver": driver, "kvstore": where if "://" in where else f"file://{where}"}
    return np.asarray(tensorstore.open(spec, read=True, open=True).result().read().result())


READERS = {"zarr-python": by_zarr_python, "TensorStore": by_tensorstore}


def written(crop: Crop, layer: str, version: Version) -> tuple[str, Version]:
    """Where the same voxels lie in files, and the version of Zarr that these have."""
    match layer:
        case "raw":
            return f"{crop.raw_path}/s0", 2
        case "labels":
            return str(crop.labels_path), 2
        case _:
            name = "masks.zarr" if version == 3 else "masks-v2.zarr"
            return f"{crop.folder}/{name}/{layer}/s0", version


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("reader", READERS)
def test_served_voxels_are_those_of_files(
    crop: Crop, site: Served, reader: str, version: Version, layer: str
) -> None:
    read = READERS[reader]
    served = read(f"{site.url}zarr{version}/{layer}/s0", version)
    expected = read(*written(crop, layer, version))
    assert served.dtype == expected.dtype
    assert served.shape == expected.shape
    assert expected.any()
    assert served.tobytes() == expected.tobytes()


@pytest.mark.parametrize("layer", ["mask", "target"])
@pytest.mark.parametrize("version", [2, 3])
def test_served_images_lie_where_those_of_files_do(
    crop: Crop, site: Served, version: Version, layer: str
) -> None:
    def multiscales(group: zarr.Group) -> dict[str, Any]:
        attrs: dict[str, Any] = group.attrs.asdict()
        (image,) = attrs["ome"]["multiscales"] if version == 3 else attrs["multiscales"]
        return {key: image[key] for key in ("axes", "datasets")}

    served = zarr.open_group(f"{site.url}zarr{version}/{layer}", mode="r", zarr_format=version)
    name = "masks.zarr" if version == 3 else "masks-v2.zarr"
    files = zarr.open_group(crop.folder / name / layer, mode="r", zarr_format=version)
    assert multiscales(served) == multiscales(files)


@pytest.mark.parametrize("version", [2, 3])
def test_the_root_lists_every_layer(site: Served, version: Version) -> None:
    root = zarr.open_group(f"{site.url}zarr{version}", mode="r", zarr_format=version)
    assert sorted(root.group_keys()) == sorted(LAYERS)
    assert root["mask/s0"].attrs.asdict()["kept"] == [True] * 5 + [False] * 3


@pytest.mark.parametrize("version", [2, 3])
def test_chunks_of_zeros_are_not_there_and_others_are(site: Served, version: Version) -> None:
    def status(key: str) -> int:
        try:
            with urllib.request.urlopen(f"{site.url}zarr{version}/{key}") as response:
                assert response.headers["Access-Control-Allow-Origin"] == "*"
                return int(response.status)
        except urllib.error.HTTPError as error:
            assert error.headers["Access-Control-Allow-Origin"] == "*"
            return error.code

    prefix = "s0/c" if version == 3 else "s0"
    # Nothing is known of the nucleus, but it is in the labels.
    assert status(f"mask/{prefix}/0/0/0/0") == 200
    assert status(f"mask/{prefix}/5/0/0/0") == 404
    assert status(f"target/{prefix}/5/0/0/0") == 200
    assert status(f"mask/{prefix}/0/2/0/0") == 404
    assert status(f"mask/{prefix}/8/0/0/0") == 404


def test_the_line_for_programs_names_every_layer(site: Served) -> None:
    assert [layer["name"] for layer in site.layers] == LAYERS
    for layer in site.layers:
        assert layer["source"].endswith(f"/zarr3/{layer['name']}")
        with urllib.request.urlopen(f"{site.url}zarr3/{layer['name']}/zarr.json") as response:
            assert json.load(response)["node_type"] == "group"
