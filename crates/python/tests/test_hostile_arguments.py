"""Arguments that make no sense: each is refused by an exception of the package or one that Python uses for such
arguments, never by a panic, and never after gigabytes were taken."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import voxmask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

REFUSED = (voxmask.VoxmaskError, TypeError, ValueError, OverflowError, IndexError)
"""What an argument may be refused by: see ``voxmask.errors``."""

MOST_MEMORY = 2 << 30
"""How much more address space a call may take than the process had before."""

LABELS = np.arange(4 * 5 * 6, dtype=np.uint8).reshape(4, 5, 6) % 7

EXAMPLES = os.environ.get("VOXMASK_EXAMPLES")
"""How many new arguments each test tries (``cargo xtask fuzz python``); if nothing is said, always the same hundred."""

HOSTILE = settings(
    max_examples=int(EXAMPLES or 100),
    derandomize=not EXAMPLES,
    # Slow is only what is so on a machine without other work.
    deadline=1000 if EXAMPLES else 5000,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


pytestmark = pytest.mark.filterwarnings("ignore::voxmask.MetadataWarning")


@pytest.fixture(autouse=True)
def little_memory() -> Iterator[None]:
    """Taking much memory fails, and where it cannot fail it ends the process."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MOST_MEMORY, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


numbers = st.one_of(
    st.integers(-9, 9),
    st.sampled_from([2**31, 2**32, 2**53 + 1, 2**62, 2**63 - 1, 2**63, 2**64 - 1, 2**64, -(2**63), -(2**63) - 1, 10**40]),
    st.sampled_from([0.5, -0.0, 2.62, 1e300, float("inf"), float("nan")]),
    st.booleans(),
)
leaves = st.one_of(st.none(), numbers, st.text(max_size=8), st.binary(max_size=4))
anything = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(st.text(max_size=5), inner, max_size=3),
        hnp.arrays(st.sampled_from([np.int64, np.uint8, np.float32, np.bool_]), hnp.array_shapes(max_dims=2, max_side=3)),
        st.builds(slice, leaves, leaves, leaves),
    ),
    max_leaves=6,
)
lists_of_numbers = st.one_of(anything, st.lists(numbers, max_size=5), st.lists(numbers, min_size=3, max_size=3))


@st.composite
def rois(draw: st.DrawFn) -> Any:
    """A region, or what is none."""
    offset, shape = draw(lists_of_numbers), draw(lists_of_numbers)
    with suppress(*REFUSED):
        return voxmask.Roi(offset, shape)
    return draw(st.one_of(anything, st.just((offset, shape))))


def refused(call: Callable[[], object]) -> object:
    """What a call returns, unless it refuses its arguments as it should."""
    with suppress(*REFUSED):
        return call()
    return None


def labels() -> voxmask.Array:
    return voxmask.from_numpy(LABELS, voxel_size=(8, 4, 4), offset=(16, 0, -8))


def mask() -> voxmask.MissingAnnotationsMask:
    return voxmask.MissingAnnotationsMask(labels(), [("a", [3]), ("b", [])])


@HOSTILE
@given(lists_of_numbers, lists_of_numbers, lists_of_numbers, st.text(max_size=20))
def test_geometry(one: Any, two: Any, three: Any, text: str) -> None:
    refused(lambda: voxmask.Roi.parse(text))
    refused(lambda: voxmask.Coordinate(one) + two)
    refused(lambda: voxmask.Coordinate(one) // two)
    refused(lambda: voxmask.Coordinate(one) ** two)
    refused(lambda: voxmask.Coordinate(one) % two)
    roi = refused(lambda: voxmask.Roi(one, two))
    if not isinstance(roi, voxmask.Roi):
        return
    assert repr(roi)
    for call in (
        lambda: roi + three,
        lambda: roi * three,
        lambda: roi / three,
        lambda: roi.grow(three, one),
        lambda: roi.snap_to_grid(three, "grow"),
        lambda: roi.snap_to_grid(one, text),
        lambda: roi.union(voxmask.Roi(three, two)),
        lambda: roi.intersect(voxmask.Roi(three, two)),
        lambda: roi.contains(three),
        lambda: roi.center,
        lambda: roi.size,
        lambda: hash(roi),
        lambda: roi.to_slices(),
    ):
        refused(call)


@HOSTILE
@given(rois(), numbers)
def test_reads_of_a_region(roi: Any, fill: Any) -> None:
    for array in (labels(), mask()):
        refused(lambda: array[roi])
        refused(lambda: array.read(roi))
        refused(lambda: array.to_ndarray(roi, fill_value=fill))
        refused(lambda: array.read_many([roi, roi]))
        refused(lambda: array.read_each(roi))
        refused(lambda: array.crop(roi)[roi])
        refused(lambda: array.format_roi(roi))


@HOSTILE
@given(anything)
def test_indices(key: Any) -> None:
    for array in (labels(), mask()):
        found = refused(lambda: array[key])
        assert found is None or np.size(found) <= 2 * LABELS.size


@HOSTILE
@given(st.one_of(anything, hnp.arrays(hnp.scalar_dtypes(), hnp.array_shapes(max_dims=5, max_side=6))))
def test_outputs(out: Any) -> None:
    array = mask()
    refused(lambda: array.read(array.roi, out=out))
    refused(lambda: array.read_many([array.roi], out=out))
    refused(lambda: voxmask.MaskAndTarget(labels(), {"a": [3]}).read(array.roi, mask=out, target=out))


@HOSTILE
@given(
    st.one_of(anything, hnp.arrays(hnp.scalar_dtypes(), hnp.array_shapes(min_dims=0, max_dims=5, max_side=4))),
    st.fixed_dictionaries(
        {},
        optional={
            "voxel_size": lists_of_numbers,
            "offset": lists_of_numbers,
            "axes": st.one_of(anything, st.lists(st.text(max_size=3), max_size=4)),
            "unit": st.one_of(anything, st.sampled_from(["nm", "um"])),
            "attrs": anything,
            "chunk_shape": lists_of_numbers,
        },
    ),
)
def test_arrays_of_numpy(array: Any, said: dict[str, Any]) -> None:
    made = refused(lambda: voxmask.from_numpy(array, **said))
    if isinstance(made, voxmask.Array):
        refused(lambda: made.data)
        refused(lambda: voxmask.MissingAnnotationsMask(made, {"a": [1]})[made.roi])
    refused(lambda: voxmask.as_array(array))


@HOSTILE
@given(
    st.one_of(anything, st.lists(st.tuples(st.text(max_size=3), st.lists(numbers, max_size=3)), max_size=4)),
    st.fixed_dictionaries(
        {},
        optional={
            "rule": st.one_of(anything, st.sampled_from(["strict", "generic", "cnnectome"])),
            "generic_ids": lists_of_numbers,
            "require_labels": anything,
            "cache_bytes": numbers,
        },
    ),
    numbers,
)
def test_groupings(groupings: Any, said: dict[str, Any], background: Any) -> None:
    made = refused(lambda: voxmask.MissingAnnotationsMask(labels(), groupings, **said))
    if isinstance(made, voxmask.Array):
        assert made[made.roi].max(initial=0) <= 1
    refused(lambda: voxmask.BinarizeArray(labels(), groupings, background=background)[labels().roi])


@HOSTILE
@given(anything)
def test_labels_attributes(value: Any) -> None:
    array = refused(lambda: voxmask.from_numpy(LABELS, voxel_size=(8, 4, 4), attrs={"labels": value}))
    if isinstance(array, voxmask.Array):
        refused(lambda: voxmask.MissingAnnotationsMask(array, {"a": [3]}))


@HOSTILE
@given(
    lists_of_numbers,
    st.fixed_dictionaries(
        {}, optional={"min_known": numbers, "channels": anything, "seed": numbers, "max_bytes": numbers}
    ),
    rois(),
)
def test_samplers(shape: Any, said: dict[str, Any], roi: Any) -> None:
    sampler = refused(lambda: voxmask.ValidSampler(mask(), shape, **said))
    if isinstance(sampler, voxmask.ValidSampler):
        refused(sampler.draw)
        refused(lambda: sampler.num_valid)
        refused(lambda: sampler.known_fraction(roi))


@HOSTILE
@given(
    st.text(st.characters(exclude_characters="/\\"), max_size=10),
    st.one_of(st.none(), st.text(st.characters(exclude_characters="/\\"), max_size=10)),
    st.fixed_dictionaries(
        {},
        optional={
            "scale": st.one_of(anything, st.sampled_from(["s1", "8nm", "s99999999999999999999"])),
            "voxel_size": lists_of_numbers,
            "offset": lists_of_numbers,
            "axes": anything,
            "unit": anything,
            "translation": anything,
            "unit_voxels": anything,
            "timeout": numbers,
            "retries": numbers,
            "mode": st.one_of(anything, st.sampled_from(["r", "r+"])),
        },
    ),
)
def test_opening(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, dataset: str | None, said: dict[str, Any]
) -> None:
    monkeypatch.chdir(tmp_path)
    with suppress(FileNotFoundError, *REFUSED):
        voxmask.open_array(name, dataset, **said)
    assert not list(tmp_path.iterdir()), "reading has made a file"


@HOSTILE
@given(st.one_of(numbers, leaves))
def test_numbers_of_threads(threads: Any) -> None:
    before = voxmask.num_threads()
    try:
        refused(lambda: voxmask.set_num_threads(threads))
        array = labels()
        assert np.array_equal(array.data, LABELS)
    finally:
        voxmask.set_num_threads(before)
