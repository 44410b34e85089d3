"""The verbs of `client.objects`."""

from mixpeek_async._source import EndpointSource, open_checkpoint
from mixpeek_async._transport import Transport
from mixpeek_async._wire import list_objects
from mixpeek_async.models import Object
from mixpeek_async.pager import Pager
from mixpeek_async.query import MAX_PAGE_SIZE, InvalidPolicy, ListOptions

__all__ = ["Objects"]


class Objects:
    """The objects of a bucket."""

    __slots__ = ("_transport",)

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(
        self,
        bucket: str,
        *,
        page_size: int = MAX_PAGE_SIZE,
        max_items: int | None = None,
        offset: int = 0,
        include_total: bool = False,
        resume: str | None = None,
        on_invalid: InvalidPolicy = "raise",
    ) -> Pager[Object]:
        """Walk the objects of `bucket` (its id or its name), oldest first. Sends nothing yet.

        * `page_size`: rows per request, 1 to 1000. Requests are what a rate limit counts, so that the most is best.
        * `max_items`: stop after exactly so many objects; no page and no row beyond them is asked for.
        * `offset`: rows to leave out at the start, 0 to 10,000.
        * `include_total`: have the server count the bucket once, into `pager.progress.total`; costs it 50-200 ms.
        * `resume`: a `checkpoint` of an earlier walk over the same listing, to go on with the very next object.
        * `on_invalid`: what to do with a record that cannot be structured: `"raise"` its InvalidObjectError (the walk
          can go on behind it), `"skip"` it, or call something with the error, and skip it.

        InvalidArgumentError for a value that can never work, CheckpointError for a checkpoint that does not fit. What a
        walk can raise is in `mixpeek_async.errors`.

        Every object that exists for the whole walk is yielded exactly once, whatever is created or deleted meanwhile.
        Where that ends: a server that clamps limits to one row a page leaves no row to check the place by.
        """
        options = ListOptions(
            page_size=page_size, max_items=max_items, offset=offset, include_total=include_total, on_invalid=on_invalid
        )
        source = EndpointSource(self._transport, list_objects(bucket), Object, "object_id")
        return Pager(source, options, open_checkpoint(resume, source.scope, options))
