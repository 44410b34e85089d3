"""What a list request asks for, judged as the published bounds say: all that is wrong in one 422."""

import re
from collections.abc import Mapping
from typing import Any, TypeVar

from mixpeek_async.emulator._calls import Call, parse_json
from mixpeek_async.emulator._errors import ApiError
from mixpeek_async.emulator._pagination import Ask, decode_cursor

__all__ = ["parse_ask"]

T = TypeVar("T")

MAX_LIMIT = 1000
MAX_OFFSET = 10_000

# The place for filters, sort, search and select: what is understood moves from here into Ask.
_NOT_EVALUATED = ("filters", "return_presigned_urls", "search", "select", "sort")


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

    def flag(self, name: str) -> bool:
        text = self._query.get(name, "false")
        if text not in ("true", "false"):
            return self._refuse(name, "bool_parsing", "should be true or false", False)
        return text == "true"

    def cursor(self) -> int | None:
        text = self._query.get("cursor")
        after = None if text is None else decode_cursor(text)
        if text is not None and after is None:
            self._refuse("cursor", "cursor_invalid", "should be a next_cursor of this server", None)
        return after

    def _refuse(self, name: str, kind: str, message: str, instead: T) -> T:
        self.problems.append(_problem(("query", name), kind, f"{name} {message}"))
        return instead


def _problem(where: tuple[str, ...], kind: str, message: str) -> dict[str, Any]:
    return {"loc": list(where), "msg": message, "type": kind}


def _body_problems(body: object) -> list[dict[str, Any]]:
    if not isinstance(body, dict):
        return [_problem(("body",), "dict_type", "the body should be a JSON object")]
    unknown = sorted(body.keys() - _NOT_EVALUATED)
    return [_problem(("body", key), "extra_forbidden", f"{key} is not permitted") for key in unknown]


def _read_body(raw: bytes) -> tuple[Any, list[dict[str, Any]]]:
    try:
        body = parse_json(raw) if raw else {}
    except ValueError:
        return {}, [_problem(("body",), "json_invalid", "the body should be JSON")]
    return body, _body_problems(body)


def _says_nothing(value: object) -> bool:
    return value is None or value is False or value in ([], {})


def _refuse_what_is_not_evaluated(body: Mapping[str, object]) -> None:
    asked = [key for key in _NOT_EVALUATED if not _says_nothing(body.get(key))]
    if asked:
        raise ApiError(501, f"this emulator does not evaluate {', '.join(asked)} yet")


def parse_ask(call: Call, *, by_cursor: bool, max_limit: int) -> Ask:
    """The page that `call` asks for. Raises a 422 with every problem, or a 501 for what is not evaluated yet.

    A server of the days before cursors (`by_cursor` false) takes no notice of one.
    """
    query = _Query(call.record.query)
    ask = Ask(
        limit=min(query.whole_number("limit", Ask().limit, 1, MAX_LIMIT), max_limit),
        offset=query.whole_number("offset", 0, 0, MAX_OFFSET),
        after=query.cursor() if by_cursor else None,
        include_total=query.flag("include_total"),
    )
    body, body_problems = _read_body(call.raw_body)
    problems = query.problems + body_problems
    if problems:
        message = "; ".join(str(problem["msg"]) for problem in problems)
        raise ApiError(422, message, details={"validation_errors": problems})
    _refuse_what_is_not_evaluated(body)
    return ask
