"""A proxy that does what a test tells it to the answers of a genuine server.

harm = lambda number, genuine: then_close(genuine[:100]) if number == 3 else genuine
async with Emulator(objects=10) as emulator, FaultProxy(emulator.url, harm) as proxy:
    ...                                    # a client of proxy.url
"""

import asyncio
from collections.abc import Callable
from contextlib import closing
from urllib.parse import urlsplit

from support.scripted_server import Action, Connection, ScriptedServer

__all__ = ["FaultProxy", "Harm"]

Harm = Callable[[int, bytes], Action]
"""From the number of a request, counted from 1, and the genuine answer to it, whole, to what is done in its place."""


class FaultProxy(ScriptedServer):
    """A `ScriptedServer`, with its log of requests, that asks `upstream` and lets `harm` decide what becomes of it."""

    def __init__(self, upstream: str, harm: Harm) -> None:
        super().__init__(b"")
        parts = urlsplit(upstream)
        self._upstream = parts.hostname, parts.port
        self._harm = harm

    async def _act(self, action: Action, connection: Connection) -> None:
        number = len(self.requests)
        genuine = await self._ask(connection.received[-1].raw)
        await super()._act(self._harm(number, genuine), connection)

    async def _ask(self, request: bytes) -> bytes:
        """The answer, byte for byte. Each request has a connection of its own."""
        reader, writer = await asyncio.open_connection(*self._upstream)
        with closing(writer):
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = head.lower().partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0]
            return head + await reader.readexactly(int(length))
