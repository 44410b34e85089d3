"""Fixtures for the tests of a project that uses this package. It opts in with a line in its top `conftest.py`:

    pytest_plugins = ["mixpeek_async.testing"]

* `mixpeek_emulator`: a running emulator with an empty bucket, on a thread of its own, for tests of any kind.
* `mixpeek_client`: an open client on it. It needs pytest-asyncio, or the plugin of anyio.

A project with an emulator of its own settings defines `mixpeek_emulator` itself, with `running`; `mixpeek_client` goes
by it.
Nothing else in the package imports pytest.
"""

import asyncio
import importlib.util
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from mixpeek_async import AsyncMixpeek
from mixpeek_async.emulator import Emulator

__all__ = ["mixpeek_client", "mixpeek_emulator", "running"]

if TYPE_CHECKING or importlib.util.find_spec("pytest_asyncio") is None:
    # The plugin of anyio runs whatever fixture is async. (tests/test_testing.py comes here, in a process of its own.)
    _async_fixture = pytest.fixture  # pragma: no cover
else:
    from pytest_asyncio import fixture as _async_fixture


@contextmanager
def running(emulator: Emulator) -> Iterator[Emulator]:
    """Start `emulator` on a thread and an event loop of its own, and close it at the end.

    It answers whatever the test's own thread waits for; its data may be read and changed from there.
    """
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="mixpeek-emulator", daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(emulator.start(), loop).result()
        yield emulator
    finally:
        asyncio.run_coroutine_threadsafe(emulator.aclose(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture
def mixpeek_emulator() -> Iterator[Emulator]:
    """A running emulator, whose bucket is empty until `mixpeek_emulator.seed(…)` or `.insert(…)`."""
    with running(Emulator()) as emulator:
        yield emulator


@_async_fixture
async def mixpeek_client(mixpeek_emulator: Emulator) -> AsyncIterator[AsyncMixpeek]:
    """An open client of the emulator."""
    async with AsyncMixpeek(
        mixpeek_emulator.api_key, namespace=mixpeek_emulator.namespace, base_url=mixpeek_emulator.url
    ) as client:
        yield client
