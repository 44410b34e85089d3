"""Parse the JSON body of a list request, and check it against the published schema."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from mixpeek_async.emulator._calls import parse_json
from mixpeek_async.emulator._errors import ApiError
from mixpeek_async.emulator._filters import Clause, Problem, translate

OBJECT_KEYS = frozenset({"filters", "return_presigned_urls", "search", "select", "sort"})
BUCKET_KEYS = frozenset({"case_sensitive", "filters", "search", "sort"})
# Published for buckets, where they override the query.
_NOT_EVALUATED = frozenset({"limit", "offset", "page", "page_size", "sorts"})


@attrs.frozen
class ListBody:
    """A parsed body: the conditions on the rows, their order, and the fields to send."""

    clauses: tuple[Clause, ...] = ()
    sort: str | None = None
    descending: bool = False
    select: tuple[str, ...] | None = None
    presigned: bool = False


def parse_body(raw: bytes, keys: frozenset[str]) -> tuple[ListBody, list[dict[str, Any]]]:
    """Parse a body that may hold `keys`, and collect its problems. ApiError 501 for keys that are not supported."""
    try:
        body = parse_json(raw) if raw else {}
    except ValueError:
        return ListBody(), [problem(("body",), "json_invalid", "the body should be JSON")]
    if not isinstance(body, dict):
        return ListBody(), [problem(("body",), "dict_type", "the body should be a JSON object")]
    given = {key: value for key, value in body.items() if value is not None}
    if keys is BUCKET_KEYS and (unsupported := sorted(given.keys() & _NOT_EVALUATED)):
        raise ApiError(501, f"this emulator does not evaluate {', '.join(unsupported)} in the body yet")
    reader = _Reader(given)
    unknown = [
        problem(("body", key), "extra_forbidden", f"{key} is not permitted") for key in sorted(body.keys() - keys)
    ]
    return reader.body(), unknown + reader.problems


def problem(where: tuple[str | int, ...], kind: str, message: str) -> dict[str, Any]:
    """One entry of `validation_errors`."""
    return {"loc": list(where), "msg": message, "type": kind}


class _Reader:
    """Reads the keys of a body, and collects the problems found."""

    def __init__(self, body: Mapping[str, Any]) -> None:
        self._body = body
        self.problems: list[dict[str, Any]] = []

    def body(self) -> ListBody:
        case_sensitive = self._get("case_sensitive", _is_flag, "true or false") or False
        sort = self._sort()
        return ListBody(
            clauses=(*self._filters(case_sensitive), *self._search(case_sensitive)),
            sort=sort.get("field"),
            descending=sort.get("direction") == "desc",
            select=tuple(self._get("select", _is_names, "a list of texts") or ()) or None,
            presigned=self._get("return_presigned_urls", _is_flag, "true or false") or False,
        )

    def _get(self, key: str, is_good: Callable[[Any], bool], words: str) -> Any:
        value = self._body.get(key)
        if value is None or is_good(value):
            return value
        self.problems.append(problem(("body", key), "value_error", f"{key} should be {words}"))
        return None

    def _filters(self, case_sensitive: bool) -> list[Clause]:
        filters = self._body.get("filters")
        if isinstance(filters, dict):
            filters = {"case_sensitive": case_sensitive, **filters}
        try:
            return [] if filters is None else [translate(filters, ("body", "filters"))]
        except Problem as wrong:
            self.problems.append(problem(wrong.where, "value_error", wrong.message))
            return []

    def _search(self, case_sensitive: bool) -> list[Clause]:
        term = self._get("search", lambda value: isinstance(value, str), "a text")
        return [Clause("found(body, ?)", (json.dumps([term, case_sensitive]),))] if term else []

    def _sort(self) -> Mapping[str, str]:
        return self._get("sort", _is_sort, "an object with a field and, if need be, a direction, asc or desc") or {}


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _is_sort(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() <= {"field", "direction"}
        and isinstance(value.get("field"), str)
        and value.get("direction") in (None, "asc", "desc")
    )
