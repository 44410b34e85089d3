"""A walk by offset over a list that changes before every request: thousands of lists, without a socket.

The server here is a few lines of Python, so that each kind of it can be tried with each kind of change. The same
promise is kept on a real socket by the state machine of `test_walk_machine.py`.
"""

import asyncio
import random
import re
from collections.abc import Callable, Coroutine
from typing import Any

import attrs
import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mixpeek_async._clock import Budget, Clock, SystemClock
from mixpeek_async._options import MAX_OFFSET, ListOptions, PageRequest
from mixpeek_async._paging import Bookmark, ReceivedPage, Scope
from mixpeek_async._wire import Response, parse_page
from mixpeek_async.errors import InvalidObjectError, PaginationLoopError, ResponseTooLargeError
from mixpeek_async.models import Progress
from mixpeek_async.pager import Walk

MAX_WEIGHT = 100
MONSTER, BULKY = 200, 60


@attrs.define
class ChangingList:
    """A page source over a list of names; `shape` says what it tells of the next page."""

    rows: list[str]
    shape: str = "has_more"
    newest_first: bool = False
    rounds_offsets: bool = False
    max_limit: int = 1000
    changes: float = 0.0
    """How likely another change is before a request."""
    chance: random.Random = attrs.field(factory=random.Random)
    weights: dict[str, int] = attrs.field(factory=dict)
    """Rows that weigh anything; a page over `MAX_WEIGHT` cannot be fetched."""
    deleted: set[str] = attrs.field(factory=set)
    requests: list[PageRequest] = attrs.field(factory=list)
    ids_only: bool = True
    row_cursor: Callable[[str], str | None] | None = None
    item_id: Callable[[str], str] | None = None
    appends: bool = True
    clock: Clock = attrs.field(factory=SystemClock)

    async def fetch(
        self, request: PageRequest, progress: Progress, check: object, budget: Budget, *, once: bool = False
    ) -> ReceivedPage:
        assert 0 <= request.start.offset <= MAX_OFFSET
        assert 1 <= request.limit <= 1000
        self.requests.append(request)
        while self.chance.random() < self.changes:
            self.change()
        limit = min(request.limit, self.max_limit)
        offset = request.start.offset // limit * limit if self.rounds_offsets else request.start.offset
        rows = self.rows[::-1] if self.newest_first else self.rows
        if not request.ids_only and sum(self.weights.get(row, 0) for row in rows[offset : offset + limit]) > MAX_WEIGHT:
            raise ResponseTooLargeError("too heavy")
        body = {"results": rows[offset : offset + limit], "pagination": self.pagination(offset, limit)}
        return parse_page(Response(status=200, body=msgspec.json.encode(body)))

    def start(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        return asyncio.get_running_loop().create_task(work)

    async def pause(self, seconds: float) -> None:
        await self.clock.sleep(seconds)

    def budget(self) -> Budget:
        return Budget(SystemClock(), 180.0)

    def may_try_again(self) -> bool:
        return True

    def without_key(self, error: InvalidObjectError) -> InvalidObjectError:
        return error

    def pagination(self, offset: int, limit: int) -> dict[str, Any]:
        match self.shape:
            case "has_more":
                return {"has_more": offset + limit < len(self.rows)}
            case "page":
                return {
                    "total": len(self.rows),
                    "page": offset // limit + 1,
                    "total_pages": -(-len(self.rows) // limit),
                }
            case _:
                return {}

    def change(self) -> None:
        if self.chance.random() < 0.6:
            for _ in range(min(len(self.rows), self.chance.choice([1, 1, 1, 2, 5, 20, 60]))):
                self.deleted.add(self.rows.pop(self.chance.randrange(len(self.rows))))
        else:
            start = len(self.rows) + len(self.deleted)
            self.rows += [f"row {start + n}" for n in range(self.chance.choice([1, 1, 3, 10]))]

    def structure(self, row: Any, index: int) -> str:
        return msgspec.json.decode(row, type=str)

    def identify(self, row: Any) -> str:
        return msgspec.json.decode(row, type=str)

    def created_at(self, row: Any) -> None:
        return None

    @property
    def scope(self) -> Scope:
        return Scope("list", "test")

    def checkpoint(self, bookmark: Bookmark) -> str:
        return bookmark.encode(self.scope)

    def log_unreadable(self, parts: tuple[str, ...]) -> None:
        raise AssertionError(parts)


async def walk(source: ChangingList, **options: Any) -> tuple[list[str], Progress]:
    walk = Walk(source, ListOptions(**options))
    return [row async for row in walk], walk.progress


async def walk_past_errors(source: ChangingList, **options: Any) -> tuple[list[str], list[str]]:
    """What a walk yields, and the rows that its errors name."""
    walk = Walk(source, ListOptions(**options))
    walked: list[str] = []
    named: list[str] = []
    while True:
        try:
            walked += [await anext(walk)]
        except StopAsyncIteration:
            return walked, named
        except ResponseTooLargeError as error:
            named += re.findall(r"\(object '(.*)'\)", error.message)


def rows(count: int) -> list[str]:
    return [f"row {n}" for n in range(count)]


shapes = st.sampled_from(["has_more", "page", "silent"])


@settings(max_examples=1_000, deadline=None)
@example(117, "silent", 7, True, 0.1, 4, 117)
@example(127, "silent", 7, True, 0.4, 1, 127)
@given(
    count=st.integers(0, 300),
    shape=shapes,
    page_size=st.sampled_from([1, 2, 3, 7, 20, 100, 1000]),
    newest_first=st.booleans(),
    changes=st.sampled_from([0.1, 0.4, 0.7]),
    concurrency=st.sampled_from([1, 1, 4, 16]),
    seed=st.integers(0, 2**32),
)
async def test_what_is_there_for_the_whole_walk_is_yielded_exactly_once(
    count: int, shape: str, page_size: int, newest_first: bool, changes: float, concurrency: int, seed: int
) -> None:
    source = ChangingList(rows(count), shape, newest_first, changes=changes, chance=random.Random(seed))
    walked, _ = await walk(source, page_size=page_size, concurrency=concurrency)

    assert len(walked) == len(set(walked))
    assert set(rows(count)) - source.deleted <= set(walked)


@settings(max_examples=1_000, deadline=None)
@given(
    count=st.integers(0, 150),
    shape=shapes,
    page_size=st.sampled_from([1, 2, 3, 7, 20, 100, 1000]),
    newest_first=st.booleans(),
    changes=st.sampled_from([0, 0.1, 0.4]),
    concurrency=st.sampled_from([1, 4]),
    heavy=st.dictionaries(st.integers(0, 149), st.sampled_from([MONSTER, BULKY]), max_size=8),
    seed=st.integers(0, 2**32),
)
async def test_rows_that_are_too_large_are_missed_alone_whatever_changes(
    count: int,
    shape: str,
    page_size: int,
    newest_first: bool,
    changes: float,
    concurrency: int,
    heavy: dict[int, int],
    seed: int,
) -> None:
    weights = {f"row {n}": weight for n, weight in heavy.items()}
    source = ChangingList(
        rows(count), shape, newest_first, changes=changes, chance=random.Random(seed), weights=weights
    )
    walked, errors = await walk_past_errors(source, page_size=page_size, concurrency=concurrency)

    monsters = {row for row, weight in weights.items() if weight == MONSTER}
    assert len(walked) == len(set(walked))
    assert len(errors) == len(set(errors))
    assert not monsters & set(walked)
    assert set(rows(count)) - source.deleted <= {*walked, *errors}


@settings(max_examples=500, deadline=None)
@given(
    count=st.integers(0, 100),
    shape=shapes,
    page_size=st.sampled_from([1, 2, 3, 7, 20, 1000]),
    max_limit=st.sampled_from([1, 2, 3, 10, 1000]),
)
async def test_servers_that_clamp_limits_are_walked_completely_and_in_order(
    count: int, shape: str, page_size: int, max_limit: int
) -> None:
    source = ChangingList(rows(count), shape, max_limit=max_limit)
    walked, _ = await walk(source, page_size=page_size)

    assert walked == rows(count)


@settings(max_examples=500, deadline=None)
@given(
    count=st.integers(0, 100),
    shape=shapes,
    page_size=st.sampled_from([1, 2, 3, 7, 20, 1000]),
    max_limit=st.sampled_from([1, 2, 3, 10, 1000]),
)
async def test_a_server_that_rounds_offsets_is_walked_completely_or_is_a_loop(
    count: int, shape: str, page_size: int, max_limit: int
) -> None:
    source = ChangingList(rows(count), shape, rounds_offsets=True, max_limit=max_limit)
    walked: list[str] = []
    try:
        async for row in Walk(source, ListOptions(page_size=page_size)):
            walked.append(row)
    except PaginationLoopError:
        assert walked == rows(count)[: len(walked)]
    else:
        assert walked == rows(count)


@pytest.mark.parametrize(("shape", "to_see_the_end"), [("has_more", 0), ("page", 1), ("silent", 2)])
@settings(max_examples=200, deadline=None)
@given(count=st.integers(1, 300), page_size=st.integers(1, 999))
async def test_a_list_that_does_not_change_costs_no_request_more_than_a_plain_walk(
    shape: str, to_see_the_end: int, count: int, page_size: int
) -> None:
    source = ChangingList(rows(count), shape)
    _, progress = await walk(source, page_size=page_size)

    # Page numbers off the grid may take one more to show the end; a server that says nothing is believed when it has
    # shown the last row, and then nothing behind it.
    assert 0 <= len(source.requests) - -(-count // page_size) <= to_see_the_end
    assert (progress.repeats, progress.shifts) == (0, 0)


async def test_deletions_before_the_position_are_noticed_and_counted() -> None:
    source = ChangingList(rows(100))
    walk = Walk(source, ListOptions(page_size=10))
    walked = [await anext(walk) for _ in range(35)]
    del source.rows[:20]
    walked += [row async for row in walk]

    assert walked == rows(100)
    assert walk.progress.shifts == 1


async def test_rows_created_before_the_position_cost_repeats_and_nothing_else() -> None:
    source = ChangingList(rows(100), newest_first=True)
    walk = Walk(source, ListOptions(page_size=10))
    walked = [await anext(walk) for _ in range(35)]
    source.rows += [f"new {n}" for n in range(30)]
    walked += [row async for row in walk]

    assert walked == rows(100)[::-1]
    assert walk.progress.repeats > 0


async def test_a_list_that_is_replaced_is_walked_anew() -> None:
    source = ChangingList(rows(30))
    walk = Walk(source, ListOptions(page_size=10))
    walked = [await anext(walk) for _ in range(10)]
    source.rows = [f"other {n}" for n in range(5)]
    walked += [row async for row in walk]

    assert walked == rows(10) + [f"other {n}" for n in range(5)]


async def test_a_list_that_is_emptied_ends_the_walk() -> None:
    source = ChangingList(rows(30))
    walk = Walk(source, ListOptions(page_size=10))
    walked = [await anext(walk) for _ in range(10)]
    source.rows = []

    assert walked + [row async for row in walk] == rows(10)


async def test_a_walk_that_began_at_an_offset_never_yields_what_lies_before_it() -> None:
    source = ChangingList(rows(100))
    walk = Walk(source, ListOptions(page_size=10, offset=50))
    walked = [await anext(walk) for _ in range(10)]
    del source.rows[:30]
    walked += [row async for row in walk]

    assert walked == rows(100)[50:]


async def test_a_walk_that_began_at_an_offset_starts_there_again_when_all_it_knows_is_gone() -> None:
    source = ChangingList(rows(100))
    walk = Walk(source, ListOptions(page_size=10, offset=50))
    walked = [await anext(walk) for _ in range(10)]
    del source.rows[45:65]
    walked += [row async for row in walk]

    assert walked == rows(100)[50:60] + rows(100)[70:]
