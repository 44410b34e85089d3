"""Where objects and progress go: which of stdout and stderr is a terminal decides how."""

import io
import sys
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import IO, Any, BinaryIO

from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from mixpeek_async import Object
from mixpeek_async.cli._cells import COLUMNS, cells, json_line, plain_line, printable_json
from mixpeek_async.cli._options import Output
from mixpeek_async.cli._tally import Tally

_ROWS = 20
# Around the rows: the table's margins, head and rule, the progress, and the line of the cursor.
_LINES_AROUND = 6


@dataclass(frozen=True)
class Display:
    """`show` takes each object; `live`, where there is one, redraws what moves."""

    show: Callable[[Object], None]
    live: Live | None = None

    @property
    def drawing(self) -> AbstractContextManager[Any]:
        """While it is open, the terminal is drawn to; afterwards the last state stays, or makes room."""
        return self.live or nullcontext()


def open_display(output: Output, tally: Tally) -> Display:
    """What `output` asks for, on the streams of this process."""
    terminal, quiet = _is_terminal(sys.stdout), output.quiet
    if output.format == "table" or (output.format == "auto" and terminal):
        # Two live drawings would draw over each other, so that the progress is a line of the table's.
        return _live_table(quiet, tally) if terminal else _plain_table(quiet, tally)
    if terminal:
        # Lines run through this terminal already: a line that moves has no place in it.
        return Display(_writer(printable_json))
    return Display(_writer(json_line), _live_line(quiet, tally))


def _is_terminal(stream: IO[str] | None) -> bool:
    # Not rich's answer: FORCE_COLOR, set in many a CI, makes rich see a terminal in every pipe.
    return stream is not None and stream.isatty()


def _writer(form: Callable[[Object], str]) -> Callable[[Object], None]:
    write = _line_writer()
    return lambda obj: write(form(obj))


def _plain_table(quiet: bool, tally: Tally) -> Display:
    write = _line_writer()
    write(plain_line(list(COLUMNS)))
    return Display(lambda obj: write(plain_line(cells(obj))), _live_line(quiet, tally))


def _line_writer() -> Callable[[str], None]:
    """Flushes every line, so that the first is there for `| head -1` while the walk goes on."""
    stream = _stdout()

    def write(line: str) -> None:
        stream.write(line.encode() + b"\n")
        stream.flush()

    return write


def _stdout() -> BinaryIO:
    """Bytes, since JSON lines are UTF-8 wherever they are written. There is none after `>&-`."""
    if sys.stdout is None:
        raise OSError("stdout is closed")
    return sys.stdout.buffer


def _live_line(quiet: bool, tally: Tally) -> Live | None:
    """The progress on stderr, while it is a terminal; the summary takes its place."""
    if quiet or not _is_terminal(sys.stderr):
        return None
    return _live(_console(sys.stderr), lambda: _one_line(str(tally)), transient=True)


def _live_table(quiet: bool, tally: Tally) -> Display:
    """The latest rows only: a long walk must not fill memory, and nobody reads a table of a million."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A terminal that is no UTF-8 shows an escape instead of ending the walk.
        sys.stdout.reconfigure(errors="backslashreplace")
    console = _console(sys.stdout)
    rows: deque[list[str]] = deque(maxlen=_ROWS)
    live: Live | None = None

    def picture() -> RenderableType:
        table = _table(list(rows)[-_fitting_rows(console) :])
        # The last picture, drawn once the drawing has ended, has the summary below it.
        moving = live is not None and live.is_started
        return Group(table, _one_line(str(tally))) if moving and not quiet else table

    live = _live(console, picture, transient=False)
    return Display(lambda obj: rows.append(cells(obj)), live)


def _fitting_rows(console: Console) -> int:
    """As many as the window has room for: of a picture higher than it, rich would drop the end."""
    return max(1, console.height - _LINES_AROUND)


def _table(rows: list[list[str]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in COLUMNS:
        table.add_column(name, no_wrap=True, justify="right" if name == "blobs" else "left")
    for row in rows:
        # Text, not str: rich would read [red] and :smile: in a str as its own.
        table.add_row(*map(Text, row))
    return table


def _one_line(text: str) -> Text:
    return Text(text, no_wrap=True, overflow="ellipsis")


def _console(stream: IO[str]) -> Console:
    return Console(file=stream, markup=False, emoji=False, highlight=False)


def _live(console: Console, picture: Callable[[], RenderableType], *, transient: bool) -> Live:
    """Drawn when asked to, and not by a thread: the event loop knows when there is time to."""
    return Live(
        console=console,
        get_renderable=picture,
        auto_refresh=False,
        transient=transient,
        redirect_stdout=False,
        redirect_stderr=False,
    )
