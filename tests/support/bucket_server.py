"""A list endpoint for the tests of walks: a list of rows, and HTTP written by hand on a real socket.

It shares no code with the package or its emulator, so that one misreading of the API cannot be on both sides. What it
answers is decided when a request arrives, so that each answer is one moment of the list.
"""

import asyncio
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from bisect import bisect_right
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import parse_qsl, urlsplit

import attrs

from mixpeek_async import AsyncMixpeek
from support.clients import client_at
from support.clocks import ManualClock

Shape = Literal["A", "B", "B up", "C", "C dropped", "N", "A+B", "A+C", "B+C"]
"""What an answer says about the end of the list.

* A: `has_more`, `limit`, `skip`
* B: page numbers, computed from the offset rounded down; "B up": rounded up
* C: `next_cursor`, null at the end; "C dropped": left out at the end
* N: nothing

Two letters are both at once.
"""

CURSOR_SHAPES: tuple[Shape, ...] = ("C", "C dropped", "A+C", "B+C")
OFFSET_SHAPES: tuple[Shape, ...] = ("A", "B", "B up", "N", "A+B")
MAX_LIMIT = 1000
MAX_OFFSET = 10_000

_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


def date(second: int) -> str:
    """An RFC 3339 date, so many seconds into the year."""
    return (_EPOCH + timedelta(seconds=second)).isoformat()


@attrs.define(eq=False)
class Row:
    """One object of the list: `place` orders the list, for ever.

    A `broken` one has a wrong type in it, a `hidden` one is filtered out after the list was cut into pages.
    """

    id: str | None
    place: float
    created_at: str | None = None
    broken: bool = False
    weight: int = 1
    hidden: bool = False
    raw: bytes = attrs.field(init=False, repr=False)
    ids_only: bytes = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self.serialize()

    def serialize(self) -> None:
        """Write the row's JSON anew, after a change."""
        fields = {
            "object_id": self.id,
            "bucket_id": 7 if self.broken else "bkt",
            "created_at": self.created_at,
        }
        present = {name: value for name, value in fields.items() if value is not None}
        self.ids_only = _json(present)
        # `place` names a row that has no id.
        self.raw = _json({**present, "place": self.place})

    def mend(self) -> None:
        """Correct the wrong type. A row without an id gets one."""
        self.broken = False
        self.id = self.id or f"mended_{self.place}"
        self.serialize()


def rows(ids: Iterable[Any], *, dated: bool = True) -> list[Row]:
    """A row for each id, oldest first; `dated` has each created a second after the one before."""
    return [Row(str(id_), place, date(place) if dated else None) for place, id_ in enumerate(ids)]


@attrs.frozen
class Request:
    """The paging of one request; `number` counts from 1."""

    number: int
    limit: int
    offset: int
    cursor: str | None
    body: dict[str, Any]

    @property
    def ids_only(self) -> bool:
        """Whether only some fields were asked for."""
        return "select" in self.body


@attrs.frozen
class Reply:
    """An answer as it goes over the wire. `cut`: only so many bytes of its body; `delay`: seconds until it is sent."""

    body: bytes
    status: int = 200
    headers: dict[str, str] = attrs.field(factory=dict)
    cut: int | None = None
    delay: float = 0.0


DROP = Reply(b"", status=-1)
"""Close the connection in place of an answer."""
STALL = Reply(b"", status=-2)
"""Never answer."""


def error(status: int, message: str, **headers: str) -> Reply:
    """An error in the API's form. `Retry_After=` is a header."""
    body = {"success": False, "status": status, "error": {"message": message, "type": "Error"}}
    return Reply(_json(body), status, {name.replace("_", "-"): value for name, value in headers.items()})


class Bucket:
    """The list, and how it is paged.

    * `shape`, `cursors`: "keyset" ones name the last row of a page, "offset" ones the number of rows before the next.
    * `most`: the most rows that an answer has, whatever was asked for.
    * `max_weight`: an answer whose rows weigh more is `too_heavy` (413, or a 5xx).
    * `eager`: there is said to be more behind every full page, though nothing may be.
    """

    def __init__(
        self,
        rows: list[Row],
        shape: Shape = "A",
        *,
        cursors: Literal["keyset", "offset"] = "keyset",
        most: int = MAX_LIMIT,
        max_weight: int | None = None,
        too_heavy: int = 413,
        eager: bool = False,
    ) -> None:
        self.rows = rows
        self.shape: Shape = shape
        self.cursors = cursors
        self.most = most
        self.max_weight = max_weight
        self.too_heavy = too_heavy
        self.eager = eager

    @property
    def ids(self) -> list[str]:
        """The ids of the rows that are there, in the list's order."""
        return [row.id for row in self.rows if row.id is not None]

    def delete(self, *ids: str) -> None:
        """Take rows out of the list."""
        self.rows = [row for row in self.rows if row.id not in ids]

    def append(self, ids: Iterable[Any]) -> None:
        """Create rows behind all others."""
        start = int(self.rows[-1].place) + 1 if self.rows else 0
        self.rows += [Row(str(id_), start + n, date(start + n)) for n, id_ in enumerate(ids)]

    def prepend(self, ids: Iterable[Any]) -> None:
        """Create rows before all others, the last of `ids` being the very first then."""
        for id_ in ids:
            first = self.rows[0].place if self.rows else 0
            self.rows.insert(0, Row(str(id_), first - 1))

    def answer(self, request: Request) -> Reply:
        """The page that `request` asks for, at this moment."""
        if not 1 <= request.limit <= MAX_LIMIT or not 0 <= request.offset <= MAX_OFFSET:
            return error(422, "limit or offset is out of bounds")
        limit = min(request.limit, self.most)
        begin = request.offset if request.cursor is None else self._place_of(request.cursor)
        return self.page(request, begin, limit, self.shape)

    def page(self, request: Request, begin: int, limit: int, shape: Shape) -> Reply:
        """`limit` rows from `begin` on, in this shape."""
        read = self.rows[begin : begin + limit]
        page = [row for row in read if not row.hidden]
        if self.max_weight is not None and not request.ids_only and sum(row.weight for row in page) > self.max_weight:
            return error(self.too_heavy, "the page is too heavy")
        parts = [row.ids_only for row in page] if request.ids_only else [row.raw for row in page]
        pagination = _json(self.pagination(begin, len(read), limit, shape, by_cursor=request.cursor is not None))
        return Reply(b'{"results":[%b],"pagination":%b}' % (b",".join(parts), pagination))

    def pagination(
        self, begin: int, count: int, limit: int, shape: Shape, *, by_cursor: bool = False
    ) -> dict[str, Any]:
        """What a page of `count` rows says of itself."""
        total = len(self.rows)
        more = begin + count < total or (self.eager and count == limit)
        says: dict[str, Any] = {}
        if "B" in shape and not by_cursor:
            says |= _page_numbers((begin + limit - 1 if "up" in shape else begin) // limit + 1, limit, total)
        if "A" in shape:
            says |= {"has_more": more, "limit": limit, "skip": begin}
        if "C" in shape:
            says |= {"next_cursor": self._cursor(begin + count) if more else None}
        if shape == "C dropped" and not more:
            del says["next_cursor"]
        return says

    def _cursor(self, end: int) -> str:
        if self.cursors == "offset" or end == 0:
            return _token(end)
        return _token([self.rows[end - 1].place])

    def _place_of(self, cursor: str) -> int:
        said = json.loads(urlsafe_b64decode(cursor))
        if isinstance(said, int):
            return said
        return bisect_right(self.rows, float(said[0]), key=lambda row: row.place)


def _page_numbers(page: int, page_size: int, total: int) -> dict[str, Any]:
    total_pages = max(1, -(-total // page_size))
    following = str(page + 1) if page < total_pages else None
    return {
        "total": total,
        "page": page,
        "page_size": page_size,
        "total_pages": total_pages,
        "next_page": following,
        "previous_page": None,
    }


def _token(value: Any) -> str:
    return urlsafe_b64encode(_json(value)).decode()


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


class BucketServer:
    """Answers requests with what `answer` makes of them, on a port of its own or on the Unix socket `path`."""

    def __init__(self, answer: Callable[[Request], Reply], path: str | None = None) -> None:
        self.answer = answer
        self.requests: list[Request] = []
        self.connections: set[asyncio.Transport] = set()
        self._path = path
        self._server: asyncio.Server

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        if self._path is None:
            self._server = await loop.create_server(lambda: _Connection(self), "127.0.0.1", 0)
        else:
            self._server = await loop.create_unix_server(lambda: _Connection(self), self._path)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.close()
        for transport in self.connections:
            transport.abort()
        # An aborted transport lets its socket go in the next turn of the loop.
        await asyncio.sleep(0)

    @property
    def url(self) -> str:
        """The base URL."""
        return "http://localhost" if self._path else f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def client(self, **options: Any) -> AsyncMixpeek:
        """A client of this server. Its waits take no time, unless `options` bring another clock."""
        return client_at(self.url, **{"clock": ManualClock(), **options})

    def receive(self, target: bytes, body: bytes) -> Reply:
        """Take note of a request, and answer it."""
        query = dict(parse_qsl(urlsplit(target.decode("latin-1")).query))
        request = Request(
            number=len(self.requests) + 1,
            limit=int(query.get("limit", 10)),
            offset=int(query.get("offset", 0)),
            cursor=query.get("cursor"),
            body=json.loads(body) if body else {},
        )
        self.requests.append(request)
        return self.answer(request)


class _Connection(asyncio.Protocol):
    def __init__(self, server: BucketServer) -> None:
        self._server = server
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._server.connections.add(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._server.connections.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, separator, body = self._buffer.partition(b"\r\n\r\n")
        length = _content_length(head)
        # One request at a time: a client that waits for its answer sends no other behind it.
        if separator and len(body) >= length:
            self._buffer = body[length:]
            self._reply(self._server.receive(head.split(b" ", 2)[1], body[:length]))

    def _reply(self, reply: Reply) -> None:
        if reply.delay:
            asyncio.get_running_loop().call_later(reply.delay, self._send, reply)
        else:
            self._send(reply)

    def _send(self, reply: Reply) -> None:
        if self._transport.is_closing():
            return
        if reply is DROP:
            self._transport.abort()
        elif reply is not STALL:
            lines = "".join(f"{name}: {value}\r\n" for name, value in reply.headers.items())
            head = f"HTTP/1.1 {reply.status} Answer\r\nContent-Length: {len(reply.body)}\r\n{lines}\r\n"
            self._transport.write(head.encode() + reply.body[: reply.cut])
            if reply.cut is not None:
                self._transport.close()


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0
