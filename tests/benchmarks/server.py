"""A list server that is not what is measured: a process of its own, whose answers are made before the first request.

Buckets say in their names what they hold: `cursor-20x1000` has 20 pages of 1,000 objects behind cursors,
`offset-100x100` has 10,000 objects behind offsets, of which 100 make a page, and `cursor-20x1000-small` has small
objects (see `data`). Short ones are kept ready whole; of one
with more pages than fit into memory the ids are stamped into each page as it goes out.
"""

import asyncio
import contextlib
import functools
import json
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from typing import Final, Protocol
from urllib.parse import parse_qs, urlsplit

import attrs

from benchmarks.child import ENVIRONMENT
from benchmarks.data import page_rows

__all__ = ["Site", "serving"]

_HEAD_END: Final = b"\r\n\r\n"
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_PAGES_KEPT: Final = 64


class Bucket(Protocol):
    """Something to list."""

    def answer(self, limit: int, offset: int, cursor: str) -> bytes:
        """The answer to one request, head and all."""
        ...


class CursorBucket:
    """Pages behind cursors, of one size whatever is asked for; shape C of `docs/walk.md`."""

    def __init__(self, pages: int, size: int, kind: str) -> None:
        self._pages, self._size = pages, size
        self._template = _results(page_rows(999_999, size, kind))
        self._ready = [self._page(number) for number in range(pages)] if pages <= _PAGES_KEPT else []

    def answer(self, limit: int, offset: int, cursor: str) -> bytes:
        """The page that the cursor names."""
        number = int(cursor or 0)
        return self._ready[number] if self._ready else self._page(number)

    def _page(self, number: int) -> bytes:
        following = b'"%d"' % (number + 1) if number + 1 < self._pages else b"null"
        results = self._template.replace(b"obj_999999", b"obj_%06d" % number)
        return _http(b'{%b,"pagination":{"next_cursor":%b}}' % (results, following))


class OffsetBucket:
    """Rows behind offsets; shape A."""

    def __init__(self, pages: int, size: int, kind: str) -> None:
        self._rows = [row for page in range(pages) for row in page_rows(page, size, kind)]
        self._ready: dict[tuple[int, int], bytes] = {}

    def answer(self, limit: int, offset: int, cursor: str) -> bytes:
        """The rows asked for. Joining them is done once for each place."""
        if (offset, limit) not in self._ready:
            rows = self._rows[offset : offset + limit]
            more = b"true" if offset + limit < len(self._rows) else b"false"
            pagination = b'"pagination":{"has_more":%b,"limit":%d,"skip":%d}' % (more, limit, offset)
            self._ready[offset, limit] = _http(b"{%b,%b}" % (_results(rows), pagination))
        return self._ready[offset, limit]


def _results(rows: list[bytes]) -> bytes:
    return b'"results":[%b]' % b",".join(rows)


def _http(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


@functools.cache
def _bucket(name: str) -> Bucket:
    paging, extent, *kind = name.split("-")
    pages, size = map(int, extent.split("x"))
    return (CursorBucket if paging == "cursor" else OffsetBucket)(pages, size, *(kind or ["usual"]))


@attrs.define
class _Traffic:
    """How many connections are open, and how many were at most since the last request for this number."""

    latency: float
    open: int = 0
    most: int = 0

    def count(self, change: int) -> None:
        self.open += change
        self.most = max(self.most, self.open)

    def report(self) -> bytes:
        most, self.most = self.most, 0
        return _http(json.dumps(most).encode())


class _Connection(asyncio.Protocol):
    def __init__(self, traffic: _Traffic) -> None:
        self._traffic = traffic
        self._received = b""
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport
        self._traffic.count(1)

    def connection_lost(self, exc: Exception | None) -> None:
        self._traffic.count(-1)
        self._transport = None

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, rest = self._received.partition(_HEAD_END)
        length = _LENGTH.search(head)
        if not found or len(rest) < int(length[1] if length else 0):
            return
        self._received = b""  # no client here sends a request before the last one was answered
        target = head.split(b" ", 2)[1].decode()
        if target == "/connections":
            self._send(self._traffic.report())
        elif self._traffic.latency:
            asyncio.get_running_loop().call_later(self._traffic.latency, self._send, _answer(target))
        else:
            self._send(_answer(target))

    def _send(self, answer: bytes) -> None:
        if self._transport is not None:
            self._transport.write(answer)


def _answer(target: str) -> bytes:
    parts = urlsplit(target)
    said = {name: values[0] for name, values in parse_qs(parts.query).items()}
    bucket = _bucket(parts.path.split("/")[3])
    return bucket.answer(int(said.get("limit", 10)), int(said.get("offset", 0)), said.get("cursor", ""))


async def _serve(latency: float, buckets: list[str]) -> None:
    for name in buckets:
        _bucket(name)
    traffic = _Traffic(latency)
    server = await asyncio.get_running_loop().create_server(lambda: _Connection(traffic), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@attrs.frozen
class Site:
    """A server that runs."""

    url: str

    def most_connections(self) -> int:
        """How many connections were open at once, at most, since this was last asked."""
        with urllib.request.urlopen(f"{self.url}/connections") as answer:
            most: int = json.load(answer)
        return most


@contextlib.contextmanager
def serving(*buckets: str, latency: float = 0.0) -> Iterator[Site]:
    """A server with these buckets made beforehand, that answers after `latency` seconds."""
    command = [sys.executable, "-m", "benchmarks.server", str(latency), *buckets]
    with subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield Site(f"http://127.0.0.1:{int(process.stdout.readline())}")
        finally:
            process.kill()


if __name__ == "__main__":
    asyncio.run(_serve(float(sys.argv[1]), sys.argv[2:]))
