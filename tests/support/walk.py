"""One question to a server, and everything that came of it."""

from typing import Any

import attrs

from mixpeek_async._retry import RetryPolicy
from mixpeek_async.errors import MixpeekError
from mixpeek_async.models import Progress
from support.clients import client_at
from support.clocks import ManualClock

__all__ = ["PATIENT", "Outcome", "ask"]

PATIENT = RetryPolicy(budget=1e9)
"""The usual policy, for tests where only the number of attempts is to end the asking."""


@attrs.frozen
class Outcome:
    """The ids that a walk yielded, the error that ended it (None: it came to its end), and what it cost."""

    ids: list[str]
    error: MixpeekError | None
    progress: Progress
    slept: list[float]


async def ask(url: str, *, clock: ManualClock | None = None, **settings: Any) -> Outcome:
    """Walk a bucket in pages of one object: a page of that size is never asked for in halves."""
    clock = clock or ManualClock()
    ids: list[str] = []
    error = None
    async with client_at(url, clock=clock, **settings) as client:
        pager = client.objects.list("bkt", page_size=1)
        try:
            async for obj in pager:
                ids.append(obj.object_id)
        except MixpeekError as failure:
            error = failure
        return Outcome(ids, error, pager.progress, clock.slept)
