"""Between what is asked and the wire, in both directions; pure, without I/O."""

from mixpeek_async._wire.failure import status_error
from mixpeek_async._wire.message import Request, Response
from mixpeek_async._wire.page import parse_page
from mixpeek_async._wire.records import identifier, structurer
from mixpeek_async._wire.request import Listing, list_objects

__all__ = [
    "Listing",
    "Request",
    "Response",
    "identifier",
    "list_objects",
    "parse_page",
    "status_error",
    "structurer",
]
