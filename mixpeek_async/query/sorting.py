"""The order to ask for."""

from collections.abc import Mapping
from typing import Any, Literal

import attrs

from mixpeek_async.errors import InvalidArgumentError
from mixpeek_async.query.values import field_name, shown

__all__ = ["Sort", "as_sort"]


def _is_direction(_: object, __: object, value: object) -> None:
    if value not in ("asc", "desc"):
        raise InvalidArgumentError(f"direction must be 'asc' or 'desc', not {shown(value)}")


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
    """What `value` says: a Sort, `"name"`, `"-name"` for descending, or the API's own form."""
    match value:
        case None | Sort():
            return value
        case str() if value.startswith("+") or value.lower().endswith((" asc", " desc")):
            raise InvalidArgumentError(f"sort {shown(value)}: write 'created_at', or '-created_at' for descending")
        case str():
            return Sort(value.removeprefix("-"), "desc" if value.startswith("-") else "asc")
        case Mapping() if "field" in value and value.keys() <= {"field", "direction"}:
            return Sort(**value)
        case _:
            raise InvalidArgumentError(
                f"sort must be such as 'created_at', '-created_at' or Sort('created_at', 'desc'), not {shown(value)}"
            )
