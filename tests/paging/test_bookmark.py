"""The bookmark: what a checkpoint holds, where a place is found by dates, and which strings are refused."""

from datetime import UTC, datetime
from typing import Any

import attrs
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.rows import RowsInText, bookmark_after, numbered, rows

from mixpeek_async import CheckpointError, MixpeekError
from mixpeek_async._options import PageStart
from mixpeek_async._paging import Bookmark, Scope
from mixpeek_async._paging.bookmark import ANCHORS, _to_text, fingerprint, keyed_digest, unsigned

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


SCOPES, ANCHOR, DATE = ["", "", ""], bytes(16), datetime(2026, 1, 1, tzinfo=UTC)


def payload(*parts: Any) -> bytes:
    """What a checkpoint holds behind its digest."""
    return msgspec.msgpack.encode(parts)


def with_digest(payload: bytes) -> str:
    """A checkpoint made by hand: without a key, any program can compute the digest."""
    return "mpc2." + _to_text(unsigned(payload) + payload)


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param((SCOPES, None, 0, 0, b"", None, 0, True, None), id="the start"),
        pytest.param((SCOPES, "c", 1 << 32, 2_000, ANCHOR * 32, DATE, 33, False, ANCHOR), id="all at their highest"),
    ],
)
def test_a_checkpoint_made_by_hand_is_read_if_all_its_parts_are_possible(parts: Any) -> None:
    with pytest.raises(CheckpointError, match="of another bucket"):
        Bookmark.decode(with_digest(payload(*parts)), SCOPE)


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\xc1", id="no MessagePack"),
        pytest.param(b"\x91" * 3_000, id="deep nesting"),
        pytest.param(b"\xa1\xff", id="no UTF-8"),
        pytest.param(payload(), id="no parts"),
        pytest.param(msgspec.msgpack.encode(None), id="null"),
        pytest.param(payload(SCOPES, None, 0, 0, b"", None, 0, True), id="a part too few"),
        pytest.param(payload(SCOPES, None, 0, 0, b"", None, 0, True, None, 1), id="a part too many"),
        pytest.param(payload([""], None, 0, 0, b"", None, 0, True, None), id="half of a scope"),
        pytest.param(payload(SCOPES, 7, 0, 0, b"", None, 0, True, None), id="a cursor that is a number"),
        pytest.param(payload(SCOPES, None, -5, 0, b"", None, 0, True, None), id="a negative offset"),
        pytest.param(payload(SCOPES, None, "a", 0, b"", None, 0, True, None), id="an offset that is a text"),
        pytest.param(payload(SCOPES, None, 2**63, 0, b"", None, 0, True, None), id="an offset of 19 digits"),
        pytest.param(payload(SCOPES, None, 0, 2_001, b"", None, 0, True, None), id="an index behind any page"),
        pytest.param(payload(SCOPES, None, 0, 0, ANCHOR * 33, None, 0, True, None), id="33 anchors"),
        pytest.param(payload(SCOPES, None, 0, 0, b"", "soon", 0, True, None), id="a date that is a text"),
        pytest.param(payload(SCOPES, None, 0, 0, b"", datetime(2026, 1, 1), 0, True, None), id="a date without a zone"),
        pytest.param(payload(SCOPES, None, 0, 0, b"", None, 34, True, None), id="34 rows of the last date"),
        pytest.param(payload(SCOPES, None, 0, 0, b"", None, 0, 1, None), id="a flag that is a number"),
        pytest.param(payload(SCOPES, None, 0, 0, b"", None, 0, True, bytes(17)), id="a first row of 17 bytes"),
    ],
)
def test_a_made_up_checkpoint_is_refused_although_its_digest_is_right(payload: bytes) -> None:
    with pytest.raises(CheckpointError, match="this is no checkpoint"):
        Bookmark.decode(with_digest(payload), SCOPE)


@pytest.mark.parametrize("cut", range(0, len(GOOD), 7))
def test_a_cut_checkpoint_is_refused(cut: int) -> None:
    with pytest.raises(CheckpointError):
        Bookmark.decode(GOOD[:cut], SCOPE)


def test_a_checkpoint_of_another_version_says_so() -> None:
    with pytest.raises(CheckpointError, match="another version"):
        Bookmark.decode(GOOD.replace("mpc2.", "mpc3."), SCOPE)


@pytest.mark.parametrize("text", [GOOD + "\n", " " + GOOD])
def test_a_checkpoint_with_white_space_at_its_ends_says_so(text: str) -> None:
    with pytest.raises(CheckpointError, match="white space"):
        Bookmark.decode(text, SCOPE)


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


# --- the rows before a place


@pytest.mark.parametrize(
    ("dealt_with", "last_date", "same_date"),
    [
        pytest.param("a@1 b@2", 2, 1, id="the last row is the only one of its date"),
        pytest.param("a@1 b@2 c@2", 2, 2, id="two rows of one date"),
        pytest.param("a@2 b@1 c@2", 2, 1, id="only rows that stand together are counted"),
        pytest.param("a@2 b@! c@2", 2, 2, id="a malformed row is left out"),
        pytest.param("a@2 b@!", 2, 1, id="a malformed row is the last one"),
        pytest.param(numbered(range(32), "@2"), 2, 32, id="as many as there are anchors"),
        pytest.param(numbered(range(33), "@2"), 2, 33, id="one more"),
        pytest.param(numbered(range(40), "@2"), 2, 33, id="more are not counted"),
        pytest.param("a@1 b", None, 0, id="the last row has no date"),
        pytest.param("a@!", None, 0, id="only a malformed row"),
        pytest.param("", None, 0, id="no rows"),
    ],
)
def test_a_bookmark_counts_the_rows_of_the_last_date(dealt_with: str, last_date: int | None, same_date: int) -> None:
    bookmark = bookmark_after(dealt_with)
    assert (bookmark.last_date and bookmark.last_date.day, bookmark.same_date) == (last_date, same_date)


def test_a_bookmark_knows_the_last_32_rows_oldest_first() -> None:
    bookmark = bookmark_after(numbered(range(30, 50)), since=bookmark_after(numbered(range(30))))
    last = range(50)[-ANCHORS:]
    assert bookmark.anchors == tuple(f"r{number}" for number in last)


def test_a_bookmark_behind_no_further_row_only_moves() -> None:
    bookmark = bookmark_after("a@1 b@2", index=2)
    moved = bookmark.after(PageStart(cursor="next"), 0, anchors=bookmark.anchors, rows=0, dates=[])
    assert moved == attrs.evolve(bookmark, start=PageStart(cursor="next"), index=0)


def test_rows_of_one_date_are_counted_across_resumed_walks() -> None:
    bookmark = bookmark_after("a@1")
    for number in range(ANCHORS):
        bookmark = bookmark_after(f"r{number}@2", since=bookmark)
    assert bookmark.same_date == ANCHORS
    assert bookmark_after("z@2", since=bookmark).same_date == ANCHORS + 1


def test_a_malformed_row_does_not_hide_how_many_rows_have_the_last_date() -> None:
    bookmark = bookmark_after("a@2 b@2 c@! d@2", since=bookmark_after(numbered(range(30), "@2")))
    assert bookmark.same_date == 33


def test_a_malformed_row_keeps_the_date_before_it() -> None:
    bookmark = bookmark_after("x@!", since=bookmark_after("a@2"))
    assert (bookmark.last_date and bookmark.last_date.day) == 2


def test_a_bookmark_knows_all_rows_before_it_while_they_are_anchors() -> None:
    bookmark = bookmark_after(numbered(range(19)), since=Bookmark(from_start=True))
    assert bookmark.from_start
    assert bookmark_after(numbered(range(13)), since=bookmark).from_start
    assert not bookmark_after(numbered(range(14)), since=bookmark).from_start


# --- a place that is found by dates


@pytest.mark.parametrize(
    ("dealt_with", "page", "passed"),
    [
        pytest.param("a@1 b@2", "c@3 d@4", 0, id="all are newer"),
        pytest.param("a@1 b@2", "x@1 y@1 c@3", 2, id="some are older"),
        pytest.param("a@1 b@3", "x@1 y@2", 2, id="all are older"),
        pytest.param("a@1 b@2", "c@2 d@3", None, id="only an anchor can tell where the rows of the last date lie"),
        pytest.param(numbered(range(40), "@2"), "x@1 c@3", 1, id="older than a date of many rows"),
        pytest.param("a@1 b@2", "c@3 x@1", None, id="the dates contradict the order"),
        pytest.param("a@1 b@2", "x y@1 c@3", 2, id="a row without a date among older ones"),
        pytest.param("a@1 b@2", "x@1 c@3 d", 1, id="a row without a date among newer ones"),
        pytest.param("a@1 b@2", "x@1 y c@3", None, id="a row without a date right at the place"),
        pytest.param("a@1 b@2", "x@1 y", None, id="a row without a date at the end of the page"),
        pytest.param("a@1 b@2", "x@1 y@! c@3", 1, id="a malformed row right at the place is reported"),
        pytest.param("a@1 b@2", "x@1 y@! z", None, id="a row without a date behind a malformed one"),
        pytest.param("a@1 b@2", "", 0, id="an empty page"),
        pytest.param("a b", "x@1 c@3", None, id="the last row had no date"),
        pytest.param("", "c@1 d@2", None, id="no row was dealt with"),
    ],
)
def test_dates_tell_how_many_rows_of_a_page_lie_before_the_place(
    dealt_with: str, page: str, passed: int | None
) -> None:
    dates = map(RowsInText().created_at, rows(page))
    assert bookmark_after(dealt_with).count_passed(dates, newest_first=False) == passed


@pytest.mark.parametrize(
    ("dealt_with", "passed"),
    [
        pytest.param("a@1 b@2", 0, id="one row of that date"),
        pytest.param(numbered(range(32), "@2"), 0, id="32 rows: all of them were anchors"),
        pytest.param(numbered(range(33), "@2"), None, id="33 rows: one was no anchor"),
    ],
)
def test_where_no_anchor_is_left_a_row_of_the_last_date_is_new_if_all_others_were_anchors(
    dealt_with: str, passed: int | None
) -> None:
    dates = map(RowsInText().created_at, rows("c@2 d@3"))
    assert bookmark_after(dealt_with).count_passed(dates, newest_first=False, no_anchors=True) == passed


@pytest.mark.parametrize(
    ("page", "passed"),
    [
        pytest.param("x@10 y@9 c@7", 2, id="newer rows were passed"),
        pytest.param("x@7 y@6", 0, id="all are older"),
        pytest.param("x@7 y@9", None, id="oldest first"),
    ],
)
def test_the_order_of_dates_can_be_newest_first(page: str, passed: int | None) -> None:
    dates = map(RowsInText().created_at, rows(page))
    assert bookmark_after("a@9 b@8").count_passed(dates, newest_first=True) == passed
