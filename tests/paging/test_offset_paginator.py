"""Paging by offset: for a place and a page, what is asked for, which rows are passed, and where the walk goes on.

Unless a row of the table says otherwise, the walk began at the start of the list and has dealt with the rows a, b, c.
"""

from collections.abc import Sequence

import attrs
import pytest
from support.rows import RowsInText, bookmark_after, numbered, rows, seen

from mixpeek_async._options import MAX_OFFSET, PageStart
from mixpeek_async._paging.bookmark import Bookmark
from mixpeek_async._paging.next_page import HasMore, NextPage
from mixpeek_async._paging.offsets import Following, OffsetPaginator, Searching, Unchecked
from mixpeek_async._paging.page import JoinedPage
from mixpeek_async.errors import CheckpointError, OffsetLimitError

YES, NO, UNKNOWN = NextPage(HasMore.YES), NextPage(HasMore.NO), NextPage(HasMore.UNKNOWN)

Place = Following | Unchecked | Searching


def paginator(
    place: Place,
    *,
    known: str = "a b c",
    first: int = 0,
    resumed: bool = False,
    frontier: Bookmark | None = None,
    newest_first: bool = False,
) -> OffsetPaginator:
    """A paginator at `place`. The walk dealt with the rows `known`, and `frontier` is the bookmark behind them."""
    bookmark = frontier or bookmark_after(known)
    reader = RowsInText(newest_first)
    return OffsetPaginator(place, first, seen(known), reader, lambda: bookmark, resumed=resumed)


# --- what is asked for


@pytest.mark.parametrize(
    ("place", "size", "cap", "asked"),
    [
        pytest.param(Unchecked(0), 10, 1000, (0, 10), id="at the start: as many rows as are wanted"),
        pytest.param(Unchecked(5), 10, 1000, (5, 10), id="unchecked: at the place"),
        pytest.param(Unchecked(5), 10, 4, (5, 4), id="unchecked: no more than fit into one request"),
        pytest.param(Following(5, "e"), 10, 1000, (4, 11), id="following: one row early, and one row more"),
        pytest.param(Following(5, "e"), 1000, 1000, (4, 1000), id="following: the last row takes the room of one"),
        pytest.param(Following(5, "e"), 10, 2, (4, 2), id="following: two rows are enough"),
        pytest.param(Following(5, "e"), 10, 1, (5, 1), id="following: a single row is fetched without the last one"),
        pytest.param(Following(10_000, "z"), 10, 1000, (9_999, 11), id="following: before the highest offset"),
        pytest.param(Following(10_001, "z"), 10, 1000, (10_000, 11), id="following: at the highest offset"),
        pytest.param(Following(10_003, "z"), 10, 1000, (10_000, 1000), id="past the highest offset: all in its reach"),
        pytest.param(Following(10_003, "z"), 10, 4, (10_000, 7), id="past the highest offset: known rows come along"),
        pytest.param(Following(10_999, "z"), 10, 1000, (10_000, 1000), id="past the highest offset: the very last row"),
        pytest.param(Unchecked(10_001), 10, 1000, (10_000, 1000), id="unchecked, past the highest offset"),
        pytest.param(Searching(50, 53), 10, 1000, (41, 10), id="searching: the block before, and the row behind it"),
        pytest.param(Searching(50, 53), 1, 1000, (49, 1), id="searching: row by row"),
        pytest.param(Searching(50, 53, width=4), 10, 1000, (47, 4), id="searching: as many as the server sends"),
        pytest.param(Searching(5, 53), 10, 1000, (0, 10), id="searching: the block at the start"),
        pytest.param(Searching(0, 53), 10, 1000, (53, 10), id="searching: the block behind"),
    ],
)
def test_the_next_request(place: Place, size: int, cap: int, asked: tuple[int, int]) -> None:
    start, limit = paginator(place).ask(size, cap)
    assert (start.offset, limit) == asked
    assert start.cursor is None


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(11_000, id="no page reaches behind row 11,000"),
        pytest.param(20_000, id="far behind it"),
    ],
)
def test_a_row_that_no_offset_reaches_is_an_error_before_anything_is_sent(end: int) -> None:
    with pytest.raises(OffsetLimitError, match=f"row {end:,}"):
        paginator(Following(end, "z")).ask(10, 1000)


def test_behind_the_highest_offset_a_page_of_known_rows_is_not_asked_for_again() -> None:
    walk = paginator(Unchecked(MAX_OFFSET + 1))
    walk.join(*walk.ask(10, 1000), rows("c"), YES)
    walk.place = Unchecked(MAX_OFFSET + 1)
    with pytest.raises(OffsetLimitError):
        walk.ask(10, 1000)


@pytest.mark.parametrize(
    ("place", "fruitless", "asked"),
    [
        pytest.param(Following(5, "e"), 0, (4, 2), id="following: the last row and the next one"),
        pytest.param(Following(5, "e"), 3, (4, 9), id="following: more after pages that brought nothing new"),
        pytest.param(Following(5, "e"), 20, (4, 1000), id="following: never more than the API allows"),
        pytest.param(Unchecked(5), 0, (5, 1), id="unchecked: the next one"),
        pytest.param(Searching(5_000, 5_003), 0, (4_001, 1000), id="searching: ids are small"),
    ],
)
def test_the_next_request_for_ids(place: Place, fruitless: int, asked: tuple[int, int]) -> None:
    walk = paginator(place)
    for _ in range(fruitless):
        walk.show(PageStart(4), 2, rows("e"), YES)
    start, limit = walk.ask_ids()
    assert (start.offset, limit) == asked


@pytest.mark.parametrize(
    ("place", "offset", "extra"),
    [
        pytest.param(Following(5, "e"), 4, 0, id="the last row is no extra row"),
        pytest.param(Following(10_003, "z"), 10_000, 3, id="past the highest offset"),
        pytest.param(Searching(10_003, 10_010), 10_000, 0, id="a search needs all rows"),
    ],
)
def test_known_rows_that_a_request_cannot_do_without(place: Place, offset: int, extra: int) -> None:
    assert paginator(place).extra_rows(PageStart(offset)) == extra


# --- what a page is used for


@attrs.frozen
class Page:
    """A page that arrives at `place`, and what becomes of it.

    `asked` is the offset and the limit of its request. The walk passes the first `skip` rows (None: it does not use the
    page) and then stands at `then`.
    """

    id: str
    place: Place
    asked: tuple[int, int]
    rows: str
    says: NextPage
    skip: int | None
    then: Place
    at_end: bool = False
    known: str = "a b c"
    first: int = 0
    resumed: bool = False
    newest_first: bool = False


def check(page: Page) -> None:
    """Join `page`, and compare with what the table says."""
    walk = paginator(
        page.place, known=page.known, first=page.first, resumed=page.resumed, newest_first=page.newest_first
    )
    offset, limit = page.asked
    joined = walk.join(PageStart(offset), limit, rows(page.rows), page.says)
    assert (joined and joined.skip) == page.skip
    # How many rows a page held only helps to predict the next ones.
    place = walk.place
    assert (place._replace(given=1000) if isinstance(place, Following) else place) == page.then
    assert (joined is not None and joined.at_end) == page.at_end
    assert walk.is_searching == isinstance(page.then, Searching)


def table(*pages: Page) -> pytest.MarkDecorator:
    """One test for each page."""
    return pytest.mark.parametrize("page", [pytest.param(page, id=page.id) for page in pages])


C, START = Following(3, "c"), Unchecked(0)


@table(
    Page("the last row and new ones", C, (2, 3), "c d e", YES, 1, Following(5, "e")),
    Page("the last row and new ones, the last page", C, (2, 3), "c d e", NO, 1, Following(5, "e"), at_end=True),
    Page("a short page does not end the walk", C, (2, 9), "c d", UNKNOWN, 1, Following(4, "d")),
    Page("a long page is used whole", C, (2, 2), "c d e f", UNKNOWN, 1, Following(6, "f")),
    Page("rows were inserted before", C, (2, 3), "b c d", YES, 2, Following(5, "d")),
    Page("the last row has moved out, a row before it is there", C, (2, 3), "b d e", YES, 1, Following(5, "e")),
    Page("only known rows", C, (2, 3), "a b c", YES, 3, Following(5, "c")),
    Page("a known row behind the last row is left to the reader", C, (2, 3), "c b d", YES, 1, Following(5, "d")),
    Page("nothing behind the last row", C, (2, 3), "c", YES, 1, Unchecked(3)),
    Page("nothing behind the last row, for the first time", C, (2, 3), "c", UNKNOWN, 1, Unchecked(3)),
    Page("the server sends one row a page", C, (2, 1), "c", UNKNOWN, 1, C),
    Page("one row before was deleted", C, (2, 3), "d e f", YES, None, Searching(2, 5)),
    Page("one row before was deleted, and the end is there", C, (2, 3), "d e", NO, None, Searching(2, 4)),
    Page("an empty page that says there is more", C, (2, 3), "", YES, None, Searching(2, 5)),
    Page("an empty page of a limit that the server applied", C, (2, 9), "", NextPage(HasMore.YES, limit=4), None,
         Searching(2, 6)),
    Page("an empty page", C, (2, 3), "", UNKNOWN, None, Searching(2, 2)),
    Page("an empty page that says it is the last", C, (2, 3), "", NO, None, Searching(2, 2)),
)  # fmt: skip
def test_a_page_that_follows_the_last_row(page: Page) -> None:
    check(page)


@table(
    Page("the first page", START, (0, 3), "a b c", YES, 0, C, known=""),
    Page("the only page", START, (0, 9), "a b c", NO, 0, C, at_end=True, known=""),
    Page("an empty list", START, (0, 9), "", NO, 0, START, at_end=True, known=""),
    Page("an empty list, and no word on the end", START, (0, 9), "", UNKNOWN, 0, START, at_end=True, known=""),
    Page("new rows", Unchecked(3), (3, 3), "d e f", YES, 0, Following(6, "f")),
    Page("known rows come again", Unchecked(3), (3, 3), "b c d", YES, 2, Following(6, "d")),
    Page("an empty page that says there is more", Unchecked(3), (3, 3), "", YES, 0, Unchecked(6)),
    Page("an empty page of a limit that the server applied", Unchecked(3), (3, 9), "", NextPage(HasMore.YES, limit=4),
         0, Unchecked(7)),
    Page("an empty page", Unchecked(3), (3, 3), "", UNKNOWN, 0, Unchecked(3), at_end=True),
    Page("a page from the highest offset on, with a known row", Unchecked(10_001), (10_000, 1000), "c d", YES, 1,
         Following(10_002, "d")),
    Page("a page from the highest offset on, without one", Unchecked(10_001), (10_000, 1000), "d e", YES, None,
         Searching(10_000, 10_002)),
)  # fmt: skip
def test_a_page_without_a_row_to_check_it_by(page: Page) -> None:
    check(page)


@table(
    Page("a known row ends the search", Searching(5, 8), (2, 4), "c d e f", YES, 1, Following(6, "f")),
    Page("no known row: farther to the start", Searching(5, 8), (2, 4), "d e f g", YES, None, Searching(2, 8)),
    Page("no known row up to the start: behind", Searching(2, 8), (0, 3), "d e f", YES, None, Searching(0, 8)),
    Page("no known row behind: farther", Searching(0, 8), (8, 3), "x y z", YES, None, Searching(0, 11)),
    Page("an empty page behind that says there is more", Searching(0, 8), (8, 3), "", YES, None, Searching(0, 11)),
    Page("fewer rows than asked for, and more of them: blocks of that width", Searching(50, 53), (41, 10), "x y", YES,
         None, Searching(50, 53, width=2)),
    Page("as many rows as the server ever sends: the same", Searching(50, 53), (41, 10), "x y", UNKNOWN, None,
         Searching(50, 53, width=2)),
    Page("fewer rows than asked for, the last ones: the list has become shorter", Searching(50, 53), (41, 10), "x y",
         NO, None, Searching(41, 53)),
    Page("the whole list was searched: from the first row again", Searching(0, 8), (8, 3), "x", NO, None, START),
    Page("the same by an empty page", Searching(0, 8), (8, 3), "", UNKNOWN, None, START),
    Page("the same at the highest offset", Searching(0, 9_995), (9_995, 6), "p q r s t u", YES, None, START),
    Page("a walk that began later goes on there", Searching(0, 8), (8, 3), "", NO, None, Unchecked(7), first=7),
)  # fmt: skip
def test_a_page_while_the_walk_searches(page: Page) -> None:
    check(page)


ONE = Following(1, "a")


@table(
    Page("all rows before it were deleted, and it is the whole list", ONE, (0, 3), "b c", NO, 0, Following(2, "c"),
         at_end=True, known="a"),
    Page("all rows were deleted", ONE, (0, 3), "", NO, 0, Unchecked(1), at_end=True, known="a"),
    Page("the same, and no word on the end", ONE, (0, 3), "", UNKNOWN, 0, Unchecked(1), at_end=True, known="a"),
    Page("a part of the list may hold known rows behind it", ONE, (0, 3), "b c", YES, None, Searching(0, 2), known="a"),
    Page("unless dates say that all of them are newer", ONE, (0, 3), "b@2 c@3", YES, 0, Following(2, "c"),
         known="a@1"),
    Page("dates say that all of them are older: the list is newest first", ONE, (0, 3), "b@4 c@3", YES, 0,
         Following(2, "c"), known="a@5", newest_first=True),
    Page("the whole list proves nothing to a walk that began later", Following(8, "a"), (7, 3), "b c", NO, None,
         Searching(7, 9), known="a", first=7),
)  # fmt: skip
def test_a_page_that_begins_at_the_start_of_the_list(page: Page) -> None:
    check(page)


R = Following(3, "")  # The place of a resumed walk: no row has the id "".


@table(
    Page("anchors are there", R, (2, 4), "b c d", YES, 2, Following(5, "d")),
    Page("dates put some rows before the place", R, (2, 4), "x@2 y@3 z@5", YES, 2, Following(5, "z"), known="c@4"),
    Page("newest first", R, (2, 4), "x@6 y@5 z@3", YES, 2, Following(5, "z"), known="c@4", newest_first=True),
    Page("dates put all rows before the place", R, (2, 4), "x@2 y@3", YES, 2, Following(4, "y"), known="c@4"),
    Page("dates put all rows behind the place", R, (2, 4), "x@5 y@6", YES, None, Searching(2, 4), known="c@4"),
    Page("they do so at the start of the list", R, (0, 4), "x@5 y@6", YES, 0, Following(2, "y"), known="c@4"),
    Page("dates that contradict the order tell nothing", R, (2, 4), "x@5 y@3", YES, None, Searching(2, 4), known="c@4"),
    Page("a row without a date, right at the place", R, (2, 4), "x@3 y z@5", YES, None, Searching(2, 5), known="c@4"),
    Page("a row without a date among rows that were passed", R, (2, 4), "x y@3 z@5", YES, 2, Following(5, "z"),
         known="c@4"),
    Page("a malformed row at the place is reported again at worst", R, (2, 4), "x@3 y@! z@5", YES, 1,
         Following(5, "z"), known="c@4"),
    Page("more rows of the last date than a bookmark knows", R, (2, 4), "x@4 z@5", YES, None, Searching(2, 4),
         known=numbered(range(40), "@4")),
    Page("the list is empty", R, (0, 4), "", NO, 0, Unchecked(3), at_end=True),
)  # fmt: skip
def test_a_page_of_a_resumed_walk(page: Page) -> None:
    check(attrs.evolve(page, resumed=True))


@pytest.mark.parametrize(
    ("place", "asked", "page"),
    [
        pytest.param(Searching(0, 8), (8, 3), "", id="the search is over"),
        pytest.param(R, (0, 9), "x y", id="the first page is the whole list"),
    ],
)
def test_a_resumed_walk_searches_the_whole_list_twice_and_then_has_no_place(
    place: Place, asked: tuple[int, int], page: str
) -> None:
    walk = paginator(place, resumed=True)
    assert walk.join(PageStart(asked[0]), asked[1], rows(page), NO) is None
    assert walk.place == Searching(0, 0)
    with pytest.raises(CheckpointError):
        walk.join(PageStart(0), 9, rows("x y"), NO)


def test_rows_of_the_last_date_are_new_once_a_search_of_the_whole_list_has_found_no_anchor() -> None:
    walk = paginator(R, known="b@3 c@4", resumed=True)
    first = walk.join(PageStart(0), 9, rows("x@4 y@5"), NO)
    second = walk.join(PageStart(0), 9, rows("x@4 y@5"), NO)
    assert first is None
    assert second == JoinedPage(skip=0, at_end=True)


# --- several pages


@attrs.frozen
class Answer:
    """A page: the request that it answers, its rows, and how many of them the walk passes (None: it uses none)."""

    asked: tuple[int, int]
    rows: str
    skip: int | None
    says: NextPage = UNKNOWN
    at_end: bool = False


def play(walk: OffsetPaginator, answers: Sequence[Answer], *, size: int = 3, cap: int = 1000) -> None:
    """Join one page after the other, each asked for where the walk stands. New rows are read at once."""
    for answer in answers:
        start, limit = walk.ask(size, cap)
        assert (start.offset, limit) == answer.asked
        page = rows(answer.rows)
        joined = walk.join(start, limit, page, answer.says)
        assert (joined and joined.skip) == answer.skip
        assert (joined is not None and joined.at_end) == answer.at_end
        for row in page[joined.skip :] if joined else []:
            walk.seen.add(RowsInText().identify(row))


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param(
            [
                Answer((0, 3), "a b c", 0),
                Answer((2, 4), "c", 1),  # A short page: the server may send one row a page.
                Answer((3, 6), "", 0, at_end=True),
            ],
            id="no word on the end: an empty page",
        ),
        pytest.param(
            [
                Answer((0, 3), "a b", 0),
                Answer((1, 4), "b", 1),  # Short for the second time: the server may have reduced the limit once more.
                Answer((2, 6), "", 0, at_end=True),
            ],
            id="no word on the end: two short pages prove nothing",
        ),
        pytest.param(
            [
                Answer((0, 3), "a", 0),
                Answer((0, 4), "a", 1),
                Answer((1, 6), "b", 0),
                Answer((1, 4), "b", 1),
                Answer((2, 6), "", 0, at_end=True),
            ],
            id="a server that sends one row a page",
        ),
        pytest.param(
            [
                Answer((0, 3), "a b c", 0),
                Answer((2, 4), "b c d e", 2),
                Answer((5, 4), "e f", 1),
            ],
            id="a list that grows at its start",
        ),
        pytest.param(
            [
                Answer((0, 3), "a b c", 0),
                Answer((2, 4), "d e f g", None),  # One of the rows a, b was deleted.
                Answer((0, 6), "b c d e f g", 2),
                Answer((5, 4), "g h", 1),
            ],
            id="a list that shrinks at its start",
        ),
        pytest.param(
            [
                Answer((0, 3), "a b c", 0),
                Answer((2, 4), "y a b c", 4),
                Answer((5, 7), "c", 1),
                Answer((6, 12), "", 0, at_end=True),
            ],
            id="each page with nothing new makes the next one twice as large",
        ),
        pytest.param(
            [
                Answer((0, 3), "a b c", 0, YES),
                Answer((2, 4), "", None, YES),  # The list may have become shorter.
                Answer((0, 6), "a b c", 3, YES),  # It has not.
                Answer((2, 13), "", 0, YES),  # The server filtered these rows after it had cut the page.
                Answer((15, 24), "d e", 0, NO, at_end=True),
            ],
            id="a page that the server filtered empty",
        ),
    ],
)
def test_a_walk(answers: list[Answer]) -> None:
    play(paginator(START, known=""), answers)


def test_a_resumed_walk_goes_on_by_dates_until_a_page_has_newer_rows() -> None:
    walk = paginator(Following(3, ""), known="", frontier=bookmark_after("c@4"), resumed=True)
    play(walk, [Answer((2, 4), "x@1 y@2", 2)])
    assert not walk.takes_cursor(1)  # A cursor leads behind rows that only dates tell to be new.
    walk.seen.add("x")  # What was passed may be known by now, and proves nothing.
    play(walk, [Answer((3, 7), "y@2 z@3 n@5", 2)])
    assert walk.takes_cursor(1)


def test_a_resumed_walk_goes_on_by_dates_until_it_finds_an_anchor() -> None:
    walk = paginator(Following(3, ""), known="c", frontier=bookmark_after("c@4"), resumed=True)
    play(walk, [Answer((2, 4), "x@1 y@2", 2), Answer((3, 7), "y@2 z@3 c@4", 3)])
    assert walk.takes_cursor(1)


def test_a_resumed_walk_by_dates_searches_behind_a_page_where_they_tell_nothing() -> None:
    walk = paginator(Following(3, ""), known="c", frontier=bookmark_after("c@4"), resumed=True)
    play(walk, [Answer((2, 4), "x@1 y@2", 2), Answer((3, 7), "y@2 z", None)])
    assert walk.place == Searching(0, 5)
    play(walk, [Answer((5, 12), "c d", 1)])


# --- pages of ids, and rows that are fetched alone


@pytest.mark.parametrize(
    ("place", "offset", "ids", "index", "then"),
    [
        pytest.param(C, 2, "c d", 1, C, id="the next row is behind the last one"),
        pytest.param(C, 2, "b c d", 2, Following(4, "c"), id="rows were inserted before"),
        pytest.param(C, 2, "b d", 1, Following(3, "b"), id="the last row was deleted"),
        pytest.param(C, 2, "c", 1, C, id="there is no next row"),
        pytest.param(C, 2, "d e", None, Searching(2, 4), id="no known row"),
        pytest.param(Unchecked(3), 3, "d", 0, Unchecked(3), id="nothing to check by"),
        pytest.param(Searching(5, 8), 2, "b c d", 2, Following(4, "c"), id="a known row ends the search"),
    ],
)
def test_a_page_of_ids_shows_the_next_row(place: Place, offset: int, ids: str, index: int | None, then: Place) -> None:
    walk = paginator(place)
    assert walk.show(PageStart(offset), 4, rows(ids), YES) == index
    assert walk.place == then


def test_ids_that_show_no_next_row_are_asked_for_twice_as_many() -> None:
    walk = paginator(C)
    walk.show(PageStart(2), 2, rows("c"), YES)
    assert walk.ask_ids() == (PageStart(2), 3)
    walk.show(PageStart(2), 3, rows("c d"), YES)
    assert walk.ask_ids() == (PageStart(2), 2)


def test_a_row_that_was_shown_can_be_passed() -> None:
    walk = paginator(C)
    walk.show(PageStart(2), 2, rows("c d"), YES)
    walk.pass_row("d")
    assert walk.place == Following(4, "d")


# --- which pages can be predicted, and whether a cursor is taken


@pytest.mark.parametrize(
    ("place", "offset", "limit", "predicted"),
    [
        pytest.param(C, 2, 10, 11, id="following: it begins at the last row of the page before it"),
        pytest.param(C, 2, 1, None, id="following: pages of one row do not overlap"),
        pytest.param(Following(9_991, "z"), 9_990, 11, 10_000, id="following: up to the highest offset"),
        pytest.param(Following(9_992, "z"), 9_991, 11, None, id="following: past the highest offset"),
        pytest.param(Unchecked(3), 3, 10, None, id="unchecked: unknown"),
        pytest.param(Searching(2, 4), 2, 10, None, id="searching: unknown"),
    ],
)
def test_where_the_page_after_a_page_begins(place: Place, offset: int, limit: int, predicted: int | None) -> None:
    assert paginator(place).predict(PageStart(offset), limit) == (predicted and PageStart(predicted))


def test_a_server_that_sends_fewer_rows_moves_the_predicted_page() -> None:
    walk = paginator(C)
    walk.join(PageStart(2), 10, rows("c d e f"), YES)
    assert walk.predict(PageStart(5), 10) == PageStart(8)


def test_no_page_is_predicted_behind_one_that_brought_nothing_new() -> None:
    walk = paginator(C)
    walk.join(PageStart(2), 3, rows("a b c"), YES)
    assert walk.predict(PageStart(4), 3) is None


@pytest.mark.parametrize(
    ("place", "concurrency", "takes"),
    [
        pytest.param(C, 1, True, id="page after page: the server keeps the place"),
        pytest.param(C, 4, False, id="side by side: only offsets can be predicted"),
        pytest.param(Unchecked(3), 4, True, id="side by side, where no page can be predicted"),
        pytest.param(Following(10_000, "z"), 4, False, id="side by side, up to the highest offset"),
        pytest.param(Following(10_001, "z"), 4, True, id="side by side, past the highest offset"),
    ],
)
def test_whether_a_walk_goes_on_by_the_cursor_that_came(place: Place, concurrency: int, takes: bool) -> None:
    assert paginator(place).takes_cursor(concurrency) is takes
