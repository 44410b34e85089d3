"""JSON to nouns: the package's one cattrs converter.

Its structure hooks take the JSON text of a record, not a dict: msgspec decodes and checks that in one pass, strictly
(nothing is coerced: cattrs' ready-made converters turn null into "None" and "7" into 7), and names the field that is
wrong. What it decodes into is a TypedDict made from the attrs class, whose dict becomes the noun's own.
"""

import functools
import hashlib
import operator
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, NotRequired, TypedDict, TypeVar, get_args, get_origin

import attrs
import msgspec

from mixpeek_async._record import Record, adopt, inner_record, record_fields
from mixpeek_async._text import printable
from mixpeek_async.errors import InvalidObjectError

if TYPE_CHECKING:
    import cattrs

R = TypeVar("R", bound=Record)

UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What msgspec raises at JSON that is broken, of a wrong type, or nested deeper than Python's stack."""


@functools.cache
def converter() -> "cattrs.Converter":
    """The converter, made for the first answer: importing cattrs costs as much as a tenth of this package."""
    import cattrs

    made = cattrs.Converter()
    made.register_structure_hook_factory(_is_record, _record_hook)
    return made


def _is_record(cls: Any) -> bool:
    return isinstance(cls, type) and issubclass(cls, Record)


def _record_hook(cls: type[R]) -> Callable[[Any, Any], R]:
    decode = _decoder(cls)

    def structure(raw: Any, _: Any) -> R:
        # A copy: msgspec.Raw is a view that would keep its whole page alive.
        json = bytes(raw)
        return adopt(cls, decode(json), json)

    return structure


def _decoder(cls: type[Record]) -> Callable[[bytes], dict[str, Any]]:
    """A function from JSON to the fields of `cls` that came, strictly checked; unknown keys are left out."""
    zoned = msgspec.json.Decoder(_mirror(cls, Annotated[datetime, msgspec.Meta(tz=True)]))
    naive = msgspec.json.Decoder(_mirror(cls, datetime))

    def decode(json: bytes) -> Any:
        try:
            return zoned.decode(json)
        except msgspec.ValidationError:
            return _with_zones(naive.decode(json))

    return decode


def _with_zones(fields: Any) -> Any:
    """RFC 3339 wants a zone, yet Python servers leave it out of their UTC times."""
    for name, value in fields.items():
        if isinstance(value, datetime) and value.tzinfo is None:
            fields[name] = value.replace(tzinfo=UTC)
    return fields


def _mirror(cls: type[Record], date: Any) -> Any:
    """`cls` as a TypedDict, for msgspec: a dict is made in a third of the time that an object's fields are set in."""
    optional = {name for name, field in attrs.fields_dict(cls).items() if field.default is not attrs.NOTHING}
    types = {name: _mirrored(hint, date) for name, hint in record_fields(cls).items()}
    fields = {name: NotRequired[kind] if name in optional else kind for name, kind in types.items()}
    return TypedDict(cls.__name__, fields)  # type: ignore[operator]  # made at run time, past type checkers


def _mirrored(hint: Any, date: Any) -> Any:
    inner = inner_record(hint)
    if inner is not None:
        mirror = _mirror(inner, date)
        return list[mirror] if get_origin(hint) is list else mirror | None  # type: ignore[valid-type]
    return date | None if datetime in get_args(hint) else hint


def structurer(cls: type[R]) -> Callable[[Any, int], R]:
    """A function that makes a `cls` of row number `index` of a page, or raises InvalidObjectError."""
    hook: Callable[[Any, Any], R] = converter().get_structure_hook(cls)

    def structure(row: Any, index: int) -> R:
        try:
            return hook(row, cls)
        except UNREADABLE as error:
            problem, path = explain(error, f"$.results[{index}]")
        raise InvalidObjectError(f"{path}: {problem}", path=path, raw=bytes(row))

    return structure


@functools.cache
def identifier(key: str) -> Callable[[Any], str]:
    """A function that reads the string under `key` of a row and nothing else; a digest of the row if there is none."""
    decoder = msgspec.json.Decoder(msgspec.defstruct("Identified", [(key, str)]))
    get = operator.attrgetter(key)

    def identify(row: Any) -> str:
        try:
            return get(decoder.decode(row))  # type: ignore[no-any-return]  # the decoder lets only a string through
        except UNREADABLE:
            return f"without {key}, digest {hashlib.blake2b(row, digest_size=8).hexdigest()}"

    return identify


def explain(error: Exception, root: str) -> tuple[str, str]:
    """What msgspec found wrong, and where, as a JSON path below `root`."""
    if isinstance(error, RecursionError):
        return "nested too deeply", root
    problem, _, place = str(error).partition(" - at ")
    found = re.search(r"`\$(.*)`", place)
    return printable(problem, 300), root + printable(found[1] if found else "", 300)
