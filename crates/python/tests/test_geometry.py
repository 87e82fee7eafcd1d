"""Coordinates and regions behave as those of funlib.geometry."""

from __future__ import annotations

import copy
import operator
import pickle
import random
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import funlib.geometry as funlib
import numpy as np
import pytest

from voxmask import Coordinate, Roi, errors

# Coordinates


def test_a_coordinate_is_made_of_numbers_or_of_one_iterable() -> None:
    expected = (1, 2, 3)
    assert Coordinate(1, 2, 3) == expected
    assert Coordinate((1, 2, 3)) == expected
    assert Coordinate([1, 2, 3]) == expected
    assert Coordinate(np.array([1, 2, 3], np.uint16)) == expected
    assert Coordinate(number for number in expected) == expected
    assert Coordinate(funlib.Coordinate(expected)) == expected
    assert Coordinate(Coordinate(expected)) == expected
    assert Coordinate(5) == (5,)


def test_the_entries_of_a_coordinate_are_plain_ints() -> None:
    for made in (Coordinate(np.array([1, 2])), Coordinate(1.0, True), Coordinate(np.float64(1), np.uint8(2))):
        assert all(type(entry) is int for entry in made)
        assert type(made) is Coordinate


def test_a_whole_float_is_an_integer_and_a_fraction_is_a_type_error() -> None:
    assert Coordinate(1.0, -2.0) == (1, -2)
    assert Coordinate(1, 2) + 2.0 == (3, 4)
    for make in (
        lambda: Coordinate(1.5, 2),
        lambda: Coordinate(np.array([0.5])),
        lambda: Coordinate(1, 2) + 0.5,
        lambda: Coordinate(float("nan")),
        lambda: Coordinate(float("inf")),
    ):
        with pytest.raises(TypeError, match="not a whole number"):
            make()


def test_whole_numbers_of_any_float_type_are_integers() -> None:
    assert Coordinate(np.float32(3), np.float16(4)) == (3, 4)
    assert Coordinate(np.array([3, 4], np.float32)) + np.float32(1) == (4, 5)


@pytest.mark.parametrize("wrong", ["a", ["1"], [None, "x"], [object()], [[1, 2]], b"\xff" * 9, Decimal("1.5")])
def test_what_is_no_number_is_refused(wrong: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        Coordinate(wrong)


def test_a_coordinate_has_one_to_six_axes() -> None:
    assert Coordinate(range(6)).dims == 6
    for wrong in ((), range(7), range(10**12)):
        with pytest.raises(errors.GeometryError, match="1 to 6"):
            Coordinate(wrong)


def test_numbers_beyond_64_bits_are_overflow_errors() -> None:
    greatest = Coordinate(2**63 - 1)
    assert greatest == (2**63 - 1,)
    for overflows in (
        lambda: Coordinate(2**63),
        lambda: Coordinate(-(2**63) - 1),
        lambda: Coordinate(1e30),
        lambda: greatest + 1,
        lambda: greatest * greatest,
        lambda: -Coordinate(-(2**63)),
        lambda: abs(Coordinate(-(2**63))),
        lambda: Coordinate(10) ** 19,
        lambda: Coordinate(-(2**63)) // -1,
    ):
        with pytest.raises(errors.OutOfRangeError) as caught:
            overflows()
        assert isinstance(caught.value, (OverflowError, ValueError))


def test_operators_of_coordinates_work_element_by_element() -> None:
    a, b = Coordinate(7, -7, 0), Coordinate(2, 3, 5)
    assert a + b == (9, -4, 5)
    assert a - b == (5, -10, -5)
    assert a * b == (14, -21, 0)
    assert a / b == (3, -2, 0)
    assert a // b == (3, -3, 0)
    assert a % b == (1, 2, 0)
    assert b**2 == (4, 9, 25)
    assert -a == (-7, 7, 0)
    assert abs(a) == (7, 7, 0)
    assert a.floor_division(b) == (3, -3, 0)
    assert a.ceil_division(b) == (4, -2, 0)
    assert a.round_division(b) == (3, -2, 0)
    assert Coordinate(4, 9).is_multiple_of((2, 3))
    assert not Coordinate(4, 9).is_multiple_of((2, 2))
    assert a.squeeze() == (-7, 0)
    assert a.squeeze(2) == (7, -7)
    assert a.dims == 3


@pytest.mark.parametrize("two", [2, 2.0, np.int64(2), np.uint8(2), np.float64(2), True + True, (2, 2), [2, 2]])
@pytest.mark.parametrize("name", ["add", "sub", "mul", "truediv", "floordiv", "mod", "pow"])
def test_the_right_operand_may_be_any_number_tuple_or_array(name: str, two: Any) -> None:
    function = getattr(operator, name)
    expected = function(funlib.Coordinate(9, -4), 2)
    for right in (two, np.broadcast_to(np.array(two), (2,)), funlib.Coordinate(2, 2), Coordinate(2, 2)):
        answer = function(Coordinate(9, -4), right)
        assert answer == tuple(expected)
        assert type(answer) is Coordinate


def test_numbers_and_tuples_may_stand_on_the_left_of_plus_and_times() -> None:
    assert 2 + Coordinate(1, 2) == (3, 4)
    assert 2 * Coordinate(1, 2) == (2, 4)
    assert (1, 1) + Coordinate(1, 2) == (2, 3)
    assert sum([Coordinate(1, 2), Coordinate(3, 4)], Coordinate(0, 0)) == (4, 6)
    with pytest.raises(TypeError):
        _ = 2 - Coordinate(1, 2)


def test_unbounded_entries_stay_unbounded() -> None:
    partial = Coordinate(None, 3)
    assert partial == (None, 3)
    assert partial + 1 == (None, 4)
    assert partial * Coordinate(2, None) == (None, None)
    assert -partial == (None, -3)


def test_operands_of_other_types_are_type_errors() -> None:
    for wrong in ("a", None, object(), {"a": 1}, Roi((0, 0), (1, 1))):
        with pytest.raises(TypeError):
            Coordinate(1, 2) + wrong


def test_dims_that_differ_are_an_error() -> None:
    with pytest.raises(errors.DimsMismatchError, match="2 dims do not fit to 3 dims"):
        Coordinate(1, 2) + Coordinate(1, 2, 3)
    with pytest.raises(errors.DimsMismatchError):
        Coordinate(1, 2) * (1,)


@pytest.mark.parametrize("name", ["truediv", "floordiv", "mod"])
def test_a_division_by_zero_is_a_zero_division_error(name: str) -> None:
    for zero in (0, (1, 0), 0.0):
        with pytest.raises(errors.DivisionByZeroError) as caught:
            getattr(operator, name)(Coordinate(4, 5), zero)
        assert isinstance(caught.value, ZeroDivisionError)
        assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("axis", [2, 9, -1, -9, 2**40, -(2**70), 2**70])
def test_an_axis_that_does_not_exist_is_a_geometry_error(axis: int) -> None:
    with pytest.raises(errors.GeometryError, match="axis"):
        Coordinate(1, 2).squeeze(axis)
    with pytest.raises(errors.GeometryError, match="axis"):
        Roi((1, 2), (1, 1)).squeeze(axis)


def test_the_last_axis_cannot_be_squeezed() -> None:
    with pytest.raises(errors.GeometryError):
        Coordinate(4).squeeze()


def test_a_coordinate_is_a_tuple() -> None:
    point = Coordinate(1, 2, 3)
    assert isinstance(point, tuple)
    assert repr(point) == str(point) == "(1, 2, 3)"
    assert hash(point) == hash((1, 2, 3))
    assert {point: "here"}[(1, 2, 3)] == "here"  # type: ignore[index]
    z, y, x = point
    assert (z, y, x) == (1, 2, 3)
    assert point[1] == 2
    assert point[-2:] == (2, 3)
    assert list(reversed(point)) == [3, 2, 1]
    assert Coordinate(1, 2) < Coordinate(1, 3)
    assert max(point) == 3
    with pytest.raises(TypeError):
        point[0] = 5  # type: ignore[index]
    with pytest.raises(AttributeError):
        point.other = 5  # type: ignore[attr-defined]


def test_numpy_takes_a_coordinate_as_an_array() -> None:
    assert (np.array([1, 2]) + Coordinate(1, 2)).tolist() == [2, 4]
    assert np.zeros(Coordinate(2, 3)).shape == (2, 3)


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    "value", [Coordinate(1, 2), Coordinate(None, -3), Roi((1, 2), (3, 4)), Roi((None, 0), (None, 4)), Roi((5,), (0,))]
)
def test_pickles_and_copies_are_equal_and_of_the_same_type(value: Any, protocol: int) -> None:
    for again in (pickle.loads(pickle.dumps(value, protocol)), copy.copy(value), copy.deepcopy(value)):
        assert again == value
        assert type(again) is type(value)
        assert hash(again) == hash(value)


# Regions


def test_a_region_tells_its_bounds() -> None:
    roi = Roi((10, -4), (5, 8))
    assert roi.offset == roi.begin == roi.get_offset() == roi.get_begin() == (10, -4)
    assert roi.shape == roi.get_shape() == (5, 8)
    assert roi.end == roi.get_end() == (15, 4)
    assert roi.center == roi.get_center() == (12, 0)
    assert roi.size == roi.get_size() == 40
    assert roi.dims == 2
    assert not roi.empty
    assert not roi.unbounded
    assert roi.to_slices() == roi.get_bounding_box() == (slice(10, 15), slice(-4, 4))
    assert all(type(part) is Coordinate for part in (roi.offset, roi.shape, roi.end, roi.center))


def test_an_unbounded_region_has_no_size_and_no_end_there() -> None:
    roi = Roi((7, 0), (None, 4))
    assert roi.offset == (None, 0)
    assert roi.end == (None, 4)
    assert roi.unbounded
    assert roi.size is None
    assert roi.to_slices() == (slice(None, None), slice(0, 4))
    assert roi.contains((10**15, 3))
    assert str(roi) == "[:, 0:4] (inf, 4)"


def test_an_empty_region_keeps_its_place() -> None:
    apart = Roi((0, 0), (4, 4)).intersect(Roi((9, 1), (4, 4)))
    assert apart.empty
    assert apart.size == 0
    assert apart.begin == (9, 1)
    assert not apart.contains((9, 1))
    assert Roi((100,), (4,)).contains(Roi((0,), (0,)))
    assert not Roi((0,), (4,)).intersects(Roi((1,), (0,)))


@pytest.mark.parametrize(
    ("offset", "shape", "error", "text"),
    [
        ((0, 0), (4, -4), errors.GeometryError, "negative shape"),
        ((None, 0), (4, 4), errors.GeometryError, "axis 0 has the size 4 but no offset"),
        ((0,), (4, 4), errors.DimsMismatchError, "dims"),
        ((2**63 - 1,), (1,), errors.OutOfRangeError, "64 bits"),
        (1, 2, TypeError, "not one number for each axis"),
        ((0.5,), (1,), TypeError, "whole number"),
        (None, (1,), TypeError, "not one number for each axis"),
    ],
)
def test_what_is_no_region_is_refused(offset: Any, shape: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        Roi(offset, shape)


def test_operators_of_regions_move_and_scale() -> None:
    roi = Roi((10, 20), (4, 8))
    assert roi + 1 == Roi((11, 21), (4, 8))
    assert roi - Coordinate(10, 20) == Roi((0, 0), (4, 8))
    assert roi.shift((1, 2)) == Roi((11, 22), (4, 8))
    assert roi * 2 == Roi((20, 40), (8, 16))
    assert roi * (1, 2) == Roi((10, 40), (4, 16))
    assert roi / 2 == roi // 2 == Roi((5, 10), (2, 4))
    assert roi % 3 == Roi((1, 2), (1, 2))
    assert roi.grow(1, 2) == Roi((9, 19), (7, 11))
    assert roi.grow((0, 1), (2, 0)) == Roi((10, 19), (6, 9))
    assert roi.grow() == roi
    assert roi.grow(amount_pos=2) == Roi((10, 20), (6, 10))
    assert roi.squeeze() == Roi((20,), (8,))
    assert roi.squeeze(1) == Roi((10,), (4,))


def test_regions_combine() -> None:
    a, b = Roi((0, 0), (4, 4)), Roi((2, 3), (4, 4))
    assert a.intersect(b) == Roi((2, 3), (2, 1))
    assert a.union(b) == Roi((0, 0), (6, 7))
    assert a.intersects(b)
    assert not a.intersects(b + 4)
    assert a.contains(a)
    assert a.contains(Roi((1, 1), (3, 3)))
    assert not a.contains(b)
    assert a.contains((3, 0))
    assert not a.contains((4, 0))


def test_a_region_snaps_to_a_grid() -> None:
    roi = Roi((3, 5), (6, 4))
    assert roi.snap_to_grid((4, 4)) == roi.snap_to_grid((4, 4), "grow") == Roi((0, 4), (12, 8))
    assert roi.snap_to_grid((4, 4), mode="shrink") == Roi((4, 8), (4, 0))
    assert roi.snap_to_grid((4, 4), mode="closest") == Roi((4, 4), (4, 4))
    with pytest.raises(ValueError, match="grow, shrink or closest"):
        roi.snap_to_grid((4, 4), mode="nearest")
    with pytest.raises(errors.GeometryError, match="positive"):
        roi.snap_to_grid((0, 4))


def test_the_blocks_of_a_region_cover_it_once() -> None:
    roi = Roi((-3, 10, 5), (7, 5, 4))
    seen: dict[tuple[int, ...], int] = {}
    for block in roi.blocks((3, 2, 8)):
        assert type(block) is Roi
        for index in np.ndindex(*block.shape):
            point = tuple(block.begin + index)
            seen[point] = seen.get(point, 0) + 1
    assert set(seen.values()) == {1}
    assert len(seen) == roi.size


def test_blocks_begin_at_the_origin_that_is_given() -> None:
    roi = Roi((1,), (8,))
    assert [tuple(block.begin) for block in roi.blocks((4,))] == [(1,), (5,)]
    assert list(roi.blocks((4,), origin=(0,))) == [Roi((1,), (3,)), Roi((4,), (4,)), Roi((8,), (1,))]
    assert list(Roi((1,), (0,)).blocks((4,))) == []
    with pytest.raises(errors.GeometryError, match="unbounded"):
        Roi((0,), (None,)).blocks((4,))
    with pytest.raises(errors.GeometryError, match="positive"):
        roi.blocks((0,))


def test_blocks_come_one_by_one_however_many_there_are() -> None:
    blocks = Roi((0, 0, 0), (10**6, 10**6, 10**6)).blocks((1, 1, 1))
    assert next(blocks) == Roi((0, 0, 0), (1, 1, 1))
    assert next(blocks) == Roi((0, 0, 1), (1, 1, 1))


def test_a_region_cannot_be_changed() -> None:
    roi = Roi((0,), (4,))
    for name in ("offset", "shape", "begin", "_offset", "other"):
        with pytest.raises(AttributeError):
            setattr(roi, name, (1,))
    assert roi == Roi((0,), (4,))
    assert roi.copy() == roi


def test_a_region_unpacks_into_offset_and_shape() -> None:
    offset, shape = Roi((1, 2), (3, 4))
    assert (offset, shape) == ((1, 2), (3, 4))
    assert list(Roi((1,), (3,))) == [(1,), (3,)]


def test_the_text_of_a_region_reads_back() -> None:
    for roi in (
        Roi((1, -2), (3, 4)),
        Roi((1, 2), (0, 4)),
        Roi((None, 2), (None, 4)),
        Roi((-(2**62),), (5,)),
    ):
        assert Roi.parse(str(roi)) == roi
        assert eval(repr(roi)) == roi
    assert str(Roi((1, -2), (3, 4))) == "[1:4, -2:2] (3, 4)"
    assert repr(Roi((1, -2), (3, 4))) == "Roi((1, -2), (3, 4))"
    assert Roi.parse("[0:10, 4:8]") == Roi((0, 4), (10, 4))
    with pytest.raises(errors.GeometryError, match="not a region"):
        Roi.parse("ten")


def test_regions_are_equal_if_their_bounds_are() -> None:
    assert Roi((0,), (4,)) == Roi([0.0], np.array([4]))
    assert Roi((0,), (4,)) != Roi((0,), (5,))
    assert Roi((0,), (4,)) != ((0,), (4,))
    assert Roi((0,), (4,)) != "roi"
    assert len({Roi((0,), (4,)), Roi((0,), (4,)), Roi((1,), (4,))}) == 2


# Those of funlib and plain tuples


def regions() -> list[Any]:
    """The same region in all the forms that there are."""
    return [
        Roi((2, 3), (4, 5)),
        funlib.Roi((2, 3), (4, 5)),
        ((2, 3), (4, 5)),
        (Coordinate(2, 3), funlib.Coordinate(4, 5)),
        ([2, 3], np.array([4, 5])),
    ]


@pytest.mark.parametrize("other", regions(), ids=["own", "funlib", "tuples", "coordinates", "lists"])
def test_methods_take_regions_of_any_kind(other: Any) -> None:
    roi = Roi((0, 0), (5, 20))
    own = Roi((2, 3), (4, 5))
    assert roi.intersect(other) == roi.intersect(own)
    assert roi.union(other) == roi.union(own)
    assert roi.intersects(other) is True


@pytest.mark.parametrize("other", regions()[:2], ids=["own", "funlib"])
def test_a_region_knows_regions_from_coordinates(other: Any) -> None:
    assert Roi((0, 0), (6, 8)).contains(other)
    assert not Roi((0, 0), (6, 7)).contains(other)


@pytest.mark.parametrize("point", [(2, 3), [2, 3], np.array([2, 3]), funlib.Coordinate(2, 3), Coordinate(2, 3)])
def test_methods_take_coordinates_of_any_kind(point: Any) -> None:
    roi = Roi((0, 0), (6, 9))
    assert roi.contains(point)
    assert roi + point == roi.shift(point) == Roi((2, 3), (6, 9))
    assert roi - point == Roi((-2, -3), (6, 9))
    assert roi * point == Roi((0, 0), (12, 27))
    assert roi // point == roi / point == Roi((0, 0), (3, 3))
    assert roi % point == Roi((0, 0), (0, 0))
    assert roi.grow(point, point) == Roi((-2, -3), (10, 15))
    assert roi.snap_to_grid(point) == roi
    assert len(list(roi.blocks(point))) == 9
    assert len(list(roi.blocks(point, point))) == 9


def test_equality_with_funlib_holds_from_both_sides() -> None:
    assert Roi((2, 3), (4, 5)) == funlib.Roi((2, 3), (4, 5))
    assert funlib.Roi((2, 3), (4, 5)) == Roi((2, 3), (4, 5))
    assert Roi((2, 3), (4, 5)) != funlib.Roi((2, 3), (4, 6))
    assert Coordinate(2, 3) == funlib.Coordinate(2, 3)
    assert funlib.Coordinate(2, 3) == Coordinate(2, 3)


def test_regions_go_back_to_funlib() -> None:
    roi = Roi((2, 3), (4, 5))
    assert funlib.Roi(*roi) == funlib.Roi((2, 3), (4, 5))
    assert funlib.Roi(roi.offset, roi.shape).contains(funlib.Coordinate(roi.begin))


@pytest.mark.parametrize("wrong", [5, None, "roi", (1,), (1, 2, 3), ((0, 0),), slice(0, 3)])
def test_what_is_no_region_is_a_type_error(wrong: Any) -> None:
    with pytest.raises(TypeError):
        Roi((0, 0), (4, 4)).intersect(wrong)


# The same answers as funlib


def same(ours: Any, theirs: Any) -> bool:
    if isinstance(theirs, funlib.Roi):
        return type(ours) is Roi and same(ours.offset, theirs.offset) and same(ours.shape, theirs.shape)
    if isinstance(theirs, funlib.Coordinate):
        return type(ours) is Coordinate and tuple(ours) == tuple(theirs)
    return type(ours) is type(theirs) and ours == theirs


COORDINATE_OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "floor_division": lambda a, b: a.floor_division(b),
    "ceil_division": lambda a, b: a.ceil_division(b),
    "round_division": lambda a, b: a.round_division(b),
    "==": operator.eq,
    "<": operator.lt,
    "neg": lambda a, b: -a,
    "abs": lambda a, b: abs(a),
    "squeeze": lambda a, b: a.squeeze(len(a) - 1) if len(a) > 1 else a,
}


@pytest.mark.parametrize("name", COORDINATE_OPERATIONS)
def test_random_coordinates_answer_as_those_of_funlib(name: str) -> None:
    generator, function = random.Random(f"coordinates {name}"), COORDINATE_OPERATIONS[name]
    for _ in range(300):
        dims = generator.randint(1, 6)
        a = [generator.randint(-1000, 1000) for _ in range(dims)]
        b = [generator.randint(1, 50) for _ in range(dims)]
        number = generator.randint(1, 20)
        pairs = [(Coordinate(b), funlib.Coordinate(b))]
        if name in ("+", "-", "*", "/", "//", "%"):
            pairs.append((number, number))  # type: ignore[arg-type]
        for ours, theirs in pairs:
            expected = function(funlib.Coordinate(a), theirs)
            answer = function(Coordinate(a), ours)
            assert same(answer, expected), f"{a} {name} {theirs}: {answer} instead of {expected}"


def test_random_powers_and_multiples_answer_as_those_of_funlib() -> None:
    generator = random.Random("powers")
    for _ in range(300):
        dims = generator.randint(1, 6)
        a = [generator.randint(-30, 30) for _ in range(dims)]
        b = [generator.randint(1, 5) for _ in range(dims)]
        assert same(Coordinate(a) ** Coordinate(b), funlib.Coordinate(a) ** funlib.Coordinate(b))
        assert same(Coordinate(a) ** 3, funlib.Coordinate(a) ** 3)
        assert Coordinate(a).is_multiple_of(b) is funlib.Coordinate(a).is_multiple_of(funlib.Coordinate(b))


ROI_OPERATIONS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "begin": lambda a, b, c: a.begin,
    "end": lambda a, b, c: a.end,
    "center": lambda a, b, c: a.center,
    "size": lambda a, b, c: a.size,
    "dims": lambda a, b, c: a.dims,
    "empty": lambda a, b, c: a.empty,
    "unbounded": lambda a, b, c: a.unbounded,
    "to_slices": lambda a, b, c: a.to_slices(),
    "str": lambda a, b, c: str(a),
    "contains": lambda a, b, c: a.contains(b),
    "contains point": lambda a, b, c: a.contains(c),
    "intersects": lambda a, b, c: a.intersects(b),
    "intersect": lambda a, b, c: a.intersect(b),
    "union": lambda a, b, c: a.union(b),
    "==": lambda a, b, c: a == b,
    "shift": lambda a, b, c: a.shift(c),
    "+": lambda a, b, c: a + c,
    "-": lambda a, b, c: a - c,
    "*": lambda a, b, c: a * c,
    "/": lambda a, b, c: a / c,
    "//": lambda a, b, c: a // c,
    "%": lambda a, b, c: a % c,
    "+ 3": lambda a, b, c: a + 3,
    "* 3": lambda a, b, c: a * 3,
    "grow": lambda a, b, c: a.grow(c, c),
    "grow 2": lambda a, b, c: a.grow(2, 1),
    "snap": lambda a, b, c: a.snap_to_grid(c),
    "snap closest": lambda a, b, c: a.snap_to_grid(c, mode="closest"),
}


@pytest.mark.parametrize("name", ROI_OPERATIONS)
def test_random_regions_answer_as_those_of_funlib(name: str) -> None:
    generator, function = random.Random(f"regions {name}"), ROI_OPERATIONS[name]
    for _ in range(200):
        dims = generator.randint(1, 6)
        corner = [generator.randint(0, 60) for _ in range(dims)]
        # Both hold the same point, so that they intersect.
        bounds = [
            ([at - generator.randint(0, 20) for at in corner], [generator.randint(21, 60) for _ in range(dims)])
            for _ in range(2)
        ]
        step = [generator.randint(1, 20) for _ in range(dims)]
        theirs = function(*(funlib.Roi(*bound) for bound in bounds), funlib.Coordinate(step))
        ours = function(*(Roi(*bound) for bound in bounds), Coordinate(step))
        assert same(ours, theirs), f"{bounds} {name} {step}: {ours} instead of {theirs}"


@pytest.mark.parametrize("wrong", [None, 3, [(0,), (4,)], (1,), "0:4"])
def test_what_is_like_no_region_is_a_type_error(wrong: object) -> None:
    with pytest.raises(TypeError, match="is not a region"):
        Roi.like(wrong)  # type: ignore[arg-type]


def test_a_point_is_in_a_region() -> None:
    roi = Roi((0, 0), (8, 8))
    assert (3, 7) in roi
    assert (3, 8) not in roi
    assert Roi((2, 2), (2, 2)) in roi
