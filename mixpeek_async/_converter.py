"""The package's cattrs converter, and rows as objects of a user's own class.

cattrs' ready-made converters coerce: null becomes "None", "7" becomes 7, and a string becomes a list of its letters.
Each hook here refuses a value that is not of the declared type.
"""

import dataclasses
from collections.abc import Callable, Mapping, MutableMapping, MutableSequence, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, TypeVar, get_args, get_origin
from uuid import UUID

import attrs
import cattrs
import msgspec
from cattrs.cols import list_structure_factory, mapping_structure_factory
from cattrs.strategies import configure_union_passthrough

from mixpeek_async._model import UNREADABLE, Model, describe, read_json
from mixpeek_async._text import printable
from mixpeek_async.errors import InvalidArgumentError, InvalidObjectError

T = TypeVar("T")
Hook = Callable[[Any, Any], Any]

# JSON has these as strings. msgspec reads them strictly, in the forms of RFC 3339 and the like.
_AS_STRINGS = (bytes, date, time, timedelta, Decimal, UUID)
_LISTS: dict[Any, Callable[[list[Any]], Any]] = {
    list: list,
    Sequence: tuple,
    MutableSequence: list,
    tuple: tuple,
    set: set,
    AbstractSet: set,
    frozenset: frozenset,
}
_DICTS = (dict, Mapping, MutableMapping)


def strict_converter() -> cattrs.Converter:
    """A new converter with the hooks of this module. Its dates are always aware; our models keep unknown keys."""
    made = cattrs.Converter()
    configure_union_passthrough(str | bool | int | float | None, made)
    made.register_structure_hook_factory(_is_class, _class_hook)
    made.register_structure_hook_factory(_is_enum, _enum_hook)
    made.register_structure_hook_factory(lambda hint: _bare(hint) in _LISTS, _list_hook)
    made.register_structure_hook_factory(lambda hint: _bare(hint) in _DICTS, _dict_hook)
    for scalar in (str, int, float, bool, *_AS_STRINGS):
        made.register_structure_hook(scalar, msgspec.convert)
    made.register_structure_hook(datetime, _aware_datetime)
    for scalar in (*_AS_STRINGS, datetime):
        made.register_unstructure_hook(scalar, msgspec.to_builtins)
    made.register_structure_hook_factory(_is_model, lambda cls: lambda value, _: cls.from_dict(value))
    made.register_unstructure_hook_factory(_is_model, lambda cls: cls.to_dict)
    return made


def class_structurer(
    cls: type[T], converter: cattrs.BaseConverter | None, root: str = "$.results[{}]"
) -> Callable[[Any, int], T]:
    """A function that makes a `cls`, a user's class, of row number `index` of a page, or raises InvalidObjectError.

    InvalidArgumentError for what is no attrs class or dataclass, and for a class that `converter` has no hook for.
    """
    if not _is_class(cls):
        raise InvalidArgumentError(f"model must be an attrs class or a dataclass, not {cls!r:.100}")
    try:
        hook = (converter or default).get_structure_hook(cls)
    except Exception as error:
        raise InvalidArgumentError(f"the converter cannot structure {cls!r:.100}: {error}") from error

    def structure(row: Any, index: int) -> T:
        json = bytes(row)
        try:
            return hook(read_json(json), cls)  # type: ignore[no-any-return]  # a hook for `cls` makes one
        # A user's hooks and validators may raise anything.
        except Exception as error:
            problem, path = _locate(error, root.format(index))
        raise InvalidObjectError(f"{path}: {problem}", path=path, raw=json)

    return structure


def _locate(error: Exception, path: str) -> tuple[str, str]:
    """The first problem in what cattrs raised, and its JSON path. Without cattrs' detailed validation: the row's."""
    while isinstance(error, cattrs.ClassValidationError | cattrs.IterableValidationError):
        noted, plain = error.group_exceptions()
        if not noted:
            error = plain[0]
            continue
        error, note = noted[0]
        key = note.name if isinstance(note, cattrs.AttributeValidationNote) else note.index
        path += f"[{key}]" if isinstance(key, int) else f".{key}"
    if isinstance(error, InvalidObjectError) and error.path:
        return error.message.removeprefix(f"{error.path}: "), path + error.path.removeprefix("$")
    if isinstance(error, UNREADABLE):
        return describe(error, path)
    if isinstance(error, KeyError):
        return "Required key is missing", path
    return printable(_describe(error), 300), printable(path, 300)


def _describe(error: Exception) -> str:
    """What a converter, a hook or a validator raised: the text of a refusal, else the kind of the error as well."""
    # The validators of attrs put the attribute and the value behind the text.
    text = str(error.args[0]) if error.args else ""
    is_refusal = isinstance(error, ValueError | TypeError | InvalidObjectError) and bool(text)
    return text if is_refusal else ": ".join(filter(None, [type(error).__name__, text]))


def _bare(hint: Any) -> Any:
    return get_origin(hint) or hint


def _is_model(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, Model)


def _is_class(hint: Any) -> bool:
    cls = _bare(hint)
    return isinstance(cls, type) and (attrs.has(cls) or dataclasses.is_dataclass(cls))


def _is_enum(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, Enum)


def _expect(kind: type, value: Any) -> None:
    if type(value) is not kind:
        # It raises, in its own words, for what is not a `kind`.
        msgspec.convert(value, kind)


def _aware_datetime(value: Any, _: Any) -> datetime:
    moment = msgspec.convert(value, datetime)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _strict(kind: type, structure: Hook) -> Hook:
    """`structure`, for values of `kind` only."""

    def checked(value: Any, hint: Any) -> Any:
        _expect(kind, value)
        return structure(value, hint)

    return checked


def _class_hook(hint: Any, converter: cattrs.Converter) -> Hook:
    return _strict(dict, converter.gen_structure_attrs_fromdict(hint))


def _enum_hook(hint: Any) -> Hook:
    def structure(value: Any, _: Any) -> Any:
        member = hint(value)
        # True and 1.0 are 1 to Python.
        _expect(type(member.value), value)
        return member

    return structure


def _list_hook(hint: Any, converter: cattrs.Converter) -> Hook:
    items, make = get_args(hint) or (Any,), _LISTS[_bare(hint)]
    if make is tuple and len(items) > 1 and items[1] is not Ellipsis:
        # A list of another length is refused by zip.
        return _strict(
            list, lambda value, _: tuple(converter.structure(*pair) for pair in zip(value, items, strict=True))
        )
    hook: Hook = list_structure_factory(list[items[0]], converter)  # type: ignore[valid-type]  # at run time
    return _strict(list, lambda value, hint: make(hook(value, hint)))


def _dict_hook(hint: Any, converter: cattrs.Converter) -> Hook:
    return _strict(dict, mapping_structure_factory(hint, converter))


default: cattrs.Converter = strict_converter()
