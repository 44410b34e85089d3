"""Resume a walk from its checkpoint: after break, errors and changes of the list, and with bad strings."""

import re
from typing import Any

import pytest
from support.clients import connect
from support.list_server import ListServer, Query, objects

from mixpeek_async import (
    AsyncMixpeek,
    CheckpointError,
    InvalidArgumentError,
    InvalidObjectError,
    NotFoundError,
    ServerError,
    StatusError,
)
from mixpeek_async.emulator import Emulator, Fault

SHAPES = ["has_more", "page", "cursor"]


async def walk_some(client: AsyncMixpeek, emulator: Emulator, count: int, **options: Any) -> tuple[list[str], str]:
    """The first `count` ids of a listing, and the checkpoint behind them."""
    pager = client.objects.list(emulator.bucket, **options)
    ids: list[str] = []
    async for obj in pager:
        ids.append(obj.object_id)
        if len(ids) == count:
            break
    return ids, pager.checkpoint


@pytest.mark.parametrize("page_size", [1, 4, 1000])
@pytest.mark.parametrize("shape", SHAPES)
async def test_a_walk_goes_on_with_the_very_next_object_after_any_number_of_them(shape: str, page_size: int) -> None:
    async with Emulator(objects=12, pagination=shape) as emulator, connect(emulator) as client:
        for count in range(13):
            ids, checkpoint = await walk_some(client, emulator, count or -1, page_size=5, max_items=count)
            rest = client.objects.list(emulator.bucket, page_size=page_size, resume=checkpoint)
            assert ids + [obj.object_id async for obj in rest] == emulator.object_ids()


@pytest.mark.parametrize("shape", SHAPES)
async def test_a_checkpoint_at_the_end_leads_to_what_is_new(shape: str) -> None:
    async with Emulator(objects=12, pagination=shape) as emulator, connect(emulator) as client:
        ids, checkpoint = await walk_some(client, emulator, -1, page_size=5)
        new = emulator.insert()["object_id"]
        rest = client.objects.list(emulator.bucket, resume=checkpoint)

        assert len(ids) == 12
        assert [obj.object_id async for obj in rest] == [new]


@pytest.mark.parametrize("shape", SHAPES)
async def test_a_pager_that_was_never_walked_has_the_checkpoint_of_the_start(shape: str) -> None:
    async with Emulator(objects=3, pagination=shape) as emulator, connect(emulator) as client:
        start = client.objects.list(emulator.bucket).checkpoint
        assert len(await client.objects.list(emulator.bucket, resume=start).to_list()) == 3


@pytest.mark.parametrize("shape", SHAPES)
async def test_what_was_deleted_before_the_place_costs_nothing(shape: str) -> None:
    async with Emulator(objects=100, pagination=shape) as emulator, connect(emulator) as client:
        everything = emulator.object_ids()
        ids, checkpoint = await walk_some(client, emulator, 40, page_size=15)
        for id_ in everything[5:35]:
            emulator.delete(id_)
        rest = client.objects.list(emulator.bucket, page_size=15, resume=checkpoint)

        assert ids + [obj.object_id async for obj in rest] == everything


@pytest.mark.parametrize("left", [0, 5])
@pytest.mark.parametrize("shape", SHAPES)
async def test_dates_find_the_place_when_all_the_last_objects_are_gone(shape: str, left: int) -> None:
    async with Emulator(objects=100, pagination=shape) as emulator, connect(emulator) as client:
        everything = emulator.object_ids()
        ids, checkpoint = await walk_some(client, emulator, 60, page_size=50)
        for id_ in everything[left:60]:
            emulator.delete(id_)
        rest = client.objects.list(emulator.bucket, page_size=3, resume=checkpoint)

        assert ids + [obj.object_id async for obj in rest] == everything


@pytest.mark.parametrize("shape", SHAPES)
async def test_a_date_out_of_order_overrules_no_object_that_is_known(shape: str) -> None:
    async with Emulator(pagination=shape) as emulator, connect(emulator) as client:
        for number in range(40):
            minute = 5 if number == 25 else number + 10  # one writer's clock was behind
            emulator.insert(object_id=f"obj_{number}", created_at=f"2026-01-01T00:{minute:02}:00Z")
        for count in (10, 20, 30):
            ids, checkpoint = await walk_some(client, emulator, count, page_size=15)
            rest = client.objects.list(emulator.bucket, resume=checkpoint)
            assert ids + [obj.object_id async for obj in rest] == emulator.object_ids()


async def test_dates_out_of_order_decide_nothing_when_all_known_objects_are_gone() -> None:
    async with Emulator(pagination="has_more") as emulator, connect(emulator) as client:
        for number in range(60):
            minute = 5 if number == 50 else number
            emulator.insert(object_id=f"obj_{number}", created_at=f"2026-01-01T00:{minute:02}:00Z")
        ids, checkpoint = await walk_some(client, emulator, 40)
        for id_ in ids:
            emulator.delete(id_)
        with pytest.raises(CheckpointError):
            await client.objects.list(emulator.bucket, resume=checkpoint).to_list()


async def test_a_bad_record_at_the_start_of_a_page_by_cursor_is_behind_the_checkpoint_of_its_error() -> None:
    def answer(query: Query) -> Any:
        start = int(query.cursor or 0)
        rows = objects(range(start, min(start + 10, 35)))
        bad = [{"object_id": row["object_id"]} if row["object_id"] in ("10", "24") else row for row in rows]
        return {"results": bad, "pagination": {"next_cursor": str(start + 10) if start < 25 else None}}

    async with ListServer(answer) as server, server.client() as client:
        ids: list[str] = []
        checkpoint: str | None = None
        for _ in range(3):
            try:
                async for obj in client.objects.list("bkt_test", page_size=10, resume=checkpoint):
                    ids.append(obj.object_id)
            except InvalidObjectError as error:
                checkpoint = error.checkpoint

    assert ids == [str(n) for n in range(35) if n not in (10, 24)]


def undated(query: Query, gone: range = range(0)) -> Any:
    """A hundred objects without dates, by offset, less those that are gone."""
    ids = [n for n in range(100) if n not in gone]
    end = query.offset + query.limit
    return {"results": objects(ids[query.offset : end]), "pagination": {"has_more": end < len(ids)}}


async def test_without_dates_and_without_a_known_object_there_is_no_going_on() -> None:
    gone = range(0)
    async with ListServer(lambda query: undated(query, gone)) as server, server.client() as client:
        pager = client.objects.list("bkt_test", max_items=50)
        await pager.to_list()
        gone = range(10, 60)

        with pytest.raises(CheckpointError, match="start anew"):
            await client.objects.list("bkt_test", resume=pager.checkpoint).to_list()


async def test_a_checkpoint_of_a_resumed_walk_still_knows_the_objects_of_the_walks_before() -> None:
    gone = range(0)
    async with ListServer(lambda query: undated(query, gone)) as server, server.client() as client:
        checkpoint: str | None = None
        for _ in range(10):
            pager = client.objects.list("bkt_test", max_items=5, resume=checkpoint)
            await pager.to_list()
            checkpoint = pager.checkpoint
        gone = range(30, 50)
        rest = await client.objects.list("bkt_test", resume=checkpoint).to_list()

    assert [obj.object_id for obj in rest] == [str(n) for n in range(50, 100)]


def by_cursor(query: Query, rows: list[str], length: int = 10) -> Any:
    """Pages of `length` rows, whose cursor is the place of their first row."""
    start = int(query.cursor or 0)
    end = start + length
    return {"results": objects(rows[start:end]), "pagination": {"next_cursor": str(end) if end < len(rows) else None}}


async def test_a_page_by_cursor_that_lost_its_last_rows_goes_on_behind_the_last_known_one() -> None:
    rows = [f"{n}" for n in range(30)]
    async with ListServer(lambda query: by_cursor(query, rows)) as server, server.client() as client:
        pager = client.objects.list("bkt_test", max_items=15)
        await pager.to_list()
        rows[13:15] = []
        rest = await client.objects.list("bkt_test", resume=pager.checkpoint).to_list()

    assert [obj.object_id for obj in rest] == [str(n) for n in range(15, 30)]
    assert server.queries[-2].cursor == "10"


async def test_a_page_by_cursor_with_nothing_known_is_no_place_to_go_on_from() -> None:
    rows = [f"{n}" for n in range(100)]
    async with ListServer(lambda query: by_cursor(query, rows, 50)) as server, server.client() as client:
        pager = client.objects.list("bkt_test", max_items=90)
        await pager.to_list()
        rows[50:100] = [f"other {n}" for n in range(50)]

        with pytest.raises(CheckpointError, match="start anew"):
            await client.objects.list("bkt_test", resume=pager.checkpoint).to_list()


async def test_a_page_by_cursor_of_which_all_rows_before_the_place_are_gone_is_all_new() -> None:
    rows = [f"{n}" for n in range(30)]
    async with ListServer(lambda query: by_cursor(query, rows)) as server, server.client() as client:
        pager = client.objects.list("bkt_test", max_items=11)
        await pager.to_list()
        del rows[10]
        rest = await client.objects.list("bkt_test", resume=pager.checkpoint).to_list()

    assert [obj.object_id for obj in rest] == rows[10:]


async def test_a_page_by_cursor_whose_dates_are_out_of_order_is_no_place_to_go_on_from() -> None:
    rows = [
        {**row, "created_at": f"2026-01-01T{number // 60:02}:{number % 60:02}:00Z"}
        for number, row in enumerate(objects(range(100)))
    ]

    def answer(query: Query) -> Any:
        start = int(query.cursor or 0)
        return {"results": rows[start : start + 50], "pagination": {"next_cursor": "50" if start < 50 else None}}

    async with ListServer(answer) as server, server.client() as client:
        pager = client.objects.list("bkt_test", max_items=90)
        await pager.to_list()
        rows[50:] = [{**rows[number], "object_id": f"other {number}"} for number in (85, 84, 99, 60)]

        with pytest.raises(CheckpointError, match="start anew"):
            await client.objects.list("bkt_test", resume=pager.checkpoint).to_list()


async def test_a_page_by_cursor_goes_on_behind_a_record_without_an_id() -> None:
    def answer(query: Query) -> Any:
        start = int(query.cursor or 0)
        rows = [{"bucket_id": "bkt_test"} if n == 12 else objects([n])[0] for n in range(start, start + 10)]
        return {"results": rows, "pagination": {"next_cursor": "10" if not start else None}}

    async with ListServer(answer) as server, server.client() as client:
        walk = aiter(client.objects.list("bkt_test"))
        with pytest.raises(InvalidObjectError) as caught:
            _ = [obj async for obj in walk]
        rest = await client.objects.list("bkt_test", resume=caught.value.checkpoint).to_list()

    assert [obj.object_id for obj in rest] == [str(n) for n in range(13, 20)]


@pytest.mark.parametrize("deleted", [0, 1])
async def test_a_bad_record_among_those_that_dates_decide_on_is_still_to_come(deleted: int) -> None:
    rows = [{**row, "created_at": f"2026-01-01T00:{number:02}:00Z"} for number, row in enumerate(objects(range(60)))]
    rows[50] = {"object_id": "50", "bucket_id": 7}

    def answer(query: Query) -> Any:
        end = query.offset + query.limit
        return {"results": rows[query.offset : end], "pagination": {"has_more": end < len(rows)}}

    async with ListServer(answer) as server, server.client() as client:
        pager = client.objects.list("bkt_test", max_items=50)
        await pager.to_list()
        del rows[deleted:50]
        rest = client.objects.list("bkt_test", resume=pager.checkpoint)
        with pytest.raises(InvalidObjectError):
            await anext(aiter(rest))


REFUSED_CURSOR: dict[str, Fault] = {
    "400": Fault.answer({"error": {"message": "Invalid cursor"}}, status=400),
    "410": Fault.http(410),
    "422": Fault.answer({"detail": [{"loc": ["query", "cursor"], "msg": "value is not valid"}]}, status=422),
}


@pytest.mark.parametrize("fault", REFUSED_CURSOR.values(), ids=REFUSED_CURSOR)
async def test_an_expired_cursor_is_a_checkpoint_error_and_never_a_new_start(fault: Fault) -> None:
    async with Emulator(objects=30) as emulator, connect(emulator) as client:
        _, checkpoint = await walk_some(client, emulator, 25, page_size=10)
        emulator.script(1, fault)
        sent = len(emulator.requests)

        with pytest.raises(CheckpointError, match="cursor") as caught:
            await client.objects.list(emulator.bucket, resume=checkpoint).to_list()
        assert caught.value.checkpoint == checkpoint
        assert isinstance(caught.value.__cause__, StatusError)
        assert len(emulator.requests) == sent + 1


@pytest.mark.parametrize("status", [400, 422])
async def test_a_refusal_for_another_reason_condemns_no_checkpoint(status: int) -> None:
    async with Emulator(objects=30) as emulator, connect(emulator) as client:
        _, checkpoint = await walk_some(client, emulator, 25, page_size=10)
        emulator.script(1, Fault.answer({"error": {"message": "the organization is suspended"}}, status=status))

        with pytest.raises(StatusError, match="suspended"):
            await client.objects.list(emulator.bucket, resume=checkpoint).to_list()


async def test_a_bucket_that_is_gone_is_not_taken_for_an_expired_cursor() -> None:
    async with Emulator(objects=30) as emulator, connect(emulator) as client:
        _, checkpoint = await walk_some(client, emulator, 25, page_size=10)
        emulator.script(1, Fault.http(404))

        with pytest.raises(NotFoundError):
            await client.objects.list(emulator.bucket, resume=checkpoint).to_list()


@pytest.mark.parametrize("shape", SHAPES)
async def test_an_error_carries_the_checkpoint_of_the_walk(shape: str) -> None:
    faults = {3: Fault.http(500)}
    async with Emulator(objects=30, pagination=shape, faults=faults) as emulator, connect(emulator) as client:
        walk = aiter(client.objects.list(emulator.bucket, page_size=10))
        ids = [(await anext(walk)).object_id for _ in range(20)]
        with pytest.raises(ServerError) as caught:
            await anext(walk)
        rest = client.objects.list(emulator.bucket, resume=caught.value.checkpoint)

        assert ids + [obj.object_id async for obj in rest] == emulator.object_ids()


async def test_the_error_of_to_list_leads_back_to_the_start_because_its_objects_are_lost() -> None:
    async with Emulator(objects=30, faults={3: Fault.http(500)}) as emulator, connect(emulator) as client:
        with pytest.raises(ServerError) as caught:
            await client.objects.list(emulator.bucket, page_size=10).to_list()
        assert len(await client.objects.list(emulator.bucket, resume=caught.value.checkpoint).to_list()) == 30


async def test_the_error_of_a_first_page_leads_back_to_the_start() -> None:
    async with Emulator(objects=30, faults={1: Fault.http(500)}) as emulator, connect(emulator) as client:
        with pytest.raises(ServerError) as caught:
            await client.objects.list(emulator.bucket)
        assert len(await client.objects.list(emulator.bucket, resume=caught.value.checkpoint).to_list()) == 30


@pytest.mark.parametrize("shape", SHAPES)
async def test_a_walk_by_pages_goes_on_with_the_next_page(shape: str) -> None:
    async with Emulator(objects=30, pagination=shape) as emulator, connect(emulator) as client:
        pages = client.objects.list(emulator.bucket, page_size=8).pages()
        first = await anext(pages)
        rest = client.objects.list(emulator.bucket, resume=pages.checkpoint)

        assert [obj.object_id for obj in first.results] + [obj.object_id async for obj in rest] == emulator.object_ids()


async def test_a_page_that_was_never_handed_out_is_not_behind_the_checkpoint() -> None:
    def answer(query: Query) -> Any:
        return {"results": [*objects("ab"), {"object_id": 7}, *objects("c")], "pagination": {"has_more": False}}

    async with ListServer(answer) as server, server.client() as client:
        pages = client.objects.list("bkt_test").pages()
        with pytest.raises(InvalidObjectError) as caught:
            await anext(pages)
        again = client.objects.list("bkt_test", resume=caught.value.checkpoint, on_invalid="skip")

        assert pages.checkpoint == caught.value.checkpoint
        assert [obj.object_id async for obj in again] == ["a", "b", "c"]


async def test_a_bad_record_is_behind_the_checkpoint_of_its_error() -> None:
    def answer(query: Query) -> Any:
        rows = [*objects("ab"), {"object_id": "bad"}, *objects("cd")][query.offset : query.offset + query.limit]
        return {"results": rows, "pagination": {"has_more": query.offset + query.limit < 5}}

    async with ListServer(answer) as server, server.client() as client:
        walk = aiter(client.objects.list("bkt_test", page_size=4))
        await anext(walk)
        await anext(walk)
        with pytest.raises(InvalidObjectError) as caught:
            await anext(walk)
        rest = await client.objects.list("bkt_test", resume=caught.value.checkpoint).to_list()

    assert [obj.object_id for obj in rest] == ["c", "d"]


@pytest.mark.parametrize("deleted", [0, 2, 8])
async def test_the_place_behind_a_record_without_an_id_is_checked_all_the_same(deleted: int) -> None:
    rows = [{"bucket_id": "bkt_test"} if n == 12 else objects([n])[0] for n in range(30)]

    def answer(query: Query) -> Any:
        end = query.offset + query.limit
        return {"results": rows[query.offset : end], "pagination": {"has_more": end < len(rows)}}

    async with ListServer(answer) as server, server.client() as client:
        ids: list[str] = []

        async def walk() -> None:
            async for obj in client.objects.list("bkt_test", page_size=10):
                ids.append(obj.object_id)

        with pytest.raises(InvalidObjectError) as caught:
            await walk()
        del rows[:deleted]
        rest = client.objects.list("bkt_test", page_size=10, resume=caught.value.checkpoint, on_invalid="skip")
        ids += [obj.object_id async for obj in rest]

    assert ids == [str(n) for n in range(30) if n != 12]


@pytest.mark.parametrize("text", ["{}\n", " {}", "{}\r\n"])
async def test_a_checkpoint_with_the_line_break_of_its_file_gets_a_hint(text: str) -> None:
    async with Emulator(objects=3) as emulator, connect(emulator) as client:
        _, checkpoint = await walk_some(client, emulator, 2)
        with pytest.raises(CheckpointError, match=r"\.strip\(\)"):
            client.objects.list(emulator.bucket, resume=text.format(checkpoint))


async def test_a_checkpoint_is_short_safe_in_a_url_and_holds_no_secret() -> None:
    async with Emulator(objects=100) as emulator, connect(emulator) as client:
        _, checkpoint = await walk_some(client, emulator, 90, page_size=40)

    assert re.fullmatch(r"[A-Za-z0-9_.~-]+", checkpoint)
    assert len(checkpoint) < 900
    assert emulator.api_key not in checkpoint


@pytest.mark.parametrize("other", ["bucket", "namespace"])
async def test_a_checkpoint_of_another_listing_is_refused_before_any_request(other: str) -> None:
    async with Emulator(objects=30) as emulator, connect(emulator) as client:
        _, checkpoint = await walk_some(client, emulator, 5)
        sent = len(emulator.requests)
        async with connect(emulator, namespace="other" if other == "namespace" else emulator.namespace) as second:
            with pytest.raises(CheckpointError, match=f"another {other}"):
                second.objects.list("other" if other == "bucket" else emulator.bucket, resume=checkpoint)

        assert len(emulator.requests) == sent


async def test_a_checkpoint_and_an_offset_are_one_place_too_many(emulator: Emulator, client: AsyncMixpeek) -> None:
    pager = client.objects.list(emulator.bucket)
    with pytest.raises(InvalidArgumentError, match="not both"):
        client.objects.list(emulator.bucket, resume=pager.checkpoint, offset=5)
