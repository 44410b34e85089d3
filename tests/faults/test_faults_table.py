"""Each line of the table of faults, on a real socket."""

import pytest
from fault_table import CELLS, run
from support.scripted_server import ScriptedServer
from support.walk import Outcome

from mixpeek_async.errors import StatusError

_runs: dict[str, tuple[Outcome, ScriptedServer]] = {}


async def _run_once(name: str) -> tuple[Outcome, ScriptedServer]:
    """The outcome of a cell. Each cell runs once for all tests that read it."""
    if name not in _runs:
        _runs[name] = await run(CELLS[name])
    return _runs[name]


IDS_ONLY = b'{"select":["object_id","bucket_id","created_at"]}'


@pytest.mark.parametrize("name", CELLS)
async def test_what_comes_out_and_how_often_the_server_was_asked(name: str) -> None:
    cell = CELLS[name]
    outcome, server = await _run_once(name)
    kind = None if outcome.error is None else type(outcome.error)
    assert (tuple(outcome.ids), kind, len(server.requests)) == (cell.ids, cell.error, cell.asked)


@pytest.mark.parametrize("name", CELLS)
async def test_a_request_is_sent_again_byte_for_byte(name: str) -> None:
    _, server = await _run_once(name)
    # One head for each page, and all of them alike but for the place: that is in the target alone.
    pages = [request for request in server.requests if request.body != IDS_ONLY]
    assert {(request.method, request.body) for request in pages} == {("POST", b"")}
    assert len({request.raw for request in pages}) == len({request.target for request in pages})


@pytest.mark.parametrize("name", [name for name, cell in CELLS.items() if cell.error is not None])
async def test_an_error_is_a_short_printable_line_and_brings_the_place(name: str) -> None:
    outcome, _ = await _run_once(name)
    assert outcome.error is not None
    assert str(outcome.error).isprintable()
    assert len(str(outcome.error)) < 2_100
    assert outcome.error.checkpoint is not None
    # Of a status that the server never sent, there is no word: aiohttp calls what it cannot parse "400".
    assert isinstance(outcome.error, StatusError) or " 400" not in str(outcome.error)


def test_the_table_is_long() -> None:
    assert len(CELLS) >= 120
