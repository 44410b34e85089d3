"""The walk as a stream for code that is not async: when it starts, when it ends, and what it leaves behind: nothing."""

import asyncio
import gc
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import aiohttp
import duckdb
import pandas
import polars
import pyarrow as pa
import pytest
from support.clients import connect
from support.commands import environment, served

from mixpeek_async import ClientClosedError, InvalidArgumentError, InvalidObjectError, NotFoundError
from mixpeek_async._loop_thread import LoopThread
from mixpeek_async.arrow import ArrowWalk, schema
from mixpeek_async.emulator import Emulator, Fault

# A query is a relation here; only a statement without rows gives None.
sql: Any = duckdb.sql


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    """2,500 objects, on a thread of its own."""
    with served(objects=2_500) as running:
        yield running


@pytest.fixture(autouse=True)
def _leaves_no_thread() -> Iterator[None]:
    """Each stream has ended its thread by the end of the test."""
    yield
    gc.collect()
    assert walk_threads() == []


def walk_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "mixpeek-async"]


def walk_of(emulator: Emulator, **options: Any) -> ArrowWalk:
    return connect(emulator).objects.list(emulator.bucket, **options).arrow()


def reader_of(walk: ArrowWalk) -> pa.RecordBatchReader:
    return pa.RecordBatchReader.from_stream(walk)


def sent(emulator: Emulator) -> int:
    return len(emulator.requests)


@pytest.mark.parametrize("lean", [False, True])
def test_pyarrow_pandas_polars_and_duckdb_read_it(emulator: Emulator, lean: bool) -> None:
    walk = connect(emulator).objects.list(emulator.bucket).arrow(lean=lean)
    ids = emulator.object_ids()
    assert pa.table(walk)["object_id"].to_pylist() == ids
    assert pandas.DataFrame.from_arrow(walk)["object_id"].tolist() == ids
    assert polars.DataFrame(walk)["object_id"].to_list() == ids
    assert sql("select object_id from walk").fetchall() == [(id_,) for id_ in ids]
    assert walk.error is None


def test_nothing_is_sent_before_the_first_batch_is_asked_for(emulator: Emulator) -> None:
    before = sent(emulator)
    reader = reader_of(walk_of(emulator))
    assert reader.schema == schema()
    assert (sent(emulator), walk_threads()) == (before, [])


def test_a_reader_of_one_batch_costs_one_request(emulator: Emulator) -> None:
    walk = walk_of(emulator)
    before = sent(emulator)
    reader = reader_of(walk)
    assert reader.read_next_batch().num_rows == 1_000
    assert walk_threads() == ["mixpeek-async"]
    del reader
    assert walk_threads() == []
    assert (sent(emulator) - before, walk.progress.requests) == (1, 1)


def test_five_rows_in_duckdb_cost_one_request(emulator: Emulator) -> None:
    before = sent(emulator)
    walk = walk_of(emulator)  # noqa: F841  # DuckDB looks for it by its name
    assert len(sql("select object_id from walk limit 5").fetchall()) == 5
    assert (sent(emulator) - before, walk_threads()) == (1, [])


def test_behind_the_first_batch_it_reads_ahead(emulator: Emulator) -> None:
    walk = walk_of(emulator, page_size=10, max_items=50)
    reader = reader_of(walk)
    for _ in range(2):
        reader.read_next_batch()
    until(lambda: walk.progress.requests == 3)


def until(condition: Any) -> None:
    """Wait for what another thread is about to do."""
    for _ in range(2_000):
        if condition():
            return
        time.sleep(0.005)
    pytest.fail("it did not happen")


def test_each_stream_is_a_walk_of_its_own_and_several_may_run_at_once(emulator: Emulator) -> None:
    walk = walk_of(emulator)
    one, two = reader_of(walk), reader_of(walk)
    assert one.read_next_batch() == two.read_next_batch()
    assert one.read_all().num_rows == two.read_all().num_rows == 1_500
    joined = sql("select count(*) from walk as a join walk as b using (object_id)")
    assert joined.fetchall() == [(2_500,)]


def test_its_place_is_a_checkpoint(emulator: Emulator) -> None:
    walk = walk_of(emulator)
    reader = reader_of(walk)
    reader.read_next_batch()
    rest = walk_of(emulator, resume=walk.checkpoint)
    assert pa.table(rest)["object_id"].to_pylist() == emulator.object_ids()[1_000:]
    assert pa.table(walk_of(emulator, resume=walk.checkpoint_before)).num_rows == 2_500
    reader.close()
    assert reader_of(walk_of(emulator, resume=rest.checkpoint)).read_all().num_rows == 0


def test_the_error_itself_is_kept_where_a_library_shows_its_text(emulator: Emulator) -> None:
    walk = connect(emulator).objects.list("bkt_none").arrow()
    for read in (pa.table, pandas.DataFrame.from_arrow, polars.DataFrame, lambda walk: sql("from walk").df()):
        walk.error = None
        with pytest.raises(Exception, match="NotFoundError: 404: Bucket 'bkt_none' not found") as caught:
            read(walk)
        assert isinstance(walk.error, NotFoundError)
        assert emulator.api_key not in str(caught.value)
        assert walk_threads() == []


def test_a_new_stream_forgets_the_error_of_the_one_before(emulator: Emulator) -> None:
    with served(objects=3, faults={1: Fault.http(500)}) as other:
        walk = walk_of(other)
        with pytest.raises(OSError, match="500"):
            pa.table(walk)
        assert pa.table(walk).num_rows == 3
        assert walk.error is None


def test_the_checkpoint_of_the_error_is_in_front_of_what_no_batch_has_brought() -> None:
    with served(objects=6) as other:
        ids = other.object_ids()
        other.update(ids[4], bucket_id=7)
        walk = walk_of(other, page_size=3)
        reader = reader_of(walk)
        assert reader.read_next_batch().num_rows == 3
        with pytest.raises(OSError, match=r"InvalidObjectError: \$\.results\[\d\]\.bucket_id"):
            reader.read_next_batch()
        assert isinstance(walk.error, InvalidObjectError)
        rest = walk_of(other, resume=walk.error.checkpoint, on_invalid="skip")
        assert pa.table(rest)["object_id"].to_pylist() == [ids[3], ids[5]]


def test_ctrl_c_ends_it_while_the_server_is_silent() -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with served(objects=3, faults={1: Fault.slow(60)}) as other:
            walk = walk_of(other)

            def interrupt() -> None:
                until(lambda: other.requests)
                os.kill(os.getpid(), signal.SIGINT)

            waiting = threading.Thread(target=interrupt)
            waiting.start()
            with pytest.raises(OSError, match="KeyboardInterrupt"):
                pa.table(walk)
            waiting.join()
            assert isinstance(walk.error, KeyboardInterrupt)
            assert walk_threads() == []
    finally:
        signal.signal(signal.SIGINT, before)


def test_the_garbage_collector_may_drop_it_in_its_own_thread(emulator: Emulator) -> None:
    gc.disable()
    try:
        reader = reader_of(walk_of(emulator))
        reader.read_next_batch()
        circle: list[Any] = [reader]
        circle.append(circle)
        threads = [found for found in gc.get_objects() if isinstance(found, LoopThread)]
        thread = next(found for found in threads if found._thread.is_alive())
        loop, own = thread._loop, thread._thread
        del reader, circle, threads, thread

        async def collect() -> None:
            gc.collect()

        asyncio.run_coroutine_threadsafe(collect(), loop).result()
        own.join(10)
        assert not own.is_alive()
    finally:
        gc.enable()


def test_its_thread_may_be_closed_twice() -> None:
    calls: list[str] = []

    async def aclose() -> None:
        calls.append("aclose")

    async def double(number: int) -> int:
        return 2 * number

    with LoopThread(aclose) as thread:
        assert thread.run(double(4)) == 8
        thread.close()
    assert calls == ["aclose"]


def test_a_program_may_end_while_it_holds_a_reader(emulator: Emulator) -> None:
    program = (
        "import sys, pyarrow; from mixpeek_async import AsyncMixpeek\n"
        "walk = AsyncMixpeek().objects.list(sys.argv[1]).arrow()\n"
        "reader = pyarrow.RecordBatchReader.from_stream(walk)\n"
        "print(reader.read_next_batch().num_rows)"
    )
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", program, emulator.bucket]
    done = subprocess.run(
        command, env={**os.environ, **environment(emulator)}, capture_output=True, text=True, check=True, timeout=60
    )
    assert (done.stdout, done.stderr) == ("1000\n", "")


async def test_in_the_loop_of_the_client_it_says_to_use_async_for() -> None:
    async with Emulator(objects=3) as emulator, connect(emulator) as client:
        pager = client.objects.list(emulator.bucket)
        await pager
        with pytest.raises(InvalidArgumentError, match="use `async for`"):
            pa.table(pager.arrow())
        # Another thread may wait.
        assert (await asyncio.to_thread(pa.table, pager.arrow())).num_rows == 3
        assert len(await pager.to_list()) == 3


async def test_a_session_of_the_callers_is_of_no_use_to_it() -> None:
    async with aiohttp.ClientSession() as session, Emulator(objects=3) as emulator:
        client = connect(emulator, session=session)
        walk = client.objects.list(emulator.bucket).arrow()
        with pytest.raises(InvalidArgumentError, match="one of yours"):
            pa.table(walk)
        assert [batch.num_rows async for batch in walk] == [3]


async def test_a_closed_client_gives_no_stream() -> None:
    async with Emulator(objects=3) as emulator:
        client = connect(emulator)
        await client.aclose()
        with pytest.raises(ClientClosedError):
            pa.table(client.objects.list(emulator.bucket).arrow())


def test_a_stream_knows_what_the_client_has_sent_before() -> None:
    with served(objects=30) as other:
        pager = connect(other, requests_per_minute=7).objects.list(other.bucket, page_size=10)
        reader = reader_of(pager.arrow())
        assert reader.read_next_batch().num_rows == 10
        reader.close()
        assert pa.table(pager.arrow()).num_rows == 30
