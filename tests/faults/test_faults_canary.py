"""The API key through every line of the table of faults: it is in the request, and nowhere else."""

import asyncio
import logging
import warnings
from typing import Any

import pytest
from fault_table import CELLS, Cell, run
from support.clocks import ManualClock
from support.secrets import Canary, chain, modules, shown

from mixpeek_async import Hooks


@pytest.fixture
def canary(monkeypatch: pytest.MonkeyPatch) -> Canary:
    return Canary(monkeypatch)


FROM_THE_ENVIRONMENT: dict[str, Any] = {"api_key": None, "namespace": None}


@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
async def test_no_error_shows_the_key_nor_comes_from_aiohttp(canary: Canary, cell: Cell) -> None:
    outcome, server = await run(cell, **FROM_THE_ENVIRONMENT)
    assert canary.arrived(server)
    assert not canary.is_shown_in(outcome)
    if outcome.error is not None:
        assert not canary.is_shown_in(outcome.error.checkpoint, *shown(outcome.error))
        assert modules(outcome.error) == {"mixpeek_async"}
        assert all(link is outcome.error or type(link) is not type(outcome.error) for link in chain(outcome.error))


@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
async def test_no_log_line_no_warning_and_no_event_shows_it(
    canary: Canary, cell: Cell, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    loop = asyncio.get_running_loop()
    loop.set_debug(True)
    loop.slow_callback_duration = 0.0
    events: list[object] = []
    hooks = Hooks(request=events.append, response=events.append, retry=events.append, page=events.append)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        _, server = await run(cell, hooks=hooks, clock=ManualClock(), **FROM_THE_ENVIRONMENT)
    assert canary.arrived(server)
    assert {"asyncio", "mixpeek_async"} <= {record.name for record in caplog.records}
    assert not canary.is_shown_in(caplog.text, *(repr(vars(record)) for record in caplog.records))
    assert not canary.is_shown_in(*caught, *events)
