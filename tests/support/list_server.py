"""A server on a real socket whose list answers are made by a Python function."""

from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, Self

import attrs
from aiohttp import web

from mixpeek_async import AsyncMixpeek
from support.clients import client_at
from support.clocks import ManualClock
from support.serving import serve

__all__ = ["Answer", "ListServer", "Query", "objects"]


@attrs.frozen
class Query:
    """The paging and the body of one request; `number` counts from 1."""

    number: int
    limit: int
    offset: int
    cursor: str | None
    params: dict[str, str]
    body: dict[str, Any] | None = None


Answer = Callable[[Query], Any]
"""The JSON body that answers a query; an `aiohttp.web.Response` is sent as it is."""


def objects(ids: Iterable[Any]) -> list[dict[str, Any]]:
    """The least that an object can be, one for each id."""
    return [{"object_id": str(id_), "bucket_id": "bkt_test"} for id_ in ids]


class ListServer:
    """Answers every request with what `answer` makes of it, and remembers what was asked."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.queries: list[Query] = []
        self.clock = ManualClock()

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/v1/buckets/{bucket}/objects/list", self._list)
        app.router.add_post("/v1/buckets/list", self._list)
        self._runner, self.url = await serve(app)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    def client(self, **options: Any) -> AsyncMixpeek:
        """A client of this server, whose waits take no time."""
        return client_at(self.url, clock=self.clock, **options)

    async def _list(self, request: web.Request) -> web.StreamResponse:
        params = dict(request.query)
        query = Query(
            number=len(self.queries) + 1,
            limit=int(params.get("limit", 10)),
            offset=int(params.get("offset", 0)),
            cursor=params.get("cursor"),
            params=params,
            body=await request.json() if request.can_read_body else None,
        )
        self.queries.append(query)
        body = self._answer(query)
        return body if isinstance(body, web.StreamResponse) else web.json_response(body)
