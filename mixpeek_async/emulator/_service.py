"""What the endpoints have in common: the data, the settings, and the record that a path names."""

from collections.abc import Callable
from typing import Any

import attrs

from mixpeek_async.emulator._errors import Answer, ApiError, json_bytes
from mixpeek_async.emulator._pagination import Shape
from mixpeek_async.emulator._samples import Container, Kind
from mixpeek_async.emulator._store import Store


@attrs.frozen
class Service:
    """One namespace over one store.

    `body_paging`: lists of buckets and collections read their paging from the body only. `max_sorted`: the number of
    matching documents that a sorted list takes into account. `clock` gives Unix seconds.
    """

    store: Store
    shape: Shape
    max_limit: int
    namespace: str
    body_paging: bool
    max_sorted: int
    clock: Callable[[], float]

    def container(self, kind: Kind, identifier: str | None) -> Container:
        """The bucket or collection with this id or name. Raises a 404."""
        container = self.store.find(kind, identifier or "")
        if container is None:
            raise ApiError(404, f"{kind.capitalize()} {identifier!r} not found", code=f"{kind}_not_found")
        return container

    def record(self, container: Container, identifier: str | None) -> dict[str, Any]:
        """The record with this id. Raises a 404."""
        try:
            return self.store.get(container, identifier or "")
        except KeyError:
            resource = container.resource
            raise ApiError(
                404, f"{resource.capitalize()} {identifier!r} not found", code=f"{resource}_not_found"
            ) from None


def json_answer(value: object) -> Answer:
    return Answer(200, json_bytes(value))
