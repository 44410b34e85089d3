"""Whom a command talks to: the API, or an emulator within this process."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import click

from mixpeek_async import AsyncMixpeek
from mixpeek_async.cli._options import Connection
from mixpeek_async.emulator import Emulator

_EMULATOR_OBJECTS = 5_000
_SEEDED_AT_ONCE = 1_000


def check(connection: Connection, bucket: str | None) -> None:
    """UsageError for what is missing or contradicts itself, in the words of a command line.

    The library checks keys and namespaces too, but tells its caller which keyword to pass.
    """
    if problem := _emulator_problem(connection) if connection.emulator else _api_problem(connection, bucket):
        raise click.UsageError(problem)


def _emulator_problem(connection: Connection) -> str | None:
    if connection.base_url is not None:
        return "--emulator has an address of its own: leave out --base-url"
    return None


def _api_problem(connection: Connection, bucket: str | None) -> str | None:
    if connection.emulator_objects is not None or connection.emulator_pagination is not None:
        return "--emulator-objects and --emulator-pagination are settings of --emulator: give that too"
    if bucket is None:
        return "which bucket? Give its id or name as BUCKET, or try --emulator, which brings a bucket of its own"
    if not os.environ.get("MIXPEEK_API_KEY"):
        return "there is no API key: set MIXPEEK_API_KEY in the environment, or try --emulator, which needs none"
    if connection.namespace is None and not os.environ.get("MIXPEEK_NAMESPACE"):
        return "there is no namespace: give --namespace, or set MIXPEEK_NAMESPACE in the environment"
    return None


@asynccontextmanager
async def connected(connection: Connection, bucket: str | None) -> AsyncIterator[tuple[AsyncMixpeek, str]]:
    """An open client, and the bucket that is meant; `check` has found nothing wrong with them."""
    opened = _on_emulator(connection, bucket) if connection.emulator else _on_api(connection, bucket or "")
    async with opened as client_and_bucket:
        yield client_and_bucket


@asynccontextmanager
async def _on_api(connection: Connection, bucket: str) -> AsyncIterator[tuple[AsyncMixpeek, str]]:
    async with AsyncMixpeek(
        namespace=connection.namespace,
        base_url=connection.base_url,
        timeout=connection.timeout,
        allow_insecure=connection.allow_insecure,
    ) as client:
        yield client, bucket


@asynccontextmanager
async def _on_emulator(connection: Connection, bucket: str | None) -> AsyncIterator[tuple[AsyncMixpeek, str]]:
    names = {"bucket": bucket, "namespace": connection.namespace}
    given: dict[str, Any] = {keyword: name for keyword, name in names.items() if name}
    async with Emulator(pagination=connection.emulator_pagination or "cursor", **given) as emulator:
        await _seed(emulator, connection.emulator_objects)
        # All of it from the emulator: whatever the environment says is about the real API.
        async with AsyncMixpeek(
            emulator.api_key, namespace=emulator.namespace, base_url=emulator.url, timeout=connection.timeout
        ) as client:
            yield client, emulator.bucket


async def _seed(emulator: Emulator, count: int | None) -> None:
    """Fill the bucket piece by piece: a million objects take a while, and Ctrl-C works in between."""
    missing = _EMULATOR_OBJECTS if count is None else count
    while missing > 0:
        emulator.seed(min(_SEEDED_AT_ONCE, missing))
        missing -= _SEEDED_AT_ONCE
        await asyncio.sleep(0)
