"""Reads Zarr arrays with zarr-python, and with TensorStore if it is there.

Arguments: a folder, and the paths of arrays. Writes the voxels of array N in C order to `N.zarr` and
`N.tensorstore` in the folder, and prints what the readers say about each array as JSON.
"""

import json
import os
import sys

import numpy
import zarr

try:
    import tensorstore
except ImportError:
    tensorstore = None


def keep(folder, name, voxels):
    data = numpy.ascontiguousarray(voxels)
    data = data.astype(data.dtype.newbyteorder("<")).tobytes()
    with open(os.path.join(folder, name), "wb") as file:
        file.write(data)
    return {"shape": list(voxels.shape), "dtype": voxels.dtype.name}


def with_zarr_python(folder, index, path):
    array = zarr.open_array(path, mode="r")
    group = zarr.open_group(os.path.dirname(path), mode="r")
    root = zarr.open_group(os.path.dirname(os.path.dirname(path)), mode="r")
    found = keep(folder, f"{index}.zarr", array[...])
    found["zarr_format"] = array.metadata.zarr_format
    found["chunks"] = list(array.chunks)
    found["attributes"] = array.attrs.asdict()
    found["group_attributes"] = group.attrs.asdict()
    found["root_attributes"] = root.attrs.asdict()
    found["members"] = sorted(name for name, _ in root.members())
    found["dimension_names"] = list(getattr(array.metadata, "dimension_names", None) or [])
    return found


def with_tensorstore(folder, index, path):
    driver = "zarr3" if os.path.exists(os.path.join(path, "zarr.json")) else "zarr"
    spec = {"driver": driver, "kvstore": {"driver": "file", "path": path}}
    array = tensorstore.open(spec, open=True, read=True).result()
    found = keep(folder, f"{index}.tensorstore", array.read().result())
    found["labels"] = list(array.domain.labels)
    return found


def main():
    folder, *paths = sys.argv[1:]
    arrays = []
    for index, path in enumerate(paths):
        found = {"zarr": with_zarr_python(folder, index, path), "tensorstore": None}
        if tensorstore is not None:
            found["tensorstore"] = with_tensorstore(folder, index, path)
        arrays.append(found)
    versions = {"zarr": zarr.__version__, "tensorstore": tensorstore is not None}
    json.dump({"versions": versions, "arrays": arrays}, sys.stdout)


main()
