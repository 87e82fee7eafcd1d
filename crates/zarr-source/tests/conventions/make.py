"""Writes the containers in this folder: one or more for each convention, by the software that people use.

Each environment below is a Python with exactly these packages; what a package asks for besides is left to pip.

    environment  Python  packages
    zarr2        3.11    zarr==2.18.7 numcodecs==0.15.2 numpy==2.2.6 z5py==3.0.2
    funlib01     3.9     funlib.persistence==0.1.0 zarr==2.18.2 numcodecs==0.12.1
    funlib04     3.10    funlib.persistence==0.4.0 zarr==2.18.3 numcodecs==0.13.1
    funlib05     3.11    funlib.persistence==0.5.4 zarr==2.18.7 numcodecs==0.15.2
    funlib07     3.12    funlib.persistence==0.7.0 zarr==3.4.2
    fibsem02     3.8     fibsem-tools==0.2.14 (without what it asks for) pydantic==1.10.27 xarray==2023.1.0 zarr==2.16.1
    fibsem10     3.8     fibsem-tools==1.0.2 pydantic==1.10.27 zarr==2.16.1
    fibsem30     3.9     fibsem-tools==3.0.0 pydantic==1.10.27 zarr==2.18.2
    cellmap      3.11    cellmap-schemas==0.8.1 pydantic-ome-ngff==0.6.1 pydantic-zarr==0.7.0 zarr==2.18.7
                         numcodecs==0.15.2
    omezarr09    3.10    ome-zarr==0.9.0 zarr==2.18.3 xarray==2025.6.1
    ngff         3.12    ome-zarr==0.13.0 iohub==0.3.11 zarr==3.4.2
    tensorstore  3.12    tensorstore==0.1.86 zarr==3.1.6 h5py==3.16.0 xarray==2026.9.0

Run `python make.py ENVIRONMENT` with each, in any order. It writes the containers of that environment and their
entries in `manifest.json`. What an entry expects is written here by hand, from what the conventions say, and never
from what the crate reads. In it:

    path      the array, relative to this folder
    group     the multiscale group that it belongs to, if it is the level that is meant without more being said
    voxels    `values[h % len(values)]`, or without values `h` cut to the type, where h is the splitmix64 hash of the
              flat index (C order) plus `salt`
    corner    the first corner of voxel 0, like the voxel size in the declared unit
    *_source  where the geometry is found, in the words of the report
    disagreements
              for each sentence of the report, parts of it
    error     parts of the message with which the array is refused
"""

import json
import math
import pathlib
import shutil
import sys
import time
import warnings

import numpy as np

warnings.simplefilter("ignore")
# Gzip writes the time into each chunk: without it, the same environment makes the same files.
time.time = lambda: 0.0
HERE = pathlib.Path(__file__).resolve().parent
SHAPE, CHUNKS = (4, 5, 6), (2, 5, 4)
MITO = {"long": "Mitochondrial membrane", "short": "Mito membrane"}
NANOMETRES = [{"name": name, "type": "space", "unit": "nanometer"} for name in "zyx"]


def voxels(dtype="uint8", shape=SHAPE, salt=0, values=None):
    with np.errstate(over="ignore"):
        x = (np.arange(math.prod(shape), dtype=np.uint64) + np.uint64(salt)) * np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        x = x ^ (x >> np.uint64(31))
    if values is not None:
        x = np.array(values, dtype=np.uint64)[(x % np.uint64(len(values))).astype(np.int64)]
    return x.astype(dtype).reshape(shape)


def folder(name):
    path = HERE / name
    shutil.rmtree(path, ignore_errors=True)
    return str(path)


def text(number):
    """A number as a person writes it."""
    return str(int(number)) if float(number).is_integer() else repr(number)


def note(name, convention, writer, path, *, voxel_size=None, corner=None, unit=None, world_unit=None, meaning="corner",
         axes="zyx", size_source=None, offset_source=None, axes_source=None, dtype="uint8", shape=SHAPE, salt=0,
         values=None, group=None, disagreements=(), error=None):
    file = HERE / "manifest.json"
    entries = json.loads(file.read_text()) if file.exists() else []
    entries = [entry for entry in entries if entry["name"] != name]
    entry = {"name": name, "convention": convention, "writer": writer, "path": path, "dtype": dtype,
             "shape": list(shape), "voxels": {"salt": salt, "values": values}}
    if group:
        entry["group"] = group
    if error:
        entry["error"] = list(error)
    if voxel_size:
        entry.update({
            "axes": list(axes), "voxel_size": [text(x) for x in voxel_size], "corner": [text(x) for x in corner],
            "unit": unit or "unknown", "world_unit": world_unit or ("nm" if unit else "unknown world unit"),
            "meaning": meaning, "voxel_size_source": size_source, "offset_source": offset_source or size_source,
            "axes_source": axes_source or size_source, "disagreements": [list(parts) for parts in disagreements]})
    entries = sorted(entries + [entry], key=lambda entry: (entry["convention"], entry["name"]))
    file.write_text("[\n" + ",\n".join("  " + json.dumps(entry) for entry in entries) + "\n]\n")


def ome(datasets, version="0.4", axes=NANOMETRES, first="scale"):
    """OME-NGFF multiscales: for each path a scale and a translation, or none."""
    def transformations(scale, translation):
        both = [{"type": "scale", "scale": scale}]
        return both + ([{"type": "translation", "translation": translation}] if translation else [])
    return {"version": version, "name": "", "axes": axes, "datasets": [
        {"path": path, "coordinateTransformations": transformations(*rest)} for path, *rest in datasets]}


# zarr-python 2 and z5py: conventions of which the writer was a script, or is gone.


def zarr2():
    import numcodecs
    import z5py
    import zarr
    from zarr.n5 import N5Store

    writer = "zarr-python " + zarr.__version__
    gzip = numcodecs.GZip(5)

    def make(store, path, attrs, dtype="uint8", groups={}, compressor=gzip, **data):
        root = zarr.open_group(store, mode="w")
        for group, group_attrs in groups.items():
            (root.require_group(group) if group else root).attrs.update(group_attrs)
        array = root.create_dataset(path, shape=data.get("shape", SHAPE), chunks=CHUNKS, dtype=dtype,
                                    compressor=compressor)
        array[...] = voxels(dtype, **data)
        array.attrs.update(attrs)

    # DaCapo's own writer: zarr-python 2, then these three keys.
    name = "dacapo_list.zarr"
    make(folder(name), "volumes/labels", {"axes": ["z", "y", "x"], "resolution": [4, 4, 4], "offset": [0, 0, 0]})
    note("dacapo_list", "dacapo_legacy", writer, name + "/volumes/labels", voxel_size=[4, 4, 4], corner=[0, 0, 0],
         size_source="own resolution", offset_source="own offset", axes_source="own axes")
    name = "dacapo_string.zarr"
    make(folder(name), "volumes/labels", {"axes": "zyx", "resolution": [1, 2, 4], "offset": [12, 12, 12]}, salt=1)
    note("dacapo_string", "dacapo_legacy", writer, name + "/volumes/labels", salt=1, voxel_size=[1, 2, 4],
         corner=[12, 12, 12], size_source="own resolution", offset_source="own offset", axes_source="own axes")

    # The short-lived draft: an empty transform says nothing, and the group has the geometry.
    name = "draft.zarr"
    values = [0, 1, 2]
    census = dict(zip("012", (int((voxels(values=values) == value).sum()) for value in values)))
    draft = {"transform": {}, "encoding": {"0": "unknown", "1": "absent", "2": "present"}, "census": census}
    multiscales = {"multiscales": [ome([("s0", [8.0, 4.0, 4.0], [84.0, 42.0, 42.0])])]}
    make(folder(name), "crop1/ecs/s0", draft, groups={"crop1/ecs": multiscales}, values=values)
    note("groundtruth_draft", "groundtruth_draft_2023-05", writer, name + "/crop1/ecs/s0", values=values,
         voxel_size=[8, 4, 4], corner=[80, 40, 40], unit="nanometer", meaning="centre",
         size_source="ome 0.4 multiscales of group crop1/ecs", group=name + "/crop1/ecs")

    # The attributes of a real array (with the counts of this one). Its class is in the crop 300 times, and 255 is
    # both unknown and one of them.
    name = "csc_vim.zarr"
    values = [0, 0, 0, 254, 255, 256, 300]
    data = voxels("uint16", values=values)
    counts = {"absent": int((data == 0).sum()), "unknown": int((data == 255).sum())}
    annotation = {"annotation_type": {"encoding": {"absent": 0, "unknown": 255}, "type": "instance_segmentation"},
                  "class_name": "vim"}
    multiscales = {"multiscales": [ome([("s0", [2.0, 2.0, 2.0], [2760.0, 5160.0, 10670.0])])],
                   "cellmap": {"annotation": annotation}}
    make(folder(name), "crop243/vim/s0", {"cellmap": {"annotation": dict(annotation, complement_counts=counts)}},
         "uint16", {"crop243/vim": multiscales}, values=values)
    note("csc_vim", "cellmap_class_array_real", writer, name + "/crop243/vim/s0", dtype="uint16", values=values,
         voxel_size=[2, 2, 2], corner=[2759, 5159, 10669], unit="nanometer", meaning="centre",
         size_source="ome 0.4 multiscales of group crop243/vim", group=name + "/crop243/vim")

    # The documentation of the challenge shows this document, with these numbers and this order of keys.
    name = "csc_submission.zarr"
    challenge = {"multiscales": [{"axes": NANOMETRES, "datasets": [
        {"coordinateTransformations": [{"scale": [2.0, 2.0, 2.0], "type": "scale"},
                                       {"translation": [2760.0, 5160.0, 10670.0], "type": "translation"}],
         "path": "s0"}], "version": "0.4"}]}
    make(folder(name), "ecs/s0", {}, groups={"ecs": challenge}, salt=2)
    note("csc_submission", "ome_0.4_csc", writer, name + "/ecs/s0", salt=2, voxel_size=[2, 2, 2],
         corner=[2759, 5159, 10669], unit="nanometer", meaning="centre",
         size_source="ome 0.4 multiscales of group ecs", group=name + "/ecs")

    # No release writes num_voxels: the key lived between two of them.
    name = "labels_num_voxels.zarr"
    values = [0, 3, 9]
    count = int((voxels(values=values) == 3).sum())
    labels = [{"value": 3, "name": MITO, "annotationState": {"present": True, "annotated": True},
               "num_voxels": count}]
    make(folder(name), "labels/all", {"labels": labels, "resolution": [8, 4, 4], "offset": [80, 40, 40]}, values=values)
    note("labels_num_voxels", "labels_num_voxels_2022-09", writer, name + "/labels/all", values=values,
         voxel_size=[8, 4, 4], corner=[80, 40, 40], size_source="own resolution", offset_source="own offset",
         axes_source="default")

    # N5. The first is what the deposit of Heinrich et al. 2021 holds: x, y, z.
    path = "volumes/groundtruth/0003/crop1/labels/all"
    name = "heinrich.n5"
    make(N5Store(folder(name)), path, {"offset": [25864, 900, 2400], "resolution": [2, 2, 2]}, "uint64", salt=3)
    note("heinrich_zarr", "heinrich_2021_gt", writer + " N5Store", f"{name}/{path}", dtype="uint64", salt=3,
         voxel_size=[2, 2, 2], corner=[2400, 900, 25864], size_source="own resolution", offset_source="own offset",
         axes_source="default")
    name = "heinrich_z5py.n5"
    root = z5py.N5File(folder(name), mode="w")
    array = root.create_dataset(path, shape=SHAPE, chunks=CHUNKS, dtype="uint64", compression="gzip")
    array[...] = voxels("uint64", salt=4)
    array.attrs["offset"], array.attrs["resolution"] = [25864, 900, 2400], [2, 3, 5]
    note("heinrich_z5py", "heinrich_2021_gt", "z5py " + z5py.__version__, f"{name}/{path}", dtype="uint64", salt=4,
         voxel_size=[5, 3, 2], corner=[2400, 900, 25864], size_source="own resolution", offset_source="own offset",
         axes_source="default")

    # An array that says nothing about its place.
    name = "plain_z5py.n5"
    root = z5py.N5File(folder(name), mode="w")
    array = root.create_dataset("raw", shape=SHAPE, chunks=CHUNKS, dtype="uint8", compression="raw")
    array[...] = voxels(salt=5)
    note("plain_z5py", "n5_array", "z5py " + z5py.__version__, name + "/raw", salt=5, error=["no voxel size was found"])
    name = "plain_n5store.n5"
    make(N5Store(folder(name)), "raw", {}, compressor=numcodecs.BZ2(1), salt=6)
    note("plain_n5store", "n5_array", writer + " N5Store", name + "/raw", salt=6, error=["no voxel size was found"])

    # Stored as published: y grows downwards.
    name = "negative.n5"
    transform = {"axes": ["z", "y", "x"], "units": ["nm"] * 3, "translate": [0.0, 6400.0, 0.0],
                 "scale": [5.24, -4.0, 4.0]}
    make(N5Store(folder(name)), "em/fibsem-uint8/s0", {"transform": transform}, salt=7)
    note("negative", "cosem_negative_scale", writer + " N5Store", name + "/em/fibsem-uint8/s0", salt=7,
         error=["transform.scale [5.24, -4, 4] is not greater than zero", "entry 1"])

    # The manifests say nothing of an order, and list z, y, x, also in N5.
    name = "transform.n5"
    transform = {"axes": ["z", "y", "x"], "units": ["nm"] * 3, "translate": [0.0, 0.0, 0.0], "scale": [5.24, 4.0, 4.0]}
    make(N5Store(folder(name)), "labels/mito_seg/s0", {"transform": transform}, "uint16", salt=8)
    note("transform_n5store", "cosem_transform", writer + " N5Store", name + "/labels/mito_seg/s0", dtype="uint16",
         salt=8, voxel_size=[5.24, 4, 4], corner=[-2.62, -2, -2], unit="nanometer", world_unit="0.01 nm",
         meaning="centre", size_source="own transform")


# funlib.persistence, in its four generations.


def funlib01():
    import funlib.persistence
    import zarr
    from funlib.geometry import Coordinate, Roi

    writer = f"funlib.persistence 0.1.0, zarr-python {zarr.__version__}"
    for name, salt in [("funlib_0.1.zarr", 10), ("funlib_0.1.n5", 11)]:
        roi = Roi(Coordinate(80, 40, 20), Coordinate(SHAPE) * Coordinate(8, 4, 2))
        array = funlib.persistence.prepare_ds(folder(name), "volumes/labels", roi, Coordinate(8, 4, 2), np.uint64,
                                              write_size=Coordinate(CHUNKS) * Coordinate(8, 4, 2))
        array.data[...] = voxels("uint64", salt=salt)
        note(name, "funlib_persistence_0.1-0.4", writer, name + "/volumes/labels", dtype="uint64", salt=salt,
             voxel_size=[8, 4, 2], corner=[80, 40, 20], size_source="own resolution", offset_source="own offset",
             axes_source="default")


def funlib04():
    import funlib.persistence
    import zarr
    from funlib.geometry import Coordinate, Roi

    writer = f"funlib.persistence 0.4.0, zarr-python {zarr.__version__}"
    for name, salt in [("funlib_0.4.zarr", 12), ("funlib_0.4.n5", 13)]:
        roi = Roi(Coordinate(80, 40, 20), Coordinate(SHAPE) * Coordinate(8, 4, 2))
        array = funlib.persistence.prepare_ds(folder(name), "volumes/affs", roi, Coordinate(8, 4, 2), np.uint8,
                                              write_size=Coordinate(CHUNKS) * Coordinate(8, 4, 2), num_channels=2)
        array.data[...] = voxels(shape=(2,) + SHAPE, salt=salt)
        note(name, "funlib_persistence_0.1-0.4", writer, name + "/volumes/affs", shape=(2,) + SHAPE, salt=salt,
             axes="czyx", voxel_size=[8, 4, 2], corner=[80, 40, 20], size_source="own resolution",
             offset_source="own offset", axes_source="default")


def funlib05():
    import zarr
    from funlib.persistence import prepare_ds

    writer = f"funlib.persistence 0.5.4, zarr-python {zarr.__version__}"
    name, shape = "funlib_0.5.zarr", (2,) + SHAPE
    zarr.open_group(folder(name), mode="w")
    array = prepare_ds(str(HERE / name / "labels"), shape, offset=(100, 200, 400), voxel_size=(1, 2, 3),
                       axis_names=["c^", "z", "y", "x"], units=["nm"] * 3, chunk_shape=(1,) + CHUNKS, dtype=np.uint32,
                       mode="w")
    array[...] = voxels("uint32", shape, salt=14)
    note("funlib_0.5", "funlib_persistence_0.5-0.7", writer, name + "/labels", dtype="uint32", shape=shape, salt=14,
         axes=["c^", "z", "y", "x"], voxel_size=[1, 2, 3], corner=[100, 200, 400], unit="nanometer",
         size_source="own voxel_size", offset_source="own offset", axes_source="own axis_names")


    # This generation and the next write their lists in the order of the array, in N5 too.
    name = "funlib_0.5.n5"
    array = prepare_ds(zarr.N5FSStore(folder(name)), SHAPE, path="labels", offset=(80, 40, 20), voxel_size=(8, 4, 2),
                       axis_names=["z", "y", "x"], units=["nm"] * 3, chunk_shape=CHUNKS, dtype=np.uint32, mode="w")
    array[...] = voxels("uint32", salt=19)
    note("funlib_0.5_n5", "funlib_persistence_0.5-0.7", writer + " N5FSStore", name + "/labels", dtype="uint32",
         salt=19, voxel_size=[8, 4, 2], corner=[80, 40, 20], unit="nanometer", size_source="own voxel_size",
         offset_source="own offset", axes_source="own axis_names")


def funlib07():
    import zarr
    from funlib.persistence import prepare_ds

    writer = f"funlib.persistence 0.7.0, zarr-python {zarr.__version__}"
    for zarr_format in (2, 3):
        name, salt = f"funlib_0.7_v{zarr_format}.zarr", 14 + zarr_format
        zarr.open_group(folder(name), mode="w", zarr_format=zarr_format)
        array = prepare_ds(str(HERE / name / "labels"), SHAPE, offset=(100, 200, 400), voxel_size=(1, 2, 3),
                           axis_names=["z", "y", "x"], units=["nm"] * 3, types=["space"] * 3, chunk_shape=CHUNKS,
                           dtype=np.uint32, mode="w", zarr_format=zarr_format)
        array[...] = voxels("uint32", salt=salt)
        note(f"funlib_0.7_v{zarr_format}", "funlib_persistence_0.5-0.7", writer, name + "/labels", dtype="uint32",
             salt=salt, voxel_size=[1, 2, 3], corner=[100, 200, 400], unit="nanometer", size_source="own voxel_size",
             offset_source="own offset", axes_source="own axis_names")

    # The five axes of its own example, two of them without a place in the world.
    name, shape = "funlib_0.7_five.zarr", (1, 2, 3, 5, 4)
    zarr.open_group(folder(name), mode="w", zarr_format=2)
    array = prepare_ds(str(HERE / name / "labels"), shape, offset=(100, 200, 400), voxel_size=(1, 2, 3),
                       axis_names=["sample^", "channel^", "t", "y", "x"], units=["nm"] * 3,
                       types=["sample", "channel", "time", "space", "space"], chunk_shape=(1, 1, 3, 5, 4),
                       dtype=np.uint8, mode="w", zarr_format=2)
    array[...] = voxels(shape=shape, salt=18)
    note("funlib_0.7_five", "funlib_persistence_0.5-0.7", writer, name + "/labels", shape=shape, salt=18,
         axes=["sample^", "channel^", "t", "y", "x"], voxel_size=[1, 2, 3], corner=[100, 200, 400], unit="nanometer",
         size_source="own voxel_size", offset_source="own offset", axes_source="own axis_names")


# fibsem-tools: the labels attribute, COSEM multiscales and groups for Neuroglancer, in the generations that wrote them.


def fibsem_levels(scales, translations, salt):
    """Two levels as fibsem-tools takes them: arrays with coordinates."""
    from xarray import DataArray

    levels = []
    for level, (scale, translation) in enumerate(zip(scales, translations)):
        shape = tuple(n // 2**level for n in (4, 6, 8))
        coordinates = [("zyx"[axis], translation[axis] + np.arange(n) * scale[axis], {"units": "nm"})
                       for axis, n in enumerate(shape)]
        levels.append(DataArray(voxels("uint16", shape, salt + level), coords=coordinates, name=f"s{level}"))
    return levels


def write_n5(store, group, levels, group_attrs, array_attrs):
    import numcodecs
    import zarr

    group = zarr.open_group(store, mode="w").require_group(group)
    group.attrs.update(group_attrs)
    for path, level, attrs in zip(["s0", "s1"], levels, array_attrs):
        array = group.create_dataset(path, data=np.asarray(level), chunks=(2, 3, 4), compressor=numcodecs.GZip(1))
        array.attrs.update(attrs)


def write_labels(name, convention, writer, value, labels, annotation_type=None):
    """A volume of labels with the attributes that a list of labels turns into."""
    import zarr

    values = [0, value, 9]
    array = zarr.open_group(folder(name), mode="w").create_dataset("labels/all", shape=SHAPE, chunks=CHUNKS, dtype="uint8")
    array[...] = voxels(values=values)
    array.attrs.update(labels)
    array.attrs.update({"resolution": [8, 4, 4], "offset": [80, 40, 40]})
    note(name.rsplit(".", 1)[0], convention, writer, name + "/labels/all", values=values, voxel_size=[8, 4, 4],
         corner=[80, 40, 40], size_source="own resolution", offset_source="own offset", axes_source="default")


def fibsem02():
    from fibsem_tools.metadata.cosem import COSEMGroupMetadata
    from fibsem_tools.metadata.groundtruth import AnnotationState, InstanceName, Label, LabelList
    from zarr.n5 import N5FSStore, N5Store

    writer = "fibsem-tools 0.2.14"
    state = AnnotationState(present=True, annotated=False)
    labels = LabelList(labels=[Label(value=3, name=InstanceName(**MITO), annotationState=state)])
    write_labels("labels_bool_0.2.zarr", "labels_bool_2021", writer, 3, json.loads(labels.json()))

    # Version 1: only the group knows the place of its levels. The second level begins where the first does.
    name, group = "cosem_v1_group.n5", "em/fibsem-uint16"
    levels = fibsem_levels([(5.24, 4.0, 4.0), (10.48, 8.0, 8.0)], [(0.0, 100.0, 200.0), (2.62, 102.0, 202.0)], 20)
    attrs = json.loads(COSEMGroupMetadata.fromDataArrays(levels, name=None, paths=["s0", "s1"]).json())
    write_n5(N5Store(folder(name)), group, levels, attrs, [{}, {}])
    for level, (voxel_size, shape) in enumerate([([5.24, 4, 4], (4, 6, 8)), ([10.48, 8, 8], (2, 3, 4))]):
        note(f"cosem_v1_group_s{level}", "cosem_multiscales_v1", writer + ", zarr-python 2.16.1 N5Store",
             f"{name}/{group}/s{level}", dtype="uint16", shape=shape, salt=20 + level, voxel_size=voxel_size,
             corner=[-2.62, 98, 198], unit="nanometer", world_unit="0.01 nm", meaning="centre",
             size_source="cosem multiscales of group " + group, group=f"{name}/{group}" if level == 0 else None)


def fibsem10():
    from fibsem_tools.metadata.cosem import COSEMGroupMetadata
    from fibsem_tools.metadata.groundtruth import AnnotationState, InstanceName, Label, LabelList
    from fibsem_tools.metadata.neuroglancer import NeuroglancerN5GroupMetadata
    from fibsem_tools.metadata.transform import SpatialTransform
    from zarr.n5 import N5Store

    writer = "fibsem-tools 1.0.2"
    state = AnnotationState(present=True, annotated=False)
    count = int((voxels(values=[0, 3, 9]) == 3).sum())
    labels = LabelList(labels=[Label(value=3, name=InstanceName(**MITO), annotationState=state, count=count)])
    write_labels("labels_bool_1.0.zarr", "labels_bool_2021", writer, 3, json.loads(labels.json()))

    writer += ", zarr-python 2.16.1 N5Store"
    scales, translations = [(5.24, 4.0, 3.0), (10.48, 8.0, 6.0)], [(10.48, 100.0, 200.0), (13.1, 102.0, 201.5)]
    sizes, shapes = ([5.24, 4, 3], [10.48, 8, 6]), ((4, 6, 8), (2, 3, 4))

    # Version 2: the group only lists its levels, and the arrays know their places.
    name, group = "cosem_v2.n5", "em/fibsem-uint16"
    levels = fibsem_levels(scales, translations, 22)
    attrs = json.loads(COSEMGroupMetadata.fromDataArrays(levels, paths=["s0", "s1"]).json())
    transforms = [{"transform": json.loads(SpatialTransform.fromDataArray(level).json())} for level in levels]
    write_n5(N5Store(folder(name)), group, levels, attrs, transforms)
    for level in (0, 1):
        note(f"cosem_v2_s{level}", "cosem_multiscales_v2", writer, f"{name}/{group}/s{level}", dtype="uint16",
             shape=shapes[level], salt=22 + level, voxel_size=sizes[level], corner=[7.86, 98, 198.5],
             unit="nanometer", world_unit="0.01 nm", meaning="centre", size_source="own transform",
             group=f"{name}/{group}" if level == 0 else None)

    # The same transform, but x, y, z, with an order that says so.
    name, group = "transform_f.n5", "labels"
    levels = fibsem_levels(scales, translations, 24)
    transforms = [{"transform": json.loads(SpatialTransform.fromDataArray(level, reverse_axes=True).json())}
                  for level in levels]
    write_n5(N5Store(folder(name)), group, levels, {}, transforms)
    for level in (0, 1):
        note(f"transform_f_s{level}", "cosem_transform", writer, f"{name}/{group}/s{level}", dtype="uint16",
             shape=shapes[level], salt=24 + level, voxel_size=sizes[level], corner=[7.86, 98, 198.5],
             unit="nanometer", world_unit="0.01 nm", meaning="centre", size_source="own transform")

    # For Neuroglancer: x, y, z, and where the levels lie follows from their factors. The corner is the origin.
    name, group = "neuroglancer.n5", "em/fibsem-uint16"
    attrs = json.loads(NeuroglancerN5GroupMetadata.fromDataArrays(fibsem_levels(scales, translations, 26)).json())
    write_n5(N5Store(folder(name)), group, fibsem_levels(scales, translations, 26), attrs, [{}, {}])
    for level in (0, 1):
        note(f"neuroglancer_group_s{level}", "n5_neuroglancer_group", writer, f"{name}/{group}/s{level}",
             dtype="uint16", shape=shapes[level], salt=26 + level, voxel_size=sizes[level], corner=[0, 0, 0],
             unit="nanometer", world_unit="0.01 nm", size_source="scales of group " + group, offset_source="default",
             group=f"{name}/{group}" if level == 0 else None, axes_source="scales of group " + group)


def fibsem30():
    from fibsem_tools.metadata.groundtruth import Annotated, AnnotationState, InstanceName, Label, LabelList

    labels = []
    for value, present, annotated in [(3, True, Annotated.empty), (9, True, Annotated.dense), (4, False, Annotated.sparse)]:
        state = AnnotationState(present=present, annotated=annotated)
        labels.append(Label(value=value, name=InstanceName(**MITO), annotationState=state, count=None))
    write_labels("labels_enum_3.0.zarr", "labels_enum_2023-03", "fibsem-tools 3.0.0", 3,
                 json.loads(LabelList(labels=labels).json()))


# cellmap-schemas: crop groups, labels, COSEM and Neuroglancer in N5.


def cellmap():
    import numcodecs
    import zarr
    from cellmap_schemas import annotation
    from cellmap_schemas.multiscale import cosem, neuroglancer_n5
    from cellmap_schemas.n5_wrap import n5_spec_wrapper
    from pydantic_ome_ngff.v04.axis import Axis
    from pydantic_ome_ngff.v04.multiscale import MultiscaleGroup

    gzip = numcodecs.GZip(1)
    axes = [Axis(**axis) for axis in NANOMETRES]

    # A crop with a semantic and an instance class. Scale and translation are those of a real crop.
    name, crop = "crop.zarr", "recon-1/labels/groundtruth/crop234"
    root = zarr.open_group(folder(name), mode="w")
    kinds = {
        "ecs": (annotation.SemanticSegmentation(encoding={"absent": 0, "present": 1, "unknown": 255}), [0, 1, 255], "uint8"),
        "pm": (annotation.InstanceSegmentation(encoding={"absent": 0, "unknown": 65535}), [0, 1, 2, 300, 65535], "uint16"),
    }
    crop_attrs = annotation.CropGroupAttrs(
        name="crop234", description=None, created_by=[], created_with=[], start_date=None, end_date=None,
        duration_days=None, protocol_uri=None, class_names=list(kinds))
    group = root.require_group(crop)
    group.attrs.update(annotation.wrap_attributes(crop_attrs).model_dump(mode="json"))
    scale, translation = (2.62, 2.0, 2.0), (13282.289999999999, 5160.0, 10670.0)
    for salt, (class_name, (kind, values, dtype)) in enumerate(kinds.items(), 30):
        data = voxels(dtype, salt=salt, values=values)
        class_attrs = annotation.AnnotationGroupAttrs(class_name=class_name, annotation_type=kind)
        multiscale = MultiscaleGroup.from_arrays([data], paths=["s0"], axes=axes, scales=[scale],
                                                 translations=[translation], chunks=CHUNKS, compressor=gzip)
        multiscale.to_zarr(root.store, f"{crop}/{class_name}")
        group[class_name].attrs.update(annotation.wrap_attributes(class_attrs).model_dump(mode="json"))
        array_attrs = annotation.AnnotationArrayAttrs.from_array(data, class_name, kind, "auto")
        array = group[class_name]["s0"]
        array.attrs.update(annotation.wrap_attributes(array_attrs).model_dump(mode="json"))
        array[...] = data
        convention = "cellmap_crop_group" if class_name == "ecs" else "cellmap_class_group"
        path = f"{name}/{crop}/{class_name}"
        note(f"crop_{class_name}", convention, "cellmap-schemas 0.8.1, pydantic-ome-ngff 0.6.1, zarr-python 2.18.7",
             path + "/s0", dtype=dtype, salt=salt, values=values, voxel_size=scale, corner=[13280.98, 5159, 10669],
             unit="nanometer", world_unit="0.01 nm", meaning="centre",
             size_source=f"ome 0.4 multiscales of group {crop}/{class_name}", group=path)
    annotation.CropGroup.from_zarr(group)

    labels = annotation.LabelList(annotation_type=annotation.SemanticSegmentation(encoding={"absent": 0}), labels=[
        annotation.Label(value=value, name=annotation.InstanceName(**MITO), count=None,
                         annotationState=annotation.AnnotationState(present=True, annotated=annotated))
        for value, annotated in [(3, "empty"), (9, "sparse")]])
    write_labels("labels_enum_cellmap.zarr", "labels_enum_2023-03", "cellmap-schemas 0.8.1", 3,
                 labels.model_dump(mode="json"))

    # OME-NGFF 0.4 with two levels that begin at the same corner, the second one larger by 2 in y and x only.
    name = "pydantic_ome.zarr"
    levels = [voxels("uint16", (4, 6, 8), 32), voxels("uint16", (4, 3, 4), 33)]
    multiscale = MultiscaleGroup.from_arrays(
        levels, paths=["s0", "s1"], axes=axes, scales=[(30.0, 4.0, 4.0), (30.0, 8.0, 8.0)],
        translations=[(15.0, 102.0, 202.0), (15.0, 104.0, 204.0)], chunks=(2, 3, 4), compressor=gzip)
    root = zarr.open_group(folder(name), mode="w")
    multiscale.to_zarr(root.store, "em")
    for level, voxel_size in enumerate([[30, 4, 4], [30, 8, 8]]):
        root[f"em/s{level}"][...] = levels[level]
        note(f"pydantic_ome_s{level}", "ome_0.4_csc", "pydantic-ome-ngff 0.6.1, zarr-python 2.18.7",
             f"{name}/em/s{level}", dtype="uint16", shape=levels[level].shape, salt=32 + level, voxel_size=voxel_size,
             corner=[0, 100, 200], unit="nanometer", meaning="centre",
             size_source="ome 0.4 multiscales of group em", group=name + "/em" if level == 0 else None)

    # COSEM in N5: transform and pixelResolution on the arrays, both and the lists for Neuroglancer on the group.
    def transform(scale, translate):
        return cosem.STTransform(order="C", axes=("z", "y", "x"), units=("nm",) * 3, scale=scale, translate=translate)

    def write(store, spec, levels):
        n5_spec_wrapper(spec).to_zarr(store, "em")
        for level, data in enumerate(levels):
            zarr.open_group(store, mode="a")[f"em/s{level}"][...] = data

    name = "cosem_v1_full.n5"
    levels = [voxels("uint8", (4, 6, 8), 34), voxels("uint8", (2, 3, 4), 35)]
    transforms = [transform((5.24, 4.0, 3.0), (2.62, 2.0, 1.5)), transform((10.48, 8.0, 6.0), (5.24, 4.0, 3.0))]
    spec = cosem.Group.from_arrays(arrays=levels, paths=["s0", "s1"], transforms=transforms, chunks=((2, 3, 4),) * 2,
                                   compressor=gzip)
    write(zarr.N5FSStore(folder(name)), spec, levels)
    for level, voxel_size in enumerate([[5.24, 4, 3], [10.48, 8, 6]]):
        note(f"cosem_v1_full_s{level}", "cosem_multiscales_v1", "cellmap-schemas 0.8.1, zarr-python 2.18.7 N5FSStore",
             f"{name}/em/s{level}", shape=levels[level].shape, salt=34 + level, voxel_size=voxel_size,
             corner=[0, 0, 0], unit="nanometer", world_unit="0.01 nm", meaning="centre", size_source="own transform",
             group=name + "/em" if level == 0 else None)

    # For Neuroglancer, with pixelResolution on each array too.
    name = "neuroglancer_full.n5"
    levels = [voxels("uint8", (4, 6, 8), 36), voxels("uint8", (4, 3, 4), 37)]
    spec = neuroglancer_n5.Group.from_arrays(
        arrays=levels, paths=["s0", "s1"], axes=["z", "y", "x"], units=["nm"] * 3,
        scales=[(5.24, 4.0, 3.0), (5.24, 8.0, 6.0)], chunks=((2, 3, 4),) * 2, compressor=gzip, dimension_order="C")
    write(zarr.N5FSStore(folder(name)), spec, levels)
    for level, voxel_size in enumerate([[5.24, 4, 3], [5.24, 8, 6]]):
        note(f"neuroglancer_full_s{level}", "n5_neuroglancer_group",
             "cellmap-schemas 0.8.1, zarr-python 2.18.7 N5FSStore", f"{name}/em/s{level}",
             shape=levels[level].shape, salt=36 + level, voxel_size=voxel_size, corner=[0, 0, 0], unit="nanometer",
             world_unit="0.01 nm", size_source="own pixelResolution", offset_source="default",
             axes_source="scales of group em", group=name + "/em" if level == 0 else None)


# OME-NGFF of the microscopists.


def omezarr09():
    import xarray
    import zarr
    from ome_zarr.format import FormatV04
    from ome_zarr.io import parse_url
    from ome_zarr.writer import write_multiscale

    writer = f"ome-zarr-py 0.9.0, zarr-python {zarr.__version__}"
    name = "ome_zarr_py_0.4.zarr"
    store = parse_url(folder(name), mode="w", fmt=FormatV04()).store
    root = zarr.group(store=store, overwrite=True)
    levels = [voxels("uint16", (1, 4, 6, 8), 40), voxels("uint16", (1, 4, 3, 4), 41)]
    scales = [[1.0, 0.03, 0.004, 0.004], [1.0, 0.03, 0.008, 0.008]]
    axes = [{"name": "c", "type": "channel"}] + [dict(axis, unit="micrometer") for axis in NANOMETRES]
    write_multiscale(levels, root, fmt=FormatV04(), axes=axes, storage_options={"chunks": (1, 2, 3, 4)},
                     coordinate_transformations=[[{"type": "scale", "scale": scale}] for scale in scales])
    # No translation: the centre of voxel 0 is the origin, on each level.
    for level, (voxel_size, corner) in enumerate([([0.03, 0.004, 0.004], [-0.015, -0.002, -0.002]),
                                                  ([0.03, 0.008, 0.008], [-0.015, -0.004, -0.004])]):
        note(f"ome_zarr_py_0.4_s{level}", "ome_0.4_csc", writer, f"{name}/{level}", dtype="uint16", axes="czyx",
             shape=levels[level].shape, salt=40 + level, voxel_size=voxel_size, corner=corner, unit="micrometer",
             world_unit="0.001 µm", meaning="centre", size_source="ome 0.4 multiscales of the container",
             offset_source="default", group=name if level == 0 else None)

    # Names of dimensions, and no word about sizes.
    name = "xarray_v2.zarr"
    xarray.DataArray(voxels(salt=42), dims=["z", "y", "x"], name="labels").to_dataset().to_zarr(
        folder(name), mode="w", zarr_format=2)
    note("xarray_v2", "xarray_dims", f"xarray {xarray.__version__}, zarr-python {zarr.__version__}", name + "/labels",
         salt=42, error=["no voxel size was found"])


def ngff():
    import ome_zarr
    import zarr
    from iohub.ngff import open_ome_zarr
    from iohub.ngff.models import ChannelAxisMeta, SpaceAxisMeta, TransformationMeta
    from ome_zarr.format import FormatV05
    from ome_zarr.writer import write_multiscale

    name = "ome_zarr_py_0.5.zarr"
    writer = f"ome-zarr-py 0.13.0, zarr-python {zarr.__version__}"
    root = zarr.open_group(folder(name), mode="w", zarr_format=3)
    levels = [voxels("uint16", (4, 6, 8), 44), voxels("uint16", (4, 3, 4), 45)]
    steps = [([30.0, 4.0, 4.0], [15.0, 2.0, 2.0]), ([30.0, 8.0, 8.0], [15.0, 4.0, 4.0])]
    write_multiscale(levels, root, fmt=FormatV05(), axes=NANOMETRES, storage_options={"chunks": (2, 3, 4)},
                     coordinate_transformations=[[{"type": "scale", "scale": scale},
                                                  {"type": "translation", "translation": translation}]
                                                 for scale, translation in steps])
    for level, voxel_size in enumerate([[30, 4, 4], [30, 8, 8]]):
        note(f"ome_zarr_py_0.5_s{level}", "ome_0.5", writer, f"{name}/{level}", dtype="uint16",
             shape=levels[level].shape, salt=44 + level, voxel_size=voxel_size, corner=[0, 0, 0], unit="nanometer",
             meaning="centre", size_source="ome 0.5 multiscales of the container", group=name if level == 0 else None)

    # The transformation of the whole comes after that of the level: 0.5 x 8 = 4, 10 + 2 x 2 = 14.
    for version in ("0.4", "0.5"):
        name, salt = f"iohub_{version}.zarr", 46 if version == "0.4" else 47
        axes = [ChannelAxisMeta(name="c")] + [SpaceAxisMeta(**axis) for axis in NANOMETRES]
        with open_ome_zarr(folder(name), layout="fov", mode="w", axes=axes, channel_names=["labels"],
                           version=version) as position:
            position.create_image("0", voxels("uint16", (1,) + SHAPE, salt), chunks=(1,) + CHUNKS, transform=[
                TransformationMeta(type="scale", scale=[1.0, 4.0, 2.0, 1.0]),
                TransformationMeta(type="translation", translation=[0.0, 2.0, 4.0, 6.0])])
            position.set_transform("*", [TransformationMeta(type="scale", scale=[1.0, 2.0, 2.0, 2.0]),
                                         TransformationMeta(type="translation", translation=[0.0, 10.0, 20.0, 30.0])])
        note(f"iohub_{version}", "ome_0.4_csc" if version == "0.4" else "ome_0.5",
             f"iohub 0.3.11, zarr-python {zarr.__version__}", name + "/0", dtype="uint16", axes="czyx",
             shape=(1,) + SHAPE, salt=salt, voxel_size=[8, 4, 2], corner=[10, 26, 41], unit="nanometer",
             meaning="centre", size_source=f"ome {version} multiscales of the container", group=name)


# TensorStore, zarr-python 3, xarray and h5py.


def tensorstore():
    import h5py
    import tensorstore
    import xarray
    import zarr

    writer = "tensorstore 0.1.86"
    for driver, name, salt in [("zarr3", "tensorstore_units.zarr", 50), ("n5", "tensorstore.n5", 51)]:
        folder(name)
        order = slice(None, None, 1 if driver == "zarr3" else -1)
        spec = {"driver": driver, "kvstore": {"driver": "file", "path": f"{HERE / name}/labels"}}
        chunks = tensorstore.ChunkLayout(chunk_shape=CHUNKS[order])
        array = tensorstore.open(spec, create=True, dtype=tensorstore.uint16, shape=SHAPE[order], chunk_layout=chunks,
                                 dimension_units=["30 nm", "5 nm", "4 nm"][order]).result()
        data = voxels("uint16", salt=salt)
        array.write(data if driver == "zarr3" else data.T).result()
        if driver == "zarr3":
            note("tensorstore_zarr3", "neuroglancer_units_ext", writer, name + "/labels", dtype="uint16", salt=salt,
                 voxel_size=[30, 5, 4], corner=[0, 0, 0], unit="nanometer", size_source="dimension_units",
                 offset_source="default", axes_source="default")
        else:
            note("tensorstore_n5", "n5_array", writer, name + "/labels", dtype="uint16", salt=salt,
                 voxel_size=[30, 5, 4], corner=[0, 0, 0], unit="nanometer", size_source="own resolution",
                 offset_source="default", axes_source="default")

    # The key as Neuroglancer describes it, with the names of the dimensions.
    writer = f"zarr-python {zarr.__version__}"
    name = "dimension_units.zarr"
    root = zarr.open_group(folder(name), mode="w", zarr_format=3)
    array = root.create_array("labels", shape=SHAPE, chunks=CHUNKS, dtype="uint8", dimension_names=["x", "y", "z"],
                              attributes={"dimension_units": ["4 nm", "5 nm", "30 nm"]})
    array[...] = voxels(salt=52)
    note("dimension_units", "neuroglancer_units_ext", writer, name + "/labels", salt=52, axes="xyz",
         voxel_size=[4, 5, 30], corner=[0, 0, 0], unit="nanometer", size_source="dimension_units",
         offset_source="default", axes_source="dimension names")

    # The layout of Neuroglancer's own test data: two axes, and levels below folders without metadata of their own.
    name = "neuroglancer_0.5.zarr"
    levels = [("scale0/image", [4, 30], [0.0, 0.0]), ("scale1/image", [8, 60], [2, 15])]
    axes = [axis for axis in NANOMETRES if axis["name"] != "z"]
    root = zarr.open_group(folder(name), mode="w", zarr_format=3)
    multiscales = ome(levels, axes=axes)
    del multiscales["version"]
    root.attrs["ome"] = {"version": "0.5", "multiscales": [multiscales]}
    for level, (path, scale, _) in enumerate(levels):
        shape = (6 // 2**level, 8 // 2**level)
        array = root.create_array(path, shape=shape, chunks=(3, 4), dtype="int32")
        array[...] = voxels("int32", shape, 53 + level)
        note(f"neuroglancer_0.5_s{level}", "ome_0.5", writer, f"{name}/{path}", dtype="int32", shape=shape,
             salt=53 + level, axes="yx", voxel_size=scale, corner=[-2, -15], unit="nanometer", meaning="centre",
             size_source="ome 0.5 multiscales of the container", group=name if level == 0 else None)

    name = "xarray_v3.zarr"
    xarray.DataArray(voxels(salt=55), dims=["z", "y", "x"], name="labels").to_dataset().to_zarr(
        folder(name), mode="w", zarr_format=3)
    note("xarray_v3", "xarray_dims", f"xarray {xarray.__version__}, {writer}", name + "/labels", salt=55,
         error=["no voxel size was found"])

    file = HERE / "cremi.h5"
    file.unlink(missing_ok=True)
    with h5py.File(file, "w") as root:
        root.attrs["file_format"] = "0.2"
        ids = root.create_dataset("volumes/labels/neuron_ids", data=voxels("uint64", salt=56))
        ids.attrs["resolution"] = np.array([40.0, 4.0, 4.0])
    note("cremi", "cremi_hdf5", "h5py " + h5py.__version__, "cremi.h5/volumes/labels/neuron_ids", dtype="uint64",
         salt=56, error=["HDF5", "convert"])


if __name__ == "__main__":
    environments = [zarr2, funlib01, funlib04, funlib05, funlib07, fibsem02, fibsem10, fibsem30, cellmap, omezarr09, ngff, tensorstore]
    names = {function.__name__: function for function in environments}
    if len(sys.argv) != 2 or sys.argv[1] not in names:
        sys.exit("give one environment of " + ", ".join(names))
    names[sys.argv[1]]()
