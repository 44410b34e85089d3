"""The command `emulator`: a local Mixpeek for programs in other processes."""

import asyncio
import errno
import ipaddress
import os
import secrets
import shlex
import sqlite3
from contextlib import aclosing
from dataclasses import dataclass

import click

from mixpeek_async.cli._interrupt import Interruption
from mixpeek_async.cli._output import print_text
from mixpeek_async.cli._run import Failure, Misuse, run
from mixpeek_async.cli._text import printable
from mixpeek_async.emulator import Emulator

_FORGET_EVERY = 1.0


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the user asks for; `latency` in seconds, `rate_limit` in requests per minute."""

    host: str
    port: int
    objects: int
    shape: str
    latency: float
    rate_limit: int | None
    db: str | None


def serve(settings: Settings) -> None:
    """Serve until a signal comes, which leaves by an exception of click's."""

    async def work(interruption: Interruption) -> None:
        async with aclosing(_made(settings)) as emulator:
            await _start(emulator)
            if not emulator.object_ids():
                await emulator.aseed(settings.objects)
            _announce(emulator, settings, interruption)
            while True:
                _forget_requests(emulator)
                await asyncio.sleep(_FORGET_EVERY)

    try:
        run(work)
    except sqlite3.Error as error:
        raise Failure(f"--db: {error}") from None


def _forget_requests(emulator: Emulator) -> None:
    # It keeps every request for tests to look at: here they would fill the memory.
    emulator.requests.clear()


def _made(settings: Settings) -> Emulator:
    # A key that everyone knows is good for this machine only.
    key = "sk_emulator" if _is_loopback(settings.host) else f"sk_{secrets.token_hex(16)}"
    try:
        return Emulator(
            pagination=settings.shape,
            database=settings.db or ":memory:",
            latency=settings.latency,
            requests_per_minute=settings.rate_limit,
            host=settings.host,
            port=settings.port,
            api_key=key,
        )
    except ValueError as error:
        raise Misuse(str(error)) from None


async def _start(emulator: Emulator) -> None:
    try:
        await emulator.start()
    except OSError as error:
        advice = "; --port 0 takes a free port" if error.errno == errno.EADDRINUSE else ""
        raise Failure(f"the emulator cannot listen: {printable(str(error.strerror))}{advice}") from None


def _announce(emulator: Emulator, settings: Settings, interruption: Interruption) -> None:
    """Print what other programs need; on stdout only what a shell can run."""
    values = {
        "MIXPEEK_BASE_URL": emulator.url,
        "MIXPEEK_API_KEY": emulator.api_key,
        "MIXPEEK_NAMESPACE": emulator.namespace,
    }
    exports = [_export(name, value, windows=os.name == "nt") for name, value in values.items()]
    print_text("".join(exports), interruption)
    click.echo(f"{len(emulator.object_ids()):,} objects in the bucket {emulator.bucket}; Ctrl-C ends it", err=True)
    if not _is_loopback(settings.host):
        click.echo(
            "warning: everyone who can reach this machine can send requests to the emulator, without encryption; "
            "clients on other machines need its address in MIXPEEK_BASE_URL, and --allow-insecure",
            err=True,
        )


def _export(name: str, value: str, *, windows: bool) -> str:
    """One line for the usual shell of the system."""
    if windows:
        return f'$env:{name} = "{value}"\n'
    return f"export {name}={shlex.quote(value)}\n"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
