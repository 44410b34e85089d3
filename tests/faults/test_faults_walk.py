"""Whole walks through a proxy that breaks answers: every object arrives, once and in order.

A long run, of a million objects:

    FAULTY_OBJECTS=1000000 pytest tests/faults/test_faults_walk.py -k one_answer_in_five -s
"""

import gzip
import os
import random
from collections.abc import Callable

import pytest
from fault_proxy import FaultProxy
from support.clients import connect
from support.clocks import ManualClock
from support.scripted_server import Action, ScriptedServer, answer, drip, then_close, then_reset, then_stall

from mixpeek_async import AsyncMixpeek, MixpeekError, Progress, RetryPolicy
from mixpeek_async.emulator import Emulator

OBJECTS = int(os.environ.get("FAULTY_OBJECTS", "20000"))


def _client(emulator: Emulator, proxy: ScriptedServer, timeout: float = 5) -> AsyncMixpeek:
    return connect(emulator, base_url=proxy.url, clock=ManualClock(), timeout=timeout, retry=RetryPolicy(budget=1e9))


def _stages(genuine: bytes) -> list[int]:
    """Every byte of the head, and two dozen places of the body."""
    head = genuine.index(b"\r\n\r\n") + 4
    return [*range(head + 1), *range(head + 1, len(genuine), (len(genuine) - head) // 24)]


@pytest.mark.parametrize("broken", [then_close, then_reset], ids=["closed", "reset"])
async def test_an_answer_that_breaks_at_any_stage_is_no_page(broken: Callable[[bytes], Action]) -> None:
    cuts: list[int] = []

    def harm(number: int, genuine: bytes) -> Action:
        cuts[:] = cuts or _stages(genuine)
        # Every other answer is a good one.
        stage = (number - 1) // 2
        return broken(genuine[: cuts[stage]]) if number % 2 and stage < len(cuts) else genuine

    async with (
        Emulator(objects=3) as emulator,
        FaultProxy(emulator.url, harm) as proxy,
        _client(emulator, proxy) as client,
    ):
        while not cuts or len(proxy.requests) < 2 * len(cuts):
            ids = [obj.object_id async for obj in client.objects.list(emulator.bucket, prefetch=0)]
            assert ids == emulator.object_ids()
    assert len(proxy.requests) > 250


async def test_an_answer_that_stalls_at_any_stage_is_no_page() -> None:
    def harm(number: int, genuine: bytes) -> Action:
        return then_stall(genuine[: (number // 2) * len(genuine) // 20]) if number % 2 else genuine

    async with (
        Emulator(objects=3) as emulator,
        FaultProxy(emulator.url, harm) as proxy,
        _client(emulator, proxy, timeout=0.05) as client,
    ):
        for _ in range(20):
            ids = [obj.object_id async for obj in client.objects.list(emulator.bucket, prefetch=0)]
            assert ids == emulator.object_ids()
    assert len(proxy.requests) == 40


def _packed(genuine: bytes) -> bytes:
    """The same answer in gzip, with a byte in the middle changed."""
    data = bytearray(gzip.compress(genuine.partition(b"\r\n\r\n")[2]))
    data[len(data) // 2] ^= 0xFF
    return answer(bytes(data), headers={"Content-Encoding": "gzip"})


class OneInFive:
    """Harm to one answer in five, of a kind and at a place that chance decides, the same ones every time."""

    def __init__(self) -> None:
        self._random = random.Random(7)
        self.done = 0

    def __call__(self, number: int, genuine: bytes) -> Action:
        if self._random.random() >= 0.2:
            return genuine
        self.done += 1
        part = genuine[: self._random.randrange(len(genuine))]
        kinds: list[Callable[[], Action]] = [
            lambda: then_close(part),
            lambda: then_reset(part),
            lambda: then_close(b""),
            lambda: answer({"error": {"message": "no"}}, self._random.choice([408, 429, 500, 502, 503, 529])),
            lambda: answer(status=429, headers={"Retry-After": "2"}),
            lambda: answer(b"<html>Sign in to the wireless network</html>"),
            lambda: answer(part.partition(b"\r\n\r\n")[2][:-1]),
            lambda: _packed(genuine),
            lambda: b"garbage\r\n\r\n",
            lambda: drip(genuine[:20], 0) if len(part) % 8 else then_stall(part),
        ]
        return self._random.choice(kinds)()


async def _gather(client: AsyncMixpeek, bucket: str) -> tuple[list[str], Progress, int]:
    """The ids that a walk gives which goes on after each error, and how many errors there were."""
    walk = aiter(client.objects.list(bucket))
    ids: list[str] = []
    errors = 0
    while True:
        try:
            async for obj in walk:
                ids.append(obj.object_id)
        except MixpeekError:
            errors += 1
        else:
            return ids, walk.progress, errors


async def test_a_walk_with_one_answer_in_five_broken_is_complete() -> None:
    harm = OneInFive()
    async with Emulator(objects=OBJECTS, max_limit=max(50, OBJECTS // 1_000)) as emulator:
        async with FaultProxy(emulator.url, harm) as proxy:
            async with _client(emulator, proxy, timeout=0.3) as client:
                ids, progress, errors = await _gather(client, emulator.bucket)
            await proxy.until_idle()
        assert ids == emulator.object_ids()
    assert harm.done >= len(proxy.requests) * 0.15
    print(f"{len(ids)} objects, {len(proxy.requests)} requests, {harm.done} faults, {errors} errors, {progress}")
