"""Answer a request, without any HTTP server: the checks in their order, then the endpoint."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import attrs

from mixpeek_async.emulator import _aggregation, _events, _lists, _single
from mixpeek_async.emulator._calls import MAX_BODY, Call
from mixpeek_async.emulator._errors import Answer, ApiError, error_answer
from mixpeek_async.emulator._presenting import Style
from mixpeek_async.emulator._rate_limit import RateLimit
from mixpeek_async.emulator._service import Service


def _not_found(_: Service, warning: Mapping[str, Any]) -> Answer:
    return error_answer(404, f"namespace {warning['id']!r} not found")


@attrs.frozen
class Endpoint:
    """How to answer a request, and what to answer for an unknown namespace, from its warning."""

    answer: Callable[[Service, Call], Answer]
    unresolved: Callable[[Service, dict[str, Any]], Answer] = _not_found
    needs_namespace: bool = True


ENDPOINTS: Mapping[str | None, Endpoint] = MappingProxyType(
    {
        "list_objects": Endpoint(_lists.list_objects, _lists.no_objects),
        "list_buckets": Endpoint(_lists.list_buckets, _lists.no_buckets),
        "list_collections": Endpoint(_lists.list_collections, _lists.no_collections),
        "list_documents": Endpoint(_lists.list_documents, _lists.no_documents),
        "list_events": Endpoint(_events.list_events, _events.no_events, needs_namespace=False),
        "aggregate_objects": Endpoint(_aggregation.aggregate_objects, _aggregation.no_groups),
        "get_object": Endpoint(_single.get_object),
        "get_bucket": Endpoint(_single.get_bucket),
        "get_collection": Endpoint(_single.get_collection),
        "get_document": Endpoint(_single.get_document),
    }
)


@attrs.frozen
class Api:
    """The endpoints of one service, for one key."""

    service: Service
    rate_limit: RateLimit
    style: Style
    api_key: str = attrs.field(repr=False)

    def answer(self, call: Call) -> Answer:
        """The answer to `call`; an invalid call gets an error answer."""
        allowance = self.rate_limit.take()
        try:
            allowance.check()
            answer = self._admitted(call)
            answer = attrs.evolve(answer, body=self.style.rewrite(answer.body))
        except ApiError as error:
            answer = error.answer
        return answer.with_headers(allowance.headers)

    def _admitted(self, call: Call) -> Answer:
        if call.authorization != f"Bearer {self.api_key}":
            raise ApiError(401, "Invalid or missing API key: send 'Authorization: Bearer <key>'")
        endpoint = ENDPOINTS.get(call.record.endpoint)
        namespace = call.record.headers.get("X-Namespace")
        if not namespace and (endpoint is None or endpoint.needs_namespace):
            raise ApiError(400, "X-Namespace header is required")
        if endpoint is None:
            raise ApiError(404, f"no endpoint {call.record.method} {call.record.path}")
        if call.is_too_long:
            raise ApiError(413, f"the body must have at most {MAX_BODY} bytes")
        if namespace and namespace != self.service.namespace:
            return self._unresolved(endpoint, namespace)
        return endpoint.answer(self.service, call)

    def _unresolved(self, endpoint: Endpoint, namespace: str) -> Answer:
        """The answer for an unknown namespace: an empty list with a warning, or 404 for a single record."""
        warning = {
            "resource": "namespace",
            "id": namespace,
            "reason": "unresolved",
            "next_step": "Check X-Namespace: this key has no namespace of that name or id.",
        }
        return endpoint.unresolved(self.service, warning).with_headers({"X-Namespace-Unresolved": "true"})
