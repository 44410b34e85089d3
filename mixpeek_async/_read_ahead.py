"""Pages that are fetched before they are needed."""

import asyncio
from collections.abc import Coroutine, Iterable
from contextlib import suppress
from typing import Any, Protocol

from mixpeek_async._paging import ReceivedPage
from mixpeek_async.errors import MixpeekError
from mixpeek_async.models import Progress
from mixpeek_async.query import PageRequest, Position

_Outcome = ReceivedPage | MixpeekError


class Fetcher(Protocol):
    """Where pages come from, and who looks after what is under way."""

    async def fetch(self, request: PageRequest, progress: Progress, /) -> ReceivedPage:
        """The page asked for. May be asked again for the same one after a failure."""
        ...

    def start(self, work: Coroutine[Any, Any, _Outcome], /) -> asyncio.Task[_Outcome]:
        """Run `work` in the background; it ends with the client at the latest."""
        ...

    def may_try_again(self) -> bool:
        """Whether there is anything left of what all walks together may spend on tries; takes one."""
        ...


class ReadAhead:
    """Fetches under way, by the position of their page.

    What fails here fails when its page is wanted, and not before; what was not wanted in the end is cancelled.
    """

    def __init__(self, fetcher: Fetcher, progress: Progress) -> None:
        self._fetcher = fetcher
        self._progress = progress
        self._tasks: dict[Position, tuple[PageRequest, asyncio.Task[_Outcome]]] = {}
        self._closed = False

    def want(self, requests: Iterable[PageRequest]) -> None:
        """Have these under way, and no others."""
        wanted = {request.position: request for request in requests}
        self._cancel(self._tasks.keys() - wanted.keys())
        for position, request in wanted.items():
            if position not in self._tasks:
                self._tasks[position] = request, self._fetcher.start(self._fetch(request))

    async def take(self, request: PageRequest) -> tuple[PageRequest, ReceivedPage] | None:
        """The page at the position of `request`, and what it was asked for with: its limit may be another.

        None when this was closed meanwhile. Cancelling this leaves a fetch that is under way alone: the next call
        finds it.
        """
        if request.position not in self._tasks:
            self.cancel()
            return request, await self._fetcher.fetch(request, self._progress)
        asked, task = self._tasks[request.position]
        await asyncio.wait([task])
        self._tasks.pop(request.position, None)
        if self._closed:
            return None
        if task.cancelled():
            return request, await self._fetcher.fetch(request, self._progress)
        outcome = task.result()
        if isinstance(outcome, MixpeekError):
            raise outcome
        return asked, outcome

    def cancel(self) -> None:
        """Have nothing under way."""
        self._cancel(list(self._tasks))

    def close(self) -> None:
        """Have nothing under way any more, and let whoever waits for it go."""
        self._closed = True
        self.cancel()

    def drop(self) -> None:
        """The same, for a walk that nobody holds any more; the garbage collector may call from any thread."""
        tasks = [task for _, task in self._tasks.values()]
        self._tasks.clear()
        for task in tasks:
            # The walk may be dropped after its loop has ended.
            with suppress(RuntimeError):
                task.get_loop().call_soon_threadsafe(task.cancel)

    def _cancel(self, positions: Iterable[Position]) -> None:
        for position in list(positions):
            _, task = self._tasks.pop(position)
            task.cancel()

    async def _fetch(self, request: PageRequest) -> _Outcome:
        # As a value: nobody may ever come for an error that a task holds.
        try:
            return await self._fetcher.fetch(request, self._progress)
        except MixpeekError as error:
            return error
