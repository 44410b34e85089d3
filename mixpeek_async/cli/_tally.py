"""How far a walk has come, in words."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import click

from mixpeek_async import Pager


class Tally:
    """Within `with`, the progress of a walk as text; at its end one line on stderr, unless it is `quiet`.

    It is there before the pager is, so that an end that comes early can be told too.
    """

    def __init__(self, *, quiet: bool = False, now: Callable[[], float] = time.monotonic) -> None:
        self._quiet = quiet
        self._now = now
        self._started = now()
        self._pager: Pager[Any] | None = None

    def follow(self, pager: Pager[Any]) -> None:
        """Read from `pager` from now on."""
        self._pager = pager
        self._started = self._now()

    @property
    def _items(self) -> int:
        return self._pager.progress.items if self._pager else 0

    def __str__(self) -> str:
        if self._pager is None:
            return "objects 0"
        progress = self._pager.progress
        total = "" if progress.total is None else f" of {progress.total:,}"
        # A walk of no time at all has no rate worth showing, and must not divide by it.
        rate = progress.items / max(self._now() - self._started, 0.001)
        return (
            f"objects {progress.items:,}{total} | pages {progress.pages:,} | requests {progress.requests:,} | "
            f"retries {progress.retries:,} | waited {progress.waited:.1f} s | {rate:,.0f} objects/s"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        word = self._ending(error)
        if word and not self._quiet:
            click.echo(f"{word}: {self}", err=True)

    def _ending(self, error: BaseException | None) -> str | None:
        """What to call this end. None where a summary says nothing: nobody reads, or nothing has begun."""
        match error:
            case None:
                return "done"
            case BrokenPipeError():
                return None
            case Exception():
                return "stopped" if self._items else None
            case _:
                return "interrupted"
