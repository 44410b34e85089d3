"""What goes out and what comes back, as plain values that hold nothing open."""

from collections.abc import Mapping

import attrs


@attrs.frozen(kw_only=True)
class Request:
    """A request without its address and its key. `target` is path and query, percent-encoded already."""

    method: str = "POST"
    target: str
    body: bytes | None = None


@attrs.frozen(kw_only=True)
class Response:
    """An answer, read whole. `headers` have lower-case names; `received_at` is Unix seconds."""

    status: int
    headers: Mapping[str, str] = attrs.field(factory=dict)
    body: bytes | bytearray = attrs.field(default=b"", repr=False)
    received_at: float = 0.0

    @property
    def request_id(self) -> str | None:
        """What the server calls this exchange, to quote to its support."""
        return self.headers.get("x-request-id") or self.headers.get("request-id")
