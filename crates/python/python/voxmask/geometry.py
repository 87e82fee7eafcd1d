"""Coordinates and regions, as those of ``funlib.geometry``.

All functions of this package that take one also take those of funlib, and plain tuples.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Protocol, SupportsIndex, TypeAlias, Union

from voxmask import _native

__all__ = ["Coordinate", "CoordinateLike", "Roi", "RoiLike"]

CoordinateLike: TypeAlias = Iterable[Union[SupportsIndex, float, None]]
"""One number for each axis; ``None`` where it is unbounded."""


class _Region(Protocol):
    """What a region of another package has."""

    @property
    def begin(self) -> Any: ...
    @property
    def shape(self) -> Any: ...


RoiLike: TypeAlias = Union["Roi", _Region, tuple[CoordinateLike, CoordinateLike]]
"""A region, of this package or another, or a pair of offset and shape."""


class Coordinate(tuple[Any, ...]):
    """A tuple of integers, one for each axis, slowest first; ``None`` where it is unbounded.

    Operators work element by element, with another coordinate or with a number. Results are exact:

    >>> Coordinate(2, 3, 4) * (10, 5, 1) + 1
    (21, 16, 5)

    Raises:
        DimsMismatchError: for coordinates with different numbers of axes.
        DivisionByZeroError, OutOfRangeError: for results that are no 64-bit integers.
        TypeError: for numbers with a fraction, which the original cuts off.
    """

    __slots__ = ()

    def __new__(cls, *values: Any) -> Coordinate:
        of_one = len(values) == 1 and isinstance(values[0], Iterable)
        return tuple.__new__(cls, _native.coordinate(values[0] if of_one else values))

    @classmethod
    def _of(cls, values: tuple[int | None, ...]) -> Coordinate:
        """A coordinate of what the engine returns."""
        return tuple.__new__(cls, values)

    @property
    def dims(self) -> int:
        """The number of axes."""
        return len(self)

    def squeeze(self, dim: int = 0) -> Coordinate:
        """Without one axis."""
        return self._of(_native.coordinate_squeeze(self, dim))

    def is_multiple_of(self, coordinate: CoordinateLike | int) -> bool:
        """Whether each entry is a multiple of the other's."""
        return _native.coordinate_is_multiple_of(self, coordinate)

    def round_division(self, other: CoordinateLike | int) -> Coordinate:
        """The nearest quotient; the lower one where two are as near."""
        return self._of(_native.coordinate_round_division(self, other))

    def floor_division(self, other: CoordinateLike | int) -> Coordinate:
        """The quotient, rounded down: the same as ``//``."""
        return self._of(_native.coordinate_floor_division(self, other))

    def ceil_division(self, other: CoordinateLike | int) -> Coordinate:
        """The quotient, rounded up."""
        return self._of(_native.coordinate_ceil_division(self, other))

    def __neg__(self) -> Coordinate:
        return self._of(_native.coordinate_neg(self))

    def __abs__(self) -> Coordinate:
        return self._of(_native.coordinate_abs(self))

    def __add__(self, other: Any) -> Coordinate:
        return self._of(_native.coordinate_add(self, other))

    def __radd__(self, other: Any) -> Coordinate:
        return self._of(_native.coordinate_add(self, other))

    def __sub__(self, other: Any) -> Coordinate:
        return self._of(_native.coordinate_sub(self, other))

    def __mul__(self, other: Any) -> Coordinate:
        return self._of(_native.coordinate_mul(self, other))

    def __rmul__(self, other: Any) -> Coordinate:
        return self._of(_native.coordinate_mul(self, other))

    def __truediv__(self, other: Any) -> Coordinate:
        return self._of(_native.coordinate_truediv(self, other))

    def __floordiv__(self, other: Any) -> Coordinate:
        return self._of(_native.coordinate_floor_division(self, other))

    def __mod__(self, other: Any) -> Coordinate:
        return self._of(_native.coordinate_mod(self, other))

    def __pow__(self, other: Any) -> Coordinate:
        return self._of(_native.coordinate_pow(self, other))

    def __getnewargs__(self) -> tuple[tuple[Any, ...]]:
        return (tuple(self),)


class Roi:
    """A region of the world: an offset and a shape, in world units.

    It is half-open: ``begin`` is inside, ``end`` is not. ``None`` in the shape says that it is unbounded along that
    axis. Other than that of funlib it cannot be changed, so that it can be a key, and an empty region keeps its place:
    it is contained in every region and intersects none.

    >>> Roi((0, 0), (10, 8)).intersect(Roi((4, -2), (20, 4)))
    Roi((4, 0), (6, 2))

    Raises:
        GeometryError: for a negative shape, or a size without an offset.
        DimsMismatchError: if offset and shape have different numbers of axes.
    """

    __slots__ = ("_offset", "_shape")
    _offset: Coordinate
    _shape: Coordinate

    def __init__(self, offset: CoordinateLike, shape: CoordinateLike) -> None:
        self._set(_native.roi(offset, shape))

    def _set(self, pair: tuple[tuple[int | None, ...], tuple[int | None, ...]]) -> None:
        object.__setattr__(self, "_offset", Coordinate._of(pair[0]))
        object.__setattr__(self, "_shape", Coordinate._of(pair[1]))

    @classmethod
    def _of(cls, pair: tuple[tuple[int | None, ...], tuple[int | None, ...]]) -> Roi:
        """A region of what the engine returns."""
        roi = cls.__new__(cls)
        roi._set(pair)
        return roi

    @classmethod
    def like(cls, other: RoiLike) -> Roi:
        """The same region as one of another package, or as a pair of offset and shape."""
        if isinstance(other, Roi):
            return other
        if isinstance(other, tuple) and len(other) == 2:
            return cls(*other)
        if not (hasattr(other, "begin") and hasattr(other, "shape")):
            raise TypeError(f"{other!r} is not a region: a Roi, or a pair (offset, shape)")
        return cls(other.begin, other.shape)

    @classmethod
    def parse(cls, text: str) -> Roi:
        """The region that text says, such as ``"[0:10, 4:8]"``."""
        return cls._of(_native.roi_parse(text))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a Roi cannot be changed: make another one to set {name}")

    @property
    def offset(self) -> Coordinate:
        """The smallest coordinate inside; ``None`` where it is unbounded."""
        return self._offset

    @property
    def begin(self) -> Coordinate:
        """The same as :attr:`offset`."""
        return self._offset

    @property
    def shape(self) -> Coordinate:
        """The extent along each axis; ``None`` where it is unbounded."""
        return self._shape

    @property
    def end(self) -> Coordinate:
        """The first coordinate behind it along each axis."""
        return Coordinate._of(_native.roi_end(self))

    @property
    def center(self) -> Coordinate:
        """The coordinate in the middle."""
        return Coordinate._of(_native.roi_center(self))

    @property
    def dims(self) -> int:
        """The number of axes."""
        return len(self._shape)

    @property
    def size(self) -> int | None:
        """The volume; ``None`` if it is unbounded."""
        return _native.roi_size(self)

    @property
    def empty(self) -> bool:
        """Whether nothing is inside."""
        return _native.roi_is_empty(self)

    @property
    def unbounded(self) -> bool:
        """Whether there is an axis without bounds."""
        return None in self._shape

    def get_offset(self) -> Coordinate:
        """The same as :attr:`offset`."""
        return self.offset

    def get_begin(self) -> Coordinate:
        """The same as :attr:`begin`."""
        return self.begin

    def get_end(self) -> Coordinate:
        """The same as :attr:`end`."""
        return self.end

    def get_shape(self) -> Coordinate:
        """The same as :attr:`shape`."""
        return self.shape

    def get_center(self) -> Coordinate:
        """The same as :attr:`center`."""
        return self.center

    def get_size(self) -> int | None:
        """The same as :attr:`size`."""
        return self.size

    def get_bounding_box(self) -> tuple[slice, ...]:
        """The same as :meth:`to_slices`."""
        return self.to_slices()

    def to_slices(self) -> tuple[slice, ...]:
        """A slice for each axis."""
        return tuple(slice(begin, end) for begin, end in _native.roi_to_slices(self))

    def squeeze(self, dim: int = 0) -> Roi:
        """Without one axis."""
        return self._of(_native.roi_squeeze(self, dim))

    def contains(self, other: RoiLike | CoordinateLike) -> bool:
        """Whether a coordinate or a whole region is inside."""
        if hasattr(other, "begin") and hasattr(other, "shape"):
            return _native.roi_contains_roi(self, other)
        return _native.roi_contains(self, other)

    def __contains__(self, other: RoiLike | CoordinateLike) -> bool:
        return self.contains(other)

    def intersects(self, other: RoiLike) -> bool:
        """Whether some coordinate is in both."""
        return _native.roi_intersects(self, other)

    def intersect(self, other: RoiLike) -> Roi:
        """The region that is in both."""
        return self._of(_native.roi_intersect(self, other))

    def union(self, other: RoiLike) -> Roi:
        """The smallest region that contains both."""
        return self._of(_native.roi_union(self, other))

    def shift(self, by: CoordinateLike | int) -> Roi:
        """The same region elsewhere: the same as ``+``."""
        return self._of(_native.roi_add(self, by))

    def grow(
        self, amount_neg: CoordinateLike | int | None = 0, amount_pos: CoordinateLike | int | None = 0
    ) -> Roi:
        """With so much more below and above; without bounds for ``None``."""
        return self._of(_native.roi_grow(self, self._amount(amount_neg), self._amount(amount_pos)))

    def _amount(self, amount: CoordinateLike | int | None) -> CoordinateLike | int:
        return (None,) * self.dims if amount is None else amount

    def snap_to_grid(self, voxel_size: CoordinateLike, mode: str = "grow") -> Roi:
        """With bounds at multiples of ``voxel_size``; ``mode`` is ``"grow"``, ``"shrink"`` or ``"closest"``."""
        return self._of(_native.roi_snap_to_grid(self, voxel_size, mode))

    def blocks(self, shape: CoordinateLike, origin: CoordinateLike | None = None) -> Iterator[Roi]:
        """Its parts in blocks of ``shape`` that begin at ``origin``, by default its own offset."""
        origin = self.offset if origin is None else origin
        return map(Roi._of, _native.roi_blocks(self, shape, origin))

    def copy(self) -> Roi:
        """The same region: it cannot be changed."""
        return self

    def __iter__(self) -> Iterator[Coordinate]:
        """Offset and shape, so that ``offset, shape = roi``."""
        return iter((self._offset, self._shape))

    def __add__(self, other: CoordinateLike | int) -> Roi:
        return self._of(_native.roi_add(self, other))

    def __sub__(self, other: CoordinateLike | int) -> Roi:
        return self._of(_native.roi_sub(self, other))

    def __mul__(self, other: CoordinateLike | int) -> Roi:
        return self._of(_native.roi_mul(self, other))

    def __truediv__(self, other: CoordinateLike | int) -> Roi:
        return self._of(_native.roi_truediv(self, other))

    def __floordiv__(self, other: CoordinateLike | int) -> Roi:
        return self._of(_native.roi_floordiv(self, other))

    def __mod__(self, other: CoordinateLike | int) -> Roi:
        return self._of(_native.roi_mod(self, other))

    def __eq__(self, other: object) -> bool:
        if hasattr(other, "begin") and hasattr(other, "shape"):
            return (self._offset, self._shape) == (tuple(other.begin), tuple(other.shape))
        return NotImplemented

    def __hash__(self) -> int:
        return hash((self._offset, self._shape))

    def __reduce__(self) -> tuple[Any, ...]:
        return (Roi, (tuple(self._offset), tuple(self._shape)))

    def __str__(self) -> str:
        return _native.roi_text(self)

    def __repr__(self) -> str:
        return f"Roi({tuple(self._offset)}, {tuple(self._shape)})"
