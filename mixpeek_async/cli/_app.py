"""The commands: what each is called, what it takes, and which pager of the library it walks."""

import click

from mixpeek_async.cli._options import (
    Connection,
    Listing,
    Output,
    connection_options,
    listing_options,
    output_options,
)
from mixpeek_async.cli._run import walk

_EPILOG = (
    "The API key is read from MIXPEEK_API_KEY and from nowhere else: on a command line it would land in the shell's "
    "history, and in the list of processes for every user of the machine to read."
)


@click.group(epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="mixpeek-async", message="%(prog)s %(version)s")
def cli() -> None:
    """Look into Mixpeek from a terminal or a pipe."""


@cli.command("list", epilog=_EPILOG)
@click.argument("bucket", required=False)
@listing_options
@output_options
@connection_options
def list_objects(bucket: str | None, listing: Listing, output: Output, connection: Connection) -> None:
    """List every object of BUCKET (its id or its name), oldest first.

    In a terminal this is a live table of the latest objects. In a pipe it is one JSON object a line, as the server
    sent it. With --emulator nothing is needed, neither key nor network nor BUCKET.
    """
    # An unset shell variable leaves an empty argument, which is no bucket either.
    walk(connection, bucket or None, output, lambda client, name: client.objects.list(name, **vars(listing)))
