"""The options that commands share, in groups: a command takes a group, and gets its values as one argument.

The library checks ranges. The defaults are repeated here for `--help` to show; a test compares the two.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import click

from mixpeek_async.cli._formats import FORMATS

if TYPE_CHECKING:
    from mixpeek_async import Filter

_Command = Callable[..., Any]

# Names that people try, being those of the API or of other tools, and what they are called here.
_OTHER_NAMES = {
    "--limit": "--page-size is the number of objects per request, --max-items that of all objects",
    "--cursor": "--resume goes on where an earlier run ended",
    "--filter": "write --where",
    "--filters": "write --where",
    "--api-key": "the key is read from MIXPEEK_API_KEY in the environment, and from nowhere else",
}


class HelpfulCommand(click.Command):
    """A command that says what an option is called here, where the user tries another name for it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Called by click."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            hint = _OTHER_NAMES.get(error.option_name)
            if hint is None:
                raise
            raise click.UsageError(f"No such option {error.option_name!r}: {hint}.", ctx) from None


def _filter(ctx: click.Context, param: click.Parameter, value: str | None) -> "Filter | None":
    """The filter that an expression describes."""
    if value is None:
        return None
    # Imported here, like all that `--help` does without.
    from mixpeek_async.cli._where import WhereError, parse_where

    try:
        return parse_where(value)
    except WhereError as error:
        raise click.BadParameter(f"{error}.", ctx, param) from None


def _partition(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[int, int] | None:
    """The index and the count in a text such as `0/4`."""
    if value is None:
        return None
    index, slash, count = value.partition("/")
    if not slash or not (index.isdecimal() and count.isdecimal()):
        raise click.BadParameter(f"{value!a} is not INDEX/COUNT, such as 0/4.", ctx, param)
    return int(index), int(count)


def _names(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[str, ...] | None:
    """Names with commas between them."""
    if value is None:
        return None
    names = tuple(name.strip() for name in value.split(","))
    if not all(names):
        raise click.BadParameter(f"{value!a} has an empty name.", ctx, param)
    return names


@dataclass(frozen=True, kw_only=True)
class Query:
    """Which objects, and what of them: the fields are keywords of `objects.list`."""

    filters: "Filter | None"
    sort: str | None
    search: str | None
    select: tuple[str, ...] | None
    return_presigned_urls: bool


@dataclass(frozen=True, kw_only=True)
class Naming:
    """Which buckets or collections: the fields are keywords of `buckets.list` and `collections.list`."""

    sort: str | None
    search: str | None


@dataclass(frozen=True, kw_only=True)
class Paging:
    """How the list is read: the fields are keywords of every `list`."""

    max_items: int | None
    page_size: int
    offset: int
    include_total: bool
    concurrency: int
    resume: str | None


@dataclass(frozen=True, kw_only=True)
class Output:
    """What is printed, and where."""

    format: str
    fields: tuple[str, ...] | None
    file: str | None
    live: bool
    quiet: bool
    verbose: bool


@dataclass(frozen=True, kw_only=True)
class Connection:
    """Which server to ask. `emulator_…` are None if not given, so that giving them without `--emulator` is noticed."""

    namespace: str | None
    base_url: str | None
    timeout: float
    allow_insecure: bool
    emulator: bool
    emulator_objects: int | None
    emulator_pagination: str | None


def keywords(group: Any) -> dict[str, Any]:
    """The values of a group by their names, for a call of the library."""
    # Not asdict: it would copy the filter.
    return {field.name: getattr(group, field.name) for field in fields(group)}


def group(argument: str, kind: type[Any], *options: Callable[[_Command], _Command]) -> Callable[[_Command], _Command]:
    """A decorator: the command gets `options`, and their values as a `kind` in its one `argument`."""
    names = [field.name for field in fields(kind)]

    def decorate(command: _Command) -> _Command:
        @functools.wraps(command)
        def call(**values: Any) -> Any:
            own = kind(**{name: values.pop(name) for name in names})
            return command(**values, **{argument: own})

        decorated: _Command = call
        # Backwards: decorators apply from the last to the first, and help shall show the order written here.
        for option in reversed(options):
            decorated = option(decorated)
        return decorated

    return decorate


where_option = click.option(
    "--where",
    "filters",
    callback=_filter,
    metavar="EXPRESSION",
    help="Only those for which this is true, such as 'metadata.year >= 2024 and status in (\"FAILED\")'.",
)
select_option = click.option(
    "--select", callback=_names, metavar="FIELD,FIELD", help="Have the server send these fields only."
)
presigned_urls_option = click.option(
    "--presigned-urls",
    "return_presigned_urls",
    is_flag=True,
    help="With URLs that open the data to everyone, for an hour.",
)
partition_option = click.option(
    "--partition",
    callback=_partition,
    metavar="INDEX/COUNT",
    help="Only this one of COUNT disjoint parts, from 0/COUNT: several processes can list one part each.",
)

query_options = group(
    "query",
    Query,
    where_option,
    click.option(
        "--sort", metavar="FIELD", help="Order by this field; -FIELD is the reverse.  [default: oldest first]"
    ),
    click.option("--search", metavar="TEXT", help="Only those in which the server finds this text."),
    select_option,
    presigned_urls_option,
)

naming_options = group(
    "naming",
    Naming,
    click.option("--sort", metavar="FIELD", help="Order by this field; -FIELD is the reverse."),
    click.option("--search", metavar="TEXT", help="Only those in which the server finds this text."),
)

max_items_option = click.option("-n", "--max-items", type=int, help="Stop after this many.  [default: all]")
page_size_option = click.option(
    "--page-size", type=int, default=1000, show_default=True, help="How many per request, 1 to 1000."
)
include_total_option = click.option(
    "--include-total", is_flag=True, help="Have the server count all of them, for the progress."
)
concurrency_option = click.option(
    "--concurrency",
    type=int,
    default=1,
    show_default=True,
    help="Pages to request at once, 1 to 100, where the server pages by offset.",
)

resume_option = click.option(
    "--resume",
    metavar="CHECKPOINT",
    help="Go on where an earlier run ended; that run has printed CHECKPOINT. With -o, append to the file.",
)

paging_options = group(
    "paging",
    Paging,
    max_items_option,
    page_size_option,
    click.option("--offset", type=int, default=0, show_default=True, help="How many to skip at the start, 0 to 10000."),
    include_total_option,
    concurrency_option,
    resume_option,
)

json_option = click.option(
    "--json",
    "fields",
    callback=_names,
    metavar="FIELD,FIELD",
    help="Print these fields only, dots for nested ones, as JSON or in the --format given.",
)

quiet_option = click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors on stderr.")
verbose_option = click.option("-v", "--verbose", is_flag=True, help="Print on stderr why it waits, or tries again.")

output_options = group(
    "output",
    Output,
    click.option(
        "--format",
        type=click.Choice(["auto", *FORMATS]),
        default="auto",
        show_default=True,
        help="auto is a table in a terminal, what the name of the file says with -o, and jsonl elsewhere.",
    ),
    json_option,
    click.option("-o", "--output", "file", type=click.Path(), metavar="FILE", help="Write to FILE, not to stdout."),
    click.option("--live", is_flag=True, help="Show the latest rows and the progress in place, in a terminal."),
    quiet_option,
    verbose_option,
)

connection_options = group(
    "connection",
    Connection,
    click.option("--namespace", help="The id or the name of the namespace.  [default: MIXPEEK_NAMESPACE]"),
    click.option("--base-url", help="The address of the API.  [default: MIXPEEK_BASE_URL, else the public API]"),
    click.option("--timeout", type=float, default=60.0, show_default=True, help="Seconds for one attempt."),
    click.option("--allow-insecure", is_flag=True, help="Send the key over http:// too, where everyone can read it."),
    click.option("--emulator", is_flag=True, help="Use made-up data, from an emulator inside this process."),
    click.option("--emulator-objects", type=click.IntRange(min=0), help="How many of these it has.  [default: 5000]"),
    click.option(
        "--emulator-pagination",
        type=click.Choice(["cursor", "has_more", "page"]),
        help="The shape of its pages.  [default: cursor]",
    ),
)
