"""Arrays as those of Dask, and masks of many crops on a cluster."""

from __future__ import annotations

import os
import pickle
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dask
import dask.array
import distributed
import numpy as np
import pytest
import voxmask
import zarr
from voxmask.dask import write_masks

SHAPE = (24, 20, 28)
GROUPINGS = [("one", [1]), ("two and three", [2, 3]), ("all", [])]
CLASSES = [("cell", ["cell"]), ("mito", ["mito_mem", "mito_lum"])]


class Counting:
    """Labels in memory, which count how often each voxel was read."""

    voxel_size = (2, 1, 1)
    chunk_shape = (8, 5, 7)
    attrs: dict[str, Any] = {}

    def __init__(self) -> None:
        self.voxels = np.random.default_rng(1).integers(0, 5, SHAPE).astype(np.uint8)
        self.reads = np.zeros(SHAPE, int)
        self.shape = SHAPE
        self.dtype = self.voxels.dtype
        self.roi = voxmask.Roi((4, 0, 0), voxmask.Coordinate(SHAPE) * self.voxel_size)

    def __getitem__(self, roi: Any) -> np.ndarray[Any, Any]:
        where = ((roi - self.roi.begin) / self.voxel_size).to_slices()
        self.reads[where] += 1
        return self.voxels[where]


def numbers(chunk_shape: tuple[int, ...] = (8, 5, 7)) -> voxmask.Array:
    """Labels of which no two blocks are alike."""
    voxels = np.arange(np.prod(SHAPE), dtype=np.uint32).reshape(SHAPE) % 7919
    return voxmask.from_numpy(voxels, voxel_size=(2, 1, 1), offset=(4, 0, 0), chunk_shape=chunk_shape)


def truth_of(labels: Any) -> voxmask.MaskAndTarget:
    with pytest.warns(voxmask.MetadataWarning):
        return voxmask.MaskAndTarget(labels, GROUPINGS)


@pytest.fixture(scope="module")
def client() -> Iterator[distributed.Client]:
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0", silence_logs="ERROR"
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@pytest.fixture
def crops(tmp_path: Path, write_array: Callable[..., Path], stored_crop: Any) -> dict[Path, Path]:
    """Two label volumes and a crop with an array for each class, and where their masks go."""
    (tmp_path / "out").mkdir()
    sources = [stored_crop.path]
    for number in range(2):
        voxels = np.random.default_rng(number).integers(0, 20, (12 + number, 20, 17)).astype(np.uint8)
        sources.append(write_array(tmp_path / f"labels{number}.zarr", voxels))
    return {source: tmp_path / "out" / f"{number}.zarr" for number, source in enumerate(sources)}


def files(folder: Path) -> dict[str, bytes]:
    """All files of a folder, hidden ones too."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def times(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in sorted(folder.rglob("*"))}


def every_kind() -> dict[str, voxmask.Array]:
    labels = numbers()
    truth = truth_of(labels)
    part = ((10, 3, 5), (24, 12, 20))
    return {
        "labels": labels,
        "mask": truth.mask,
        "target": truth.target,
        "part of the labels": labels.crop(part),
        "part of the mask": truth.mask.crop(part),
        "channels": voxmask.from_numpy(np.arange(48).reshape(2, 4, 6), axes=["c", "y", "x"]),
    }


@pytest.mark.parametrize("kind", every_kind())
@pytest.mark.parametrize("block_voxels", [1, 1 << 21])
def test_it_has_the_voxels_of_the_array(kind: str, block_voxels: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voxmask.dask._BLOCK_VOXELS", block_voxels)
    array = every_kind()[kind]
    lazy = array.to_dask()
    assert (lazy.shape, lazy.dtype) == (array.shape, array.dtype)
    np.testing.assert_array_equal(lazy.compute(scheduler="sync"), array[array.roi])
    np.testing.assert_array_equal(lazy.compute(scheduler="threads"), array[array.roi])


def test_a_part_of_it_and_what_is_computed_of_it_are_right() -> None:
    mask = truth_of(numbers()).mask
    whole, lazy = mask[mask.roi], mask.to_dask(chunks=(8, 8, 8))
    np.testing.assert_array_equal(lazy[1, 3:17:2, ::-1, 5], whole[1, 3:17:2, ::-1, 5])
    np.testing.assert_array_equal(lazy[:, :, [4, 1, 1]], whole[:, :, [4, 1, 1]])
    assert lazy.sum(axis=(1, 2, 3)).compute().tolist() == whole.sum(axis=(1, 2, 3)).tolist()


def test_blocks_are_those_of_the_source_cut_at_the_begin_of_a_crop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voxmask.dask._BLOCK_VOXELS", 1)
    labels = numbers((8, 5, 7))
    assert labels.to_dask().chunks == ((8, 8, 8), (5, 5, 5, 5), (7, 7, 7, 7))
    part = labels.crop(((10, 3, 5), (24, 12, 20)))
    assert part.to_dask().chunks == ((5, 7), (2, 5, 5), (2, 7, 7, 4))
    assert truth_of(part).mask.to_dask().chunks == ((3,), (5, 7), (2, 5, 5), (2, 7, 7, 4))


def test_small_blocks_are_joined() -> None:
    assert numbers().to_dask().npartitions == 1
    big = voxmask.from_numpy(np.broadcast_to(np.uint8(0), (256, 256, 256)), chunk_shape=(64, 64, 64))
    blocks = big.to_dask().chunksize
    assert all(extent % 64 == 0 for extent in blocks)
    assert 1 << 20 <= np.prod(blocks) <= 1 << 21


def test_chunks_can_be_given() -> None:
    labels = numbers()
    lazy = labels.to_dask(chunks=(10, 20, 9))
    assert lazy.chunks == ((10, 10, 4), (20,), (9, 9, 9, 1))
    np.testing.assert_array_equal(lazy.compute(scheduler="sync"), labels[labels.roi])


def test_arrays_in_other_chunks_do_not_take_the_place_of_each_other() -> None:
    labels = numbers()
    coarse, fine = labels.to_dask(chunks=(24, 20, 28)), labels.to_dask(chunks=(4, 5, 7))
    assert coarse.name != fine.name
    np.testing.assert_array_equal((coarse + fine).compute(scheduler="sync"), 2 * labels[labels.roi])


def test_the_same_array_has_the_same_name() -> None:
    assert numbers().to_dask().name == numbers().to_dask().name
    truth = truth_of(numbers())
    assert truth.mask.to_dask().name == truth.mask.to_dask().name != truth.target.to_dask().name


@pytest.mark.parametrize(
    ("chunks", "complaint"),
    [
        ((8, 8), r"\[8, 8\] have 2 axes, but the array has 3"),
        ((8, 0, 8), "are not positive"),
        ((8, -1, 8), "are not positive"),
        ((8, 2.5, 8), "not a number of voxels for each spatial axis"),
        (8, "not a number of voxels for each spatial axis"),
        ("auto", "not a number of voxels for each spatial axis"),
    ],
)
def test_chunks_that_cannot_be_meant_are_value_errors(chunks: Any, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        numbers().to_dask(chunks=chunks)


def test_an_array_without_voxels_is_one_of_dask() -> None:
    lazy = voxmask.from_numpy(np.zeros((0, 4, 4), np.uint8)).to_dask()
    assert lazy.compute().shape == (0, 4, 4)


@pytest.mark.parametrize("chunks", [None, (8, 5, 7), (7, 9, 11), SHAPE])
def test_each_voxel_of_the_labels_is_read_once(chunks: Any) -> None:
    source = Counting()
    truth = truth_of(source)
    lazy = truth.mask.to_dask(chunks=chunks)
    assert source.reads.sum() == 0
    result = lazy.compute(scheduler="sync")
    assert (source.reads == 1).all()
    assert (result[2] == (source.voxels > 0)).all()


def test_channels_that_are_wanted_one_by_one_share_a_read() -> None:
    source = Counting()
    lazy = truth_of(source).target.to_dask(chunks=(8, 20, 28))
    dask.compute(lazy[0], lazy[1, 3:9], lazy.sum(), scheduler="sync")
    assert (source.reads == 1).all()


def test_there_is_one_task_for_each_block() -> None:
    lazy = truth_of(numbers()).mask.to_dask(chunks=(8, 5, 7))
    graph = dict(lazy.__dask_graph__())
    blocks = [key for key in graph if isinstance(key, tuple)]
    assert len(blocks) == lazy.npartitions == 3 * 4 * 4
    assert len(graph) == len(blocks) + 1


def test_the_graph_does_not_grow_with_the_volume(tmp_path: Path) -> None:
    def size(extent: int) -> int:
        path = tmp_path / f"labels{extent:04}.zarr"
        zarr.create_array(
            store=str(path), shape=(extent,) * 3, chunks=(8, 8, 8), dtype="u2", attributes={"voxel_size": [1, 1, 1]}
        )
        return len(distributed.protocol.pickle.dumps(truth_of(path).mask.to_dask(chunks=(8, 8, 8)).dask))

    # 2 million blocks, and 64: only the list of extents along each axis grows.
    assert size(1024) < size(32) + 3 * 128 * 8


def test_it_runs_in_the_processes_of_a_cluster(client: distributed.Client, volume: Any) -> None:
    truth = voxmask.MaskAndTarget(volume.path, volume.groupings)
    mask, target = truth.mask.to_dask(chunks=(5, 8, 7)), truth.target.to_dask(chunks=(5, 8, 7))
    processes = set(client.run(os.getpid).values())
    assert len(processes) == 2 and os.getpid() not in processes
    found = client.compute([mask, target, mask.sum()])
    np.testing.assert_array_equal(found[0].result(), volume.mask())
    np.testing.assert_array_equal(found[1].result(), volume.target())
    assert found[2].result() == volume.mask().sum()


def test_arrays_in_memory_and_parts_go_to_the_processes_as_well(client: distributed.Client) -> None:
    for array in every_kind().values():
        np.testing.assert_array_equal(client.compute(array.to_dask()).result(), array[array.roi])


def direct(source: Path, output: Path, **options: Any) -> list[voxmask.ChannelCount]:
    """The same without Dask."""
    if (source / "cell").exists():
        return voxmask.MaskAndTarget(voxmask.open_crop(source), CLASSES).write(output, **options)
    return voxmask.MaskAndTarget(source, GROUPINGS).write(output, **options)


def test_masks_of_many_crops_are_those_that_are_written_directly(
    client: distributed.Client, crops: dict[Path, Path], tmp_path: Path
) -> None:
    options = dict(levels=2, chunk_shape=(4, 8, 8))
    group, *volumes = crops
    counts = [
        *client.gather(client.compute(write_masks({group: crops[group]}, CLASSES, **options))),
        *client.gather(client.compute(write_masks([(one, crops[one]) for one in volumes], GROUPINGS, **options))),
    ]
    (tmp_path / "direct").mkdir()
    for (source, output), count in zip(crops.items(), counts, strict=True):
        expected = tmp_path / "direct" / output.name
        assert count == direct(source, expected, **options)
        assert any("s1" in name for name in files(expected))
        assert files(output) == files(expected)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["0.zarr", "1.zarr", "2.zarr"]


def test_a_computation_that_runs_again_leaves_what_is_complete(
    client: distributed.Client, crops: dict[Path, Path], tmp_path: Path
) -> None:
    _, *volumes = crops
    pairs = [(source, crops[source]) for source in volumes]
    first = client.gather(client.compute(write_masks(pairs, GROUPINGS)))
    before = times(tmp_path / "out")
    assert client.gather(client.compute(write_masks(pairs, GROUPINGS))) == first
    assert dask.compute(*write_masks(pairs, GROUPINGS), scheduler="sync") == tuple(first)
    assert times(tmp_path / "out") == before


def test_an_output_that_is_there_can_be_refused(crops: dict[Path, Path]) -> None:
    source = list(crops)[1]
    pairs = {source: crops[source]}
    dask.compute(*write_masks(pairs, GROUPINGS), scheduler="sync")
    with pytest.raises(FileExistsError):
        dask.compute(*write_masks(pairs, GROUPINGS, existing="refuse"), scheduler="sync")


def test_two_crops_with_one_output_are_a_value_error(crops: dict[Path, Path], tmp_path: Path) -> None:
    sources = list(crops)
    with pytest.raises(ValueError, match="same output"):
        write_masks([(sources[1], tmp_path / "out.zarr"), (sources[2], f"{tmp_path}/out.zarr/")], GROUPINGS)


@pytest.mark.filterwarnings("ignore::voxmask.MetadataWarning")
def test_rule_and_options_of_opening_reach_the_tasks(crops: dict[Path, Path], volume: Any, tmp_path: Path) -> None:
    (counts,) = dask.compute(
        *write_masks(
            {volume.path: tmp_path / "generic.zarr"},
            volume.groupings,
            rule="generic",
            generic_ids=[37],
            open_options={"voxel_size": (5, 5, 5), "unit": "nm"},
            targets=False,
        ),
        scheduler="sync",
    )
    assert [count.kept for count in counts] == [True, False, True, True, True]
    assert not (tmp_path / "generic.zarr" / "target").exists()
    assert voxmask.open_array(tmp_path / "generic.zarr" / "mask").voxel_size == (5, 5, 5)


@pytest.mark.filterwarnings("ignore::voxmask.MetadataWarning")
def test_what_fails_in_a_worker_is_raised_here(client: distributed.Client, tmp_path: Path) -> None:
    tasks = write_masks({tmp_path / "nothing.zarr": tmp_path / "out.zarr"}, GROUPINGS)
    with pytest.raises(voxmask.errors.NotFoundError, match=r"nothing\.zarr"):
        client.compute(tasks[0]).result()
    assert not (tmp_path / "out.zarr").exists()


def test_errors_can_be_pickled() -> None:
    error = pickle.loads(pickle.dumps(voxmask.errors.ChunkCorruptError("chunk 1 is broken")))
    assert isinstance(error, voxmask.errors.ChunkCorruptError) and str(error) == "chunk 1 is broken"


def test_a_worker_that_is_killed_midway_loses_nothing(tmp_path: Path, write_array: Callable[..., Path]) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "direct").mkdir()
    options = dict(codec="gzip:9", chunk_shape=(16, 16, 16))
    pairs = []
    for number in range(4):
        voxels = np.random.default_rng(number).integers(0, 20, (96, 96, 96)).astype(np.uint8)
        source = write_array(tmp_path / f"labels{number}.zarr", voxels, chunks=(32, 32, 32))
        pairs.append((source, tmp_path / "out" / f"{number}.zarr"))
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0", silence_logs="CRITICAL"
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        process_of = client.run(os.getpid)
        futures = client.compute(write_masks(pairs, GROUPINGS, **options))
        killed = None
        deadline = time.monotonic() + 60
        while killed is None and time.monotonic() < deadline:
            begun = list((tmp_path / "out").glob(".*.partial/run-*/output/mask/s0/c/*"))
            busy = [address for address, tasks in client.processing().items() if tasks]
            if begun and busy:
                killed = process_of[busy[0]]
                os.kill(killed, signal.SIGKILL)
            time.sleep(0.005)
        assert killed is not None, "no task was seen at work"
        assert not all(future.done() for future in futures)
        counts = client.gather(futures)
        assert killed not in client.run(os.getpid).values()
    for (source, output), count in zip(pairs, counts, strict=True):
        expected = tmp_path / "direct" / output.name
        assert count == direct(source, expected, **options)
        assert files(output) == files(expected)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [output.name for _, output in pairs]


def test_groups_that_can_be_used_once_are_those_of_all_crops(tmp_path: Path) -> None:
    voxels = np.random.default_rng(0).integers(0, 5, (8, 8, 8)).astype(np.uint8)
    crops = {}
    for name in "abc":
        zarr.create_array(
            store=str(tmp_path / f"{name}.zarr"), data=voxels, chunks=(4, 4, 4),
            attributes={"voxel_size": [1, 1, 1], "labels": []},
        )  # fmt: skip
        crops[str(tmp_path / f"{name}.zarr")] = str(tmp_path / f"{name}-masks.zarr")
    groups = (pair for pair in [("x", [1]), ("y", iter([2, 3]))])
    tasks = voxmask.dask.write_masks(crops, groups)
    results = dask.compute(*tasks, scheduler="synchronous")
    expected = [int((voxels == 1).sum()), int(np.isin(voxels, [2, 3]).sum())]
    assert [[channel.positive for channel in counts] for counts in results] == [expected] * 3
