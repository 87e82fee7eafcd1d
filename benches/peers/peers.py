"""The work of voxmask's benchmarks with TensorStore or zarr-python, and NumPy.

peers.py FOLDER SIDE-LABELS-CODEC full|patches

Prints one JSON object for each measurement: what, milliseconds, and the sum of the bytes of the result.
Every form is the best one that we know of; `numpy` asks for large pages by itself.
"""

import json
import sys
import time
from collections import deque
from pathlib import Path

import numpy as np
import tensorstore as ts

CHANNELS, MAX_ID, CHUNK, PATCHES, IN_FLIGHT = 8, 48, 64, 1000, 16
THREADS = 2
GROUPS = [[(c * 3) % MAX_ID + 1 + k for k in range(3)] for c in range(CHANNELS)]
KEPT = [all(i % 9 for i in ids) for ids in GROUPS]


def measure(what: str, work, rounds: int = 3) -> None:
    """The first round warms up, unless it is the only one."""
    times = []
    for _ in range(rounds):
        begin = time.perf_counter()
        result = work()
        times.append((time.perf_counter() - begin) * 1e3)
        total = int(result.sum(dtype=np.int64)) if isinstance(result, np.ndarray) else result
        del result
    for milliseconds in times[1:] or times:
        print(json.dumps({"what": what, "ms": milliseconds, "sum": total}), flush=True)


def open_tensorstore(path: Path, cache_bytes: int = 0):
    context = ts.Context({
        "data_copy_concurrency": {"limit": THREADS},
        "cache_pool": {"total_bytes_limit": cache_bytes},
    })
    spec = {"driver": "zarr3", "kvstore": {"driver": "file", "path": str(path)}}
    return ts.open(spec, context=context, open=True, read=True).result()


def masked(labels: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """The foreground once, then copies of it."""
    foreground = (labels > 0).view(np.uint8)
    if out is None:
        out = np.zeros((CHANNELS, *labels.shape), np.uint8)
    else:
        out[[not kept for kept in KEPT]] = 0
    for channel, kept in zip(out, KEPT):
        if kept:
            channel[...] = foreground
    return out


def masked_by_channel(labels: np.ndarray) -> np.ndarray:
    out = np.zeros((CHANNELS, *labels.shape), np.uint8)
    for channel, kept in zip(out, KEPT):
        if kept:
            channel[...] = labels > 0
    return out


def masked_like_the_original(labels: np.ndarray) -> np.ndarray:
    out = np.ones((CHANNELS, *labels.shape), np.uint8)
    out[:] = labels > 0
    for channel, kept in zip(out, KEPT):
        if not kept:
            channel[...] = 0
    return out


def targets_by_isin(labels: np.ndarray) -> np.ndarray:
    return np.stack([np.isin(labels, ids) for ids in GROUPS]).view(np.uint8)


def targets_by_table(labels: np.ndarray) -> np.ndarray:
    tables = np.zeros((CHANNELS, 256), np.uint8)
    for table, ids in zip(tables, GROUPS):
        table[ids] = 1
    return np.stack([table[labels] for table in tables])


def full(path: Path) -> None:
    store = open_tensorstore(path)

    def read() -> np.ndarray:
        return store.read().result()

    measure("mask: TensorStore, foreground once", lambda: masked(read()))
    measure("mask: TensorStore, each channel", lambda: masked_by_channel(read()))
    measure("mask: TensorStore, ones first", lambda: masked_like_the_original(read()))
    buffer = masked(read())
    measure("mask into a buffer: TensorStore, foreground once", lambda: masked(read(), buffer))
    del buffer
    measure("factored: TensorStore", lambda: (read() > 0).view(np.uint8))
    measure("target: TensorStore, numpy.isin", lambda: targets_by_isin(read()), 1)
    measure("target: TensorStore, table", lambda: targets_by_table(read()), 1)

    import zarr

    array = zarr.open_array(str(path), mode="r")
    measure("mask: zarr-python, foreground once", lambda: masked(array[:]))
    import zarrs  # noqa: F401

    zarr.config.set({"codec_pipeline.path": "zarrs.ZarrsCodecPipeline"})
    array = zarr.open_array(str(path), mode="r")
    measure("mask: zarr-python with zarrs, foreground once", lambda: masked(array[:]))


def hashed(seed: int) -> int:
    """The finaliser of splitmix64, as in the Rust benchmarks."""
    bits = (1 << 64) - 1
    z = (seed + 0x9E37_79B9_7F4A_7C15) & bits
    z = ((z ^ (z >> 30)) * 0xBF58_476D_1CE4_E5B9) & bits
    z = ((z ^ (z >> 27)) * 0x94D0_49BB_1331_11EB) & bits
    return z ^ (z >> 31)


def patches(path: Path, side: int, extent: int) -> None:
    room = side - extent + 1
    places = [[hashed(3 * k + axis) % room for axis in range(3)] for k in range(PATCHES)]
    slices = [tuple(slice(p, p + extent) for p in place) for place in places]

    def one_by_one(store) -> int:
        return sum(int(masked(store[s].read().result())[0, 0, 0, 0]) for s in slices)

    def in_flight(store, out=None) -> int:
        total, waiting = 0, deque()
        for s in slices:
            waiting.append(store[s].read())
            if len(waiting) == IN_FLIGHT:
                total += int(masked(waiting.popleft().result(), out)[0, 0, 0, 0])
        return total + sum(int(masked(f.result(), out)[0, 0, 0, 0]) for f in waiting)

    name = f"{extent}^3 patches"
    plain = open_tensorstore(path)
    measure(f"{name}: TensorStore, one at a time", lambda: one_by_one(plain))
    measure(f"{name}: TensorStore, {IN_FLIGHT} in flight", lambda: in_flight(plain))
    measure(f"{name}, cache cold: TensorStore, {IN_FLIGHT} in flight",
            lambda: in_flight(open_tensorstore(path, 4 << 30)))
    kept = open_tensorstore(path, 4 << 30)
    measure(f"{name}, cache warm: TensorStore, {IN_FLIGHT} in flight", lambda: in_flight(kept))
    out = np.ones((CHANNELS, extent, extent, extent), np.uint8)
    measure(f"{name}, cache warm, into a buffer: TensorStore, {IN_FLIGHT} in flight",
            lambda: in_flight(kept, out))


def main() -> None:
    folder, volume, what = sys.argv[1:]
    path = Path(folder) / f"{volume}.zarr" / "labels" / "s0"
    if what == "full":
        full(path)
    else:
        for extent in (64, 96):
            patches(path, int(volume.split("-")[0]), extent)


if __name__ == "__main__":
    main()
