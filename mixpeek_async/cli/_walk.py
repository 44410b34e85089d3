"""One listing, printed: what `list`, `buckets`, `collections`, `documents` and `follow` share."""

import asyncio
import contextlib
import sys
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from mixpeek_async import (
    AsyncMixpeek,
    CheckpointError,
    Follow,
    Hooks,
    InvalidObjectError,
    RetryScheduled,
    Throttled,
    Walk,
)
from mixpeek_async.cli._connection import Kind, connected, in_words_of
from mixpeek_async.cli._formats import BY_SUFFIX, Format, View, make_format, only_fields
from mixpeek_async.cli._interrupt import Interruption
from mixpeek_async.cli._options import Connection, Output
from mixpeek_async.cli._output import (
    BLOCK,
    LiveSink,
    Printer,
    Sink,
    is_file,
    is_terminal,
    path_sink,
    stdout_sink,
    terminal_size,
    tolerate_encoding,
)
from mixpeek_async.cli._progress import Progress, StatusLine, retry_line, throttled_line
from mixpeek_async.cli._run import READER_GONE, Failure, Misuse, run
from mixpeek_async.cli._text import printable

_REDRAW_EVERY = 0.1
# Beside the latest rows, a terminal shows the head, the progress, the prompt, and what was typed.
_LINES_AROUND = 4


@dataclass(frozen=True, kw_only=True)
class Listing:
    """What to print: `open_walk` gives the walk of a client and a container, `resumed` is true with `--resume`.

    `follows`: the walk does not end by itself.
    """

    connection: Connection
    output: Output
    view: View
    open_walk: Callable[[AsyncMixpeek, str], Awaitable[Walk[Any] | Follow[Any]]]
    container: str | None = None
    kind: Kind = "bucket"
    resumed: bool = False
    follows: bool = False


def print_listing(listing: Listing) -> None:
    """Print all records. Every other end is an exception of click's, and tells the user how to go on."""
    _check_output(listing)
    walk = _Walk(listing)
    if listing.connection.emulator and listing.container:
        walk.say(
            f"note: --emulator makes its data up; the {listing.view.things} are not those of your "
            f"{listing.kind} {listing.container!a}"
        )
    try:
        run(walk.print_all, in_words_of(listing.connection))
    except Failure as failure:
        if walk.progress.items:
            walk.say(f"stopped: {walk.progress.summary()}")
        failure.hint = walk.how_to_go_on() or failure.hint
        raise
    except click.exceptions.Exit as ended:
        if ended.exit_code != READER_GONE:
            walk.say(f"interrupted: {walk.progress.summary()}", walk.how_to_go_on())
        raise
    # With a pipe in a terminal, the user waits for what comes out of its other end.
    if _is_apart(listing.output) or not is_terminal(sys.stderr):
        walk.say(f"done: {walk.progress.summary()}")


def _check_output(listing: Listing) -> None:
    """UsageError for options that contradict each other."""
    output, resumed = listing.output, listing.resumed
    if output.format == "ids" and output.fields:
        raise click.UsageError("--format ids prints ids and nothing else: leave out --json")
    if listing.follows and _format_name(output, to_terminal=False) == "json":
        raise click.UsageError("a JSON array would never be closed: write JSON lines, --format jsonl")
    if output.live and not (output.file is None and is_terminal(sys.stdout)):
        raise click.UsageError("--live shows the rows in a terminal, and stdout is none: leave it out")
    if output.live and _format_name(output, to_terminal=True) != "table":
        raise click.UsageError("--live shows a table: leave out --json and --format")
    if resumed and output.file is not None and _format_name(output, to_terminal=False) == "json":
        raise click.UsageError("a file of one JSON array cannot be continued: write JSON lines, --format jsonl")
    if output.file is not None and not Path(output.file).absolute().parent.is_dir():
        raise click.UsageError(f"there is no directory for -o {printable(output.file)}: make it first")


def _is_apart(output: Output) -> bool:
    """True if it is known where rows go, so that the line on stderr cannot get among them.

    The other end of a pipe may print to the same terminal, as `| head` does.
    """
    return output.file is not None or is_file(sys.stdout) or is_terminal(sys.stdout)


class _Walk:
    """One run of a listing."""

    def __init__(self, listing: Listing) -> None:
        self._listing = listing
        self._output = listing.output
        self._checkpoint: str | None = None
        self._cut: str | None = None
        self.progress = Progress(listing.view.things, follows=listing.follows)
        self._latest: deque[str] = deque(maxlen=max(2, terminal_size().lines - _LINES_AROUND))
        """The rows that `--live` shows, without the head of the table."""
        visible = _is_apart(self._output) and is_terminal(sys.stderr) and not self._output.quiet
        self._status = StatusLine(self._shown, visible=visible or self._output.live, stdout=self._output.live)

    def _shown(self) -> str:
        """The text that is drawn again and again: the progress, and with `--live` the table above it."""
        return "\n".join([*self._latest, str(self.progress)])

    def say(self, *lines: str | None) -> None:
        """Print lines on stderr, unless the user wants none."""
        if not self._output.quiet:
            self._status.erase()
            for line in filter(None, lines):
                click.echo(line, err=True)

    def how_to_go_on(self) -> str | None:
        """What to type to get the rest; None if nothing was printed, so that the same command will do."""
        if self._checkpoint is None:
            return None
        append = ", and >> in place of >" if self._output.file is None and is_file(sys.stdout) else ""
        if _format_name(self._output, to_terminal=is_terminal(sys.stdout)) == "json":
            # What is written is an array without its end: nothing can be put behind it.
            append = ", with --format jsonl, and with another file for the rest"
        cut = f" (the line of {self._cut} was cut)" if self._cut else ""
        return f"to go on{cut}, run the same command with this option{append}: --resume {self._checkpoint}"

    async def print_all(self, interruption: Interruption) -> None:
        listing = self._listing
        hooks = Hooks(retry=self._note_retry, throttle=self._note_throttled)
        async with connected(listing.connection, listing.container, hooks, kind=listing.kind) as (client, name):
            try:
                walk = await listing.open_walk(client, name)
            except CheckpointError as error:
                raise Misuse(f"--resume: {in_words_of(listing.connection)(error.message)}") from None
            self.progress.follow(walk)
            with contextlib.closing(self._open_sink(interruption)) as sink:
                async with _redrawn(self._status):
                    await self._print_each(walk, sink)

    async def _print_each(self, walk: Walk[Any] | Follow[Any], sink: Sink) -> None:
        printer = Printer(self._format(), self._writer(sink))
        # What is created before the same command runs again would be missed by one that follows from now on.
        begun = self._listing.follows
        try:
            sink.wait()
            async for record in walk:
                self._cut = printable(self._listing.view.id_of(record))
                printer.print(record)
                self._cut = None
                begun = True
                if sink.is_full:
                    sink.flush()
                    # The next block may fail: then this one is the place to go on from.
                    self._checkpoint = walk.checkpoint
                sink.wait()
            printer.end()
        except InvalidObjectError:
            # The checkpoint leads past the bad record, where the same command would stop at it again.
            begun = True
            raise
        finally:
            sink.flush()
            if begun:
                self._checkpoint = walk.checkpoint

    def _format(self) -> Format:
        listing, output = self._listing, self._output
        to_terminal = output.file is None and is_terminal(sys.stdout)
        return make_format(
            _format_name(output, to_terminal=to_terminal),
            only_fields(listing.view, output.fields) if output.fields else listing.view,
            width=terminal_size().columns if to_terminal else None,
            # A file that is continued has its head already.
            head=not listing.resumed,
        )

    def _open_sink(self, interruption: Interruption) -> Sink:
        if self._output.live:
            tolerate_encoding(sys.stdout)
            return LiveSink(self._latest, interruption)
        # Who follows a list looks at the file while it grows.
        block = 1 if self._listing.follows else BLOCK
        if self._output.file is None:
            return stdout_sink(interruption, block)
        return path_sink(Path(self._output.file), interruption, append=self._listing.resumed, block=block)

    def _writer(self, sink: Sink) -> Callable[[str], None]:
        if self._output.file is not None or self._output.live or not is_terminal(sys.stdout):
            return sink.write

        def write_in_terminal(text: str) -> None:
            # The line on stderr is in the same terminal.
            self._status.erase()
            sink.write(text)

        return write_in_terminal

    def _note_retry(self, retry: RetryScheduled) -> None:
        self.progress.note_retry(retry)
        if self._output.verbose:
            self.say(retry_line(retry))

    def _note_throttled(self, throttled: Throttled) -> None:
        self.progress.note_throttled(throttled)
        if self._output.verbose:
            self.say(throttled_line(throttled))


def _format_name(output: Output, *, to_terminal: bool) -> str:
    """The format that `auto` stands for."""
    if output.format != "auto":
        return output.format
    if output.file is not None:
        return BY_SUFFIX.get(Path(output.file).suffix.lower(), "jsonl")
    return "table" if to_terminal and not output.fields else "jsonl"


@asynccontextmanager
async def _redrawn(status: StatusLine) -> AsyncIterator[None]:
    """Draw the line again and again, while the walk waits for a server."""
    drawing = asyncio.create_task(_redraw(status))
    try:
        yield
    finally:
        drawing.cancel()
        await asyncio.gather(drawing, return_exceptions=True)
        status.erase()


async def _redraw(status: StatusLine) -> None:
    while True:
        # First the wait: what takes no time needs no line.
        await asyncio.sleep(_REDRAW_EVERY)
        status.draw()
