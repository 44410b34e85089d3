"""Paging by cursor: what is asked for, and how a resumed walk passes the rows that an earlier one dealt with.

A checkpoint holds the cursor of its page and an index into it, and it knows the last 32 rows before its place.
"""

import attrs
import pytest
from support.rows import RowsInText, bookmark_after, numbered, rows, seen

from mixpeek_async._options import PageStart
from mixpeek_async._paging.bookmark import ANCHORS, Bookmark
from mixpeek_async._paging.cursors import CursorPaginator
from mixpeek_async._paging.next_page import HasMore, NextPage
from mixpeek_async._paging.page import Paginator
from mixpeek_async._paging.seen_ids import SeenIds
from mixpeek_async.errors import CheckpointError

CURSOR = PageStart(cursor="cur")
MORE, LAST = NextPage(HasMore.YES, "next"), NextPage(HasMore.NO)


def resumed(dealt_with: str, index: int, *, newest_first: bool = False) -> CursorPaginator:
    """A walk that is resumed `index` rows into a page, after the rows `dealt_with`."""
    bookmark = bookmark_after(dealt_with, index=index)
    return CursorPaginator("cur", SeenIds(bookmark.anchors), RowsInText(newest_first), bookmark)


def fresh(known: str = "") -> CursorPaginator:
    """A walk that follows a cursor which has just come."""
    return CursorPaginator("cur", seen(known), RowsInText(), Bookmark())


# --- a walk that follows cursors


def test_a_page_by_cursor_asks_for_new_rows_only() -> None:
    assert fresh().ask(10, 1000) == (CURSOR, 10)
    assert fresh().ask(10, 4) == (CURSOR, 4)
    assert fresh().extra_rows(CURSOR) == 0


@pytest.mark.parametrize(
    ("says", "at_end"),
    [
        pytest.param(MORE, False, id="more"),
        pytest.param(LAST, True, id="the last page"),
    ],
)
@pytest.mark.parametrize("page", ["a b", ""], ids=["rows", "empty"])
def test_only_the_servers_word_ends_a_walk_by_cursor(page: str, says: NextPage, at_end: bool) -> None:
    joined = fresh().join(CURSOR, 10, rows(page), says)
    assert joined is not None
    assert (joined.skip, joined.place, joined.at_end) == (0, 0, at_end)


def test_rows_that_come_again_are_left_to_the_reader() -> None:
    joined = fresh("a b").join(CURSOR, 10, rows("a b c"), MORE)
    assert joined is not None
    assert joined.skip == 0


def test_one_id_shows_the_next_row() -> None:
    walk = fresh()
    assert walk.ask_ids() == (CURSOR, 1)
    assert walk.show(CURSOR, 1, rows("a"), MORE) == 0
    walk.pass_row("a")
    assert walk.ask_ids() == (CURSOR, 1)


def test_no_page_by_cursor_can_be_predicted_and_a_walk_by_cursor_takes_the_next_cursor() -> None:
    walk: Paginator = fresh()
    assert walk.predict(CURSOR, 10) is None
    assert walk.takes_cursor(4)


def test_a_walk_by_cursor_never_searches() -> None:
    assert not fresh().is_searching
    assert fresh().end is None


# --- a walk that is resumed within a page

EARLIER = numbered(range(1, 41))
"""Forty rows of one page. The last 32 of them, from r9 on, are anchors."""


@pytest.mark.parametrize(
    ("index", "cap", "limit"),
    [
        pytest.param(0, 1000, 10, id="at the start of a page"),
        pytest.param(3, 1000, 13, id="rows that were dealt with come along"),
        pytest.param(995, 1000, 1000, id="as many of them as fit into a request"),
    ],
)
def test_what_a_resumed_walk_asks_for(index: int, cap: int, limit: int) -> None:
    assert resumed("a b c", index).ask(10, cap) == (CURSOR, limit)


@attrs.frozen
class Page:
    """The first page of a walk that is resumed `index` rows into it.

    The walk passes the first `skip` rows, its next checkpoint counts `place` rows, and `to_pass` more rows of the
    earlier walk may come.
    """

    id: str
    dealt_with: str
    index: int
    rows: str
    skip: int
    place: int
    to_pass: int = 0
    says: NextPage = MORE
    newest_first: bool = False


def table(*pages: Page) -> pytest.MarkDecorator:
    """One test for each page."""
    return pytest.mark.parametrize("page", [pytest.param(page, id=page.id) for page in pages])


def check(page: Page) -> None:
    """Join `page`, and compare with what the table says."""
    walk = resumed(page.dealt_with, page.index, newest_first=page.newest_first)
    joined = walk.join(CURSOR, 1000, rows(page.rows), page.says)
    assert joined is not None
    assert (joined.skip, joined.place, joined.at_end) == (page.skip, page.place, page.says is LAST)
    assert walk.ask(10, 1000) == (CURSOR, 10 + page.to_pass)


@table(
    Page("nothing has changed", "a b c", 3, "a b c d", 3, 3),
    Page("one of them was deleted", "a b c", 3, "a c d", 2, 2),
    Page("the last of them was deleted", "a b c", 3, "a b d", 2, 2),
    Page("all of them were deleted", "a b c", 3, "d e", 0, 0),
    Page("a row was inserted between them", "a b c", 3, "a x b c d", 4, ANCHORS + 1),
    Page("the page is empty", "a b c", 3, "", 0, 0, says=LAST),
    Page("the server sends fewer rows: the others are dropped by their ids", "a b c", 3, "a b", 2, 2),
    Page("32 rows", numbered(range(1, 33)), 32, numbered(range(1, 34)), 32, 32),
)
def test_an_index_up_to_32_means_that_the_checkpoint_knows_all_rows_before_it(page: Page) -> None:
    check(page)


@table(
    Page("nothing has changed", EARLIER, 40, numbered(range(1, 44)), 40, 40),
    Page("rows that no checkpoint knows were deleted", EARLIER, 40, numbered(range(5, 44)), 36, 36),
    Page("fewer than 33 are left: the place still says that not all are known", EARLIER, 40, "r1 r40 r41", 2, 33),
    Page("only anchors are left", EARLIER, 40, "r39 r40 r41", 2, 2),
    Page("the last row was deleted", EARLIER, 40, numbered([*range(1, 40), 41]), 39, 39),
    Page("the server sends fewer rows, and no anchor", EARLIER, 40, numbered(range(1, 9)), 8, 33, to_pass=32),
    Page("an empty page that says there is more", EARLIER, 40, "", 0, 0, to_pass=40),
    Page("no anchor, and dates tell the place", "c@4", 40, "x@2 y@3 z@5", 2, 33),
    Page("the same, newest first", "c@4", 40, "x@6 y@5 z@3", 2, 33, newest_first=True),
    Page("dates put all rows before the place: more of them may come", "c@4", 40, "x@2 y@3", 2, 33, to_pass=38),
    Page("dates put all rows behind the place", "c@4", 40, "y@5 z@6", 0, 0),
    Page("dates, and the last page", "c@4", 40, "x@2 y@3", 2, 33, to_pass=38, says=LAST),
    Page("more rows than were dealt with lie before the place: one more may come", "c@4", 33, numbered(range(40), "@2"),
         40, 40, to_pass=1),
)  # fmt: skip
def test_an_index_over_32_means_that_older_rows_may_come_before_the_first_anchor(page: Page) -> None:
    check(page)


@pytest.mark.parametrize(
    ("dealt_with", "page", "says"),
    [
        pytest.param(EARLIER, numbered(range(50, 90)), MORE, id="as many rows as were dealt with, and no anchor"),
        pytest.param(EARLIER, "x y", LAST, id="the last page, without an anchor or a date"),
        pytest.param("c@4", "x@5 y@3 z@5", LAST, id="dates that contradict the order"),
    ],
)
def test_a_place_that_nothing_tells_is_an_error(dealt_with: str, page: str, says: NextPage) -> None:
    with pytest.raises(CheckpointError):
        resumed(dealt_with, 40).join(CURSOR, 1000, rows(page), says)


def test_rows_passed_without_proof_are_proven_by_an_anchor_in_a_later_page() -> None:
    walk = resumed(EARLIER, 40)
    walk.join(CURSOR, 1000, rows(numbered(range(1, 9))), MORE)
    walk.cursor = "cur 2"

    start, limit = walk.ask(10, 1000)
    joined = walk.join(start, limit, rows(numbered(range(9, 43))), MORE)

    assert (start, limit) == (PageStart(cursor="cur 2"), 42)
    assert joined is not None
    assert joined.skip == 32
    assert walk.ask(10, 1000) == (start, 10)


@pytest.mark.parametrize("last_page", ["", "x y"], ids=["empty", "without an anchor"])
def test_rows_passed_without_proof_are_an_error_when_the_list_ends_before_an_anchor(last_page: str) -> None:
    walk = resumed(EARLIER, 40)
    walk.join(CURSOR, 1000, rows(numbered(range(1, 9))), MORE)
    with pytest.raises(CheckpointError):
        walk.join(CURSOR, 1000, rows(last_page), LAST)
