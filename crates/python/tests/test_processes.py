"""Pickles, processes, threads and interrupts."""

from __future__ import annotations

import functools
import http.server
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numcodecs
import numpy as np
import pytest
import zarr
from conftest import GROUPINGS, Duck, StoredCrop, Volume, attributes, in_numpy, some_labels
from funlib.persistence import open_ds

import voxmask
from voxmask import Coordinate, Roi, errors

PATIENCE = 60
"""How many seconds a process may take before it counts as hung."""


def arrays(volume: Volume) -> dict[str, voxmask.Array]:
    """One array of each kind."""
    labels = voxmask.open_array(volume.path)
    roi = Roi(*volume.roi((1, 2, 3), (9, 13, 16)))
    truth = voxmask.MaskAndTarget(labels, GROUPINGS)
    duck = Duck(volume.voxels, volume.voxel_size, volume.offset)
    return {
        "opened": labels,
        "for writing": voxmask.open_array(volume.path, mode="r+"),
        "with options": voxmask.open_array(volume.path, voxel_size=iter((8, "4", 4.0)), unit="nm"),
        "crop": labels.crop(roi),
        "numpy": in_numpy(volume),
        "numpy in fortran order": voxmask.from_numpy(np.asfortranarray(volume.voxels), chunk_shape=(4, 4, 4)),
        "funlib": voxmask.as_array(open_ds(str(volume.path))),
        "any object": voxmask.as_array(duck),
        "mask": voxmask.MissingAnnotationsMask(labels, GROUPINGS),
        "mask of numpy": voxmask.MissingAnnotationsMask(in_numpy(volume), dict(GROUPINGS)),
        "mask of groups that are read once": voxmask.MissingAnnotationsMask(labels, iter(GROUPINGS)),
        "mask with a cache": voxmask.MissingAnnotationsMask(labels, GROUPINGS, cache_bytes=1 << 20),
        "target": voxmask.BinarizeArray(labels, GROUPINGS, background=3),
        "target with a cache": voxmask.BinarizeArray(labels, GROUPINGS, cache_bytes=1 << 20),
        "mask of both": truth.mask,
        "target of both": truth.target,
        "crop of a mask": truth.mask.crop(roi),
    }


KINDS = [
    "opened", "for writing", "with options", "crop", "numpy", "numpy in fortran order", "funlib", "any object",
    "mask", "mask of numpy", "mask of groups that are read once", "mask with a cache", "target",
    "target with a cache", "mask of both", "target of both", "crop of a mask",
]  # fmt: skip


@pytest.fixture(autouse=True)
def hide_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", voxmask.MetadataWarning)
        yield


# Pickles


@pytest.mark.parametrize("kind", KINDS)
def test_a_pickled_array_is_the_same(volume: Volume, kind: str) -> None:
    all_kinds = arrays(volume)
    assert list(all_kinds) == KINDS
    array = all_kinds[kind]
    for protocol in (2, pickle.HIGHEST_PROTOCOL):
        again = pickle.loads(pickle.dumps(array, protocol))
        assert type(again) is type(array)
        for name in ("roi", "voxel_size", "shape", "axes", "dtype", "channels", "units", "chunk_shape", "writable"):
            assert getattr(again, name) == getattr(array, name), name
        assert again.attrs == array.attrs
        assert np.array_equal(again[again.roi], array[array.roi])
        assert np.array_equal(pickle.loads(pickle.dumps(again))[..., 0], array[..., 0])


def test_a_pickle_of_an_opened_array_holds_no_voxels(volume: Volume) -> None:
    mask = voxmask.MissingAnnotationsMask(volume.path, GROUPINGS)
    assert len(pickle.dumps(mask)) < 2000


def test_pickled_masks_and_targets_are_the_same(volume: Volume) -> None:
    for options in ({}, {"cache_bytes": 1 << 20}, {"rule": "generic", "generic_ids": [37]}, {"background": 3}):
        truth = voxmask.MaskAndTarget(volume.path, GROUPINGS, **options)  # type: ignore[arg-type]
        again = pickle.loads(pickle.dumps(truth))
        assert type(again) is voxmask.MaskAndTarget
        assert again.decisions == truth.decisions
        assert np.array_equal(again.read(truth.mask.roi), truth.read(truth.mask.roi))
        assert (again.cache_stats is None) == (truth.cache_stats is None)


def test_pickled_crops_are_the_same(stored_crop: StoredCrop) -> None:
    crop = voxmask.open_crop(stored_crop.path)
    roi = Roi((88, 4, 8), (24, 16, 12))
    for one in (crop, crop.crop(roi)):
        again = pickle.loads(pickle.dumps(one))
        assert again.class_names == crop.class_names
        assert again.roi == one.roi
        assert np.array_equal(pickle.loads(pickle.dumps(one["cell"])).data, one["cell"].data)
        truth = voxmask.MaskAndTarget(one)
        both = pickle.loads(pickle.dumps(truth)).read(one.roi)
        assert np.array_equal(both, truth.read(one.roi))


def test_a_pickled_array_is_found_from_another_folder(volume: Volume, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(volume.path.parent)
    (volume.path.parent / "groups.toml").write_text('[[group]]\nname = "mito"\nids = [3]\n')
    mask = voxmask.MissingAnnotationsMask(volume.path.name, "groups.toml")
    pickled = pickle.dumps(mask)
    (volume.path.parent / "other").mkdir()
    monkeypatch.chdir("other")
    assert np.array_equal(pickle.loads(pickled)[mask.roi], mask[mask.roi])


def test_a_warning_is_not_repeated_by_a_pickle(in_memory: Volume) -> None:
    truth = voxmask.MaskAndTarget(voxmask.from_numpy(in_memory.voxels), GROUPINGS)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pickle.loads(pickle.dumps(truth))
        pickle.loads(pickle.dumps(truth.mask))


def test_a_pickle_of_what_is_gone_is_a_file_not_found_error(volume: Volume) -> None:
    pickled = pickle.dumps(voxmask.open_array(volume.path))
    volume.path.rename(volume.path.with_name("moved.zarr"))
    with pytest.raises(FileNotFoundError):
        pickle.loads(pickled)


@pytest.mark.parametrize("name", [name for name, one in vars(errors).items() if isinstance(one, type)])
def test_errors_can_be_pickled(name: str) -> None:
    again = pickle.loads(pickle.dumps(getattr(errors, name)("what went wrong")))
    assert type(again) is getattr(errors, name)
    assert str(again) == "what went wrong"


# Processes


def read_there(array: Any, roi: Roi) -> tuple[int, Any]:
    return os.getpid(), array.read(roi)


def raise_there(array: voxmask.Array) -> None:
    array.read(array.roi + (8, 0, 0))


# What a forked process finds, without a pickle.
inherited: dict[str, Any] = {}


def read_inherited(kind: str) -> tuple[int, Any]:
    one = inherited[kind]
    return os.getpid(), one.read(one.mask.roi if isinstance(one, voxmask.MaskAndTarget) else one.roi)


def test_a_forked_process_reads_what_its_parent_has_read(volume: Volume) -> None:
    kinds: dict[str, Any] = dict(arrays(volume))
    kinds["both"] = voxmask.MaskAndTarget(volume.path, GROUPINGS)
    kinds["both with a cache"] = voxmask.MaskAndTarget(volume.path, GROUPINGS, cache_bytes=1 << 20)
    inherited.update(kinds)
    expected = {kind: read_inherited(kind)[1] for kind in kinds}
    with multiprocessing.get_context("fork").Pool(2) as pool:
        results = {kind: pool.apply_async(read_inherited, (kind,)) for kind in kinds}
        for kind, result in results.items():
            process, voxels = result.get(PATIENCE)
            assert process != os.getpid()
            assert np.array_equal(voxels, expected[kind]), kind
    # The parent goes on.
    for kind in kinds:
        assert np.array_equal(read_inherited(kind)[1], expected[kind])


def test_a_process_forked_by_a_forked_process_reads_too(volume: Volume) -> None:
    code = f"""
import os, sys
import voxmask
mask = voxmask.MissingAnnotationsMask({str(volume.path)!r}, {GROUPINGS!r})
expected = mask[mask.roi].sum()
for generation in range(3):
    child = os.fork()
    if child:
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    assert mask[mask.roi].sum() == expected
os._exit(7)
"""
    done = subprocess.run([sys.executable, "-c", code], timeout=PATIENCE, capture_output=True, text=True, check=False)
    assert done.returncode == 7, done.stderr


def test_a_process_forked_while_others_read_does_not_hang(volume: Volume) -> None:
    truth = voxmask.MaskAndTarget(volume.path, GROUPINGS, cache_bytes=20000)
    inherited["busy"] = truth
    stop = threading.Event()

    def keep_reading() -> None:
        while not stop.is_set():
            truth.read(truth.mask.roi)

    threads = [threading.Thread(target=keep_reading) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        context = multiprocessing.get_context("fork")
        for _ in range(10):
            child = context.Process(target=read_inherited, args=("busy",))
            child.start()
            child.join(PATIENCE)
            assert child.exitcode == 0
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_another_process_reads_what_is_sent_to_it(volume: Volume, stored_crop: StoredCrop, method: str) -> None:
    kinds: dict[str, Any] = dict(arrays(volume))
    expected = {kind: array.read(array.roi) for kind, array in kinds.items()}
    crop = voxmask.MaskAndTarget(voxmask.open_crop(stored_crop.path))
    with multiprocessing.get_context(method).Pool(1) as pool:
        for kind, array in kinds.items():
            process, voxels = pool.apply_async(read_there, (array, array.roi)).get(PATIENCE)
            assert process != os.getpid()
            assert np.array_equal(voxels, expected[kind]), kind
        _, both = pool.apply_async(read_there, (crop, crop.mask.roi)).get(PATIENCE)
        assert np.array_equal(both, crop.read(crop.mask.roi))
        with pytest.raises(errors.OutOfBoundsError):
            pool.apply_async(raise_there, (kinds["opened"],)).get(PATIENCE)


# Threads


def test_many_threads_read_at_once(volume: Volume) -> None:
    plain = voxmask.MaskAndTarget(volume.path, GROUPINGS)
    cached = voxmask.MaskAndTarget(volume.path, GROUPINGS, cache_bytes=3000)
    labels = voxmask.open_array(volume.path)
    mask, target = volume.mask(), volume.target()

    def read(seed: int) -> None:
        generator = np.random.default_rng(seed)
        for _ in range(20):
            start = generator.integers(0, volume.voxels.shape)
            stop = generator.integers(start, volume.voxels.shape) + 1
            where = tuple(map(slice, start, stop))
            roi = Roi(*volume.roi(tuple(map(int, start)), tuple(map(int, stop))))
            for truth in (plain, cached):
                both = truth.read(roi)
                assert np.array_equal(both[0], mask[(..., *where)])
                assert np.array_equal(both[1], target[(..., *where)])
            assert np.array_equal(labels[where], volume.voxels[where])
            assert np.array_equal(labels.read_many([roi, roi])[1], volume.voxels[where])

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(read, range(16)))


def test_threads_read_through_a_python_object_at_once(in_memory: Volume) -> None:
    target = voxmask.BinarizeArray(Duck(in_memory.voxels, in_memory.voxel_size, in_memory.offset), GROUPINGS)
    expected = in_memory.target()
    with ThreadPoolExecutor(8) as pool:
        for voxels in pool.map(lambda _: target.read_many([target.roi] * 3), range(40)):
            assert all(np.array_equal(one, expected) for one in voxels)


def test_one_thread_or_many_give_the_same(volume: Volume) -> None:
    mask = voxmask.MissingAnnotationsMask(volume.path, GROUPINGS)
    before = voxmask.num_threads()
    try:
        for threads in (1, 3, 0):
            voxmask.set_num_threads(threads)
            assert voxmask.num_threads() == (threads or before)
            assert np.array_equal(mask[mask.roi], volume.mask())
        for wrong in (-1, 10**6, "two", 1.5):
            with pytest.raises((ValueError, TypeError, OverflowError)):
                voxmask.set_num_threads(wrong)  # type: ignore[arg-type]
    finally:
        voxmask.set_num_threads(0)


# Interrupts


@pytest.fixture(autouse=True)
def listening() -> Iterator[None]:
    """Interrupts raise `KeyboardInterrupt`, also where the shell has started this process without them."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> voxmask.Array:
    """Labels that take seconds to decode: the same chunk, compressed as hard as possible, under many names."""
    path, chunk, chunks = tmp_path_factory.mktemp("slow") / "labels.zarr", 64, 8
    array = zarr.create_array(
        store=str(path),
        shape=(chunk * chunks,) * 3,
        chunks=(chunk,) * 3,
        dtype=np.uint8,
        zarr_format=2,
        compressors=numcodecs.BZ2(level=9),
        attributes=attributes(),
    )
    array[:chunk, :chunk, :chunk] = some_labels((chunk,) * 3)
    first = path / "0.0.0"
    for index in np.ndindex(chunks, chunks, chunks):
        name = path / ".".join(map(str, index))
        if name != first:
            os.link(first, name)
    return voxmask.open_array(path)


class SlowDuck(Duck):
    chunk_shape = (4, 4, 5)

    def __getitem__(self, roi: Any) -> Any:
        time.sleep(0.05)
        return super().__getitem__(roi)


def interrupted(work: Callable[[], Any]) -> float:
    """How many seconds after an interrupt ``work`` has ended."""
    sent = []

    def send() -> None:
        sent.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Timer(0.3, send)
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            work()
            timer.join()
        return time.monotonic() - sent[0]
    finally:
        timer.cancel()
        timer.join()


def empty(array: voxmask.Array) -> Any:
    return np.empty(array.shape, array.dtype)


GROUP = [("mito", [3, 4, 5])]
LONG_READS: dict[str, Callable[[voxmask.Array], Callable[[], Any]]] = {
    "array[roi]": lambda labels: lambda: labels[labels.roi],
    "array[index]": lambda labels: lambda: labels[::-1, 3:],
    "array.data": lambda labels: lambda: labels.data,
    "array.read(out)": lambda labels: lambda out=empty(labels): labels.read(labels.roi, out=out),
    "array.read_many": lambda labels: lambda: labels.read_many([labels.roi]),
    "array.read_many(out)": lambda labels: lambda out=empty(labels)[None]: labels.read_many([labels.roi], out=out),
    "array.read_each": lambda labels: lambda: labels.read_each([labels.roi]),
    "array.to_ndarray(fill)": lambda labels: lambda: labels.to_ndarray(labels.roi.grow(8, 8), fill_value=0),
    "mask[roi]": lambda labels: lambda mask=voxmask.MissingAnnotationsMask(labels, GROUP): mask[mask.roi],
    "mask with a cache": lambda labels: lambda mask=voxmask.MissingAnnotationsMask(
        labels, GROUP, cache_bytes=1 << 20
    ): mask[mask.roi],
    "factored": lambda labels: lambda mask=voxmask.MissingAnnotationsMask(labels, GROUP): mask.read_factored(mask.roi),
    "target[roi]": lambda labels: lambda target=voxmask.BinarizeArray(labels, GROUP): target[target.roi],
    "both": lambda labels: lambda truth=voxmask.MaskAndTarget(labels, GROUP): truth.read(labels.roi),
    "both(out)": lambda labels: lambda truth=voxmask.MaskAndTarget(labels, GROUP), out=(
        empty(labels)[None], empty(labels)[None],
    ): truth.read(labels.roi, out=out),
}  # fmt: skip


@pytest.mark.parametrize("kind", LONG_READS)
def test_ctrl_c_ends_a_long_read(slow: voxmask.Array, kind: str) -> None:
    took = interrupted(LONG_READS[kind](slow))
    print(f"{kind} ended {took * 1000:.0f} ms after the interrupt")
    assert took < 1
    # Later reads work.
    part = Roi(slow.offset, slow.voxel_size * 64)
    assert slow[part].any()


@pytest.mark.parametrize("kind", ["array", "batch", "target"])
def test_ctrl_c_ends_a_read_through_a_python_object(in_memory: Volume, kind: str) -> None:
    duck = SlowDuck(np.tile(in_memory.voxels, (1, 2, 2)), in_memory.voxel_size, in_memory.offset)
    labels = voxmask.as_array(duck)
    array = voxmask.BinarizeArray(labels, GROUPINGS) if kind == "target" else labels
    took = interrupted(lambda: array.read_many([array.roi]) if kind == "batch" else array[array.roi])
    print(f"{kind} ended {took * 1000:.0f} ms after the interrupt")
    assert took < 1
    assert np.array_equal(labels[0, 0], duck.voxels[0, 0])


def test_ctrl_c_ends_writing_which_can_be_resumed(slow: voxmask.Array, tmp_path: Path) -> None:
    part = slow.crop(Roi(slow.offset, slow.voxel_size * (512, 512, 256)))
    truth = voxmask.MaskAndTarget(part, GROUP)
    output = tmp_path / "masks.zarr"
    took = interrupted(lambda: truth.write(output, chunk_shape=[64], codec="zstd:1"))
    print(f"ended {took * 1000:.0f} ms after the interrupt")
    assert took < 2
    assert not output.exists()
    truth.write(output, chunk_shape=[64], codec="zstd:1", existing="continue")
    mask, target = truth.read(part.roi)
    assert np.array_equal(voxmask.open_array(output / "mask").data, mask)
    assert np.array_equal(voxmask.open_array(output / "target").data, target)


def test_an_array_that_was_given_can_be_used_after_an_interrupt(slow: voxmask.Array) -> None:
    out = empty(slow)
    interrupted(lambda: slow.read(slow.roi, out=out))
    part = Roi(slow.offset, slow.voxel_size * 64)
    block = out[:64, :64, :64]
    slow.read(part, out=block)
    assert np.array_equal(block, slow[part])


def test_an_exception_of_a_signal_handler_is_raised(slow: voxmask.Array) -> None:
    class Alarm(Exception):
        pass

    def handle(*_: Any) -> None:
        raise Alarm

    before = signal.signal(signal.SIGALRM, handle)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        with pytest.raises(Alarm):
            slow[slow.roi]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_a_signal_whose_handler_returns_does_not_end_a_read(slow: voxmask.Array) -> None:
    seen = []
    before = signal.signal(signal.SIGALRM, lambda *_: seen.append(1))
    part = slow.crop(Roi(slow.offset, slow.voxel_size * (64, 256, 256)))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
        assert part.data.any()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert seen


def test_other_threads_go_on_while_one_reads(slow: voxmask.Array) -> None:
    part = slow.crop(Roi(slow.offset, slow.voxel_size * (64, 256, 256)))
    counted, reading = [0], threading.Event()

    def count() -> None:
        while not reading.is_set():
            counted[0] += 1
            time.sleep(0.001)

    thread = threading.Thread(target=count)
    thread.start()
    try:
        start = counted[0]
        part.data  # noqa: B018
        during = counted[0] - start
    finally:
        reading.set()
        thread.join()
    assert during > 10


def test_a_coordinate_is_sent_to_another_process() -> None:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply_async(Coordinate, ((1, 2),)).get(PATIENCE) == Coordinate(1, 2)
        assert pool.apply_async(Roi, ((1,), (2,))).get(PATIENCE) == Roi((1,), (2,))


class Wrapper:
    """An object of another package that reads an array of ours."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.roi, self.voxel_size, self.dtype, self.shape = inner.roi, inner.voxel_size, inner.dtype, inner.shape
        self.units, self.chunk_shape = inner.units, (4, 4, 4)

    def __getitem__(self, roi: Any) -> Any:
        return self.inner[roi]


def test_an_array_of_python_may_read_another_of_ours() -> None:
    voxels = np.random.default_rng(0).integers(0, 9, (16, 16, 16)).astype(np.uint8)
    inner = voxmask.from_numpy(voxels, chunk_shape=(4, 4, 4))
    mask = voxmask.BinarizeArray(Wrapper(inner), [("a", [3])])
    np.testing.assert_array_equal(mask[mask.roi][0], voxels == 3)


def test_threads_that_share_a_sampler_do_not_wait_for_each_other() -> None:
    voxels = np.random.default_rng(0).integers(0, 2, (32, 32, 32)).astype(np.uint8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        truth = voxmask.MaskAndTarget(voxmask.from_numpy(voxels, chunk_shape=(8, 8, 8)), [("a", [1])])
    sampler = voxmask.ValidSampler(truth, (8, 8, 8), 0.5, seed=1)
    alone = voxmask.ValidSampler(truth, (8, 8, 8), 0.5, seed=1)
    drawn: list[Any] = []
    threads = [threading.Thread(target=lambda: drawn.extend(sampler.draw_many(50)), daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(map(str, drawn)) == sorted(map(str, alone.draw_many(200)))


class Folder(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


def first_sum(array: Any, queue: Any) -> None:
    queue.put(int(array[array.roi].sum()))


def test_a_forked_process_reads_from_a_server(tmp_path: Path) -> None:
    voxels = np.arange(64, dtype=np.uint8).reshape(4, 4, 4)
    zarr.create_array(
        store=str(tmp_path / "a.zarr"), data=voxels, chunks=(2, 2, 2), attributes={"voxel_size": [1, 1, 1]}
    )
    handler = functools.partial(Folder, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            array = voxmask.open_array(f"http://127.0.0.1:{server.server_port}/a.zarr")
        assert int(array[array.roi].sum()) == voxels.sum()
        fork = multiprocessing.get_context("fork")
        queue = fork.Queue()
        process = fork.Process(target=first_sum, args=(array, queue))
        process.start()
        assert queue.get(timeout=60) == voxels.sum()
        process.join(60)
        server.shutdown()
