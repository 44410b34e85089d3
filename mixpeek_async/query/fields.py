"""Fields, as the start of a filter: `field("metadata.year") >= 2024`."""

from collections.abc import Iterable, Mapping, Set
from typing import NoReturn

import attrs

from mixpeek_async.errors import InvalidArgumentError
from mixpeek_async.query.filters import Condition, Filter, refuse_to_join
from mixpeek_async.query.values import JSON, as_json, canonical, field_name, shown

__all__ = ["Field", "field"]


def field(name: str) -> "Field":
    """The field `name`, dots for nested ones, to be compared: `field("metadata.year") >= 2024`.

    InvalidArgumentError when that is no name.
    """
    return Field(name)


@attrs.frozen(eq=False, repr=False)
class Field:
    """A field of an object, to be compared with a value.

    `==`, `!=`, `<`, `<=`, `>`, `>=` and the methods, which have the API's own names (`is_in` for `in`, a word of
    Python's), each give a `Filter`. Values: what JSON has, and datetimes with a zone, dates, enums, UUIDs, and Decimals
    where a JSON number says them exactly. InvalidArgumentError for any other, and for a type that the operator does not
    compare.
    """

    name: str = attrs.field(converter=field_name)

    def __eq__(self, value: object) -> Filter:  # type: ignore[override]  # == builds a filter
        return self.eq(value)

    def __ne__(self, value: object) -> Filter:  # type: ignore[override]  # as above
        return self.ne(value)

    def __gt__(self, value: object) -> Filter:
        return self.gt(value)

    def __lt__(self, value: object) -> Filter:
        return self.lt(value)

    def __ge__(self, value: object) -> Filter:
        return self.gte(value)

    def __le__(self, value: object) -> Filter:
        return self.lte(value)

    def eq(self, value: object) -> Filter:
        """Equal to `value`; the same as `==`."""
        return self._compared("eq", value)

    def ne(self, value: object) -> Filter:
        """Not equal to `value`; the same as `!=`."""
        return self._compared("ne", value)

    def gt(self, value: object) -> Filter:
        """Greater or later than `value`; the same as `>`."""
        return self._compared("gt", value)

    def lt(self, value: object) -> Filter:
        """Less or earlier than `value`; the same as `<`."""
        return self._compared("lt", value)

    def gte(self, value: object) -> Filter:
        """Not less or earlier than `value`; the same as `>=`."""
        return self._compared("gte", value)

    def lte(self, value: object) -> Filter:
        """Not greater or later than `value`; the same as `<=`."""
        return self._compared("lte", value)

    def is_in(self, values: Iterable[object]) -> Filter:
        """Equal to one of `values`: the API's `in`."""
        return self._compared("in", _listed(values))

    def nin(self, values: Iterable[object]) -> Filter:
        """Equal to none of `values`."""
        return self._compared("nin", _listed(values))

    def contains(self, value: str) -> Filter:
        """A text that has `value` somewhere in it."""
        return self._compared("contains", value)

    def starts_with(self, value: str) -> Filter:
        """A text that begins with `value`."""
        return self._compared("starts_with", value)

    def ends_with(self, value: str) -> Filter:
        """A text that ends with `value`."""
        return self._compared("ends_with", value)

    def regex(self, pattern: str) -> Filter:
        """A text in which `pattern` matches somewhere. The dialect is the server's, so that the server checks it."""
        return self._compared("regex", pattern)

    def exists(self, value: bool = True) -> Filter:
        """There at all, be it as null; with `False`, not there."""
        return self._compared("exists", value)

    def is_null(self, value: bool = True) -> Filter:
        """Null; with `False`, not null."""
        return self._compared("is_null", value)

    def text(self, value: str) -> Filter:
        """The API's text search: in most of its stores, a text that has `value` in it, in whatever case."""
        return self._compared("text", value)

    def phrase(self, value: str) -> Filter:
        """A text with the words of `value` one after the other."""
        return self._compared("phrase", value)

    def words(self, value: str) -> Filter:
        """A text with every word of `value` as a whole word, compared on its English stem."""
        return self._compared("words", value)

    # The shapes of areas are not published; the operators' names are those of Qdrant, and so are the examples.

    def geo_radius(self, area: Mapping[str, object]) -> Filter:
        """A point within a circle. `area` is sent as it is: `{"center": {"lat": …, "lon": …}, "radius": metres}`."""
        return self._compared("geo_radius", area)

    def geo_bounding_box(self, area: Mapping[str, object]) -> Filter:
        """A point within a box. `area` is sent as it is: `{"top_left": {"lat": …, "lon": …}, "bottom_right": {…}}`."""
        return self._compared("geo_bounding_box", area)

    def geo_polygon(self, area: Mapping[str, object]) -> Filter:
        """A point within a polygon. `area` is sent as it is: `{"exterior": {"points": [{"lat": …, "lon": …}, …]}}`."""
        return self._compared("geo_polygon", area)

    def __bool__(self) -> NoReturn:
        raise InvalidArgumentError(f"{self!r} says nothing yet: compare it, or ask whether it is there by .exists()")

    def __and__(self, other: object) -> NoReturn:
        refuse_to_join(self)

    def __or__(self, other: object) -> NoReturn:
        refuse_to_join(self)

    __rand__ = __and__
    __ror__ = __or__

    def __invert__(self) -> NoReturn:
        raise InvalidArgumentError(f"~ negates a filter, and {self!r} is none yet: write {self!r}.exists(False)")

    def __contains__(self, value: object) -> NoReturn:
        raise InvalidArgumentError(f"Python's in cannot build a filter: write {self!r}.contains({shown(value)})")

    def __iter__(self) -> NoReturn:
        raise InvalidArgumentError(f"{self!r} is a name, and its values are on the server: compare it")

    def __repr__(self) -> str:
        return f"field({self.name!r})"

    def _compared(self, operator: str, value: object) -> Filter:
        if isinstance(value, Field | Filter):
            raise InvalidArgumentError(
                f"a field is compared with a value, not with {value!r}: the API compares no two fields"
            )
        return Condition(self.name, operator, value)


def _listed(values: object) -> list[JSON]:
    """The elements of any iterable that is meant as one."""
    if isinstance(values, str | bytes | Mapping | Field) or not isinstance(values, Iterable):
        raise InvalidArgumentError(f"is_in and nin take a list of values, not {shown(values)}")
    listed = [as_json(value, "the value of a filter") for value in values]
    # The order of a set is another one in every process, and would make another query of it.
    return sorted(listed, key=canonical) if isinstance(values, Set) else listed
