"""Faults: which request meets them, and what a client sees."""

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from mixpeek_async.emulator import Emulator, Fault


async def test_a_fault_of_the_constructor_meets_its_request_and_no_other(post: Any) -> None:
    async with Emulator(faults={2: Fault.http(503)}) as emulator:
        assert [(await post(emulator)).status for _ in range(3)] == [200, 503, 200]


async def test_a_scripted_fault_counts_from_now(post: Any) -> None:
    async with Emulator() as emulator:
        await post(emulator)
        emulator.script(2, Fault.http(500))
        assert [(await post(emulator)).status for _ in range(3)] == [200, 500, 200]


async def test_the_count_goes_on_when_the_records_are_cleared(post: Any) -> None:
    async with Emulator(faults={2: Fault.http(500)}) as emulator:
        await post(emulator)
        emulator.requests.clear()
        assert (await post(emulator)).status == 500


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (403, "ForbiddenError"),
        (418, "BadRequestError"),
        (503, "InferenceServiceUnavailableError"),
        (502, "InternalServerError"),
    ],
)
async def test_an_error_status_comes_with_the_wires_error_body(post: Any, status: int, kind: str) -> None:
    async with Emulator(faults={1: Fault.http(status)}) as emulator:
        reply = await post(emulator)
    message = f"scripted fault: HTTP {status}"
    assert reply.body == {
        "success": False,
        "status": status,
        "error": {"message": message, "type": kind},
    }


async def test_a_redirect_has_no_body(post: Any) -> None:
    fault = Fault.http(307, headers={"Location": "/elsewhere", "Content-Type": "text/plain"})
    async with Emulator(faults={1: fault}) as emulator:
        reply = await post(emulator)
    assert (reply.status, reply.headers["Location"], reply.body) == (307, "/elsewhere", b"")


@pytest.mark.parametrize("advice", [7, "Wed, 21 Oct 2026 07:28:00 GMT"])
async def test_an_error_may_say_when_to_come_back(post: Any, advice: int | str) -> None:
    async with Emulator(faults={1: Fault.http(503, retry_after=advice)}) as emulator:
        assert (await post(emulator)).headers["Retry-After"] == str(advice)


async def test_a_rate_limit_says_so_in_header_and_details(post: Any) -> None:
    async with Emulator(faults={1: Fault.rate_limited(3)}) as emulator:
        reply = await post(emulator)
    assert (reply.status, reply.headers["Retry-After"]) == (429, "3")
    assert reply.body["error"]["type"] == "TooManyRequestsError"
    assert reply.body["error"]["details"] == {"retry_after": 3}


async def test_an_answer_of_bytes_is_sent_as_it_is(post: Any) -> None:
    page = Fault.answer(b"<html>", 502, headers={"content-type": "text/html"})
    async with Emulator(faults={1: page}) as emulator:
        reply = await post(emulator)
    assert (reply.status, reply.headers.getall("Content-Type"), reply.body) == (502, ["text/html"], b"<html>")


async def test_an_answer_of_anything_else_is_sent_as_json(post: Any) -> None:
    async with Emulator(faults={1: Fault.answer({"results": None})}) as emulator:
        reply = await post(emulator)
    assert (reply.status, reply.body) == (200, {"results": None})


async def test_a_body_alone_comes_with_200(post: Any) -> None:
    async with Emulator(faults={1: Fault(body=b"[]")}) as emulator:
        reply = await post(emulator)
    assert (reply.status, reply.body) == (200, [])


async def test_headers_alone_go_over_the_genuine_answer(post: Any) -> None:
    async with Emulator(objects=1, faults={1: Fault(headers={"x-request-id": "mine"})}) as emulator:
        reply = await post(emulator)
    assert (reply.headers["X-Request-ID"], len(reply.body["results"])) == ("mine", 1)


async def test_a_dropped_connection_gives_no_answer(post: Any) -> None:
    async with Emulator(faults={1: Fault.dropped()}) as emulator:
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await post(emulator)
        assert (await post(emulator)).status == 200


async def _raw_answer(emulator: Emulator) -> tuple[bytes, bytes]:
    reader, writer = await asyncio.open_connection(*emulator.url.removeprefix("http://").split(":"))
    writer.write(
        b"POST /v1/buckets/bkt_emulator/objects/list HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n"
        b"Connection: close\r\nAuthorization: Bearer sk_emulator\r\nX-Namespace: emulator\r\n\r\n"
    )
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    await writer.wait_closed()
    return head, body


@pytest.mark.parametrize("length", [0, 1, 100])
async def test_a_cut_answer_promises_all_and_sends_a_part(length: int) -> None:
    async with Emulator(objects=2, faults={2: Fault.cut(length)}) as emulator:
        _, whole = await _raw_answer(emulator)
        head, part = await _raw_answer(emulator)
    assert part == whole[:length]
    assert f"Content-Length: {len(whole)}".encode() in head


async def test_a_cut_answer_is_an_incomplete_payload_to_a_client(post: Any) -> None:
    async with Emulator(objects=2, faults={1: Fault.cut(20)}) as emulator:
        with pytest.raises(aiohttp.ClientPayloadError):
            await post(emulator)


@pytest.mark.parametrize("fault", [Fault.slow(0.01), Fault(truncate=1, delay=0.01)])
async def test_a_client_that_leaves_before_its_answer_is_no_error(post: Any, caplog: Any, fault: Fault) -> None:
    async with Emulator(faults={1: fault}) as emulator:
        request = asyncio.create_task(post(emulator))
        while not emulator.requests:
            await asyncio.sleep(0)
        request.cancel()
        await asyncio.wait([request])
        await asyncio.sleep(0.03)
    assert not [record for record in caplog.records if record.name.startswith("aiohttp")]


async def test_a_scripted_answer_can_be_cut_too() -> None:
    async with Emulator(faults={1: Fault(body=b"0123456789", truncate=4)}) as emulator:
        assert (await _raw_answer(emulator))[1] == b"0123"


async def test_a_slow_answer_is_the_genuine_one(post: Any) -> None:
    async with Emulator(objects=1, faults={1: Fault.slow(0.01)}) as emulator:
        loop = asyncio.get_running_loop()
        began = loop.time()
        reply = await post(emulator)
        assert loop.time() - began >= 0.01
    assert len(reply.body["results"]) == 1


async def test_a_fault_comes_before_every_check_and_costs_no_request(post: Any) -> None:
    faults = {1: Fault.answer({"any": "thing"})}
    async with Emulator(requests_per_minute=1, faults=faults) as emulator:
        first = await post(emulator, path="/", without="Authorization")
        second = await post(emulator)
    assert (first.status, second.status) == (200, 200)
    assert "X-RateLimit-Limit" not in first.headers


async def test_a_faulty_request_is_recorded(post: Any) -> None:
    async with Emulator(faults={1: Fault.http(500)}) as emulator:
        await post(emulator)
        assert len(emulator.requests) == 1


def test_faults_are_values() -> None:
    assert len({Fault.cut(3), Fault.cut(3), Fault.cut(4)}) == 2


def test_a_fault_keeps_its_own_copy_of_the_headers() -> None:
    headers = {"X-One": "1"}
    fault = Fault.http(500, headers=headers)
    headers["X-Two"] = "2"
    assert fault.headers == {"X-One": "1"}


@pytest.mark.parametrize(
    "arguments",
    [
        {"status": 199},
        {"status": 600},
        {"truncate": -1},
        {"delay": -0.1},
        {"delay": float("nan")},
        {"disconnect": True, "status": 500},
        {"disconnect": True, "body": b""},
        {"disconnect": True, "truncate": 0},
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"must be|leave out"):
        Fault(**arguments)


def test_an_answer_that_is_not_json_is_refused() -> None:
    with pytest.raises(ValueError, match="JSON"):
        Fault.answer(json.loads("NaN"))


@pytest.mark.parametrize("n", [0, -1, True])
def test_a_fault_for_no_request_is_refused(n: int) -> None:
    with pytest.raises(ValueError, match="n must be a whole number of at least 1"):
        Emulator().script(n, Fault.dropped())


@pytest.mark.parametrize("fault", [500, None, "500"])
def test_what_is_no_fault_is_refused(fault: Any) -> None:
    with pytest.raises(ValueError, match=r"one such as Fault\.http\(500\)"):
        Emulator().script(1, fault)
    with pytest.raises(ValueError, match=r"one such as Fault\.http\(500\)"):
        Emulator(faults={1: fault})
