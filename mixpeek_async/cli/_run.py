"""One walk as one process: from the options to the exit code."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import IO, Any

import click

from mixpeek_async import AsyncMixpeek, InvalidArgumentError, MixpeekError, Object, Pager
from mixpeek_async.cli._cells import printable
from mixpeek_async.cli._display import Display, open_display
from mixpeek_async.cli._interrupt import Interrupted, Interruption
from mixpeek_async.cli._options import Connection, Output
from mixpeek_async.cli._session import check, connected
from mixpeek_async.cli._tally import Tally

# What a shell reports of a process that a signal ended: 128 and the signal's number, here SIGPIPE's.
_SIGNALLED = 128
_PIPE_CLOSED = _SIGNALLED + 13
_REDRAW_EVERY = 0.1
_KEYWORD = re.compile(r"\b(page_size|max_items|offset|timeout|namespace|base_url|allow_insecure)\b(?:=True|=…)?")

OpenPager = Callable[[AsyncMixpeek, str], Pager[Object]]


class _Failure(click.ClickException):
    """One readable line on stderr, and exit code 1."""

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(f"error: {self.message}", file=file, err=True)


class _Misuse(_Failure):
    """The same for what the command line got wrong. The library speaks of keywords, a command line of options."""

    exit_code = 2

    def __init__(self, message: str) -> None:
        super().__init__(_KEYWORD.sub(lambda found: "--" + found[1].replace("_", "-"), message))


def walk(connection: Connection, bucket: str | None, output: Output, open_pager: OpenPager) -> None:
    """Show all that the pager gives. Returns at its end; every other end leaves by an exception of click's."""
    check(connection, bucket)
    try:
        asyncio.run(_walk(connection, bucket, output, open_pager))
    except Interrupted as signal:
        _abandon_stdout()
        raise click.exceptions.Exit(_SIGNALLED + signal.number) from None
    except InvalidArgumentError as error:
        raise _Misuse(error.message) from None
    # Before OSError, which a time-out is too.
    except MixpeekError as error:
        raise _Failure(error.message) from None
    except BrokenPipeError:
        _abandon_stdout()
        raise click.exceptions.Exit(_PIPE_CLOSED) from None
    except OSError as error:
        _abandon_stdout()
        raise _Failure(f"the system refuses: {printable(str(error))}") from None


async def _walk(connection: Connection, bucket: str | None, output: Output, open_pager: OpenPager) -> None:
    task = asyncio.current_task()
    assert task is not None, "asyncio.run makes one"
    with Interruption(task) as interruption, Tally(quiet=output.quiet) as tally:
        async with connected(connection, bucket) as (client, name):
            pager = open_pager(client, name)
            tally.follow(pager)
            await _show_all(pager, open_display(output, tally), interruption)


async def _show_all(pager: Pager[Object], display: Display, interruption: Interruption) -> None:
    with display.drawing:
        async with _redrawn(display):
            async for obj in pager:
                # A pipe whose reader takes its time blocks here, and with it the event loop.
                with interruption.blocking():
                    display.show(obj)


@asynccontextmanager
async def _redrawn(display: Display) -> AsyncIterator[None]:
    """Keep the drawing up to date, also while the walk waits for a server."""
    drawing = asyncio.create_task(_redraw(display))
    try:
        yield
    finally:
        drawing.cancel()
        await asyncio.gather(drawing, return_exceptions=True)


async def _redraw(display: Display) -> None:
    while display.live:
        display.live.refresh()
        await asyncio.sleep(_REDRAW_EVERY)


def _abandon_stdout() -> None:
    """What was not written stays so. Python would try again when it ends, and complain or block."""
    # Streams that are no files, as a test's are, have no number: an OSError as well.
    with suppress(OSError), Path(os.devnull).open("wb") as nowhere:
        if sys.stdout is not None:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
