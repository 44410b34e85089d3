"""What a client reports to hooks and to the log. Neither can stop a walk."""

import logging
from collections.abc import Callable, Iterator
from typing import Any

import aiohttp
import attrs
import pytest
from support.clients import client_at, connect
from support.clocks import ManualClock
from support.scripted_server import CLOSE, Action, ScriptedServer, answer, page
from support.walk import PATIENT, walk_bucket

from mixpeek_async import (
    AsyncMixpeek,
    Hooks,
    InvalidArgumentError,
    PageReceived,
    RequestSent,
    ResponseReceived,
    RetryScheduled,
    ServerError,
    Throttled,
)
from mixpeek_async.emulator import Emulator
from mixpeek_async.errors import ConnectionFailedError, TransportError

PAGE = page("obj_1", headers={"X-Request-ID": "req_1"})
BUSY = answer({"error": {"message": "busy"}}, 503, headers={"X-Request-ID": "req_0", "Retry-After": "2"})
# The limit of requests is used up for longer than the server is busy: after the retry's wait there is another one.
USED_UP = {
    "Retry-After": "2",
    "Date": "Mon, 03 Mar 2025 08:00:00 GMT",
    "X-RateLimit-Remaining": "0",
    "X-RateLimit-Reset": "1740988805",
}
BUSY_AND_USED_UP = answer({"error": {"message": "busy"}}, 503, headers=USED_UP)
NAMES = [field.name for field in attrs.fields(Hooks)]


def _all(hook: Callable[[Any], object]) -> Hooks:
    """The same hook for everything."""
    return Hooks(request=hook, response=hook, retry=hook, throttle=hook, page=hook)


async def _events(*script: Action, **settings: Any) -> list[Any]:
    """All events of a walk, in the order in which they came."""
    events: list[Any] = []
    async with ScriptedServer(*script) as server:
        await walk_bucket(server.url, hooks=_all(events.append), **settings)
    return events


async def test_a_walk_is_reported_as_it_happens() -> None:
    events = await _events(BUSY, PAGE)
    kinds = [RequestSent, ResponseReceived, RetryScheduled, RequestSent, ResponseReceived, PageReceived]
    assert [type(event) for event in events] == kinds


async def test_a_request_is_reported_with_its_address_and_its_number() -> None:
    first, *_, second = [event for event in await _events(BUSY, PAGE) if isinstance(event, RequestSent)]
    assert first.method == "POST"
    assert first.url.endswith("/v1/buckets/bkt/objects/list?limit=1")
    assert second == attrs.evolve(first, attempt=2)


async def test_an_answer_is_reported_with_its_size_and_its_request_id() -> None:
    busy, good = [event for event in await _events(BUSY, PAGE) if isinstance(event, ResponseReceived)]
    assert (busy.status, busy.attempt, busy.request_id) == (503, 1, "req_0")
    assert (good.status, good.attempt, good.request_id) == (200, 2, "req_1")
    assert good.size == len(PAGE.partition(b"\r\n\r\n")[2])
    assert good.seconds >= 0


async def test_a_retry_is_reported_before_the_wait() -> None:
    (retry,) = [event for event in await _events(BUSY, PAGE) if isinstance(event, RetryScheduled)]
    assert isinstance(retry.error, ServerError)
    assert (retry.attempt, retry.method) == (1, "POST")
    assert 2.0 <= retry.wait <= 2.2


async def test_a_wait_for_the_rate_limit_is_reported_before_it(caplog: pytest.LogCaptureFixture) -> None:
    events: list[Any] = []
    clock = ManualClock()
    caplog.set_level(logging.INFO, "mixpeek_async")
    async with (
        Emulator(objects=3) as emulator,
        connect(emulator, hooks=_all(events.append), clock=clock, requests_per_minute=2) as client,
    ):
        await client.objects.list(emulator.bucket, page_size=1, prefetch=0).to_list()
    (throttled,) = [event for event in events if isinstance(event, Throttled)]
    assert isinstance(events[events.index(throttled) + 1], RequestSent)
    assert clock.slept == [throttled.seconds] == [60.0]
    assert "waiting for the rate limit" in caplog.messages


async def test_a_connection_that_breaks_has_no_answer_but_a_retry() -> None:
    events = await _events(CLOSE, PAGE)
    assert [type(event) for event in events[:3]] == [RequestSent, RetryScheduled, RequestSent]
    assert isinstance(events[1].error, ConnectionFailedError)


async def test_a_page_is_reported_with_its_place() -> None:
    events = await _events(page("obj_0", next_cursor="c"), PAGE)
    pages = [event for event in events if isinstance(event, PageReceived)]
    path = "/v1/buckets/bkt/objects/list"
    assert pages == [
        PageReceived(path=path, offset=0, limit=1, rows=1),
        PageReceived(path=path, offset=None, limit=1, rows=1),
    ]


async def test_the_value_of_a_cursor_is_never_shown(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    events = await _events(page("obj_1", next_cursor="secret&limit=9"), CLOSE, PAGE)
    urls = [event.url for event in events if not isinstance(event, PageReceived)]
    assert urls[-1].endswith("?limit=1&cursor=…")
    assert not any("secret" in url for url in urls)
    assert "secret" not in caplog.text


async def test_what_the_server_calls_a_request_is_escaped_and_cut() -> None:
    named = page("obj_1", headers={"X-Request-ID": "\x1b[31m" + "x" * 1_000})
    events = await _events(named)
    assert events[1].request_id.startswith("\\x1b[31mxxx")
    assert len(events[1].request_id) == 200


async def test_an_event_cannot_be_changed() -> None:
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        (await _events(PAGE))[0].attempt = 7


# --- hooks that fail ---


class _Failing:
    """A hook, and a handler, that raises each time, and counts how often."""

    def __init__(self) -> None:
        self.called = 0

    def __call__(self, _: object) -> None:
        self.called += 1
        raise LookupError("a mistake of the caller's own")


@pytest.mark.parametrize("name", NAMES)
async def test_a_hook_that_raises_stops_nothing_and_is_logged_once(name: str, caplog: pytest.LogCaptureFixture) -> None:
    hook = _Failing()
    script = BUSY_AND_USED_UP, page("obj_0", next_cursor="c"), BUSY_AND_USED_UP, PAGE
    async with ScriptedServer(*script) as server:
        outcome = await walk_bucket(server.url, hooks=Hooks(**{name: hook}))
    assert (outcome.ids, outcome.error) == (["obj_0", "obj_1"], None)
    assert hook.called >= 2
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("mixpeek_async", "ERROR")
    assert f"hook '{name}' raised" in record.getMessage()
    assert "a mistake of the caller's own" in caplog.text


async def test_each_hook_that_raises_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async with ScriptedServer(BUSY_AND_USED_UP, PAGE) as server:
        await walk_bucket(server.url, hooks=_all(_Failing()))
    assert len(caplog.records) == len(NAMES)


class _FailingHandler(logging.Handler):
    """A handler that is broken; `fails` says for how many records."""

    def __init__(self, fails: int) -> None:
        super().__init__()
        self.fails = fails
        self.kept: list[logging.LogRecord] = []

    def handle(self, record: logging.LogRecord) -> bool:
        self.kept.append(record)
        self.fails -= 1
        if self.fails >= 0:
            raise LookupError("the disk is full")
        return True


@pytest.fixture
def log() -> Iterator[logging.Logger]:
    logger = logging.getLogger("mixpeek_async")
    handlers, level = logger.handlers[:], logger.level
    logger.setLevel(logging.DEBUG)
    yield logger
    logger.handlers[:] = handlers
    logger.setLevel(level)


@pytest.mark.parametrize("fails", [1, 10_000])
async def test_a_log_handler_that_raises_stops_nothing(log: logging.Logger, fails: int) -> None:
    handler = _FailingHandler(fails)
    log.addHandler(handler)
    async with ScriptedServer(BUSY, CLOSE, PAGE) as server:
        outcome = await walk_bucket(server.url, retry=PATIENT)
    assert (outcome.ids, outcome.error) == (["obj_1"], None)
    told = [record for record in handler.kept if record.levelno == logging.ERROR]
    assert [record.getMessage() for record in told] == ["the log handler raised an exception; ignored (logged once)"]


async def test_a_hook_that_stops_the_program_does() -> None:
    def stop(_: object) -> None:
        raise KeyboardInterrupt

    async with ScriptedServer(PAGE) as server, client_at(server.url, hooks=Hooks(request=stop)) as client:
        pager = client.objects.list("bkt", prefetch=0)
        with pytest.raises(KeyboardInterrupt):
            # Not in a task of its own: asyncio lets it out of the loop, and not out of an await.
            pager.__await__().send(None)


# --- the log ---


async def test_a_request_is_one_line_and_so_is_a_retry(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "mixpeek_async")
    async with ScriptedServer(BUSY, CLOSE, PAGE) as server:
        await walk_bucket(server.url)
        url = f"{server.url}/v1/buckets/bkt/objects/list?limit=1"
    lines = [record.getMessage() for record in caplog.records if record.name == "mixpeek_async"]
    assert [line.removeprefix(f"POST {url}: ").partition(",")[0].partition(";")[0] for line in lines] == [
        "attempt 1: 503",
        "attempt 1: ServerError 503",
        "attempt 2: ConnectionFailedError",
        "attempt 2: ConnectionFailedError",
        "attempt 3: 200",
    ]
    assert [record.levelname for record in caplog.records if record.name == "mixpeek_async"] == [
        "DEBUG", "INFO", "DEBUG", "INFO", "DEBUG"
    ]  # fmt: skip


async def test_an_answer_without_an_id_says_so(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "mixpeek_async")
    async with ScriptedServer(page("obj_1")) as server:
        await walk_bucket(server.url)
    assert "request without an id" in caplog.text


async def test_no_line_holds_anything_of_a_body(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    words = answer({"error": {"message": "hunter2", "details": {"hunter2": "hunter2"}}}, 500)
    async with ScriptedServer(words, answer(b"<hunter2>"), page("hunter2")) as server:
        await walk_bucket(server.url)
    assert "hunter2" not in caplog.text


async def test_an_answer_that_is_too_large_has_a_line_too(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "mixpeek_async")
    async with ScriptedServer(PAGE) as server:
        await walk_bucket(server.url, max_body_bytes=10)
    assert "attempt 1: ResponseTooLargeError" in caplog.text


async def test_no_retry_is_shown_by_default(capfd: pytest.CaptureFixture[str]) -> None:
    async with ScriptedServer(BUSY, PAGE) as server:
        await walk_bucket(server.url)
    assert capfd.readouterr() == ("", "")


# --- what is taken ---


async def _waiting(_: object) -> None:
    raise AssertionError("never called")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("value", "problem"), [(_waiting, "plain function"), ("sk_a_key", "a function or None, not str")]
)
def test_a_hook_is_a_plain_function(name: str, value: Any, problem: str) -> None:
    with pytest.raises(InvalidArgumentError, match=f"^{name} must be .*{problem}"):
        Hooks(**{name: value})


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"hooks": {"request": print}}, "hooks"),
        ({"hooks": print}, "hooks"),
        ({"trace_configs": 7}, "trace_configs must be a list of aiohttp.TraceConfig"),
        ({"trace_configs": [print]}, "trace_configs must be a list of aiohttp.TraceConfig"),
    ],
    ids=str,
)
def test_what_is_no_hook_and_no_trace_is_refused(settings: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidArgumentError, match=problem):
        client_at("http://127.0.0.1:9", **settings)


# --- aiohttp's own traces ---


def _tracing(seen: list[str]) -> aiohttp.TraceConfig:
    async def end(_: object, __: object, params: aiohttp.TraceRequestEndParams) -> None:
        seen.append(f"{params.method} {params.response.status}")

    tracing = aiohttp.TraceConfig()
    tracing.on_request_end.append(end)
    return tracing


async def test_a_trace_sees_every_request() -> None:
    seen: list[str] = []
    async with ScriptedServer(BUSY, PAGE) as server:
        await walk_bucket(server.url, trace_configs=(_tracing(seen), _tracing(seen)))
    assert seen == ["POST 503"] * 2 + ["POST 200"] * 2


async def test_traces_for_the_callers_session_are_the_callers_to_set() -> None:
    async with aiohttp.ClientSession() as session:
        with pytest.raises(InvalidArgumentError, match=r"pass them to yours, ClientSession\(trace_configs=…\)"):
            AsyncMixpeek("sk", namespace="ns", session=session, trace_configs=[_tracing([])])


async def test_a_trace_that_raises_fails_its_request() -> None:
    async def broken(*_: object) -> None:
        raise LookupError("a mistake of the caller's own")

    tracing = aiohttp.TraceConfig()
    tracing.on_request_start.append(broken)
    async with ScriptedServer(PAGE) as server:
        outcome = await walk_bucket(server.url, trace_configs=[tracing])
    assert type(outcome.error) is TransportError
    assert server.requests == []
