"""The API's own form of a filter, read: what it says is checked here, before anything is sent."""

from collections.abc import Mapping
from typing import Literal

from mixpeek_async.errors import InvalidArgumentError
from mixpeek_async.query.filters import CaseSensitive, Condition, Filter, Not, join
from mixpeek_async.query.values import MAX_DEPTH, shown

__all__ = ["parse_filter"]

_CONDITION = frozenset({"field", "operator", "value"})


def parse_filter(tree: object, path: str = "filters", depth: int = 1) -> Filter:
    """The filter that `tree` says, be it a tree, a condition or the shorthand `{name: value}`.

    Keys beside each other all have to hold. InvalidArgumentError names the place in `path`.
    """
    if isinstance(tree, Filter):
        return tree
    if not isinstance(tree, Mapping) or not tree.keys() - {"case_sensitive"}:
        raise InvalidArgumentError(f"{path} must be a filter, such as {{'status': 'FAILED'}}, not {shown(tree)}")
    if depth > MAX_DEPTH:
        raise InvalidArgumentError(f"filters are nested more than {MAX_DEPTH} levels deep, or hold themselves")
    if "field" in tree and tree.keys() <= _CONDITION and len(tree) > 1:
        return _condition(tree, path)
    if tree.keys() >= {"field", "value"}:
        odd = ", ".join(sorted(map(shown, tree.keys() - _CONDITION)))
        raise InvalidArgumentError(f"{path}: a condition has field, operator and value, and not {odd}")
    parts = [_part(key, value, path, depth) for key, value in tree.items() if key != "case_sensitive"]
    found = join("AND", *parts)
    return CaseSensitive(found, tree["case_sensitive"]) if "case_sensitive" in tree else found


def _condition(condition: Mapping[str, object], path: str) -> Filter:
    if "value" not in condition:
        raise InvalidArgumentError(f"{path} has no value to compare {shown(condition['field'])} with")
    return Condition(condition["field"], condition.get("operator", "eq"), condition["value"])


def _part(key: str, value: object, path: str, depth: int) -> Filter:
    match key:
        case "AND" | "OR":
            return _joined(key, value, f"{path}.{key}", depth)
        case "NOT":
            # The API: all of its conditions must be false.
            return join("AND", *(Not(each) for each in _filters(value, f"{path}.{key}", depth)))
        case str() if key.startswith("$"):
            raise InvalidArgumentError(f"{path} holds {shown(key)}: the API's operators have no $, see field()")
        case _:
            return Condition(key, "eq", value)


def _joined(connective: Literal["AND", "OR"], value: object, path: str, depth: int) -> Filter:
    return join(connective, *_filters(value, path, depth))


def _filters(value: object, path: str, depth: int) -> list[Filter]:
    if not isinstance(value, list | tuple) or not value:
        raise InvalidArgumentError(f"{path} must be a list with at least one filter, not {shown(value)}")
    return [parse_filter(each, f"{path}[{index}]", depth + 1) for index, each in enumerate(value)]
