"""Filters: conditions on fields, joined by `&`, `|` and `~` into the API's own tree.

The API (0.82, `LogicalOperator`) takes `{"AND": […], "OR": […], "NOT": […], "case_sensitive": …}`, each list holding
trees or conditions.
"""

from typing import Final, Literal, NoReturn

import attrs
import msgspec

from mixpeek_async._checks import bool_, short_repr
from mixpeek_async.errors import InvalidArgumentError
from mixpeek_async.query._operators import check_comparison
from mixpeek_async.query._values import JSON, MAX_DEPTH, as_json, canonical, field_name

__all__ = ["Filter", "condition", "join", "refuse_to_join"]

_SYMBOLS: Final = {"eq": "==", "ne": "!=", "gt": ">", "lt": "<", "gte": ">=", "lte": "<=", "AND": "&", "OR": "|"}


@attrs.frozen(eq=False, repr=False)
class Filter:
    """What objects must be like: a condition on a field, or several, joined by `&` (and), `|` (or) and `~` (not).

    Two filters are equal if the same JSON is sent for both. The repr is the expression that makes the filter.
    """

    # A condition, or ONE of AND, OR, NOT with its list of the same, and perhaps `case_sensitive` beside it.
    # It was checked before, is never changed and never given away, so that filters can share their parts.
    _tree: dict[str, JSON] = attrs.field(alias="_tree", kw_only=True)

    def to_dict(self) -> dict[str, JSON]:
        """The filter in the API's own form, ready for JSON. It is a copy, which can be changed."""
        # A condition is never sent bare: at the root of a tree the API reads unknown keys as names of fields.
        copy: dict[str, JSON] = msgspec.to_builtins({"AND": [self._tree]} if "field" in self._tree else self._tree)
        return copy

    def case_sensitive(self, sensitive: bool = True) -> "Filter":
        """The same filter, which distinguishes upper case and lower case. By default the API does not.

        It applies to everything within the filter, except to parts that have a `.case_sensitive(…)` of their own.
        """
        return Filter(_tree=_mark(self.to_dict(), bool_(sensitive, "case_sensitive")))

    def __and__(self, other: "Filter") -> "Filter":
        return join("AND", self, other)

    def __or__(self, other: "Filter") -> "Filter":
        return join("OR", self, other)

    def __rand__(self, other: object) -> NoReturn:
        refuse_to_join(other)

    __ror__ = __rand__

    def __invert__(self) -> "Filter":
        # Twice negated is the filter itself; a tree with `case_sensitive` has two keys, and is negated as a whole.
        double = self._tree.keys() == {"NOT"}
        return Filter(_tree=self._tree["NOT"][0] if double else {"NOT": _parts(self, "NOT")})

    def __bool__(self) -> NoReturn:
        raise InvalidArgumentError(
            "only the server can tell whether a filter is true: write & for and, | for or, ~ for not, with each "
            "comparison in parentheses; for x < f < y write (f > x) & (f < y), for f in [x, y] write f.is_in([x, y])"
        )

    def __eq__(self, other: object) -> bool:
        return canonical(self.to_dict()) == canonical(other.to_dict()) if isinstance(other, Filter) else NotImplemented

    def __hash__(self) -> int:
        return hash(canonical(self.to_dict()))

    def __repr__(self) -> str:
        return _expression(self._tree)


def condition(name: object, operator: object, value: object) -> Filter:
    """One field compared with one value, by an operator of the API's. InvalidArgumentError if they do not fit."""
    plain = as_json(value, "the value of a filter")
    check_comparison(operator, plain)
    return Filter(_tree={"field": field_name(name), "operator": operator, "value": plain})


def join(connective: Literal["AND", "OR"], *filters: Filter) -> Filter:
    """`filters` in one list. One alone is returned as it is; those joined by the same connective are joined flat."""
    if len(filters) == 1:
        return filters[0]
    return Filter(_tree={connective: [part for each in filters for part in _parts(each, connective)]})


def refuse_to_join(other: object) -> NoReturn:
    """InvalidArgumentError for `other` beside `&` or `|`."""
    raise InvalidArgumentError(
        f"& and | join filters, and {short_repr(other)} is not a filter: put each comparison in parentheses, as in "
        "(field('a') == 1) & (field('b') == 2)"
    )


def _parts(each: Filter, connective: str) -> list[dict[str, JSON]]:
    """What `each` adds to the list of `connective`."""
    if not isinstance(each, Filter):
        refuse_to_join(each)
    if each._tree.keys() == {connective}:
        parts: list[dict[str, JSON]] = each._tree[connective]
        return parts
    # Only a tree that is put into another one grows deeper, so that a long flat chain is not measured again and again.
    if _levels(each._tree) >= MAX_DEPTH:
        raise InvalidArgumentError(f"the filter is nested more than {MAX_DEPTH} levels deep")
    return [each._tree]


def _levels(tree: dict[str, JSON]) -> int:
    return 1 if "field" in tree else 1 + max(map(_levels, next(iter(tree.values()))))


def _mark(tree: dict[str, JSON], sensitive: bool) -> dict[str, JSON]:
    """`tree` with `case_sensitive` on each tree that has none.

    On each: whether one goes by the tree around it is not published.
    """
    if "field" in tree or "case_sensitive" in tree:
        return tree
    [(connective, parts)] = tree.items()
    return {connective: [_mark(part, sensitive) for part in parts], "case_sensitive": sensitive}


def _expression(tree: dict[str, JSON]) -> str:
    """The Python expression that makes `tree`."""
    if "field" in tree:
        subject, operator, value = f"field({tree['field']!r})", tree["operator"], tree["value"]
        if operator in _SYMBOLS:
            return f"{subject} {_SYMBOLS[operator]} {value!r}"
        return f"{subject}.{'is_in' if operator == 'in' else operator}({value!r})"
    (connective, parts), *marked = tree.items()
    if connective == "NOT":
        text = f"~{_operand(parts[0])}"
    elif len(parts) == 1:
        text = _expression(parts[0])
    else:
        text = f" {_SYMBOLS[connective]} ".join(map(_operand, parts))
    return f"({text}).case_sensitive({'' if tree['case_sensitive'] else 'False'})" if marked else text


def _operand(tree: dict[str, JSON]) -> str:
    # & binds more tightly than ==; a call needs no parentheses.
    is_call = "case_sensitive" in tree or tree.get("operator", "eq") not in _SYMBOLS
    return _expression(tree) if is_call else f"({_expression(tree)})"
