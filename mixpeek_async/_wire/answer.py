"""What every 2xx answer may be instead of what was asked for: no JSON, or one about no namespace."""

import json
from collections.abc import Iterable

from mixpeek_async._text import printable
from mixpeek_async._wire.message import Response
from mixpeek_async.errors import MalformedResponseError, NamespaceUnresolvedError
from mixpeek_async.models import ApiWarning


def not_json(body: bytes | bytearray, problem: str, *, arrived_whole: bool) -> MalformedResponseError:
    """The error for a body that is no JSON: retryable, unless it arrived whole and would be no better next time."""
    start = printable(body[:80].decode("utf-8", "replace"))
    message = f"the answer is not JSON ({printable(problem, 200)}); it begins {start!r}"
    return MalformedResponseError(message, path="$" if arrived_whole else None, retryable=not arrived_whole)


def arrived_whole(body: bytes | bytearray) -> bool:
    """Whether a laxer parser reads `body`, or fails at its size alone."""
    try:
        json.loads(body)
    except (json.JSONDecodeError, UnicodeDecodeError):
        return False
    except (ValueError, RecursionError):  # too many digits, too deep
        return True
    return True


def refuse_unresolved(response: Response, warnings: Iterable[ApiWarning] = ()) -> None:
    """NamespaceUnresolvedError when the answer says that it speaks of no namespace."""
    warned = any(w.resource == "namespace" and w.reason == "unresolved" for w in warnings)
    if warned or "x-namespace-unresolved" in response.headers:
        raise NamespaceUnresolvedError(
            "the namespace did not resolve for this key, so that the answer says nothing about the bucket: "
            "check the namespace's name, and that the key may use it"
        )
