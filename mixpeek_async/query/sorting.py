"""The order of a list."""

from collections.abc import Mapping
from typing import Any, Literal

import attrs

from mixpeek_async._checks import short_repr
from mixpeek_async.errors import InvalidArgumentError
from mixpeek_async.query._values import field_name

__all__ = ["Sort", "as_sort"]


def _is_direction(_: object, __: object, value: object) -> None:
    if value not in ("asc", "desc"):
        raise InvalidArgumentError(f"direction must be 'asc' or 'desc', not {short_repr(value)}")


@attrs.frozen
class Sort:
    """The order of a list: by one field (dots for nested ones), `"asc"` or `"desc"`.

    `sort="-created_at"` is short for `sort=Sort("created_at", "desc")`.
    """

    field: str = attrs.field(converter=field_name)
    direction: Literal["asc", "desc"] = attrs.field(default="asc", validator=_is_direction)

    def to_dict(self) -> dict[str, str]:
        """The order in the API's own form."""
        return {"field": self.field, "direction": self.direction}


def as_sort(value: Sort | str | Mapping[str, Any] | None) -> Sort | None:
    """The order that `value` describes: a Sort, `"name"`, `"-name"` for descending, or a dict in the API's own form."""
    match value:
        case None | Sort():
            return value
        # SQL and other SDKs write these; as the name of a field they would sort by nothing.
        case str() if value.startswith("+") or value.lower().endswith((" asc", " desc")):
            raise InvalidArgumentError(f"sort {short_repr(value)}: write 'created_at', or '-created_at' for descending")
        case str():
            return Sort(value.removeprefix("-"), "desc" if value.startswith("-") else "asc")
        case Mapping() if "field" in value and value.keys() <= {"field", "direction"}:
            return Sort(**value)
        case _:
            raise InvalidArgumentError(
                "sort must be a Sort or a text such as 'created_at' or '-created_at' (descending), "
                f"not {short_repr(value)}"
            )
