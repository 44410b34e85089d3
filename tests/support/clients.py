"""Clients of the servers that tests start."""

from typing import Any

from mixpeek_async import AsyncMixpeek, RetryPolicy
from mixpeek_async.emulator import Emulator

__all__ = ["client_at", "connect"]


def connect(emulator: Emulator, **settings: Any) -> AsyncMixpeek:
    """A client of `emulator`. It sends each request once, unless `settings` bring another retry policy."""
    once = {"namespace": emulator.namespace, "retry": RetryPolicy(attempts=1)}
    return client_at(emulator.url, **{"api_key": emulator.api_key, **once, **settings})


def client_at(url: str, **settings: Any) -> AsyncMixpeek:
    """A client of the server at `url`, with a key and a namespace."""
    return AsyncMixpeek(**{"api_key": "sk_test", "namespace": "ns_test", "base_url": url, **settings})
