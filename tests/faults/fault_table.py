"""The table of faults: what the server does, what must come out, and how often it is asked.

A cell's last action goes on for ever. Each one whose first action is a fault that passes is there twice: once with a
good answer behind it, once with nothing else.
"""

import gzip
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

import attrs
from support.scripted_server import (
    CLOSE,
    RESET,
    STALL,
    Action,
    Connection,
    ScriptedServer,
    answer,
    chunked,
    drip,
    page,
    then_close,
    then_reset,
    then_stall,
)
from support.walk import PATIENT, Outcome, walk_bucket

from mixpeek_async.errors import (
    AuthenticationError,
    BadRequestError,
    ConnectionFailedError,
    InvalidObjectError,
    MalformedResponseError,
    MixpeekError,
    NamespaceUnresolvedError,
    NotFoundError,
    OffsetLimitError,
    PaginationError,
    PaginationLoopError,
    PermissionDeniedError,
    RateLimitError,
    RedirectError,
    RequestTimeoutError,
    ResponseTooLargeError,
    ServerError,
    StatusError,
    ValidationError,
)

__all__ = ["CELLS", "PAGE", "Cell", "run"]

PAGE = page("obj_1")
BODY = PAGE.partition(b"\r\n\r\n")[2]
HEAD = PAGE[: -len(BODY)]
LENGTH = b"Content-Length: %d" % len(BODY)
GZIPPED = {"Content-Encoding": "gzip"}


@attrs.frozen(kw_only=True)
class Cell:
    """A line of the table.

    `ids` are the objects that come out, `error` is what the walk ends with (None: its end), `asked` how many requests
    arrive. The first `refused` connections are reset before one can. `settings` are the client's.
    """

    script: tuple[Action, ...]
    ids: tuple[str, ...] = ()
    error: type[MixpeekError] | None = None
    asked: int
    refused: int = 0
    settings: Mapping[str, Any] = attrs.field(factory=dict)


async def run(cell: Cell, **settings: Any) -> tuple[Outcome, ScriptedServer]:
    """The outcome of a cell; `settings` go over its own."""
    async with ScriptedServer(*cell.script, refused=cell.refused) as server:
        outcome = await walk_bucket(server.url, **{"retry": PATIENT, "timeout": 5, **cell.settings, **settings})
        await server.until_idle()
    return outcome, server


def _reply(*lines: bytes, body: bytes = BODY, status: bytes = b"HTTP/1.1 200 OK") -> bytes:
    return b"\r\n".join([status, *lines, b"", b""]) + body


def _packed(body: bytes, encoding: str = "gzip") -> bytes:
    return answer(body, headers={"Content-Encoding": encoding})


def _listing(*ids: str, **pagination: Any) -> bytes:
    return answer({"results": [{"object_id": id_, "bucket_id": "bkt"} for id_ in ids], "pagination": pagination})


# --- on the way ---

# Nothing of the answer came: asked again at once, and for free, the first time.
UNANSWERED: dict[str, Action] = {
    "closed after the request": CLOSE,
    "reset after the request": RESET,
    "reset in the headers": then_reset(HEAD[:30]),
}
BROKEN: dict[str, Action] = {
    "closed in the status line": then_close(HEAD[:5]),
    "closed in the headers": then_close(HEAD[:30]),
    "closed between headers and body": then_close(HEAD),
    "closed in the body": then_close(PAGE[:-5]),
    "reset between headers and body": then_reset(HEAD),
    "reset in the body": then_reset(PAGE[:-5]),
    "Content-Length longer than the body": then_close(_reply(b"Content-Length: %d" % (len(BODY) + 9))),
    "Content-Length shorter than the body": _reply(b"Content-Length: 10"),
    "Content-Length negative": _reply(b"Content-Length: -1"),
    "Content-Length no number": _reply(b"Content-Length: abc"),
    "Content-Length of thirty digits": _reply(b"Content-Length: " + b"9" * 30),
    "Content-Length twice, the same": _reply(LENGTH, LENGTH),
    "Content-Length twice, not the same": _reply(LENGTH, b"Content-Length: 5"),
    "Content-Length and chunks": _reply(LENGTH, b"Transfer-Encoding: chunked"),
    "chunks cut": then_close(chunked(BODY[:20])),
    "chunks without the last one": then_close(chunked(BODY)),
    "chunk size no number": chunked() + b"xyz\r\n",
    "chunk size negative": chunked() + b"-5\r\nhello\r\n",
    "chunk size of twenty digits": chunked() + b"f" * 20 + b"\r\n" + BODY,
    "chunk longer than its size": chunked() + b"%x\r\n%bXX0\r\n\r\n" % (len(BODY), BODY),
    "transfer encoding unknown": _reply(b"Transfer-Encoding: xx, chunked"),
    "no status line": b"\x00\x01 garbage\r\n\r\n",
    "no headers at all": then_close(BODY),
    "status no number": b"HTTP/1.1 abc OK\r\n\r\n",
    "status of two digits": b"HTTP/1.1 99 OK\r\nContent-Length: 0\r\n\r\n",
    "status of four digits": b"HTTP/1.1 1000 OK\r\nContent-Length: 0\r\n\r\n",
    "HTTP of another version": _reply(LENGTH, status=b"HTTP/2 200 OK"),
    "status line too long": _reply(LENGTH, status=b"HTTP/1.1 200 " + b"x" * 70_000),
    "header without a colon": b"HTTP/1.1 200 OK\r\nnonsense\r\n\r\n",
    "header with a NUL": _reply(LENGTH, b"X-A: a\0b"),
    "header with a space before its colon": _reply(LENGTH[:14] + b" : 5"),
    "header too long": answer(headers={"X-Long": "x" * 70_000}),
    "5,000 headers": _reply(LENGTH, *(b"X-%d: 1" % number for number in range(5_000))),
    "gzip corrupt": _packed(b"this is no gzip"),
    "gzip corrupt in the middle": _packed(gzip.compress(BODY)[:10] + b"\xff" * 100),
    "gzip with the wrong checksum": _packed(gzip.compress(BODY)[:-8] + bytes(8)),
    "gzip and more": _packed(gzip.compress(BODY) + b"12345"),
    "gzip in name only": _packed(BODY),
    "encoding unknown to us": _packed(b"\x01\x02", "zstd"),
    "encoding that we have not asked for": _packed(b"\x01\x02", "br"),
}
SLOW: dict[str, Action] = {
    "stalled before the headers": STALL,
    "stalled in the headers": then_stall(HEAD[:30]),
    "stalled in the body": then_stall(PAGE[:-5]),
    "stalled after a 102": then_stall(b"HTTP/1.1 102 Processing\r\n\r\n" * 3),
    "dripping": drip(PAGE, 0.05),
    "dripping chunks": drip(chunked(BODY) + b"0\r\n\r\n", 0.05),
}
# Odd, and yet a page.
UNUSUAL: dict[str, Action] = {
    "gzip": _packed(gzip.compress(BODY)),
    "gzip in two pieces": _packed(gzip.compress(BODY[:20]) + gzip.compress(BODY[20:])),
    "deflate": _packed(zlib.compress(BODY), "deflate"),
    "deflate without its header": _packed(zlib.compress(BODY, wbits=-15), "deflate"),
    "chunks of one byte": chunked(*(BODY[i : i + 1] for i in range(len(BODY)))) + b"0\r\n\r\n",
    "chunk with an extension": chunked() + b"%x;a=b\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY),
    "chunks with a trailer": chunked(BODY) + b"0\r\nX-Trailer: 1\r\n\r\n",
    "a body up to the close": then_close(_reply(b"Connection: close")),
    "HTTP/1.0": then_close(_reply(status=b"HTTP/1.0 200 OK")),
    "a status without a reason": _reply(LENGTH, status=b"HTTP/1.1 200"),
    "a 100 before the answer": b"HTTP/1.1 100 Continue\r\n\r\n" + PAGE,
    "a 103 before the answer": b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + PAGE,
    "headers that are no ASCII": _reply(LENGTH, b"X-A: \xff\xfe"),
    "HTML by its Content-Type": answer(BODY, headers={"Content-Type": "text/html; charset=utf-16"}),
    "cookies and a Location": page("obj_1", headers={"Set-Cookie": "a=b", "Location": "https://example.org/"}),
}


def _on_the_way() -> Iterator[tuple[str, Cell]]:
    for name, fault in UNANSWERED.items():
        yield f"{name}, once", Cell(script=(fault, PAGE), ids=("obj_1",), asked=2)
        yield f"{name}, for ever", Cell(script=(fault,), error=ConnectionFailedError, asked=1 + 5)
    for name, fault in BROKEN.items():
        yield f"{name}, once", Cell(script=(fault, PAGE), ids=("obj_1",), asked=2)
        yield f"{name}, for ever", Cell(script=(fault,), error=ConnectionFailedError, asked=5)
    for name, fault in SLOW.items():
        once = Cell(script=(fault, PAGE), ids=("obj_1",), asked=2, settings={"timeout": 0.2})
        yield f"{name}, once", once
        yield (
            f"{name}, for ever",
            attrs.evolve(once, script=(fault,), ids=(), error=RequestTimeoutError, asked=5, settings={"timeout": 0.05}),
        )
    for name, oddity in UNUSUAL.items():
        yield name, Cell(script=(oddity,), ids=("obj_1",), asked=1)
    yield "connection reset before the request", Cell(script=(PAGE,), refused=2, ids=("obj_1",), asked=1)
    for name, stale in {"closed": CLOSE, "reset": RESET}.items():
        script = page("obj_1", next_cursor="c"), stale, page("obj_2")
        yield f"keep-alive that ran out, {name}", Cell(script=script, ids=("obj_1", "obj_2"), asked=3)
    # The second answer was sent before it was asked for: it belongs to no request.
    surplus = page("obj_1", next_cursor="c") + page("obj_of_nobody"), page("obj_2")
    yield "an answer too many", Cell(script=surplus, ids=("obj_1", "obj_2"), asked=2)
    cells = (PAGE, then_close(PAGE[:-5]), answer(status=503), CLOSE)
    yield (
        "faults of every kind in a row",
        Cell(script=(*reversed(cells),), ids=("obj_1",), asked=4),
    )


# --- statuses ---

FINAL: dict[int, type[StatusError]] = {
    **dict.fromkeys((101, 402, 405, 406, 407, 409, 410, 411, 413, 414, 415, 418, 421, 451, 499), StatusError),
    **{400: BadRequestError, 401: AuthenticationError, 403: PermissionDeniedError, 404: NotFoundError},
    **{422: ValidationError},
    **dict.fromkeys((501, 505, 511, 700, 999), ServerError),
}
PASSING: dict[int, type[StatusError]] = {
    **dict.fromkeys((408, 425), StatusError),
    429: RateLimitError,
    **dict.fromkeys((500, 502, 503, 504, 520, 521, 522, 523, 524, 529, 598, 599), ServerError),
}
REFUSALS: dict[str, bytes] = {
    "of HTML": b"<html>\x1b[31mBad gateway</html>",
    "of nothing": b"",
    "that is a list": b"[1, 2]",
    "that is a text": b'{"error": "text"}',
    "that is null": b"null",
    "of 60,000 brackets": b"[" * 60_000,
    "that is no UTF-8": b"\xff\xfe",
    "with a detail of another shape": b'{"detail": [{"loc": ["query", "limit"], "msg": "no"}]}',
    "with facts of other types": b'{"error": {"message": 1, "type": [], "code": {}, "details": "no"}}',
}


def _statuses() -> Iterator[tuple[str, Cell]]:
    no = {"error": {"message": "no"}}
    for status, kind in FINAL.items():
        # Switching protocols is what a proxy for something else does.
        refusal = then_close(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n")
        # A page that is too large is asked for once more, as a page of ids.
        asked = 2 if status == 413 else 1
        yield f"{status}", Cell(script=(refusal if status == 101 else answer(no, status),), error=kind, asked=asked)
    for status, kind in PASSING.items():
        yield f"{status}, once", Cell(script=(answer(no, status), PAGE), ids=("obj_1",), asked=2)
        yield f"{status}, for ever", Cell(script=(answer(no, status),), error=kind, asked=5)
    for status in (300, 301, 302, 303, 304, 305, 307, 308, 399):
        redirect = answer(status=status, headers={"Location": "/v1/elsewhere"})
        yield f"{status}", Cell(script=(redirect, PAGE), error=RedirectError, asked=1)
    for name, body in REFUSALS.items():
        yield f"404 {name}", Cell(script=(answer(body, 404),), error=NotFoundError, asked=1)
    yield "401 cut", Cell(script=(then_close(answer(no, 401)[:-5]),), error=AuthenticationError, asked=1)
    yield (
        "401 of corrupt gzip",
        Cell(script=(answer(b"no gzip", 401, headers=GZIPPED),), error=AuthenticationError, asked=1),
    )
    final = answer({"error": {"details": {"retryable": False}}}, 503)
    yield "503 that says it will not pass", Cell(script=(final, PAGE), error=ServerError, asked=1)


# --- bodies ---

DAMAGED: dict[str, Action] = {
    "HTML": answer(b"<html><body>Welcome to the hotel</body></html>"),
    "JSON cut": answer(BODY[:-5]),
    "JSON cut by the close": then_close(_reply(b"Connection: close", body=BODY[:-5])),
    "JSON twice": answer(BODY + BODY),
    "JSON and more": answer(BODY + b"x"),
    "nothing": answer(),
    "204": b"HTTP/1.1 204 No Content\r\n\r\n",
    "206": answer(BODY, 206),
    "NULs": answer(bytes(100)),
    "invalid UTF-8": answer(b'{"results": [{"object_id": "\xff\xfe", "bucket_id": "b"}]}'),
    "half a surrogate pair": answer(b'{"results": [{"object_id": "\\ud800", "bucket_id": "b"}]}'),
    "gzip cut": _packed(gzip.compress(BODY)[:20]),
    "gzip of gzip": _packed(gzip.compress(gzip.compress(BODY))),
}
MISSHAPEN: dict[str, bytes] = {
    "null": b"null",
    "a list": b"[]",
    "an object without results": b"{}",
    "results that are null": b'{"results": null}',
    "results that are an object": b'{"results": {}}',
    "has_more that is a text": b'{"results": [], "pagination": {"has_more": "false"}}',
    "a cursor that is a number": b'{"results": [], "pagination": {"next_cursor": 7}}',
    "pagination that is a list": b'{"results": [], "pagination": []}',
    "NaN": b'{"results": [{"object_id": "o", "bucket_id": "b", "score": NaN}]}',
    "200,000 brackets": b"[" * 200_000,
    "200,000 brackets inside": b'{"results": ' + b"[" * 200_000,
}
UNREADABLE: dict[str, bytes] = {
    "warnings that are a text": b'"warnings": "none"',
    "stats that are a list": b'"stats": []',
    "a total that is a text": b'"pagination": {"has_more": false, "total": "1"}',
}
BAD_ROWS: dict[str, bytes] = {
    "a row that is a number": b"1",
    "a row that is null": b"null",
    "a row without an id": b'{"bucket_id": "b"}',
    "an id that is a number": b'{"object_id": 7, "bucket_id": "b"}',
    "an id of 5,000 digits": b'{"object_id": ' + b"9" * 5_000 + b', "bucket_id": "b"}',
    "a date that is none": b'{"object_id": "o", "bucket_id": "b", "created_at": "soon"}',
}


def _bodies() -> Iterator[tuple[str, Cell]]:
    for name, damaged in DAMAGED.items():
        yield f"{name}, twice", Cell(script=(damaged, damaged, PAGE), ids=("obj_1",), asked=3)
        yield f"{name}, for ever", Cell(script=(damaged,), error=MalformedResponseError, asked=3)
    for name, body in MISSHAPEN.items():
        yield name, Cell(script=(answer(body), PAGE), error=MalformedResponseError, asked=1)
    for name, part in UNREADABLE.items():
        unreadable = answer(b'{"results": [{"object_id": "o", "bucket_id": "b"}], %s}' % part)
        yield name, Cell(script=(unreadable, answer(b'{"results": []}')), ids=("o",), asked=1 if "total" in name else 2)
    for name, row in BAD_ROWS.items():
        script = (answer(b'{"results": [' + row + b'], "pagination": {"next_cursor": null}}'),)
        yield name, Cell(script=script, error=InvalidObjectError, asked=1)
    small: dict[str, Any] = {"max_body_bytes": len(BODY) - 1}
    yield "a body over the cap", Cell(script=(PAGE,), error=ResponseTooLargeError, asked=2, settings=small)
    bomb = _packed(gzip.compress(bytes(10_000_000)))
    capped: dict[str, Any] = {"max_body_bytes": 1_000_000}
    yield "a gzip bomb", Cell(script=(bomb,), error=ResponseTooLargeError, asked=2, settings=capped)
    elsewhere = page(headers={"X-Namespace-Unresolved": "1"})
    yield "a namespace that is none", Cell(script=(elsewhere,), error=NamespaceUnresolvedError, asked=1)


# --- answers that repeat what they were sent, key and all ---


class Echo:
    """Answers with the bytes of the request, put into a template."""

    def __init__(self, template: bytes, status: int = 200) -> None:
        self._template = template
        self._status = status

    async def __call__(self, connection: Connection) -> None:
        request = connection.received[-1]
        authorization = request.headers["authorization"].encode()
        await connection.send(self._template.replace(b"{raw}", request.raw).replace(b"{key}", authorization))
        connection.close()


def _echoes() -> Iterator[tuple[str, Cell]]:
    close = b"Connection: close\r\n\r\n"
    refused = b"HTTP/1.1 401 No\r\nX-Request-ID: {key}\r\n" + close
    yield (
        "an error body that repeats the key",
        Cell(
            script=(Echo(refused + b'{"error": {"message": "{key}", "type": "{key}", "details": {"sent": "{key}"}}}'),),
            error=AuthenticationError,
            asked=1,
        ),
    )
    yield (
        "an error page that repeats the request",
        Cell(script=(Echo(refused + b"<pre>{raw}</pre>"),), error=AuthenticationError, asked=1),
    )
    yes = b"HTTP/1.1 200 OK\r\nX-Echo: {key}\r\n" + close
    yield "a page that repeats the request", Cell(script=(Echo(yes + b"{raw}"),), error=MalformedResponseError, asked=3)
    yield (
        "JSON of the wrong shape that repeats the key",
        Cell(script=(Echo(yes + b'{"{key}": 1}'),), error=MalformedResponseError, asked=1),
    )
    yield "a server that sends back what comes", Cell(script=(Echo(b"{raw}"),), error=ConnectionFailedError, asked=5)
    yield (
        "a broken header that repeats the key",
        Cell(script=(Echo(b"HTTP/1.1 200 OK\r\nAuthorization : {key}\r\n\r\n"),), error=ConnectionFailedError, asked=5),
    )
    yield (
        "half a header that repeats the key",
        Cell(script=(Echo(b"HTTP/1.1 200 OK\r\nAuthorization: {key}\r\n"),), error=ConnectionFailedError, asked=5),
    )


# --- pages ---


def _pages() -> Iterator[tuple[str, Cell]]:
    three = tuple(f"obj_{number}" for number in range(3))
    ends: dict[str, dict[str, Any]] = {
        "has_more": {"has_more": False},
        "no next_cursor": {"next_cursor": None},
        "an empty next_cursor": {"next_cursor": ""},
        "the last of its pages": {"page": 1, "total_pages": 1},
    }
    for name, pagination in ends.items():
        yield f"the end by {name}", Cell(script=(_listing("obj_1", **pagination),), ids=("obj_1",), asked=1)
    empty = _listing(next_cursor="c0"), _listing(next_cursor="c1"), _listing("obj_1", next_cursor=None)
    yield "empty pages that say more", Cell(script=empty, ids=("obj_1",), asked=3)
    endless = tuple(_listing(next_cursor=f"c{number}") for number in range(200))
    yield "empty pages for ever", Cell(script=endless, error=PaginationError, asked=100)
    yield (
        "the same cursor twice",
        Cell(
            script=(_listing("obj_0", next_cursor="c"), _listing("obj_1", next_cursor="c")),
            ids=("obj_0", "obj_1"),
            error=PaginationLoopError,
            asked=2,
        ),
    )
    in_turn = tuple(_listing(f"obj_{number}", next_cursor="ab"[number % 2]) for number in range(3))
    yield "two cursors in turn", Cell(script=in_turn, ids=three, error=PaginationLoopError, asked=3)
    same = tuple(_listing("obj_0", next_cursor=f"c{number}") for number in range(9))
    yield "pages with nothing new", Cell(script=same, ids=("obj_0",), error=PaginationLoopError, asked=4)
    yield (
        "has_more without a cursor, by cursor",
        Cell(
            script=(_listing("obj_0", next_cursor="c"), _listing("obj_1", has_more=True)),
            ids=("obj_0", "obj_1"),
            error=PaginationError,
            asked=2,
        ),
    )
    more = _listing(*three, "obj_3", next_cursor=None)
    yield "a page longer than asked for", Cell(script=(more,), ids=(*three, "obj_3"), asked=1)
    repeated = _listing("obj_0", "obj_1", next_cursor="c"), _listing("obj_1", "obj_2", next_cursor=None)
    yield "an object on two pages", Cell(script=repeated, ids=three, asked=2)
    for total in (-1, 0, 10**30, None):
        script = _listing("obj_0", has_more=True, total=total, next_cursor="c"), _listing("obj_1", has_more=False)
        yield f"a total of {total}", Cell(script=script, ids=("obj_0", "obj_1"), asked=2)
    refusal = answer({"error": {"message": "offset must be at most 10000"}}, 422)
    yield (
        "an offset that is refused",
        Cell(
            script=(_listing("obj_0", "obj_1", has_more=True), refusal),
            ids=("obj_0", "obj_1"),
            error=OffsetLimitError,
            asked=2,
        ),
    )
    broken = page("obj_0", next_cursor="c"), then_close(PAGE[:-5]), page("obj_1", next_cursor="d"), CLOSE, page("obj_2")
    yield "faults between pages", Cell(script=broken, ids=three, asked=5)


CELLS: dict[str, Cell] = {}
for _group in (_on_the_way(), _statuses(), _bodies(), _echoes(), _pages()):
    for _name, _cell in _group:
        assert _name not in CELLS, _name
        CELLS[_name] = _cell
