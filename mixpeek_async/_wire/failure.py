"""An answer that is no: what it says, as the error that a caller branches on."""

import json
from collections.abc import Mapping
from typing import Any

from mixpeek_async._text import printable
from mixpeek_async._wire.dates import unix_seconds
from mixpeek_async._wire.message import Response
from mixpeek_async.errors import (
    AuthenticationError,
    BadRequestError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    RedirectError,
    ServerError,
    StatusError,
    ValidationError,
)

_CLASSES: dict[int, type[StatusError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    422: ValidationError,
    429: RateLimitError,
}
# 408 and 425 ask for another try by their definition; 52x are Cloudflare's, 529 means overloaded, 598 and 599 are
# time-outs of proxies.
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529, 598, 599})
_FOREVER = 1e9


def status_error(response: Response) -> StatusError:
    """The error for an answer whose status is not 2xx, whatever its body looks like."""
    body = _object(_json(response.body))
    error = _error_part(body)
    details = _object(error.get("details"))
    return _class_of(response.status)(
        f"{response.status}: {_message(response, body, error)}",
        status=response.status,
        type=_text(error.get("type")),
        code=_text(error.get("code")),
        details=details,
        request_id=_text(response.request_id),
        retry_after=_retry_after(response, details),
        retryable=response.status in _PASSING and details.get("retryable") is not False,
    )


def _class_of(status: int) -> type[StatusError]:
    if 300 <= status < 400:
        return RedirectError
    return _CLASSES.get(status) or (ServerError if status >= 500 else StatusError)


def _json(body: bytes | bytearray) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _error_part(body: dict[str, Any]) -> dict[str, Any]:
    """Where the facts are: in `error` today, in `detail` or `detail.error` in the older shape."""
    detail = _object(body.get("detail"))
    return _object(body.get("error")) or _object(detail.get("error")) or detail


def _message(response: Response, body: dict[str, Any], error: dict[str, Any]) -> str:
    said = error.get("message") or body.get("error") or body.get("detail") or body.get("message")
    if isinstance(said, str):
        return printable(said)
    if said:
        return printable(json.dumps(said, ensure_ascii=False))
    return printable(response.body.decode("utf-8", "replace").strip(), 200) or "no message"


def _text(value: Any) -> str | None:
    return printable(value, 200) if isinstance(value, str) else None


def _retry_after(response: Response, details: Mapping[str, Any]) -> float | None:
    """Seconds to wait by the server's own word: the header, else the body. What makes no sense counts as unsaid."""
    said = (_header_seconds(response), details.get("retry_after_seconds"), details.get("retry_after"))
    return next((wait for wait in map(_as_wait, said) if wait is not None), None)


def _as_wait(value: Any) -> float | None:
    # Zero and less would be a licence for a hot loop; nan compares as false.
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < _FOREVER:
        return float(value)
    return None


def _header_seconds(response: Response) -> float | None:
    """Retry-After is seconds or a date (RFC 9110, 10.2.3); a date is judged by the server's own clock."""
    header = response.headers.get("retry-after", "")
    try:
        return float(header)
    except ValueError:
        date = unix_seconds(header)
    if date is None:
        return None
    now = unix_seconds(response.headers.get("date", ""))
    return date - (response.received_at if now is None else now)
