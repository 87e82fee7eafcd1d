"""Reads N5 arrays with zarr-python (before version 3) and z5py.

Arguments: a folder, and the paths of arrays. Writes the voxels of array N in C order to `N.zarr` and `N.z5py`
in the folder, and prints what the readers say about each array as JSON. A reader that lacks the
compression of an array says null.
"""

import json
import os
import sys
import warnings

import numpy
import z5py
import zarr
from zarr.n5 import N5Store


def keep(folder, name, voxels):
    data = numpy.ascontiguousarray(voxels)
    data = data.astype(data.dtype.newbyteorder("<")).tobytes()
    with open(os.path.join(folder, name), "wb") as file:
        file.write(data)
    return {"shape": list(voxels.shape), "dtype": voxels.dtype.name}


def container_of(path):
    """The outermost folder above that names a version of N5, and the path inside."""
    root, folder = None, path
    while (folder := os.path.dirname(folder)) not in ("", "/"):
        file = os.path.join(folder, "attributes.json")
        if os.path.exists(file) and "n5" in json.load(open(file)):
            root = folder
    return root, os.path.relpath(path, root)


def with_zarr(folder, index, path):
    root, inside = container_of(path)
    store = N5Store(root)
    group = zarr.open_group(store, mode="r")
    array = group[inside]
    found = keep(folder, f"{index}.zarr", array[...])
    found["chunks"] = list(array.chunks)
    found["attributes"] = array.attrs.asdict()
    found["group_attributes"] = group[os.path.dirname(inside)].attrs.asdict()
    found["root_attributes"] = group.attrs.asdict()
    return found


def with_z5py(folder, index, path):
    root, inside = container_of(path)
    file = z5py.File(root, mode="r", use_zarr_format=False)
    array = file[inside]
    found = keep(folder, f"{index}.z5py", array[...])
    found["chunks"] = list(array.chunks)
    found["attributes"] = {key: array.attrs[key] for key in array.attrs}
    return found


def main():
    warnings.simplefilter("ignore")
    folder, *paths = sys.argv[1:]
    arrays = []
    for index, path in enumerate(paths):
        arrays.append({"zarr": with_zarr(folder, index, path), "z5py": with_z5py(folder, index, path)})
    json.dump({"versions": {"zarr": zarr.__version__, "z5py": z5py.__version__}, "arrays": arrays}, sys.stdout)


main()
