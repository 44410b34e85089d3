"""When pages lead nowhere: a cursor that came before, page after page with nothing new, empty pages without end."""

from typing import Final

import attrs

from mixpeek_async.errors import MixpeekError, PaginationError, PaginationLoopError

_MAX_EMPTY_PAGES: Final = 100
_MAX_STALE_PAGES: Final = 3
_MAX_GAPS: Final = 100

Impasse = tuple[type[MixpeekError], str]
"""Why a walk cannot go on: the class of the error, and its message."""


@attrs.define(eq=False)
class LoopGuard:
    """Watches the pages of one walk. `impasse` is what it has found; the rows that came before it are still good."""

    impasse: Impasse | None = None
    _cursors: set[int] = attrs.field(factory=set)
    _empty: int = 0
    _gaps: int = 0
    _stale: list[tuple[str | None, int]] = attrs.field(factory=list)
    """First id and length of the pages since the last one that held anything new."""

    def cursor(self, cursor: str) -> None:
        """The walk goes on by `cursor`."""
        # Hashes, because a server may put a kilobyte into a cursor, and a walk may take a million.
        if hash(cursor) in self._cursors:
            self.impasse = PaginationLoopError, "the server gave the same cursor twice in one walk"
        if not self._cursors:
            # What came again by offset, when the list had shifted, says nothing of a walk by cursor.
            self._stale.clear()
        self._cursors.add(hash(cursor))

    def received(self, rows: int) -> None:
        """A page came with so many rows that the walk has to deal with."""
        self._empty = 0 if rows else self._empty + 1
        if self._empty >= _MAX_EMPTY_PAGES:
            self.impasse = PaginationError, f"{_MAX_EMPTY_PAGES} empty pages in a row, each saying that there is more"

    def gap(self) -> None:
        """A page did not join on: the list has shifted, so that known rows that come again are no sign of a loop."""
        self._stale.clear()
        self._gaps += 1
        if self._gaps >= _MAX_GAPS:
            self.impasse = PaginationLoopError, f"{_MAX_GAPS} pages did not join on, and no new object came between"

    def consumed(self, first: str | None, rows: int, new: int, *, by_cursor: bool, aligned: bool) -> None:
        """The `rows` of a page, of which `first` is the first one's id, were dealt with; `new` were no repeats.

        By offset, known rows may come again when others were created before them or a place is checked, but not the
        same ones time and again; where offsets are `aligned`, each place is checked more often while a list is busy.
        """
        if new:
            self._stale.clear()
            self._gaps = 0
        elif rows:
            self._stale.append((first, rows))
        pages = _MAX_STALE_PAGES * (4 if aligned and not by_cursor else 1)
        if self._stands_still(pages, any_page=by_cursor):
            self.impasse = (
                PaginationLoopError,
                "page after page holds nothing but objects of earlier pages: the server does not move on",
            )

    def _stands_still(self, pages: int, *, any_page: bool) -> bool:
        last = self._stale[-pages:]
        return len(last) == pages and (any_page or len(set(last)) == 1 or len(self._stale) >= _MAX_EMPTY_PAGES)
