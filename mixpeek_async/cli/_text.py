"""Text that is safe to print: nothing in it moves a cursor, breaks a line or changes the direction of writing."""

import json
import math
from datetime import datetime
from typing import Any

# What spreadsheets take for the start of a formula (OWASP, "CSV Injection"), also in its full-width form.
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")  # noqa: RUF001  # the wide characters are meant


def printable(text: str) -> str:
    r"""`text` in one line, with an escape such as `\x1b` for each character that is not printable."""
    # Most texts need nothing, and str.isprintable is much faster than a loop.
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def json_text(value: Any) -> str:
    """`value` as JSON in one line, with JSON's own escapes for characters that are not printable."""
    try:
        # A number that no float holds is a Decimal, and is written as text.
        text = json.dumps(value, ensure_ascii=False, default=str, allow_nan=False)
    except ValueError:
        text = json.dumps(_without_infinity(value), ensure_ascii=False, default=str)
    return _escape_json(text)


def json_document(value: Any) -> str:
    """The same in several lines, indented for people."""
    text = json.dumps(_without_infinity(value), ensure_ascii=False, default=str, indent=2)
    return "\n".join(map(_escape_json, text.split("\n")))


def plain(value: object) -> str:
    """A value as the text of one cell: empty for None, JSON for lists and dicts."""
    match value:
        case None:
            return ""
        case str():
            return printable(value)
        case datetime():
            return value.isoformat(timespec="seconds").replace("+00:00", "Z")
        case _:
            return json_text(value)


def spreadsheet_cell(value: object) -> str:
    """The same for a spreadsheet, which would run a text such as `=cmd()` as a formula: `'` makes it a text."""
    text = plain(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(_FORMULA) else text


def _escape_json(line: str) -> str:
    # Such characters are always inside of strings, where JSON has an escape for each.
    if line.isprintable():
        return line
    return "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in line)


def _without_infinity(value: Any) -> Any:
    """A copy with null in place of infinite numbers, as JavaScript does it: JSON cannot write them."""
    match value:
        case dict():
            return {key: _without_infinity(item) for key, item in value.items()}
        case list():
            return [_without_infinity(item) for item in value]
        case float() if not math.isfinite(value):
            return None
        case _:
            return value
