"""Which objects a walk has yielded already."""

from collections import deque
from collections.abc import Iterable

from mixpeek_async._paging.checkpoint import fingerprint

CURSOR_WINDOW = 20_000
"""How many ids a walk by cursor remembers. A walk by offset remembers all: the API's ceiling bounds them."""


class Memory:
    """The ids of what was yielded, to drop what comes again.

    It keeps them all until it is bounded. `anchors` are fingerprints of objects that an earlier walk has yielded.
    """

    __slots__ = ("_anchors", "_ids", "_order", "_window")

    def __init__(self, anchors: Iterable[bytes] = ()) -> None:
        self._anchors = frozenset(anchors)
        self._window: int | None = None
        self._ids: set[str] = set()
        self._order: deque[str] = deque()

    def __contains__(self, identity: str) -> bool:
        return identity in self._ids or (bool(self._anchors) and fingerprint(identity) in self._anchors)

    def add(self, identity: str) -> bool:
        """Remember `identity`; False when it was known."""
        if identity in self:
            return False
        self._ids.add(identity)
        self._order.append(identity)
        if self._window is not None and len(self._order) > self._window:
            self._ids.discard(self._order.popleft())
        return True

    def bound(self) -> None:
        """From now on keep the last CURSOR_WINDOW ids only."""
        self._window = CURSOR_WINDOW
