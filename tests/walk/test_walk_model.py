"""A walk into objects of a user's own class: the same walk, with the fields that the user wants."""

import dataclasses
from datetime import UTC, datetime
from typing import Any

import attrs
import cattrs
import msgspec
import pytest
from support.clients import client_at, connect
from support.list_server import ListServer, Query
from support.scripted_server import ScriptedServer, answer

from mixpeek_async import (
    AsyncMixpeek,
    InvalidArgumentError,
    InvalidObjectError,
    MalformedResponseError,
    Object,
    ObjectQuery,
    converter,
)
from mixpeek_async._source import EndpointSource
from mixpeek_async._wire import list_objects
from mixpeek_async.emulator import Emulator


@attrs.frozen
class Details:
    year: int


@attrs.frozen
class Contract:
    """No `object_id` and no `created_at`: the walk needs neither here."""

    title: str
    metadata: Details


@dataclasses.dataclass
class Titled:
    title: str


def contracts(count: int, start: int = 0) -> list[dict[str, Any]]:
    return [{"title": f"t{number}", "metadata": {"year": 2000 + number}} for number in range(start, start + count)]


def emulator_with(count: int, **options: Any) -> Emulator:
    emulator = Emulator(**options)
    for fields in contracts(count):
        emulator.insert(**fields)
    return emulator


@pytest.mark.parametrize("pagination", ["cursor", "has_more", "page"])
async def test_every_object_comes_once_as_the_class_asked_for(pagination: Any) -> None:
    async with emulator_with(25, pagination=pagination) as emulator, connect(emulator) as client:
        found = await client.objects.list(emulator.bucket, model=Contract, page_size=4).to_list()

    assert found == [Contract(f"t{number}", Details(2000 + number)) for number in range(25)]


@pytest.mark.parametrize("pagination", ["cursor", "has_more", "page"])
async def test_deletions_meanwhile_lose_nothing(pagination: Any) -> None:
    async with emulator_with(30, pagination=pagination) as emulator, connect(emulator) as client:
        ids = [obj.object_id async for obj in client.objects.list(emulator.bucket)]
        found = []
        async for titled in client.objects.list(emulator.bucket, model=Titled, page_size=12):
            found.append(titled.title)
            if len(found) == 12:
                for object_id in ids[:5]:
                    emulator.delete(object_id)

    assert found == [f"t{number}" for number in range(30)]


async def test_a_walk_of_one_class_goes_on_as_a_walk_of_another() -> None:
    async with emulator_with(20) as emulator, connect(emulator) as client:
        walk = aiter(client.objects.list(emulator.bucket, model=Titled, page_size=6))
        first = [(await anext(walk)).title for _ in range(8)]
        rest = client.objects.list(emulator.bucket, model=Contract, resume=walk.checkpoint)
        titles = first + [contract.title async for contract in rest]

    assert titles == [f"t{number}" for number in range(20)]


def one_bad(query: Query) -> Any:
    rows = [{"object_id": f"o{row['title']}", "bucket_id": "b", **row} for row in contracts(4)]
    rows[2]["metadata"] = {"year": "2002"}
    return {"results": rows, "pagination": {"has_more": False}}


async def test_a_value_of_a_wrong_type_is_named_by_its_path_and_the_walk_goes_on() -> None:
    async with ListServer(one_bad) as server, server.client() as client:
        walk = aiter(client.objects.list("b", model=Contract))
        titles = [(await anext(walk)).title for _ in range(2)]
        with pytest.raises(InvalidObjectError) as caught:
            await anext(walk)
        titles.append((await anext(walk)).title)

    assert titles == ["t0", "t1", "t3"]
    assert caught.value.path == "$.results[2].metadata.year"
    assert b'"year": "2002"' in caught.value.raw


async def test_rows_that_are_not_of_the_class_can_be_skipped() -> None:
    async with ListServer(one_bad) as server, server.client() as client:
        pager = client.objects.list("b", model=Contract, on_invalid="skip")
        titles = [contract.title async for contract in pager]

    assert titles == ["t0", "t1", "t3"]
    assert pager.progress.invalid == 1


async def test_a_clients_converter_structures_its_walks() -> None:
    own = converter.copy()
    rename = cattrs.override(rename="heading")
    own.register_structure_hook(Titled, cattrs.gen.make_dict_structure_fn(Titled, own, title=rename))
    async with Emulator() as emulator, connect(emulator, converter=own) as client:
        object_id = emulator.insert(heading="h")["object_id"]
        assert await client.objects.list(emulator.bucket, model=Titled).to_list() == [Titled("h")]
        assert await client.objects.get(emulator.bucket, object_id, model=Titled) == Titled("h")


@pytest.mark.parametrize("wrong", ["cattrs", 7, cattrs.structure, {}], ids=str)
def test_only_a_converter_is_a_converter(wrong: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=r"converter must be a cattrs\.Converter"):
        AsyncMixpeek("sk_test", namespace="ns", converter=wrong)


@pytest.mark.parametrize("model", [None, 7, dict, "Contract", Contract("t", Details(1))], ids=repr)
async def test_what_is_no_class_with_fields_is_refused_before_anything_is_sent(model: Any) -> None:
    async with ScriptedServer(answer({})) as server:
        async with client_at(server.url) as client:
            with pytest.raises(InvalidArgumentError, match="model must be"):
                client.objects.list("b", model=model)
            with pytest.raises(InvalidArgumentError, match="model must be"):
                await client.objects.get("b", "o", model=model)
        assert server.requests == []


async def test_one_object_comes_as_the_class_asked_for() -> None:
    async with emulator_with(1) as emulator, connect(emulator) as client:
        [obj] = await client.objects.list(emulator.bucket).to_list()
        got = await client.objects.get(emulator.bucket, obj.object_id, model=Contract)

    assert got == Contract("t0", Details(2000))


@pytest.mark.parametrize(
    ("body", "path"), [(b'{"title": 7}', "$.title"), (b"[]", "$"), (b'{"title": "t"}', "$.metadata")]
)
async def test_one_object_of_a_wrong_type_is_refused_at_once(body: bytes, path: str) -> None:
    async with ScriptedServer(answer(body)) as server:
        async with client_at(server.url) as client:
            with pytest.raises(MalformedResponseError) as caught:
                await client.objects.get("b", "o", model=Contract)
        assert caught.value.path == path
        assert len(server.requests) == 1


@pytest.mark.parametrize("options", [{"page_sise": 5}, {"Model": Contract}, {"limit": 10, "max_items": 5}])
async def test_a_keyword_that_is_none_of_the_lists_is_named(options: dict[str, Any]) -> None:
    async with AsyncMixpeek("sk_test", namespace="ns") as client:
        with pytest.raises(TypeError, match=rf"list\(\) got an unexpected keyword argument '{next(iter(options))}'"):
            client.objects.list("b", **options)
        with pytest.raises(TypeError, match=r"list\(\) got an unexpected keyword argument"):
            client.buckets.list(**options)


async def test_a_source_has_the_id_and_the_date_of_a_row_whatever_its_class() -> None:
    row = msgspec.Raw(b'{"object_id": "o", "bucket_id": "b", "created_at": "2025-03-02T08:15:00", "title": "t"}')
    async with AsyncMixpeek("sk_test", namespace="ns") as client:
        listed, sorted_ = list_objects("b"), list_objects("b", ObjectQuery(sort="title"))
        ours = EndpointSource(client._transport, listed, Object, "object_id")
        theirs = EndpointSource(client._transport, listed, Titled, "object_id")
        by_title = EndpointSource(client._transport, sorted_, Titled, "object_id")

    assert (ours.identify(row), theirs.identify(row)) == ("o", "o")
    assert ours.item_id is not None
    assert ours.item_id(ours.structure(row, 0)) == "o"
    assert theirs.item_id is None
    assert ours.created_at(row) == theirs.created_at(row) == datetime(2025, 3, 2, 8, 15, tzinfo=UTC)
    assert by_title.created_at(row) is None
