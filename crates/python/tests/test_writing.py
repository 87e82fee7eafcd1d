"""Writing masks and targets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import zarr
from conftest import GROUPINGS, KEPT, LABELS, SHAPE, Duck, StoredCrop, Volume, some_labels

import voxmask
from voxmask import errors

# A warning that no test expects is a bug.
pytestmark = pytest.mark.filterwarnings("error::voxmask.MetadataWarning")


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_masks_and_targets_are_written(stored: Volume, tmp_path: Path, zarr_format: int) -> None:
    truth = voxmask.MaskAndTarget(stored.path, stored.groupings)
    output = tmp_path / "masks.zarr"
    counts = truth.write(output, zarr_format=zarr_format)
    for name, expected in (("mask", stored.mask()), ("target", stored.target())):
        array = zarr.open_array(str(output / name / "s0"), mode="r")
        assert array.metadata.zarr_format == zarr_format
        assert array.dtype == np.uint8
        assert np.array_equal(array[...], expected)
        again = voxmask.open_array(output / name)
        assert again.roi == truth.mask.roi
        assert again.channels == truth.mask.channels
    assert [count.name for count in counts] == [name for name, _ in GROUPINGS]
    assert [count.kept for count in counts] == [bool(kept) for kept in KEPT["strict"]]
    assert {count.voxels for count in counts} == {int(np.prod(SHAPE))}
    assert [count.known for count in counts] == stored.mask().sum(axis=(1, 2, 3)).tolist()
    assert [count.positive for count in counts] == stored.target().sum(axis=(1, 2, 3)).tolist()


def test_writing_has_options(stored: Volume, tmp_path: Path) -> None:
    truth = voxmask.MaskAndTarget(stored.path, stored.groupings)
    for number, options in enumerate(
        [
            dict(targets=False),
            dict(chunk_shape=(4, 4, 4), shard_shape=(8, 8, 8)),
            dict(chunk_shape=[6]),
            dict(codec="none"),
            dict(codec="gzip:1", zarr_format=2),
            dict(codec="blosc-lz4"),
            dict(levels=2, mask_levels="any", target_levels="mean"),
        ]
    ):
        output = tmp_path / f"{number}.zarr"
        truth.write(output, **options)  # type: ignore[arg-type]
        mask = zarr.open_array(str(output / "mask" / "s0"), mode="r")
        assert np.array_equal(mask[...], stored.mask())
        assert (output / "target").exists() == options.get("targets", True)
        if "shard_shape" in options:
            assert mask.chunks[1:] == (4, 4, 4)
            assert mask.shards is not None
            assert mask.shards[1:] == (8, 8, 8)
        if "levels" in options:
            coarse = zarr.open_array(str(output / "mask" / "s1"), mode="r")[...]
            blocks = stored.mask()[..., :16].reshape(5, 6, 2, 10, 2, 8, 2)
            assert np.array_equal(coarse, blocks.max(axis=(2, 4, 6)))


@pytest.mark.parametrize(
    "options",
    [
        dict(codec="zip"),
        dict(zarr_format=4),
        dict(levels=0),
        dict(mask_levels="most"),
        dict(target_levels="all"),
        dict(existing="append"),
        dict(chunk_shape=(0, 1, 1)),
        dict(chunk_shape=(4, 4)),
        dict(chunk_shape=(4, 4, 4), shard_shape=(6, 8, 8)),
        dict(shard_shape=(8, 8, 8), zarr_format=2),
    ],
    ids=str,
)
def test_options_that_cannot_be_written_are_refused(volume: Volume, tmp_path: Path, options: dict[str, Any]) -> None:
    truth = voxmask.MaskAndTarget(volume.path, volume.groupings)
    with pytest.raises(ValueError):
        truth.write(tmp_path / "masks.zarr", **options)
    assert not (tmp_path / "masks.zarr").exists()


def test_an_output_that_is_there_is_kept_unless_it_may_be_replaced(volume: Volume, tmp_path: Path) -> None:
    output = tmp_path / "masks.zarr"
    truth = voxmask.MaskAndTarget(volume.path, volume.groupings)
    first = truth.write(output)
    for existing in ("refuse", None):
        with pytest.raises(errors.OutputExistsError, match=r"masks\.zarr") as caught:
            truth.write(output, **({} if existing is None else {"existing": existing}))  # type: ignore[arg-type]
        assert isinstance(caught.value, FileExistsError)
    # A complete one stays as it is.
    stamp = (output / "zarr.json").stat().st_mtime_ns
    for existing in ("resume", "continue"):
        assert truth.write(output, existing=existing) == first
        assert (output / "zarr.json").stat().st_mtime_ns == stamp
    other = voxmask.MaskAndTarget(volume.path, [("er", [16])])
    with pytest.raises(errors.OutputExistsError):
        other.write(output, existing="resume")
    other.write(output, existing="overwrite")
    assert zarr.open_array(str(output / "mask" / "s0"), mode="r").shape == (1, *SHAPE)


def test_there_must_be_something_to_resume(volume: Volume, tmp_path: Path) -> None:
    truth = voxmask.MaskAndTarget(volume.path, volume.groupings)
    with pytest.raises(errors.OutputExistsError):
        truth.write(tmp_path / "a.zarr", existing="resume")
    assert len(truth.write(tmp_path / "a.zarr", existing="continue")) == 5


class Breaking(Duck):
    """An array whose source fails after some reads."""

    left = 10**9

    def __getitem__(self, roi: Any) -> npt.NDArray[Any]:
        self.left -= 1
        if self.left < 0:
            raise ConnectionError("gone")
        return super().__getitem__(roi)


def test_a_run_that_failed_is_resumed(tmp_path: Path) -> None:
    volume = Volume(some_labels((32, 20, 17)))
    duck = Breaking(volume.voxels, volume.voxel_size, volume.offset)
    duck.attrs = {"labels": LABELS}  # type: ignore[attr-defined]
    duck.chunk_shape = (4, 20, 17)  # type: ignore[attr-defined]
    truth = voxmask.MaskAndTarget(duck, volume.groupings)
    output, options = tmp_path / "masks.zarr", dict(chunk_shape=(4, 20, 17))
    duck.left = 4
    with pytest.raises(errors.SourceError):
        truth.write(output, **options)  # type: ignore[arg-type]
    assert not output.exists()
    with pytest.raises(errors.OutputExistsError):
        truth.write(output, **options)  # type: ignore[arg-type]
    duck.left, duck.asked = 10**9, []
    truth.write(output, existing="resume", **options)  # type: ignore[arg-type]
    assert np.array_equal(zarr.open_array(str(output / "mask" / "s0"), mode="r")[...], volume.mask())
    assert np.array_equal(zarr.open_array(str(output / "target" / "s0"), mode="r")[...], volume.target())


def test_an_output_in_a_folder_that_is_missing_is_an_os_error(volume: Volume, tmp_path: Path) -> None:
    truth = voxmask.MaskAndTarget(volume.path, volume.groupings)
    with pytest.raises(OSError):
        truth.write(tmp_path / "a" / "b" / "masks.zarr")
    assert not (tmp_path / "a").exists()


def test_a_crop_is_written(stored_crop: StoredCrop, tmp_path: Path) -> None:
    truth = voxmask.MaskAndTarget(voxmask.open_crop(stored_crop.path))
    truth.write(tmp_path / "masks.zarr")
    mask = zarr.open_array(str(tmp_path / "masks.zarr" / "mask" / "s0"), mode="r")[...]
    for channel, name in enumerate(truth.mask.channels or []):
        assert np.array_equal(mask[channel], stored_crop.known(name))
