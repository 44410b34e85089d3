"""The options that commands share, in groups: a command takes a group, and gets its values as one argument.

Ranges are the library's to check. The defaults stand here too, for `--help` to show; a test holds the two together.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, Literal

import click

_Command = Callable[..., Any]


@dataclass(frozen=True, kw_only=True)
class Listing:
    """What is asked of the list: the fields are keywords of `objects.list`, by the same names."""

    page_size: int
    max_items: int | None
    offset: int
    include_total: bool


@dataclass(frozen=True, kw_only=True)
class Output:
    """What is shown: objects on stdout, progress on stderr."""

    format: Literal["auto", "table", "jsonl"]
    quiet: bool


@dataclass(frozen=True, kw_only=True)
class Connection:
    """Who is asked. `emulator_…` are None when not given, so that giving one without `--emulator` can be told."""

    namespace: str | None
    base_url: str | None
    timeout: float
    allow_insecure: bool
    emulator: bool
    emulator_objects: int | None
    emulator_pagination: str | None


def _group(argument: str, kind: type[Any], *options: Callable[[_Command], _Command]) -> Callable[[_Command], _Command]:
    """A decorator: the command gets `options`, and their values as a `kind` in its one `argument`."""
    names = [field.name for field in fields(kind)]

    def decorate(command: _Command) -> _Command:
        @functools.wraps(command)
        def call(**values: Any) -> Any:
            own = kind(**{name: values.pop(name) for name in names})
            return command(**values, **{argument: own})

        decorated: _Command = call
        # Backwards, since decorators apply from the last to the first, and help should show the order written here.
        for option in reversed(options):
            decorated = option(decorated)
        return decorated

    return decorate


listing_options = _group(
    "listing",
    Listing,
    click.option("--page-size", type=int, default=1000, show_default=True, help="Objects per request, 1 to 1000."),
    click.option("--max-items", type=int, help="Stop after so many objects.  [default: all]"),
    click.option(
        "--offset", type=int, default=0, show_default=True, help="Objects to leave out at the start, 0 to 10000."
    ),
    click.option("--include-total", is_flag=True, help="Have the server count the bucket, for the progress to show."),
)

output_options = _group(
    "output",
    Output,
    click.option(
        "--format",
        type=click.Choice(["auto", "table", "jsonl"]),
        default="auto",
        show_default=True,
        help="auto is a table in a terminal and JSON lines in a pipe. A table in a pipe has a line for every object.",
    ),
    click.option("--quiet", is_flag=True, help="No progress and no summary: on stderr come errors alone."),
)

connection_options = _group(
    "connection",
    Connection,
    click.option("--namespace", help="The namespace of the bucket.  [default: MIXPEEK_NAMESPACE]"),
    click.option("--base-url", help="The address of the API.  [default: MIXPEEK_BASE_URL, else the public API]"),
    click.option("--timeout", type=float, default=60.0, show_default=True, help="Seconds for one attempt."),
    click.option("--allow-insecure", is_flag=True, help="Send the key over http:// too, for anybody to read."),
    click.option("--emulator", is_flag=True, help="List a sample bucket on an emulator within this process."),
    click.option("--emulator-objects", type=click.IntRange(min=0), help="Objects in that bucket.  [default: 5000]"),
    click.option(
        "--emulator-pagination",
        type=click.Choice(["cursor", "has_more", "page"]),
        help="The shape of its pages.  [default: cursor]",
    ),
)
