"""The work of voxmask's benchmarks with voxmask in Python, TensorStore or zarr-python, and NumPy.

peers.py FOLDER SIDE-LABELS-CODEC full|patches TURN

Prints one JSON object for each measurement: what, milliseconds, and a checksum of the result. What is
measured comes in an order that the number TURN decides. Next to what people usually write there is the
best form that we know of; NumPy asks for large pages by itself.
"""

import json
import random
import sys
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import tensorstore as ts
import voxmask

from work import CHANNELS, GROUPS, IN_FLIGHT, KEPT, SLAB, THREADS, checksum, places, weight

ROUNDS = 2
WORD = (1 << 64) - 1


def masked(labels: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """The foreground once, into the first kept channel, then copies of it."""
    if out is None:
        out = np.zeros((CHANNELS, *labels.shape), np.uint8)
    else:
        for channel, kept in zip(out, KEPT):
            if not kept:
                channel[...] = 0
    first = KEPT.index(True)
    np.greater(labels, 0, out=out[first].view(np.bool_))
    for index, kept in enumerate(KEPT):
        if kept and index != first:
            out[index] = out[first]
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


def targets_by_bits(labels: np.ndarray, out: np.ndarray) -> None:
    """One look into a table for all channels: a bit for each of them."""
    table = np.zeros(256, np.uint8)
    for channel, ids in enumerate(GROUPS):
        table[ids] |= 1 << channel
    bits = table[labels]
    for channel in range(CHANNELS):
        np.bitwise_and(bits >> channel, 1, out=out[channel])


def open_tensorstore(path: Path, cache_bytes: int = 0):
    context = ts.Context({
        "data_copy_concurrency": {"limit": THREADS},
        "cache_pool": {"total_bytes_limit": cache_bytes},
    })
    spec = {"driver": "zarr3", "kvstore": {"driver": "file", "path": str(path)}}
    return ts.open(spec, context=context, open=True, read=True).result()


def open_as_usual(path: Path):
    spec = {"driver": "zarr3", "kvstore": {"driver": "file", "path": str(path)}}
    return ts.open(spec).result()


def by_slabs(store, pool: ThreadPoolExecutor, out: np.ndarray, work) -> np.ndarray:
    """`work(labels, part of out)` for some planes at a time, which stay in the caches of the processor."""

    def slab(z: int) -> None:
        work(store[z:z + SLAB].read().result(), out[:, z:z + SLAB])

    list(pool.map(slab, range(0, store.shape[0], SLAB)))
    return out


def voxmask_mask(path: Path, cache_bytes: int | None = None) -> voxmask.MissingAnnotationsMask:
    groups = [(f"channel {c}", ids) for c, ids in enumerate(GROUPS)]
    return voxmask.MissingAnnotationsMask(path, groups, cache_bytes=cache_bytes)


def full(path: Path) -> dict:
    import zarr

    store = open_tensorstore(path)
    pool = ThreadPoolExecutor(THREADS)
    shape = (CHANNELS, *store.shape)
    labels = np.ones(store.shape, store.dtype.numpy_dtype)
    buffer = np.ones(shape, np.uint8)
    slabs = f"slabs in {THREADS} threads"

    def read() -> np.ndarray:
        return store.read().result()

    def read_into() -> np.ndarray:
        ts.array(labels, write=True).write(store).result()
        return labels

    def zarr_array(pipeline: str) -> np.ndarray:
        # Arrays take the pipeline that is set when they are opened; opening takes less than a millisecond.
        with zarr.config.set({"codec_pipeline.path": pipeline}):
            return zarr.open_array(str(path), mode="r")[:]

    default_pipeline = zarr.config.get("codec_pipeline.path")
    import zarrs  # noqa: F401

    zarrs_pipeline = "zarrs.ZarrsCodecPipeline"
    ours = voxmask_mask(path)
    target = voxmask.BinarizeArray(ours.source, [(str(c), ids) for c, ids in enumerate(GROUPS)])
    whole = ours.roi
    return {
        "mask: voxmask in Python": lambda: ours[whole],
        "mask into a buffer: voxmask in Python": lambda: ours.read(whole, out=buffer),
        "factored: voxmask in Python": lambda: ours.read_factored(whole)[0],
        "target: voxmask in Python": lambda: target[whole],
        "mask: TensorStore, foreground once": lambda: masked(read()),
        f"mask: TensorStore, {slabs}":
            lambda: by_slabs(store, pool, np.zeros(shape, np.uint8), masked),
        "mask: TensorStore, each channel": lambda: masked_by_channel(read()),
        "mask: TensorStore, ones first": lambda: masked_like_the_original(read()),
        "mask: zarr-python, foreground once": lambda: masked(zarr_array(default_pipeline)),
        "mask: zarr-python with zarrs, foreground once": lambda: masked(zarr_array(zarrs_pipeline)),
        "mask into a buffer: TensorStore, foreground once": lambda: masked(read_into(), buffer),
        f"mask into a buffer: TensorStore, {slabs}": lambda: by_slabs(store, pool, buffer, masked),
        "factored: TensorStore": lambda: (read() > 0).view(np.uint8),
        "target: TensorStore, numpy.isin": lambda: targets_by_isin(read()),
        "target: TensorStore, table": lambda: targets_by_table(read()),
        f"target: TensorStore, table of bits, {slabs}":
            lambda: by_slabs(store, pool, np.zeros(shape, np.uint8), targets_by_bits),
    }


def patches(path: Path, side: int, extent: int) -> dict:
    """Each takes `see`, which is called with the number and the mask of every patch."""
    slices = [tuple(slice(p, p + extent) for p in place) for place in places(side, extent)]
    shape = (CHANNELS, extent, extent, extent)
    pool, local = ThreadPoolExecutor(THREADS), threading.local()

    def one_by_one(store, see) -> int:
        return sum(see(k, masked(store[s].read().result())) for k, s in enumerate(slices))

    def in_flight(store, see, out=lambda _: None) -> int:
        total, waiting = 0, deque()

        def take() -> int:
            k, labels = waiting.popleft()
            return see(k, masked(labels.result(), out(k)))

        for k, s in enumerate(slices):
            waiting.append((k, store[s].read()))
            if len(waiting) == IN_FLIGHT:
                total += take()
        while waiting:
            total += take()
        return total

    def in_threads(store, see, out=lambda _: None) -> int:
        def patch(k: int) -> int:
            return see(k, masked(store[slices[k]].read().result(), out(k)))

        return sum(pool.map(patch, range(len(slices))))

    def own(_: int) -> np.ndarray:
        if not hasattr(local, "out"):
            local.out = np.ones(shape, np.uint8)
        return local.out

    batch = np.ones((IN_FLIGHT, *shape), np.uint8)

    def place(k: int) -> np.ndarray:
        return batch[k % IN_FLIGHT]

    rois, ours = voxmask_rois(path, side, extent), voxmask_mask(path)
    caching = voxmask_mask(path, 4 << 30)

    def one_call_each(see) -> int:
        return sum(pool.map(lambda k: see(k, ours[rois[k]]), range(len(rois))))

    def one_call_each_warm(see) -> int:
        return sum(pool.map(lambda k: see(k, caching[rois[k]]), range(len(rois))))

    def batches(see) -> int:
        total = 0
        for begin in range(0, len(rois), IN_FLIGHT):
            some = rois[begin:begin + IN_FLIGHT]
            caching.read_many(some, out=batch[:len(some)])
            total += sum(see(begin + k, mask) for k, mask in enumerate(batch[:len(some)]))
        return total

    usual, plain, kept = open_as_usual(path), open_tensorstore(path), open_tensorstore(path, 4 << 30)
    name, flight, threads = f"{extent}^3 patches", f"{IN_FLIGHT} in flight", f"in {THREADS} threads"
    warm, buffer = f"{name}, cache warm", f"{name}, cache warm, into a buffer"
    return {
        f"{name}: voxmask in Python, {threads}": one_call_each,
        f"{warm}: voxmask in Python, {threads}": one_call_each_warm,
        f"{warm}, into a batch: voxmask in Python": batches,
        f"{name}: TensorStore, one at a time": lambda see: one_by_one(usual, see),
        f"{name}: TensorStore, {flight}": lambda see: in_flight(plain, see),
        f"{name}: TensorStore, {threads}": lambda see: in_threads(plain, see),
        f"{name}, cache cold: TensorStore, {flight}":
            lambda see: in_flight(open_tensorstore(path, 4 << 30), see),
        f"{name}, cache cold: TensorStore, {threads}":
            lambda see: in_threads(open_tensorstore(path, 4 << 30), see),
        f"{warm}: TensorStore, {flight}": lambda see: in_flight(kept, see),
        f"{warm}: TensorStore, {threads}": lambda see: in_threads(kept, see),
        f"{buffer}: TensorStore, {flight}": lambda see: in_flight(kept, see, own),
        f"{buffer}: TensorStore, {threads}": lambda see: in_threads(kept, see, own),
        f"{warm}, into a batch: TensorStore, {flight}": lambda see: in_flight(kept, see, place),
    }


def voxmask_rois(path: Path, side: int, extent: int) -> list[voxmask.Roi]:
    array = voxmask.open_array(path)
    begin, voxel = array.offset, array.voxel_size
    return [voxmask.Roi(begin + voxel * place, voxel * extent) for place in places(side, extent)]


def calls(path: Path, side: int, extent: int) -> dict:
    """One call after another, each of which waits for the one before: how long a call takes."""
    rois = voxmask_rois(path, side, extent)

    def one_by_one(mask, see) -> int:
        return sum(see(k, mask[roi]) for k, roi in enumerate(rois))

    plain, caching = voxmask_mask(path), voxmask_mask(path, 4 << 30)
    return {
        f"{extent}^3 patches, one at a time: voxmask in Python": lambda see: one_by_one(plain, see),
        f"{extent}^3 patches, cache warm, one at a time: voxmask in Python":
            lambda see: one_by_one(caching, see),
    }


def report(what: str, work, check) -> None:
    """`check()` does the work as well: the first round, which does not count."""
    total = check() & WORD
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        result = work()
        milliseconds = (time.perf_counter() - begin) * 1e3
        # Giving memory back is no part of the work.
        del result
        print(json.dumps({"what": what, "ms": milliseconds, "sum": total}), flush=True)


def shuffled(works: dict, turn: int) -> list:
    works = list(works.items())
    random.Random(turn).shuffle(works)
    return works


def main() -> None:
    folder, volume, what, turn = sys.argv[1:]
    path = Path(folder) / f"{volume}.zarr" / "labels" / "s0"
    if what == "full":
        for name, work in shuffled(full(path), int(turn)):
            report(name, work, lambda: checksum(work()))
        return
    side = int(volume.split("-")[0])
    for works in (patches(path, side, 64), patches(path, side, 96), calls(path, side, 8), calls(path, side, 64)):
        for name, work in shuffled(works, int(turn)):
            report(
                name,
                lambda: work(lambda _, mask: int(mask[0, 0, 0, 0])),
                lambda: work(lambda k, mask: checksum(mask) * weight(k)),
            )


if __name__ == "__main__":
    main()
