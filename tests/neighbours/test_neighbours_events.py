"""Events: walked like any list, resumed by their own cursors, polled again from a checkpoint."""

import asyncio
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.clients import connect
from support.scripted_server import ScriptedServer, answer

from mixpeek_async import (
    AsyncMixpeek,
    CheckpointError,
    Event,
    InvalidArgumentError,
    InvalidObjectError,
    MalformedResponseError,
    MixpeekError,
    NamespaceUnresolvedError,
    PaginationError,
    PaginationLoopError,
    RetryPolicy,
)
from mixpeek_async.emulator import Emulator

DAY = 86_400.0


@attrs.define
class SecondsOfTheEmulator:
    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now


async def walk(client: AsyncMixpeek, resume: str | None = None, **options: Any) -> tuple[list[Event], str]:
    """The events of one walk, and its checkpoint at the end."""
    pager = client.events.list(resume=resume, **options)
    return await pager.to_list(), pager.checkpoint


async def test_a_change_is_an_event() -> None:
    async with Emulator() as emulator, connect(emulator) as client:
        emulator.insert(object_id="o1")
        emulator.update("o1", colour="red")
        emulator.delete("o1")
        events, _ = await walk(client)
    assert [(event.seq, event.event_type, event.operation) for event in events] == [
        (1, "object.created", "insert"),
        (2, "object.updated", "update"),
        (3, "object.deleted", "delete"),
    ]
    assert events[0].payload == {"object_id": "o1", "bucket_id": emulator.bucket}
    assert (events[0].resource_type, events[0].namespace_id, events[0].trace_id) == ("object", "emulator", None)
    assert events[0].created_at is not None
    assert events[0].extra == {}


@given(count=st.integers(0, 9), page_size=st.integers(1, 4), prefetch=st.integers(0, 1))
@settings(max_examples=20, deadline=None)
def test_any_number_of_events_is_walked(count: int, page_size: int, prefetch: int) -> None:
    async def check() -> None:
        async with Emulator(objects=count) as emulator, connect(emulator) as client:
            events, _ = await walk(client, page_size=page_size, prefetch=prefetch)
            assert [event.seq for event in events] == list(range(1, count + 1))
            assert len(emulator.requests) == max(1, -(-count // page_size))

    asyncio.run(check())


async def test_the_request_says_nothing_but_its_page_and_type() -> None:
    async with Emulator(objects=2) as emulator, connect(emulator) as client:
        events, _ = await walk(client, event_type="object.created", page_size=1)
        sent = [(request.endpoint, dict(request.query), request.body) for request in emulator.requests]
    assert sent == [
        ("list_events", {"event_type": "object.created", "limit": "1"}, None),
        ("list_events", {"event_type": "object.created", "limit": "1", "cursor": events[0].cursor}, None),
    ]


@given(steps=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4)), min_size=1, max_size=8))
@settings(max_examples=25, deadline=None)
def test_a_checkpoint_anywhere_goes_on_with_the_next_event(steps: list[tuple[int, int]]) -> None:
    async def check() -> None:
        found: list[int] = []
        async with Emulator() as emulator, connect(emulator) as client:
            checkpoint = None
            for created, taken in [*steps, (0, 1_000)]:
                emulator.seed(created)
                pager = client.events.list(page_size=2, max_items=taken, resume=checkpoint)
                found += [event.seq async for event in pager]
                checkpoint = pager.checkpoint
        assert found == list(range(1, sum(created for created, _ in steps) + 1))

    asyncio.run(check())


async def test_an_idle_poll_is_one_request_and_gives_the_same_place() -> None:
    async with Emulator(objects=3) as emulator, connect(emulator) as client:
        _, checkpoint = await walk(client, page_size=2)
        emulator.requests.clear()
        for _ in range(3):
            events, checkpoint = await walk(client, checkpoint)
            assert events == []
        assert len(emulator.requests) == 3
        emulator.seed(1)
        assert [event.seq for event in (await walk(client, checkpoint))[0]] == [4]


async def test_an_empty_feed_can_be_polled() -> None:
    async with Emulator() as emulator, connect(emulator) as client:
        events, checkpoint = await walk(client)
        assert events == []
        emulator.seed(1)
        assert [event.seq for event in (await walk(client, checkpoint))[0]] == [1]


async def test_a_checkpoint_within_a_page_holds_the_cursor_of_the_last_event() -> None:
    async with Emulator(objects=5) as emulator, connect(emulator) as client:
        events = client.events.list()
        async with aiter(events) as started:
            first = await anext(started)
        emulator.requests.clear()
        rest, _ = await walk(client, events.checkpoint)
        assert [event.seq for event in rest] == [2, 3, 4, 5]
        assert emulator.requests[0].query["cursor"] == first.cursor


async def test_an_expired_checkpoint_is_refused() -> None:
    clock = SecondsOfTheEmulator()
    async with Emulator(objects=3, clock=clock) as emulator, connect(emulator) as client:
        pager = client.events.list(max_items=1)
        await pager.to_list()
        clock.now += 91 * DAY
        with pytest.raises(CheckpointError, match="no longer takes the checkpoint's cursor"):
            await walk(client, pager.checkpoint)
        assert (await walk(client))[0] == []


async def test_a_checkpoint_fits_one_type_of_events_only() -> None:
    async with Emulator(objects=1) as emulator, connect(emulator) as client:
        _, checkpoint = await walk(client, event_type="object.created")
        for other in ("object.deleted", None):
            with pytest.raises(CheckpointError, match="another query"):
                client.events.list(other, resume=checkpoint)
        with pytest.raises(CheckpointError, match="another bucket"):
            client.objects.list(emulator.bucket, resume=checkpoint)


@pytest.mark.parametrize("event_type", ["", " ", 7])
async def test_a_type_that_is_none_is_refused_before_it_is_sent(event_type: Any) -> None:
    async with AsyncMixpeek("sk_test", namespace="test") as client:
        with pytest.raises(InvalidArgumentError, match="event_type must be a text"):
            client.events.list(event_type)


@pytest.mark.parametrize("name", ["offset", "include_total", "concurrency", "filters"])
async def test_events_take_no_offset_and_no_filter(name: str) -> None:
    wrong: dict[str, Any] = {name: 1}
    async with AsyncMixpeek("sk_test", namespace="test") as client:
        with pytest.raises(TypeError, match=f"unexpected keyword argument '{name}'"):
            client.events.list(**wrong)


async def test_no_events_of_no_namespace() -> None:
    async with Emulator(objects=1) as emulator, connect(emulator, namespace="other") as client:
        with pytest.raises(NamespaceUnresolvedError):
            await walk(client)


def event(seq: int, **fields: Any) -> dict[str, Any]:
    return {"seq": seq, "cursor": f"c{seq}", "event_type": "object.created", **fields}


async def outcome(*bodies: Any, resume: str | None = None, **options: Any) -> list[int] | MixpeekError:
    """What a walk over these pages gives: the numbers of its events, or its error."""
    async with ScriptedServer(*map(answer, bodies)) as server:
        client = AsyncMixpeek("sk_test", namespace="test", base_url=server.url, retry=RetryPolicy(attempts=1))
        async with client:
            try:
                return [event.seq async for event in client.events.list(resume=resume, **options)]
            except MixpeekError as error:
                return error


async def test_a_page_without_has_more_goes_on_by_its_cursor() -> None:
    pages = ({"results": [event(1)], "next_cursor": "c1"}, {"results": [event(2)], "next_cursor": None})
    assert await outcome(*pages) == [1, 2]


async def test_the_same_cursor_again_with_more_to_come_is_a_loop() -> None:
    page = {"results": [], "next_cursor": "c1", "has_more": True}
    error = await outcome({"results": [event(1)], "next_cursor": "c1", "has_more": True}, page, page)
    assert isinstance(error, PaginationLoopError)


async def test_more_without_a_cursor_is_an_error() -> None:
    error = await outcome({"results": [event(1)], "next_cursor": None, "has_more": True})
    assert isinstance(error, PaginationError)
    assert "gives no cursor" in error.message


@pytest.mark.parametrize(("key", "value"), [("has_more", "yes"), ("next_cursor", 7)])
async def test_paging_of_a_wrong_type_is_malformed(key: str, value: Any) -> None:
    error = await outcome({"results": [], key: value})
    assert isinstance(error, MalformedResponseError)
    assert error.path == f"$.{key}"


@pytest.mark.parametrize("cursor", [{}, {"cursor": None}, {"cursor": ""}, {"cursor": 7}])
async def test_a_walk_resumes_behind_an_event_without_a_cursor(cursor: dict[str, Any]) -> None:
    bad = {"seq": 2, "event_type": "object.created", **cursor}
    page = {"results": [event(1), bad, event(3)], "next_cursor": "c3", "has_more": False}
    error = await outcome(page)
    assert isinstance(error, InvalidObjectError)
    assert await outcome(page, resume=error.checkpoint) == [3]
