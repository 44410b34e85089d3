"""One object, or their number, printed: the commands `get` and `count`."""

from collections.abc import Sequence

from mixpeek_async import Filter
from mixpeek_async.cli._connection import connected, in_words_of
from mixpeek_async.cli._formats import OBJECTS, only_fields
from mixpeek_async.cli._interrupt import Interruption
from mixpeek_async.cli._options import Connection
from mixpeek_async.cli._output import print_text
from mixpeek_async.cli._run import run
from mixpeek_async.cli._text import json_document


def print_object(
    connection: Connection, bucket: str, object_id: str, fields: Sequence[str] | None, *, presigned_urls: bool
) -> None:
    """Print one object as JSON for people; with `fields` those only."""

    async def fetch_and_print(interruption: Interruption) -> None:
        async with connected(connection, bucket) as (client, name):
            obj = await client.objects.get(name, object_id, return_presigned_urls=presigned_urls)
        shown = obj.to_dict()
        if fields:
            view = only_fields(OBJECTS, fields)
            shown = dict(zip(view.names, view.values(obj), strict=True))
        print_text(json_document(shown) + "\n", interruption)

    run(fetch_and_print, in_words_of(connection))


def print_count(connection: Connection, bucket: str | None, filters: Filter | None) -> None:
    """Print the number of objects."""

    async def count_and_print(interruption: Interruption) -> None:
        async with connected(connection, bucket) as (client, name):
            number = await client.objects.count(name, filters=filters)
        print_text(f"{number}\n", interruption)

    run(count_and_print, in_words_of(connection))
