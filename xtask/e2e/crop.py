"""The sample crop: what its voxels are, and what a picture of them must show."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import zarr

from viewer import Picture

# In nm, as `voxmask inspect` tells them: the corner of voxel 0, and the size of a voxel.
CORNER = {"z": 1047.38, "y": 420.0, "x": 396.0}
VOXEL_SIZE = {"z": 5.24, "y": 4.0, "x": 4.0}
AXES = "zyx"


@dataclass(frozen=True)
class Crop:
    """Files of the sample, and what is written in them."""

    folder: Path

    @property
    def labels_path(self) -> Path:
        return self.folder / "crop.zarr/labels/s0"

    @property
    def raw_path(self) -> Path:
        return self.folder / "crop.zarr/raw"

    @property
    def groups_path(self) -> Path:
        return self.folder / "groups.toml"

    @property
    def labels(self) -> np.ndarray:
        return np.asarray(zarr.open_array(self.labels_path, mode="r")[...])

    @property
    def raw(self) -> np.ndarray:
        return np.asarray(zarr.open_array(self.raw_path / "s0", mode="r")[...])

    def written(self, name: str, layer: str) -> np.ndarray:
        """What `voxmask mask` wrote as `mask` or `target`: `[channel, z, y, x]`."""
        return np.asarray(zarr.open_array(self.folder / name / layer / "s0", mode="r")[...])


def centre(index: Sequence[int], shift: Sequence[float] = (0, 0, 0)) -> dict[str, float]:
    """The place of the centre of a voxel, or one that is so many voxels beside it, in nm."""
    voxels = zip(AXES, index, shift, strict=True)
    return {axis: CORNER[axis] + (i + 0.5 + s) * VOXEL_SIZE[axis] for axis, i, s in voxels}


def seen(picture: Picture, volume: np.ndarray, outside: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """The voxel that each pixel of a picture must show, and whether it is sure which one that is.

    It is not within a pixel of the border between two voxels.
    """
    rows = picture.places[picture.axes[0]]
    pixel = abs(rows[1] - rows[0])
    inside, sure, indices = {}, {}, []
    for axis, size in zip(AXES, volume.shape, strict=True):
        voxels = (picture.places[axis] - CORNER[axis]) / VOXEL_SIZE[axis]
        inside[axis] = (voxels >= 0) & (voxels < size)
        sure[axis] = np.abs(voxels - np.round(voxels)) > pixel / VOXEL_SIZE[axis]
        indices.append(np.floor(voxels).astype(int).clip(0, size - 1))
    values = np.where(_all(inside), volume[np.ix_(*indices)], outside)
    return _in_panel(values, picture), _in_panel(_all(sure), picture)


def _all(flags: dict[str, np.ndarray]) -> np.ndarray:
    """For each voxel of a slice, whether all of its axes say so."""
    z, y, x = (flags[axis] for axis in AXES)
    all_of_them: np.ndarray = z[:, None, None] & y[None, :, None] & x[None, None, :]
    return all_of_them


def _in_panel(slab: np.ndarray, picture: Picture) -> np.ndarray:
    """A slab of `[z, y, x]` that is one voxel thick, in rows and columns."""
    order = [AXES.index(axis) for axis in picture.places]
    panel: np.ndarray = slab.transpose(order)[..., 0]
    return panel


def border(volume: np.ndarray, axis: int, near: tuple[int, int, int]) -> tuple[int, int, int]:
    """The voxel nearest to `near` that is set and whose next one along an axis is not."""
    ahead = np.roll(volume, -1, axis)
    set_here = (volume != 0) & (ahead == 0)
    # What is rolled in at the end is no neighbour.
    set_here[tuple(-1 if a == axis else slice(None) for a in range(3))] = False
    places = np.argwhere(set_here)
    z, y, x = places[np.abs(places - near).sum(axis=1).argmin()]
    return int(z), int(y), int(x)


def colours(picture: Picture, values: np.ndarray, sure: np.ndarray) -> dict[int, tuple[int, ...]]:
    """The colour of each value, of which each must have only one."""
    found = {}
    for value in np.unique(values[sure]):
        shown = np.unique(picture.colours[sure & (values == value)], axis=0)
        assert len(shown) == 1, f"{value} has {len(shown)} colours, such as {shown[:3].tolist()}"
        found[int(value)] = tuple(int(part) for part in shown[0])
    return found
