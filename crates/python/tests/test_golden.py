"""The recorded answers of the original, from the folder that ``VOXMASK_GOLDEN`` names; without it, nothing is tested.

Where an answer differs on purpose, a function names the reason from what was asked and answered; a difference without
a reason fails.
"""

from __future__ import annotations

import gzip
import io
import json
import warnings
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from conftest import golden_folder

import voxmask
from voxmask import Coordinate, Roi, errors

GOLDEN = golden_folder()


def _lines(name: str) -> list[dict[str, Any]]:
    assert GOLDEN is not None
    return [json.loads(line) for line in (GOLDEN / name).read_text().splitlines()]


@cache
def _manifest() -> dict[str, Any]:
    assert GOLDEN is not None
    return json.loads((GOLDEN / "manifest.json").read_text())


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    crops = _manifest()["crops"] if GOLDEN else []
    if "operation" in metafunc.fixturenames:
        names = sorted({vector["op"] for vector in _lines("geometry.jsonl")}) if GOLDEN else []
        metafunc.parametrize("operation", names)
    if "case" in metafunc.fixturenames:
        cases = [(crop, case) for crop in crops for case in crop["cases"]]
        metafunc.parametrize(("crop", "case"), cases, ids=[case["id"] for _, case in cases])
    elif "crop" in metafunc.fixturenames:
        metafunc.parametrize("crop", crops, ids=[crop["id"] for crop in crops])
    if "folder" in metafunc.fixturenames:
        metafunc.parametrize("folder", [GOLDEN] if GOLDEN else [], ids=["recorded"])


# Geometry


def decoded(value: Any) -> Any:
    """A recorded value as the original's caller gave it."""
    if isinstance(value, dict) and "c" in value:
        return Coordinate(value["c"])
    if isinstance(value, dict) and "o" in value:
        return Roi(value["o"], value["s"])
    return value


def encoded(value: Any) -> Any:
    if isinstance(value, Roi):
        return {"o": list(value.offset), "s": list(value.shape)}
    if isinstance(value, Coordinate):
        return {"c": list(value)}
    if isinstance(value, tuple):
        return {"sl": [[part.start, part.stop] for part in value]}
    return value


def answer(vector: dict[str, Any]) -> Any:
    """What this package answers."""
    kind, operation = vector["op"].split(".")
    if operation == "new":
        if kind == "coord":
            return Coordinate(vector["args"][0])
        return Roi(decoded(vector["args"][0]), decoded(vector["args"][1]))
    receiver = decoded(vector["a"])
    args = [decoded(argument) for argument in vector["args"]]
    if operation in ("str", "repr"):
        return str(receiver)
    if operation.startswith("contains_"):
        return receiver.contains(*args)
    name = operation
    if operation in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "neg", "abs", "eq"):
        name = f"__{operation}__"
    found = getattr(receiver, name)
    return found(*args) if callable(found) else found


EQUIVALENT = {
    errors.DimsMismatchError: {"AssertionError"},
    errors.DivisionByZeroError: {"ZeroDivisionError"},
    TypeError: {"AssertionError", "TypeError", "ValueError"},
}
"""The original's exceptions that say the same as one of ours."""


def says_the_same(raised: Exception, name: str) -> bool:
    if name in EQUIVALENT.get(type(raised), ()):
        return True
    text = str(raised)
    return ("not positive" in text and name == "AssertionError") or (
        ("unbounded" in text or "no offset" in text) and name == "TypeError"
    )


def numbers(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [number for part in value.values() for number in numbers(part)]
    if isinstance(value, list):
        return [number for part in value for number in numbers(part)]
    return [value] if isinstance(value, (int, float)) and not isinstance(value, bool) else []


def inputs(vector: dict[str, Any]) -> list[Any]:
    return [vector["a"], *vector["args"]]


def regions(vector: dict[str, Any]) -> list[tuple[list[Any], list[Any]]]:
    """All recorded regions: receiver, arguments and result, and the one that ``Roi`` was to be made of."""
    found = [value for value in [*inputs(vector), vector.get("r")] if isinstance(value, dict) and "o" in value]
    pairs = [(value["o"], value["s"]) for value in found]
    if vector["op"] == "roi.new":
        pairs.append((vector["args"][0]["c"], vector["args"][1]["c"]))
    return pairs


def through_float(vector: dict[str, Any]) -> bool:
    divides = vector["op"] in ("coord.truediv", "roi.truediv", "roi.center")
    return (divides or any(isinstance(argument, float) for argument in vector["args"])) and any(
        abs(number) > 2**53 for number in numbers([*inputs(vector), vector.get("r")])
    )


def negative(entries: list[Any]) -> bool:
    return any(entry is not None and entry < 0 for entry in entries)


def is_empty(region: Any) -> bool:
    return isinstance(region, dict) and 0 in region.get("s", ())


def reason_of_value(vector: dict[str, Any], ours: Any) -> str | None:
    """Why the answer is another one."""
    operation, theirs, args = vector["op"], vector.get("r"), vector["args"]
    if "r" not in vector:
        whole = operation.startswith("roi.") and isinstance(args[0], float) and args[0].is_integer()
        return "whole_float_taken" if whole and vector["e"] == "AssertionError" else None
    if operation == "roi.snap_to_grid" and negative(theirs["s"]):
        shrunk = {"o": theirs["o"], "s": [length and max(0, length) for length in theirs["s"]]}
        return "shrinks_to_empty" if ours == shrunk else None
    if operation == "roi.intersect" and set(theirs["o"]) == {None} and set(theirs["s"]) == {0}:
        return "empty_keeps_its_place" if is_empty(ours) else None
    if operation == "roi.contains_roi" and is_empty(args[0]) and ours is True:
        return "empty_is_contained"
    if operation in ("roi.str", "roi.repr") and theirs == "[empty ROI]" and is_empty(vector["a"]):
        return "empty_prints_its_place"
    if operation in ("coord.ceil_division", "coord.round_division") and isinstance(args[0], dict):
        differing = [divisor for a, b, divisor in zip(ours["c"], theirs["c"], args[0]["c"], strict=True) if a != b]
        return "negative_divisor" if differing and all(divisor < 0 for divisor in differing) else None
    if through_float(vector):
        tolerance = 1 + max(abs(number) for number in numbers(inputs(vector))) * 2**-51
        pairs = zip(numbers(ours), numbers(theirs), strict=True)
        return "through_float" if all(abs(a - b) <= tolerance for a, b in pairs) else None
    return None


def reason_of_error(vector: dict[str, Any], raised: Exception) -> str | None:
    """Why something is refused that the original answers, or refuses for another reason."""
    text, given = str(raised), inputs(vector)
    if isinstance(raised, TypeError):
        fraction = any(isinstance(number, float) and not number.is_integer() for number in numbers(given))
        if fraction and "whole number" in text:
            return "fraction_refused"
        strings = [part for argument in vector["args"] if isinstance(argument, list) for part in argument]
        return "text_refused" if any(isinstance(part, str) for part in strings) else None
    if "but no offset" in text:
        placeless = any(o is None and s is not None for pair in regions(vector) for o, s in zip(*pair, strict=False))
        return "axis_without_place_refused" if placeless else None
    if "negative shape" in text:
        return "negative_shape_refused" if any(negative(shape) for _, shape in regions(vector)) else None
    if isinstance(raised, errors.DimsMismatchError):
        dims = {len(value.get("c", value.get("s"))) for value in given if isinstance(value, dict)}
        return "dims_must_match" if len(dims) > 1 else None
    if vector["op"].endswith(".squeeze") and "there is no axis" in text:
        dims_here = len(vector["a"].get("c", vector["a"].get("s")))
        return None if 0 <= vector["args"][0] < dims_here else "no_such_axis"
    if "only 1 to 6 are supported" in text:
        return "one_to_six_axes"
    if vector["op"] == "roi.snap_to_grid" and ("not positive" in text or "unbounded" in text):
        size = vector["args"][0]["c"]
        return "voxel_size_is_positive" if None in size or negative(size) else None
    if isinstance(raised, errors.OutOfRangeError):
        if through_float(vector):
            return "through_float"
        beyond = any(abs(number) >= 2**63 for number in numbers([*given, vector.get("r")]))
        ends = [o + s for pair in regions(vector) for o, s in zip(*pair, strict=False) if None not in (o, s)]
        beyond = beyond or any(end >= 2**63 for end in ends) or "e" in vector
        return "beyond_64_bits" if beyond else None
    return None


def test_geometry_answers_as_recorded_or_differs_for_a_reason(operation: str) -> None:
    reasons: Counter[str] = Counter()
    unexplained = []
    for vector in _lines("geometry.jsonl"):
        if vector["op"] != operation:
            continue
        try:
            ours = encoded(answer(vector))
        except Exception as raised:
            if "e" in vector and says_the_same(raised, vector["e"]):
                continue
            reason, shown = reason_of_error(vector, raised), f"{type(raised).__name__}: {raised}"
        else:
            if "r" in vector and json.dumps(ours) == json.dumps(vector["r"]):
                continue
            reason, shown = reason_of_value(vector, ours), json.dumps(ours)
        if reason is None:
            unexplained.append(f"{json.dumps(vector)}: {shown}")
        else:
            reasons[reason] += 1
    print(operation, dict(reasons))
    assert not unexplained, "\n".join(unexplained[:20])


def test_the_repr_of_a_region_is_that_of_the_newest_original(folder: Path) -> None:
    vectors = [vector for vector in _lines("geometry.jsonl") if vector.get("r_head") is not None]
    compared = 0
    for vector in vectors:
        try:
            roi = decoded(vector["a"])
        except errors.GeometryError:
            continue
        assert repr(roi) == vector["r_head"]
        compared += 1
    assert compared > 30


# Label volumes


def recorded(answer: dict[str, Any]) -> npt.NDArray[Any]:
    assert GOLDEN is not None
    return np.load(io.BytesIO(gzip.decompress((GOLDEN / answer["file"]).read_bytes())))


def opened(crop: dict[str, Any], **options: Any) -> voxmask.Array:
    """A crop, in which the original takes a translation as a corner, and voxel size 1 where nothing tells it."""
    assert GOLDEN is not None
    place: dict[str, Any] = dict(translation="corner") | options
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", voxmask.MetadataWarning)
        try:
            return voxmask.open_array(GOLDEN / crop["path"], crop["dataset"], **place)
        except errors.NoGeometryError:
            return voxmask.open_array(GOLDEN / crop["path"], crop["dataset"], unit_voxels=True, **place)


def recorded_roi(crop: dict[str, Any]) -> Roi:
    return Roi(crop["source"]["roi"]["offset"], crop["source"]["roi"]["shape"])


def here(crop: dict[str, Any], array: voxmask.Array, roi: Any) -> Roi:
    """The same voxels where the geometry differs on purpose: the original truncates it, or reverses it."""
    theirs = recorded_roi(crop)
    asked = Roi(*roi)
    if theirs == array.roi or asked.unbounded or asked.dims != theirs.dims:
        return asked
    size = Coordinate(crop["source"]["voxel_size"])
    offset = (asked.offset - theirs.offset) // size * array.voxel_size + array.offset
    return Roi(offset, asked.shape // size * array.voxel_size)


EXPECTED = {
    "roi_out_of_bounds": errors.OutOfBoundsError,
    "crop_roi_out_of_bounds": errors.OutOfBoundsError,
    "roi_not_aligned": errors.NotAlignedError,
    "roi_dims_mismatch": errors.DimsMismatchError,
    "source_has_channels": errors.SourceHasChannelsError,
    "labels_malformed": errors.LabelsMalformedError,
    "dataset_not_found": errors.NotFoundError,
}


def pair_of(roi: dict[str, Any]) -> tuple[Any, Any]:
    return roi["offset"], roi["shape"]


def made(crop: dict[str, Any], case: dict[str, Any], what: str) -> voxmask.Array:
    how = case.get("open", {})
    source = opened(crop, **({"axes": how["axes"]} if how.get("axes") else {}))
    if how.get("crop_roi"):
        source = source.crop(here(crop, opened(crop), pair_of(how["crop_roi"])))
    groupings = _manifest()["groupings"][case["groupings"]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", voxmask.MetadataWarning)
        if what == "mask":
            return voxmask.MissingAnnotationsMask(source, groupings, rule="generic", generic_ids=[37])
        return voxmask.BinarizeArray(source, groupings, background=case["background"])


def snapped(crop: dict[str, Any], case: dict[str, Any]) -> tuple[Roi, Coordinate] | None:
    """What snapping leaves of the source, and by how much the original moves the data; none if nothing changes."""
    grid = case.get("open", {}).get("snap_to_grid")
    if not grid or case["open"].get("crop_roi"):
        return None
    theirs = recorded_roi(crop)
    after = theirs.snap_to_grid(grid, mode="shrink")
    return None if after == theirs else (after, after.offset - theirs.offset)


@pytest.mark.parametrize("what", ["mask", "binarize"])
def test_masks_and_targets_are_the_recorded_ones(crop: dict[str, Any], case: dict[str, Any], what: str) -> None:
    expected = case[what]
    class_ = expected.get("error", {}).get("class")
    asked = case["roi"] and pair_of(case["roi"])
    place = opened(crop)
    shift = snapped(crop, case)
    if shift is not None:
        after, moved = shift
        wanted = Roi(*asked) if asked else after
        if wanted.dims == after.dims:
            array = made(crop, case, what)
            if class_ is None:
                # The original moves the data to where the snapped region begins; here they keep their place.
                read = array[here(crop, place, wanted - moved)]
                assert np.array_equal(read, recorded(expected))
                return
            if class_ == "roi_out_of_bounds" and recorded_roi(crop).contains(wanted):
                # It hides what lies outside of the snapped region.
                assert not after.contains(wanted)
                assert array[here(crop, place, wanted)].size > 0
                return
    try:
        array = made(crop, case, what)
        roi = here(crop, place, asked) if asked else Roi((None,) * array.dims, (None,) * array.dims)
        read = array[roi]
    except voxmask.VoxmaskError as raised:
        shape = case["roi"]["shape"] if case["roi"] else []
        if class_ is None:
            # A region of negative shape is no region; the original takes it for a slice.
            assert negative(shape)
            assert "negative shape" in str(raised)
        elif class_ == "roi_out_of_bounds" and len(shape) < crop["source"]["dims"]:
            assert type(raised) is errors.DimsMismatchError
        elif class_ == "roi_out_of_bounds" and "no offset" in str(raised):
            assert None in case["roi"]["offset"]
        else:
            assert type(raised) is EXPECTED[class_]
        return
    assert read.dtype == array.dtype == np.uint8
    assert read.flags.c_contiguous
    if class_ is not None:
        # A region without voxels is inside every array.
        assert class_ in ("roi_out_of_bounds", "crop_roi_out_of_bounds")
        assert 0 in case["roi"]["shape"]
        assert read.size == 0
        return
    theirs = recorded(expected)
    if what == "binarize" and not np.array_equal(read, theirs):
        # Where a group lists an id twice, the original's target is 2.
        groupings = _manifest()["groupings"][case["groupings"]]
        twice = [len(set(ids)) < len(ids) for _, ids in groupings]
        assert all(double or theirs[channel].max(initial=0) <= 1 for channel, double in enumerate(twice))
        theirs = np.minimum(theirs, 1)
    assert np.array_equal(read, theirs)


def test_sources_are_as_recorded(crop: dict[str, Any]) -> None:
    array, source = opened(crop), crop["source"]
    assert array.dtype == np.dtype(source["dtype"]).newbyteorder("=")
    assert list(array.shape) == source["shape"]
    assert array.axes == source["axes"]
    assert array.dims == source["dims"]
    assert array.num_channels == source["num_channels"]
    assert np.array_equal(array.data, recorded(source["data"]).reshape(array.shape))
    assert np.array_equal(array[array.roi], array.data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", voxmask.MetadataWarning)
        mask = voxmask.MissingAnnotationsMask(array, [("any", [1])])
    for name in ("axes", "dims", "writable"):
        assert getattr(mask, name) == crop["mask_array"][name]
    assert mask.dtype == np.dtype(crop["mask_array"]["dtype_declared"])


def test_missing_ids_are_as_recorded(crop: dict[str, Any]) -> None:
    missing = crop["present_not_annotated"]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        truth = voxmask.MaskAndTarget(opened(crop), [(str(number), [number]) for number in range(49)])
    masked = [int(channel.name) for channel in truth.decisions if not channel.kept]
    assert masked == [number for number in missing or [] if 0 <= number < 49]
    assert any("labels" in str(warning.message) for warning in caught) == (missing is None)


def test_what_cannot_be_opened_is_the_recorded_error(folder: Path) -> None:
    for case in _manifest()["open_errors"]:
        path = case.get("path", _manifest()["crops"][0]["path"])
        with pytest.raises(EXPECTED[case["mask"]["error"]["class"]]):
            voxmask.open_array(folder / path, case.get("dataset", "missing"))


def test_attributes_mask_the_recorded_channels(folder: Path) -> None:
    voxels = np.arange(49, dtype=np.uint8).reshape(1, 7, 7)
    compared = Counter[str]()
    for vector in _lines("labels.jsonl"):
        attrs = {} if vector["labels"] == "__absent__" else {"labels": vector["labels"]}
        for theirs, options in (("old", dict(rule="generic", generic_ids=[37])), ("no37", {})):
            expected = vector[theirs]
            if "masked" not in expected:
                continue
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", voxmask.MetadataWarning)
                    labels = voxmask.from_numpy(voxels, attrs=attrs)
                    mask = voxmask.MissingAnnotationsMask(labels, vector["groupings"], **options)
            except (errors.LabelsMalformedError, errors.GroupMalformedError, TypeError) as refused:
                # Texts and numbers in place of a bool, an id or a name, of which the original guesses what was meant.
                compared[type(refused).__name__] += 1
                continue
            masked = [not channel.kept for channel in mask.decisions]
            assert masked == expected["masked"], vector
            compared["same"] += 1
    print(dict(compared))
    assert compared["same"] > 4 * (compared.total() - compared["same"])


def stored(vector: dict[str, Any], folder: Path) -> tuple[Path, str]:
    """A container whose groups and array have recorded attributes."""
    root = folder / "c.zarr"
    array = root / vector["dataset"]
    array.mkdir(parents=True)
    for group in array.parents:
        (group / ".zgroup").write_text('{"zarr_format": 2}')
        if group == root:
            break
    for place, key in ((root, "root_attrs"), (array.parent, "parent_attrs"), (array, "attrs")):
        if vector[key] is not None:
            (place / ".zattrs").write_text(json.dumps(vector[key]))
    metadata = {
        "zarr_format": 2, "shape": vector["shape"], "chunks": [max(extent, 1) for extent in vector["shape"]],
        "dtype": "|u1", "order": vector["order"], "fill_value": 0, "compressor": None, "filters": None,
    }  # fmt: skip
    (array / ".zarray").write_text(json.dumps(metadata))
    return root, vector["dataset"]


PLACE = ("voxel_size", "offset", "shape")


def why_elsewhere(vector: dict[str, Any], ours: voxmask.Array | Exception) -> str | None:
    """Why neither version of the original says what we do."""
    if isinstance(ours, errors.NoGeometryError):
        # It takes 1 where nothing is written.
        written = [vector["attrs"].get(key) for key in ("voxel_size", "resolution", "scale", "transform")]
        return "no silent voxel size" if not any(written) and vector["parent_attrs"] is None else None
    if isinstance(ours, (errors.MetadataMalformedError, errors.UnsupportedError)):
        # It fails too, or guesses what such values mean.
        return "refused by name"
    if isinstance(ours, Exception):
        return None
    if "0." in ours.units[0]:
        return "a fraction of a unit is not cut off"
    if ours.num_channels is not None:
        # The channel's entries are not a part of the place.
        recorded = vector["old"].get("offset") or []
        return "channels have no place" if list(ours.roi.begin) == recorded[-ours.dims:] else None
    if vector["parent_attrs"] and "voxel_size" not in vector["old"]:
        return "axes without a unit are read"
    if vector["order"] == "F":
        return "the memory order reverses no metadata"
    if "transform" in vector["attrs"]:
        return "axes without a unit are read"
    return None


def test_attributes_place_arrays_as_recorded_or_differ_for_a_reason(folder: Path, tmp_path: Path) -> None:
    vectors = _lines("attrs.jsonl")
    compared = Counter[str]()
    for number, vector in enumerate(vectors):
        path, dataset = stored(vector, tmp_path / str(number))
        ours: voxmask.Array | Exception
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", voxmask.MetadataWarning)
            try:
                # The original takes every translation as a corner.
                ours = voxmask.open_array(path, dataset, translation="corner")
            except errors.VoxmaskError as error:
                ours = error
        if isinstance(ours, voxmask.Array):
            place = [list(ours.voxel_size), list(ours.roi.begin), list(ours.roi.shape)]
            if any([vector[which].get(key) for key in PLACE] == place for which in ("old", "new")):
                compared["same"] += 1
                continue
        reason = why_elsewhere(vector, ours)
        assert reason is not None, f"{vector} but {ours!r}"
        compared[reason] += 1
    print(dict(compared))
    assert compared["same"] > len(vectors) / 2
