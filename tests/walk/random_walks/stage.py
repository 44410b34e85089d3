"""Where random walks take place: a loop of virtual time, a server and a client for each."""

import asyncio
import gc
import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
import attrs
from support.bucket_server import STALL, BucketServer

from mixpeek_async import AsyncMixpeek, RetryPolicy

from .virtual_time import Deadlock, VirtualClock, VirtualLoop
from .walker import Failure, Walker
from .world import MAX_BODY, Trace, World

_WALKS_TO_COLLECT = 50


@attrs.frozen
class Outcome:
    """The outcome of a walk. `failure` is the kind of promise that was broken, None for a good walk."""

    seed: int
    failure: str | None
    text: str = ""
    stopped: bool = False
    requests: int = 0
    trace: list[str] = attrs.field(factory=list)


class Stage:
    """Walks one seed after the other. A loop in which nothing goes on any more is replaced."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._loops = 0
        self._walks = 0
        self._open()

    def _open(self) -> None:
        self._loops += 1
        self._unhandled: list[str] = []
        self._loop = VirtualLoop()
        self._loop.set_exception_handler(lambda _, context: self._unhandled.append(str(context)))
        self._path = str(Path(self._folder, f"socket{self._loops}"))
        self._server = BucketServer(lambda _: STALL, self._path)
        self._loop.run_until_complete(self._server.__aenter__())

    def close(self) -> None:
        """End the loop, whatever is left in it."""
        self._loop.run_until_complete(self._server.__aexit__(None, None, None))
        self._abandon()

    def _abandon(self) -> None:
        for _ in range(3):
            for task in asyncio.all_tasks(self._loop):
                task.cancel()
            self._loop.call_soon(self._loop.stop)
            self._loop.run_forever()
        self._loop.close()

    def walk(self, seed: int, *, trace: bool = False) -> Outcome:
        """The walk of this seed."""
        self._walks += 1
        # Not in the middle of a walk: what is closed by the collector would make it another walk.
        if self._walks % _WALKS_TO_COLLECT == 0:
            gc.collect()
        notes = Trace(on=trace)
        # The client's own jitter.
        random.seed(seed)
        self._loop.restart()
        self._unhandled.clear()
        try:
            outcome = self._loop.run_until_complete(self._walk(Random(seed), notes))
        except Failure as failure:
            return Outcome(seed, failure.kind, str(failure), trace=notes.lines)
        except Deadlock:
            self._abandon()
            self._open()
            return Outcome(seed, "deadlock", "the walk waits for nothing", trace=notes.lines)
        except Exception as error:
            return Outcome(seed, f"crash: {type(error).__name__}", repr(error), trace=notes.lines)
        if self._unhandled:
            return Outcome(seed, "unhandled", self._unhandled[0], trace=notes.lines)
        return attrs.evolve(outcome, seed=seed, trace=notes.lines)

    async def _walk(self, chance: Random, trace: Trace) -> Outcome:
        world = World(chance, trace)
        session = aiohttp.ClientSession(connector=aiohttp.UnixConnector(self._path))
        clients: list[AsyncMixpeek] = []
        options: dict[str, Any] = {
            "retry": RetryPolicy(attempts=world.attempts),
            "requests_per_minute": 30 if chance.random() < 0.05 else None,
        }
        if world.heavy:
            options["max_body_bytes"] = MAX_BODY

        def make_client() -> AsyncMixpeek:
            clients.append(self._server.client(session=session, clock=VirtualClock(), **options))
            return clients[-1]

        def answer(request: Any) -> Any:
            self._loop.keep_alive()
            return world.answer(request)

        self._server.answer = answer
        self._server.requests.clear()
        crowd = 1 if chance.random() < 0.93 else chance.randint(2, 5)
        shared = make_client()
        walkers = [
            Walker(world, Random(chance.random()), make_client if crowd == 1 else lambda: shared, trace, f"W{number}")
            for number in range(crowd)
        ]
        try:
            await _all(walkers)
        finally:
            for client in clients:
                await client.aclose()
            await session.close()
            self._server.answer = lambda _: STALL
            # All timers that are left, and what is still in a socket.
            await asyncio.sleep(10_000)
        return Outcome(0, None, stopped=any(walker.over for walker in walkers), requests=world.requests)


async def _all(walkers: list[Walker]) -> None:
    """Run several walkers at once; the first failure ends all."""
    tasks = [asyncio.ensure_future(walker.run()) for walker in walkers]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in tasks:
            if task.done():
                task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


@contextmanager
def staged() -> Iterator[Stage]:
    """A stage for as long as it is needed. The garbage collector runs between walks only."""
    gc.disable()
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(folder)
        try:
            yield stage
        finally:
            stage.close()
            gc.enable()
