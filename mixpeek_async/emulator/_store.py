"""Buckets and objects in SQLite: one connection, each object as the JSON text that is sent."""

import json
import sqlite3
import weakref
from collections.abc import Iterable, Sequence
from os import PathLike
from typing import Any

from mixpeek_async.emulator._errors import json_bytes
from mixpeek_async.emulator._functions import register
from mixpeek_async.emulator._seed import plausible_bucket
from mixpeek_async.emulator._selection import Row, RowKey, Selection

JsonObject = dict[str, Any]

# Larger sizes are ignored, so that a sum of sizes fits SQLite's integers.
_MOST_BYTES = 2**40

# AUTOINCREMENT never reuses the sequence of a deleted row, so a cursor that names one stays valid.
# `made` is the number of objects ever made in a bucket: the number of its next sample object.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS buckets (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    bucket_id TEXT NOT NULL UNIQUE,
    bucket_name TEXT NOT NULL,
    body TEXT NOT NULL,
    made INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS objects (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    bucket_id TEXT NOT NULL REFERENCES buckets (bucket_id),
    object_id TEXT NOT NULL,
    body TEXT NOT NULL,
    status TEXT NOT NULL,
    blobs INTEGER NOT NULL,
    size INTEGER NOT NULL,
    UNIQUE (bucket_id, object_id)
);
CREATE INDEX IF NOT EXISTS objects_in_order ON objects (bucket_id, sequence);
CREATE VIEW IF NOT EXISTS bucket_rows AS
    SELECT sequence, json_set(
        body,
        '$.object_count', (SELECT count(*) FROM objects WHERE bucket_id = b.bucket_id),
        '$.failed_object_count', (SELECT count(*) FROM objects WHERE bucket_id = b.bucket_id AND status = 'FAILED'),
        '$.total_size_bytes', (SELECT coalesce(sum(size), 0) FROM objects WHERE bucket_id = b.bucket_id)
    ) AS body, 'ACTIVE' AS status, 0 AS blobs, bucket_id FROM buckets AS b;
"""

_INSERT = "INSERT INTO objects (bucket_id, object_id, body, status, blobs, size) VALUES (?, ?, ?, ?, ?, ?)"


def _columns(obj: JsonObject) -> tuple[str, str, int, int]:
    """Body, status, number of blobs and their bytes. A value that no server would send counts as UNKNOWN or 0."""
    status, blobs = obj.get("status"), obj.get("blobs")
    return (
        json_bytes(obj).decode("ascii"),
        status if isinstance(status, str) else "UNKNOWN",
        len(blobs) if isinstance(blobs, list) else 0,
        sum(map(_size, blobs)) if isinstance(blobs, list) else 0,
    )


def _size(blob: object) -> int:
    details = blob.get("details") if isinstance(blob, dict) else None
    size = details.get("size_bytes") if isinstance(details, dict) else None
    return size if isinstance(size, int) and 0 <= size < _MOST_BYTES else 0


def _object_id(obj: JsonObject) -> str:
    object_id = obj.get("object_id")
    if not isinstance(object_id, str) or not object_id:
        raise ValueError(f"object_id must be a non-empty text, not {object_id!r}")
    return object_id


class Store:
    """The data of one emulator, in memory (`:memory:`) or in the file `database`.

    An unknown bucket or object is a KeyError.
    """

    def __init__(self, database: str | PathLike[str]) -> None:
        # A test may change the data from a thread of its own, and the garbage collector may close it from any.
        self._db = sqlite3.connect(database, check_same_thread=False)
        # An emulator that is never closed must not warn about an open connection.
        self.close = weakref.finalize(self, self._db.close)
        self._db.executescript(_SCHEMA)
        register(self._db)

    def create_bucket(self, bucket: str, fields: JsonObject) -> bool:
        """Create `bucket` and return True; return False and change nothing if it exists."""
        number = self._value("SELECT count(*) FROM buckets")
        body = plausible_bucket(bucket, number) | fields
        row = (bucket, str(body["bucket_name"]), json_bytes(body).decode("ascii"))
        with self._db:
            made = self._db.execute(
                "INSERT OR IGNORE INTO buckets (bucket_id, bucket_name, body) VALUES (?, ?, ?)", row
            )
        return made.rowcount > 0

    def find_bucket(self, identifier: str) -> str | None:
        """The id of the bucket that has this id, or else this name."""
        query = "SELECT bucket_id FROM buckets WHERE ? IN (bucket_id, bucket_name) ORDER BY bucket_id <> ? LIMIT 1"
        bucket: str | None = self._value(query, identifier, identifier)
        return bucket

    def bucket(self, bucket: str) -> JsonObject:
        """The record of an existing bucket."""
        record: JsonObject = json.loads(self._value("SELECT body FROM bucket_rows WHERE bucket_id = ?", bucket))
        return record

    def has_bucket(self, bucket: str) -> bool:
        return bool(self._value("SELECT count(*) FROM buckets WHERE bucket_id = ?", bucket))

    def take_numbers(self, bucket: str, count: int) -> range:
        """Reserve `count` numbers for new sample objects of `bucket`."""
        self._require(bucket)
        first: int = self._value("SELECT made FROM buckets WHERE bucket_id = ?", bucket)
        with self._db:
            self._db.execute("UPDATE buckets SET made = made + ? WHERE bucket_id = ?", (count, bucket))
        return range(first, first + count)

    def add(self, bucket: str, objects: Iterable[JsonObject]) -> list[str]:
        """Store all `objects` in this order, or none, and return their ids. ValueError if an id exists already."""
        self._require(bucket)
        rows = [(bucket, _object_id(obj), *_columns(obj)) for obj in objects]
        try:
            with self._db:
                self._db.executemany(_INSERT, rows)
        except sqlite3.IntegrityError:
            raise ValueError(f"an object_id is in bucket {bucket!r} already; pass another") from None
        return [row[1] for row in rows]

    def get(self, bucket: str, object_id: str) -> JsonObject:
        self._require(bucket)
        query = "SELECT body FROM objects WHERE bucket_id = ? AND object_id = ?"
        body = self._value(query, bucket, object_id)
        if body is None:
            raise KeyError(f"no object {object_id!r} in bucket {bucket!r}")
        obj: JsonObject = json.loads(body)
        return obj

    def replace(self, bucket: str, object_id: str, obj: JsonObject) -> None:
        """Replace the object `object_id` by `obj`; its position in the list stays."""
        with self._db:
            self._db.execute(
                "UPDATE objects SET body = ?, status = ?, blobs = ?, size = ? WHERE bucket_id = ? AND object_id = ?",
                (*_columns(obj), bucket, object_id),
            )

    def delete(self, bucket: str, object_id: str) -> None:
        self.get(bucket, object_id)
        with self._db:
            self._db.execute("DELETE FROM objects WHERE bucket_id = ? AND object_id = ?", (bucket, object_id))

    def object_ids(self, bucket: str) -> list[str]:
        """Ids in creation order."""
        self._require(bucket)
        query = "SELECT object_id FROM objects WHERE bucket_id = ? ORDER BY sequence"
        return [object_id for (object_id,) in self._db.execute(query, (bucket,))]

    def rows(self, selection: Selection, *, after: RowKey | None, offset: int, limit: int) -> Sequence[Row]:
        """At most `limit` rows of `selection` after the row `after`, the first `offset` of them skipped."""
        found, rest = selection.sorted, selection.after(after)
        # A sort key is slow to make, so each is made once. Without a sort the index gives the order.
        once = "MATERIALIZED" if selection.sort else "NOT MATERIALIZED"
        query = (
            f"WITH found AS {once} ({found.sql}) "
            f"SELECT * FROM found WHERE {rest.sql} ORDER BY {selection.order} LIMIT ? OFFSET ?"
        )
        parameters = (*found.parameters, *rest.parameters, limit, offset)
        return [Row(*row) for row in self._db.execute(query, parameters)]

    def count(self, selection: Selection, after: RowKey | None = None) -> int:
        """The number of rows of `selection` after the row `after`."""
        found, rest = selection.sorted, selection.after(after)
        query = f"SELECT count(*) FROM ({found.sql}) WHERE {rest.sql}"
        total: int = self._value(query, *found.parameters, *rest.parameters)
        return total

    def _require(self, bucket: str) -> None:
        if not self.has_bucket(bucket):
            raise KeyError(f"no bucket {bucket!r}; make it with create_bucket()")

    def _value(self, query: str, *parameters: Any) -> Any:
        row = self._db.execute(query, parameters).fetchone()
        return None if row is None else row[0]
