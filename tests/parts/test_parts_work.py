"""A part in a worker: what it holds, and its record batches."""

import asyncio
import pickle
import traceback
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import attrs
import pyarrow as pa
import pytest
from support.clients import connect

from mixpeek_async import (
    AsyncMixpeek,
    AuthenticationError,
    InvalidArgumentError,
    Object,
    ObjectQuery,
    Part,
)
from mixpeek_async.arrow import schema
from mixpeek_async.emulator import Emulator
from mixpeek_async.models import Document

KEY = "sk_only_in_the_environment"


def table_of(part: Part[Any], **options: Any) -> pa.Table:
    """What a worker reads of `part`. It is a function of a module, so that another process can import it."""
    return pa.Table.from_batches(part.batches(**options), part.schema(lean=options.get("lean", False)))


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIXPEEK_API_KEY", KEY)


async def plan(emulator: Emulator, count: int = 4) -> list[Part[Object]]:
    async with connect(emulator) as client:
        return await client.objects.parts(emulator.bucket, count=count, min_objects=10)


async def test_a_part_is_small_frozen_and_holds_no_key() -> None:
    async with Emulator(objects=100, api_key=KEY) as emulator:
        for part in await plan(emulator):
            pickled = pickle.dumps(part)
            assert len(pickled) < 1_000
            assert KEY.encode() not in pickled
            assert KEY not in repr(part)
            assert pickle.loads(pickled) == part
            assert hash(part) == hash(pickle.loads(pickled))
            with pytest.raises(attrs.exceptions.FrozenInstanceError):
                part.query = ObjectQuery()  # type: ignore[misc]  # that is the test


async def test_the_batches_of_all_parts_hold_each_object_once(key: None) -> None:
    async with Emulator(objects=100, api_key=KEY) as emulator:
        parts = await plan(emulator)
        tables = [await asyncio.to_thread(table_of, part, page_size=7) for part in parts]
        assert [id_ for table in tables for id_ in table["object_id"].to_pylist()] == emulator.object_ids()
        assert [table.num_rows for table in tables] == [part.estimate for part in parts]
    assert {table.schema for table in tables} == {schema()}


async def test_another_process_reads_a_part_with_the_key_of_its_environment(key: None) -> None:
    async with Emulator(objects=100, api_key=KEY) as emulator:
        parts = await plan(emulator)
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            tables = await asyncio.to_thread(lambda: list(pool.map(table_of, parts)))
        assert [id_ for table in tables for id_ in table["object_id"].to_pylist()] == emulator.object_ids()


async def test_a_part_of_a_collection_has_the_columns_of_documents(key: None) -> None:
    async with Emulator(api_key=KEY) as emulator, connect(emulator) as client:
        ids = emulator.documents.seed(20)
        parts = client.documents.parts(emulator.collection, count=2)
        tables = [await asyncio.to_thread(table_of, part, lean=True) for part in parts]
    assert sorted(id_ for table in tables for id_ in table["document_id"].to_pylist()) == sorted(ids)
    assert tables[0].schema == schema(Document, lean=True)


async def test_an_iterator_that_is_dropped_closes_the_client(key: None) -> None:
    made: list[AsyncMixpeek] = []

    def client() -> AsyncMixpeek:
        made.append(AsyncMixpeek(namespace=emulator.namespace, base_url=emulator.url))
        return made[0]

    def first() -> None:
        batches = parts[0].batches(client=client, page_size=5)
        assert made == []
        next(batches)
        assert not made[0].closed
        del batches

    async with Emulator(objects=100, api_key=KEY) as emulator:
        parts = await plan(emulator)
        await asyncio.to_thread(first)
    assert made[0].closed


async def test_the_error_of_a_walk_reaches_the_worker_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTHER_KEY", "sk_wrong")
    async with Emulator(objects=100, api_key=KEY) as emulator:
        parts = await plan(emulator)
        with pytest.raises(AuthenticationError):
            await asyncio.to_thread(table_of, parts[0], api_key_env="OTHER_KEY")


async def test_a_key_that_is_passed_as_the_name_of_its_variable_is_not_shown() -> None:
    async with Emulator(objects=100, api_key=KEY) as emulator:
        parts = await plan(emulator)
    with pytest.raises(InvalidArgumentError, match="api_key_env names no environment variable") as caught:
        table_of(parts[0], api_key_env=KEY)
    assert KEY not in "".join(traceback.format_exception(caught.value))


async def test_the_share_of_the_limit_is_a_setting_of_the_workers_client(key: None) -> None:
    async with Emulator(objects=100, api_key=KEY) as emulator:
        parts = await plan(emulator)
    with pytest.raises(InvalidArgumentError, match="requests_per_minute must be a whole number of at least 1"):
        table_of(parts[0], requests_per_minute=0)
