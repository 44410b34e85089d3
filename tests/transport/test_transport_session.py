"""What every request carries, and whose session it travels over."""

import asyncio
import gzip
import importlib.metadata
import sys
import warnings
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from support.clients import client_at
from support.clocks import ManualClock
from support.scripted_server import Connection, ScriptedServer, answer, page
from support.walk import walk_bucket

from mixpeek_async._config import Config, Secret
from mixpeek_async._http_session import HttpSession, user_agent
from mixpeek_async._rate_limiter import RateLimiter
from mixpeek_async._retry import RetryPolicy
from mixpeek_async._telemetry import Telemetry
from mixpeek_async._transport import Transport
from mixpeek_async._wire import Request
from mixpeek_async.errors import (
    ClientClosedError,
    ConnectionFailedError,
    InvalidArgumentError,
    NotFoundError,
    TransportError,
)
from mixpeek_async.models import Progress

PAGE = page("obj_1")


async def test_every_request_carries_key_namespace_and_name() -> None:
    async with ScriptedServer(page("obj_1", next_cursor="c"), page("obj_2")) as server:
        await walk_bucket(server.url, api_key="sk_1", namespace="ns of mine")
    version = importlib.metadata.version("mixpeek-async")
    for request in server.requests:
        assert request.method == "POST"
        assert request.headers["authorization"] == "Bearer sk_1"
        assert request.headers["x-namespace"] == "ns of mine"
        assert request.headers["accept"] == "application/json"
        assert request.headers["user-agent"].startswith(f"mixpeek-async/{version} aiohttp/")
    assert len(server.requests) == 2


BROTLI = """
class Decompressor:
    def process(self, data{more}):
        return b"hello"
    def is_finished(self):
        return True
"""


@pytest.mark.parametrize(
    ("brotli", "encodings"),
    [
        (None, "gzip, deflate"),
        (BROTLI.format(more=""), "gzip, deflate"),
        (BROTLI.format(more=", max_length=0"), "gzip, deflate, br"),
    ],
    ids=["none", "one that cannot limit its output", "a new one"],
)
async def test_brotli_is_asked_for_only_where_aiohttp_can_read_it(
    brotli: str | None, encodings: str, tmp_path: Path
) -> None:
    # aiohttp chooses a Brotli when it is imported: each needs a process of its own. None in sys.modules is "not there".
    (tmp_path / "brotli.py").write_text(brotli or "raise ImportError")
    script = "import sys; sys.modules['brotlicffi'] = None; sys.path.insert(0, sys.argv[2]); " + SEND_ONE_REQUEST
    async with ScriptedServer(PAGE) as server:
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", script, server.url, str(tmp_path))
        assert await process.wait() == 0
    assert server.requests[0].headers["accept-encoding"] == encodings


SEND_ONE_REQUEST = """
import asyncio
from mixpeek_async import AsyncMixpeek

async def main():
    async with AsyncMixpeek("sk", namespace="ns", base_url=sys.argv[1]) as client:
        await client.objects.list("bkt")

asyncio.run(main())
"""


async def test_a_page_that_comes_before_its_request_is_not_taken_for_the_answer() -> None:
    early = asyncio.Event()

    async def answer_twice(connection: Connection) -> None:
        await connection.send(page("obj_1", next_cursor="c"))
        await asyncio.sleep(0.01)
        await connection.send(page("obj_of_nobody"))
        await asyncio.sleep(0.01)
        early.set()

    async with ScriptedServer(answer_twice, page("obj_2")) as server, client_at(server.url) as client:
        pager = client.objects.list("bkt", page_size=1, prefetch=0)
        first = await anext(aiter(pager))
        await early.wait()
        assert [first.object_id, *[obj.object_id async for obj in pager]] == ["obj_1", "obj_2"]
        assert server.connections == 2


async def test_a_request_without_a_body_has_no_content_type() -> None:
    async with ScriptedServer(PAGE) as server:
        await walk_bucket(server.url)
    (request,) = server.requests
    assert "content-type" not in request.headers
    assert request.body == b""


async def test_a_body_goes_out_as_json_byte_for_byte() -> None:
    async with ScriptedServer(answer({})) as server:
        body = '{"search": "ü"}'.encode()
        await _send(server.url, Request(target="/v1/x?limit=1&cursor=%2Fa%3D%3D", body=body))
    (request,) = server.requests
    assert (request.headers["content-type"], request.body) == ("application/json", body)
    assert request.target == "/v1/x?limit=1&cursor=%2Fa%3D%3D"


async def test_the_method_is_the_requests() -> None:
    async with ScriptedServer(answer({})) as server:
        await _send(server.url, Request(method="GET", target="/v1/x"))
    assert server.requests[0].raw.startswith(b"GET /v1/x HTTP/1.1\r\n")


async def _send(url: str, request: Request) -> None:
    clock = ManualClock()
    transport = Transport(
        HttpSession(
            Config(api_key=Secret("sk_1"), namespace="ns", base_url=url),
            session=None,
            max_body_bytes=1000,
            clock=clock,
        ),
        timeout=5,
        policy=RetryPolicy(),
        clock=clock,
        rate_limiter=RateLimiter(clock),
        telemetry=Telemetry(None, url),
    )
    try:
        await transport.call(request, lambda response: response, Progress())
    finally:
        await transport.aclose()


@pytest.mark.parametrize("tail", ["", "/", "/v1", "/v1/", "//"])
async def test_the_path_of_the_base_url_comes_before_the_version(tail: str) -> None:
    async with ScriptedServer(PAGE) as server:
        await walk_bucket(f"{server.url}/proxy/mix%2Fpeek{tail}")
    assert server.requests[0].target == "/proxy/mix%2Fpeek/v1/buckets/bkt/objects/list?limit=1"


async def test_cookies_are_not_sent_back() -> None:
    baked = page("obj_0", next_cursor="c", headers={"Set-Cookie": "track=me; Path=/"})
    async with ScriptedServer(baked, PAGE) as server:
        await walk_bucket(server.url.replace("127.0.0.1", "localhost"))
    assert len(server.requests) == 2
    assert all("cookie" not in request.headers for request in server.requests)


async def test_pages_share_one_connection() -> None:
    script = [page(f"obj_{n}", next_cursor=f"c{n}") for n in range(5)]
    async with ScriptedServer(*script, page("last")) as server:
        outcome = await walk_bucket(server.url)
    assert (len(outcome.ids), server.connections) == (6, 1)


async def test_a_session_of_our_own_is_closed_with_the_client() -> None:
    async with ScriptedServer(PAGE) as server:
        client = client_at(server.url)
        await client.objects.list("bkt")
        assert server.open_connections == 1
        await client.aclose()
        await client.aclose()
        assert client.closed
        await server.until_idle()


async def test_a_client_that_never_asked_has_nothing_to_close() -> None:
    async with client_at("http://127.0.0.1:9") as client:
        assert not client.closed
    assert client.closed


async def test_the_callers_session_is_used_and_left_open() -> None:
    async with (
        ScriptedServer(PAGE) as server,
        aiohttp.ClientSession(headers={"X-Mine": "1", "Authorization": "Bearer other"}) as session,
    ):
        assert (await walk_bucket(server.url, session=session)).ids == ["obj_1"]
        assert not session.closed
        assert (await walk_bucket(server.url, session=session)).ids == ["obj_1"]
    assert [request.headers["x-mine"] for request in server.requests] == ["1", "1"]
    assert [request.raw.count(b"uthorization: Bearer sk_test") for request in server.requests] == [1, 1]
    assert server.connections == 1


async def test_a_client_is_closed_when_the_callers_session_is() -> None:
    async with aiohttp.ClientSession() as session:
        client = client_at("http://127.0.0.1:9", session=session)
        assert not client.closed
    assert client.closed


DEFAULTS: dict[str, dict[str, Any]] = {
    "raise_for_status": {"raise_for_status": True},
    "auto_decompress": {"auto_decompress": False},
    "timeout": {"timeout": aiohttp.ClientTimeout(total=0.05, connect=0.05, sock_read=0.05)},
    "base_url": {"base_url": "http://elsewhere.example/"},
    "cookies": {"cookies": {"mine": "yes"}},
    "read_bufsize": {"read_bufsize": 64},
    "HTTP/1.0": {"version": aiohttp.HttpVersion10},
}


@pytest.mark.parametrize("defaults", DEFAULTS.values(), ids=DEFAULTS)
async def test_the_callers_session_may_have_defaults_of_its_own(defaults: dict[str, Any]) -> None:
    async def late(connection: Connection) -> None:
        await asyncio.sleep(0.1)
        body = gzip.compress(PAGE.partition(b"\r\n\r\n")[2])
        await connection.send(answer(body, headers={"Content-Encoding": "gzip"}))

    async with ScriptedServer(answer(status=503), late) as server, aiohttp.ClientSession(**defaults) as session:
        outcome = await walk_bucket(server.url, session=session)
    assert (outcome.ids, outcome.error, len(server.requests)) == (["obj_1"], None, 2)


async def test_a_session_that_raises_for_a_status_leaves_that_to_us() -> None:
    async with ScriptedServer(answer(status=404)) as server, aiohttp.ClientSession(raise_for_status=True) as session:
        outcome = await walk_bucket(server.url, session=session)
    assert (type(outcome.error), len(server.requests)) == (NotFoundError, 1)


async def test_a_session_with_auth_is_refused_because_it_would_replace_the_key() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        session = aiohttp.ClientSession(auth=aiohttp.BasicAuth("user", "password"))
    async with session:
        with pytest.raises(InvalidArgumentError, match="auth") as caught:
            client_at("http://127.0.0.1:9", session=session)
    assert "password" not in str(caught.value)


async def test_a_password_from_netrc_never_replaces_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login user password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    async with ScriptedServer(PAGE) as server, aiohttp.ClientSession(trust_env=True) as session:
        outcome = await walk_bucket(server.url, session=session)
    assert isinstance(outcome.error, TransportError)
    assert "secret" not in str(outcome.error)
    assert server.requests == []


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf"), True, "60", None])
def test_a_time_out_that_is_no_number_over_zero_is_refused(value: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^timeout must be a number over 0"):
        client_at("http://127.0.0.1:9", timeout=value)


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        (aiohttp.ClientTimeout(total=30), "timeout=30"),
        (aiohttp.ClientTimeout(total=0.5, connect=3), "timeout=0.5"),
        (aiohttp.ClientTimeout(total=None), "timeout=60"),
    ],
)
def test_a_time_out_of_aiohttp_is_refused_with_the_number_to_pass(value: Any, hint: str) -> None:
    with pytest.raises(InvalidArgumentError, match=rf"^timeout must be a number over 0, in seconds: pass {hint},"):
        client_at("http://127.0.0.1:9", timeout=value)


@pytest.mark.parametrize("value", [0, -1, 0.5, float("nan"), True, "60", None])
def test_a_cap_of_bodies_that_is_no_whole_number_over_zero_is_refused(value: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^max_body_bytes must be a whole number of at least 1"):
        client_at("http://127.0.0.1:9", max_body_bytes=value)


def test_a_client_belongs_to_one_event_loop_and_says_so() -> None:
    client = client_at("http://127.0.0.1:9")

    async def ask_and_close() -> None:
        with pytest.raises(ConnectionFailedError):
            await client.objects.list("bkt")
        assert client._transport._session._session is not None
        await client._transport._session._session.close()
        client._transport._session._session = None

    async def ask_again() -> None:
        with pytest.raises(ClientClosedError, match="another event loop"):
            await client.objects.list("bkt")

    asyncio.run(ask_and_close())
    asyncio.run(ask_again())


async def test_the_repr_tells_where_a_client_asks_and_whether_it_still_can() -> None:
    client = client_at("http://127.0.0.1:9/v1")
    assert repr(client) == "<AsyncMixpeek of namespace 'ns_test' at http://127.0.0.1:9>"
    await client.aclose()
    assert repr(client).endswith(", closed>")


@pytest.mark.parametrize("name", ["session", "retry"])
async def test_a_session_or_a_policy_of_another_kind_is_refused(name: str) -> None:
    with pytest.raises(InvalidArgumentError, match=name):
        client_at("http://127.0.0.1:9", **{name: object()})


def test_a_copy_without_metadata_names_itself_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    user_agent.cache_clear()
    assert user_agent().startswith("mixpeek-async/unknown ")
    user_agent.cache_clear()
