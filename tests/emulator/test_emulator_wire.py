"""The published variants of the wire: spellings, twins, old servers, and how answers are written."""

import json
from datetime import datetime
from typing import Any

import pytest

from mixpeek_async.emulator import Emulator

OBJECTS = "/v1/buckets/bkt_emulator/objects"


def _ids(reply: Any) -> list[str]:
    return [obj["object_id"] for obj in reply.body["results"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"page_size": 2}, slice(0, 2)),
        ({"page_size": 2, "page": 2}, slice(2, 4)),
        ({"page": 2}, slice(10, 12)),
        ({"limit": 3, "page_size": 2}, slice(0, 3)),
        ({"limit": 2, "page": 2, "offset": 1}, slice(1, 3)),
    ],
)
async def test_paging_has_several_spellings_and_the_usual_one_wins(post: Any, query: Any, expected: slice) -> None:
    async with Emulator(objects=12) as emulator:
        assert _ids(await post(emulator, query)) == emulator.object_ids()[expected]


async def test_a_page_is_counted_in_pages_that_the_server_sends(post: Any) -> None:
    async with Emulator(objects=6, max_limit=2) as emulator:
        assert _ids(await post(emulator, {"page_size": 100, "page": 2})) == emulator.object_ids()[2:4]


@pytest.mark.parametrize("spelling", ["cursor", "next_cursor", "after"])
async def test_a_cursor_has_three_spellings(post: Any, spelling: str) -> None:
    async with Emulator(objects=4) as emulator:
        cursor = (await post(emulator, {"limit": 3})).body["pagination"]["next_cursor"]
        assert _ids(await post(emulator, {spelling: cursor})) == emulator.object_ids()[3:]


@pytest.mark.parametrize("query", [{"page": 0}, {"page": 1002}, {"page": 12, "page_size": 1000}, {"page_size": 0}])
async def test_a_page_behind_the_greatest_offset_is_refused(post: Any, query: dict[str, int]) -> None:
    async with Emulator() as emulator:
        reply = await post(emulator, query)
    (problem,) = reply.body["error"]["details"]["validation_errors"]
    assert problem["loc"] == ["query", next(iter(query))]


async def test_the_lists_have_get_twins(post: Any) -> None:
    async with Emulator(objects=4) as emulator:
        for path in ("/v1/buckets/bkt_emulator/objects", "/v1/buckets", "/v1/collections"):
            listed = await post(emulator, {"limit": 3, "include_total": "true"}, path=f"{path}/list")
            twin = await post(emulator, {"limit": 3, "include_total": "true"}, method="GET", path=path)
            assert (twin.status, twin.body) == (200, listed.body)


async def test_a_get_twin_searches_by_its_query(post: Any) -> None:
    async with Emulator() as emulator:
        emulator.create_bucket("b2", bucket_name="holiday photos")
        reply = await post(emulator, {"search": "HOLIDAY"}, method="GET", path="/v1/buckets")
    assert [bucket["bucket_id"] for bucket in reply.body["results"]] == ["b2"]


async def test_a_get_twin_in_another_namespace_is_an_empty_list_too(post: Any) -> None:
    async with Emulator(objects=1) as emulator:
        reply = await post(emulator, method="GET", path=OBJECTS, headers={"X-Namespace": "ns_other"})
    assert (reply.status, reply.body["results"], reply.body["warnings"][0]["id"]) == (200, [], "ns_other")


@pytest.mark.parametrize("sensitive", [True, False])
async def test_a_condition_can_have_its_own_case_sensitivity(post: Any, sensitive: bool) -> None:
    condition = {"field": "status", "operator": "eq", "value": "draft", "case_sensitive": sensitive}
    body = {"filters": {"AND": [condition], "case_sensitive": not sensitive}}
    async with Emulator() as emulator:
        emulator.insert(status="DRAFT")
        reply = await post(emulator, data=json.dumps(body).encode())
    assert len(reply.body["results"]) == (not sensitive)


async def test_a_case_sensitivity_that_is_no_flag_is_refused(post: Any) -> None:
    condition = {"field": "status", "value": "draft", "case_sensitive": 1}
    async with Emulator() as emulator:
        reply = await post(emulator, data=json.dumps({"filters": {"AND": [condition]}}).encode())
    (problem,) = reply.body["error"]["details"]["validation_errors"]
    assert problem["loc"] == ["body", "filters", "AND", 0, "case_sensitive"]


async def test_a_presigned_url_comes_twice(post: Any) -> None:
    async with Emulator(objects=1) as emulator:
        emulator.insert(blobs=[{"properties": 7}, 7])
        listed = (await post(emulator, data=b'{"return_presigned_urls": true}')).body["results"]
        path = f"{OBJECTS}/{emulator.object_ids()[0]}"
        single = (await post(emulator, {"return_presigned_urls": "true"}, method="GET", path=path)).body
    assert [blob["presigned_url"] for blob in listed[0]["blobs"]] == [
        blob["properties"]["presigned_url"] for blob in single["blobs"]
    ]
    assert listed[0]["blobs"][0]["properties"]["take"] == 1
    odd, other = listed[1]["blobs"]
    assert (odd["properties"], other) == ({"presigned_url": odd["presigned_url"]}, 7)


@pytest.mark.parametrize("path", ["/v1/buckets/list", "/v1/collections/list"])
@pytest.mark.parametrize("headers", [{}, {"X-Namespace": "ns_other"}])
@pytest.mark.parametrize("body_paging", [True, False])
async def test_lists_of_containers_have_a_total_count(post: Any, path: str, headers: Any, body_paging: bool) -> None:
    async with Emulator(body_paging=body_paging) as emulator:
        emulator.create_bucket("b2")
        emulator.create_collection("c2")
        reply = await post(emulator, {"limit": 1}, path=path, headers=headers)
    assert reply.body["total_count"] == (0 if headers else 2)


async def test_stats_of_collections_count_their_documents(post: Any) -> None:
    async with Emulator() as emulator:
        emulator.documents.seed(3)
        emulator.create_collection("c2")
        reply = await post(emulator, path="/v1/collections/list")
    assert reply.body["stats"] == {"total_documents": 3, "avg_documents_per_collection": 1.5}


async def _bucket_ids(post: Any, emulator: Emulator, query: Any = None, **body: Any) -> list[str]:
    reply = await post(emulator, query, path="/v1/buckets/list", data=json.dumps(body).encode() if body else None)
    assert reply.status == 200
    return [bucket["bucket_id"] for bucket in reply.body["results"]]


def _with_buckets(count: int, **settings: Any) -> Emulator:
    emulator = Emulator(bucket="b0", **settings)
    for number in range(1, count):
        emulator.create_bucket(f"b{number}")
    return emulator


async def test_lists_of_containers_are_paged_in_the_body_or_the_query_and_the_body_wins(post: Any) -> None:
    async with _with_buckets(5) as emulator:
        assert await _bucket_ids(post, emulator, {"limit": 1, "offset": 1}) == ["b1"]
        assert await _bucket_ids(post, emulator, limit=2, offset=2) == ["b2", "b3"]
        assert await _bucket_ids(post, emulator, page_size=2, page=3) == ["b4"]
        assert await _bucket_ids(post, emulator, {"limit": 1, "offset": 1}, limit=2) == ["b1", "b2"]


async def test_an_old_server_reads_the_paging_of_containers_from_the_body_only(post: Any) -> None:
    async with _with_buckets(12, body_paging=True) as emulator:
        assert await _bucket_ids(post, emulator, {"limit": 1, "offset": 5}) == [f"b{n}" for n in range(10)]
        assert await _bucket_ids(post, emulator, {"limit": 1}, limit=2, offset=3) == ["b3", "b4"]


async def test_an_old_server_has_no_cursors_for_containers_and_says_so_with_null(post: Any) -> None:
    async with _with_buckets(12, body_paging=True) as emulator:
        pagination = (await post(emulator, path="/v1/buckets/list")).body["pagination"]
        objects = (await post(emulator)).body["pagination"]
    assert (pagination["next_cursor"], pagination["total"], pagination["next_page"]) == (None, 12, "2")
    assert objects["total"] is None


@pytest.mark.parametrize("pagination", ["has_more", "page"])
async def test_an_old_server_keeps_its_shape(post: Any, pagination: str) -> None:
    async with _with_buckets(1, body_paging=True, pagination=pagination) as emulator:
        containers = (await post(emulator, path="/v1/buckets/list")).body["pagination"]
        objects = (await post(emulator)).body["pagination"]
    assert containers.keys() == objects.keys()


def _nulls(value: Any) -> int:
    if isinstance(value, dict | list):
        return sum(_nulls(inside) for inside in (value.values() if isinstance(value, dict) else value))
    return int(value is None)


async def test_a_server_can_drop_keys_that_are_null(post: Any) -> None:
    async with Emulator(objects=3, drop_nulls=True) as emulator:
        emulator.insert(colour=None, parts=[None, {"size": None}])
        reply = await post(emulator, {"include_total": "true"})
    assert reply.body["pagination"] == {"total": 4, "page": 1, "page_size": 10, "total_pages": 1}
    assert _nulls(reply.body) == 1
    assert reply.body["results"][-1]["parts"] == [None, {}]


async def test_a_server_can_leave_the_zone_out_of_dates(post: Any) -> None:
    async with Emulator(objects=1, naive_dates=True) as emulator:
        emulator.insert(created_at="2025-10-13T15:58:06.664+02:00", updated_at="yesterday", note="2025-10-13T00:00:00Z")
        sample, own = (await post(emulator)).body["results"]
    assert datetime.fromisoformat(sample["created_at"]).tzinfo is None
    assert own["created_at"] == "2025-10-13T13:58:06.664000"
    assert (own["updated_at"], own["note"]) == ("yesterday", "2025-10-13T00:00:00Z")


async def test_errors_are_written_as_ever(post: Any) -> None:
    async with Emulator(drop_nulls=True, naive_dates=True) as emulator:
        assert (await post(emulator, {"limit": 0})).body["error"]["type"] == "ValidationError"


async def test_dates_of_creation_are_compared_by_moment_whatever_their_spelling(post: Any) -> None:
    async with Emulator() as emulator:
        for number, date in enumerate(["2025-01-01T00:00:00", "2025-01-01T01:00:00+01:00", None, "soon", 7]):
            emulator.insert(object_id=str(number), created_at=date)
        for operator, value, expected in [
            ("eq", "2025-01-01", ["0", "1"]),
            ("gte", "2025-01-01T00:00:00Z", ["0", "1", "3"]),
            ("gt", "2025-01-01T00:00:00Z", ["3"]),
            ("lt", "2025-01-02", ["0", "1"]),
            ("lte", "2024-12-31", []),
            ("eq", "soon", ["3"]),
            ("gt", 6, ["4"]),
            ("ne", "2025-01-01", ["2", "3", "4"]),
            ("in", ["2025-01-01"], ["0", "1"]),
        ]:
            condition = {"field": "created_at", "operator": operator, "value": value}
            reply = await post(emulator, data=json.dumps({"filters": {"AND": [condition]}}).encode())
            assert _ids(reply) == expected, condition


async def test_lists_sorted_by_creation_are_walked_in_both_directions(post: Any) -> None:
    dates = ["2025-01-02", "2025-01-01", None, "2025-01-02", "2025-01-03"]
    async with Emulator() as emulator:
        for number, date in enumerate(dates):
            emulator.insert(object_id=str(number), created_at=date)
        for direction, expected in [("asc", "21034"), ("desc", "40312")]:
            body = json.dumps({"sort": {"field": "created_at", "direction": direction}}).encode()
            found, cursor = "", None
            while cursor or not found:
                reply = await post(emulator, {"limit": 1, **({"cursor": cursor} if cursor else {})}, data=body)
                found += "".join(_ids(reply))
                cursor = reply.body["pagination"]["next_cursor"]
            assert found == expected


@pytest.mark.parametrize("select", [["blobs.type"], ["blobs", "blobs.type"], ["blobs.type", "blobs"]])
async def test_a_path_selects_no_less_than_a_longer_one(post: Any, select: list[str]) -> None:
    async with Emulator(objects=1) as emulator:
        reply = await post(emulator, data=json.dumps({"select": select}).encode())
    assert (reply.body["results"][0]["blobs"][0].keys() == {"type"}) is (len(select) == 1)
