"""The change feed: every insertion, update and deletion of an object or a document, in order."""

from datetime import UTC, datetime
from typing import Any

from mixpeek_async.emulator._calls import Call
from mixpeek_async.emulator._cursors import decode_event_cursor, encode_event_cursor
from mixpeek_async.emulator._errors import Answer
from mixpeek_async.emulator._reading import Problems, Reader, refuse
from mixpeek_async.emulator._service import Service, json_answer
from mixpeek_async.emulator._store import Event

RETENTION = 90 * 86_400
"""Seconds for which an event is kept."""

_CHANGED = ("created", "updated", "deleted")
_OPERATIONS = {"insert": "created", "update": "updated", "delete": "deleted"}
_RESOURCES = ("object", "document", "collection", "cluster", "trigger", "taxonomy", "alert", "annotation")
EVENT_TYPES = frozenset(
    {f"{resource}.{change}" for resource in _RESOURCES for change in _CHANGED}
    | {f"{resource}.execution.{end}" for resource in ("cluster", "trigger", "alert") for end in ("completed", "failed")}
    | {f"trigger.{change}" for change in ("paused", "resumed", "fired")}
    | {"alert.triggered", "cluster.execution.started", "manifest.apply.resource_state", "objects.created.batch"}
    | {"documents.updated.batch", "documents.deleted.batch", "resource.executed", "resource.execution_failed"}
    | {"collection.documents.written", "collection.documents.batch_completed"}
)
"""The published types. Only changes of objects and documents ever happen here."""


def list_events(service: Service, call: Call) -> Answer:
    problems: Problems = []
    query = Reader("query", call.record.query, problems)
    limit = query.integer("limit", "page_size", low=1, high=1000) or 100
    event_type = query.check("event_type", EVENT_TYPES.__contains__, "one of the published types")
    query.check("namespace_id", lambda name: name == service.namespace, "the namespace of X-Namespace")
    # Events expire by the clock; they stay in the table, so a cursor that is too old can be told from a wrong one.
    oldest = service.clock() - RETENTION
    cursor = query.text("cursor", "next_cursor", "after")
    after = 0 if cursor is None else decode_event_cursor(cursor)
    if after is None:
        query.refuse("cursor", "cursor_invalid", "should be a next_cursor of this server")
    # Not published. A resumed reader must learn that it missed events.
    elif cursor is not None and service.store.has_events(after, before=oldest):
        query.refuse("cursor", "cursor_expired", f"is older than {RETENTION // 86_400} days: events behind it are gone")
    refuse(problems)
    limit = min(limit, service.max_limit)
    # One event more than requested: it shows whether there is a next page.
    events = service.store.events(after or 0, since=oldest, event_type=_stored_type(event_type), limit=limit + 1)
    page = events[:limit]
    return json_answer(
        {
            "results": [_present(event, service.namespace) for event in page],
            # An empty page keeps the place of its reader.
            "next_cursor": encode_event_cursor(page[-1].sequence) if page else cursor,
            "has_more": len(events) > limit,
        }
    )


def no_events(_: Service, __: dict[str, Any]) -> Answer:
    """The empty feed of an unknown namespace."""
    return json_answer({"results": [], "next_cursor": None, "has_more": False})


def _stored_type(event_type: str | None) -> tuple[str, str] | None:
    """The kind of container and the operation of an event type; empty texts for a type that never happens here."""
    if event_type is None:
        return None
    resource, _, change = event_type.partition(".")
    kinds = {"object": "bucket", "document": "collection"}
    operations = {change: operation for operation, change in _OPERATIONS.items()}
    return kinds.get(resource, ""), operations.get(change, "")


def _present(event: Event, namespace: str) -> dict[str, Any]:
    resource = event.container.resource
    at = datetime.fromtimestamp(event.at, UTC).replace(tzinfo=None).isoformat(timespec="microseconds")
    return {
        "seq": event.sequence,
        "cursor": encode_event_cursor(event.sequence),
        "namespace_id": namespace,
        "event_type": f"{resource}.{_OPERATIONS[event.operation]}",
        "resource_type": resource,
        "operation": event.operation,
        "payload": {event.container.id_field: event.id, event.container.own_field: event.container.id},
        "trace_id": None,
        "created_at": f"{at}Z",
    }
