"""Map a non-2xx response to an exception."""

import json
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

from mixpeek_async._text import printable
from mixpeek_async._wire.responses import Response
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
_RETRYABLE = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529, 598, 599})
_FOREVER = 1e9


def status_error(response: Response) -> StatusError:
    """The error for a response whose status is not 2xx, whatever its body looks like."""
    body = _dict(_parse_json(response.body))
    error = _error_part(body)
    details = _dict(error.get("details"))
    return _class_of(response.status)(
        f"{response.status}: {_message(response, body, error)}",
        status=response.status,
        type=_text(error.get("type")),
        code=_text(error.get("code")),
        details=details,
        request_id=_text(response.request_id),
        retry_after=_retry_after(response, details),
        retryable=response.status in _RETRYABLE and details.get("retryable") is not False,
    )


def unix_seconds(date: str) -> float | None:
    """Unix seconds of an HTTP date (RFC 9110, 5.6.7); None for other text."""
    try:
        moment = parsedate_to_datetime(date)
        # The oldest form of an HTTP date names no zone, and means UTC: "Sun Nov  6 08:49:37 1994".
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def _class_of(status: int) -> type[StatusError]:
    if 300 <= status < 400:
        return RedirectError
    return _CLASSES.get(status) or (ServerError if status >= 500 else StatusError)


def _parse_json(body: bytes | bytearray) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _error_part(body: dict[str, Any]) -> dict[str, Any]:
    """The object with `message`, `type` and `details`: `error` today, `detail` or `detail.error` in the older shape."""
    detail = _dict(body.get("detail"))
    return _dict(body.get("error")) or _dict(detail.get("error")) or detail


def _message(response: Response, body: dict[str, Any], error: dict[str, Any]) -> str:
    message = error.get("message") or body.get("error") or body.get("detail") or body.get("message")
    if isinstance(message, str):
        return printable(message)
    if message:
        return printable(json.dumps(message, ensure_ascii=False))
    text = printable(response.body.decode("utf-8", "replace").strip(), 200)
    if 300 <= response.status < 400:
        return "the server redirects, and the client never follows, because of the key: check base_url"
    return text or "no message"


def _text(value: Any) -> str | None:
    return printable(value, 200) if isinstance(value, str) else None


def _retry_after(response: Response, details: Mapping[str, Any]) -> float | None:
    """Seconds to wait: from the header, else from the body. A value that makes no sense counts as missing."""
    values = (_header_seconds(response), details.get("retry_after_seconds"), details.get("retry_after"))
    return next((wait for wait in map(_as_wait, values) if wait is not None), None)


def _as_wait(value: Any) -> float | None:
    # A wait of zero or less would be a hot loop; nan compares as false.
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < _FOREVER:
        return float(value)
    return None


def _header_seconds(response: Response) -> float | None:
    """Retry-After is seconds or a date (RFC 9110, 10.2.3); a date is compared with the server's own clock."""
    header = response.headers.get("retry-after", "")
    try:
        return float(header)
    except ValueError:
        date = unix_seconds(header)
    if date is None:
        return None
    now = unix_seconds(response.headers.get("date", ""))
    return date - (response.received_at if now is None else now)
