"""Walk one bucket, and keep what the walk yields, raises and costs."""

from typing import Any

import attrs

from mixpeek_async._retry import RetryPolicy
from mixpeek_async.errors import MixpeekError
from mixpeek_async.models import Progress
from support.clients import client_at
from support.clocks import ManualClock

__all__ = ["PATIENT", "Outcome", "walk_bucket"]

PATIENT = RetryPolicy(budget=1e9)
"""The default policy without a time limit: only the number of attempts ends the retries."""


@attrs.frozen
class Outcome:
    """The ids that a walk yielded, the error that ended it (None: it came to its end), and what it cost."""

    ids: list[str]
    error: MixpeekError | None
    progress: Progress
    slept: list[float]


async def walk_bucket(url: str, *, clock: ManualClock | None = None, **settings: Any) -> Outcome:
    """Walk a bucket in pages of one object: the walk never halves a page of that size."""
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
