"""How far a walk has come, as text for people, and the line of it on stderr."""

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TextIO

from mixpeek_async import MixpeekError, RetryScheduled, Throttled
from mixpeek_async import Progress as Counts
from mixpeek_async.cli._text import printable

if TYPE_CHECKING:
    from rich.live import Live

_LONGEST_REASON = 120


def reason(error: MixpeekError) -> str:
    """What failed, in a few words."""
    return printable(error.message[:_LONGEST_REASON])


def retry_line(retry: RetryScheduled) -> str:
    """Why there will be another attempt, and when, for `--verbose`."""
    return f"attempt {retry.attempt + 1} in {retry.wait:.1f} s, because: {reason(retry.error)}"


def throttled_line(throttled: Throttled) -> str:
    """That a request waits, for `--verbose`."""
    return f"waiting {throttled.seconds:.1f} s for the rate limit"


class Counted(Protocol):
    """A walk, a pager, or what else counts."""

    @property
    def progress(self) -> Counts:
        """The counts, as they are now."""
        ...


class Progress:
    """The counts of a walk over `things` (objects or buckets), its speed, and why it waits. `now` gives seconds.

    `follows`: the walk waits for new objects most of the time, so that it has no speed.
    """

    def __init__(self, things: str, now: Callable[[], float] = time.monotonic, *, follows: bool = False) -> None:
        self._things = things
        self._now = now
        self._follows = follows
        self._started = now()
        self._walk: Counted | None = None
        self._waits_for = ""
        self._waits_until = 0.0
        self._last_retry = ""

    def follow(self, walk: Counted) -> None:
        """Read the counts of `walk` from now on."""
        self._walk = walk
        self._started = self._now()

    def note_retry(self, retry: RetryScheduled) -> None:
        """Keep why the walk waits, and for how long."""
        self._last_retry = self._waits_for = reason(retry.error)
        self._waits_until = self._now() + retry.wait

    def note_throttled(self, throttled: Throttled) -> None:
        """Keep that the walk waits for the rate limit, and for how long."""
        self._waits_for = "the rate limit"
        self._waits_until = self._now() + throttled.seconds

    @property
    def items(self) -> int:
        """How many records the walk has given."""
        return self._walk.progress.items if self._walk else 0

    def __str__(self) -> str:
        """The state of a walk that goes on. It is short: a reason for waiting fits into 80 columns."""
        left = self._waits_until - self._now()
        if left <= 0:
            return f"{self._count()} | {'following' if self._follows else self._rate()}"
        return f"{self._count()} | waiting {left:.0f} s: {self._waits_for}"

    def summary(self) -> str:
        """The state of a walk that has ended."""
        if self._walk is None:
            return self._count()
        progress = self._walk.progress
        rate = "" if self._follows else f" | {self._rate()}"
        last = f" | last retry: {self._last_retry}" if self._last_retry else ""
        return (
            f"{self._count()} | pages {progress.pages:,} | requests {progress.requests:,} | "
            f"retries {progress.retries:,} | waited {progress.waited:.1f} s{rate}{last}"
        )

    def _count(self) -> str:
        total = self._walk.progress.total if self._walk else None
        return f"{self._things} {self.items:,}" + ("" if total is None else f" of {total:,}")

    def _rate(self) -> str:
        # A walk that has just begun has no speed worth showing, and must not divide by zero.
        return f"{self.items / max(self._now() - self._started, 0.001):,.0f} {self._things}/s"


class StatusLine:
    """A text that is drawn while a walk waits, and erased before anything else is printed.

    It is one line on stderr; with `stdout`, a table and a line on stdout.
    """

    def __init__(self, text: Callable[[], str], *, visible: bool, stdout: bool = False) -> None:
        self._text = text
        self._visible = visible
        self._stdout = stdout
        self._live: Live | None = None

    def draw(self) -> None:
        """Draw the line as it is now. Nothing if it is not visible."""
        if not self._visible:
            return
        if self._live is None:
            self._live = _live_text(self._text, sys.stdout if self._stdout else sys.stderr)
            self._live.start()
        self._live.refresh()

    def erase(self) -> None:
        """Leave the terminal as it was before the line."""
        live, self._live = self._live, None
        if live is not None:
            live.stop()


def _live_text(text: Callable[[], str], stream: TextIO) -> "Live":
    # rich takes a while to import, and most runs draw nothing.
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    return Live(
        console=Console(file=stream, markup=False, emoji=False, highlight=False),
        # Text, not str: rich would read [red] and :smile: in a str as its own.
        get_renderable=lambda: Text(text(), no_wrap=True, overflow="ellipsis"),
        # The event loop draws it, and no thread.
        auto_refresh=False,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
