"""The programs that the tests talk to: `voxmask`, its server, and a server of files."""

import json
import os
import queue
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any

BINARY = os.environ.get("VOXMASK_BINARY", "voxmask")

TYPES = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
    ".wasm": "application/wasm",
}


def client() -> Path:
    """The built client of Neuroglancer, as its Python package has it."""
    package = find_spec("neuroglancer")
    assert package is not None and package.origin is not None
    return Path(package.origin).parent / "static/client"


def voxmask(*arguments: str | Path) -> str:
    """Runs a command to its end, and returns what it printed."""
    done = subprocess.run([BINARY, *map(str, arguments)], check=False, capture_output=True, text=True)
    assert done.returncode == 0, f"{arguments}: {done.stderr}"
    return done.stdout


@dataclass(frozen=True)
class Served:
    """A site that `voxmask serve` has up."""

    url: str
    neuroglancer_url: str
    layers: list[dict[str, Any]]
    pid: int


@contextmanager
def serve(*arguments: str | Path) -> Iterator[Served]:
    """Runs `voxmask serve` as long as the block lasts."""
    command = [BINARY, "serve", "--port", "0", "--json", *map(str, arguments)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        line = _first_line(process, seconds=60)
        site = json.loads(line)
        yield Served(site["url"], site["neuroglancer_url"], site["layers"], process.pid)
        assert process.poll() is None, f"the server ended by itself: {process.returncode}"
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise


def _first_line(process: subprocess.Popen[str], seconds: float) -> str:
    lines: queue.Queue[str] = queue.Queue()
    printed = process.stdout
    assert printed is not None
    threading.Thread(target=lambda: lines.put(printed.readline()), daemon=True).start()
    try:
        line = lines.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError(f"{process.args!r} printed nothing in {seconds} s") from None
    assert line, f"{process.args!r} ended without a line ({process.wait()})"
    return line


@contextmanager
def files(folder: Path, pages: Path | None = None) -> Iterator[str]:
    """A server of a folder, as any web server would serve it; its `pages` are at `/v/1/`."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(folder.resolve(), pages))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def _handler(folder: Path, pages: Path | None) -> type[BaseHTTPRequestHandler]:
    class Files(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = self.path.partition("?")[0].lstrip("/")
            if path.startswith("events/"):
                # The page listens for changes, and complains when it cannot.
                self._answer(HTTPStatus.OK, "text/event-stream", None)
                self.close_connection = True
                # Until the page goes away.
                self.rfile.read(1)
                return
            root = folder
            if pages is not None and path.startswith("v/1/"):
                root, path = pages, path.removeprefix("v/1/") or "index.html"
            file = (root / path).resolve()
            if not file.is_relative_to(root) or not file.is_file():
                self._answer(HTTPStatus.NOT_FOUND, "text/plain", b"")
                return
            self._answer(HTTPStatus.OK, TYPES.get(file.suffix, "application/octet-stream"), file.read_bytes())

        def _answer(self, status: HTTPStatus, kind: str, body: bytes | None) -> None:
            self.send_response(status)
            self.send_header("Access-Control-Allow-Origin", "*")
            self.send_header("Content-Type", kind)
            if body is not None:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if body:
                self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Files
