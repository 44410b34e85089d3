"""Taking a walk up at a checkpoint: which rows the earlier walk had dealt with."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

import attrs

from mixpeek_async._paging.checkpoint import Checkpoint
from mixpeek_async._paging.guard import Impasse
from mixpeek_async._paging.memory import Memory
from mixpeek_async._paging.offsets import Mark, OffsetTrack
from mixpeek_async.errors import CheckpointError

ADRIFT: Final[Impasse] = (
    CheckpointError,
    "none of the last objects before the checkpoint exists any more, so that its place cannot be found: start anew",
)


@attrs.define(eq=False)
class Resumption:
    """`checkpoint`, and what tells the rows before its place from those behind it.

    `identify` and `date` read the id and the creation date of a row; `memory` knows the last ids of the earlier walk.
    """

    checkpoint: Checkpoint
    identify: Callable[[Any], str]
    date: Callable[[Any], datetime | None]
    memory: Memory
    to_pass: int = attrs.field(init=False)
    """Rows that the checkpoint says to pass by, at the start of the page of its cursor."""

    def __attrs_post_init__(self) -> None:
        self.to_pass = self.checkpoint.place.index

    def track(self) -> OffsetTrack:
        """A walk by offset that stands at the checkpoint."""
        offset, known = self.checkpoint.place.position.offset, bool(self.checkpoint.anchors)
        return OffsetTrack(
            offset,
            self.identify,
            mark=Mark(self.checkpoint.last_id or "", offset - 1) if known and offset else None,
            resumed=known,
            is_passed=self.is_passed if self.checkpoint.last_date else None,
        )

    def pass_by(self, rows: list[Any]) -> int | None:
        """How many rows of the page at the checkpoint's cursor were dealt with; None where nothing can tell.

        All up to the last one that is known, wherever that is now: rows before it may have been deleted.
        """
        known = [index for index, row in enumerate(rows) if self._was_dealt_with(row)]
        skip = known[-1] + 1 if known else self._count_passed(rows)
        if skip is None:
            return None
        self.to_pass = max(0, self.to_pass - len(rows)) if skip == len(rows) else 0
        return skip

    def is_passed(self, row: Any) -> bool:
        """Whether dates put `row` before the checkpoint."""
        last = self.checkpoint.last_date
        date = self.date(row) if last else None
        return last is not None and date is not None and date < last

    def _was_dealt_with(self, row: Any) -> bool:
        identity = self.identify(row)
        return identity == self.checkpoint.last_id or identity in self.memory

    def _count_passed(self, rows: list[Any]) -> int | None:
        """The rows at the start that were created before the checkpoint, for a page in which none is known.

        Dates decide it only where they agree with the order of the rows; a clock that was behind breaks that.
        """
        if rows and self.checkpoint.last_date is None:
            return None
        passed = [self.is_passed(row) for row in rows]
        return sum(passed) if passed == sorted(passed, reverse=True) else None
