"""The verb of `client.events`."""

from typing import Unpack

from mixpeek_async._paging import Digest
from mixpeek_async._source import CursorListKwargs, EndpointSource, new_pager
from mixpeek_async._transport import Transport
from mixpeek_async._wire import list_events
from mixpeek_async.models import Event
from mixpeek_async.pager import Pager

__all__ = ["Events"]


class Events:
    """The changes in the client's namespace: what was created, updated and deleted in the last 90 days."""

    __slots__ = ("_digest", "_transport")

    def __init__(self, transport: Transport, digest: Digest | None = None) -> None:
        self._transport = transport
        self._digest = digest

    def list(self, event_type: str | None = None, **options: Unpack[CursorListKwargs]) -> Pager[Event]:
        """Walk the events, oldest first. Sends nothing yet.

        * `event_type`: only those of this type, such as `"object.created"`.
        * `page_size`, `max_items`, `resume`, `on_invalid`, `prefetch`: as for `client.objects.list`.

        Events never change, so that a `checkpoint` leads to what has happened since, however often it is taken: it
        holds the cursor of the last event. CheckpointError for one behind which events have expired.
        """
        source = EndpointSource(self._transport, list_events(event_type), Event, "cursor", digest=self._digest)
        return new_pager(source, {**options}, CursorListKwargs)
