"""The API key is nowhere but in the request."""

import asyncio
import copy
import gc
import inspect
import logging
import pickle
import ssl
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
import trustme
from support.clocks import ManualClock
from support.scripted_server import CLOSE, STALL, Action, ScriptedServer, answer, chunked, page, then_close, then_reset
from support.secrets import Canary, chain, modules, shown

from mixpeek_async import AsyncMixpeek
from mixpeek_async._config import read_config
from mixpeek_async._retry import RetryPolicy
from mixpeek_async.errors import ConnectionFailedError, InvalidArgumentError


@pytest.fixture
def canary(monkeypatch: pytest.MonkeyPatch) -> Canary:
    return Canary(monkeypatch)


async def _error_of(client: AsyncMixpeek) -> BaseException:
    async with client:
        with pytest.raises(BaseException) as caught:  # noqa: PT011  # any: the leak is what is looked for
            await client.objects.list("bkt", page_size=1)
    return caught.value


async def test_no_error_without_a_connection_shows_it(canary: Canary) -> None:
    async with ScriptedServer() as server:
        url = server.url
    error = await _error_of(AsyncMixpeek(base_url=url, clock=ManualClock()))
    assert isinstance(error, ConnectionFailedError)
    assert not canary.is_shown_in(*shown(error))
    assert modules(error) == {"mixpeek_async"}


async def test_no_certificate_error_shows_it(canary: Canary) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    async with ScriptedServer(page(), tls=context) as server:
        error = await _error_of(AsyncMixpeek(base_url=server.url))
    assert not canary.is_shown_in(*shown(error))
    assert modules(error) == {"mixpeek_async"}


async def test_no_error_of_the_callers_own_session_shows_it(canary: Canary) -> None:
    async def broken(_: object, context: Any, params: aiohttp.TraceRequestHeadersSentParams) -> None:
        raise LookupError(f"{params!r}")

    tracing = aiohttp.TraceConfig()
    tracing.on_request_headers_sent.append(broken)
    async with ScriptedServer(STALL) as server, aiohttp.ClientSession(trace_configs=[tracing]) as session:
        error = await _error_of(AsyncMixpeek(base_url=server.url, session=session, retry=RetryPolicy(attempts=1)))
    assert not canary.is_shown_in(*shown(error))
    assert modules(error) == {"mixpeek_async"}


async def test_no_closed_client_shows_it(canary: Canary) -> None:
    client = AsyncMixpeek(base_url="http://127.0.0.1:9")
    await client.aclose()
    error = await _error_of(client)
    assert not canary.is_shown_in(*shown(error))


@pytest.mark.parametrize(
    "script",
    [(answer(status=503), CLOSE, STALL), (then_close(page("obj_1")[:-5]), STALL), (chunked(b"{"), STALL)],
    ids=["after failures", "after half a body", "in a body"],
)
async def test_a_cancellation_that_passes_through_aiohttp_shows_no_key(
    canary: Canary, script: tuple[Action, ...]
) -> None:
    cancelled = 0
    for turns in range(60):
        async with ScriptedServer(*script) as server:
            asking = asyncio.create_task(_error_of(AsyncMixpeek(base_url=server.url, clock=ManualClock())))
            for _ in range(turns):
                await asyncio.sleep(0)
            asking.cancel()
            try:
                error = await asking
            except asyncio.CancelledError as early:
                error = early
        cancelled += isinstance(error, asyncio.CancelledError)
        assert not canary.is_shown_in(*shown(error))
    assert cancelled == 60


async def test_a_cancellation_keeps_what_the_caller_was_handling(canary: Canary) -> None:
    reason = LookupError("why the caller asked")
    async with ScriptedServer(STALL) as server, AsyncMixpeek(base_url=server.url) as client:

        async def ask_again() -> None:
            try:
                raise reason
            except LookupError:
                await client.objects.list("bkt", prefetch=0)

        asking = asyncio.create_task(ask_again())
        while not server.requests:
            await asyncio.sleep(0)
        asking.cancel("enough")
        with pytest.raises(asyncio.CancelledError, match="enough") as caught:
            await asking
    assert reason in chain(caught.value)


async def test_a_time_out_of_the_callers_own_shows_no_key(canary: Canary) -> None:
    async with ScriptedServer(STALL) as server, AsyncMixpeek(base_url=server.url) as client:
        with pytest.raises(TimeoutError) as caught:
            async with asyncio.timeout(0.05):
                await client.objects.list("bkt")
    assert canary.arrived(server)
    assert not canary.is_shown_in(*shown(caught.value))


@pytest.mark.parametrize(
    ("variable", "template"),
    [
        ("MIXPEEK_API_KEY", "{}\n"),
        ("MIXPEEK_API_KEY", "Bearer {}"),
        ("MIXPEEK_NAMESPACE", " {}"),
        ("MIXPEEK_NAMESPACE", "{}\n"),
        ("MIXPEEK_BASE_URL", "https://{}@api.example"),
        ("MIXPEEK_BASE_URL", "{}"),
        ("MIXPEEK_BASE_URL", "https://api.example/?key={}"),
        ("MIXPEEK_BASE_URL", "http://{}"),
        ("MIXPEEK_BASE_URL", "https://api.example:{}"),
        ("MIXPEEK_BASE_URL", "https://[{}"),
    ],
)
def test_no_refused_setting_is_shown_from_the_environment(canary: Canary, variable: str, template: str) -> None:
    canary.put_into(variable, template)
    with pytest.raises(InvalidArgumentError) as caught:
        AsyncMixpeek()
    assert not canary.is_shown_in(*shown(caught.value))
    assert list(chain(caught.value)) == [caught.value]


@pytest.mark.parametrize(
    "settings",
    [
        {"namespace": "bad\n"},
        {"base_url": "ftp://bad"},
        {"base_url": "http://api.example"},
        {"timeout": -1},
        {"max_body_bytes": "many"},
    ],
    ids=str,
)
def test_a_good_key_is_not_shown_when_another_argument_is_refused(canary: Canary, settings: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        canary.make_client(**settings)
    assert not canary.is_shown_in(*shown(caught.value))


ARGUMENTS = [
    name for name in inspect.signature(AsyncMixpeek).parameters if name not in {"api_key", "namespace", "clock"}
]


@pytest.mark.parametrize("argument", ARGUMENTS)
def test_a_key_that_is_passed_as_another_argument_is_not_shown(canary: Canary, argument: str) -> None:
    with pytest.raises(InvalidArgumentError, match=argument) as caught:
        canary.pass_as(argument)
    assert not canary.is_shown_in(*shown(caught.value))
    assert list(chain(caught.value)) == [caught.value]


async def test_a_client_shows_no_key(canary: Canary) -> None:
    async with _used_client(canary) as client:
        assert not canary.is_shown_in(
            client, *map(repr, (client, client.objects, client._transport, client._transport._session))
        )
        assert not canary.is_shown_in(repr(client._transport._session._config))
        for part in (client, client.objects, client._transport, client._transport._session):
            with pytest.raises(TypeError):
                vars(part)


@pytest.mark.parametrize("duplicate", [pickle.dumps, copy.deepcopy], ids=["pickle", "deepcopy"])
async def test_a_client_and_what_holds_one_are_never_written_down(canary: Canary, duplicate: Any) -> None:
    async with _used_client(canary) as client:
        for holder in (client, client.objects, client.objects.list("bkt"), client._transport):
            with pytest.raises(TypeError, match="never pickled") as caught:
                duplicate(holder)
            assert not canary.is_shown_in(*shown(caught.value))


def test_the_settings_themselves_show_no_key_and_are_never_written_down(canary: Canary) -> None:
    config = read_config(None, None, None, allow_insecure=False)
    assert not canary.is_shown_in(config, repr(config))
    with pytest.raises(TypeError, match="never pickled"):
        pickle.dumps(config)


@asynccontextmanager
async def _used_client(canary: Canary) -> AsyncIterator[AsyncMixpeek]:
    """A client that has sent its key."""
    async with ScriptedServer(page("obj_1")) as server, AsyncMixpeek(base_url=server.url) as client:
        await client.objects.list("bkt")
        assert canary.arrived(server)
        yield client


async def test_no_log_line_shows_it_even_when_asyncio_logs_every_step(
    canary: Canary, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    loop = asyncio.get_running_loop()
    loop.set_debug(True)
    loop.slow_callback_duration = 0.0
    async with (
        ScriptedServer(answer(status=500), CLOSE, then_reset(page()[:-5]), STALL, page("obj_1")) as server,
        AsyncMixpeek(base_url=server.url, clock=ManualClock(), timeout=0.1) as client,
    ):
        await client.objects.list("bkt")
    assert canary.arrived(server)
    assert "asyncio" in {record.name for record in caplog.records}
    assert not canary.is_shown_in(caplog.text, *(repr(vars(record)) for record in caplog.records))


async def test_no_warning_about_a_forgotten_client_shows_it(canary: Canary, caplog: pytest.LogCaptureFixture) -> None:
    async with ScriptedServer(page(headers={"Connection": "close"})) as server:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            await AsyncMixpeek(base_url=server.url).objects.list("bkt")
            gc.collect()
    assert canary.arrived(server)
    assert "Unclosed client session" in caplog.text
    assert "Unclosed client session" in str(caught[0].message)
    assert not canary.is_shown_in(*caught, caplog.text, *(repr(vars(record)) for record in caplog.records))
