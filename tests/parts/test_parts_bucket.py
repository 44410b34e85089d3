"""Parts of a bucket: planned and walked on an emulator."""

import json
import logging
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from altering_proxy import AlteringProxy, refusal
from model_bucket import random_dates
from support.clients import client_at, connect

from mixpeek_async import (
    AsyncMixpeek,
    DocumentQuery,
    Hooks,
    InvalidArgumentError,
    InvalidObjectError,
    NotFoundError,
    Object,
    ObjectQuery,
    Part,
    Progress,
    ServerError,
    ValidationError,
    field,
)
from mixpeek_async.emulator import Emulator, Fault

FIRST = datetime(2026, 3, 1, tzinfo=UTC)


def fill(emulator: Emulator, count: int, *, step: float = 60.0) -> None:
    """Add objects, one each `step` seconds."""
    for number in range(count):
        emulator.insert({"created_at": (FIRST + timedelta(seconds=step * number)).isoformat()})


async def ids_of(client: AsyncMixpeek, parts: list[Part[Object]]) -> list[list[str]]:
    return [[obj.object_id async for obj in client.objects.list(part.bucket, part.query)] for part in parts]


def sizes(parts: list[Part[Object]]) -> list[int | None]:
    return [part.estimate for part in parts]


@pytest.mark.parametrize("seed", range(30))
async def test_random_buckets_are_walked_completely_by_their_parts(seed: int) -> None:
    draw = random.Random(seed)
    async with Emulator(pagination=draw.choice(["cursor", "cursor", "page", "has_more"])) as emulator:
        for date in random_dates(draw, 80):
            # A date that is not there, or null.
            has_date = date is not None or draw.random() < 0.5
            emulator.insert({"created_at": date and date.isoformat()} if has_date else {"key_prefix": "/"})
        async with connect(emulator) as client:
            count, max_requests = draw.choice([1, 3, 8]), draw.choice([8, 64])
            parts = await client.objects.parts(emulator.bucket, count=count, min_objects=2, max_requests=max_requests)
            assert len(emulator.requests) <= max_requests
            found = await ids_of(client, parts)
        ids = emulator.object_ids()
    assert sorted(id_ for each in found for id_ in each) == sorted(ids)
    assert sizes(parts) in ([len(each) for each in found], [None])


@pytest.mark.parametrize("seed", range(10))
async def test_what_exists_all_the_time_is_in_exactly_one_part_of_a_bucket_that_changes(seed: int) -> None:
    draw = random.Random(seed)
    created: list[str] = []
    deleted: set[str] = set()

    def change(_: object) -> None:
        if draw.random() < 0.3:
            date = FIRST + timedelta(days=1, seconds=len(created))
            created.append(emulator.insert({"created_at": date.isoformat()})["object_id"])
        elif draw.random() < 0.3 and (left := [id_ for id_ in ids if id_ not in deleted]):
            deleted.add(id_ := draw.choice(left))
            emulator.delete(id_)

    async with Emulator() as emulator:
        fill(emulator, 100, step=draw.choice([0.0, 1e-3, 60.0]))
        for _ in range(5):
            emulator.insert({"created_at": None})
        ids = emulator.object_ids()
        async with connect(emulator, hooks=Hooks(request=change)) as client:
            parts = await client.objects.parts(emulator.bucket, count=8, min_objects=5)
            found = Counter(id_ for each in await ids_of(client, parts) for id_ in each)
    assert max(found.values()) == 1
    assert set(ids) - deleted <= found.keys()


async def test_what_is_created_after_the_planning_is_in_the_last_part() -> None:
    async with Emulator() as emulator, connect(emulator) as client:
        fill(emulator, 100)
        parts = await client.objects.parts(emulator.bucket, count=4, min_objects=10)
        new = emulator.insert({"created_at": datetime.now(UTC).isoformat()})["object_id"]
        found = await ids_of(client, parts)
    assert [new in ids for ids in found] == [False, False, False, True]


async def test_parts_are_in_order_and_about_equally_full() -> None:
    async with Emulator() as emulator, connect(emulator) as client:
        fill(emulator, 1_000)
        parts = await client.objects.parts(emulator.bucket, count=4, min_objects=10)
        found = await ids_of(client, parts)
        ids = emulator.object_ids()
    assert [id_ for each in found for id_ in each] == ids
    assert sizes(parts) == [240, 240, 300, 220]
    assert [(part.index, part.count) for part in parts] == [(0, 4), (1, 4), (2, 4), (3, 4)]


async def test_a_histogram_takes_one_request_a_unit() -> None:
    async with Emulator() as emulator, connect(emulator) as client:
        fill(emulator, 200)
        progress = Progress()
        await client.objects.parts(emulator.bucket, count=4, min_objects=10, progress=progress)
        units = [
            request.body["group_by"][0]["date_trunc"]
            for request in emulator.requests
            if request.endpoint == "aggregate_objects"
        ]
        # 200 minutes: an hour has more than a quarter of a part, a minute has not.
        assert units == ["month", "day", "hour", "minute"]
        assert progress.requests == len(emulator.requests) == len(units) + 7


async def test_objects_without_a_date_are_a_part_of_their_own_in_front() -> None:
    async with Emulator() as emulator, connect(emulator) as client:
        fill(emulator, 100)
        odd = [emulator.insert(fields)["object_id"] for fields in ({"created_at": None}, {"a": 1}, {"created_at": 7})]
        parts = await client.objects.parts(emulator.bucket, count=2, min_objects=10)
        invalid: list[InvalidObjectError] = []
        undated = client.objects.list(parts[0].bucket, parts[0].query, on_invalid=invalid.append)
        found = [obj.object_id async for obj in undated]
    assert sizes(parts) == [3, 50, 50]
    # A number is no date: such an object is reported, in place of being yielded.
    assert found == odd[:2]
    assert [json.loads(error.raw)["object_id"] for error in invalid] == odd[2:]


async def test_the_parts_have_the_filters_and_the_selection_of_the_query() -> None:
    query = ObjectQuery(filters=field("kind") == "b", select=["kind"])
    async with Emulator() as emulator, connect(emulator) as client:
        fill(emulator, 100)
        chosen = emulator.object_ids()[::2]
        for id_ in chosen:
            emulator.update(id_, kind="b")
        parts = await client.objects.parts(emulator.bucket, query, count=4, min_objects=10)
        same = await client.objects.parts(emulator.bucket, filters={"kind": "b"}, count=4, min_objects=10)
        found = await ids_of(client, parts)
    assert [id_ for ids in found for id_ in ids] == chosen
    assert sum(part.estimate or 0 for part in parts) == 50
    assert {part.query.select for part in parts} == {("kind",)}
    assert [part.query.filters for part in same] == [part.query.filters for part in parts]


async def test_a_search_is_cut_by_counts_alone() -> None:
    async with Emulator() as emulator, connect(emulator) as client:
        fill(emulator, 64)
        for id_ in emulator.object_ids()[:32]:
            emulator.update(id_, key_prefix="/needle")
        query = ObjectQuery(search="needle")
        parts = await client.objects.parts(emulator.bucket, query, count=4, min_objects=8)
        found = await ids_of(client, parts)
        ids = emulator.object_ids()
    assert [id_ for each in found for id_ in each] == ids[:32]
    assert len(parts) == 4
    assert "aggregate_objects" not in {request.endpoint for request in emulator.requests}


async def test_a_short_list_is_one_part_with_the_query_as_it_was_for_one_request() -> None:
    async with Emulator(objects=19_999) as emulator, connect(emulator) as client:
        query = ObjectQuery(select=["status"])
        (part,) = await client.objects.parts(emulator.bucket, query)
        assert (part.query, part.estimate) == (query, 19_999)
        assert len(emulator.requests) == 1


async def test_by_default_a_part_has_about_ten_pages_or_more() -> None:
    async with Emulator(objects=30_000) as emulator, connect(emulator) as client:
        parts = await client.objects.parts(emulator.bucket)
    assert len(parts) == 3
    assert all(8_750 <= (part.estimate or 0) <= 12_500 for part in parts)


# --- servers that cannot do all of this ---


def without_totals(kind: str, body: Any, answer: Any) -> Any:
    return {"results": answer["results"], "pagination": {"has_more": False, "limit": 1, "skip": 0}}


def without_aggregate(kind: str, body: Any, answer: Any) -> Any:
    return refusal(404) if kind == "aggregate" else answer


def with_dates_in_another_form(kind: str, body: Any, answer: Any) -> Any:
    for row in answer["results"] if kind == "aggregate" else ():
        row["group"] = {"created_at": 1_700_000_000_000}
    return answer


def with_other_names(kind: str, body: Any, answer: Any) -> Any:
    for row in answer["results"] if kind == "aggregate" else ():
        row["group"] = {"_id": row["group"]["created_at"]}
    return answer


def with_text_for_counts(kind: str, body: Any, answer: Any) -> Any:
    for row in answer["results"] if kind == "aggregate" else ():
        row["metrics"] = {"objects": str(row["metrics"]["objects"])}
    return answer


def with_groups_left_out(kind: str, body: Any, answer: Any) -> Any:
    return {**answer, "results": [], "total_groups": 100} if kind == "aggregate" else answer


def refusing_filters_of_absence(kind: str, body: Any, answer: Any) -> Any:
    return refusal(422) if "exists" in str(body) else answer


def refusing_ranges(kind: str, body: Any, answer: Any) -> Any:
    return refusal(400) if kind == "list" and "gte" in str(body) and "exists" not in str(body) else answer


def ignoring_filters(kind: str, body: Any, answer: Any) -> Any:
    return answer if kind == "aggregate" else {**answer, "pagination": {**answer["pagination"], "total": 64}}


@pytest.mark.parametrize(
    ("alter", "reason", "count", "kinds"),
    [
        (without_totals, "the server does not count it", 1, {"list"}),
        (refusing_filters_of_absence, "does not count objects without a date", 1, {"list", "aggregate"}),
        (refusing_ranges, "the server's counts do not add up", 1, {"list", "aggregate"}),
        (ignoring_filters, "few objects have a date", 1, {"list", "aggregate"}),
        (without_aggregate, "cut by dates", 4, {"list", "aggregate"}),
        (with_dates_in_another_form, "cut by dates", 4, {"list", "aggregate"}),
        (with_other_names, "cut by dates", 4, {"list", "aggregate"}),
        (with_text_for_counts, "cut by dates", 4, {"list", "aggregate"}),
        (with_groups_left_out, "cut by dates", 4, {"list", "aggregate"}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
async def test_a_server_that_cannot_count_by_date_gives_parts_by_counts_or_one_part(
    alter: Any, reason: str, count: int, kinds: set[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "mixpeek_async")
    async with Emulator() as emulator, AlteringProxy(emulator, alter) as proxy:
        fill(emulator, 64)
        async with connect(emulator, base_url=proxy.url) as client:
            parts = await client.objects.parts(emulator.bucket, count=4, min_objects=8)
        async with connect(emulator) as client:
            found = await ids_of(client, parts)
        assert [id_ for ids in found for id_ in ids] == emulator.object_ids()
    assert len(parts) == count
    assert set(proxy.kinds) == kinds
    assert reason in caplog.messages[-1]


async def test_a_server_that_keeps_one_condition_of_a_field_gives_one_part() -> None:
    def keep_last(body: Any) -> Any:
        listed = ((body or {}).get("filters") or {}).get("AND", [])
        return {**body, "filters": {"AND": listed[-1:]}} if len(listed) > 1 else body

    async with Emulator() as emulator, AlteringProxy(emulator, rewrite=keep_last) as proxy:
        fill(emulator, 64)
        async with connect(emulator, base_url=proxy.url) as client:
            parts = await client.objects.parts(emulator.bucket, count=4, min_objects=8)
            assert await ids_of(client, parts) == [emulator.object_ids()]


async def test_an_error_that_is_no_answer_to_the_question_is_raised() -> None:
    faults = {number: Fault.http(500) for number in (2, 3, 4)}
    async with Emulator(objects=100, faults=faults) as emulator, connect(emulator) as client:
        with pytest.raises(ServerError) as caught:
            await client.objects.parts(emulator.bucket, count=4, min_objects=10)
    assert caught.value.__cause__ is caught.value.__context__ is None


async def test_a_bucket_that_does_not_exist_is_not_found() -> None:
    async with Emulator() as emulator, connect(emulator) as client:
        with pytest.raises(NotFoundError):
            await client.objects.parts("bkt_other")


async def test_filters_that_the_server_refuses_are_no_reason_for_one_part() -> None:
    async with Emulator() as emulator, connect(emulator) as client:
        with pytest.raises(ValidationError):
            await client.objects.parts(emulator.bucket, filters=field("a").regex("("))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"query": ObjectQuery(sort="created_at")}, "without sort"),
        ({"query": ObjectQuery(), "filters": {"a": 1}}, "not both"),
        ({"count": 0}, "count must be a whole number from 1 to 1000"),
        ({"count": 1_001}, "count must be"),
        ({"min_objects": 0}, "min_objects must be"),
        ({"max_requests": True}, "max_requests must be"),
    ],
)
async def test_arguments_that_can_never_work_are_refused(wrong: Any, message: str) -> None:
    async with client_at("http://127.0.0.1:9") as client:
        with pytest.raises(InvalidArgumentError, match=message):
            await client.objects.parts("bkt", **wrong)


async def test_parts_of_a_collection_are_its_partitions_and_cost_nothing() -> None:
    async with Emulator() as emulator, connect(emulator) as client:
        ids = emulator.documents.seed(50)
        parts = client.documents.parts(emulator.collection, filters=field("_internal").exists(), count=4)
        assert emulator.requests == []
        found = [[document.document_id async for document in part.list(client)] for part in parts]
    assert sorted(id_ for each in found for id_ in each) == sorted(ids)
    assert all(found)
    assert [part.query.to_dict()["partition"] for part in parts] == [{"index": i, "count": 4} for i in range(4)]
    assert (parts[1].bucket, parts[1].collection, parts[1].estimate) == ("", emulator.collection, None)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"query": {"sort": "a"}}, "without sort and partition"),
        ({"query": {"partition": (0, 2)}}, "without sort and partition"),
        ({"count": 257}, "count must be a whole number from 1 to 256"),
        ({"collection": ".."}, "collection must be an id or a name"),
    ],
)
async def test_arguments_that_can_never_work_are_refused_for_documents(wrong: Any, message: str) -> None:
    query = DocumentQuery(**wrong["query"]) if "query" in wrong else None
    async with client_at("http://127.0.0.1:9") as client:
        with pytest.raises(InvalidArgumentError, match=message):
            client.documents.parts(wrong.get("collection", "col"), query, count=wrong.get("count", 4))
