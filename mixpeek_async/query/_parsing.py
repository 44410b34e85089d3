"""Read filters in the API's own form, and check them before anything is sent."""

from collections.abc import Mapping

from mixpeek_async._checks import short_repr
from mixpeek_async.errors import InvalidArgumentError
from mixpeek_async.query._operators import OPERATORS
from mixpeek_async.query._values import MAX_DEPTH
from mixpeek_async.query.filters import Filter, condition, join

_CONDITION = {"field", "operator", "value"}


def parse_filter(tree: object, path: str = "filters", depth: int = 1) -> Filter:
    """The filter that `tree` describes: a tree, a condition, or the shorthand `{name: value}`.

    All keys of a dict have to hold. InvalidArgumentError names the place by `path`.
    """
    if isinstance(tree, Filter):
        return tree
    # The official client writes case_sensitive beside conditions too, so it is taken beside everything.
    rest = {key: tree[key] for key in tree if key != "case_sensitive"} if isinstance(tree, Mapping) else {}
    if not isinstance(tree, Mapping) or not rest:
        raise InvalidArgumentError(f"{path} must be a filter, such as {{'status': 'FAILED'}}, not {short_repr(tree)}")
    if depth > MAX_DEPTH:
        raise InvalidArgumentError(f"filters are nested more than {MAX_DEPTH} levels deep, or contain themselves")
    # A lone {"field": …} is the shorthand, for a field that is called "field".
    if rest.keys() >= {"field", "value"} or rest.keys() == {"field", "operator"}:
        found = _condition(rest, path)
    else:
        found = join("AND", *(_part(key, value, path, depth) for key, value in rest.items()))
    return found.case_sensitive(tree["case_sensitive"]) if "case_sensitive" in tree else found


def _condition(keys: dict[str, object], path: str) -> Filter:
    if odd := keys.keys() - _CONDITION:
        names = ", ".join(sorted(map(short_repr, odd)))
        raise InvalidArgumentError(f"{path}: a condition has field, operator and value, and not {names}")
    if "value" not in keys:
        raise InvalidArgumentError(f"{path} has no value to compare {short_repr(keys['field'])} with")
    return condition(keys["field"], keys.get("operator", "eq"), keys["value"])


def _part(key: str, value: object, path: str, depth: int) -> Filter:
    match key:
        case "AND" | "OR":
            return join(key, *_filters(value, f"{path}.{key}", depth))
        case "NOT":
            # The API: all of its conditions must be false.
            return join("AND", *(~each for each in _filters(value, f"{path}.NOT", depth)))
        case str() if key.startswith("$"):
            raise InvalidArgumentError(f"{path} has {short_repr(key)}: the API's AND, OR, NOT and operators have no $")
        case str():
            _refuse_foreign_operator(key, value, path)
    return condition(key, "eq", value)


def _filters(value: object, path: str, depth: int) -> list[Filter]:
    if not isinstance(value, list | tuple) or not value:
        raise InvalidArgumentError(f"{path} must be a list with at least one filter, not {short_repr(value)}")
    return [parse_filter(each, f"{path}[{index}]", depth + 1) for index, each in enumerate(value)]


def _refuse_foreign_operator(name: str, value: object, path: str) -> None:
    """Refuse `{"year__gte": 1}` and `{"year": {"$gte": 1}}`. The API compares both as they stand, and finds nothing."""
    base, _, suffix = name.rpartition("__")
    foreign = [(base, suffix, value)] if base and suffix in OPERATORS else []
    if isinstance(value, Mapping):
        foreign += [(name, key[1:], value[key]) for key in value if isinstance(key, str) and key.startswith("$")]
    for field, operator, operand in foreign:
        # If the API has no such operator, or it does not take such a value, the error of `condition` says more.
        condition(field, operator, operand)
        raise InvalidArgumentError(
            f"{path} has {short_repr({name: value})}, in which the API sees no operator: write "
            f"{{'field': {short_repr(field)}, 'operator': '{operator}', 'value': {short_repr(operand)}}}"
        )
