"""`pager.arrow()` in async code: the walk is that of every other object, in record batches."""

import asyncio
import json
import sys
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.clients import connect
from support.clocks import ManualClock
from support.list_server import ListServer, Query, objects

from mixpeek_async import (
    AsyncMixpeek,
    InvalidArgumentError,
    InvalidObjectError,
    NotFoundError,
    RetryPolicy,
    ServerError,
    field,
)
from mixpeek_async.arrow import schema
from mixpeek_async.emulator import Emulator, Fault


def ids_in(batches: list[Any]) -> list[str]:
    return [id_ for batch in batches for id_ in batch.column("object_id").to_pylist()]


@pytest.mark.parametrize("lean", [False, True])
@pytest.mark.parametrize("shape", ["cursor", "has_more", "page"])
async def test_every_object_comes_once_in_one_batch_a_page(shape: str, lean: bool) -> None:
    async with Emulator(objects=25, pagination=shape) as emulator, connect(emulator) as client:
        pager = client.objects.list(emulator.bucket, page_size=10)
        walk = pager.arrow(lean=lean)
        batches = [batch async for batch in walk]
        assert ids_in(batches) == emulator.object_ids()
        assert batches[0].num_rows == 10
        assert {batch.schema for batch in batches} == {walk.schema} == {schema(lean=lean)}
        assert walk.progress.items == pager.progress.items == 25
        assert pager.checkpoint == walk.checkpoint


async def test_the_values_are_those_of_the_objects() -> None:
    async with Emulator(objects=30) as emulator, connect(emulator) as client:
        emulator.update(emulator.object_ids()[3], shelf="B", metadata={"year": 1999})
        found = [row async for batch in client.objects.list(emulator.bucket).arrow() for row in batch.to_pylist()]
        whole = await client.objects.list(emulator.bucket).to_list()
    assert [row["created_at"] for row in found] == [obj.created_at for obj in whole]
    assert [row["blobs"][0]["property"] for row in found] == [obj.blobs[0].property for obj in whole]
    assert [row["status"] for row in found] == [obj.status for obj in whole]
    assert [json.loads(row["metadata"] or "null") for row in found] == [obj.metadata for obj in whole]
    assert json.loads(found[3]["extra"]) == whole[3].extra
    assert whole[3].extra["shelf"] == "B"


async def test_buckets_collections_documents_and_events_have_columns_too() -> None:
    async with Emulator(objects=3) as emulator, connect(emulator) as client:
        for pager, key in (
            (client.buckets.list(), "bucket_id"),
            (client.collections.list(), "collection_id"),
            (client.events.list(), "cursor"),
        ):
            items = await pager.to_list()
            rows = [row async for batch in pager.arrow() for row in batch.to_pylist()]
            assert [row[key] for row in rows] == [getattr(item, key) for item in items]


@settings(deadline=None, max_examples=40)
@given(
    shape=st.sampled_from(["cursor", "has_more", "page"]),
    objects=st.integers(0, 12),
    page_size=st.integers(1, 5),
    offset=st.integers(0, 3),
    lean=st.booleans(),
    data=st.data(),
)
async def test_a_checkpoint_leads_behind_the_last_batch_and_one_before_leads_in_front_of_it(
    shape: str, objects: int, page_size: int, offset: int, lean: bool, data: st.DataObject
) -> None:
    async with Emulator(objects=objects, pagination=shape) as emulator, connect(emulator) as client:
        walk = client.objects.list(emulator.bucket, page_size=page_size, offset=offset).arrow(lean=lean)
        batches = []
        for _ in range(data.draw(st.integers(0, 3))):
            if (batch := await anext(walk, None)) is None:
                break
            batches.append(batch)
        taken, last = ids_in(batches), ids_in(batches[-1:])
        rest = await client.objects.list(emulator.bucket, resume=walk.checkpoint).to_list()
        again = client.objects.list(emulator.bucket, resume=walk.checkpoint_before, page_size=page_size).arrow()
        ids = emulator.object_ids()[offset:]
        assert taken + [obj.object_id for obj in rest] == ids
        assert ids_in([batch async for batch in again]) == (last or taken) + ids[len(taken) :]


async def test_options_of_the_list_hold() -> None:
    async with Emulator(objects=40) as emulator, connect(emulator) as client:
        pager = client.objects.list(
            emulator.bucket, filters=field("status") == "COMPLETED", max_items=7, page_size=3, select=["status"]
        )
        batches = [batch async for batch in pager.arrow()]
    assert [batch.num_rows for batch in batches] == [3, 3, 1]
    assert {status for batch in batches for status in batch.column("status").to_pylist()} == {"COMPLETED"}


BAD = {"object_id": "bad", "bucket_id": "b", "blobs": [{"property": "p", "type": "text", "properties": [1]}]}


def answer(query: Query) -> Any:
    rows = [*objects("ab"), BAD, *objects("cd")][query.offset : query.offset + query.limit]
    return {"results": rows, "pagination": {"has_more": query.offset + query.limit < 5}}


async def test_a_bad_record_raises_the_error_of_its_model_and_the_walk_goes_on_behind_it() -> None:
    async with ListServer(answer) as server, server.client() as client:
        walk = client.objects.list("bkt").arrow()
        with pytest.raises(InvalidObjectError, match=r"Expected `object \| null`, got `array`") as caught:
            await anext(walk)
        assert caught.value.path == "$.results[2].blobs[0].properties"
        # No batch has handed out what stands before it.
        rest = client.objects.list("bkt", resume=caught.value.checkpoint, on_invalid="skip")
        assert [obj.object_id for obj in await rest.to_list()] == list("abcd")
        assert ids_in([batch async for batch in walk]) == list("abcd")


async def test_bad_records_are_skipped_or_reported_as_the_list_wants_it() -> None:
    errors: list[InvalidObjectError] = []
    async with ListServer(answer) as server, server.client() as client:
        for policy in ("skip", errors.append):
            walk = client.objects.list("bkt", on_invalid=policy).arrow()
            assert ids_in([batch async for batch in walk]) == list("abcd")
            assert walk.progress.invalid == 1
    assert [error.path for error in errors] == ["$.results[2].blobs[0].properties"]


async def test_lean_takes_the_record_whose_nested_parts_are_bad() -> None:
    async with ListServer(answer) as server, server.client() as client:
        walk = client.objects.list("bkt").arrow(lean=True)
        assert ids_in([batch async for batch in walk]) == ["a", "b", "bad", "c", "d"]


async def test_after_an_error_the_next_call_asks_for_the_same_page_again() -> None:
    faults = {2: Fault.http(500)}
    async with (
        Emulator(objects=9, faults=faults) as emulator,
        connect(emulator, retry=RetryPolicy(attempts=1), clock=ManualClock()) as client,
    ):
        walk = client.objects.list(emulator.bucket, page_size=3, prefetch=0).arrow()
        batches = [await anext(walk)]
        with pytest.raises(ServerError) as caught:
            await anext(walk)
        rest = await client.objects.list(emulator.bucket, resume=caught.value.checkpoint).to_list()
        assert [obj.object_id for obj in rest] == emulator.object_ids()[3:]
        batches += [batch async for batch in walk]
        assert ids_in(batches) == emulator.object_ids()


async def test_a_walk_that_is_closed_is_at_its_end() -> None:
    async with Emulator(objects=9) as emulator, connect(emulator) as client:
        pager = client.objects.list(emulator.bucket, page_size=3)
        async with pager.arrow() as walk:
            await anext(walk)
        assert [batch async for batch in walk] == []
        async with pager:
            walk = pager.arrow()
            await anext(walk)
        assert [batch async for batch in walk] == []


async def test_a_missing_bucket_is_the_usual_error() -> None:
    async with Emulator() as emulator, connect(emulator) as client:
        with pytest.raises(NotFoundError):
            await anext(client.objects.list("bkt_none").arrow())


async def test_a_class_of_the_users_has_no_columns() -> None:
    titled = attrs.make_class("Titled", {"object_id": attrs.field(type=str)})
    async with Emulator() as emulator, connect(emulator) as client:
        with pytest.raises(InvalidArgumentError, match="leave out model"):
            client.objects.list(emulator.bucket, model=titled).arrow()


def test_without_pyarrow_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.delitem(sys.modules, "mixpeek_async.arrow")
    monkeypatch.delitem(sys.modules, "mixpeek_async._arrow_columns")
    pager = AsyncMixpeek("sk_test", namespace="ns", base_url="http://localhost").objects.list("bkt")
    with pytest.raises(ImportError, match=r"pip install 'mixpeek-async\[arrow\]'"):
        pager.arrow()


async def test_other_tasks_run_while_a_page_becomes_a_batch() -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0)

    async with Emulator(objects=1000) as emulator, connect(emulator) as client:
        walk = client.objects.list(emulator.bucket).arrow()
        await walk._pages._reader.next_page()
        task = asyncio.create_task(tick())
        await anext(walk)
        task.cancel()
    assert ticks >= 9
