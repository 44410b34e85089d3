"""What a client reports about its work: to the log `mixpeek_async`, and to hooks of the caller.

Neither gets the key or a body, and neither can stop a walk: an exception that one raises is logged once.
"""

import logging
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import attrs

from mixpeek_async._checks import is_plain_function
from mixpeek_async._text import printable
from mixpeek_async._wire import Request
from mixpeek_async.errors import InvalidArgumentError, MixpeekError, StatusError

_log: Final = logging.getLogger("mixpeek_async")
_CURSOR: Final = re.compile(r"(?<=[?&]cursor=)[^&]*")


@attrs.frozen(kw_only=True)
class RequestSent:
    """A request is about to be sent. `attempt` counts from 1 for each page; `url` has `…` for the value of a cursor."""

    method: str
    url: str
    attempt: int


@attrs.frozen(kw_only=True)
class ResponseReceived:
    """An answer was read completely, whatever its status: `size` decoded bytes, after `seconds`.

    `request_id` is the server's own id of the exchange, escaped and cut; None if the server sent none.
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
    """Attempt number `attempt` failed with `error`; the next one begins in `wait` seconds."""

    method: str
    url: str
    attempt: int
    error: MixpeekError
    wait: float


@attrs.frozen(kw_only=True)
class Throttled:
    """A request has to wait for a rate limit, for `seconds` or more: other requests may be waiting in front of it."""

    seconds: float


@attrs.frozen(kw_only=True)
class PageReceived:
    """A page has arrived, after any number of attempts: `rows` of the `limit` that were asked for.

    `path` is the path of the list endpoint; `offset` is None for a page that was asked for by cursor.
    """

    path: str
    offset: int | None
    limit: int
    rows: int


def _plain_function(_: Any, attribute: "attrs.Attribute[Any]", value: Any) -> None:
    if value is None or is_plain_function(value):
        return
    if callable(value):
        raise InvalidArgumentError(f"{attribute.name} must be a plain function: start a task in it if it has to wait")
    raise InvalidArgumentError(f"{attribute.name} must be a function or None, not {type(value).__name__}")


@attrs.frozen(kw_only=True, field_transformer=lambda _, fields: [f.evolve(validator=_plain_function) for f in fields])
class Hooks:
    """Functions that are called with one event each. They run in the event loop, so that they must not block.

    A `request` is followed by its `response`, unless the answer did not arrive completely or the request was cancelled.
    A failure is followed by a `retry`, or by the error that the walk raises. An exception that a hook raises is logged
    as an error, the first time.
    """

    request: Callable[[RequestSent], object] | None = None
    response: Callable[[ResponseReceived], object] | None = None
    retry: Callable[[RetryScheduled], object] | None = None
    throttle: Callable[[Throttled], object] | None = None
    page: Callable[[PageReceived], object] | None = None


class Telemetry:
    """Writes the log and calls the hooks of one client. The methods are named after the hooks."""

    __slots__ = ("_base_url", "_broken", "_hooks")

    def __init__(self, hooks: Hooks | None, base_url: str) -> None:
        self._hooks = hooks or Hooks()
        self._base_url = base_url
        self._broken: set[str] = set()

    def request(self, request: Request, attempt: int) -> RequestSent:
        """A request is about to be sent. Pass the event that this returns to the other methods."""
        # A cursor is the server's: it may be a kilobyte long, and contain anything.
        url = self._base_url + _CURSOR.sub("…", request.target)
        sent = RequestSent(method=request.method, url=url, attempt=attempt)
        self._call("request", sent)
        return sent

    def response(self, sent: RequestSent, status: int, seconds: float, size: int, request_id: str | None) -> None:
        """An answer was read completely."""
        request_id = None if request_id is None else printable(request_id, 200)
        self._log_end(sent, seconds, "%d, %d bytes, request %s", status, size, request_id or "without an id")
        if self._hooks.response is not None:
            facts = attrs.asdict(sent)
            self._call(
                "response", ResponseReceived(**facts, status=status, seconds=seconds, size=size, request_id=request_id)
            )

    def no_response(self, sent: RequestSent, seconds: float, error: MixpeekError) -> None:
        """No complete answer arrived."""
        self._log_end(sent, seconds, "%s", _name_of(error))

    def retry(self, sent: RequestSent, error: MixpeekError, wait: float) -> None:
        """A failure will be followed by another attempt."""
        line = "%s %s: attempt %d: %s; again in %.2f s"
        self.log(logging.INFO, line, sent.method, sent.url, sent.attempt, _name_of(error), wait)
        self._call("retry", RetryScheduled(**attrs.asdict(sent), error=error, wait=wait))

    def throttle(self, seconds: float) -> None:
        """A request has to wait for a rate limit."""
        self.log(logging.INFO, "waiting for the rate limit")
        self._call("throttle", Throttled(seconds=seconds))

    def page(self, path: str, offset: int | None, limit: int, rows: int) -> None:
        """A page has arrived."""
        self._call("page", PageReceived(path=path, offset=offset, limit=limit, rows=rows))

    def log(self, level: int, line: str, *facts: object) -> None:
        """Write a line to the log."""
        if _log.isEnabledFor(level):
            # The handlers are the caller's, too.
            self._call_safely("log handler", _log.log, level, line, *facts)

    def _log_end(self, sent: RequestSent, seconds: float, outcome: str, *facts: object) -> None:
        line = f"%s %s: attempt %d: {outcome}, %.3f s"
        self.log(logging.DEBUG, line, sent.method, sent.url, sent.attempt, *facts, seconds)

    def _call(self, name: str, event: object) -> None:
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
                    _log.error("the %s raised an exception; ignored (logged once)", name, exc_info=error)


def _name_of(error: MixpeekError) -> str:
    """What failed, without the server's text, which may quote a body."""
    return f"{type(error).__name__} {error.status}" if isinstance(error, StatusError) else type(error).__name__
