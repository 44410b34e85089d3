"""The emulator: its settings, its data for tests to change, and its HTTP server."""

import asyncio
import math
import time
from collections.abc import Callable, Mapping
from email.utils import formatdate
from os import PathLike
from typing import Any

from aiohttp import web

from mixpeek_async.emulator._api import Api
from mixpeek_async.emulator._calls import RecordedRequest, read_call
from mixpeek_async.emulator._faults import Fault
from mixpeek_async.emulator._pagination import SHAPES
from mixpeek_async.emulator._rate_limit import RateLimit
from mixpeek_async.emulator._seed import plausible_object
from mixpeek_async.emulator._sending import drop, send
from mixpeek_async.emulator._store import JsonObject, Store

# Seconds that aclose() waits for running requests. aiohttp takes 0 for "for ever".
_GRACE = 0.01


def _whole(name: str, value: int, low: int, high: float = math.inf) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        bounds = f"of at least {low}" if high == math.inf else f"from {low} to {high}"
        raise ValueError(f"{name} must be a whole number {bounds}, not {value!r}")
    return value


def _seconds(name: str, value: float) -> float:
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(f"{name} must be a number of seconds, 0 or more, not {value!r}")
    return value


def _text(name: str, value: str) -> str:
    if not value:
        raise ValueError(f"{name} must not be empty")
    return value


def _one_of(name: str, value: str, known: Mapping[str, Any]) -> str:
    if value not in known:
        raise ValueError(f"{name} must be one of {', '.join(known)}, not {value!r}")
    return value


def _fault(value: Fault) -> Fault:
    if not isinstance(value, Fault):
        raise ValueError(f"a fault must be one such as Fault.http(500), not {value!r}")
    return value


class Emulator:
    """A local Mixpeek with one key, one namespace and, at first, one bucket.

    * `objects`: the number of sample objects in `bucket` at the start. A `database` file is filled once only.
    * `pagination`: the published shape of the answers: "has_more", "page" or "cursor".
    * `delay`: seconds before each answer.
    * `requests_per_minute`: the limit for each window of 60 seconds. `clock` gives Unix seconds.
    * `max_limit`: larger values of `limit` are reduced to this one in silence, as servers do.
    * `faults`: maps the number of a request, counted from 1, to what happens to it.
    * `port`: 0 takes a free port.

    A setting out of range is a ValueError. The data can be read and changed at any time, also during a walk.
    `requests` lists the requests that arrived.
    """

    def __init__(
        self,
        *,
        objects: int = 0,
        pagination: str = "cursor",
        database: str | PathLike[str] = ":memory:",
        api_key: str = "sk_emulator",
        namespace: str = "emulator",
        bucket: str = "bkt_emulator",
        delay: float = 0.0,
        requests_per_minute: int | None = None,
        max_limit: int = 1000,
        faults: Mapping[int, Fault] | None = None,
        clock: Callable[[], float] = time.time,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.api_key: str = _text("api_key", api_key)
        self.namespace: str = _text("namespace", namespace)
        self.bucket: str = _text("bucket", bucket)
        self.requests: list[RecordedRequest] = []
        self._delay = _seconds("delay", delay)
        self._address = (host, _whole("port", port, 0, 65535))
        self._arrived = 0
        self._faults = {_whole("a key of faults", n, 1): _fault(fault) for n, fault in (faults or {}).items()}
        self._runner: web.ServerRunner | None = None
        limit = None if requests_per_minute is None else _whole("requests_per_minute", requests_per_minute, 1)
        shape = SHAPES[_one_of("pagination", pagination, SHAPES)]
        _whole("max_limit", max_limit, 1, 1000)
        _whole("objects", objects, 0)
        self._store = Store(database)
        self._clock = clock
        self._api = Api(self._store, RateLimit(limit, clock), shape, max_limit, namespace, api_key)
        if self._store.create_bucket(bucket, {}):
            self.seed(objects)

    @property
    def url(self) -> str:
        """The base URL, `http://127.0.0.1:…`. RuntimeError before `start()` and after `aclose()`."""
        if self._runner is None:
            raise RuntimeError("the emulator is not running: use 'async with Emulator()' or await start()")
        host, port = self._runner.addresses[0][:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    async def start(self) -> None:
        """Start the server. RuntimeError if it runs already or was closed, OSError if the port is in use."""
        if self._runner is not None:
            raise RuntimeError("the emulator is running already")
        if not self._store.close.alive:
            raise RuntimeError("the emulator was closed and its data deleted: make a new one")
        runner = web.ServerRunner(web.Server(self._handle, access_log=None), shutdown_timeout=_GRACE)
        await runner.setup()
        await web.TCPSite(runner, *self._address).start()
        self._runner = runner

    async def aclose(self) -> None:
        """Stop the server, end running requests, and close the data. A second call does nothing."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()
            # The handlers are cancelled by now, and need one turn of the loop to end.
            await asyncio.sleep(0)
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
        self._store.create_bucket(_text("bucket", bucket), fields)

    def seed(self, count: int, bucket: str | None = None) -> list[str]:
        """Add `count` sample objects, the same every time, and return their ids in creation order."""
        name = self._name(bucket)
        numbers = self._store.take_numbers(name, _whole("count", count, 0))
        return self._store.add(name, (plausible_object(name, number) for number in numbers))

    def insert(self, obj: Mapping[str, Any] | None = None, *, bucket: str | None = None, **fields: Any) -> JsonObject:
        """Add one object at the end and return it as stored.

        `obj` is completed by ids where it has none; without `obj` a sample object is made. `fields` override both.
        ValueError for an object_id that exists or is no text. TypeError or ValueError for what is not JSON.
        """
        name = self._name(bucket)
        plausible = plausible_object(name, *self._store.take_numbers(name, 1))
        ids = {key: plausible[key] for key in ("object_id", "bucket_id")}
        made = {**(plausible if obj is None else {**ids, **obj}), **fields}
        self._store.add(name, [made])
        return made

    def delete(self, object_id: str, bucket: str | None = None) -> None:
        """Delete one object."""
        self._store.delete(self._name(bucket), object_id)

    def update(self, object_id: str, bucket: str | None = None, **fields: Any) -> JsonObject:
        """Set `fields` of one object, and nothing else (not even `updated_at`), and return it as stored."""
        name = self._name(bucket)
        changed = {**self._store.get(name, object_id), **fields}
        self._store.replace(name, object_id, changed)
        return changed

    def get(self, object_id: str, bucket: str | None = None) -> JsonObject:
        """A copy of one object."""
        return self._store.get(self._name(bucket), object_id)

    def object_ids(self, bucket: str | None = None) -> list[str]:
        """The object ids of a bucket in creation order, which is the order of the list."""
        return self._store.object_ids(self._name(bucket))

    def script(self, n: int, fault: Fault) -> None:
        """Apply `fault` to the `n`-th request from now on; 1 is the next one."""
        self._faults[self._arrived + _whole("n", n, 1)] = _fault(fault)

    def _name(self, bucket: str | None) -> str:
        return self.bucket if bucket is None else bucket

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        call = await read_call(request)
        self.requests.append(call.record)
        self._arrived += 1
        request_id = f"req_{self._arrived:012}"
        fault = self._faults.pop(self._arrived, Fault())
        await asyncio.sleep(fault.delay + self._delay)
        # After aclose() there is no data left to answer from.
        if fault.disconnect or self._runner is None:
            return drop(request)
        answer = fault.replacement() or self._api.answer(call)
        # The clock of the rate limit: clients compare the two.
        date = formatdate(self._clock(), usegmt=True)
        return await send(
            request,
            answer.with_headers({"X-Request-ID": request_id, "Date": date}).with_headers(fault.headers),
            fault.truncate,
        )
