"""Serves the chunks of masks and targets, each computed when it is asked for, with TensorStore and NumPy.

serve.py LABELS MEGABYTES

Prints its URL in a line. `/zarr3/mask/s0/c/C/Z/Y/X` and `/zarr3/target/...` are chunks of 64^3 voxels of
one channel, compressed as `voxmask serve` does, with zstd. Decoded labels are cached in so many megabytes. A
chunk of zeros is answered with 404.
"""

import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import tensorstore as ts
from numcodecs.zstd import Zstd

from work import GROUPS, KEPT, SLAB

PATH = re.compile(r"/zarr3/(mask|target)/s0/c/(\d+)/(\d+)/(\d+)/(\d+)")


class Chunks:
    """The chunks of masks and targets of one label volume."""

    def __init__(self, path: str, megabytes: int) -> None:
        context = ts.Context({"cache_pool": {"total_bytes_limit": megabytes << 20}})
        spec = {"driver": "zarr3", "kvstore": {"driver": "file", "path": path}}
        self._labels = ts.open(spec, context=context, read=True, open=True).result()
        self._tables = np.zeros((len(GROUPS), 256), np.uint8)
        for table, ids in zip(self._tables, GROUPS, strict=True):
            table[ids] = 1

    def encoded(self, layer: str, channel: int, place: list[int]) -> bytes | None:
        """The bytes of a chunk; None if there is none, or if it holds nothing but zeros."""
        if channel >= len(GROUPS) or (layer == "mask" and not KEPT[channel]):
            return None
        begin = [index * SLAB for index in place]
        if any(b >= size for b, size in zip(begin, self._labels.shape, strict=True)):
            return None
        window = tuple(slice(b, b + SLAB) for b in begin)
        labels = self._labels[window].read().result()
        if layer == "mask":
            voxels = (labels > 0).view(np.uint8)
        else:
            voxels = self._tables[channel][labels]
        return Zstd(level=1).encode(voxels) if voxels.any() else None


def handler(chunks: Chunks) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Headers and body in one packet.
        wbufsize = 1 << 16

        def do_GET(self) -> None:
            match = PATH.fullmatch(self.path)
            body = None
            if match is not None:
                layer, channel, *place = match.groups()
                body = chunks.encoded(layer, int(channel), [int(index) for index in place])
            self.send_response(404 if body is None else 200)
            self.send_header("Access-Control-Allow-Origin", "*")
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024

    def handle_error(self, request: object, client_address: object) -> None:
        # Whoever asks may go away.
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def main() -> None:
    path, megabytes = sys.argv[1:]
    server = Server(("127.0.0.1", 0), handler(Chunks(path, int(megabytes))))
    print(f"http://127.0.0.1:{server.server_port}/", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
