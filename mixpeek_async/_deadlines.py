"""Time-outs with one timer for all that are open at once.

`asyncio.timeout` makes a timer of its own for each use, which costs an attempt that succeeds more than all the rest of
the retry layer. Hardly any ever fires: one timer, for the earliest end, is enough, and looks for the next one then.
"""

import asyncio
import math
from types import TracebackType
from typing import Self


class Deadlines:
    """The time-outs of one client."""

    __slots__ = ("_loop", "_next", "_open", "_timer")

    def __init__(self) -> None:
        self._open: set[Deadline] = set()
        self._forget_timer()

    def within(self, seconds: float) -> "Deadline":
        """`with` this, what is awaited inside ends with TimeoutError after `seconds`, or at `end_all`."""
        return Deadline(self, seconds)

    def end_all(self) -> None:
        """End what is under way, now."""
        for deadline in self._open:
            deadline.end()
        if self._timer is not None:
            self._timer.cancel()
        self._forget_timer()

    def _forget_timer(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._next = math.inf
        self._timer: asyncio.TimerHandle | None = None

    def enter(self, deadline: "Deadline", loop: asyncio.AbstractEventLoop) -> None:
        """Watch over `deadline`."""
        self._open.add(deadline)
        # A timer of another loop, one that was left before it fired, never will.
        if deadline.at < self._next or loop is not self._loop:
            self._set_timer(deadline.at, loop)

    def leave(self, deadline: "Deadline") -> None:
        """No longer watch over `deadline`. The timer stays, and finds out when it fires."""
        self._open.discard(deadline)

    def _set_timer(self, at: float, loop: asyncio.AbstractEventLoop) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._loop, self._next, self._timer = loop, at, loop.call_at(at, self._fire)

    def _fire(self) -> None:
        # Not by the loop's time: a loop fires its timers early, by up to the resolution of its clock.
        due, loop = self._next, self._loop
        self._forget_timer()
        for deadline in self._open:
            if deadline.at <= due:
                deadline.end()
        waiting = [deadline.at for deadline in self._open if not deadline.ended]
        if waiting and loop is not None:
            self._set_timer(min(waiting), loop)


class Deadline:
    """One use of a time-out. `at` is its end by the loop's clock; `ended` is whether that has come."""

    __slots__ = ("_cancelling", "_owner", "_task", "at", "ended")

    def __init__(self, owner: Deadlines, seconds: float) -> None:
        self._owner = owner
        self.at = seconds
        self.ended = False

    def __enter__(self) -> Self:
        task = asyncio.current_task()
        assert task is not None, "asyncio runs every coroutine in a task"
        self._task, self._cancelling = task, task.cancelling()
        loop = task.get_loop()
        self.at += loop.time()
        self._owner.enter(self, loop)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._owner.leave(self)
        # As asyncio.timeout does it: a cancellation that somebody else asked for goes on being one.
        if self.ended and self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError

    def end(self) -> None:
        """Wake up the task with a cancellation, once."""
        if not self.ended:
            self.ended = True
            self._task.cancel()
