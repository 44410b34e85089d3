"""What all nouns are: attrs classes that remember the JSON they came from."""

import json as jsonlib
import math
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any, ClassVar, TypeAlias, TypeVar, dataclass_transform, get_args, get_origin

import attrs
import msgspec

_Path: TypeAlias = tuple[str | int, ...]
JSON: TypeAlias = Any
"""Whatever JSON can say: dict, list, str, int, float, bool or None."""

T = TypeVar("T")

_MANY_DIGITS = 300


class Record:
    """What all nouns share: the memory of the JSON they came from.

    `_origin` is the JSON of the outermost noun and the way from there to this one. It is a slot and not an attrs
    field, so that no key of an answer can ever fill it, and is read only when asked for, so that a walk pays for
    unknown keys only where somebody looks at them. A noun's fields are in its `__dict__`, as decoded: one
    assignment makes a noun of a checked dict, where slots would cost one for each field.
    """

    __slots__ = ("__dict__", "__weakref__", "_origin")
    _origin: tuple[bytes, _Path]
    # Every subclass is an attrs class; this is how type checkers know one, for attrs.asdict() and its like.
    __attrs_attrs__: ClassVar[Any]

    @property
    def extra(self) -> dict[str, JSON]:
        """The keys that came and have no field of this class, with their values; `{}` for one made by hand."""
        known = attrs.fields_dict(type(self))
        return {key: value for key, value in (self._came() or {}).items() if key not in known}

    def to_dict(self) -> dict[str, JSON]:
        """The JSON object that came from the server, unchanged; for a noun made by hand, its fields."""
        came = self._came()
        return _plain(self) if came is None else came

    def _came(self) -> dict[str, JSON] | None:
        try:
            json, path = self._origin
        except AttributeError:
            return None
        value: JSON = _read_json(json)
        for step in path:
            value = value[step]
        return value  # type: ignore[no-any-return]

    def __eq__(self, other: object) -> bool:
        """Equal when of one class, with equal fields and equal `extra`."""
        if type(other) is not type(self):
            return NotImplemented
        return _values(self) == _values(other) and self.extra == other.extra

    # Fields hold lists and dicts, so that there is no honest hash: compare `object_id` to find a repeat.
    __hash__: ClassVar[None] = None  # type: ignore[assignment]

    def __getstate__(self) -> dict[str, Any]:
        state = {name: getattr(self, name) for name in attrs.fields_dict(type(self))}
        if hasattr(self, "_origin"):
            state["_origin"] = self._origin
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            object.__setattr__(self, name, value)


_set_fields = vars(Record)["__dict__"].__set__
_set_origin = vars(Record)["_origin"].__set__
N = TypeVar("N", bound=Record)


def adopt(cls: type[N], fields: dict[str, Any], json: bytes, path: _Path = ()) -> N:
    """A noun of `fields`, decoded from `json` and checked against the types of `cls`; the dict becomes its own."""
    noun = cls.__new__(cls)
    _set_fields(noun, fields)
    _set_origin(noun, (json, path))
    return noun


def _read_json(json: bytes) -> JSON:
    try:
        return msgspec.json.decode(json)
    except msgspec.ValidationError:  # a number that no int or float of Python's holds, under a key without a field
        return jsonlib.loads(json, parse_int=_exactly(int), parse_float=_exactly(float))


def _exactly(kind: type[int] | type[float]) -> Callable[[str], Any]:
    def parse(digits: str) -> Any:
        if len(digits) < _MANY_DIGITS and math.isfinite(float(digits)):
            return kind(digits)
        try:
            return Decimal(digits)
        except InvalidOperation:  # more than even a Decimal holds
            return float(digits)

    return parse


def _values(record: Record) -> list[Any]:
    return [getattr(record, name) for name in attrs.fields_dict(type(record))]


def _plain(value: Any) -> JSON:
    """A noun made by hand in the words of the wire."""
    match value:
        case Record():
            return {name: _plain(getattr(value, name)) for name in attrs.fields_dict(type(value))}
        case list():
            return [_plain(item) for item in value]
        case Enum():
            return value.value
        case datetime():
            return value.isoformat()
        case _:
            return value


class _Nested:
    """A field of nouns inside a noun: decoded with it as dicts, made nouns when somebody first looks.

    Most walks never look at most of them. What is wrong with them was found when the outer noun was decoded.
    """

    def __init__(self, name: str, cls: type[Record], *, many: bool) -> None:
        self.name, self.cls, self.many = name, cls, many

    def __get__(self, noun: Record | None, owner: type[Record]) -> Any:
        if noun is None:
            return self
        fields = vars(noun)
        value = fields.get(self.name)
        if self.many:
            if value is None:
                value = fields[self.name] = []
            elif value and type(value[0]) is dict:
                value[:] = [self._adopt(noun, item, (self.name, index)) for index, item in enumerate(value)]
        elif type(value) is dict:
            value = fields[self.name] = self._adopt(noun, value, (self.name,))
        return value

    def __set__(self, noun: Record, value: Any) -> None:
        vars(noun)[self.name] = value

    def _adopt(self, noun: Record, fields: dict[str, Any], way: _Path) -> Record:
        json, path = noun._origin
        return adopt(self.cls, fields, json, (*path, *way))


@dataclass_transform(frozen_default=True, kw_only_default=True, eq_default=False, field_specifiers=(attrs.field,))
def record(cls: type[T]) -> type[T]:
    """Make a subclass of Record an attrs class: frozen, by keyword only, its nested nouns made when looked at."""
    # Equality, hash and pickling are Record's, since attrs would leave `_origin` out of all three.
    made = attrs.define(cls, slots=False, frozen=True, kw_only=True, eq=False, getstate_setstate=False)
    hints = record_fields(made)
    for field in attrs.fields(made):  # type: ignore[arg-type]  # it has just been made an attrs class
        name, hint, default = field.name, hints[field.name], field.default
        inner = inner_record(hint)
        if inner is not None:
            setattr(made, name, _Nested(name, inner, many=get_origin(hint) is list))
        elif default is not attrs.NOTHING:
            # What did not come is not in the `__dict__`: it is found here.
            setattr(made, name, default)
    return made


def record_fields(cls: type[Any]) -> dict[str, Any]:
    """The fields of a noun and their types."""
    return {field.name: field.type for field in attrs.fields(cls)}


def inner_record(hint: Any) -> type[Record] | None:
    """The noun inside a field of type `list[noun]` or `noun | None`."""
    return next((arg for arg in get_args(hint) if isinstance(arg, type) and issubclass(arg, Record)), None)
