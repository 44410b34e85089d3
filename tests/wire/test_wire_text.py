"""Text from outside is shown printable and short."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixpeek_async._text import printable

# Surrogates too: JSON can spell half of a pair.
ANY_TEXT = st.text(st.characters(codec=None), max_size=60)


@given(ANY_TEXT, st.integers(1, 70))
def test_the_result_is_printable_and_at_most_as_long_as_allowed(text: str, limit: int) -> None:
    shown = printable(text, limit)

    assert shown.isprintable()
    assert len(shown) <= limit


@given(ANY_TEXT.filter(str.isprintable))
def test_printable_text_that_fits_stays_as_it_is(text: str) -> None:
    assert printable(text, len(text) or 1) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("line\r\nforged", r"line\r\nforged"),
        ("nul\0", r"nul\x00"),
        ("\u202egpj.exe", r"\u202egpj.exe"),
        ("\ud800", r"\ud800"),
        ("naïve ✓", "naïve ✓"),
        ("", ""),
    ],
)
def test_what_a_terminal_would_obey_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_a_megabyte_is_cut_to_two_thousand_characters_with_a_sign_that_it_was() -> None:
    shown = printable("x" * 1_000_000)

    assert len(shown) == 2_000
    assert shown.endswith("x…")


def test_text_that_grows_too_long_by_escaping_is_cut_too() -> None:
    assert printable("\n" * 10, 10) == r"\n\n\n\n\…"
