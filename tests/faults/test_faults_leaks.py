"""Walks left early and walks cancelled: no task and no connection stays behind.

The long runs:

    EARLY_BREAKS=10000 CANCELLATIONS=2000 pytest tests/faults/test_faults_leaks.py
"""

import asyncio
import gc
import os
import random
import warnings
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from support.clients import client_at
from support.clocks import ManualClock
from support.scripted_server import CLOSE, ScriptedServer, answer, page, then_close

from mixpeek_async import AsyncMixpeek, MixpeekError, Pager

BREAKS = int(os.environ.get("EARLY_BREAKS", "500"))
CANCELLATIONS = int(os.environ.get("CANCELLATIONS", "300"))

PAGES = [page(f"obj_{n}a", f"obj_{n}b", next_cursor=f"c{n}") for n in range(4)]
FAULTS = [CLOSE, answer(status=503), then_close(PAGES[0][:-5]), answer(status=429, headers={"Retry-After": "1"})]


def _script(luck: random.Random) -> list[Any]:
    """Pages, with a fault before some."""
    script: list[Any] = []
    for genuine in [*PAGES, page("last")]:
        if luck.random() < 0.3:
            script.append(luck.choice(FAULTS))
        script.append(genuine)
    return script


@asynccontextmanager
async def _nothing_left() -> AsyncIterator[None]:
    """What is done inside leaves no task, and nothing that a garbage collection would complain of."""
    before = asyncio.all_tasks()
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    with warnings.catch_warnings():
        warnings.simplefilter("error", ResourceWarning)
        yield
        async with asyncio.timeout(2):
            while not asyncio.all_tasks() <= before:
                await asyncio.sleep(0)
        gc.collect()
    assert complaints == []


async def _break(pager: Pager[Any], after: int) -> None:
    async for _ in pager:
        after -= 1
        if after < 0:
            break


async def _raise(pager: Pager[Any], after: int) -> None:
    with suppress(LookupError):
        async for _ in pager:
            after -= 1
            if after < 0:
                raise LookupError


async def _close_the_pager(pager: Pager[Any], after: int) -> None:
    async with pager:
        await _break(pager, after)


async def _close_the_pages(pager: Pager[Any], after: int) -> None:
    async with pager.pages() as pages:
        async for _ in pages:
            after -= 2
            if after < 0:
                break


async def _time_out(pager: Pager[Any], after: int) -> None:
    walk = aiter(pager)
    for _ in range(after):
        with suppress(TimeoutError, StopAsyncIteration):
            async with asyncio.timeout(0.0001):
                await anext(walk)


WAYS: list[Callable[[Pager[Any], int], Coroutine[Any, Any, None]]] = [
    _break, _raise, _close_the_pager, _close_the_pages, _time_out
]  # fmt: skip


async def test_walks_left_early_leave_nothing_behind() -> None:
    luck = random.Random(11)
    async with _nothing_left():
        for _ in range(BREAKS // 10):
            async with ScriptedServer(*_script(luck)) as server:
                async with client_at(server.url, clock=ManualClock(), timeout=5) as client:
                    for way in luck.choices(WAYS, k=10):
                        with suppress(MixpeekError):
                            await way(client.objects.list("bkt", page_size=2), luck.randrange(9))
                await server.until_idle()


async def _walk(client: AsyncMixpeek) -> None:
    with suppress(MixpeekError):
        await client.objects.list("bkt", page_size=2).to_list()


async def _walk_and_close(url: str) -> None:
    async with client_at(url, clock=ManualClock(), timeout=5) as client:
        await asyncio.gather(_walk(client), _walk(client))


async def test_walks_cancelled_at_random_leave_nothing_behind_and_are_out_in_50_ms() -> None:
    luck = random.Random(13)
    loop = asyncio.get_running_loop()
    slowest = 0.0
    async with _nothing_left():
        for _ in range(CANCELLATIONS):
            async with ScriptedServer(*_script(luck)) as server:
                walks = asyncio.create_task(_walk_and_close(server.url))
                await asyncio.sleep(luck.uniform(0, 0.01))
                asked = loop.time()
                walks.cancel()
                await asyncio.wait([walks])
                slowest = max(slowest, loop.time() - asked)
                await server.until_idle()
    assert slowest < 0.05


async def test_a_client_closed_under_its_walks_leaves_nothing_behind() -> None:
    luck = random.Random(17)
    async with _nothing_left():
        for _ in range(50):
            async with ScriptedServer(*_script(luck)) as server:
                client = client_at(server.url, clock=ManualClock(), timeout=5)
                walks = [asyncio.create_task(_walk(client)) for _ in range(3)]
                await asyncio.sleep(luck.uniform(0, 0.005))
                await client.aclose()
                await asyncio.wait(walks)
                assert [walk.exception() for walk in walks] == [None] * 3
                await server.until_idle()


@pytest.mark.parametrize("way", WAYS)
async def test_each_way_to_leave_a_walk_works_on_every_place_of_it(
    way: Callable[[Pager[Any], int], Coroutine[Any, Any, None]],
) -> None:
    async with _nothing_left():
        for after in range(12):
            async with ScriptedServer(*PAGES, page("last")) as server:
                async with client_at(server.url, clock=ManualClock()) as client:
                    with suppress(MixpeekError):
                        await way(client.objects.list("bkt", page_size=2), after)
                await server.until_idle()
