"""Fixtures for tests that need an emulator with an empty bucket, and for the tests of the emulator itself.

A test that needs other settings writes `async with Emulator(…) as emulator, connect(emulator, …) as client`.
"""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from support import plain_http
from support.clients import connect

from mixpeek_async import AsyncMixpeek
from mixpeek_async.emulator import Emulator


@pytest.fixture
async def emulator() -> AsyncIterator[Emulator]:
    """A running emulator: fill it with `emulator.seed(…)` or `emulator.insert(…)`."""
    async with Emulator() as emulator:
        yield emulator


@pytest.fixture
async def client(emulator: Emulator) -> AsyncIterator[AsyncMixpeek]:
    """A client of `emulator` that sends each request once."""
    async with connect(emulator) as client:
        yield client


@pytest.fixture(scope="session")
def post() -> Callable[..., Awaitable[plain_http.Reply]]:
    """Send one request without the package."""
    return plain_http.post


@pytest.fixture(scope="session")
def walk() -> Callable[[Emulator, int], Awaitable[list[str]]]:
    """Read a whole bucket without the package."""
    return plain_http.walk


@pytest.fixture
def clock() -> plain_http.Clock:
    """The clock of an emulator."""
    return plain_http.Clock()
