"""Answers before they are sent, and the error body."""

import json
from collections.abc import Mapping
from typing import Any

import attrs

# The published error types by status.
_TYPES = {
    400: "BadRequestError",
    401: "UnauthorizedError",
    403: "ForbiddenError",
    404: "NotFoundError",
    409: "AlreadyExistsError",
    422: "ValidationError",
    429: "TooManyRequestsError",
    501: "NotEnabledError",
    503: "InferenceServiceUnavailableError",
}


def json_bytes(value: object) -> bytes:
    """`value` as JSON in ASCII. NaN and the infinities are a ValueError: they are not JSON."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode("ascii")


@attrs.frozen
class Answer:
    """A status, a body and headers. The body is JSON unless a header says otherwise."""

    status: int
    body: bytes
    headers: Mapping[str, str] = attrs.field(factory=dict)

    def with_headers(self, headers: Mapping[str, str]) -> "Answer":
        """The same answer, with its headers updated by `headers`; names ignore case."""
        replaced = {name.lower() for name in headers}
        kept = {name: value for name, value in self.headers.items() if name.lower() not in replaced}
        return attrs.evolve(self, headers={**kept, **headers})


def error_answer(
    status: int, message: str, *, code: str | None = None, details: Mapping[str, Any] | None = None
) -> Answer:
    """The error body `{"success": false, "status": …, "error": {…}}`. None leaves out `code` or `details`."""
    fallback = "InternalServerError" if status >= 500 else "BadRequestError"
    error: dict[str, Any] = {"message": message, "type": _TYPES.get(status, fallback)}
    error |= {} if code is None else {"code": code}
    error |= {} if details is None else {"details": dict(details)}
    return Answer(status, json_bytes({"success": False, "status": status, "error": error}))


class ApiError(Exception):
    """Raised for an invalid request; `answer` is sent to the client."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        details: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.answer = error_answer(status, message, code=code, details=details).with_headers(headers or {})
