"""What the tests share: the sample crop, its masks, a browser, and servers."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from crop import Crop
from programs import Served, client, files, serve, voxmask
from viewer import Viewer


@pytest.fixture(scope="session")
def crop(tmp_path_factory: pytest.TempPathFactory) -> Crop:
    """The sample, with masks and targets of all channels as Zarr v3 and v2."""
    folder = tmp_path_factory.mktemp("sample") / "demo"
    voxmask("demo", folder)
    crop = Crop(folder)
    voxmask(
        "mask", crop.labels_path, "--groups", crop.groups_path, "--targets",
        "--zarr-format", "2", "-o", folder / "masks-v2.zarr",
    )  # fmt: skip
    return crop


@pytest.fixture(scope="session")
def site(crop: Crop) -> Iterator[Served]:
    """The sample, served with the image below it and with the client of Neuroglancer."""
    with serve(
        crop.labels_path, "--groups", crop.groups_path, "--raw", crop.raw_path, "--client", client()
    ) as site:
        yield site


@pytest.fixture(scope="session")
def files_url(crop: Crop) -> Iterator[str]:
    """The files of the sample behind an ordinary web server, with the client of Neuroglancer at `/v/1/`."""
    with files(crop.folder, client()) as url:
        yield url


@pytest.fixture(scope="session")
def viewer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Viewer]:
    """A browser."""
    chromium, driver = os.environ.get("VOXMASK_CHROMIUM"), os.environ.get("VOXMASK_CHROMEDRIVER")
    if not chromium or not driver:
        pytest.fail("VOXMASK_CHROMIUM and VOXMASK_CHROMEDRIVER name no browser")
    viewer = Viewer(chromium, driver, tmp_path_factory.mktemp("browser"))
    yield viewer
    viewer.close()


@pytest.fixture(scope="session")
def pictures() -> Path:
    """Where screenshots go."""
    folder = Path(os.environ.get("VOXMASK_PICTURES", "target/e2e"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder
