"""From page to page: pure, without I/O."""

from mixpeek_async._paging.bookmark import MALFORMED, Bookmark, Digest, Scope, keyed_digest
from mixpeek_async._paging.next_page import refuse_page_of_older_server
from mixpeek_async._paging.page import OpenPage, ReceivedPage, RowReader
from mixpeek_async._paging.paging import Paging
from mixpeek_async._paging.sizing import is_too_large, may_be_too_large

__all__ = [
    "MALFORMED",
    "Bookmark",
    "Digest",
    "OpenPage",
    "Paging",
    "ReceivedPage",
    "RowReader",
    "Scope",
    "is_too_large",
    "keyed_digest",
    "may_be_too_large",
    "refuse_page_of_older_server",
]
