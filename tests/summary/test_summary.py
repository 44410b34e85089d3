"""Summing up a bucket: the server's counts, the walk that takes their place, and what the figures are held against."""

import asyncio
from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.clients import connect

from mixpeek_async import (
    AsyncMixpeek,
    AuthenticationError,
    Breakdown,
    Hooks,
    InvalidArgumentError,
    NotFoundError,
    RequestSent,
    Summary,
    field,
)
from mixpeek_async._summary import _day, _named_size_class, _size_class
from mixpeek_async.emulator import Emulator, Fault

FIGURES = ("statuses", "blob_types", "mime_types", "sizes", "created")
# The requests, in their order: the count, the four aggregations, and the count again.
STATUSES, BLOBS, SIZES, DATES, COUNT = 2, 3, 4, 5, 6


def sources(summary: Summary) -> dict[str, str]:
    return {name: getattr(summary, name).source for name in FIGURES}


def counts(summary: Summary) -> dict[str, dict[Any, int]]:
    return {name: dict(getattr(summary, name).counts) for name in FIGURES}


_SIZED = st.fixed_dictionaries(
    {}, optional={"mime_type": st.sampled_from(["image/png", "video/mp4"]), "size_bytes": st.integers(0, 2**31)}
)
_BLOB = st.fixed_dictionaries(
    {"property": st.just("p"), "type": st.sampled_from(["image", "VIDEO"])}, optional={"details": _SIZED | st.none()}
)
_OBJECT = st.fixed_dictionaries(
    {"blobs": st.lists(_BLOB, max_size=3)},
    optional={
        "status": st.sampled_from(["FAILED", "NEW_ONE", None]),
        "created_at": st.sampled_from(
            ["2025-01-31T23:59:59.9Z", "2025-02-01T00:30:00+01:00", "2023-05-05T00:00:00", None]
        ),
    },
)


@given(objects=st.lists(_OBJECT, max_size=12), shape=st.sampled_from(["cursor", "has_more", "page"]))
@settings(max_examples=50, deadline=None)
def test_the_server_and_a_walk_count_the_same(objects: list[dict[str, Any]], shape: str) -> None:
    async def check() -> None:
        async with Emulator(pagination=shape) as emulator, connect(emulator) as client:
            for obj in objects:
                emulator.insert(obj)
            quick = await client.objects.summary(emulator.bucket)
            requests = len(emulator.requests)
            exact = await client.objects.summary(emulator.bucket, exact=True)
        assert counts(quick) == counts(exact)
        assert quick.objects == exact.objects == len(objects) == quick.statuses.total == quick.created.total
        assert quick.sizes.total == quick.blob_types.total == quick.mime_types.total
        assert (set(sources(quick).values()), set(sources(exact).values())) == ({"server"}, {"walk"})
        assert requests == 6

    asyncio.run(check())


async def test_a_filter_selects_what_is_counted() -> None:
    async with Emulator() as emulator, connect(emulator) as client:
        for year in (2023, 2024, 2025):
            emulator.insert(year=year, status="FAILED")
        for exact in (False, True):
            summary = await client.objects.summary(emulator.bucket, filters=field("year") >= 2024, exact=exact)
            assert (summary.objects, summary.statuses.counts) == (2, {"FAILED": 2})


@pytest.mark.parametrize("status", [400, 403, 404, 405, 422, 501])
@pytest.mark.parametrize(
    ("number", "figures"),
    [
        (STATUSES, ["statuses"]),
        (BLOBS, ["blob_types", "mime_types", "sizes"]),
        (SIZES, ["sizes"]),
        (DATES, ["created"]),
    ],
)
async def test_what_the_server_cannot_count_a_walk_counts(status: int, number: int, figures: list[str]) -> None:
    async with Emulator(objects=30) as emulator, connect(emulator) as client:
        exact = await client.objects.summary(emulator.bucket, exact=True)
        emulator.script(number, Fault.http(status))
        mixed = await client.objects.summary(emulator.bucket)
    assert counts(mixed) == counts(exact)
    assert sources(mixed) == {name: "walk" if name in figures else "server" for name in FIGURES}


def groups(*rows: tuple[Mapping[str, Any], Any]) -> Fault:
    """The answer to an aggregation with these groups and numbers of objects."""
    return Fault.answer({"results": [{"group": group, "metrics": {"number": number}} for group, number in rows]})


WRONG = {
    "a sum that is not the count": (STATUSES, groups(({"status": "FAILED"}, 29))),
    "dates that leave objects out": (DATES, groups(({"day": "2025-03-03T00:00:00Z"}, 29))),
    "sizes of fewer blobs": (SIZES, groups(({"type": "image", "size": "0-65536"}, 1))),
    "a group without its value": (STATUSES, groups(({}, 30))),
    "a value that is no text": (STATUSES, groups(({"status": ["FAILED"]}, 30))),
    "a date that is none": (DATES, groups(({"day": "soon"}, 30))),
    "a date that is a number": (DATES, groups(({"day": 7}, 30))),
    "blobs that are not unwound": (BLOBS, groups(({"type": ["image"], "mime_type": ["a/b"]}, 30))),
    "a count that is no number": (STATUSES, groups(({"status": "FAILED"}, "30"))),
    "a count below zero": (STATUSES, groups(({"status": "FAILED"}, 31), ({"status": None}, -1))),
    "a range of an unknown name": (SIZES, groups(({"type": "image", "size": "small"}, 30))),
    "two values for a range": (SIZES, groups(({"type": "image", "a": "0-65536", "b": "0-65536"}, 30))),
    "groups that were not sent": (STATUSES, Fault.answer({"results": [], "total_groups": 5})),
    "no groups at all": (STATUSES, Fault.answer({"data": []})),
}


@pytest.mark.parametrize(("number", "fault"), WRONG.values(), ids=WRONG)
async def test_an_answer_that_cannot_be_right_is_not_used(number: int, fault: Fault) -> None:
    async with Emulator(objects=30) as emulator, connect(emulator) as client:
        exact = await client.objects.summary(emulator.bucket, exact=True)
        emulator.script(number, fault)
        mixed = await client.objects.summary(emulator.bucket)
    assert counts(mixed) == counts(exact)
    assert "walk" in sources(mixed).values()
    assert "server" in sources(mixed).values()


async def test_without_a_count_the_statuses_are_held_against_the_dates() -> None:
    async with Emulator(objects=30, pagination="has_more") as emulator, connect(emulator) as client:
        emulator.script(DATES, groups(({"day": "2025-03-03T00:00:00Z"}, 29)))
        summary = await client.objects.summary(emulator.bucket)
    assert summary.objects == 30
    assert sources(summary)["statuses"] == sources(summary)["created"] == "walk"
    assert sources(summary)["sizes"] == "server"


async def test_an_error_that_a_walk_would_meet_as_well_is_raised() -> None:
    async with Emulator(objects=3) as emulator, connect(emulator) as client:
        emulator.script(STATUSES, Fault.http(401))
        with pytest.raises(AuthenticationError):
            await client.objects.summary(emulator.bucket)
        with pytest.raises(NotFoundError, match="bkt_none"):
            await client.objects.summary("bkt_none")
        for exact in ("yes", 1):
            with pytest.raises(InvalidArgumentError, match="exact must be True or False"):
                await client.objects.summary(emulator.bucket, exact=exact)  # type: ignore[arg-type]  # wrong on purpose


async def test_a_bucket_that_changes_meanwhile_is_said_to_change() -> None:
    async with Emulator(objects=30) as emulator:

        def insert(request: RequestSent) -> None:
            # Between the aggregations, which count one object more from then on.
            if len(emulator.requests) == BLOBS:
                emulator.insert()

        async with connect(emulator, hooks=Hooks(request=insert)) as client:
            summary = await client.objects.summary(emulator.bucket)
    assert summary.changed
    assert summary.objects == 31
    assert set(sources(summary).values()) == {"server"}
    assert (summary.statuses.total, summary.created.total) == (30, 31)


async def test_records_that_cannot_be_read_are_counted_apart() -> None:
    async with Emulator(objects=2) as emulator, connect(emulator) as client:
        emulator.insert(blobs=[{"type": 7}])
        summary = await client.objects.summary(emulator.bucket, exact=True)
    assert (summary.objects, summary.unreadable) == (2, 1)


async def created(client: AsyncMixpeek, emulator: Emulator, *dates: str | None) -> Summary:
    for identifier in emulator.object_ids():
        emulator.delete(identifier)
    for date_ in dates:
        emulator.insert(created_at=date_)
    return await client.objects.summary(emulator.bucket)


async def test_periods_are_as_long_as_the_span_needs_and_none_is_left_out() -> None:
    async with Emulator() as emulator, connect(emulator) as client:
        days = await created(client, emulator, "2024-02-28T12:00:00Z", "2024-03-01T12:00:00Z", None)
        weeks = await created(client, emulator, "2024-12-25T12:00:00Z", "2025-03-01T12:00:00Z")
        months = await created(client, emulator, "2023-11-30T12:00:00Z", "2025-01-31T12:00:00Z")
        years = await created(client, emulator, "1999-12-31T12:00:00Z", "2025-01-01T12:00:00Z")
        nothing = await created(client, emulator)
    assert (days.created_by, days.created.counts) == (
        "day",
        {date(2024, 2, 28): 1, date(2024, 2, 29): 0, date(2024, 3, 1): 1, None: 1},
    )
    assert list(days.created.counts)[-1] is None
    assert (weeks.created_by, next(iter(weeks.created.counts)), len(weeks.created.counts)) == (
        "week",
        date(2024, 12, 23),
        10,
    )
    assert (months.created_by, list(months.created.counts.values())) == ("month", [1, *[0] * 13, 1])
    assert (years.created_by, list(years.created.counts.values())) == ("year", [1, *[0] * 25, 1])
    assert (nothing.created_by, nothing.created.counts, nothing.objects) == ("day", {}, 0)


@given(dates=st.lists(st.dates(), min_size=1, max_size=5))
@settings(max_examples=50, deadline=None)
def test_any_dates_make_few_periods_that_hold_every_object(dates: list[date]) -> None:
    async def check() -> None:
        async with Emulator() as emulator, connect(emulator) as client:
            summary = await created(client, emulator, *(f"{day}T12:00:00Z" for day in dates))
        starts = list(summary.created.counts)
        assert starts == sorted(set(starts), key=str)
        assert summary.created.total == len(dates)
        assert len(starts) <= 125 * len(dates)

    asyncio.run(check())


def test_a_day_is_one_in_utc_and_the_first_of_all_days_has_none_before_it() -> None:
    assert _day("2025-01-01T00:30:00+01:00") == date(2024, 12, 31)
    assert _day("2025-01-01") == date(2025, 1, 1)
    assert _day("0001-01-01T00:00:00+14:00") == date(1, 1, 1)


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("0-65536", 1),
        ("65536-262144", 65537),
        ("65536.0-262144.0", 65537),
        ("[65536, 262144)", 65537),
        (65536, 65537),
        (0, 1),
        ("1073741824+", 2**31),
        (">1073741824", 2**31),
        ("other", 0),
        ("<0", 0),
        (None, None),
    ],
)
def test_ranges_are_understood_in_every_spelling_that_is_likely(name: object, size: int | None) -> None:
    assert _named_size_class({"type": "image", "any": name}) == _size_class(size)


@pytest.mark.parametrize("name", ["", "small", "1-2", "0-262144", "<65536", "up to 65536", 7, True, [0, 65536, 7]])
def test_a_range_that_is_not_understood_is_an_error(name: object) -> None:
    with pytest.raises(ValueError, match="cannot be understood"):
        _named_size_class({"type": "image", "any": name})


def test_a_size_belongs_to_the_class_that_it_is_the_limit_of() -> None:
    assert [_size_class(size) for size in (2**16, 2**16 + 1, 2**30, 2**30 + 1, 2**70)] == [
        "≤ 64 KiB",
        "≤ 256 KiB",
        "≤ 1 GiB",
        "> 1 GiB",
        "> 1 GiB",
    ]


async def test_a_summary_is_json() -> None:
    async with Emulator() as emulator, connect(emulator) as client:
        emulator.insert(blobs=[], status=None, created_at="2025-03-03T12:00:00Z")
        summary = await client.objects.summary(emulator.bucket)
    nothing = {"source": "server", "counts": []}
    assert summary.to_dict() == {
        "objects": 1,
        "statuses": {"source": "server", "counts": [{"value": None, "count": 1}]},
        "blob_types": nothing,
        "mime_types": nothing,
        "sizes": nothing,
        "created": {"source": "server", "counts": [{"value": "2025-03-03", "count": 1}]},
        "created_by": "day",
        "changed": False,
        "unreadable": 0,
    }
    assert summary.statuses == Breakdown[str]({None: 1}, "server")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({}, "range_buckets must be a dict"),
        (7, "range_buckets must be a dict"),
        ({"": [1]}, "name of a field"),
        ({"size": []}, "must be a list of numbers"),
        ({"size": "12"}, "must be a list of numbers"),
        ({"size": 7}, "must be a list of numbers"),
        ({"size": [True]}, "must be a list of numbers"),
        ({"size": [2, 1]}, "in ascending order"),
        ({"size": [float("inf")]}, "range_buckets"),
    ],
)
async def test_ranges_that_can_never_work_are_refused_before_they_are_sent(wrong: Any, message: str) -> None:
    async with Emulator() as emulator, connect(emulator) as client:
        with pytest.raises(InvalidArgumentError, match=message):
            await client.objects.aggregate(
                emulator.bucket, group_by=["status"], metrics={"n": "count"}, range_buckets=wrong
            )
        assert emulator.requests == []
