"""Between what is asked and the wire, in both directions; pure, without I/O."""

from mixpeek_async._wire.dates import unix_seconds
from mixpeek_async._wire.failure import status_error
from mixpeek_async._wire.message import Request, Response
from mixpeek_async._wire.page import parse_page
from mixpeek_async._wire.records import identifier, structurer
from mixpeek_async._wire.request import Listing, get_bucket, get_object, list_buckets, list_objects
from mixpeek_async._wire.single import record_parser

__all__ = [
    "Listing",
    "Request",
    "Response",
    "get_bucket",
    "get_object",
    "identifier",
    "list_buckets",
    "list_objects",
    "parse_page",
    "record_parser",
    "status_error",
    "structurer",
    "unix_seconds",
]
