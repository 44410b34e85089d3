"""A client of an emulator."""

from typing import Any

from mixpeek_async import AsyncMixpeek
from mixpeek_async.emulator import Emulator

__all__ = ["client_of"]


def client_of(emulator: Emulator, **options: Any) -> AsyncMixpeek:
    """A client of `emulator`, in its namespace unless `options` say otherwise."""
    return AsyncMixpeek(emulator.api_key, **{"namespace": emulator.namespace, **options}, base_url=emulator.url)
