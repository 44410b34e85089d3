"""The lists of objects, buckets, collections and documents: one request, one SELECT, one page."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from mixpeek_async.emulator._calls import Call
from mixpeek_async.emulator._errors import Answer, json_bytes
from mixpeek_async.emulator._filters import Clause
from mixpeek_async.emulator._pagination import EMPTY, WITHOUT_CURSOR, Page, Shape
from mixpeek_async.emulator._presenting import presenter
from mixpeek_async.emulator._requests import ListRequest, ListRules, parse_list_request
from mixpeek_async.emulator._selection import Row, RowKey, Selection
from mixpeek_async.emulator._service import Service
from mixpeek_async.emulator._store import in_container

_ROWS = frozenset({"filters", "search", "sort"})
_OBJECT_KEYS = _ROWS | {"return_presigned_urls", "select"}
_BUCKET_KEYS = _ROWS | {"case_sensitive", "limit", "offset", "page", "page_size", "sorts"}
_COLLECTION_KEYS = _BUCKET_KEYS | {"include_system"}
_DOCUMENT_KEYS = _OBJECT_KEYS | {
    "cursor",
    "expand",
    "group_by",
    "include_total",
    "limit",
    "offset",
    "page_size",
    "partition",
    "return_vector_names",
    "return_vectors",
}
_NO_CAP = 10**12

Extras = dict[str, Any]
"""The keys of an answer besides `results` and `pagination`."""


def list_objects(service: Service, call: Call) -> Answer:
    bucket = service.container("bucket", call.record.bucket)
    rules = ListRules(_OBJECT_KEYS, service.shape.by_cursor, service.max_limit)
    request = parse_list_request(call, rules)
    page = _find(service, "records", request, in_container(bucket))
    return _answer(service.shape, request, page, {"stats": _object_stats(page.rows)})


def no_objects(service: Service, warning: Extras) -> Answer:
    """The empty list of an unknown namespace; the same for the functions below with such a name."""
    return _answer(service.shape, ListRequest(), EMPTY, {"stats": _object_stats(()), "warnings": [warning]})


def list_buckets(service: Service, call: Call) -> Answer:
    return _list_containers(service, call, "bucket_rows", _BUCKET_KEYS, _bucket_stats)


def no_buckets(service: Service, warning: Extras) -> Answer:
    extras = {"total_count": 0, "stats": _bucket_stats([]), "warnings": [warning]}
    return _answer(_container_shape(service), ListRequest(), EMPTY, extras)


def list_collections(service: Service, call: Call) -> Answer:
    return _list_containers(service, call, "collection_rows", _COLLECTION_KEYS, _collection_stats)


def no_collections(service: Service, warning: Extras) -> Answer:
    extras = {"total_count": 0, "stats": _collection_stats([]), "warnings": [warning]}
    return _answer(_container_shape(service), ListRequest(), EMPTY, extras)


def list_documents(service: Service, call: Call) -> Answer:
    collection = service.container("collection", call.record.collection)
    rules = ListRules(_DOCUMENT_KEYS, service.shape.by_cursor, service.max_limit, max_offset=_NO_CAP, body_paging=True)
    request = parse_list_request(call, rules)
    scope = [in_container(collection)]
    if request.partition is not None:
        scope.append(Clause("partition(id, ?) = ?", (request.partition.count, request.partition.index)))
    # The cap counts documents in creation order, before they are sorted.
    last = _last_sorted(service, request, scope)
    if last is not None:
        scope.append(Clause("sequence <= ?", (last.sequence,)))
    page = _find(service, "records", request, *scope)
    total = page.total() if request.include_total else None
    extras: Extras = {"total_documents": total, "stats": _document_stats(page.rows, total)}
    if last is not None:
        # Published as a list of texts here, and as a list of objects everywhere else.
        extras["warnings"] = [
            f"sorted over the first {service.max_sorted} matching documents only; others are left out"
        ]
    return _answer(service.shape, request, page, extras)


def no_documents(service: Service, warning: Extras) -> Answer:
    text = "{resource} {id} is {reason}. {next_step}".format_map(warning)
    extras = {"total_documents": None, "stats": _document_stats((), None), "warnings": [text]}
    return _answer(service.shape, ListRequest(), EMPTY, extras)


def _list_containers(
    service: Service,
    call: Call,
    table: str,
    keys: frozenset[str],
    stats: Callable[[Sequence[Extras]], Extras],
) -> Answer:
    shape = _container_shape(service)
    rules = ListRules(keys, shape.by_cursor, service.max_limit, body_paging=True, query_paging=not service.body_paging)
    request = parse_list_request(call, rules)
    page = _find(service, table, request)
    # Counts of a container are not columns: they are in its record only.
    records = [json.loads(row.text) for row in page.rows]
    return _answer(shape, request, page, {"total_count": page.total(), "stats": stats(records)})


def _container_shape(service: Service) -> Shape:
    return WITHOUT_CURSOR if service.body_paging and service.shape.by_cursor else service.shape


def _find(service: Service, table: str, request: ListRequest, *scope: Clause) -> Page:
    store = service.store
    selection = Selection(table, (*scope, *request.clauses), request.sort, request.descending)
    # A cursor wins over an offset, as published.
    after = request.cursor.key if request.cursor else None
    offset = 0 if after else request.offset
    # One row more than requested: it shows whether there is a next page.
    rows = store.rows(selection, after=after, offset=offset, limit=request.limit + 1)
    return Page(
        rows=rows[: request.limit],
        more=len(rows) > request.limit,
        total=partial(store.count, selection),
        position=lambda: store.count(selection) - store.count(selection, after) if after else request.offset,
    )


def _last_sorted(service: Service, request: ListRequest, scope: Sequence[Clause]) -> RowKey | None:
    """The last document that a sorted list takes into account; None if it takes all of them."""
    if request.sort is None:
        return None
    matching = Selection("records", (*scope, *request.clauses))
    rows = service.store.rows(matching, after=None, offset=service.max_sorted - 1, limit=2)
    return rows[0].key if len(rows) > 1 else None


def _answer(shape: Shape, request: ListRequest, page: Page, extras: Extras) -> Answer:
    # The stored texts are sent as they are. They are parsed only if the request selects fields or wants URLs.
    present = presenter(request.select, presigned=request.presigned)
    results = ",".join(present(row.text) for row in page.rows).encode("ascii")
    rest = json_bytes({"pagination": shape.describe(request, page), **extras})
    return Answer(200, b'{"results":[' + results + b"]," + rest[1:])


def _object_stats(rows: Sequence[Row]) -> Extras:
    """Counts of this page, as the newest published text says; so are those below."""
    blobs = sum(row.blobs for row in rows)
    return {
        "total_objects": len(rows),
        "total_blobs": blobs,
        "avg_blobs_per_object": _average(blobs, rows),
        "objects_by_status": Counter(row.status for row in rows),
    }


def _bucket_stats(buckets: Sequence[Extras]) -> Extras:
    objects, size = (sum(bucket[name] for bucket in buckets) for name in ("object_count", "total_size_bytes"))
    return {
        "total_objects": objects,
        "total_size_bytes": size,
        "avg_objects_per_bucket": _average(objects, buckets),
        "avg_size_per_bucket": _average(size, buckets),
    }


def _collection_stats(collections: Sequence[Extras]) -> Extras:
    documents = sum(collection["document_count"] for collection in collections)
    return {"total_documents": documents, "avg_documents_per_collection": _average(documents, collections)}


def _document_stats(rows: Sequence[Row], total: int | None) -> Extras:
    return {"total_documents": total, "avg_blobs_per_document": _average(sum(row.blobs for row in rows), rows)}


def _average(total: int, rows: Sequence[object]) -> float:
    return total / len(rows) if rows else 0.0
