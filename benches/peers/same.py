"""Checks that several servers answer alike: the same status, and chunks of the same voxels.

same.py KEYS URL...
"""

import random
import sys
import urllib.error
import urllib.request
from pathlib import Path

from numcodecs.zstd import Zstd

COUNT = 200


def answer(url: str) -> tuple[int, bytes]:
    """The status, and the voxels."""
    try:
        with urllib.request.urlopen(url, timeout=60) as response:
            return response.status, Zstd().decode(response.read())
    except urllib.error.HTTPError as error:
        return error.code, b""


def main() -> None:
    keys_path, *urls = sys.argv[1:]
    keys = Path(keys_path).read_text().split()
    for key in random.Random(0).sample(keys, min(COUNT, len(keys))):
        first, *others = (answer(url.rstrip("/") + key) for url in urls)
        for url, other in zip(urls[1:], others, strict=True):
            if other != first:
                told = [(status, len(voxels)) for status, voxels in (first, other)]
                sys.exit(f"{key}: {urls[0]} and {url} do not answer alike: {told}")


if __name__ == "__main__":
    main()
