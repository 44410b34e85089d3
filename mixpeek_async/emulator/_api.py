"""From a request to its genuine answer, without any HTTP server: the checks in their order, then the list."""

from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Any

import attrs

from mixpeek_async.emulator._calls import Call
from mixpeek_async.emulator._errors import Answer, ApiError, json_bytes
from mixpeek_async.emulator._pagination import EMPTY, Ask, Page, Shape
from mixpeek_async.emulator._parameters import parse_ask
from mixpeek_async.emulator._rate_limit import RateLimit
from mixpeek_async.emulator._store import Row, Store

__all__ = ["Api"]


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
        """The genuine answer; whatever is wrong with `call` becomes one too."""
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
        if call.record.bucket is None:
            raise ApiError(404, f"no endpoint {call.record.method} {call.record.path}")
        if namespace != self.namespace:
            return self._unresolved(namespace)
        return self._list_objects(call, call.record.bucket)

    def _authenticate(self, call: Call) -> None:
        if call.authorization != f"Bearer {self.api_key}":
            raise ApiError(401, "Invalid or missing API key: send 'Authorization: Bearer <key>'")

    def _unresolved(self, namespace: str) -> Answer:
        warning = {
            "resource": "namespace",
            "id": namespace,
            "reason": "unresolved",
            "next_step": "Check X-Namespace: this key has no namespace of that name or id.",
        }
        answer = _list_answer(self.shape, Ask(), EMPTY, {"warnings": [warning]})
        return answer.with_headers({"X-Namespace-Unresolved": "true"})

    def _list_objects(self, call: Call, bucket: str) -> Answer:
        if not self.store.has_bucket(bucket):
            raise ApiError(404, f"Bucket {bucket!r} not found", code="bucket_not_found")
        ask = parse_ask(call, by_cursor=self.shape.by_cursor, max_limit=self.max_limit)
        return _list_answer(self.shape, ask, _find(self.store, bucket, ask), {})


def _find(store: Store, bucket: str, ask: Ask) -> Page:
    by_cursor = ask.after is not None
    # One row more than asked for: the look-ahead that tells whether there is a next page.
    rows = store.rows(bucket, after=ask.after or 0, offset=0 if by_cursor else ask.offset, limit=ask.limit + 1)
    return Page(
        rows=rows[: ask.limit],
        more=len(rows) > ask.limit,
        total=partial(store.count, bucket),
        position=partial(store.count_through, bucket, ask.after) if ask.after else lambda: ask.offset,
    )


def _list_answer(shape: Shape, ask: Ask, page: Page, extra: dict[str, Any]) -> Answer:
    around = {"pagination": shape.describe(ask, page), "stats": _stats(page.rows), **extra}
    # The stored texts are joined as they are: no object is parsed on its way out.
    results = ",".join(row.body for row in page.rows).encode("ascii")
    return Answer(200, b'{"results":[' + results + b"]," + json_bytes(around)[1:])


def _stats(rows: Sequence[Row]) -> dict[str, Any]:
    """Counts of this page, which is how the newest published text reads."""
    blobs = sum(row.blobs for row in rows)
    return {
        "total_objects": len(rows),
        "total_blobs": blobs,
        "avg_blobs_per_object": blobs / len(rows) if rows else 0.0,
        "objects_by_status": Counter(row.status for row in rows),
    }
