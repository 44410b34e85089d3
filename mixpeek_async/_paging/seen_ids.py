"""The ids that a walk has dealt with, so that a repeated row is dropped."""

from collections.abc import Iterable
from itertools import chain, islice

from mixpeek_async._paging.bookmark import ANCHORS, Anchor, fingerprint

WINDOW = 20_000
"""A walk by cursor remembers at least this many ids. A walk by offset remembers all: the API's offset limit bounds
them."""


class SeenIds:
    """A set of ids in order, which can forget its oldest half. `anchors` are those of a bookmark to begin with."""

    __slots__ = ("_anchors", "_first", "_new", "_old", "_window")

    def __init__(self, anchors: Iterable[Anchor] = ()) -> None:
        self._first = tuple(anchors)
        self._anchors = frozenset(map(fingerprint, self._first))
        self._window: int | None = None
        # Two dicts in turns: one deque operation for each object would cost more than the dict itself.
        self._new: dict[str, None] = {}
        self._old: dict[str, None] = {}

    def __contains__(self, id_: str) -> bool:
        if id_ in self._new or id_ in self._old:
            return True
        return bool(self._anchors) and fingerprint(id_) in self._anchors

    def __len__(self) -> int:
        return len(self._new) + len(self._old) + len(self._anchors)

    def add(self, id_: str) -> bool:
        """Remember `id_`; False if it was known."""
        new = self._new
        # This is `__contains__` without the call: the line runs for every object of a walk.
        if id_ in new or id_ in self._old or (self._anchors and fingerprint(id_) in self._anchors):
            return False
        new[id_] = None
        if self._window is not None and len(new) >= self._window:
            self._old, self._new = new, {}
        return True

    def anchors(self, skip: int = 0) -> tuple[Anchor, ...]:
        """The anchors of the place behind all ids but the last `skip`."""
        backwards = chain(reversed(self._new), reversed(self._old), reversed(self._first))
        return tuple(islice(backwards, skip, skip + ANCHORS))[::-1]

    def forget_old_ids(self) -> None:
        """From now on keep the last WINDOW ids, and up to twice as many."""
        self._window = WINDOW
