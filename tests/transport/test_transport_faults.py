"""What can go wrong on the way to the server and back: each fault once, then for ever."""

import asyncio
import gzip
import resource
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from asking import PATIENT, a_client, ask
from clocks import ManualClock
from scripted import (
    CLOSE,
    RESET,
    STALL,
    Action,
    ScriptedServer,
    answer,
    chunked,
    drip,
    page,
    then_close,
    then_reset,
    then_stall,
)

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

# Nothing of the answer came: asked again at once, and for free, the first time.
UNANSWERED = {"closed after the request": CLOSE, "reset after the request": RESET}
BROKEN: dict[str, Action] = {
    "closed in the headers": then_close(HEAD[:30]),
    "closed in the body": then_close(PAGE[:-5]),
    "reset in the body": then_reset(PAGE[:-5]),
    "Content-Length longer than the body": then_close(HEAD.replace(b"Content-Length: ", b"Content-Length: 1") + b"{"),
    "chunks cut": then_close(chunked(b'{"results":', b"[]")),
    "chunk size is no number": chunked() + b"xyz\r\n",
    "chunk size negative": chunked() + b"-5\r\nhello\r\n",
    "no status line": b"\x00\x01 garbage\r\n\r\n",
    "status is no number": b"HTTP/1.1 abc OK\r\n\r\n",
    "header without a colon": b"HTTP/1.1 200 OK\r\nnonsense\r\n\r\n",
    "header too long": answer(headers={"X-Long": "x" * 70_000}),
    "gzip corrupt": answer(b"this is no gzip", headers=GZIPPED),
    "gzip corrupt in the middle": answer(gzip.compress(b"[1, 2]")[:10] + b"\xff" * 100, headers=GZIPPED),
    "encoding unknown to us": answer(b"\x01\x02", headers={"Content-Encoding": "zstd"}),
}
SLOW: dict[str, Action] = {
    "stalled before the headers": STALL,
    "stalled in the headers": then_stall(HEAD[:30]),
    "stalled in the body": then_stall(PAGE[:-5]),
    "dripping": drip(PAGE, 0.05),
}


@pytest.mark.parametrize("fault", UNANSWERED.values(), ids=UNANSWERED)
async def test_a_connection_that_ends_without_an_answer_is_replaced_at_once(fault: Action) -> None:
    async with ScriptedServer(fault, PAGE) as server:
        outcome = await ask(server.url)
    assert (outcome.ids, outcome.error, outcome.slept) == (["obj_1"], None, [])
    assert len(server.requests) == 2


@pytest.mark.parametrize("fault", UNANSWERED.values(), ids=UNANSWERED)
async def test_only_the_first_resend_is_free(fault: Action) -> None:
    async with ScriptedServer(fault) as server:
        outcome = await ask(server.url, retry=PATIENT)
    assert type(outcome.error) is ConnectionFailedError
    assert (len(server.requests), len(outcome.slept)) == (1 + 5, 4)


async def test_a_connection_reset_before_the_request_is_tried_again() -> None:
    async with ScriptedServer(PAGE, refused=2) as server:
        outcome = await ask(server.url)
    assert (outcome.ids, outcome.progress.retries) == (["obj_1"], 2)
    assert server.connections == 3


@pytest.mark.parametrize("fault", BROKEN.values(), ids=BROKEN)
async def test_a_broken_answer_is_asked_for_again(fault: Action) -> None:
    async with ScriptedServer(fault, PAGE) as server:
        outcome = await ask(server.url)
    assert (outcome.ids, outcome.error, outcome.progress.requests) == (["obj_1"], None, 2)
    assert len(server.requests) == 2


@pytest.mark.parametrize("fault", BROKEN.values(), ids=BROKEN)
async def test_an_answer_that_stays_broken_is_a_failed_connection_and_no_page(fault: Action) -> None:
    async with ScriptedServer(fault) as server:
        outcome = await ask(server.url, retry=PATIENT)
    # Not a StatusError: aiohttp calls some of these "400", which the server never said.
    assert (outcome.ids, type(outcome.error)) == ([], ConnectionFailedError)
    assert len(server.requests) - len(outcome.slept) in {1, 2}
    assert len(outcome.slept) == 4


@pytest.mark.parametrize("fault", SLOW.values(), ids=SLOW)
async def test_a_slow_answer_is_asked_for_again_on_a_new_connection(fault: Action) -> None:
    async with ScriptedServer(fault, PAGE) as server:
        outcome = await ask(server.url, timeout=0.25)
    assert (outcome.ids, outcome.error, len(outcome.slept)) == (["obj_1"], None, 1)
    assert [request.connection for request in server.requests] == [0, 1]


@pytest.mark.parametrize("fault", SLOW.values(), ids=SLOW)
async def test_an_answer_that_stays_slow_is_a_time_out(fault: Action) -> None:
    async with ScriptedServer(fault) as server:
        outcome = await ask(server.url, timeout=0.05, retry=PATIENT)
    assert isinstance(outcome.error, RequestTimeoutError)
    assert isinstance(outcome.error, TimeoutError)
    assert "0.05 s" in str(outcome.error)
    assert outcome.progress.requests == 5


async def test_what_is_left_of_the_budget_bounds_an_attempt() -> None:
    async with ScriptedServer(STALL) as server, asyncio.timeout(5):
        outcome = await ask(server.url, timeout=60, retry=RetryPolicy(budget=0.05, min_wait=0.06))
    assert isinstance(outcome.error, RequestTimeoutError)
    assert outcome.progress.requests == 1


async def test_nobody_listening() -> None:
    async with ScriptedServer() as server:
        url = server.url
    outcome = await ask(url, retry=PATIENT)
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
        outcome = await ask(url, timeout=0.05, retry=PATIENT)
    assert (type(outcome.error), outcome.progress.requests) == (RequestTimeoutError, 5)


class _NoNames(AbstractResolver):
    """A DNS that knows nobody."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        raise OSError(socket.EAI_NONAME, f"nobody is called {host}")

    async def close(self) -> None:
        """Nothing to close."""


async def test_a_name_that_does_not_resolve() -> None:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(resolver=_NoNames())) as session:
        outcome = await ask("https://api.nowhere.example", session=session, retry=PATIENT)
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
    async with ScriptedServer(PAGE) as server, a_client(server.url, clock=ManualClock(), retry=PATIENT) as client:
        pager = client.objects.list("bkt", page_size=1)
        with _no_file_descriptor_left(), pytest.raises(ConnectionFailedError, match="Too many open files"):
            await pager
        assert pager.progress.requests == 5
        assert len(await pager.to_list()) == 1


async def test_a_keep_alive_that_ran_out_costs_no_wait() -> None:
    async with ScriptedServer(page("obj_1", next_cursor="c"), CLOSE, page("obj_2")) as server:
        outcome = await ask(server.url)
    assert (outcome.ids, outcome.slept) == (["obj_1", "obj_2"], [])
    assert [request.connection for request in server.requests] == [0, 0, 1]


async def test_the_free_resend_is_one_for_each_page() -> None:
    script = page("obj_1", next_cursor="c"), CLOSE, page("obj_2", next_cursor="d"), CLOSE, CLOSE, page("obj_3")
    async with ScriptedServer(*script) as server:
        outcome = await ask(server.url)
    assert (outcome.ids, len(outcome.slept)) == (["obj_1", "obj_2", "obj_3"], 1)


@pytest.mark.parametrize("attempts", [0, 1])
async def test_a_policy_of_one_attempt_never_asks_twice(attempts: int) -> None:
    async with ScriptedServer(CLOSE) as server:
        outcome = await ask(server.url, retry=RetryPolicy(attempts=attempts))
    assert isinstance(outcome.error, ConnectionFailedError)
    assert len(server.requests) == 1


async def test_a_resend_is_the_same_request_byte_for_byte() -> None:
    async with ScriptedServer(CLOSE, RESET, STALL, PAGE) as server:
        await ask(server.url, timeout=0.2)
    assert len(server.requests) == 4
    assert len({request.raw for request in server.requests}) == 1


async def test_the_progress_tells_what_the_faults_cost() -> None:
    async with ScriptedServer(then_close(b"HTTP/1.1 "), then_close(PAGE[:-1]), PAGE) as server:
        outcome = await ask(server.url)
    assert (outcome.progress.requests, outcome.progress.retries) == (3, 2)
    assert outcome.progress.waited == pytest.approx(sum(outcome.slept))


async def test_a_client_closed_between_two_pages() -> None:
    async with ScriptedServer(page("obj_1", next_cursor="c")) as server:
        client = a_client(server.url)
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
        client = a_client(server.url, session=session if shared else None)
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
        client = a_client(server.url, session=session, timeout=0.2)
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
        client = a_client(server.url)
        asking = asyncio.ensure_future(client.objects.list("bkt").to_list())
        await _under_way(server)
        async with asyncio.timeout(2):
            await client.aclose()
            with pytest.raises(ClientClosedError):
                await asking
    assert len(server.requests) == 1


async def test_closing_a_client_in_the_moment_of_a_time_out() -> None:
    async with ScriptedServer(STALL) as server:
        client = a_client(server.url, timeout=0.05)
        asking = asyncio.ensure_future(client.objects.list("bkt").to_list())
        scope = await _scope_of(client)
        while not scope.expired():
            await asyncio.sleep(0)
        assert not asking.done()
        await client.aclose()
        with pytest.raises(ClientClosedError):
            await asking


async def _scope_of(client: AsyncMixpeek) -> asyncio.Timeout:
    """The time-out that the client's only attempt runs under."""
    while not (scopes := client._transport._scopes):
        await asyncio.sleep(0)
    return next(iter(scopes))


async def test_what_nobody_foresaw_in_the_callers_session_is_an_error_of_ours() -> None:
    async def broken(*_: object) -> None:
        raise LookupError("a hook of the caller's own\x1b[31m")

    tracing = aiohttp.TraceConfig()
    tracing.on_request_start.append(broken)
    async with ScriptedServer(PAGE) as server, aiohttp.ClientSession(trace_configs=[tracing]) as session:
        outcome = await ask(server.url, session=session)
    assert type(outcome.error) is TransportError
    assert "LookupError: a hook of the caller's own\\x1b[31m" in str(outcome.error)
    assert (outcome.progress.requests, server.requests) == (1, [])
