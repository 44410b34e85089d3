"""The client: who asks, where, how patiently, and over which session."""

from types import TracebackType, UnionType
from typing import Self

import aiohttp

from mixpeek_async._clock import Clock, SystemClock
from mixpeek_async._config import read_config
from mixpeek_async._retry import RetryPolicy
from mixpeek_async._transport import Transport
from mixpeek_async.errors import InvalidArgumentError
from mixpeek_async.objects import Objects

__all__ = ["AsyncMixpeek"]

DEFAULT_TIMEOUT = 60.0
DEFAULT_MAX_BODY_BYTES = 64 * 1024 * 1024


class AsyncMixpeek:
    """A client of one namespace.

    * `api_key`, `namespace`, `base_url`: what is left out comes from `MIXPEEK_API_KEY`, `MIXPEEK_NAMESPACE` and
      `MIXPEEK_BASE_URL`, the address then from the public API. The address must be https, unless it is this machine
      or `allow_insecure=True`.
    * `session`: an `aiohttp.ClientSession` of your own, for proxies, TLS or limits of connections; it is left open.
    * `timeout`: seconds for one attempt, from the connection to the last byte of the body.
    * `retry`: how often and how long to try again; `RetryPolicy(attempts=1)` never does.
    * `max_body_bytes`: a decoded answer over this raises ResponseTooLargeError.
    * `clock`: where time comes from, for tests that must not wait.

    InvalidArgumentError when something is missing or can never work; its text never shows a key.
    """

    # Slots, so that vars() has nothing to show.
    __slots__ = ("_base_url", "_namespace", "_transport", "objects")

    objects: Objects
    """What can be done with the objects of a bucket."""

    def __init__(
        self,
        api_key: str | None = None,
        *,
        namespace: str | None = None,
        base_url: str | None = None,
        session: aiohttp.ClientSession | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        retry: RetryPolicy | None = None,
        max_body_bytes: int = DEFAULT_MAX_BODY_BYTES,
        allow_insecure: bool = False,
        clock: Clock | None = None,
    ) -> None:
        config = read_config(api_key, namespace, base_url, allow_insecure=allow_insecure)
        # Before anything is raised: a traceback with locals has nothing to show, wherever the key was put.
        del api_key, namespace, base_url
        if isinstance(config, InvalidArgumentError):
            raise config
        _check_kind(session, aiohttp.ClientSession | None, "session", "an aiohttp.ClientSession")
        _check_kind(retry, RetryPolicy | None, "retry", "a RetryPolicy")
        self._namespace, self._base_url = config.namespace, config.base_url
        self._transport = Transport(
            config,
            session=session,
            timeout=_positive(timeout, "timeout"),
            policy=RetryPolicy() if retry is None else retry,
            max_body_bytes=int(_positive(max_body_bytes, "max_body_bytes")),
            clock=SystemClock() if clock is None else clock,
        )
        self.objects = Objects(self._transport)

    def __repr__(self) -> str:
        # Half built, as a traceback of __init__ shows it with its locals.
        if not hasattr(self, "objects"):
            return "<AsyncMixpeek>"
        closed = ", closed" if self.closed else ""
        return f"<AsyncMixpeek of namespace {self._namespace!r} at {self._base_url}{closed}>"

    @property
    def closed(self) -> bool:
        """Whether the client, or the session that it was given, is closed."""
        return self._transport.closed

    async def aclose(self) -> None:
        """Close the session, if it is our own. Walks under way end with ClientClosedError. May be called twice."""
        await self._transport.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()


def _check_kind(value: object, kind: UnionType, name: str, what: str) -> None:
    if not isinstance(value, kind):
        raise InvalidArgumentError(f"{name} must be {what}, not {type(value).__name__}")


def _positive(value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
        raise InvalidArgumentError(f"{name} must be a number over 0, not {value!r:.100}")
    return value
