"""Which server a command talks to: the API, or an emulator inside this process."""

import os
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Literal

import click

from mixpeek_async.cli._options import Connection

if TYPE_CHECKING:
    from mixpeek_async import AsyncMixpeek, Hooks
    from mixpeek_async.emulator import Emulator

Kind = Literal["bucket", "collection"]

EMULATOR_OBJECTS = 5_000

# Keywords in the library's messages. Those that are common words count only at the start, and as `name=…`.
_KEYWORD = re.compile(
    r"\b(?:api_key|base_url|allow_insecure|page_size|max_items)\b|\bnamespace(?==…)"
    r"|^(?:namespace|offset|concurrency|timeout|sort|search|select)\b"
)
_VALUE = re.compile(r"=(?:…|True\b)")
_ADVICE_FOR_PYTHON = re.compile(r": call \.strip\(\) on it|(?<=ends, as a line of a file does): \.strip\(\) it")
_CHECKPOINT_GIVEN = "the string that .checkpoint gave"


def check(connection: Connection) -> None:
    """UsageError for what is missing or contradicts itself, in the words of a command line.

    The library checks keys and namespaces too, but tells its caller which keyword to pass.
    """
    if problem := _emulator_problem(connection) if connection.emulator else _api_problem(connection):
        raise click.UsageError(problem)


def check_container(connection: Connection, kind: Kind, name: str | None) -> None:
    """UsageError if there is no bucket or collection to ask for."""
    if not name and not connection.emulator:
        raise click.UsageError(
            f"which {kind}? Give its id or name as {kind.upper()}, or try --emulator, which brings a {kind} of its own"
        )


def _emulator_problem(connection: Connection) -> str | None:
    if connection.base_url is not None:
        return "--emulator has an address of its own: leave out --base-url"
    return None


def _api_problem(connection: Connection) -> str | None:
    if connection.emulator_objects is not None or connection.emulator_pagination is not None:
        return "--emulator-objects and --emulator-pagination are settings of --emulator: give that too"
    if not os.environ.get("MIXPEEK_API_KEY", "").strip():
        return "there is no API key: set MIXPEEK_API_KEY in the environment, or try --emulator, which needs none"
    if connection.namespace is None and not os.environ.get("MIXPEEK_NAMESPACE", "").strip():
        return "there is no namespace: give --namespace, or set MIXPEEK_NAMESPACE in the environment"
    return None


def in_words_of(connection: Connection) -> Callable[[str], str]:
    """A function that puts the library's messages about its keywords into the words of this command line."""
    names = {
        "api_key": "MIXPEEK_API_KEY",
        "namespace": "--namespace" if connection.namespace is not None else "MIXPEEK_NAMESPACE",
        "base_url": "--base-url" if connection.base_url is not None else "MIXPEEK_BASE_URL",
    }

    def option(keyword: "re.Match[str]") -> str:
        return names.get(keyword[0], "--" + keyword[0].replace("_", "-"))

    def translate(message: str) -> str:
        in_shell = _ADVICE_FOR_PYTHON.sub("", message).replace(_CHECKPOINT_GIVEN, "what the earlier run printed")
        return _VALUE.sub("", _KEYWORD.sub(option, in_shell))

    return translate


@asynccontextmanager
async def connected(
    connection: Connection,
    container: str | None = None,
    hooks: "Hooks | None" = None,
    *,
    kind: Kind = "bucket",
    **settings: Any,
) -> "AsyncIterator[tuple[AsyncMixpeek, str]]":
    """An open client, and the bucket or collection to ask for. `settings` are more keywords of the client."""
    from mixpeek_async import AsyncMixpeek

    settings = {"timeout": connection.timeout, "hooks": hooks, **settings}
    if not connection.emulator:
        async with AsyncMixpeek(
            namespace=connection.namespace,
            base_url=connection.base_url,
            allow_insecure=connection.allow_insecure,
            **settings,
        ) as client:
            yield client, container or ""
        return
    # With --emulator all of it is the emulator's: what the environment says is about the real API.
    async with (
        _sample(connection, container, kind) as emulator,
        AsyncMixpeek(emulator.api_key, namespace=emulator.namespace, base_url=emulator.url, **settings) as client,
    ):
        yield client, emulator.bucket if kind == "bucket" else emulator.collection


@asynccontextmanager
async def _sample(connection: Connection, container: str | None, kind: Kind) -> "AsyncIterator[Emulator]":
    # It takes a while to import, and the other commands do without.
    from mixpeek_async.emulator import Emulator

    names = {kind: container, "namespace": connection.namespace}
    given: dict[str, Any] = {keyword: name for keyword, name in names.items() if name}
    async with Emulator(pagination=connection.emulator_pagination or "cursor", **given) as emulator:
        count = EMULATOR_OBJECTS if connection.emulator_objects is None else connection.emulator_objects
        # Piece by piece: a million objects take a while, and Ctrl-C works in between.
        await (emulator.aseed(count) if kind == "bucket" else emulator.documents.aseed(count))
        yield emulator
