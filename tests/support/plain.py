"""Whether an object meets a filter, in plain Python: written from the published documents, not from the emulator."""

from datetime import datetime
from typing import Any

__all__ = ["meets"]


def meets(tree: dict[str, Any], obj: dict[str, Any], sensitive: bool = False) -> bool:
    """Whether `obj` meets a tree of the API's, or one of its conditions."""
    if "field" in tree:
        return condition(tree, obj, sensitive)
    sensitive = tree.get("case_sensitive", sensitive)
    return (
        all(meets(part, obj, sensitive) for part in tree.get("AND", []))
        and ("OR" not in tree or any(meets(part, obj, sensitive) for part in tree["OR"]))
        and not any(meets(part, obj, sensitive) for part in tree.get("NOT", []))
    )


def condition(tree: dict[str, Any], obj: dict[str, Any], sensitive: bool) -> bool:
    found = leaves(obj, tree["field"].split("."))
    wanted: Any = tree["value"]
    if tree["field"] == "created_at":
        found = [moment(x) for x in found]
        wanted = moment(wanted)
    if not sensitive:
        found, wanted = [lower(x) for x in found], lower(wanted)
    texts = [x for x in found if isinstance(x, str)]
    match tree["operator"]:
        case "eq":
            return equal_to_one(found, wanted)
        case "ne":
            return not equal_to_one(found, wanted)
        case "in":
            return any(equal_to_one(found, one) for one in wanted)
        case "nin":
            return not any(equal_to_one(found, one) for one in wanted)
        case "gt":
            return any(x > wanted for x in found if comparable(x, wanted))
        case "gte":
            return any(x >= wanted for x in found if comparable(x, wanted))
        case "lt":
            return any(x < wanted for x in found if comparable(x, wanted))
        case "lte":
            return any(x <= wanted for x in found if comparable(x, wanted))
        case "contains":
            return any(wanted in x for x in texts)
        case "starts_with":
            return any(x.startswith(wanted) for x in texts)
        case "ends_with":
            return any(x.endswith(wanted) for x in texts)
        case "exists":
            return bool((len(found) > 0) == wanted)
        case "is_null":
            return bool(equal_to_one(found, None) == wanted)
        case other:
            raise AssertionError(other)


def leaves(value: Any, path: list[str]) -> list[Any]:
    if isinstance(value, list) and path:
        return [leaf for item in value if isinstance(item, dict) for leaf in leaves(item, path)]
    if not path:
        return [value, *value] if isinstance(value, list) else [value]
    return leaves(value[path[0]], path[1:]) if isinstance(value, dict) and path[0] in value else []


def equal_to_one(found: list[Any], wanted: Any) -> bool:
    return any(same(x, wanted) for x in found) or (wanted is None and not found)


def same(one: Any, other: Any) -> bool:
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def comparable(one: Any, other: Any) -> bool:
    numbers = all(isinstance(x, int | float) and not isinstance(x, bool) for x in (one, other))
    return numbers or (isinstance(one, str) and isinstance(other, str))


def moment(value: Any) -> Any:
    try:
        return format(datetime.fromisoformat(value).timestamp(), "020.6f")
    except (TypeError, ValueError):
        return value


def lower(value: Any) -> Any:
    match value:
        case str():
            return value.casefold()
        case list():
            return [lower(x) for x in value]
        case _:
            return value
