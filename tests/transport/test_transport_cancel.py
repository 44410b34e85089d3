"""Cancelled at any await: out at once, with no task and no connection left."""

import asyncio
import random
import ssl
from contextlib import suppress
from typing import Any

import aiohttp
import pytest
import trustme
from support.clients import client_at
from support.clocks import ManualClock
from support.scripted_server import CLOSE, STALL, Action, ScriptedServer, answer, drip, page, then_stall

from mixpeek_async.errors import MixpeekError

PAGES = page("obj_1", next_cursor="c"), page("obj_2", next_cursor="d"), page("obj_3")
SCRIPTS: dict[str, tuple[Action, ...]] = {
    "answers": PAGES,
    "failures and waits": (answer(status=503), CLOSE, answer(status=429, headers={"Retry-After": "1"}), *PAGES),
    "a stall": (STALL,),
    "half a body": (then_stall(PAGES[0][:-5]),),
    "a drip": (drip(PAGES[0], 0.001), *PAGES[1:]),
}


async def _walk(server: ScriptedServer, session: aiohttp.ClientSession | None = None) -> None:
    async with client_at(server.url, clock=ManualClock(), session=session) as client:
        await client.objects.list("bkt", page_size=1).to_list()


async def _cancelled(walk: "asyncio.Task[None]") -> bool:
    """Whether the walk ended by its cancellation, and not before it. It has 50 ms."""
    loop = asyncio.get_running_loop()
    before = loop.time()
    walk.cancel()
    with suppress(asyncio.CancelledError):
        await walk
    assert loop.time() - before < 0.05
    return walk.cancelled()


async def _until_only(tasks: "set[asyncio.Task[Any]]") -> None:
    """Wait until no other task is left. The server's own take a turn or two; two seconds are for none."""
    async with asyncio.timeout(2):
        while not asyncio.all_tasks() <= tasks:
            await asyncio.sleep(0)


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
async def test_cancelled_at_any_turn_of_the_loop(script: tuple[Action, ...]) -> None:
    cut_off = 0
    for turns in range(60):
        async with ScriptedServer(*script) as server:
            others = asyncio.all_tasks()
            walk = asyncio.create_task(_walk(server))
            for _ in range(turns):
                await asyncio.sleep(0)
            cut_off += await _cancelled(walk)
            await server.until_idle()
            await _until_only(others)
    assert cut_off > 10


async def test_cancelled_at_random_moments() -> None:
    for _ in range(60):
        async with ScriptedServer(*SCRIPTS["failures and waits"]) as server:
            others = asyncio.all_tasks()
            walk = asyncio.create_task(_walk(server))
            await asyncio.sleep(random.uniform(0, 0.01))
            await _cancelled(walk)
            await server.until_idle()
            await _until_only(others)


async def test_cancelled_in_a_handshake() -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    for turns in range(20):
        unchecked = aiohttp.TCPConnector(ssl=False)
        async with (
            ScriptedServer(STALL, tls=context) as server,
            aiohttp.ClientSession(connector=unchecked) as session,
        ):
            others = asyncio.all_tasks()
            walk = asyncio.create_task(_walk(server, session))
            for _ in range(turns):
                await asyncio.sleep(0)
            assert await _cancelled(walk)
            await server.until_idle()
            await _until_only(others)


async def test_a_client_goes_on_after_one_of_its_requests_was_cancelled() -> None:
    async with ScriptedServer(STALL, PAGES[-1]) as server, client_at(server.url) as client:
        with pytest.raises(TimeoutError) as caught:
            async with asyncio.timeout(0.05):
                await client.objects.list("bkt")
        # The caller's time-out, not an error of ours.
        assert not isinstance(caught.value, MixpeekError)
        assert len(await client.objects.list("bkt").to_list()) == 1
        assert [request.connection for request in server.requests] == [0, 1]


async def test_one_cancelled_call_leaves_those_beside_it_alone() -> None:
    async with ScriptedServer(STALL, PAGES[-1]) as server, client_at(server.url) as client:
        stalled = asyncio.ensure_future(client.objects.list("bkt").to_list())
        while not server.requests:
            await asyncio.sleep(0)
        other = asyncio.ensure_future(client.objects.list("bkt").to_list())
        stalled.cancel()
        assert len(await other) == 1
        assert stalled.cancelled()
