"""Which rows make up a list, in which order, and how the position of a row in it is written."""

import json
from typing import NamedTuple

import attrs

from mixpeek_async.emulator._filters import Clause


class RowKey(NamedTuple):
    """The position of a row in a list. `sort_key` is the value that the list is sorted by, empty without a sort."""

    sequence: int
    sort_key: bytes = b""


class Row(NamedTuple):
    """One stored record, with the columns that an answer needs besides its text."""

    sequence: int
    body: str
    status: str
    blobs: int
    sort_key: bytes

    @property
    def key(self) -> RowKey:
        return RowKey(self.sequence, self.sort_key)


@attrs.frozen
class Selection:
    """The rows of `table` that meet all `clauses`, in creation order or sorted by a field."""

    table: str
    clauses: tuple[Clause, ...]
    sort: str | None = None
    descending: bool = False

    @property
    def sorted(self) -> Clause:
        """A SELECT of the rows, each with its sort key."""
        key = "x''" if self.sort is None else "sort_key(body, ?)"
        where = " AND ".join(["1", *(clause.sql for clause in self.clauses)])
        parameters = [] if self.sort is None else [json.dumps(self.sort)]
        return Clause(
            f"SELECT sequence, body, status, blobs, {key} AS sort_key FROM {self.table} WHERE {where}",
            (*parameters, *(each for clause in self.clauses for each in clause.parameters)),
        )

    @property
    def order(self) -> str:
        return "sequence" if self.sort is None else f"sort_key {'DESC' if self.descending else ''}, sequence"

    def after(self, key: RowKey | None) -> Clause:
        """The condition that a row comes after `key`."""
        if key is None:
            return Clause()
        if self.sort is None:
            return Clause("sequence > ?", (key.sequence,))
        beyond = "<" if self.descending else ">"
        return Clause(
            f"(sort_key {beyond} ? OR sort_key = ? AND sequence > ?)", (key.sort_key, key.sort_key, key.sequence)
        )


def objects_of(bucket: str) -> Clause:
    """The condition that a row is an object of `bucket`."""
    return Clause("bucket_id = ?", (bucket,))
