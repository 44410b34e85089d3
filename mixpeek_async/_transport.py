"""Request to answer: the only room that sends anything, and the loop that sends it again.

Nothing of aiohttp leaves it. aiohttp's exceptions print the Authorization header in their repr and keep frames
that hold it; each is turned into one of ours outside of the `except` block, so that none is chained.
"""

import asyncio
import functools
import importlib.metadata
import platform
import random
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final, TypeVar

import aiohttp
import yarl

from mixpeek_async._clock import Clock
from mixpeek_async._config import Config
from mixpeek_async._retry import Attempts, RetryPolicy, RetryQuota
from mixpeek_async._text import printable
from mixpeek_async._wire import Request, Response, status_error
from mixpeek_async.errors import (
    CertificateError,
    ClientClosedError,
    ConnectionFailedError,
    InvalidArgumentError,
    MixpeekError,
    RequestTimeoutError,
    ResponseTooLargeError,
    TransportError,
)
from mixpeek_async.models import Progress

__all__ = ["Transport", "user_agent"]

R = TypeVar("R")

_MAX_ERROR_BODY = 64 * 1024
# What aiohttp raises when it writes to, or waits on, a connection that the server has closed.
_CLOSED_EARLY = aiohttp.ServerDisconnectedError | aiohttp.ClientConnectionResetError | aiohttp.ClientOSError
_UNTRUSTED = aiohttp.ClientConnectorCertificateError | ssl.SSLCertVerificationError | aiohttp.ServerFingerprintMismatch
_NO_TIMEOUT: Final = aiohttp.ClientTimeout(total=None)


@functools.cache
def user_agent() -> str:
    """`mixpeek-async/0.1.0 aiohttp/3.14.5 Python/3.13.0`; read from disk once."""
    try:
        ours = importlib.metadata.version("mixpeek-async")
    except importlib.metadata.PackageNotFoundError:  # copied into another program
        ours = "unknown"
    return f"mixpeek-async/{ours} aiohttp/{aiohttp.__version__} Python/{platform.python_version()}"


class Transport:
    """Sends requests over one session, under one retry policy, with one quota for all callers."""

    # Slots, so that vars() has nothing to show.
    __slots__ = (
        "_base_url",
        "_clock",
        "_closed",
        "_headers",
        "_max_body_bytes",
        "_owns_session",
        "_policy",
        "_quota",
        "_scopes",
        "_session",
        "_timeout",
    )

    def __init__(
        self,
        config: Config,
        *,
        session: aiohttp.ClientSession | None,
        timeout: float,
        policy: RetryPolicy,
        max_body_bytes: int,
        clock: Clock,
    ) -> None:
        if session is not None and session.auth is not None:
            raise InvalidArgumentError("the session has auth=… set, which would replace the API key: build it without")
        self._base_url = config.base_url
        self._headers = {
            "Authorization": config.authorization,
            "X-Namespace": config.namespace,
            "User-Agent": user_agent(),
            "Accept": "application/json",
        }
        self._session = session
        self._owns_session = session is None
        self._timeout = timeout
        self._policy = policy
        self._quota = RetryQuota()
        self._max_body_bytes = max_body_bytes
        self._clock = clock
        self._closed = False
        self._scopes: set[asyncio.Timeout] = set()

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("a client holds connections and a key, and is never pickled: build one where it is used")

    @property
    def namespace(self) -> str:
        """The namespace that all requests are about."""
        return self._headers["X-Namespace"]

    @property
    def closed(self) -> bool:
        """Whether nothing can be sent any more."""
        return self._closed or (self._session is not None and self._session.closed)

    async def aclose(self) -> None:
        """End what is under way, and close our own session; leave the caller's open."""
        self._closed = True
        for scope in self._scopes:
            if not scope.expired():
                scope.reschedule(0)
        if self._owns_session and self._session is not None:
            await self._session.close()

    async def call(self, request: Request, parse: Callable[[Response], R], progress: Progress) -> R:
        """What `parse` makes of the answer, asking again for as long as the policy allows.

        Raises the last failure. Counts requests, retries and seconds waited into `progress`.
        """
        deadline = self._clock.monotonic() + self._policy.budget
        attempts = Attempts()
        while True:
            progress.requests += 1
            outcome = await self._attempt(request, parse, deadline - self._clock.monotonic())
            if not isinstance(outcome, MixpeekError):
                self._quota.give_back(attempts.paid)
                return outcome
            wait = self._wait_after(outcome, attempts, deadline)
            if wait is None:
                raise outcome
            progress.retries += 1
            progress.waited += wait
            await self._pause(wait)

    async def _pause(self, seconds: float) -> None:
        """Wait. A client that is closed meanwhile cuts it short; the next attempt meets that."""
        if seconds:
            with suppress(TimeoutError):
                async with self._scope(None):
                    await self._clock.sleep(seconds)

    @asynccontextmanager
    async def _scope(self, seconds: float | None) -> AsyncIterator[None]:
        """What is done inside ends with TimeoutError after `seconds`, and as soon as the client is closed."""
        async with asyncio.timeout(seconds) as scope:
            self._scopes.add(scope)
            try:
                yield
            finally:
                self._scopes.remove(scope)

    def _wait_after(self, failure: MixpeekError, attempts: Attempts, deadline: float) -> float | None:
        """Seconds until the next attempt, or None when this failure is the last."""
        wait = self._free_resend(failure, attempts)
        if wait is None:
            attempts.count(failure)
            wait = self._policy.wait(failure, attempts, deadline - self._clock.monotonic(), random.random)
        # A wait that the server ordered is no sign of a dead server, and costs no tokens.
        if wait is None or failure.retry_after is not None:
            return wait
        if not self._quota.take():
            return None
        attempts.paid += 1
        return wait

    def _free_resend(self, failure: MixpeekError, attempts: Attempts) -> float | None:
        """No wait at all, once, for a connection that was dead before it was used: a keep-alive that ran out."""
        stale = isinstance(failure, ConnectionFailedError) and failure.before_answer
        if not stale or attempts.resent or self._policy.attempts <= 1:
            return None
        attempts.resent = True
        return 0.0

    async def _attempt(self, request: Request, parse: Callable[[Response], R], time_left: float) -> R | MixpeekError:
        """One request and its answer, or what went wrong, as a value."""
        try:
            async with self._scope(min(self._timeout, time_left)):
                response = await self._exchange(request)
            return self._accept(response, parse)
        except MixpeekError as error:
            return error
        # All of them: a session, its connector and its traces may be the caller's own, and raise what they like.
        except Exception as error:
            return self._failure(error)

    def _accept(self, response: Response, parse: Callable[[Response], R]) -> R | MixpeekError:
        if 200 <= response.status < 300:
            return parse(response)
        return status_error(response)

    async def _exchange(self, request: Request) -> Response:
        """Send, and read the answer whole."""
        headers = {**self._headers, "Content-Type": "application/json"} if request.body else self._headers
        async with self._open_session().request(
            request.method,
            yarl.URL(self._base_url + request.target, encoded=True),
            data=request.body,
            headers=headers,
            # aiohttp would call no body at all an octet-stream.
            skip_auto_headers=("Content-Type",),
            timeout=_NO_TIMEOUT,
            allow_redirects=False,
            raise_for_status=False,
            auto_decompress=True,
        ) as answer:
            return Response(
                status=answer.status,
                headers={name.lower(): value for name, value in answer.headers.items()},
                body=await self._read(answer),
                received_at=self._clock.time(),
            )

    async def _read(self, answer: aiohttp.ClientResponse) -> bytes:
        """The decoded body. It is measured while it is read: a small gzip can hold any number of bytes."""
        if not 200 <= answer.status < 300:
            # The status has decided: what is wrong with the body of a refusal does not matter.
            with suppress(aiohttp.ClientError, OSError):
                return await _read_at_most(answer.content, _MAX_ERROR_BODY)
            return b""
        body = await _read_at_most(answer.content, self._max_body_bytes + 1)
        if len(body) > self._max_body_bytes:
            raise ResponseTooLargeError(
                f"the answer passes {self._max_body_bytes} bytes: ask for a smaller page_size, or raise max_body_bytes"
            )
        return body

    def _open_session(self) -> aiohttp.ClientSession:
        if self.closed:
            raise _closed_error()
        # Made at the first request: a session belongs to the running event loop, a client can be built without one.
        if self._session is None:
            self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        return self._session

    def _failure(self, error: Exception) -> MixpeekError:
        """What an exception from below means, without the exception."""
        if self.closed:
            return _closed_error()
        if isinstance(error, _UNTRUSTED):
            return CertificateError(f"the server's certificate is not to be trusted: {_explain(error)}")
        if isinstance(error, TimeoutError):
            return RequestTimeoutError(f"no whole answer within the time-out of {self._timeout:g} s for one attempt")
        if isinstance(error, aiohttp.ClientConnectorError):
            return ConnectionFailedError(f"cannot connect: {_explain(error)}")
        if isinstance(error, _CLOSED_EARLY):
            failure = ConnectionFailedError(f"the connection broke before an answer: {_explain(error)}")
            failure.before_answer = True
            return failure
        if isinstance(error, aiohttp.ClientError | OSError | EOFError):
            return ConnectionFailedError(f"the connection broke: {_explain(error)}")
        return TransportError(f"the request could not be made: {_explain(error)}")


def _closed_error() -> ClientClosedError:
    return ClientClosedError("the client, or the session that it was given, is closed: build a new one")


def _explain(error: Exception) -> str:
    return printable(f"{type(error).__name__}: {error}", 300)


async def _read_at_most(stream: aiohttp.StreamReader, limit: int) -> bytes:
    chunks: list[bytes] = []
    missing = limit
    while missing > 0 and (chunk := await stream.readany()):
        chunks.append(chunk[:missing])
        missing -= len(chunk)
    return b"".join(chunks)
