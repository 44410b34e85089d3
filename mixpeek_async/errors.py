"""What can fail, in one tree.

    MixpeekError
    ├── InvalidArgumentError          also a ValueError: misuse, found before any I/O
    ├── ClientClosedError             the client, or the session it was given, is closed
    ├── TransportError                no whole answer arrived
    │   ├── ConnectionFailedError
    │   ├── RequestTimeoutError       also a TimeoutError
    │   └── CertificateError
    ├── StatusError                   the server answered, and the answer is no
    │   ├── RedirectError             3xx; never followed
    │   ├── BadRequestError           400
    │   ├── AuthenticationError       401
    │   ├── PermissionDeniedError     403
    │   ├── NotFoundError             404
    │   ├── ValidationError           422
    │   ├── RateLimitError            429
    │   └── ServerError               5xx
    ├── MalformedResponseError        the server said yes, and what it sent cannot be it
    │   ├── InvalidObjectError        one record of a page; the rest of the page is fine
    │   └── ResponseTooLargeError
    ├── CheckpointError               also a ValueError: there is no going on from this string
    ├── NamespaceUnresolvedError      the empty answer is about the namespace, not about the bucket
    └── PaginationError               the pages contradict each other
        ├── PaginationLoopError
        └── OffsetLimitError

Every error pickles and copies, and none holds the API key.
"""

from typing import Any

__all__ = [
    "AuthenticationError",
    "BadRequestError",
    "CertificateError",
    "CheckpointError",
    "ClientClosedError",
    "ConnectionFailedError",
    "InvalidArgumentError",
    "InvalidObjectError",
    "MalformedResponseError",
    "MixpeekError",
    "NamespaceUnresolvedError",
    "NotFoundError",
    "OffsetLimitError",
    "PaginationError",
    "PaginationLoopError",
    "PermissionDeniedError",
    "RateLimitError",
    "RedirectError",
    "RequestTimeoutError",
    "ResponseTooLargeError",
    "ServerError",
    "StatusError",
    "TransportError",
    "ValidationError",
]


class MixpeekError(Exception):
    """The root: `except MixpeekError` catches whatever this package raises.

    `retryable` says whether sending the same request again can help; `retry_after` is the wait in seconds that
    the server asked for, if it did. `checkpoint` is where the walk stands that raised it, for `resume=…`; None where
    there is no walk.
    """

    retryable: bool = False
    retry_after: float | None = None
    checkpoint: str | None = None

    # Exceptions are rebuilt by pickle and copy from `args` alone: one positional message keeps that true for the
    # whole tree, and the facts travel in `__dict__`.
    def __init__(self, message: str) -> None:
        super().__init__(message)

    @property
    def message(self) -> str:
        """What went wrong and, where there is something to do about it, what to do."""
        return str(self.args[0])


class InvalidArgumentError(MixpeekError, ValueError):
    """An argument that can never work. Raised before anything is sent; the message says what to pass instead."""


class ClientClosedError(MixpeekError):
    """There is nothing to send with: the client was closed, or its session, or it belongs to another event loop."""


class TransportError(MixpeekError):
    """No whole answer arrived. Listing only reads, so that nothing has changed on the server."""


class ConnectionFailedError(TransportError):
    """The connection could not be made, or broke before the body was whole.

    `before_answer` is whether it was made and then closed before a byte of the answer came, as a connection that
    was kept alive for too long does.
    """

    retryable = True
    before_answer: bool = False


class RequestTimeoutError(TransportError, TimeoutError):
    """One attempt took longer than the client's `timeout`, or the last one ran into the end of the retry budget."""

    retryable = True


class CertificateError(TransportError):
    """The server's certificate is not to be trusted. Never retried, never downgraded."""


class StatusError(MixpeekError):
    """The server answered with a status other than 2xx.

    Attributes: `status` (int), `type` (the API's error type, `"NotFoundError"`), `code`, `details` (a dict, `{}`
    when the server sent none) and `request_id`. `message` is the server's own text, escaped and cut to 2,000
    characters, with the status before it.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 0,
        type: str | None = None,
        code: str | None = None,
        details: dict[str, Any] | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        retryable: bool = False,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.type = type
        self.code = code
        self.details: dict[str, Any] = details or {}
        self.request_id = request_id
        self.retry_after = retry_after
        self.retryable = retryable


class RedirectError(StatusError):
    """3xx. Nothing is sent to the target: a redirect would carry the key to another address."""


class BadRequestError(StatusError):
    """400."""


class AuthenticationError(StatusError):
    """401: the key is missing, wrong or revoked."""


class PermissionDeniedError(StatusError):
    """403: the key is good and may not do this."""


class NotFoundError(StatusError):
    """404: no such bucket or object in this namespace."""


class ValidationError(StatusError):
    """422: the server refuses a parameter; `details["validation_errors"]` says which, when it says so."""


class RateLimitError(StatusError):
    """429: too many requests; `retry_after` holds the wait in seconds that the server asked for."""


class ServerError(StatusError):
    """5xx."""


class MalformedResponseError(MixpeekError):
    """A 2xx answer that is not what the API promises.

    `path` is where the body went wrong, as a JSON path (`$.results[3].blobs[0].type`), or None when the body is
    no JSON at all, cut short or of something else.
    """

    def __init__(self, message: str, *, path: str | None = None, retryable: bool = False) -> None:
        super().__init__(message)
        self.path = path
        self.retryable = retryable


class InvalidObjectError(MalformedResponseError):
    """One record of a page that cannot be structured. The rest of the page is fine.

    `raw` is the record as it came, as bytes of JSON; `path` names the field within its page.
    """

    def __init__(self, message: str, *, path: str | None = None, raw: bytes = b"") -> None:
        super().__init__(message, path=path)
        self.raw = raw


class ResponseTooLargeError(MalformedResponseError):
    """The decoded body passes the client's `max_body_bytes`.

    A walk asks for smaller pages by itself: this comes out of one only for a single record that is larger than that.
    """


class CheckpointError(MixpeekError, ValueError):
    """A checkpoint that cannot be gone on from: cut, edited, of another listing, of a newer version, or too old.

    Nothing is done in its place: a silent start from the beginning would yield everything twice.
    """


class NamespaceUnresolvedError(MixpeekError):
    """The X-Namespace header did not resolve for this key.

    The server answers that with an empty list and a warning; it says nothing about the bucket, so it is never
    taken for an empty one.
    """


class PaginationError(MixpeekError):
    """The pages of one walk contradict each other, so that going on would lose objects or never end."""


class PaginationLoopError(PaginationError):
    """The server leads the walk in a circle: a cursor seen before, or page after page with nothing new."""


class OffsetLimitError(PaginationError):
    """The walk has reached the highest offset that the API takes (10,000) and the server has given no cursor.

    Narrow the listing, or ask for a server that pages by cursor: there is no request that could go on from here.
    """
