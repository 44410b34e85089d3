"""A walk yields what its query describes: the client against the emulator, on a real socket."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.clients import connect
from support.plain import meets

from mixpeek_async import (
    AsyncMixpeek,
    CheckpointError,
    Filter,
    NotFoundError,
    ObjectQuery,
    Sort,
    ValidationError,
    field,
)
from mixpeek_async.emulator import Emulator


async def found(emulator: Emulator, query: ObjectQuery | None = None, **options: Any) -> list[str]:
    async with connect(emulator) as client:
        return [obj.object_id async for obj in client.objects.list(emulator.bucket, query, **options)]


# --- filters ---

TEXTS = st.text(alphabet="aAbBß\0é🪣 ", max_size=3)
NUMBERS = st.integers(-3, 3) | st.floats(-3, 3, width=32) | st.sampled_from([0.1, 0.30000000000000004, 2**62, -0.0])
SCALARS = st.none() | st.booleans() | NUMBERS | TEXTS
DATES = st.datetimes(datetime(2025, 1, 1), datetime(2025, 1, 2)).map(lambda d: d.replace(tzinfo=UTC))
FIELDS = st.sampled_from(["a", "b", "metadata.a", "metadata.b.a", "blobs.a", "object_id"])


def records() -> st.SearchStrategy[dict[str, Any]]:
    value = SCALARS | st.lists(SCALARS, max_size=2)
    inner = st.dictionaries(st.sampled_from("ab"), value, max_size=2)
    optional = {
        "a": value,
        "b": value,
        "created_at": DATES.map(datetime.isoformat),
        "blobs": st.lists(inner.map(lambda d: {"property": "p", "type": "text", **d}), max_size=2),
        "metadata": st.dictionaries(st.sampled_from("ab"), value | inner, max_size=2),
    }
    return st.fixed_dictionaries({}, optional=optional)


def conditions() -> st.SearchStrategy[Filter]:
    name = FIELDS.map(field)
    ordered, many = NUMBERS | TEXTS, st.lists(SCALARS, max_size=3)
    date = st.just(field("created_at"))
    return st.one_of(
        st.builds(lambda f, m, v: getattr(f, m)(v), name, st.sampled_from(["eq", "ne"]), SCALARS | many),
        st.builds(lambda f, m, v: getattr(f, m)(v), name, st.sampled_from(["gt", "lt", "gte", "lte"]), ordered),
        st.builds(lambda f, m, v: getattr(f, m)(v), date, st.sampled_from(["gt", "lt", "gte", "lte", "eq"]), DATES),
        st.builds(lambda f, m, v: getattr(f, m)(v), name, st.sampled_from(["is_in", "nin"]), many),
        st.builds(lambda f, m, v: getattr(f, m)(v), name, st.sampled_from(["exists", "is_null"]), st.booleans()),
        st.builds(
            lambda f, m, v: getattr(f, m)(v), name, st.sampled_from(["contains", "starts_with", "ends_with"]), TEXTS
        ),
    )


FILTERS = st.recursive(
    conditions(),
    lambda inner: st.one_of(
        st.builds(lambda a, b: a & b, inner, inner),
        st.builds(lambda a, b: a | b, inner, inner),
        st.builds(lambda a: ~a, inner),
        st.builds(lambda a, s: a.case_sensitive(s), inner, st.booleans()),
    ),
    max_leaves=6,
)


@given(objects=st.lists(records(), max_size=6), filters=FILTERS, page_size=st.integers(1, 4))
@settings(max_examples=150, deadline=None)
def test_any_filter_yields_the_objects_that_plain_python_finds(
    objects: list[dict[str, Any]], filters: Filter, page_size: int
) -> None:
    async def check() -> None:
        async with Emulator() as emulator:
            stored = [emulator.insert(obj, object_id=f"obj_{number}") for number, obj in enumerate(objects)]
            expected = [obj["object_id"] for obj in stored if meets(filters.to_dict(), obj)]
            assert await found(emulator, filters=filters, page_size=page_size) == expected

    asyncio.run(check())


async def of_titles(*titles: Any, filters: Any) -> list[Any]:
    async with Emulator() as emulator:
        for title in titles:
            emulator.insert({"title": title})
        async with connect(emulator) as client:
            walk = client.objects.list(emulator.bucket, filters=filters)
            return [obj.extra["title"] async for obj in walk]


TITLE = field("title")


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (TITLE.regex("^red.*R$"), ["Red Harbour"]),
        (TITLE.regex("^red").case_sensitive(), ["red boats"]),
        (TITLE.text("HARB"), ["Red Harbour", "harbour, red"]),
        (TITLE.text("HARB").case_sensitive(), ["Red Harbour", "harbour, red"]),
        (TITLE.words("harbour red"), ["Red Harbour", "harbour, red"]),
        (TITLE.words("harb"), []),
        (TITLE.phrase("red harbour"), ["Red Harbour"]),
        (TITLE.phrase("Red boats").case_sensitive(), []),
    ],
    ids=repr,
)
async def test_texts_are_searched_by_pattern_word_and_phrase(filters: Filter, expected: list[str]) -> None:
    assert await of_titles("Red Harbour", "harbour, red", "red boats", 7, filters=filters) == expected


HERE, NEAR, FAR = {"lat": 52.52, "lon": 13.40}, {"lat": 52.53, "lon": 13.41}, {"lat": -17.7, "lon": 178.0}
SQUARE = {"points": [{"lat": lat, "lon": lon} for lat, lon in [(52, 13), (52, 14), (53, 14), (53, 13)]]}
HOLE = {
    "points": [{"lat": lat, "lon": lon} for lat, lon in [(52.525, 13.4), (52.525, 13.5), (52.6, 13.5), (52.6, 13.4)]]
}


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (TITLE.geo_radius({"center": HERE, "radius": 1_000}), [HERE]),
        (TITLE.geo_radius({"center": HERE, "radius": 2_000}), [HERE, NEAR]),
        (TITLE.geo_bounding_box({"top_left": {"lat": 53, "lon": 13}, "bottom_right": HERE}), [HERE]),
        (
            TITLE.geo_bounding_box({"top_left": {"lat": 0, "lon": 170}, "bottom_right": {"lat": -20, "lon": -170}}),
            [FAR],
        ),
        (TITLE.geo_polygon({"exterior": SQUARE}), [HERE, NEAR]),
        (TITLE.geo_polygon({"exterior": SQUARE, "interiors": [HOLE]}), [HERE]),
    ],
    ids=["circle", "wider circle", "box", "box over the 180th meridian", "polygon", "polygon with a hole"],
)
async def test_points_are_found_in_an_area(filters: Filter, expected: list[Any]) -> None:
    assert await of_titles(HERE, NEAR, FAR, "nowhere", {"lat": 91, "lon": 0}, filters=filters) == expected


@pytest.mark.parametrize(
    "filters",
    [
        TITLE.geo_radius({"center": HERE}),
        TITLE.geo_bounding_box({"top_left": HERE}),
        TITLE.geo_polygon({"exterior": {"points": [HERE]}}),
        TITLE.geo_polygon({"exterior": 7}),
        TITLE.regex("("),
    ],
    ids=repr,
)
async def test_a_value_that_only_the_server_can_check_is_a_validation_error(filters: Filter) -> None:
    with pytest.raises(ValidationError):
        await of_titles(filters=filters)


async def test_a_dict_in_the_apis_own_form_filters_too() -> None:
    filters = {"OR": [{"title": "a"}, {"field": "title", "operator": "gt", "value": 2}]}
    assert await of_titles("a", "b", 2, 3, filters=filters) == ["a", 3]


async def test_a_dict_with_case_sensitive_in_its_conditions_filters_too() -> None:
    # As the official client writes it.
    condition = {"field": "title", "operator": "eq", "value": "A"}
    filters = {"OR": [{**condition, "case_sensitive": True}, {"title": "b", "case_sensitive": False}]}
    assert await of_titles("a", "A", "b", "B", filters=filters) == ["A", "b", "B"]


async def test_a_dict_that_filters_buckets_arrives_unchanged(emulator: Emulator, client: AsyncMixpeek) -> None:
    filters = {"bucket_name": "sea", "metadata.year": 2024}
    assert await client.buckets.list(filters=filters).to_list() == []
    assert emulator.requests[0].body == {"filters": filters, "limit": 1000}


async def test_a_path_leads_into_the_objects_of_a_list_only() -> None:
    async with Emulator() as emulator:
        ids = [emulator.insert({"tags": tags})["object_id"] for tags in ([7, {"de": "rot"}], ["rot"], "rot", {"de": 7})]
        assert await found(emulator, filters=field("tags.de") == "rot") == ids[:1]


async def test_a_date_is_found_in_any_zone() -> None:
    async with Emulator() as emulator:
        emulator.insert(created_at="2025-03-03T10:00:00.5+02:00")
        emulator.insert(created_at="not a date")
        at = field("created_at") == datetime(2025, 3, 3, 8, 0, 0, 500_000, tzinfo=UTC)
        async with connect(emulator) as client:
            pager = client.objects.list(emulator.bucket, filters=at)
            assert [obj.created_at for obj in await pager.to_list()] == [datetime(2025, 3, 3, 8, 0, 0, 500_000, UTC)]


# --- search, sort, select ---


async def test_a_search_finds_texts_in_keys_and_metadata_only() -> None:
    async with Emulator() as emulator:
        ids = [
            emulator.insert(obj)["object_id"]
            for obj in (
                {"key_prefix": "/Harbour/01"},
                {"metadata": {"tags": [{"de": "harbour"}, 7]}},
                {"campaign": "the harbours"},
                {"status": "HARBOUR", "blobs": ["harbour"]},
                {"harbour": "no"},
            )
        ]
        assert await found(emulator, search="HARBOUR") == ids[:3]


VALUES = st.none() | st.booleans() | NUMBERS | TEXTS | st.lists(st.integers(0, 2), max_size=2)


def rank(value: Any) -> tuple[int, Any]:
    """Null first, then numbers, texts, bools, and the rest: the emulator's own choice."""
    match value:
        case None:
            return 0, 0
        case bool():
            return 3, value
        case int() | float():
            return 1, value
        case str():
            return 2, value.encode()
        case _:
            return 4, str(value)


@given(
    values=st.lists(VALUES, max_size=8),
    direction=st.sampled_from(["asc", "desc"]),
    pagination=st.sampled_from(["cursor", "has_more", "page"]),
    page_size=st.integers(2, 9),
)
@settings(max_examples=80, deadline=None)
def test_any_values_are_yielded_in_the_order_of_the_query(
    values: list[Any], direction: Any, pagination: str, page_size: int
) -> None:
    async def check() -> None:
        async with Emulator(pagination=pagination) as emulator:
            stored = [emulator.insert({"metadata": {"a": value}}) for value in values]
            expected = sorted(stored, key=lambda obj: rank(obj["metadata"]["a"]), reverse=direction == "desc")
            got = await found(emulator, sort=Sort("metadata.a", direction), page_size=page_size)
            by_id = {obj["object_id"]: rank(obj["metadata"]["a"]) for obj in stored}
            assert [by_id[i] for i in got] == [by_id[obj["object_id"]] for obj in expected]
            assert sorted(got) == sorted(by_id)

    asyncio.run(check())


async def test_newest_first_is_the_reverse_order_of_creation() -> None:
    async with Emulator(objects=25) as emulator:
        assert await found(emulator, sort="-created_at", page_size=10) == emulator.object_ids()[::-1]


async def test_absent_and_huge_values_are_sorted_too() -> None:
    async with Emulator() as emulator:
        ids = [emulator.insert(obj)["object_id"] for obj in ({"n": 10**400}, {}, {"n": -(10**400)}, {"n": 1})]
        assert await found(emulator, sort="n") == [ids[1], ids[2], ids[3], ids[0]]


async def test_a_field_that_was_not_selected_is_absent() -> None:
    async with Emulator() as emulator:
        emulator.insert(metadata={"place": "ridge", "year": 2024}, status="COMPLETED")
        async with connect(emulator) as client:
            obj = (await client.objects.list(emulator.bucket, select=["metadata.place"]).to_list())[0]
    assert (obj.metadata, obj.status, obj.created_at, obj.blobs) == ({"place": "ridge"}, None, None, [])
    assert obj.to_dict().keys() == {"object_id", "bucket_id", "metadata"}


async def test_a_part_of_a_blob_comes_with_its_required_fields() -> None:
    async with Emulator(objects=1) as emulator:
        stored = emulator.get(emulator.object_ids()[0])["blobs"][0]
        async with connect(emulator) as client:
            obj = (await client.objects.list(emulator.bucket, select=["blobs.details.filename"]).to_list())[0]
    assert obj.blobs[0].to_dict() == {
        "property": stored["property"],
        "type": stored["type"],
        "details": {"filename": stored["details"]["filename"]},
    }


async def test_presigned_urls_come_only_on_request() -> None:
    async with Emulator(objects=1) as emulator, connect(emulator) as client:
        with_urls = await client.objects.list(emulator.bucket, return_presigned_urls=True).to_list()
        without = await client.objects.list(emulator.bucket).to_list()
    assert all(str(blob.presigned_url).startswith("https://") for blob in with_urls[0].blobs)
    assert all(blob.presigned_url is None for blob in without[0].blobs)


async def test_malformed_blobs_do_not_stop_a_walk_with_presigned_urls() -> None:
    async with Emulator() as emulator:
        emulator.insert({"blobs": "none"})
        emulator.insert({"object_id": "b", "blobs": [7]})
        async with connect(emulator) as client:
            pager = client.objects.list(
                emulator.bucket, return_presigned_urls=True, select=["object_id"], on_invalid="skip"
            )
            assert len(await pager.to_list()) == 2


# --- checkpoints ---


async def test_a_checkpoint_resumes_the_same_query() -> None:
    query = ObjectQuery(filters=field("status") != "FAILED", sort="-created_at")
    async with Emulator(objects=60) as emulator, connect(emulator) as client:
        everything = await found(emulator, query)
        pager = client.objects.list(emulator.bucket, query, max_items=25)
        before = [obj.object_id async for obj in pager]
        again = ObjectQuery.from_dict(query.to_dict())
        after = client.objects.list(emulator.bucket, again, resume=pager.checkpoint)
        assert before + [obj.object_id async for obj in after] == everything


@pytest.mark.parametrize(
    "other",
    [{}, {"filters": {"status": "DRAFT"}}, {"sort": "status"}, {"search": "x"}, {"select": ["status"]}],
    ids=repr,
)
async def test_a_checkpoint_is_refused_by_another_query(other: Any) -> None:
    async with Emulator(objects=3) as emulator, connect(emulator) as client:
        pager = client.objects.list(emulator.bucket, filters={"status": "COMPLETED"})
        await pager.to_list()
        with pytest.raises(CheckpointError, match="another query"):
            client.objects.list(emulator.bucket, resume=pager.checkpoint, **other)


@pytest.mark.parametrize(
    ("asked", "finds"),
    [({}, True), ({"filters": field("n") > 0}, True), ({"sort": "n"}, False), ({"search": "x"}, False)],
    ids=repr,
)
async def test_a_checkpoint_is_resumed_by_date_only_in_the_order_of_creation(asked: Any, finds: bool) -> None:
    async with Emulator(pagination="has_more") as emulator, connect(emulator) as client:
        for n in range(50):
            date = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=n)
            emulator.insert({"n": n + 1, "campaign": "x", "created_at": date.isoformat()})
        pager = client.objects.list(emulator.bucket, max_items=40, **asked)
        ids = [obj.object_id async for obj in pager]
        for object_id in ids:
            emulator.delete(object_id)
        rest = client.objects.list(emulator.bucket, resume=pager.checkpoint, **asked)
        if finds:
            assert len(await rest.to_list()) == 10
        else:
            with pytest.raises(CheckpointError):
                await rest.to_list()


# --- one object ---


async def test_one_object_is_fetched_by_its_id() -> None:
    async with Emulator(objects=2) as emulator, connect(emulator) as client:
        (wanted, _) = emulator.object_ids()
        obj = await client.objects.get(emulator.bucket, wanted)
        assert obj.to_dict() == {**emulator.get(wanted), "document_count": 0}
        assert (emulator.requests[0].endpoint, emulator.requests[0].object_id) == ("get_object", wanted)


async def test_one_object_is_fetched_with_urls_and_without_counting_its_documents() -> None:
    async with Emulator(objects=1) as emulator, connect(emulator) as client:
        obj = await client.objects.get(
            emulator.bucket, emulator.object_ids()[0], return_presigned_urls=True, include_document_count=False
        )
    assert obj.blobs[0].presigned_url
    assert obj.document_count is None


async def test_an_object_that_does_not_exist_is_not_found(emulator: Emulator, client: AsyncMixpeek) -> None:
    with pytest.raises(NotFoundError, match="obj_none"):
        await client.objects.get(emulator.bucket, "obj_none")
