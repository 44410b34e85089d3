"""`checkpoint_before` stands in front of what was yielded last, wherever the walk is by now."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.clients import client_at
from support.clocks import ManualClock

from mixpeek_async import AsyncMixpeek, InvalidObjectError
from mixpeek_async.emulator import Emulator


def on(emulator: Emulator) -> AsyncMixpeek:
    return client_at(emulator.url, api_key=emulator.api_key, namespace=emulator.namespace, clock=ManualClock())


@settings(deadline=None, max_examples=60)
@given(
    shape=st.sampled_from(["cursor", "has_more", "page"]),
    objects=st.integers(1, 12),
    page_size=st.integers(1, 5),
    data=st.data(),
)
async def test_a_walk_from_it_yields_the_last_object_again(
    shape: str, objects: int, page_size: int, data: st.DataObject
) -> None:
    taken = data.draw(st.integers(1, objects))
    closed = data.draw(st.booleans())
    async with Emulator(objects=objects, pagination=shape) as emulator, on(emulator) as client:
        ids = emulator.object_ids()
        walk = aiter(client.objects.list(emulator.bucket, page_size=page_size))
        last = await anext(walk)
        for _ in range(taken - 1):
            assert walk.checkpoint != walk.checkpoint_before
            last = await anext(walk)
        if closed:
            await walk.aclose()
        again = client.objects.list(emulator.bucket, page_size=3, resume=walk.checkpoint_before)
        assert [obj.object_id for obj in await again.to_list()] == ids[taken - 1 :]
        assert last.object_id == ids[taken - 1]


async def test_before_the_first_object_it_is_the_start_and_at_the_end_the_last_object() -> None:
    async with Emulator(objects=4) as emulator, on(emulator) as client:
        walk = aiter(client.objects.list(emulator.bucket, page_size=2))
        assert walk.checkpoint_before == walk.checkpoint
        ids = [obj.object_id async for obj in walk]
        again = client.objects.list(emulator.bucket, resume=walk.checkpoint_before)
        assert [obj.object_id for obj in await again.to_list()] == ids[-1:]


async def test_a_bad_record_does_not_move_it() -> None:
    async with Emulator(objects=3) as emulator, on(emulator) as client:
        ids = emulator.object_ids()
        emulator.update(ids[1], bucket_id=7)
        walk = aiter(client.objects.list(emulator.bucket))
        await anext(walk)
        before = walk.checkpoint_before
        with pytest.raises(InvalidObjectError):
            await anext(walk)
        assert walk.checkpoint_before == before


async def test_by_page_it_stands_in_front_of_the_last_page() -> None:
    async with Emulator(objects=7) as emulator, on(emulator) as client:
        ids = emulator.object_ids()
        pages = client.objects.list(emulator.bucket, page_size=3).pages()
        assert pages.checkpoint_before == pages.checkpoint
        await anext(pages)
        page = await anext(pages)
        again = client.objects.list(emulator.bucket, resume=pages.checkpoint_before)
        assert [obj.object_id for obj in await again.to_list()] == ids[3:]
        assert [obj.object_id for obj in page.results] == ids[3:6]
