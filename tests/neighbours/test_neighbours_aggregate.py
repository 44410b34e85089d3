"""Counting and grouping objects on the server."""

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.clients import connect
from support.scripted_server import ScriptedServer, answer

from mixpeek_async import (
    AggregateRow,
    AsyncMixpeek,
    IncompleteListError,
    InvalidArgumentError,
    InvalidObjectError,
    MalformedResponseError,
    NamespaceUnresolvedError,
    NotFoundError,
    field,
)
from mixpeek_async.emulator import Emulator


@given(counts=st.dictionaries(st.sampled_from("abc"), st.integers(1, 5)))
@settings(max_examples=20, deadline=None)
def test_groups_are_counted(counts: dict[str, int]) -> None:
    async def check() -> None:
        async with Emulator() as emulator, connect(emulator) as client:
            for kind, count in counts.items():
                for _ in range(count):
                    emulator.insert(kind=kind)
            rows = await client.objects.aggregate(emulator.bucket, group_by=["kind"], metrics={"n": "count"})
        assert {row.group["kind"]: row.metrics["n"] for row in rows} == counts

    asyncio.run(check())


async def test_a_row_has_every_key_and_every_metric_under_its_name() -> None:
    async with Emulator() as emulator, connect(emulator) as client:
        for day, size in [("2025-01-01", 3), ("2025-01-01", 5), ("2025-01-02", 7)]:
            emulator.insert(created_at=f"{day}T12:00:00Z", size=size, kind="x")
        rows = await client.objects.aggregate(
            emulator.bucket,
            group_by=["kind", {"field": "created_at", "date_trunc": "day", "alias": "day"}],
            metrics={"objects": "count", "size": ("sum", "size"), "largest": ("max", "size")},
            filters=field("size") < 7,
        )
        body = emulator.requests[0].body
    assert [(row.group, row.metrics) for row in rows] == [
        ({"kind": "x", "day": "2025-01-01T00:00:00Z"}, {"objects": 2, "size": 8, "largest": 5})
    ]
    assert isinstance(rows[0], AggregateRow)
    assert body == {
        "group_by": [{"field": "kind"}, {"field": "created_at", "date_trunc": "day", "alias": "day"}],
        "aggregations": [
            {"function": "count", "alias": "objects"},
            {"function": "sum", "field": "size", "alias": "size"},
            {"function": "max", "field": "size", "alias": "largest"},
        ],
        "filters": {"AND": [{"field": "size", "operator": "lt", "value": 7}]},
    }


async def test_an_unwound_list_is_grouped_by_its_elements() -> None:
    async with Emulator() as emulator, connect(emulator) as client:
        emulator.insert(blobs=[{"property": "a", "type": "text"}, {"property": "b", "type": "pdf"}])
        emulator.insert(blobs=[{"property": "a", "type": "text"}])
        rows = await client.objects.aggregate(
            emulator.bucket, group_by=["blobs.type"], metrics={"n": "count"}, unwind="blobs"
        )
    assert {row.group["blobs.type"]: row.metrics["n"] for row in rows} == {"text": 2, "pdf": 1}


GOOD: dict[str, Any] = {"group_by": ["status"], "metrics": {"n": "count"}}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"group_by": "status"}, "group_by must be a list"),
        ({"group_by": {"field": "status"}}, "group_by must be a list"),
        ({"group_by": 7}, "group_by must be a list"),
        ({"group_by": []}, "group_by names no field"),
        ({"group_by": [7]}, "name of a field"),
        ({"group_by": ["a..b"]}, "name of a field"),
        ({"group_by": [{"alias": "x"}]}, "name of a field"),
        ({"group_by": [{"field": "x", "unit": "day"}]}, "not 'unit'"),
        ({"group_by": [{"field": "x", "date_trunc": "decade"}]}, "date_trunc must be one of year"),
        ({"group_by": [{"field": "x", "alias": ""}]}, "alias must be a text"),
        ({"group_by": [{"field": "x", "date_part": 7}]}, "date_part must be a text"),
        ({"metrics": {}}, "metrics must be a dict"),
        ({"metrics": ["count"]}, "metrics must be a dict"),
        ({"metrics": {"": "count"}}, "name of a metric"),
        ({"metrics": {"n": "sum"}}, "metric 'n' must be"),
        ({"metrics": {"n": ("", "size")}}, "metric 'n' must be"),
        ({"metrics": {"n": ("sum", "")}}, "name of a field"),
        ({"metrics": {"n": 7}}, "metric 'n' must be"),
        ({"filters": 7}, "filters must be"),
        ({"unwind": ""}, "name of a field"),
    ],
)
async def test_an_aggregation_that_can_never_work_is_refused_before_it_is_sent(
    wrong: dict[str, Any], message: str
) -> None:
    async with Emulator() as emulator, connect(emulator) as client:
        with pytest.raises(InvalidArgumentError, match=message):
            await client.objects.aggregate(emulator.bucket, **{**GOOD, **wrong})
        assert emulator.requests == []


async def test_a_bucket_or_a_namespace_that_is_not_there_has_no_groups() -> None:
    async with Emulator() as emulator, connect(emulator) as client:
        with pytest.raises(NotFoundError, match="bkt_none"):
            await client.objects.aggregate("bkt_none", **GOOD)
        with pytest.raises(NotFoundError, match="bkt_none"):
            await client.objects.count("bkt_none")
        async with connect(emulator, namespace="other") as stranger:
            with pytest.raises(NamespaceUnresolvedError):
                await stranger.objects.aggregate(emulator.bucket, **GOOD)
            with pytest.raises(NamespaceUnresolvedError):
                await stranger.objects.count(emulator.bucket)


async def aggregated(body: Any) -> list[AggregateRow]:
    async with (
        ScriptedServer(answer(body)) as server,
        AsyncMixpeek("sk_test", namespace="test", base_url=server.url) as client,
    ):
        return await client.objects.aggregate("bkt_1", **GOOD)


async def test_fewer_groups_than_the_server_counts_are_incomplete() -> None:
    row = {"group": {"status": "FAILED"}, "metrics": {"n": 1}}
    assert len(await aggregated({"results": [row]})) == 1
    with pytest.raises(IncompleteListError, match="1 of 2 groups"):
        await aggregated({"results": [row], "total_groups": 2})


@pytest.mark.parametrize(
    "body", [{}, {"results": 7}, {"results": [{"group": {}}]}, {"results": [], "total_groups": "1"}]
)
async def test_an_answer_that_is_no_aggregation_is_malformed(body: Any) -> None:
    with pytest.raises(InvalidObjectError):
        await aggregated(body)


@given(count=st.integers(0, 20), pagination=st.sampled_from(["cursor", "page"]))
@settings(max_examples=15, deadline=None)
def test_a_bucket_is_counted_in_one_request(count: int, pagination: str) -> None:
    async def check() -> None:
        async with Emulator(objects=count, pagination=pagination) as emulator, connect(emulator) as client:
            assert await client.objects.count(emulator.bucket) == count
            (request,) = emulator.requests
        assert dict(request.query) == {"limit": "1", "include_total": "true"}

    asyncio.run(check())


async def test_the_objects_that_match_a_filter_are_counted() -> None:
    async with Emulator() as emulator, connect(emulator) as client:
        for year in (2023, 2024, 2025):
            emulator.insert(year=year)
        assert await client.objects.count(emulator.bucket, filters=field("year") >= 2024) == 2


async def test_a_server_that_does_not_count_is_an_error_and_no_number() -> None:
    async with Emulator(objects=1, pagination="has_more") as emulator, connect(emulator) as client:
        with pytest.raises(MalformedResponseError, match="no count") as caught:
            await client.objects.count(emulator.bucket)
    assert caught.value.path == "$.pagination.total"
    assert not caught.value.retryable
