"""The emulator: its settings, and its data for tests to change."""

import time
from collections.abc import Callable, Mapping
from os import PathLike
from typing import Any

from mixpeek_async.emulator._api import Api
from mixpeek_async.emulator._calls import RecordedRequest
from mixpeek_async.emulator._checks import int_between, is_loopback, one_of, seconds, text
from mixpeek_async.emulator._faults import Fault
from mixpeek_async.emulator._pagination import SHAPES
from mixpeek_async.emulator._presenting import Style
from mixpeek_async.emulator._rate_limit import RateLimit
from mixpeek_async.emulator._records import Records
from mixpeek_async.emulator._server import Server
from mixpeek_async.emulator._service import Service
from mixpeek_async.emulator._store import JsonObject, Store

_DEFAULT_KEY = "sk_emulator"


def _fault(value: Fault) -> Fault:
    if not isinstance(value, Fault):
        raise ValueError(f"a fault must be one such as Fault.http(500), not {value!r}")
    return value


class Emulator:
    """A local Mixpeek with one key, one namespace and, at first, one bucket and one collection.

    * `objects`: the number of sample objects in `bucket` at the start. A `database` file is filled once only.
    * `pagination`: the published shape of the answers: "has_more", "page" or "cursor".
    * `latency`: seconds before each answer. Answers to several requests are held side by side.
    * `requests_per_minute`: the limit for each window of 60 seconds. `clock` gives Unix seconds.
    * `max_limit`: larger values of `limit` are reduced to this one in silence, as servers do.
    * `max_sorted`: a sorted list of documents takes no more of them into account, and says so in `warnings`.
    * `body_paging`: lists of buckets and collections read their paging from the body only, as old servers do. They know
      no cursors then.
    * `drop_nulls`: answers leave out keys that are null. `naive_dates`: their dates have no zone. Captured live answers
      are like that.
    * `faults`: maps the number of a request, counted from 1, to what happens to it.
    * `host`: a loopback address, unless you give an `api_key` of your own. `port`: 0 takes a free port.

    A setting out of range is a ValueError. The data can be read and changed at any time and from any thread, also
    during a walk. `requests` lists the requests that arrived.
    """

    def __init__(
        self,
        *,
        objects: int = 0,
        pagination: str = "cursor",
        database: str | PathLike[str] = ":memory:",
        api_key: str = _DEFAULT_KEY,
        namespace: str = "emulator",
        bucket: str = "bkt_emulator",
        collection: str = "col_emulator",
        latency: float = 0.0,
        requests_per_minute: int | None = None,
        max_limit: int = 1000,
        max_sorted: int = 10_000,
        body_paging: bool = False,
        drop_nulls: bool = False,
        naive_dates: bool = False,
        faults: Mapping[int, Fault] | None = None,
        clock: Callable[[], float] = time.time,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.api_key: str = text("api_key", api_key)
        self.namespace: str = text("namespace", namespace)
        self.bucket: str = text("bucket", bucket)
        self.collection: str = text("collection", collection)
        if api_key == _DEFAULT_KEY and not is_loopback(host):
            raise ValueError(f"host must be a loopback address, not {host!r}: other machines know the default api_key")
        int_between("objects", objects, 0)
        limit = None if requests_per_minute is None else int_between("requests_per_minute", requests_per_minute, 1)
        rate_limit = RateLimit(limit, clock)
        shape = SHAPES[one_of("pagination", pagination, SHAPES)]
        int_between("max_limit", max_limit, 1, 1000)
        int_between("max_sorted", max_sorted, 1)
        int_between("port", port, 0, 65535)
        seconds("latency", latency)
        scripted = {int_between("a key of faults", n, 1): _fault(fault) for n, fault in (faults or {}).items()}
        self._store = Store(database, clock)
        service = Service(self._store, shape, max_limit, namespace, body_paging, max_sorted, clock)
        api = Api(service, rate_limit, Style(drop_nulls, naive_dates), api_key)
        self._server = Server(api.answer, host=host, port=port, latency=latency, faults=scripted, clock=clock)
        self._objects = Records(self._store, "bucket", bucket)
        self.documents: Records = Records(self._store, "collection", collection)
        if self._store.create("bucket", bucket, {}):
            self.seed(objects)
        self.create_collection(collection)

    def __repr__(self) -> str:
        state = f"at {self.url}" if self._server.is_running else "that does not run"
        return f"<Emulator {state}, bucket {self.bucket!r}>"

    @property
    def requests(self) -> list[RecordedRequest]:
        """The requests that arrived, whatever their answers were. You may clear the list."""
        return self._server.requests

    @property
    def url(self) -> str:
        """The base URL, `http://127.0.0.1:…`. RuntimeError before `start()` and after `aclose()`."""
        return self._server.url

    async def start(self) -> None:
        """Start the server. RuntimeError if it runs already or was closed, OSError if the port is in use."""
        if not self._store.close.alive:
            raise RuntimeError("the emulator was closed and its data deleted: make a new one")
        await self._server.start()

    async def aclose(self) -> None:
        """Stop the server, end running requests, and close the data. A second call does nothing."""
        await self._server.aclose()
        self._store.close()

    async def __aenter__(self) -> "Emulator":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def create_bucket(self, bucket: str, **fields: Any) -> None:
        """Create an empty bucket, with `fields` in its record. An existing bucket is not changed.

        Requests find it by its id and by its `bucket_name`, which is the id unless given.
        """
        self._store.create("bucket", text("bucket", bucket), fields)

    def create_collection(self, collection: str, *, bucket: str | None = None, **fields: Any) -> None:
        """Create an empty collection of `bucket`, with `fields` in its record. An existing one is not changed.

        Its sample documents are of the sample objects of `bucket`, one of each. Requests find it by its id and by its
        `collection_name`, which is the id unless given.
        """
        source = self.bucket if bucket is None else bucket
        self._store.create("collection", text("collection", collection), fields, source)

    def seed(self, count: int, bucket: str | None = None) -> list[str]:
        """Add `count` sample objects, the same every time, and return their ids in creation order.

        The event loop waits meanwhile if this is called in its thread: 100,000 objects take about a second. See
        `aseed`.
        """
        return self._objects.seed(count, bucket)

    async def aseed(self, count: int, bucket: str | None = None) -> list[str]:
        """Do the same as `seed` in slices of 1,000 objects, and let the event loop run after each of them."""
        return await self._objects.aseed(count, bucket)

    def insert(self, obj: Mapping[str, Any] | None = None, *, bucket: str | None = None, **fields: Any) -> JsonObject:
        """Add one object at the end and return it as stored.

        `obj` is completed by ids where it has none; without `obj` a sample object is made. `fields` override both.
        ValueError for an object_id that exists or is no text. TypeError or ValueError for what is not JSON.
        """
        return self._objects.insert(obj, container=bucket, **fields)

    def delete(self, object_id: str, bucket: str | None = None) -> None:
        """Delete one object."""
        self._objects.delete(object_id, bucket)

    def update(self, object_id: str, bucket: str | None = None, **fields: Any) -> JsonObject:
        """Set `fields` of one object, and nothing else (not even `updated_at`), and return it as stored."""
        return self._objects.update(object_id, bucket, **fields)

    def get(self, object_id: str, bucket: str | None = None) -> JsonObject:
        """A copy of one object."""
        return self._objects.get(object_id, bucket)

    def object_ids(self, bucket: str | None = None) -> list[str]:
        """The object ids of a bucket in creation order, which is the order of the list."""
        return self._objects.ids(bucket)

    def script(self, n: int, fault: Fault) -> None:
        """Apply `fault` to the `n`-th request from now on; 1 is the next one."""
        self._server.script(int_between("n", n, 1), _fault(fault))
