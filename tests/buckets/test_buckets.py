"""Buckets: listed by the same pager, fetched one by one, and walked with all that is in them."""

import asyncio
from datetime import UTC
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.clients import client_at, connect
from support.scripted_server import ScriptedServer, answer

from mixpeek_async import (
    AsyncMixpeek,
    Bucket,
    BucketQuery,
    CheckpointError,
    InvalidArgumentError,
    MalformedResponseError,
    MixpeekError,
    NamespaceUnresolvedError,
    NotFoundError,
    RetryPolicy,
    field,
)
from mixpeek_async.emulator import Emulator


async def names(client: AsyncMixpeek, *args: Any, **options: Any) -> list[str]:
    return [bucket.bucket_id async for bucket in client.buckets.list(*args, **options)]


@given(
    count=st.integers(0, 12),
    page_size=st.integers(2, 5),
    pagination=st.sampled_from(["cursor", "has_more", "page"]),
)
@settings(max_examples=30, deadline=None)
def test_any_number_of_buckets_is_walked_in_any_shape(count: int, page_size: int, pagination: str) -> None:
    async def check() -> None:
        async with Emulator(bucket="b0", pagination=pagination) as emulator, connect(emulator) as client:
            for number in range(1, count + 1):
                emulator.create_bucket(f"b{number}")
            assert await names(client, page_size=page_size) == [f"b{number}" for number in range(count + 1)]

    asyncio.run(check())


async def test_everything_in_a_namespace_is_walked() -> None:
    async with Emulator(objects=3) as emulator, connect(emulator) as client:
        emulator.create_bucket("bkt_second")
        emulator.seed(2, "bkt_second")
        ids = [
            obj.object_id
            async for bucket in client.buckets.list()
            async for obj in client.objects.list(bucket.bucket_id)
        ]
        assert ids == emulator.object_ids() + emulator.object_ids("bkt_second")


async def test_a_bucket_tells_what_it_holds() -> None:
    async with Emulator(objects=400) as emulator, connect(emulator) as client:
        objects = await client.objects.list(emulator.bucket).to_list()
        bucket = await client.buckets.get(emulator.bucket)
        assert (await client.buckets.list().to_list()) == [bucket]
    assert bucket.object_count == 400
    assert bucket.failed_object_count == sum(obj.status == "FAILED" for obj in objects) > 0
    assert bucket.total_size_bytes == sum(b.details.size_bytes or 0 for o in objects for b in o.blobs if b.details)
    assert bucket.created_at is not None
    assert bucket.created_at.tzinfo is UTC
    assert (bucket.status, bucket.is_locked, bucket.extra) == ("ACTIVE", False, {})


async def test_sizes_that_are_none_count_as_nothing(emulator: Emulator, client: AsyncMixpeek) -> None:
    emulator.insert(blobs=[7, {}, {"details": 7}, {"details": {"size_bytes": "7"}}, {"details": {"size_bytes": -1}}])
    assert (await client.buckets.get(emulator.bucket)).total_size_bytes == 0


async def test_a_bucket_is_found_by_its_name_too(emulator: Emulator, client: AsyncMixpeek) -> None:
    emulator.create_bucket("bkt_2", bucket_name="holiday photos", description="sea")
    emulator.insert(bucket="bkt_2", object_id="obj_1")
    bucket = await client.buckets.get("holiday photos")
    assert (bucket.bucket_id, bucket.description) == ("bkt_2", "sea")
    assert (await client.objects.get("holiday photos", "obj_1")).object_id == "obj_1"


async def test_buckets_are_filtered_sorted_and_searched() -> None:
    async with Emulator(bucket="a") as emulator, connect(emulator) as client:
        emulator.create_bucket("b", bucket_name="Sea", metadata={"year": 2024})
        emulator.create_bucket("c", description="by the sea")
        assert await names(client, filters=field("metadata.year") >= 2024) == ["b"]
        assert await names(client, filters={"bucket_name": "sea"}) == ["b"]
        assert await names(client, filters={"bucket_name": "sea"}, case_sensitive=True) == []
        assert await names(client, search="sea") == ["b", "c"]
        assert await names(client, BucketQuery(search="sea", case_sensitive=True)) == ["c"]
        assert await names(client, sort="-bucket_id") == ["c", "b", "a"]
        assert [request.endpoint for request in emulator.requests] == ["list_buckets"] * 6


async def test_a_checkpoint_of_buckets_goes_on_with_the_next_and_fits_no_objects() -> None:
    async with Emulator(bucket="a") as emulator, connect(emulator) as client:
        emulator.create_bucket("b")
        pager = client.buckets.list(max_items=1)
        await pager.to_list()
        assert await names(client, resume=pager.checkpoint) == ["b"]
        with pytest.raises(CheckpointError, match="another bucket"):
            client.objects.list("a", resume=pager.checkpoint)


async def test_a_bucket_that_is_not_there_is_not_found(client: AsyncMixpeek) -> None:
    with pytest.raises(NotFoundError, match="bkt_none"):
        await client.buckets.get("bkt_none")
    with pytest.raises(NotFoundError, match="bkt_none"):
        await client.objects.get("bkt_none", "obj_1")


async def test_no_buckets_of_no_namespace() -> None:
    async with Emulator() as emulator, connect(emulator, namespace="other") as client:
        with pytest.raises(NamespaceUnresolvedError):
            await client.buckets.list().to_list()
        with pytest.raises(NotFoundError, match="other"):
            await client.buckets.get(emulator.bucket)


@pytest.mark.parametrize("name", ["", "..", "a\nb", None, 7])
async def test_an_id_that_could_not_arrive_is_refused_before_it_is_sent(
    name: Any, emulator: Emulator, client: AsyncMixpeek
) -> None:
    with pytest.raises(InvalidArgumentError, match="bucket"):
        await client.buckets.get(name)
    with pytest.raises(InvalidArgumentError, match="object_id"):
        await client.objects.get(emulator.bucket, name)
    assert emulator.requests == []


@pytest.mark.parametrize("flag", ["return_presigned_urls", "include_document_count"])
async def test_only_a_bool_says_what_of_an_object(flag: str) -> None:
    wrong: dict[str, Any] = {flag: "yes"}
    async with AsyncMixpeek("sk_test", namespace="test") as client:
        with pytest.raises(InvalidArgumentError, match=f"{flag} must be True or False"):
            await client.objects.get("bkt_1", "obj_1", **wrong)


async def outcome(body: Any, **options: Any) -> Bucket | MixpeekError:
    async with ScriptedServer(answer(body, **options)) as server:
        client = client_at(server.url, retry=RetryPolicy(attempts=1))
        async with client:
            try:
                return await client.buckets.get("bkt_1")
            except MixpeekError as error:
                return error


async def test_what_is_unknown_of_a_bucket_is_kept() -> None:
    bucket = await outcome({"bucket_id": "b", "bucket_name": "n", "storage_class": "archive"})
    assert isinstance(bucket, Bucket)
    assert bucket.extra == {"storage_class": "archive"}


@pytest.mark.parametrize(
    ("body", "path", "retryable"),
    [
        ({"bucket_id": "b"}, "$", False),
        ({"bucket_id": "b", "bucket_name": "n", "object_count": "7"}, "$.object_count", False),
        ([], "$", False),
        (None, "$", False),
        (b"<html>", None, True),
        (b"", None, True),
        (b'{"bucket_id": "b', None, True),
        (b'{"bucket_id": "\xff", "bucket_name": "n"}', None, True),
        (b'{"bucket_id": "b", "bucket_name": "n", "x": "\xff"}', None, True),
        (b'{"bucket_id": "b", "bucket_name": "n", "x": NaN}', "$", False),
        (b'{"bucket_id": "b", "bucket_name": "n", "x": ' + b"[" * 100_000 + b"}", "$", False),
    ],
    ids=[str(number) for number in range(11)],
)
async def test_an_answer_that_is_no_bucket_is_malformed(body: Any, path: str | None, retryable: bool) -> None:
    error = await outcome(body)
    assert isinstance(error, MalformedResponseError)
    assert (error.path, error.retryable) == (path, retryable)


async def test_an_answer_about_no_namespace_is_no_bucket() -> None:
    body = {"bucket_id": "b", "bucket_name": "n"}
    assert isinstance(await outcome(body, headers={"X-Namespace-Unresolved": "true"}), NamespaceUnresolvedError)
