"""Parse the query of a request, and check it against the published bounds: one 422 with all problems."""

import re
from collections.abc import Mapping
from typing import Any, TypeVar

from mixpeek_async.emulator._body import parse_body, problem
from mixpeek_async.emulator._calls import Call
from mixpeek_async.emulator._errors import ApiError
from mixpeek_async.emulator._pagination import ListRequest, decode_cursor
from mixpeek_async.emulator._selection import RowKey

T = TypeVar("T")

MAX_LIMIT = 1000
MAX_OFFSET = 10_000


class _Query:
    """Reads query parameters, and collects the problems found."""

    def __init__(self, query: Mapping[str, str]) -> None:
        self._query = query
        self.problems: list[dict[str, Any]] = []

    def whole_number(self, name: str, default: int, low: int, high: int) -> int:
        text = self._query.get(name)
        if text is None:
            return default
        if not re.fullmatch(r"-?[0-9]{1,18}", text):
            return self._refuse(name, "int_parsing", "should be a whole number", default)
        if not low <= int(text) <= high:
            return self._refuse(name, "out_of_range", f"should be from {low} to {high}", default)
        return int(text)

    def flag(self, name: str, default: bool = False) -> bool:
        text = self._query.get(name, "true" if default else "false")
        if text not in ("true", "false"):
            return self._refuse(name, "bool_parsing", "should be true or false", default)
        return text == "true"

    def cursor(self, sorted_: bool) -> RowKey | None:
        text = self._query.get("cursor")
        after = None if text is None else decode_cursor(text)
        # A cursor of a sorted list is no position in an unsorted one, nor the other way round.
        if text is not None and (after is None or bool(after.sort_key) is not sorted_):
            return self._refuse("cursor", "cursor_invalid", "should be a next_cursor of this server and list", None)
        return after

    def _refuse(self, name: str, kind: str, message: str, instead: T) -> T:
        self.problems.append(problem(("query", name), kind, f"{name} {message}"))
        return instead


def _refuse_all(problems: list[dict[str, Any]]) -> None:
    if problems:
        message = "; ".join(str(problem["msg"]) for problem in problems)
        raise ApiError(422, message, details={"validation_errors": problems})


def parse_list_request(call: Call, keys: frozenset[str], *, by_cursor: bool, max_limit: int) -> ListRequest:
    """The page that `call` requests; the body may hold `keys`. Raises a 422 with every problem.

    A server that knows no cursors (`by_cursor` false) ignores them.
    """
    query = _Query(call.record.query)
    body, body_problems = parse_body(call.raw_body, keys)
    request = ListRequest(
        limit=min(query.whole_number("limit", ListRequest().limit, 1, MAX_LIMIT), max_limit),
        offset=query.whole_number("offset", 0, 0, MAX_OFFSET),
        after=query.cursor(body.sort is not None) if by_cursor else None,
        include_total=query.flag("include_total"),
        body=body,
    )
    _refuse_all(query.problems + body_problems)
    return request


def parse_flags(call: Call, **defaults: bool) -> dict[str, bool]:
    """The boolean query parameters named in `defaults`. Raises a 422 with every problem."""
    query = _Query(call.record.query)
    flags = {name: query.flag(name, default) for name, default in defaults.items()}
    _refuse_all(query.problems)
    return flags
