"""The commands: what each is called, what it takes, and what of the library it calls."""

from typing import Any

import click

from mixpeek_async.cli._connection import check, check_bucket
from mixpeek_async.cli._formats import BUCKETS, OBJECTS
from mixpeek_async.cli._options import (
    Connection,
    HelpfulCommand,
    Output,
    Paging,
    Query,
    connection_options,
    json_option,
    keywords,
    output_options,
    paging_options,
    query_options,
)
from mixpeek_async.cli._walk import Listing, print_listing

# The other commands import their modules when they run, so that `--help` does not wait for them.

_KEY = (
    "The API key is read from MIXPEEK_API_KEY and from nowhere else: on a command line it would get into the history "
    "of the shell, and into the list of processes, which every user of the machine can read."
)
_EXIT_CODES = (
    "Exit codes: 0 done; 1 failed; 2 the command line can never work; 5 failed for now, run it again; 130 Ctrl-C; "
    "141 the reader of the pipe is gone; 143 terminated."
)


@click.group(epilog=_EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="mixpeek-async", message="%(prog)s %(version)s")
def cli() -> None:
    """Look into Mixpeek from a terminal or a script."""


@cli.command("list", cls=HelpfulCommand, epilog=_KEY)
@click.argument("bucket", required=False)
@query_options
@paging_options
@output_options
@connection_options
def list_objects(bucket: str | None, query: Query, paging: Paging, output: Output, connection: Connection) -> None:
    """List every object of BUCKET (its id or its name), oldest first.

    In a terminal this is a table. In a pipe it is one JSON object per line, as the server sent it. With --emulator
    nothing is needed, neither key nor network nor BUCKET.
    """
    check_bucket(connection, bucket)
    check(connection)
    print_listing(
        Listing(
            connection=connection,
            output=output,
            view=OBJECTS,
            bucket=bucket or None,
            resumed=paging.resume is not None,
            open_pager=lambda client, name: client.objects.list(name, **keywords(query), **keywords(paging)),
        )
    )


@cli.command("buckets", cls=HelpfulCommand, epilog=_KEY)
@click.option("--sort", metavar="FIELD", help="In the order of this field; -FIELD is the reverse.")
@click.option("--search", metavar="TEXT", help="Only buckets in which the server finds this text.")
@paging_options
@output_options
@connection_options
def list_buckets(sort: str | None, search: str | None, paging: Paging, output: Output, connection: Connection) -> None:
    """List the buckets of the namespace."""
    check(connection)
    print_listing(
        Listing(
            connection=connection,
            output=output,
            view=BUCKETS,
            resumed=paging.resume is not None,
            open_pager=lambda client, _: client.buckets.list(sort=sort, search=search, **keywords(paging)),
        )
    )


@cli.command("get", cls=HelpfulCommand, epilog=_KEY)
@click.argument("bucket")
@click.argument("object_id")
@json_option
@click.option("--presigned-urls", is_flag=True, help="With URLs that open the data to everyone, for an hour.")
@connection_options
def get_object(
    bucket: str, object_id: str, fields: tuple[str, ...] | None, presigned_urls: bool, connection: Connection
) -> None:
    """Print one object of BUCKET as JSON."""
    check(connection)
    from mixpeek_async.cli._get import print_object

    print_object(connection, bucket, object_id, fields, presigned_urls=presigned_urls)


@cli.command("doctor", cls=HelpfulCommand, epilog=_KEY)
@click.argument("bucket", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@connection_options
def doctor(bucket: str | None, as_json: bool, connection: Connection) -> None:
    """Find out why it does not work, and say what to do.

    Looks at the settings, then sends one request: for a page of BUCKET, or for the list of buckets. The exit code is
    0 if nothing is wrong. The key is never printed.
    """
    from mixpeek_async.cli._doctor import examine

    examine(connection, bucket or None, as_json=as_json)


@cli.command("emulator", cls=HelpfulCommand)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0 takes a free one.")
@click.option("--objects", type=click.IntRange(min=0), default=5000, show_default=True, help="How many to make up.")
@click.option(
    "--shape",
    type=click.Choice(["cursor", "has_more", "page"]),
    default="cursor",
    show_default=True,
    help="Which of the published shapes its pages have.",
)
@click.option("--latency", type=float, default=0.0, show_default=True, help="Seconds to wait before each answer.")
@click.option("--rate-limit", type=click.IntRange(min=1), help="Requests allowed per minute.  [default: any number]")
@click.option("--db", type=click.Path(), metavar="FILE", help="Keep the data in this SQLite file.  [default: memory]")
def emulator(**settings: Any) -> None:
    """Run a local Mixpeek with made-up data, until Ctrl-C.

    Prints the three variables to export, so that programs in other terminals find it. It listens on this machine
    only, unless --host says otherwise.
    """
    from mixpeek_async.cli._emulator import Settings, serve

    serve(Settings(**settings))
