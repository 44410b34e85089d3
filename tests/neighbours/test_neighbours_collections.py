"""Collections: listed by the same pager as buckets, and fetched one by one."""

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.clients import connect
from support.scripted_server import ScriptedServer, answer

from mixpeek_async import (
    AsyncMixpeek,
    CheckpointError,
    Collection,
    CollectionQuery,
    IncompleteListError,
    InvalidArgumentError,
    NamespaceUnresolvedError,
    NotFoundError,
    field,
)
from mixpeek_async.emulator import Emulator


async def ids(client: AsyncMixpeek, *args: Any, **options: Any) -> list[str]:
    return [collection.collection_id async for collection in client.collections.list(*args, **options)]


@given(
    count=st.integers(0, 8),
    page_size=st.integers(2, 5),
    pagination=st.sampled_from(["cursor", "has_more", "page"]),
    body_paging=st.booleans(),
)
@settings(max_examples=25, deadline=None)
def test_any_number_of_collections_is_walked_in_any_shape(
    count: int, page_size: int, pagination: str, body_paging: bool
) -> None:
    async def check() -> None:
        emulator = Emulator(collection="c0", pagination=pagination, body_paging=body_paging)
        async with emulator, connect(emulator) as client:
            for number in range(1, count + 1):
                emulator.create_collection(f"c{number}")
            assert await ids(client, page_size=page_size) == [f"c{number}" for number in range(count + 1)]

    asyncio.run(check())


async def test_a_collection_tells_what_it_holds() -> None:
    async with Emulator() as emulator, connect(emulator) as client:
        emulator.documents.seed(3)
        collection = await client.collections.get(emulator.collection)
        assert await client.collections.list().to_list() == [collection]
    assert isinstance(collection, Collection)
    assert (collection.collection_name, collection.document_count) == (emulator.collection, 3)
    assert collection.source == {"type": "bucket", "bucket_ids": [emulator.bucket]}
    assert (collection.lifecycle_state, collection.schema_version, collection.enabled) == ("active", 1, True)
    assert collection.created_at is not None
    assert "feature_extractor" in collection.extra


async def test_collections_are_filtered_sorted_and_searched() -> None:
    async with Emulator(collection="a") as emulator, connect(emulator) as client:
        emulator.create_collection("b", collection_name="Sea", metadata={"year": 2024})
        emulator.create_collection("c", description="by the sea")
        assert await ids(client, filters=field("metadata.year") >= 2024) == ["b"]
        assert await ids(client, filters={"collection_name": "sea"}) == ["b"]
        assert await ids(client, search="sea") == ["b", "c"]
        assert await ids(client, CollectionQuery(search="sea", case_sensitive=True)) == ["c"]
        assert await ids(client, sort="-collection_id") == ["c", "b", "a"]


async def test_a_checkpoint_of_collections_goes_on_with_the_next_and_fits_no_buckets() -> None:
    async with Emulator(collection="a") as emulator, connect(emulator) as client:
        emulator.create_collection("b")
        pager = client.collections.list(max_items=1)
        await pager.to_list()
        assert await ids(client, resume=pager.checkpoint) == ["b"]
        with pytest.raises(CheckpointError, match="another bucket"):
            client.buckets.list(resume=pager.checkpoint)


async def test_a_collection_is_found_by_its_name_too() -> None:
    async with Emulator() as emulator, connect(emulator) as client:
        emulator.create_collection("col_2", collection_name="holiday photos")
        assert (await client.collections.get("holiday photos")).collection_id == "col_2"
        with pytest.raises(NotFoundError, match="col_none"):
            await client.collections.get("col_none")


async def test_no_collections_of_no_namespace() -> None:
    async with Emulator() as emulator, connect(emulator, namespace="other") as client:
        with pytest.raises(NamespaceUnresolvedError):
            await ids(client)


@pytest.mark.parametrize("name", ["", "..", "a\nb", None, 7])
async def test_an_id_that_could_not_arrive_is_refused_before_it_is_sent(name: Any) -> None:
    async with Emulator() as emulator, connect(emulator) as client:
        with pytest.raises(InvalidArgumentError, match="collection"):
            await client.collections.get(name)
        assert emulator.requests == []


async def test_a_list_that_ends_before_the_count_of_the_server_is_incomplete() -> None:
    row = {"collection_id": "c1", "collection_name": "c1"}
    first = answer({"results": [row], "pagination": {"has_more": False}, "total_count": 2})
    end = answer({"results": [], "pagination": {"has_more": False}, "total_count": 2})
    async with (
        ScriptedServer(first, end) as server,
        AsyncMixpeek("sk_test", namespace="test", base_url=server.url) as client,
    ):
        with pytest.raises(IncompleteListError, match="1 of the 2"):
            await ids(client)
