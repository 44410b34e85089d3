"""Base class of the models: an attrs class that msgspec decodes JSON into, and that keeps its raw JSON.

msgspec sets the fields of its own Structs in C, checked, in half of the time that any other class takes. attrs, cattrs
and type checkers know a class by its `__attrs_attrs__`. `model` makes a class that is both.
"""

import codecs
import json as jsonlib
import math
import os
import re
import reprlib
from collections.abc import Callable, Iterator, Set
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Annotated, Any, ClassVar, Self, TypeAlias, TypeVar, get_args, get_origin

import attrs
import msgspec

from mixpeek_async._text import printable
from mixpeek_async.errors import InvalidObjectError

JSON: TypeAlias = Any
"""Any JSON value: dict, list, str, int, float, bool or None."""

MAX_ID = 1024
Id: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_ID)]
"""What tells a row from all others. A walk remembers those of its rows, so that they are bounded."""

M = TypeVar("M", bound="Model")

UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for JSON that is broken, of a wrong type, or nested deeper than Python's stack."""

_MANY_DIGITS = 300
_PART = 256 * 1024

# A user's own fields may hold a whole document.
_short = reprlib.Repr()
_short.maxdict, _short.maxstring, _short.maxother = 6, 60, 60


@attrs.frozen(kw_only=True, slots=False, init=False, eq=False, repr=False)
class Model:
    """What all models share. A subclass has the decorator `@model(kw_only=True)`."""

    __slots__ = ("__weakref__",)

    _decode: ClassVar[Callable[[bytes], Any]]
    extra: dict[str, JSON] = attrs.field(factory=dict, repr=_short.repr)

    @classmethod
    def from_dict(cls, data: dict[str, JSON]) -> Self:
        """The model that an answer with this JSON object gives: strictly checked, unknown keys in `extra`.

        InvalidObjectError, with the path of the field, for a value of a wrong type or one that is no JSON.
        """
        try:
            json = _encode(_unstructure(data))
        except (TypeError, ValueError, RecursionError) as error:
            problem = printable(str(error), 300)
        else:
            return cls.from_json(json)
        raise InvalidObjectError(f"$: {problem}", path="$")

    @classmethod
    def from_json(cls, json: bytes | bytearray | str) -> Self:
        """The model of a JSON object's text, which must be UTF-8: as `from_dict`."""
        raw = json.encode("utf-8", "surrogatepass") if isinstance(json, str) else bytes(json)
        try:
            check_utf8(raw)
        except UnicodeDecodeError as error:
            problem = str(error)
        else:
            return structurer(cls, "$")(raw, 0)
        raise InvalidObjectError(f"$: {problem}", path="$", raw=raw)

    def to_dict(self) -> dict[str, JSON]:
        """The JSON object that came from the server, unchanged; for a model made in Python, its fields and `extra`."""
        raw = _json_of(get_raw(self))
        return _fields(self) if raw is None else read_json(raw)

    def to_json(self) -> bytes:
        """The text of `to_dict()`: the very bytes that came from the server, if it came from there."""
        raw = _json_of(get_raw(self))
        return _encode(_fields(self)) if raw is None else bytes(raw)

    def __eq__(self, other: object) -> bool:
        """Equal when of one class, with equal fields and equal `extra`."""
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in attrs.fields_dict(type(self)))

    def __ne__(self, other: object) -> bool:
        # That of msgspec.Struct is not the opposite of __eq__: it compares identities.
        return object.__ne__(self, other)

    def __hash__(self) -> int:
        raise TypeError(
            f"unhashable type: {type(self).__name__!r}, since its fields hold lists and dicts; "
            "compare or store its id, such as obj.object_id"
        )

    def __repr__(self) -> str:
        shown = [
            f"{field.name}={(field.repr if callable(field.repr) else repr)(getattr(self, field.name))}"
            for field in _shown_fields(type(self))
        ]
        return f"{type(self).__name__}({', '.join(shown)})"

    def __rich_repr__(self) -> Iterator[tuple[str, Any]]:
        # Without this, rich would take the one of msgspec.Struct, which shows every field.
        for field in _shown_fields(type(self)):
            value = getattr(self, field.name)
            yield field.name, field.repr(value) if callable(field.repr) else value

    def __replace__(self, **changes: Any) -> Self:
        """What `copy.replace` calls, from Python 3.13 on."""
        return attrs.evolve(self, **changes)

    def __reduce__(self) -> tuple[Any, ...]:
        fields = {name: getattr(self, name) for name in attrs.fields_dict(type(self))}
        raw = _json_of(get_raw(self))
        if raw is None:
            return from_fields, (type(self), fields, None)
        del fields["extra"]
        return from_fields, (type(self), fields, bytes(raw))


def json_fields(cls: type[Model]) -> list["attrs.Attribute[Any]"]:
    """The fields that have a key in JSON: all but `extra`."""
    return [field for field in attrs.fields(cls) if field.name != "extra"]


def _shown_fields(cls: type[Model]) -> list["attrs.Attribute[Any]"]:
    # `extra`, of the base class, comes first for attrs; a reader looks for it at the end.
    return [field for field in (*json_fields(cls), attrs.fields_dict(cls)["extra"]) if field.repr]


def from_fields(cls: type[M], fields: dict[str, Any], raw: bytes | None) -> M:
    """A `cls` of these fields, which came from the JSON `raw`; models among them know their own raw JSON."""
    model = cls(**fields)
    set_raw(model, raw)
    _set_linked(model, True)
    return model


def _without_key(default: Any) -> Any:
    # msgspec has no such field, so its key is random: no server can guess it.
    return msgspec.field(default=default, name=os.urandom(16).hex())


class Stored(msgspec.Struct, kw_only=True, eq=False):
    """The fields of a model that no key of an answer may fill. A user's own key may be called `extra`, too.

    `_raw` leads to the raw JSON (see `_json_of`); it is None in a model that was made in Python, and there alone
    `extra` holds something. `_linked` is True when the models in this one know where their raw JSON is.
    """

    _raw: bytes | None = _without_key(None)
    _linked: bool = _without_key(False)
    extra: dict[str, JSON] | None = _without_key(None)


# attrs freezes the fields for everybody who assigns to them; these go around it.
get_raw: Callable[[Any], Any] = vars(Stored)["_raw"].__get__
set_raw: Callable[[Any, Any], None] = vars(Stored)["_raw"].__set__
_is_linked: Callable[[Any], bool] = vars(Stored)["_linked"].__get__
_set_linked: Callable[[Any, bool], None] = vars(Stored)["_linked"].__set__
split_keys = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


# --- from an attrs class to a struct ---


def model(*, kw_only: bool) -> Callable[[type[M]], type[M]]:
    """Make a class a model. attrs reads its fields, and makes no methods: those of msgspec would replace them."""

    def decorate(cls: type[M]) -> type[M]:
        return _as_struct(attrs.define(cls, kw_only=kw_only, slots=False, init=False, repr=False, eq=False))

    return decorate


def _as_struct(cls: type[M]) -> type[M]:
    """A msgspec.Struct with the fields of the attrs class `cls`, which is an attrs class to everybody, too.

    Work for what most programs never look at is done when it is first read, in properties.
    """
    fields = {field.name: field for field in json_fields(cls)}
    methods = {name: value for name, value in vars(cls).items() if not (name.startswith("__") or name in fields)}
    struct: Any = msgspec.defstruct(
        cls.__name__,
        [_struct_field(field) for field in fields.values()],
        bases=(Model, Stored),
        module=cls.__module__,
        namespace={**methods, "__doc__": cls.__doc__, "__attrs_attrs__": attrs.fields(cls)},
        kw_only=True,
        eq=False,
    )
    struct._decode = msgspec.json.Decoder(struct).decode
    # msgspec has read the types by now. Those that a program reads are the ones that it gets.
    struct.__annotations__ = {name: field.type for name, field in fields.items()}
    many = {name: get_origin(field.type) is list for name, field in fields.items() if inner_model(field.type)}
    link = _linker([(name, getattr(struct, name).__get__, is_list) for name, is_list in many.items()])
    for name, field in fields.items():
        if name in many:
            setattr(struct, name, _inner_property(getattr(struct, name), link, many=many[name]))
        elif datetime in get_args(field.type):
            setattr(struct, name, _date_property(getattr(struct, name)))
    struct.extra = _extra_property(struct.extra, fields.keys())
    return struct  # type: ignore[no-any-return]  # made at run time


def _struct_field(field: "attrs.Attribute[Any]") -> tuple[Any, ...]:
    # Some servers send null for an empty list.
    hint = field.type | None if inner_model(field.type) else field.type  # type: ignore[operator]  # at run time
    match field.default:
        case attrs.NOTHING:
            return field.name, hint
        case attrs.Factory():  # type: ignore[misc]  # a function to mypy
            return field.name, hint, msgspec.field(default_factory=field.default.factory)
        case default:
            return field.name, hint, default


def inner_model(hint: Any) -> type[Model] | None:
    """The model within a field of type `list[model]` or `model | None`."""
    return next((arg for arg in get_args(hint) if isinstance(arg, type) and issubclass(arg, Model)), None)


def _date_property(member: Any) -> property:
    get, put = member.__get__, member.__set__

    def read(model: Model) -> datetime | None:
        date: datetime | None = get(model)
        if date is not None and date.tzinfo is None:
            # RFC 3339 wants a zone, yet Python servers leave it out of their UTC times.
            date = date.replace(tzinfo=UTC)
            put(model, date)
        return date

    return property(read)


def _inner_property(member: Any, link: Callable[[Model], None], *, many: bool) -> property:
    get, put = member.__get__, member.__set__

    def read(model: Model) -> Any:
        value = get(model)
        if value:
            if not _is_linked(model):
                link(model)
        elif many and value is None:
            value = []
            put(model, value)
        return value

    return property(read)


def _linker(inner: list[tuple[str, Callable[[Model], Any], bool]]) -> Callable[[Model], None]:
    """A function that tells the models within a model where their raw JSON is. `inner` is name, getter, is a list."""

    def link(model: Model) -> None:
        # Once, so that what a program adds to a list later is not taken for what came.
        _set_linked(model, True)
        raw = get_raw(model)
        if raw is None:
            return
        for name, get, many in inner:
            value = get(model)
            if value and many:
                items = _Items(raw, name)
                for index, item in enumerate(value):
                    set_raw(item, (items, index))
            elif value:
                set_raw(value, (raw, name))

    return link


class _Items(msgspec.Struct):
    """The list under `name` of a model's raw JSON. It is split once, however many of its items are asked for."""

    outer: Any
    name: str
    parts: list[msgspec.Raw] | None = None


def _json_of(raw: Any) -> Any:
    """The raw JSON itself, for a model within a model: (raw JSON of the outer one, name) or (`_Items`, index)."""
    if type(raw) is not tuple:
        return raw
    outer, key = raw
    if type(outer) is not _Items:
        return split_keys(_json_of(outer))[key]
    if outer.parts is None:
        outer.parts = msgspec.json.decode(split_keys(_json_of(outer.outer))[outer.name], type=list[msgspec.Raw])
    return outer.parts[key]


def _extra_property(member: Any, known: Set[str]) -> property:
    get, put = member.__get__, member.__set__

    def extra(model: Model) -> dict[str, JSON]:
        """The keys that have no field here, with their values. From raw JSON, they are decoded at each access."""
        raw, value = _json_of(get_raw(model)), get(model)
        if raw is not None:
            return {key: read_json(value) for key, value in split_keys(raw).items() if key not in known}
        if value is None:
            value = {}
            put(model, value)
        return value  # type: ignore[no-any-return]  # Any, from the slot

    return property(extra)


# --- JSON to models, and back ---


def decoder(cls: type[M]) -> Callable[[bytes], M]:
    """A function from JSON to a `cls`. It coerces nothing, and raises one of UNREADABLE."""
    decode = cls._decode

    def read(json: bytes) -> M:
        model: M = decode(json)
        set_raw(model, json)
        return model

    return read


def structurer(cls: type[M], root: str = "$.results[{}]") -> Callable[[Any, int], M]:
    """A function that makes a `cls` of row number `index` of a page, or raises InvalidObjectError.

    `root` is the JSON path of the row.
    """
    decode = cls._decode

    def structure(row: Any, index: int) -> M:
        # A copy: msgspec.Raw is a view that would keep its whole page alive.
        json = bytes(row)
        try:
            # As `decoder` has it, without the call: this runs for every object of a walk.
            model: M = decode(json)
        except UNREADABLE as error:
            problem, path = describe(error, root.format(index))
        else:
            set_raw(model, json)
            return model
        raise InvalidObjectError(f"{path}: {problem}", path=path, raw=json)

    return structure


def describe(error: Exception, root: str) -> tuple[str, str]:
    """What msgspec found wrong, and where, as a JSON path below `root`."""
    if isinstance(error, RecursionError):
        return "nested too deeply", root
    problem, _, place = str(error).partition(" - at ")
    found = re.search(r"`\$(.*)`", place)
    return printable(problem, 300), root + printable(found[1] if found else "", 300)


def check_utf8(json: bytes | bytearray) -> None:
    """UnicodeDecodeError for text that is not UTF-8. msgspec does not look into the strings that it skips."""
    # This makes no text of a page of plain ASCII.
    if json.isascii():
        return
    # In parts: the text of the whole takes up to four times its memory.
    decoder = codecs.getincrementaldecoder("utf-8")()
    for start in range(0, len(json), _PART):
        decoder.decode(json[start : start + _PART])
    decoder.decode(b"", final=True)


def read_json(json: Any) -> JSON:
    """The value of JSON text. A number beyond any int or float is a Decimal."""
    try:
        return msgspec.json.decode(json)
    except msgspec.ValidationError:
        return jsonlib.loads(bytes(json), parse_int=_exactly(int), parse_float=_exactly(float))


def _exactly(kind: type[int] | type[float]) -> Callable[[str], Any]:
    def parse(digits: str) -> Any:
        if len(digits) < _MANY_DIGITS and math.isfinite(float(digits)):
            return kind(digits)
        try:
            return Decimal(digits)
        except InvalidOperation:  # more than even a Decimal holds
            return float(digits)

    return parse


_encode = msgspec.json.Encoder(decimal_format="number").encode


def _fields(model: Model) -> dict[str, JSON]:
    """The JSON object of a model that was made in Python."""
    fields = {field.name: _unstructure(getattr(model, field.name)) for field in json_fields(type(model))}
    return {**fields, **_unstructure(model.extra), **fields}


def _unstructure(value: Any) -> JSON:
    match value:
        case Model():
            return value.to_dict()
        case list() | tuple():
            return [_unstructure(item) for item in value]
        case dict():
            if not all(isinstance(key, str) for key in value):
                raise TypeError("a JSON object has strings as keys only")
            return {key: _unstructure(item) for key, item in value.items()}
        case Enum():
            return value.value
        case datetime():
            return value.isoformat()
        case float() if not math.isfinite(value):
            # msgspec would write null in its place.
            raise ValueError(f"JSON has no number {value}")
        case _:
            return value
