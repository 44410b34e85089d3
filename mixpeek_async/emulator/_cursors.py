"""Cursors: opaque texts that name the last row sent, so that they stay right when rows before it come or go."""

import base64
import re

import attrs

from mixpeek_async.emulator._selection import RowKey


@attrs.frozen
class Partition:
    """Part `index`, from 0, of `count` disjoint parts of a list."""

    index: int
    count: int


@attrs.frozen
class Cursor:
    """The last row sent, and the partition that it is in, if the list was partitioned."""

    key: RowKey
    partition: Partition | None = None


def encode_cursor(cursor: Cursor) -> str:
    part = "" if cursor.partition is None else f"{cursor.partition.index}/{cursor.partition.count}"
    return _encode(f"after:{cursor.key.sequence}:{cursor.key.sort_key.hex()}:{part}")


def decode_cursor(text: str) -> Cursor | None:
    """The cursor that `text` is; None if this server cannot have sent it."""
    # 18 digits always fit SQLite's integers.
    found = re.fullmatch(r"after:([1-9][0-9]{0,17}):((?:[0-9a-f]{2})*):(?:([0-9]{1,3})/([0-9]{1,3}))?", _decode(text))
    if found is None:
        return None
    partition = Partition(int(found[3]), int(found[4])) if found[3] else None
    cursor = Cursor(RowKey(int(found[1]), bytes.fromhex(found[2])), partition)
    # base64 ignores invalid characters: encode again and compare.
    return cursor if encode_cursor(cursor) == text else None


# Events have cursors of their own kind, so that one of a list is refused here and the other way round.
def encode_event_cursor(sequence: int) -> str:
    return _encode(f"event:{sequence}")


def decode_event_cursor(text: str) -> int | None:
    """The sequence of the event that `text` points at; None if this server cannot have sent it."""
    found = re.fullmatch(r"event:([1-9][0-9]{0,17})", _decode(text))
    return int(found[1]) if found and encode_event_cursor(int(found[1])) == text else None


def _encode(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode("ascii")


def _decode(text: str) -> str:
    """The text within; empty if there is none."""
    try:
        return base64.urlsafe_b64decode(text.encode("ascii")).decode("ascii")
    except ValueError:
        return ""
