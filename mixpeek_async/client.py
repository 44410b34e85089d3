"""The client: who asks, where, how patiently, and over which session."""

from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

import aiohttp

from mixpeek_async._clock import Clock, SystemClock
from mixpeek_async._config import read_config
from mixpeek_async._pacing import Pacer
from mixpeek_async._retry import RetryPolicy
from mixpeek_async._session import Session
from mixpeek_async._telemetry import Hooks, Telemetry
from mixpeek_async._transport import Transport
from mixpeek_async.buckets import Buckets
from mixpeek_async.errors import InvalidArgumentError
from mixpeek_async.objects import Objects

if TYPE_CHECKING:
    import cattrs

__all__ = ["AsyncMixpeek"]

DEFAULT_TIMEOUT = 60.0
DEFAULT_MAX_BODY_BYTES = 64 * 1024 * 1024


class AsyncMixpeek:
    """A client of one namespace, in one event loop.

    * `api_key`, `namespace`, `base_url`: what is left out comes from `MIXPEEK_API_KEY`, `MIXPEEK_NAMESPACE` and
      `MIXPEEK_BASE_URL`, the address then from the public API. The address must be https, unless it is this machine
      or `allow_insecure=True`.
    * `session`: an `aiohttp.ClientSession` of your own, for proxies, TLS or limits of connections; it is left open.
    * `timeout`: seconds for one attempt, from the connection to the last byte of the body.
    * `retry`: how often and how long to try again; `RetryPolicy(attempts=1)` never does.
    * `max_body_bytes`: a decoded answer over this raises ResponseTooLargeError.
    * `requests_per_minute`: a limit of your own, for all walks of the client together. What the server says of its
      limit is kept to in any case.
    * `hooks`: functions to call with every request, response, retry and page.
    * `trace_configs`: aiohttp's own tracing, for the client's own session. What traces see holds the key, and what they
      raise fails the request.
    * `converter`: a cattrs converter with hooks of your own, for `objects.list(…, model=YourClass)`; without one,
      `mixpeek_async.converter`, of which `.copy()` is a good start.
    * `clock`: where time comes from, for tests that must not wait.

    InvalidArgumentError when something is missing or can never work; its text never shows a key.
    """

    # Slots, so that vars() has nothing to show.
    __slots__ = ("_base_url", "_namespace", "_transport", "buckets", "objects")

    buckets: Buckets
    """What can be done with the buckets of the namespace."""

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
        requests_per_minute: int | None = None,
        hooks: Hooks | None = None,
        trace_configs: Sequence[aiohttp.TraceConfig] = (),
        converter: "cattrs.BaseConverter | None" = None,
        clock: Clock | None = None,
    ) -> None:
        # Before anything else: "false" is true to Python, and would send the key unencrypted.
        insecure = allow_insecure is True
        config = read_config(api_key, namespace, base_url, allow_insecure=insecure)
        # Before anything is raised: a traceback with locals has nothing to show, wherever the key was put.
        del api_key, namespace, base_url
        if not isinstance(allow_insecure, bool):
            raise InvalidArgumentError(f"allow_insecure must be True or False, not {allow_insecure!r:.100}")
        if isinstance(config, InvalidArgumentError):
            raise config
        _check_kind(session, aiohttp.ClientSession, "session")
        _check_kind(retry, RetryPolicy, "retry")
        _check_kind(hooks, Hooks, "hooks")
        _check_trace_configs(trace_configs)
        if converter is not None and not hasattr(converter, "get_structure_hook"):
            raise InvalidArgumentError(f"converter must be a cattrs.Converter, not {type(converter).__name__}")
        clock = SystemClock() if clock is None else clock
        self._namespace, self._base_url = config.namespace, config.base_url
        self._transport = Transport(
            Session(
                config,
                session=session,
                max_body_bytes=_whole(max_body_bytes, "max_body_bytes"),
                clock=clock,
                trace_configs=trace_configs,
            ),
            timeout=_positive(timeout, "timeout"),
            policy=RetryPolicy() if retry is None else retry,
            clock=clock,
            pacer=Pacer(
                clock, None if requests_per_minute is None else _whole(requests_per_minute, "requests_per_minute")
            ),
            telemetry=Telemetry(hooks, clock),
        )
        self.buckets = Buckets(self._transport)
        self.objects = Objects(self._transport, converter)

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


def _check_kind(value: object, kind: type, name: str) -> None:
    if value is not None and not isinstance(value, kind):
        raise InvalidArgumentError(f"{name} must be of the class {kind.__name__}, not {type(value).__name__}")


def _check_trace_configs(value: object) -> None:
    configs = value if isinstance(value, Sequence) else [value]
    if not all(isinstance(config, aiohttp.TraceConfig) for config in configs):
        raise InvalidArgumentError("trace_configs must be a list of aiohttp.TraceConfig")


def _whole(value: object, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InvalidArgumentError(f"{name} must be a whole number of at least 1, not {value!r:.100}")
    return value


def _positive(value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
        raise InvalidArgumentError(f"{name} must be a number over 0, not {value!r:.100}")
    return value
