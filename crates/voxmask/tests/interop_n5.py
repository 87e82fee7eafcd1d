"""Reads N5 arrays with zarr-python (before version 3), z5py or TensorStore.

Arguments: the name of a reader, a folder, and the paths of arrays. Writes the voxels of array N in C order to
`N.READER` in the folder, and prints what the reader says about each array as JSON.
"""

import json
import os
import sys
import warnings

import numpy


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
    import zarr
    from zarr.n5 import N5Store

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
    import z5py

    root, inside = container_of(path)
    file = z5py.File(root, mode="r", use_zarr_format=False)
    array = file[inside]
    found = keep(folder, f"{index}.z5py", array[...])
    found["chunks"] = list(array.chunks)
    found["attributes"] = {key: array.attrs[key] for key in array.attrs}
    return found


def with_tensorstore(folder, index, path):
    import tensorstore

    spec = {"driver": "n5", "kvstore": {"driver": "file", "path": path + "/"}}
    array = tensorstore.open(spec, open=True, read=True).result()
    # It keeps the axes in the order of N5.
    found = keep(folder, f"{index}.tensorstore", array.read().result().T)
    found["chunks"] = list(array.chunk_layout.read_chunk.shape)[::-1]
    found["labels"] = list(array.domain.labels)
    found["units"] = [unit and [unit.multiplier, unit.base_unit] for unit in array.dimension_units]
    return found


def main():
    warnings.simplefilter("ignore")
    reader, folder, *paths = sys.argv[1:]
    read = {"zarr": with_zarr, "z5py": with_z5py, "tensorstore": with_tensorstore}[reader]
    json.dump([read(folder, index, path) for index, path in enumerate(paths)], sys.stdout)


main()
