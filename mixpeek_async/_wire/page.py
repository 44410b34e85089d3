"""Bytes to page. The rows stay JSON: each becomes an object when the walk reaches it."""

import json
from typing import TypeVar

import msgspec

from mixpeek_async._paging.page import ReceivedPage
from mixpeek_async._text import printable
from mixpeek_async._wire.message import Response
from mixpeek_async._wire.records import UNREADABLE, converter, explain
from mixpeek_async.errors import MalformedResponseError, NamespaceUnresolvedError
from mixpeek_async.models import ApiWarning, ListStats, Pagination

__all__ = ["parse_page"]

R = TypeVar("R", ApiWarning, ListStats, Pagination)


_NULL = msgspec.Raw(b"null")
_EMPTY = msgspec.Raw(b"{}")


class _Envelope(msgspec.Struct):
    """The shape that all list answers share. Only `results` has to be there."""

    results: list[msgspec.Raw]
    pagination: msgspec.Raw = _NULL
    stats: msgspec.Raw = _NULL
    warnings: list[msgspec.Raw] | None = None


_envelope = msgspec.json.Decoder(_Envelope)


def parse_page(response: Response) -> ReceivedPage:
    """The page that a 2xx answer holds.

    MalformedResponseError when it holds none: retryable where the body is no JSON (a proxy's page, a cut body),
    not where it is JSON of another shape. NamespaceUnresolvedError when it says that it speaks of no namespace.
    """
    envelope = _open(response.body)
    page = ReceivedPage(
        rows=envelope.results,
        pagination=_structure(
            _EMPTY if envelope.pagination == _NULL else envelope.pagination, Pagination, "$.pagination"
        ),
        stats=None if envelope.stats == _NULL else _structure(envelope.stats, ListStats, "$.stats"),
        warnings=[
            _structure(raw, ApiWarning, f"$.warnings[{index}]") for index, raw in enumerate(envelope.warnings or [])
        ],
    )
    _refuse_unresolved(response, page)
    return page


def _open(body: bytes) -> _Envelope:
    try:
        # The scan for rows skips over strings: only this sees a byte that is no UTF-8.
        body.decode("utf-8")
        return _envelope.decode(body)
    except msgspec.ValidationError as error:
        problem, path = explain(error, "$")
        failure = MalformedResponseError(f"the answer is not a list of results: {path}: {problem}", path=path)
    except UNREADABLE as error:
        failure = _not_json(body, str(error))
    raise failure


def _not_json(body: bytes, problem: str) -> MalformedResponseError:
    start = printable(body[:80].decode("utf-8", "replace"))
    message = f"the answer is not JSON ({printable(problem, 200)}); it begins {start!r}"
    return MalformedResponseError(message, retryable=not _is_json_to_somebody(body))


def _is_json_to_somebody(body: bytes) -> bool:
    """Whether a laxer parser reads `body`, or fails at its size alone: then it arrived whole, and will again."""
    try:
        json.loads(body)
    except (json.JSONDecodeError, UnicodeDecodeError):
        return False
    except (ValueError, RecursionError):
        return True
    return True


def _structure(raw: msgspec.Raw, cls: type[R], root: str) -> R:
    try:
        return converter.structure(raw, cls)
    except UNREADABLE as error:
        problem, path = explain(error, root)
    raise MalformedResponseError(f"{path}: {problem}", path=path)


def _refuse_unresolved(response: Response, page: ReceivedPage) -> None:
    warned = any(w.resource == "namespace" and w.reason == "unresolved" for w in page.warnings)
    if warned or "x-namespace-unresolved" in response.headers:
        raise NamespaceUnresolvedError(
            "the namespace did not resolve for this key, so that the answer says nothing about the bucket: "
            "check the namespace's name, and that the key may use it"
        )
