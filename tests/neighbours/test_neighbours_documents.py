"""Documents: walked whole or in parts, with the warnings of the server, and never a part as if it were whole."""

import asyncio
import logging
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.clients import connect
from support.scripted_server import ScriptedServer, answer

from mixpeek_async import (
    ApiWarning,
    AsyncMixpeek,
    CheckpointError,
    DocumentQuery,
    IncompleteListError,
    InvalidArgumentError,
    NamespaceUnresolvedError,
    NotFoundError,
    PaginationError,
    field,
)
from mixpeek_async.emulator import Emulator, Fault


async def ids(client: AsyncMixpeek, *args: Any, **options: Any) -> list[str]:
    return [document.document_id async for document in client.documents.list(*args, **options)]


@given(
    count=st.integers(0, 12),
    page_size=st.integers(2, 5),
    pagination=st.sampled_from(["cursor", "has_more", "page"]),
)
@settings(max_examples=25, deadline=None)
def test_any_number_of_documents_is_walked_in_any_shape(count: int, page_size: int, pagination: str) -> None:
    async def check() -> None:
        async with Emulator(pagination=pagination) as emulator, connect(emulator) as client:
            seeded = emulator.documents.seed(count)
            assert await ids(client, emulator.collection, page_size=page_size) == seeded

    asyncio.run(check())


@given(count=st.integers(0, 30), parts=st.integers(1, 5), page_size=st.integers(1, 4))
@settings(max_examples=25, deadline=None)
def test_the_partitions_of_a_collection_are_disjoint_and_whole(count: int, parts: int, page_size: int) -> None:
    async def check() -> None:
        async with Emulator() as emulator, connect(emulator) as client:
            seeded = emulator.documents.seed(count)
            found = await asyncio.gather(
                *(
                    ids(client, emulator.collection, partition=(index, parts), page_size=page_size)
                    for index in range(parts)
                )
            )
        assert sorted(id_ for part in found for id_ in part) == sorted(seeded)

    asyncio.run(check())


async def test_a_checkpoint_fits_its_own_partition_only() -> None:
    async with Emulator() as emulator, connect(emulator) as client:
        emulator.documents.seed(30)
        whole = await ids(client, emulator.collection, partition=(0, 2))
        pager = client.documents.list(emulator.collection, partition=(0, 2), page_size=2, max_items=3)
        first = [document.document_id async for document in pager]
        assert first + await ids(client, emulator.collection, partition=(0, 2), resume=pager.checkpoint) == whole
        with pytest.raises(CheckpointError, match="another query"):
            client.documents.list(emulator.collection, partition=(1, 2), resume=pager.checkpoint)


@pytest.mark.parametrize("partition", [(0, 1), [0, 1], {"index": 0, "count": 1}])
async def test_a_partition_may_be_written_in_three_ways(partition: Any) -> None:
    query = DocumentQuery(partition=partition)
    assert query.partition == (0, 1)
    assert query.to_dict() == {"partition": {"index": 0, "count": 1}}
    assert DocumentQuery.from_dict(query.to_dict()) == query


@pytest.mark.parametrize(
    "partition",
    [(2, 2), (-1, 2), (0, 0), (0, 257), (True, 2), (0, 2.0), (0,), 7, "01", {"index": 0}, ("0", "2")],
)
def test_a_partition_that_is_none_is_refused(partition: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="partition"):
        DocumentQuery(partition=partition)


async def test_documents_are_filtered_sorted_searched_and_selected() -> None:
    async with Emulator() as emulator, connect(emulator) as client:
        for number in range(3):
            emulator.documents.insert({"document_id": f"d{number}"}, rank=-number, title=f"title {number}")
        collection = emulator.collection
        assert await ids(client, collection, filters=field("rank") < 0) == ["d1", "d2"]
        assert await ids(client, collection, sort="rank") == ["d2", "d1", "d0"]
        assert await ids(client, collection, DocumentQuery(filters={"title": "title 1"})) == ["d1"]
        (document,) = await client.documents.list(collection, select=["rank"], max_items=1).to_list()
        assert document.extra == {"rank": 0}
        await ids(client, collection, search="title", return_presigned_urls=True)
        assert emulator.requests[-1].body == {"search": "title", "return_presigned_urls": True}


async def test_a_document_keeps_the_fields_of_its_user_and_of_the_server() -> None:
    async with Emulator() as emulator, connect(emulator) as client:
        (id_,) = emulator.documents.seed(1)
        document = await client.documents.get(emulator.collection, id_)
        assert await client.documents.list(emulator.collection).to_list() == [document]
        assert document.to_dict() == emulator.documents.get(id_)
    assert document.searchable_at is not None
    assert document.extra.keys() >= {"_internal", "place", "year"}


async def test_the_repr_of_a_document_shows_no_presigned_url() -> None:
    async with Emulator() as emulator, connect(emulator) as client:
        (id_,) = emulator.documents.seed(1)
        document = await client.documents.get(emulator.collection, id_, return_presigned_urls=True)
    assert document.document_blobs[0]["presigned_url"].startswith("https://")
    assert "Signature" not in repr(document)


async def test_a_document_or_a_collection_that_is_not_there_is_not_found() -> None:
    async with Emulator() as emulator, connect(emulator) as client:
        with pytest.raises(NotFoundError, match="doc_none"):
            await client.documents.get(emulator.collection, "doc_none")
        with pytest.raises(NotFoundError, match="col_none"):
            await ids(client, "col_none")


async def test_an_argument_that_can_never_work_is_refused_before_it_is_sent() -> None:
    async with Emulator() as emulator, connect(emulator) as client:
        with pytest.raises(InvalidArgumentError, match="collection"):
            client.documents.list("..")
        with pytest.raises(InvalidArgumentError, match="document_id"):
            await client.documents.get(emulator.collection, "")
        wrong: dict[str, Any] = {"return_presigned_urls": "yes"}
        with pytest.raises(InvalidArgumentError, match="return_presigned_urls must be True or False"):
            await client.documents.get(emulator.collection, "d", **wrong)
        assert emulator.requests == []


async def test_no_documents_of_no_namespace() -> None:
    async with Emulator() as emulator, connect(emulator, namespace="other") as client:
        with pytest.raises(NamespaceUnresolvedError):
            await ids(client, emulator.collection)


async def test_a_page_that_is_too_large_is_asked_for_in_halves() -> None:
    async with Emulator(faults={1: Fault.http(413)}) as emulator, connect(emulator) as client:
        seeded = emulator.documents.seed(4)
        assert await ids(client, emulator.collection, page_size=4) == seeded


@given(count=st.integers(0, 12), cap=st.integers(1, 12), page_size=st.integers(1, 5))
@settings(max_examples=25, deadline=None)
def test_a_sorted_list_that_the_server_cuts_never_ends_as_if_it_were_whole(
    count: int, cap: int, page_size: int
) -> None:
    async def check() -> None:
        async with Emulator(max_sorted=cap) as emulator, connect(emulator) as client:
            for number in range(count):
                emulator.documents.insert({"document_id": f"d{number}"}, rank=-number)
            found: list[str] = []
            whole = True
            try:
                async for document in client.documents.list(emulator.collection, sort="rank", page_size=page_size):
                    found.append(document.document_id)
            except IncompleteListError:
                whole = False
        assert found == [f"d{number}" for number in reversed(range(min(cap, count)))]
        assert whole is (count <= cap)

    asyncio.run(check())


async def test_an_incomplete_list_raises_at_each_end_and_after_a_resume_but_not_before_max_items() -> None:
    async with Emulator(max_sorted=3) as emulator, connect(emulator) as client:
        for number in range(4):
            emulator.documents.insert({"document_id": f"d{number}"}, rank=number)
        collection = emulator.collection
        assert await ids(client, collection, sort="rank", max_items=3) == ["d0", "d1", "d2"]
        assert len((await client.documents.list(collection, sort="rank")).results) == 3
        pages = client.documents.list(collection, sort="rank").pages()
        assert len((await anext(pages)).results) == 3
        with pytest.raises(IncompleteListError):
            await anext(pages)
        with pytest.raises(IncompleteListError) as caught:
            await anext(pages)
        with pytest.raises(PaginationError, match="not complete: sorted over the first 3"):
            await ids(client, collection, sort="rank", resume=caught.value.checkpoint)


async def outcome(warnings: list[Any], **options: Any) -> tuple[list[str], list[ApiWarning]]:
    """What a walk of a page with these warnings gives: its ids and the warnings that it has collected."""
    body = {
        "results": [{"document_id": "d1", "collection_id": "c"}],
        "pagination": {"next_cursor": None},
        "warnings": warnings,
    }
    async with (
        ScriptedServer(answer(body)) as server,
        AsyncMixpeek("sk_test_secret", namespace="test", base_url=server.url) as client,
    ):
        pager = client.documents.list("c", **options)
        return [document.document_id async for document in pager], pager.progress.warnings


@pytest.mark.parametrize(
    "text",
    ["results are INCOMPLETE", "partial results", "truncated to 10000", "only the first 10,000 rows", "rows left out"],
)
async def test_words_for_missing_rows_count_in_any_list(text: str) -> None:
    with pytest.raises(IncompleteListError, match=text):
        await outcome([text])


async def test_other_warnings_are_collected_and_end_no_walk_that_is_not_sorted() -> None:
    found, warnings = await outcome(["vectors are hydrated later", {"resource": "index", "next_step": "wait"}])
    assert found == ["d1"]
    assert [warning.reason for warning in warnings] == ["vectors are hydrated later", None]


async def test_any_warning_ends_a_sorted_walk() -> None:
    with pytest.raises(IncompleteListError, match="vectors are hydrated later"):
        await outcome(["vectors are hydrated later"], sort="rank")


async def test_a_warning_is_in_the_page_in_the_progress_and_once_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    pages = [
        {
            "results": [{"document_id": f"d{number}", "collection_id": "c"}],
            "pagination": {"next_cursor": f"c{number}" if number < 3 else None},
            "warnings": ["the key sk_test_secret is old"],
        }
        for number in range(4)
    ]
    async with (
        ScriptedServer(*map(answer, pages)) as server,
        AsyncMixpeek("sk_test_secret", namespace="test", base_url=server.url) as client,
    ):
        pager = client.documents.list("c")
        with caplog.at_level(logging.WARNING, "mixpeek_async"):
            assert [len(page.warnings) for page in [page async for page in pager.pages()]] == [1] * 4
    assert len(pager.progress.warnings) == 1
    assert caplog.messages == ["/v1/collections/c/documents/list: the server warns: the key *** is old"]


async def test_a_walk_collects_no_more_than_100_warnings() -> None:
    pages = [
        {
            "results": [{"document_id": f"d{number}", "collection_id": "c"}],
            "pagination": {"next_cursor": f"c{number}" if number < 1 else None},
            "warnings": [f"warning {number}-{index}" for index in range(80)],
        }
        for number in range(2)
    ]
    async with (
        ScriptedServer(*map(answer, pages)) as server,
        AsyncMixpeek("sk_test", namespace="test", base_url=server.url) as client,
    ):
        pager = client.documents.list("c")
        await pager.to_list()
    assert len(pager.progress.warnings) == 100
