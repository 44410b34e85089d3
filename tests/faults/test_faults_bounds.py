"""What a hostile server can make a walk hold: memory, the event loop, rows, requests, ids and cursors."""

import asyncio
import gc
import itertools
import json
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.bucket_server import BucketServer, Reply, Request
from support.list_server import ListServer, Query, objects

from mixpeek_async import (
    AsyncMixpeek,
    CheckpointError,
    InvalidArgumentError,
    InvalidObjectError,
    MalformedResponseError,
    MixpeekError,
    Object,
    PaginationError,
    PaginationLoopError,
    ResponseTooLargeError,
)
from mixpeek_async._model import structurer
from mixpeek_async._options import PageStart
from mixpeek_async._paging import Bookmark, guard
from mixpeek_async._paging.bookmark import fingerprint
from mixpeek_async._wire import Response, model_parser, parse_page, row_id

MIB = 1024 * 1024
_FAR = datetime(2999, 1, 1, tzinfo=UTC)


def filled(item: bytes, size: int = 4 * MIB) -> bytes:
    """As many of `item` as a list of `size` bytes holds."""
    return b",".join([item] * (size // (len(item) + 1)))


def in_a_row(value: bytes) -> bytes:
    return b'{"results":[{"object_id":"a","bucket_id":"b","metadata":%b}]}' % value


BODIES: dict[str, Callable[[], bytes]] = {
    "warnings": lambda: b'{"results":[],"warnings":[%b]}' % filled(b"{}"),
    "numbers for rows": lambda: b'{"results":[%b]}' % filled(b"0"),
    "empty rows": lambda: b'{"results":[%b]}' % filled(b"{}"),
    "rows and a NaN": lambda: b'{"results":[%b,NaN]}' % filled(b'{"object_id":"a","bucket_id":"b"}'),
    "counts": lambda: b'{"results":[],"stats":{"objects_by_status":{%b}}}' % filled(b'"a":{}'),
    "unknown stats": lambda: b'{"results":[],"stats":{"x":[%b]}}' % filled(b"{}"),
    "next_page": lambda: b'{"results":[],"pagination":{"next_page":[%b]}}' % filled(b"{}"),
    "results again and again": lambda: b"{%b}" % filled(b'"results":[]'),
    "metadata": lambda: in_a_row(b"[%b]" % filled(b"{}")),
    "nested metadata": lambda: in_a_row(b"[%b]" % filled(b"[[[[[[]]]]]]")),
    "characters of four bytes": lambda: in_a_row(b'"%b"' % ("😀".encode() * MIB)),
    "a cursor": lambda: b'{"results":[],"pagination":{"next_cursor":"%b"}}' % (b"y" * 4 * MIB),
    "long bad rows": lambda: b'{"results":[%b]}' % filled(b'{"object_id":"a","bucket_id":7,"x":"%b"}' % (b"y" * 4096)),
}


def read(body: bytes) -> None:
    """What a walk with `skip` does with a body."""
    structure, identify = structurer(Object), row_id("object_id")
    try:
        page = parse_page(Response(status=200, body=body))
    except MalformedResponseError:
        return
    for index, row in enumerate(page.rows):
        try:
            structure(row, index)
        except InvalidObjectError:
            identify(row)


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_body_takes_at_most_four_times_its_size_and_emojis_six_times(body: Callable[[], bytes]) -> None:
    text = body()
    gc.collect()
    tracemalloc.start()
    try:
        read(text)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # For a text with an emoji, Python's own decoder takes five times its size, and the row is a copy.
    assert peak <= (6.1 if "😀".encode() in text else 4) * len(text)


@pytest.mark.parametrize("item", [b"{}", b"[[[[]]]]", b"0"])
def test_one_object_of_millions_of_values_is_not_read(item: bytes) -> None:
    parse = model_parser(structurer(Object, "$"))
    with pytest.raises(ResponseTooLargeError, match="250,000 values"):
        parse(Response(status=200, body=b'{"object_id":"a","bucket_id":"b","metadata":[%b]}' % filled(item)))


async def test_an_object_of_millions_of_values_costs_only_itself() -> None:
    rows = objects(range(8))
    rows[5]["metadata"] = [[]] * 300_000

    def answer(query: Query) -> Any:
        found = rows[query.offset : query.offset + query.limit]
        if query.body:
            found = [{"object_id": row["object_id"], "bucket_id": "b"} for row in found]
        return {"results": found, "pagination": {"has_more": query.offset + query.limit < 8}}

    async with ListServer(answer) as server, server.client() as client:
        walk = aiter(client.objects.list("bkt_test"))
        ids = [(await anext(walk)).object_id for _ in range(5)]
        with pytest.raises(ResponseTooLargeError, match="object '5'"):
            await anext(walk)
        ids += [obj.object_id async for obj in walk]

    assert ids == [str(n) for n in range(8) if n != 5]


async def test_bad_rows_that_are_skipped_let_other_tasks_run() -> None:
    page = {"results": [{"object_id": str(n), "bucket_id": 7} for n in range(1_000)], "pagination": {"has_more": False}}
    async with ListServer(lambda query: page) as server, server.client() as client:
        turns: list[int] = []
        walk = aiter(client.objects.list("bkt_test", on_invalid="skip", prefetch=0))

        async def count() -> None:
            while True:
                turns.append(walk.progress.invalid)
                await asyncio.sleep(0)

        counting = asyncio.create_task(count())
        assert [obj async for obj in walk] == []
        counting.cancel()

    steps = [later - earlier for earlier, later in itertools.pairwise(turns)]
    assert walk.progress.invalid == 1_000
    assert max(steps) <= 101


async def test_a_page_with_many_bad_rows_stays_one_page() -> None:
    rows = objects(range(1_000))
    for row in rows[1:-1]:
        row["bucket_id"] = 7
    page = {"results": rows, "pagination": {"has_more": False}}
    async with ListServer(lambda query: page) as server, server.client() as client:
        pages = [page async for page in client.objects.list("bkt_test", on_invalid="skip").pages()]

    assert [[obj.object_id for obj in page.results] for page in pages] == [["0", "999"]]


# --- rows ---


@pytest.mark.parametrize(("limit", "rows"), [(1, 1_001), (10, 1_010), (1_000, 2_000)])
async def test_a_thousand_rows_more_than_asked_for_are_taken(limit: int, rows: int) -> None:
    page = {"results": objects(range(rows)), "pagination": {"has_more": False}}
    async with ListServer(lambda query: page) as server, server.client() as client:
        assert len(await client.objects.list("bkt_test", page_size=limit).to_list()) == rows


@pytest.mark.parametrize(("limit", "rows"), [(1, 1_002), (10, 1_011), (1_000, 2_001)])
async def test_more_rows_than_that_are_malformed(limit: int, rows: int) -> None:
    page = {"results": objects(range(rows)), "pagination": {"has_more": False}}
    async with ListServer(lambda query: page) as server, server.client() as client:
        with pytest.raises(MalformedResponseError, match="rows came") as caught:
            await client.objects.list("bkt_test", page_size=limit).to_list()

    assert (caught.value.path, caught.value.retryable) == (f"$.results[{limit + 1_000}]", False)


# --- walks by offset ---


def fresh(query: Query) -> Any:
    """New ids wherever they are asked for, by turns behind a known one and without one."""
    ids = [f"{query.number}.{row}" for row in range(query.limit)]
    if query.offset and query.number % 2 == 0:
        ids[0] = f"{query.number - 1}.{query.limit - 1}"
    return {"results": objects(ids), "pagination": {"has_more": True}}


def without_ids(query: Query) -> Any:
    rows = [{"bucket_id": "b", "number": f"{query.number}.{row}"} for row in range(query.limit)]
    return {"results": rows, "pagination": {"has_more": True}}


def by_turns(query: Query) -> Any:
    """The walk is sent back to the start of the list, which is new each time, for ever."""
    rows = [f"{query.number}.{row}" for row in range(query.limit)]
    if query.offset == 0 and query.number > 1:
        rows[:1] = ["1.0"]
    return {"results": objects(rows), "pagination": {"has_more": True}}


ENDLESS = {"fresh ids": fresh, "no ids": without_ids, "by turns": by_turns}


@pytest.mark.parametrize("answer", ENDLESS.values(), ids=ENDLESS)
async def test_a_walk_by_offset_ends(answer: Callable[[Query], Any]) -> None:
    async with ListServer(answer) as server, server.client() as client:
        pager = client.objects.list("bkt_test", on_invalid="skip")
        with pytest.raises(PaginationError):
            async for _ in pager:
                pass

    assert pager.progress.items + pager.progress.invalid < 52_000
    assert len(server.queries) < 3_000


async def test_the_pages_of_a_walk_by_offset_are_bounded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "_MAX_PAGES_BY_OFFSET", 50)
    async with ListServer(fresh) as server, server.client() as client:
        with pytest.raises(PaginationLoopError, match="50 pages"):
            await client.objects.list("bkt_test", page_size=2).to_list()

    assert len(server.queries) <= 51


async def test_a_walk_by_cursor_has_no_bound_of_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "_MAX_PAGES_BY_OFFSET", 5)
    monkeypatch.setattr(guard, "_MAX_ROWS_BY_OFFSET", 50)

    def answer(query: Query) -> Any:
        start = int(query.cursor or 0)
        rows = objects(range(start, start + 10))
        return {"results": rows, "pagination": {"next_cursor": str(start + 10) if start < 190 else None}}

    async with ListServer(answer) as server, server.client() as client:
        assert len(await client.objects.list("bkt_test").to_list()) == 200


# --- ids and cursors ---


@attrs.frozen
class Mine:
    bucket_id: str


@pytest.mark.parametrize("model", [Object, Mine])
async def test_an_id_over_a_kilobyte_is_a_bad_record(model: Any) -> None:
    ids = ["a" * 1_024, "b" * 1_025, "c" * 10_000]
    page = {"results": objects(ids), "pagination": {"has_more": False}}
    async with ListServer(lambda query: page) as server, server.client() as client:
        errors: list[InvalidObjectError] = []
        found = await client.objects.list("bkt_test", model=model, on_invalid=errors.append).to_list()

    assert len(found) == 1
    assert [error.path for error in errors] == ["$.results[1].object_id", "$.results[2].object_id"]


async def test_two_objects_with_an_empty_id_are_two_bad_records_and_not_one_object() -> None:
    rows = [{"object_id": "", "bucket_id": "b", "n": n} for n in range(2)]
    page = {"results": rows, "pagination": {"has_more": False}}
    async with ListServer(lambda query: page) as server, server.client() as client:
        pager = client.objects.list("bkt_test", on_invalid="skip")
        assert await pager.to_list() == []

    assert pager.progress.invalid == 2


@pytest.mark.parametrize(("cursor", "fits"), [("a" * 65_536, True), ("é" * 32_768, True), ("é" * 32_769, False)])
def test_a_cursor_has_at_most_64_kib(cursor: str, fits: bool) -> None:
    body = b'{"results":[],"pagination":{"next_cursor":"%b"}}' % cursor.encode()
    if fits:
        assert parse_page(Response(status=200, body=body)).pagination.next_cursor == cursor
    else:
        with pytest.raises(MalformedResponseError, match="65,536") as caught:
            parse_page(Response(status=200, body=body))
        assert caught.value.path == "$.pagination.next_cursor"


cursors = st.text(st.characters(codec="utf-8"), min_size=1, max_size=30) | st.builds(
    lambda text, times: text * times, st.sampled_from(["a", "é", "😀", "\0", " ", "%"]), st.integers(1, 16_384)
)
dates = st.none() | st.sampled_from(
    ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59-23:59", "2026-01-01T00:00:00"]
)


@given(cursor=cursors, ids=st.lists(st.text(st.characters(codec="utf-8")), max_size=40), date=dates)
@settings(max_examples=50, deadline=None)
def test_every_checkpoint_that_a_walk_gives_is_taken(cursor: str, ids: list[str], date: str | None) -> None:
    rows = [{**row, "created_at": date} for row in objects(ids)]

    def answer(request: Request) -> Reply:
        if request.number == 1:
            return Reply(json.dumps({"results": rows, "pagination": {"next_cursor": cursor}}).encode())
        assert request.cursor == cursor
        return Reply(json.dumps({"results": objects(["last"]), "pagination": {"next_cursor": None}}).encode())

    async def check() -> None:
        async with BucketServer(answer) as server, server.client() as client:
            walk = aiter(client.objects.list("bkt_test", on_invalid="skip"))
            client.objects.list("bkt_test", resume=walk.checkpoint)
            async for _ in walk:
                client.objects.list("bkt_test", resume=walk.checkpoint)
            client.objects.list("bkt_test", resume=walk.checkpoint)

    asyncio.run(check())


# --- checkpoints made by hand ---


def forged(client: AsyncMixpeek, **place: Any) -> str:
    """A checkpoint of a place where no walk has been; without a key, anybody can make its digest."""
    scope = client.objects.list("bkt_test")._source.scope
    return Bookmark(anchors=(fingerprint("no such object"),), last_date=_FAR, same_date=1, **place).encode(scope)


async def test_a_forged_checkpoint_reads_no_whole_bucket_by_cursor() -> None:
    def answer(query: Query) -> Any:
        start = int(query.cursor or 0)
        rows = [{**row, "created_at": "2026-01-01T00:00:00Z"} for row in objects(range(start, start + 1_000))]
        return {"results": rows, "pagination": {"next_cursor": str(start + 1_000)}}

    async with ListServer(answer) as server, server.client() as client:
        checkpoint = forged(client, start=PageStart(cursor="0"), index=2_000)
        with pytest.raises(PaginationLoopError):
            await client.objects.list("bkt_test", max_items=100, resume=checkpoint).to_list()

    assert len(server.queries) <= 5


async def test_a_forged_checkpoint_reads_no_more_than_offsets_reach() -> None:
    def answer(query: Query) -> Any:
        rows = [
            {**row, "created_at": "2026-01-01T00:00:00Z"}
            for row in objects(range(query.offset, query.offset + query.limit))
        ]
        return {"results": rows, "pagination": {"has_more": True}}

    async with ListServer(answer) as server, server.client() as client:
        checkpoint = forged(client, start=PageStart(0))
        with pytest.raises(MixpeekError):
            await client.objects.list("bkt_test", max_items=100, resume=checkpoint).to_list()

    assert len(server.queries) <= 15


KEY = "0123456789abcdef"


async def test_a_client_with_a_checkpoint_key_takes_only_checkpoints_of_clients_with_it() -> None:
    page = {"results": objects("abc"), "pagination": {"has_more": False}}
    async with (
        ListServer(lambda query: page) as server,
        server.client(checkpoint_key=KEY) as signing,
        server.client(checkpoint_key=KEY.encode()) as same,
        server.client(checkpoint_key=KEY[::-1]) as other,
        server.client() as without,
    ):
        signed = signing.objects.list("bkt_test").checkpoint
        unsigned = without.objects.list("bkt_test").checkpoint
        assert len(await same.objects.list("bkt_test", resume=signed).to_list()) == 3
        for client, checkpoint in ((other, signed), (without, signed), (signing, unsigned)):
            with pytest.raises(CheckpointError, match="checkpoint_key"):
                client.objects.list("bkt_test", resume=checkpoint)
        buckets = signing.buckets.list().checkpoint
        with pytest.raises(CheckpointError, match="checkpoint_key"):
            without.buckets.list(resume=buckets)
        same.buckets.list(resume=buckets)

    assert KEY not in signed


@pytest.mark.parametrize("key", ["", "a" * 15, "a" * 65, "é" * 33, b"", b"a" * 15, b"a" * 65, 7, True, ["a" * 16]])
def test_a_checkpoint_key_of_another_length_or_type_is_refused_and_not_shown(key: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="checkpoint_key must be") as caught:
        AsyncMixpeek("sk_test", namespace="test", checkpoint_key=key)

    assert "aaa" not in str(caught.value)
    frames = caught.traceback
    assert all("aaaaa" not in repr(vars) for frame in frames[1:] for vars in [frame.locals.get("checkpoint_key")])


@pytest.mark.parametrize("key", ["a" * 16, "é" * 32, b"\0" * 16, b"\xff" * 64, "\ud800" * 16])
def test_a_checkpoint_key_of_16_to_64_bytes_is_taken(key: Any) -> None:
    assert "checkpoint" not in repr(AsyncMixpeek("sk_test", namespace="test", checkpoint_key=key))


# --- decorations ---


async def test_parts_that_cannot_be_read_are_logged_once_a_walk(caplog: pytest.LogCaptureFixture) -> None:
    def answer(query: Query) -> Any:
        end = query.offset + query.limit
        more = {"has_more": end < 9, "limit": "10"}
        return {"results": objects(range(query.offset, min(end, 9))), "pagination": more, "warnings": [7]}

    async with ListServer(answer) as server, server.client() as client:
        pager = client.objects.list("bkt_test", page_size=3)
        for _ in range(2):
            assert len([obj async for obj in pager]) == 9

    records = [record for record in caplog.records if record.levelname == "WARNING"]
    assert len(records) == 2
    assert "$.pagination.limit" in records[0].getMessage()
    assert "$.warnings[0]" in records[0].getMessage()


async def test_a_log_line_about_them_shows_no_terminal_escape(caplog: pytest.LogCaptureFixture) -> None:
    page = {"results": objects("a"), "pagination": {"has_more": False}, "stats": {"objects_by_status": ["\x1b[2J\n"]}}
    async with ListServer(lambda query: page) as server, server.client() as client:
        await client.objects.list("bkt_test").to_list()

    assert all(record.getMessage().isprintable() for record in caplog.records)
    assert "$.stats" in caplog.text


# --- requests of short lists ---


@pytest.mark.parametrize(("last", "requests"), [({"next_cursor": None}, 1), ({}, 2)], ids=["null", "dropped"])
async def test_a_list_of_one_page_takes_a_second_request_only_where_nothing_says_that_it_ends(
    last: dict[str, Any], requests: int
) -> None:
    rows = objects(range(50))

    def answer(query: Query) -> Any:
        return {"results": rows[query.offset : query.offset + query.limit], "pagination": last}

    async with ListServer(answer) as server, server.client() as client:
        assert len(await client.objects.list("bkt_test").to_list()) == 50

    assert len(server.queries) == requests


async def test_237_objects_by_100_without_any_pagination_take_four_requests() -> None:
    rows = objects(range(237))

    def answer(query: Query) -> Any:
        return {"results": rows[query.offset : query.offset + query.limit]}

    async with ListServer(answer) as server, server.client() as client:
        assert len(await client.objects.list("bkt_test", page_size=100).to_list()) == 237

    assert len(server.queries) == 4


def test_the_error_of_a_long_bad_record_keeps_its_first_256_kib() -> None:
    row = b'{"object_id":"a","bucket_id":7,"x":"%b"}' % (b"\\u0041" * MIB)
    with pytest.raises(InvalidObjectError) as caught:
        structurer(Object)(row, 0)

    assert caught.value.raw == row[: 256 * 1024]
