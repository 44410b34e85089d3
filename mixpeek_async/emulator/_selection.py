"""Which rows make up a list, in which order, and how the position of a row in it is written."""

from typing import Any, NamedTuple

import attrs

from mixpeek_async.emulator._filters import Clause
from mixpeek_async.emulator._paths import sort_key


class RowKey(NamedTuple):
    """The position of a row in a list. `sort_key` is the key of the field that sorts the list, empty without a sort."""

    sequence: int
    sort_key: bytes = b""


class Row(NamedTuple):
    """One stored record: its JSON text, and the columns that an answer needs besides."""

    sequence: int
    text: str
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
    def where(self) -> Clause:
        return Clause(
            # "1" is true: there may be no clause.
            " AND ".join(["1", *(clause.sql for clause in self.clauses)]),
            tuple(each for clause in self.clauses for each in clause.parameters),
        )

    @property
    def key(self) -> Clause:
        """The expression of a row's sort key. There is an index on dates of creation, on nothing else."""
        match self.sort:
            case None:
                return Clause("x''")
            case "created_at":
                return Clause("created")
            case field:
                return Clause("apply(body, container, ?)", (_SortKey(field),))

    @property
    def is_indexed(self) -> bool:
        """True if the sort keys are stored."""
        return self.sort in (None, "created_at")

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
        # The first comparison says nothing new, but an index can be used for it.
        return Clause(
            f"sort_key {beyond}= ? AND (sort_key {beyond} ? OR sequence > ?)",
            (key.sort_key, key.sort_key, key.sequence),
        )


@attrs.frozen
class _SortKey:
    field: str

    def __call__(self, record: Any) -> bytes:
        return sort_key(record, self.field)
