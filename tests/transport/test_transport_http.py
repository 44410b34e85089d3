"""What a caller sees of each response, and how many requests are sent."""

import gzip
import tracemalloc
from email.utils import formatdate
from typing import Any

import pytest
from support.clients import client_at
from support.clocks import ManualClock
from support.scripted_server import STALL, ScriptedServer, answer, page, then_stall
from support.walk import PATIENT, Outcome, walk_bucket

from mixpeek_async._retry import RetryPolicy
from mixpeek_async._wire import Request
from mixpeek_async.errors import (
    BadRequestError,
    MalformedResponseError,
    PermissionDeniedError,
    RateLimitError,
    RedirectError,
    RequestTimeoutError,
    ResponseTooLargeError,
    ServerError,
    StatusError,
)
from mixpeek_async.models import Progress

PAGE = page("obj_1")
JSON_ERROR = {
    "success": False,
    "error": {"message": "no such thing", "type": "SomeError", "code": "E1", "details": {"a": 1}},
}


def _error(status: int, details: dict[str, Any] | None = None, **headers: str) -> bytes:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return answer({"error": {"message": "no", "details": details or {}}}, status, headers=named)


async def test_an_error_shows_what_the_server_sent() -> None:
    async with ScriptedServer(answer(JSON_ERROR, 409, headers={"X-Request-ID": "req_7"})) as server:
        outcome = await walk_bucket(server.url)
    error = outcome.error
    assert isinstance(error, StatusError)
    assert (error.status, error.type, error.code, error.details) == (409, "SomeError", "E1", {"a": 1})
    assert (error.message, error.request_id, error.retryable) == ("409: no such thing", "req_7", False)


@pytest.mark.parametrize("status", [301, 303, 307])
async def test_a_redirect_is_never_followed(status: int) -> None:
    async with ScriptedServer(PAGE) as target:
        redirect = answer(b"", status, headers={"Location": f"{target.url}/v1/elsewhere"})
        async with ScriptedServer(redirect) as server:
            outcome = await walk_bucket(server.url)
    assert (type(outcome.error), len(server.requests), target.connections) == (RedirectError, 1, 0)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (b"null", "$"),
        (b"[]", "$"),
        (b"{}", "$"),
        (b'{"results": null}', "$.results"),
        (b'{"results": {}}', "$.results"),
        (b'{"results": [], "pagination": {"has_more": "false"}}', "$.pagination.has_more"),
        (b'{"results": [], "pagination": []}', "$.pagination"),
    ],
    ids=repr,
)
async def test_a_yes_of_the_wrong_shape_is_raised_at_once_with_its_path(body: bytes, path: str) -> None:
    async with ScriptedServer(answer(body)) as server:
        outcome = await walk_bucket(server.url)
    assert isinstance(outcome.error, MalformedResponseError)
    assert (outcome.error.path, len(server.requests)) == (path, 1)


async def test_an_error_body_is_read_for_64_kib_and_no_further() -> None:
    head = b"HTTP/1.1 403 No\r\nContent-Length: 50000000\r\n\r\n"
    # Were another byte waited for, this would be a time-out.
    async with ScriptedServer(then_stall(head + b"x" * 64 * 1024)) as server:
        outcome = await walk_bucket(server.url, timeout=5)
        await server.until_idle()
    assert (type(outcome.error), len(server.requests)) == (PermissionDeniedError, 1)


async def test_what_an_error_body_holds_behind_64_kib_is_not_even_looked_at() -> None:
    late = {"error": {"details": {"padding": "x" * 64 * 1024}, "type": "LateError"}}
    async with ScriptedServer(answer(late, 400)) as server:
        outcome = await walk_bucket(server.url)
    assert isinstance(outcome.error, BadRequestError)
    assert outcome.error.type is None


async def test_an_error_body_of_fifty_megabytes_is_not_held() -> None:
    bomb = answer(gzip.compress(b"x" * 50_000_000), 400, headers={"Content-Encoding": "gzip"})
    outcome, peak = await _peak_of_asking(bomb)
    assert type(outcome.error) is BadRequestError
    assert peak < 4_000_000


async def test_a_servers_text_is_escaped_and_cut() -> None:
    text = "\x1b[2J\x07 bell \u202e " + "long " * 1_000
    async with ScriptedServer(answer({"error": {"message": text}}, 400)) as server:
        outcome = await walk_bucket(server.url)
    said = str(outcome.error)
    assert said.startswith("400: \\x1b[2J\\x07 bell \\u202e long")
    assert len(said) == len("400: ") + 2_000
    assert said.isprintable()


async def test_a_body_of_exactly_the_cap_is_a_page() -> None:
    body = PAGE.partition(b"\r\n\r\n")[2]
    async with ScriptedServer(PAGE) as server:
        outcome = await walk_bucket(server.url, max_body_bytes=len(body))
    assert (outcome.ids, outcome.error) == (["obj_1"], None)


async def test_the_cap_is_64_mib_unless_said_otherwise() -> None:
    bomb = answer(gzip.compress(bytes(64 * 1024 * 1024 + 1), 1), headers={"Content-Encoding": "gzip"})
    async with ScriptedServer(bomb) as server:
        outcome = await walk_bucket(server.url)
    assert isinstance(outcome.error, ResponseTooLargeError)
    assert "67,108,864" in str(outcome.error)


async def test_memory_is_bounded_while_a_gzip_bomb_is_read() -> None:
    bomb = answer(gzip.compress(bytes(100_000_000), 1), headers={"Content-Encoding": "gzip"})
    outcome, peak = await _peak_of_asking(bomb, max_body_bytes=1_000_000)
    assert type(outcome.error) is ResponseTooLargeError
    assert peak < 8_000_000


async def _peak_of_asking(reply: bytes, **settings: Any) -> tuple[Outcome, int]:
    """The outcome of a walk, and the most memory that was in use meanwhile."""
    async with ScriptedServer(reply) as server:
        tracemalloc.start()
        try:
            return await walk_bucket(server.url, **settings), tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()


@pytest.mark.parametrize(
    "reply",
    [
        _error(429, Retry_After="60"),
        _error(503, {"retry_after_seconds": 60}),
        _error(429, {"retry_after": 60}),
        _error(429, Retry_After=formatdate(1_000_060, usegmt=True), Date=formatdate(1_000_000, usegmt=True)),
        _error(429, {"retry_after": 5}, Retry_After="60"),
    ],
    ids=["header", "details.retry_after_seconds", "details.retry_after", "a date, by the answer's own", "both"],
)
async def test_the_servers_own_wait_is_obeyed(reply: bytes) -> None:
    async with ScriptedServer(reply, PAGE) as server:
        outcome = await walk_bucket(server.url)
    assert outcome.ids == ["obj_1"]
    (wait,) = outcome.slept
    assert 60 <= wait <= 65


async def test_a_date_without_the_answers_own_is_judged_by_our_clock() -> None:
    clock = ManualClock(unix=1_000_000)
    async with ScriptedServer(_error(429, Retry_After=formatdate(1_000_030, usegmt=True)), PAGE) as server:
        outcome = await walk_bucket(server.url, clock=clock)
    assert 30 <= outcome.slept[0] <= 33


@pytest.mark.parametrize("advice", ["0", "-5", "nan", "inf", "garbage", "", "Thu, 01 Jan 1970 00:00:00 GMT"])
async def test_advice_that_makes_no_sense_is_no_hot_loop(advice: str) -> None:
    async with ScriptedServer(_error(503, Retry_After=advice)) as server:
        outcome = await walk_bucket(server.url, retry=PATIENT)
    assert (type(outcome.error), len(server.requests)) == (ServerError, 5)
    assert all(wait >= 0.05 for wait in outcome.slept)


async def test_a_wait_longer_than_two_minutes_is_raised_with_its_length() -> None:
    async with ScriptedServer(_error(429, Retry_After="3600")) as server:
        outcome = await walk_bucket(server.url)
    assert isinstance(outcome.error, RateLimitError)
    assert (outcome.error.retry_after, len(server.requests), outcome.slept) == (3600.0, 1, [])


async def test_retryable_false_stops() -> None:
    async with ScriptedServer(_error(503, {"retryable": False, "retry_after": 1})) as server:
        outcome = await walk_bucket(server.url)
    assert (type(outcome.error), len(server.requests)) == (ServerError, 1)


async def test_fifty_ordered_waits_are_obeyed_and_the_next_is_not() -> None:
    async with ScriptedServer(_error(429, Retry_After="1")) as server:
        outcome = await walk_bucket(server.url)
    assert (type(outcome.error), len(server.requests), len(outcome.slept)) == (RateLimitError, 51, 50)


async def test_ordered_waits_end_with_the_budget() -> None:
    async with ScriptedServer(_error(429, Retry_After="60")) as server:
        outcome = await walk_bucket(server.url)
    assert (type(outcome.error), len(outcome.slept)) == (RateLimitError, 2)
    assert sum(outcome.slept) < 180


async def test_the_budget_is_one_pages_and_not_the_walks() -> None:
    limited = _error(429, Retry_After="100")
    script = [part for n in range(5) for part in (limited, page(f"obj_{n}", next_cursor=f"c{n}"))]
    async with ScriptedServer(*script, page("last")) as server:
        outcome = await walk_bucket(server.url)
    assert (len(outcome.ids), outcome.error) == (6, None)
    assert sum(outcome.slept) >= 500


async def test_a_policy_of_ones_own_decides() -> None:
    policy = RetryPolicy(attempts=3, backoff=2.0, max_backoff=2.0, min_wait=1.0)
    async with ScriptedServer(_error(500)) as server:
        outcome = await walk_bucket(server.url, retry=policy)
    assert len(server.requests) == 3
    assert all(1.0 <= wait <= 2.0 for wait in outcome.slept)


async def test_one_budget_bounds_all_requests_for_a_page() -> None:
    async with ScriptedServer(STALL) as server, client_at(server.url, retry=RetryPolicy(budget=0.05)) as client:
        transport, progress = client._transport, Progress()
        budget = transport.budget()
        for target in ("/v1/x?limit=8", "/v1/x?limit=4"):
            with pytest.raises(RequestTimeoutError):
                await transport.call(Request(target=target), lambda answer: answer, progress, budget=budget)
        assert budget.left() <= 0
        assert [request.target for request in server.requests] == ["/v1/x?limit=8"]
    assert progress.requests == 1


async def test_a_budget_that_is_used_up_says_so() -> None:
    async with ScriptedServer(PAGE) as server, client_at(server.url, retry=RetryPolicy(budget=0)) as client:
        with pytest.raises(RequestTimeoutError, match="the page has used up its budget of 0 s"):
            await client.objects.list("bkt", page_size=1)
    assert server.requests == []


async def test_a_pause_that_outlasts_the_budget_ends_in_the_failure_before_it() -> None:
    class Sluggish(ManualClock):
        """A clock of a machine that wakes up late."""

        async def sleep(self, seconds: float, /) -> None:
            await super().sleep(seconds + 200)

    async with ScriptedServer(_error(500), PAGE) as server:
        outcome = await walk_bucket(server.url, clock=Sluggish())
    assert isinstance(outcome.error, ServerError)
    assert len(server.requests) == 1
