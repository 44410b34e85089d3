"""One request and its answer over aiohttp. No aiohttp type leaves this module, and nothing that shows the API key.

aiohttp's exceptions print the Authorization header in their repr and keep frames that hold it. So each is replaced by
an error of ours outside of the `except` block, where nothing is chained; a cancellation, which must pass, is raised
again without the frames it came through.
"""

import asyncio
import functools
import json
import platform
import re
import ssl
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final, TypeVar

import aiohttp
import yarl

from mixpeek_async._clock import Clock
from mixpeek_async._config import Config
from mixpeek_async._text import printable
from mixpeek_async._wire import Request, Response
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

E = TypeVar("E", bound=MixpeekError)

_MAX_ERROR_BODY = 64 * 1024
# So many characters of the key, and what follows them, are never shown: a text may be cut in the middle of the key.
_HEAD = 8
_UNTRUSTED = aiohttp.ClientConnectorCertificateError | ssl.SSLCertVerificationError | aiohttp.ServerFingerprintMismatch
# What aiohttp raises when it writes to a connection that the server has closed, or waits for one.
_CLOSED_EARLY = aiohttp.ServerDisconnectedError | aiohttp.ClientConnectionResetError | aiohttp.ClientOSError
# aiohttp calls an answer that it cannot parse status 400, and quotes it: the quote may be the key, or half of it.
_NOISE = re.compile(r"""\b400, message[:=]\s*|\s*(?:bytearray\()?b["'].*""", re.DOTALL)
_NO_TIMEOUT: Final = aiohttp.ClientTimeout(total=None)


@functools.cache
def user_agent() -> str:
    """`mixpeek-async/1.2.3 aiohttp/3.14.5 Python/3.13.0`. Read from disk once, when it is needed."""
    import importlib.metadata

    try:
        version = importlib.metadata.version("mixpeek-async")
    except importlib.metadata.PackageNotFoundError:  # copied into another program
        version = "unknown"
    return f"mixpeek-async/{version} aiohttp/{aiohttp.__version__} Python/{platform.python_version()}"


@functools.cache
def accepted_encodings() -> str:
    """The compressions to ask for: `br` only where aiohttp can read it.

    aiohttp asks for it wherever a Brotli is installed, and fails with one that cannot limit its output (before 1.2).
    """
    try:
        from aiohttp.compression_utils import BrotliDecompressor

        usable = BrotliDecompressor().decompress_sync(b"\x0b\x02\x80hello\x03", 100) == b"hello"
    except Exception:  # not installed, or each version's own way to say no
        usable = False
    return "gzip, deflate, br" if usable else "gzip, deflate"


class HttpSession:
    """Sends requests to one address with one key, over the caller's aiohttp session or one of its own."""

    # Slots, so that vars() has nothing to show.
    __slots__ = ("_clock", "_closed", "_config", "_loop", "_max_body_bytes", "_owned", "_session", "_trace_configs")

    def __init__(
        self,
        config: Config,
        *,
        session: aiohttp.ClientSession | None,
        max_body_bytes: int,
        clock: Clock,
        trace_configs: Sequence[aiohttp.TraceConfig] = (),
    ) -> None:
        if session is not None:
            _refuse_unfit(session, trace_configs)
        self._config = config
        self._session = session
        self._owned = session is None
        self._max_body_bytes = max_body_bytes
        self._trace_configs = list(trace_configs)
        self._clock = clock
        self._closed = False
        self._loop: asyncio.AbstractEventLoop | None = None

    def detached(self) -> "HttpSession":
        """A session of the same settings for another event loop.

        InvalidArgumentError for a session of the caller's, and in the event loop that this one works in.
        """
        if self.closed:
            raise closed_error()
        if not self._owned:
            raise InvalidArgumentError(
                "a stream needs a session of its own, and the client was given one of yours: use `async for`"
            )
        if self._loop is not None and self._loop is asyncio._get_running_loop():
            raise InvalidArgumentError(
                "a stream would stop the event loop that runs here, in which the client works: use `async for`"
            )
        return HttpSession(
            self._config,
            session=None,
            max_body_bytes=self._max_body_bytes,
            clock=self._clock,
            trace_configs=self._trace_configs,
        )

    @property
    def namespace(self) -> str:
        """The namespace of all requests."""
        return self._config.namespace

    @property
    def base_url(self) -> str:
        """The address of the API, without `/v1`."""
        return self._config.base_url

    @property
    def closed(self) -> bool:
        """Whether nothing can be sent any more."""
        return self._closed or (self._session is not None and self._session.closed)

    def end(self) -> None:
        """Send nothing from now on. A request that fails from here on fails because of this."""
        self._closed = True

    async def aclose(self) -> None:
        """Close our own session; leave the caller's open."""
        self.end()
        if self._owned and self._session is not None:
            await self._session.close()

    async def send(self, request: Request) -> Response:
        """The whole answer to `request`, whatever its status.

        Raises ClientClosedError, ResponseTooLargeError, or what aiohttp raises: `failure` turns all of them into errors
        of ours.
        """
        try:
            return await self._send(request)
        except BaseException as error:
            raised = error
        # A cancellation reaches the caller with its traceback, and aiohttp's frames hold the headers. Raised out here,
        # it gets the caller's own context again, if there is one.
        raised.__context__ = None
        try:
            raise raised.with_traceback(None)
        finally:
            del raised

    async def _send(self, request: Request) -> Response:
        async with self._open_session().request(
            request.method,
            yarl.URL(self._config.base_url + request.target, encoded=True),
            data=request.body,
            headers=self._headers(request),
            # aiohttp would call a missing body an octet-stream.
            skip_auto_headers=("Content-Type",),
            # The caller's session may have other defaults.
            timeout=_NO_TIMEOUT,
            allow_redirects=False,
            raise_for_status=False,
            auto_decompress=True,
        ) as answer:
            return Response(
                status=answer.status,
                headers=self._received_headers(answer),
                body=await self._read(answer),
                received_at=self._clock.time(),
            )

    def _headers(self, request: Request) -> dict[str, str]:
        headers = {
            "Authorization": f"Bearer {self._config.api_key.reveal()}",
            "X-Namespace": self._config.namespace,
            "User-Agent": user_agent(),
            "Accept": "application/json",
            "Accept-Encoding": accepted_encodings(),
        }
        return {**headers, "Content-Type": "application/json"} if request.body else headers

    def _received_headers(self, answer: aiohttp.ClientResponse) -> dict[str, str]:
        # There are servers that send back what they were sent.
        return {self._without_key(name).lower(): self._without_key(value) for name, value in answer.headers.items()}

    async def _read(self, answer: aiohttp.ClientResponse) -> bytes | bytearray:
        """The decoded body. Its size is checked while it is read, because a small gzip can hold any number of bytes."""
        if not 200 <= answer.status < 300:
            # The status decides: it does not matter if the body of a refusal is damaged.
            with suppress(aiohttp.ClientError, OSError):
                return await _read_at_most(answer.content, _MAX_ERROR_BODY)
            return b""
        body = await _read_at_most(answer.content, self._max_body_bytes + 1)
        if len(body) > self._max_body_bytes:
            raise ResponseTooLargeError(f"the answer is larger than max_body_bytes, {self._max_body_bytes:,}")
        return body

    def _open_session(self) -> aiohttp.ClientSession:
        loop = asyncio.get_running_loop()
        self._loop = self._loop or loop
        if loop is not self._loop:
            raise ClientClosedError("the client belongs to another event loop: build one inside each asyncio.run()")
        # Made for the first request: a session needs a running event loop, and a client can be built without one.
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=_Connector(), cookie_jar=aiohttp.DummyCookieJar(), trace_configs=self._trace_configs
            )
        return self._session

    def failure(self, error: Exception, seconds: float) -> MixpeekError:
        """The error of ours for an exception of `send`, which had `seconds` to finish."""
        if isinstance(error, MixpeekError):
            return error
        if self.closed:
            return closed_error()
        text = error.message if isinstance(error, aiohttp.ClientResponseError) else str(error)
        what = printable(self._without_key(f"{type(error).__name__}: {_NOISE.sub('', text)}"), 300)
        if isinstance(error, _UNTRUSTED):
            return CertificateError(f"the certificate of the server cannot be trusted: {what}")
        if isinstance(error, TimeoutError):
            return RequestTimeoutError(f"no complete answer within {seconds:.3g} s, the time-out of one attempt")
        if isinstance(error, aiohttp.ClientConnectorError):
            return ConnectionFailedError(f"cannot connect: {what}")
        if isinstance(error, aiohttp.ServerDisconnectedError) and not isinstance(error.message, str):
            return ConnectionFailedError("the connection broke in the headers of the answer")
        if isinstance(error, _CLOSED_EARLY):
            failure = ConnectionFailedError(f"the connection broke before an answer: {what}")
            failure.before_answer = True
            return failure
        if isinstance(error, aiohttp.ClientError | OSError | EOFError):
            return ConnectionFailedError(f"the connection broke: {what}")
        # The caller's session, its connector and its traces may raise anything.
        return TransportError(f"the request could not be made: {what}")

    def without_key(self, error: E) -> E:
        """`error` without the key that the server sent back, and without causes and frames, which may hold it."""
        error.__traceback__ = error.__cause__ = error.__context__ = None
        error.args = tuple(map(self._without_key, error.args))
        vars(error).update({name: self._without_key(value) for name, value in vars(error).items()})
        return error

    def _without_key(self, value: Any) -> Any:
        """A text, bytes, or a dict of JSON with `***` in place of the key: whole, cut off, or escaped as in JSON."""
        key = self._config.api_key.reveal()
        if isinstance(value, bytes):
            return self._without_key(value.decode("latin-1")).encode("latin-1")
        if isinstance(value, dict):
            try:
                return json.loads(self._without_key(json.dumps(value)))
            except RecursionError:  # nested as deeply as Python can read: no details at all
                return {}
        # A short key was made up for a test, and may be part of any text.
        is_text = isinstance(value, str) and len(key) >= _HEAD
        if not is_text or (key[:_HEAD] not in value and "\\u00" not in value):
            return value
        head = "".join(rf"(?:\\?{re.escape(char)}|(?i:\\u{ord(char):04x}))" for char in key[:_HEAD])
        tail = rf"(?:[!#-\[\]-~]|\\u00[2-7][0-9a-fA-F]|\\/){{0,{len(key) - _HEAD}}}"
        return re.sub(head + tail, "***", value)


class _Connector(aiohttp.TCPConnector):
    """Closes a kept connection over which the server has sent something before it was asked: it answers nothing."""

    async def connect(self, *arguments: Any, **options: Any) -> aiohttp.connector.Connection:
        connection = await super().connect(*arguments, **options)
        while connection.protocol is not None and connection.protocol.should_close:
            connection.close()
            connection = await super().connect(*arguments, **options)
        return connection


def closed_error() -> ClientClosedError:
    """The error for a client that can send nothing any more."""
    return ClientClosedError("the client, or the session that it was given, is closed: build a new one")


def _refuse_unfit(session: aiohttp.ClientSession, trace_configs: Sequence[aiohttp.TraceConfig]) -> None:
    """Raise InvalidArgumentError for a session that cannot carry the key, and for options that only its owner has."""
    if session.auth is not None:
        raise InvalidArgumentError("the session has auth=… set, which would replace the API key: build it without")
    if trace_configs:
        raise InvalidArgumentError(
            "trace_configs are for the client's own session: pass them to yours, ClientSession(trace_configs=…)"
        )


async def _read_at_most(stream: aiohttp.StreamReader, limit: int) -> bytearray:
    # One buffer that grows: a list of chunks, joined at the end, would need twice the memory of a page.
    body = bytearray()
    while len(body) < limit and (chunk := await stream.readany()):
        body += chunk
    del body[limit:]
    return body
