"""The exceptions, in one tree.

    MixpeekError
    ├── InvalidArgumentError          also a ValueError: wrong use, found before any I/O
    ├── ClientClosedError             the client, or the session that was passed to it, is closed
    ├── TransportError                no complete answer arrived
    │   ├── ConnectionFailedError
    │   ├── RequestTimeoutError       also a TimeoutError
    │   └── CertificateError
    ├── StatusError                   the server answered with a status other than 2xx
    │   ├── RedirectError             3xx; never followed
    │   ├── BadRequestError           400
    │   ├── AuthenticationError       401
    │   ├── PermissionDeniedError     403
    │   ├── NotFoundError             404
    │   ├── ValidationError           422
    │   ├── RateLimitError            429
    │   └── ServerError               5xx
    ├── MalformedResponseError        a 2xx answer that is not what the API promises
    │   ├── InvalidObjectError        one record of a page; the rest of the page is fine
    │   └── ResponseTooLargeError
    ├── CheckpointError               also a ValueError: a checkpoint that cannot be resumed
    ├── NamespaceUnresolvedError      the server does not know the namespace, so the answer says nothing
    └── PaginationError               the pages contradict each other
        ├── PaginationLoopError
        ├── OffsetLimitError
        └── IncompleteListError       rows are left out, by the server's own word

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
    "IncompleteListError",
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


_MAX_RAW = 256 * 1024


class MixpeekError(Exception):
    """The root: `except MixpeekError` catches whatever this package raises.

    `retryable`: sending the same request again can help. `retry_after`: the wait in seconds that the server asked for,
    or None. `checkpoint`: the position of the walk that raised the error, for `resume=…`; None where there is no walk.
    """

    retryable: bool = False
    retry_after: float | None = None
    checkpoint: str | None = None

    # pickle and copy rebuild an exception from `args`, and its other attributes from `__dict__`. So all constructors
    # here work with the message alone.
    def __init__(self, message: str) -> None:
        super().__init__(message)

    @property
    def message(self) -> str:
        """What went wrong and, where something can be done about it, what to do."""
        return str(self.args[0])


class InvalidArgumentError(MixpeekError, ValueError):
    """An argument that can never work. Raised before anything is sent; the message says what to pass instead."""


class ClientClosedError(MixpeekError):
    """Nothing can be sent: the client or its session was closed, or the client belongs to another event loop."""


class TransportError(MixpeekError):
    """No complete answer arrived. Listing only reads, so that nothing has changed on the server."""


class ConnectionFailedError(TransportError):
    """The connection could not be made, or broke before the body was complete.

    `before_answer`: it was made, and closed before a byte of the answer arrived. A connection that was kept alive for
    too long ends like this.
    """

    retryable = True
    before_answer: bool = False


class RequestTimeoutError(TransportError, TimeoutError):
    """One attempt took longer than the client's `timeout`, or than what was left of the page's budget."""

    retryable = True


class CertificateError(TransportError):
    """The certificate of the server cannot be trusted. Never retried, never downgraded."""


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
    """422: the server refuses a parameter; `details["validation_errors"]` names it, if the server does."""


class RateLimitError(StatusError):
    """429: too many requests; `retry_after` holds the wait in seconds that the server asked for."""


class ServerError(StatusError):
    """5xx."""


class MalformedResponseError(MixpeekError):
    """A 2xx answer that is not what the API promises.

    `path` is the wrong place in the body, as a JSON path (`$.results[3].blobs[0].type`), or None when the body is not
    JSON: cut short, or a page of a proxy.
    """

    def __init__(self, message: str, *, path: str | None = None, retryable: bool = False) -> None:
        super().__init__(message)
        self.path = path
        self.retryable = retryable


class InvalidObjectError(MalformedResponseError):
    """One record of a page that cannot be structured. The rest of the page is fine.

    `raw` is the record as it was received, as bytes of JSON, of which the first 256 KiB are kept; `path` names the
    field within its page.
    """

    def __init__(self, message: str, *, path: str | None = None, raw: bytes = b"") -> None:
        super().__init__(message, path=path)
        # It is searched for the API key, which a server may have sent back in any escaped form.
        self.raw: bytes = raw[:_MAX_RAW]


class ResponseTooLargeError(MalformedResponseError):
    """The decoded body is larger than the client's `max_body_bytes`, or holds more than 2,000,000 values, or one record
    more than 250,000: small values take a hundred times the memory of their text.

    A walk then asks for smaller pages by itself, so that it raises this only for a single record that is too large.
    """


class CheckpointError(MixpeekError, ValueError):
    """A checkpoint that cannot be resumed: cut, edited, of another listing, of a newer version, or too old.

    The walk does not start from the beginning instead: it would yield everything twice.
    """


class NamespaceUnresolvedError(MixpeekError):
    """The X-Namespace header did not resolve for this key.

    The server answers with an empty list and a warning. That says nothing about the bucket, so that the walk never
    takes the bucket for an empty one.
    """


class PaginationError(MixpeekError):
    """The pages of one walk contradict each other, so that going on would lose objects or never end."""


class PaginationLoopError(PaginationError):
    """The pages repeat: the server sent a cursor for the second time, or page after page without a new object."""


class OffsetLimitError(PaginationError):
    """The walk has reached the highest offset that the API accepts (10,000), and the server has sent no cursor.

    No request can reach the objects behind it. Narrow the listing with filters, or use a server that pages by cursor.
    """


class IncompleteListError(PaginationError):
    """The server leaves rows out, by its own warning or count. A walk raises this at its end, after all rows that came.

    A sorted list of documents may end at 10,000 of them: walk it without `sort`, or narrow it with filters.
    """
