"""For any split of objects into pages, empty ones included, in any shape, the walk is their concatenation."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.list_server import ListServer, Query, objects

Pagination = dict[str, Any]

pages_of_any_length = st.lists(st.integers(0, 12), max_size=12)


def numbered(lengths: list[int]) -> list[list[str]]:
    """Pages of those lengths, the objects numbered through."""
    ids = iter(f"obj_{n}" for n in range(sum(lengths)))
    return [[next(ids) for _ in range(length)] for length in lengths]


class ByCursor:
    """A server that has its pages ready, and whose cursor is the number of the next one."""

    def __init__(self, pages: list[list[str]], last: Pagination, more: Pagination) -> None:
        self.pages = pages or [[]]
        self.last, self.more = last, more

    def __call__(self, query: Query) -> Any:
        number = int(query.cursor or 0)
        behind = number + 1 < len(self.pages)
        pagination = {**self.more, "next_cursor": str(number + 1)} if behind else self.last
        return {"results": objects(self.pages[number]), "pagination": pagination}


class ByOffset:
    """A server that never gives rows of two of its pages at once, and as many as it was asked for at most.

    An empty page is a gap of `gap` rows that it filters out after paging.
    """

    def __init__(self, pages: list[list[str]], shape: str, gap: int) -> None:
        self.rows: list[str | None] = []
        self.edges: list[int] = []
        for page in pages:
            self.rows += page or [None] * gap
            self.edges.append(len(self.rows))
        self.shape = shape

    def __call__(self, query: Query) -> Any:
        edge = next((edge for edge in self.edges if edge > query.offset), query.offset)
        hole = query.offset < len(self.rows) and self.rows[query.offset] is None
        end = query.offset + query.limit if hole else min(query.offset + query.limit, edge)
        rows = [row for row in self.rows[query.offset : end] if row is not None]
        return {"results": objects(rows), "pagination": self.pagination(query, more=end < len(self.rows))}

    def pagination(self, query: Query, *, more: bool) -> Pagination | None:
        page = query.offset // query.limit + 1
        match self.shape:
            case "has_more":
                return {"has_more": more, "limit": query.limit, "skip": query.offset}
            case "next_page":
                return {"next_page": page + 1 if more else None, "page": page, "total_pages": page + more}
            case "page numbers":
                return {"page": page, "total_pages": page + more}
            case _:
                return None


@pytest.mark.parametrize(
    ("last", "more"),
    [
        ({"next_cursor": None}, {}),
        ({"next_cursor": ""}, {}),
        ({}, {}),
        ({"has_more": False, "next_cursor": "none"}, {"has_more": True}),
        ({"has_more": None, "next_cursor": None}, {"has_more": None, "total": None, "page": None}),
        ({"total": 1, "page": 9, "next_cursor": None}, {"total": -7, "page": 9, "total_pages": 1}),
    ],
    ids=["null", "empty", "key missing at the end", "has_more", "nulls", "numbers that lie"],
)
@settings(max_examples=25, deadline=None)
@given(lengths=pages_of_any_length)
async def test_pages_by_cursor(lengths: list[int], last: Pagination, more: Pagination) -> None:
    pages = numbered(lengths)
    if last == {} and len(pages) < 2:
        pages = [["first"], ["second"]]  # without a cursor and a word this would be a walk by offset
    async with ListServer(ByCursor(pages, last, more)) as server, server.client() as client:
        walked = [obj.object_id async for obj in client.objects.list("bkt_test")]

    assert walked == [id_ for page in pages for id_ in page]
    assert len(server.queries) == max(1, len(pages))


@pytest.mark.parametrize("shape", ["has_more", "next_page", "page numbers"])
@settings(max_examples=40, deadline=None)
@given(lengths=pages_of_any_length, page_size=st.integers(1, 15))
async def test_pages_by_offset_with_a_word_on_the_next_one(lengths: list[int], page_size: int, shape: str) -> None:
    pages = numbered(lengths)
    async with ListServer(ByOffset(pages, shape, gap=page_size)) as server, server.client() as client:
        walked = [obj.object_id async for obj in client.objects.list("bkt_test", page_size=page_size)]

    assert walked == [id_ for page in pages for id_ in page]


@settings(max_examples=40, deadline=None)
@given(count=st.integers(0, 60), max_limit=st.integers(1, 12), page_size=st.integers(1, 15))
async def test_pages_by_offset_that_say_nothing_end_with_one_that_holds_nothing_new(
    count: int, max_limit: int, page_size: int
) -> None:
    ids = numbered([count])[0]

    def answer(query: Query) -> Any:
        return {"results": objects(ids[query.offset : query.offset + min(query.limit, max_limit)])}

    async with ListServer(answer) as server, server.client() as client:
        walked = [obj.object_id async for obj in client.objects.list("bkt_test", page_size=page_size)]

    assert walked == ids
