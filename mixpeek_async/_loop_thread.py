"""An event loop in a thread, for code that is not async."""

import asyncio
import atexit
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from contextlib import AbstractContextManager
from typing import Any, TypeVar

T = TypeVar("T")


class LoopThread(AbstractContextManager["LoopThread"]):
    """An event loop that runs in a thread of its own until `close`. `aclose` is the last that runs there."""

    def __init__(self, aclose: Callable[[], Awaitable[None]]) -> None:
        self._aclose = aclose
        self._stop = asyncio.Event()
        self._loop: Future[asyncio.AbstractEventLoop] = Future()
        # A daemon, so that a program may end while somebody holds it; but not in the middle of its work.
        self._thread = threading.Thread(target=self._run, name="mixpeek-async", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """What `work` returns; the calling thread waits for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop.result()).result()

    def close(self) -> None:
        """End the loop and the thread, and wait for that. May be called twice."""
        atexit.unregister(self.close)
        if self._thread.is_alive():
            self._loop.result().call_soon_threadsafe(self._stop.set)
        # The garbage collector may call this in any thread, also in this one.
        if self._thread is not threading.current_thread():
            self._thread.join()

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop.set_result(asyncio.get_running_loop())
        try:
            await self._stop.wait()
        finally:
            await self._aclose()
