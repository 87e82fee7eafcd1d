"""What the work is: the same numbers and places as in the Rust benchmarks."""

import os

import numpy as np

CHANNELS, MAX_ID, PATCHES, IN_FLIGHT, SLAB = 8, 48, 1000, 16, 64
THREADS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
GROUPS = [[(c * 3) % MAX_ID + 1 + k for k in range(3)] for c in range(CHANNELS)]
KEPT = [all(i % 9 for i in ids) for ids in GROUPS]

_WORD = (1 << 64) - 1
_PART = 1 << 20
_WEIGHTS = np.arange(1, 2 * _PART, 2, dtype=np.uint64)


def checksum(array: np.ndarray) -> int:
    """A number that depends on every byte and its place; wrapping, in little-endian words of 8 bytes."""
    words = array.reshape(-1).view("<u8")
    total = 0
    for part, begin in enumerate(range(0, len(words), _PART)):
        some = words[begin:begin + _PART]
        total += int((some * _WEIGHTS[:len(some)]).sum(dtype=np.uint64)) * weight(part)
    return total & _WORD


def weight(index: int) -> int:
    """What the checksum of the part at `index` of a result counts."""
    return _hashed(index) | 1


def places(side: int, extent: int) -> list[list[int]]:
    """Where the patches begin."""
    room = side - extent + 1
    return [[_hashed(3 * k + axis) % room for axis in range(3)] for k in range(PATCHES)]


def _hashed(seed: int) -> int:
    """The finaliser of splitmix64."""
    z = (seed + 0x9E37_79B9_7F4A_7C15) & _WORD
    z = ((z ^ (z >> 30)) * 0xBF58_476D_1CE4_E5B9) & _WORD
    z = ((z ^ (z >> 27)) * 0x94D0_49BB_1331_11EB) & _WORD
    return z ^ (z >> 31)
