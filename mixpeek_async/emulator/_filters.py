"""The tree of filters, judged and translated to SQL: logic as SQL, values as parameters.

A condition is a call of its operator's function (`_functions`) with one parameter, the JSON of field, value and case.
Where the API is silent: keys beside each other in a tree all have to hold, and a tree that does not say whether case
counts goes by the tree around it.
"""

import json
from typing import Any

import attrs

from mixpeek_async.emulator._operators import OPERATORS

MAX_DEPTH = 16
"""Levels of trees. The API has such a limit and does not publish it; SQLite's parser takes little more."""

MAX_CONDITIONS = 500

_CONDITION = {"field", "operator", "value"}
_CONNECTIVES = {"AND": " AND ", "OR": " OR ", "NOT": " OR "}


class Problem(Exception):
    """What is wrong with a filter, and where."""

    def __init__(self, where: tuple[str | int, ...], message: str) -> None:
        super().__init__(message)
        self.where = where
        self.message = message


@attrs.frozen
class Clause:
    """An expression of SQL, the parameters of its question marks, and how deep its parentheses go."""

    sql: str = "1"
    parameters: tuple[Any, ...] = ()
    depth: int = 0


def translate(tree: Any, where: tuple[str | int, ...]) -> Clause:
    """The clause that `tree` says; Problem when the API would refuse it."""
    if not isinstance(tree, dict):
        raise Problem(where, "filters should be an object")
    clause = _tree(tree, where, False, MAX_DEPTH)
    if len(clause.parameters) > MAX_CONDITIONS:
        raise Problem(where, f"filters should hold at most {MAX_CONDITIONS} conditions")
    return clause


def _joined(clauses: list[Clause], connective: str) -> Clause:
    if not clauses:
        return Clause()
    # The deepest first: SQLite's parser keeps on its stack, of 100, what is left of an open parenthesis.
    clauses = sorted(clauses, key=lambda clause: clause.depth, reverse=True)
    sql = connective.join(clause.sql for clause in clauses)
    parameters = tuple(each for clause in clauses for each in clause.parameters)
    return Clause(f"({sql})", parameters, clauses[0].depth + 1)


def _tree(tree: dict[str, Any], where: tuple[str | int, ...], sensitive: bool, levels: int) -> Clause:
    if levels == 0:
        raise Problem(where, f"filters should be nested at most {MAX_DEPTH} levels deep")
    said = tree.get("case_sensitive")
    if not isinstance(said, bool | None):
        raise Problem((*where, "case_sensitive"), "case_sensitive should be true or false")
    sensitive = sensitive if said is None else said
    parts = [
        _list(key, value, (*where, key), sensitive, levels)
        if key in _CONNECTIVES
        else _condition({"field": key, "value": value}, (*where, key), sensitive)
        for key, value in tree.items()
        if key != "case_sensitive" and not (key in _CONNECTIVES and value is None)
    ]
    # One part needs no parentheses of its own, and SQLite's parser has room for few.
    return parts[0] if len(parts) == 1 else _joined(parts, " AND ")


def _list(key: str, items: Any, where: tuple[str | int, ...], sensitive: bool, levels: int) -> Clause:
    if not isinstance(items, list) or not items:
        raise Problem(where, f"{key} should be a list with at least one element")
    clauses = [_item(item, (*where, index), sensitive, levels) for index, item in enumerate(items)]
    joined = _joined(clauses, _CONNECTIVES[key])
    # All conditions of a NOT must be false.
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
    if not OPERATORS[name].takes(condition["value"]):
        raise Problem((*where, "value"), f"value should be {OPERATORS[name].words}")
    return Clause(f"op_{name}(body, ?)", (json.dumps([field, condition["value"], sensitive]),))
