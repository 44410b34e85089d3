"""How many rows are asked for after a page that cannot be fetched, and which row is to blame."""

import pytest

from mixpeek_async._options import PageStart
from mixpeek_async._paging.sizing import PageSize, SingleRow, is_too_large, may_be_too_large
from mixpeek_async.errors import (
    ConnectionFailedError,
    MalformedResponseError,
    MixpeekError,
    NotFoundError,
    RateLimitError,
    RequestTimeoutError,
    ResponseTooLargeError,
    ServerError,
    StatusError,
)

# --- the size of a page


def test_a_walk_asks_for_the_page_size_that_the_caller_wants() -> None:
    size = PageSize(100)
    assert (size.now, size.cap) == (100, 1000)


@pytest.mark.parametrize(
    ("full", "failed", "now"),
    [
        pytest.param(100, 100, 50, id="half of it"),
        pytest.param(100, 101, 50, id="half of an odd number, rounded down"),
        pytest.param(100, 40, 20, id="half of a page that was smaller than the page size"),
        pytest.param(10, 1000, 10, id="never more than before"),
        pytest.param(100, 3, 1, id="three rows"),
        pytest.param(100, 2, 1, id="two rows"),
    ],
)
def test_after_a_page_that_cannot_be_fetched_half_as_many_rows(full: int, failed: int, now: int) -> None:
    size = PageSize(full)
    assert size.shrink(failed)
    assert (size.now, size.cap) == (now, now)


@pytest.mark.parametrize("failed", [1, 0, -1])
def test_a_single_row_cannot_be_halved(failed: int) -> None:
    size = PageSize(100)
    assert not size.shrink(failed)
    assert (size.now, size.cap) == (100, 1000)


def test_after_pages_that_were_fetched_twice_as_many_rows_up_to_the_page_size() -> None:
    size = PageSize(100)
    size.shrink_to_one()
    sizes = []
    for _ in range(8):
        sizes.append((size.now, size.cap))
        size.grow()
    small = [1, 2, 4, 8, 16, 32, 64]
    assert sizes == [*((rows, rows) for rows in small), (100, 1000)]


def test_a_page_size_of_one_is_full_again_after_one_row() -> None:
    size = PageSize(1)
    size.shrink_to_one()
    assert size.cap == 1
    size.grow()
    assert size.cap == 1000


# --- a row that is fetched alone

X, Y, X_ELSEWHERE = (PageStart(5), "x"), (PageStart(5), "y"), (PageStart(4), "x")


def test_a_row_that_is_shown_is_not_to_blame_yet() -> None:
    row = SingleRow()
    assert not row.show(X)
    assert (row.shown, row.tried) == (X, False)


@pytest.mark.parametrize(
    ("before", "after", "blamed"),
    [
        pytest.param(X, X, True, id="the row is still there"),
        pytest.param(X, Y, False, id="another row is there now"),
        pytest.param(X, X_ELSEWHERE, False, id="the row has moved"),
        pytest.param(X, None, False, id="no row is there now"),
        pytest.param(None, X, False, id="no row was there before"),
        pytest.param(None, None, False, id="there is no row"),
    ],
)
def test_a_row_is_to_blame_if_it_was_there_before_and_after_the_failure(
    before: tuple[PageStart, str] | None, after: tuple[PageStart, str] | None, blamed: bool
) -> None:
    row = SingleRow()
    row.show(before)
    row.fail()
    assert (row.shown, row.tried) == (None, True)
    assert row.show(after) is blamed
    assert (row.shown, row.tried) == (None if blamed else after, False)


def test_one_failure_blames_one_row() -> None:
    row = SingleRow()
    row.show(X)
    row.fail()
    row.show(X)
    assert not row.show(X)


def test_a_failure_of_a_row_that_was_passed_blames_no_later_row() -> None:
    row = SingleRow()
    row.show(X)
    row.fail()
    row.show(Y)
    assert not row.show(X)


# --- which failures a smaller page may mend


@pytest.mark.parametrize(
    ("error", "is_large", "may_be_large"),
    [
        pytest.param(ResponseTooLargeError("over 64 MiB"), True, True, id="over our own limit"),
        pytest.param(StatusError("413", status=413), True, True, id="413"),
        pytest.param(RequestTimeoutError("slow"), False, True, id="a time-out"),
        pytest.param(ServerError("500", status=500, retryable=True), False, True, id="500"),
        pytest.param(ServerError("504", status=504, retryable=True), False, True, id="504"),
        pytest.param(ServerError("503", status=503, retryable=True), False, False, id="503: the server is starting"),
        pytest.param(ServerError("501", status=501), False, False, id="an error that no retry mends"),
        pytest.param(
            ServerError("500", status=500, retryable=True, retry_after=5.0), False, False, id="come again in 5 s"
        ),
        pytest.param(RateLimitError("429", status=429, retryable=True), False, False, id="429"),
        pytest.param(NotFoundError("404", status=404), False, False, id="404"),
        pytest.param(ConnectionFailedError("refused"), False, False, id="no connection"),
        pytest.param(MalformedResponseError("no JSON"), False, False, id="a malformed page"),
    ],
)
def test_which_failures_are_about_the_size_of_a_page(error: MixpeekError, is_large: bool, may_be_large: bool) -> None:
    assert is_too_large(error) is is_large
    assert may_be_too_large(error) is may_be_large
