"""The last objects of a walk, by which a checkpoint's place is found again when the list has changed."""

from collections import deque
from datetime import datetime

from mixpeek_async._paging.checkpoint import ANCHORS, Checkpoint, Place, fingerprint
from mixpeek_async.query import Position


class Trail:
    """Ids and creation dates of the last objects that were yielded.

    `start` is where the walk began, and `earlier` the checkpoint that it was taken up at, if it was. Not the objects
    themselves: a thousand walks would keep a million dicts alive, for the garbage collector to look at.
    """

    __slots__ = ("_dates", "_earlier", "_ids", "_start")

    def __init__(self, start: Place, earlier: Checkpoint | None) -> None:
        self._start = start
        self._earlier = earlier
        self._ids: deque[str] = deque(maxlen=ANCHORS)
        # One more: where that is, too, there were objects before the ids that are known.
        self._dates: deque[datetime | None] = deque(maxlen=ANCHORS + 1)

    def add(self, identity: str, date: datetime | None) -> None:
        """An object was yielded; `date` is None where the list is not in the order of creation."""
        self._ids.append(identity)
        self._dates.append(date)

    def anchors(self) -> tuple[bytes, ...]:
        """The fingerprints of the last objects, oldest first, those of the earlier walk before this one's."""
        earlier = self._earlier.anchors if self._earlier else ()
        return (*earlier, *map(fingerprint, self._ids))[-ANCHORS:]

    def deciding_date(self) -> datetime | None:
        """The date of the last object, if every object of that very date is among those that are known."""
        if not self._dates:
            return self._earlier.last_date if self._earlier else None
        first, last = self._dates[0], self._dates[-1]
        if first is None or last is None:
            return None
        reaches_back = len(self._dates) <= ANCHORS and self._begins_before(last)
        return last if first < last or reaches_back else None

    def _begins_before(self, date: datetime) -> bool:
        """Whether what lies before this walk, if anything does, is older than `date`."""
        if self._earlier is not None and self._earlier.anchors:
            return self._earlier.last_date is not None and self._earlier.last_date < date
        return self._start == Place(Position())
