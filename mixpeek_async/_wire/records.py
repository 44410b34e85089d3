"""JSON to nouns: the package's one cattrs converter.

Its structure hooks take the JSON text of a record, not a dict: msgspec decodes that straight into the attrs
class in one pass, strictly (nothing is coerced: cattrs' ready-made converters turn null into "None" and "7" into
7) and names the field that is wrong.
"""

import operator
import re
import typing
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import attrs
import cattrs
import msgspec

from mixpeek_async._text import printable
from mixpeek_async.errors import InvalidObjectError
from mixpeek_async.models import Record

__all__ = ["UNREADABLE", "converter", "explain", "identifier", "structurer"]

R = TypeVar("R", bound=Record)
_Adopt = Callable[[Any, bytes, tuple[str | int, ...]], None]

UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What msgspec raises at JSON that is broken, of a wrong type, or nested deeper than Python's stack."""

converter = cattrs.Converter()


@converter.register_structure_hook_factory(lambda cls: isinstance(cls, type) and issubclass(cls, Record))
def _record_hook(cls: type[R]) -> Callable[[Any, Any], R]:
    decoder = msgspec.json.Decoder(cls)
    adopt = _adopter(cls)

    def structure(raw: Any, _: Any) -> R:
        # A copy: msgspec.Raw is a view that would keep its whole page alive.
        json = bytes(raw)
        record = decoder.decode(json)
        adopt(record, json, ())
        return record

    return structure


def structurer(cls: type[R]) -> Callable[[Any, int], R]:
    """A function that makes a `cls` of row number `index` of a page, or raises InvalidObjectError."""
    hook: Callable[[Any, Any], R] = converter.get_structure_hook(cls)

    def structure(row: Any, index: int) -> R:
        try:
            return hook(row, cls)
        except UNREADABLE as error:
            problem, path = explain(error, f"$.results[{index}]")
        raise InvalidObjectError(f"{path}: {problem}", path=path, raw=bytes(row))

    return structure


def identifier(key: str) -> Callable[[Any], str | None]:
    """A function that reads the string under `key` of a row and nothing else; None where there is none."""
    decoder = msgspec.json.Decoder(msgspec.defstruct("Identified", [(key, str)]))
    get = operator.attrgetter(key)

    def identify(row: Any) -> str | None:
        try:
            return get(decoder.decode(row))  # type: ignore[no-any-return]  # the decoder lets only a string through
        except UNREADABLE:
            return None

    return identify


def explain(error: Exception, root: str) -> tuple[str, str]:
    """What msgspec found wrong, and where, as a JSON path below `root`."""
    if isinstance(error, RecursionError):
        return "nested too deeply", root
    problem, _, place = str(error).partition(" - at ")
    found = re.search(r"`\$(.*)`", place)
    return printable(problem, 300), root + printable(found[1] if found else "", 300)


def _adopter(cls: type[Record]) -> _Adopt:
    """A function that tells a record of `cls`, and those inside it, where in which JSON they came from.

    It also makes dates aware: RFC 3339 wants a zone, yet Python servers leave it out of their UTC times.
    """
    remember = vars(Record)["_origin"].__set__  # the slot itself: past the frozen __setattr__, and fast
    change = object.__setattr__
    inner = [(name, _adopter(child), many) for name, child, many in _records_inside(cls)]
    dates = [name for name, kind in _fields(cls) if datetime in typing.get_args(kind)]

    def adopt(record: Record, json: bytes, path: tuple[str | int, ...]) -> None:
        remember(record, (json, path))
        for name in dates:
            date = getattr(record, name)
            if date is not None and date.tzinfo is None:
                change(record, name, date.replace(tzinfo=UTC))
        for name, adopt_inner, many in inner:
            value = getattr(record, name)
            if many:
                for index, item in enumerate(value):
                    adopt_inner(item, json, (*path, name, index))
            elif value is not None:
                adopt_inner(value, json, (*path, name))

    return adopt


def _records_inside(cls: type[Record]) -> list[tuple[str, type[Record], bool]]:
    """The fields of `cls` that hold records: name, class, and whether it is a list of them."""
    found = []
    for name, kind in _fields(cls):
        for arg in typing.get_args(kind):
            if isinstance(arg, type) and issubclass(arg, Record):
                found.append((name, arg, typing.get_origin(kind) is list))
    return found


def _fields(cls: type[Record]) -> list[tuple[str, Any]]:
    hints = typing.get_type_hints(cls)
    return [(name, hints[name]) for name in attrs.fields_dict(cls)]  # type: ignore[arg-type]  # every Record is an attrs class
