"""Which rows a list is made of, in which order, and where one of them stands."""

import json
from typing import NamedTuple

import attrs

from mixpeek_async.emulator._filters import Clause


class Mark(NamedTuple):
    """A row's place in a list: `key` is what the list is sorted by, empty where it is not."""

    sequence: int
    key: bytes = b""


class Row(NamedTuple):
    """One stored record, with what an answer needs besides its text."""

    sequence: int
    body: str
    status: str
    blobs: int
    key: bytes

    @property
    def mark(self) -> Mark:
        return Mark(self.sequence, self.key)


@attrs.frozen
class Selection:
    """Rows of `table` that meet all of `clauses`, in creation order or by a field."""

    table: str
    clauses: tuple[Clause, ...]
    sort: str | None = None
    descending: bool = False

    @property
    def sorted(self) -> Clause:
        """The rows, each with its key."""
        key = "x''" if self.sort is None else "sort_key(body, ?)"
        where = " AND ".join(["1", *(clause.sql for clause in self.clauses)])
        parameters = [] if self.sort is None else [json.dumps(self.sort)]
        return Clause(
            f"SELECT sequence, body, status, blobs, {key} AS key FROM {self.table} WHERE {where}",
            (*parameters, *(each for clause in self.clauses for each in clause.parameters)),
        )

    @property
    def order(self) -> str:
        return "sequence" if self.sort is None else f"key {'DESC' if self.descending else ''}, sequence"

    def behind(self, mark: Mark | None) -> Clause:
        """What is true of rows behind `mark`."""
        if mark is None:
            return Clause()
        if self.sort is None:
            return Clause("sequence > ?", (mark.sequence,))
        beyond = "<" if self.descending else ">"
        return Clause(f"(key {beyond} ? OR key = ? AND sequence > ?)", (mark.key, mark.key, mark.sequence))


def objects_of(bucket: str) -> Clause:
    """What is true of the objects of one bucket."""
    return Clause("bucket_id = ?", (bucket,))
