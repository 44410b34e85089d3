"""A list that changes under a walk on a real socket: what each kind of server makes of it, resumed or not."""

from typing import Any

import pytest
from support.clients import connect

from mixpeek_async import Object, Sort, Walk
from mixpeek_async.emulator import Emulator

NEWEST_FIRST = Sort("created_at", "desc")


def create(emulator: Emulator, *numbers: int) -> None:
    """Objects "0", "1", …, one a minute."""
    for number in range(*numbers):
        date = f"2026-01-{1 + number // 1440:02}T{number // 60 % 24:02}:{number % 60:02}:00Z"
        emulator.insert({"object_id": str(number), "created_at": date, "blobs": []})


async def take(walk: Walk[Object], count: int) -> list[int]:
    return [int((await anext(walk)).object_id) for _ in range(count)]


async def rest(walk: Walk[Object]) -> list[int]:
    return [int(obj.object_id) async for obj in walk]


@pytest.mark.parametrize("created", [15, 70, 300])
@pytest.mark.parametrize("resumed", [False, True])
async def test_objects_created_in_front_of_a_list_that_is_sorted_newest_first(resumed: bool, created: int) -> None:
    options: dict[str, Any] = {"sort": NEWEST_FIRST, "page_size": 10}
    async with Emulator(pagination="has_more") as emulator, connect(emulator) as client:
        create(emulator, 100)
        walk = aiter(client.objects.list(emulator.bucket, **options))
        ids = await take(walk, 50)
        create(emulator, 100, 100 + created)
        if resumed:
            walk = aiter(client.objects.list(emulator.bucket, resume=walk.checkpoint, **options))
        ids += await rest(walk)

    assert [number for number in ids if number < 100] == list(range(99, -1, -1))


@pytest.mark.parametrize("concurrency", [1, 8])
async def test_cursors_of_pages_that_come_again_lead_nowhere(concurrency: int) -> None:
    async with Emulator(pagination="cursor") as emulator, connect(emulator) as client:
        create(emulator, 300)
        listing = client.objects.list(emulator.bucket, sort=NEWEST_FIRST, page_size=10, concurrency=concurrency)
        walk = aiter(listing)
        ids = await take(walk, 20)
        create(emulator, 300, 350)
        ids += await rest(walk)

    assert [number for number in ids if number < 300] == list(range(299, -1, -1))


@pytest.mark.parametrize("resumed", [False, True])
@pytest.mark.parametrize("concurrency", [1, 8])
@pytest.mark.parametrize("shape", ["has_more", "page", "cursor"])
async def test_objects_deleted_from_a_server_that_clamps_limits(shape: str, concurrency: int, resumed: bool) -> None:
    async with Emulator(pagination=shape, max_limit=100) as emulator, connect(emulator) as client:
        create(emulator, 3_000)
        walk = aiter(client.objects.list(emulator.bucket, concurrency=concurrency))
        ids = await take(walk, 2_000)
        for number in range(450):
            emulator.delete(str(number))
        if resumed:
            walk = aiter(client.objects.list(emulator.bucket, concurrency=concurrency, resume=walk.checkpoint))
        ids += await rest(walk)

    assert ids == list(range(3_000))


async def test_a_place_is_found_by_its_objects_where_no_date_can_tell_it() -> None:
    async with Emulator(pagination="has_more", max_limit=100) as emulator, connect(emulator) as client:
        create(emulator, 3_000)
        walk = aiter(client.objects.list(emulator.bucket, sort="created_at"))
        ids = await take(walk, 2_500)
        for number in range(600):
            emulator.delete(str(number))
        ids += await rest(aiter(client.objects.list(emulator.bucket, sort="created_at", resume=walk.checkpoint)))

    assert ids == list(range(3_000))


async def test_a_walk_that_began_at_an_offset_finds_its_place_on_a_server_that_clamps_limits() -> None:
    async with Emulator(pagination="has_more", max_limit=100) as emulator, connect(emulator) as client:
        create(emulator, 3_000)
        walk = aiter(client.objects.list(emulator.bucket, offset=1_000))
        ids = await take(walk, 150)
        for number in range(500):
            emulator.delete(str(number))
        ids += await rest(walk)

    assert ids == list(range(1_000, 3_000))


async def test_a_checkpoint_at_the_start_of_the_list_asks_for_no_offset_before_it() -> None:
    options: dict[str, Any] = {"sort": NEWEST_FIRST, "page_size": 1, "prefetch": 0}
    async with Emulator(pagination="has_more") as emulator, connect(emulator) as client:
        create(emulator, 5)
        walk = aiter(client.objects.list(emulator.bucket, **options))
        ids = await take(walk, 1)
        create(emulator, 5, 6)
        ids += await take(walk, 1)
        ids += await rest(aiter(client.objects.list(emulator.bucket, resume=walk.checkpoint, **options)))

    assert ids == [4, 3, 2, 1, 0]
