"""A state machine that does to a walk, over a real socket, whatever can be done to one.

Pages of any size in any shape; objects created and deleted, requests failed, cut, delayed and refused between and
during pages; walks cancelled, left, and taken up again at their checkpoint. The model is exact: every object that was
there from the start to the end has been yielded once, and nothing twice.

    WALKS=200000 pytest tests/walk/test_walk_machine.py

walks so many of them; 2,000 without being asked.
"""

import asyncio
import os
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from support.clients import connect
from support.clocks import ManualClock

from mixpeek_async import MixpeekError, Object, RetryPolicy, Walk
from mixpeek_async.emulator import Emulator, Fault

WALKS = int(os.environ.get("WALKS", "2000"))

page_sizes = st.sampled_from([1, 2, 3, 5, 8, 13, 1000])
ways_to_fetch = st.sampled_from([{"prefetch": 0}, {"prefetch": 1}, {"concurrency": 3}, {"concurrency": 8}])
faults = st.sampled_from(
    [
        Fault.http(500),
        Fault.http(503, retry_after=2),
        Fault.http(422),
        Fault.rate_limited(5),
        Fault.dropped(),
        Fault.cut(40),
        Fault.answer(b"<html>"),
        Fault.answer(b"{}"),
    ]
)


class WalkMachine(RuleBasedStateMachine):
    """One bucket, and one walk over it, however often it is interrupted."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.yielded: list[str] = []

    @initialize(
        shape=st.sampled_from(["has_more", "page", "cursor"]),
        objects=st.integers(0, 40),
        page_size=page_sizes,
        attempts=st.sampled_from([1, 3]),
        way=ways_to_fetch,
    )
    def begin(self, shape: str, objects: int, page_size: int, attempts: int, way: dict[str, Any]) -> None:
        self.way = way
        self.emulator = Emulator(objects=objects, pagination=shape)
        self.runner.run(self.emulator.start())
        self.client = connect(self.emulator, retry=RetryPolicy(attempts=attempts), clock=ManualClock())
        self.constant = set(self.emulator.object_ids())
        self.walk = self.new_walk(page_size)

    def new_walk(self, page_size: int, checkpoint: str | None = None) -> Walk[Object]:
        listing = self.client.objects.list(self.emulator.bucket, page_size=page_size, resume=checkpoint, **self.way)
        return aiter(listing)

    @rule(count=st.integers(1, 12))
    def take(self, count: int) -> None:
        self.runner.run(self.take_some(count))

    async def take_some(self, count: int) -> None:
        try:
            while count:
                self.yielded.append((await anext(self.walk)).object_id)
                count -= 1
        except (MixpeekError, StopAsyncIteration):
            pass

    @rule(data=st.data(), count=st.integers(1, 9))
    def delete(self, data: st.DataObject, count: int) -> None:
        ids = self.emulator.object_ids()
        start = data.draw(st.integers(0, len(ids)))
        for id_ in ids[start : start + count]:
            self.emulator.delete(id_)
            self.constant.discard(id_)

    @rule(count=st.integers(1, 5))
    def create(self, count: int) -> None:
        for _ in range(count):
            self.emulator.insert()

    @rule(fault=faults, count=st.integers(1, 3))
    def fail(self, fault: Fault, count: int) -> None:
        for number in range(1, count + 1):
            self.emulator.script(number, fault)

    @rule(turns=st.integers(0, 30))
    def cancel(self, turns: int) -> None:
        self.runner.run(self.cancel_after(turns))

    async def cancel_after(self, turns: int) -> None:
        """Ask for an object, and cancel some turns of the loop later."""
        taking = asyncio.ensure_future(self.take_some(1))
        for _ in range(turns):
            await asyncio.sleep(0)
        taking.cancel()
        await asyncio.wait([taking])

    @rule(page_size=page_sizes)
    def leave_and_resume(self, page_size: int) -> None:
        self.walk = self.new_walk(page_size, self.walk.checkpoint)

    @rule(page_size=page_sizes)
    def resume_at_an_error(self, page_size: int) -> None:
        self.emulator.script(1, Fault.http(403))
        try:
            self.runner.run(self.one_more())
        except MixpeekError as error:
            self.walk = self.new_walk(page_size, error.checkpoint)
        except StopAsyncIteration:
            pass

    async def one_more(self) -> None:
        self.yielded.append((await anext(self.walk)).object_id)

    def teardown(self) -> None:
        if hasattr(self, "walk"):
            finished = self.runner.run(self.finish())
            assert finished, "the walk cannot come to its end"
            assert len(self.yielded) == len(set(self.yielded)), "an object came twice"
            assert self.constant <= set(self.yielded), "an object was lost"
        self.runner.close()

    async def finish(self) -> bool:
        """Walk to the end, past the faults that are left over; whether it came to it."""
        try:
            for _ in range(10):
                try:
                    async for obj in self.walk:
                        self.yielded.append(obj.object_id)
                    return True
                except MixpeekError:
                    continue
            return False
        finally:
            await self.client.aclose()
            await self.emulator.aclose()


TestWalkMachine = WalkMachine.TestCase
TestWalkMachine.settings = settings(
    max_examples=WALKS,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
