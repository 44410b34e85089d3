"""What a list request asks for, judged as the published bounds say: all that is wrong in one 422."""

import re
from collections.abc import Mapping
from typing import Any, TypeVar

from mixpeek_async.emulator._body import parse_body, problem
from mixpeek_async.emulator._calls import Call
from mixpeek_async.emulator._errors import ApiError
from mixpeek_async.emulator._pagination import Ask, decode_cursor
from mixpeek_async.emulator._selection import Mark

T = TypeVar("T")

MAX_LIMIT = 1000
MAX_OFFSET = 10_000


class _Query:
    """Reads query parameters; `problems` collects what is wrong with them."""

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

    def cursor(self, sorted_: bool) -> Mark | None:
        text = self._query.get("cursor")
        after = None if text is None else decode_cursor(text)
        # One of another order marks no place in this one.
        if text is not None and (after is None or bool(after.key) is not sorted_):
            return self._refuse("cursor", "cursor_invalid", "should be a next_cursor of this server and list", None)
        return after

    def _refuse(self, name: str, kind: str, message: str, instead: T) -> T:
        self.problems.append(problem(("query", name), kind, f"{name} {message}"))
        return instead


def _refuse_all(problems: list[dict[str, Any]]) -> None:
    if problems:
        message = "; ".join(str(problem["msg"]) for problem in problems)
        raise ApiError(422, message, details={"validation_errors": problems})


def parse_ask(call: Call, keys: frozenset[str], *, by_cursor: bool, max_limit: int) -> Ask:
    """The page that `call` asks for, with a body of `keys`. Raises a 422 with every problem.

    A server of the days before cursors (`by_cursor` false) takes no notice of one.
    """
    query = _Query(call.record.query)
    wish, body_problems = parse_body(call.raw_body, keys)
    ask = Ask(
        limit=min(query.whole_number("limit", Ask().limit, 1, MAX_LIMIT), max_limit),
        offset=query.whole_number("offset", 0, 0, MAX_OFFSET),
        after=query.cursor(wish.sort is not None) if by_cursor else None,
        include_total=query.flag("include_total"),
        wish=wish,
    )
    _refuse_all(query.problems + body_problems)
    return ask


def parse_flags(call: Call, **defaults: bool) -> dict[str, bool]:
    """Query parameters that are true or false, all else being ignored. Raises a 422 with every problem."""
    query = _Query(call.record.query)
    flags = {name: query.flag(name, default) for name, default in defaults.items()}
    _refuse_all(query.problems)
    return flags
