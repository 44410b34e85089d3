"""What can go wrong on the way to the server and back: each fault once, then for ever."""

import asyncio
import resource
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from support.clients import client_at
from support.clocks import ManualClock
from support.scripted_server import (
    CLOSE,
    RESET,
    STALL,
    Action,
    ScriptedServer,
    answer,
    page,
    then_close,
    then_stall,
)
from support.walk import PATIENT, walk_bucket

from mixpeek_async import AsyncMixpeek
from mixpeek_async._retry import RetryPolicy
from mixpeek_async.errors import (
    ClientClosedError,
    ConnectionFailedError,
    RequestTimeoutError,
    TransportError,
)

PAGE = page("obj_1")
HEAD = PAGE[: PAGE.index(b"\r\n\r\n") + 4]
GZIPPED = {"Content-Encoding": "gzip"}


async def test_what_is_left_of_the_budget_bounds_an_attempt() -> None:
    async with ScriptedServer(STALL) as server, asyncio.timeout(5):
        outcome = await walk_bucket(server.url, timeout=60, retry=RetryPolicy(budget=0.05, min_wait=0.06))
    assert isinstance(outcome.error, RequestTimeoutError)
    assert outcome.progress.requests == 1


async def test_no_server_listens() -> None:
    async with ScriptedServer() as server:
        url = server.url
    outcome = await walk_bucket(url, retry=PATIENT)
    assert (type(outcome.error), outcome.progress.requests, len(outcome.slept)) == (ConnectionFailedError, 5, 4)


@asynccontextmanager
async def _deaf_socket() -> AsyncIterator[str]:
    """The URL of a socket that drops every SYN: its queue of one is full."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        callers = [socket.socket() for _ in range(3)]
        try:
            for caller in callers:
                caller.setblocking(False)
                caller.connect_ex(("127.0.0.1", port))
            yield f"http://127.0.0.1:{port}"
        finally:
            for caller in callers:
                caller.close()


async def test_a_connection_that_is_never_made_is_a_time_out() -> None:
    async with _deaf_socket() as url:
        outcome = await walk_bucket(url, timeout=0.05, retry=PATIENT)
    assert (type(outcome.error), outcome.progress.requests) == (RequestTimeoutError, 5)


class _NoNames(AbstractResolver):
    """A DNS that knows no host."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        raise OSError(socket.EAI_NONAME, f"no such host: {host}")

    async def close(self) -> None:
        """Nothing to close."""


async def test_a_name_that_does_not_resolve() -> None:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(resolver=_NoNames())) as session:
        outcome = await walk_bucket("https://api.nowhere.example", session=session, retry=PATIENT)
    assert (type(outcome.error), outcome.progress.requests) == (ConnectionFailedError, 5)
    assert "api.nowhere.example" in str(outcome.error)


@contextmanager
def _no_file_descriptor_left() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with socket.socket() as probe:
        lowest_free = probe.fileno()
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_out_of_file_descriptors() -> None:
    async with ScriptedServer(PAGE) as server, client_at(server.url, clock=ManualClock(), retry=PATIENT) as client:
        pager = client.objects.list("bkt", page_size=1)
        with _no_file_descriptor_left(), pytest.raises(ConnectionFailedError, match="Too many open files"):
            await pager
        assert pager.progress.requests == 5
        assert len(await pager.to_list()) == 1


async def test_a_keep_alive_that_ran_out_costs_no_wait() -> None:
    async with ScriptedServer(page("obj_1", next_cursor="c"), CLOSE, page("obj_2")) as server:
        outcome = await walk_bucket(server.url)
    assert (outcome.ids, outcome.slept) == (["obj_1", "obj_2"], [])
    assert [request.connection for request in server.requests] == [0, 0, 1]


async def test_the_free_resend_is_one_for_each_page() -> None:
    script = page("obj_1", next_cursor="c"), CLOSE, page("obj_2", next_cursor="d"), CLOSE, CLOSE, page("obj_3")
    async with ScriptedServer(*script) as server:
        outcome = await walk_bucket(server.url)
    assert (outcome.ids, len(outcome.slept)) == (["obj_1", "obj_2", "obj_3"], 1)


@pytest.mark.parametrize("attempts", [0, 1])
async def test_a_policy_of_one_attempt_never_asks_twice(attempts: int) -> None:
    async with ScriptedServer(CLOSE) as server:
        outcome = await walk_bucket(server.url, retry=RetryPolicy(attempts=attempts))
    assert isinstance(outcome.error, ConnectionFailedError)
    assert len(server.requests) == 1


async def test_a_resend_is_the_same_request_byte_for_byte() -> None:
    async with ScriptedServer(CLOSE, RESET, STALL, PAGE) as server:
        await walk_bucket(server.url, timeout=0.2)
    assert len(server.requests) == 4
    assert len({request.raw for request in server.requests}) == 1


async def test_the_progress_tells_what_the_faults_cost() -> None:
    async with ScriptedServer(then_close(b"HTTP/1.1 "), then_close(PAGE[:-1]), PAGE) as server:
        outcome = await walk_bucket(server.url)
    assert (outcome.progress.requests, outcome.progress.retries) == (3, 2)
    assert outcome.progress.waited == pytest.approx(sum(outcome.slept))


async def test_a_client_closed_between_two_pages() -> None:
    async with ScriptedServer(page("obj_1", next_cursor="c")) as server:
        client = client_at(server.url)
        walk = aiter(client.objects.list("bkt", page_size=1))
        await anext(walk)
        await client.aclose()
        with pytest.raises(ClientClosedError):
            await anext(walk)
    assert len(server.requests) == 1


UNDER_WAY = pytest.mark.parametrize("stall", [STALL, then_stall(PAGE[:-5])], ids=["before the answer", "in the body"])


@UNDER_WAY
@pytest.mark.parametrize("shared", [False, True], ids=["our session", "the caller's session"])
async def test_a_client_closed_under_a_request_ends_it_at_once(shared: bool, stall: Action) -> None:
    async with ScriptedServer(stall) as server, aiohttp.ClientSession() as session:
        client = client_at(server.url, session=session if shared else None)
        pager = client.objects.list("bkt")
        asking = asyncio.ensure_future(pager.to_list())
        await _under_way(server)
        async with asyncio.timeout(2):
            await client.aclose()
            with pytest.raises(ClientClosedError):
                await asking
        await server.until_idle()
    assert (len(server.requests), pager.progress.retries) == (1, 0)


@UNDER_WAY
async def test_a_session_closed_by_its_owner_under_a_request_is_no_fault_of_the_server(stall: Action) -> None:
    async with ScriptedServer(stall) as server, aiohttp.ClientSession() as session:
        # aiohttp never wakes up who reads a body of a session that is closed: only the time-out does.
        client = client_at(server.url, session=session, timeout=0.2)
        asking = asyncio.ensure_future(client.objects.list("bkt").to_list())
        await _under_way(server)
        await session.close()
        with pytest.raises(ClientClosedError):
            await asking
    assert len(server.requests) == 1


async def _under_way(server: ScriptedServer) -> None:
    """Wait until a request has come, and what is sent of its answer has gone."""
    while not server.requests:
        await asyncio.sleep(0)
    await asyncio.sleep(0.01)


async def test_a_client_closed_while_it_waits_to_try_again_does_not_wait_any_longer() -> None:
    async with ScriptedServer(answer(status=503, headers={"Retry-After": "60"})) as server:
        client = client_at(server.url)
        asking = asyncio.ensure_future(client.objects.list("bkt").to_list())
        await _under_way(server)
        async with asyncio.timeout(2):
            await client.aclose()
            with pytest.raises(ClientClosedError):
                await asking
    assert len(server.requests) == 1


async def test_a_closed_client_waits_for_no_turn() -> None:
    clock = ManualClock()
    async with ScriptedServer(PAGE) as server, client_at(server.url, clock=clock, requests_per_minute=1) as client:
        await client.objects.list("bkt", prefetch=0)
        await client.aclose()
        with pytest.raises(ClientClosedError):
            await client.objects.list("bkt", prefetch=0)
    assert (clock.slept, len(server.requests)) == ([], 1)


async def test_closing_a_client_in_the_moment_of_a_time_out() -> None:
    async with ScriptedServer(STALL) as server:
        client = client_at(server.url, timeout=0.05)
        asking = asyncio.ensure_future(client.objects.list("bkt").to_list())
        timeout = await _timeout_of(client)
        while not timeout.expired():
            await asyncio.sleep(0)
        assert not asking.done()
        await client.aclose()
        with pytest.raises(ClientClosedError):
            await asking


async def _timeout_of(client: AsyncMixpeek) -> asyncio.Timeout:
    """The time-out of the client's only attempt."""
    while not (timeouts := client._transport._timeouts._open):
        await asyncio.sleep(0)
    return next(iter(timeouts))


async def test_an_unforeseen_failure_in_the_callers_session_is_an_error_of_ours() -> None:
    async def broken(*_: object) -> None:
        raise LookupError("a hook of the caller's own\x1b[31m")

    tracing = aiohttp.TraceConfig()
    tracing.on_request_start.append(broken)
    async with ScriptedServer(PAGE) as server, aiohttp.ClientSession(trace_configs=[tracing]) as session:
        outcome = await walk_bucket(server.url, session=session)
    assert type(outcome.error) is TransportError
    assert "LookupError: a hook of the caller's own\\x1b[31m" in str(outcome.error)
    assert (outcome.progress.requests, server.requests) == (1, [])
