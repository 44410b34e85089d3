"""Signals, within this process: what they cancel, and what they leave alone."""

import asyncio
import os
import signal
from collections.abc import Iterator

import pytest
from support.commands import invoke

from mixpeek_async.cli._interrupt import Interrupted, Interruption
from mixpeek_async.emulator import Emulator


def current() -> "asyncio.Task[object]":
    task = asyncio.current_task()
    assert task is not None
    return task


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    """Signals as a program that was started by hand finds them."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_cancels_what_is_awaited(number: int) -> None:
    async def work() -> None:
        with Interruption(current()):
            signal.raise_signal(number)
            await asyncio.Event().wait()

    with pytest.raises(Interrupted) as caught:
        asyncio.run(work())
    assert caught.value.number == number


def test_a_signal_cuts_short_what_blocks() -> None:
    async def work() -> None:
        with Interruption(current()) as interruption, interruption.blocking():
            signal.raise_signal(signal.SIGINT)
            pytest.fail("the signal let it go on")

    with pytest.raises(Interrupted):
        asyncio.run(work())


def test_what_blocks_does_not_begin_after_a_signal() -> None:
    async def work() -> None:
        with Interruption(current()) as interruption:
            signal.raise_signal(signal.SIGINT)
            with interruption.blocking():
                pytest.fail("it began")

    with pytest.raises(Interrupted):
        asyncio.run(work())


def test_closing_is_left_alone_by_the_same_signal_and_by_further_ones() -> None:
    closed = False

    async def work() -> None:
        nonlocal closed
        with Interruption(current()) as interruption:
            try:
                signal.raise_signal(signal.SIGINT)
                with interruption.blocking():
                    pytest.fail("it began")
            finally:
                signal.raise_signal(signal.SIGTERM)
                await asyncio.sleep(0)
                await asyncio.sleep(0)
                closed = True

    with pytest.raises(Interrupted) as caught:
        asyncio.run(work())
    assert closed
    assert caught.value.number == signal.SIGINT


def test_afterwards_the_handlers_are_what_they_were() -> None:
    before = signal.getsignal(signal.SIGTERM)

    async def work() -> None:
        with Interruption(current()):
            assert signal.getsignal(signal.SIGTERM) != before

    asyncio.run(work())
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_signal_that_the_process_ignores_stays_ignored() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    async def work() -> None:
        with Interruption(current()):
            signal.raise_signal(signal.SIGINT)
            await asyncio.sleep(0)

    asyncio.run(work())


def test_a_cancellation_of_another_s_stays_one() -> None:
    async def work() -> None:
        with Interruption(current()):
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(work())


def test_an_end_before_the_first_request_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    async def seed(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.sleep(0)

    monkeypatch.setattr(Emulator, "aseed", seed)
    result = invoke("list", "--emulator")
    assert (result.stderr, result.stdout, result.exit_code) == ("interrupted: objects 0\n", "", 130)
