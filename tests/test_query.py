"""The bounds of what can be asked for, held where the mistake is made."""

import sys
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixpeek_async import InvalidArgumentError
from mixpeek_async._options import MAX_OFFSET, MAX_PAGE_SIZE, ListOptions, PageRequest, PageStart


def ask(name: str, value: Any) -> ListOptions:
    return ListOptions(**{name: value})


def test_by_default_everything_is_walked_in_the_longest_pages() -> None:
    options = ListOptions()

    assert (options.page_size, options.max_items, options.offset) == (1000, None, 0)
    assert (options.include_total, options.on_invalid) == (False, "raise")


def test_the_bounds_are_those_of_the_api() -> None:
    assert (MAX_PAGE_SIZE, MAX_OFFSET) == (1000, 10_000)


@given(
    page_size=st.integers(1, 1000),
    max_items=st.none() | st.integers(0),
    offset=st.integers(0, 10_000),
    include_total=st.booleans(),
    prefetch=st.integers(0, 1),
    concurrency=st.integers(1, 100),
    on_invalid=st.sampled_from(["raise", "skip", print]),
)
def test_whatever_is_within_the_bounds_is_taken_as_it_is(**options: Any) -> None:
    assert attrs.asdict(ListOptions(**options)) == options


HUGE = 10 ** (sys.int_info.default_max_str_digits + 1)

OUT_OF_BOUNDS: list[tuple[str, Any]] = [
    ("page_size", 0),
    ("page_size", 1001),
    ("page_size", -1),
    ("page_size", HUGE),
    ("max_items", -1),
    ("max_items", -HUGE),
    ("offset", -1),
    ("offset", 10_001),
    ("prefetch", -1),
    ("prefetch", 2),
    ("concurrency", 0),
    ("concurrency", 101),
]


@pytest.mark.parametrize(("name", "value"), OUT_OF_BOUNDS, ids=[name for name, _ in OUT_OF_BOUNDS])
def test_what_is_out_of_bounds_is_refused_by_name(name: str, value: int) -> None:
    with pytest.raises(InvalidArgumentError, match=f"^{name} must be a whole number"):
        ask(name, value)


@pytest.mark.parametrize("name", ["page_size", "max_items", "offset", "prefetch", "concurrency"])
@pytest.mark.parametrize("value", [True, False, 1.0, "1", b"1", [1], float("nan")], ids=repr)
def test_only_an_int_is_a_number_of_rows(name: str, value: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=f"^{name} must be a whole number"):
        ask(name, value)


@pytest.mark.parametrize("name", ["page_size", "offset", "prefetch", "concurrency"])
def test_only_max_items_can_be_left_to_none(name: str) -> None:
    with pytest.raises(InvalidArgumentError, match=name):
        ask(name, None)


@pytest.mark.parametrize("value", [1, 0, None, "true", []], ids=repr)
def test_only_a_bool_says_whether_to_count(value: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^include_total must be True or False"):
        ListOptions(include_total=value)


class Waiting:
    async def __call__(self, error: object) -> None:
        raise AssertionError("never called")


@pytest.mark.parametrize(
    "value", [None, True, "ignore", "", 7, ["skip"], HUGE, Waiting()], ids=lambda value: type(value).__name__
)
def test_what_to_do_with_an_invalid_record_is_a_word_or_a_callable(value: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^on_invalid must be 'raise', 'skip' or a plain function"):
        ListOptions(on_invalid=value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"page_size": 5000}, "page_size must be a whole number from 1 to 1000, not 5000"),
        ({"offset": "7"}, "offset must be a whole number from 0 to 10000, not '7'"),
        ({"max_items": -1}, "max_items must be a whole number of at least 0, not -1"),
        ({"page_size": HUGE}, "page_size must be a whole number from 1 to 1000, not a value too long to show"),
        ({"include_total": HUGE}, "include_total must be True or False, not a value too long to show"),
        ({"include_total": "yes"}, "include_total must be True or False, not 'yes'"),
    ],
)
def test_a_refusal_says_what_to_pass_instead(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        ListOptions(**options)
    assert caught.value.message == message


@pytest.mark.parametrize("name", ["page_size", "include_total", "on_invalid"])
def test_a_refusal_of_something_long_is_short(name: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        ask(name, "x" * 1_000_000)
    assert len(caught.value.message) < 200


def test_a_page_starts_at_the_beginning_unless_told_where() -> None:
    assert PageRequest(PageStart(), 10) == PageRequest(PageStart(offset=0, cursor=None), 10, include_total=False)
