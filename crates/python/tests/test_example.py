"""The example does what it says, with PyTorch and without it."""

from __future__ import annotations

import runpy
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest

EXAMPLE = Path(__file__).parent.parent / "examples" / "train_on_a_crop.py"


def pixels(path: Path) -> np.ndarray:
    """The pixels of a picture without filters."""
    content = path.read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    at, parts = 8, {}
    while at < len(content):
        (size,) = struct.unpack(">I", content[at : at + 4])
        kind, part = content[at + 4 : at + 8], content[at + 8 : at + 8 + size]
        assert struct.unpack(">I", content[at + 8 + size : at + 12 + size]) == (zlib.crc32(kind + part),)
        parts[kind] = part
        at += 12 + size
    width, height = struct.unpack(">II", parts[b"IHDR"][:8])
    lines = np.frombuffer(zlib.decompress(parts[b"IDAT"]), np.uint8).reshape(height, 1 + 3 * width)
    assert not lines[:, 0].any()
    return lines[:, 1:].reshape(height, width, 3)


@pytest.mark.parametrize("with_torch", [True, False], ids=["torch", "numpy"])
def test_the_example_trains_and_draws_a_picture(
    with_torch: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    if not with_torch:
        monkeypatch.setitem(sys.modules, "torch", None)
    left = runpy.run_path(str(EXAMPLE))
    assert ("model" in left) is with_torch
    assert 0 < left["loss_after"] < left["loss_before"] < 1
    printed = capsys.readouterr().out
    assert "er       masked: 16 is present but was not annotated" in printed
    assert f"loss {left['loss_before']:.4f} before, {left['loss_after']:.4f} after" in printed
    picture = pixels(tmp_path / "train_on_a_crop.png")
    assert picture.shape == (2 * 200, 4 * 200, 3)
    for channel in range(3):
        for row, part in enumerate((left["mask"], left["target"])):
            tile = picture[200 * row + 4 : 200 * row + 196, 200 * (channel + 1) + 4 : 200 * (channel + 1) + 196]
            np.testing.assert_array_equal(tile[1::3, 1::3, 0], 255 * part[channel])
    assert left["mask"][0].any() and not left["mask"][2].any()
