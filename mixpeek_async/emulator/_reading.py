"""Read typed values from the query and the body of a request, and collect all problems for one 422."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Literal

from mixpeek_async.emulator._calls import parse_json
from mixpeek_async.emulator._errors import ApiError
from mixpeek_async.emulator._filters import Clause, Problem, translate

Problems = list[dict[str, Any]]


def problem(where: tuple[str | int, ...], kind: str, message: str) -> dict[str, Any]:
    """One entry of `validation_errors`."""
    return {"loc": list(where), "msg": message, "type": kind}


def refuse(problems: Problems) -> None:
    """Raise a 422 with all `problems`, those of the query first, if there are any."""
    if problems:
        problems = sorted(problems, key=lambda each: each["loc"][0] == "body")
        message = "; ".join(str(each["msg"]) for each in problems)
        raise ApiError(422, message, details={"validation_errors": problems})


class Reader:
    """Reads named values of the query or of the body. None stands for a value that is absent, null or invalid.

    Several names are spellings of the same value; the first one that is given wins.
    """

    def __init__(self, place: Literal["query", "body"], values: Mapping[str, Any], problems: Problems) -> None:
        self._place = place
        self._values = {name: value for name, value in values.items() if value is not None}
        self._problems = problems

    def wants(self, name: str) -> bool:
        """True if the value is neither absent nor empty nor false."""
        return bool(self._values.get(name))

    def check(self, name: str, is_good: Callable[[Any], bool], words: str) -> Any:
        value = self._values.get(name)
        if value is None or is_good(value):
            return value
        self.refuse(name, "value_error", f"should be {words}")
        return None

    def text(self, *names: str) -> str | None:
        text: str | None = self.check(self._spelling(names), lambda value: isinstance(value, str), "a text")
        return text

    def flag(self, name: str) -> bool | None:
        value = self._values.get(name)
        if self._place == "query" and value in ("true", "false"):
            value = value == "true"
        if isinstance(value, bool | None):
            return value
        self.refuse(name, "bool_parsing", "should be true or false")
        return None

    def integer(self, *names: str, low: int, high: int) -> int | None:
        name = self._spelling(names)
        value = self._values.get(name)
        if self._place == "query" and value is not None and re.fullmatch(r"-?[0-9]{1,18}", value):
            value = int(value)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool):
            self.refuse(name, "int_parsing", "should be a whole number")
            return None
        if not low <= value <= high:
            self.refuse(name, "out_of_range", f"should be from {low} to {high}")
            return None
        return value

    def items(self, name: str, *, required: bool = True) -> list[Any]:
        """A list. With `required`, an absent or empty one is a problem."""
        items = self.check(name, lambda value: isinstance(value, list), "a list")
        if required and not items:
            self.refuse(name, "too_short", "should be a list with at least one element")
        return items or []

    def filters(self, sensitive: bool) -> list[Clause]:
        try:
            filters = self._values.get("filters")
            return [] if filters is None else [translate(filters, (self._place, "filters"), sensitive)]
        except Problem as wrong:
            self._problems.append(problem(wrong.where, "value_error", wrong.message))
            return []

    def refuse(self, name: str, kind: str, message: str) -> None:
        self._problems.append(problem((self._place, name), kind, f"{name} {message}"))

    def _spelling(self, names: tuple[str, ...]) -> str:
        return next((name for name in names if name in self._values), names[0])


def read_body(raw: bytes, keys: frozenset[str], problems: Problems) -> Reader:
    """The reader of a JSON body that may hold `keys`. An empty one holds nothing."""
    try:
        body = parse_json(raw) if raw else {}
    except ValueError:
        problems.append(problem(("body",), "json_invalid", "the body should be JSON"))
        body = {}
    if not isinstance(body, dict):
        problems.append(problem(("body",), "dict_type", "the body should be a JSON object"))
        body = {}
    unknown = [problem(("body", key), "extra_forbidden", f"{key} is not permitted") for key in body.keys() - keys]
    problems += sorted(unknown, key=lambda each: str(each["msg"]))
    return Reader("body", body, problems)
