"""Requests and responses as plain values: pure functions, without I/O."""

from mixpeek_async._wire.errors import status_error, unix_seconds
from mixpeek_async._wire.requests import ListEndpoint, Request, get_bucket, get_object, list_buckets, list_objects
from mixpeek_async._wire.responses import Response, long_id, model_parser, parse_page, row_date, row_id

__all__ = [
    "ListEndpoint",
    "Request",
    "Response",
    "get_bucket",
    "get_object",
    "list_buckets",
    "list_objects",
    "long_id",
    "model_parser",
    "parse_page",
    "row_date",
    "row_id",
    "status_error",
    "unix_seconds",
]
