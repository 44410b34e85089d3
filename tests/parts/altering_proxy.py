"""A proxy in front of an emulator, for servers that are not as capable or not as honest."""

from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import aiohttp
from aiohttp import web
from support.serving import serve

from mixpeek_async.emulator import Emulator

__all__ = ["AlteringProxy", "refusal"]

Alter = Callable[[str, Any, Any], Any]
"""Of the kind of a request ("list" or "aggregate"), its body and the answer's, what is answered instead.

A `web.Response` is sent as it is.
"""
Rewrite = Callable[[Any], Any]
"""Of the body of a request, the body that is sent on."""


def refusal(status: int) -> web.Response:
    """An error in the API's form."""
    body = {"success": False, "status": status, "error": {"message": "not here", "type": "Error"}}
    return web.json_response(body, status=status)


class AlteringProxy:
    """Sends requests on as `rewrite` makes them, and answers back as `alter` does. `kinds` lists the requests."""

    def __init__(
        self,
        emulator: Emulator,
        alter: Alter = lambda kind, body, answer: answer,
        rewrite: Rewrite = lambda body: body,
    ) -> None:
        self._emulator = emulator
        self._alter = alter
        self._rewrite = rewrite
        self.kinds: list[str] = []

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession()
        app = web.Application()
        app.router.add_post("/{path:.*}", self._handle)
        self._runner, self.url = await serve(app)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._runner.cleanup()
        await self._session.close()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        kind = request.path.rpartition("/")[2]
        self.kinds.append(kind)
        body = await request.json() if request.can_read_body else None
        headers = {name: request.headers[name] for name in ("Authorization", "X-Namespace")}
        url = self._emulator.url + request.path_qs
        async with self._session.post(url, headers=headers, json=self._rewrite(body)) as answer:
            if answer.status != 200:
                return refusal(answer.status)
            altered = self._alter(kind, body, await answer.json())
        return altered if isinstance(altered, web.Response) else web.json_response(altered)
