"""Pages that are fetched before they are needed."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextlib import suppress
from typing import Any

from mixpeek_async._options import PageRequest, PageStart
from mixpeek_async._paging import ReceivedPage
from mixpeek_async.errors import MixpeekError

Outcome = ReceivedPage | MixpeekError


class ReadAhead:
    """Fetches in the background, by the start of their page.

    `fetch` gets a page; `start` runs a coroutine in the background until the client closes. A failed fetch raises when
    its page is needed, and not before.
    """

    def __init__(
        self,
        fetch: Callable[[PageRequest], Awaitable[ReceivedPage]],
        start: Callable[[Coroutine[Any, Any, Outcome]], "asyncio.Task[Outcome]"],
    ) -> None:
        self._fetch = fetch
        self._start = start
        self._tasks: dict[PageStart, tuple[PageRequest, asyncio.Task[Outcome]]] = {}
        self._closed = False

    def schedule(self, requests: Iterable[PageRequest]) -> None:
        """Fetch these pages in the background, and cancel all others."""
        wanted = {request.start: request for request in requests}
        self._cancel(self._tasks.keys() - wanted.keys())
        for start, request in wanted.items():
            if start not in self._tasks:
                self._tasks[start] = request, self._start(self._fetch_outcome(request))

    async def pop(self, request: PageRequest) -> tuple[PageRequest, ReceivedPage] | None:
        """The page at the start of `request`, and the request that fetched it: its limit may be another one.

        None if this was closed meanwhile. If this call is cancelled, the fetch goes on, and the next call finds it.
        """
        if request.start not in self._tasks or request.ids_only:
            self.cancel()
            return request, await self._fetch(request)
        asked, task = self._tasks[request.start]
        if not task.done():
            await asyncio.wait([task])
        self._tasks.pop(request.start, None)
        if self._closed:
            return None
        if task.cancelled():
            return request, await self._fetch(request)
        outcome = task.result()
        if isinstance(outcome, MixpeekError):
            raise outcome
        return asked, outcome

    def cancel(self) -> None:
        """Cancel all fetches."""
        self._cancel(list(self._tasks))

    def close(self) -> None:
        """Cancel all fetches for good, and release a caller of `pop` that waits for one."""
        self._closed = True
        self.cancel()

    def cancel_threadsafe(self) -> None:
        """Cancel all fetches, from any thread: the garbage collector calls this for a walk that was dropped."""
        tasks = [task for _, task in self._tasks.values()]
        self._tasks.clear()
        for task in tasks:
            # The walk may be dropped after its loop has ended.
            with suppress(RuntimeError):
                task.get_loop().call_soon_threadsafe(task.cancel)

    def _cancel(self, starts: Iterable[PageStart]) -> None:
        for start in list(starts):
            _, task = self._tasks.pop(start)
            task.cancel()

    async def _fetch_outcome(self, request: PageRequest) -> Outcome:
        # The error is a value here: asyncio warns about a task whose error is never retrieved.
        try:
            return await self._fetch(request)
        except MixpeekError as error:
            return error
