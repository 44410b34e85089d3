"""The emulator's settings, its life, and its records."""

import asyncio
import gc
import io
import socket
from typing import Any

import aiohttp
import pytest

import mixpeek_async.emulator
from mixpeek_async.emulator import Emulator, Fault


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def test_the_public_names() -> None:
    assert mixpeek_async.emulator.__all__ == ["Emulator", "Fault", "RecordedRequest", "Records"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("objects", -1),
        ("objects", 1.5),
        ("pagination", "offset"),
        ("api_key", ""),
        ("namespace", ""),
        ("bucket", ""),
        ("latency", -1),
        ("latency", float("inf")),
        ("requests_per_minute", 0),
        ("max_limit", 0),
        ("max_limit", 1001),
        ("faults", {0: Fault.dropped()}),
        ("port", 65536),
        ("max_sorted", 0),
        ("collection", ""),
    ],
)
def test_a_setting_out_of_range_is_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"{name} must"):
        Emulator(**{name: value})


def test_the_refusal_says_what_to_pass() -> None:
    with pytest.raises(ValueError, match="must be one of cursor, has_more, page, not 'x'"):
        Emulator(pagination="x")


async def test_its_repr_says_where_it_is() -> None:
    emulator = Emulator()
    assert repr(emulator) == "<Emulator that does not run, bucket 'bkt_emulator'>"
    async with emulator:
        assert repr(emulator) == f"<Emulator at {emulator.url}, bucket 'bkt_emulator'>"


def test_before_the_start_there_is_no_url() -> None:
    with pytest.raises(RuntimeError, match=r"not running.*start\(\)"):
        _ = Emulator().url


async def test_start_and_aclose_do_what_async_with_does(post: Any) -> None:
    emulator = Emulator()
    await emulator.start()
    assert (await post(emulator)).status == 200
    await emulator.aclose()
    with pytest.raises(RuntimeError, match="not running"):
        _ = emulator.url


async def test_a_second_start_is_refused() -> None:
    async with Emulator() as emulator:
        with pytest.raises(RuntimeError, match="running already"):
            await emulator.start()


async def test_a_start_after_the_close_is_refused() -> None:
    emulator = Emulator()
    await emulator.aclose()
    with pytest.raises(RuntimeError, match="make a new one"):
        await emulator.start()


async def test_a_second_close_does_nothing() -> None:
    async with Emulator() as emulator:
        await emulator.aclose()


async def test_a_port_that_is_taken_is_an_os_error_and_leaves_nothing_behind() -> None:
    async with Emulator() as first:
        second = Emulator(port=int(first.url.rpartition(":")[2]))
        with pytest.raises(OSError, match="in use"):
            await second.start()
        with pytest.raises(RuntimeError, match="not running"):
            _ = second.url
        await second.aclose()


async def test_the_requests_can_be_read_after_the_close(post: Any) -> None:
    async with Emulator() as emulator:
        await post(emulator)
    assert len(emulator.requests) == 1


@pytest.mark.skipif(not _has_ipv6(), reason="this machine has no IPv6 loopback")
async def test_the_url_of_an_ipv6_host_has_brackets(post: Any) -> None:
    async with Emulator(host="::1") as emulator:
        assert emulator.url.startswith("http://[::1]:")
        assert (await post(emulator)).status == 200


async def test_the_close_does_not_wait_for_open_connections() -> None:
    async with aiohttp.ClientSession() as session:
        emulator = Emulator()
        await emulator.start()
        async with session.post(emulator.url) as response:
            await response.read()
        async with asyncio.timeout(1):
            await emulator.aclose()


async def test_the_close_does_not_wait_for_requests_under_way(post: Any) -> None:
    emulator = Emulator(faults={1: Fault.slow(3600)})
    await emulator.start()
    request = asyncio.create_task(post(emulator))
    while not emulator.requests:
        await asyncio.sleep(0.001)
    async with asyncio.timeout(1):
        await emulator.aclose()
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await request
    assert asyncio.all_tasks() == {asyncio.current_task()}


def test_an_emulator_that_is_never_closed_does_not_warn() -> None:
    Emulator(objects=1)
    gc.collect()


async def test_a_record_holds_what_was_sent(post: Any) -> None:
    async with Emulator(bucket="a b") as emulator:
        query = {"limit": "x y", "cursor": "=="}
        await post(emulator, query, path="/v1/buckets/a%20b/objects/list", data=b'{"filters": {"a": 1}}')
        (record,) = emulator.requests
    assert (record.method, record.path, record.bucket) == ("POST", "/v1/buckets/a%20b/objects/list", "a b")
    assert record.query == query
    assert record.body == {"filters": {"a": 1}}
    assert record.headers["x-namespace"] == "emulator"


async def test_a_record_never_holds_the_key(post: Any) -> None:
    async with Emulator(api_key="sk_secret") as emulator:
        await post(emulator)
        (record,) = emulator.requests
    assert "Authorization" not in record.headers
    assert "sk_secret" not in repr(record)


@pytest.mark.parametrize("data", [None, b"not json"])
async def test_a_record_of_no_json_has_no_body(post: Any, data: bytes | None) -> None:
    async with Emulator() as emulator:
        await post(emulator, data=data)
        assert emulator.requests[0].body is None


async def test_a_record_of_another_endpoint_has_no_bucket(post: Any) -> None:
    async with Emulator() as emulator:
        await post(emulator, path="/v1/buckets")
        assert emulator.requests[0].bucket is None


async def test_refused_requests_are_recorded_too(post: Any) -> None:
    async with Emulator() as emulator:
        await post(emulator, without="Authorization")
        assert len(emulator.requests) == 1


async def test_a_body_of_megabytes_is_read(post: Any) -> None:
    async with Emulator() as emulator:
        # As a file: aiohttp's client warns about so many bytes at once.
        reply = await post(emulator, data=io.BytesIO(b'{"select": ["' + b"x" * 3_000_000 + b'"]}'))
    assert reply.status == 200
