"""Requests and responses as plain values: pure functions, without I/O."""

from mixpeek_async._wire.errors import status_error, unix_seconds
from mixpeek_async._wire.requests import (
    ListEndpoint,
    Request,
    aggregate_objects,
    get_bucket,
    get_collection,
    get_document,
    get_object,
    list_buckets,
    list_collections,
    list_documents,
    list_events,
    list_objects,
)
from mixpeek_async._wire.responses import (
    Response,
    long_id,
    model_parser,
    parse_page,
    parse_total,
    row_date,
    row_id,
    row_text,
)

__all__ = [
    "ListEndpoint",
    "Request",
    "Response",
    "aggregate_objects",
    "get_bucket",
    "get_collection",
    "get_document",
    "get_object",
    "list_buckets",
    "list_collections",
    "list_documents",
    "list_events",
    "list_objects",
    "long_id",
    "model_parser",
    "parse_page",
    "parse_total",
    "row_date",
    "row_id",
    "row_text",
    "status_error",
    "unix_seconds",
]
