"""Held against the official package: what it accepts we accept, and what the emulator answers it accepts.

The values are made from the official models' own fields: a field of a kind that this module does not know is an error,
and so is a field that our models do not have.
"""

import asyncio
import enum
import types
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any, Union, get_args, get_origin

import annotated_types
import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from official import MODELS, official_api
from pydantic import BaseModel
from support.clients import connect

from mixpeek_async.emulator import Emulator, Fault

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**31), 2**31) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=3,
)
_DATES = st.datetimes(datetime(1970, 1, 2), datetime(2100, 1, 1), timezones=st.just(UTC))
_NAIVE_DATES = st.datetimes(datetime(1970, 1, 2), datetime(2100, 1, 1))


def _values(annotation: Any, bounds: tuple[Any, ...] = ()) -> st.SearchStrategy[Any]:
    """JSON values of a field of an official model."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _values(arguments[0], arguments[1:])
    if origin in (Union, types.UnionType):
        return st.one_of([_values(argument, bounds) for argument in arguments])
    if origin is list:
        return st.lists(_values(arguments[0]), min_size=_least(bounds), max_size=_least(bounds) + 1)
    if origin is dict:
        return st.dictionaries(st.text(max_size=3), _values(arguments[1]), max_size=2)
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return st.sampled_from([member.value for member in annotation])
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return st.deferred(lambda: _models(annotation))
    known: dict[Any, st.SearchStrategy[Any]] = {
        Any: _JSON,
        type(None): st.none(),
        bool: st.booleans(),
        datetime: (_DATES | _NAIVE_DATES).map(datetime.isoformat),
        float: st.floats(-1e9, 1e9),
        int: st.integers(0, 2**40),
        str: st.text(min_size=_least(bounds), max_size=_least(bounds) + 5),
    }
    return known[annotation]


def _least(bounds: tuple[Any, ...]) -> int:
    found = [part.min_length for part in _flat(bounds) if isinstance(part, annotated_types.MinLen)]
    return max(found, default=0)


def _flat(bounds: tuple[Any, ...]) -> Iterator[Any]:
    for bound in bounds:
        yield bound
        yield from getattr(bound, "metadata", ())


def _models(model: type[BaseModel], **given_values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """JSON objects that the model accepts, any optional field left out, null, or given."""
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    fields.pop("additional_properties", None)
    values = {name: _values(field.annotation, tuple(field.metadata)) for name, field in fields.items()} | given_values
    required = {name for name, field in fields.items() if field.is_required()} | given_values.keys()
    return st.fixed_dictionaries(
        {name: values[name] for name in required}, optional={n: values[n] for n in values.keys() - required}
    ).filter(lambda made: _accepts(model, made))


def _accepts(model: Any, value: Any) -> bool:
    """False where the model has checks of its own besides the types of its fields."""
    try:
        model.from_dict(value)
    except ValueError:
        return False
    return True


def _rows(model: type[BaseModel], key: str) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Rows of a page. The official models allow a row without an id, which no walk could tell from another one."""
    row = _models(model, **{key: st.text(st.characters(codec="ascii", categories=["L"]), min_size=1)})
    return st.lists(row, min_size=5, max_size=20, unique_by=lambda made: made[key])


_NULL_LISTS = ("blobs", "edges", "source_details")


async def test_null_lists_are_accepted() -> None:
    (obj,) = await _walked("object", [{"object_id": "o", "bucket_id": "b", **dict.fromkeys(_NULL_LISTS)}])
    assert [getattr(obj, name) for name in _NULL_LISTS] == [[], [], []]


async def _walked(kind: str, rows: list[dict[str, Any]]) -> list[Any]:
    """What our client makes of a page with these rows."""
    answer = Fault.answer({"results": rows, "pagination": {"next_cursor": None}, "total_count": len(rows)})
    async with (
        Emulator(faults={1: answer}) as emulator,
        connect(emulator) as client,
    ):
        if kind == "bucket":
            return list(await client.buckets.list().to_list())
        return list(await client.objects.list(emulator.bucket).to_list())


def _check_field(model: type[BaseModel], name: str, ours: Any, value: Any) -> None:
    field = next(field for key, field in model.model_fields.items() if name in (key, field.alias))
    if value is None:
        # Absent and null are the same; a list is empty then, and a default may be filled in.
        assert ours in (None, [], field.default), name
    elif isinstance(ours, datetime):
        theirs = datetime.fromisoformat(value)
        assert ours == (theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC)), name
    elif isinstance(ours, list) and ours and attrs.has(type(ours[0])):
        inner = next(each for each in _inner_types(field.annotation) if issubclass(each, BaseModel))
        for our_item, item in zip(ours, value, strict=True):
            _check(inner, our_item, item)
    elif attrs.has(type(ours)):
        inner = next(each for each in _inner_types(field.annotation) if issubclass(each, BaseModel))
        _check(inner, ours, value)
    else:
        assert ours == value, name


def _inner_types(annotation: Any) -> Iterator[type]:
    if isinstance(annotation, type):
        yield annotation
    for argument in get_args(annotation):
        yield from _inner_types(argument)


def _check(model: type[BaseModel], ours: Any, raw: dict[str, Any]) -> None:
    """Every field of the official model is in our record, as an attribute or in `extra`, with the value that came."""
    for name, field in model.model_fields.items():
        key = field.alias or name
        if key != "additional_properties":
            _check_field(model, key, getattr(ours, key) if hasattr(ours, key) else ours.extra.get(key), raw.get(key))


_RECORDS = [("object", "ObjectResponse", "object_id"), ("bucket", "BucketResponse", "bucket_id")]


@pytest.mark.parametrize(("kind", "name", "key"), _RECORDS)
@given(data=st.data())
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
def test_what_the_official_models_accept_we_accept_field_by_field(kind: str, name: str, key: str, data: Any) -> None:
    model = getattr(MODELS, name)
    rows = data.draw(_rows(model, key))
    walked = asyncio.run(_walked(kind, rows))
    for ours, raw in zip(walked, rows, strict=True):
        _check(model, ours, raw)


_LISTS = [
    ("ListObjectsResponse", "POST", "/v1/buckets/bkt_emulator/objects/list"),
    ("ListBucketsResponse", "POST", "/v1/buckets/list"),
    ("ListCollectionsResponse", "POST", "/v1/collections/list"),
    ("ListDocumentsResponse", "POST", "/v1/collections/col_emulator/documents/list"),
    ("ListEventsResponse", "GET", "/v1/events"),
]


@pytest.mark.parametrize("style", [{}, {"drop_nulls": True}, {"naive_dates": True}])
@pytest.mark.parametrize("server", [{}, {"pagination": "page"}, {"pagination": "has_more"}, {"body_paging": True}])
@pytest.mark.parametrize(("name", "method", "path"), _LISTS)
async def test_every_list_passes_the_official_model(
    post: Any, name: str, method: str, path: str, server: Any, style: Any
) -> None:
    async with Emulator(objects=40, max_sorted=3, **server, **style) as emulator:
        emulator.documents.seed(40)
        for query in ({"limit": 7}, {"limit": 7, "include_total": "true"}):
            for headers in ({}, {"X-Namespace": "ns_other"}):
                reply = await post(emulator, query, method=method, path=path, headers=headers)
                # The warnings of a list of objects are published elsewhere than in this model.
                listed = getattr(MODELS, name).from_dict(reply.body)
                assert len(listed.results) == len(reply.body["results"])
                _check_round_trip(listed, reply.body)


def _check_round_trip(model: Any, value: Any) -> None:
    """The model has the rows that came: no key of ours is unknown to it, and none is lost."""
    for made, row in zip(model.results, value["results"], strict=True):
        assert made.to_dict().keys() >= {key for key, inside in row.items() if inside is not None}


async def test_sorted_documents_over_the_cap_pass_the_official_model(post: Any) -> None:
    async with Emulator(max_sorted=3) as emulator:
        emulator.documents.seed(4)
        reply = await post(
            emulator, path="/v1/collections/col_emulator/documents/list", data=b'{"sort": {"field": "year"}}'
        )
    assert len(MODELS.ListDocumentsResponse.from_dict(reply.body).warnings) == 1


async def test_every_single_record_passes_the_official_model(post: Any) -> None:
    async with Emulator(objects=1) as emulator:
        emulator.documents.seed(1)
        for name, path in [
            ("ObjectResponse", f"/v1/buckets/bkt_emulator/objects/{emulator.object_ids()[0]}"),
            ("BucketResponse", "/v1/buckets/bkt_emulator"),
            ("CollectionResponse", "/v1/collections/col_emulator"),
            ("DocumentResponse", f"/v1/collections/col_emulator/documents/{emulator.documents.ids()[0]}"),
        ]:
            reply = await post(emulator, {"return_presigned_urls": "true"}, method="GET", path=path)
            made = getattr(MODELS, name).from_dict(reply.body)
            assert made.to_dict().keys() >= {key for key, value in reply.body.items() if value is not None}


def _api_of(emulator: Emulator, module: str, name: str) -> Any:
    return official_api(module, name, url=emulator.url, key=emulator.api_key, namespace=emulator.namespace)


async def test_the_official_client_walks_filters_and_aggregates() -> None:
    # The official client blocks, so it runs in another thread than the server.
    def check() -> None:
        objects = _api_of(emulator, "bucket_objects_api", "BucketObjectsApi")
        condition = {"field": "status", "operator": "eq", "value": "completed"}
        request = MODELS.ListObjectsRequest.from_dict({"filters": {"AND": [condition]}})
        ids: list[str] = []
        cursor, total = None, 0
        while cursor or not ids:
            page = objects.list_objects_buckets(
                emulator.bucket, limit=7, cursor=cursor, include_total=True, list_objects_request=request
            )
            ids += [obj.object_id for obj in page.results]
            cursor, total = page.pagination.next_cursor, page.pagination.total
        completed = [i for i in emulator.object_ids() if emulator.get(i)["status"] == "COMPLETED"]
        assert ids == completed
        assert total == len(completed) < 60
        aggregation = {"group_by": [{"field": "status"}], "aggregations": [{"function": "count", "alias": "n"}]}
        groups = objects.aggregate_objects_buckets(
            emulator.bucket, MODELS.ObjectAggregationRequest.from_dict(aggregation)
        )
        assert {group.group["status"]: group.metrics["n"] for group in groups.results}["COMPLETED"] == len(completed)

    async with Emulator(objects=60) as emulator:
        await asyncio.to_thread(check)


async def test_the_official_client_reads_collections_documents_and_events() -> None:
    def check() -> None:
        ids = emulator.documents.seed(9)
        collections = _api_of(emulator, "collections_api", "CollectionsApi")
        assert collections.list_collections(limit=1).results[0].document_count == 9
        documents = _api_of(emulator, "collection_documents_api", "CollectionDocumentsApi")
        found = []
        for index in range(3):
            partition = MODELS.ListPartition(index=index, count=3)
            request = MODELS.ListDocumentsRequest(partition=partition, limit=100)
            page = documents.list_documents(emulator.collection, list_documents_request=request)
            found += [document.document_id for document in page.results]
        assert sorted(found) == sorted(ids)
        assert documents.get_document(emulator.collection, ids[0]).document_id == ids[0]
        events = _api_of(emulator, "events_api", "EventsApi")
        feed = events.list_events(event_type="object.created", limit=2)
        assert feed.has_more
        assert events.list_events(cursor=feed.next_cursor).results[0].seq == 3

    async with Emulator(objects=3) as emulator:
        await asyncio.to_thread(check)
