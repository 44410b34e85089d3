"""Filters as values: conditions on fields, joined by `&`, `|` and `~`.

They are the API's tree `{"AND": […], "OR": […], "NOT": […], "case_sensitive": …}` (API 0.82, `LogicalOperator`),
and nothing in them can be changed once they are made.
"""

from abc import ABC, abstractmethod
from typing import Final, Literal, NoReturn

import attrs

from mixpeek_async.errors import InvalidArgumentError
from mixpeek_async.query.operators import check_operand, operator_name
from mixpeek_async.query.values import JSON, MAX_DEPTH, as_json, canonical, field_name, shown

__all__ = ["CaseSensitive", "Condition", "Filter", "Joined", "Not", "join", "refuse_to_join"]

_COMPARISONS: Final = {"eq": "==", "ne": "!=", "gt": ">", "lt": "<", "gte": ">=", "lte": "<="}
_CONNECTIVES: Final = {"AND": "&", "OR": "|"}


class Filter(ABC):
    """What objects must be like: a condition on a field, or several, joined by `&` (and), `|` (or) and `~` (not).

    Two filters are equal when the API would be sent the same. The repr is the expression itself.
    """

    __slots__ = ()

    depth: int
    """How many levels of the API's tree it takes."""

    def to_dict(self) -> dict[str, JSON]:
        """The filter in the API's own form, ready for JSON."""
        return self._tree(None)

    def case_sensitive(self, sensitive: bool = True) -> "Filter":
        """The same filter, telling upper case from lower case; the API does not, unless told so.

        It holds for all that is within, up to a `.case_sensitive(False)`.
        """
        return CaseSensitive(self, sensitive)

    def __and__(self, other: "Filter") -> "Filter":
        return join("AND", self, _filter(other))

    def __or__(self, other: "Filter") -> "Filter":
        return join("OR", self, _filter(other))

    def __rand__(self, other: object) -> NoReturn:
        refuse_to_join(other)

    __ror__ = __rand__

    def __invert__(self) -> "Filter":
        return Not(self)

    def __bool__(self) -> NoReturn:
        raise InvalidArgumentError(
            "a filter is true or false on the server alone: write & for and, | for or, ~ for not, with each "
            "comparison in parentheses; for x < f < y write (f > x) & (f < y), for f in [x, y] write f.is_in([x, y])"
        )

    def __eq__(self, other: object) -> bool:
        return canonical(self.to_dict()) == canonical(other.to_dict()) if isinstance(other, Filter) else NotImplemented

    def __hash__(self) -> int:
        return hash(canonical(self.to_dict()))

    # What the parts of a filter know of each other. `sensitive` is what was said of the case around them.

    @abstractmethod
    def _tree(self, sensitive: bool | None) -> dict[str, JSON]:
        """One of the API's trees."""
        ...

    def _part(self, sensitive: bool | None) -> dict[str, JSON]:
        """An element of such a tree's lists."""
        return self._tree(sensitive)

    def _operand(self) -> str:
        """The repr, where something may follow it."""
        return f"({self!r})"


def refuse_to_join(other: object) -> NoReturn:
    """InvalidArgumentError for `other` beside `&` or `|`."""
    raise InvalidArgumentError(
        f"& and | join filters, and {shown(other)} is none: put each comparison in parentheses, as in "
        "(field('a') == 1) & (field('b') == 2)"
    )


def _filter(value: object) -> Filter:
    return value if isinstance(value, Filter) else refuse_to_join(value)


def _depth_over(*filters: Filter) -> int:
    depth = 1 + max(each.depth for each in filters)
    if depth > MAX_DEPTH:
        raise InvalidArgumentError(f"the filter is nested more than {MAX_DEPTH} levels deep")
    return depth


def _flag(sensitive: bool | None) -> dict[str, JSON]:
    # On every tree within: the API does not say whether one goes by the tree around it.
    return {} if sensitive is None else {"case_sensitive": sensitive}


def _value(value: object) -> JSON:
    return as_json(value, "the value of a filter")


@attrs.frozen(eq=False, repr=False)
class Condition(Filter):
    """One field compared with one value, by an operator of the API's."""

    field: str = attrs.field(converter=field_name)
    operator: str = attrs.field(converter=operator_name)
    value: JSON = attrs.field(converter=_value)
    depth: int = attrs.field(default=1, init=False)

    def __attrs_post_init__(self) -> None:
        check_operand(self.operator, self.value)

    def _tree(self, sensitive: bool | None) -> dict[str, JSON]:
        # Never bare: at the root of a tree the API reads unknown keys as names of fields.
        return {"AND": [self._part(sensitive)]} | _flag(sensitive)

    def _part(self, sensitive: bool | None) -> dict[str, JSON]:
        # A copy of the value: what is given away can be changed.
        return {"field": self.field, "operator": self.operator, "value": _value(self.value)}

    def __repr__(self) -> str:
        subject = f"field({self.field!r})"
        if self.operator in _COMPARISONS:
            return f"{subject} {_COMPARISONS[self.operator]} {self.value!r}"
        # `in` is a word of Python's own.
        method = "is_in" if self.operator == "in" else self.operator
        return f"{subject}.{method}({self.value!r})"

    def _operand(self) -> str:
        return f"({self!r})" if self.operator in _COMPARISONS else repr(self)


@attrs.frozen(eq=False, repr=False)
class Joined(Filter):
    """Filters joined by AND or OR; two at least."""

    connective: Literal["AND", "OR"]
    items: tuple[Filter, ...]
    depth: int = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "depth", _depth_over(*self.items))

    def _tree(self, sensitive: bool | None) -> dict[str, JSON]:
        return {self.connective: [item._part(sensitive) for item in self.items]} | _flag(sensitive)

    def __repr__(self) -> str:
        return f" {_CONNECTIVES[self.connective]} ".join(item._operand() for item in self.items)


def join(connective: Literal["AND", "OR"], *filters: Filter) -> Filter:
    """`filters` joined; one alone is itself, and those that are joined in the same way are joined flat."""
    if len(filters) == 1:
        return filters[0]
    return Joined(connective, tuple(item for each in filters for item in _items(each, connective)))


def _items(each: Filter, connective: str) -> tuple[Filter, ...]:
    return each.items if isinstance(each, Joined) and each.connective == connective else (each,)


@attrs.frozen(eq=False, repr=False)
class Not(Filter):
    """What `item` is not."""

    item: Filter
    depth: int = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "depth", _depth_over(self.item))

    def __invert__(self) -> Filter:
        return self.item

    def _tree(self, sensitive: bool | None) -> dict[str, JSON]:
        return {"NOT": [self.item._part(sensitive)]} | _flag(sensitive)

    def __repr__(self) -> str:
        return f"~{self.item._operand()}"


@attrs.frozen(eq=False, repr=False)
class CaseSensitive(Filter):
    """`item`, with the case of letters told apart, or expressly not."""

    item: Filter
    sensitive: bool
    depth: int = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.sensitive, bool):
            raise InvalidArgumentError(f"case_sensitive takes True or False, not {shown(self.sensitive)}")
        object.__setattr__(self, "depth", _depth_over(self.item))

    def _tree(self, sensitive: bool | None) -> dict[str, JSON]:
        return self.item._tree(self.sensitive)

    def __repr__(self) -> str:
        return f"{self.item._operand()}.case_sensitive({'' if self.sensitive else 'False'})"

    def _operand(self) -> str:
        return repr(self)
