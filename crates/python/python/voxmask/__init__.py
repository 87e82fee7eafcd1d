"""Which voxels of its ground truth a neural network may trust.

>>> import numpy as np, voxmask
>>> labels = voxmask.from_numpy(
...     np.array([[0, 3], [8, 1]], np.uint8),
...     voxel_size=(4, 4),
...     attrs={"labels": [{"value": 8, "name": {"long": "Vesicle", "short": "Ves"},
...                        "annotationState": {"present": True, "annotated": "empty"}}]},
... )
>>> mask = voxmask.MissingAnnotationsMask(labels, [("mito", [3]), ("vesicles", [8])])
>>> mask[mask.roi].tolist()
[[[0, 1], [1, 1]], [[0, 0], [0, 0]]]
>>> [channel.why for channel in mask.decisions]
['', '8 is present but was not annotated']
"""

import importlib
from typing import Any

from voxmask._array import Array
from voxmask._masks import (
    BinarizeArray,
    CacheStats,
    Channel,
    ChannelCount,
    MaskAndTarget,
    MissingAnnotationsMask,
)
from voxmask._native import memory_limit, num_threads, set_memory_limit, set_num_threads
from voxmask._open import Crop, MetadataWarning, as_array, from_numpy, open_array, open_crop
from voxmask._sampler import ValidSampler
from voxmask.errors import VoxmaskError
from voxmask.geometry import Coordinate, Roi

__all__ = [
    "Array",
    "BinarizeArray",
    "CacheStats",
    "Channel",
    "ChannelCount",
    "Coordinate",
    "Crop",
    "MaskAndTarget",
    "MetadataWarning",
    "MissingAnnotationsMask",
    "Roi",
    "ValidSampler",
    "VoxmaskError",
    "as_array",
    "from_numpy",
    "memory_limit",
    "num_threads",
    "open_array",
    "open_crop",
    "set_memory_limit",
    "set_num_threads",
]

_BRIDGES = frozenset(("dask", "gunpowder", "torch", "xarray"))


def __getattr__(name: str) -> Any:
    """The bridges to other packages, each loaded when it is asked for."""
    if name in _BRIDGES:
        return importlib.import_module(f"voxmask.{name}")
    raise AttributeError(f"module 'voxmask' has no attribute {name!r}")
