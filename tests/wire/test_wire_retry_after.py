"""How long a server asks to wait: seconds to obey, or nothing; never zero, never less, never an exception."""

import random
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixpeek_async._wire import Response, status_error

NOON = "Fri, 07 Mar 2025 12:00:00 GMT"
NOON_UNIX = 1741348800.0


def wait(
    retry_after: str | None = None, *, date: str | None = NOON, body: bytes = b"", at: float = 0.0
) -> float | None:
    headers = {"retry-after": retry_after, "date": date}
    present = {name: value for name, value in headers.items() if value is not None}
    return status_error(Response(status=429, headers=present, body=body, received_at=at)).retry_after


@pytest.mark.parametrize(("header", "seconds"), [("7", 7), (" 7 ", 7), ("1.5", 1.5), ("3600", 3600), ("1e2", 100)])
def test_seconds_are_seconds(header: str, seconds: float) -> None:
    assert wait(header) == seconds


@pytest.mark.parametrize(
    "date",
    [
        "Fri, 07 Mar 2025 12:01:30 GMT",
        "Fri, 07 Mar 2025 13:01:30 +0100",
        "Fri, 07 Mar 2025 12:01:30 -0000",
        "Friday, 07-Mar-25 12:01:30 GMT",
        "Fri Mar  7 12:01:30 2025",
        "  Fri, 07 Mar 2025 12:01:30 GMT ",
    ],
)
def test_a_date_of_any_published_form_is_judged_by_the_servers_own_clock(date: str) -> None:
    # Our own clock is hours behind here.
    assert wait(date, at=NOON_UNIX - 9_999) == 90


@pytest.mark.parametrize("date", [None, "", "soon"])
def test_a_date_from_a_server_without_a_clock_is_judged_by_ours(date: str | None) -> None:
    assert wait("Fri, 07 Mar 2025 12:01:30 GMT", date=date, at=NOON_UNIX + 60) == 30


@pytest.fixture
def tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if not hasattr(time, "tzset"):
        pytest.skip("the zone of the process cannot be changed here")
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("tokyo")
def test_a_date_without_a_zone_is_utc_wherever_we_are() -> None:
    assert wait("Fri Mar  7 12:01:30 2025") == 90


@pytest.mark.parametrize(
    "header",
    [
        "",
        "0",
        "-0.0",
        "-5",
        "nan",
        "-nan",
        "inf",
        "-inf",
        "1e999",
        "9" * 5_000,
        "1e10",
        "soon",
        "5s",
        "5, 6",
        "0x10",
        "Fri, 07 Mar 2025 12:00:00 GMT",
        "Fri, 07 Mar 2025 11:59:00 GMT",
        "Fri, 07 Mar 0000 12:00:00 GMT",
        "Fri, 07 Mar 99999 12:00:00 GMT",
        "Fri, 99 Mar 2025 99:99:99 GMT",
        "Fri, 07 Mar 2025 12:01:30 +99999999999",
        "Mon, 01 Jan 0001 00:00:00 +2359",
    ],
)
def test_a_wait_that_makes_no_sense_counts_as_absent(header: str) -> None:
    assert wait(header) is None


@pytest.mark.parametrize(
    ("details", "seconds"),
    [
        ('{"retry_after_seconds": 12}', 12),
        ('{"retry_after": 1.5}', 1.5),
        ('{"retry_after_seconds": 12, "retry_after": 3}', 12),
        ('{"retry_after_seconds": 0, "retry_after": 3}', 3),
        ('{"retry_after_seconds": true, "retry_after": 3}', 3),
        ('{"retry_after_seconds": "12", "retry_after": null}', None),
        ('{"retry_after": -1}', None),
        ('{"retry_after": NaN}', None),
        ('{"retry_after": Infinity}', None),
        ('{"retry_after": 1e999}', None),
        ('{"retry_after": %s}' % ("9" * 4_000), None),
        ('{"retry_after": %s}' % ("9" * 5_000), None),
        ('{"retry_after": [5]}', None),
        ("[5]", None),
    ],
)
def test_without_a_header_the_details_say_it(details: str, seconds: float | None) -> None:
    assert wait(body=b'{"error": {"message": "slow down", "details": %s}}' % details.encode()) == seconds


@pytest.mark.parametrize(("header", "seconds"), [("7", 7), ("soon", 12), ("0", 12), ("-1", 12)])
def test_the_header_wins_over_the_details_if_it_makes_sense(header: str, seconds: float) -> None:
    assert wait(header, body=b'{"error": {"details": {"retry_after_seconds": 12}}}') == seconds


def is_sensible(seconds: Any) -> bool:
    return seconds is None or (isinstance(seconds, float) and 0 < seconds < float("inf"))


@given(st.text(max_size=40), st.none() | st.text(max_size=40))
def test_any_text_is_a_wait_or_none(header: str, date: str | None) -> None:
    assert is_sensible(wait(header, date=date))


# What dates and numbers are made of, and what breaks those who read them.
PIECES = [
    *("Fri", "Friday", ",", ".", "-", "+", ":", "(", ")", " ", "  ", "e", "T", "\0"),
    *("07", "7", "-7", "99", "0", "0000", "25", "2025", "99999", "9" * 5_000, "1_0", "٣", "nan", "inf"),
    *("Mar", "March", "12:00:00", "12:61", "GMT", "EST", "Z", "+0100", "-9999", "+" + "9" * 400),
]


def test_twenty_thousand_near_misses_are_waits_or_none() -> None:
    chance = random.Random(20250307)

    def made_up() -> str:
        return chance.choice(["", " "]).join(chance.choices(PIECES, k=chance.randint(0, 9)))

    cases = [(made_up(), made_up()) for _ in range(20_000)]
    waits = [wait(header, date=date) for header, date in cases]

    assert [case for case, seconds in zip(cases, waits, strict=True) if not is_sensible(seconds)] == []
    assert len({seconds for seconds in waits if seconds}) > 10
