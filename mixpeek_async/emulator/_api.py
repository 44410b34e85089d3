"""Answer a request, without any HTTP server: the checks in their order, then the endpoint."""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import attrs

from mixpeek_async.emulator._body import BUCKET_KEYS, OBJECT_KEYS
from mixpeek_async.emulator._calls import Call
from mixpeek_async.emulator._errors import Answer, ApiError, error_answer, json_bytes
from mixpeek_async.emulator._filters import Clause
from mixpeek_async.emulator._pagination import EMPTY, ListRequest, Page, Shape
from mixpeek_async.emulator._parameters import parse_flags, parse_list_request
from mixpeek_async.emulator._presenting import present, present_text
from mixpeek_async.emulator._rate_limit import RateLimit
from mixpeek_async.emulator._selection import Row, Selection, objects_of
from mixpeek_async.emulator._store import Store


@attrs.frozen
class Api:
    """The endpoints over one store, for one key and one namespace."""

    store: Store
    rate_limit: RateLimit
    shape: Shape
    max_limit: int
    namespace: str
    api_key: str = attrs.field(repr=False)

    def answer(self, call: Call) -> Answer:
        """The answer to `call`; an invalid call gets an error answer."""
        allowance = self.rate_limit.take()
        try:
            allowance.check()
            answer = self._admitted(call)
        except ApiError as error:
            answer = error.answer
        return answer.with_headers(allowance.headers)

    def _admitted(self, call: Call) -> Answer:
        self._authenticate(call)
        namespace = call.record.headers.get("X-Namespace")
        if not namespace:
            raise ApiError(400, "X-Namespace header is required")
        endpoint = self._endpoints().get(call.record.endpoint)
        if endpoint is None:
            raise ApiError(404, f"no endpoint {call.record.method} {call.record.path}")
        if namespace != self.namespace:
            return self._unresolved(call, namespace)
        return endpoint(call)

    def _endpoints(self) -> Mapping[str | None, Callable[[Call], Answer]]:
        return {
            "list_objects": self._list_objects,
            "list_buckets": self._list_buckets,
            "get_object": self._get_object,
            "get_bucket": self._get_bucket,
        }

    def _authenticate(self, call: Call) -> None:
        if call.authorization != f"Bearer {self.api_key}":
            raise ApiError(401, "Invalid or missing API key: send 'Authorization: Bearer <key>'")

    def _unresolved(self, call: Call, namespace: str) -> Answer:
        """The answer for an unknown namespace: an empty list with a warning, or 404 for a single record."""
        warning = {
            "resource": "namespace",
            "id": namespace,
            "reason": "unresolved",
            "next_step": "Check X-Namespace: this key has no namespace of that name or id.",
        }
        if call.record.method == "GET":
            answer = error_answer(404, f"namespace {namespace!r} not found")
        else:
            answer = _list_answer(self.shape, ListRequest(), EMPTY, {"stats": _stats(()), "warnings": [warning]})
        return answer.with_headers({"X-Namespace-Unresolved": "true"})

    def _list_objects(self, call: Call) -> Answer:
        bucket = self._bucket(call)
        request, page = self._page(call, OBJECT_KEYS, "objects", objects_of(bucket))
        return _list_answer(self.shape, request, page, {"stats": _stats(page.rows)})

    def _list_buckets(self, call: Call) -> Answer:
        request, page = self._page(call, BUCKET_KEYS, "bucket_rows")
        around = {"total_count": page.total(), "stats": _bucket_stats(page.rows)}
        return _list_answer(self.shape, request, page, around)

    def _get_object(self, call: Call) -> Answer:
        bucket = self._bucket(call)
        flags = parse_flags(call, return_presigned_urls=False, include_document_count=True)
        try:
            record = self.store.get(bucket, call.record.object_id or "")
        except KeyError:
            raise ApiError(404, f"Object {call.record.object_id!r} not found", code="object_not_found") from None
        # Objects have no documents here.
        count = record.get("document_count", 0) if flags["include_document_count"] else None
        return _record_answer(present(record, presigned=flags["return_presigned_urls"]) | {"document_count": count})

    def _get_bucket(self, call: Call) -> Answer:
        return _record_answer(self.store.bucket(self._bucket(call)))

    def _bucket(self, call: Call) -> str:
        """The id of the bucket in the path."""
        bucket = self.store.find_bucket(call.record.bucket or "")
        if bucket is None:
            raise ApiError(404, f"Bucket {call.record.bucket!r} not found", code="bucket_not_found")
        return bucket

    def _page(self, call: Call, keys: frozenset[str], table: str, *scope: Clause) -> tuple[ListRequest, Page]:
        request = parse_list_request(call, keys, by_cursor=self.shape.by_cursor, max_limit=self.max_limit)
        body = request.body
        return request, _find(
            self.store, Selection(table, (*scope, *body.clauses), body.sort, body.descending), request
        )


def _find(store: Store, selection: Selection, request: ListRequest) -> Page:
    # One row more than requested: it shows whether there is a next page.
    offset = 0 if request.after else request.offset
    rows = store.rows(selection, after=request.after, offset=offset, limit=request.limit + 1)
    return Page(
        rows=rows[: request.limit],
        more=len(rows) > request.limit,
        total=partial(store.count, selection),
        position=lambda: (
            store.count(selection) - store.count(selection, request.after) if request.after else request.offset
        ),
    )


def _list_answer(shape: Shape, request: ListRequest, page: Page, around: dict[str, Any]) -> Answer:
    # The stored texts are sent as they are. They are parsed only if the request selects fields or wants URLs.
    bodies = [present_text(row.body, request.body.select, request.body.presigned) for row in page.rows]
    results = ",".join(bodies).encode("utf-8")
    return Answer(
        200, b'{"results":[' + results + b"]," + json_bytes({"pagination": shape.describe(request, page)} | around)[1:]
    )


def _record_answer(record: dict[str, Any]) -> Answer:
    return Answer(200, json_bytes(record))


def _stats(rows: Sequence[Row]) -> dict[str, Any]:
    """Counts of this page, as the newest published text says."""
    blobs = sum(row.blobs for row in rows)
    return {
        "total_objects": len(rows),
        "total_blobs": blobs,
        "avg_blobs_per_object": blobs / len(rows) if rows else 0.0,
        "objects_by_status": Counter(row.status for row in rows),
    }


def _bucket_stats(rows: Sequence[Row]) -> dict[str, Any]:
    buckets = [json.loads(row.body) for row in rows]
    objects, size = (sum(bucket[name] for bucket in buckets) for name in ("object_count", "total_size_bytes"))
    return {
        "total_objects": objects,
        "total_size_bytes": size,
        "avg_objects_per_bucket": objects / len(rows) if rows else 0.0,
        "avg_size_per_bucket": size / len(rows) if rows else 0.0,
    }
