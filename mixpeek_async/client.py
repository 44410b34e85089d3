"""The client: credentials, address, retries and session."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

import aiohttp

from mixpeek_async._checks import bool_, instance_of, int_between, number, optional
from mixpeek_async._clock import Clock, SystemClock
from mixpeek_async._config import Secret, read_config
from mixpeek_async._http_session import HttpSession
from mixpeek_async._paging import Digest, keyed_digest
from mixpeek_async._rate_limiter import RateLimiter
from mixpeek_async._retry import RetryPolicy
from mixpeek_async._telemetry import Hooks, Telemetry
from mixpeek_async._transport import Transport
from mixpeek_async.buckets import Buckets
from mixpeek_async.collections import Collections
from mixpeek_async.documents import Documents
from mixpeek_async.errors import InvalidArgumentError
from mixpeek_async.events import Events
from mixpeek_async.objects import Objects

if TYPE_CHECKING:
    import cattrs

__all__ = ["AsyncMixpeek"]

DEFAULT_TIMEOUT = 60.0
DEFAULT_MAX_BODY_BYTES = 64 * 1024 * 1024


class AsyncMixpeek:
    """A client of one namespace, in one event loop.

    * `api_key`, `namespace`, `base_url`: from `MIXPEEK_API_KEY`, `MIXPEEK_NAMESPACE` and `MIXPEEK_BASE_URL` when they
      are left out; without an address, the public API. It must be https, unless it is `localhost` or a loopback
      address, or `allow_insecure` is True.
    * `session`: an `aiohttp.ClientSession` of yours, for proxies, TLS or connection limits. It is left open.
    * `timeout`: seconds for one attempt, from the connection to the last byte of the body.
    * `retry`: how often and how long to try again; `RetryPolicy(attempts=1)` never does.
    * `max_body_bytes`: a larger decoded answer raises ResponseTooLargeError.
    * `requests_per_minute`: a limit of your own, for all walks of the client together. The limit that the server
      reports is kept in any case.
    * `hooks`: functions that are called with every request, response, retry and page.
    * `trace_configs`: aiohttp's own tracing, for the client's own session. Traces see the key, and an exception that
      one raises fails the request.
    * `converter`: a cattrs converter with hooks of your own, for `objects.list(…, model=YourClass)`; without one,
      `mixpeek_async.converter`, of which `.copy()` is a good start.
    * `checkpoint_key`: a secret of 16 to 64 bytes, as bytes or a string, that signs checkpoints: the client then takes
      only those that a client with this key gave. For a service that takes them from a browser.
    * `clock`: the source of time, for tests that must not wait.

    InvalidArgumentError when a setting is missing or can never work. Its text never shows the key.
    """

    # Slots, so that vars() has nothing to show.
    __slots__ = ("_base_url", "_namespace", "_transport", "buckets", "collections", "documents", "events", "objects")

    buckets: Buckets
    """Operations on the buckets of the namespace."""

    collections: Collections
    """Operations on the collections of the namespace."""

    documents: Documents
    """Operations on the documents of a collection."""

    events: Events
    """The changes in the namespace."""

    objects: Objects
    """Operations on the objects of a bucket."""

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
        checkpoint_key: bytes | str | None = None,
        clock: Clock | None = None,
    ) -> None:
        # Anything but True, such as the string "false", is not allowed to send the key unencrypted.
        config = read_config(api_key, namespace, base_url, allow_insecure=allow_insecure is True)
        clock = SystemClock() if clock is None else clock
        problem: InvalidArgumentError | None = None
        digest: Digest | None = None
        try:
            bool_(allow_insecure, "allow_insecure")
            if isinstance(config, InvalidArgumentError):
                raise config
            optional(instance_of(RetryPolicy))(retry, "retry")
            optional(instance_of(Hooks))(hooks, "hooks")
            optional(instance_of(aiohttp.ClientSession))(session, "session")
            _check_trace_configs(trace_configs)
            _check_converter(converter)
            digest = _checkpoint_digest(checkpoint_key, config.api_key)
            self._namespace, self._base_url = config.namespace, config.base_url
            self._transport = Transport(
                HttpSession(
                    config,
                    session=session,
                    max_body_bytes=int_between(1)(max_body_bytes, "max_body_bytes"),
                    clock=clock,
                    trace_configs=trace_configs,
                ),
                timeout=_checked_timeout(timeout),
                policy=retry or RetryPolicy(),
                clock=clock,
                rate_limiter=RateLimiter(clock, optional(int_between(1))(requests_per_minute, "requests_per_minute")),
                telemetry=Telemetry(hooks, config.base_url),
            )
        except InvalidArgumentError as error:
            problem = error.with_traceback(None)
        if problem is not None:
            # Tracebacks may show variables, and the key may have been passed as any argument, by mistake.
            del api_key, namespace, base_url, session, timeout, retry, max_body_bytes, allow_insecure
            del requests_per_minute, hooks, trace_configs, converter, checkpoint_key, clock
            raise problem
        self.buckets = Buckets(self._transport, digest)
        self.collections = Collections(self._transport, digest)
        self.documents = Documents(self._transport, digest)
        self.events = Events(self._transport, digest)
        self.objects = Objects(self._transport, converter, digest)

    def __repr__(self) -> str:
        # A traceback of __init__ may show a client that is half built.
        if not hasattr(self, "objects"):
            return "<AsyncMixpeek>"
        closed = ", closed" if self.closed else ""
        return f"<AsyncMixpeek of namespace {self._namespace!r} at {self._base_url}{closed}>"

    @property
    def closed(self) -> bool:
        """Whether the client, or the session that was passed to it, is closed."""
        return self._transport.closed

    async def aclose(self) -> None:
        """Close the client's own session. Running walks end with ClientClosedError. May be called twice."""
        await self._transport.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


def _check_trace_configs(value: object) -> None:
    configs = value if isinstance(value, Sequence) else [value]
    if not all(isinstance(config, aiohttp.TraceConfig) for config in configs):
        raise InvalidArgumentError("trace_configs must be a list of aiohttp.TraceConfig")


def _check_converter(value: object) -> None:
    if value is not None and not hasattr(value, "get_structure_hook"):
        raise InvalidArgumentError(f"converter must be a cattrs.Converter, not {type(value).__name__}")


def _checkpoint_digest(key: object, api_key: Secret) -> Digest | None:
    if key is None:
        return None
    secret = key.encode("utf-8", "surrogatepass") if isinstance(key, str) else key
    # BLAKE2 takes no key over 64 bytes; one under 16 could be found by trying.
    if not isinstance(secret, bytes) or not 16 <= len(secret) <= 64:
        raise InvalidArgumentError(
            "checkpoint_key must be bytes or a string of 16 to 64 bytes: one is secrets.token_hex(32)"
        )
    if secret == api_key.reveal().encode():
        raise InvalidArgumentError("checkpoint_key must be a secret of its own, and not the API key")
    return keyed_digest(secret)


def _checked_timeout(value: object) -> float:
    if isinstance(value, aiohttp.ClientTimeout):
        total = value.total or DEFAULT_TIMEOUT
        raise InvalidArgumentError(f"timeout must be a number over 0, in seconds: pass timeout={total:g}, its total")
    return number()(value, "timeout")
