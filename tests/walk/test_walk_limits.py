"""A walk under a rate limit: it waits, and loses nothing. The clock is the test's own."""

from support.clients import connect
from support.clocks import ManualClock

from mixpeek_async.emulator import Emulator


async def test_a_walk_under_60_requests_a_minute_completes() -> None:
    clock = ManualClock()
    async with (
        Emulator(objects=1_000, requests_per_minute=60, clock=clock.time) as emulator,
        connect(emulator, clock=clock) as client,
    ):
        pager = client.objects.list(emulator.bucket, page_size=5)
        ids = [obj.object_id async for obj in pager]

        assert ids == emulator.object_ids()
        # 200 pages are four windows of a minute, with three waits between them.
        assert 120 <= pager.progress.waited <= 200
        assert pager.progress.retries == pager.progress.requests - 200
