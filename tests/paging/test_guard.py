"""Which pages are taken for endless pagination, and which only look like it."""

from collections.abc import Callable

import pytest

from mixpeek_async._paging.guard import LoopGuard
from mixpeek_async.errors import PaginationError, PaginationLoopError

A, B = ("a1", "a9"), ("b1", "b9")
"""The first and the last id of two pages."""


def finish(guard: LoopGuard, ids: tuple[str, str], times: int = 1, *, rows: int = 9, new: int = 0) -> None:
    """Read a page to its end, several times. The walk knows 9 rows."""
    for _ in range(times):
        guard.finish(ids, rows, new=new, known=9)


def by_cursor() -> LoopGuard:
    """The guard of a walk that follows a cursor."""
    guard = LoopGuard()
    guard.follow("first")
    return guard


# --- cursors


def test_a_repeated_cursor_is_a_loop() -> None:
    guard = LoopGuard()
    for cursor in ("x", "y", "z"):
        guard.follow(cursor)
        assert guard.failure is None
    guard.follow("x")
    assert isinstance(guard.failure, PaginationLoopError)


# --- empty pages


def test_100_empty_pages_in_a_row_are_an_error() -> None:
    guard = LoopGuard()
    for _ in range(99):
        guard.receive(0)
    assert guard.failure is None
    guard.receive(0)
    assert isinstance(guard.failure, PaginationError)


def test_a_row_between_empty_pages_begins_the_count_anew() -> None:
    guard = LoopGuard()
    for rows in [0] * 99 + [1] + [0] * 99:
        guard.receive(rows)
    assert guard.failure is None


# --- pages without a new row


@pytest.mark.parametrize(
    ("new_guard", "allowed"),
    [
        pytest.param(by_cursor, 2, id="by cursor: the third one"),
        pytest.param(LoopGuard, 11, id="by offset: the twelfth one, because each change of the list repeats a page"),
    ],
)
def test_equal_pages_without_a_new_row_are_a_loop(new_guard: Callable[[], LoopGuard], allowed: int) -> None:
    guard = new_guard()
    finish(guard, A, allowed)
    assert guard.failure is None
    finish(guard, A)
    assert isinstance(guard.failure, PaginationLoopError)


def test_a_new_row_begins_the_count_anew() -> None:
    guard = by_cursor()
    finish(guard, A, 2)
    finish(guard, A, new=1)
    finish(guard, A, 2)
    assert guard.failure is None


def test_empty_pages_are_no_repeats() -> None:
    guard = by_cursor()
    for _ in range(50):
        guard.finish(None, 0, new=0, known=9)
    assert guard.failure is None


def test_an_empty_page_between_equal_ones_changes_nothing() -> None:
    guard = by_cursor()
    finish(guard, A, 2)
    guard.finish(None, 0, new=0, known=9)
    finish(guard, A)
    assert isinstance(guard.failure, PaginationLoopError)


def test_pages_of_one_length_that_differ_are_not_equal() -> None:
    guard = by_cursor()
    finish(guard, A, 2)
    finish(guard, B)
    finish(guard, A, 2)
    assert guard.failure is None


def test_pages_in_turns_are_a_loop_once_they_are_more_than_the_rows_that_the_walk_knows() -> None:
    guard = by_cursor()
    # Twice the 9 rows that it knows, and three pages to spare: five pages of 9.
    for ids in (A, B, A, B, A):
        finish(guard, ids)
        assert guard.failure is None
    finish(guard, B)
    assert isinstance(guard.failure, PaginationLoopError)


def test_a_walk_may_pass_through_all_rows_that_it_knows() -> None:
    guard = by_cursor()
    for page in range(200):
        guard.finish((f"{page}", f"{page}"), 10, new=0, known=2_000)
    assert guard.failure is None


def test_repeats_by_offset_prove_nothing_about_the_cursor_that_comes_after_them() -> None:
    guard = LoopGuard()
    finish(guard, A, 11)
    guard.follow("first")
    finish(guard, A, 2)
    assert guard.failure is None


def test_a_second_cursor_does_not_begin_the_count_anew() -> None:
    guard = by_cursor()
    finish(guard, A, 2)
    guard.follow("second")
    finish(guard, A)
    assert isinstance(guard.failure, PaginationLoopError)


# --- searches


def test_1200_pages_of_a_search_without_a_known_row_are_a_loop() -> None:
    guard = LoopGuard()
    for _ in range(1_199):
        guard.search()
    assert guard.failure is None
    guard.search()
    assert isinstance(guard.failure, PaginationLoopError)


def test_equal_pages_around_a_search_are_no_loop() -> None:
    guard = LoopGuard()
    finish(guard, A, 11)
    guard.search()
    finish(guard, A, 11)
    assert guard.failure is None


def test_a_new_row_ends_the_count_of_searches() -> None:
    guard = LoopGuard()
    for _ in range(1_199):
        guard.search()
    finish(guard, A, new=1)
    for _ in range(1_199):
        guard.search()
    assert guard.failure is None
