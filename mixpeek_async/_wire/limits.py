"""What an answer says of the server's rate limit: X-RateLimit-Limit, -Remaining, -Reset and Retry-After."""

import attrs

from mixpeek_async._wire.errors import status_error, unix_seconds
from mixpeek_async._wire.responses import Response


@attrs.frozen(kw_only=True)
class Allowance:
    """What is left of a window of requests: `remaining` of `limit` (None: unsaid), for `seconds`."""

    remaining: int
    seconds: float
    limit: int | None = None


def read_allowance(response: Response) -> Allowance | None:
    """What the headers of `response` say, or its refusal; None where they say nothing that makes sense."""
    limit = _whole(response, "x-ratelimit-limit")
    if response.status == 429:
        wait = status_error(response).retry_after
        return None if wait is None else Allowance(remaining=0, seconds=wait, limit=limit)
    remaining, reset = _whole(response, "x-ratelimit-remaining"), _whole(response, "x-ratelimit-reset")
    if remaining is None or reset is None:
        return None
    # The reset is a date by the server's clock, which need not agree with ours.
    now = unix_seconds(response.headers.get("date", ""))
    return Allowance(remaining=remaining, seconds=reset - (response.received_at if now is None else now), limit=limit)


def _whole(response: Response, header: str) -> int | None:
    text = response.headers.get(header, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None
