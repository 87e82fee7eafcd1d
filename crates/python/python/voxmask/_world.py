"""Regions of arrays that count in different world units: 0.01 nm for labels of 2.62 nm, 1 nm for their image."""

from __future__ import annotations

from fractions import Fraction

from voxmask._array import Array
from voxmask.errors import ArgumentError, NotAlignedError
from voxmask.geometry import Coordinate, Roi


def ratio(array: Array, other: Array) -> Fraction:
    """How many world units of ``other`` are one of ``array``.

    Raises:
        ArgumentError: if one is in nanometers, and the other in micrometers.
    """
    units = {array.unit, other.unit} - {"unknown"}
    if len(units) > 1:
        raise ArgumentError(f"arrays of different units, {array.unit} and {other.unit}, do not share regions")
    return array.scale / other.scale


def scaled(roi: Roi, by: Fraction) -> Roi:
    """A region in another world unit.

    Raises:
        NotAlignedError: for bounds that are not whole in it.
    """
    if by == 1:
        return roi
    begin, shape = ([entry * by for entry in part] for part in (roi.begin, roi.shape))
    if any(entry.denominator != 1 for entry in begin + shape):
        raise NotAlignedError(f"{roi} times {by} has bounds between the voxels of the other array")
    return Roi(Coordinate(map(int, begin)), Coordinate(map(int, shape)))
