"""Neuroglancer in a headless Chromium: what it loads, what it complains of, and what it draws where."""

import io
import json
import time
import urllib.parse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.service import Service

State = dict[str, Any]

# WebGL comes from SwiftShader, so that no graphics card is needed; nothing but the page goes to a network.
FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-sync",
    "--enable-unsafe-swiftshader",
    "--force-device-scale-factor=1",
    "--hide-scrollbars",
    "--use-angle=swiftshader",
    "--use-gl=angle",
    "--window-size=1100,800",
]

# Buttons and names of axes lie over the edges of a panel: pixels so near to them tell nothing.
MARGIN = 90

# What a panel shows along its width and along its height, and whether it grows to the right and downwards.
PANEL_AXES = {
    "xy": (("x", 1), ("y", 1)),
    "xz": (("x", 1), ("z", 1)),
    "yz": (("z", -1), ("y", 1)),
}

LAYERS = """
return viewer.layerManager.managedLayers.map(managed => ({
  name: managed.name,
  visible: managed.visible,
  sources: (managed.layer?.dataSources ?? []).map(source => {
    const state = source.loadState;
    if (state === undefined) return 'still loading';
    if (state.error !== undefined) return String(state.error.message ?? state.error);
    return 'loaded';
  }),
  messages: (managed.layer?.messages ? [...managed.layer.messages] : []).map(m => m.message),
}));
"""

PANEL = """
const panels = [...viewer.display.panels].filter(panel => panel.sliceView !== undefined);
if (panels.length !== 1) return null;
const element = panels[0].element, box = element.getBoundingClientRect();
return [box.left + element.clientLeft, box.top + element.clientTop, element.clientWidth,
  element.clientHeight];
"""


@dataclass(frozen=True)
class Picture:
    """What one panel shows: colours by row and column, and the place in the world of each of them."""

    colours: np.ndarray  # [height, width, 3], uint8, from the middle of the panel
    # In nm: those of the rows, those of the columns, and that of the slice.
    places: dict[str, np.ndarray]

    @property
    def axes(self) -> tuple[str, str]:
        """The axes along which rows and columns follow each other."""
        rows, columns, _ = self.places
        return rows, columns

    def at(self, place: dict[str, float]) -> tuple[int, ...]:
        """The colour of the pixel that is nearest to a place in the world, in nm."""
        row, column = (int(np.abs(self.places[axis] - place[axis]).argmin()) for axis in self.axes)
        step = abs(self.places[self.axes[0]][1] - self.places[self.axes[0]][0])
        for axis, index in zip(self.axes, (row, column), strict=True):
            if abs(self.places[axis][index] - place[axis]) > step:
                raise IndexError(f"{place} is not in the picture")
        return tuple(int(value) for value in self.colours[row, column])


class Viewer:
    """A browser that shows one page of Neuroglancer after another."""

    def __init__(self, chromium: str, driver: str, profile: Path) -> None:
        options = webdriver.ChromeOptions()
        options.binary_location = chromium
        for flag in [*FLAGS, f"--user-data-dir={profile}"]:
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self._browser = webdriver.Chrome(options=options, service=Service(driver))
        self._browser.set_script_timeout(30)
        self.state: State = {}
        self._url = ""

    def close(self) -> None:
        self._browser.quit()

    def open(self, url: str) -> None:
        """Opens a link, and waits until all that is visible is drawn."""
        self.state, self._url = state_of(url), url
        self._browser.get("about:blank")
        self.complaints()
        self._browser.get(url)
        self.wait()

    def keep_open(self, url: str) -> None:
        """Opens a link unless its page is open, where other layers may have been shown since."""
        if url != self._url:
            self.open(url)

    def show(self, state: State) -> None:
        """Shows another state in the page that is open."""
        self._browser.execute_script("viewer.state.reset(); viewer.state.restoreState(arguments[0]);", state)
        self.wait()

    def wait(self, seconds: float = 60) -> None:
        """Waits until every layer is loaded, or cannot be, and all that is visible is drawn."""
        end = time.monotonic() + seconds
        last: Any = None
        while time.monotonic() < end:
            time.sleep(0.1)
            try:
                last = self.layers()
                pending = any("still loading" in layer["sources"] for layer in last)
                failed = any(source != "loaded" for layer in last for source in layer["sources"])
                if (
                    last
                    and not pending
                    and (failed or self._browser.execute_script("return viewer.isReady();"))
                ):
                    # One more turn, so that what arrived last is drawn.
                    self._browser.execute_async_script(
                        "viewer.display.draw(); requestAnimationFrame(() => "
                        "requestAnimationFrame(arguments[0]));"
                    )
                    return
            except WebDriverException as error:
                last = error.msg
        raise TimeoutError(f"not drawn after {seconds} s: {last}; {self.complaints()}")

    def layers(self) -> list[dict[str, Any]]:
        """Name, visibility, how far each source is loaded, and messages, of each layer."""
        layers: list[dict[str, Any]] = self._browser.execute_script(LAYERS)
        return layers

    def complaints(self) -> list[str]:
        """Errors that the browser has logged since the last call.

        A file that is not there is none: a chunk that holds only the fill value is not there.
        """
        logged: list[dict[str, Any]] = self._browser.execute("getLog", {"type": "browser"})["value"]
        messages = [entry["message"] for entry in logged if entry["level"] == "SEVERE"]
        return [message for message in messages if "status of 404" not in message]

    def ask(self, script: str) -> Any:
        """What a script returns that may use `viewer`."""
        return self._browser.execute_script(script)

    def screenshot(self, path: Path | None = None) -> np.ndarray:
        """The whole page: `[height, width, 3]`, written as PNG if there is a path."""
        image = Image.open(io.BytesIO(self._browser.get_screenshot_as_png())).convert("RGB")
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            image.save(path, optimize=True)
        return np.asarray(image)

    def look(
        self,
        layers: Iterable[str],
        at: dict[str, float],
        layout: str = "xy",
        pixels: float = 32,
        path: Path | None = None,
    ) -> Picture:
        """Draws some layers alone, with so many `pixels` for the smallest voxel, at a place in nm."""
        shown = set(layers)
        unknown = shown - {layer["name"] for layer in self.state["layers"]}
        if unknown:
            raise KeyError(f"there is no layer {sorted(unknown)}")
        # Lines and frames over the voxels would be taken for voxels.
        plain = {"showAxisLines": False, "showScaleBar": False, "showDefaultAnnotations": False}
        state = {**self.state, **plain, "layout": layout, "crossSectionScale": 1 / pixels}
        state["crossSectionBackgroundColor"] = "#000000"
        state["selectedLayer"] = {"visible": False}
        state["position"] = position(state, at)
        state["layers"] = [{**layer, "visible": layer["name"] in shown} for layer in state["layers"]]
        self.show(state)
        box = self.ask(PANEL)
        assert box is not None, f"layout {layout} has not one panel"
        left, top, width, height = (round(value) for value in box)
        colours = self.screenshot(path)[top : top + height, left : left + width]
        middle = slice(MARGIN, -MARGIN)
        step = min(nanometers(state).values()) / pixels
        places = {}
        for (axis, sign), size in reversed(list(zip(PANEL_AXES[layout], (width, height), strict=True))):
            places[axis] = (at[axis] + sign * step * (np.arange(size) + 0.5 - size / 2))[middle]
        (third,) = set("xyz") - set(places)
        places[third] = np.array([at[third]])
        return Picture(colours[middle, middle], places)


def state_of(url: str) -> State:
    """The state that a link holds."""
    state: State = json.loads(urllib.parse.unquote(url.partition("#!")[2]))
    return state


def link(page: str, state: State) -> str:
    """The link to a state."""
    return page + "#!" + urllib.parse.quote(json.dumps(state))


def nanometers(state: State) -> dict[str, float]:
    """How many nanometers the steps of the positions of a state are."""
    dimensions = state["dimensions"]
    assert all(unit == "m" for _, unit in dimensions.values()), dimensions
    return {axis: metres * 1e9 for axis, (metres, _) in dimensions.items()}


def position(state: State, at: dict[str, float]) -> Sequence[float]:
    """A place in nanometers as the position of a state."""
    return [at[axis] / step for axis, step in nanometers(state).items()]
