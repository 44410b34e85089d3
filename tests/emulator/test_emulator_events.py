"""The change feed: what it records, and how it is read to its end and on from there."""

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixpeek_async.emulator import Emulator
from mixpeek_async.emulator._events import EVENT_TYPES, RETENTION


async def _events(post: Any, emulator: Emulator, **query: Any) -> Any:
    reply = await post(emulator, query, method="GET", path="/v1/events")
    assert reply.status == 200
    return reply.body


async def test_changes_of_objects_and_documents_are_recorded_in_order(post: Any, clock: Any) -> None:
    async with Emulator(clock=clock) as emulator:
        emulator.insert(object_id="o1")
        clock.now += 1.5
        emulator.update("o1", colour="red")
        emulator.documents.insert(document_id="d1")
        emulator.documents.update("d1", colour="red")
        emulator.delete("o1")
        emulator.documents.delete("d1")
        feed = await _events(post, emulator)
    assert [event["event_type"] for event in feed["results"]] == [
        "object.created",
        "object.updated",
        "document.created",
        "document.updated",
        "object.deleted",
        "document.deleted",
    ]
    assert [event["seq"] for event in feed["results"]] == [1, 2, 3, 4, 5, 6]
    assert feed["results"][1] == {
        "seq": 2,
        "cursor": feed["results"][1]["cursor"],
        "namespace_id": "emulator",
        "event_type": "object.updated",
        "resource_type": "object",
        "operation": "update",
        "payload": {"object_id": "o1", "bucket_id": "bkt_emulator"},
        "trace_id": None,
        "created_at": "1970-01-01T00:16:41.500000Z",
    }
    assert feed["results"][2]["payload"] == {"document_id": "d1", "collection_id": "col_emulator"}


async def test_seeded_objects_are_created_too(post: Any) -> None:
    async with Emulator(objects=3) as emulator:
        feed = await _events(post, emulator)
        assert [event["payload"]["object_id"] for event in feed["results"]] == emulator.object_ids()


async def test_paging_is_at_the_root_and_a_page_has_100_events(post: Any) -> None:
    async with Emulator(objects=101) as emulator:
        feed = await _events(post, emulator)
    assert (feed.keys(), len(feed["results"])) == ({"results", "next_cursor", "has_more"}, 100)
    assert (feed["has_more"], feed["next_cursor"]) == (True, feed["results"][-1]["cursor"])


async def test_an_empty_page_gives_the_cursor_of_its_request_back(post: Any) -> None:
    async with Emulator() as emulator:
        assert await _events(post, emulator) == {"results": [], "next_cursor": None, "has_more": False}
        emulator.seed(1)
        cursor = (await _events(post, emulator))["next_cursor"]
        assert await _events(post, emulator, cursor=cursor) == {"results": [], "next_cursor": cursor, "has_more": False}


@pytest.mark.parametrize("spelling", ["cursor", "next_cursor", "after"])
async def test_a_reader_goes_on_where_it_stopped(post: Any, spelling: str) -> None:
    async with Emulator(objects=2) as emulator:
        cursor = (await _events(post, emulator, page_size=1))["results"][0]["cursor"]
        emulator.seed(1)
        assert [event["seq"] for event in (await _events(post, emulator, **{spelling: cursor}))["results"]] == [2, 3]


@given(
    limit=st.integers(1, 5), event_type=st.sampled_from([None, "object.created", "object.updated", "object.deleted"])
)
@settings(max_examples=20, deadline=None)
def test_a_feed_is_complete_at_any_limit_and_of_any_type(post: Any, limit: int, event_type: str | None) -> None:
    async def check() -> None:
        async with Emulator() as emulator:
            for number in range(7):
                emulator.insert(object_id=str(number))
                if number % 2:
                    emulator.update(str(number), colour="red")
                    emulator.delete(str(number))
            query = {"limit": limit} | ({"event_type": event_type} if event_type else {})
            found: list[Any] = []
            more = True
            cursor: dict[str, Any] = {}
            while more:
                feed = await _events(post, emulator, **query, **cursor)
                found += feed["results"]
                more, cursor = feed["has_more"], {"cursor": feed["next_cursor"]}
            everything = (await _events(post, emulator))["results"]
        assert found == [event for event in everything if event_type in (None, event["event_type"])]

    asyncio.run(check())


async def test_types_that_never_happen_here_are_empty(post: Any) -> None:
    async with Emulator(objects=1) as emulator:
        for event_type in sorted(EVENT_TYPES - {"object.created"}):
            assert (await _events(post, emulator, event_type=event_type))["results"] == []


async def test_events_are_kept_for_90_days(post: Any, clock: Any) -> None:
    async with Emulator(objects=1, clock=clock) as emulator:
        clock.now += RETENTION
        emulator.seed(1)
        assert len((await _events(post, emulator))["results"]) == 2
        clock.now += 1
        assert [event["seq"] for event in (await _events(post, emulator))["results"]] == [2]


async def test_a_cursor_that_misses_expired_events_is_refused(post: Any, clock: Any) -> None:
    async with Emulator(objects=2, clock=clock) as emulator:
        first, second = (event["cursor"] for event in (await _events(post, emulator))["results"])
        clock.now += RETENTION + 1
        refused = await post(emulator, {"cursor": first}, method="GET", path="/v1/events")
        assert refused.status == 422
        assert refused.body["error"]["details"]["validation_errors"][0]["type"] == "cursor_expired"
        assert (await _events(post, emulator, cursor=second))["results"] == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit", "0"),
        ("limit", "1001"),
        ("event_type", "object.create"),
        ("namespace_id", "other"),
        ("cursor", "x"),
        ("cursor", "YWZ0ZXI6MTo6"),
    ],
)
async def test_a_parameter_out_of_bounds_is_named(post: Any, name: str, value: str) -> None:
    async with Emulator() as emulator:
        reply = await post(emulator, {name: value}, method="GET", path="/v1/events")
    assert [problem["loc"] for problem in reply.body["error"]["details"]["validation_errors"]] == [["query", name]]


async def test_a_feed_needs_no_namespace_and_another_one_has_none(post: Any) -> None:
    async with Emulator(objects=1) as emulator:
        everything = await post(emulator, method="GET", path="/v1/events", without="X-Namespace")
        other = await post(emulator, method="GET", path="/v1/events", headers={"X-Namespace": "ns_other"})
    assert len(everything.body["results"]) == 1
    assert (other.body["results"], other.headers["X-Namespace-Unresolved"]) == ([], "true")
