"""An event loop in a thread, for code that is not async."""

import asyncio
import atexit
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import wait
from contextlib import AbstractContextManager
from typing import Any, TypeVar

T = TypeVar("T")


class LoopThread(AbstractContextManager["LoopThread"]):
    """An event loop that runs in a thread of its own until `close`. `aclose` is the last that runs there."""

    def __init__(self, aclose: Callable[[], Awaitable[None]]) -> None:
        self._aclose = aclose
        self._stop = asyncio.Event()
        self._stopping = False
        self._loop = asyncio.new_event_loop()
        # A daemon, so that a program may end while somebody holds it; but not in the middle of its work.
        self._thread = threading.Thread(target=self._run, name="mixpeek-async", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """What `work` returns; the calling thread waits for it."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        # On Windows, Ctrl-C does not reach a thread before its wait is over.
        while not future.done():
            wait([future], 0.5)
        return future.result()

    def close(self) -> None:
        """End the loop and the thread, and wait for that. May be called twice."""
        atexit.unregister(self.close)
        if not self._stopping:
            self._stopping = True
            self._loop.call_soon_threadsafe(self._stop.set)
        # The garbage collector may call this in any thread, also in this one.
        if self._thread is not threading.current_thread():
            self._thread.join()

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        await self._stop.wait()
        await self._aclose()
