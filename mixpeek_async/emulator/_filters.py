"""Check a tree of filters and translate it to SQL: the logic becomes SQL, the conditions become parameters.

A condition is a Python function of a record, which SQL calls as `apply(body, container, ?)`; see `_store`. SQL itself
compares only dates of creation, because there is an index on them. Where the API says nothing: all keys of one tree
must hold, and a tree or condition without `case_sensitive` takes it from the tree around it.
"""

from collections.abc import Callable
from typing import Any

import attrs

from mixpeek_async.emulator._operators import OPERATORS, condition_test
from mixpeek_async.emulator._paths import date_key

MAX_DEPTH = 16
"""Levels of trees. The API has an unpublished limit; SQLite's parser allows little more than this."""

MAX_CONDITIONS = 500

_CONDITION = {"case_sensitive", "field", "operator", "value"}
_CONNECTIVES = {"AND": " AND ", "OR": " OR ", "NOT": " OR "}
_COMPARISONS = {"eq": "=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


class Problem(Exception):
    """An invalid filter: the place and the reason."""

    def __init__(self, where: tuple[str | int, ...], message: str) -> None:
        super().__init__(message)
        self.where = where
        self.message = message


@attrs.frozen
class Clause:
    """An SQL expression, the parameters of its question marks, and the depth of its parentheses.

    A parameter is a value for SQLite, or a function of a record.
    """

    sql: str = "1"
    parameters: tuple[Any, ...] = ()
    depth: int = 0

    @classmethod
    def of(cls, test: Callable[[Any], bool]) -> "Clause":
        """The clause that is true of the records for which `test` is."""
        return cls("apply(body, container, ?)", (test,))


def translate(tree: Any, where: tuple[str | int, ...], sensitive: bool = False) -> Clause:
    """The SQL of `tree`; `sensitive` is its `case_sensitive` unless it has one. Problem if the API would refuse it."""
    if not isinstance(tree, dict):
        raise Problem(where, "filters should be an object")
    clause = _tree(tree, where, sensitive, MAX_DEPTH)
    if len(clause.parameters) > MAX_CONDITIONS:
        raise Problem(where, f"filters should hold at most {MAX_CONDITIONS} conditions")
    return clause


def _joined(clauses: list[Clause], connective: str) -> Clause:
    if not clauses:
        return Clause()
    # SQLite's parser has a stack of 100, and keeps what stands before an open parenthesis on it: put the deepest first.
    clauses = sorted(clauses, key=lambda clause: clause.depth, reverse=True)
    sql = connective.join(clause.sql for clause in clauses)
    parameters = tuple(each for clause in clauses for each in clause.parameters)
    return Clause(f"({sql})", parameters, clauses[0].depth + 1)


def _sensitivity(tree: dict[str, Any], where: tuple[str | int, ...], around: bool) -> bool:
    given = tree.get("case_sensitive")
    if not isinstance(given, bool | None):
        raise Problem((*where, "case_sensitive"), "case_sensitive should be true or false")
    return around if given is None else given


def _tree(tree: dict[str, Any], where: tuple[str | int, ...], sensitive: bool, levels: int) -> Clause:
    if levels == 0:
        raise Problem(where, f"filters should be nested at most {MAX_DEPTH} levels deep")
    sensitive = _sensitivity(tree, where, sensitive)
    parts = [
        _list(key, value, (*where, key), sensitive, levels)
        if key in _CONNECTIVES
        else _condition({"field": key, "value": value}, (*where, key), sensitive)
        for key, value in tree.items()
        if key != "case_sensitive" and not (key in _CONNECTIVES and value is None)
    ]
    # A single part needs no parentheses, and SQLite's parser allows few.
    return parts[0] if len(parts) == 1 else _joined(parts, " AND ")


def _list(key: str, items: Any, where: tuple[str | int, ...], sensitive: bool, levels: int) -> Clause:
    if not isinstance(items, list) or not items:
        raise Problem(where, f"{key} should be a list with at least one element")
    clauses = [_item(item, (*where, index), sensitive, levels) for index, item in enumerate(items)]
    joined = _joined(clauses, _CONNECTIVES[key])
    # NOT holds if all of its conditions are false.
    return attrs.evolve(joined, sql=f"NOT {joined.sql}") if key == "NOT" else joined


def _item(item: Any, where: tuple[str | int, ...], sensitive: bool, levels: int) -> Clause:
    if not isinstance(item, dict):
        raise Problem(where, "an element should be an object")
    if "field" in item and ("operator" in item or "value" in item):
        return _condition(item, where, sensitive)
    return _tree(item, where, sensitive, levels - 1)


def _condition(condition: dict[str, Any], where: tuple[str | int, ...], sensitive: bool) -> Clause:
    field, name = condition["field"], condition.get("operator") or "eq"
    if not isinstance(field, str) or not field:
        raise Problem((*where, "field"), "field should be a text")
    if not isinstance(name, str) or name not in OPERATORS:
        raise Problem((*where, "operator"), f"operator should be one of {', '.join(OPERATORS)}")
    if "value" not in condition:
        raise Problem((*where, "value"), "value is required")
    for key in sorted(condition.keys() - _CONDITION):
        raise Problem((*where, key), f"{key} is not permitted")
    # The official client sends `case_sensitive` in every condition.
    sensitive = _sensitivity(condition, where, sensitive)
    value = condition["value"]
    if not OPERATORS[name].takes(value):
        raise Problem((*where, "value"), f"value should be {OPERATORS[name].words}")
    clause = Clause.of(condition_test(name, field, value, sensitive=sensitive))
    return _by_index(name, value, clause) if field == "created_at" else clause


def _by_index(name: str, value: Any, clause: Clause) -> Clause:
    """The same as `clause`, a condition on the date of creation, from the index as far as that goes."""
    if name == "is_null":
        return Clause(f"created {'=' if value else '<>'} x'00'", (), 1)
    if name == "exists":
        # The index does not tell null from absent.
        sql = f"(created <> x'00' OR {clause.sql})" if value else f"(created = x'00' AND {clause.sql})"
        return attrs.evolve(clause, sql=sql, depth=1)
    if name in _COMPARISONS and (date := date_key(value)) is not None:
        # The bounds keep the comparison among texts, as the operators do.
        return Clause(f"(created {_COMPARISONS[name]} ? AND created >= x'02' AND created < x'03')", (date,), 1)
    return clause
