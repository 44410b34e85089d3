"""The bookmark: what a checkpoint holds, where a place is found by dates, and which strings are refused."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixpeek_async import CheckpointError, MixpeekError
from mixpeek_async._paging import Bookmark, Scope
from mixpeek_async._paging.bookmark import ANCHORS, MALFORMED, _to_text, fingerprint, keyed_digest, unsigned
from mixpeek_async.query import PageStart

SCOPE = Scope("/v1/buckets/bkt_test/objects/list", "production")
GOOD = Bookmark(start=PageStart(0, "cursor"), index=3, anchors=(fingerprint("obj_3"),)).encode(SCOPE)


@given(
    cursor=st.none() | st.text(),
    offset=st.integers(0, 11_000),
    index=st.integers(0, 1000),
    ids=st.lists(st.text(min_size=1), max_size=32),
    date=st.none() | st.datetimes(timezones=st.just(UTC)),
    key=st.binary(max_size=64),
)
def test_any_place_is_read_back_as_it_was_written(
    cursor: str | None, offset: int, index: int, ids: list[str], date: Any, key: bytes
) -> None:
    bookmark = Bookmark(
        start=PageStart(offset, cursor),
        index=index,
        anchors=tuple(map(fingerprint, ids)),
        last_date=date,
        same_date=len(ids) if date else 0,
        from_start=not ids,
        first=fingerprint(ids[0]) if ids else None,
    )
    digest = keyed_digest(key)
    assert Bookmark.decode(bookmark.encode(SCOPE, digest), SCOPE, digest) == bookmark


@given(at=st.integers(0, len(GOOD) - 1), char=st.characters())
def test_a_changed_character_is_refused(at: int, char: str) -> None:
    edited = GOOD[:at] + char + GOOD[at + 1 :]
    if edited != GOOD:
        with pytest.raises(CheckpointError):
            Bookmark.decode(edited, SCOPE)


@given(st.text() | st.text("mpc2.").map("mpc2.".__add__) | st.binary() | st.integers() | st.just("x" * 10_000_000))
def test_garbage_is_refused(garbage: Any) -> None:
    with pytest.raises(CheckpointError):
        Bookmark.decode(garbage, SCOPE)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{",
        b"\xff",
        b"null",
        b"[]",
        b"[1,2]",
        b"[" * 3_000,
        b'[["","",""],null,-5,0,"",null,0,true]',
        b'[["","",""],null,"a",0,"",null,0,true]',
        b'[["","",""],null,1000000000000000000000000000000,0,"",null,0,true]',
        b'[["","",""],null,0,2001,"",null,0,true]',
        b'[["","",""],null,0,0,"",null,34,true]',
        b'[["","",""],null,0,0,"",null,0,true,1]',
        b'[["","",""],null,0,0,"","soon",0,true]',
        b'[["","",""],null,0,0,"%",null,0,true]',
        b'[["","",""],null,0,0,"' + b"A" * 1_000 + b'",null,0,true]',
    ],
)
def test_a_made_up_checkpoint_is_refused_although_its_digest_is_right(payload: bytes) -> None:
    with pytest.raises(CheckpointError):
        Bookmark.decode("mpc2." + _to_text(unsigned(payload) + payload), SCOPE)


@pytest.mark.parametrize("cut", range(0, len(GOOD), 7))
def test_a_cut_checkpoint_is_refused(cut: int) -> None:
    with pytest.raises(CheckpointError):
        Bookmark.decode(GOOD[:cut], SCOPE)


def test_a_checkpoint_of_another_version_says_so() -> None:
    with pytest.raises(CheckpointError, match="another version"):
        Bookmark.decode(GOOD.replace("mpc2.", "mpc3."), SCOPE)


def test_a_checkpoint_of_another_query_says_so() -> None:
    with pytest.raises(CheckpointError, match="another query"):
        Bookmark.decode(GOOD, Scope(SCOPE.bucket, SCOPE.namespace, '{"search":"x"}'))


def test_a_checkpoint_error_is_a_value_error_too() -> None:
    assert issubclass(CheckpointError, ValueError)
    assert issubclass(CheckpointError, MixpeekError)


def test_a_signed_checkpoint_is_refused_without_its_key() -> None:
    digest = keyed_digest(b"secret")
    signed = Bookmark().encode(SCOPE, digest)
    with pytest.raises(CheckpointError):
        Bookmark.decode(signed, SCOPE)
    with pytest.raises(CheckpointError):
        Bookmark.decode(Bookmark().encode(SCOPE), SCOPE, digest)


def day(number: int) -> datetime:
    return datetime(2026, 1, number, tzinfo=UTC)


def bookmark_after(*days: int, start: Bookmark | None = None) -> Bookmark:
    """The bookmark behind one row for each day."""
    rows = days[-ANCHORS - 1 :]
    start = start or Bookmark(from_start=True)
    return start.after(PageStart(len(days)), 0, ids=[f"{n}" for n in range(len(rows))], dates=map(day, reversed(rows)))


@pytest.mark.parametrize(
    ("dealt_with", "page", "passed"),
    [
        ((1, 2), (3, 4), 0),
        ((1, 2), (1, 1, 3), 2),
        ((1, 2), (2, 3), None),  # only an anchor can tell where the rows of one date lie
        ((2,) * 40, (2, 3), None),  # not all of that date are anchors
        ((2,) * 40, (1, 3), 1),
        ((1, 2), (3, 1), None),  # the dates do not agree with the order
        ((), (1, 2), None),
        ((1, 2), (), 0),
    ],
)
def test_dates_tell_how_many_rows_of_a_page_lie_before_the_place(
    dealt_with: tuple[int, ...], page: tuple[int, ...], passed: int | None
) -> None:
    assert bookmark_after(*dealt_with).count_passed(map(day, page), newest_first=False) == passed


@pytest.mark.parametrize(("dealt_with", "passed"), [((1, 2), 0), ((2,) * 32, 0), ((2,) * 33, None)])
def test_where_no_anchor_is_left_an_unknown_row_of_the_last_date_is_new_if_all_others_were_anchors(
    dealt_with: tuple[int, ...], passed: int | None
) -> None:
    bookmark = bookmark_after(*dealt_with)
    assert bookmark.count_passed(map(day, (2, 3)), newest_first=False, no_anchors=True) == passed


def test_a_malformed_row_does_not_hide_how_many_rows_have_the_last_date() -> None:
    start = bookmark_after(*(2,) * 30)
    bookmark = start.after(PageStart(34), 0, ids=["a", "b", "c", "d"], dates=[day(2), MALFORMED, day(2), day(2)])
    assert bookmark.same_date == 33


def test_the_order_of_dates_can_be_newest_first() -> None:
    assert bookmark_after(9, 8).count_passed(map(day, (10, 9, 7)), newest_first=True) == 2


def test_a_row_without_a_date_tells_nothing() -> None:
    assert bookmark_after(1).count_passed([None, day(2)], newest_first=False) is None


def test_rows_of_one_date_are_counted_across_resumed_walks() -> None:
    bookmark = bookmark_after(1)
    for _ in range(ANCHORS):
        bookmark = bookmark_after(2, start=bookmark)
    assert bookmark.same_date == ANCHORS
    assert bookmark_after(2, start=bookmark).same_date == ANCHORS + 1


def test_a_bookmark_knows_all_rows_before_it_while_they_are_anchors() -> None:
    bookmark = bookmark_after(*range(1, 20))
    assert bookmark.from_start
    assert bookmark_after(*range(1, 14), start=bookmark).from_start
    assert not bookmark_after(*range(1, 15), start=bookmark).from_start
