"""How a list is walked: where a page starts, how long it may be, and what to ask for beside it.

The bounds are the API's (`limit` 1..1000, `offset` 0..10000 since 2026-01-10); breaking one is an
`InvalidArgumentError` here, where the mistake is, instead of a 422 in the middle of a walk.
"""

from collections.abc import Callable
from typing import Any, Literal

import attrs

from mixpeek_async._checks import bool_, int_between, is_plain_function, short_repr, valid
from mixpeek_async.errors import InvalidArgumentError, InvalidObjectError

MAX_PAGE_SIZE = 1000
MAX_OFFSET = 10_000
MAX_CONCURRENCY = 100

InvalidPolicy = Literal["raise", "skip"] | Callable[[InvalidObjectError], object]
"""What to do with a record that cannot be structured."""


def _is_policy(_: Any, attribute: "attrs.Attribute[Any]", value: Any) -> None:
    if not is_plain_function(value) and value not in ("raise", "skip"):
        raise InvalidArgumentError(
            f"{attribute.name} must be 'raise', 'skip' or a plain function, not {short_repr(value)}"
        )


@attrs.frozen(kw_only=True)
class ListOptions:
    """How a listing is walked, whatever is listed.

    `page_size` is the most rows that one request asks for, and says nothing about how many objects there will be;
    `max_items` (None: all) does that. `prefetch` is how many pages are fetched while one is read, `concurrency` how
    many at once where the server pages by offset. `offset` is the number of rows to skip at the start. `on_invalid` is
    what to do with a record that cannot be structured: raise its error, skip it, or call something with the error and
    skip it.
    """

    page_size: int = attrs.field(default=MAX_PAGE_SIZE, validator=valid(int_between(1, MAX_PAGE_SIZE)))
    max_items: int | None = attrs.field(default=None, validator=attrs.validators.optional(valid(int_between(0))))
    offset: int = attrs.field(default=0, validator=valid(int_between(0, MAX_OFFSET)))
    include_total: bool = attrs.field(default=False, validator=valid(bool_))
    prefetch: int = attrs.field(default=1, validator=valid(int_between(0, 1)))
    concurrency: int = attrs.field(default=1, validator=valid(int_between(1, MAX_CONCURRENCY)))
    on_invalid: InvalidPolicy = attrs.field(default="raise", validator=_is_policy)


@attrs.frozen
class PageStart:
    """Where a page starts: at `cursor`, once the server has given one, else `offset` rows into the list."""

    offset: int = 0
    cursor: str | None = None


@attrs.frozen
class PageRequest:
    """One page to ask for: `limit` rows from `start` on. With `ids_only`, of each row no more than its id and date."""

    start: PageStart
    limit: int
    include_total: bool = False
    ids_only: bool = False
