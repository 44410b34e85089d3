"""Collections and their documents: listed, cut into parts, sorted up to a cap, and fetched one by one."""

import asyncio
import json
from itertools import chain
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixpeek_async.emulator import Emulator
from mixpeek_async.emulator._cursors import Cursor, Partition, decode_cursor, encode_cursor
from mixpeek_async.emulator._selection import RowKey

COLLECTIONS = "/v1/collections"
DOCUMENTS = "/v1/collections/col_emulator/documents"


async def _documents(post: Any, emulator: Emulator, query: Any = None, **body: Any) -> Any:
    data = json.dumps(body).encode() if body else None
    return await post(emulator, query, path=f"{DOCUMENTS}/list", data=data)


async def _walk(post: Any, emulator: Emulator, limit: int, **body: Any) -> list[str]:
    """The ids of a list; only the first request holds a `partition`."""
    ids: list[str] = []
    reply = await _documents(post, emulator, limit=limit, **body)
    while True:
        ids += [document["document_id"] for document in reply.body["results"]]
        cursor = reply.body["pagination"]["next_cursor"]
        if cursor is None:
            return ids
        rest = {name: value for name, value in body.items() if name != "partition"}
        reply = await _documents(post, emulator, limit=limit, cursor=cursor, **rest)


async def test_collections_are_listed_and_found_by_id_and_by_name(post: Any) -> None:
    async with Emulator() as emulator:
        emulator.create_collection("c2", collection_name="faces", bucket="bkt_other", document_count=9)
        emulator.documents.insert(container="c2")
        listed = (await post(emulator, path=f"{COLLECTIONS}/list")).body["results"]
        for name in ("c2", "faces"):
            assert (await post(emulator, method="GET", path=f"{COLLECTIONS}/{name}")).body == listed[1]
        missing = await post(emulator, method="GET", path=f"{COLLECTIONS}/none")
    assert [collection["collection_id"] for collection in listed] == ["col_emulator", "c2"]
    assert listed[1]["source"] == {"type": "bucket", "bucket_ids": ["bkt_other"]}
    assert listed[1]["document_count"] == 1
    assert (missing.status, missing.body["error"]["code"]) == (404, "collection_not_found")


async def test_a_collection_and_a_bucket_may_share_an_id(post: Any) -> None:
    async with Emulator(bucket="same", collection="same", objects=2) as emulator:
        emulator.documents.seed(1)
        bucket = (await post(emulator, method="GET", path="/v1/buckets/same")).body
        collection = (await post(emulator, method="GET", path=f"{COLLECTIONS}/same")).body
    assert (bucket["object_count"], collection["document_count"]) == (2, 1)


async def test_a_sample_document_is_of_the_sample_object_with_its_number(post: Any) -> None:
    async with Emulator(objects=3) as emulator:
        emulator.documents.seed(3)
        results = (await _documents(post, emulator)).body["results"]
        roots = [document["_internal"]["lineage"]["root_object_id"] for document in results]
        assert roots == emulator.object_ids()
        assert [document["document_id"] for document in results] == emulator.documents.ids()


async def test_documents_can_be_inserted_updated_and_deleted(post: Any) -> None:
    async with Emulator() as emulator:
        made = emulator.documents.insert(title="one")
        own = emulator.documents.insert({"document_id": "doc_1"})
        assert own == {"document_id": "doc_1", "collection_id": "col_emulator"}
        emulator.documents.update("doc_1", title="two")
        emulator.documents.delete(made["document_id"])
        assert (await _documents(post, emulator)).body["results"] == [{**own, "title": "two"}]
        assert emulator.documents.get("doc_1") == {**own, "title": "two"}
        with pytest.raises(KeyError, match="no document 'doc_2' in collection 'col_emulator'"):
            emulator.documents.get("doc_2")
        with pytest.raises(KeyError, match="create_collection"):
            emulator.documents.ids("none")
        with pytest.raises(ValueError, match="document_id must"):
            emulator.documents.insert(document_id=7)
        with pytest.raises(ValueError, match="document_id is in collection 'col_emulator' already"):
            emulator.documents.insert(document_id="doc_1")


async def test_one_document_is_fetched_by_its_id(post: Any) -> None:
    async with Emulator() as emulator:
        (document_id,) = emulator.documents.seed(1)
        plain = await post(emulator, method="GET", path=f"{DOCUMENTS}/{document_id}")
        query = {"return_presigned_urls": "true"}
        signed = await post(emulator, query, method="GET", path=f"{DOCUMENTS}/{document_id}")
        missing = await post(emulator, method="GET", path=f"{DOCUMENTS}/none")
        elsewhere = await post(emulator, method="GET", path=f"{DOCUMENTS}/none", headers={"X-Namespace": "other"})
        assert plain.body == emulator.documents.get(document_id)
        assert emulator.requests[0].document_id == document_id
    assert document_id in signed.body["document_blobs"][0]["presigned_url"]
    assert (missing.status, missing.body["error"]["code"]) == (404, "document_not_found")
    assert elsewhere.status == 404


async def test_the_body_of_a_document_list_wins_over_its_query(post: Any) -> None:
    async with Emulator() as emulator:
        ids = emulator.documents.seed(6)
        reply = await _documents(post, emulator, {"limit": 1, "offset": 1, "include_total": "true"}, limit=2)
        assert [document["document_id"] for document in reply.body["results"]] == ids[1:3]
        assert (reply.body["total_documents"], reply.body["stats"]["total_documents"]) == (6, 6)
        reply = await _documents(post, emulator, {"include_total": "true"}, include_total=False)
        assert reply.body["total_documents"] is None


async def test_documents_are_filtered_searched_selected_and_sorted(post: Any) -> None:
    async with Emulator() as emulator:
        for number, year in enumerate([2024, 2022, 2023]):
            emulator.documents.insert({"document_id": f"d{number}"}, year=year, place="sea")
        emulator.documents.insert({"document_id": "d3"}, place="hill")
        reply = await _documents(
            post,
            emulator,
            filters={"AND": [{"field": "year", "operator": "gte", "value": 2023}]},
            search="sea",
            select=["year"],
            sort={"field": "year"},
        )
    assert reply.body["results"] == [
        {"document_id": "d2", "collection_id": "col_emulator", "year": 2023},
        {"document_id": "d0", "collection_id": "col_emulator", "year": 2024},
    ]


async def test_partitions_are_disjoint_and_complete(post: Any) -> None:
    async with Emulator() as emulator:
        ids = emulator.documents.seed(60)
        parts = [await _walk(post, emulator, 3, partition={"index": index, "count": 4}) for index in range(4)]
    assert sorted(chain(*parts)) == sorted(ids)
    assert all(5 <= len(part) <= 25 for part in parts)


async def test_a_partition_is_counted_alone(post: Any) -> None:
    async with Emulator() as emulator:
        emulator.documents.seed(30)
        partition = {"index": 1, "count": 2}
        ids = await _walk(post, emulator, 7, partition=partition)
        reply = await _documents(post, emulator, partition=partition, include_total=True)
    assert reply.body["total_documents"] == len(ids) < 30


async def test_a_cursor_of_another_partition_is_refused(post: Any) -> None:
    async with Emulator() as emulator:
        emulator.documents.seed(30)
        reply = await _documents(post, emulator, limit=1, partition={"index": 0, "count": 2})
        cursor = reply.body["pagination"]["next_cursor"]
        assert (await _documents(post, emulator, cursor=cursor, partition={"index": 0, "count": 2})).status == 200
        refused = await _documents(post, emulator, cursor=cursor, partition={"index": 1, "count": 2})
    assert refused.body["error"]["details"]["validation_errors"][0]["loc"] == ["body", "cursor"]


@pytest.mark.parametrize(
    "partition",
    [
        7,
        {},
        {"index": 0},
        {"index": 2, "count": 2},
        {"index": -1, "count": 2},
        {"index": 0, "count": 257},
        {"index": True, "count": 2},
        {"index": 0, "count": 2, "size": 1},
    ],
)
async def test_a_partition_that_is_none_is_refused(post: Any, partition: Any) -> None:
    async with Emulator() as emulator:
        reply = await _documents(post, emulator, partition=partition)
    assert [problem["loc"] for problem in reply.body["error"]["details"]["validation_errors"]] == [
        ["body", "partition"]
    ]


@given(
    st.builds(RowKey, st.integers(1, 10**18 - 1), st.binary(max_size=5)),
    st.none() | st.builds(Partition, st.integers(0, 255), st.integers(1, 256)),
)
def test_a_cursor_carries_its_place_and_its_partition(key: RowKey, partition: Partition | None) -> None:
    cursor = Cursor(key, partition)
    assert decode_cursor(encode_cursor(cursor)) == cursor


async def test_documents_have_no_greatest_offset(post: Any) -> None:
    async with Emulator() as emulator:
        assert (await _documents(post, emulator, offset=10_001)).status == 200


@given(count=st.integers(0, 12), cap=st.integers(1, 12), limit=st.integers(1, 5))
@settings(max_examples=25, deadline=None)
def test_a_sorted_list_ends_at_the_cap_and_says_so(post: Any, count: int, cap: int, limit: int) -> None:
    async def check() -> None:
        async with Emulator(max_sorted=cap) as emulator:
            for number in range(count):
                emulator.documents.insert({"document_id": str(number)}, rank=-number)
            reply = await _documents(post, emulator, sort={"field": "rank"}, include_total=True)
            ids = await _walk(post, emulator, limit, sort={"field": "rank"})
        assert ids == [str(number) for number in reversed(range(min(cap, count)))]
        assert ("warnings" in reply.body) is (count > cap)
        assert all(isinstance(warning, str) for warning in reply.body.get("warnings", []))

    asyncio.run(check())


async def test_documents_of_another_namespace_are_none_with_a_warning_in_text(post: Any) -> None:
    async with Emulator() as emulator:
        reply = await post(emulator, path=f"{DOCUMENTS}/list", headers={"X-Namespace": "ns_other"})
    (warning,) = reply.body["warnings"]
    assert (reply.status, reply.body["results"]) == (200, [])
    assert warning.startswith("namespace ns_other is unresolved")
