"""The API key is nowhere but in the request."""

import asyncio
import copy
import gc
import logging
import pickle
import secrets
import ssl
import traceback
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
import trustme
from asking import PATIENT
from clocks import ManualClock
from scripted import CLOSE, RESET, STALL, Action, ScriptedServer, answer, chunked, page, then_close, then_reset

from mixpeek_async import AsyncMixpeek
from mixpeek_async._config import read_config
from mixpeek_async._retry import RetryPolicy
from mixpeek_async.errors import ConnectionFailedError, InvalidArgumentError, MixpeekError


class Canary:
    """A key that only the environment holds: no frame of a test shows it, so that whoever does has leaked it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self._secret = secrets.token_hex(16)
        self.put_into("MIXPEEK_API_KEY")
        monkeypatch.setenv("MIXPEEK_NAMESPACE", "ns")

    def put_into(self, variable: str, template: str = "{}") -> None:
        """Set an environment variable to the key, or to a text around it."""
        self._monkeypatch.setenv(variable, template.format(f"sk_{self._secret}"))

    def make_client(self, **settings: Any) -> AsyncMixpeek:
        """A client that got the key as an argument."""
        return AsyncMixpeek(f"sk_{self._secret}", **settings)

    def sings(self, *shown: object) -> bool:
        """Whether the key is in any of these texts."""
        return any(self._secret in str(text) for text in shown)

    def arrived(self, server: ScriptedServer) -> bool:
        """Whether each of the server's requests carried it, so that there was something to leak."""
        return bool(server.requests) and all(
            request.headers["authorization"] == f"Bearer sk_{self._secret}" for request in server.requests
        )


@pytest.fixture
def canary(monkeypatch: pytest.MonkeyPatch) -> Canary:
    return Canary(monkeypatch)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and all that it came from."""
    seen: set[int] = set()
    todo = [error]
    while todo:
        link = todo.pop()
        if link is not None and id(link) not in seen:
            seen.add(id(link))
            yield link
            todo += [link.__cause__, link.__context__]


def _shown(error: BaseException) -> Iterator[str]:
    """All that a logger, a crash reporter or a debugger shows of an error."""
    report = traceback.TracebackException(type(error), error, error.__traceback__, capture_locals=True)
    yield "".join(report.format())
    for link in _chain(error):
        yield from (repr(link), str(link), repr(vars(link)), repr(link.args))
        for frame, _ in traceback.walk_tb(link.__traceback__):
            yield from map(repr, frame.f_locals.values())
        if isinstance(link, MixpeekError):
            yield from (repr(pickle.dumps(link)), repr(vars(copy.deepcopy(link))))


def _modules(error: BaseException) -> set[str]:
    """The top-level modules that the errors of a chain are from."""
    return {type(link).__module__.partition(".")[0] for link in _chain(error)}


async def _error_of(client: AsyncMixpeek) -> BaseException:
    async with client:
        with pytest.raises(BaseException) as caught:  # noqa: PT011  # any: the leak is what is looked for
            await client.objects.list("bkt", page_size=1)
    return caught.value


FAULTS: dict[str, Action] = {
    "closed": CLOSE,
    "reset": RESET,
    "reset in the body": then_reset(page("obj_1")[:-5]),
    "cut": then_close(page("obj_1")[:-5]),
    "chunk size": chunked() + b"xyz\r\n",
    "garbage": b"garbage\r\n\r\n",
    "stalled": STALL,
    "no JSON": answer(b"<html>"),
    "wrong shape": answer([]),
    "too large": answer(b"x" * 1_001),
    "unresolved": page(headers={"X-Namespace-Unresolved": "1"}),
    **{str(status): answer({"error": "no"}, status) for status in (302, 400, 401, 403, 404, 409, 422, 429, 500)},
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_no_error_shows_the_key_nor_comes_from_aiohttp(canary: Canary, fault: Action) -> None:
    async with ScriptedServer(fault) as server:
        error = await _error_of(
            AsyncMixpeek(base_url=server.url, clock=ManualClock(), timeout=0.05, retry=PATIENT, max_body_bytes=1_000)
        )
    assert canary.arrived(server)
    assert not canary.sings(*_shown(error))
    assert _modules(error) == {"mixpeek_async"}
    assert list(_chain(error)) == [error]


async def test_no_error_without_a_connection_shows_it(canary: Canary) -> None:
    async with ScriptedServer() as server:
        url = server.url
    error = await _error_of(AsyncMixpeek(base_url=url, clock=ManualClock()))
    assert isinstance(error, ConnectionFailedError)
    assert not canary.sings(*_shown(error))
    assert _modules(error) == {"mixpeek_async"}


async def test_no_certificate_error_shows_it(canary: Canary) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    async with ScriptedServer(page(), tls=context) as server:
        error = await _error_of(AsyncMixpeek(base_url=server.url))
    assert not canary.sings(*_shown(error))
    assert _modules(error) == {"mixpeek_async"}


async def test_no_error_of_the_callers_own_session_shows_it(canary: Canary) -> None:
    async def broken(_: object, context: Any, params: aiohttp.TraceRequestHeadersSentParams) -> None:
        raise LookupError(f"{params!r}")

    tracing = aiohttp.TraceConfig()
    tracing.on_request_headers_sent.append(broken)
    async with ScriptedServer(STALL) as server, aiohttp.ClientSession(trace_configs=[tracing]) as session:
        error = await _error_of(AsyncMixpeek(base_url=server.url, session=session, retry=RetryPolicy(attempts=1)))
    assert not canary.sings(*_shown(error))
    assert _modules(error) == {"mixpeek_async"}


async def test_no_closed_client_shows_it(canary: Canary) -> None:
    client = AsyncMixpeek(base_url="http://127.0.0.1:9")
    await client.aclose()
    error = await _error_of(client)
    assert not canary.sings(*_shown(error))


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
        assert not canary.sings(*_shown(error))
    assert cancelled == 60


async def test_a_time_out_of_the_callers_own_shows_no_key(canary: Canary) -> None:
    async with ScriptedServer(STALL) as server, AsyncMixpeek(base_url=server.url) as client:
        with pytest.raises(TimeoutError) as caught:
            async with asyncio.timeout(0.05):
                await client.objects.list("bkt")
    assert canary.arrived(server)
    assert not canary.sings(*_shown(caught.value))


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
    assert not canary.sings(*_shown(caught.value))
    assert list(_chain(caught.value)) == [caught.value]


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
    assert not canary.sings(*_shown(caught.value))


async def test_a_client_shows_no_key(canary: Canary) -> None:
    async with _used_client(canary) as client:
        assert not canary.sings(client, *map(repr, (client, client.objects, client._transport)))
        assert not canary.sings(repr(client._transport._headers))
        for part in (client, client.objects, client._transport):
            with pytest.raises(TypeError):
                vars(part)


@pytest.mark.parametrize("duplicate", [pickle.dumps, copy.deepcopy], ids=["pickle", "deepcopy"])
async def test_a_client_and_what_holds_one_are_never_written_down(canary: Canary, duplicate: Any) -> None:
    async with _used_client(canary) as client:
        for holder in (client, client.objects, client.objects.list("bkt"), client._transport):
            with pytest.raises(TypeError, match="never pickled") as caught:
                duplicate(holder)
            assert not canary.sings(*_shown(caught.value))


def test_the_settings_themselves_show_no_key_and_are_never_written_down(canary: Canary) -> None:
    config = read_config(None, None, None, allow_insecure=False)
    assert not canary.sings(config, repr(config))
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
    assert not canary.sings(caplog.text, *(repr(vars(record)) for record in caplog.records))


async def test_no_warning_about_a_forgotten_client_shows_it(canary: Canary, caplog: pytest.LogCaptureFixture) -> None:
    async with ScriptedServer(page(headers={"Connection": "close"})) as server:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            await AsyncMixpeek(base_url=server.url).objects.list("bkt")
            gc.collect()
    assert canary.arrived(server)
    assert "Unclosed client session" in caplog.text
    assert "Unclosed client session" in str(caught[0].message)
    assert not canary.sings(*caught, caplog.text, *(repr(vars(record)) for record in caplog.records))
