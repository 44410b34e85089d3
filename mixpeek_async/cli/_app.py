"""The commands: what each is called, what it takes, and what of the library it calls.

A command imports what it needs when it runs: `--help` and completion do not wait for the library.
"""

from typing import TYPE_CHECKING, Any

import click

from mixpeek_async.cli._connection import Kind, check, check_container
from mixpeek_async.cli._formats import BUCKETS, COLLECTIONS, DOCUMENTS, OBJECTS, View
from mixpeek_async.cli._options import (
    Connection,
    HelpfulCommand,
    Naming,
    Output,
    Paging,
    Query,
    connection_options,
    json_option,
    keywords,
    max_items_option,
    naming_options,
    output_options,
    page_size_option,
    paging_options,
    partition_option,
    query_options,
    quiet_option,
    resume_option,
    select_option,
    verbose_option,
    where_option,
)

if TYPE_CHECKING:
    from mixpeek_async import AsyncMixpeek, Follow, Walk

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


def _print_listing(connection: Connection, output: Output, view: View, **listing: Any) -> None:
    """Print a listing: see `Listing` for the keywords."""
    check(connection)
    from mixpeek_async.cli._walk import Listing, print_listing

    print_listing(Listing(connection=connection, output=output, view=view, **listing))


def _given(connection: Connection, kind: Kind, name: str | None) -> dict[str, Any]:
    """The container of a listing, once it is known that there is one."""
    check_container(connection, kind, name)
    return {"kind": kind, "container": name or None}


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

    async def open_walk(client: "AsyncMixpeek", name: str) -> "Walk[Any]":
        return aiter(client.objects.list(name, **keywords(query), **keywords(paging)))

    container = _given(connection, "bucket", bucket)
    _print_listing(connection, output, OBJECTS, open_walk=open_walk, resumed=bool(paging.resume), **container)


@cli.command("follow", cls=HelpfulCommand, epilog=_KEY)
@click.argument("bucket", required=False)
@where_option
@select_option
@click.option("--new", is_flag=True, help="Begin with what is created from now on, not with the first object.")
@click.option("--every", type=float, default=30.0, show_default=True, help="Seconds between two polls.")
@click.option(
    "--overlap",
    type=float,
    default=300.0,
    show_default=True,
    help="Read the objects of the last so many seconds again: a server may show some of them late.",
)
@max_items_option
@page_size_option
@resume_option
@output_options
@connection_options
def follow(
    bucket: str | None,
    new: bool,
    every: float,
    overlap: float,
    output: Output,
    connection: Connection,
    **options: Any,
) -> None:
    """List every object of BUCKET, and then each one that is created, until Ctrl-C.

    Each is printed as soon as a poll finds it. After Ctrl-C it says how to go on: then the objects of the last
    --overlap seconds come again.
    """
    if new and options["resume"]:
        raise click.UsageError("--new and --resume are two places to begin at: give one of them")

    async def open_walk(client: "AsyncMixpeek", name: str) -> "Follow[Any]":
        pager = client.objects.list(name, **options)
        if new:
            options["resume"] = await pager.at_end()
            pager = client.objects.list(name, **options)
        return pager.follow(every, overlap=overlap)

    container = _given(connection, "bucket", bucket)
    resumed = bool(options["resume"])
    _print_listing(connection, output, OBJECTS, open_walk=open_walk, resumed=resumed, follows=True, **container)


@cli.command("count", cls=HelpfulCommand, epilog=_KEY)
@click.argument("bucket", required=False)
@where_option
@connection_options
def count(bucket: str | None, filters: Any, connection: Connection) -> None:
    """Print the number of objects in BUCKET, or of those for which --where is true.

    The server counts, in one request.
    """
    check_container(connection, "bucket", bucket)
    check(connection)
    from mixpeek_async.cli._get import print_count

    print_count(connection, bucket or None, filters)


@cli.command("summary", cls=HelpfulCommand, epilog=_KEY)
@click.argument("bucket", required=False)
@where_option
@click.option("--exact", is_flag=True, help="Count by listing every object, not by asking the server.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@click.option("--html", type=click.Path(), metavar="FILE", help="Write the figures as a page with charts into FILE.")
@quiet_option
@verbose_option
@connection_options
def summary(bucket: str | None, connection: Connection, **settings: Any) -> None:
    """Show BUCKET in numbers: how many objects, and their status, types, sizes and dates.

    The server counts, in six requests. What it cannot count is counted by listing every object.
    """
    check_container(connection, "bucket", bucket)
    check(connection)
    from mixpeek_async.cli._summary import Settings, summarize

    summarize(connection, bucket or None, Settings(**settings))


@cli.command("buckets", cls=HelpfulCommand, epilog=_KEY)
@naming_options
@paging_options
@output_options
@connection_options
def list_buckets(naming: Naming, paging: Paging, output: Output, connection: Connection) -> None:
    """List the buckets of the namespace."""

    async def open_walk(client: "AsyncMixpeek", _: str) -> "Walk[Any]":
        return aiter(client.buckets.list(**keywords(naming), **keywords(paging)))

    _print_listing(connection, output, BUCKETS, open_walk=open_walk, resumed=bool(paging.resume))


@cli.command("collections", cls=HelpfulCommand, epilog=_KEY)
@naming_options
@paging_options
@output_options
@connection_options
def list_collections(naming: Naming, paging: Paging, output: Output, connection: Connection) -> None:
    """List the collections of the namespace."""

    async def open_walk(client: "AsyncMixpeek", _: str) -> "Walk[Any]":
        return aiter(client.collections.list(**keywords(naming), **keywords(paging)))

    _print_listing(connection, output, COLLECTIONS, open_walk=open_walk, resumed=bool(paging.resume))


@cli.command("documents", cls=HelpfulCommand, epilog=_KEY)
@click.argument("collection", required=False)
@query_options
@partition_option
@paging_options
@output_options
@connection_options
def list_documents(
    collection: str | None,
    query: Query,
    partition: tuple[int, int] | None,
    paging: Paging,
    output: Output,
    connection: Connection,
) -> None:
    """List every document of COLLECTION (its id or its name)."""

    async def open_walk(client: "AsyncMixpeek", name: str) -> "Walk[Any]":
        return aiter(client.documents.list(name, partition=partition, **keywords(query), **keywords(paging)))

    container = _given(connection, "collection", collection)
    _print_listing(connection, output, DOCUMENTS, open_walk=open_walk, resumed=bool(paging.resume), **container)


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
