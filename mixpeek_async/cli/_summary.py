"""The command `summary`: a bucket in numbers, as bars, as JSON, or as a page."""

import io
import re
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click

from mixpeek_async import Filter, Hooks, PageReceived, RetryScheduled, Summary, Throttled
from mixpeek_async import Progress as Counts
from mixpeek_async.cli._charts import Chart, charts, headline
from mixpeek_async.cli._connection import connected, in_words_of
from mixpeek_async.cli._interrupt import Interruption
from mixpeek_async.cli._options import Connection
from mixpeek_async.cli._output import is_terminal, print_text, terminal_size
from mixpeek_async.cli._progress import Progress, StatusLine, retry_line, throttled_line
from mixpeek_async.cli._run import run
from mixpeek_async.cli._text import json_document, printable
from mixpeek_async.cli._walk import _redrawn

_WIDTH_IN_A_PIPE = 80
_WIDEST = 120
_WIDEST_LABEL = 32
_BLOCKS = re.compile("[▏▎▍▌▋▊▉█▐▕]")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the user asks for."""

    filters: Filter | None
    exact: bool
    as_json: bool
    html: str | None
    quiet: bool
    verbose: bool


class _Counting:
    """What a summary has read so far. While the server counts, it reads no objects."""

    def __init__(self) -> None:
        self.progress = Counts()
        self.line = Progress("objects")
        self.line.follow(self)

    def note_page(self, page: PageReceived) -> None:
        """Called by the client with each page of a walk."""
        self.progress.items += page.rows


def summarize(connection: Connection, bucket: str | None, settings: Settings) -> None:
    """Print the summary of one bucket, or write it into a file."""
    if settings.html is not None and not Path(settings.html).absolute().parent.is_dir():
        raise click.UsageError(f"there is no directory for --html {printable(settings.html)}: make it first")
    counting = _Counting()
    status = StatusLine(lambda: str(counting.line), visible=is_terminal(sys.stderr) and not settings.quiet)

    def explain(line: str) -> None:
        if settings.verbose:
            status.erase()
            click.echo(line, err=True)

    def note_retry(retry: RetryScheduled) -> None:
        counting.line.note_retry(retry)
        explain(retry_line(retry))

    def note_throttled(throttled: Throttled) -> None:
        counting.line.note_throttled(throttled)
        explain(throttled_line(throttled))

    hooks = Hooks(page=counting.note_page, retry=note_retry, throttle=note_throttled)

    async def work(interruption: Interruption) -> None:
        async with connected(connection, bucket, hooks) as (client, name), _redrawn(status):
            summary = await client.objects.summary(name, filters=settings.filters, exact=settings.exact)
        if settings.as_json:
            print_text(json_document({"bucket": name, **summary.to_dict()}) + "\n", interruption)
        elif settings.html is None:
            print_text(_bars(name, summary), interruption)
        if settings.html is not None:
            # It takes a moment to import, and most runs write no page.
            from mixpeek_async.cli._page import page

            Path(settings.html).write_text(page(name, summary, datetime.now(UTC)), "utf-8")
            if not settings.quiet:
                click.echo(f"the page is in {printable(settings.html)}", err=True)

    run(work, in_words_of(connection))


def _bars(bucket: str, summary: Summary) -> str:
    """The charts as text, coloured in a terminal."""
    from rich.console import Console
    from rich.text import Text

    to_terminal = is_terminal(sys.stdout)
    printed = io.StringIO()
    console = Console(
        file=printed,
        width=min(terminal_size().columns, _WIDEST) if to_terminal else _WIDTH_IN_A_PIPE,
        # Not rich's own answer: FORCE_COLOR, which many CI services set, would colour every pipe.
        force_terminal=to_terminal,
        legacy_windows=False,
        markup=False,
        emoji=False,
        highlight=False,
    )
    console.print(Text(f"{printable(bucket)}: {headline(summary)}", style="bold"))
    for chart in charts(summary):
        if chart.rows:
            console.print()
            console.print(Text.assemble((chart.title, "bold"), (f"  {chart.things}, {chart.note}", "dim")))
            console.print(_table(chart))
    text = printed.getvalue()
    return _encodable(text if to_terminal else re.sub(" +$", "", text, flags=re.MULTILINE))


def _table(chart: Chart) -> object:
    from rich.bar import Bar
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 1), expand=True)
    table.add_column(no_wrap=True, overflow="ellipsis", max_width=_WIDEST_LABEL)
    table.add_column(no_wrap=True, justify="right")
    table.add_column(no_wrap=True, justify="right")
    table.add_column(ratio=1)
    for row in chart.rows:
        label = Text(row.label, style="" if row.is_value else "italic")
        bar = Bar(chart.largest, 0, row.count, color="cyan")
        table.add_row(label, f"{row.count:,}", chart.share(row), bar)
    return table


def _encodable(text: str) -> str:
    """`text`, with other bars where the terminal has no blocks."""
    encoding = getattr(sys.stdout, "encoding", None) if is_terminal(sys.stdout) else "utf-8"
    try:
        "▏▎▍▌▋▊▉█".encode(encoding or "utf-8")
    except UnicodeEncodeError:
        return _BLOCKS.sub("#", text)
    return text
