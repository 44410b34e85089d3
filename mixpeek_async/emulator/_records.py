"""The records that a test can read and change while the emulator runs."""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

from mixpeek_async.emulator._checks import int_between
from mixpeek_async.emulator._samples import Container, Kind, sample_record
from mixpeek_async.emulator._store import SLICE, JsonObject, Store


class Records:
    """The objects of all buckets, or the documents of all collections.

    Every method takes the id of a bucket or collection as `container`; without it, the emulator's own is meant. An
    unknown container or record is a KeyError. Each change becomes an event of the change feed.
    """

    def __init__(self, store: Store, kind: Kind, default: str) -> None:
        self._store = store
        self._kind: Kind = kind
        self._default = default

    def seed(self, count: int, container: str | None = None) -> list[str]:
        """Add `count` sample records, the same every time, and return their ids in creation order.

        The event loop waits meanwhile if this is called in its thread: 100,000 records take about a second. See
        `aseed`.
        """
        return [identifier for ids in self._slices(count, container) for identifier in ids]

    async def aseed(self, count: int, container: str | None = None) -> list[str]:
        """Do the same as `seed` in slices of 1,000 records, and let the event loop run after each of them."""
        seeded: list[str] = []
        for ids in self._slices(count, container):
            seeded += ids
            await asyncio.sleep(0)
        return seeded

    def insert(
        self, record: Mapping[str, Any] | None = None, *, container: str | None = None, **fields: Any
    ) -> JsonObject:
        """Add one record at the end and return it as stored.

        `record` is completed by ids where it has none; without it a sample record is made. `fields` override both.
        ValueError for an id that exists or is no text. TypeError or ValueError for what is not JSON.
        """
        place = self._container(container)
        (number,) = self._store.take_numbers(place, 1)
        sample = sample_record(place, number)
        ids = {key: sample[key] for key in (place.id_field, place.own_field)}
        made = {**(sample if record is None else {**ids, **record}), **fields}
        self._store.add(place, made)
        return made

    def delete(self, identifier: str, container: str | None = None) -> None:
        """Delete one record."""
        self._store.delete(self._container(container), identifier)

    def update(self, identifier: str, container: str | None = None, **fields: Any) -> JsonObject:
        """Set `fields` of one record, and nothing else (not even `updated_at`), and return it as stored."""
        return self._store.update(self._container(container), identifier, fields)

    def get(self, identifier: str, container: str | None = None) -> JsonObject:
        """A copy of one record."""
        return self._store.get(self._container(container), identifier)

    def ids(self, container: str | None = None) -> list[str]:
        """The ids of the records in creation order, which is the order of the list."""
        return self._store.ids(self._container(container))

    def _container(self, identifier: str | None) -> Container:
        return self._store.container(self._kind, self._default if identifier is None else identifier)

    def _slices(self, count: int, container: str | None) -> Iterator[list[str]]:
        place = self._container(container)
        numbers = self._store.take_numbers(place, int_between("count", count, 0))
        for start in range(0, count, SLICE):
            yield self._store.seed(place, numbers[start : start + SLICE])
