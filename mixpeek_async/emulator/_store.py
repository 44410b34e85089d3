"""The data of an emulator in SQLite: one connection, which any thread may use."""

import itertools
import json
import sqlite3
import threading
import weakref
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from os import PathLike
from typing import Any, NamedTuple

from mixpeek_async.emulator._errors import json_bytes
from mixpeek_async.emulator._filters import Clause
from mixpeek_async.emulator._paths import sort_key
from mixpeek_async.emulator._profiles import profile_of
from mixpeek_async.emulator._samples import (
    Container,
    Kind,
    Summary,
    sample_bucket,
    sample_collection,
    sample_summary,
    sample_text,
)
from mixpeek_async.emulator._schema import SCHEMA, VERSION
from mixpeek_async.emulator._selection import Row, RowKey, Selection

JsonObject = dict[str, Any]

SLICE = 1_000
"""Sample records are stored in slices of this size. Requests are answered between two slices."""

# Larger sizes are ignored, so that a sum of sizes fits SQLite's integers.
_MOST_BYTES = 2**40

_INSERT = (
    "INSERT INTO records (container, body, id, status, blobs, size, created, profile) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_UPDATE = (
    "UPDATE records SET body = ?, status = ?, blobs = ?, size = ?, created = ?, profile = ? "
    "WHERE container = ? AND id = ?"
)
_NEW_PROFILE = "INSERT OR IGNORE INTO profiles (id, body) VALUES (?, ?)"
_CONTAINER = "SELECT sequence, kind, id, source FROM containers WHERE kind = ?"


class Event(NamedTuple):
    """One entry of the change feed. `operation` is insert, update or delete; `at` is in Unix seconds."""

    sequence: int
    operation: str
    at: float
    id: str
    container: Container


class Store:
    """Buckets of objects and collections of documents, in memory (`:memory:`) or in the file `database`.

    `clock` gives Unix seconds for the change feed. An unknown container or record is a KeyError. ValueError for a
    file that another version made.
    """

    def __init__(self, database: str | PathLike[str], clock: Callable[[], float]) -> None:
        self._lock = threading.RLock()
        # Python's own check is off: the lock keeps threads apart, and the garbage collector may close from any thread.
        self._db = sqlite3.connect(database, check_same_thread=False)
        # An emulator that is never closed must not warn about an open connection.
        self.close: weakref.finalize[..., Any] = weakref.finalize(self, self._db.close)
        # The conditions of the running query. SQL can only pass numbers and texts, so it passes places in this list.
        self._functions: list[Callable[[Any], Any]] = []
        self._register(clock)
        self._open_schema(database)

    def _register(self, clock: Callable[[], float]) -> None:
        """Make `apply(body, container, ?)` and `partition(id, count)` known to SQL, and `now()` to its triggers.

        None of them may hold a reference to this store: the connection would never be closed then.
        """
        functions, db = self._functions, self._db

        @lru_cache(maxsize=256)
        def container(sequence: int) -> Container:
            row = db.execute("SELECT sequence, kind, id, source FROM containers WHERE sequence = ?", (sequence,))
            return Container(*row.fetchone())

        def text(body: str | int, sequence: int) -> str:
            return body if isinstance(body, str) else sample_text(container(sequence), body)

        # All conditions of a filter see the same row in turn, so a parsed row is used several times.
        @lru_cache(maxsize=128)
        def record(body: str | int, sequence: int) -> JsonObject:
            parsed: JsonObject = json.loads(text(body, sequence))
            return parsed

        db.create_function("apply", 3, lambda body, sequence, n: functions[n](record(body, sequence)))
        db.create_function("json_text", 2, text)
        db.create_function("partition", 2, partition_of)
        db.create_function("now", 0, clock)

    def _open_schema(self, database: str | PathLike[str]) -> None:
        # A new file has no tables. A file of another program or version is not touched.
        if not self._value("SELECT count(*) FROM sqlite_master"):
            self._db.executescript(f"BEGIN; {SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;")
        if self._value("PRAGMA user_version") != VERSION:
            self.close()
            raise ValueError(f"database {str(database)!r} was made by another version of the emulator; delete the file")
        # The triggers call now(), which SQLite trusts only where this is on.
        self._db.execute("PRAGMA trusted_schema = ON")

    def create(self, kind: Kind, identifier: str, fields: JsonObject, source: str = "") -> bool:
        """Create a container and return True; return False and change nothing if it exists."""
        with self._transaction():
            number = self._value("SELECT count(*) FROM containers WHERE kind = ?", kind)
            made = sample_bucket(identifier, number) if kind == "bucket" else None
            body = (made or sample_collection(identifier, number, source)) | fields
            row = (kind, identifier, str(body[f"{kind}_name"]), json_bytes(body).decode("ascii"), source)
            statement = (
                "INSERT OR IGNORE INTO containers (kind, id, name, body, source, created) VALUES (?, ?, ?, ?, ?, ?)"
            )
            return self._db.execute(statement, (*row, sort_key(body, "created_at"))).rowcount > 0

    def find(self, kind: Kind, identifier: str) -> Container | None:
        """The container that has this id, or else this name."""
        query = f"{_CONTAINER} AND ? IN (id, name) ORDER BY id <> ? LIMIT 1"
        rows = self._all(query, kind, identifier, identifier)
        return Container(*rows[0]) if rows else None

    def container(self, kind: Kind, identifier: str) -> Container:
        """The container that has this id."""
        rows = self._all(f"{_CONTAINER} AND id = ?", kind, identifier)
        if not rows:
            raise KeyError(f"no {kind} {identifier!r}; make it with create_{kind}()")
        return Container(*rows[0])

    def container_record(self, container: Container) -> JsonObject:
        """The record of a container, with its counts."""
        query = f"SELECT body FROM {container.kind}_rows WHERE sequence = ?"
        record: JsonObject = json.loads(self._value(query, container.sequence))
        return record

    def take_numbers(self, container: Container, count: int) -> range:
        """Reserve `count` numbers for new sample records."""
        with self._transaction():
            first: int = self._value("SELECT made FROM containers WHERE sequence = ?", container.sequence)
            self._db.execute("UPDATE containers SET made = made + ? WHERE sequence = ?", (count, container.sequence))
        return range(first, first + count)

    def seed(self, container: Container, numbers: range) -> list[str]:
        """Store a slice of sample records, and return their ids."""
        # Outside of the transaction: requests of other threads are answered meanwhile.
        samples = [(number, sample_summary(container, number)) for number in numbers]
        self._insert(container, [(summary, number) for number, summary in samples])
        return [summary.id for _, summary in samples]

    def add(self, container: Container, record: JsonObject) -> None:
        """Store one record at the end. ValueError if its id exists already, or is no text."""
        summary = _summary(container, _id(container, record), record)
        self._insert(container, [(summary, json_bytes(record).decode("ascii"))])

    def _insert(self, container: Container, rows: Sequence[tuple[Summary, str | int]]) -> None:
        try:
            with self._transaction():
                self._db.executemany(_NEW_PROFILE, {summary.profile for summary, _ in rows})
                self._db.executemany(
                    _INSERT,
                    ((container.sequence, body, *summary[:-1], summary.profile.id) for summary, body in rows),
                )
        # The ids of a container are its only constraint. The transaction has been rolled back by now.
        except sqlite3.IntegrityError:
            where = f"{container.kind} {container.id!r}"
            raise ValueError(f"the {container.id_field} is in {where} already; pass another") from None

    def get(self, container: Container, identifier: str) -> JsonObject:
        query = "SELECT json_text(body, container) FROM records WHERE container = ? AND id = ?"
        text = self._value(query, container.sequence, identifier)
        if text is None:
            raise KeyError(f"no {container.resource} {identifier!r} in {container.kind} {container.id!r}")
        record: JsonObject = json.loads(text)
        return record

    def update(self, container: Container, identifier: str, fields: JsonObject) -> JsonObject:
        """Set `fields` of a record; its position in the list stays."""
        with self._transaction():
            record = {**self.get(container, identifier), **fields}
            body, (_, *columns, profile) = json_bytes(record).decode("ascii"), _summary(container, identifier, record)
            self._db.execute(_NEW_PROFILE, profile)
            self._db.execute(_UPDATE, (body, *columns, profile.id, container.sequence, identifier))
        return record

    def delete(self, container: Container, identifier: str) -> None:
        with self._transaction():
            self.get(container, identifier)
            self._db.execute("DELETE FROM records WHERE container = ? AND id = ?", (container.sequence, identifier))

    def ids(self, container: Container) -> list[str]:
        """Ids in creation order."""
        query = "SELECT id FROM records WHERE container = ? ORDER BY sequence"
        return [identifier for (identifier,) in self._all(query, container.sequence)]

    def rows(self, selection: Selection, *, after: RowKey | None, offset: int, limit: int) -> Sequence[Row]:
        """At most `limit` rows of `selection` after the row `after`, the first `offset` of them skipped."""
        where, key, rest = selection.where, selection.key, selection.after(after)
        # A sort key is slow to make, so each is made once. Texts are read at the end, for the rows of the page only.
        once = "NOT MATERIALIZED" if selection.is_indexed else "MATERIALIZED"
        query = (
            f"WITH found AS {once} (SELECT sequence, {key.sql} AS sort_key FROM {selection.table} WHERE {where.sql}), "
            f"page AS (SELECT * FROM found WHERE {rest.sql} ORDER BY {selection.order} LIMIT ? OFFSET ?) "
            f"SELECT sequence, json_text(body, container), status, blobs, sort_key "
            f"FROM page JOIN {selection.table} USING (sequence) ORDER BY {selection.order}"
        )
        parameters = (*key.parameters, *where.parameters, *rest.parameters, limit, offset)
        return [Row(*row) for row in self._all(query, *parameters)]

    def count(self, selection: Selection, after: RowKey | None = None) -> int:
        """The number of rows of `selection` after the row `after`."""
        where, key, rest = selection.where, selection.key, selection.after(after)
        found = f"SELECT sequence, {key.sql} AS sort_key FROM {selection.table} WHERE {where.sql}"
        query = f"SELECT count(*) FROM ({found}) WHERE {rest.sql}"
        total: int = self._value(query, *key.parameters, *where.parameters, *rest.parameters)
        return total

    def created(self, selection: Selection, length: int) -> list[tuple[bytes, int]]:
        """The first `length` bytes of all sort keys of `created_at` in `selection`, each with its number of rows."""
        where = selection.where
        query = f"SELECT substr(created, 1, ?), count(*) FROM {selection.table} WHERE {where.sql} GROUP BY 1 ORDER BY 1"
        return self._all(query, length, *where.parameters)

    def profiles(self, selection: Selection) -> list[tuple[str, int]]:
        """The profiles of `selection` as JSON texts, each with its number of rows, in the order of their first rows."""
        where = selection.where
        counted = (
            f"SELECT profile, count(*) AS number, min(sequence) AS first FROM {selection.table} WHERE {where.sql} "
            f"GROUP BY profile"
        )
        query = f"SELECT body, number FROM ({counted}) JOIN profiles ON id = profile ORDER BY first"
        return self._all(query, *where.parameters)

    def texts(self, selection: Selection) -> Iterator[str]:
        """The JSON texts of all rows, in creation order."""
        after = None
        # In slices: the texts of a million samples would take a gigabyte.
        while page := self.rows(selection, after=after, offset=0, limit=SLICE):
            yield from (row.text for row in page)
            after = page[-1].key

    def events(self, after: int, *, since: float, event_type: tuple[str, str] | None, limit: int) -> Sequence[Event]:
        """At most `limit` events after the sequence `after`, not older than `since` (Unix seconds).

        `event_type`: only events of this kind of container and this operation.
        """
        kind, operation = event_type or (None, None)
        query = (
            "SELECT e.sequence, e.operation, e.at, e.id, c.sequence, c.kind, c.id, c.source "
            "FROM events AS e JOIN containers AS c ON c.sequence = e.container "
            "WHERE e.sequence > ? AND e.at >= ? AND (? IS NULL OR c.kind = ? AND e.operation = ?) "
            "ORDER BY e.sequence LIMIT ?"
        )
        rows = self._all(query, after, since, kind, kind, operation, limit)
        return [
            Event(sequence, operation, at, identifier, Container(*container))
            for sequence, operation, at, identifier, *container in rows
        ]

    def has_events(self, after: int, *, before: float) -> bool:
        """True if there is an event after the sequence `after` that is older than `before` (Unix seconds)."""
        return bool(self._all("SELECT 1 FROM events WHERE sequence > ? AND at < ? LIMIT 1", after, before))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock, self._db:
            yield

    def _all(self, query: str, *parameters: Any) -> list[Any]:
        """All rows. Parameters that are functions of a record become their places in the list that `apply` uses."""
        with self._lock:
            # The list itself must stay the same: `apply` holds it.
            self._functions[:] = [each for each in parameters if callable(each)]
            places = itertools.count()
            bound = [next(places) if callable(each) else each for each in parameters]
            return self._db.execute(query, bound).fetchall()

    def _value(self, query: str, *parameters: Any) -> Any:
        rows = self._all(query, *parameters)
        return rows[0][0] if rows else None


def in_container(container: Container) -> Clause:
    """The condition that a record is in `container`."""
    return Clause("container = ?", (container.sequence,))


def partition_of(identifier: str, count: int) -> int:
    """The part, of `count` parts, that a record falls into."""
    return zlib.crc32(identifier.encode()) % count


def _summary(container: Container, identifier: str, record: JsonObject) -> Summary:
    """The summary of a stored record. A value that no server would send counts as UNKNOWN or 0."""
    status = record.get("status")
    blobs = record.get("blobs" if container.kind == "bucket" else "document_blobs")
    blobs = blobs if isinstance(blobs, list) else []
    return Summary(
        identifier,
        status if isinstance(status, str) else "UNKNOWN",
        len(blobs),
        sum(map(_size, blobs)),
        sort_key(record, "created_at"),
        profile_of(record),
    )


def _size(blob: object) -> int:
    details = blob.get("details") if isinstance(blob, dict) else None
    size = details.get("size_bytes") if isinstance(details, dict) else None
    return size if isinstance(size, int) and 0 <= size < _MOST_BYTES else 0


def _id(container: Container, record: JsonObject) -> str:
    identifier = record.get(container.id_field)
    if not isinstance(identifier, str) or not identifier:
        raise ValueError(f"{container.id_field} must be a non-empty text, not {identifier!r}")
    return identifier
