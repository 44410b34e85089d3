"""Aggregations: held against plain Python, and the choices that the published words leave."""

import asyncio
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixpeek_async.emulator import Emulator
from mixpeek_async.emulator._aggregation_request import UNITS, Key, truncated

PATH = "/v1/buckets/bkt_emulator/objects/aggregate"
COUNT = [{"function": "count", "alias": "n"}]


async def _aggregate(post: Any, emulator: Emulator, **body: Any) -> Any:
    reply = await post(emulator, path=PATH, data=json.dumps({"aggregations": COUNT, **body}).encode())
    assert reply.status == 200, reply.body
    return reply.body


async def _groups(post: Any, emulator: Emulator, **body: Any) -> list[tuple[Any, ...]]:
    results = (await _aggregate(post, emulator, **body))["results"]
    return [(*result["group"].values(), *result["metrics"].values()) for result in results]


def _with(*objects: dict[str, Any]) -> Emulator:
    emulator = Emulator()
    for obj in objects:
        emulator.insert(obj)
    return emulator


async def test_objects_are_counted_by_field_in_the_order_of_their_first_ones(post: Any) -> None:
    async with _with({"a": 2}, {"a": 1}, {"a": 2}, {}, {"a": None}, {"a": "2"}) as emulator:
        body = await _aggregate(post, emulator, group_by=[{"field": "a"}])
        other = await _aggregate(post, emulator, group_by=[{"field": "a"}], sort_by=None, having=None)
    assert body == other
    assert body == {
        "results": [
            {"group": {"a": 2}, "metrics": {"n": 2}},
            {"group": {"a": 1}, "metrics": {"n": 1}},
            {"group": {"a": None}, "metrics": {"n": 2}},
            {"group": {"a": "2"}, "metrics": {"n": 1}},
        ],
        "total_groups": 4,
    }


async def test_a_group_may_have_several_fields_with_names_of_their_own(post: Any) -> None:
    async with _with({"m": {"a": 1}, "b": 1}, {"m": {"a": 1}, "b": 2}) as emulator:
        body = await _aggregate(post, emulator, group_by=[{"field": "m.a", "alias": "a"}, {"field": "b"}])
    assert [result["group"] for result in body["results"]] == [{"a": 1, "b": 1}, {"a": 1, "b": 2}]


async def test_a_path_through_a_list_is_the_list_of_values(post: Any) -> None:
    async with _with({"blobs": [{"type": "x"}, 7, {"type": "y"}]}, {"blobs": 7}) as emulator:
        assert await _groups(post, emulator, group_by=[{"field": "blobs.type"}]) == [(["x", "y"], 1), (None, 1)]


async def test_an_unwound_list_counts_by_its_elements(post: Any) -> None:
    x, y = {"type": "x"}, {"type": "y"}
    async with _with({"blobs": [x, y]}, {"blobs": [x]}, {"blobs": 7}, {}) as emulator:
        assert await _groups(post, emulator, unwind="blobs", group_by=[{"field": "blobs.type"}]) == [("x", 2), ("y", 1)]


async def test_each_function_measures_the_values_that_it_can(post: Any) -> None:
    functions = ("count", "sum", "avg", "min", "max", "count_distinct")
    aggregations = [{"function": function, "field": "v", "alias": function} for function in functions]
    async with _with({"v": 3}, {"v": 1.5}, {"v": "x"}, {"v": None}, {}, {"v": 3.0}, {"v": True}) as emulator:
        body = await _aggregate(post, emulator, group_by=[{"field": "none"}], aggregations=aggregations)
        nothing = await _aggregate(
            post, emulator, group_by=[{"field": "none"}], aggregations=aggregations, filters={"v": None}
        )
    assert body["results"][0]["metrics"] == {
        "count": 7,
        "sum": 7.5,
        "avg": 2.5,
        "min": 1.5,
        "max": True,
        "count_distinct": 4,
    }
    assert nothing["results"][0]["metrics"] == {
        "count": 2,
        "sum": 0,
        "avg": None,
        "min": None,
        "max": None,
        "count_distinct": 0,
    }


async def test_distinct_values_may_be_of_another_field(post: Any) -> None:
    aggregations = [{"function": "count_distinct", "field": "v", "distinct_field": "w", "alias": "n"}]
    async with _with({"v": 1, "w": 1}, {"v": 1, "w": 2}) as emulator:
        assert await _groups(post, emulator, group_by=[{"field": "v"}], aggregations=aggregations) == [(1, 2)]


async def test_dates_are_compared_by_moment(post: Any) -> None:
    dates = ["2025-01-01T12:00:00+02:00", "2025-01-01T11:00:00Z"]
    aggregations = [{"function": "min", "field": "created_at", "alias": "first"}]
    async with _with(*({"created_at": date} for date in dates)) as emulator:
        ((_, first),) = await _groups(post, emulator, group_by=[{"field": "x"}], aggregations=aggregations)
    assert datetime.fromisoformat(first) == datetime(2025, 1, 1, 10, tzinfo=UTC)


async def test_groups_are_filtered_sorted_and_limited_in_this_order(post: Any) -> None:
    async with _with(*({"v": value} for value in "abbcccdddd")) as emulator:
        request: dict[str, Any] = {
            "group_by": [{"field": "v"}],
            "filters": {"AND": [{"field": "v", "operator": "ne", "value": "d"}]},
            "having": [{"field": "n", "operator": "gte", "value": 2}],
            "sort_by": "n",
            "limit": 1,
        }
        body = await _aggregate(post, emulator, **request)
        assert (body["results"], body["total_groups"]) == ([{"group": {"v": "c"}, "metrics": {"n": 3}}], 2)
        assert await _groups(post, emulator, **{**request, "sort_direction": "asc"}) == [("b", 2)]
        assert await _groups(post, emulator, **{**request, "sort_by": "v", "limit": None}) == [("c", 3), ("b", 2)]


@pytest.mark.parametrize(
    ("operator", "expected"), [("eq", [2]), ("ne", [1, 3]), ("gt", [3]), ("gte", [2, 3]), ("lt", [1]), ("lte", [1, 2])]
)
async def test_a_having_compares_measures(post: Any, operator: str, expected: list[int]) -> None:
    having = [{"field": "n", "operator": operator, "value": 2}]
    async with _with(*({"v": value} for value in "abbccc")) as emulator:
        groups = await _groups(post, emulator, group_by=[{"field": "v"}], having=having)
    assert [count for _, count in groups] == expected


async def test_a_measure_that_is_null_is_neither_more_nor_less(post: Any) -> None:
    aggregations = [{"function": "avg", "field": "w", "alias": "mean"}]
    having = [{"field": "mean", "operator": "lt", "value": 2}]
    async with _with({"v": 1}) as emulator:
        assert await _groups(post, emulator, group_by=[{"field": "v"}], aggregations=aggregations, having=having) == []


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ("year", "2025-01-01T00:00:00Z"),
        ("month", "2025-03-01T00:00:00Z"),
        ("week", "2025-03-02T00:00:00Z"),
        ("day", "2025-03-05T00:00:00Z"),
        ("hour", "2025-03-05T10:00:00Z"),
        ("minute", "2025-03-05T10:20:00Z"),
        ("second", "2025-03-05T10:20:30Z"),
    ],
)
async def test_dates_are_cut_to_units(post: Any, unit: str, expected: str) -> None:
    async with _with({"created_at": "2025-03-05T12:20:30.5+02:00"}, {"created_at": "soon"}, {}) as emulator:
        groups = await _groups(post, emulator, group_by=[{"field": "created_at", "date_trunc": unit}])
    assert sorted(groups, key=str) == [(expected, 1), (None, 2)]


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ("year", 2025),
        ("month", 3),
        ("week", 10),
        ("day", 2),
        ("dayOfWeek", 1),
        ("dayOfYear", 61),
        ("hour", 10),
        ("minute", 20),
        ("second", 30),
    ],
)
async def test_dates_have_parts(post: Any, part: str, expected: int) -> None:
    # The Monday of ISO week 10, or the Sunday before it.
    date = "2025-03-03T10:20:30Z" if part == "week" else "2025-03-02T10:20:30Z"
    async with _with({"taken": date}) as emulator:
        assert await _groups(post, emulator, group_by=[{"field": "taken", "date_part": part}]) == [(expected, 1)]


_DATES = st.datetimes(datetime(2020, 1, 1), datetime(2021, 1, 1))


async def test_numbers_are_grouped_by_ranges(post: Any) -> None:
    values = [-1, 0, 1, 10, 10.5, 20, 21, "5", None, True]
    async with _with(*({"v": value, "w": 1} for value in values)) as emulator:
        ranges: dict[str, Any] = {"field": "v", "boundaries": [0, 10, 20]}
        groups = await _groups(post, emulator, group_by=[{"field": "w"}], range_buckets=[ranges])
        named = {**ranges, "default_bucket": "none"}
        renamed = await _groups(post, emulator, group_by=[{"field": "w"}], range_buckets=[named])
    assert groups == [(1, "other", 6), (1, "0-10", 2), (1, "10-20", 2)]
    assert renamed[0] == (1, "none", 6)


_SIZES = st.sampled_from([0, 1, 2, 3, 1024, 1025, -7, 2.5, "3", None, True])
_DETAILS = st.fixed_dictionaries({}, optional={"mime_type": st.sampled_from(["a/b", "c/d", 7]), "size_bytes": _SIZES})
_BLOB = st.fixed_dictionaries({"type": st.sampled_from(["x", None])}, optional={"details": _DETAILS | st.just("none")})
_OBJECT = st.fixed_dictionaries(
    {"blobs": st.lists(_BLOB | st.just(7), max_size=3) | st.sampled_from([None, "none"])},
    optional={"status": st.sampled_from(["FAILED", "UNKNOWN", None, 7, ["x"]])},
)


@given(
    objects=st.lists(_OBJECT, max_size=8),
    fields=st.lists(st.sampled_from(["status", "blobs.type", "blobs.details.mime_type"]), min_size=1, max_size=3),
    boundaries=st.none() | st.lists(st.sampled_from([0, 1, 2, 1024]), min_size=1, unique=True).map(sorted),
    unwind=st.sampled_from([None, "blobs"]),
)
@settings(max_examples=60, deadline=None)
def test_profiles_count_what_the_objects_themselves_count(
    post: Any, objects: list[Any], fields: list[str], boundaries: list[int] | None, unwind: str | None
) -> None:
    body: dict[str, Any] = {"group_by": [{"field": name} for name in dict.fromkeys(fields)], "unwind": unwind}
    if boundaries:
        body["range_buckets"] = [{"field": "blobs.details.size_bytes", "boundaries": boundaries}]

    async def check() -> None:
        async with _with(*objects) as emulator:
            # A profile that changes, too.
            for identifier, changed in zip(emulator.object_ids(), objects[::-1], strict=True):
                emulator.update(identifier, **changed)
            emulator.seed(20)
            quickly = await _groups(post, emulator, **body)
            # A field that no profile has: the objects are read.
            slowly = await _groups(post, emulator, **{**body, "group_by": [*body["group_by"], {"field": "none"}]})
        none = len(body["group_by"])
        assert quickly == [(*group[:none], *group[none + 1 :]) for group in slowly]

    asyncio.run(check())


@given(
    dates=st.lists(_DATES | st.sampled_from([None, "x"]), max_size=12),
    unit=st.sampled_from([*UNITS, "week"]),
    since=_DATES,
)
@settings(max_examples=40, deadline=None)
def test_a_histogram_adds_up_however_it_is_made(post: Any, dates: list[Any], unit: str, since: datetime) -> None:
    texts = [date.isoformat() if isinstance(date, datetime) else date for date in dates]
    kept = [date for date in dates if isinstance(date, datetime) and date >= since]
    filters = {"AND": [{"field": "created_at", "operator": "gte", "value": since.isoformat()}]}
    group_by = [{"field": "created_at", "date_trunc": unit}]

    async def check() -> None:
        async with _with(*({"created_at": text} for text in texts)) as emulator:
            everything = Counter(dict(await _groups(post, emulator, group_by=group_by)))
            # A second field keeps the index from being used.
            slowly = await _groups(post, emulator, group_by=[*group_by, {"field": "none"}])
            filtered = await _groups(post, emulator, group_by=group_by, filters=filters)
        assert everything == {date: count for date, _, count in slowly}
        assert everything.total() == len(dates)
        counted = Counter(truncated(date.replace(tzinfo=UTC), unit) for date in kept)
        # Texts that are no dates sort behind all dates.
        assert {date: count for date, count in filtered if date} == counted

    asyncio.run(check())


def test_weeks_begin_on_sunday_across_the_year() -> None:
    key = Key("d", "d", date_trunc="week")
    for offset in range(400):
        day = datetime(2024, 12, 1, tzinfo=UTC) + timedelta(days=offset)
        start = datetime.fromisoformat(key.of({"d": day.isoformat()}))
        assert (start.isoweekday(), (day - start).days in range(7)) == (7, True)


@pytest.mark.parametrize(
    ("body", "places"),
    [
        ({}, [["group_by"]]),
        ({"group_by": []}, [["group_by"]]),
        ({"group_by": {"field": "a"}}, [["group_by"], ["group_by"]]),
        ({"group_by": [7]}, [["group_by", 0]]),
        ({"group_by": [{}]}, [["group_by", 0]]),
        ({"group_by": [{"field": 7}]}, [["group_by", 0]]),
        ({"group_by": [{"field": "a", "unit": "day"}]}, [["group_by", 0]]),
        ({"group_by": [{"field": "a", "date_trunc": "century"}]}, [["group_by", 0]]),
        ({"group_by": [{"field": "a", "date_part": "century"}]}, [["group_by", 0]]),
        ({"group_by": [{"field": "a", "date_part": "day", "date_trunc": "day"}]}, [["group_by", 0]]),
        ({"aggregations": []}, [["group_by"], ["aggregations"]]),
        ({"aggregations": [{"function": "median", "alias": "n"}]}, [["group_by"], ["aggregations", 0]]),
        ({"aggregations": [{"function": "sum", "alias": "n"}]}, [["group_by"], ["aggregations", 0]]),
        ({"group_by": [{"field": "a"}], "having": [{"field": "x", "operator": "gt", "value": 1}]}, [["having", 0]]),
        ({"group_by": [{"field": "a"}], "having": [{"field": "n", "operator": "in", "value": 1}]}, [["having", 0]]),
        ({"group_by": [{"field": "a"}], "having": [{"field": "n", "operator": "gt", "value": True}]}, [["having", 0]]),
        ({"group_by": [{"field": "a"}], "having": [7]}, [["having", 0]]),
        ({"group_by": [{"field": "a"}], "sort_by": "x"}, [["sort_by"]]),
        ({"group_by": [{"field": "a"}], "sort_direction": "up"}, [["sort_direction"]]),
        ({"group_by": [{"field": "a"}], "limit": 0}, [["limit"]]),
        ({"group_by": [{"field": "a"}], "limit": True}, [["limit"]]),
        ({"group_by": [{"field": "a"}], "unwind": 7}, [["unwind"]]),
        (
            {"group_by": [{"field": "a"}], "range_buckets": [7, {"field": "n"}]},
            [["range_buckets", 0], ["range_buckets", 1]],
        ),
        ({"group_by": [{"field": "a"}], "range_buckets": [{"boundaries": [1]}]}, [["range_buckets", 0]]),
        ({"group_by": [{"field": "a"}], "range_buckets": [{"field": "n", "boundaries": []}]}, [["range_buckets", 0]]),
        (
            {"group_by": [{"field": "a"}], "range_buckets": [{"field": "n", "boundaries": [2, 1]}]},
            [["range_buckets", 0]],
        ),
        (
            {"group_by": [{"field": "a"}], "range_buckets": [{"field": "n", "boundaries": ["1"]}]},
            [["range_buckets", 0]],
        ),
        ({"group_by": [{"field": "a"}], "filters": {"AND": []}}, [["filters", "AND"]]),
        ({"group_by": [{"field": "a"}], "page": 1}, [["page"]]),
    ],
)
async def test_what_the_api_would_refuse_is_refused_with_its_place(post: Any, body: Any, places: list[Any]) -> None:
    async with Emulator() as emulator:
        reply = await post(emulator, path=PATH, data=json.dumps({"aggregations": COUNT, **body}).encode())
    assert reply.status == 422
    errors = reply.body["error"]["details"]["validation_errors"]
    assert [problem["loc"] for problem in errors] == [["body", *place] for place in places]


async def test_what_is_not_supported_is_refused_instead_of_ignored(post: Any) -> None:
    async with Emulator() as emulator:
        request = {"group_by": [{"field": "a"}], "aggregations": [{"function": "push", "alias": "n"}]}
        reply = await post(emulator, path=PATH, data=json.dumps(request).encode())
    assert (reply.status, reply.body["error"]["type"]) == (501, "NotEnabledError")


async def test_another_namespace_has_no_groups(post: Any) -> None:
    async with Emulator(objects=1) as emulator:
        reply = await post(emulator, path=PATH, headers={"X-Namespace": "ns_other"})
    assert (reply.body, reply.headers["X-Namespace-Unresolved"]) == ({"results": [], "total_groups": 0}, "true")


async def test_many_objects_are_read_in_slices_and_all_of_them_count(post: Any) -> None:
    async with Emulator(objects=2_500) as emulator:
        statuses = Counter(emulator.get(identifier)["status"] for identifier in emulator.object_ids())
        assert dict(await _groups(post, emulator, group_by=[{"field": "status"}])) == statuses
