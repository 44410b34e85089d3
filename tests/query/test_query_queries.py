"""A query is a value: it is compared, printed, pickled, stored as JSON, and sent as one body."""

import json
import pickle
from typing import Any

import attrs
import pytest

from mixpeek_async import AsyncMixpeek, BucketQuery, InvalidArgumentError, ObjectQuery, Sort, field
from mixpeek_async._wire import list_buckets, list_objects

FAILED = field("status") == "FAILED"
QUERY = ObjectQuery(
    filters=FAILED, sort="-created_at", search="red", select=["status", "error", "status"], return_presigned_urls=True
)
BODY = {
    "filters": {"AND": [{"field": "status", "operator": "eq", "value": "FAILED"}]},
    "sort": {"field": "created_at", "direction": "desc"},
    "search": "red",
    "select": ["status", "error"],
    "return_presigned_urls": True,
}


def test_a_query_is_the_apis_body() -> None:
    assert QUERY.to_dict() == BODY


def test_a_query_is_stored_as_json_and_read_back() -> None:
    assert ObjectQuery.from_dict(json.loads(json.dumps(QUERY.to_dict()))) == QUERY


def test_a_query_can_be_pickled_and_hashed() -> None:
    same = pickle.loads(pickle.dumps(QUERY))
    assert same == QUERY
    assert hash(same) == hash(QUERY)


def test_a_query_prints_as_the_call_that_makes_it() -> None:
    assert repr(QUERY) == (
        "ObjectQuery(filters=field('status') == 'FAILED', sort=Sort(field='created_at', direction='desc'), "
        "search='red', select=('status', 'error'), return_presigned_urls=True)"
    )
    assert repr(ObjectQuery()) == "ObjectQuery()"
    assert repr(BucketQuery(case_sensitive=True)) == "BucketQuery(case_sensitive=True)"


def test_a_query_is_changed_into_another() -> None:
    assert attrs.evolve(QUERY, sort="created_at").to_dict() == {
        **BODY,
        "sort": {"field": "created_at", "direction": "asc"},
    }


def test_an_empty_query_has_no_body() -> None:
    assert ObjectQuery().to_dict() == {}
    assert list_objects("bkt_1").body is None
    assert list_buckets(BucketQuery()).body is None


def test_equal_queries_are_sent_as_the_same_bytes() -> None:
    body = list_objects("bkt_1", ObjectQuery(filters={"status": "FAILED"}, search="é")).body
    assert body == (rb'{"filters":{"AND":[{"field":"status","operator":"eq","value":"FAILED"}]},"search":"\u00e9"}')
    assert list_objects("bkt_1", ObjectQuery(search="é", filters=FAILED)).body == body


@pytest.mark.parametrize(
    ("select", "sent"),
    [
        (["blobs.blob_id"], ["blobs.blob_id", "blobs.property", "blobs.type"]),
        (["blobs.details.hash", "blobs.type"], ["blobs.details.hash", "blobs.type", "blobs.property"]),
        (["blobs", "blobs.blob_id"], ["blobs", "blobs.blob_id"]),
        (["metadata.year", "colour.hue"], ["metadata.year", "colour.hue"]),
        (["edges.direction"], ["edges.direction", "edges.type", "edges.target_object_id"]),
    ],
)
def test_a_part_of_a_record_is_selected_with_its_required_fields(select: list[str], sent: list[str]) -> None:
    body = list_objects("bkt_1", ObjectQuery(select=select)).body
    assert json.loads(body or b"") == {"select": sent}


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("status", Sort("status")),
        ("-metadata.year", Sort("metadata.year", "desc")),
        ({"field": "a"}, Sort("a", "asc")),
        ({"field": "a", "direction": "desc"}, Sort("a", "desc")),
        (Sort("-a"), Sort("-a", "asc")),
    ],
)
def test_an_order_is_written_in_several_ways(sort: Any, expected: Sort) -> None:
    assert ObjectQuery(sort=sort).sort == expected


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"sort": ""}, "name of a field must be a string"),
        ({"sort": "-"}, "name of a field must be a string"),
        ({"sort": 7}, "sort must be a Sort or a text such as"),
        ({"sort": ("a", "desc")}, "sort must be a Sort or a text such as"),
        ({"sort": {"field": "a", "order": "desc"}}, "sort must be a Sort or a text such as"),
        ({"sort": {"field": "a", "direction": "down"}}, "direction must be 'asc' or 'desc'"),
        ({"sort": field("a")}, "sort must be a Sort or a text such as"),
        ({"search": ""}, "search must be a text that is not blank"),
        ({"search": 7}, "search must be a text"),
        ({"select": "status"}, "select must be a list of fields, such as ['status'], not 'status'"),
        ({"select": 7}, "select must be a list"),
        ({"select": []}, "pass ['object_id']"),
        ({"select": ["a."]}, "name of a field must be a string"),
        ({"return_presigned_urls": 1}, "return_presigned_urls must be True or False"),
        ({"limit": 5}, "a query has filters, sort, search, select, return_presigned_urls, and not limit"),
    ],
    ids=repr,
)
def test_what_can_never_work_is_refused(query: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        ObjectQuery.from_dict(query)
    assert says in caught.value.message


def test_only_a_dict_is_a_stored_query() -> None:
    body: Any = "{}"
    with pytest.raises(InvalidArgumentError, match="a query has filters"):
        BucketQuery.from_dict(body)


async def test_a_query_and_keywords_make_the_same_list_but_not_both_together() -> None:
    async with AsyncMixpeek("sk_test", namespace="test") as client:
        by_query = client.objects.list("bkt_1", QUERY)
        by_keywords = client.objects.list(
            "bkt_1",
            filters={"status": "FAILED"},
            sort=Sort("created_at", "desc"),
            search="red",
            select=("status", "error"),
            return_presigned_urls=True,
        )
        assert by_query.checkpoint == by_keywords.checkpoint
        with pytest.raises(InvalidArgumentError, match=r"pass a query, or filters, search, not both"):
            client.objects.list("bkt_1", QUERY, filters=FAILED, search="x")


@pytest.mark.parametrize("query", [BucketQuery(), {"search": "x"}, FAILED], ids=repr)
async def test_only_an_object_query_lists_objects(query: Any) -> None:
    async with AsyncMixpeek("sk_test", namespace="test") as client:
        with pytest.raises(InvalidArgumentError, match="query must be of the class ObjectQuery"):
            client.objects.list("bkt_1", query)


@pytest.mark.parametrize("sort", ["+created_at", "created_at desc", "created_at ASC"])
def test_an_order_in_the_form_of_sql_is_refused_with_the_right_one(sort: str) -> None:
    with pytest.raises(InvalidArgumentError, match="'-created_at' for descending"):
        ObjectQuery(sort=sort)


@pytest.mark.parametrize(
    ("filters", "advice"),
    [
        ({"field": "status", "op": "eq", "value": "FAILED"}, "has field, operator and value, and not 'op'"),
        ({"$and": [{"status": "FAILED"}]}, "operators have no \\$"),
    ],
)
def test_a_filter_in_the_form_of_others_is_refused_with_the_right_one(filters: dict[str, Any], advice: str) -> None:
    with pytest.raises(InvalidArgumentError, match=advice):
        ObjectQuery(filters=filters)


# --- the filters of buckets ---

OWN: dict[str, Any] = {"status__in": {"$gte": [1, {"x": None}]}, "AND": "any form", "case_sensitive": "no", "a": []}


def test_a_dict_that_filters_buckets_is_sent_unchanged() -> None:
    assert BucketQuery(filters=OWN).to_dict() == {"filters": OWN}
    assert json.loads(list_buckets(BucketQuery(filters=OWN)).body or b"") == {"filters": OWN}


def test_a_dict_that_filters_buckets_is_a_copy_on_its_way_in_and_out() -> None:
    mine: dict[str, Any] = {"a": [1]}
    query = BucketQuery(filters=mine)
    mine["a"].append(2)
    query.to_dict()["filters"]["a"].append(3)
    assert query.to_dict() == {"filters": {"a": [1]}}


def test_a_query_of_buckets_is_a_value_too() -> None:
    query = BucketQuery(filters=OWN, search="red")
    for same in (
        pickle.loads(pickle.dumps(query)),
        BucketQuery.from_dict(query.to_dict()),
        BucketQuery(filters=dict(reversed(OWN.items())), search="red"),
    ):
        assert same == query
        assert hash(same) == hash(query)
    assert BucketQuery(filters={"a": 1}) != BucketQuery(filters={"a": True})
    assert BucketQuery(filters=FAILED) == BucketQuery(filters=FAILED.to_dict())
    assert attrs.evolve(query, search="blue").to_dict() == {"filters": OWN, "search": "blue"}
    assert repr(BucketQuery(filters={"a": 1})) == "BucketQuery(filters={'a': 1})"


def test_an_empty_dict_filters_no_buckets() -> None:
    assert BucketQuery(filters={}) == BucketQuery()


@pytest.mark.parametrize(
    ("filters", "says"),
    [
        ({"a": float("nan")}, "filters is {'a': nan}, which JSON cannot hold"),
        ({1: 2}, "filters has the key 1: the keys of JSON are strings"),
        ({"a": object()}, "filters must be a value that JSON can hold, not object"),
        ([FAILED], "filters must be an expression such as field('status') == 'FAILED', or a dict"),
        (field("a"), "field('a') alone is not a filter"),
    ],
    ids=repr,
)
def test_what_cannot_be_sent_filters_no_buckets(filters: Any, says: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        BucketQuery(filters=filters)
    assert says in caught.value.message
