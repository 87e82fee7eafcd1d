"""Small label crops, written by zarr-python, and the masks and targets that NumPy makes of them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import zarr

import voxmask
from voxmask import Coordinate, Roi

WriteArray = Callable[..., Path]

VOXEL_SIZE = (8, 4, 4)
OFFSET = (80, -40, 12)
SHAPE = (12, 20, 17)
CHUNKS = (5, 8, 7)
AXES = ["z", "y", "x"]
GROUPINGS = [
    ("mito", [3, 4, 5]),
    ("vesicle", [8, 9]),
    ("nucleus", [20, 24, 37]),
    ("er", [16, 17]),
    ("all", []),
]
LABELS = [
    {
        "value": value,
        "name": {"long": f"Class {value}", "short": f"c{value}"},
        "annotationState": {"present": present, "annotated": annotated},
    }
    for value, present, annotated in [
        (3, True, "dense"),
        (4, True, "sparse"),
        (5, False, "empty"),
        (8, True, "empty"),
        (9, True, "dense"),
        (20, True, "dense"),
        (24, True, "empty"),
        (37, True, "dense"),
        (16, True, True),
        (17, False, False),
    ]
]
KEPT = {"strict": [1, 0, 0, 1, 1], "generic": [1, 0, 1, 1, 1]}
"""For each group whether it is kept, by the rule; 37 is generic in the second."""


def golden_folder() -> Path | None:
    """Recorded answers of the original, if there are any here."""
    where = os.environ.get("VOXMASK_GOLDEN")
    return Path(where) if where else None


collect_ignore = [] if golden_folder() else ["test_golden.py"]


@dataclass(frozen=True)
class Volume:
    """A label volume, and what masks and targets of it must be."""

    voxels: npt.NDArray[Any]
    path: Path = Path()
    zarr_format: int = 3
    groupings: list[tuple[str, list[int]]] = field(default_factory=lambda: list(GROUPINGS))
    voxel_size: tuple[int, ...] = VOXEL_SIZE
    offset: tuple[int, ...] = OFFSET

    def mask(self, rule: str = "strict") -> npt.NDArray[np.uint8]:
        return np.stack([(self.voxels > 0) & bool(kept) for kept in KEPT[rule]]).astype(np.uint8)

    def target(self, background: int = 0) -> npt.NDArray[np.uint8]:
        parts = [np.isin(self.voxels, ids) if ids else self.voxels != background for _, ids in self.groupings]
        return np.stack(parts).astype(np.uint8)

    def roi(self, start: Sequence[int], stop: Sequence[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The region of voxels from ``start`` to ``stop``, in world units."""
        begin = tuple(o + s * v for o, s, v in zip(self.offset, start, self.voxel_size, strict=True))
        shape = tuple((e - s) * v for s, e, v in zip(start, stop, self.voxel_size, strict=True))
        return begin, shape


def some_labels(shape: Sequence[int], dtype: npt.DTypeLike = np.uint8) -> npt.NDArray[Any]:
    """Labels without a period, half of them background."""
    generator = np.random.default_rng(sum(shape))
    ids = np.array([0, 3, 0, 4, 5, 0, 8, 9, 0, 16, 17, 0, 20, 24, 37, 0, 1], dtype)
    return ids[generator.integers(0, len(ids), tuple(shape))]


def attributes(**changed: Any) -> dict[str, Any]:
    known = dict(voxel_size=list(VOXEL_SIZE), offset=list(OFFSET), axis_names=AXES, units=["nm"] * 3, labels=LABELS)
    return {key: value for key, value in (known | changed).items() if value is not None}


@pytest.fixture
def write_array() -> Callable[..., Path]:
    """Writes an array with zarr-python, and returns its path."""

    def write(
        path: Path,
        voxels: npt.NDArray[Any],
        attrs: Mapping[str, Any] | None = None,
        zarr_format: int = 3,
        chunks: Sequence[int] | None = None,
        **options: Any,
    ) -> Path:
        array = zarr.create_array(
            store=str(path),
            shape=voxels.shape,
            chunks=tuple(chunks or CHUNKS[: voxels.ndim]),
            dtype=voxels.dtype,
            zarr_format=zarr_format,  # type: ignore[arg-type]
            attributes=dict(attributes() if attrs is None else attrs),
            **options,
        )
        array[...] = voxels
        return path

    return write


@pytest.fixture(params=[2, 3], ids=["v2", "v3"])
def stored(request: pytest.FixtureRequest, tmp_path: Path, write_array: Callable[..., Path]) -> Volume:
    """``crop.zarr`` with the array ``labels/all``, in both versions of Zarr."""
    voxels = some_labels(SHAPE)
    container = tmp_path / "crop.zarr"
    root = zarr.create_group(store=str(container), zarr_format=request.param)
    root.create_group("labels")
    path = write_array(container / "labels" / "all", voxels, zarr_format=request.param)
    return Volume(voxels, path, request.param)


@pytest.fixture
def volume(tmp_path: Path, write_array: Callable[..., Path]) -> Volume:
    """The same in one version only."""
    voxels = some_labels(SHAPE)
    return Volume(voxels, write_array(tmp_path / "labels.zarr", voxels))


@pytest.fixture
def in_memory() -> Volume:
    """The same labels, not stored."""
    return Volume(some_labels(SHAPE))


@pytest.fixture
def labels_attrs() -> list[dict[str, Any]]:
    """A copy of the attribute ``labels``."""
    return json.loads(json.dumps(LABELS))


@dataclass(frozen=True)
class StoredCrop:
    """A crop with an array for each class: 0 is absent, 1 present, 255 unknown; ``cell`` has objects."""

    path: Path
    voxels: dict[str, npt.NDArray[Any]]

    def known(self, name: str) -> npt.NDArray[np.bool_]:
        return self.voxels[name] != (65535 if name == "cell" else 255)

    def present(self, name: str) -> npt.NDArray[np.bool_]:
        return self.known(name) & (self.voxels[name] != 0)


@pytest.fixture(params=[2, 3], ids=["v2", "v3"])
def stored_crop(request: pytest.FixtureRequest, tmp_path: Path) -> StoredCrop:
    """``crops.zarr/crop7`` with the classes ``mito_mem``, ``mito_lum`` and ``cell``."""
    generator = np.random.default_rng(7)
    shape = (6, 8, 7)
    voxels: dict[str, npt.NDArray[Any]] = {
        name: np.array([0, 1, 255, 0, 1], np.uint8)[generator.integers(0, 5, shape)]
        for name in ("mito_mem", "mito_lum")
    }
    voxels["cell"] = np.array([0, 3, 70000, 65535], np.uint32)[generator.integers(0, 4, shape)]
    root = zarr.create_group(store=str(tmp_path / "crops.zarr"), zarr_format=request.param)
    crop = root.create_group("crop7")
    crop.attrs["cellmap"] = {"annotation": {"class_names": list(voxels)}}
    for name, array in voxels.items():
        group = crop.create_group(name)
        scales = [{"type": "scale", "scale": [8.0, 4.0, 4.0]}, {"type": "translation", "translation": [84.0, 2.0, 2.0]}]
        multiscale = {
            "axes": [{"name": axis, "type": "space", "unit": "nanometer"} for axis in AXES],
            "datasets": [{"path": "s0", "coordinateTransformations": scales}],
            "name": name,
        }
        if request.param == 2:
            group.attrs["multiscales"] = [multiscale | {"version": "0.4"}]
        else:
            group.attrs["ome"] = {"version": "0.5", "multiscales": [multiscale]}
        encoding = {"absent": 0, "unknown": 65535} if name == "cell" else {"absent": 0, "present": 1, "unknown": 255}
        kind = "instance_segmentation" if name == "cell" else "semantic_segmentation"
        level = group.create_array("s0", shape=shape, chunks=(4, 5, 3), dtype=array.dtype)
        level.attrs["cellmap"] = {
            "annotation": {"class_name": name, "annotation_type": {"type": kind, "encoding": encoding}}
        }
        level[...] = array
    return StoredCrop(tmp_path / "crops.zarr" / "crop7", voxels)


def in_numpy(volume: Volume, **options: Any) -> voxmask.Array:
    attrs = {"labels": LABELS}
    return voxmask.from_numpy(volume.voxels, volume.voxel_size, volume.offset, unit="nm", attrs=attrs, **options)


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
