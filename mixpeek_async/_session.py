"""Request to answer over aiohttp, once. Nothing of aiohttp leaves this room, and nothing that shows the key.

aiohttp's exceptions print the Authorization header in their repr and keep frames that hold it; each is turned into
one of ours outside of the `except` block, so that none is chained.
"""

import asyncio
import functools
import platform
import re
import ssl
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import aiohttp
import attrs
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


class Session:
    """Carries requests to one address under one key, over a session of aiohttp: the caller's, or one of its own."""

    # Slots, so that vars() has nothing to show.
    __slots__ = (
        "_clock",
        "_closed",
        "_headers",
        "_key",
        "_loop",
        "_max_body_bytes",
        "_owned",
        "_session",
        "_trace_configs",
        "base_url",
    )

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
        self.base_url: str = config.base_url
        self._key = config.api_key
        self._headers = {
            "Authorization": config.authorization,
            "X-Namespace": config.namespace,
            "User-Agent": user_agent(),
            "Accept": "application/json",
        }
        self._session = session
        self._owned = session is None
        self._max_body_bytes = max_body_bytes
        self._trace_configs = list(trace_configs)
        self._clock = clock
        self._closed = False
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def namespace(self) -> str:
        """The namespace that all requests are about."""
        return self._headers["X-Namespace"]

    @property
    def closed(self) -> bool:
        """Whether nothing can be sent any more."""
        return self._closed or (self._session is not None and self._session.closed)

    def end(self) -> None:
        """Send nothing from now on; whatever fails from here on fails because of this."""
        self._closed = True

    async def aclose(self) -> None:
        """Close our own session; leave the caller's open."""
        self.end()
        if self._owned and self._session is not None:
            await self._session.close()

    async def send(self, request: Request) -> Response:
        """The answer to `request`, whatever its status, read whole.

        ClientClosedError, ResponseTooLargeError; anything else that is raised is for `failure` to explain.
        """
        headers = {**self._headers, "Content-Type": "application/json"} if request.body else self._headers
        async with self._open_session().request(
            request.method,
            yarl.URL(self.base_url + request.target, encoded=True),
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
            raise ResponseTooLargeError(f"the answer passes the client's max_body_bytes, {self._max_body_bytes:,}")
        return body

    def _open_session(self) -> aiohttp.ClientSession:
        if self.closed:
            raise _closed_error()
        loop = asyncio.get_running_loop()
        self._loop = self._loop or loop
        if loop is not self._loop:
            raise ClientClosedError(
                "the client belongs to another event loop, as its connections do: build one inside each asyncio.run()"
            )
        # Made at the first request: a session belongs to the running event loop, a client can be built without one.
        if self._session is None:
            self._session = aiohttp.ClientSession(
                cookie_jar=aiohttp.DummyCookieJar(), trace_configs=self._trace_configs
            )
        return self._session

    def failure(self, error: Exception, seconds: float) -> MixpeekError:
        """What an exception of `send` means, without the exception. `seconds` is the time that it was given."""
        if self.closed:
            return _closed_error()
        if isinstance(error, _UNTRUSTED):
            return CertificateError(f"the server's certificate is not to be trusted: {self._explain(error)}")
        if isinstance(error, TimeoutError):
            return RequestTimeoutError(f"no whole answer within {seconds:.3g} s, the time-out for one attempt")
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

    def holds_key(self, response: Response) -> bool:
        """Whether the body of `response` repeats the key: there are servers that repeat what they were sent."""
        return self._key.encode() in response.body

    def without_key(self, response: Response) -> Response:
        """`response` with the key blotted out of its body."""
        return attrs.evolve(response, body=self._blot(response.body.decode("latin-1")).encode("latin-1"))

    def _blot(self, text: str) -> str:
        return text.replace(self._key, "***") if len(self._key) >= _SHORTEST_SECRET else text


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


async def _read_at_most(stream: aiohttp.StreamReader, limit: int) -> bytes:
    chunks: list[bytes] = []
    missing = limit
    while missing > 0 and (chunk := await stream.readany()):
        chunks.append(chunk[:missing])
        missing -= len(chunk)
    return b"".join(chunks)
