"""Rows written in one line, for the tables of the paging tests: `"a b@3 c@!"` are three rows.

`b@3` has the id b and the creation date 3 January, `c@!` is malformed, `a` has no date.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime

import attrs

from mixpeek_async._options import PageStart
from mixpeek_async._paging import MALFORMED, Bookmark
from mixpeek_async._paging.seen_ids import SeenIds

__all__ = ["RowsInText", "bookmark_after", "numbered", "rows", "seen"]


def rows(text: str) -> list[str]:
    """The rows of a page."""
    return text.split()


@attrs.define
class RowsInText:
    """Reads the rows above, as a source of pages reads JSON."""

    newest_first: bool = False
    row_cursor: Callable[[object], str | None] | None = None

    def identify(self, row: str) -> str:
        """The id of a row."""
        return row.partition("@")[0]

    def created_at(self, row: str) -> datetime | None:
        """The date of a row."""
        date = row.partition("@")[2]
        return MALFORMED if date == "!" else datetime(2026, 1, int(date), tzinfo=UTC) if date else None


def seen(text: str) -> SeenIds:
    """The ids of rows that this walk has dealt with."""
    ids = SeenIds()
    for row in rows(text):
        ids.add(RowsInText().identify(row))
    return ids


def bookmark_after(text: str, *, index: int = 0, since: Bookmark | None = None) -> Bookmark:
    """The bookmark behind rows that were dealt with `since` an earlier one, at `index` of its page."""
    reader, since, dealt_with = RowsInText(), since or Bookmark(), rows(text)
    ids = SeenIds(since.anchors)
    for row in dealt_with:
        ids.add(reader.identify(row))
    dates = map(reader.created_at, reversed(dealt_with))
    return since.after(PageStart(), index, anchors=ids.anchors(), rows=len(dealt_with), dates=dates)


def numbered(numbers: Iterable[int], date: str = "") -> str:
    """The rows r1, r2, …, of one date."""
    return " ".join(f"r{number}{date}" for number in numbers)
