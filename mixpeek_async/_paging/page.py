"""A list answer between the wire and the walk."""

from typing import Any

import attrs

from mixpeek_async.models import ApiWarning, ListStats, Pagination


@attrs.frozen(kw_only=True)
class ReceivedPage:
    """A list answer: its rows as JSON, still to be structured, the rest structured.

    Where `pagination` was null or missing it is that of `{}`, so that `to_dict()` says which keys came.
    """

    rows: list[Any] = attrs.field(repr=False)
    pagination: Pagination
    stats: ListStats | None = None
    warnings: list[ApiWarning] = attrs.field(factory=list)
    unreadable: tuple[str, ...] = ()
    """What of `pagination`, `stats` and `warnings` is None for its wrong type: `$.stats.total_objects: …`."""
