"""Faults that a test can script for one request."""

import math
from collections.abc import Mapping
from typing import Any

import attrs

from mixpeek_async.emulator._errors import Answer, error_answer, json_bytes


def _copy(headers: Mapping[str, str]) -> dict[str, str]:
    return dict(headers)


def _answer_status(_: Any, __: Any, value: int | None) -> None:
    # After a 1xx a client waits for the real answer.
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
    """What happens to one request, instead of its real answer or in addition to it.

    With `status` or `body` the real answer is never made: the request is not checked and does not count against the
    rate limit. A `status` without a `body` gets the API's error body (empty below 400), a `body` without a `status`
    gets 200. `headers` replace those of the answer. `disconnect` closes the connection before any answer. `truncate`
    sends the headers with the whole Content-Length, then that many bytes of the body, and closes the connection.
    `delay`, in seconds, comes before everything else. A value out of range is a ValueError.
    """

    status: int | None = attrs.field(default=None, validator=_answer_status)
    headers: Mapping[str, str] = attrs.field(factory=dict, converter=_copy, hash=False)
    body: bytes | None = None
    disconnect: bool = False
    truncate: int | None = attrs.field(default=None, validator=_byte_count)
    delay: float = attrs.field(default=0.0, validator=_seconds)

    def __attrs_post_init__(self) -> None:
        if self.disconnect and (self.status, self.body, self.truncate) != (None, None, None):
            raise ValueError("a fault with disconnect sends nothing: leave out status, body and truncate")

    @classmethod
    def http(
        cls, status: int, *, retry_after: float | str | None = None, headers: Mapping[str, str] | None = None
    ) -> "Fault":
        """Answer with `status` and the API's error body. `retry_after`: seconds, or any text, such as a date."""
        advice = {} if retry_after is None else {"Retry-After": str(retry_after)}
        return cls(status=status, headers={**advice, **(headers or {})})

    @classmethod
    def rate_limited(cls, seconds: float) -> "Fault":
        """Answer 429 and order a wait of `seconds`, in Retry-After and in the body's details."""
        answer = error_answer(429, "Rate limit exceeded", details={"retry_after": seconds})
        return cls(status=429, headers={"Retry-After": str(seconds)}, body=answer.body)

    @classmethod
    def dropped(cls) -> "Fault":
        """Close the connection before any answer."""
        return cls(disconnect=True)

    @classmethod
    def cut(cls, length: int) -> "Fault":
        """Announce the whole real answer, send `length` bytes of its body, and close the connection."""
        return cls(truncate=length)

    @classmethod
    def slow(cls, seconds: float) -> "Fault":
        """Send the real answer, `seconds` late."""
        return cls(delay=seconds)

    @classmethod
    def answer(cls, body: object, status: int = 200, *, headers: Mapping[str, str] | None = None) -> "Fault":
        """Answer with `body`: bytes are sent unchanged, anything else as JSON."""
        return cls(status=status, body=body if isinstance(body, bytes) else json_bytes(body), headers=headers or {})

    def replacement(self) -> Answer | None:
        """The answer that replaces the real one; None if the real one is wanted."""
        if self.body is not None:
            return Answer(self.status or 200, self.body)
        if self.status is None:
            return None
        if self.status < 400:
            return Answer(self.status, b"")
        return error_answer(self.status, f"scripted fault: HTTP {self.status}")
