"""Opening arrays, and the errors of what cannot be opened."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from conftest import AXES, CHUNKS, LABELS, OFFSET, SHAPE, VOXEL_SIZE, Volume, WriteArray, attributes, some_labels

import voxmask
from voxmask import Coordinate, Roi, errors

pytestmark = pytest.mark.filterwarnings("ignore::voxmask.MetadataWarning")


# Opening


def test_an_array_is_opened_by_its_path(stored: Volume) -> None:
    array = voxmask.open_array(stored.path)
    assert np.array_equal(array[array.roi], stored.voxels)
    assert np.array_equal(voxmask.open_array(str(stored.path)).data, stored.voxels)


@pytest.mark.parametrize("dataset", ["labels/all", "/labels/all", "labels/all/"])
def test_a_dataset_is_the_path_inside_of_the_container(stored: Volume, dataset: str) -> None:
    container = stored.path.parent.parent
    assert np.array_equal(voxmask.open_array(container, dataset).data, stored.voxels)


def test_an_array_in_a_zip_archive_is_opened(stored: Volume, tmp_path: Path) -> None:
    packed = tmp_path / "crop.zarr.zip"
    container = stored.path.parent.parent
    with zipfile.ZipFile(packed, "w") as archive:
        for path in sorted(container.rglob("*")):
            archive.write(path, path.relative_to(container))
    array = voxmask.open_array(packed, "labels/all")
    assert np.array_equal(array.data, stored.voxels)
    assert array.roi == Roi(OFFSET, np.multiply(SHAPE, VOXEL_SIZE))


def test_an_array_tells_what_it_is(stored: Volume) -> None:
    array = voxmask.open_array(stored.path)
    assert array.shape == array.physical_shape == SHAPE
    assert array.ndim == array.dims == array.spatial_dims == 3
    assert array.channel_dims == 0
    assert array.axes == array.axis_names == AXES
    assert array.dtype == np.uint8
    assert isinstance(array.dtype, np.dtype)
    assert array.voxel_size == VOXEL_SIZE
    assert array.offset == OFFSET
    assert array.roi == Roi(OFFSET, (96, 80, 68))
    assert (type(array.voxel_size), type(array.offset), type(array.roi)) == (Coordinate, Coordinate, Roi)
    assert array.unit == "nanometer"
    assert array.world_unit == "nm"
    assert array.units == ["nm"] * 3
    assert array.scale == 1
    assert array.chunk_shape == CHUNKS
    assert array.num_channels is None
    assert array.channels is None
    assert array.writable is False
    assert array.attrs["labels"] == LABELS
    assert array.attrs["voxel_size"] == list(VOXEL_SIZE)


def test_the_repr_names_axes_type_and_region(stored: Volume) -> None:
    text = repr(voxmask.open_array(stored.path))
    assert text == "<voxmask.Array (z: 12, y: 20, x: 17) uint8 [80:176, -40:40, 12:80] nm>"


def test_attributes_and_axes_that_are_changed_stay_with_the_caller(stored: Volume) -> None:
    array = voxmask.open_array(stored.path)
    array.attrs["labels"].clear()
    array.axes.append("t")
    assert array.attrs["labels"] == LABELS
    assert array.axes == AXES


def test_the_caller_knows_the_geometry_better(stored: Volume) -> None:
    array = voxmask.open_array(stored.path, voxel_size=(2, 3, "4"), offset=[0, Fraction(6, 2), 8.0], unit="um")
    assert array.voxel_size == (2, 3, 4)
    assert array.offset == (0, 3, 8)
    assert array.unit == "micrometer"
    assert np.array_equal(array[array.roi], stored.voxels)


def test_lengths_with_a_fraction_give_a_finer_unit(tmp_path: Path, write_array: WriteArray) -> None:
    attrs = attributes(voxel_size=[2.62, 2, 2], offset=[13282.289999999999, 0, -5.5])
    array = voxmask.open_array(write_array(tmp_path / "a.zarr", some_labels(SHAPE), attrs))
    assert array.voxel_size == (262, 200, 200)
    assert array.offset == (1328229, 0, -550)
    assert array.world_unit == "0.01 nm"
    assert array.units == ["0.01 nm"] * 3
    assert array.unit == "nanometer"
    assert array.scale == Fraction(1, 100)
    assert array.format_roi(array.roi) == "[13282.29:13313.73, 0:40, -5.5:28.5] nm"
    assert array.parse_roi(array.format_roi(array.roi)) == array.roi
    one = array.parse_roi("[13284.91:13287.53, 2:4, -5.5:-3.5] nm")
    assert np.array_equal(array[one], array[1:2, 1:2, 0:1])


@pytest.mark.parametrize("size", ["2.62", 2.62, np.float64(2.62), Fraction(131, 50)])
def test_lengths_of_any_type_are_exact(stored: Volume, size: Any) -> None:
    if isinstance(size, Fraction):
        size = float(size)
    array = voxmask.open_array(stored.path, voxel_size=(size, 2, 2), offset=(0, 0, 0))
    assert array.voxel_size == (262, 200, 200)


def test_regions_are_parsed_in_declared_units(stored: Volume) -> None:
    array = voxmask.open_array(stored.path)
    roi = array.parse_roi("[0.08:0.096, -0.04:0, 0.012:0.02] um")
    assert roi == Roi((80, -40, 12), (16, 40, 8))
    assert array.format_roi(((80, -40, 12), (16, 40, 8))) == "[80:96, -40:0, 12:20] nm"
    for wrong in ("", "[0:1, 0:1, 0:1] parsec", "[0:0.5, 0:1, 0:1] nm", "5"):
        with pytest.raises(ValueError):
            array.parse_roi(wrong)


def test_a_scale_level_is_chosen_by_name_or_voxel_size(tmp_path: Path) -> None:
    root = zarr.create_group(store=str(tmp_path / "image.zarr"), zarr_format=2)
    datasets = []
    for level, extent in enumerate((8, 4)):
        array = root.create_array(f"s{level}", shape=(extent,) * 3, chunks=(4, 4, 4), dtype=np.uint8)
        array[...] = level + 1
        size = 4.0 * 2**level
        scale = {"type": "scale", "scale": [size] * 3}
        datasets.append({"path": f"s{level}", "coordinateTransformations": [scale]})
    axes = [{"name": axis, "type": "space", "unit": "nanometer"} for axis in AXES]
    root.attrs["multiscales"] = [{"version": "0.4", "axes": axes, "datasets": datasets}]
    path = tmp_path / "image.zarr"
    assert voxmask.open_array(path).shape == (8, 8, 8)
    for scale in ("s1", "8nm"):
        assert (voxmask.open_array(path, scale=scale).data == 2).all()
    with pytest.raises(errors.ArgumentError):
        voxmask.open_array(path, scale="s7")


def test_a_translation_is_the_centre_of_a_voxel_unless_it_is_told_otherwise(tmp_path: Path) -> None:
    root = zarr.create_group(store=str(tmp_path / "image.zarr"), zarr_format=3)
    root.create_array("s0", shape=(4, 4), chunks=(4, 4), dtype=np.uint8)
    transforms = [{"type": "scale", "scale": [4.0, 4.0]}, {"type": "translation", "translation": [10.0, 2.0]}]
    axes = [{"name": axis, "type": "space", "unit": "nanometer"} for axis in "yx"]
    datasets = [{"path": "s0", "coordinateTransformations": transforms}]
    root.attrs["ome"] = {"version": "0.5", "multiscales": [{"axes": axes, "datasets": datasets}]}
    assert voxmask.open_array(tmp_path / "image.zarr").offset == (8, 0)
    assert voxmask.open_array(tmp_path / "image.zarr", translation="corner").offset == (10, 2)
    with pytest.raises(ValueError, match="corner"):
        voxmask.open_array(tmp_path / "image.zarr", translation="middle")


def test_unit_voxels_are_taken_only_if_asked_for(tmp_path: Path, write_array: WriteArray) -> None:
    path = write_array(tmp_path / "a.zarr", some_labels((4, 5)), {})
    with pytest.raises(errors.NoGeometryError, match="voxel_size"):
        voxmask.open_array(path)
    with pytest.warns(voxmask.MetadataWarning):
        array = voxmask.open_array(path, unit_voxels=True)
    assert array.voxel_size == (1, 1)


def test_what_metadata_leave_open_is_a_warning_of_the_caller(tmp_path: Path, write_array: WriteArray) -> None:
    path = write_array(tmp_path / "a.zarr", some_labels(SHAPE), attributes(units=None))
    with pytest.warns(voxmask.MetadataWarning, match="unit") as caught:
        voxmask.open_array(path)
    assert caught[0].filename == __file__


def test_opening_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        voxmask.open_array(tmp_path / "missing.zarr", "a/b")
    assert list(tmp_path.iterdir()) == []


# Errors


def test_every_error_is_one_of_the_package_and_a_built_in_one() -> None:
    classes = [one for one in vars(errors).values() if isinstance(one, type) and one is not errors.VoxmaskError]
    assert len(classes) > 20
    for one in classes:
        assert issubclass(one, voxmask.VoxmaskError)
        assert issubclass(one, (ValueError, IndexError, OSError))
        assert one.__doc__


def test_nothing_at_a_path_is_a_file_not_found_error(tmp_path: Path, stored: Volume) -> None:
    for path in (tmp_path / "missing.zarr", stored.path.parent / "other"):
        with pytest.raises(errors.NotFoundError, match=path.name) as caught:
            voxmask.open_array(path)
        assert isinstance(caught.value, FileNotFoundError)
        assert isinstance(caught.value, OSError)


def test_a_folder_without_an_array_is_a_value_error(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a.txt").write_text("no array")
    with pytest.raises(errors.NotZarrError) as caught:
        voxmask.open_array(tmp_path / "folder")
    assert isinstance(caught.value, ValueError)


def test_a_group_is_named_as_such(stored: Volume) -> None:
    with pytest.raises(ValueError, match="array"):
        voxmask.open_array(stored.path.parent)


def test_malformed_metadata_name_the_file_and_the_place(stored: Volume) -> None:
    metadata = stored.path / ("zarr.json" if stored.zarr_format == 3 else ".zarray")
    metadata.write_text('{"zarr_format": ')
    with pytest.raises(errors.MetadataMalformedError, match=metadata.name) as caught:
        voxmask.open_array(stored.path)
    assert isinstance(caught.value, ValueError)
    assert "line 1" in str(caught.value)


@pytest.mark.parametrize("voxel_size", [[0, 4, 4], [-8, 4, 4], ["a", 4, 4], [8, 4]])
def test_malformed_geometry_is_a_value_error(tmp_path: Path, write_array: WriteArray, voxel_size: Any) -> None:
    path = write_array(tmp_path / "a.zarr", some_labels(SHAPE), attributes(voxel_size=voxel_size))
    with pytest.raises(ValueError) as caught:
        voxmask.open_array(path)
    assert isinstance(caught.value, voxmask.VoxmaskError)


def test_a_codec_that_is_not_known_is_unsupported(stored: Volume) -> None:
    metadata = stored.path / ("zarr.json" if stored.zarr_format == 3 else ".zarray")
    text = metadata.read_text()
    assert "zstd" in text
    metadata.write_text(text.replace("zstd", "squeeze_it"))
    with pytest.raises(errors.UnsupportedError, match="squeeze_it"):
        voxmask.open_array(stored.path)


def test_a_corrupt_chunk_is_named(stored: Volume) -> None:
    name = "c/1/2/0" if stored.zarr_format == 3 else "1.2.0"
    chunk = stored.path / name
    chunk.write_bytes(chunk.read_bytes()[:9] + b"nonsense")
    array = voxmask.open_array(stored.path)
    assert np.array_equal(array[:5], stored.voxels[:5])
    mask = voxmask.MissingAnnotationsMask(array, stored.groupings)
    reads: list[Callable[[], Any]] = [
        lambda: array.data,
        lambda: array[5, 16, 0],
        lambda: array.read_many([array.roi]),
        lambda: mask[mask.roi],
    ]
    for read in reads:
        with pytest.raises(errors.ChunkCorruptError, match=name) as caught:
            read()
        assert isinstance(caught.value, OSError)
        assert caught.value.__cause__ is not None
    assert np.array_equal(array[:5], stored.voxels[:5])


@pytest.mark.parametrize("location", [b"a.zarr", 5, None, ["a.zarr"]])
def test_what_is_no_path_is_a_type_error(location: Any) -> None:
    with pytest.raises(TypeError):
        voxmask.open_array(location)


@pytest.mark.parametrize(
    "options",
    [
        dict(voxel_size="844"),
        dict(voxel_size=4),
        dict(axes="zy"),
        dict(unit=5),
        dict(timeout=-1),
        dict(timeout="a"),
        dict(retries=-1),
        dict(unit="parsec"),
        dict(voxel_size=(float("inf"), 4, 4)),
        dict(voxel_size=(None, 4, 4)),
        dict(voxel_size=(8, 4)),
    ],
    ids=str,
)
def test_options_that_cannot_be_meant_are_refused(volume: Volume, options: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError, OverflowError)):
        voxmask.open_array(volume.path, **options)


def test_arrays_are_not_made_by_their_class() -> None:
    with pytest.raises(TypeError, match="open_array"):
        voxmask.Array()
    with pytest.raises(TypeError, match="open_crop"):
        voxmask.Crop()


def test_the_bridges_are_loaded_when_they_are_asked_for() -> None:
    assert voxmask.xarray.from_array is not None
    with pytest.raises(AttributeError, match="numbers"):
        voxmask.numbers  # noqa: B018
