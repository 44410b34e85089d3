"""What can be ordered to go wrong with one request."""

import math
from collections.abc import Mapping
from typing import Any

import attrs

from mixpeek_async.emulator._errors import Answer, error_answer, json_bytes


def _copy(headers: Mapping[str, str]) -> dict[str, str]:
    return dict(headers)


def _answer_status(_: Any, __: Any, value: int | None) -> None:
    # 1xx are no answers: a client would go on waiting for the real one.
    if value is not None and not 200 <= value <= 599:
        raise ValueError(f"status must be a whole number from 200 to 599, not {value!r}")


def _byte_count(_: Any, __: Any, value: int | None) -> None:
    if value is not None and value < 0:
        raise ValueError(f"truncate must be a number of bytes, 0 or more, not {value!r}")


def _seconds(_: Any, __: Any, value: float) -> None:
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(f"delay must be a number of seconds, 0 or more, not {value!r}")


@attrs.frozen(kw_only=True)
class Fault:
    """What happens to one request in place of, or on top of, its genuine answer.

    With `status` or `body` the genuine answer is never made: such a request costs nothing of the rate limit
    and is not judged. A `status` without a `body` gets the wire's error body (under 400: an empty one), a
    `body` without a `status` gets 200. `headers` go over the answer's own. `disconnect` closes the connection
    before any answer. `truncate` sends the headers with the whole Content-Length, that many bytes of the
    body, and closes. `delay` is in seconds and comes before everything else. Values out of range: ValueError.
    """

    status: int | None = attrs.field(default=None, validator=_answer_status)
    headers: Mapping[str, str] = attrs.field(factory=dict, converter=_copy, hash=False)
    body: bytes | None = None
    disconnect: bool = False
    truncate: int | None = attrs.field(default=None, validator=_byte_count)
    delay: float = attrs.field(default=0.0, validator=_seconds)

    def __attrs_post_init__(self) -> None:
        if self.disconnect and (self.status, self.body, self.truncate) != (None, None, None):
            raise ValueError("a fault that disconnects sends nothing: leave out status, body and truncate")

    @classmethod
    def http(
        cls, status: int, *, retry_after: float | str | None = None, headers: Mapping[str, str] | None = None
    ) -> "Fault":
        """Answer with `status` and the wire's error body. `retry_after`: seconds or any text, as a date."""
        advice = {} if retry_after is None else {"Retry-After": str(retry_after)}
        return cls(status=status, headers={**advice, **(headers or {})})

    @classmethod
    def rate_limited(cls, seconds: float) -> "Fault":
        """Answer 429 and ask to wait `seconds`, in Retry-After and in the body's details."""
        answer = error_answer(429, "Rate limit exceeded", details={"retry_after": seconds})
        return cls(status=429, headers={"Retry-After": str(seconds)}, body=answer.body)

    @classmethod
    def dropped(cls) -> "Fault":
        """Close the connection before any answer."""
        return cls(disconnect=True)

    @classmethod
    def cut(cls, length: int) -> "Fault":
        """Promise the whole genuine answer, send `length` bytes of its body, and close."""
        return cls(truncate=length)

    @classmethod
    def slow(cls, seconds: float) -> "Fault":
        """Give the genuine answer, `seconds` late."""
        return cls(delay=seconds)

    @classmethod
    def answer(cls, body: object, status: int = 200, *, headers: Mapping[str, str] | None = None) -> "Fault":
        """Answer with `body`: bytes are sent as they are, anything else as JSON."""
        return cls(status=status, body=body if isinstance(body, bytes) else json_bytes(body), headers=headers or {})

    def replacement(self) -> Answer | None:
        """The answer that stands in for the genuine one; None when the genuine one is to be made."""
        if self.body is not None:
            return Answer(self.status or 200, self.body)
        if self.status is None:
            return None
        if self.status < 400:
            return Answer(self.status, b"")
        return error_answer(self.status, f"scripted fault: HTTP {self.status}")
