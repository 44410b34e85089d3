"""Ctrl-C and SIGTERM as an orderly end: what is open is closed, and the caller learns which signal came."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any, Self


class Interrupted(Exception):
    """A signal ended the work. `number` is the signal's."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Interruption:
    """Within `with`, the first SIGINT or SIGTERM cancels the task; at its end that is an `Interrupted`.

    `loop.add_signal_handler` would not do: it needs a running loop, and the loop stands still while stdout waits for
    its reader (`| less`). It does not exist on Windows either.
    """

    def __init__(self, task: "asyncio.Task[Any]") -> None:
        self._task = task
        self._number: int | None = None
        self._blocking = False
        self._raised = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM):
            # A shell starts a job with `&` or nohup so that it ignores signals: this must stay so.
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._arrived)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if isinstance(error, asyncio.CancelledError) and self._number is not None:
            raise Interrupted(self._number) from None

    @contextmanager
    def blocking(self) -> Iterator[None]:
        """For a wait that blocks the event loop: a signal ends it, and one that came before keeps it from starting."""
        self._blocking = True
        try:
            if self._number is not None:
                self._raise()
            yield
        finally:
            self._blocking = False

    def _arrived(self, number: int, _: FrameType | None) -> None:
        # Only the first: a second one would interrupt the closing that the first began.
        if self._number is None:
            self._number = number
            if self._blocking:
                self._raise()
            self._task.get_loop().call_soon_threadsafe(self._cancel)

    def _raise(self) -> None:
        self._raised = True
        raise asyncio.CancelledError

    def _cancel(self) -> None:
        if not self._raised:
            self._task.cancel()
