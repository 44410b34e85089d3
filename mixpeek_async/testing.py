"""Fixtures for the tests of a project that uses this package. Put this line into the project's top `conftest.py`:

    pytest_plugins = ["mixpeek_async.testing"]

* `mixpeek_emulator`: a running emulator with an empty bucket, on its own thread, for async and other tests.
* `mixpeek_client`: an open client of that emulator. It needs pytest-asyncio, or the plugin of anyio with a fixture
  `anyio_backend` that returns "asyncio".

A project that wants other settings defines `mixpeek_emulator` itself, with `running`; `mixpeek_client` then uses that
one. Nothing else in the package imports pytest.

PYTEST_DONT_REWRITE: no assertion is here, and without this a `conftest.py` that imports `running` gets a warning.
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
    # The plugin of anyio runs any async fixture.
    _async_fixture = pytest.fixture  # pragma: no cover  # a child process of tests/test_testing.py runs this line
else:
    from pytest_asyncio import fixture as _async_fixture


@contextmanager
def running(emulator: Emulator) -> Iterator[Emulator]:
    """Start `emulator` on its own thread and event loop, and close it at the end.

    It answers while the thread of the test is blocked. That thread can read and change the data.
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


def _check_asyncio() -> None:
    # The plugin of anyio also runs each test on trio, if that is installed.
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        pytest.fail(
            "mixpeek_async runs on asyncio only: put a fixture `anyio_backend` that returns 'asyncio' into conftest.py",
            pytrace=False,
        )


@pytest.fixture
def mixpeek_emulator() -> Iterator[Emulator]:
    """A running emulator. Its bucket is empty: fill it with `mixpeek_emulator.seed(…)` or `.insert(…)`."""
    with running(Emulator()) as emulator:
        yield emulator


@_async_fixture
async def mixpeek_client(mixpeek_emulator: Emulator) -> AsyncIterator[AsyncMixpeek]:
    """An open client of the emulator. The test fails if it does not run on asyncio."""
    _check_asyncio()
    async with AsyncMixpeek(
        mixpeek_emulator.api_key, namespace=mixpeek_emulator.namespace, base_url=mixpeek_emulator.url
    ) as client:
        yield client
