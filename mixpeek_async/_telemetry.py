"""What a client tells of its work: to the log `mixpeek_async`, and to hooks of the caller's own.

Neither sees the key or a body, and neither can stop a walk: what they raise is logged once, and let be.
"""

import logging
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import attrs

from mixpeek_async._checks import is_plain_function
from mixpeek_async._clock import Clock
from mixpeek_async._text import printable
from mixpeek_async._wire import Request, Response
from mixpeek_async.errors import InvalidArgumentError, MixpeekError, StatusError

_log: Final = logging.getLogger("mixpeek_async")
_CURSOR: Final = re.compile(r"(?<=[?&]cursor=)[^&]*")


@attrs.frozen(kw_only=True)
class RequestSent:
    """A request is about to go out. `attempt` counts from 1 for each page; `url` has `…` for a cursor's value."""

    method: str
    url: str
    attempt: int


@attrs.frozen(kw_only=True)
class ResponseReceived:
    """An answer was read whole, whatever its status: `size` bytes after `seconds`, decoded but not judged yet.

    `request_id` is what the server calls the exchange, escaped and cut, if it says so.
    """

    method: str
    url: str
    attempt: int
    status: int
    seconds: float
    size: int
    request_id: str | None


@attrs.frozen(kw_only=True)
class RetryScheduled:
    """Attempt number `attempt` ended in `error`, and the next one begins in `wait` seconds."""

    method: str
    url: str
    attempt: int
    error: MixpeekError
    wait: float


@attrs.frozen(kw_only=True)
class PageReceived:
    """A page has come, after whatever number of attempts: `rows` of the `limit` that were asked for.

    `path` is that of the listing; `offset` is None for a page that was asked for by cursor.
    """

    path: str
    offset: int | None
    limit: int
    rows: int


def _plain_callable(_: Any, attribute: "attrs.Attribute[Any]", value: Any) -> None:
    if value is None or is_plain_function(value):
        return
    if callable(value):
        raise InvalidArgumentError(f"{attribute.name} must be a plain function: let it start a task, if it has to wait")
    raise InvalidArgumentError(f"{attribute.name} must be a function or None, not {value!r:.100}")


@attrs.frozen(kw_only=True, field_transformer=lambda _, fields: [f.evolve(validator=_plain_callable) for f in fields])
class Hooks:
    """Functions to call with what happens, each with one event, in the event loop: they must not block.

    A request is followed by its response, unless none came whole or it was cancelled; a failure that is tried again
    by a retry, any other by the error that the walk raises. What a hook raises is logged, the first time, as an error.
    """

    request: Callable[[RequestSent], object] | None = None
    response: Callable[[ResponseReceived], object] | None = None
    retry: Callable[[RetryScheduled], object] | None = None
    page: Callable[[PageReceived], object] | None = None


class Telemetry:
    """Tells the log and the hooks of one client."""

    __slots__ = ("_broken", "_clock", "_hooks")

    def __init__(self, hooks: Hooks | None, clock: Clock) -> None:
        self._hooks = hooks or Hooks()
        self._clock = clock
        self._broken: set[str] = set()

    def begin(self, base_url: str, request: Request, attempt: int) -> "Exchange":
        """Tell that a request goes out; what comes of it is told to the exchange."""
        if self._hooks.request is None and self._hooks.response is None and not _log.isEnabledFor(logging.DEBUG):
            return _UNWATCHED
        exchange = _Watched(self, request.method, _shown_url(base_url, request), attempt, self._clock)
        self._tell("request", RequestSent(method=exchange.method, url=exchange.url, attempt=attempt))
        return exchange

    def retry(self, base_url: str, request: Request, attempt: int, error: MixpeekError, wait: float) -> None:
        """Tell that a failure is followed by another attempt."""
        url = _shown_url(base_url, request)
        what = _name_of(error)
        self.log(logging.INFO, "%s %s: attempt %d: %s; again in %.2f s", request.method, url, attempt, what, wait)
        self._tell("retry", RetryScheduled(method=request.method, url=url, attempt=attempt, error=error, wait=wait))

    def page(self, path: str, offset: int | None, limit: int, rows: int) -> None:
        """Tell that a page has come."""
        if self._hooks.page is not None:
            self._tell("page", PageReceived(path=path, offset=offset, limit=limit, rows=rows))

    def response(self, event: ResponseReceived) -> None:
        """Tell that an answer has come."""
        self._tell("response", event)

    def log(self, level: int, line: str, *facts: object) -> None:
        """A line for the log, whose handlers are the caller's too."""
        self._call_safely("log handler", _log.log, level, line, *facts)

    def _tell(self, name: str, event: object) -> None:
        hook = getattr(self._hooks, name)
        if hook is not None:
            self._call_safely(f"hook '{name}'", hook, event)

    def _call_safely(self, name: str, call: Callable[..., object], *arguments: object) -> None:
        try:
            call(*arguments)
        except Exception as error:
            if name not in self._broken:
                self._broken.add(name)
                # A handler that raises may do so again.
                with suppress(Exception):
                    _log.error(
                        "the %s raised an exception; the walk goes on, and this is said once", name, exc_info=error
                    )


class Exchange:
    """A request and what comes of it, when nobody watches."""

    __slots__ = ()

    def answered(self, response: Response) -> None:
        """An answer has come whole."""

    def failed(self, error: MixpeekError) -> None:
        """No whole answer has come, unless `answered` was told before."""


class _Watched(Exchange):
    """A request that somebody watches."""

    __slots__ = ("_attempt", "_begun", "_clock", "_ended", "_telemetry", "method", "url")

    def __init__(self, telemetry: Telemetry, method: str, url: str, attempt: int, clock: Clock) -> None:
        self.method = method
        self.url = url
        self._telemetry = telemetry
        self._attempt = attempt
        self._clock = clock
        self._begun = clock.monotonic()
        self._ended = False

    def answered(self, response: Response) -> None:
        event = ResponseReceived(
            method=self.method,
            url=self.url,
            attempt=self._attempt,
            status=response.status,
            seconds=self._clock.monotonic() - self._begun,
            size=len(response.body),
            request_id=None if response.request_id is None else printable(response.request_id, 200),
        )
        self._end(f"{event.status}, {event.size} bytes, request {event.request_id or 'without an id'}", event.seconds)
        self._telemetry.response(event)

    def failed(self, error: MixpeekError) -> None:
        if not self._ended:
            self._end(_name_of(error), self._clock.monotonic() - self._begun)

    def _end(self, outcome: str, seconds: float) -> None:
        self._ended = True
        self._telemetry.log(
            logging.DEBUG, "%s %s: attempt %d: %s, %.3f s", self.method, self.url, self._attempt, outcome, seconds
        )


_UNWATCHED: Final = Exchange()


def _shown_url(base_url: str, request: Request) -> str:
    # A cursor is the server's own: it may be a kilobyte, and hold anything.
    return base_url + _CURSOR.sub("…", request.target)


def _name_of(error: MixpeekError) -> str:
    """What went wrong without the server's own words, which may be those of a body."""
    return f"{type(error).__name__} {error.status}" if isinstance(error, StatusError) else type(error).__name__
