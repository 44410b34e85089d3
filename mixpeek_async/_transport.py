"""Request to answer: the only room that sends anything, and the loop that sends it again.

Nothing of aiohttp leaves it. aiohttp's exceptions print the Authorization header in their repr and keep frames
that hold it; each is turned into one of ours outside of the `except` block, so that none is chained.
"""

import asyncio
import functools
import math
import platform
import random
import re
import ssl
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any, Final, TypeVar

import aiohttp
import attrs
import yarl

from mixpeek_async._clock import Clock
from mixpeek_async._config import Config
from mixpeek_async._deadlines import Deadlines
from mixpeek_async._pacing import Pacer
from mixpeek_async._retry import Attempts, RetryPolicy, RetryQuota
from mixpeek_async._telemetry import Exchange, Telemetry
from mixpeek_async._text import printable
from mixpeek_async._wire import Request, Response, read_allowance, status_error
from mixpeek_async.errors import (
    CertificateError,
    ClientClosedError,
    ConnectionFailedError,
    InvalidArgumentError,
    MalformedResponseError,
    MixpeekError,
    RequestTimeoutError,
    ResponseTooLargeError,
    TransportError,
)
from mixpeek_async.models import Progress

__all__ = ["Transport", "user_agent"]

R = TypeVar("R")

_MAX_ERROR_BODY = 64 * 1024
# A shorter key is one that somebody made up for a test, and may be a part of any text.
_SHORTEST_SECRET = 8
# What aiohttp raises when it writes to, or waits on, a connection that the server has closed.
_CLOSED_EARLY = aiohttp.ServerDisconnectedError | aiohttp.ClientConnectionResetError | aiohttp.ClientOSError
_UNTRUSTED = aiohttp.ClientConnectorCertificateError | ssl.SSLCertVerificationError | aiohttp.ServerFingerprintMismatch
# What aiohttp quotes of an answer that it cannot parse; it may be the key, or half of it.
_QUOTED = re.compile(r"""\s*(?:bytearray\()?b["'].*""", re.DOTALL)
# What aiohttp calls an answer that it cannot parse, though no server has said so.
_UNSAID = re.compile(r"\b400, message[:=]\s*")
_NO_TIMEOUT: Final = aiohttp.ClientTimeout(total=None)


@functools.cache
def user_agent() -> str:
    """`mixpeek-async/1.2.3 aiohttp/3.14.5 Python/3.13.0`; read from disk once, and not before it is needed."""
    import importlib.metadata

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
        "_deadlines",
        "_headers",
        "_key",
        "_max_body_bytes",
        "_owns_session",
        "_pacer",
        "_policy",
        "_quota",
        "_session",
        "_tasks",
        "_timeout",
        "_trace_configs",
        "telemetry",
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
        pacer: Pacer,
        telemetry: Telemetry,
        trace_configs: Sequence[aiohttp.TraceConfig] = (),
    ) -> None:
        if session is not None:
            _refuse_unfit(session, trace_configs)
        self.telemetry: Telemetry = telemetry
        self._key = config.api_key
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
        self._trace_configs = list(trace_configs)
        self._clock = clock
        self._pacer = pacer
        self._closed = False
        self._tasks: set[asyncio.Task[Any]] = set()
        self._deadlines = Deadlines()

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

    def start(self, work: Coroutine[Any, Any, R]) -> asyncio.Task[R]:
        """Run `work` in the background, until it is done or the client is closed."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def may_try_again(self) -> bool:
        """Pay for a try beyond the retries of a request; False when there are to be none, or the quota is used up."""
        return self._policy.attempts > 1 and self._quota.take()

    async def aclose(self) -> None:
        """End what is under way, and close our own session; leave the caller's open."""
        self._closed = True
        self._deadlines.end_all()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._owns_session and self._session is not None:
            await self._session.close()

    async def call(self, request: Request, parse: Callable[[Response], R], progress: Progress) -> R:
        """What `parse` makes of the answer, asking again for as long as the policy allows.

        Raises the last failure. Counts requests, retries and seconds waited into `progress`.
        """
        deadline = self._clock.monotonic() + self._policy.budget
        attempts = Attempts()
        number = 0
        while True:
            number += 1
            if self._pacer.must_wait and not self.closed:
                deadline += await self._turn(progress)
            self._pacer.take()
            progress.requests += 1
            exchange = self.telemetry.begin(self._base_url, request, number)
            outcome = await self._attempt(request, parse, deadline - self._clock.monotonic(), exchange)
            if not isinstance(outcome, MixpeekError):
                self._quota.give_back(attempts.paid)
                return outcome
            exchange.failed(outcome)
            wait = self._wait_after(outcome, attempts, deadline)
            if wait is None:
                raise outcome
            progress.retries += 1
            progress.waited += wait
            self.telemetry.retry(self._base_url, request, number, outcome, wait)
            await self._pause(wait)

    async def _turn(self, progress: Progress) -> float:
        """Wait until the rate limit allows for a request; the seconds that it took, which are no part of a budget."""
        waited = 0.0
        with suppress(TimeoutError), self._deadlines.within(math.inf):
            waited = await self._pacer.wait()
        progress.waited += waited
        return waited

    async def _pause(self, seconds: float) -> None:
        """Wait. A client that is closed meanwhile cuts it short; the next attempt meets that."""
        if seconds:
            with suppress(TimeoutError), self._deadlines.within(math.inf):
                await self._clock.sleep(seconds)

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

    async def _attempt(
        self, request: Request, parse: Callable[[Response], R], time_left: float, exchange: Exchange
    ) -> R | MixpeekError:
        """One request and its answer, or what went wrong, as a value."""
        try:
            with self._deadlines.within(min(self._timeout, time_left)):
                response = await self._exchange(request)
        except MixpeekError as error:
            return error
        # All of them: a session, its connector and its traces may be the caller's own, and raise what they like.
        except Exception as error:
            return self._failure(error)
        exchange.answered(response)
        return self._accept(response, parse)

    def _accept(self, response: Response, parse: Callable[[Response], R]) -> R | MixpeekError:
        if response.status == 206:
            return MalformedResponseError("the answer is a part of one (206), which nobody asked for", retryable=True)
        if not 200 <= response.status < 300:
            return status_error(self._without_key(response))
        try:
            return parse(response)
        except MixpeekError as error:
            if self._key.encode() not in response.body:
                return error
        # Errors quote the answer, and their frames hold it.
        return _parsed(self._without_key(response), parse)

    def _without_key(self, response: Response) -> Response:
        """`response` with the key blotted out of its body: there are servers that repeat what they were sent."""
        return attrs.evolve(response, body=self._blot(response.body.decode("latin-1")).encode("latin-1"))

    def _blot(self, text: str) -> str:
        return text.replace(self._key, "***") if len(self._key) >= _SHORTEST_SECRET else text

    async def _exchange(self, request: Request) -> Response:
        """Send, read the answer whole, and take note of what it says of the rate limit."""
        allowance = None
        try:
            response = await self._send(request)
            allowance = read_allowance(response)
            return response
        finally:
            self._pacer.done(allowance)

    async def _send(self, request: Request) -> Response:
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
                headers={name.lower(): self._blot(value) for name, value in answer.headers.items()},
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
            self._session = aiohttp.ClientSession(
                cookie_jar=aiohttp.DummyCookieJar(), trace_configs=self._trace_configs
            )
        return self._session

    def _failure(self, error: Exception) -> MixpeekError:
        """What an exception from below means, without the exception."""
        if self.closed:
            return _closed_error()
        if isinstance(error, _UNTRUSTED):
            return CertificateError(f"the server's certificate is not to be trusted: {self._explain(error)}")
        if isinstance(error, TimeoutError):
            return RequestTimeoutError(f"no whole answer within the time-out of {self._timeout:g} s for one attempt")
        if isinstance(error, aiohttp.ClientConnectorError):
            return ConnectionFailedError(f"cannot connect: {self._explain(error)}")
        if isinstance(error, aiohttp.ServerDisconnectedError) and not isinstance(error.message, str):
            return ConnectionFailedError("the connection broke in the headers of the answer")
        if isinstance(error, _CLOSED_EARLY):
            failure = ConnectionFailedError(f"the connection broke before an answer: {self._explain(error)}")
            failure.before_answer = True
            return failure
        if isinstance(error, aiohttp.ClientError | OSError | EOFError):
            return ConnectionFailedError(f"the connection broke: {self._explain(error)}")
        return TransportError(f"the request could not be made: {self._explain(error)}")

    def _explain(self, error: Exception) -> str:
        text = error.message if isinstance(error, aiohttp.ClientResponseError) else str(error)
        text = _QUOTED.sub(" …", _UNSAID.sub("", text))
        return printable(self._blot(f"{type(error).__name__}: {text}"), 300)


def _refuse_unfit(session: aiohttp.ClientSession, trace_configs: Sequence[aiohttp.TraceConfig]) -> None:
    """InvalidArgumentError for a session that could not carry our key, and for what only its owner can do."""
    if session.auth is not None:
        raise InvalidArgumentError("the session has auth=… set, which would replace the API key: build it without")
    if trace_configs:
        raise InvalidArgumentError(
            "trace_configs are for the client's own session: pass them to yours, ClientSession(trace_configs=…)"
        )


def _closed_error() -> ClientClosedError:
    return ClientClosedError("the client, or the session that it was given, is closed: build a new one")


def _parsed(response: Response, parse: Callable[[Response], R]) -> R | MixpeekError:
    try:
        return parse(response)
    except MixpeekError as error:
        return error


async def _read_at_most(stream: aiohttp.StreamReader, limit: int) -> bytes:
    chunks: list[bytes] = []
    missing = limit
    while missing > 0 and (chunk := await stream.readany()):
        chunks.append(chunk[:missing])
        missing -= len(chunk)
    return b"".join(chunks)
