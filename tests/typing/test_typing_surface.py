"""What a type checker says of the code that users write. Checked by mypy and pyright, and run as well.

`assert_type` is for the checkers; that the code runs keeps it honest.
"""

from datetime import datetime
from typing import assert_type

import attrs

import mixpeek_async
from mixpeek_async import (
    AggregateRow,
    AsyncMixpeek,
    Blob,
    Bucket,
    Collection,
    Document,
    Event,
    Field,
    Filter,
    MixpeekError,
    Object,
    ObjectQuery,
    ObjectStatus,
    Page,
    Pager,
    PageWalk,
    Pagination,
    Progress,
    RateLimitError,
    Walk,
    converter,
    field,
)
from mixpeek_async.emulator import Emulator, RecordedRequest

pytest_plugins = ["mixpeek_async.testing"]


async def test_a_listing_gives_objects(mixpeek_emulator: Emulator, mixpeek_client: AsyncMixpeek) -> None:
    mixpeek_emulator.seed(3)
    pager = mixpeek_client.objects.list(mixpeek_emulator.bucket)
    assert_type(pager, Pager[Object])
    async for obj in pager:
        assert_type(obj, Object)
    async for page in pager.pages():
        assert_type(page, Page[Object])
        assert_type(page.results, list[Object])
        assert_type(page.pagination, Pagination)
    assert_type(await pager, Page[Object])
    assert_type(await pager.to_list(), list[Object])
    assert_type([each async for each in pager], list[Object])
    assert_type(aiter(pager), Walk[Object])
    assert_type(await anext(aiter(pager)), Object)
    assert_type(pager.pages(), PageWalk[Object])
    assert_type(pager.progress, Progress)
    assert_type(pager.progress.total, int | None)
    assert_type(pager.checkpoint, str)


@attrs.frozen
class Contract:
    title: str = ""


async def test_a_listing_into_a_class_gives_that_class(
    mixpeek_emulator: Emulator, mixpeek_client: AsyncMixpeek
) -> None:
    bucket, [object_id] = mixpeek_emulator.bucket, mixpeek_emulator.seed(1)
    assert_type(mixpeek_client.objects.list(bucket, model=Contract, page_size=5), Pager[Contract])
    assert_type(await mixpeek_client.objects.list(bucket, model=Contract).to_list(), list[Contract])
    assert_type(await mixpeek_client.objects.get(bucket, object_id, model=Contract), Contract)
    assert_type(await mixpeek_client.objects.get(bucket, object_id), Object)


def test_a_model_is_an_attrs_class_to_a_checker() -> None:
    obj = Object(object_id="o", bucket_id="b", extra={"title": "x"})
    assert_type(attrs.evolve(obj, status=ObjectStatus.DRAFT), Object)
    assert_type(Object.from_dict(obj.to_dict()), Object)
    assert_type(Object.from_json(obj.to_json()), Object)
    assert_type(obj.created_at, datetime | None)
    assert_type(obj.blobs, list[Blob])
    assert_type(converter.structure({"object_id": "o", "bucket_id": "b"}, Object), Object)
    assert attrs.fields(Object).status.name == "status"


async def test_a_listing_of_buckets_gives_buckets(mixpeek_emulator: Emulator, mixpeek_client: AsyncMixpeek) -> None:
    assert_type(mixpeek_client.buckets.list(), Pager[Bucket])
    bucket = await mixpeek_client.buckets.get(mixpeek_emulator.bucket)
    assert_type(bucket, Bucket)
    assert_type(bucket.object_count, int | None)


async def test_the_neighbours_have_types_of_their_own(mixpeek_emulator: Emulator, mixpeek_client: AsyncMixpeek) -> None:
    bucket, collection = mixpeek_emulator.bucket, mixpeek_emulator.collection
    (document_id,) = mixpeek_emulator.documents.seed(1)
    assert_type(mixpeek_client.collections.list(sort="-created_at"), Pager[Collection])
    assert_type(await mixpeek_client.collections.get(collection), Collection)
    assert_type(mixpeek_client.documents.list(collection, partition=(0, 4)), Pager[Document])
    assert_type(await mixpeek_client.documents.get(collection, document_id), Document)
    assert_type(mixpeek_client.events.list("object.created", max_items=1), Pager[Event])
    assert_type(await mixpeek_client.objects.count(bucket), int)
    rows = await mixpeek_client.objects.aggregate(
        bucket,
        group_by=["status", {"field": "created_at", "date_trunc": "day"}],
        metrics={"objects": "count", "size": ("sum", "size_bytes")},
    )
    assert_type(rows, list[AggregateRow])


async def test_an_object_has_typed_fields(mixpeek_emulator: Emulator, mixpeek_client: AsyncMixpeek) -> None:
    (object_id,) = mixpeek_emulator.seed(1)
    assert_type(object_id, str)
    obj = await mixpeek_client.objects.get(mixpeek_emulator.bucket, object_id)
    assert_type(obj, Object)
    assert_type(obj.object_id, str)
    assert_type(obj.status, ObjectStatus | None)
    assert_type(obj.created_at, datetime | None)
    assert_type(obj.blobs, list[Blob])
    assert_type([blob.details and blob.details.size_bytes for blob in obj.blobs][:0], list[int | None])  # type: ignore[assert-type]  # mypy adds BlobDetails, whose truth it does not know
    assert_type(mixpeek_emulator.requests, list[RecordedRequest])


async def test_a_client_is_itself_in_a_with_block(mixpeek_emulator: Emulator) -> None:
    async with AsyncMixpeek("sk_1", namespace="n", base_url=mixpeek_emulator.url) as client:
        assert_type(client, AsyncMixpeek)
        async with client.objects.list("b") as pager:
            assert_type(pager, Pager[Object])


def test_comparisons_of_a_field_are_filters() -> None:
    year = field("metadata.year")
    assert_type(year, Field)
    assert_type(year == 2024, Filter)
    assert_type(year >= 2024, Filter)
    assert_type((year > 1) & ~(year < 9) | year.exists(), Filter)
    assert_type(ObjectQuery(filters=year == 2024, sort="-created_at", select=["status"]).filters, Filter | None)


def test_an_error_has_typed_facts() -> None:
    error = RateLimitError("429: slow down", status=429, retry_after=2.0)
    assert_type(error.status, int)
    assert_type(error.retry_after, float | None)
    assert_type(error.request_id, str | None)
    assert_type(error.checkpoint, str | None)
    assert_type(error.message, str)
    caught: MixpeekError = error
    assert_type(caught.retryable, bool)


def test_the_package_has_the_marker_of_types() -> None:
    from importlib.resources import files

    assert files(mixpeek_async).joinpath("py.typed").is_file()
