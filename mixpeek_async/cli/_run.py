"""One piece of work as one process: signals and errors become exit codes and one line on stderr."""

import asyncio
import errno
import os
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import click

from mixpeek_async import InvalidArgumentError, MixpeekError
from mixpeek_async.cli._interrupt import Interrupted, Interruption
from mixpeek_async.cli._text import printable

# What a shell reports of a process that a signal ended: 128 and the number of the signal, here that of SIGPIPE.
_SIGNALLED = 128
READER_GONE = _SIGNALLED + 13


class Failure(click.ClickException):
    """The command failed: one line for stderr, and `hint`, a second one that says how to go on."""

    exit_code = 1
    hint: str | None = None

    def show(self, file: IO[Any] | None = None) -> None:
        """Called by click."""
        click.echo(f"error: {self.message}", file=file, err=True)
        if self.hint:
            click.echo(self.hint, file=file, err=True)


class Misuse(Failure):
    """The command line can never work."""

    exit_code = 2


class Temporary(Failure):
    """The same command can work later."""

    exit_code = 5
    hint = "this can be temporary: run the same command again"


def run(work: Callable[[Interruption], Awaitable[None]], translate: Callable[[str], str] = str) -> None:
    """Run `work` in an event loop. It returns when the work is done; every other end is an exception of click's.

    `translate` puts the library's words about its arguments into those of a command line.
    """
    try:
        asyncio.run(_interruptible(work))
    except Interrupted as signal:
        _abandon_stdout()
        raise click.exceptions.Exit(_SIGNALLED + signal.number) from None
    except InvalidArgumentError as error:
        raise Misuse(translate(error.message)) from None
    # Before OSError: a time-out of the library is one too.
    except MixpeekError as error:
        raise (Temporary if error.retryable else Failure)(error.message) from None
    except OSError as error:
        _abandon_stdout()
        if _is_broken_pipe(error, windows=os.name == "nt"):
            raise click.exceptions.Exit(READER_GONE) from None
        raise Failure(f"the system refuses: {printable(str(error))}") from None


async def _interruptible(work: Callable[[Interruption], Awaitable[None]]) -> None:
    task = asyncio.current_task()
    assert task is not None, "asyncio.run makes one"
    with Interruption(task) as interruption:
        await work(interruption)


def _is_broken_pipe(error: OSError, *, windows: bool) -> bool:
    if isinstance(error, BrokenPipeError):
        return True
    # Windows says EINVAL when the reader of a pipe is gone, and also for a bad name of a file.
    return windows and error.errno == errno.EINVAL and error.filename is None


def _abandon_stdout() -> None:
    """Drop what was not written. At its end Python would write it again, and complain or block."""
    # A stream in memory, as a test's is, has no number: that is an OSError as well.
    with suppress(OSError), Path(os.devnull).open("wb") as nowhere:
        if sys.stdout is not None:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
