"""Fields, from which filters are made: `field("metadata.year") >= 2024`."""

from collections.abc import Iterable, Mapping, Set
from typing import NoReturn

import attrs

from mixpeek_async._checks import short_repr
from mixpeek_async.errors import InvalidArgumentError
from mixpeek_async.query._values import JSON, as_json, canonical, field_name
from mixpeek_async.query.filters import Filter, condition, refuse_to_join

__all__ = ["Field", "field"]


def field(name: str) -> "Field":
    """The field `name`, with dots for nested ones, to be compared: `field("metadata.year") >= 2024`.

    InvalidArgumentError if that is not a name.
    """
    return Field(name)


@attrs.frozen(eq=False, repr=False)
class Field:
    """A field of an object, to be compared with a value.

    `==`, `!=`, `<`, `<=`, `>`, `>=` and the methods each return a `Filter`. The methods have the API's own names,
    except `is_in`: `in` is a keyword of Python. A value is what JSON can hold, or a datetime with a zone, a date, an
    enum, a UUID, or a Decimal that a JSON number holds exactly. InvalidArgumentError for any other value, and for a
    type that the operator does not compare.
    """

    name: str = attrs.field(converter=field_name)

    def eq(self, value: object) -> Filter:
        """Equal to `value`; the same as `==`."""
        return self._compare("eq", value)

    def ne(self, value: object) -> Filter:
        """Not equal to `value`; the same as `!=`."""
        return self._compare("ne", value)

    def gt(self, value: object) -> Filter:
        """Greater or later than `value`; the same as `>`."""
        return self._compare("gt", value)

    def lt(self, value: object) -> Filter:
        """Less or earlier than `value`; the same as `<`."""
        return self._compare("lt", value)

    def gte(self, value: object) -> Filter:
        """Equal to `value`, or greater or later; the same as `>=`."""
        return self._compare("gte", value)

    def lte(self, value: object) -> Filter:
        """Equal to `value`, or less or earlier; the same as `<=`."""
        return self._compare("lte", value)

    # Written out, because type checkers take `__eq__ = eq` for the method of object, which returns a bool.

    def __eq__(self, value: object) -> Filter:  # type: ignore[override]  # a condition, not a bool
        return self.eq(value)

    def __ne__(self, value: object) -> Filter:  # type: ignore[override]  # the same
        return self.ne(value)

    def __gt__(self, value: object) -> Filter:
        return self.gt(value)

    def __lt__(self, value: object) -> Filter:
        return self.lt(value)

    def __ge__(self, value: object) -> Filter:
        return self.gte(value)

    def __le__(self, value: object) -> Filter:
        return self.lte(value)

    def is_in(self, values: Iterable[object]) -> Filter:
        """Equal to one of `values`: the API's `in`."""
        return self._compare("in", _as_list(values))

    def nin(self, values: Iterable[object]) -> Filter:
        """Equal to none of `values`."""
        return self._compare("nin", _as_list(values))

    def contains(self, value: str) -> Filter:
        """A text that has `value` somewhere in it."""
        return self._compare("contains", value)

    def starts_with(self, value: str) -> Filter:
        """A text that begins with `value`."""
        return self._compare("starts_with", value)

    def ends_with(self, value: str) -> Filter:
        """A text that ends with `value`."""
        return self._compare("ends_with", value)

    def regex(self, pattern: str) -> Filter:
        """A text in which `pattern` matches somewhere. The server checks the pattern: the dialect is its own."""
        return self._compare("regex", pattern)

    def exists(self, value: bool = True) -> Filter:
        """The object has the field, even if it is null; with `False`, it does not have it."""
        return self._compare("exists", value)

    def is_null(self, value: bool = True) -> Filter:
        """Null; with `False`, not null."""
        return self._compare("is_null", value)

    def text(self, value: str) -> Filter:
        """The API's text search: in most of its stores, a text that contains `value`, in upper or lower case."""
        return self._compare("text", value)

    def phrase(self, value: str) -> Filter:
        """A text with the words of `value` one after the other."""
        return self._compare("phrase", value)

    def words(self, value: str) -> Filter:
        """A text with every word of `value` as a whole word; words are compared by their English stem."""
        return self._compare("words", value)

    # The shapes of areas are not published; the operators have the names of Qdrant's, and so the examples are its.

    def geo_radius(self, area: Mapping[str, object]) -> Filter:
        """A point within a circle. `area` is sent as it is: `{"center": {"lat": …, "lon": …}, "radius": metres}`."""
        return self._compare("geo_radius", area)

    def geo_bounding_box(self, area: Mapping[str, object]) -> Filter:
        """A point within a box. `area` is sent as it is: `{"top_left": {"lat": …, "lon": …}, "bottom_right": {…}}`."""
        return self._compare("geo_bounding_box", area)

    def geo_polygon(self, area: Mapping[str, object]) -> Filter:
        """A point within a polygon. `area` is sent as it is: `{"exterior": {"points": [{"lat": …, "lon": …}, …]}}`."""
        return self._compare("geo_polygon", area)

    # What Python would do with a field that was not compared is never meant: each says what to write.

    def __bool__(self) -> NoReturn:
        raise InvalidArgumentError(f"{self!r} is not a condition yet: compare it, or write {self!r}.exists()")

    def __and__(self, other: object) -> NoReturn:
        refuse_to_join(self)

    def __or__(self, other: object) -> NoReturn:
        refuse_to_join(self)

    __rand__ = __and__
    __ror__ = __or__

    def __invert__(self) -> NoReturn:
        raise InvalidArgumentError(f"~ negates a filter, and {self!r} is not a filter: write {self!r}.exists(False)")

    def __contains__(self, value: object) -> NoReturn:
        raise InvalidArgumentError(f"Python's in cannot build a filter: write {self!r}.contains({short_repr(value)})")

    def __iter__(self) -> NoReturn:
        raise InvalidArgumentError(f"{self!r} is only a name, and its values are on the server: compare it")

    def __repr__(self) -> str:
        return f"field({self.name!r})"

    def _compare(self, operator: str, value: object) -> Filter:
        if isinstance(value, Field | Filter):
            raise InvalidArgumentError(
                f"a field is compared with a value, not with {short_repr(value)}: the API does not compare two fields"
            )
        return condition(self.name, operator, value)


def _as_list(values: object) -> list[JSON]:
    if isinstance(values, str | bytes | Mapping | Field) or not isinstance(values, Iterable):
        raise InvalidArgumentError(f"is_in and nin take a list of values, not {short_repr(values)}")
    listed: list[JSON] = as_json(list(values), "the value of a filter")
    # A set has another order in every process, and would make another query of the same filter.
    return sorted(listed, key=canonical) if isinstance(values, Set) else listed
