"""A server that does byte for byte what a test tells it, also what no HTTP server would do.

async with ScriptedServer(RESET, then_close(b"HTTP/1.1 200 OK\\r\\n"), page("obj_1")) as server:
    ...                                    # the third request gets an answer, and so does every one after it
assert server.requests[0].headers["x-namespace"] == "ns"
"""

import asyncio
import json
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

import attrs

__all__ = [
    "CLOSE",
    "RESET",
    "STALL",
    "Action",
    "Connection",
    "ReceivedRequest",
    "ScriptedServer",
    "answer",
    "chunked",
    "drip",
    "page",
    "then_close",
    "then_reset",
    "then_stall",
]


@attrs.frozen
class ReceivedRequest:
    """A request as it arrived: `raw` is every byte of it, `headers` have lower-case names.

    `connection` is the number, from 0, of the connection that it came over.
    """

    raw: bytes = attrs.field(repr=False)
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    connection: int


@attrs.define
class Connection:
    """The server's end of one connection, as actions see it; `received` are the requests that came over it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    received: list[ReceivedRequest] = attrs.field(factory=list)

    async def send(self, data: bytes) -> None:
        """Send `data` as it is."""
        self.writer.write(data)
        await self.writer.drain()

    def close(self) -> None:
        """Close in an orderly way: what was sent still arrives."""
        self.writer.close()

    def reset(self) -> None:
        """Close with a TCP reset: the client's reads and writes fail."""
        linger = struct.pack("ii", 1, 0)
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.writer.transport.abort()

    async def until_client_leaves(self) -> None:
        """Do nothing for as long as the client holds on."""
        while await self.reader.read(65536):
            pass
        self.close()


Action = bytes | Callable[[Connection], Awaitable[None]]
"""What happens to a request: bytes are sent as they are, and the connection is kept; a callable does as it likes."""


def answer(body: object = b"", status: int = 200, *, headers: Mapping[str, str] | None = None) -> bytes:
    """An answer in full: `body` as JSON unless it is bytes. `headers` go over Content-Type and Content-Length."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    fields = {"Content-Type": "application/json", "Content-Length": str(len(data)), **(headers or {})}
    lines = [f"HTTP/1.1 {status} Scripted", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join([*lines, "", ""]).encode() + data


def page(*ids: str, next_cursor: str | None = None, headers: Mapping[str, str] | None = None) -> bytes:
    """The answer with a page of these objects, the last one unless there is a `next_cursor`."""
    results = [{"object_id": object_id, "bucket_id": "bkt"} for object_id in ids]
    return answer({"results": results, "pagination": {"next_cursor": next_cursor}}, headers=headers)


def chunked(*chunks: bytes) -> bytes:
    """The head of a chunked answer and `chunks`, each framed; the last chunk is for the caller to add."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)


def then_close(data: bytes) -> Action:
    """Send `data`, and close."""

    async def act(connection: Connection) -> None:
        await connection.send(data)
        connection.close()

    return act


def then_reset(data: bytes) -> Action:
    """Send `data`, give the client a moment to read it, and reset the connection."""

    async def act(connection: Connection) -> None:
        await connection.send(data)
        await asyncio.sleep(0.01 if data else 0)
        connection.reset()

    return act


def then_stall(data: bytes) -> Action:
    """Send `data`, and then nothing until the client gives up."""

    async def act(connection: Connection) -> None:
        await connection.send(data)
        await connection.until_client_leaves()

    return act


def drip(data: bytes, pause: float) -> Action:
    """Send `data` byte by byte, with `pause` seconds between them."""

    async def act(connection: Connection) -> None:
        for index in range(len(data)):
            await connection.send(data[index : index + 1])
            await asyncio.sleep(pause)

    return act


CLOSE = then_close(b"")
RESET = then_reset(b"")
STALL = then_stall(b"")


class ScriptedServer:
    """An HTTP/1.1 server on a free local port with one action per request; the last one is for all that follow.

    Requests are counted over all connections, in the order in which they arrive. The first `refused` connections
    are reset before anything is read from them. With `tls` the server speaks HTTPS. Leaving the context ends every
    connection at once.
    """

    def __init__(self, *actions: Action, refused: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[ReceivedRequest] = []
        self.connections = 0
        self._actions = actions
        self._refused = refused
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._open: dict[asyncio.Task[None], Connection] = {}

    @property
    def url(self) -> str:
        """The base URL: `http://127.0.0.1:…`, or https where the server has `tls`."""
        assert self._server is not None, "the server runs inside of 'async with' only"
        return f"http{'s' if self._tls else ''}://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    @property
    def open_connections(self) -> int:
        """How many connections neither side has closed."""
        return len(self._open)

    async def until_idle(self, within: float = 2.0) -> None:
        """Come back when no connection is open; TimeoutError when there still is one `within` seconds from now."""
        async with asyncio.timeout(within):
            while self._open:
                await asyncio.sleep(0.002)

    async def __aenter__(self) -> "ScriptedServer":
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self._tls)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task, connection in list(self._open.items()):
            connection.writer.transport.abort()
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        # An aborted transport lets its socket go in the next turn of the loop.
        await asyncio.sleep(0)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number, self.connections = self.connections, self.connections + 1
        connection = Connection(reader, writer)
        if number < self._refused:
            connection.reset()
            return
        task = asyncio.create_task(self._serve(connection, number))
        self._open[task] = connection
        task.add_done_callback(self._open.pop)

    async def _serve(self, connection: Connection, number: int) -> None:
        # Each of these is a client that went away.
        with suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            try:
                while not connection.writer.is_closing():
                    request = await _read_request(connection.reader, number)
                    self.requests.append(request)
                    connection.received.append(request)
                    await self._act(self._actions[min(len(self.requests), len(self._actions)) - 1], connection)
            finally:
                connection.close()
                await connection.writer.wait_closed()

    async def _act(self, action: Action, connection: Connection) -> None:
        if isinstance(action, bytes):
            await connection.send(action)
        else:
            await action(connection)


async def _read_request(reader: asyncio.StreamReader, connection: int) -> ReceivedRequest:
    head = await reader.readuntil(b"\r\n\r\n")
    start, *lines = head.decode("latin-1").strip().split("\r\n")
    method, target, _ = start.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return ReceivedRequest(head + body, method, target, headers, body, connection)
