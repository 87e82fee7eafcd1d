"""Writes the archives in this folder, with other software than the crate that reads them.

Run with each of two environments from this folder:

    zarr==2.18.7  numpy==2.4.6   (zipstore_v2.zarr.zip, zipstore_v2_deflated.zarr.zip)
    zarr==3.1.6   numpy==2.4.6   (zipstore_v3.zarr.zip)

The voxels are those of arrays in `../fixtures`: of `v2_missing` in version 2, of `v3_sharded_missing` in
version 3. Every archive has consolidated metadata, and one array `labels/s0`.

`folder.zip` is what people make by hand: the folder of a container, with compression and entries for
folders, by Python's zipfile.
"""

import pathlib
import zipfile

import zarr

HERE = pathlib.Path(__file__).parent
FIXTURES = HERE.parent / "fixtures"
ATTRS = {"voxel_size": [8, 4, 2], "offset": [80, 40, 20], "axis_names": ["z", "y", "x"], "units": ["nm"] * 3}


def version_2(name, compression):
    path = HERE / name
    path.unlink(missing_ok=True)
    store = zarr.ZipStore(str(path), compression=compression, mode="w")
    zarr.group(store=store)
    # Chunks that are not stored stay so.
    zarr.copy_store(zarr.DirectoryStore(str(FIXTURES / "v2_missing.zarr")), store, dest_path="labels")
    zarr.consolidate_metadata(store)
    store.close()


def version_3(name):
    source = zarr.open(str(FIXTURES / "v3_sharded_missing.zarr" / "s0"), mode="r")
    path = HERE / name
    path.unlink(missing_ok=True)
    store = zarr.storage.ZipStore(str(path), mode="w")
    root = zarr.create_group(store)
    root.create_group("labels")
    array = root.create_array("labels/s0", shape=source.shape, chunks=source.chunks, shards=source.shards,
                              dtype=source.dtype, fill_value=source.fill_value, attributes=ATTRS)
    array[:] = source[:]
    zarr.consolidate_metadata(store)
    store.close()


def folder(name):
    container = FIXTURES / "v3_sharded_missing.zarr"
    with zipfile.ZipFile(HERE / name, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted([container, *container.rglob("*")]):
            archive.write(path, path.relative_to(FIXTURES))


if zarr.__version__.startswith("2"):
    version_2("zipstore_v2.zarr.zip", zipfile.ZIP_STORED)
    version_2("zipstore_v2_deflated.zarr.zip", zipfile.ZIP_DEFLATED)
else:
    version_3("zipstore_v3.zarr.zip")
folder("folder.zip")
