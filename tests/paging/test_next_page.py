"""What a page says about the next one, in each of the published shapes, in their mixtures, and with keys left out."""

from typing import Any

import pytest

from mixpeek_async import MalformedResponseError, converter
from mixpeek_async._options import PageRequest, PageStart
from mixpeek_async._paging.next_page import HasMore, NextPage, parse_next_page, refuse_page_of_older_server
from mixpeek_async.models import Pagination

YES, NO, UNKNOWN = HasMore.YES, HasMore.NO, HasMore.UNKNOWN


def parse(
    pagination: dict[str, Any],
    *,
    offset: int = 0,
    cursor: str | None = None,
    limit: int = 10,
    nothing_new: bool = False,
) -> NextPage:
    """What the JSON of a `pagination` says, in answer to a request."""
    request = PageRequest(PageStart(offset, cursor), limit)
    return parse_next_page(converter.structure(pagination, Pagination), request, nothing_new=nothing_new)


@pytest.mark.parametrize(
    ("pagination", "has_more", "cursor"),
    [
        pytest.param({"has_more": True, "limit": 10, "skip": 0}, YES, None, id="A: more"),
        pytest.param({"has_more": False, "limit": 10, "skip": 0}, NO, None, id="A: the end"),
        pytest.param({"has_more": None}, UNKNOWN, None, id="A: null counts as absent"),
        pytest.param({"next_cursor": "c"}, YES, "c", id="C: a cursor"),
        pytest.param({"next_cursor": None}, NO, None, id="C: null ends the walk"),
        pytest.param({"next_cursor": ""}, NO, None, id="C: an empty cursor ends the walk"),
        pytest.param({"has_more": True, "next_cursor": "c"}, YES, "c", id="has_more and a cursor"),
        pytest.param({"has_more": False, "next_cursor": "c"}, NO, None, id="has_more decides over a cursor"),
        pytest.param({"has_more": True, "next_cursor": None}, YES, None, id="has_more decides over null"),
        pytest.param({"has_more": None, "next_cursor": "c"}, YES, "c", id="has_more is null: the cursor decides"),
        pytest.param({"next_cursor": "c", "page": 5, "total_pages": 5}, YES, "c", id="a cursor decides over numbers"),
        pytest.param({"next_cursor": None, "page": 1, "total_pages": 5}, NO, None, id="null decides over numbers"),
        pytest.param({"page": 1, "total_pages": 5}, YES, None, id="B: a page before the last"),
        pytest.param({"page": 5, "total_pages": 5}, NO, None, id="B: the last page"),
        pytest.param({"page": 0, "total_pages": 0}, NO, None, id="B: an empty list"),
        pytest.param({"page": 5, "total_pages": 5, "next_page": "/p6"}, YES, None, id="B: next_page means more"),
        pytest.param({"next_page": "/p2"}, YES, None, id="B: next_page alone"),
        pytest.param({"next_page": 2}, YES, None, id="B: next_page of any type"),
        pytest.param({"next_page": None}, UNKNOWN, None, id="B: null alone says nothing"),
        pytest.param({"next_page": ""}, UNKNOWN, None, id="B: an empty text says nothing"),
        pytest.param({"page": 1}, UNKNOWN, None, id="B: half of the numbers says nothing"),
        pytest.param({"total": 3, "total_pages": None}, UNKNOWN, None, id="B: a total is no end"),
        pytest.param({}, UNKNOWN, None, id="nothing"),
    ],
)
def test_whether_there_is_more(pagination: dict[str, Any], has_more: HasMore, cursor: str | None) -> None:
    assert parse(pagination) == NextPage(has_more, cursor)


@pytest.mark.parametrize(
    ("pagination", "has_more"),
    [
        pytest.param({"has_more": True}, YES, id="more, without a cursor"),
        pytest.param({"has_more": False}, NO, id="the end"),
        pytest.param({"next_cursor": "d"}, YES, id="the next cursor"),
        pytest.param({}, NO, id="no key next_cursor: the server leaves out nulls"),
        pytest.param({"page": 1, "total_pages": 5}, NO, id="page numbers are not read"),
    ],
)
def test_whether_there_is_more_in_a_walk_by_cursor(pagination: dict[str, Any], has_more: HasMore) -> None:
    assert parse(pagination, cursor="c").has_more is has_more


@pytest.mark.parametrize(
    ("pagination", "offset", "nothing_new", "has_more"),
    [
        pytest.param({"page": 2, "total_pages": 3, "page_size": 10}, 10, False, YES, id="a page before the last"),
        pytest.param({"page": 3, "total_pages": 3, "page_size": 10}, 20, False, NO, id="the last page"),
        pytest.param({"page": 3, "total_pages": 3, "page_size": 10}, 19, False, YES,
                     id="between two pages, counted as the last: one row is missing"),
        pytest.param({"page": 2, "total_pages": 3, "page_size": 10}, 21, False, YES,
                     id="between two pages, counted as the one before: one request too many is fine"),
        pytest.param({"page": 2, "total_pages": 3, "page_size": 10}, 21, True, NO,
                     id="and a page with nothing new there is the end"),
        pytest.param({"page": 1, "total_pages": 3, "page_size": 10}, 0, True, YES,
                     id="a page with nothing new before the last page is not the end"),
        pytest.param({"page": 3, "total_pages": 3, "page_size": 10, "next_page": "/p4"}, 20, True, NO,
                     id="nothing new on the last page: next_page is not believed"),
        pytest.param({"page": 3, "total_pages": 3, "page_size": 10, "next_page": "/p4"}, 20, False, YES,
                     id="new rows on the last page: next_page is believed"),
        pytest.param({"page": 3, "total_pages": 3}, 7, False, NO, id="no page size: the number of the page counts"),
        pytest.param({"page": 3, "total_pages": 3, "page_size": 0}, 7, False, NO, id="a page size of 0 is none"),
        pytest.param({"page": 3, "total_pages": 3, "page_size": -5}, 7, False, NO, id="a negative page size is none"),
    ],
)  # fmt: skip
def test_page_numbers(pagination: dict[str, Any], offset: int, nothing_new: bool, has_more: HasMore) -> None:
    assert parse(pagination, offset=offset, nothing_new=nothing_new).has_more is has_more


@pytest.mark.parametrize(
    ("pagination", "limit"),
    [
        pytest.param({"limit": 4}, 4, id="limit"),
        pytest.param({"page_size": 4}, 4, id="page_size"),
        pytest.param({"limit": 4, "page_size": 5}, 4, id="limit before page_size"),
        pytest.param({"limit": 10}, None, id="the limit that was asked for"),
        pytest.param({"limit": 1000}, None, id="more than was asked for"),
        pytest.param({"limit": 0}, None, id="zero"),
        pytest.param({"limit": -4}, None, id="negative"),
        pytest.param({}, None, id="nothing"),
    ],
)
def test_the_limit_that_the_server_applied(pagination: dict[str, Any], limit: int | None) -> None:
    assert parse(pagination, limit=10).limit == limit


@pytest.mark.parametrize(
    "pagination",
    [
        pytest.param({"page": 1, "total_pages": 5}, id="page 1 of 5"),
        pytest.param({"next_page": "/p2"}, id="next_page"),
        pytest.param({"page": 5, "total_pages": 5, "next_page": 6}, id="numbers and next_page"),
        pytest.param({"has_more": True, "limit": 10, "skip": 0}, id="has_more and skip"),
    ],
)
def test_an_answer_of_an_older_server_to_a_cursor_is_refused_and_fetched_again(pagination: dict[str, Any]) -> None:
    request = PageRequest(PageStart(cursor="c"), 10)
    with pytest.raises(MalformedResponseError, match="knows no cursors") as caught:
        refuse_page_of_older_server(converter.structure(pagination, Pagination), request)
    assert caught.value.retryable
    assert caught.value.path == "$.pagination"


@pytest.mark.parametrize(
    ("pagination", "cursor"),
    [
        pytest.param({"page": 1, "total_pages": 5}, None, id="in answer to an offset"),
        pytest.param({"next_cursor": "d", "page": 1, "total_pages": 5}, "c", id="with the next cursor"),
        pytest.param({"next_cursor": None, "page": 1, "total_pages": 5}, "c", id="with a next cursor that is null"),
        pytest.param({"page": 5, "total_pages": 5}, "c", id="numbers of the last page"),
        pytest.param({"page": 5}, "c", id="half of the numbers"),
        pytest.param({"has_more": False, "page": 1, "total_pages": 5}, "c", id="has_more decides over numbers"),
        pytest.param({"has_more": False, "skip": 0}, "c", id="the end"),
        pytest.param({"has_more": True}, "c", id="more, without a cursor and without skip: an error of its own"),
        pytest.param({"next_page": ""}, "c", id="an empty next_page"),
        pytest.param({}, "c", id="nothing"),
    ],
)
def test_any_other_answer_is_not(pagination: dict[str, Any], cursor: str | None) -> None:
    refuse_page_of_older_server(converter.structure(pagination, Pagination), PageRequest(PageStart(cursor=cursor), 10))
